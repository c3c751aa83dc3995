"""What an embedded PagerDuty was asked and how it answered, in numbers."""

import threading
from collections import Counter


class RequestLog:
    """Counts requests; several threads may write in it."""

    def __init__(self):
        self._lock = threading.Lock()
        self.clear()

    def clear(self) -> None:
        with self._lock:
            self.requests = self.refused_methods = self.rate_limited = 0
            self.by_path: Counter = Counter()
            self.answers: Counter = Counter()
            self.faults: Counter = Counter()

    def note_request(self, path: str, method: str) -> None:
        with self._lock:
            self.requests += 1
            self.by_path[path] += 1
            self.refused_methods += method != "GET"

    def note_answer(self, answer: str) -> None:
        with self._lock:
            self.answers[answer] += 1

    def note_fault(self, kind: str) -> None:
        with self._lock:
            self.faults[kind] += 1

    def note_rate_limit(self) -> None:
        with self._lock:
            self.rate_limited += 1

    def as_dict(self) -> dict:
        """The counts. `by_path` has one line per route, `/schedules/{id}` for all single schedules together."""
        with self._lock:
            return {
                "requests": self.requests,
                "by_path": dict(self.by_path),
                "refused_methods": self.refused_methods,
                "rate_limited": self.rate_limited,
                "answers": dict(self.answers),
                "faults": dict(self.faults),
            }
