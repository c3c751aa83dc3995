"""Whether rotations say the same as layers for ever: proved over the structure, not over dates.

Between two edges of lives both sides are functions of the wall clock alone, so what holds for every wall-clock second
holds across every change of the clock. The week is cut at every edge of a window; in each part the same layers and the
same rotations are open, and their turns are compared over one whole round.
"""

import math
from collections.abc import Sequence
from functools import lru_cache
from itertools import pairwise

from pdmigrate.mapping.flatten import FOREVER, FULL_WEEK, life_of
from pdmigrate.oncall import rota
from pdmigrate.pagerduty.readings import DELETED

MOST_STEPS = 50_000
"""Steps of one round that are compared; a longer one is looked at by date."""
TEN_YEARS = 3653 * rota.DAY
"""How far a claim that nothing is to be renewed is checked."""

Turning = tuple[tuple[str | None, ...], int, int]
"""Participants, anchor, turn."""


def always_same(
    layers: Sequence[rota.Roster],
    made: Sequence[rota.Roster],
    start: int,
    end: int | None,
    stacked: bool = False,
) -> bool:
    """Whether the layers, stacked, and the rotations, of which never two are on at once, have the same people in
    [start, end), end None for ever. False as well where a round is too long to be gone through.

    stacked: the rotations are layers as well, of which the first that has somebody counts.
    """
    end = FOREVER if end is None else end
    both = [*layers, *made]
    edges = sorted({start, end, *(edge for one in both for edge in life_of(one) if start < edge < end)})
    return all(
        _same_in_week(
            [one for one in layers if _lives(one, *span)], [one for one in made if _lives(one, *span)], stacked
        )
        for span in pairwise(edges)
    )


def _lives(one: rota.Roster, start: int, end: int) -> bool:
    since, until = life_of(one)
    return since <= start and end <= until and any(one.participants)


def _same_in_week(layers: list[rota.Roster], made: list[rota.Roster], stacked: bool) -> bool:
    cuts = {0, *_list_edges(layers), *_list_edges(made)} - {rota.WEEK}
    places = {(_find_open(layers, cut, True), _find_open(made, cut, stacked)) for cut in cuts}
    return all(
        _same_turns(tuple(_turning(layers[i]) for i in upper), tuple(_turning(made[i]) for i in written), stacked)
        for upper, written in places
    )


def _list_edges(rotations: list[rota.Roster]) -> set[int]:
    return {edge for one in rotations for span in one.week or () for edge in span}


def _find_open(rotations: list[rota.Roster], second: int, stacked: bool) -> tuple[int, ...]:
    """The numbers of those that are open there; stacked, down to the first that is never empty."""
    counted = []
    for i, one in enumerate(rotations):
        if _is_open(one, second):
            counted.append(i)
            if stacked and None not in one.participants:
                break
    return tuple(counted)


def _is_open(one: rota.Roster, second: int) -> bool:
    week = FULL_WEEK if one.week is None else one.week
    return any(start <= second < end for start, end in week)


def _turning(one: rota.Roster) -> Turning:
    return one.participants, one.anchor, one.turn


@lru_cache(maxsize=4096)
def _same_turns(layers: tuple[Turning, ...], made: tuple[Turning, ...], stacked: bool) -> bool:
    if layers == made and (stacked or len(made) <= 1):
        return True
    turning = [one for one in (*layers, *made) if len(set(one[0])) > 1]
    anchor = turning[0][1] if turning else 0
    step = math.gcd(*(turn for _, _, turn in turning), *(start - anchor for _, start, _ in turning)) or 1
    steps = math.lcm(*(turn * len(people) for people, _, turn in turning)) // step if turning else 1
    if steps > MOST_STEPS:
        return False
    return all(
        _list_people(layers, second, True) == _list_people(made, second, stacked)
        for second in range(anchor, anchor + steps * step, step)
    )


def _list_people(many: tuple[Turning, ...], second: int, stacked: bool) -> list[str]:
    """Who is on call then, by the first that has somebody, or by all of them."""
    turns = (people[(second - anchor) // turn % len(people)] for people, anchor, turn in many)
    people = [person for person in turns if person is not None]
    return [person for person in (people[:1] if stacked else people) if person != DELETED]
