"""What happened in the embedded company: 90 days of incidents, made from a seed and a clock when somebody first asks.

It shares nothing with any simulation of pages elsewhere: who is on call comes from this PagerDuty's own rendering, the
course of an incident from history_course.py. What the account says holds: maintenance windows, disabled services, layers of
former days, and when a service had its last incident, after which (up to where the account's clock stood) it had none.
"""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from random import Random
from typing import cast
from zoneinfo import ZoneInfo

from flask import current_app

from pdmigrate.sandbox.gate import document, lock
from pdmigrate.sandbox.history_course import CHANNELS, Entry, Incident, play
from pdmigrate.sandbox.pagerduty_lists import stored
from pdmigrate.sandbox.pagerduty_schedules import schedule_sources
from pdmigrate.sandbox.pagerduty_v3 import render_shifts
from pdmigrate.sandbox.pagerduty_wire import as_reference, not_found
from pdmigrate.sandbox.pagerduty_zones import own_zone
from pdmigrate.sandbox.rendering import read_instant, render
from pdmigrate.sandbox.store import Json

FRESH = timedelta(days=90)
"""As long as a clock is within this of the account's own, history goes on to it: a workspace lives for some weeks."""
BY_HOUR = (2, 2, 2, 2, 2, 3, 4, 6, 8, 9, 9, 8, 8, 9, 10, 9, 8, 7, 6, 6, 5, 4, 3, 3)
TROUBLES = (
    "Error rate above 5 %",
    "Latency p99 above 2 s",
    "Disk 95 % full",
    "Health check failed in two regions",
    "Queue is not drained",
    "CPU above 90 % for 10 minutes",
    "Certificate expires in 3 days",
    "Memory above 95 %",
)
SEVERITIES = ("critical", "error", "error", "warning", "warning", "info")


@dataclass(frozen=True)
class Settings:
    """What the account's `history`, or the option of that name, may say."""

    until: str = ""  # ISO 8601; empty: the server's clock, or the end of `day` where the clock is far from it
    day: str = (
        ""  # the day on which the account stands, ISO 8601: nothing happened then after the services' last incidents
    )
    days: int = 90
    seed: int = 1
    log_entries: int = 0  # at least so many, for a big account: each day has more of them


@dataclass(frozen=True)
class History:
    """All of it, by time."""

    until: datetime
    incidents: list[Incident]
    entries: list[tuple[Entry, int]]  # with the place of its incident in `incidents`
    places: dict[str, int]  # of an incident, by its id


def read_history() -> History:
    """The history of the account as it was when somebody first asked. Raises the 404 for a recorded account: not known."""
    config = current_app.config
    with lock():
        known: History | None = config.get("HISTORY")
        if known is None:
            if document().get("recorded") and not (document().get("history") or config["OPTIONS"]["history"]):
                raise not_found()
            known = config["HISTORY"] = make_history(_read_settings())
        return known


def _read_settings() -> Settings:
    said = {**(document().get("history") or {}), **current_app.config["OPTIONS"]["history"]}
    settings = Settings(**said)
    if settings.until:
        return settings
    clock = datetime.fromtimestamp(current_app.config["CLOCK"](), UTC).replace(microsecond=0)
    stands = read_end(settings.day)
    is_near = stands is None or stands - timedelta(days=1) <= clock <= stands + FRESH
    return replace(settings, until=(clock if is_near else cast(datetime, stands)).isoformat())


def read_end(day: str) -> datetime | None:
    """The end of a day in UTC."""
    return read_instant(day) + timedelta(days=1) if day else None


def make_history(settings: Settings) -> History:
    """Day by day, and each day as often as it takes for the log entries that are wanted."""
    until = read_instant(settings.until)
    since = until - timedelta(days=settings.days)
    world, diary = Watch(since - timedelta(days=1), until), Diary(read_end(settings.day) or until)
    found: dict[str, Incident] = {}  # a service has one at a second, no more
    passes, lines = 0, 0
    while not passes or (lines < settings.log_entries and found):
        for number in range(settings.days + 1):
            day = (since + timedelta(days=number)).date()
            dice = Random(f"{settings.seed} {passes} {day}")  # noqa: S311 - a dice that falls the same every time
            for incident in diary.list_day(day, dice, is_first=not passes):
                is_new = since <= incident.created <= until and incident.id not in found
                if is_new and play(incident, world, dice):
                    found[incident.id] = incident
                    lines += len(incident.log)
        passes += 1
    incidents = sorted(found.values(), key=lambda one: (one.created, one.service["id"]))
    entries = [(entry, place) for place, incident in enumerate(incidents) for entry in incident.log]
    entries.sort(key=lambda one: (one[0].at, one[1], one[0].number))
    return History(until, incidents, entries, {one.id: place for place, one in enumerate(incidents)})


def issue_id(letter: str, length: int, *said: str) -> str:
    """An id as PagerDuty issues them, the same for the same words."""
    return letter + hashlib.sha256(" ".join(said).encode()).hexdigest()[:length].upper()


