"""In which ways a shift-based (v3) schedule can be read, and where the readings may part."""

from collections.abc import Iterator
from itertools import product

from pdmigrate.oncall import rota
from pdmigrate.pagerduty.readings import REACH, Change, list_changes
from pdmigrate.pagerduty.rota_v3 import (
    USUAL,
    ShiftReading,
    event_zone,
    first_number,
    first_start,
    life_of,
    read_recurrence,
)
from pdmigrate.pagerduty.v3_records import Event, ScheduleV3

COUNTING = ("left_out", "added", "since", "days")
"""What is no matter of clocks: these readings may part at any time."""


def list_shift_readings(schedule: ScheduleV3, start: int, end: int) -> list[ShiftReading]:
    """The readings that may differ in [start, end), the usual one first. Raises ValueError for a rule that cannot be read."""
    events = [event for one in schedule.rotations for event in one.events if _lives(event, start, end)]
    felt = [(event, change) for event in events for change in _list_felt(event, start, end)]
    values = {
        "edges": ("rfc", "first", "last") if any(_is_edge(*one) for one in felt) else ("rfc",),
        "length": ("wall", "elapsed") if felt else ("wall",),
        "left_out": _pick(
            "left_out", "counted", any(_turns(event) and read_recurrence(event).hits for event in events)
        ),
        "added": _pick("added", "apart", any(_turns(event) and read_recurrence(event).more for event in events)),
        "since": _pick("since", "effective_since", any(_is_late(event) for event in events)),
        "days": _pick("days", "whole", any(read_recurrence(event).hits_of_days for event in events)),
    }
    return [ShiftReading(*each) for each in product(*(values[name] for name in ShiftReading._fields))]


def list_shift_spots(schedule: ScheduleV3, readings: list[ShiftReading], start: int, end: int) -> Iterator[rota.Span]:
    """The spans of [start, end), in order, around changes of the clock, in which these readings may part for once."""
    whole = len({one.length for one in readings}) > 1
    if not whole and len({one.edges for one in readings}) == 1:
        return
    events = [event for one in schedule.rotations for event in one.events if _lives(event, start, end)]
    longest = max((first_start(event)[1] for event in events), default=0) + rota.DAY
    found = {
        change.instant
        for event in events
        for change in _list_felt(event, start, end)
        if whole or _is_edge(event, change)
    }
    for instant in sorted(found):
        yield max(start, instant - longest), min(end, instant + longest)


def lasting_shift_part(reading: ShiftReading) -> tuple:
    """What of a reading may make a difference at any time, and not only when the clock has just changed."""
    return tuple(getattr(reading, name) for name in COUNTING)


def _pick(name: str, other: str, apart: bool) -> tuple[str, ...]:
    usual = getattr(USUAL, name)
    return (usual, other) if apart else (usual,)


def _lives(event: Event, start: int, end: int) -> bool:
    since, until = life_of(event)
    return since < end and (until is None or max(start, since) < until)


def _list_felt(event: Event, start: int, end: int) -> Iterator[Change]:
    """The changes of the clock that an occurrence runs through, or begins or ends at."""
    length, said = first_start(event)[1], read_recurrence(event)
    since, until = life_of(event)
    for change in list_changes(event_zone(event), start - length - rota.DAY, end + rota.DAY):
        near = since < change.instant + length + REACH and (until is None or change.instant - REACH < until)
        first, last = change.early - length, change.late + 1
        added = any(first <= date < last for date in said.more)
        if near and (added or said.rule.before(last) > said.rule.before(first)):
            yield change


def _is_edge(event: Event, change: Change) -> bool:
    """Whether an occurrence begins or ends in what is skipped or repeated."""
    length, said = first_start(event)[1], read_recurrence(event)
    spans = ((change.early, change.late + 1), (change.early - length, change.late + 1 - length))
    return any(
        said.rule.before(last) > said.rule.before(first) or any(first <= date < last for date in said.more)
        for first, last in spans
    )


def _turns(event: Event) -> bool:
    strategy = event.assignment_strategy
    members = {member.user_id for member in strategy.members}
    return strategy.type == "rotating_member_assignment_strategy" and len(members) > 1


def _is_late(event: Event) -> bool:
    """Whether turns counted from effective_since are other ones than those counted from the start."""
    strategy = event.assignment_strategy
    whole = len(strategy.members) * (strategy.shifts_per_member or 1)
    return _turns(event) and first_number(event, ShiftReading(since="effective_since")) % whole > 0
