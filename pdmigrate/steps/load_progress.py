"""How far a load is, by kind, and how long it will take: the same words in the notebook and headless."""

import time
from collections import Counter
from collections.abc import Callable

from pdmigrate.steps.load import Done


class LoadProgress:
    """Counts what is finished. `clock` gives seconds, and is for tests."""

    def __init__(self, clock: Callable[[], float] = time.monotonic):
        self._clock = clock
        self._started = clock()
        self._kinds: Counter[str] = Counter()

    def tell(self, done: Done, number: int, total: int) -> str:
        """`60 of 180, about 12 s left: teams 8, users 28, schedules 24`."""
        self._kinds[done.action.kind] += 1
        kinds = ", ".join(f"{kind.replace('_', ' ')} {count}" for kind, count in self._kinds.items())
        return f"{number} of {total}, {self._tell_left(number, total)}: {kinds}"

    def _tell_left(self, number: int, total: int) -> str:
        """By the steps so far; they differ, so it is about right."""
        seconds = round((self._clock() - self._started) / number * (total - number))
        return f"about {seconds // 60} min left" if seconds >= 120 else f"about {seconds} s left"
