"""A plain client of the embedded PagerDuty and accounts of one schedule, for the tests of its API: no patience, no opinions."""

from datetime import UTC, datetime

import requests

TOKEN = "sandbox-pagerduty-token"
NOW = datetime(2025, 10, 7, 15, 30, tzinfo=UTC)
NEW_YORK = "America/New_York"


class Client:
    """GET with the right token, and the sandbox's own controls."""

    def __init__(self, server):
        self.server, self.url = server, server.url
        self.session = requests.Session()
        self.session.headers["Authorization"] = f"Token token={TOKEN}"

    def get(self, path, **params):
        return self.session.get(self.url + path, params=params, timeout=600)

    def read(self, path, **params):
        answer = self.get(path, **params)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def play(self, *rules):
        assert self.session.post(self.url + "/sandbox/faults", json=rules, timeout=600).status_code == 200

    def log(self):
        return requests.get(self.url + "/sandbox/log", timeout=600).json()


def user(name):
    return {"id": name, "type": "user_reference", "summary": name, "self": None, "html_url": None}


def layer(people, anchor, turn=604_800, restrictions=(), start="2024-01-01T00:00:00Z", end=None):
    return {
        "id": f"PL{people}",
        "name": "Layer",
        "start": start,
        "end": end,
        "rotation_virtual_start": anchor,
        "rotation_turn_length_seconds": turn,
        "users": [{"user": user(name) if isinstance(name, str) else name} for name in people],
        "restrictions": list(restrictions),
    }


def daily(start, hours):
    return {"type": "daily_restriction", "start_time_of_day": start, "duration_seconds": int(hours * 3600)}


def weekly(day, start, hours):
    return {**daily(start, hours), "type": "weekly_restriction", "start_day_of_week": day}


def account(*layers, zone=NEW_YORK, overrides=(), user_zone="UTC"):
    schedule = {"id": "PS1", "type": "schedule", "summary": "S", "name": "S", "time_zone": zone}
    return {
        "subdomain": "acme",
        "time_zone": user_zone,
        "schedules": [{**schedule, "schedule_layers": list(layers)}],
        "overrides": {"PS1": list(overrides)},
    }


def final(client, since, until):
    """The final schedule in UTC, as 'day start day end who'."""
    answer = client.read("/schedules/PS1", since=since, until=until, time_zone="UTC")
    entries = answer["schedule"]["final_schedule"]["rendered_schedule_entries"]
    return [f"{short(one['start'])} {short(one['end'])} {one['user']['id']}" for one in entries]


def short(text):
    return f"{text[8:10]}/{text[11:16]}"
