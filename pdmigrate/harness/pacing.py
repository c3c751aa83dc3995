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
from typing import Any

from pdmigrate.wire.transport import Transport

log = logging.getLogger("pdmigrate")

INVITE_PATH = "/ng/api/user/users"
MARGIN = 1.0
"""Seconds: a call that was quick after one that was slow must not come too early for the server's own clock."""
SAID_FROM = 5.0
"""Seconds of waiting from which on it is said."""


@dataclass(frozen=True)
class Limits:
    """Calls in any 60 seconds (Harness's page on rate limits): external API requests per key, invitations."""

    calls: int = 400
    invites: int = 10


class Quota:
    """Waits before a call that would be one too many.

    sent: when earlier processes sent invitations, in seconds since 1970. remember: called with all such times before
    the next invitation leaves, so that a later process knows of it.
    """

    def __init__(
        self,
        limits: Limits | None = None,
        sent: Iterable[float] = (),
        remember: Callable[[list[float]], None] = lambda times: None,
        clock: Callable[[], float] = time.time,
        sleep: Callable[[float], None] = time.sleep,
    ):
        self.limits = limits or Limits()
        self.clock, self.sleep = clock, sleep
        self._remember = remember
        self._lock = threading.Lock()
        self._calls: deque[float] = deque()
        self._invites = deque(sorted(set(sent)))  # no two calls left at the same moment

    def wait(self, method: str, path: str) -> None:
        """Return when this request may leave, and count it."""
        with self._lock:
            self._wait_for(self._calls, self.limits.calls, "calls")
            if method == "POST" and path == INVITE_PATH:
                self._wait_for(self._invites, self.limits.invites, "invitation calls")
                self._remember(list(self._invites))

    def _wait_for(self, times: deque[float], limit: int, noun: str) -> None:
        window = 60 + MARGIN
        while len(times) >= limit:
            now = self.clock()
            for place, at in enumerate(times):
                times[place] = min(
                    at, now
                )  # later than now only where the clock was set back: never wait for that hour
            wait = times[len(times) - limit] + window - now
            if wait <= 0:
                break
            if wait >= SAID_FROM:
                log.warning("Harness takes %d %s a minute: waiting %.0f s", limit, noun, wait)
            self.sleep(wait)
        while times and times[0] + window < self.clock():
            times.popleft()
        times.append(self.clock())


class PacedTransport(Transport):
    """A transport that keeps the limits, try by try."""

    def __init__(self, side: str, base_url: str, headers: dict[str, str], quota: Quota, **more: Any):
        super().__init__(side, base_url, headers, **more)
        self.quota = quota

    def _take_turn(self, method: str, path: str) -> None:
        """Repeats count against the limits too."""
        self.quota.wait(method, path)
