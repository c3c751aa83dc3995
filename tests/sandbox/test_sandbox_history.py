"""What happened in the embedded company, as its PagerDuty tells it over HTTP."""

from collections import Counter
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from pagerduty_http import NOW, Client

from pdmigrate.sandbox.company import LEAVES, build_company, change_company
from pdmigrate.sandbox.pagerduty import start_pagerduty

SINCE, UNTIL = NOW - timedelta(days=90), NOW
OPEN = "2025-10-06T22:57:00Z"  # nine minutes after the last incident of Checkout web began


@pytest.fixture(scope="module")
def told():
    server = start_pagerduty(build_company(NOW), calls_per_minute=100_000)
    yield Client(server)
    server.stop()


@pytest.fixture(scope="module")
def log(told):
    """The whole log, oldest first, read in windows of a month."""
    return read_whole(told, "log_entries")[::-1]


@pytest.fixture(scope="module")
def incidents(told):
    return {
        one["id"]: one for one in read_pages(told, "/incidents", "incidents", since=write(SINCE), until=write(UNTIL))
    }


@pytest.fixture(scope="module")
def by_incident(log):
    found = {}
    for entry in log:
        found.setdefault(entry["incident"]["id"], []).append(entry)
    return found


def write(at):
    return at.isoformat().replace("+00:00", "Z")


def read_at(text):
    return datetime.fromisoformat(text).astimezone(UTC)


def read_pages(client, path, plural, **asked):
    rows, offset = [], 0
    while True:
        page = client.read(path, limit=100, offset=offset, **asked)
        rows += page[plural]
        if not page["more"]:
            return rows
        offset += 100


def read_whole(client, plural):
    edges = [UNTIL - timedelta(days=30) * number for number in range(4)]
    rows = {}
    for until, since in pairwise(edges):
        found = read_pages(client, f"/{plural}", plural, since=write(since), until=write(until), time_zone="UTC")
        rows |= {one["id"]: one for one in found}
    return list(rows.values())


# --- life-like ---


def test_ninety_days_have_everything_that_happens_to_pages(log, incidents):
    kinds = Counter(entry["type"].removesuffix("_log_entry") for entry in log)
    everything = (
        "trigger assign notify acknowledge escalate resolve unacknowledge repeat_escalation_path urgency_change"
    )
    assert all(kinds[kind] for kind in (*everything.split(), "exhaust_escalation_path", "annotate", "snooze"))
    assert 500 < len(incidents) == kinds["trigger"] < 1500
    assert {one["urgency"] for one in incidents.values()} == {"high", "low"}
    services = {one["service"]["summary"] for one in incidents.values()}
    assert "Store Wi-Fi (old)" not in services
    assert "Gift wrap 🎁" not in services
    assert len(services) == 19


def test_the_last_incident_of_each_service_is_the_one_that_the_service_says(told, incidents):
    last = {}
    for one in incidents.values():
        last[one["service"]["id"]] = max(last.get(one["service"]["id"], ""), one["created_at"])
    said = {one["id"]: one["last_incident_timestamp"] for one in told.read("/services", limit=100)["services"]}
    assert {id: read_at(at) for id, at in last.items()} == {
        id: read_at(at) for id, at in said.items() if at and read_at(at) > SINCE
    }


def test_who_is_notified_was_on_call_by_the_rendering_of_that_day(told, by_incident, incidents):
    """Data pipelines had other turns until 45 days ago: the rendering of those days has them, and the pages too."""
    asked = {"since": write(SINCE), "until": write(UNTIL), "time_zone": "UTC"}
    rendered = {
        id: told.read(f"/schedules/{id}", **asked)["schedule"]["final_schedule"]["rendered_schedule_entries"]
        for id in ("PSCHED06", "PSCHED07", "PSCHED12", "PSCHED13")
    }
    paged = {"PSERV11": ("PSCHED06", "PSCHED07"), "PSERV21": ("PSCHED12", "PSCHED13")}
    seen = 0
    for id, incident in incidents.items():
        at, schedules = read_at(incident["created_at"]), paged.get(incident["service"]["id"], ())
        entries = [entry for schedule in schedules for entry in rendered[schedule]]
        on = {one["user"]["id"] for one in entries if read_at(one["start"]) <= at < read_at(one["end"])}
        if on:
            first = next(entry for entry in by_incident[id] if entry["type"] == "assign_log_entry")
            assert {user["id"] for user in first["assignees"]} == on
            seen += 1
    assert seen > 50


