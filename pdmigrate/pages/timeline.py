"""Who is on call when, as a drawing that needs no script: lanes of bars over true instants, days of one time zone.

Elapsed time is the measure, the zone's days are the marks.
"""

import hashlib
import re
import textwrap
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

from pdmigrate.oncall.words import DAYS, MONTHS
from pdmigrate.pages.markup import clean, environment, isolate

LEFT = 148
"""The room for the lanes' labels, in a column of their own that stays while the bars are scrolled."""

ZOOMS = {"month": 0.0, "week": 160.0, "day": 960.0}
"""So many points has a day at least; at `month` the whole drawing has the width of the page, of which we take this much:"""
_WIDTH = 940.0

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


def give_looks(people: Iterable[str]) -> dict[str, int]:
    """A look for each id, its own as long as there are enough, and the same whoever else is there, nearly always."""
    given: dict[str, int] = {}
    for person in sorted(people):
        first = choose_look(person)
        taken = set(given.values()) if len(given) < LOOKS else set()
        places = ((first + n) % LOOKS for n in range(LOOKS))
        given[person] = next((place for place in places if place not in taken), first)
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


@dataclass(frozen=True)
class Scale:
    """Instants to places, in proportion to elapsed time: a day of 25 hours is wider."""

    start: datetime
    end: datetime
    zone: str

    @classmethod
    def of(cls, start: datetime, end: datetime, zone: str) -> "Scale":
        start, end = to_utc(start), to_utc(end)
        if end <= start:
            raise ValueError("a timeline ends after it starts.")
        return cls(start, end, zone)

    @property
    def length(self) -> float:
        """In days."""
        return (self.end - self.start) / timedelta(days=1)

    def width(self, zoom: str) -> float:
        """How many points the drawing is wide."""
        return max(_WIDTH, ZOOMS[zoom] * self.length)

    def share(self, instant: datetime) -> float:
        """Where an instant stands, from 0 to 1; what lies outside is held at the edge."""
        at = min(max(to_utc(instant), self.start), self.end)
        return (at - self.start) / (self.end - self.start)

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
        zoom = self._choose_zoom()
        spread = {"scale": self.scale, "lanes": self.lanes, "marks": self.marks, "outlines": self.outlines}
        axis = {"days": lay_days(self.scale), "months": lay_months(self.scale), "hours": lay_hours(self.scale)}
        changes = lay_changes(self.scale)
        foot = 20 if changes or self.now else 4
        frame = {"height": round(self.y + foot), "left": LEFT, "head": HEAD, "zooms": tuple(ZOOMS), "zoom": zoom}
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
        texts = _join_zooms({zoom: _fit(name, span["share"] * self.scale.width(zoom) - 7) for zoom in ZOOMS})
        named = text_width(min(_shorten_name(name), key=len), 11) <= span["share"] * _WIDTH - 7
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


def format_share(share: float) -> str:
    """A part of the whole width, as SVG takes it."""
    return f"{100 * share:.4f}".rstrip("0").rstrip(".") + "%"


def _join_zooms(texts: dict[str, str]) -> list[tuple[tuple[str, ...], str]]:
    """(zooms, text): what is the same at several zooms stands there once."""
    told = [text for text in dict.fromkeys(texts.values()) if text]
    return [(tuple(zoom for zoom, said in texts.items() if said == text), text) for text in told]


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
    edges = [*(scale.share(at) for at, _ in days), 1.0]
    for (_, day), (x, after) in zip(days, pairwise(edges), strict=True):
        share, monday = after - x, day.weekday() == 0
        labels = _join_zooms({zoom: _name_day(day, share * scale.width(zoom)) for zoom in ZOOMS})
        strips.append({"x": x, "share": share, "labels": labels, "monday": monday, "weekend": day.weekday() > 4})
    return strips


def _name_day(day: date, room: float) -> str:
    """Not every day has room for its name: then its number, then the Mondays only."""
    text = f"{DAYS[day.weekday()]} {day.day}"
    if text_width(text, 10.5) + 3 < room:
        return text
    return str(day.day) if room >= 20 or (day.weekday() == 0 and room >= 14) else ""


def lay_months(scale: Scale) -> list[dict[str, Any]]:
    """The name of a month where it starts, unless the next one would run into it."""
    firsts = [(scale.share(at), day) for n, (at, day) in enumerate(scale.days()) if n == 0 or day.day == 1]
    edges = [x for x, _ in firsts[1:]] + [1.0]
    named = [(x, f"{MONTHS[day.month - 1]} {day.year}", edge) for (x, day), edge in zip(firsts, edges, strict=True)]
    return [{"x": x, "label": label} for x, label, edge in named if (edge - x) * _WIDTH > 62]


def lay_hours(scale: Scale) -> list[dict[str, Any]]:
    """Hours of the day, for the zoom at which a day is wide enough for them."""
    clock = ZoneInfo(scale.zone)
    wall = [
        datetime(day.year, day.month, day.day, hour, tzinfo=clock) for _, day in scale.days() for hour in (6, 12, 18)
    ]
    return [{"x": scale.share(at), "label": f"{at.hour:02d}:00"} for at in wall if scale.start < at < scale.end]


def lay_changes(scale: Scale) -> list[dict[str, Any]]:
    """Where the clocks are set, each at its true instant."""
    changes = []
    for at, moved in find_clock_changes(scale.start, scale.end, scale.zone):
        x = scale.share(at)
        way = "forward" if moved > timedelta() else "back"
        anchor = "start" if x < 0.08 else "end" if x > 0.92 else "middle"
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
