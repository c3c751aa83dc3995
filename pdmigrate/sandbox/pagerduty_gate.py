"""The door of an embedded PagerDuty: every request is counted, may be struck by a fault, and shows its token."""

import math
import re
import threading
import time
from collections import Counter

from flask import Flask, Response, g, request

from pdmigrate.sandbox.pagerduty_faults import FaultPlan, play, truncate
from pdmigrate.sandbox.pagerduty_log import RequestLog
from pdmigrate.sandbox.pagerduty_wire import forbidden, too_many, unauthorized

MINUTE = 60.0


class Gate:
    """Guards an application. `options` are the switches of pagerduty.OPTIONS and may change while it runs."""

    def __init__(self, token: str, options: dict):
        self.token = token
        self.options = options
        self.log = RequestLog()
        self.faults = FaultPlan()
        self.revoked = False
        self._lock = threading.Lock()
        self._minute_began = time.monotonic()
        self._used: Counter = Counter()

    def guard(self, app: Flask) -> None:
        app.before_request(self.before)
        app.after_request(self.after)

    def before(self) -> Response | None:
        if _is_own_business():
            return None
        self.log.note_request(_route(), request.method)
        time.sleep(self.options["latency"])
        return self._strike() or self._check()

    def after(self, response: Response) -> Response:
        if _is_own_business():
            return response
        fault = g.get("fault")
        self.log.note_answer("reset" if fault == "reset" else str(response.status_code))
        if not fault or fault == "slow":
            response.headers.update(g.get("limits", {}))
        return truncate(response) if fault == "truncated" else response

    def _strike(self) -> Response | None:
        g.manners = self.faults.find_manners(request.path)
        rule = self.faults.draw(request.path)
        if rule is None:
            return None
        g.fault = rule.kind
        self.log.note_fault(rule.kind)
        self.revoked = self.revoked or rule.kind == "key_revoked"
        return play(rule)

    def _check(self) -> None:
        if self.revoked or _shown_token() != self.token:
            raise unauthorized()
        self._count_request("oncalls" if request.path == "/oncalls" else "all")
        if request.method != "GET" or _route() in self.options["forbidden"]:
            raise forbidden()

    def _count_request(self, bucket: str) -> None:
        limit = self.options["oncalls_per_minute" if bucket == "oncalls" else "calls_per_minute"]
        with self._lock:
            left = self._minute_began + MINUTE - time.monotonic()
            if left <= 0:
                self._minute_began, left = time.monotonic(), MINUTE
                self._used.clear()
            self._used[bucket] += 1
            used = self._used[bucket]
        g.limits = _limit_headers(limit, used, left)
        if used > limit:
            self.log.note_rate_limit()
            raise too_many()


def _limit_headers(limit: int, used: int, left: float) -> dict:
    remaining = str(max(limit - used, 0))
    return {"ratelimit-limit": str(limit), "ratelimit-remaining": remaining, "ratelimit-reset": str(math.ceil(left))}


def _is_own_business() -> bool:
    return request.path.startswith("/sandbox/")


def _route() -> str:
    rule = request.url_rule.rule if request.url_rule else request.path
    return re.sub("<[^>]*>", "{id}", rule)


def _shown_token() -> str:
    scheme, _, value = request.headers.get("Authorization", "").partition(" ")
    if scheme == "Token":
        return value.strip().removeprefix("token=").strip('"')
    return value.strip() if scheme == "Bearer" else ""
