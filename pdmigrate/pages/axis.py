"""The days beneath a timeline: from instants to places on the page, at every zoom, and to words.

Elapsed time is the measure, the zone's days are the marks.
"""

import unicodedata
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

from pdmigrate.oncall.words import DAYS, MONTHS

ZOOMS = {"month": 0.0, "week": 160.0, "day": 960.0}
"""So many points has a day at least; at `month` the whole drawing has the width of the page, of which we take this much:"""
_WIDTH = 940.0
SHORT = timedelta(hours=6)
STEPS = (5, 10, 15, 30, 60)
"""Minutes between two marks of a short drawing."""


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

    @property
    def is_short(self) -> bool:
        """Whether it is about minutes: then there is nothing to zoom, and its marks count from its start."""
        return self.end - self.start < SHORT

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


def format_share(share: float) -> str:
    """A part of the whole width, as SVG takes it."""
    return f"{100 * share:.4f}".rstrip("0").rstrip(".") + "%"


def join_zooms(texts: dict[str, str]) -> list[tuple[tuple[str, ...], str]]:
    """(zooms, text): what is the same at several zooms stands there once."""
    told = [text for text in dict.fromkeys(texts.values()) if text]
    return [(tuple(zoom for zoom, said in texts.items() if said == text), text) for text in told]


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
        labels = join_zooms({zoom: _name_day(day, share * scale.width(zoom)) for zoom in ZOOMS})
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
    """Hours of the day, for the zoom at which a day is wide enough for them; of a short drawing minutes since its start."""
    if scale.is_short:
        minutes = (scale.end - scale.start) // timedelta(minutes=1)
        step = next((step for step in STEPS if minutes <= 10 * step), STEPS[-1])
        marks = [(minute, scale.start + timedelta(minutes=minute)) for minute in range(step, minutes, step)]
        return [{"x": scale.share(at), "label": f"{minute} min"} for minute, at in marks]
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
