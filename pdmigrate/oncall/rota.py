"""Who is on call when: sets of people over time as values, and the rotations that make them. Pure; both sides use it.

Instants are whole seconds since the epoch, in UTC. Wall-clock times are "naive seconds": what a wall clock shows in the
schedule's zone, counted as if that clock were UTC. On each stretch of constant offset the two differ by that offset, so
a rota that is a function of the wall clock is computed on the naive line and cut at the zone's changes: a window inside
a gap does not happen, one inside a fold happens twice.
"""

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property, lru_cache
from itertools import groupby, pairwise
from operator import itemgetter
from zoneinfo import ZoneInfo

DAY = 86_400
WEEK = 7 * DAY
MONDAY = 4 * DAY
"""Naive second 0 is a Thursday; the first Monday after it starts here."""

Span = tuple[int, int]
"""From (included) to (excluded)."""
People = frozenset[str]
NOBODY: People = frozenset()
Entry = tuple[int, int, People]
"""From, to (instants), who."""
Difference = tuple[int, int, People, People]
"""From, to (instants), the people of the first rota, those of the second."""
FAR = 2**62
MOST_TURNS = 200_000
"""Turns of one rotation that are drawn at a time: nobody hands over so often, and no machine should try."""


class TooManyTurnsError(ValueError):
    """A rotation hands over more often than MOST_TURNS times in the span that is drawn."""


@dataclass(frozen=True)
class Rota:
    """Who is on call over time: entries (start, end, people) in order, apart, none empty, neighbours merged."""

    entries: tuple[Entry, ...] = ()

    @cached_property
    def starts(self) -> list[int]:
        return [entry[0] for entry in self.entries]

    def people_at(self, instant: int) -> People:
        at = bisect_right(self.starts, instant) - 1
        return self.entries[at][2] if at >= 0 and instant < self.entries[at][1] else NOBODY

    def clip(self, start: int, end: int) -> "Rota":
        """Only what lies in [start, end)."""
        if not self.entries or (start <= self.entries[0][0] and self.entries[-1][1] <= end):
            return self
        return Rota(tuple((max(s, start), min(e, end), who) for s, e, who in self.entries if s < end and start < e))

    def within(self, spans: Iterable[Span]) -> "Rota":
        """Only what lies in those spans."""
        entries, found, i = self.entries, [], 0
        for start, end in merge_spans(spans):
            while i < len(entries) and entries[i][1] <= start:
                i += 1
            at = i
            while at < len(entries) and entries[at][0] < end:
                found.append((max(entries[at][0], start), min(entries[at][1], end), entries[at][2]))
                at += 1
        return Rota(tuple(found))

    def covered(self) -> tuple[Span, ...]:
        """When anybody is on call, neighbours merged."""
        return merge_spans((s, e) for s, e, _ in self.entries)

    def rename(self, names: dict[str, str]) -> "Rota":
        """The same rota under other names; who has none keeps his own."""
        return make_rota((s, e, frozenset(names.get(p, p) for p in people)) for s, e, people in self.entries)

    def expand(self, names: Mapping[str, Iterable[str]]) -> "Rota":
        """The same rota with each person under all of his names; who has none keeps his own."""
        return make_rota((s, e, {n for p in people for n in names.get(p, (p,))}) for s, e, people in self.entries)


def make_rota(entries: Iterable[tuple[int, int, Iterable[str]]]) -> Rota:
    """A Rota from entries that do not overlap, in any order."""
    return _merge(sorted([(s, e, frozenset(p)) for s, e, p in entries if s < e and p], key=itemgetter(0)))


def _merge(entries: Iterable[Entry]) -> Rota:
    """A Rota from entries in order, apart, none empty."""
    merged: list[Entry] = []
    for entry in entries:
        if merged and merged[-1][1] == entry[0] and merged[-1][2] == entry[2]:
            merged[-1] = (merged[-1][0], *entry[1:])
        else:
            merged.append(entry)
    return Rota(tuple(merged))


