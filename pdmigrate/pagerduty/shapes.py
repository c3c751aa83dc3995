"""What shape a schedule has: how many layers, whether they overlap, what it has beside them. For counts, not for proof."""

from collections.abc import Callable
from datetime import datetime
from itertools import combinations

from pdmigrate.pagerduty.records import Layer, Schedule
from pdmigrate.pagerduty.v3_records import ScheduleV3

DAY, WEEK = 86_400, 604_800
AnySchedule = Schedule | ScheduleV3


def list_live(schedule: Schedule, since: datetime) -> list[Layer]:
    """The layers that are not over."""
    return [layer for layer in schedule.schedule_layers if layer.end is None or layer.end > since]


def list_windows(layer: Layer) -> list[tuple[int, int]]:
    """Seconds of the week, from Monday 00:00, in which a layer may be on; the whole week without restrictions."""
    found = []
    for one in layer.restrictions:
        hours, minutes, *seconds = map(int, one.start_time_of_day.split(":"))
        clock = hours * 3600 + minutes * 60 + sum(seconds)
        days = [one.start_day_of_week - 1] if one.start_day_of_week else range(7)
        found += [(day * DAY + clock, day * DAY + clock + one.duration_seconds) for day in days]
    wrapped = [(0, end - WEEK) for _, end in found if end > WEEK]
    return [*found, *wrapped] or [(0, WEEK)]


def overlap(one: Layer, other: Layer) -> bool:
    """Whether two layers may be on at the same time."""
    apart = (one.end and one.end <= other.start) or (other.end and other.end <= one.start)
    windows = ((a, b) for a in list_windows(one) for b in list_windows(other))
    return not apart and any(a[0] < b[1] and b[0] < a[1] for a, b in windows)


def choose_shape(schedule: AnySchedule, since: datetime) -> str:
    """The one shape of SHAPES that it has."""
    if isinstance(schedule, ScheduleV3):
        return "Shift-based (v3)"
    live = list_live(schedule, since)
    if len(live) > 1:
        overlapping = any(overlap(*pair) for pair in combinations(live, 2))
        return "Layers that overlap" if overlapping else "Layers side by side"
    if not live:
        return "No layer any more"
    return "One layer within hours" if live[0].restrictions else "One layer round the clock"


SHAPES = {
    "One layer round the clock": "One rotation in Harness.",
    "One layer within hours": "One rotation with windows. Outside of them nobody is on call by it.",
    "Layers side by side": "A rotation for each: no two of them are on at the same time.",
    "Layers that overlap": "The upper layer wins in PagerDuty. They become rotations that never overlap, which is proved "
    "second by second; look at these first.",
    "Shift-based (v3)": "Rotations where its events recur by day or week, else dated shifts up to the horizon.",
    "No layer any more": "Nobody is on call by it: ask whether it is needed.",
}
"""Every schedule has exactly one of these."""


def _has_short_turns(schedule: AnySchedule, since: datetime) -> bool:
    layers = list_live(schedule, since) if isinstance(schedule, Schedule) else []
    return any(layer.rotation_turn_length_seconds % DAY for layer in layers)


def _has_overrides(schedule: AnySchedule, since: datetime) -> bool:
    if isinstance(schedule, ScheduleV3):
        return any(
            end > since
            for end in (one.end_time for part in (schedule.overrides, schedule.custom_shifts) for one in part)
        )
    return any(one.end > since for one in schedule.overrides)


def _has_ended(schedule: AnySchedule, since: datetime) -> bool:
    return isinstance(schedule, Schedule) and len(list_live(schedule, since)) < len(schedule.schedule_layers)


def _has_restrictions(schedule: AnySchedule, since: datetime) -> bool:
    return isinstance(schedule, Schedule) and any(layer.restrictions for layer in list_live(schedule, since))


TRAITS: dict[str, tuple[Callable[[AnySchedule, datetime], bool], str]] = {
    "Restrictions": (_has_restrictions, "Windows of the wall clock, in the schedule's zone."),
    "Turns that are no whole days": (
        _has_short_turns,
        "They shift when the clock changes: the proof looks at those days.",
    ),
    "Overrides or extra shifts ahead": (
        _has_overrides,
        "Carried over one by one; those that come later, by the next run.",
    ),
    "Ended layers": (_has_ended, "They stay behind: nobody is on call by them any more."),
    "Overrides that were not read": (lambda s, since: bool(s.unread), "They are asked about: not read is not none."),
}
"""What a schedule may have beside its shape: any number of these."""
