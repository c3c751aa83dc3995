"""The windows of time that PagerDuty is asked for. All in whole seconds: it answers with nothing to fractions of one."""

import logging
import math
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TypeVar

from pdmigrate.errors import AnswerError

log = logging.getLogger("pdmigrate")

OVERRIDES_AHEAD = timedelta(days=400)
"""Swaps are made months ahead."""
SHORTEST = timedelta(days=14)
"""Windows are halved down to this. PagerDuty's oldest documentation names three months as the longest."""
REFUSED = 400

Answer = TypeVar("Answer")


@dataclass(frozen=True)
class Window:
    """From since until until."""

    since: datetime
    until: datetime

    @property
    def params(self) -> dict[str, str]:
        return {"since": _format(self.since), "until": _format(self.until)}

    @property
    def length(self) -> timedelta:
        return self.until - self.since

    def cut(self, longest: timedelta | None) -> list["Window"]:
        """The window in equal parts of `longest` at most, one after the other; None leaves it whole."""
        number = math.ceil(self.length / longest) if longest else 1
        edges = [self.since + timedelta(seconds=self.length.total_seconds() * n // number) for n in range(number)]
        return [Window(*edge) for edge in zip(edges, [*edges[1:], self.until], strict=True)]


class LongWindow:
    """Asks for a long window at once, and for its parts where PagerDuty refuses that. Remembers what it takes."""

    def __init__(self) -> None:
        self._longest: timedelta | None = None

    def ask(self, window: Window, ask: Callable[[Window], Answer]) -> list[tuple[Window, Answer]]:
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


def override_window(since: datetime) -> Window:
    """From the start of last month on: a fixed day, so that a running override looks the same tomorrow."""
    start = (since.replace(day=1, hour=0, minute=0, second=0) - timedelta(days=1)).replace(day=1)
    return Window(start, start + OVERRIDES_AHEAD + timedelta(days=62))


def _format(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")