def join(rotas: Sequence[Rota]) -> Rota:
    """Everybody who is on call in any of them."""
    if (apart := _lay_side_by_side(rotas)) is not None:
        return apart
    return make_rota((s, e, frozenset().union(*on.values())) for s, e, on in _sweep(rotas))


def stack(rotas: Sequence[Rota]) -> Rota:
    """At each moment the people of the first rota, in this order, that has anybody then."""
    if (apart := _lay_side_by_side(rotas)) is not None:
        return apart
    return make_rota((s, e, on[min(on)]) for s, e, on in _sweep(rotas) if on)


def differences(before: Rota, after: Rota) -> tuple[Difference, ...]:
    """Where two rotas differ: (start, end, before, after), neighbours of the same difference merged."""
    found: list[Difference] = []
    if before == after:
        return ()
    for start, end, on in _sweep((before, after)):
        left, right = on.get(0, NOBODY), on.get(1, NOBODY)
        if left == right:
            continue
        if found and found[-1][1:] == (start, left, right):
            start = found.pop()[0]
        found.append((start, end, left, right))
    return tuple(found)


def exchange(base: Rota, gone: Rota, come: Rota) -> Rota:
    """`base` without the people of `gone` and with those of `come`, each at its own times."""
    swept = _sweep((base, gone, come))
    return make_rota((s, e, (on.get(0, NOBODY) - on.get(1, NOBODY)) | on.get(2, NOBODY)) for s, e, on in swept)


def _lay_side_by_side(rotas: Sequence[Rota]) -> Rota | None:
    """All entries as one rota where no two of them overlap, else None: most rotas never do, and it is much faster."""
    rotas = [rota for rota in rotas if rota.entries]
    if len(rotas) == 1:
        return rotas[0]
    entries = sorted((entry for rota in rotas for entry in rota.entries), key=itemgetter(0))
    return _merge(entries) if all(a[1] <= b[0] for a, b in pairwise(entries)) else None


def _sweep(rotas: Sequence[Rota]) -> Iterator[tuple[int, int, dict[int, People]]]:
    """Every stretch between two edges, with the people of the rotas that have somebody on it, by number.

    Its cost grows with the entries, and with how many are on at once, not with how many rotas there are.
    """
    entries = sorted((s, i, e, people) for i, rota in enumerate(rotas) for s, e, people in rota.entries)
    edges = sorted({edge for s, _, e, _ in entries for edge in (s, e)})
    on: dict[int, People] = {}
    ends: dict[int, int] = {}
    at = 0
    for start, end in pairwise(edges):
        for number in [i for i, until in ends.items() if until <= start]:
            del on[number], ends[number]
        while at < len(entries) and entries[at][0] == start:
            _, number, ends[number], on[number] = entries[at]
            at += 1
        yield start, end, on


def merge_spans(spans: Iterable[Span]) -> tuple[Span, ...]:
    """The same time as spans in order that neither touch nor overlap."""
    merged: list[Span] = []
    for span in sorted([span for span in spans if span[0] < span[1]]):
        if merged and span[0] <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(span[1], merged[-1][1]))
        else:
            merged.append(span)
    return tuple(merged)


def subtract_spans(spans: Iterable[Span], minus: Iterable[Span]) -> tuple[Span, ...]:
    """What of `spans` is not in `minus`, piece by piece."""
    left, taken, i = [], merge_spans(minus), 0
    for start, end in merge_spans(spans):
        while i < len(taken) and taken[i][1] <= start:
            i += 1
        at = i
        while start < end and at < len(taken) and taken[at][0] < end:
            if start < taken[at][0]:
                left.append((start, taken[at][0]))
            start, at = taken[at][1], at + 1
        if start < end:
            left.append((start, end))
    return tuple(left)


