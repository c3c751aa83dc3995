"""The pace of requests: how many the side's limit leaves, as its own headers tell it. One for all threads; sends nothing."""

import email.utils
import re
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


def read_wait(headers: Mapping[str, str], status: int) -> float | None:
    """Seconds that a 429 or a 503 asks us to wait: `Retry-After` (seconds or a date) or PagerDuty's `ratelimit-reset`.

    None where neither says anything that makes sense. However long it is, nobody has to wait so long.
    """
    if status not in (429, 503):
        return None
    said = [headers.get(name) for name in ("Retry-After", "ratelimit-reset")]
    waits = (wait for text in said for wait in (_number(text), _read_date(text)) if wait is not None)
    return next(waits, None)


def _read_date(text: str | None) -> float | None:
    """Seconds from now to a date as HTTP writes it."""
    try:
        moment = email.utils.parsedate_tz(text) if text else None
        return max(0.0, email.utils.mktime_tz(moment) - time.time()) if moment else None
    except (ValueError, OverflowError, IndexError, TypeError):  # of a day that no calendar has, or of no date at all
        return None


def _number(text: str | None) -> float | None:
    """A count or seconds, with digits that everybody has; None for anything else, a minus and "nan" too."""
    return float(text) if text and re.fullmatch(r"[0-9]{1,15}(\.[0-9]{1,15})?", text.strip()) else None
