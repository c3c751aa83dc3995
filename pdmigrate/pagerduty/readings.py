"""How PagerDuty may count across a change of the clock: not documented, so every reading can be rendered.

Windows and turns are read apart, each by one rule:
wall: who is on call is a function of what the clock shows; what it skips does not happen, what it shows twice does so twice.
first, last: an edge is an instant; one that is skipped is the change itself, one that is shown twice is its first or last.
elapsed: a window lasts its seconds, whatever the clock does; turns that are not whole days are counted in seconds
from the anchor. Turns of whole days keep their wall-clock time under every reading (PagerDuty documents it).
"""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from functools import lru_cache
from itertools import pairwise, product
from typing import NamedTuple
from zoneinfo import ZoneInfo

from pdmigrate import rota
from pdmigrate.pagerduty.records import Layer, Schedule
from pdmigrate.pagerduty.rota import make_rotation, read_windows

RULES = ("wall", "first", "last", "elapsed")
AHEAD = 430 * rota.DAY
REACH = 8 * rota.DAY
"""A window is a week long at most: beyond this a change is not felt."""


class Reading(NamedTuple):
    windows: str = "wall"
    turns: str = "wall"

    def tell(self) -> str:
        """In words, for a page."""
        if self == WALL:
            return "by the wall clock"
        return f"windows {TOLD[self.windows]}, turns {TOLD[self.turns]}"


TOLD = {
    "wall": "by the wall clock",
    "first": "by the wall clock, a repeated hour counted once, from its first time",
    "last": "by the wall clock, a repeated hour counted once, from its second time",
    "elapsed": "by elapsed seconds",
}
WALL = Reading()


def list_readings(schedule: Schedule, zone: ZoneInfo, start: int, end: int) -> list[Reading]:
    """The readings that may differ in [start, end), the wall clock first: that one alone where nothing is near a change."""
    changes = rota.zone_changes(zone, start - REACH, end + REACH)
    layers = [(layer, make_rotation(layer, zone)) for layer in schedule.schedule_layers]
    windows = any(_windows_feel(made, zone, c) for layer, made in layers for c in changes if layer.restrictions)
    turns = any(_turns_feel(made, zone, c) for _, made in layers for c in changes)
    uneven = any(len(set(made.participants)) > 1 and made.turn % rota.DAY for _, made in layers)
    counted = RULES if uneven and _has_changed(zone) else RULES[:3] if turns else RULES[:1]
    return [Reading(*pair) for pair in product(RULES if windows else RULES[:1], counted)]


def render_layers(schedule: Schedule, reading: Reading, zone: ZoneInfo, start: int, end: int) -> rota.Rota:
    """Who is on call by the layers under that reading; overrides are not in it."""
    return rota.stack([_render_layer(layer, reading, zone, start, end) for layer in schedule.schedule_layers])


def make_layers(schedule: Schedule, reading: Reading, zone: ZoneInfo, now: int) -> list[tuple[int, rota.Rotation]]:
    """(number of the layer, rotation), top first, from `now` on. A rotation goes by the wall clock: turns counted in
    elapsed seconds get another anchor at each change of the clock, as many as AHEAD sees."""
    made = [make_rotation(layer, zone) for layer in schedule.schedule_layers]
    if reading.turns != "elapsed":
        return list(enumerate(made))
    pairs = zip(schedule.schedule_layers, made, strict=True)
    return [(i, one) for i, (layer, whole) in enumerate(pairs) for one in _re_anchor(layer, whole, zone, now)]


def _re_anchor(layer: Layer, made: rota.Rotation, zone: ZoneInfo, now: int) -> Iterator[rota.Rotation]:
    changes = [None, *rota.zone_changes(zone, now - AHEAD, now + AHEAD), None]
    if made.turn % rota.DAY == 0 or len(set(made.participants)) < 2:
        yield made
        return
    for begin, finish in pairwise(changes):
        offset = rota.offset_at(zone, begin if begin is not None else (finish or now) - 1)
        since = made.since if begin is None else max(made.since, begin)
        until = min((edge for edge in (made.until, finish) if edge is not None), default=None)
        if until is None or since < until:
            anchor = rota.to_instant(layer.rotation_virtual_start) + offset
            yield replace(made, anchor=anchor, since=since, until=until)


def _render_layer(layer: Layer, reading: Reading, zone: ZoneInfo, start: int, end: int) -> rota.Rota:
    made = make_rotation(layer, zone)
    if reading == WALL:
        return made.render(zone, start, end)
    start = max(start, made.since)
    end = end if made.until is None else min(end, made.until)
    if start >= end or not made.participants:
        return rota.Rota()
    turned = rota.make_rota(_list_turns(layer, made, reading.turns, zone, start, end))
    return (
        turned
        if made.week is None and reading.windows != "elapsed"
        else turned.within(_open_spans(layer, made, reading.windows, zone, start, end))
    )


def _list_turns(layer: Layer, made: rota.Rotation, rule: str, zone: ZoneInfo, start: int, end: int) -> Iterable:
    if rule == "wall" or len(set(made.participants)) == 1 or (rule == "elapsed" and made.turn % rota.DAY == 0):
        always = rota.Rotation(made.participants, made.anchor, made.turn)
        return always.render(zone, start, end).entries
    if rule == "elapsed":
        counted = rota.Rotation(made.participants, rota.to_instant(layer.rotation_virtual_start), made.turn)
        return counted.render(ZoneInfo("UTC"), start, end).entries
    return _resolved_turns(made, rule, zone, start, end)


def _resolved_turns(made: rota.Rotation, rule: str, zone: ZoneInfo, start: int, end: int) -> Iterator[tuple]:
    number = (start - rota.DAY - made.anchor) // made.turn
    while True:
        edges = [find_instant(made.anchor + n * made.turn, zone, rule) for n in (number, number + 1)]
        if edges[0] >= end:
            return
        person = made.participants[number % len(made.participants)]
        if person is not None:
            yield max(edges[0], start), min(edges[1], end), (person,)
        number += 1


def _open_spans(layer: Layer, made: rota.Rotation, rule: str, zone: ZoneInfo, start: int, end: int) -> Iterable:
    if rule == "wall":
        always = rota.Rotation(("open",), 0, rota.DAY, made.week)
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


def _windows_feel(made: rota.Rotation, zone: ZoneInfo, change: int) -> bool:
    """Whether a window is open at the change, or opens or closes in the hour that is skipped or repeated."""
    early, late = sorted((change + rota.offset_at(zone, change - 1), change + rota.offset_at(zone, change)))
    near = rota.Rotation(("open",), 0, rota.DAY, made.week)
    probe = rota.Rota(tuple(near.render(ZoneInfo("UTC"), early - 1, late + 1).entries))
    return bool(probe.entries)


def _turns_feel(made: rota.Rotation, zone: ZoneInfo, change: int) -> bool:
    early, late = sorted((change + rota.offset_at(zone, change - 1), change + rota.offset_at(zone, change)))
    number = -((made.anchor - early) // made.turn)
    return len(set(made.participants)) > 1 and made.anchor + number * made.turn <= late


def _has_changed(zone: ZoneInfo) -> bool:
    """Whether the zone's offset has ever changed in our time."""
    return bool(rota.zone_changes(zone, 1_262_304_000, 2_000_000_000))
