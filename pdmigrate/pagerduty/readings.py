"""How PagerDuty may count across a change of the clock: not documented, so every reading can be rendered.

Windows and turns are read apart, each by one rule:
wall: who is on call is a function of what the clock shows; what it skips does not happen, what it shows twice does so twice.
first, last: an edge is an instant; one that is skipped is the change itself, one that is shown twice is its first or last.
elapsed: a window lasts its seconds, whatever the clock does; turns that are not whole days are counted in seconds
from the anchor. Turns of whole days keep their wall-clock time under every reading (PagerDuty documents it).
Not documented either is the turn of a user who was deleted: it may show the layer below, or hide it.
"""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from functools import lru_cache
from itertools import pairwise, product
from typing import NamedTuple
from zoneinfo import ZoneInfo

from pdmigrate.oncall import rota
from pdmigrate.pagerduty.records import Layer, Schedule
from pdmigrate.pagerduty.rota import make_rotation, read_windows

RULES = ("wall", "first", "last", "elapsed")
AHEAD = 430 * rota.DAY
REACH = 8 * rota.DAY
"""A window is a week long at most: beyond this a change is not felt."""
CHUNK = 91 * rota.DAY
"""What is looked at in one piece."""


DELETED = "a user who was deleted"
"""Who stands in the turns of deleted users while these hide the layers below; is never written."""


Turn = tuple[int, int, Iterable[str]]
"""From, to, who."""


class Reading(NamedTuple):
    """deleted: whether the turn of a deleted user `shows` or `hides` the layers below."""

    windows: str = "wall"
    turns: str = "wall"
    deleted: str = "shows"

    @property
    def by_wall(self) -> bool:
        """Whether who is on call is a function of what the clock shows."""
        return (self.windows, self.turns) == ("wall", "wall")

    def describe(self) -> str:
        """In words, for a page."""
        hides = ["the turn of a deleted user hides the layers below"] if self.deleted == "hides" else []
        clock = "by the wall clock" if self.by_wall else f"windows {TOLD[self.windows]}, turns {TOLD[self.turns]}"
        return "; ".join([clock, *hides])


TOLD = {
    "wall": "by the wall clock",
    "first": "by the wall clock, a repeated hour counted once, from its first time",
    "last": "by the wall clock, a repeated hour counted once, from its second time",
    "elapsed": "by elapsed seconds",
}
WALL = Reading()


def list_readings(schedule: Schedule, zone: ZoneInfo, start: int, end: int) -> list[Reading]:
    """The readings that may differ in [start, end), the wall clock first: that one alone where nothing is near a change."""
    layers = _list_live(schedule, zone, start, end)
    changes = list_changes(zone, start - REACH, end + REACH)
    windows = any(_windows_feel(made, change) for layer, made in layers for change in changes if layer.restrictions)
    turns = any(_turns_feel(made, change) for _, made in layers for change in changes)
    uneven = any(_is_uneven(made) for _, made in layers)
    counted = RULES if uneven and _has_changed(zone) else RULES[:3] if turns else RULES[:1]
    hiding = ("shows", "hides") if _may_hide([made for _, made in layers]) else ("shows",)
    return [Reading(w, t, d) for d, w, t in product(hiding, RULES if windows else RULES[:1], counted)]


def list_spots(
    schedule: Schedule, zone: ZoneInfo, readings: list[Reading], start: int, end: int
) -> Iterator[rota.Span]:
    """The spans of [start, end), in order, around changes of the clock, in which these readings may part for once."""
    windows, turns = ({getattr(one, name) for one in readings} for name in ("windows", "turns"))
    layers = _list_live(schedule, zone, start, end)
    feels = _windows_feel if "elapsed" in windows else _edges_feel
    for change in list_changes(zone, start - REACH, end):
        opened = len(windows) > 1 and any(feels(made, change) for layer, made in layers if layer.restrictions)
        if opened or (len(turns) > 1 and any(_turns_feel(made, change) for _, made in layers)):
            yield max(start, change.instant - rota.DAY), min(end, change.instant + REACH)


def lasting_part(reading: Reading) -> tuple[str, bool]:
    """What of a reading may make a difference at any time, and not only when the clock has just changed."""
    return reading.deleted, reading.turns == "elapsed"


def list_settings(
    schedule: Schedule, reading: Reading, zone: ZoneInfo, start: int, end: int
) -> list[list[rota.Roster]]:
    """The layers as rotations by the wall clock, once for every offset that the clock has in [start, end): turns that are
    counted in elapsed seconds have another anchor under each."""
    made = [make_rotation(layer, zone, _stand_in(reading)) for layer in schedule.schedule_layers]
    if reading.turns != "elapsed":
        return [made]
    offsets = sorted({offset for _, _, offset in rota.zone_stretches(zone, start, end)})
    starts = [rota.to_instant(layer.rotation_virtual_start) for layer in schedule.schedule_layers]
    return [
        [
            replace(one, anchor=begun + offset) if _is_uneven(one) else one
            for one, begun in zip(made, starts, strict=True)
        ]
        for offset in offsets
    ]


