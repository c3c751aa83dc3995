"""Who is on call when, as a drawing that needs no script: lanes of bars over true instants, days of one time zone.

Elapsed time is the measure, the zone's days are the marks.
"""

import hashlib
import re
import textwrap
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from pdmigrate.pages.axis import (
    ZOOMS,
    Scale,
    describe_span,
    format_moment,
    format_share,
    format_span,
    join_zooms,
    lay_changes,
    lay_days,
    lay_hours,
    lay_months,
    text_width,
    to_utc,
)
from pdmigrate.pages.markup import clean, environment, isolate

LEFT = 148
"""The room for the lanes' labels, in a column of their own that stays while the bars are scrolled."""

# Okabe-Ito and five more, told apart by nearly all eyes. Vermilion is left to the differences, black to the words.
COLOURS = (
    *("#56b4e9", "#e69f00", "#009e73", "#0072b2", "#f0e442", "#cc79a7"),
    *("#bbbbbb", "#8a5f2b", "#9be0cf", "#c9b6e4", "#f2c1a0", "#7a3b69"),
)
_WHITE_ON = ("#0072b2", "#8a5f2b", "#7a3b69")
PATTERNS = ("", "stripes", "dots", "columns", "rows")
LOOKS = len(COLOURS) * len(PATTERNS)
"""Neighbours differ in colour and pattern, so that they are told apart without colour; then the first comes again."""

HEAD = 40
_LEGEND_LIMIT = 40
_LINE = 21
"""Letters of a lane's label in a line."""


def give_looks(people: Iterable[str], together: Iterable[Iterable[str]] = ()) -> dict[str, int]:
    """A look for each id, its own as long as there are enough, and the same whoever else is there, nearly always.

    together: ids that are drawn side by side, which get other colours as long as there are enough.
    """
    given: dict[str, int] = {}
    groups: dict[str, list[frozenset[str]]] = {}
    for group in map(frozenset, together):
        for person in group:
            groups.setdefault(person, []).append(group)
    for person in sorted(people):
        first = choose_look(person)
        mates = {given[mate] % len(COLOURS) for group in groups.get(person, ()) for mate in group if mate in given}
        taken = set(given.values()) if len(given) < LOOKS else set()
        free = [place for n in range(LOOKS) if (place := (first + n) % LOOKS) not in taken]
        given[person] = next((place for place in free if place % len(COLOURS) not in mates), free[0])
    return given


def choose_look(person: str) -> int:
    """The look that somebody would have alone."""
    return int.from_bytes(hashlib.sha256(person.encode("utf-8", "replace")).digest()[:4], "big") % LOOKS


@dataclass(frozen=True)
class Bar:
    """A time with a text, between two aware instants. Bars of one person have one look; without one they get the next."""

    start: datetime
    end: datetime
    text: str
    person: str = ""
    look: int | None = None

    @property
    def key(self) -> str:
        return self.person or self.text


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
    now: datetime | None = None,
) -> str:
    """The lanes from start to end as markup that zooms by month, week and day without a script.

    differences: where two results part; they are outlined and get a row. now: a line, and who is on call then.
    """
    lanes = list(lanes)
    scale = Scale.of(start, end, zone)
    now = now if now is not None and scale.start <= to_utc(now) < scale.end else None
    sheet = _Sheet(scale, _give_looks(lanes, scale), now, any(lane.emphasis for lane in lanes))
    for lane in lanes:
        sheet.add_lane(lane)
    sheet.add_differences(differences)
    words = {"title": isolate(title), "about": _describe_lanes(lanes, scale, len(sheet.marks))}
    return environment().get_template("timeline.html").render(**words, **sheet.finish(title, lanes))


@dataclass(frozen=True)
class _Look:
    """How the bars of a person look: a colour, a pattern, and the ink on it."""

    name: str
    colour: str
    pattern: str

    @property
    def ink(self) -> str:
        return "#ffffff" if self.colour in _WHITE_ON else "#10151c"

    @property
    def grain(self) -> str:
        """The pattern's id: it is drawn against the ink, so that the words stay readable on it."""
        return f"{self.pattern}-{'dark' if self.ink == '#ffffff' else 'light'}" if self.pattern else ""


