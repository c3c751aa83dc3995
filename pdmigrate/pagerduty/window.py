"""The windows of time that PagerDuty is asked for, and what was answered to several of them put together.

All in whole seconds: PagerDuty answers with nothing to fractions of one.
"""

import logging
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

from pdmigrate.errors import AnswerError
from pdmigrate.pagerduty.records import is_rendered
from pdmigrate.wire.canonical import canonical_json

log = logging.getLogger("pdmigrate")

OVERRIDES_AHEAD = timedelta(days=400)
"""Swaps are made months ahead."""
SHORTEST = timedelta(days=14)
"""Windows are halved down to this. PagerDuty's oldest documentation names three months as the longest."""
REFUSED = 400

Answer = TypeVar("Answer")


@dataclass(frozen=True)
class FetchWindow:
    """A stretch of time, [since, until)."""

    since: datetime
    until: datetime

    @property
    def params(self) -> dict[str, str]:
        return {"since": f"{self.since:%Y-%m-%dT%H:%M:%SZ}", "until": f"{self.until:%Y-%m-%dT%H:%M:%SZ}"}

    @property
    def length(self) -> timedelta:
        return self.until - self.since

    def cut(self, longest: timedelta | None) -> list["FetchWindow"]:
        """The window in equal parts of `longest` at most, one after the other; None leaves it whole."""
        number = math.ceil(self.length / longest) if longest else 1
        edges = [self.since + timedelta(seconds=self.length.total_seconds() * n // number) for n in range(number)]
        return [FetchWindow(*edge) for edge in zip(edges, [*edges[1:], self.until], strict=True)]


class LongWindow:
    """Asks for a window in one request. Where PagerDuty refuses (400) it asks for shorter parts, and remembers the length."""

    def __init__(self) -> None:
        self._longest: timedelta | None = None

    def ask(self, window: FetchWindow, ask: Callable[[FetchWindow], Answer]) -> list[tuple[FetchWindow, Answer]]:
        """What was answered to each part of the window, in order. Raises AnswerError where even short ones are refused."""
        while True:
            parts = window.cut(self._longest)
            try:
                return [(part, ask(part)) for part in parts]
            except AnswerError as error:
                if error.status != REFUSED or parts[0].length < 2 * SHORTEST:
                    raise
                self._longest = min(self._longest or window.length, math.ceil(parts[0].length / DAY / 2) * DAY)
                log.warning(
                    "PagerDuty refuses %d days at once; asking again for %d days at a time (%s)",
                    parts[0].length.days,
                    self._longest.days,
                    error,
                )


DAY = timedelta(days=1)


def whole_seconds(moment: datetime) -> datetime:
    """PagerDuty answers with nothing where since and until have fractions of a second."""
    return moment.astimezone(UTC).replace(microsecond=0)


def override_window(since: datetime) -> FetchWindow:
    """From the start of last month on: a fixed day, so that a running override looks the same tomorrow."""
    start = (since.replace(day=1, hour=0, minute=0, second=0) - timedelta(days=1)).replace(day=1)
    return FetchWindow(start, start + OVERRIDES_AHEAD + timedelta(days=62))


Parts = Sequence[tuple[FetchWindow, Any]]


def join_rendered(
    parts: Parts, entries: str = "rendered_schedule_entries", edges: tuple[str, str] = ("start", "end")
) -> Any:
    """One rendering out of those of several windows; None where one of them was not rendered.

    entries: where it has what it shows. edges: what an entry calls its start and its end.
    """
    if not all(is_rendered(part, entries) for _, part in parts):
        return None
    seconds = [window.length.total_seconds() for window, _ in parts]
    covered = [(part.get("rendered_coverage_percentage") or 0) * s for (_, part), s in zip(parts, seconds, strict=True)]
    shown = join_entries([(window, part[entries]) for window, part in parts], edges)
    return {**parts[0][1], entries: shown, "rendered_coverage_percentage": round(sum(covered) / sum(seconds), 2)}


def join_entries(parts: Parts, edges: tuple[str, str] = ("start", "end")) -> list[dict[str, Any]]:
    """The entries of all windows in order; an entry that was cut where two windows meet is joined."""
    start, end = edges
    joined: list[dict[str, Any]] = []
    open_ends: dict[str, int] = {}
    for window, entries in parts:
        meeting, open_ends = open_ends, {}
        for entry in entries:
            what = canonical_json({k: v for k, v in entry.items() if k not in ("id", *edges)})
            before = meeting.get(what) if _is_at(entry[start], window.since) else None
            if before is not None:
                joined[before] = {**joined[before], end: entry[end]}
            elif entry not in joined:
                joined.append(entry)
            if _is_at(entry[end], window.until):
                open_ends[what] = before if before is not None else joined.index(entry)
    return joined


def _is_at(text: str, moment: datetime) -> bool:
    try:
        return datetime.fromisoformat(text) == moment
    except (TypeError, ValueError):
        return False
