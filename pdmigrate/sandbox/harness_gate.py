"""The door of an embedded Harness: routes, rate limits, key, account, scope; and the one way to change its memory."""

import datetime
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from flask import Response, current_app, request

from pdmigrate.sandbox.gate import Play, RefusedRequestError, document, html, lock
from pdmigrate.sandbox.harness_document import Scope
from pdmigrate.sandbox.harness_doors import DOORS
from pdmigrate.sandbox.harness_wire import APOLOGY, absent, denied, error, failure
from pdmigrate.sandbox.store import Json

WEBHOOKS = ("/api/v1/webhook/", "/ir/tp/account/")
"""The ways in for alerts: whoever comes by them brings the webhook's own key, and no key of the API."""
DEFAULTS: Json = {
    "calls_per_minute": 1000,
    "invite_calls_per_minute": 10,
    "oncall": True,
    "door": "404_html",
    "login_page": "/auth/#/signin",
    "not_found_status": 400,
    "reading": "join",
    "auto_accept": False,
    "unanswered_emails": [],
    "failing_emails": [],
    "unwelcome_emails": [],
    "page_answered_after": None,
    "blocked_channels": [],
    "renamed_events": {},
    "feed_quiet": True,
    "feed_services": {},
}


def setting(name: str) -> Any:
    """A switch of this Harness: what the document says, or the default. See POST /sandbox/config."""
    return document().get("config", {}).get(name, DEFAULTS[name])


@contextmanager
def writing(key: str, permission: str, resource: str) -> Iterator[Json]:
    """Hold the memory for one change, and log it. Check everything before you change anything."""
    shown = request.headers.get("x-api-key", "")
    if shown in document().get("read_only_keys", []):
        query, parts = request.args, request.view_args or {}
        org, project = query.get("orgIdentifier") or parts.get("org"), query.get("projectIdentifier")
        scope = Scope(org, project or parts.get("project")).fields(document()["account"])
        raise denied(permission, resource, shown.split(".")[2] if shown.count(".") > 2 else "reader", scope)
    with current_app.config["STORE"].change() as held:
        yield held
        at = datetime.datetime.fromtimestamp(now(), datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        held["writes"].append({"method": request.method, "path": request.path, "key": key, "at": at})


def now() -> float:
    moment: float = current_app.config["CLOCK"]()
    return moment


def check_request() -> Response | None:
    """In the order of a real one: the proxy, which knows paths and limits, then the key, then the account."""
    switched_off = request.path.startswith("/pdmigrate-oncall/") and not setting("oncall")
    unknown = request.url_rule is None and getattr(request.routing_exception, "code", None) == 404
    if switched_off or unknown:
        return DOORS[setting("door")](setting("login_page"))
    if request.method == "POST" and request.path.startswith(WEBHOOKS):
        return None
    key = request.headers.get("x-api-key", "")
    full = _is_full(f"key {key}", setting("calls_per_minute"))
    invites = request.path == "/ng/api/user/users" or request.path.startswith("/ng/api/invites")
    if invites and request.method in ("POST", "PUT") and request.path != "/ng/api/invites/aggregate":
        full = full or _is_full(f"invites {request.remote_addr}", setting("invite_calls_per_minute"))
    if full:
        return html(429)
    held = document()
    known = [current_app.config["API_KEY"], *held.get("keys", []), *held.get("read_only_keys", [])]
    if key not in known or key in current_app.config["REVOKED"]:
        raise error("INVALID_TOKEN", "Token is not valid.", 401)
    if request.routing_exception is None:
        names = ("account", "accountIdentifier", "accountId")
        from_query = next(filter(None, map(request.args.get, names)), None)
        given = request.headers.get("Harness-Account") or from_query or (request.view_args or {}).get("account")
        if not given:
            raise error("INVALID_REQUEST", "Invalid request: Account detail is not present in the request")
        if given != held["account"]:
            raise error("INVALID_REQUEST", "Invalid request: Invalid API token: Invalid account access")
    return None


def _is_full(bucket: str, per_minute: int | None) -> bool:
    """A window that slides: calls of the last 60 seconds, refused ones not counted."""
    if per_minute is None:
        return False
    with lock():
        calls = current_app.config["CALLS"].setdefault(bucket, deque())
        while calls and calls[0] <= now() - 60:
            calls.popleft()
        if len(calls) >= per_minute:
            return True
        calls.append(now())
    return False


def query_scope() -> Scope:
    """The scope that the query names: account, organization or project. Refuses one that does not exist."""
    return known_scope(request.args.get("orgIdentifier") or None, request.args.get("projectIdentifier") or None)


def known_scope(org: str | None, project: str | None) -> Scope:
    if project and not org:
        raise failure([("orgIdentifier", "must not be empty where a project is given")])
    if org and not any(row["identifier"] == org for row in document()["organizations"]):
        raise not_found(f"Organization with identifier [{org}] not found")
    if org and project and not find_project(org, project):
        raise not_found(f"Project with orgIdentifier [{org}] and identifier [{project}] not found")
    return Scope(org, project)


def find_project(org: str, project: str) -> Json | None:
    rows = (row for row in document()["projects"] if row["orgIdentifier"] == org)
    return next((row for row in rows if row["identifier"] == project), None)


def not_found(message: str) -> RefusedRequestError:
    return absent(message, setting("not_found_status"))


FAULTS: dict[str, Play] = {
    "429": lambda rule: html(429),
    "500": lambda rule: error("UNKNOWN_ERROR", APOLOGY, 500).response(),
    # a 401 that is not about the key (harness-core, ErrorCode)
    "401_code": lambda rule: error("USER_DOMAIN_NOT_ALLOWED", "User Domain Not Allowed", 401).response(),
    "lost_answer": lambda rule: None,
}
