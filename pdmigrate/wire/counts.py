"""What was sent to one side, counted over all threads."""

import threading
from dataclasses import dataclass, field


@dataclass
class Counts:
    """What was sent: requests in all, how many of them were repeats, how many were meant to change something.

    `waited` is how many seconds we stood still, in all threads together: for the limit, or after a failure.
    """

    requests: int = 0
    retries: int = 0
    writes: int = 0
    waited: float = 0.0
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def add(self, writes: bool, repeat: bool) -> None:
        with self._lock:
            self.requests += 1
            self.retries += repeat
            self.writes += writes and not repeat

    def add_wait(self, seconds: float) -> None:
        with self._lock:
            self.waited += seconds