@dataclass
class _Sheet:
    """The drawing while it grows downwards. has_results: whether any lane is one; else all of them are."""

    scale: Scale
    looks: dict[str, _Look]
    now: datetime | None
    has_results: bool
    y: float = HEAD
    lanes: list[dict[str, Any]] = field(default_factory=list)
    marks: list[dict[str, Any]] = field(default_factory=list)
    outlines: list[dict[str, Any]] = field(default_factory=list)

    def add_lane(self, lane: Lane) -> None:
        """Bars that are on at one time stand below each other."""
        tall = 28 if lane.emphasis else 22
        rows = _stack([bar for bar in lane.bars if self.scale.shows(bar.start, bar.end)])
        on_call = self._find_on_call(lane)
        lines = [*((line, "") for line in _wrap(lane.label)), *((line, "now") for line in on_call)]
        height = max((max((row for _, row in rows), default=0) + 1) * (tall + 2) + 6, 13 * len(lines) + 8)
        bars = [self._place(bar, self.y + 4 + row * (tall + 2), tall) for bar, row in rows]
        drawn = {"y": self.y, "height": height, "bars": bars, "emphasis": lane.emphasis}
        self.lanes.append(drawn | {"lines": lines, "full": isolate(lane.label)})
        self.y += height + (8 if lane.emphasis else 2)

    def _find_on_call(self, lane: Lane) -> list[str]:
        """Who is on call now, where the lane says who is."""
        if self.now is None or (self.has_results and not lane.emphasis):
            return []
        there = [bar.text for bar in lane.bars if to_utc(bar.start) <= to_utc(self.now) < to_utc(bar.end)]
        return _wrap(f"now: {', '.join(dict.fromkeys(there)) or 'nobody'}")

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
        legend = list(self.looks.values())[:_LEGEND_LIMIT]
        zooms = ("day",) if self.scale.is_short else tuple(ZOOMS)
        zoom = "day" if self.scale.is_short else self._choose_zoom()
        spread = {"scale": self.scale, "lanes": self.lanes, "marks": self.marks, "outlines": self.outlines}
        axis = {"days": lay_days(self.scale), "months": lay_months(self.scale), "hours": lay_hours(self.scale)}
        changes = lay_changes(self.scale)
        foot = 20 if changes or self.now else 4
        frame = {"height": round(self.y + foot), "left": LEFT, "head": HEAD, "zooms": zooms, "zoom": zoom}
        grains = sorted({look.grain for look in self.looks.values()} - {""})
        seed = repr((title, lanes, self.scale, self.marks)).encode("utf-8", "replace")
        own = {"id": "t" + hashlib.sha256(seed).hexdigest()[:10], "grains": grains, "bottom": self.y}
        own |= {"more": len(self.looks) - len(legend), "span": self._describe_times(), "percent": format_share}
        now = {"now": None if self.now is None else self.scale.share(self.now)}
        return spread | axis | frame | own | now | {"legend": legend, "changes": changes}

    def _describe_times(self) -> str:
        told = describe_span(self.scale)
        return told + (f" The line is now: {format_moment(self.now, ZoneInfo(self.scale.zone))}." if self.now else "")

    def _choose_zoom(self) -> str:
        """The whole at once where every bar has room for a name, else a week."""
        bars = [bar for lane in self.lanes for bar in lane["bars"]]
        return "month" if all(bar["named"] for bar in bars) else "week"

    def _place(self, bar: Bar, y: float, height: float) -> dict[str, Any]:
        span, look = self._span(bar.start, bar.end), self.looks[bar.key]
        name = clean(bar.text)
        texts = join_zooms({zoom: _fit(name, span["share"] * self.scale.width(zoom) - 7) for zoom in ZOOMS})
        named = text_width(min(_shorten_name(name), key=len), 11) <= span["share"] * self.scale.width("month") - 7
        tip = f"{isolate(bar.text)}\n{format_span(bar.start, bar.end, ZoneInfo(self.scale.zone))}"
        return span | {"y": y, "height": height, "look": look, "texts": texts, "tip": tip, "named": named}

    def _span(self, start: datetime, end: datetime) -> dict[str, Any]:
        x = self.scale.share(start)
        share = self.scale.share(end) - x
        # The shortest one must still be seen.
        return {
            "x": x,
            "share": share,
            "tip": format_span(start, end, ZoneInfo(self.scale.zone)),
            "thin": share < 0.003,
        }


def _bar_order(bar: Bar) -> tuple[datetime, datetime, str]:
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
        number = len(looks) if bar.look is None else bar.look
        look = _Look(clean(bar.text), COLOURS[number % len(COLOURS)], PATTERNS[number % len(PATTERNS)])
        looks.setdefault(bar.key, look)
    return looks


def _describe_lanes(lanes: Sequence[Lane], scale: Scale, differences: int) -> str:
    told = [f"{describe_span(scale)} Lanes: {len(lanes)}. Differences marked: {differences}."]
    for lane in lanes:
        shown = [bar for bar in sorted(lane.bars, key=_bar_order) if scale.shows(bar.start, bar.end)]
        names = list(dict.fromkeys(isolate(bar.text) for bar in shown))
        rest = f" and {len(names) - 8} more" if len(names) > 8 else ""
        told.append(f"{isolate(lane.label)}: {', '.join(names[:8]) or 'nobody'}{rest}.")
    return " ".join(told)


def _fit(text: str, room: float) -> str:
    """The name, or as much of it as fits into the bar: the first name, the initials, nothing."""
    letters = [word[0] for word in re.split(r"[\s,;/&+-]+", text) if word and word[0].isalnum()]
    initials = "".join(letters[:4]).upper()
    return next(
        (words for words in (*_shorten_name(text), initials, initials[:2]) if text_width(words, 11) <= room), ""
    )


def _shorten_name(name: str) -> list[str]:
    """The name, the first name with the last one's letter, the first name."""
    words = name.split()
    if len(words) < 2 or not words[-1][0].isalpha():
        return [name, *words[:1]]
    return [name, f"{words[0]} {words[-1][0]}.", words[0]]


def _wrap(label: str) -> list[str]:
    """One line or two; where that is not enough the middle is left out, since names that are alike differ at their end."""
    text = clean(label)
    lines = textwrap.wrap(text, _LINE)
    if len(lines) < 3:
        return lines
    first = lines[0]
    rest = text[len(first) :].lstrip()
    return [first, "…" + rest[1 - _LINE :].lstrip()]
