"""The schedules of the embedded company: every kind of life that a rota has."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from pdmigrate.sandbox.company_people import refer_to_left
from pdmigrate.sandbox.company_shapes import make_record, refer, write_local

HOUR, DAY, WEEK = 3600, 86_400, 604_800
SAVED_LATER = timedelta(minutes=11, seconds=41)  # a layer starts when somebody presses the button, not on the hour
NEW_YORK, LOS_ANGELES, LONDON, BERLIN = "America/New_York", "America/Los_Angeles", "Europe/London", "Europe/Berlin"


def daily(start: str, hours: float) -> list[dict]:
    """The same hours of every day."""
    return [{"type": "daily_restriction", "start_time_of_day": f"{start}:00", "duration_seconds": int(hours * HOUR)}]


def weekly(day: int, start: str, hours: float) -> list[dict]:
    """Some hours from a day of the week on; 1 is Monday."""
    [restriction] = daily(start, hours)
    return [{**restriction, "type": "weekly_restriction", "start_day_of_week": day}]


def weekdays(start: str, hours: float) -> list[dict]:
    """The same hours from Monday to Friday."""
    return [restriction for day in range(1, 6) for restriction in weekly(day, start, hours)]


@dataclass(frozen=True)
class Rota:
    """A layer: people in turns from an anchor on. `starts` and `ends` are days from now, for those that change soon."""

    people: str
    anchor: str
    turn: int = WEEK
    windows: tuple | list = ()
    starts: int | None = None
    ends: int | None = None


# id, name, zone, team, description, layers from the top
SCHEDULES = (
    (
        "PSCHED01",
        "Platform follow-the-sun",
        "UTC",
        "PTEAM03",
        "Whoever is awake: Asia and Pacific, then Europe, then America",
        (
            Rota("tom lin carlos aisha", "2024-09-02T16:00", windows=daily("16:00", 8)),
            Rota("pieter femke", "2024-09-02T08:00", windows=daily("08:00", 8)),
            Rota("vikram yuki", "2024-09-02T00:00", windows=daily("00:00", 8)),
        ),
    ),
    (
        "PSCHED02",
        "Platform primary",
        NEW_YORK,
        "PTEAM03",
        "Handoff on Mondays at nine",
        (Rota("tom lin carlos aisha pieter", "2024-03-04T09:00"),),
    ),
    (
        "PSCHED03",
        "Platform secondary",
        NEW_YORK,
        "PTEAM03",
        "Lin takes every other week until the new hire has settled in",
        (Rota("lin carlos lin aisha", "2024-03-04T09:00"),),
    ),
    (
        "PSCHED04",
        "Payments business hours",
        LONDON,
        "PTEAM01",
        "Engineers in office hours, the lead catches the rest",
        (
            Rota("sophie raj fiona", "2024-05-06T09:00", DAY, weekdays("09:00", 8.5)),
            Rota("james sophie", "2024-05-06T09:00"),
        ),
    ),
    (
        "PSCHED05",
        "Payments nights",
        LONDON,
        "PTEAM01",
        "22:00 to 07:00, a new person each night",
        (Rota("raj fiona ben sophie", "2024-05-06T22:00", DAY, daily("22:00", 9)),),
    ),
    (
        "PSCHED06",
        "Checkout primary",
        LOS_ANGELES,
        "PTEAM04",
        "Two weeks each",
        (Rota("hana luis emily kofi", "2024-01-08T10:00", 2 * WEEK),),
    ),
    (
        "PSCHED07",
        "Checkout weekend",
        LOS_ANGELES,
        "PTEAM04",
        "Friday evening to Monday morning",
        (Rota("rachel noam owen", "2024-01-05T18:00", windows=weekly(5, "18:00", 62)),),
    ),
    (
        "PSCHED08",
        "Search primary",
        BERLIN,
        "PTEAM05",
        "New rota since Petra left",
        (
            Rota("anja lukas mila", "2025-07-07T10:00", starts=-30),
            Rota("anja petra lukas", "2024-02-05T10:00", ends=-30),
        ),
    ),
    (
        "PSCHED09",
        "Catalog primary",
        BERLIN,
        "PTEAM05",
        "A shorter turn starts soon",
        (
            Rota("jonas sanne mila", "2025-01-06T09:00", 2 * DAY, starts=21),
            Rota("jonas sanne", "2024-02-05T09:00"),
        ),
    ),
    (
        "PSCHED10",
        "Warehouse floor systems",
        "Asia/Kolkata",
        "PTEAM06",
        "Extra daytime cover until the new scanners are in",
        (
            Rota("priya meera", "2025-03-03T08:00", windows=daily("08:00", 12), ends=17),
            Rota("arjun divya meera", "2024-04-01T08:00"),
        ),
    ),
    (
        "PSCHED11",
        "Delivery tracking",
        "Asia/Calcutta",
        "PTEAM06",
        "Day and night, twelve hours each",
        (Rota("arjun divya meera", "2024-04-01T08:00", 12 * HOUR),),
    ),
    (
        "PSCHED12",
        "Data pipelines",
        "Australia/Sydney",
        "PTEAM07",
        "Nobody at night: pipelines can wait",
        (Rota("chloe jack", "2024-07-01T08:00", windows=daily("08:00", 12)),),
    ),
    (
        "PSCHED13",
        "Data backup",
        "Pacific Time (US & Canada)",
        "PTEAM07",
        "While Sydney sleeps",
        (Rota("zoe tom", "2024-07-01T12:00", windows=daily("03:00", 12)),),
    ),
    (
        "PSCHED14",
        "Support tier 2",
        NEW_YORK,
        "PTEAM08",
        "Store hours only",
        (
            Rota("nina victor", "2024-06-01T00:00", windows=[*weekly(6, "10:00", 6), *weekly(7, "10:00", 6)]),
            Rota("dan grace victor nina", "2024-06-03T08:00", DAY, weekdays("08:00", 12)),
        ),
    ),
    (
        "PSCHED15",
        "Fraud watch",
        "UTC",
        "PTEAM02",
        "Daily handoff at noon",
        (Rota("olivia liam sophie", "2024-08-01T12:00", DAY),),
    ),
    ("PSCHED16", "On-call", BERLIN, "PTEAM05", "Search backup", (Rota("lukas anja", "2024-02-07T10:00"),)),
    (
        "PSCHED17",
        "On-call",
        "Australia/Sydney",
        "PTEAM07",
        "Reports, best effort",
        (Rota("jack chloe", "2024-07-03T10:00"),),
    ),
    (
        "PSCHED18",
        "Legacy monolith",
        NEW_YORK,
        "PTEAM03",
        "Gus is still in it",
        (
            Rota("carlos gus aisha", "2024-01-01T09:00"),
            Rota("maya", "2024-01-01T09:00"),
        ),
    ),
    (
        "PSCHED19",
        'Managers "last resort"',
        NEW_YORK,
        None,
        "When nobody else answers",
        (Rota("maya owen james anja priya", "2024-01-01T00:00"),),
    ),
    (
        "PSCHED20",
        "Peak season <b>war room</b> 🛒",
        LONDON,
        None,
        "Sunday evening to Friday noon, in November and whenever it burns",
        (Rota("raj emily femke kofi", "2024-11-03T18:00", windows=weekly(7, "18:00", 114)),),
    ),
)

# schedule, who steps in, days from now and clock of start and of end
OVERRIDES = (
    ("PSCHED02", "aisha", -10, "09:00", -9, "09:00"),
    ("PSCHED02", "femke", -1, "18:00", 2, "09:00"),
    ("PSCHED02", "lin", 9, "09:00", 10, "17:30"),
    ("PSCHED04", "raj", 5, "12:00", 5, "13:00"),
    ("PSCHED06", "owen", 120, "10:00", 127, "10:00"),
    ("PSCHED08", "lukas", -1, "00:00", 3, "00:00"),
    ("PSCHED12", "zoe", 4, "18:00", 5, "10:00"),
    ("PSCHED19", "tom", 14, "00:00", 21, "00:00"),
)


def build_schedules(users: dict[str, dict], teams: dict[str, dict], today: datetime) -> dict[str, dict]:
    """The schedules by id. Wall-clock times are in each schedule's own zone."""
    return {line[0]: _make_schedule(line, users, teams, today) for line in SCHEDULES}


