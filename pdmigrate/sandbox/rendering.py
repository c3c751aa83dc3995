"""PagerDuty's own rendering of a layer-based (v2) schedule: who is on call between two instants.

Deliberately naive: collect every instant at which anything could change, then ask for each stretch between two of them
who is on call. It judges the rendering of pdmigrate itself, so it shares neither a line nor a way of thinking with it.

The rules: overrides come first, then the first layer of the array that has somebody. Who is on call in a layer is a
function of the wall clock in the schedule's zone, inside the layer's start and end: what the clock skips does not
happen, and what it shows twice happens twice.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from itertools import pairwise
from zoneinfo import ZoneInfo

from pdmigrate.sandbox.store import Json

MONDAY = datetime(2024, 1, 1)  # any Monday: weeks are counted from it
DAY, WEEK = 86_400, 604_800
SECOND = timedelta(seconds=1)
LONGEST_REACH = timedelta(days=400)


@dataclass(frozen=True)
class Entry:
    """One stretch of one person."""

    start: datetime
    end: datetime
    user: Json


@dataclass(frozen=True)
class Override:
    """Somebody steps in for a while. A user who was deleted since does not."""

    start: datetime
    end: datetime
    user: Json

    def edges(self, zone: ZoneInfo, since: datetime, until: datetime) -> Iterator[datetime]:
        yield from (self.start, self.end)

    def user_at(self, instant: datetime, clock: datetime) -> Json | None:
        return _present(self.user) if self.start <= instant < self.end else None


@dataclass(frozen=True)
class Window:
    """A stretch of every day or every week, in seconds of the wall clock."""

    period: int
    start: int
    duration: int

    def is_open(self, clock: datetime) -> bool:
        return ((clock - MONDAY) // SECOND - self.start) % self.period < self.duration

    def edges(self, first: datetime, last: datetime) -> Iterator[datetime]:
        for offset in (self.start, self.start + self.duration):
            yield from _every(MONDAY + offset * SECOND, self.period * SECOND, first, last)


@dataclass(frozen=True)
class Layer:
    """People in turns, inside a start and an end and, where it has some, inside its windows."""

    start: datetime
    end: datetime | None
    anchor: datetime
    turn: timedelta
    users: tuple[Json, ...]
    windows: tuple[Window, ...]

    def edges(self, zone: ZoneInfo, since: datetime, until: datetime) -> Iterator[datetime]:
        yield from (edge for edge in (self.start, self.end) if edge)
        # A day more on both sides: the wall clock at an edge of the range may be an hour off.
        first, last = read_clock(since - timedelta(days=1), zone), read_clock(until + timedelta(days=1), zone)
        for clock in self._clock_edges(first, last):
            # Twice, for the hour that the clock shows twice. An instant too many does no harm.
            yield from (clock.replace(tzinfo=zone, fold=fold).astimezone(UTC) for fold in (0, 1))

    def user_at(self, instant: datetime, clock: datetime) -> Json | None:
        outside = instant < self.start or (self.end and instant >= self.end)
        if outside or not self.users or not self._is_open(clock):
            return None
        return _present(self.users[(clock - self.anchor) // self.turn % len(self.users)])

    def _is_open(self, clock: datetime) -> bool:
        return not self.windows or any(window.is_open(clock) for window in self.windows)

    def _clock_edges(self, first: datetime, last: datetime) -> Iterator[datetime]:
        if len(self.users) > 1:
            yield from _every(self.anchor, self.turn, first, last)
        for window in self.windows:
            yield from window.edges(first, last)


Source = Override | Layer


def read_layer(layer: Json, zone: ZoneInfo) -> Layer:
    """A layer as the API has it. Wall-clock times are in `zone`, the schedule's own."""
    return Layer(
        start=read_instant(layer["start"]),
        end=read_instant(layer["end"]) if layer.get("end") else None,
        anchor=read_clock(read_instant(layer["rotation_virtual_start"]), zone),
        turn=max(layer.get("rotation_turn_length_seconds") or WEEK, 1) * SECOND,
        users=tuple(place["user"] for place in layer.get("users") or []),
        windows=tuple(_read_window(restriction) for restriction in layer.get("restrictions") or []),
    )


