"""Events of shift-based schedules to rotations. Their turns count occurrences, not days: so one rotation per slot of
the rule's period (Monday's, Tuesday's), with the members in the order in which they come to that slot.

Rules that come to an end, EXDATEs and RDATEs cut the rotations by date; rules without a fixed period (monthly ones,
BYSETPOS) cannot be said so at all.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace

from pdmigrate.mapping.flatten import FOREVER, MOST_PLACES, SHORTEST
from pdmigrate.mapping.rotations import Named, add_to_name, dated_shift, describe_date, name_parts
from pdmigrate.oncall import rota
from pdmigrate.pagerduty.recurrence import Pattern
from pdmigrate.pagerduty.rota_v3 import (
    USUAL,
    ShiftReading,
    event_zone,
    first_number,
    first_start,
    life_of,
    list_exceptions,
    list_occurrences,
    place_of,
    read_recurrence,
    resolve,
)
from pdmigrate.pagerduty.v3_records import Event

DAY_NAMES = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")


@dataclass(frozen=True)
class Slot:
    """One place of the rule's period: from the first naive start on, every `step` seconds one of the places.

    turns: the numbers of the turns that fall on it, whoever has them. label: where in the period it is.
    """

    start: int
    length: int
    step: int
    places: tuple[str | None, ...]
    windows: tuple[tuple[int, int], ...]
    turns: tuple[int, ...]
    label: str = ""


@dataclass(frozen=True)
class Segment:
    """A time in which the rule runs undisturbed; `ahead` is how many occurrences the count is shifted by."""

    since: int
    until: int | None
    ahead: int


def map_event(event: Event, name: str, start: int, now: int, reading: ShiftReading = USUAL) -> list[Named] | None:
    """Rotations that say the event from `start` on, or None where its rule has no fixed period.

    Their names hang on its rule, never on its members: who comes or goes renames nothing.
    """
    pattern = read_recurrence(event).rule
    if not isinstance(pattern, Pattern) or not _is_sayable(event, len(pattern.starts), pattern.period):
        return None
    named: list[Named] = []
    segments = list(_list_segments(event, pattern, start, reading))
    lives = [(segment.since, FOREVER if segment.until is None else segment.until) for segment in segments]
    for here, segment in zip(name_parts(name, lives, now), segments, strict=True):
        named += _map_segment(event, here, pattern, segment)
    return named + _map_added(event, name, start, reading)


def _is_sayable(event: Event, slots: int, period: int) -> bool:
    """Whether the steps are not shorter than Harness's turns may be, nor the places too many."""
    strategy, length = event.assignment_strategy, first_start(event)[1]
    if length <= 0:
        return False
    step = _choose_step(length, period)
    rounds = len(strategy.members) * (strategy.shifts_per_member or 1)
    parts = slots * math.ceil(length / (step if step >= rota.DAY else period))
    return parts <= MOST_PLACES and step >= SHORTEST and period // step * rounds <= MOST_PLACES


def _list_segments(event: Event, pattern: Pattern, start: int, reading: ShiftReading) -> Iterator[Segment]:
    """The times between EXDATEs and RDATEs that are still to come, within the event's life."""
    if not pattern.starts or pattern.total == 0:
        return
    zone, (_, length) = event_zone(event), first_start(event)
    since, until = life_of(event)
    since, until = max(since, resolve(pattern.starts[0], zone)), find_end(event)
    ahead = -first_number(event, reading)
    for date, kind, change in list_exceptions(event, reading):
        cut = resolve(date, zone)
        end = cut if until is None else min(cut, until)
        if end > start and since < end:
            yield Segment(since, end, ahead)
        since = max(since, resolve(date + length, zone) if kind < 0 else cut)
        ahead += change
    if until is None or since < until:
        yield Segment(since, until, ahead)


def find_end(event: Event) -> int | None:
    """When the event ends, or the last occurrence of a rule with COUNT or UNTIL; RDATEs after it are shifts of their own.

    None where it never does.
    """
    until, last = life_of(event)[1], read_recurrence(event).last
    if last is None:
        return until
    end = resolve(last + first_start(event)[1], event_zone(event))
    return end if until is None else min(end, until)


def _map_segment(event: Event, name: str, pattern: Pattern, segment: Segment) -> list[Named]:
    strategy, length = event.assignment_strategy, first_start(event)[1]
    starts, period = pattern.starts, pattern.period
    rotating = strategy.type == "rotating_member_assignment_strategy"
    named = []
    for number in range(1 if rotating else len(strategy.members)):
        slots = [
            slot
            for j, start in enumerate(starts)
            for slot in _cut_slot(
                start,
                length,
                period,
                _members_of_slot(event, j, len(starts), segment.ahead, number),
                _turns_of_slot(event, j, len(starts), segment.ahead),
            )
        ]
        own = name if number == 0 else add_to_name(name, f"at the same time {number + 1}")
        named += _name_slots(_merge_slots(_label_slots(slots)), own, segment)
    return named


def _members_of_slot(event: Event, slot: int, slots: int, ahead: int, number: int) -> tuple[str | None, ...]:
    """Who comes to that slot, period by period, until it comes round again."""
    strategy = event.assignment_strategy
    if strategy.type != "rotating_member_assignment_strategy":
        return (place_of(event, 0)[number],)
    whole = len(strategy.members) * (strategy.shifts_per_member or 1)
    periods = whole // math.gcd(slots, whole)
    return tuple(place_of(event, slot + slots * period + ahead)[0] for period in range(periods))


