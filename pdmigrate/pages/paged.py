"""One page on both sides, drawn: whom each told, at which minute, until the next level was."""

from pdmigrate.oncall import paging
from pdmigrate.oncall.rota import to_datetime
from pdmigrate.pages.people import People
from pdmigrate.pages.timeline import Bar, Lane, draw_timeline


def find_parting(then: paging.Paged, now: paging.Paged) -> int | None:
    """The first minute at which the two sides tell others; None where they never do."""
    minutes = sorted({minute for minute, _ in (*then, *now)})
    return next((m for m in minutes if dict(then).get(m) != dict(now).get(m)), None)


def draw_paged(
    title: str,
    instant: int,
    sides: tuple[tuple[str, paging.Paged], tuple[str, paging.Paged]],
    people: People,
    zone: str,
) -> str:
    """Both sides, each by its name, from the moment of the page on; where they part is marked."""
    end = instant + 60 * (max(minute for _, told in sides for minute, _ in told) + 10)
    lanes = [Lane(name, _make_bars(instant, told, end, people), True) for name, told in sides]
    parted = find_parting(sides[0][1], sides[1][1])
    marks = [] if parted is None else [(to_datetime(instant + 60 * parted), to_datetime(end))]
    return draw_timeline(lanes, to_datetime(instant), to_datetime(end), zone, title, marks)


def name_all(who: frozenset[str] | None, people: People) -> str:
    """Their names in a sentence."""
    return ", ".join(sorted(map(people.name_of, who or ()))) or "nobody"


def _make_bars(instant: int, told: paging.Paged, end: int, people: People) -> tuple[Bar, ...]:
    starts = [instant + 60 * minute for minute, _ in told]
    return tuple(
        Bar(to_datetime(start), to_datetime(until), people.name_of(one), people.name_of(one), people.look_of(one))
        for start, until, (_, who) in zip(starts, [*starts, end][1:], told, strict=True)
        for one in sorted(who)
    )