def read_override(override: Json) -> Override:
    """An override as the API has it."""
    return Override(read_instant(override["start"]), read_instant(override["end"]), override["user"])


def read_instant(text: str) -> datetime:
    """An instant from ISO 8601; without an offset it is UTC."""
    read = datetime.fromisoformat(text)
    return read.replace(tzinfo=read.tzinfo or UTC).astimezone(UTC)


def render(sources: Sequence[Source], zone: ZoneInfo, since: datetime, until: datetime) -> list[Entry]:
    """Who is on call from `since` until `until`: at each instant the first of `sources` that has somebody.

    `sources` are overrides, then layers from the top. Entries that touch and have the same user are one.
    """
    entries: list[Entry] = []
    for start, end in pairwise(_instants(sources, zone, since, until)):
        user = _first_user(sources, start, zone)
        if user is None:
            continue
        if entries and entries[-1].end == start and entries[-1].user["id"] == user["id"]:
            start = entries.pop().start
        entries.append(Entry(start, end, user))
    return entries


def render_whole(sources: Sequence[Source], zone: ZoneInfo, since: datetime, until: datetime) -> list[Entry]:
    """The same, but entries that cross an edge are not cut there (unless they are longer than a turn and a week)."""
    turns = [source.turn for source in sources if isinstance(source, Layer)]
    reach = min(max(turns, default=SECOND) + WEEK * SECOND, LONGEST_REACH)
    wide = render(sources, zone, since - reach, until + reach)
    return [entry for entry in wide if entry.end > since and entry.start < until]


@lru_cache(maxsize=4096)
def zone_changes(zone: ZoneInfo, since: datetime, until: datetime) -> tuple[datetime, ...]:
    """The instants at which the zone's offset changes, found by looking every six hours."""
    step = timedelta(hours=6)
    since = since.replace(microsecond=0)
    probes = [since + number * step for number in range((until - since) // step + 2)]
    return tuple(
        _find_change(zone, before, after)
        for before, after in pairwise(probes)
        if _offset(zone, before) != _offset(zone, after)
    )


def _instants(sources: Sequence[Source], zone: ZoneInfo, since: datetime, until: datetime) -> list[datetime]:
    edges = {edge for source in sources for edge in source.edges(zone, since, until)}
    edges.update(zone_changes(zone, since, until))
    return sorted({since, until} | {edge for edge in edges if since < edge < until})


def _first_user(sources: Sequence[Source], instant: datetime, zone: ZoneInfo) -> Json | None:
    clock = read_clock(instant, zone)
    found = (source.user_at(instant, clock) for source in sources)
    return next((user for user in found if user is not None), None)


def _present(user: Json) -> Json | None:
    return None if user.get("deleted_at") else user


def read_clock(instant: datetime, zone: ZoneInfo) -> datetime:
    """What the wall clock of the zone shows."""
    return instant.astimezone(zone).replace(tzinfo=None, fold=0)


def _offset(zone: ZoneInfo, instant: datetime) -> timedelta | None:
    return instant.astimezone(zone).utcoffset()


def _find_change(zone: ZoneInfo, before: datetime, after: datetime) -> datetime:
    old = _offset(zone, before)
    while after - before > SECOND:
        middle = before + (after - before) // 2 // SECOND * SECOND
        before, after = (middle, after) if _offset(zone, middle) == old else (before, middle)
    return after


def _every(anchor: datetime, period: timedelta, first: datetime, last: datetime) -> Iterator[datetime]:
    moment = anchor + (first - anchor) // period * period
    while moment <= last:
        yield moment
        moment += period


def _read_window(restriction: Json) -> Window:
    hours, minutes, seconds = (int(part) for part in restriction["start_time_of_day"].split(":"))
    of_day = hours * 3600 + minutes * 60 + seconds
    if restriction["type"] == "daily_restriction":
        return Window(DAY, of_day, restriction["duration_seconds"])
    return Window(WEEK, (restriction["start_day_of_week"] - 1) * DAY + of_day, restriction["duration_seconds"])
