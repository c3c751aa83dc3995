"""Random schedules of both kinds, as PagerDuty's API has them, from a seed: what people have, and what they should not."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from rota_cases import DAY, PEOPLE, START, WEEK, ZONES, place

TURNS = (WEEK, WEEK, WEEK, 2 * WEEK, DAY, DAY, 3 * DAY, DAY // 2, 8 * 3600, 302_400, 907_200, 100_000, 604_801, 5400)
HOURS = (1, 4, 8, 9, 12, 12, 24, 25, 48, 100, 168)
DAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")


def make_stack(random):
    """A v2 schedule: up to four layers, now and then many that have ended, or one that ends before it starts."""
    zone = random.choice(ZONES)
    layers = [_make_layer(random, number) for number in range(random.randint(1, 4), 0, -1)]
    if random.random() < 0.1:
        ended = [_make_layer(random, 10 + number, ended=True) for number in range(random.randint(3, 12))]
        layers = ended + layers if random.random() < 0.5 else layers + ended
    stand_ins = [_make_override(random) for _ in range(random.choice((0, 0, 0, 1, 3)))]
    return {
        "id": "PS1",
        "name": "Random",
        "time_zone": zone,
        "schedule_layers": layers,
        "overrides_subschedule": {"rendered_schedule_entries": stand_ins},
    }


def _make_layer(random, number, ended=False):
    anchor = START - timedelta(seconds=random.choice((random.randrange(3650 * DAY), 3 * WEEK)))
    since = random.choice((anchor, anchor, START + timedelta(seconds=random.randrange(-WEEK, 900 * DAY))))
    until = since + timedelta(seconds=random.randrange(-WEEK, 900 * DAY)) if random.random() < 0.25 else None
    if ended:
        since, until = anchor, START - timedelta(seconds=random.randrange(60 * DAY))
    turn = random.choice(TURNS)
    people = [random.choice(PEOPLE) for _ in range(random.choice((0, 1, 1, 2, 2, 3, 3, 4, 5)))]
    if random.random() < 0.3:
        people = [None if random.random() < 0.4 else person for person in people]
    return {
        "id": f"L{number}",
        "name": random.choice((f"Layer {number}", "On call", None)),
        "start": since.isoformat(),
        "end": until.isoformat() if until else None,
        "rotation_virtual_start": anchor.isoformat(),
        "rotation_turn_length_seconds": turn,
        "users": [place(name) for name in people],
        "restrictions": [_make_restriction(random) for _ in range(random.choice((0, 0, 1, 1, 2, 3)))],
    }


def _make_restriction(random):
    start = random.choice((0, 3600, 7200, 9 * 3600, 22 * 3600, 5400, 9000, random.randrange(DAY)))
    length = random.choice(
        (3600, 8 * 3600, 9 * 3600, 12 * 3600, DAY, 62 * 3600, 6 * DAY, WEEK, random.randint(1, WEEK))
    )
    clock = f"{start // 3600:02}:{start % 3600 // 60:02}:{start % 60:02}"
    if random.random() < 0.5:
        return {"type": "daily_restriction", "start_time_of_day": clock, "duration_seconds": min(length, DAY)}
    weekly = {"type": "weekly_restriction", "start_time_of_day": clock, "duration_seconds": length}
    return {**weekly, "start_day_of_week": random.randint(1, 7)}


def _make_override(random):
    start = START + timedelta(seconds=random.randrange(-DAY, 300 * DAY))
    end = start + timedelta(seconds=random.choice((3600, DAY, WEEK, random.randint(1, 30 * DAY))))
    return {"start": start.isoformat(), "end": end.isoformat(), **place(random.choice([*PEOPLE, "eve"]))}


def make_shifts(random):
    """A v3 schedule: rules of every frequency, with ends, exceptions and additions."""
    zone = random.choice(ZONES)
    rotations = [
        {"id": f"R{number}", "events": [_make_event(random, f"E{number}", zone)]}
        for number in range(random.randint(1, 3))
    ]
    day = lambda n: (START + timedelta(days=n)).isoformat()  # noqa: E731
    custom = {"id": "C1", "start_time": day(9), "end_time": day(10), "assignments": [{"member": member("eve")}]}
    override = {"id": "O1", "rotation_id": "R0", "start_time": day(3), "end_time": day(30)}
    override |= {"overridden_member": member("ann"), "overriding_member": member("fay")}
    parts = {"custom_shifts": [custom] * random.randint(0, 1), "overrides": [override] * random.randint(0, 1)}
    return {"id": "PV3", "name": "Shifts", "time_zone": zone, "rotations": rotations, **parts}


def member(name):
    return {"type": "user_member", "user_id": name} if name else {"type": "empty_member"}


def _make_event(random, id, zone):
    clock = datetime(2026, 10, 1) + timedelta(days=random.randint(-400, 90), minutes=30 * random.randrange(48))
    begin, end = (
        clock.replace(tzinfo=ZoneInfo(zone)),
        (clock + timedelta(hours=random.choice(HOURS))).replace(tzinfo=ZoneInfo(zone)),
    )
    rotating = random.random() < 0.75
    people = [random.choice([*PEOPLE, *[None] * random.randint(0, 1)]) for _ in range(random.randint(1, 5))]
    kind = "rotating_member" if rotating else "every_member"
    return {
        "id": id,
        "name": random.choice((f"Event {id}", "On call", None)),
        "start_time": {"date_time": begin.isoformat(), "time_zone": zone},
        "end_time": {"date_time": end.isoformat(), "time_zone": zone},
        "effective_since": random.choice((begin, begin, START + timedelta(days=random.randint(-50, 500)))).isoformat(),
        "effective_until": random.choice(
            (None, None, None, (START + timedelta(days=random.randint(-9, 300))).isoformat())
        ),
        "recurrence": [f"RRULE:{_make_rule(random)}{_make_end(random)}", *_make_dates(random, clock)],
        "assignment_strategy": {
            "type": f"{kind}_assignment_strategy",
            "shifts_per_member": random.randint(1, 7) if rotating else None,
            "members": [member(name) for name in people],
        },
    }


def _make_rule(random):
    days = ",".join(day for day in DAYS if random.random() < 0.5) or "TU"
    weekly = f"FREQ=WEEKLY;INTERVAL={random.randint(1, 3)};BYDAY={days}"
    return random.choice(
        (
            weekly,
            weekly,
            weekly + random.choice((";WKST=SU", ";BYHOUR=8,20", ";BYMONTH=1,7")),
            f"FREQ=DAILY;INTERVAL={random.randint(1, 9)}",
            f"FREQ=DAILY;INTERVAL={random.randint(1, 7)};BYDAY={days}",
            f"FREQ=DAILY;BYHOUR={random.choice(('2', '8,20', '0,6,12'))}",
            f"FREQ=HOURLY;INTERVAL={random.choice((6, 8, 12, 24, 36))}",
            f"FREQ=HOURLY;INTERVAL=12;BYDAY={days}",
            f"FREQ=MINUTELY;INTERVAL={random.choice((480, 720, 1440, 2000))}",
            f"FREQ=SECONDLY;INTERVAL={random.choice((28_800, 86_400, 100_000))}",
            "FREQ=MONTHLY;BYMONTHDAY=1",
            "FREQ=MONTHLY;BYDAY=MO,TU,WE;BYSETPOS=-1",
            "FREQ=MONTHLY;BYDAY=2TU",
            "FREQ=YEARLY;BYMONTH=12;BYMONTHDAY=24,25",
            "FREQ=YEARLY",
            "FREQ=WEEKLY",
        )
    )


def _make_end(random):
    until = START + timedelta(days=random.randint(-30, 900))
    return random.choice(("", "", "", f";COUNT={random.randint(1, 300)}", f";UNTIL={until:%Y%m%dT%H%M%SZ}"))


def _make_dates(random, clock):
    """EXDATEs and RDATEs: of the event's own time, which meet some occurrence, in other zones, as a mere day."""
    dates = []
    for _ in range(random.choice((0, 0, 0, 1, 2, 4))):
        moment = clock + timedelta(days=random.randint(0, 700))
        head = random.choice(("EXDATE", "EXDATE", "RDATE"))
        dates.append(
            random.choice(
                (
                    f"{head}:{moment:%Y%m%dT%H%M%S}",
                    f"{head}:{moment:%Y%m%dT%H%M%S}Z",
                    f"{head};TZID={random.choice(ZONES)}:{moment:%Y%m%dT%H%M%S}",
                    f"EXDATE;VALUE=DATE:{moment:%Y%m%d}",
                )
            )
        )
    return dates
