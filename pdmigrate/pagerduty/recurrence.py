"""What a v3 event's recurrence says: starts on the wall clock of its zone, counted from the first.

A rule of fixed period (daily, weekly, hourly and shorter ones, with days and times) is worked out by arithmetic, however
long it has been going on; the others (monthly, yearly, by month or position) by dateutil.
"""

import math
import re
from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property, lru_cache
from itertools import islice, product, takewhile
from typing import Protocol
from zoneinfo import ZoneInfo

from dateutil.rrule import rrule, rrulestr

from pdmigrate.oncall import rota
from pdmigrate.oncall.zones import read_zone

UNITS = {"WEEKLY": rota.WEEK, "DAILY": rota.DAY, "HOURLY": 3600, "MINUTELY": 60, "SECONDLY": 1}
PLAIN_PARTS = {"FREQ", "INTERVAL", "BYDAY", "BYHOUR", "BYMINUTE", "BYSECOND", "WKST", "COUNT", "UNTIL"}
TIMES = {"BYHOUR": 3600, "BYMINUTE": 60, "BYSECOND": 1}
DAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
MOST_OCCURRENCES = 60_000
"""Occurrences that are listed at a time: an event that begins more often is nothing that people do."""
MOST_CANDIDATES = 200_000
_ZONED = re.compile(r"\d{8}T\d{6}Z")


class Rule(Protocol):
    """The starts of the bare RRULE, in order, numbered from 0."""

    @property
    def total(self) -> int | None:
        """How many there are; None where it never ends."""

    def before(self, naive: int) -> int:
        """How many starts are earlier than that."""

    def at(self, number: int) -> int:
        """The start of that number."""


@dataclass(frozen=True)
class Pattern:
    """A rule of fixed period. starts: those of the first period, in naive seconds; none where it never happens."""

    starts: tuple[int, ...]
    period: int
    total: int | None = None

    def before(self, naive: int) -> int:
        if not self.starts or naive <= self.starts[0]:
            return 0
        rounds, rest = divmod(naive - self.starts[0], self.period)
        number = rounds * len(self.starts) + bisect_left(self.starts, self.starts[0] + rest)
        return number if self.total is None else min(number, self.total)

    def at(self, number: int) -> int:
        rounds, place = divmod(number, len(self.starts))
        return self.starts[place] + rounds * self.period


@dataclass(frozen=True)
class Listed:
    """A rule without a fixed period: its starts are listed as far as they are asked for."""

    line: str
    start: int

    @cached_property
    def total(self) -> int | None:
        if not split_rule(self.line).keys() & {"COUNT", "UNTIL"}:
            return None
        return len(_check_number(list(islice(make_rule(self.line, self.start), MOST_OCCURRENCES + 1))))

    def before(self, naive: int) -> int:
        return bisect_left(_list_starts(self.line, self.start, _last_year(naive)), naive)

    def at(self, number: int) -> int:
        return rota.to_naive(next(islice(make_rule(self.line, self.start), number, None)))


@dataclass(frozen=True)
class Recurrence:
    """A rule, the starts that EXDATEs leave out and that RDATEs add, and the days (naive midnights) that EXDATEs name."""

    rule: Rule
    left_out: tuple[int, ...] = ()
    added: tuple[int, ...] = ()
    days: tuple[int, ...] = ()

    def holds(self, naive: int) -> bool:
        """Whether the bare rule has a start then."""
        return self.rule.before(naive + 1) > self.rule.before(naive)

    @cached_property
    def hits(self) -> tuple[int, ...]:
        """The EXDATEs that meet a start."""
        return tuple(date for date in self.left_out if self.holds(date))

    @cached_property
    def more(self) -> tuple[int, ...]:
        """The RDATEs that add a start."""
        return tuple(date for date in self.added if date not in self.left_out and not self.holds(date))

    @cached_property
    def hits_of_days(self) -> tuple[int, ...]:
        """The starts on the days that EXDATEs name."""
        return tuple(start for day in self.days for _, start in self.list_ruled(day, day + rota.DAY))

    @property
    def last(self) -> int | None:
        """The last start of a rule that comes to an end."""
        return self.rule.at(self.rule.total - 1) if self.rule.total else None

    def list_ruled(self, since: int, until: int) -> Iterator[tuple[int, int]]:
        """(number, start) of the bare rule's starts in [since, until)."""
        first, end = self.rule.before(since), self.rule.before(until)
        if end - first > MOST_OCCURRENCES:
            raise ValueError(f"it begins more than {MOST_OCCURRENCES:,} times in the time that is looked at")
        if isinstance(self.rule, Listed):
            starts = _list_starts(self.rule.line, self.rule.start, _last_year(until))
            return zip(range(first, end), starts[first:end], strict=True)
        return ((number, self.rule.at(number)) for number in range(first, end))