def build_overrides(users: dict[str, dict], schedules: dict[str, dict], today: datetime) -> dict[str, list]:
    """The overrides by schedule id: past, running and coming."""
    made: dict[str, list] = {}
    for number, (schedule_id, handle, first, start, last, end) in enumerate(OVERRIDES, start=1):
        zone = schedules[schedule_id]["time_zone"]
        times = {"start": _on_day(today, first, start, zone), "end": _on_day(today, last, end, zone)}
        override = {"id": f"POVER{number:02}", **times, "user": refer(users[handle])}
        made.setdefault(schedule_id, []).append(override)
    return made


def _make_schedule(line: tuple, users: dict, teams: dict, today: datetime) -> dict:
    schedule_id, name, zone, team, description, rotas = line
    layers = [_make_layer(schedule_id, rotas, place, zone, users, today) for place in range(len(rotas))]
    fields = {"time_zone": zone, "description": description, "users": _people(layers), "escalation_policies": []}
    team_references = [refer(teams[team])] if team else []
    return make_record("schedule", schedule_id, name, **fields, teams=team_references, schedule_layers=layers)


def _make_layer(schedule_id: str, rotas: tuple, place: int, zone: str, users: dict, today: datetime) -> dict:
    rota, number = rotas[place], len(rotas) - place
    anchor = datetime.fromisoformat(rota.anchor)
    saved = write_local(anchor + SAVED_LATER, zone)
    return {
        "id": f"PLAY{schedule_id[-2:]}{number}",
        "name": f"Layer {number}",
        "start": saved if rota.starts is None else _on_day(today, rota.starts, rota.anchor[11:], zone),
        "end": None if rota.ends is None else _on_day(today, rota.ends, rota.anchor[11:], zone),
        "rotation_virtual_start": write_local(anchor, zone),
        "rotation_turn_length_seconds": rota.turn,
        "users": [{"user": _refer_to(handle, users)} for handle in rota.people.split()],
        "restrictions": list(rota.windows),
        "rendered_schedule_entries": [],
        "rendered_coverage_percentage": None,
    }


def _refer_to(handle: str, users: dict) -> dict:
    return refer(users[handle]) if handle in users else refer_to_left(handle)


def _people(layers: list) -> list[dict]:
    everyone = [place["user"] for layer in layers for place in layer["users"]]
    return list({user["id"]: user for user in everyone if "deleted_at" not in user}.values())


def _on_day(today: datetime, days: int, clock: str, zone: str) -> str:
    return write_local(f"{(today + timedelta(days=days)).date()}T{clock}:00", zone)
