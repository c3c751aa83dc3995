"""How far a step is: a board on which the step writes, and a watch that shows the board while the step is under way.

Whoever works writes counts and waits on the board and knows nothing of displays; where nobody looks it costs nothing.
"""

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Protocol, TypeVar

QUIET = 2.0
"""Seconds: what takes no longer shows nothing."""
BEAT = 0.25
"""Seconds between two looks: at the board, and at whether somebody wants it to stop."""
AGAIN = 2.0
"""Seconds after which what was told to stop, and goes on, is told again: an interrupt is lost where nobody passes it on."""

Item = TypeVar("Item")


@dataclass(frozen=True)
class Count:
    """So many of one thing are done. total: of how many; None where nobody knows."""

    what: str
    done: int
    total: int | None = None

    @property
    def number(self) -> str:
        return f"{self.done:,}" if self.total is None else f"{self.done:,} of {self.total:,}"

    def __str__(self) -> str:
        return f"{self.what} {self.number}"


class Progress:
    """The board of one job. Any thread may write on it. `watched`: somebody sees it, so that a wait need not be said otherwise."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self.watched = False
        self.begin("")

    def begin(self, title: str) -> None:
        """Wipe the board. title: what is under way, as a sentence begins."""
        with self._lock:
            self.title = title
            self._counts: dict[str, Count] = {}
            self._waits: dict[str, float] = {}

    def count(self, what: str, done: int, total: int | None = None) -> None:
        """So many of it are done."""
        with self._lock:
            self._counts[what] = Count(what, done, total)

    def add(self, what: str, more: int = 1) -> None:
        """So many more of it are done."""
        with self._lock:
            known = self._counts.get(what, Count(what, 0))
            self._counts[what] = Count(what, known.done + more, known.total)

    def follow(self, what: str, items: Sequence[Item]) -> Iterator[Item]:
        """The items one after the other, counted as they are done."""
        for number, item in enumerate(items):
            self.count(what, number, len(items))
            yield item
        self.count(what, len(items), len(items))

    def wait(self, why: str, seconds: float) -> None:
        """Something waits so long, and why."""
        with self._lock:
            self._waits[why] = max(self._clock() + seconds, self._waits.get(why, 0.0))

    def go_on(self) -> None:
        """Nothing is waited for any more."""
        with self._lock:
            self._waits.clear()

    @property
    def counts(self) -> list[Count]:
        with self._lock:
            return list(self._counts.values())

    @property
    def waits(self) -> dict[str, int]:
        """What is waited for now, to the seconds that are left."""
        with self._lock:
            now = self._clock()
            return {why: round(end - now) or 1 for why, end in self._waits.items() if end > now}

    def describe(self, seconds: float) -> str:
        """One line: `Reading PagerDuty, 34 s: users 300 of 1,500, teams 40; waiting 12 s for its limit`. Empty lists are not told."""
        counts = ", ".join(str(count) for count in self.counts if count.total != 0)
        waits = "".join(f"; waiting {left} s for {why}" for why, left in self.waits.items())
        return f"{self.title}, {seconds:.0f} s{': ' if counts else ''}{counts}{waits}"


class Display(Protocol):
    """Where the board is shown. Called by one thread, again and again; `end` once, where it was shown at all."""

    def show(self, progress: Progress, seconds: float) -> None: ...

    def end(self, progress: Progress, seconds: float) -> None: ...


@contextmanager
def watching(
    progress: Progress,
    title: str,
    display: Display | None,
    asked: Callable[[], bool] = lambda: False,
    stop: Callable[[], None] = lambda: None,
) -> Iterator[None]:
    """Show the board for as long as this lasts, from QUIET seconds on. Calls `stop` as soon as `asked` says so, and again until it ends."""
    progress.begin(title)
    progress.watched = display is not None
    began, over, lock = time.monotonic(), threading.Event(), threading.Lock()

    def look() -> None:
        told = 0.0
        while not over.wait(BEAT):
            seconds = time.monotonic() - began
            wanted = seconds >= told and asked()
            with lock:  # neither stopped nor shown once it is over
                if over.is_set():
                    return
                if wanted:
                    told = seconds + AGAIN
                    stop()
                if display and seconds >= QUIET:
                    display.show(progress, seconds)
                    shown.set()

    shown = threading.Event()
    threading.Thread(target=look, name="progress", daemon=True).start()
    try:
        yield
    finally:
        with lock:
            over.set()
        progress.watched = False
        progress.go_on()
        if display and shown.is_set():
            display.end(progress, time.monotonic() - began)


@dataclass
class Lines:
    """A line each so many seconds: where nobody sits before a terminal. say: prints one."""

    say: Callable[[str], None]
    every: float = 10.0
    _next: float = 0.0

    def show(self, progress: Progress, seconds: float) -> None:
        if seconds >= (self._next or self.every):
            self._next = seconds + self.every
            self.say(progress.describe(seconds))

    def end(self, progress: Progress, seconds: float) -> None:
        self._next = 0.0