def test_a_schedule_shows_its_former_layers_in_what_it_renders_alone(told):
    def render(days):
        at = NOW - timedelta(days=days)
        answer = told.read("/schedules/PSCHED12", since=write(at), until=write(at + timedelta(days=28)))["schedule"]
        assert [layer["id"] for layer in answer["schedule_layers"]] == ["PLAY121"]
        entries = answer["final_schedule"]["rendered_schedule_entries"]
        return [before["user"]["id"] != after["user"]["id"] for before, after in pairwise(entries)].count(True)

    assert (render(80), render(28)) == (2, 4)  # two-week turns then, a week each now


def test_notifications_follow_each_persons_own_rules(told, by_incident):
    users = {one["id"]: one for one in read_pages(told, "/users", "users", **{"include[]": ["notification_rules"]})}
    delays = {(id, rule["start_delay_in_minutes"]) for id, user in users.items() for rule in user["notification_rules"]}
    for entries in by_incident.values():
        starts = [read_at(entry["created_at"]) for entry in entries if not entry["type"].startswith("notify")]
        for entry in entries:
            if entry["type"] == "notify_log_entry":
                at = read_at(entry["created_at"])
                assert any(
                    (entry["user"]["id"], (at - start).seconds // 60) in delays for start in starts if start < at
                )


def test_low_urgency_does_not_escalate_and_maintenance_triggers_nothing(told, by_incident, incidents):
    low = [id for id, one in incidents.items() if one["urgency"] == "low"]
    assert len(low) > 50
    assert not [entry for id in low for entry in by_incident[id] if entry["type"] == "escalate_log_entry"]
    [scanners] = [one for one in told.read("/maintenance_windows")["maintenance_windows"] if one["id"] == "PMAINT2"]
    start, end = read_at(scanners["start_time"]), read_at(scanners["end_time"])
    assert not [
        one
        for one in incidents.values()
        if one["service"]["id"] == "PSERV18" and start <= read_at(one["created_at"]) < end
    ]


# --- as it is asked ---


def test_a_month_is_the_default_and_six_the_most(told, incidents):
    month = read_pages(told, "/incidents", "incidents")
    assert {one["id"] for one in month} < incidents.keys()
    assert told.get("/incidents", since="2025-01-01", until="2025-07-02").status_code == 400
    assert told.get("/incidents", since="2025-01-01", until="2025-07-01").status_code == 200


def test_incidents_are_chosen_by_service_and_status(told):
    asked = {"date_range": "all", "service_ids[]": ["PSERV05", "PSERV14"], "limit": 100, "total": "true"}
    found = told.read("/incidents", **asked)
    assert {one["service"]["id"] for one in found["incidents"]} == {"PSERV05", "PSERV14"}
    assert told.read("/incidents", **asked, **{"statuses[]": ["triggered"]})["total"] == 0
    [last] = told.read("/incidents", **asked | {"limit": 1}, sort_by="created_at:desc")["incidents"]
    assert last["created_at"] == "2025-10-06T20:15:00Z"
    assert told.read(f"/incidents/{last['incident_number']}")["incident"]["id"] == last["id"]


def test_the_log_of_an_incident_is_its_part_of_the_whole_log(told, by_incident):
    id, entries = next((id, rows) for id, rows in by_incident.items() if len(rows) > 12)
    assert read_pages(told, f"/incidents/{id}/log_entries", "log_entries", time_zone="UTC") == entries[::-1]
    overview = told.read(f"/incidents/{id}/log_entries", is_overview="true", limit=100)["log_entries"]
    assert {entry["type"] for entry in overview} < {entry["type"] for entry in entries} - {"notify_log_entry"}
    whole = told.read(f"/incidents/{id}/log_entries", **{"include[]": ["incidents", "services", "teams"]})
    assert whole["log_entries"][0]["incident"]["title"]
    assert whole["log_entries"][0]["service"]["name"]
    assert told.get("/incidents/QNONE/log_entries").status_code == 404


def test_notifications_are_those_of_the_log_and_need_both_edges(told, log):
    notified = Counter(
        (entry["user"]["id"], entry["created_at"], entry["channel"]["notification"]["type"])
        for entry in log
        if entry["type"] == "notify_log_entry"
    )
    told_of = read_whole(told, "notifications")
    assert Counter((one["user"]["id"], one["started_at"], one["type"]) for one in told_of) == notified
    assert all("incident" not in one for one in told_of)
    assert told.get("/notifications", since=write(SINCE)).status_code == 400
    assert told.get("/notifications", since="2025-06-07", until="2025-09-07").status_code == 400
    assert told.get("/notifications", since="2025-06-07", until="2025-09-06").status_code == 200


# --- made when it is asked for ---


def test_history_is_the_same_from_the_same_seed_and_made_only_when_somebody_asks(told, serve):
    again, other = serve(build_company(NOW)), serve(build_company(NOW), history={"seed": 2})
    assert again.read("/users")
    assert "HISTORY" not in again.server.app.config
    asked = {"since": write(SINCE), "until": write(UNTIL), "limit": 100}
    assert again.read("/log_entries", **asked) == told.read("/log_entries", **asked)
    assert other.read("/log_entries", **asked)["log_entries"] != again.read("/log_entries", **asked)["log_entries"]


def test_what_is_not_over_is_open_at_the_clock(serve):
    client = serve(build_company(NOW), history={"until": OPEN})
    [one] = client.read("/incidents", **{"statuses[]": ["triggered", "acknowledged"]})["incidents"]
    assert (one["service"]["summary"], one["resolved_at"]) == ("Checkout web", None)
    assert one["assignments"]
    assert {action["type"] for action in one["pending_actions"]} >= {"resolve"}


def test_a_big_account_has_as_many_lines_as_are_wanted(serve):
    client = serve(build_company(NOW), history={"days": 3, "log_entries": 1500})
    assert client.read("/log_entries", total="true")["total"] >= 1500


def test_the_past_of_a_schedule_stays_when_the_company_changes(serve):
    changed = build_company(NOW)
    change_company(changed)
    asked = {"since": write(SINCE), "until": write(NOW - timedelta(days=1)), "time_zone": "UTC"}
    before, after = (
        [
            (entry["start"], entry["user"]["id"])
            for entry in serve(document).read("/schedules/PSCHED06", **asked)["schedule"]["final_schedule"][
                "rendered_schedule_entries"
            ]
        ]
        for document in (build_company(NOW), changed)
    )
    assert before == after


def test_of_a_recorded_account_no_history_is_made_up(serve):
    client = serve(build_company(NOW) | {"recorded": True, "history": {}})
    assert client.get("/incidents").status_code == client.get("/log_entries").status_code == 404


def test_who_has_left_was_paged_on_former_days(serve):
    """He is no user any more, and the log of the days on which he was on call names him."""
    changed = build_company(NOW)
    change_company(changed)
    client = serve(changed)
    assert LEAVES not in {one["id"] for one in read_pages(client, "/users", "users")}
    asked = {"since": write(SINCE), "until": write(SINCE + timedelta(days=30)), "time_zone": "UTC"}
    named = [one for one in read_pages(client, "/log_entries", "log_entries", **asked) if "assignees" in one]
    assert any(LEAVES in {user["id"] for user in one["assignees"]} for one in named)
