"""A step under way: shown while it lasts, and stopped by whoever asks for it, within two seconds."""

import gc
import signal
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from pdmigrate.steps.cancel import Cancel
from pdmigrate.wire.progress import Display, Progress, watching
from pdmigrate.wire.transport import Transport

TITLES = {
    "connect": "Asking both sides",
    "preview": "Reading both sides",
    "invite": "Looking who has an account",
    "conflicts": "Planning",
    "load": "Loading",
    "verify": "Comparing",
    "undo": "Taking back",
    "history": "Reading the history",
    "prove": "Test pages",
    "parallel": "Reading the alerts of both sides",
}
GOES_ON = {
    "preview": "what was read is kept: run preview again, it goes on from there",
    "load": "run load again, it goes on from there",
    "undo": "run undo again, it goes on from there",
    "prove": "no further test page is sent; run prove again, it goes on from there",
}
"""What a step that was stopped has kept. Any other has written nothing, and begins anew."""

SELDOM = (100_000, 20, 100)
"""How seldom Python looks for circles among objects while a step works: there are hardly any, and a large account is millions
of objects, which it would go through again and again, for a quarter of all our work."""


class UnderWay:
    """How far a job's step is, where that is shown, and how it is stopped.

    writing: what is under way changes the target. Then requests that were sent are waited for, and nobody waits for a limit.
    """

    def __init__(self) -> None:
        self.progress = Progress()
        self.display: Display | None = None
        self.cancel = Cancel()
        self.writing = False
        self._transports: list[Transport] = []

    def serve(self, transports: Iterable[object]) -> None:
        """These tell how long they wait, and end with the step."""
        self._transports = [one for one in transports if isinstance(one, Transport)]
        for transport in self._transports:
            transport.progress = self.progress

    @contextmanager
    def watch(self, title: str, interrupts: bool = True) -> Iterator[None]:
        """Show it, and stop it when asked, until this ends. interrupts: False for a step that asks for itself."""
        self.resume()
        thread = threading.current_thread()

        def stop() -> None:
            if interrupts and thread is threading.main_thread() and thread.ident:
                signal.pthread_kill(thread.ident, signal.SIGINT)  # else what computes would not hear of it
            for transport in self._transports:
                transport.cancel(gently=self.writing)

        usual = gc.get_threshold()
        gc.set_threshold(*SELDOM)
        try:
            with watching(self.progress, title, self.display, lambda: self.cancel.asked, stop):
                yield
        finally:
            gc.set_threshold(*usual)

    def stop_waiting(self) -> None:
        """Whoever waits for a limit or for another try sends nothing any more."""
        for transport in self._transports:
            transport.cancel(gently=True)

    def hold(self) -> None:
        """No request leaves until `release` or a stop."""
        for transport in self._transports:
            transport.hold()

    def release(self) -> None:
        """End of `hold`."""
        for transport in self._transports:
            transport.release()

    def resume(self) -> None:
        """Requests may leave again."""
        for transport in self._transports:
            transport.resume()


def describe_stop(step: str) -> str:
    """What is said of a step that was stopped."""
    return f"{step} was cancelled: {GOES_ON.get(step, 'nothing was written; run it again')}."
