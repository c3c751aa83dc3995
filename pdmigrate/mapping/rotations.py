"""Rotations under names that stay the same on every run: in Harness a renamed one silently loses its escalation level."""

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple
from zoneinfo import ZoneInfo

from pdmigrate.harness import records as harness
from pdmigrate.harness import rota as harness_rota
from pdmigrate.harness.identifiers import make_name
from pdmigrate.mapping.flatten import Piece, life_of, live
from pdmigrate.oncall import rota
from pdmigrate.pagerduty.records import Schedule

LONGEST = 128
TOLD_APART = 48
"""Names that begin with the same characters have their id behind so many of them: longer ones are cut when more is added."""


@dataclass(frozen=True)
class Named:
    """A rotation of people by PagerDuty id. dated: it stands for certain dates only, others must follow."""

    name: str
    rotation: rota.Roster
    dated: bool = False


def name_pieces(
    schedule: Schedule, layers: list[tuple[int, rota.Roster]], pieces: Sequence[Piece], now: int
) -> list[Named]:
    """The piece of a layer that is on at `now`, or next, has the layer's own name: when an upper layer starts or ends, an
    escalation level that names it goes on paging. Others are told apart by whose empty turns they fill, and their start.

    layers: (number of PagerDuty's layer, rotation), as the pieces were made of them.
    """
    lived = [
        (one, rota.to_instant(one.start), rota.to_instant(one.end) if one.end else None)
        for one in schedule.schedule_layers
    ]
    whole = describe_apart([Alike(one.name, one.id, start, end) for one, start, end in lived], now)
    names = [whole[number] for number, _ in layers]
    owners = [layers[piece.layer][0] for piece in pieces]
    late_to_early = sorted(zip(owners, pieces, strict=True), key=lambda pair: _rank(pair[1], now), reverse=True)
    leaders = dict(late_to_early)
    bases = [_name_base(names, piece) for piece in pieces]
    parts = _name_alike(pieces, bases, now)
    named = []
    for piece, owner, base in zip(pieces, owners, bases, strict=True):
        name, own = parts[base][life_of(piece.rotation)], names[piece.layer]
        if piece is leaders[owner]:
            name = own
        elif name == own and piece.rotation.since is not None:  # a piece without a start leads
            name = _name_later(own, piece.rotation.since)
        named.append(Named(name, piece.rotation, piece.dated))
    return named


def write_rotation(named: Named, emails: dict[str, str]) -> harness.Rotation:
    """In Harness's words. Who has no email leaves an empty place: by decision, since nobody else gets this far."""
    made = named.rotation
    return harness.Rotation(
        name=named.name,
        participants=tuple(emails.get(id) if id else None for id in made.participants),
        anchor=rota.from_naive(made.anchor),
        turn_seconds=made.turn,
        windows=harness_rota.write_windows(made.week),
        since=rota.to_datetime(made.since) if made.since is not None else None,
        until=rota.to_datetime(made.until) if made.until is not None else None,
    )


def is_documented(named: Iterable[Named]) -> bool:
    """Whether only what Harness documents is needed: pattern of whole days, start, zone, participants."""
    return all(_is_plain(one.rotation) for one in named)


def describe_together(named: Sequence[Named], zone: ZoneInfo, start: int, end: int) -> str:
    """A line that says which rotations are on at the same time as another on purpose; "" where none is."""
    drawn = [
        rota.make_rota((s, e, (one.name,)) for s, e, _ in one.rotation.render(zone, start, end).entries)
        for one in named
    ]
    meant = {name for _, _, names in rota.join(drawn).entries if len(names) > 1 for name in names}
    names = [one.name for one in named if one.name in meant and not one.dated]
    names += ["dated shifts"] if any(one.dated for one in named if one.name in meant) else []
    return f"Several people at once are meant, as in PagerDuty: {'; '.join(names)}." if names else ""