@lru_cache(maxsize=4096)
def read_lines(lines: tuple[str, ...], start: int, zone: ZoneInfo) -> Recurrence:
    """The recurrence of an event that first starts at that naive second of its zone. Raises ValueError for an unusable one."""
    local = [
        _ZONED.sub(lambda found: f"{datetime.fromisoformat(found[0]).astimezone(zone):%Y%m%dT%H%M%S}", line)
        for line in lines
    ]
    rules = [line for line in local if is_rule(line)]
    if len(rules) != 1:
        raise ValueError(f"{len(rules)} RRULEs where one is expected")
    dates: dict[str, set[int]] = {"EXDATE": set(), "RDATE": set()}
    days: set[int] = set()
    for line in local:
        name = line[:6].rstrip(":;").upper()
        if name in dates:
            whole, exact = _read_dates(line, zone)
            dates[name] |= exact
            days |= whole if name == "EXDATE" else set()
    return Recurrence(
        read_rule(rules[0], start), tuple(sorted(dates["EXDATE"])), tuple(sorted(dates["RDATE"])), tuple(sorted(days))
    )


def is_rule(line: str) -> bool:
    return line.upper().startswith("RRULE") or "FREQ=" in line.upper()


@lru_cache(maxsize=4096)
def read_rule(line: str, start: int) -> Rule:
    """The rule from that naive second on. Raises ValueError for one that cannot be read, or would be looked for too long."""
    make_rule(line, start)
    parts = split_rule(line)
    starts = _list_first(parts, start)
    if starts is None:
        if parts["FREQ"] in ("HOURLY", "MINUTELY", "SECONDLY"):
            raise ValueError(f"nobody can read the rule {line!r}")
        return Listed(line, start)
    bare = Pattern(*starts)
    if not bare.starts:
        return Pattern((), bare.period, 0)
    ends = [int(parts["COUNT"])] if "COUNT" in parts else []
    ends += [bare.before(rota.to_naive(datetime.fromisoformat(parts["UNTIL"])) + 1)] if "UNTIL" in parts else []
    return Pattern(bare.starts, bare.period, min(ends, default=None))


def make_rule(line: str, start: int) -> rrule:
    """dateutil's rule from that naive second on. Raises ValueError for one that cannot be read."""
    try:
        if int(split_rule(line).get("INTERVAL", 1)) > 0:
            made = rrulestr(line, dtstart=rota.from_naive(start))
            if isinstance(made, rrule):
                return made
    except (ValueError, TypeError, KeyError, AttributeError, OverflowError):
        pass
    raise ValueError(f"nobody can read the rule {line!r}")


def split_rule(line: str) -> dict[str, str]:
    """The RRULE's parts by name."""
    return dict(part.upper().split("=", 1) for part in line.split(":", 1)[-1].split(";") if "=" in part)


