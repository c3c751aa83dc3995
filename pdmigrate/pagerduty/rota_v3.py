"""PagerDuty's v3 (shift-based) schedules as rotas: events that recur, side by side, as PagerDuty's API describes them.

An event's rule runs on the wall clock of its zone; a time that the clock skips or repeats is read as RFC 5545 says
(section 3.3.5): with the offset before the gap, and the first of two. Occurrences are counted from the event's start,
those before effective_since too, EXDATEs left out and RDATEs among them. PagerDuty documents none of this: what may be
otherwise is a ShiftReading.
"""

from collections.abc import Iterator
from itertools import product
from typing import NamedTuple
from zoneinfo import ZoneInfo

from pdmigrate.oncall import rota
from pdmigrate.oncall.zones import read_zone
from pdmigrate.pagerduty.readings import REACH, ClockChange, find_instant, list_changes
from pdmigrate.pagerduty.recurrence import Recurrence, read_lines
from pdmigrate.pagerduty.v3_records import ComputedShiftAssignment, Event, OverrideShift, ScheduleV3, ShiftMember


class ShiftReading(NamedTuple):
    """edges: a start or end that the clock skips or repeats is read by RFC 5545 (`rfc`), or is the change itself and the
    `first` or the `last` of two. length: of a shift across a change, by the `wall` clock or in `elapsed` seconds.
    left_out: an EXDATE is `skipped` in the turns or `counted`. added: an RDATE is `counted` or stands `apart`, with the
    turn that runs. since: turns are counted from the event's `start` or from `effective_since`. days: an EXDATE that
    is a day and no time leaves out `nothing` (RFC 5545) or the `whole` day.
    """

    edges: str = "rfc"
    length: str = "wall"
    left_out: str = "skipped"
    added: str = "counted"
    since: str = "start"
    days: str = "nothing"

    @property
    def by_wall(self) -> bool:
        """Whether shifts begin and end by the clock, as RFC 5545 has it."""
        return (self.edges, self.length) == ("rfc", "wall")

    def describe(self) -> str:
        """In words, for a page."""
        said = [TOLD[name, value] for name, value in self._asdict().items() if value != getattr(USUAL, name)]
        return ", ".join(said) or "by the wall clock"


USUAL = ShiftReading()
TOLD = {
    ("edges", "first"): "a skipped hour as the change itself and a repeated one from its first time",
    ("edges", "last"): "a repeated hour from its second time",
    ("length", "elapsed"): "shifts by elapsed seconds",
    ("left_out", "counted"): "EXDATEs as turns",
    ("added", "apart"): "RDATEs apart from the turns",
    ("since", "effective_since"): "turns from effective_since on",
    ("days", "whole"): "an EXDATE without a time as the whole day",
}


class Shift(NamedTuple):
    """One member from start to end (instants), and the rotation or custom shift that it comes from."""

    start: int
    end: int
    member: str | None
    source: str


def render_schedule(schedule: ScheduleV3, start: int, end: int, reading: ShiftReading = USUAL) -> rota.Rota:
    """Everybody who is on call in [start, end): rotations and custom shifts side by side, overrides put in."""
    return draw_shifts(list_shifts(schedule, start, end, reading), start, end)


def list_shifts(schedule: ScheduleV3, start: int, end: int, reading: ShiftReading = USUAL) -> list[Shift]:
    """Every shift that touches [start, end); overrides have replaced whom they name."""
    shifts = [
        shift
        for one in schedule.rotations
        for event in one.events
        for shift in _event_shifts(event, one.id, start, end, reading)
    ]
    shifts += [
        Shift(rota.to_instant(custom.start_time), rota.to_instant(custom.end_time), _name(given.member), custom.id)
        for custom in schedule.custom_shifts
        for given in custom.assignments
    ]
    shifts = [shift for shift in shifts if shift.start < end and shift.end > start]
    return _put_in(shifts, schedule.overrides) if schedule.overrides else shifts


def draw_shifts(shifts: list[Shift], start: int, end: int) -> rota.Rota:
    """Shifts as a rota; an empty member is nobody."""
    spans: dict[str, list[rota.Span]] = {}
    for shift in shifts:
        if shift.member:
            spans.setdefault(shift.member, []).append((shift.start, shift.end))
    alone = [
        rota.Rota(tuple((s, e, frozenset([person])) for s, e in rota.merge_spans(spans[person])))
        for person in sorted(spans)
    ]
    return rota.join([one.clip(start, end) for one in alone])