def describe_date(instant: int) -> str:
    """For a name: printable, and the same in every zone."""
    return f"{rota.to_datetime(instant):%Y-%m-%d %H.%M.%S}"


def add_to_name(name: str, more: str) -> str:
    """The name with something behind it, within what a rotation may be called."""
    return f"{name[: LONGEST - 1 - len(more)].rstrip()} {more}"


class Alike(NamedTuple):
    """What tells rotations of one name apart. since, until: instants, until None for ever."""

    name: str | None
    id: str
    since: int
    until: int | None = None


def describe_apart(records: Sequence[Alike], now: int) -> list[str]:
    """Their names. Of several that begin alike one keeps its name, wherever it stands and whatever comes beside it: the
    oldest of those that are on now, else the next; one that has ended does not count. The others have their id."""
    names = [make_name(one.name or one.id, one.id) for one in records]
    alike: dict[str, list[int]] = {}
    for at, name in enumerate(names):
        alike.setdefault(name[:TOLD_APART].casefold(), []).append(at)
    first = {min(places, key=lambda at: _rank_alike(records[at], now)) for places in alike.values()}
    return [name if at in first else f"{name[:TOLD_APART].rstrip()} {records[at].id}" for at, name in enumerate(names)]


def _rank_alike(one: Alike, now: int) -> tuple[bool, bool, int, str]:
    ended = one.until is not None and (one.until <= now or one.until <= one.since)
    return ended, one.since > now, one.since, one.id


def name_parts(name: str, lives: Sequence[rota.Span], now: int) -> list[str]:
    """Names of the parts of one rotation, one after the other. The part that is on now, or next, has the rotation's own
    name: an escalation level that names it goes on paging; later ones are told apart by their start."""
    on = next((at for at, (_, until) in enumerate(lives) if until > now), len(lives))
    past = [add_to_name(name, f"until {describe_date(until)}") for _, until in lives[:on]]
    return [*past, *[name][: len(lives) - on], *(_name_later(name, s) for s, _ in lives[on + 1 :])]


def _name_later(name: str, since: int) -> str:
    return add_to_name(name, f"from {describe_date(since)}")


def _rank(piece: Piece, now: int) -> tuple[bool, int, int]:
    """On now before on later, with open windows of its own before what only fills the empty turns of others."""
    since, until = life_of(piece.rotation)
    return until <= now, max(since, now), len(piece.fills)


def _name_base(names: list[str], piece: Piece) -> str:
    name = names[piece.layer]
    if not piece.fills:
        return name
    return add_to_name(name, f"for {' and '.join(sorted({names[i] for i in piece.fills}))}"[: LONGEST // 2])


def _name_alike(pieces: Sequence[Piece], bases: Sequence[str], now: int) -> dict[str, dict[rota.Span, str]]:
    """The names of those that would be called alike, by what they would be called and their lives."""
    lives: dict[str, list[rota.Span]] = {}
    for piece, base in zip(pieces, bases, strict=True):
        lives.setdefault(base, []).append(life_of(piece.rotation))
    return {
        base: dict(zip(sorted(found), name_parts(base, sorted(found), now), strict=True))
        for base, found in lives.items()
    }


def _is_plain(made: rota.Roster) -> bool:
    alone = len(set(made.participants)) == len(made.participants) and None not in made.participants
    return made.week is None and made.until is None and alone and made.turn % rota.DAY == 0


def dated_shift(name: str, person: str, start: int, end: int, offset: int) -> Named:
    """One person from start to end. offset: of the zone at the start."""
    made = rota.Roster((person,), start + offset, max(60, end - start), since=start, until=end)
    return Named(name, made, True)


# --- what no rotation that goes on for ever can say is written with dates: rotations are cut, shifts put in between ---

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
        dated_shift(
            f"Shift {describe_date(start)}" + (f" at the same time {number + 1}" if number else ""),
            person,
            start,
            end,
            rota.offset_at(zone, start),
        )
        for start, end, people in wanted.entries
        for number, person in enumerate(sorted(people))
    ]


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