def _list_live(schedule: Schedule, zone: ZoneInfo, start: int, end: int) -> list[tuple[Layer, rota.Roster]]:
    """The layers with people that exist at some time in [start, end), or soon before or after."""
    made = ((layer, make_rotation(layer, zone, DELETED)) for layer in schedule.schedule_layers if layer.users)
    return [(layer, one) for layer, one in made if _lives(one, start - REACH, end + REACH)]


def _lives(made: rota.Roster, start: int, end: int) -> bool:
    """Whether a layer exists at some time in [start, end)."""
    since, until = made.life
    return since < end and max(start, since) < until


def _may_hide(layers: list[rota.Roster]) -> bool:
    """Whether a layer with somebody who was deleted has one with people below it."""
    peopled = [any(person != DELETED for person in one.participants) for one in layers]
    return any(DELETED in one.participants and any(peopled[at + 1 :]) for at, one in enumerate(layers))


def _is_uneven(made: rota.Roster) -> bool:
    return len(set(made.participants)) > 1 and made.turn % rota.DAY > 0


def render_layers(schedule: Schedule, reading: Reading, zone: ZoneInfo, start: int, end: int) -> rota.Rota:
    """Who is on call by the layers under that reading; overrides are not in it."""
    drawn = rota.stack([*_render_down(schedule, reading, zone, start, end)])
    if reading.deleted == "shows":
        return drawn
    return rota.make_rota((s, e, people - {DELETED}) for s, e, people in drawn.entries)


def make_layers(schedule: Schedule, reading: Reading, zone: ZoneInfo, now: int) -> list[tuple[int, rota.Roster]]:
    """(number of the layer, rotation), top first, from `now` on. A rotation goes by the wall clock: turns counted in
    elapsed seconds get another anchor at each change of the clock, as many as AHEAD sees. DELETED stands where a turn of
    somebody who is gone hides what is below."""
    made = [make_rotation(layer, zone, _stand_in(reading)) for layer in schedule.schedule_layers]
    if reading.turns != "elapsed":
        return list(enumerate(made))
    pairs = zip(schedule.schedule_layers, made, strict=True)
    return [(i, one) for i, (layer, whole) in enumerate(pairs) for one in _re_anchor(layer, whole, zone, now)]


def _re_anchor(layer: Layer, made: rota.Roster, zone: ZoneInfo, now: int) -> Iterator[rota.Roster]:
    changes = [None, *rota.zone_changes(zone, now - AHEAD, now + AHEAD), None]
    if made.turn % rota.DAY == 0 or len(set(made.participants)) < 2:
        yield made
        return
    for begin, finish in pairwise(changes):
        offset = rota.offset_at(zone, begin if begin is not None else (finish or now) - 1)
        since = max((edge for edge in (made.since, begin) if edge is not None), default=None)
        until = min((edge for edge in (made.until, finish) if edge is not None), default=None)
        if since is None or until is None or since < until:
            anchor = rota.to_instant(layer.rotation_virtual_start) + offset
            yield replace(made, anchor=anchor, since=since, until=until)


def _render_down(schedule: Schedule, reading: Reading, zone: ZoneInfo, start: int, end: int) -> Iterator[rota.Rota]:
    """Layer by layer from the top, down to one that leaves no time to those below it."""
    for layer in schedule.schedule_layers:
        drawn = _render_layer(layer, reading, zone, start, end)
        yield drawn
        if drawn.entries and drawn.covered() == ((start, end),):
            return


def _render_layer(layer: Layer, reading: Reading, zone: ZoneInfo, start: int, end: int) -> rota.Rota:
    made = make_rotation(layer, zone, _stand_in(reading))
    if reading.by_wall:
        return made.render(zone, start, end)
    since, until = made.life
    start, end = max(start, since), min(end, until)
    if start >= end or not made.participants:
        return rota.Rota()
    turned = rota.make_rota(_list_turns(layer, made, reading.turns, zone, start, end))
    return (
        turned
        if made.week is None and reading.windows != "elapsed"
        else turned.within(_open_spans(layer, made, reading.windows, zone, start, end))
    )


def _stand_in(reading: Reading) -> str | None:
    return DELETED if reading.deleted == "hides" else None


def _list_turns(layer: Layer, made: rota.Roster, rule: str, zone: ZoneInfo, start: int, end: int) -> Iterable[Turn]:
    if rule == "wall" or len(set(made.participants)) == 1 or (rule == "elapsed" and made.turn % rota.DAY == 0):
        always = rota.Roster(made.participants, made.anchor, made.turn)
        return always.render(zone, start, end).entries
    if rule == "elapsed":
        counted = rota.Roster(made.participants, rota.to_instant(layer.rotation_virtual_start), made.turn)
        return counted.render(ZoneInfo("UTC"), start, end).entries
    return _resolved_turns(made, rule, zone, start, end)