def read_final(schedule: ScheduleV3) -> rota.Rota | None:
    """PagerDuty's own word on who is on call, or None where it was not asked or gave none."""
    if schedule.final_schedule is None:
        return None
    return read_assignments(schedule.final_schedule.computed_shift_assignments)


def read_assignments(shown: tuple[ComputedShiftAssignment, ...]) -> rota.Rota:
    """Computed assignments as a rota; where it is empty, nobody is on call."""
    shifts = [Shift(rota.to_instant(s.start_time), rota.to_instant(s.end_time), _name(s.member), "") for s in shown]
    return draw_shifts(shifts, min((s.start for s in shifts), default=0), max((s.end for s in shifts), default=0))


def list_members(schedule: ScheduleV3) -> list[str]:
    """The user ids of everybody who stands in it anywhere, each once, in order."""
    turns = [m for one in schedule.rotations for event in one.events for m in event.assignment_strategy.members]
    custom = [given.member for shift in schedule.custom_shifts for given in shift.assignments]
    stand_ins = [override.overriding_member for override in schedule.overrides]
    return list(dict.fromkeys(m.user_id for m in (*turns, *custom, *stand_ins) if m.user_id))


def event_zone(event: Event) -> ZoneInfo:
    """The zone in which the event recurs. Raises ValueError for a name that nobody knows."""
    name = read_zone(event.start_time.time_zone).iana
    if name is None:
        raise ValueError(f"nobody knows the time zone {event.start_time.time_zone!r}")
    return ZoneInfo(name)


def first_start(event: Event) -> tuple[int, int]:
    """Naive seconds of the first occurrence's start, and its length in seconds of the wall clock."""
    zone = event_zone(event)
    start = rota.local_seconds(event.start_time.date_time, zone)
    return start, rota.local_seconds(event.end_time.date_time, zone) - start


def read_recurrence(event: Event) -> Recurrence:
    """The rule and its dates on the naive line. Raises ValueError for an unusable one."""
    return read_lines(event.recurrence, first_start(event)[0], event_zone(event))


def list_exceptions(event: Event, reading: ShiftReading = USUAL) -> list[tuple[int, int, int]]:
    """(naive start, 1 where an RDATE adds it and -1 where an EXDATE takes it, how it changes the count), in order."""
    said = read_recurrence(event)
    taken = {*said.hits, *(said.hits_of_days if reading.days == "whole" else ())}
    found = [(date, -1, -1 if reading.left_out == "skipped" else 0) for date in taken]
    return sorted(found + [(date, 1, 1 if reading.added == "counted" else 0) for date in said.more])


def first_number(event: Event, reading: ShiftReading) -> int:
    """The number of the occurrence from which turns are counted."""
    if reading.since == "start":
        return 0
    zone, (_, length) = event_zone(event), first_start(event)
    begun = rota.to_naive_at(rota.to_instant(event.effective_since), zone) - length + 1
    changes = sum(change for date, _, change in list_exceptions(event, reading) if date < begun)
    return read_recurrence(event).rule.before(begun) + changes


def list_occurrences(event: Event, since: int, until: int, reading: ShiftReading = USUAL) -> Iterator[tuple[int, int]]:
    """(number of the turn, naive start) of every occurrence that starts in [since, until), both naive seconds."""
    exceptions = list_exceptions(event, reading)
    gone = {date for date, kind, _ in exceptions if kind < 0}
    counted = first_number(event, reading)
    added = [(date, change) for date, kind, change in exceptions if kind > 0 and since <= date < until]
    changes = [(date, change) for date, _, change in exceptions]
    starts = sorted(
        [(start, number, 1) for number, start in read_recurrence(event).list_ruled(since, until) if start not in gone]
        + [(date, read_recurrence(event).rule.before(date), change) for date, change in added]
    )
    at, ahead = 0, 0
    for start, number, change in starts:
        while at < len(changes) and changes[at][0] < start:
            ahead += changes[at][1]
            at += 1
        yield number + ahead - counted - (0 if change else 1), start


