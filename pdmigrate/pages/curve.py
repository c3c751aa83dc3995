"""Counts over days, as a drawing that needs no script: a dot a day, a line between two days that follow each other, and no line over a gap."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from math import ceil
from typing import Any
from zoneinfo import ZoneInfo

from pdmigrate.pages.axis import Scale, format_share, lay_days, lay_months
from pdmigrate.pages.markup import environment

LEFT = 44
"""The room for the numbers beside the lines."""
HEAD = 40
FOOT = 24
"""The rows above and below the lines: days; what failed and where there was no run."""
LOOKS = {
    "main": ("#0b5c86", ""),
    "good": ("#11603a", "9 3"),
    "warn": ("#744600", "6 4"),
    "bad": ("#b23b00", ""),
    "soft": ("#566170", "2 4"),
}
"""Tones to their colour on a light page, and to their dashes, since colours are not told apart by all."""


@dataclass(frozen=True)
class Curve:
    """What is counted, with a number for each day, or None where nothing was. tone: one of LOOKS."""

    name: str
    tone: str
    values: tuple[int | None, ...]


@dataclass(frozen=True)
class Mark:
    """Something that happened on a day: a line across, and words. bad: something that was taken back."""

    day: date
    words: str
    bad: bool = False


def draw_curves(
    title: str,
    first: date,
    curves: Sequence[Curve],
    failed: Sequence[date],
    marks: Sequence[Mark],
    zone: str,
    height: int = 150,
) -> str:
    """The curves from the first day on. failed: days of which there is a run and no number.

    One curve alone has its name and its last number in the title, and no legend.
    """
    number = len(curves[0].values)
    days = [first + timedelta(days=n) for n in range(number)]
    scale = Scale.of(_begin(first, zone), _begin(first + timedelta(days=number), zone), zone)
    strips = lay_days(scale)
    at = {day: strip["x"] + strip["share"] / 2 for day, strip in zip(days, strips, strict=True)}
    top, step = _choose_scale(max((value or 0 for curve in curves for value in curve.values), default=0))

    def place(value: int) -> float:
        return HEAD + height * (1 - value / top)

    lines = [_lay_curve(curve, [at[day] for day in days], days, place) for curve in curves]
    empty = [day for n, day in enumerate(days) if all(curve.values[n] is None for curve in curves)]
    foot = [{"x": at[day], "failed": day in failed, "tip": _name(day)} for day in empty]
    values: dict[str, Any] = {
        "title": title if len(lines) > 1 else f"{title}: {lines[0]['last']}",
        "id": "c" + hashlib.sha256(repr((title, first, curves, marks)).encode("utf-8", "replace")).hexdigest()[:10],
        "about": _describe(curves, days, failed, empty),
        "lines": lines,
        "days": strips,
        "months": lay_months(scale),
        "grid": [{"y": place(value), "label": f"{value:,}"} for value in range(0, top + 1, step)],
        "foot": foot,
        "marks": [{"x": at[mark.day], "words": mark.words, "bad": mark.bad} for mark in marks if mark.day in at],
        "any_failed": any(one["failed"] for one in foot),
        "any_gap": any(not one["failed"] for one in foot),
        "bottom": HEAD + height,
        "height": HEAD + height + FOOT,
        "left": LEFT,
        "head": HEAD,
        "percent": format_share,
    }
    return environment().get_template("curve.html").render(values)


def _begin(day: date, zone: str) -> datetime:
    return datetime.combine(day, time(), ZoneInfo(zone)).astimezone(UTC)


def _choose_scale(most: int) -> tuple[int, int]:
    """(the highest number, the step between two lines), round and no smaller than what is drawn."""
    steps = (size * 10**power for power in range(10) for size in (1, 2, 5))
    step = next(step for step in steps if 4 * step >= most)
    return max(step, ceil(most / step) * step), step


def _lay_curve(curve: Curve, at: Sequence[float], days: Sequence[date], place: Any) -> dict[str, Any]:
    """A dot for each number; a line between two that stand side by side."""
    colour, dash = LOOKS[curve.tone]
    there = [(n, value) for n, value in enumerate(curve.values) if value is not None]
    dots = [{"x": at[n], "y": place(value), "tip": f"{_name(days[n])}: {value:,}, {curve.name}"} for n, value in there]
    parts = [
        {"x1": one["x"], "y1": one["y"], "x2": two["x"], "y2": two["y"]}
        for (n, _), (m, _), one, two in zip(there, there[1:], dots, dots[1:], strict=False)
        if m == n + 1
    ]
    last = f"{there[-1][1]:,}" if there else "not counted"
    return {
        "name": curve.name,
        "tone": curve.tone,
        "colour": colour,
        "dash": dash,
        "dots": dots,
        "parts": parts,
        "last": last,
    }


def _name(day: date) -> str:
    return f"{day:%Y-%m-%d}"


def _describe(curves: Sequence[Curve], days: Sequence[date], failed: Sequence[date], empty: Sequence[date]) -> str:
    """The drawing in words, for who cannot see it."""
    broken = sum(day in failed for day in empty)
    told = [
        f"{_name(days[0])} to {_name(days[-1])}. Days without a run: {len(empty) - broken}; of a run that failed: {broken}."
    ]
    for curve in curves:
        there = [value for value in curve.values if value is not None]
        told.append(
            f"{curve.name}: {there[0]:,} first, {there[-1]:,} last." if there else f"{curve.name}: not counted."
        )
    return " ".join(told)
