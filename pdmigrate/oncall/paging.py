"""Who is notified how many minutes after a page: levels walked over rotas. Pure; both sides are put into the same form."""

from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate

from pdmigrate.oncall.rota import People, Rota

MOST_LEVELS = 1_000
"""Levels of one policy, each repetition counted: both doors refuse more, since each page is walked through all of them."""


@dataclass(frozen=True)
class PagedLevel:
    """Everybody in `people` and whoever is on call in `rotas`, for `minutes`; then the next level.

    one_of: only one of them is paged, and nobody can say beforehand who (PagerDuty: round robin).
    """

    minutes: int
    people: People
    rotas: tuple[Rota, ...]
    one_of: bool = False

    def paged_at(self, instant: int) -> People:
        """Who is paged. Where only one of several is paged, they are one entry `one of ann, bob`, which equals no person."""
        edges, paged = self.course
        return paged[bisect_right(edges, instant)]

    @cached_property
    def course(self) -> tuple[list[int], list[People]]:
        """When that changes, and who is paged before the first of those instants and from each of them on."""
        edges = sorted({edge for rota in self.rotas for start, end, _ in rota.entries for edge in (start, end)})
        return edges, [self._find(instant) for instant in (edges[0] - 1 if edges else 0, *edges)]

    def _find(self, instant: int) -> People:
        people = self.people.union(*(rota.people_at(instant) for rota in self.rotas))
        return frozenset([f"one of {', '.join(sorted(people))}"]) if self.one_of and len(people) > 1 else people


Moment = tuple[int, People]
"""Minutes after the page, and who is notified then."""
Paged = tuple[Moment, ...]
"""In order. Empty: dropped, nobody is ever notified."""
Known = dict[Moment, Moment]
"""Moments of pages that were walked before: each is kept once, however many pages have it."""


def walk(levels: Iterable[PagedLevel], instant: int, known: Known | None = None) -> Paged:
    """Who is notified when, for a page at `instant` that nobody acknowledges.

    A level with nobody in it is passed over at once (PagerDuty API: a schedule nobody is on call for is skipped).
    """
    known = {} if known is None else known
    minute, paged = 0, []
    for level in levels:
        edges, people_from = level.course
        if people := people_from[bisect_right(edges, instant + 60 * minute)]:
            paged.append(known.setdefault(moment := (minute, people), moment))
            minute += level.minutes
    return tuple(paged)


def walk_all(chains: Iterable[Iterable[PagedLevel]], instant: int, known: Known | None = None) -> Paged:
    """The same where one alert starts several chains at once."""
    known = {} if known is None else known
    paged: dict[int, People] = {}
    for chain in chains:
        for minute, people in walk(chain, instant, known):
            paged[minute] = paged[minute] | people if minute in paged else people
    return tuple(known.setdefault(moment, moment) for moment in sorted(paged.items()))


def limit(paged: Paged, last: int) -> Paged:
    """Up to that minute, and with it."""
    return tuple((minute, people) for minute, people in paged if minute <= last)


def list_instants(instant: int, *sides: Paged) -> list[int]:
    """The moments at which somebody is told on either side of a page at `instant`, and the first."""
    return sorted(instant + 60 * minute for minute in {0, *(minute for side in sides for minute, _ in side)})


def state_at(paged: Paged, minute: int) -> str:
    """`paged` at that minute, `waiting` for the next level or for somebody to answer, or `dropped`: nobody ever is."""
    if not paged:
        return "dropped"
    return "paged" if any(when == minute for when, _ in paged) else "waiting"


def describe(paged: Paged) -> str:
    """In words: `0 min: ann; 5 min: bob, cat`."""
    return "; ".join(f"{minute} min: {', '.join(sorted(people))}" for minute, people in paged) or "nobody"


def describe_parting(before: Paged, after: Paged) -> str:
    """The first minute at which the two sides do something else, and what each does then; "" where they are the same."""
    for minute in sorted({when for when, _ in (*before, *after)}):
        then = [[people for when, people in paged if when == minute] for paged in (before, after)]
        if then[0] != then[1]:
            who = [", ".join(sorted({person for people in one for person in people})) for one in then]
            first, second = (f"{state_at(p, minute)} {w}".rstrip() for p, w in zip((before, after), who, strict=True))
            return f"minute {minute}: {first} / {second}"
    return ""


def moments(levels: Iterable[PagedLevel], start: int, end: int, most: int) -> list[int]:
    """The instants of a page that matter: the start, and just before and at each handoff.

    A handoff matters to a page that was raised a few levels earlier, too: so each one counts back by the timeouts before
    each level. Pages straight at a handoff are all kept, of the earlier ones at most `most`, spread evenly.
    """
    levels = list(levels)
    edges = {edge for level in levels for rota in level.rotas for s, e, _ in rota.entries for edge in (s, e)}
    waits = set(accumulate((level.minutes for level in levels), initial=0)) - {0}
    now = {instant for edge in edges for instant in (edge - 1, edge)}
    earlier = sorted({instant - 60 * wait for instant in now for wait in waits} - now)
    step = max(1, -(-len(earlier) // most))
    return sorted(one for one in {start, *now, *earlier[::step]} if start <= one < end)
