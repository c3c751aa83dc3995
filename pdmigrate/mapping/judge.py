"""The judge of every reading: PagerDuty's own rendering, over the horizon and around the next changes of the clock."""

from collections.abc import Iterable
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from pdmigrate import rota
from pdmigrate.pagerduty import rota_v3
from pdmigrate.pagerduty.account import Account
from pdmigrate.pagerduty.evidence import Rendering
from pdmigrate.pagerduty.readings import WALL, Reading, list_readings, render_layers
from pdmigrate.pagerduty.records import Schedule
from pdmigrate.pagerduty.rota import read_entries, read_final
from pdmigrate.pagerduty.v3_records import ScheduleV3
from pdmigrate.zones import read_zone

AHEAD = 400 * rota.DAY
AROUND = 2 * rota.DAY


@dataclass(frozen=True)
class Judgement:
    """The reading to go by; the changes of the clock where readings that nothing has ruled out part; and what differs.

    differing: seconds in which the chosen reading is not what PagerDuty shows, first of them at `first`.
    """

    reading: Reading
    doubts: tuple[int, ...] = ()
    differing: int = 0
    first: int = 0


def next_changes(zone: ZoneInfo, now: int) -> list[int]:
    """Both next changes of the clock, the next of each kind; none where the clock is never changed."""
    return rota.zone_changes(zone, now, now + AHEAD)[:2]


def windows_around(zone: ZoneInfo, now: int) -> list[rota.Span]:
    """The days around both next changes, from midnight to midnight UTC: zones that change together share them."""
    days = [change - change % rota.DAY for change in next_changes(zone, now)]
    return [(day - AROUND, day + AROUND + rota.DAY) for day in days]


def list_windows(account: Account, in_doubt: bool = False) -> dict[rota.Span, list[str]]:
    """The windows around clock changes that PagerDuty should be asked for, with the schedules that live through them.

    in_doubt: only of those that can be read in more than one way there; about the others nothing is to be learned.
    """
    windows: dict[rota.Span, list[str]] = {}
    for schedule in account.all_schedules.values():
        zone = read_zone(schedule.time_zone).iana
        around = windows_around(ZoneInfo(zone), rota.to_instant(account.since)) if zone else ()
        for window in around:
            if not in_doubt or _is_in_doubt(schedule, ZoneInfo(zone), window):
                windows.setdefault(window, []).append(schedule.id)
    return windows


def _is_in_doubt(schedule: Schedule | ScheduleV3, zone: ZoneInfo, window: rota.Span) -> bool:
    return isinstance(schedule, Schedule) and len(list_readings(schedule, zone, *window)) > 1


def judge(account: Account, schedule: Schedule, zone: ZoneInfo) -> Judgement:
    """Which reading PagerDuty goes by. The wall clock, unless what it shows says otherwise."""
    now = rota.to_instant(account.since)
    evidence = list(list_evidence(account, schedule))
    around = windows_around(zone, now)
    spans = [*around, *(span for span, _ in evidence)]
    readings = list_readings(schedule, zone, min(s for s, _ in spans), max(e for _, e in spans)) if spans else [WALL]
    if len(readings) == 1 and not evidence:
        return Judgement(readings[0])
    fitting = [reading for reading in readings if not any(_compare(schedule, reading, zone, evidence))]
    if not fitting:
        found = [one for differences in _compare(schedule, WALL, zone, evidence) for one in differences]
        return Judgement(WALL, (), rota.total((s, e) for s, e, _, _ in found), found[0][0])
    parted = (
        c for c, span in zip(next_changes(zone, now), around, strict=True) if _part(schedule, fitting, zone, span)
    )
    return Judgement(fitting[0], tuple(parted))


def judge_shifts(account: Account, schedule: ScheduleV3) -> Judgement:
    """Whether PagerDuty shows what we read out of a shift-based schedule. Raises ValueError for an unusable rule."""
    found = [
        one
        for span, shown in list_evidence(account, schedule)
        for one in rota.differences(shown, rota_v3.render_schedule(schedule, *span))
    ]
    return Judgement(WALL, (), rota.total((s, e) for s, e, _, _ in found), found[0][0] if found else 0)


def read_shown(schedule: Schedule | ScheduleV3) -> rota.Rota | None:
    """PagerDuty's own word over the horizon."""
    return rota_v3.read_final(schedule) if isinstance(schedule, ScheduleV3) else read_final(schedule)


def list_evidence(account: Account, schedule: Schedule | ScheduleV3) -> Iterable[tuple[rota.Span, rota.Rota]]:
    """What PagerDuty has shown: (span, rota)."""
    final, span = read_shown(schedule), (rota.to_instant(account.since), rota.to_instant(account.until))
    if final is not None:
        yield span, final.clip(*span)
    for rendering in account.renderings.get(schedule.id, ()):
        span = (rota.to_instant(rendering.since), rota.to_instant(rendering.until))
        yield span, read_rendering(rendering).clip(*span)


def read_rendering(rendering: Rendering) -> rota.Rota:
    """A window of evidence as a rota, of whichever kind of schedule it is."""
    if rendering.computed_shift_assignments:
        return rota_v3.read_assignments(rendering.computed_shift_assignments)
    return read_entries(rendering.rendered_schedule_entries)


def render_with_overrides(schedule: Schedule, reading: Reading, zone: ZoneInfo, start: int, end: int) -> rota.Rota:
    """Who is on call by that reading."""
    return rota.stack(
        [read_entries(schedule.overrides).clip(start, end), render_layers(schedule, reading, zone, start, end)]
    )


def _compare(schedule: Schedule, reading: Reading, zone: ZoneInfo, evidence: list) -> list[tuple]:
    return [rota.differences(shown, render_with_overrides(schedule, reading, zone, *span)) for span, shown in evidence]


def _part(schedule: Schedule, readings: list[Reading], zone: ZoneInfo, span: rota.Span) -> bool:
    return len({render_layers(schedule, reading, zone, *span) for reading in readings}) > 1
