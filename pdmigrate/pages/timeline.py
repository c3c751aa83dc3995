"""Who is on call when, as a drawing that needs no script: lanes of bars over true instants, days of one time zone."""

import hashlib
import re
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from pdmigrate.pages.markup import clean, environment, isolate
from pdmigrate.pages.timescale import (
    LEFT,
    Scale,
    find_clock_changes,
    lay_changes,
    lay_days,
    lay_hours,
    lay_months,
    say,
    say_span,
    tell_span,
    text_width,
    to_utc,
)

__all__ = ["Bar", "Lane", "draw_timeline", "find_clock_changes", "list_bars"]

# Okabe-Ito, told apart by nearly all eyes. Vermilion is left to the differences, black to the words.
COLOURS = ("#56b4e9", "#e69f00", "#009e73", "#0072b2", "#f0e442", "#cc79a7", "#bbbbbb")
PATTERNS = ("", "stripes", "dots", "columns")
"""Neighbours differ in both, so that they are told apart without colour; 28 looks come before the first comes again."""
_WHITE_ON = "#0072b2"

RIGHT, HEAD = 12, 62
_LEGEND_LIMIT = 28
_LINE = 26
"""Letters of a lane's label in a line."""


@dataclass(frozen=True)
class Bar:
    """A time with a text, between two aware instants. Bars with the same people have the same colour."""

    start: datetime
    end: datetime
    text: str
    people: str = ""

    @property
    def key(self) -> str:
        return self.people or self.text


@dataclass(frozen=True)
class Lane:
    """A row of bars. Emphasis: a result, as opposed to a layer that goes into it."""

    label: str
    bars: tuple[Bar, ...]
    emphasis: bool = False


def draw_timeline(
    lanes: Sequence[Lane],
    start: datetime,
    end: datetime,
    zone: str,
    title: str,
    differences: Sequence[tuple[datetime, datetime]] = (),
) -> str:
    """The lanes from start to end as inline SVG. Differences: where two results part; they are outlined and get a row."""
    lanes = list(lanes)
    scale = Scale.of(start, end, zone)
    sheet = _Sheet(scale, _give_looks(lanes, scale))
    for lane in lanes:
        sheet.add_lane(lane)
    sheet.add_differences(differences)
    words = {"title": isolate(title), "about": _tell_lanes(lanes, scale, len(sheet.marks))}
    return environment().get_template("timeline.svg").render(**words, **sheet.finish(title, lanes))


def list_bars(lanes: Sequence[Lane], zone: str) -> list[dict[str, str]]:
    """The bars of a drawing as rows for a table: what it says to those who cannot see it."""
    clock = ZoneInfo(zone)
    return [
        {"Lane": lane.label, "From": say(bar.start, clock), "To": say(bar.end, clock), "Who": bar.text}
        for lane in lanes
        for bar in sorted(lane.bars, key=_bar_order)
    ]


@dataclass(frozen=True)
class _Look:
    """How the bars of one set of people look: a colour, a pattern, and the ink on it."""

    name: str
    colour: str
    pattern: str

    @property
    def ink(self) -> str:
        return "#ffffff" if self.colour == _WHITE_ON else "#10151c"

    @property
    def grain(self) -> str:
        """The pattern's id: it is drawn against the ink, so that the words stay readable on it."""
        return f"{self.pattern}-{'dark' if self.ink == '#ffffff' else 'light'}" if self.pattern else ""


