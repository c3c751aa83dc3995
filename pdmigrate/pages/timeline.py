"""Who is on call when, as a drawing that needs no script: lanes of bars over true instants, days of one time zone.

Elapsed time is the measure, the zone's days are the marks.
"""

import hashlib
import re
import textwrap
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

from pdmigrate.pages.markup import clean, environment, isolate

DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")

LEFT = 180
"""The room for the lanes' labels, left of the first instant."""

_NARROWEST, _DAY_AT_LEAST = 960.0, 16

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


@dataclass(frozen=True)
class Scale:
    """Instants to places, in proportion to elapsed time: a day of 25 hours is wider."""

    start: datetime
    end: datetime
    zone: str
    width: float

    @classmethod
    def of(cls, start: datetime, end: datetime, zone: str) -> "Scale":
        start, end = to_utc(start), to_utc(end)
        if end <= start:
            raise ValueError("a timeline ends after it starts.")
        return cls(start, end, zone, max(_NARROWEST, _DAY_AT_LEAST * ((end - start) / timedelta(days=1))))

    @property
    def is_wide(self) -> bool:
        """Too long to be shrunk to a page's width."""
        return self.width > _NARROWEST

    @property
    def day_width(self) -> float:
        return self.width * (timedelta(days=1) / (self.end - self.start))

    def x(self, instant: datetime) -> float:
        """Where an instant stands; what lies outside is held at the edge."""
        at = min(max(to_utc(instant), self.start), self.end)
        return round(LEFT + self.width * ((at - self.start) / (self.end - self.start)), 2)

    def shows(self, start: datetime, end: datetime) -> bool:
        """Whether any of it is within the drawing."""
        return max(to_utc(start), self.start) < min(to_utc(end), self.end)

    def days(self) -> list[tuple[datetime, date]]:
        """The start of each local day. Where midnight does not exist, a day starts when the clocks are set."""
        clock = ZoneInfo(self.zone)
        first, last = self.start.astimezone(clock).date(), self.end.astimezone(clock).date()
        dates = [first + timedelta(days=n) for n in range((last - first).days + 1)]
        starts = [(datetime(day.year, day.month, day.day, tzinfo=clock).astimezone(UTC), day) for day in dates]
        return [(max(at, self.start), day) for at, day in starts if at < self.end]


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
    words = {"title": isolate(title), "about": _describe_lanes(lanes, scale, len(sheet.marks))}
    return environment().get_template("timeline.svg").render(**words, **sheet.finish(title, lanes))


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
        tall = 28 if lane.emphasis else 22
        rows = _stack([bar for bar in lane.bars if self.scale.shows(bar.start, bar.end)])
        bars = [self._place(bar, self.y + 4 + row * (tall + 2), tall) for bar, row in rows]
        height = (max((row for _, row in rows), default=0) + 1) * (tall + 2) + 6
        drawn = {"y": self.y, "height": height, "bars": bars, "emphasis": lane.emphasis}
        self.lanes.append(drawn | {"lines": _wrap(lane.label), "full": isolate(lane.label)})
        self.y += height + (8 if lane.emphasis else 2)

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
        own |= {"more": len(self.looks) - len(legend), "span": describe_span(self.scale)}
        return spread | axis | frame | own | {"legend": legend, "changes": lay_changes(self.scale)}

    def _place(self, bar: Bar, y: float, height: float) -> dict[str, Any]:
        span, look = self._span(bar.start, bar.end), self.looks[bar.key]
        text = _fit(clean(bar.text), span["width"] - 6)
        tip = f"{isolate(bar.text)}\n{format_span(bar.start, bar.end, ZoneInfo(self.scale.zone))}"
        return span | {"y": y, "height": height, "look": look, "text": text, "tip": tip}

    def _span(self, start: datetime, end: datetime) -> dict[str, Any]:
        # The shortest one must still be seen.
        x, width = self.scale.x(start), self.scale.x(end) - self.scale.x(start)
        tip = format_span(start, end, ZoneInfo(self.scale.zone))
        return {"x": x, "width": max(round(width, 2), 1.5), "tip": tip}


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


def _describe_lanes(lanes: Sequence[Lane], scale: Scale, differences: int) -> str:
    told = [f"{describe_span(scale)} Lanes: {len(lanes)}. Differences marked: {differences}."]
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


# --- from instants to places, and to words ---


def to_utc(instant: datetime) -> datetime:
    """The instant in UTC, where alone instants are compared: times of one zone compare by the wall clock."""
    if instant.utcoffset() is None:
        raise ValueError(f"{instant.isoformat()} has no offset: a timeline is made of instants.")
    return instant.astimezone(UTC)


def find_clock_changes(start: datetime, end: datetime, zone: str) -> list[tuple[datetime, timedelta]]:
    """The instants at which the zone's clocks are set, to the second, and by how much."""
    clock, hour, changes = ZoneInfo(zone), timedelta(hours=1), []
    at, last = to_utc(start), to_utc(end)
    while at < last:
        following = min(at + hour, last)
        moved = _offset(following, clock) - _offset(at, clock)
        changes += [(_bisect_change(at, following, clock), moved)] if moved else []
        at = following
    return changes


