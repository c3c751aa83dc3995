"""What no rotation that goes on for ever can say is written with dates: rotations are cut, and shifts put in between."""

from bisect import bisect_right
from dataclasses import replace
from zoneinfo import ZoneInfo

from pdmigrate.mapping.flatten import life_of, live
from pdmigrate.mapping.rotations import Named, dated_shift, describe_date, name_parts
from pdmigrate.oncall import rota

MOST_SHIFTS = 400
"""More of them than this nobody can check: a person decides."""


class TooManyDatedError(Exception):
    """It takes more dated rotations than anybody can check."""

    def __init__(self, number: int):
        super().__init__(f"it takes {number:,} rotations with dates")
        self.number = number


def mend(
    named: list[Named], wanted: rota.Rota, zone: ZoneInfo, start: int, end: int, now: int, most: int = MOST_SHIFTS
) -> list[Named]:
    """The rotations, cut wherever they say something else than wanted in [start, end), with shifts in the gaps.

    now: whose parts keep the names. Raises TooManyDatedError where that takes more than `most` shifts.
    """
    drawn = [one.rotation.render(zone, start, end) for one in named]
    spans = rota.merge_spans((s, e) for s, e, _, _ in rota.differences(rota.join(drawn), wanted))
    if not spans:
        return named
    shifts = wanted.within(spans)
    number = max(len(spans), sum(len(people) for _, _, people in shifts.entries))
    if number > most:
        raise TooManyDatedError(number)
    cut = (_cut_out(one, spans, alone, now) for one, alone in zip(named, drawn, strict=True))
    return [piece for pieces in cut for piece in pieces] + write_shifts(shifts, zone)


def check_dated(named: list[Named], most: int) -> None:
    """Raises TooManyDatedError where more than `most` of them have an end."""
    number = sum(one.rotation.until is not None for one in named)
    if number > most:
        raise TooManyDatedError(number)


def write_shifts(wanted: rota.Rota, zone: ZoneInfo) -> list[Named]:
    """Every entry as shifts of one person each; several people at once stand side by side."""
    return [
        dated_shift(_name_shift(start, number), person, start, end, rota.offset_at(zone, start))
        for start, end, people in wanted.entries
        for number, person in enumerate(sorted(people))
    ]


def _name_shift(start: int, number: int) -> str:
    return f"Shift {describe_date(start)}" + (f" at the same time {number + 1}" if number else "")


def _cut_out(named: Named, spans: tuple[rota.Span, ...], drawn: rota.Rota, now: int) -> list[Named]:
    """What is left of a rotation. drawn: when it is on."""
    met = [
        spans[bisect_right(spans, (start, rota.FAR)) - 1] for start, _ in rota.intersect_spans(drawn.covered(), spans)
    ]
    if not met:
        return [named]
    lives = rota.subtract_spans([life_of(named.rotation)], met)
    names = name_parts(named.name, lives, now)
    return [
        replace(named, name=name, rotation=live(named.rotation, *life)) for name, life in zip(names, lives, strict=True)
    ]
