"""Layer-based (v2) schedules to rotations, and the checks that let no approximation through.

A schedule moves only if PagerDuty's own rendering agrees with a reading of its layers, and if its rotations give the
same people as the layers, second by second over the next 400 days, whether the target joins rotations or stacks them.
Until when that holds is its fidelity.
"""

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import Any
from zoneinfo import ZoneInfo

from pdmigrate.mapping.flatten import SHORTEST, flatten
from pdmigrate.mapping.proof import (
    PROOF_DAYS,
    CannotBeSaidError,
    Fidelity,
    Judgement,
    Said,
    check_turns,
    describe_doubt,
    grade,
    prove,
)
from pdmigrate.mapping.rotations import MOST_SHIFTS, Named, check_dated, mend, name_pieces
from pdmigrate.mapping.same_for_ever import TEN_YEARS, always_same
from pdmigrate.oncall import rota
from pdmigrate.pagerduty.readings import DELETED, Reading, make_layers, render_layers
from pdmigrate.pagerduty.records import Schedule

MOST_DRAWN = 60_000
"""Turns that are drawn to compare both sides."""


def map_layers(
    schedule: Schedule, judgement: Judgement[Reading], zone: ZoneInfo, now: int, horizon: int, most: int = MOST_SHIFTS
) -> Said:
    """Its rotations, proved, and how long they hold. now, horizon: instants. most: rotations with an end.

    Raises CannotBeSaidError where they cannot be the same, and TooManyDatedError.
    """
    reading, start = judgement.reading, rota.month_before(now)
    near, far = rota.month_after(horizon), rota.month_after(now + PROOF_DAYS * rota.DAY)
    layers = make_layers(schedule, reading, zone, now)
    check_turns(schedule, now)
    flat = flatten([layer for _, layer in layers], zone, start, near, far)
    check_dated([Named("", piece.rotation) for piece in flat.pieces if piece.dated], most)
    named = [_leave_empty(one) for one in name_pieces(schedule, layers, flat.pieces, now)]
    reach = _shorten(layers, now, far if flat.until is None else min(flat.until, far))
    render = partial(render_layers, schedule, reading, zone)
    if not reading.by_wall:
        named = mend(named, render(start, reach), zone, start, reach, now, most)
    named = [one for one in named if one.rotation.until is None or one.rotation.until > now]
    if not prove(named, render(now, reach), zone, now, reach):
        raise CannotBeSaidError("its layers cannot be said as rotations")
    until = flat.until if reading.by_wall else reach
    if reading.by_wall and not _holds(schedule, reading, zone, layers, named, (now, until)):
        until = reach
    return named, _grade(named, judgement, flat.until, until, zone)


def _leave_empty(named: Named) -> Named:
    """Nobody stands where somebody was deleted; the turn of one who is always on is of no matter, and is a minute at least."""
    made = named.rotation
    people = tuple(None if person == DELETED else person for person in made.participants)
    return replace(named, rotation=replace(made, participants=people, turn=max(made.turn, SHORTEST)))


def _shorten(layers: Sequence[tuple[Any, rota.Roster]], now: int, end: int) -> int:
    """How far the rotations are compared by date: less than asked for where people hand over every few minutes."""
    turns = sum(layer.count_turns(now, end) for _, layer in layers)
    return end if turns <= MOST_DRAWN else now + (end - now) * MOST_DRAWN // turns


def _holds(
    schedule: Schedule,
    reading: Reading,
    zone: ZoneInfo,
    layers: Sequence[tuple[Any, rota.Roster]],
    named: list[Named],
    span: tuple[int, int | None],
) -> bool:
    """Whether the rotations say the same until the end of the span, None for ever: by structure, else by ten years' dates."""
    now, until = span
    whole = [layer for _, layer in layers]
    if always_same(whole, [one.rotation for one in named], now, until):
        return True
    end = now + TEN_YEARS if until is None else min(until, now + TEN_YEARS)
    if sum(layer.count_turns(now, end) for layer in whole) > MOST_DRAWN:
        return False
    return prove(named, render_layers(schedule, reading, zone, now, end), zone, now, end)


def _grade(
    named: list[Named], judgement: Judgement[Reading], flat_until: int | None, until: int | None, zone: ZoneInfo
) -> Fidelity:
    """How long it holds: until the first doubt, or until more dates are needed."""
    dated = flat_until if judgement.reading.by_wall else until
    end = min([*judgement.doubts, *([] if until is None else [until])], default=None)
    if end is None:
        return grade(named, None, "")
    if judgement.doubts and end == judgement.doubts[0]:
        reason = describe_doubt(judgement, zone)
    elif not judgement.reading.by_wall:
        reason = (
            f"PagerDuty counts {judgement.reading.describe()} when the clock changes: corrected with dates until then"
        )
    elif flat_until is not None:
        reason = "turns of two layers do not fit into one list: written with dates, to be renewed before then"
    else:
        reason = "its turns come round too seldom or hand over too often to be compared any further"
    return grade(named, end, reason, dated)
