"""The pace of requests: how many the side's limit leaves, as its own headers tell it. One for all threads; sends nothing."""

import threading
import time
from collections.abc import Mapping

RESERVE = 0.02
"""The share of the limit that is left to others: a limit may be one for a whole account."""
LONGEST = 65.0
"""Seconds: PagerDuty's windows are a minute long, whatever a header says."""
SLACK = 2.0
"""Seconds by which two answers of one window may disagree about its end: it is told in whole seconds."""


class Pace:
    """Counts what may still be sent before the window ends: `ratelimit-limit`, `-remaining` and `-reset` (PagerDuty API)."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._left: float | None = None
        self._ends = 0.0
        self._under_way = 0
        self._told = 0.0

    def take(self) -> float:
        """Take a place for one request and return 0; or return the seconds to wait before trying again."""
        with self._lock:
            now = time.monotonic()
            if self._left is not None and now >= self._ends:
                self._left = None
            if self._left is not None and self._left < 1:
                return self._ends - now + 0.05
            self._left = self._left - 1 if self._left is not None else None
            self._under_way += 1
            return 0.0

    def lose(self) -> None:
        """A request ended without an answer."""
        with self._lock:
            self._under_way -= 1

    def note(self, headers: Mapping[str, str], status: int) -> None:
        """An answer came: believe its numbers. A 429 without a number of what remains says that nothing does."""
        limit, remaining, reset = (
            _number(headers.get(f"ratelimit-{name}")) for name in ("limit", "remaining", "reset")
        )
        with self._lock:
            self._under_way -= 1
            if status == 429 and remaining is None:
                remaining, reset = 0.0, reset or _number(headers.get("Retry-After"))
            if remaining is not None and reset is not None:
                self._believe(remaining - RESERVE * (limit or 0), time.monotonic() + min(reset, LONGEST))

    def is_news(self) -> bool:
        """True once per window that is used up: the first caller logs it."""
        with self._lock:
            news = self._ends > self._told + SLACK
            self._told = self._ends if news else self._told
            return news

    def _believe(self, left: float, ends: float) -> None:
        if self._left is None or ends > self._ends + SLACK:
            self._left, self._ends = left - self._under_way, ends
        elif ends >= self._ends - SLACK:
            self._left = min(self._left, left)


def _number(text: str | None) -> float | None:
    try:
        return max(0.0, float(text)) if text else None
    except ValueError:
        return None