def place_of(event: Event, number: int) -> tuple[str | None, ...]:
    """The members of that occurrence; an empty one is None."""
    strategy = event.assignment_strategy
    if not strategy.members or strategy.type == "every_member_assignment_strategy":
        return tuple(_name(member) for member in strategy.members)
    return (_name(strategy.members[number // (strategy.shifts_per_member or 1) % len(strategy.members)]),)


def resolve(naive: int, zone: ZoneInfo) -> int:
    """The instant of a wall-clock time, by RFC 5545."""
    return rota.to_instant(rota.from_naive(naive).replace(tzinfo=zone))


def life_of(event: Event) -> tuple[int, int | None]:
    """effective_since and effective_until as instants."""
    until = event.effective_until
    return rota.to_instant(event.effective_since), rota.to_instant(until) if until else None


def find_edges(naive: int, length: int, zone: ZoneInfo, reading: ShiftReading) -> rota.Span:
    """The instants at which an occurrence starts and ends."""
    if reading.edges == "rfc":
        start = resolve(naive, zone)
        return start, start + length if reading.length == "elapsed" else resolve(naive + length, zone)
    start = find_instant(naive, zone, reading.edges)
    return start, start + length if reading.length == "elapsed" else find_instant(naive + length, zone, reading.edges)


def _event_shifts(event: Event, source: str, start: int, end: int, reading: ShiftReading) -> Iterator[Shift]:
    zone, (_, length) = event_zone(event), first_start(event)
    since, until = life_of(event)
    start, end = max(start, since), end if until is None else min(end, until)
    if start >= end:
        return
    span = (rota.to_naive_at(start, zone) - length - rota.DAY, rota.to_naive_at(end, zone) + rota.DAY)
    for number, naive in list_occurrences(event, *span, reading):
        begin, finish = find_edges(naive, length, zone, reading)
        begin, finish = max(begin, since), finish if until is None else min(finish, until)
        if begin < finish:
            yield from (Shift(begin, finish, person, source) for person in place_of(event, number))


def _put_in(shifts: list[Shift], overrides: tuple[OverrideShift, ...]) -> list[Shift]:
    """Each shift cut by the overrides of its days, one after the other: not every override is tried on every shift."""
    begin, finish = min((one.start for one in shifts), default=0), max((one.end for one in shifts), default=0)
    meant: dict[tuple[str | None, int], dict[int, OverrideShift]] = {}
    for number, override in enumerate(overrides):
        start, end = max(begin, rota.to_instant(override.start_time)), min(finish, rota.to_instant(override.end_time))
        for day in range(start // rota.DAY, end // rota.DAY + 1):
            for source in (override.rotation_id, override.custom_shift_id):
                meant.setdefault((source, day), {})[number] = override
    cut = []
    for shift in shifts:
        days = range(shift.start // rota.DAY, shift.end // rota.DAY + 1)
        touching = {number: one for day in days for number, one in meant.get((shift.source, day), {}).items()}
        pieces = [shift]
        for number in sorted(touching):
            pieces = [piece for whole in pieces for piece in _replace_member(whole, touching[number])]
        cut += pieces
    return cut


def _replace_member(shift: Shift, override: OverrideShift) -> Iterator[Shift]:
    start = max(shift.start, rota.to_instant(override.start_time))
    end = min(shift.end, rota.to_instant(override.end_time))
    meant = shift.source in (override.rotation_id, override.custom_shift_id)
    if start >= end or not meant or _name(override.overridden_member) != shift.member:
        yield shift
        return
    stand_in = Shift(start, end, _name(override.overriding_member), shift.source)
    pieces = (shift._replace(end=start), stand_in, shift._replace(start=end))
    yield from (piece for piece in pieces if piece.start < piece.end)


def _name(member: ShiftMember) -> str | None:
    return member.user_id if member.type == "user_member" else None


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


def lasting_shift_part(reading: ShiftReading) -> tuple[str, ...]:
    """What of a reading may make a difference at any time, and not only when the clock has just changed."""
    return tuple(getattr(reading, name) for name in COUNTING)


def _pick(name: str, other: str, apart: bool) -> tuple[str, ...]:
    usual = getattr(USUAL, name)
    return (usual, other) if apart else (usual,)


def _lives(event: Event, start: int, end: int) -> bool:
    since, until = life_of(event)
    return since < end and (until is None or max(start, since) < until)


def _list_felt(event: Event, start: int, end: int) -> Iterator[ClockChange]:
    """The changes of the clock that an occurrence runs through, or begins or ends at."""
    length, said = first_start(event)[1], read_recurrence(event)
    since, until = life_of(event)
    for change in list_changes(event_zone(event), start - length - rota.DAY, end + rota.DAY):
        near = since < change.instant + length + REACH and (until is None or change.instant - REACH < until)
        first, last = change.early - length, change.late + 1
        added = any(first <= date < last for date in said.more)
        if near and (added or said.rule.before(last) > said.rule.before(first)):
            yield change


def _is_edge(event: Event, change: ClockChange) -> bool:
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
