"""Stacked layers to rotations that never overlap, so that a target that stacks and one that joins say the same.

A layer's life is cut at every start and end of the layers above it, and in each stretch their windows are taken out of
its own. Where an upper layer has empty places, the layer below shows through in those turns: its places are then laid
out over the turns of both, or, where that list would be endless, over dates. Anchors and turns stay as they are
otherwise: the same person has the same week, today and in a year.
"""

import math
from dataclasses import dataclass, replace
from itertools import pairwise
from zoneinfo import ZoneInfo

from pdmigrate.oncall import rota

FULL_WEEK: tuple[rota.Span, ...] = ((0, rota.WEEK),)
FOREVER = 2**40
MOST_PLACES = 400
"""Places of one rotation beyond which nobody could read it, and dates are clearer."""
SHORTEST = 60
"""Seconds that a turn of Harness has at least, by our contract."""
DATED_AHEAD = 62 * rota.DAY
"""How far dated pieces reach from where they begin, at least, where that is still to come."""


@dataclass(frozen=True)
class Piece:
    """A rotation with the number of its layer, and of the upper layers whose empty turns it fills.

    dated: it stands for certain dates only; others like it must follow when the time comes.
    """

    layer: int
    rotation: rota.Roster
    fills: tuple[int, ...] = ()
    dated: bool = False


@dataclass(frozen=True)
class Flat:
    """What the layers leave, top layer first. until: from then on more dated pieces are needed; None where none ever are."""

    pieces: tuple[Piece, ...]
    until: int | None


@dataclass(frozen=True)
class _Stretch:
    """A layer's own time: where it is not covered, for a part of its life."""

    week: tuple[rota.Span, ...]
    since: int
    until: int
    fills: tuple[int, ...]


def flatten(layers: list[rota.Roster], zone: ZoneInfo, now: int, near: int, far: int) -> Flat:
    """What is left of each layer at or after `now`. Ended layers leave nothing; neither do those that end before they start.

    Pieces that need dates are written up to `near`; one that begins after `now` and before `far` is written DATED_AHEAD and
    a month past its own start; one that begins later is left to a later run. Everything else holds for ever. Layers
    without anybody are as good as absent.
    """
    peopled = [i for i, layer in enumerate(layers) if any(layer.participants) and _lives(layer)]
    pieces: list[Piece] = []
    ends: list[int] = []
    above: dict[object, int] = {}
    for number in peopled:
        # Ended layers cut as well: were they left out here, a piece would change its start as they end, and every run its plan.
        for stretch in _cut(layers, number, [*above.values()], now):
            said, end = _map(layers, number, stretch, zone, now, _reach(stretch, now, near, far))
            pieces += said
            ends += [end] if end is not None else []
        gaps = None in layers[number].participants
        # what covers just the same time as a layer further up takes nothing more away, be there thousands of it
        above.setdefault(number if gaps else (life_of(layers[number]), _week(layers[number])), number)
    alive = tuple(piece for piece in pieces if life_of(piece.rotation)[1] > now)
    return Flat(alive, min(ends, default=None))


def _reach(stretch: _Stretch, now: int, near: int, far: int) -> int:
    """Until when a stretch is written out where that takes dates: what only begins after far is left to a later run."""
    if stretch.since <= now:
        return near
    return stretch.since if stretch.since >= far else max(near, rota.month_after(stretch.since + DATED_AHEAD))


def _lives(layer: rota.Roster) -> bool:
    since, until = life_of(layer)
    return since < until


def life_of(layer: rota.Roster) -> rota.Span:
    """From when until when a rotation exists."""
    return (-FOREVER if layer.since is None else layer.since, FOREVER if layer.until is None else layer.until)


def live(layer: rota.Roster, since: int, until: int) -> rota.Roster:
    """The same rotation with that life."""
    return replace(layer, since=None if since == -FOREVER else since, until=None if until == FOREVER else until)


def _cut(layers: list[rota.Roster], number: int, above: list[int], now: int) -> list[_Stretch]:
    """The layer's own time from now on; what is the same since long before begins when that began."""
    start, end = life_of(layers[number])
    edges = sorted({start, end, *(edge for i in above for edge in life_of(layers[i]) if start < edge < end)})
    past = [(since, until) for since, until in pairwise(edges) if until <= now]
    stretches: list[_Stretch] = []
    last: dict[tuple[int, ...], int] = {}
    for since, until in pairwise(edges):
        if until <= now:
            continue
        for fills, week in _share(layers, number, _list_active(layers, above, since, until)):
            before = stretches[last[fills]] if fills in last else None
            if before and before.week == week and before.until == since:
                stretches[last[fills]] = replace(before, until=until)
            else:
                last[fills] = len(stretches)
                begun = _look_back(layers, number, above, past, _Stretch(week, since, until, fills))
                stretches.append(replace(begun, until=until))
    return stretches


