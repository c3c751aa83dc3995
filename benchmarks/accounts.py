"""A PagerDuty account as companies have them, of any number of people: every team has rotas, policies and services of its own.

By a seed: the same numbers give the same account. Of a thousand people there are a hundred teams, 200 schedules (layers by
day, by night and at weekends), 20 schedules of the new kind, 200 policies and 500 services.
"""

from datetime import datetime, timedelta
from random import Random

from crowd import ZONES, list_members, make_layer, make_override, make_shifts

from pdmigrate.sandbox.company_shapes import make_key, make_part, make_record, refer, write_local
from pdmigrate.sandbox.store import Json

TEAM_SIZE = 10
DAY, WEEK = 86_400, 604_800
NIGHT = {"type": "daily_restriction", "start_time_of_day": "18:00:00", "duration_seconds": 54_000}
OFFICE = [
    {
        "type": "weekly_restriction",
        "start_day_of_week": day,
        "start_time_of_day": "09:00:00",
        "duration_seconds": 32_400,
    }
    for day in range(1, 6)
]
SUPPORT = {
    "type": "fixed_time_per_day",
    "days_of_week": [1, 2, 3, 4, 5],
    "start_time": "09:00:00",
    "end_time": "17:00:00",
}
BY_HOURS = {
    "type": "use_support_hours",
    "during_support_hours": {"type": "constant", "urgency": "high"},
    "outside_support_hours": {"type": "constant", "urgency": "low"},
}


def build_account(people: int, seed: int, now: datetime) -> Json:
    """The document of an account with so many people."""
    dice = Random(f"{seed}:{people}")  # noqa: S311 - dice that fall the same every time
    teams, document = [], {"subdomain": "acme", "time_zone": ZONES[0], "abilities": ["teams", "urgencies"]}
    kinds: dict[str, list[Json]] = {
        name: [] for name in ("users", "schedules", "schedules_v3", "escalation_policies", "services")
    }
    for number in range(max(1, people // TEAM_SIZE)):
        team, zone = make_record("team", f"PT{number:05}", f"Team {number}", description=None), dice.choice(ZONES)
        teams.append(team)
        members = [_make_user(number * TEAM_SIZE + place, team, zone, dice) for place in range(TEAM_SIZE)]
        rotas = [_make_schedule(number * 2 + place, members, zone, dice) for place in range(2)]
        kinds["users"] += members
        kinds["schedules"] += rotas
        if number % 5 == 0:
            kinds["schedules_v3"].append(make_shifts(number // 5, members, zone))
            rotas = [*rotas, kinds["schedules_v3"][-1]]
        policies = [_make_policy(number * 2 + place, rotas[place:], members, team, dice) for place in range(2)]
        kinds["escalation_policies"] += policies
        kinds["services"] += [_make_service(number * 5 + place, policies, team, zone, dice) for place in range(5)]
    overrides = {one["id"]: [make_override(one, _read_people(one), now)] for one in kinds["schedules"][::3]}
    return {**document, **kinds, "teams": teams, "team_members": list_members(kinds["users"]), "overrides": overrides}


def _read_people(schedule: Json) -> list[Json]:
    return list(schedule["users"])


def _make_user(number: int, team: Json, zone: str, dice: Random) -> Json:
    key, name = f"{number:05}", f"Person {number}"
    user = make_record(
        "user", f"PU{key}", name, email=f"person{number}@acme.example", time_zone=zone, role="user", job_title=None
    )
    number_of_phone = {"label": "Mobile", "address": f"212555{number % 10_000:04}", "country_code": 1}
    methods = [
        make_part(f"{kind}_contact_method", f"PC{key}{kind[0]}", user, "contact_methods", said["label"], **said)
        for kind, said in (
            ("email", {"label": "Work", "address": user["email"]}),
            ("phone", number_of_phone),
            ("sms", number_of_phone),
        )[: dice.choice((2, 3, 3))]
    ]
    first, second = methods[-1], methods[1]
    wanted = [("high", 0, first), ("high", dice.choice((5, 10)), second), ("low", 0, methods[0])]
    rules = [
        make_part("assignment_notification_rule", f"PN{key}{place}", user, "notification_rules", f"{minutes} minutes")
        | {"urgency": urgency, "start_delay_in_minutes": minutes, "contact_method": refer(method)}
        for place, (urgency, minutes, method) in enumerate(wanted)
    ]
    return {**user, "teams": [refer(team)], "contact_methods": methods, "notification_rules": rules}


def _make_schedule(number: int, members: list[Json], zone: str, dice: Random) -> Json:
    people = dice.sample(members, dice.randint(2, 8))
    shapes = dice.choice(([[]], [[]], [OFFICE], [OFFICE, [NIGHT]], [[NIGHT], []]))
    layers = [make_layer(f"PL{number:05}{place}", people, zone, windows) for place, windows in enumerate(shapes)]
    for layer in layers:
        layer["rotation_turn_length_seconds"] = dice.choice((DAY, WEEK, WEEK, 2 * WEEK))
    fields = {"time_zone": zone, "description": None, "schedule_layers": layers, "users": [refer(p) for p in people]}
    return make_record("schedule", f"PS{number:05}", f"Rota {number}", **fields)


def _make_policy(number: int, rotas: list[Json], members: list[Json], team: Json, dice: Random) -> Json:
    levels = [*(refer(rota) for rota in rotas[: dice.randint(1, len(rotas))]), refer(dice.choice(members))]
    rules = [
        {
            "id": f"PK{number:05}{place}",
            "escalation_delay_in_minutes": dice.choice((5, 10, 15, 30)),
            "targets": [target],
            "escalation_rule_assignment_strategy": "assign_to_everyone",
        }
        for place, target in enumerate(levels)
    ]
    loops = dice.randint(0, 2 if len(levels) < 4 else 1)  # more than ten levels are more than Harness takes
    fields = {"num_loops": loops, "teams": [refer(team)], "services": [], "description": None}
    return make_record("escalation_policy", f"PP{number:05}", f"Policy {number}", escalation_rules=rules, **fields)


def _make_service(number: int, policies: list[Json], team: Json, zone: str, dice: Random) -> Json:
    by_hours = dice.random() < 0.2
    service = make_record("service", f"PV{number:05}", f"Service {number}", description=None, status="active")
    service |= {
        "teams": [refer(team)],
        "incident_urgency_rule": BY_HOURS if by_hours else {"type": "constant", "urgency": "high"},
        "support_hours": SUPPORT | {"time_zone": zone} if by_hours else None,
        "scheduled_actions": [],
        "acknowledgement_timeout": None,
        "auto_resolve_timeout": 14_400,
        "last_incident_timestamp": write_local(datetime(2026, 10, 1) + timedelta(minutes=number), zone),
        "escalation_policy": refer(policies[number % len(policies)]),
    }
    way = make_part("events_api_v2_inbound_integration", f"PI{number:05}", service, "integrations", "Events API v2")
    return service | {"integrations": [way | {"name": "Events API v2", "integration_key": make_key(f"{number}")}]}
