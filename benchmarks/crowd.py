"""A PagerDuty account of any size, all alike: for counting requests and memory, not for looking at."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from pdmigrate.sandbox.company_shapes import make_key, make_part, make_record, refer, write_local
from pdmigrate.sandbox.store import Json

ZONES = (
    "America/New_York",
    "Europe/London",
    "Asia/Tokyo",
    "Asia/Kolkata",
    "Australia/Sydney",
    "America/Los_Angeles",
)


@dataclass(frozen=True)
class Size:
    """How many of each kind, and in how many zones the schedules are (six at most)."""

    users: int = 250
    teams: int = 20
    schedules: int = 220
    schedules_v3: int = 0
    policies: int = 130
    services: int = 310
    zones: int = 1


PEERS_ACCOUNT = Size()
"""The account that two open-source migrators were measured on."""


def build_crowd(size: Size, now: datetime) -> Json:
    """The account document. Every schedule has windows, so that the zone in which it is read matters."""
    teams = [_make("team", number, description=None) for number in range(size.teams)]
    users = [_make_user(number, teams, size) for number in range(size.users)]
    schedules = [_make_schedule(number, users, size) for number in range(size.schedules)]
    shifts = [make_shifts(number, users, ZONES[number % size.zones]) for number in range(size.schedules_v3)]
    policies = [_make_policy(number, [*shifts, *schedules], users) for number in range(size.policies)]
    return {
        "subdomain": "acme",
        "time_zone": ZONES[0],
        "abilities": ["teams", "urgencies"],
        "users": users,
        "teams": teams,
        "team_members": list_members(users),
        "schedules": schedules,
        "overrides": {one["id"]: [make_override(one, users, now)] for one in schedules[::10]},
        "schedules_v3": shifts,
        "escalation_policies": policies,
        "services": [_make_service(number, policies) for number in range(size.services)],
    }


def _make(kind: str, number: int, **fields: object) -> Json:
    return make_record(kind, f"P{kind[0].upper()}{number:05}", f"{kind.capitalize()} {number}", **fields)


def _make_user(number: int, teams: list[Json], size: Size) -> Json:
    zone = ZONES[0 if number % 3 else number % size.zones]
    user = _make("user", number, email=f"user{number}@acme.example", time_zone=zone, role="user", job_title=None)
    email = make_part(
        "email_contact_method", f"PC{number:05}", user, "contact_methods", "Work", label="Work", address=user["email"]
    )
    rule = make_part("assignment_notification_rule", f"PN{number:05}", user, "notification_rules", "0 minutes: email")
    rule |= {"urgency": "high", "start_delay_in_minutes": 0, "contact_method": refer(email)}
    team = [refer(teams[number % len(teams)])] if teams else []
    return {**user, "teams": team, "contact_methods": [email], "notification_rules": [rule]}


def list_members(users: list[Json]) -> Json:
    members: Json = {}
    for user in users:
        for team in user["teams"]:
            members.setdefault(team["id"], []).append({"user": refer(user), "role": "responder"})
    return members


def _make_schedule(number: int, users: list[Json], size: Size) -> Json:
    zone = ZONES[number % size.zones]
    people = [users[(number * 3 + turn) % len(users)] for turn in range(3)]
    window = {"type": "daily_restriction", "start_time_of_day": "09:00:00", "duration_seconds": 28_800}
    layers = [make_layer(f"PL{number:05}A", people, zone, [window])]
    layers += [make_layer(f"PL{number:05}B", people[::-1], zone, [])] * (number % 4 == 0)
    return _make(
        "schedule", number, time_zone=zone, description=None, schedule_layers=layers, users=[refer(p) for p in people]
    )


def make_layer(layer_id: str, people: list[Json], zone: str, windows: list[Json]) -> Json:
    start = write_local("2025-01-06T09:00", zone)
    times = {"start": start, "end": None, "rotation_virtual_start": start, "rotation_turn_length_seconds": 604_800}
    return {
        "id": layer_id,
        "name": layer_id,
        **times,
        "users": [{"user": refer(p)} for p in people],
        "restrictions": windows,
    }


def make_override(schedule: Json, users: list[Json], now: datetime) -> Json:
    start = now.replace(minute=0, second=0, microsecond=0) + timedelta(days=90)
    times = {"start": start.isoformat(), "end": (start + timedelta(hours=12)).isoformat()}
    return {"id": f"PO{schedule['id'][2:]}", "type": "override_reference", **times, "user": refer(users[0])}


def make_shifts(number: int, users: list[Json], zone: str) -> Json:
    members = [{"type": "user_member", "user_id": users[(number + turn) % len(users)]["id"]} for turn in range(3)]
    times = (write_local(f"2025-03-03T{clock}", zone) for clock in ("09:00", "17:00"))
    start, end = ({"date_time": time, "time_zone": zone} for time in times)
    strategy = {"type": "rotating_member_assignment_strategy", "shifts_per_member": 5, "members": members}
    event: Json = {
        "id": f"PE{number:05}",
        "type": "schedule_event",
        "name": "Days",
        "start_time": start,
        "end_time": end,
    }
    event |= {"effective_since": start["date_time"], "effective_until": None, "assignment_strategy": strategy}
    event |= {"recurrence": ["RRULE:FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR"]}
    rotation = {"id": f"PR{number:05}", "type": "schedule_rotation", "events": [event]}
    record = {"id": f"PX{number:05}", "type": "schedule_v3", "name": f"Shifts {number}", "time_zone": zone}
    links = {
        "self": f"https://api.pagerduty.com/v3/schedules/PX{number:05}",
        "html_url": None,
        "summary": f"Shifts {number}",
    }
    parts = {"rotations": [rotation], "custom_shifts": [], "overrides": []}
    return {**record, **links, "teams": [], "users": [], "escalation_policies": [], **parts}


def _make_policy(number: int, schedules: list[Json], users: list[Json]) -> Json:
    targets = [refer(schedules[number % len(schedules)])] if schedules else [refer(users[number % len(users)])]
    rule = {"id": f"PK{number:05}", "escalation_delay_in_minutes": 15, "targets": targets}
    rule |= {"escalation_rule_assignment_strategy": "assign_to_everyone"}
    return _make(
        "escalation_policy", number, escalation_rules=[rule], num_loops=1, teams=[], services=[], description=None
    )


def _make_service(number: int, policies: list[Json]) -> Json:
    service = _make("service", number, description=None, status="active", teams=[])
    service |= {"incident_urgency_rule": {"type": "constant", "urgency": "high"}, "support_hours": None}
    service |= {"acknowledgement_timeout": 1800, "auto_resolve_timeout": 14_400, "last_incident_timestamp": None}
    way = make_part("events_api_v2_inbound_integration", f"PI{number:05}", service, "integrations", "Events API v2")
    way |= {"integration_key": make_key(f"crowd {number}")}
    return {**service, "escalation_policy": refer(policies[number % len(policies)]), "integrations": [way]}
