"""Harness's limits per minute, kept by us: it answers 429 without saying when to come back, so we never come too early.

Calls of a key are counted in memory. Invitations are limited per address on the network, whoever sends them, so they are
also remembered outside this process: a run that goes on after it was killed waits for what the killed one has sent.
"""

import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pdmigrate.wire.json_text import JsonError, read_json
from pdmigrate.wire.transport import Transport

log = logging.getLogger("pdmigrate")

INVITE_PATH = "/ng/api/user/users"
MARGIN = 1.0
"""Seconds: a call that was quick after one that was slow must not come too early for the server's own clock."""
WINDOW = 60 + MARGIN
"""Seconds in which no more calls may leave than the limit says."""
SAID_FROM = 5.0
"""Seconds of waiting from which on it is said."""
Sleep = Callable[[float, str], None]


@dataclass(frozen=True)
class Limits:
    """Calls in any 60 seconds (Harness's page on rate limits): external API requests per key, invitations."""

    calls: int = 400
    invites: int = 10


class Quota:
    """Waits before a call that would be one too many.

    sent: when earlier processes sent invitations, in seconds since 1970. remember: called with all such times before
    the next invitation leaves, so that a later process knows of it. sleep: for tests; else whoever waits says how.
    """

    def __init__(
        self,
        limits: Limits | None = None,
        sent: Iterable[float] = (),
        remember: Callable[[list[float]], None] = lambda times: None,
        clock: Callable[[], float] = time.time,
        sleep: Callable[[float], None] | None = None,
    ):
        self.limits = limits or Limits()
        self.clock, self.sleep = clock, sleep
        self._remember = remember
        self._lock = threading.Lock()
        self._calls: deque[float] = deque()
        self._invites = deque(sent)

    def wait(self, method: str, path: str, sleep: Sleep = lambda seconds, why: time.sleep(seconds)) -> None:
        """Return when this request may leave, and count it. sleep: waits so many seconds for this reason, or raises."""
        counted = [(self._calls, self.limits.calls, "calls")]
        if method == "POST" and path == INVITE_PATH:
            counted.append((self._invites, self.limits.invites, "invitation calls"))
        while True:
            with self._lock:  # not while it waits: an invitation's turn comes late, and other calls go on meanwhile
                seconds, limit, noun = max((self._find_wait(times, most), most, word) for times, most, word in counted)
                if seconds <= 0:
                    for times, _, _ in counted:
                        times.append(self.clock())
                    if len(counted) > 1:
                        self._remember(list(self._invites))
                    return
            if self.sleep:
                self.sleep(seconds)
            else:
                sleep(seconds, f"Harness's limit of {limit} {noun} a minute")

    def _find_wait(self, times: deque[float], limit: int) -> float:
        """Seconds until one more is allowed; forgets what is older than the window."""
        now = self.clock()
        if times and max(times) > now:  # the clock was set back: never wait for that hour
            for place, at in enumerate(times):
                times[place] = min(at, now)
        while times and times[0] + WINDOW < now:
            times.popleft()
        return times[len(times) - limit] + WINDOW - now if len(times) >= limit else 0.0


class PacedTransport(Transport):
    """A transport that keeps the limits, try by try."""

    def __init__(self, side: str, base_url: str, headers: dict[str, str], quota: Quota, **more: Any):
        super().__init__(side, base_url, headers, **more)
        self.quota = quota

    def _take_turn(self, method: str, path: str) -> None:
        """Repeats count against the limits too."""
        self.quota.wait(method, path, self._wait_openly)

    def _wait_openly(self, seconds: float, why: str) -> None:
        """On the board of progress; where nobody sees that, what takes long is said."""
        if seconds >= SAID_FROM and not self.progress.watched:
            log.warning("Waiting %.0f s for %s", seconds, why)
        self._wait(seconds, why)


def read_times(path: Path) -> list[float]:
    """The times of earlier invitations; a damaged file is as good as none, since a 429 is survived too."""
    try:
        found = read_json(path.read_bytes())
    except (OSError, JsonError):
        return []
    return [float(at) for at in found if isinstance(at, int | float)] if isinstance(found, list) else []