def _resolved_turns(made: rota.Roster, rule: str, zone: ZoneInfo, start: int, end: int) -> Iterator[Turn]:
    number = (start - rota.DAY - made.anchor) // made.turn
    while True:
        edges = [find_instant(made.anchor + n * made.turn, zone, rule) for n in (number, number + 1)]
        if edges[0] >= end:
            return
        person = made.participants[number % len(made.participants)]
        if person is not None:
            yield max(edges[0], start), min(edges[1], end), (person,)
        number += 1


def _open_spans(
    layer: Layer, made: rota.Roster, rule: str, zone: ZoneInfo, start: int, end: int
) -> Iterable[rota.Span]:
    if rule == "wall":
        always = rota.Roster(("open",), 0, rota.DAY, made.week)
        return always.render(zone, start, end).covered()
    if not layer.restrictions:
        return [(start, end)]
    opened = [(o, o + length) for o, length in _list_openings(layer, start - REACH, end + rota.DAY)]
    if rule == "elapsed":
        firsts = [(find_instant(o, zone, "first"), c - o) for o, c in opened]
        return [(instant, instant + length) for instant, length in firsts]
    return [(find_instant(o, zone, rule), find_instant(c, zone, rule)) for o, c in opened]


def _list_openings(layer: Layer, start: int, end: int) -> Iterator[tuple[int, int]]:
    monday = start - (start - rota.MONDAY) % rota.WEEK
    for restriction in layer.restrictions:
        for second, length in read_windows(restriction):
            yield from ((week + second, min(length, rota.WEEK)) for week in range(monday, end, rota.WEEK))


def find_instant(naive: int, zone: ZoneInfo, rule: str) -> int:
    """When the zone's clock shows that: a skipped time is the change itself, a repeated one its first or last."""
    found = _find_instants(naive, zone.key)
    return found[-1] if rule == "last" else found[0]


@lru_cache(maxsize=100_000)
def _find_instants(naive: int, key: str) -> tuple[int, ...]:
    zone = ZoneInfo(key)
    stretches = list(rota.zone_stretches(zone, naive - 2 * rota.DAY, naive + 2 * rota.DAY))
    hits = tuple(naive - offset for begin, finish, offset in stretches if begin <= naive - offset < finish)
    return hits or tuple(finish for _, finish, offset in stretches if naive - offset >= finish)[-1:]


class ClockChange(NamedTuple):
    """A change of the clock: when, and what the clock shows at both ends of what is skipped or repeated, naive seconds."""

    instant: int
    early: int
    late: int


@lru_cache(maxsize=4096)
def list_changes(zone: ZoneInfo, start: int, end: int) -> tuple[ClockChange, ...]:
    shown = (
        (c, *sorted((c + rota.offset_at(zone, c - 1), c + rota.offset_at(zone, c))))
        for c in rota.zone_changes(zone, start, end)
    )
    return tuple(ClockChange(*one) for one in shown)


def _windows_feel(made: rota.Roster, change: ClockChange) -> bool:
    """Whether a window is open at the change, or opens or closes in what is skipped or repeated, give or take a second."""
    first, last = _felt_in_week(change)
    return _is_alive(made, change) and (
        made.week is None
        or any((s < last and first < e) or (s + rota.WEEK < last and first < e + rota.WEEK) for s, e in made.week)
    )


def _edges_feel(made: rota.Roster, change: ClockChange) -> bool:
    """Whether a window opens or closes in what is skipped or repeated."""
    first, last = _felt_in_week(change)
    edges = (edge + week for span in made.week or () for edge in span for week in (0, rota.WEEK))
    return _is_alive(made, change) and any(first <= edge <= last for edge in edges)


def _felt_in_week(change: ClockChange) -> rota.Span:
    """What is skipped or repeated, and a second on either side, in seconds since Monday."""
    first = (change.early - 1 - rota.MONDAY) % rota.WEEK
    return first, first + change.late - change.early + 2


def _turns_feel(made: rota.Roster, change: ClockChange) -> bool:
    number = -((made.anchor - change.early) // made.turn)
    turned = len(set(made.participants)) > 1 and made.anchor + number * made.turn <= change.late
    return turned and _is_alive(made, change)


def _is_alive(made: rota.Roster, change: ClockChange) -> bool:
    """Whether the layer exists when the change may be felt."""
    since, until = made.life
    return since < change.instant + REACH and change.instant - REACH < until


@lru_cache(maxsize=512)
def _has_changed(zone: ZoneInfo) -> bool:
    """Whether the zone's offset has ever changed in our time."""
    return bool(rota.zone_changes(zone, 1_262_304_000, 2_000_000_000))