def lay_days(scale: Scale) -> list[dict[str, Any]]:
    """A strip per day, which ends where the next one starts, be it 23 or 25 hours later."""
    days, strips = scale.days(), []
    edges = [*(scale.x(at) for at, _ in days), LEFT + scale.width]
    for (_, day), (x, after) in zip(days, pairwise(edges), strict=True):
        # Not every day has room for its name: then its number, then the Mondays only.
        width, monday = round(after - x, 2), day.weekday() == 0
        text = f"{DAYS[day.weekday()]} {day.day}" if scale.day_width >= 42 else str(day.day)
        fits = width > text_width(text, 10.5) + 3 and (monday or scale.day_width >= 20)
        strip = {"x": x, "width": width, "label": text if fits else "", "monday": monday}
        strips.append(strip | {"weekend": day.weekday() > 4})
    return strips


def lay_months(scale: Scale) -> list[dict[str, Any]]:
    """The name of a month where it starts, unless the next one would run into it."""
    firsts = [(scale.x(at), day) for n, (at, day) in enumerate(scale.days()) if n == 0 or day.day == 1]
    edges = [x for x, _ in firsts[1:]] + [LEFT + scale.width]
    named = [(x, f"{MONTHS[day.month - 1]} {day.year}", edge) for (x, day), edge in zip(firsts, edges, strict=True)]
    return [{"x": x, "label": label} for x, label, edge in named if edge - x > 62]


def lay_hours(scale: Scale) -> list[dict[str, Any]]:
    """Hours of the day, where a day is wide enough for them."""
    if scale.day_width < 180:
        return []
    clock = ZoneInfo(scale.zone)
    wall = [
        datetime(day.year, day.month, day.day, hour, tzinfo=clock) for _, day in scale.days() for hour in (6, 12, 18)
    ]
    return [{"x": scale.x(at), "label": f"{at.hour:02d}:00"} for at in wall if scale.start < at < scale.end]


def lay_changes(scale: Scale) -> list[dict[str, Any]]:
    """Where the clocks are set, each at its true instant."""
    changes = []
    for at, moved in find_clock_changes(scale.start, scale.end, scale.zone):
        x = scale.x(at)
        way = "forward" if moved > timedelta() else "back"
        anchor = "start" if x < LEFT + 60 else "end" if x > LEFT + scale.width - 60 else "middle"
        changes.append({"x": x, "label": f"clocks {way} {format_length(abs(moved))}", "anchor": anchor})
    return changes


def describe_span(scale: Scale) -> str:
    """From when to when, and whose times these are."""
    clock = ZoneInfo(scale.zone)
    return f"{format_moment(scale.start, clock)} to {format_moment(scale.end, clock)}, times in {scale.zone}."


def format_moment(instant: datetime, clock: ZoneInfo) -> str:
    """An instant in the zone's words, with its offset, since an hour may come twice."""
    local = instant.astimezone(clock)
    seconds = f":{local.second:02d}" if local.second else ""
    day = f"{DAYS[local.weekday()]} {local.day} {MONTHS[local.month - 1]} {local.year}"
    return f"{day} {local.hour:02d}:{local.minute:02d}{seconds} {local.strftime('%z')[:3]}:{local.strftime('%z')[3:5]}"


def format_span(start: datetime, end: datetime, clock: ZoneInfo) -> str:
    """From when to when, and how long it is by the watch."""
    length = to_utc(end) - to_utc(start)
    return f"{format_moment(start, clock)} to {format_moment(end, clock)} ({format_length(length)})"


def format_length(length: timedelta) -> str:
    """A length in days, hours, minutes and seconds, those that there are."""
    seconds = round(length.total_seconds())
    parts = ((seconds // 86400, "d"), (seconds // 3600 % 24, "h"), (seconds // 60 % 60, "min"), (seconds % 60, "s"))
    return " ".join(f"{count} {unit}" for count, unit in parts if count) or "0 s"


def _offset(instant: datetime, clock: ZoneInfo) -> timedelta:
    return instant.astimezone(clock).utcoffset() or timedelta()


def _bisect_change(before: datetime, after: datetime, clock: ZoneInfo) -> datetime:
    old = _offset(before, clock)
    while after - before > timedelta(seconds=1):
        middle = before + timedelta(seconds=(after - before) // timedelta(seconds=2))
        before, after = (middle, after) if _offset(middle, clock) == old else (before, middle)
    return after


def text_width(text: str, size: float) -> float:
    """About how wide a text is; Chinese letters and emoji are twice as wide as others."""
    wide = sum(unicodedata.east_asian_width(letter) in "WF" for letter in text)
    return size * (0.58 * (len(text) - wide) + 1.1 * wide)