def _turns_of_slot(event: Event, slot: int, slots: int, ahead: int) -> tuple[int, ...]:
    """The numbers of the turns that fall on it, until it comes round; the same on two slots means always one person."""
    strategy = event.assignment_strategy
    if strategy.type != "rotating_member_assignment_strategy":
        return ()
    shifts = strategy.shifts_per_member or 1
    return tuple((slot + slots * period + ahead) // shifts for period in range(shifts))


def _label_slots(slots: list[Slot]) -> list[Slot]:
    """Each with its weekday, and a number where the period has several of them."""
    days = [DAY_NAMES[(slot.start - rota.MONDAY) // rota.DAY % 7] for slot in slots]
    earlier = [days[:at].count(day) for at, day in enumerate(days)]
    labels = [f"{day} {number + 1}" if number else day for day, number in zip(days, earlier, strict=True)]
    return [replace(slot, label=label) for slot, label in zip(slots, labels, strict=True)]


def _cut_slot(
    start: int, length: int, period: int, members: tuple[str | None, ...], turns: tuple[int, ...]
) -> Iterator[Slot]:
    """The slot as steps of a week or a day, with a window, or of what fits in the period; empty steps between. A shift
    that outlasts its period has one part a period, however short the steps are."""
    step = _choose_step(length, period)
    steps, windowed = period // step, step >= rota.DAY
    if not windowed:
        for begin in range(start, start + length, period):
            here = min(period, start + length - begin)
            filled = here // step
            places = tuple(place for member in members for place in (*[member] * filled, *[None] * (steps - filled)))
            yield Slot(begin, here, step, places, (), turns)
        return
    for part in range(math.ceil(length / step)):
        places = tuple(place for member in members for place in (member, *[None] * (steps - 1)))
        begin, here = start + part * step, min(step, length - part * step)
        windows = _window(begin, here, step) if here < step else ()
        yield Slot(begin, here, step, places, windows, turns)


def _choose_step(length: int, period: int) -> int:
    return next((unit for unit in (rota.WEEK, rota.DAY) if period % unit == 0), math.gcd(length, period))


def _window(start: int, length: int, step: int) -> tuple[tuple[int, int], ...]:
    second = (start - rota.MONDAY) % rota.WEEK
    days = range(7) if step == rota.DAY else range(1)
    return tuple(((second + day * rota.DAY) % rota.WEEK, length) for day in days)


def _merge_slots(slots: list[Slot]) -> list[Slot]:
    """Slots of the same turns share a rotation: Monday to Friday of one person's week."""
    merged: list[Slot] = []
    for slot in slots:
        at = next((i for i, other in enumerate(merged) if _fits(other, slot)), None)
        if at is None:
            merged.append(slot)
        else:
            merged[at] = replace(merged[at], windows=merged[at].windows + slot.windows)
    return merged


def _fits(first: Slot, slot: Slot) -> bool:
    """Whether a slot lies within the first one's steps, with the same people whoever they are."""
    behind = slot.start - first.start
    alike = first.step == slot.step and first.turns == slot.turns and first.windows and slot.windows
    return bool(alike) and behind >= 0 and behind + slot.length <= slot.step


def _name_slots(slots: list[Slot], name: str, segment: Segment) -> list[Named]:
    named = []
    for number, slot in enumerate(slots):
        if not any(slot.places):
            continue
        turn, places = _shorten(slot)
        week = rota.week_spans(slot.windows) if slot.windows else None
        made = rota.Roster(places, slot.start, turn, week, segment.since, segment.until)
        named.append(Named(add_to_name(name, slot.label) if number else name, made))
    return named


def _shorten(slot: Slot) -> tuple[int, tuple[str | None, ...]]:
    """The fewest places: as long as neighbours are the same they are one longer turn."""
    if len(set(slot.places)) == 1:
        return slot.step, slot.places[:1]
    for size in range(len(slot.places) // 2, 1, -1):
        groups = [slot.places[i : i + size] for i in range(0, len(slot.places), size)]
        if len(slot.places) % size == 0 and all(len(set(group)) == 1 for group in groups):
            return slot.step * size, tuple(group[0] for group in groups)
    return slot.step, slot.places


def _map_added(event: Event, name: str, start: int, reading: ShiftReading) -> list[Named]:
    """The RDATEs that are still to come, as shifts."""
    added = {date for date, kind, _ in list_exceptions(event, reading) if kind > 0}
    if not added:
        return []
    zone, (_, length) = event_zone(event), first_start(event)
    since, until = life_of(event)
    coming = [date for date in added if resolve(date + length, zone) > start]
    named = []
    for number, naive in list_occurrences(event, min(coming), max(coming) + 1, reading) if coming else ():
        begin, end = max(resolve(naive, zone), since), resolve(naive + length, zone)
        end = end if until is None else min(end, until)
        if naive in added and begin < end and end > start:
            named += [
                dated_shift(
                    f"{add_to_name(name, describe_date(begin))} {i}", person, begin, end, rota.offset_at(zone, begin)
                )
                for i, person in enumerate(place_of(event, number), 1)
                if person
            ]
    return named