def _list_first(parts: dict[str, str], start: int) -> tuple[tuple[int, ...], int] | None:
    """The starts of the first period and its length; None where the rule has no fixed period."""
    days = [day for day in parts.get("BYDAY", "").split(",") if day]
    if not parts.keys() <= PLAIN_PARTS or parts["FREQ"] not in UNITS or not set(days) <= set(DAYS):
        return None
    unit = UNITS[parts["FREQ"]]
    step = unit * int(parts.get("INTERVAL", 1))
    rounds = [rota.WEEK] if days and unit != rota.WEEK else []
    rounds += [rota.DAY] if parts.keys() & TIMES.keys() else []
    period = math.lcm(step, *rounds)
    if period // step > MOST_CANDIDATES:
        return None
    # the first unit: a week begins on the day that WKST names
    begins = rota.MONDAY + DAYS.index(parts.get("WKST", "MO")) * rota.DAY if unit == rota.WEEK else 0
    base = start - (start - begins) % unit
    wanted = {DAYS.index(day) for day in days} or ({_weekday(start)} if unit == rota.WEEK else set(range(7)))
    found = {
        second
        for grid in range(base, base + period + step, step)
        for second in _expand(parts, grid, start, unit)
        if start <= second < start + period and _weekday(second) in wanted
    }
    return tuple(sorted(found)), period


def _expand(parts: dict[str, str], grid: int, start: int, unit: int) -> Iterator[int]:
    """The starts within one unit of the rule. Times that are shorter than it are expanded, the others limit it."""
    limits = (
        (_read_numbers(parts.get(name)), grid // size % _ROUND[size]) for name, size in TIMES.items() if size >= unit
    )
    if any(given and shown not in given for given, shown in limits):
        return
    shorter = [(name, size) for name, size in TIMES.items() if size < unit]
    given = [_read_numbers(parts.get(name)) or [start // size % _ROUND[size]] for name, size in shorter]
    days = range(0, unit, rota.DAY) if unit > rota.DAY else (0,)
    for day, values in product(days, list(product(*given))):
        yield grid + day + sum(value * size for value, (_, size) in zip(values, shorter, strict=True))


_ROUND = {3600: 24, 60: 60, 1: 60}


def _read_numbers(given: str | None) -> list[int]:
    return [int(number) for number in given.split(",")] if given else []


def _weekday(naive: int) -> int:
    return (naive - rota.MONDAY) // rota.DAY % 7


def _last_year(naive: int) -> int:
    """The end of its decade, so that a rule is listed once and not for every year again."""
    return rota.from_naive(naive).year // 10 * 10 + 9


@lru_cache(maxsize=1024)
def _list_starts(line: str, start: int, year: int) -> tuple[int, ...]:
    """All starts to the end of that year."""
    within = takewhile(lambda moment: moment.year <= year, make_rule(line, start))
    return tuple(map(rota.to_naive, _check_number(list(islice(within, MOST_OCCURRENCES + 1)))))


def _check_number(found: list[datetime]) -> list[datetime]:
    if len(found) > MOST_OCCURRENCES:
        raise ValueError(f"it begins more than {MOST_OCCURRENCES:,} times")
    return found


def _read_dates(line: str, zone: ZoneInfo) -> tuple[set[int], set[int]]:
    """(whole days, starts) of an EXDATE or RDATE, on the zone's wall clock. RFC 5545: TZID is the zone of its times."""
    head, _, values = line.partition(":")
    parameters = dict(part.upper().split("=", 1) for part in head.split(";")[1:] if "=" in part)
    named = next((part.split("=", 1)[1] for part in head.split(";")[1:] if part.upper().startswith("TZID=")), "")
    own = zone
    if named:
        iana = read_zone(named.strip('"')).iana
        if iana is None:
            raise ValueError(f"nobody knows the time zone {named!r}")
        own = ZoneInfo(iana)
    whole, exact = set(), set()
    for text in (value.strip() for value in values.split(",")):
        moment = datetime.fromisoformat(text)
        if parameters.get("VALUE") == "DATE" or len(text) == len("20261224"):
            whole.add(rota.to_naive(moment))
        elif own.key == zone.key:
            exact.add(rota.to_naive(moment))
        else:
            exact.add(rota.local_seconds(moment.replace(tzinfo=own), zone))
    return whole, exact
