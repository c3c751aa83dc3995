"""The door of an embedded Harness: key, account, rate limits, scope; and the one way to change its memory."""

import datetime
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager

from flask import Response, current_app, request

from pdmigrate.sandbox.harness_document import Scope
from pdmigrate.sandbox.harness_doors import answer_unknown
from pdmigrate.sandbox.harness_faults import play_before
from pdmigrate.sandbox.harness_wire import (
    HTML_TOO_MANY,
    RefusedRequestError,
    absent,
    denied,
    error,
    failure,
    html,
)

ONCALL = "/pdmigrate-oncall/"
DEFAULTS = {
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
}


def document() -> dict:
    """The memory, to read."""
    return current_app.config["STORE"].read()


def setting(name: str) -> object:
    """A switch of this Harness: what the document says, or the default. See POST /sandbox/config."""
    return document().get("config", {}).get(name, DEFAULTS[name])


@contextmanager
def writing(key: str, permission: str, resource: str) -> Iterator[dict]:
    """Hold the memory for one change, and log it. Check everything before you change anything."""
    _require_permission(permission, resource)
    with current_app.config["STORE"].change() as held:
        yield held
        at = datetime.datetime.fromtimestamp(now(), datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        held["writes"].append({"method": request.method, "path": request.path, "key": key, "at": at})


def now() -> float:
    return current_app.config["CLOCK"]()


def _require_permission(permission: str, resource: str) -> None:
    key = request.headers.get("x-api-key", "")
    if key in document().get("read_only_keys", []):
        arguments = request.view_args or {}
        scope = Scope(
            request.args.get("orgIdentifier") or arguments.get("org"),
            request.args.get("projectIdentifier") or arguments.get("project"),
        )
        raise denied(
            permission,
            resource,
            key.split(".")[2] if key.count(".") > 2 else "reader",
            scope.fields(document()["account"]),
        )


def guard() -> Response | None:
    """Every request passes here first, in the order of a real one: proxy, limits, key, account."""
    if request.path.startswith("/sandbox/"):
        return None
    current_app.config["REQUESTS"] += 1
    struck = play_before()
    if struck is not None:
        return struck
    return _find_route() or _limit_calls() or _check_key()


def _find_route() -> Response | None:
    switched_off = request.path.startswith(ONCALL) and not setting("oncall")
    if switched_off or (request.url_rule is None and _is_unknown()):
        return answer_unknown(setting("door"), setting("login_page"))
    return None


def _is_unknown() -> bool:
    return getattr(request.routing_exception, "code", None) == 404


def _limit_calls() -> Response | None:
    key = request.headers.get("x-api-key", "")
    full = _is_full(f"key {key}", setting("calls_per_minute"))
    if not full and _is_invite_call():
        full = _is_full(f"invites {request.remote_addr}", setting("invite_calls_per_minute"))
    return html(429, HTML_TOO_MANY) if full else None


def _is_invite_call() -> bool:
    sends = request.method in ("POST", "PUT")
    path = request.path
    return sends and (
        path == "/ng/api/user/users" or (path.startswith("/ng/api/invites") and path != "/ng/api/invites/aggregate")
    )


def _is_full(bucket: str, per_minute: int | None) -> bool:
    """A window that slides: calls of the last 60 seconds, refused ones not counted."""
    if per_minute is None:
        return False
    with current_app.config["FAULT_LOCK"]:
        calls = current_app.config["CALLS"].setdefault(bucket, deque())
        while calls and calls[0] <= now() - 60:
            calls.popleft()
        if len(calls) >= per_minute:
            return True
        calls.append(now())
    return False


def _check_key() -> None:
    key = request.headers.get("x-api-key")
    known = [current_app.config["API_KEY"], *document().get("keys", []), *document().get("read_only_keys", [])]
    if key not in known or key in current_app.config["REVOKED"]:
        raise error("INVALID_TOKEN", "Token is not valid.", 401)
    if request.routing_exception is None:
        _check_account()


def _check_account() -> None:
    given = _read_account()
    if not given:
        raise error("INVALID_REQUEST", "Invalid request: Account detail is not present in the request")
    if given != document()["account"]:
        raise error("INVALID_REQUEST", "Invalid request: Invalid API token: Invalid account access")


def _read_account() -> str | None:
    from_query = request.args.get("account") or request.args.get("accountIdentifier")
    from_path = (request.view_args or {}).get("account")
    return request.headers.get("Harness-Account") or from_query or from_path


def query_scope() -> Scope:
    """The scope that the query names: account, organization or project. Refuses one that does not exist."""
    return known_scope(request.args.get("orgIdentifier") or None, request.args.get("projectIdentifier") or None)


def known_scope(org: str | None, project: str | None) -> Scope:
    if project and not org:
        raise failure([("orgIdentifier", "must not be empty where a project is given")])
    if org and not any(row["identifier"] == org for row in document()["organizations"]):
        raise not_found(f"Organization with identifier [{org}] not found")
    if project and not find_project(org, project):
        raise not_found(f"Project with orgIdentifier [{org}] and identifier [{project}] not found")
    return Scope(org, project)


def find_project(org: str, project: str) -> dict | None:
    rows = (row for row in document()["projects"] if row["orgIdentifier"] == org)
    return next((row for row in rows if row["identifier"] == project), None)


def not_found(message: str) -> RefusedRequestError:
    return absent(message, setting("not_found_status"))
