"""Rotations under names that stay the same on every run: in Harness a renamed one silently loses its escalation level."""

from collections.abc import Iterable
from dataclasses import dataclass

from pdmigrate import rota
from pdmigrate.harness import records as harness
from pdmigrate.harness import rota as harness_rota
from pdmigrate.identifiers import make_name
from pdmigrate.mapping.flatten import Piece
from pdmigrate.pagerduty.records import Schedule

LONGEST = 128


@dataclass(frozen=True)
class Named:
    """A rotation of people by PagerDuty id. dated: it stands for certain dates only, others must follow."""

    name: str
    rotation: rota.Rotation
    dated: bool = False


def name_pieces(schedule: Schedule, layers: list[tuple[int, rota.Rotation]], pieces: list[Piece]) -> list[Named]:
    """The layer's name. A later piece is told apart by its start, one that fills empty turns by whose they are.

    layers: (number of PagerDuty's layer, rotation), as the pieces were made of them.
    """
    whole = _layer_names(schedule)
    names = [whole[number] for number, _ in layers]
    starts = [rota.to_instant(schedule.schedule_layers[number].start) for number, _ in layers]
    return [Named(_name_piece(names, starts, piece), piece.rotation, piece.dated) for piece in pieces]


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


def tell_date(instant: int) -> str:
    """For a name: printable, and the same in every zone."""
    return f"{rota.to_datetime(instant):%Y-%m-%d %H.%M.%S}"


def add_to_name(name: str, more: str) -> str:
    """The name with something behind it, within what a rotation may be called."""
    return f"{name[: LONGEST - 1 - len(more)].rstrip()} {more}"


def _layer_names(schedule: Schedule) -> list[str]:
    names = [make_name(layer.name or layer.id, layer.id) for layer in schedule.schedule_layers]
    ids = [layer.id for layer in schedule.schedule_layers]
    return [n if names.count(n) == 1 else add_to_name(n, id) for n, id in zip(names, ids, strict=True)]


def _name_piece(names: list[str], starts: list[int], piece: Piece) -> str:
    name = names[piece.layer]
    if piece.fills:
        name = add_to_name(name, f"for {' and '.join(dict.fromkeys(names[i] for i in piece.fills))}"[: LONGEST // 2])
    since = piece.rotation.since
    return name if since == starts[piece.layer] else add_to_name(name, f"from {tell_date(since)}")


def _is_plain(made: rota.Rotation) -> bool:
    alone = len(set(made.participants)) == len(made.participants) and None not in made.participants
    return made.week is None and made.until is None and alone and made.turn % rota.DAY == 0


def dated_shift(name: str, person: str, start: int, end: int, offset: int) -> Named:
    """One person from start to end. offset: of the zone at the start."""
    made = rota.Rotation((person,), start + offset, max(60, end - start), since=start, until=end)
    return Named(name, made, True)