class Diary:
    """What is triggered, day by day."""

    def __init__(self, stands: datetime):
        self.stands = stands  # of what came later the account says nothing
        self.policies = {policy["id"]: policy for policy in stored("escalation_policies")}
        named = [(service, (service.get("escalation_policy") or {}).get("id")) for service in stored("services")]
        self.services = [one for one, id in named if id in self.policies and one.get("status") != "disabled"]
        self.windows = [
            (
                read_instant(one["start_time"]),
                read_instant(one["end_time"]),
                {service["id"] for service in one["services"]},
            )
            for one in stored("maintenance_windows")
            if one.get("start_time") and one.get("end_time")
        ]

    def list_day(self, day: date, dice: Random, is_first: bool) -> list[Incident]:
        """The incidents of a day; now and then one failure brings down all services of a policy."""
        found = []
        for service in self.services:
            moments = {at for at in self._list_moments(service, day, dice) if self._may_trigger(service, at)}
            last = _read_last(service)
            if is_first and last and last.date() == day:
                moments.add(last)
            for at in sorted(moments):
                found.append(self._make(service, dice.choice(TROUBLES), dice.choice(SEVERITIES), at))
        if found and dice.random() < 0.08:
            first = dice.choice(found)
            for service in self.services:
                at = first.created + timedelta(seconds=dice.randint(20, 900))
                alike = service["escalation_policy"]["id"] == first.policy["id"] and service is not first.service
                if alike and self._may_trigger(service, at):
                    found.append(self._make(service, "A dependency is down", "critical", at))
        return sorted(found, key=lambda one: (one.created, one.service["id"]))

    def _make(self, service: Json, trouble: str, severity: str, at: datetime) -> Incident:
        policy = self.policies[service["escalation_policy"]["id"]]
        id = issue_id("Q", 13, service["id"], at.isoformat())
        return Incident(id, service, policy, f"{service['name']}: {trouble}", severity, at)

    def _list_moments(self, service: Json, day: date, dice: Random) -> Iterator[datetime]:
        """The noisier a service is, the fresher is its last incident."""
        last = _read_last(service)
        age = (self.stands - last) // timedelta(days=1) if last else 90
        rate = (2 / (age + 1) if age < 90 else 0.05) * (2.5 if dice.random() < 0.1 else 0.8)
        for _ in range(int(rate) + (dice.random() < rate % 1)):
            [hour] = dice.choices(range(24), BY_HOUR)
            yield datetime.combine(day, time(hour, dice.randrange(60), dice.randrange(60)), UTC)

    def _may_trigger(self, service: Json, at: datetime) -> bool:
        if any(start <= at < end and service["id"] in ids for start, end, ids in self.windows):
            return False
        last = _read_last(service)
        return at > self.stands or "last_incident_timestamp" not in service or bool(last and at <= last)


def _read_last(service: Json) -> datetime | None:
    last = service.get("last_incident_timestamp")
    return read_instant(last) if last else None


class Watch:
    """Who is on call, by this PagerDuty's own rendering, and how people want to be told; those who have left since, too."""

    def __init__(self, since: datetime, until: datetime):
        self.until = until
        self.users = (document().get("past_users") or {}) | {user["id"]: user for user in stored("users")}
        self.references = {id: as_reference(user) for id, user in self.users.items()}
        self.turns: dict[str, list[tuple[datetime, datetime, str]]] = {}
        for schedule in stored("schedules"):
            entries = render(schedule_sources(schedule), own_zone(schedule), since, until)
            self.turns[schedule["id"]] = [(one.start, one.end, one.user["id"]) for one in entries]
        for schedule in stored("schedules_v3"):
            shifts = [one for one in render_shifts(schedule, since, until) if one.member["type"] == "user_member"]
            self.turns[schedule["id"]] = [(one.start, one.end, one.member["user_id"]) for one in shifts]
        self.rules = {id: _read_rules(user) for id, user in self.users.items()}

    def list_people(self, policy: Json, level: int, at: datetime) -> list[Json]:
        """The users of a level at that moment, each once; of a level that goes round, one alone."""
        rule = policy["escalation_rules"][level]
        ids = [id for target in rule.get("targets") or [] for id in self._list_ids(target, at)]
        people = [self.references[id] for id in dict.fromkeys(ids) if id in self.references]
        if people and rule.get("escalation_rule_assignment_strategy") == "round_robin":
            return [people[int(at.timestamp()) // 60 % len(people)]]
        return people

    def _list_ids(self, target: Json, at: datetime) -> list[str]:
        if target["type"].startswith("user"):
            return [] if target.get("deleted_at") else [target["id"]]
        return [id for start, end, id in self.turns.get(target["id"], ()) if start <= at < end]

    def list_rules(self, user: Json, urgency: str) -> list[tuple[timedelta, Json]]:
        """A user's notification rules of that urgency: the delay, and the contact method."""
        return self.rules[user["id"]].get(urgency, [])

    def find_zone_of(self, user: Json) -> ZoneInfo:
        """The user's time zone."""
        return own_zone(self.users[user["id"]])


def _read_rules(user: Json) -> dict[str, list[tuple[timedelta, Json]]]:
    """By urgency; without what is blocked or switched off, and without what the list of notifications does not know."""
    methods = {method["id"]: method for method in user.get("contact_methods") or []}
    rules: dict[str, list[tuple[timedelta, Json]]] = {}
    for rule in user.get("notification_rules") or []:
        method = methods.get((rule.get("contact_method") or {}).get("id"))
        if method and method["type"] in CHANNELS and not method.get("blacklisted") and method.get("enabled", True):
            delay = timedelta(minutes=rule.get("start_delay_in_minutes") or 0)
            rules.setdefault(rule.get("urgency") or "high", []).append((delay, method))
    return rules