def intersect_spans(spans: Iterable[Span], others: Iterable[Span]) -> tuple[Span, ...]:
    """The time that lies in both."""
    left, right = merge_spans(spans), merge_spans(others)
    both, i, j = [], 0, 0
    while i < len(left) and j < len(right):
        start, end = max(left[i][0], right[j][0]), min(left[i][1], right[j][1])
        if start < end:
            both.append((start, end))
        i, j = (i + 1, j) if left[i][1] < right[j][1] else (i, j + 1)
    return tuple(both)


def total(spans: Iterable[Span]) -> int:
    """Seconds in all, for spans that do not overlap."""
    return sum(end - start for start, end in spans)


@dataclass(frozen=True)
class Roster:
    """Turns by the wall clock of a zone.

    participants: in order, None is an empty place, one may stand twice. anchor: naive seconds of the start of turn 0.
    turn: seconds. week: open spans in naive seconds since Monday 00:00, within [0, WEEK); None is always open, an empty
    tuple never. since, until: instants, None is open.
    """

    participants: tuple[str | None, ...]
    anchor: int
    turn: int
    week: tuple[Span, ...] | None = None
    since: int | None = None
    until: int | None = None

    @property
    def life(self) -> Span:
        """[since, until); an open end is FAR away."""
        return -FAR if self.since is None else self.since, FAR if self.until is None else self.until

    def render(self, zone: ZoneInfo, start: int, end: int) -> Rota:
        """Who is on call in [start, end)."""
        since, until = self.life
        start, end = max(start, since), min(end, until)
        if self.count_turns(start, end) > MOST_TURNS:
            raise TooManyTurnsError(f"a turn of {self.turn} seconds is handed over more often than can be looked at")
        return _merge(
            (s - offset, e - offset, alone)
            for begin, finish, offset in zone_stretches(zone, start, end)
            for s, e, alone in self._turns(self._open_spans(begin + offset, finish + offset))
        )

    def count_turns(self, start: int, end: int) -> int:
        """How many turns lie between two instants, about; one where it is always the same person's."""
        since, until = self.life
        life = max(0, min(end, until) - max(start, since))
        return life // self.turn if len(set(self.participants)) > 1 else min(life, 1)

    def place_at(self, naive: int) -> str | None:
        """Whose turn it is when the wall clock shows that, whatever windows, since and until say."""
        return self.participants[(naive - self.anchor) // self.turn % len(self.participants)]

    def _open_spans(self, start: int, end: int) -> Iterable[Span]:
        if self._week is None:
            return ((start, end),)
        first = start - (start - MONDAY) % WEEK
        edges = ((week + a, week + b) for week in range(first, end, WEEK) for a, b in self._week)
        return [(max(a, start), min(b, end)) for a, b in edges if a < end and start < b]

    def _turns(self, spans: Iterable[Span]) -> Iterator[Entry]:
        """The turns in naive spans that are in order and apart."""
        runs, ends = self._runs
        if not runs:
            return
        whole, number = self.turn * len(self.participants), len(runs)
        if runs[0][:2] == (0, whole):
            yield from ((start, end, runs[0][2]) for start, end in spans)
            return
        for start, end in spans:
            begun = start - (start - self.anchor) % whole
            at = bisect_right(ends, start - begun)
            while begun < end:
                if at == number:
                    begun, at = begun + whole, 0
                first, last, alone = runs[at]
                if begun + first >= end:
                    break
                yield max(start, begun + first), min(end, begun + last), alone
                if begun + last >= end:
                    break
                at += 1

    @cached_property
    def _week(self) -> tuple[Span, ...] | None:
        return None if self.week is None else merge_spans(self.week)

    @cached_property
    def _runs(self) -> tuple[list[Entry], list[int]]:
        """One round as (from, to, person), in seconds since it began, and their ends: neighbours of one person as one,
        empty places none.

        So drawing costs what is handed over, however finely a long round is cut.
        """
        runs, at = list[Entry](), 0
        for person, places in groupby(self.participants):
            begun, at = at, at + len(list(places))
            if person is not None:
                runs.append((begun * self.turn, at * self.turn, frozenset([person])))
        return runs, [last for _, last, _ in runs]


def week_spans(windows: Iterable[tuple[int, int]]) -> tuple[Span, ...] | None:
    """Windows (start in seconds since Monday 00:00, length in seconds) as the open spans of a week.

    What runs past the week's end comes back at its start. Returns None (always open) where the whole week is covered.
    """
    spans = []
    for start, length in windows:
        start, length = start % WEEK, min(length, WEEK)
        spans += [(start, min(start + length, WEEK)), (0, start + length - WEEK)]
    merged = merge_spans(spans)
    return None if merged == ((0, WEEK),) else merged


def zone_stretches(zone: ZoneInfo, start: int, end: int) -> Iterator[tuple[int, int, int]]:
    """[start, end) cut at the zone's changes: (start, end, offset in seconds)."""
    edges = [start, *(change for change in zone_changes(zone, start, end) if start < change < end), end]
    for begin, finish in pairwise(edges):
        if begin < finish:
            yield begin, finish, offset_at(zone, begin)


def zone_changes(zone: ZoneInfo, start: int, end: int) -> list[int]:
    """The instants in (start, end) at which the zone's offset changes, to the second."""
    if start >= end:
        return []
    years = range(to_datetime(start).year, to_datetime(end).year + 1)
    return [change for year in years for change in _changes_of_year(zone.key, year) if start < change < end]


@lru_cache(maxsize=20_000)
def _changes_of_year(key: str, year: int) -> tuple[int, ...]:
    zone = ZoneInfo(key)
    first, last = (int(datetime(y, 1, 1, tzinfo=UTC).timestamp()) for y in (year, year + 1))
    noons = [(noon, offset_at(zone, noon)) for noon in range(first, last + DAY, DAY)]
    changes = []
    for (before, old), (after, new) in pairwise(noons):
        if old == new:
            continue
        while after - before > 1:
            middle = (before + after) // 2
            before, after = (middle, after) if offset_at(zone, middle) == old else (before, middle)
        changes.append(after)
    return tuple(changes)


def offset_at(zone: ZoneInfo, instant: int) -> int:
    """Seconds that the zone's wall clock is ahead of UTC at that instant."""
    ahead = to_datetime(instant).astimezone(zone).utcoffset()
    return int(ahead.total_seconds()) if ahead else 0


def month_before(instant: int) -> int:
    """The first of that month, 00:00 UTC: a start that stays the same for a while, so that a rerun changes nothing."""
    return to_instant(to_datetime(instant).replace(day=1, hour=0, minute=0, second=0))


def month_after(instant: int) -> int:
    """The first of the next month, 00:00 UTC."""
    day = to_datetime(instant)
    return to_instant(datetime(day.year + day.month // 12, day.month % 12 + 1, 1, tzinfo=UTC))


def to_instant(moment: datetime) -> int:
    """An aware datetime as whole seconds since the epoch."""
    return int(moment.timestamp())


def to_datetime(instant: int) -> datetime:
    return datetime.fromtimestamp(instant, UTC)


def to_naive(moment: datetime) -> int:
    """A naive datetime (a wall-clock reading) as naive seconds."""
    return int(moment.replace(tzinfo=UTC).timestamp())


def from_naive(seconds: int) -> datetime:
    """Naive seconds as a naive datetime."""
    return datetime(1970, 1, 1) + timedelta(seconds=seconds)


def to_naive_at(instant: int, zone: ZoneInfo) -> int:
    """What the wall clock of the zone shows at that instant, in naive seconds."""
    return instant + offset_at(zone, instant)


def local_seconds(moment: datetime, zone: ZoneInfo) -> int:
    """What the wall clock of the zone shows at that moment, in naive seconds. Raises ValueError where no calendar reaches."""
    try:
        return to_naive(moment.astimezone(zone).replace(tzinfo=None, microsecond=0))
    except OverflowError:
        raise ValueError(f"{moment.isoformat()} lies beyond what a calendar holds") from None
