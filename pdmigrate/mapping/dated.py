"""What no rotation that goes on for ever can say is written with dates: rotations are cut, and shifts put in between."""

from dataclasses import replace
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from pdmigrate import rota
from pdmigrate.mapping.flatten import life_of, live
from pdmigrate.mapping.rotations import Named, dated_shift, name_parts, tell_date

MOST_SHIFTS = 400
"""More of them than this nobody can check."""


def month_before(instant: int) -> int:
    """The first of that month, 00:00 UTC: a start that stays the same for a while, so that a rerun changes nothing."""
    return rota.to_instant(rota.to_datetime(instant).replace(day=1, hour=0, minute=0, second=0))


def month_after(instant: int) -> int:
    """The first of the next month, 00:00 UTC."""
    day = rota.to_datetime(instant)
    return rota.to_instant(datetime(day.year + day.month // 12, day.month % 12 + 1, 1, tzinfo=UTC))


def mend(named: list[Named], wanted: rota.Rota, zone: ZoneInfo, start: int, end: int, now: int) -> list[Named] | None:
    """The rotations, cut wherever they say something else than wanted in [start, end), with shifts in the gaps.

    None where that takes more than MOST_SHIFTS shifts. now: whose parts keep the names.
    """
    drawn = rota.join([one.rotation.render(zone, start, end) for one in named])
    spans = rota.merge_spans((s, e) for s, e, _, _ in rota.differences(drawn, wanted))
    shifts = write_shifts(wanted.within(spans), zone) if spans else []
    if len(shifts) > MOST_SHIFTS or len(spans) > MOST_SHIFTS:
        return None
    return [piece for one in named for piece in _cut_out(one, spans, zone, now)] + shifts


def write_shifts(wanted: rota.Rota, zone: ZoneInfo) -> list[Named]:
    """Every entry as shifts of one person each; several people at once stand side by side."""
    return [
        dated_shift(_name_shift(start, number), person, start, end, rota.offset_at(zone, start))
        for start, end, people in wanted.entries
        for number, person in enumerate(sorted(people))
    ]


def _name_shift(start: int, number: int) -> str:
    return f"Shift {tell_date(start)}" + (f" at the same time {number + 1}" if number else "")


def _cut_out(named: Named, spans: tuple[rota.Span, ...], zone: ZoneInfo, now: int) -> list[Named]:
    """What is left of a rotation."""
    met = [span for span in spans if named.rotation.render(zone, *span).entries]
    if not met:
        return [named]
    lives = rota.subtract_spans([life_of(named.rotation)], met)
    names = name_parts(named.name, lives, now)
    return [
        replace(named, name=name, rotation=live(named.rotation, *life)) for name, life in zip(names, lives, strict=True)
    ]
