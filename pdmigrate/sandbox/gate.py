"""The gate of both embedded servers: it counts every request, lets go wrong what it is told to, and knows refusals.

Its state stands in the application's `config`, where a test may look and change: STORE, LOG, FAULTS (the rules in
force), REVOKED (keys), CLOCK and SLEEP.
"""

import json
import math
import random
import re
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any, cast

from flask import Flask, Response, current_app, g, jsonify, request
from waitress.channel import ClientDisconnected  # type: ignore[import-untyped]  # it has no types
from werkzeug.routing import Rule as Route

from pdmigrate.sandbox.spoiled import SPOILED, spoil
from pdmigrate.sandbox.store import Json, Store


@dataclass
class Rule:
    """One kind of fault, for requests whose method and path fit: `after` of them pass, then `count` fail, or all.

    `share` strikes that part of the requests only, by dice with a seed. `seconds` is how long a slow answer takes, or
    what a 429 says to wait.
    """

    kind: str
    method: str | None = None
    path: str = ""
    after: int = 0
    count: int | None = None
    share: float = 1.0
    seed: int = 0
    seconds: float = 1.0
    _dice: random.Random = field(init=False, repr=False)

    def __post_init__(self) -> None:
        self.path = self.path.removeprefix("/gateway")
        self._dice = random.Random(self.seed)  # noqa: S311 - a dice that falls the same every time

    def strikes(self) -> bool:
        """Whether the request under way is struck; it counts if it fits."""
        fits = self.method in (None, request.method) and request.path.startswith(self.path)
        if self.count == 0 or not fits:
            return False
        self.after -= 1
        if self.after >= 0 or self._dice.random() >= self.share:
            return False
        self.count = None if self.count is None else self.count - 1
        return True


SENT_AT = "X-Sandbox-Sent-At"
"""The header of a webhook that plays a time that is over (shadow.py): when it was sent."""


class Log:
    """What a server was asked and how it answered, in numbers. `by_path` has one line per route."""

    def __init__(self) -> None:
        self.clear()

    def clear(self) -> None:
        self.requests = self.refused_methods = self.rate_limited = 0
        self.by_path: Counter[str] = Counter()
        self.answers: Counter[str] = Counter()
        self.faults: Counter[str] = Counter()

    def as_dict(self) -> Json:
        return {name: dict(count) if isinstance(count, Counter) else count for name, count in vars(self).items()}


class RefusedRequestError(Exception):
    """A request that is not carried out: the status of its answer and the body, JSON or a page."""

    def __init__(self, status: int, body: Json | str):
        super().__init__(status, body)
        self.status, self.body = status, body

    def response(self) -> Response:
        if isinstance(self.body, str):
            return html(self.status, self.body)
        return answer(self.body, self.status)


def answer(body: Any, status: int = 200) -> Response:
    """JSON with a status."""
    response = jsonify(body)
    response.status_code = status
    return response


def html(status: int, text: str = "") -> Response:
    """A page of a proxy in front: no JSON, and no Retry-After either."""
    title = f"{status} {HTTPStatus(status).phrase}"
    page = text or f"<html><head><title>{title}</title></head><body><h1>{title}</h1></body></html>"
    return Response(page, status=status, mimetype="text/html")


Play = Callable[[Rule], Response | None]


class _OneWay(Route):
    """Finds the view of an address. Of the code that makes addresses of views, which no view here asks for, none is compiled:
    that was most of what it took to start a server.
    """

    def _compile_builder(self, append_unknown: bool = True) -> Callable[..., tuple[str, str]]:
        return lambda *_, **__: ("", "")


def add_gate(
    app: Flask,
    store: Store,
    faults: Mapping[str, Play],
    check: Callable[[], Response | None],
    manners: tuple[str, ...] = (),
) -> None:
    """Put the gate before an application, with what it serves under /sandbox/.

    `faults` are those of this server beside PLAYS, `manners` ways to answer that a rule can ask for as it asks for a
    fault (see has_manner). `check` comes after the faults and looks at routes, limits and key; it may answer, or raise.
    """
    app.url_rule_class = _OneWay
    app.json.sort_keys = False  # type: ignore[attr-defined]  # Flask's own provider has it
    app.config.update(STORE=store, PLAYS={**PLAYS, **faults}, MANNERS=manners, LOG=Log(), FAULTS=[], REVOKED=set())
    app.config.update(LOCK=threading.RLock(), CLOCK=time.time, SLEEP=time.sleep)
    app.before_request(_refuse_strangers)
    app.before_request(lambda: None if _is_own_business() else _strike() or check())
    app.after_request(_finish)
    app.register_error_handler(RefusedRequestError, RefusedRequestError.response)
    app.add_url_rule("/sandbox/log", "sandbox_log", _show_log)
    app.add_url_rule("/sandbox/faults", "set_faults", _set_faults, methods=["POST"])


def document() -> Json:
    """What the server remembers, to read."""
    return cast(Store, current_app.config["STORE"]).read()


