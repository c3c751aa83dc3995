"""How long it takes to map 2,000 schedules of three layers, and to verify them over 56 days."""

import time
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from pdmigrate.mapping.proof import Judgement, judge, render_with_overrides
from pdmigrate.mapping.schedules_v2 import map_layers
from pdmigrate.oncall import rota
from pdmigrate.pagerduty.account import Account
from pdmigrate.pagerduty.readings import WALL
from pdmigrate.pagerduty.records import Schedule

SCHEDULES, DAYS = 2000, 56
NOW = datetime(2026, 11, 23, 10, tzinfo=UTC)
ZONES = ("America/New_York", "Europe/London", "Australia/Sydney", "Asia/Kolkata", "America/Los_Angeles")
HOURS = ((1, "09:00:00", 8), (2, "22:00:00", 9), (6, "10:00:00", 30))


def make_schedule(number: int) -> Schedule:
    """Business hours over nights over a weekly catch-all, each with people of its own."""
    layers = [make_layer(number, place) for place in range(3)]
    return Schedule.model_validate(
        {"id": f"P{number}", "name": f"S{number}", "time_zone": ZONES[number % len(ZONES)], "schedule_layers": layers}
    )


def make_layer(number: int, place: int) -> dict:
    anchor = datetime(2024, 1, 1, 9, tzinfo=UTC) + timedelta(days=number % 11)
    day, start, hours = HOURS[(number + place) % 3]
    weekly = {"type": "weekly_restriction", "start_time_of_day": start, "duration_seconds": hours * 3600}
    windows = [{**weekly, "start_day_of_week": (day + d) % 7 + 1} for d in range(5)] if place < 2 else []
    return {
        "id": f"L{number}{place}",
        "name": f"Layer {place}",
        "start": anchor.isoformat(),
        "rotation_virtual_start": anchor.isoformat(),
        "rotation_turn_length_seconds": (rota.DAY, rota.WEEK, 2 * rota.WEEK)[(number + place) % 3],
        "users": [{"user": {"id": f"U{person}"}} for person in range(3 + number % 4)],
        "restrictions": windows,
    }


def main() -> None:
    schedules = [make_schedule(number) for number in range(SCHEDULES)]
    start, end = int(NOW.timestamp()), int((NOW + timedelta(days=DAYS)).timestamp())
    account = Account("bench", NOW, NOW, NOW + timedelta(days=DAYS), {}, {}, {}, {}, {}, (), {})
    begun = time.process_time()
    judged: list[Judgement] = [judge(account, one, ZoneInfo(one.time_zone)) for one in schedules]
    read = time.process_time()
    said = [
        map_layers(one, judgement, ZoneInfo(one.time_zone), start, end)[0]
        for one, judgement in zip(schedules, judged, strict=True)
    ]
    mapped = time.process_time()
    for one, named in zip(schedules, said, strict=True):
        zone = ZoneInfo(one.time_zone)
        before = render_with_overrides(one, WALL, zone, start, end)
        after = rota.join([name.rotation.render(zone, start, end) for name in named])
        assert not rota.differences(before, after)
    verified = time.process_time()
    for what, seconds in (
        ("all readings around clock changes", read - begun),
        ("mapped, and proved over 400 days", mapped - read),
        (f"verified over {DAYS} days", verified - mapped),
        ("all", verified - begun),
    ):
        print(f"{what}: {seconds:.1f} s, {1000 * seconds / SCHEDULES:.2f} ms a schedule")


if __name__ == "__main__":
    main()
