"""A small PagerDuty on loopback: the REST API of one account, read-only, with the manners of the real one."""

import math
import time
from collections import Counter
from pathlib import Path
from typing import Any

from flask import Response, current_app, g, request

from pdmigrate.sandbox.gate import Play, add_gate, lock, log, map_seconds, route
from pdmigrate.sandbox.history_routes import add_history
from pdmigrate.sandbox.pagerduty_dependents import add_dependents
from pdmigrate.sandbox.pagerduty_lists import add_lists
from pdmigrate.sandbox.pagerduty_oncalls import list_oncalls
from pdmigrate.sandbox.pagerduty_schedules import MANNERS, add_schedules
from pdmigrate.sandbox.pagerduty_v3 import add_v3_schedules
from pdmigrate.sandbox.pagerduty_wire import (
    COUNTS_MORE,
    error_as_text,
    forbidden,
    not_found,
    payment_required,
    refusal,
)
from pdmigrate.sandbox.server import App, Server, serve
from pdmigrate.sandbox.shadow import add_feed
from pdmigrate.sandbox.store import Json, Store

MINUTE = 60.0
DEFAULT_TOKEN = "sandbox-pagerduty-token"
OPTIONS: Json = {
    "calls_per_minute": 960,
    "oncalls_per_minute": 120,
    "latency": 0.0,  # seconds before every answer
    "final_on_lists": True,  # False: the list of schedules leaves out final_schedule, whatever is asked
    "key_owner": None,  # a user's id: the key is a user's own, and GET /users/me answers
    "strategy_objects": False,  # True: {"type": "round_robin"}, as some clients read it; else as PagerDuty documents it
    "v3_forbidden": False,  # True: the key may not read v3 schedules at all
    "v3_hidden": (),  # ids of v3 schedules that the key may not read: left out of the list in silence
    "history": {},  # what of the account's history is to be otherwise: history.Settings
    "forbidden": (),  # routes as the log names them ("/teams/{id}/members") that the key may not read
}


def start_pagerduty(
    account: Json, state: Path | None = None, port: int = 0, token: str = DEFAULT_TOKEN, **options: Any
) -> Server:
    """Serve `account`. With `state` it lives in that file, and a file that exists goes before `account`.

    Options: see OPTIONS; they stand in `server.app.config["OPTIONS"]`, beside what gate.py has there. Raises TypeError
    for an option that does not exist.
    """
    unknown = sorted(set(options) - set(OPTIONS))
    if unknown:
        raise TypeError(f"no such option: {', '.join(unknown)}")
    app = App("pdmigrate-sandbox-pagerduty")
    add_gate(app, Store(state, lambda: account), FAULTS, _check_request, (*MANNERS, COUNTS_MORE))
    app.config.update(TOKEN=token, OPTIONS=OPTIONS | options, MINUTE_BEGAN=time.monotonic(), USED=Counter())
    app.after_request(_add_limits)
    app.register_error_handler(404, lambda _: not_found().response())
    app.add_url_rule("/oncalls", "oncalls", list_oncalls)
    for add in (add_schedules, add_v3_schedules, add_lists, add_dependents, add_history, add_feed):
        add(app)
    return serve(app, port)


def _check_request() -> None:
    """First the key, then the limit, then what the key may do: it is read-only."""
    config = current_app.config
    options: Json = config["OPTIONS"]
    time.sleep(options["latency"])
    shown = request.headers.get("Authorization", "")
    scheme, _, value = shown.partition(" ")
    token = value.strip().removeprefix("token=").strip('"') if scheme == "Token" else value.strip()
    if scheme not in ("Token", "Bearer") or token != config["TOKEN"] or shown in config["REVOKED"]:
        raise refusal(401, "Unauthorized", 2006, "The token is not known, or it was revoked.")
    bucket = "oncalls" if request.path == "/oncalls" else "calls"
    limit = options[f"{bucket}_per_minute"]
    with lock():
        left = config["MINUTE_BEGAN"] + MINUTE - time.monotonic()
        if left <= 0:
            config["MINUTE_BEGAN"], left = time.monotonic(), MINUTE
            config["USED"].clear()
        config["USED"][bucket] += 1
        used = config["USED"][bucket]
        log().rate_limited += used > limit
    g.limits = {
        "ratelimit-limit": str(limit),
        "ratelimit-remaining": str(max(limit - used, 0)),
        "ratelimit-reset": str(math.ceil(left)),
    }
    if used > limit:
        raise refusal(429, "Rate Limit Exceeded", 2020)
    if request.method != "GET" or route() in options["forbidden"]:
        raise forbidden("This API key is read-only.")


def _add_limits(response: Response) -> Response:
    response.headers.update(g.get("limits", {}))
    return response


FAULTS: dict[str, Play] = {
    "429_bare": lambda rule: Response(status=429),
    "429_reset": lambda rule: Response(status=429, headers={"ratelimit-reset": map_seconds(rule)}),
    "429_retry_after": lambda rule: Response(status=429, headers={"Retry-After": map_seconds(rule)}),
    "400_text": lambda rule: error_as_text("The window that was asked for is not served here.").response(),
    "402": lambda rule: payment_required("teams").response(),
    "403": lambda rule: forbidden("The token lacks a scope.").response(),
    "404": lambda rule: not_found().response(),
    "500": lambda rule: refusal(500, "Internal Server Error", 2000, "Something went wrong.").response(),
}
