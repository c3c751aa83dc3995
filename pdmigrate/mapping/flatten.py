"""Stacked layers to rotations that never overlap, so that a target that stacks and one that joins say the same.

A layer's life is cut at every start and end of the layers above it, and in each piece their windows are taken out of
its own. Anchors and turns stay as they are: the same person has the same week, today and in a year.
"""

from dataclasses import replace
from itertools import pairwise

from pdmigrate import rota

FULL_WEEK: tuple[rota.Span, ...] = ((0, rota.WEEK),)
FOREVER = 2**40


def flatten(layers: list[rota.Rotation], now: int) -> list[tuple[int, rota.Rotation]]:
    """(number of the layer, piece) for all that is left at or after `now`, top layer first. Ended layers leave nothing.

    Layers without anybody are as good as absent. A layer with empty places lets the ones below through in those turns,
    which windows cannot say: whoever calls this compares the result.
    """
    alive = [(i, layer) for i, layer in enumerate(layers) if any(layer.participants) and _life(layer)[1] > now]
    pieces = []
    for at, (number, layer) in enumerate(alive):
        above = [upper for _, upper in alive[:at]]
        pieces += [(number, piece) for piece in _cut(layer, above) if _life(piece)[1] > now]
    return pieces


def _cut(layer: rota.Rotation, above: list[rota.Rotation]) -> list[rota.Rotation]:
    start, end = _life(layer)
    edges = sorted({start, end, *(edge for upper in above for edge in _life(upper) if start < edge < end)})
    pieces: list[rota.Rotation] = []
    for since, until in pairwise(edges):
        active = [upper for upper in above if _life(upper)[0] <= since and until <= _life(upper)[1]]
        week = rota.subtract_spans(_week(layer), [span for upper in active for span in _week(upper)])
        if pieces and week == _week(pieces[-1]) and _life(pieces[-1])[1] == since:
            since = _life(pieces.pop())[0]
        if week:
            pieces.append(_piece(layer, week, since, until))
    return pieces


def _piece(layer: rota.Rotation, week: tuple[rota.Span, ...], since: int, until: int) -> rota.Rotation:
    return replace(
        layer,
        week=None if week == FULL_WEEK else week,
        since=None if since == -FOREVER else since,
        until=None if until == FOREVER else until,
    )


def _life(layer: rota.Rotation) -> rota.Span:
    return (-FOREVER if layer.since is None else layer.since, FOREVER if layer.until is None else layer.until)


def _week(layer: rota.Rotation) -> tuple[rota.Span, ...]:
    return FULL_WEEK if layer.week is None else layer.week
