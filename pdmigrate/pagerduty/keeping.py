"""What a reading that is stopped leaves for the next one: whole lists and single objects, each used once at most."""

from collections.abc import Callable
from typing import Any, Protocol, TypeVar, cast

from pdmigrate.pagerduty.secrets import strip_secrets
from pdmigrate.wire.canonical import canonical_json

T = TypeVar("T")


class Part(Protocol):
    """Where answers are kept, by what was asked."""

    def take(self, request: str) -> Any | None:
        """What was kept, the first time that it is asked for: who asks again wants it afresh."""

    def keep(self, request: str, answer: Any) -> None: ...


class Keeper:
    """Asks for what was not kept, and keeps it. Without a part it only asks.

    Either way what is left of it is what a snapshot would keep, with no other secret: the reading goes the same way.
    """

    def __init__(self, part: Part | None = None, keep_keys: bool = False):
        self._part = part
        self._keep_keys = keep_keys

    def ask(self, kind: str, path: str, params: Any, read: Callable[[], T]) -> T:
        """The rows, or the row, of this kind that `read` gives. It must be whole: a list that was read half is none."""
        request = f"{path} {canonical_json(params or {})}"
        found: T | None = None if self._part is None else self._part.take(request)
        if found is None:
            found = cast(T, strip_secrets({kind: read()}, self._keep_keys)[kind])
            if self._part is not None:
                self._part.keep(request, found)
        return found
