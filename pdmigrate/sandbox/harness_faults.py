"""Faults that an embedded Harness plays on demand: the next requests, or a seeded share of them, go wrong."""

import random
import socket
import struct
from contextlib import suppress
from dataclasses import dataclass, field

from flask import Response, abort, current_app, request

from pdmigrate.sandbox.harness_wire import APOLOGY, HTML_BAD_GATEWAY, HTML_TOO_MANY, error, html

KINDS = ("429", "500", "502_html", "401_code", "reset", "slow", "truncated", "lost_answer", "key_revoked")


@dataclass
class Rule:
    """One kind of fault, for requests whose method and path fit: `after` of them pass, then `count` fail, or all."""

    kind: str
    method: str | None = None
    path: str = ""
    after: int = 0
    count: int | None = None
    share: float = 1.0
    seed: int = 0
    seconds: float = 1.0
    _dice: random.Random = field(init=False, repr=False)

    def __post_init__(self):
        self.kind = str(self.kind)
        self.path = self.path.removeprefix("/gateway")
        if self.kind not in KINDS:
            raise ValueError(f"kind is one of {', '.join(KINDS)}, not {self.kind}")
        self._dice = random.Random(self.seed)  # noqa: S311 - a dice that falls the same every time

    def strikes(self) -> bool:
        if self.count == 0 or not self._fits():
            return False
        self.after -= 1
        if self.after >= 0 or self._dice.random() >= self.share:
            return False
        self.count = None if self.count is None else self.count - 1
        return True

    def _fits(self) -> bool:
        return self.method in (None, request.method) and request.path.startswith(self.path)


def play_before() -> Response | None:
    """Strike a request before it is carried out; remember what is to befall its answer."""
    with current_app.config["FAULT_LOCK"]:
        rule = next((rule for rule in current_app.config["FAULTS"] if rule.strikes()), None)
    if rule is None:
        return None
    request.environ["sandbox.fault"] = rule.kind
    current_app.config["STRUCK"][rule.kind] += 1
    return _BEFORE[rule.kind](rule) if rule.kind in _BEFORE else None


def play_after(response: Response) -> Response:
    """Spoil the answer of a request that was carried out."""
    kind = request.environ.get("sandbox.fault")
    if kind == "lost_answer":
        cut_connection()
    if kind == "truncated":
        return _truncate(response)
    return response


def cut_connection() -> None:
    """Hang up without a byte. The server's own thread then closes the socket."""
    still_there = request.environ.get("waitress.client_disconnected")
    if still_there is None:
        return abort(500)
    line = still_there.__self__.socket
    line.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    with suppress(OSError):  # the client may have been faster
        line.shutdown(socket.SHUT_RDWR)
    return None


def _truncate(response: Response) -> Response:
    """Promise the whole and send the half; the server then closes the connection."""
    whole = response.get_data()
    short = Response(iter([whole[: len(whole) // 2]]), status=response.status_code, mimetype=response.mimetype)
    short.headers["Content-Length"] = str(len(whole))
    return short


def _reset(rule: Rule) -> Response:
    cut_connection()
    return Response(status=500)


def _wait(rule: Rule) -> None:
    current_app.config["SLEEP"](rule.seconds)


def _revoke(rule: Rule) -> None:
    current_app.config["REVOKED"].add(request.headers.get("x-api-key"))


def _break(rule: Rule) -> Response:
    raise error("UNKNOWN_ERROR", APOLOGY, 500)


def _refuse(rule: Rule) -> Response:
    """A 401 that is not about the key (harness-core, ErrorCode)."""
    raise error("USER_DOMAIN_NOT_ALLOWED", "User Domain Not Allowed", 401)


_BEFORE = {
    "429": lambda rule: html(429, HTML_TOO_MANY),
    "502_html": lambda rule: html(502, HTML_BAD_GATEWAY),
    "500": _break,
    "401_code": _refuse,
    "reset": _reset,
    "slow": _wait,
    "key_revoked": _revoke,
}