@dataclass
class _Sheet:
    """The drawing while it grows downwards."""

    scale: Scale
    looks: dict[str, _Look]
    y: float = HEAD
    lanes: list[dict[str, Any]] = field(default_factory=list)
    marks: list[dict[str, Any]] = field(default_factory=list)
    outlines: list[dict[str, Any]] = field(default_factory=list)

    def add_lane(self, lane: Lane) -> None:
        """Bars that are on at one time stand below each other."""
        height = 28 if lane.emphasis else 22
        shown = [bar for bar in lane.bars if self.scale.shows(bar.start, bar.end)]
        rows = _stack(shown)
        bars = [self._place(bar, self.y + 4 + row * (height + 2), height) for bar, row in rows]
        count = max((row for _, row in rows), default=0) + 1
        drawn = {"y": self.y, "height": count * (height + 2) + 6, "bars": bars, "emphasis": lane.emphasis}
        self.lanes.append(drawn | {"lines": _wrap(lane.label), "full": isolate(lane.label)})
        self.y += drawn["height"] + (8 if lane.emphasis else 2)

    def add_differences(self, differences: Sequence[tuple[datetime, datetime]]) -> None:
        """Outline the spans in the results (in all lanes where none is a result) and mark them in a row of their own."""
        spans = sorted((to_utc(start), to_utc(end)) for start, end in differences if self.scale.shows(start, end))
        results = [lane for lane in self.lanes if lane["emphasis"]] or self.lanes
        self.marks = [self._span(*span) | {"y": self.y + 3} for span in spans]
        self.outlines = [
            mark | {"y": lane["y"] + 1.5, "height": lane["height"] - 3} for mark in self.marks for lane in results
        ]
        self.y += 24 if spans else 0

    def finish(self, title: str, lanes: Sequence[Lane]) -> dict[str, Any]:
        """Everything that the template needs."""
        legend, foot = _lay_legend(self.looks, self.scale.width, self.y + 50)
        spread = {"scale": self.scale, "lanes": self.lanes, "marks": self.marks, "outlines": self.outlines}
        axis = {"days": lay_days(self.scale), "months": lay_months(self.scale), "hours": lay_hours(self.scale)}
        frame = {"width": round(LEFT + self.scale.width + RIGHT), "height": round(foot), "left": LEFT, "head": HEAD}
        grains = sorted({look.grain for look in self.looks.values()} - {""})
        seed = repr((title, lanes, self.scale, self.marks)).encode("utf-8", "replace")
        own = {"id": "t" + hashlib.sha256(seed).hexdigest()[:10], "grains": grains, "bottom": self.y}
        own |= {"more": len(self.looks) - len(legend), "span": tell_span(self.scale)}
        return spread | axis | frame | own | {"legend": legend, "changes": lay_changes(self.scale)}

    def _place(self, bar: Bar, y: float, height: float) -> dict[str, Any]:
        span, look = self._span(bar.start, bar.end), self.looks[bar.key]
        text = _fit(clean(bar.text), span["width"] - 6)
        tip = f"{isolate(bar.text)}\n{say_span(bar.start, bar.end, ZoneInfo(self.scale.zone))}"
        return span | {"y": y, "height": height, "look": look, "text": text, "tip": tip}

    def _span(self, start: datetime, end: datetime) -> dict[str, Any]:
        # The shortest one must still be seen.
        x, width = self.scale.x(start), self.scale.x(end) - self.scale.x(start)
        tip = say_span(start, end, ZoneInfo(self.scale.zone))
        return {"x": x, "width": max(round(width, 2), 1.5), "tip": tip}


def _bar_order(bar: Bar) -> tuple:
    return to_utc(bar.start), to_utc(bar.end), bar.text


def _stack(bars: Sequence[Bar]) -> list[tuple[Bar, int]]:
    ends: list[datetime] = []
    stacked = []
    for bar in sorted(bars, key=_bar_order):
        start, end = to_utc(bar.start), to_utc(bar.end)
        row = next((n for n, taken in enumerate(ends) if taken <= start), len(ends))
        ends[row : row + 1] = [end]
        stacked.append((bar, row))
    return stacked


def _give_looks(lanes: Sequence[Lane], scale: Scale) -> dict[str, _Look]:
    looks: dict[str, _Look] = {}
    ordered = [bar for lane in lanes for bar in sorted(lane.bars, key=_bar_order)]
    for bar in (bar for bar in ordered if scale.shows(bar.start, bar.end)):
        number = len(looks)
        look = _Look(clean(bar.text), COLOURS[number % len(COLOURS)], PATTERNS[number % len(PATTERNS)])
        looks.setdefault(bar.key, look)
    return looks


def _lay_legend(looks: dict[str, _Look], width: float, y: float) -> tuple[list[dict[str, Any]], float]:
    places, x = [], float(LEFT)
    for look in list(looks.values())[:_LEGEND_LIMIT]:
        label = _shorten(look.name, 64)
        room = 22 + text_width(label, 11) + 14
        if x > LEFT and x + room > LEFT + width:
            x, y = float(LEFT), y + 20
        places.append({"x": round(x, 2), "y": y, "look": look, "label": label})
        x += room
    return places, y + (26 if len(looks) > _LEGEND_LIMIT else 8) if places else y - 14


def _tell_lanes(lanes: Sequence[Lane], scale: Scale, differences: int) -> str:
    told = [f"{tell_span(scale)} Lanes: {len(lanes)}. Differences marked: {differences}."]
    for lane in lanes:
        shown = [bar for bar in sorted(lane.bars, key=_bar_order) if scale.shows(bar.start, bar.end)]
        names = list(dict.fromkeys(isolate(bar.text) for bar in shown))
        rest = f" and {len(names) - 8} more" if len(names) > 8 else ""
        told.append(f"{isolate(lane.label)}: {', '.join(names[:8]) or 'nobody'}{rest}.")
    return " ".join(told)


def _fit(text: str, room: float) -> str:
    """The text, or its initials, or nothing: what fits into the bar."""
    letters = [word[0] for word in re.split(r"[\s,;/&+-]+", text) if word and word[0].isalnum()]
    for words in (text, "".join(letters[:4]).upper(), "".join(letters[:2]).upper()):
        if words and text_width(words, 11) <= room:
            return words
    return ""


def _wrap(label: str) -> list[str]:
    """One line or two; where that is not enough the middle is left out, since names that are alike differ at their end."""
    text = clean(label)
    lines = textwrap.wrap(text, _LINE)
    if len(lines) < 3:
        return lines
    first = lines[0]
    rest = text[len(first) :].lstrip()
    return [first, "…" + rest[1 - _LINE :].lstrip()]


def _shorten(text: str, length: int) -> str:
    text = clean(text)
    return text if len(text) <= length else text[: length - 1].rstrip() + "…"
