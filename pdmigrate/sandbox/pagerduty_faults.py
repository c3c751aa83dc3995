"""Faults that an embedded PagerDuty plays on demand: the next requests, or a seeded share of them, go wrong."""

import math
import random
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta

from flask import Response, g
from waitress.channel import ClientDisconnected

from pdmigrate.sandbox.pagerduty_wire import RefusalError, bad_gateway

KINDS = (
    "429_bare",
    "429_reset",
    "429_retry_after",
    "500",
    "502_html",
    "200_html",
    "reset",
    "truncated",
    "slow",
    "key_revoked",
)
MANNERS = (
    "list_without_layers",
    "list_without_overrides",
    "list_without_final",
    "list_unrendered",  # what it renders is there, empty, with coverage null
    "list_in_user_zone",  # whatever time_zone is asked for
    "three_months",  # more at once is refused
    "own_zone_names",  # a time_zone is known by the names that the account itself uses, and by no other
)
"""How some accounts answer. A manner holds for every request that its rule strikes, beside other manners and faults."""
THREE_MONTHS = timedelta(days=92)


@dataclass
class Rule:
    """One kind of fault, for paths that start with `path`: after `after` requests, `count` times or for ever.

    `share` strikes that part of the requests only, by dice with a seed. `seconds` is how long a slow answer takes, or
    what a 429 says to wait.
    """

    kind: str
    path: str = "/"
    after: int = 0
    count: int | None = None
    share: float = 1.0
    seed: int = 0
    seconds: float = 1.0
    _dice: random.Random = field(init=False, repr=False)

    def __post_init__(self):
        if self.kind not in (*KINDS, *MANNERS):
            raise ValueError(f"kind is one of {', '.join((*KINDS, *MANNERS))}, not {self.kind}")
        self._dice = random.Random(self.seed)  # noqa: S311 - dice, not secrets

    def strikes(self, path: str) -> bool:
        if self.count == 0 or not path.startswith(self.path):
            return False
        self.after -= 1
        if self.after >= 0 or self._dice.random() >= self.share:
            return False
        self.count = None if self.count is None else self.count - 1
        return True


class FaultPlan:
    """The rules in force. The first fault that strikes a request plays; the others do not count it. Manners all hold."""

    def __init__(self):
        self._lock = threading.Lock()
        self._rules: list[Rule] = []

    def replace(self, rules: list[dict]) -> None:
        """Put these rules in the place of all others. Raises ValueError or TypeError for one that makes no sense."""
        fresh = [Rule(**rule) for rule in rules]
        with self._lock:
            self._rules = fresh

    def draw(self, path: str) -> Rule | None:
        with self._lock:
            faults = [rule for rule in self._rules if rule.kind in KINDS]
            return next((rule for rule in faults if rule.strikes(path)), None)

    def find_manners(self, path: str) -> frozenset[str]:
        """The manners of the answer to one request."""
        with self._lock:
            return frozenset(r.kind for r in self._rules if r.kind in MANNERS and r.strikes(path))


def has_manner(kind: str) -> bool:
    """Whether the request under way is to be answered in that manner."""
    return kind in g.get("manners", ())


def play(rule: Rule) -> Response | None:
    """The answer in the place of the real one, or None where the request is carried out all the same."""
    if rule.kind == "slow":
        time.sleep(rule.seconds)
    return _ANSWERS[rule.kind](rule) if rule.kind in _ANSWERS else None


def truncate(response: Response) -> Response:
    """Promise the whole and send the half; the server then closes the connection."""
    whole = response.get_data()
    response.response = iter([whole[: len(whole) // 2]])
    response.headers["Content-Length"] = str(len(whole))
    return response


def _hang_up() -> Iterator[bytes]:
    raise ClientDisconnected  # Waitress then closes the connection without a byte
    yield b""


def _break(rule: Rule) -> Response:
    raise RefusalError(500, "Internal Server Error", 2000, "Something went wrong.")


_ANSWERS = {
    "429_bare": lambda rule: Response(status=429),
    "429_reset": lambda rule: Response(status=429, headers={"ratelimit-reset": str(math.ceil(rule.seconds))}),
    "429_retry_after": lambda rule: Response(status=429, headers={"Retry-After": str(math.ceil(rule.seconds))}),
    "500": _break,
    "502_html": lambda rule: bad_gateway(),
    "200_html": lambda rule: Response("<html>Sign in to go on</html>", mimetype="text/html"),  # a proxy's own page
    "reset": lambda rule: Response(_hang_up()),
}