def lock() -> threading.RLock:
    """Held while counts change: several threads answer."""
    return cast(threading.RLock, current_app.config["LOCK"])


def log() -> Log:
    return cast(Log, current_app.config["LOG"])


def route() -> str:
    """The request's route, `/schedules/{id}` for all single schedules together."""
    return re.sub("<[^>]*>", "{id}", request.url_rule.rule if request.url_rule else request.path)


def has_manner(kind: str) -> bool:
    """Whether the request under way is to be answered in that manner."""
    return kind in g.get("manners", ())


def replace_faults(app: Flask, rules: list[Json]) -> None:
    """Put these rules in the place of all others; none ends all faults, and a revoked key is good again.

    The first fault that strikes a request plays; the others do not count it. Manners all hold. Raises ValueError or
    TypeError for a rule that makes no sense.
    """
    fresh, known = [Rule(**rule) for rule in rules], (*app.config["PLAYS"], *app.config["MANNERS"])
    for rule in fresh:
        if rule.kind not in known:
            raise ValueError(f"kind is one of {', '.join(known)}, not {rule.kind}")
    with app.config["LOCK"]:
        app.config["FAULTS"] = fresh
        app.config["REVOKED"].clear()


def _set_faults() -> Response:
    try:
        rules = request.get_json(force=True)
        replace_faults(current_app, rules)
    except (TypeError, ValueError) as problem:
        return answer({"error": str(problem)}, 400)
    return answer({"rules": len(rules)})


def _show_log() -> Response:
    held = document()
    return answer(log().as_dict() | {name: held[name] for name in ("writes", "mails") if name in held})


LOOPBACK = ("127.0.0.1", "localhost", "[::1]")


def _refuse_strangers() -> None:
    """No page of the web talks to it: neither with a name of its own for this machine, nor from where it stands.

    Browsers send Host always, Origin with all that may change something, Sec-Fetch-Site with the rest.
    """
    port, asked = request.environ["SERVER_PORT"], request.headers
    here = {f"{name}:{port}" for name in LOOPBACK} | set(LOOPBACK if port == "80" else ())
    foreign = "Origin" in asked and asked["Origin"].removeprefix("http://") not in here
    if foreign or asked.get("Host") not in here or asked.get("Sec-Fetch-Site", "none") not in ("none", "same-origin"):
        raise RefusedRequestError(403, {"error": "only programs of this machine are answered here, under its own name"})


def _is_own_business() -> bool:
    return request.path.startswith("/sandbox/")


def _strike() -> Response | None:
    plays, rules = current_app.config["PLAYS"], current_app.config["FAULTS"]
    with lock():
        log().requests += 1
        log().by_path[route()] += 1
        log().refused_methods += request.method != "GET"
        g.manners = {rule.kind for rule in rules if rule.kind not in plays and rule.strikes()}
        struck: Rule | None = next((rule for rule in rules if rule.kind in plays and rule.strikes()), None)
        if struck is None:
            return None
        log().faults[struck.kind] += 1
    g.fault = struck.kind
    return cast(Play, plays[struck.kind])(struck)


def _finish(response: Response) -> Response:
    """Spoil the answer of a request that was carried out, and count it."""
    if _is_own_business():
        return response
    fault = g.get("fault")
    if fault == "lost_answer":
        response = Response(_hang_up())
    if fault in SPOILED and response.is_json:
        response.set_data(json.dumps(spoil(fault, response.get_json())))
    if fault == "truncated":  # promise the whole and send the half; the server then closes the connection
        whole = response.get_data()
        response.response = iter([whole[: len(whole) // 2]])
        response.headers["Content-Length"] = str(len(whole))
    with lock():
        log().answers[fault if fault in ("reset", "lost_answer") else str(response.status_code)] += 1
    return response


def _hang_up() -> Iterator[bytes]:
    raise ClientDisconnected  # Waitress then closes the connection without a byte
    yield b""


def _wait(rule: Rule) -> None:
    current_app.config["SLEEP"](rule.seconds)


def _revoke(rule: Rule) -> None:
    current_app.config["REVOKED"].update(
        request.headers[name] for name in ("x-api-key", "Authorization") if name in request.headers
    )


def map_seconds(rule: Rule) -> str:
    """What a 429 says to wait."""
    return str(math.ceil(rule.seconds))


REDIRECTS = (301, 302, 307, 308)
ELSEWHERE = "https://login.example.com/in?ticket=4711"
PLAYS: Mapping[str, Play] = {
    "502_html": lambda rule: html(502),
    "200_html": lambda rule: html(200, "<html>Sign in to go on</html>"),  # a proxy's own page
    "reset": lambda rule: Response(_hang_up()),
    "slow": _wait,
    "truncated": lambda rule: None,
    "key_revoked": _revoke,
    **{str(code): lambda rule: Response(status=int(rule.kind), headers={"Location": ELSEWHERE}) for code in REDIRECTS},
    **{kind: lambda rule: None for kind in SPOILED},
}
"""What a fault answers in the place of the server, by kind; None where the request is carried out all the same."""
