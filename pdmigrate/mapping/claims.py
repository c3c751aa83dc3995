"""Whether rotations say the same as layers for ever: proved over the structure, not over dates.

Between two edges of lives both sides are functions of the wall clock alone, so what holds for every wall-clock second
holds across every change of the clock. The week is cut at every edge of a window; in each part the same layers and the
same rotations are open, and their turns are compared over one whole round.
"""

import math
from collections.abc import Sequence
from functools import lru_cache
from itertools import pairwise

from pdmigrate import rota
from pdmigrate.mapping.flatten import FOREVER, FULL_WEEK, life_of
from pdmigrate.pagerduty.readings import DELETED

MOST_STEPS = 50_000
"""Steps of one round that are compared; a longer one is looked at by date."""
TEN_YEARS = 3653 * rota.DAY
"""How far a claim that nothing is to be renewed is checked."""

Turning = tuple[tuple[str | None, ...], int, int]
"""Participants, anchor, turn."""


def always_same(layers: Sequence[rota.Rotation], made: Sequence[rota.Rotation], start: int, end: int | None) -> bool:
    """Whether the layers, stacked, and the rotations, of which never two are on at once, have the same people in
    [start, end), end None for ever. False as well where a round is too long to be gone through."""
    end = FOREVER if end is None else end
    both = [*layers, *made]
    edges = sorted({start, end, *(edge for one in both for edge in life_of(one) if start < edge < end)})
    return all(
        _same_in_week([one for one in layers if _lives(one, *span)], [one for one in made if _lives(one, *span)])
        for span in pairwise(edges)
    )


def _lives(one: rota.Rotation, start: int, end: int) -> bool:
    since, until = life_of(one)
    return since <= start and end <= until and any(one.participants)


def _same_in_week(layers: list[rota.Rotation], made: list[rota.Rotation]) -> bool:
    opened = [(_list_edges(layers), layers), (_list_edges(made), made)]
    cuts = sorted({0, *(edge for edges, _ in opened for edge in edges)} - {rota.WEEK})
    places = {_find_open(layers, made, cut) for cut in cuts}
    return all(
        _same_turns(tuple(_turning(layers[i]) for i in upper), tuple(_turning(made[i]) for i in written))
        for upper, written in places
    )


def _list_edges(rotations: list[rota.Rotation]) -> set[int]:
    return {edge for one in rotations for span in one.week or () for edge in span}


def _find_open(layers: list[rota.Rotation], made: list[rota.Rotation], second: int) -> tuple:
    """The numbers of the layers that count there, down to the first that is never empty, and of the rotations."""
    counted = []
    for i, one in enumerate(layers):
        if _is_open(one, second):
            counted.append(i)
            if None not in one.participants:
                break
    return tuple(counted), tuple(i for i, one in enumerate(made) if _is_open(one, second))


def _is_open(one: rota.Rotation, second: int) -> bool:
    week = FULL_WEEK if one.week is None else one.week
    return any(start <= second < end for start, end in week)


def _turning(one: rota.Rotation) -> Turning:
    return one.participants, one.anchor, one.turn


@lru_cache(maxsize=4096)
def _same_turns(layers: tuple[Turning, ...], made: tuple[Turning, ...]) -> bool:
    if layers == made and len(made) <= 1:
        return True
    turning = [one for one in (*layers, *made) if len(set(one[0])) > 1]
    anchor = turning[0][1] if turning else 0
    step = math.gcd(*(turn for _, _, turn in turning), *(start - anchor for _, start, _ in turning)) or 1
    steps = math.lcm(*(turn * len(people) for people, _, turn in turning)) // step if turning else 1
    if steps > MOST_STEPS:
        return False
    return all(_same_at(layers, made, anchor + number * step) for number in range(steps))


def _same_at(layers: tuple[Turning, ...], made: tuple[Turning, ...], second: int) -> bool:
    wanted = next((person for one in layers if (person := _who(one, second)) is not None), None)
    written = [person for one in made if (person := _who(one, second)) is not None]
    return written == ([] if wanted in (None, DELETED) else [wanted])


def _who(one: Turning, second: int) -> str | None:
    people, anchor, turn = one
    return people[(second - anchor) // turn % len(people)]
