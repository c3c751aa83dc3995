"""Events of shift-based schedules to rotations. Their turns count occurrences, not days: so one rotation per slot of
the rule's period (Monday's, Tuesday's), with the members in the order in which they come to that slot.

Rules that come to an end, EXDATEs and RDATEs cut the rotations by date; rules without a fixed period (monthly ones,
BYSETPOS) cannot be said so at all.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import islice, takewhile

from pdmigrate import rota
from pdmigrate.mapping.flatten import FOREVER, MOST_PLACES
from pdmigrate.mapping.rotations import Named, add_to_name, dated_shift, name_parts, tell_date
from pdmigrate.pagerduty.rota_v3 import (
    event_zone,
    first_start,
    life_of,
    list_occurrences,
    make_rule,
    place_of,
    read_recurrence,
    read_rule_parts,
    resolve,
)
from pdmigrate.pagerduty.v3_records import Event

UNITS = {"WEEKLY": rota.WEEK, "DAILY": rota.DAY, "HOURLY": 3600}
PLAIN_PARTS = {"FREQ", "INTERVAL", "BYDAY", "WKST", "COUNT", "UNTIL"}
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


def say_event(event: Event, name: str, start: int, now: int) -> list[Named] | None:
    """Rotations that say the event from `start` on, or None where its rule has no fixed period.

    Their names hang on its rule, never on its members: who comes or goes renames nothing.
    """
    basis = _read_period(event)
    if basis is None:
        return None
    starts, period = basis
    named: list[Named] = []
    segments = list(_list_segments(event, starts, period, start))
    lives = [(segment.since, FOREVER if segment.until is None else segment.until) for segment in segments]
    for here, segment in zip(name_parts(name, lives, now), segments, strict=True):
        named += _say_segment(event, here, starts, period, segment)
    return named + _say_added(event, name, start)


def _read_period(event: Event) -> tuple[list[int], int] | None:
    """The naive starts of the first period of the bare rule, and its length."""
    parts = read_rule_parts(event)
    plain = parts.keys() <= PLAIN_PARTS and parts.get("FREQ") in UNITS
    if not plain or any(character.isdigit() for character in parts.get("BYDAY", "")):
        return None
    period = UNITS[parts["FREQ"]] * int(parts.get("INTERVAL", 1))
    if parts["FREQ"] != "WEEKLY" and "BYDAY" in parts:
        period = math.lcm(period, rota.WEEK)
    bare = ";".join(f"{k}={v}" for k, v in parts.items() if k not in ("COUNT", "UNTIL"))
    rule = make_rule(f"RRULE:{bare}", first_start(event)[0])
    first = rota.to_naive(next(iter(rule)))
    starts = list(takewhile(lambda one: one < first + period, islice(map(rota.to_naive, rule), 2 * MOST_PLACES)))
    return (starts, period) if _is_sayable(event, len(starts), period) else None


def _is_sayable(event: Event, slots: int, period: int) -> bool:
    """Whether the steps are not shorter than Harness's turns may be, nor the places too many."""
    strategy, step = event.assignment_strategy, _choose_step(first_start(event)[1], period)
    rounds = len(strategy.members) * (strategy.shifts_per_member or 1)
    return slots <= MOST_PLACES and step >= 60 and period // step * rounds <= MOST_PLACES


def _list_segments(event: Event, starts: list[int], period: int, start: int) -> Iterator[Segment]:
    zone, (_, length) = event_zone(event), first_start(event)
    since, until = life_of(event)
    since, until = max(since, resolve(starts[0], zone)), _find_end(event, until)
    ahead = 0
    for date, change in _list_exceptions(event, starts, period):
        cut = resolve(date, zone)
        if cut > start and since < cut:
            yield Segment(since, cut if until is None else min(cut, until), ahead)
        since = max(since, resolve(date + length, zone) if change < 0 else cut)
        ahead += change
    if until is None or since < until:
        yield Segment(since, until, ahead)


def _list_exceptions(event: Event, starts: list[int], period: int) -> list[tuple[int, int]]:
    """(naive start, change of the count) of the EXDATEs that hit an occurrence and the RDATEs that add one."""
    _, left_out, added = read_recurrence(event)
    hits = [(date, -1) for date in left_out if _is_regular(date, starts, period)]
    more = [(date, 1) for date in added if not _is_regular(date, starts, period) and date not in left_out]
    return sorted(hits + more)


def _is_regular(date: int, starts: list[int], period: int) -> bool:
    return date >= starts[0] and any((date - start) % period == 0 for start in starts)


def _find_end(event: Event, until: int | None) -> int | None:
    """When the last occurrence of a rule with COUNT or UNTIL ends; RDATEs after it are shifts of their own."""
    parts = read_rule_parts(event)
    if not parts.keys() & {"COUNT", "UNTIL"}:
        return until
    rule, _, _ = read_recurrence(event)
    last = max(map(rota.to_naive, rule), default=first_start(event)[0])
    end = resolve(last + first_start(event)[1], event_zone(event))
    return end if until is None else min(end, until)


def _say_segment(event: Event, name: str, starts: list[int], period: int, segment: Segment) -> list[Named]:
    strategy, length = event.assignment_strategy, first_start(event)[1]
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
    """The slot as steps of a week or a day, with a window, or of what fits where it is shorter; empty steps between."""
    step = _choose_step(length, period)
    steps, windowed = period // step, step >= rota.DAY
    for part in range(math.ceil(length / step)):
        places = tuple(place for member in members for place in (member, *[None] * (steps - 1)))
        begin, here = start + part * step, min(step, length - part * step)
        windows = _window(begin, here, step) if windowed and here < step else ()
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
        made = rota.Rotation(places, slot.start, turn, week, segment.since, segment.until)
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


def _say_added(event: Event, name: str, start: int) -> list[Named]:
    """The RDATEs that are still to come, as shifts."""
    _, left_out, added = read_recurrence(event)
    if not added:
        return []
    zone, (_, length) = event_zone(event), first_start(event)
    since, until = life_of(event)
    named = []
    for number, naive in list_occurrences(event, max(added) + 1):
        begin, end = max(resolve(naive, zone), since), resolve(naive + length, zone)
        end = end if until is None else min(end, until)
        if naive in added and naive not in left_out and begin < end and end > start and not _is_ruled(event, naive):
            named += [
                dated_shift(
                    f"{add_to_name(name, tell_date(begin))} {i}", person, begin, end, rota.offset_at(zone, begin)
                )
                for i, person in enumerate(place_of(event, number), 1)
                if person
            ]
    return named


def _is_ruled(event: Event, naive: int) -> bool:
    """Whether the bare rule has that occurrence as well."""
    basis = _read_period(event)
    return basis is not None and _is_regular(naive, *basis)
