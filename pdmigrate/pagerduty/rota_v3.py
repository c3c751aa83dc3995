"""PagerDuty's v3 (shift-based) schedules as rotas: events that recur, side by side, as PagerDuty's API describes them.

An event's rule runs on the wall clock of its zone; a time that the clock skips or repeats is read as RFC 5545 says
(section 3.3.5): with the offset before the gap, and the first of two. Occurrences are counted from the event's start,
those before effective_since too, EXDATEs left out and RDATEs among them.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import takewhile
from zoneinfo import ZoneInfo

from dateutil.rrule import rrule, rruleset, rrulestr

from pdmigrate import rota
from pdmigrate.pagerduty.v3_records import ComputedShiftAssignment, Event, ScheduleV3, ShiftMember
from pdmigrate.zones import read_zone

_PARAMETERS = re.compile(r"^(EXDATE|RDATE)[^:]*")
_ZONED = re.compile(r"\d{8}T\d{6}Z")
MOST_OCCURRENCES = 200_000


@dataclass(frozen=True)
class Shift:
    """One member from start to end (instants), and the rotation or custom shift that it comes from."""

    start: int
    end: int
    member: str | None
    source: str


def render_schedule(schedule: ScheduleV3, start: int, end: int) -> rota.Rota:
    """Everybody who is on call in [start, end): rotations and custom shifts side by side, overrides put in."""
    return draw_shifts(list_shifts(schedule, start, end), start, end)


def list_shifts(schedule: ScheduleV3, start: int, end: int) -> list[Shift]:
    """Every shift that touches [start, end); overrides have replaced whom they name."""
    shifts = [
        shift for one in schedule.rotations for event in one.events for shift in _event_shifts(event, one.id, end)
    ]
    shifts += [
        Shift(rota.to_instant(custom.start_time), rota.to_instant(custom.end_time), _name(given.member), custom.id)
        for custom in schedule.custom_shifts
        for given in custom.assignments
    ]
    shifts = [shift for shift in shifts if shift.start < end and shift.end > start]
    for override in schedule.overrides:
        shifts = [piece for shift in shifts for piece in _replace_member(shift, override)]
    return shifts


def draw_shifts(shifts: list[Shift], start: int, end: int) -> rota.Rota:
    """Shifts as a rota; an empty member is nobody."""
    people = sorted({shift.member for shift in shifts if shift.member})
    alone = [
        rota.Rota(
            tuple(
                (s, e, frozenset([p])) for s, e in rota.merge_spans((x.start, x.end) for x in shifts if x.member == p)
            )
        )
        for p in people
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


def read_recurrence(event: Event) -> tuple[rrule, list[int], list[int]]:
    """The rule on the naive line, and the EXDATEs and RDATEs as naive seconds. Raises ValueError for an unusable one."""
    zone, (start, _) = event_zone(event), first_start(event)
    lines = [_ZONED.sub(lambda found: _localise(found[0], zone), _PARAMETERS.sub(r"\1", x)) for x in event.recurrence]
    rules = [line for line in lines if line.upper().startswith("RRULE") or "FREQ=" in line]
    if len(rules) != 1:
        raise ValueError(f"{len(rules)} RRULEs where one is expected")
    rule = make_rule(rules[0], start)
    dates = {kind: [d for x in lines if x.startswith(kind) for d in _dates(x)] for kind in ("EXDATE", "RDATE")}
    return rule, sorted(set(dates["EXDATE"])), sorted(set(dates["RDATE"]))


def make_rule(line: str, start: int) -> rrule:
    """The rule from that naive second on. Raises ValueError for one that cannot be read, or would never come to an end."""
    try:
        if int(_split_rule(line).get("INTERVAL", 1)) > 0:
            return rrulestr(line, dtstart=rota.from_naive(start))
    except (ValueError, TypeError, KeyError, AttributeError):
        pass
    raise ValueError(f"nobody can read the rule {line!r}")


def read_rule_parts(event: Event) -> dict[str, str]:
    """The RRULE's parts by name."""
    return _split_rule(next((one for one in event.recurrence if one.upper().startswith("RRULE") or "FREQ=" in one), ""))


def _split_rule(line: str) -> dict[str, str]:
    return dict(part.upper().split("=", 1) for part in line.split(":", 1)[-1].split(";") if "=" in part)


def list_occurrences(event: Event, until: int) -> Iterator[tuple[int, int]]:
    """(number, naive start) of every occurrence that starts before the naive second `until`."""
    rule, left_out, added = read_recurrence(event)
    whole = rruleset()
    whole.rrule(rule)
    for date in left_out:
        whole.exdate(rota.from_naive(date))
    for date in added:
        whole.rdate(rota.from_naive(date))
    starts = takewhile(lambda start: start < until, (rota.to_naive(moment) for moment in whole))
    for number, start in enumerate(starts):
        if number > MOST_OCCURRENCES:
            raise ValueError(f"more than {MOST_OCCURRENCES} occurrences since it began")
        yield number, start


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


def _event_shifts(event: Event, source: str, end: int) -> Iterator[Shift]:
    zone, (_, length) = event_zone(event), first_start(event)
    since, until = life_of(event)
    for number, naive in list_occurrences(event, end + 2 * rota.DAY):
        start, finish = max(resolve(naive, zone), since), resolve(naive + length, zone)
        finish = finish if until is None else min(finish, until)
        if start < finish:
            yield from (Shift(start, finish, person, source) for person in place_of(event, number))


def _replace_member(shift: Shift, override) -> Iterator[Shift]:
    start = max(shift.start, rota.to_instant(override.start_time))
    end = min(shift.end, rota.to_instant(override.end_time))
    meant = shift.source in (override.rotation_id, override.custom_shift_id)
    if start >= end or not meant or _name(override.overridden_member) != shift.member:
        yield shift
        return
    pieces = (replace(shift, end=start), replace(shift, start=start, end=end, member=_name(override.overriding_member)))
    yield from (piece for piece in (*pieces, replace(shift, start=end)) if piece.start < piece.end)


def _name(member: ShiftMember) -> str | None:
    return member.user_id if member.type == "user_member" else None


def _localise(text: str, zone: ZoneInfo) -> str:
    return datetime.fromisoformat(text).astimezone(zone).strftime("%Y%m%dT%H%M%S")


def _dates(line: str) -> Iterator[int]:
    for text in line.partition(":")[2].split(","):
        yield rota.to_naive(datetime.fromisoformat(text.strip()) + timedelta(0))