def _list_active(layers: list[rota.Roster], above: list[int], since: int, until: int) -> list[int]:
    return [i for i in above if life_of(layers[i])[0] <= since and until <= life_of(layers[i])[1]]


def _look_back(
    layers: list[rota.Roster], number: int, above: list[int], past: list[rota.Span], stretch: _Stretch
) -> _Stretch:
    """The same stretch from when it began: only one share of each time that is over is worked out, however many there were."""
    for since, until in reversed(past):
        if until != stretch.since:
            break
        active = _list_active(layers, above, since, until)
        if _own_week(layers, number, active, stretch.fills) != stretch.week:
            break
        stretch = replace(stretch, since=since)
    return stretch


Week = tuple[rota.Span, ...]
Share = tuple[tuple[int, ...], Week]
"""The layers with empty places that are open, and when they are."""


def _own_week(layers: list[rota.Roster], number: int, active: list[int], fills: tuple[int, ...]) -> Week | None:
    """The layer's windows where exactly those upper layers with empty places are open; None where one of them is not there."""
    if any(i not in active or None not in layers[i].participants for i in fills):
        return None
    week = rota.subtract_spans(_week(layers[number]), [s for i in active if i not in fills for s in _week(layers[i])])
    for i in fills:
        week = rota.intersect_spans(week, _week(layers[i]))
    return week


def _share(layers: list[rota.Roster], number: int, active: list[int]) -> list[Share]:
    """The layer's windows without those of the full layers above, apart by the layers with empty places that are open."""
    full = [i for i in active if None not in layers[i].participants]
    week = rota.subtract_spans(_week(layers[number]), [span for i in full for span in _week(layers[i])])
    shares: list[Share] = [((), week)] if week else []
    for i in active:
        if i in full:
            continue
        parted: list[Share] = []
        for fills, own in shares:
            parted.append((fills, rota.subtract_spans(own, _week(layers[i]))))
            parted.append(((*fills, i), rota.intersect_spans(own, _week(layers[i]))))
        shares = [(fills, own) for fills, own in parted if own]
    return shares


def _map(
    layers: list[rota.Roster], number: int, stretch: _Stretch, zone: ZoneInfo, now: int, reach: int
) -> tuple[list[Piece], int | None]:
    """Its pieces, and from when on they do not say all of it; None where they do."""
    week = None if stretch.week == FULL_WEEK else stretch.week
    plain = live(replace(layers[number], week=week), stretch.since, stretch.until)
    if not stretch.fills:
        return [Piece(number, plain)], None
    above = [layers[i] for i in stretch.fills]
    woven = weave(plain, above)
    if woven is not None:
        return ([Piece(number, woven, stretch.fills)] if any(woven.participants) else []), None
    spans = _empty_spans(above, zone, max(now, stretch.since), min(reach, stretch.until))
    life = rota.intersect_spans(spans, [(stretch.since, stretch.until)])
    pieces = [Piece(number, replace(plain, since=s, until=e), stretch.fills, True) for s, e in life]
    return pieces, None if stretch.until <= reach else reach


def weave(layer: rota.Roster, above: list[rota.Roster]) -> rota.Roster | None:
    """The layer in the empty turns of those above only, as one rotation whose places are as long as all turns allow.

    None where the turns do not fit: more than MOST_PLACES places until everything comes round again, or too short ones.
    """
    turning = [one for one in (layer, *above) if len(set(one.participants)) > 1]
    anchor = turning[0].anchor
    place = math.gcd(*(one.turn for one in turning), *(one.anchor - anchor for one in turning))
    places = math.lcm(*(one.turn * len(one.participants) for one in turning)) // place
    if places > MOST_PLACES or place < SHORTEST:
        return None
    starts = [anchor + number * place for number in range(places)]
    participants = tuple(
        layer.place_at(start) if all(upper.place_at(start) is None for upper in above) else None for start in starts
    )
    return replace(layer, anchor=anchor, turn=place, participants=participants)


def _empty_spans(above: list[rota.Roster], zone: ZoneInfo, now: int, until: int) -> tuple[rota.Span, ...]:
    """When all of them are empty, from now until then. A span that runs now has its true start."""
    start = now - max(one.turn * (len(one.participants) + 1) for one in above)
    spans: tuple[rota.Span, ...] = ((start, until),) if now < until else ()
    for one in above:
        turned = tuple(None if place else "empty" for place in one.participants)
        always = rota.Roster(turned, one.anchor, one.turn)
        spans = rota.intersect_spans(spans, always.render(zone, start, until).covered())
    return tuple(span for span in spans if span[1] > now)


def _week(layer: rota.Roster) -> tuple[rota.Span, ...]:
    return FULL_WEEK if layer.week is None else layer.week
