"""Alerts of an embedded Harness: webhooks that make them, the API that reads them, and the timeline of their pages.

An alert comes in by a webhook only. What happens to it is foreseen when it arrives, by the policy that is held then, and
shown as far as the clock has come. A page is stopped by an acknowledgement, a resolution or a dismissal.
"""

import hashlib
import uuid
from datetime import UTC, datetime

from flask import Blueprint, Response, current_app, jsonify, request

from pdmigrate.sandbox.gate import SENT_AT, RefusedRequestError, document
from pdmigrate.sandbox.harness_document import Scope
from pdmigrate.sandbox.harness_gate import WEBHOOKS, find_project, now, setting, writing
from pdmigrate.sandbox.harness_paging import list_events, make_acknowledgement, write_millis
from pdmigrate.sandbox.harness_rendering import read_instant
from pdmigrate.sandbox.harness_services import find_service
from pdmigrate.sandbox.harness_wire import read_body
from pdmigrate.sandbox.store import Json

routes = Blueprint("harness_alerts", __name__)
MC = "/ir/tp/api/v1/mc"
PAGING_WEBHOOK, GENERAL_WEBHOOK = WEBHOOKS
PRIORITIES = {
    "p1_critical": "P1: Critical",
    "p2_error": "P2: Error",
    "p3_warning": "P3: Warning",
    "p4_info": "P4: Info",
}
STATUSES = ("triggered", "acknowledged", "resolved", "dismissed")
PATCHED = ("title", "description", "priority", "environments", "monitoringLink", "quietMode")
FEED = "pagerduty_feed"


def refuse(message: str, status: int = 400, code: str = "INVALID_REQUEST") -> RefusedRequestError:
    """An error of this part of the API: plain, without Harness's envelope."""
    return RefusedRequestError(status, {"message": message, "code": code, "correlationId": str(uuid.uuid4())})


# --- the ways in ---


def list_webhooks() -> Response:
    """What the UI shows: the paging webhook of each service of the directory, and two general ones, each with its key."""
    held, rows = document(), []
    for project in held["projects"]:
        scope = Scope(project["orgIdentifier"], project["identifier"])
        start = f"{scope.key}/"
        place = {"orgId": scope.org, "projectId": scope.project}
        for key in sorted(held["oncall"]["services"]):
            if key.startswith(start):
                id = _issue(held, key)
                path = f"{PAGING_WEBHOOK}{id}?key={_issue(held, key, 'key')}"
                rows.append({**place, "kind": "paging", "service": key.removeprefix(start), "path": path})
        for kind in ("general", FEED):
            id, token = _issue(held, f"{start}{kind}"), _issue(held, f"{start}{kind}", "key")
            path = f"{GENERAL_WEBHOOK}{held['account']}/api/v1/mc/webhook/{id}/{token}"
            rows.append({**place, "kind": kind, "service": None, "path": path})
    return jsonify({"webhooks": rows})


def _issue(held: Json, name: str, part: str = "id") -> str:
    return hashlib.sha256(f"webhook {part} {held['account']} {name}".encode()).hexdigest()[:24]


def _scopes() -> list[Scope]:
    return [Scope(one["orgIdentifier"], one["identifier"]) for one in document()["projects"]]


@routes.post(f"{PAGING_WEBHOOK}<webhook_id>")
def receive_page(webhook_id: str) -> Response:
    """The paging webhook of a service: everything that arrives pages."""
    held, body = document(), read_body()
    found = [
        (scope, key) for scope in _scopes() for key in held["oncall"]["services"] if key.startswith(f"{scope.key}/")
    ]
    scope, place = next(((s, key) for s, key in found if _issue(held, key) == webhook_id), (Scope(), ""))
    if not place or request.args.get("key") != _issue(held, place, "key"):
        raise refuse("The webhook's key is not valid.", 401, "INVALID_TOKEN")
    if not body.get("message"):
        raise refuse("message must not be empty")
    service = held["oncall"]["services"][place]
    said = {"title": body["message"], "description": body.get("email_text") or "", "service": service["identifier"]}
    said |= {"priority": body.get("priority") or "p1_critical", "status": body.get("status") or "triggered"}
    _keep(scope, said, service.get("escalation_policy"), f"PAGE_ALERT_{scope.project}")
    return jsonify({"message": "The alert was received."})


@routes.post(f"{GENERAL_WEBHOOK}<account>/api/v1/mc/webhook/<webhook_id>")
@routes.post(f"{GENERAL_WEBHOOK}<account>/api/v1/mc/webhook/<webhook_id>/<token>")
def receive_alert(account: str, webhook_id: str, token: str = "") -> Response:
    """A general webhook: routed by alert rules; PagerDuty's own feed comes in quiet mode and pages nobody, unless `feed_quiet` is off."""
    held, body = document(), read_body()
    named = [(scope, kind) for scope in _scopes() for kind in ("general", FEED)]
    scope, kind = next((one for one in named if _issue(held, f"{one[0].key}/{one[1]}") == webhook_id), (Scope(), ""))
    if not kind or account != held["account"] or token not in ("", _issue(held, f"{scope.key}/{kind}", "key")):
        raise refuse("The webhook is not known.", 401, "INVALID_TOKEN")
    said = _read_pagerduty(body) if kind == FEED else {**body, "title": body.get("title") or body.get("message")}
    if not said.get("title"):
        raise refuse("title must not be empty")
    name = said.get("service")
    said["service"] = _match_service(scope, setting("feed_services").get(name, name) if kind == FEED else name)
    _keep(
        scope,
        said,
        _route(scope, said["service"]),
        f"ALERT_{scope.project}",
        quiet=kind == FEED and setting("feed_quiet"),
    )
    return jsonify({"message": "The alert was received."})


def _read_pagerduty(body: Json) -> Json:
    """PagerDuty's V3 webhook, as Harness's template takes it."""
    event = body.get("event") or {}
    data = event.get("data") or {}
    status = {"incident.acknowledged": "acknowledged", "incident.resolved": "resolved"}.get(
        str(event.get("event_type"))
    )
    said = {"title": data.get("title"), "service": (data.get("service") or {}).get("summary"), "status": status}
    said |= {"deduplicationId": data.get("incident_key") or data.get("id"), "monitoringLink": data.get("html_url")}
    return said | {"priority": "p3_warning" if data.get("urgency") == "low" else "p1_critical"}


def _match_service(scope: Scope, name: str | None) -> str | None:
    rows = [row for row in document()["services"] if scope.holds(row)]
    return next((row["identifier"] for row in rows if name in (row["identifier"], row["name"])), None)


def _route(scope: Scope, service: str | None) -> str | None:
    """The policy of the rule for the service, where its paging is on; else that of the service."""
    start, oncall = f"{scope.key}/", document()["oncall"]
    rules = [row for key, row in sorted(oncall["alert_rules"].items()) if key.startswith(start)]
    rule = next((row for row in rules if row["service"] == service), None)
    rule = rule or next((row for row in rules if row["default_service"] and service is None), None)
    if rule is None or not rule["paging"]:
        return None
    policy: str | None = rule["escalation_policy"]
    return policy or (oncall["services"].get(f"{start}{rule['service']}") or {}).get("escalation_policy")


def _keep(scope: Scope, said: Json, policy: str | None, prefix: str, quiet: bool = False) -> None:
    """Remember an alert with all that will happen to it; or change the open one with its deduplication id."""
    quiet, at, status = bool(said.get("quietMode", quiet)), _clock(), said.get("status") or "triggered"
    priority = str(said.get("priority") or "p3_warning").lower()
    if priority not in PRIORITIES or status not in STATUSES:
        raise refuse(f"{priority} {status}: no such priority or status")
    with current_app.config["STORE"].change() as held:
        alerts, same = held.setdefault("alerts", []), said.get("deduplicationId")
        known = [one for one in alerts if same and one["deduplicationId"] == same and one["scope"] == scope.key]
        for one in known:
            if one["created"] <= write_millis(at) and (not one["ended"] or write_millis(at) <= one["ended"][1]):
                if not one["ended"] and status != "triggered":  # what is sent once more changes nothing
                    _set_status(one, status, at, "webhook")
                return
        number = 1 + sum(one["prettyId"].startswith(f"{prefix}-") for one in alerts)
        pages = policy and not quiet and status == "triggered"
        reading, answered = setting("reading"), setting("page_answered_after")
        events = list_events(held, scope, policy, at, reading, answered) if policy and pages else []
        created = {
            "eventType": "ALERT_CREATED",
            "timestamp": write_millis(at),
            "actor": "webhook",
            "message": said["title"],
        }
        # a timeline tells of other things too, and not all events have an actor or words
        other = {"eventType": "SIMILAR_ALERTS_SEARCHED", "timestamp": write_millis(at), "eventGroup": "AI", "found": {}}
        alert = {"prettyId": f"{prefix}-{number}", "scope": scope.key, "title": said["title"], "quietMode": quiet}
        alert |= {"description": said.get("description") or "", "priority": priority, "service": said["service"]}
        alert |= {"deduplicationId": same, "monitoringLink": said.get("monitoringLink"), "ended": None, "patched": {}}
        alerts.append(alert | {"created": write_millis(at), "events": [created, other, *events]})
        if status != "triggered":
            _set_status(alerts[-1], status, at, "webhook")


# --- the API ---


def _read_scope() -> Scope:
    args = request.args
    missing = [name for name in ("accountId", "orgId", "projectId") if not args.get(name)]
    if missing:
        raise refuse(f"{', '.join(missing)} must be given")
    if not find_project(args["orgId"], args["projectId"]):
        raise refuse(f"Project {args['projectId']} does not exist", 404, "RESOURCE_NOT_FOUND_EXCEPTION")
    return Scope(args["orgId"], args["projectId"])


def _find(scope: Scope, pretty_id: str, held: Json) -> Json:
    rows = (one for one in held.get("alerts", ()) if one["scope"] == scope.key and one["prettyId"] == pretty_id)
    found: Json | None = next(rows, None)
    if found is None:
        raise refuse(f"Alert {pretty_id} does not exist", 404, "RESOURCE_NOT_FOUND_EXCEPTION")
    return found


@routes.get(f"{MC}/alerts")
def list_alerts() -> Response:
    """A page of alerts, the newest first unless asked otherwise."""
    scope, args = _read_scope(), request.args
    wanted = {name: {text.lower() for text in args.getlist(name)} for name in ("status", "priority", "impactedService")}
    unknown = (wanted["status"] - {*STATUSES}) | (wanted["priority"] - PRIORITIES.keys())
    unknown |= {name for name in args.getlist("impactedService") if not find_service(document(), scope, name)}
    if unknown:
        raise refuse(f"{', '.join(sorted(unknown))}: no such value")
    try:
        after, before = (read_instant(args[n]) if n in args else None for n in ("createdAfter", "createdBefore"))
    except ValueError as wrong:
        raise refuse(str(wrong)) from None
    text = args.get("text", "").casefold()
    rows = []
    for one in document().get("alerts", ()):
        shown = _show(one)
        fits = one["scope"] == scope.key and text in f"{shown['title']} {shown['description']}".casefold()
        fits = fits and (not wanted["status"] or shown["status"].lower() in wanted["status"])
        fits = fits and (not wanted["priority"] or one["priority"] in wanted["priority"])
        fits = fits and (not wanted["impactedService"] or str(one["service"]).lower() in wanted["impactedService"])
        fits = fits and (after is None or one["created"] >= write_millis(after))
        if fits and (before is None or one["created"] <= write_millis(before)):
            rows.append(shown)
    rows.sort(key=lambda one: one["createdAtTimestamp"], reverse=args.get("sortDirection", "DESC").upper() == "DESC")
    page, size = _number("page", 0), _number("pageSize", 20, most=100)
    return jsonify({"entities": rows[page * size : (page + 1) * size], "totalCount": len(rows)})


@routes.get(f"{MC}/alerts/<pretty_id>")
def get_alert(pretty_id: str) -> Response:
    return jsonify(_show(_find(_read_scope(), pretty_id, document())))


@routes.patch(f"{MC}/alerts/<pretty_id>")
def patch_alert(pretty_id: str) -> Response:
    scope, changes = _read_scope(), read_body()
    _find(scope, pretty_id, document())
    with writing(pretty_id, "iro_alert_edit", "IRO_ALERT") as held:
        alert = _find(scope, pretty_id, held)
        alert["patched"] |= {name: value for name, value in changes.items() if name in PATCHED}
    return jsonify(_show(alert))


@routes.post(f"{MC}/alerts/<pretty_id>/<any(acknowledge, resolve, dismiss):change>")
def change_alert(pretty_id: str, change: str) -> Response:
    scope = _read_scope()
    _find(scope, pretty_id, document())
    status = {"acknowledge": "acknowledged", "resolve": "resolved", "dismiss": "dismissed"}[change]
    with writing(pretty_id, "iro_alert_edit", "IRO_ALERT") as held:
        alert = _find(scope, pretty_id, held)
        _set_status(alert, status, _clock(), "api key")
    return jsonify(_show(alert))


@routes.get(f"{MC}/activities/<pretty_id>/timeline")
def get_timeline(pretty_id: str) -> Response:
    """A page of an alert's timeline, oldest first; `cursor` of one page's `nextPageCursor` asks for the next."""
    alert, groups = _find(_read_scope(), pretty_id, document()), request.args.getlist("eventGroups")
    events = [one for one in _list_shown(alert) if not groups or one.get("eventGroup") in groups]
    start, size = _number("cursor", 0), min(_number("pageSize", 100), 100)
    more = start + size < len(events)
    shown = [_rename(one) for one in events[start : start + size]]
    following = {"hasMoreResults": more, "nextPageCursor": str(start + size) if more else None}
    return jsonify({"results": shown, **following})


def _rename(event: Json) -> Json:
    """The event in the words of a Harness that calls fields and types otherwise."""
    words = setting("renamed_events")
    told = {words.get(name, name): value for name, value in event.items()}
    return {name: words.get(value, value) if isinstance(value, str) else value for name, value in told.items()}


@routes.post(f"{MC}/activities/<pretty_id>/timeline")
def add_message(pretty_id: str) -> Response:
    scope, message = _read_scope(), read_body().get("message")
    _find(scope, pretty_id, document())
    with writing(pretty_id, "iro_alert_edit", "IRO_ALERT") as held:
        alert, at = _find(scope, pretty_id, held), write_millis(_clock())
        alert["events"].append({"eventType": "MESSAGE", "timestamp": at, "actor": "api key", "message": message})
    return jsonify({})


def acknowledge_page() -> Response:
    """Somebody presses the button on the telephone: `alert` and `email`."""
    body = read_body()
    with current_app.config["STORE"].change() as held:
        alert = next((one for one in held.get("alerts", ()) if one["prettyId"] == body.get("alert")), None)
        if alert is None:
            raise refuse(f"Alert {body.get('alert')} does not exist", 404)
        _set_status(alert, "acknowledged", _clock(), str(body.get("email")))
    return jsonify(_show(alert))


def _set_status(alert: Json, status: str, at: datetime, actor: str) -> None:
    """What was foreseen from here on does not happen."""
    happened = [one for one in alert["events"] if one["timestamp"] <= write_millis(at)]
    if status == "acknowledged" and not any(one["eventType"] == "PAGE_ACKNOWLEDGED" for one in happened):
        happened.append(make_acknowledgement(at, actor))
    alert["events"] = happened
    if status in ("resolved", "dismissed"):
        alert["ended"] = [status, write_millis(at)]


def _list_shown(alert: Json) -> list[Json]:
    """The events so far, each with its id."""
    marked = [{"eventId": f"{alert['prettyId']}-{number}", **one} for number, one in enumerate(alert["events"])]
    return [one for one in marked if one["timestamp"] <= write_millis(_clock())]


def _show(alert: Json) -> Json:
    events = _list_shown(alert)
    acknowledged = next((one["timestamp"] for one in events if one["eventType"] == "PAGE_ACKNOWLEDGED"), None)
    status, ended = alert["ended"] or ("acknowledged" if acknowledged else "triggered", None)
    shown = {name: alert[name] for name in ("prettyId", "title", "description", "deduplicationId", "quietMode")}
    shown |= {"monitoringLink": alert["monitoringLink"], "projectId": alert["scope"].split("/")[-1], **alert["patched"]}
    priority = str(alert["patched"].get("priority") or alert["priority"]).lower()
    shown |= {
        "status": status.upper(),
        "priority": {"id": priority.upper(), "label": PRIORITIES.get(priority, priority)},
    }
    shown |= {"impactedServices": [alert["service"]] if alert["service"] else [], "environments": [], "keyEvents": []}
    times = {"createdAtTimestamp": alert["created"], "acknowledgedAtTimestamp": acknowledged}
    return shown | times | {"resolvedAtTimestamp": ended if status == "resolved" else None}


def _clock() -> datetime:
    sent = request.headers.get(SENT_AT) if request.path.startswith(GENERAL_WEBHOOK) else None
    return read_instant(sent) if sent else datetime.fromtimestamp(now(), UTC)


def _number(name: str, default: int, most: int | None = None) -> int:
    text = request.args.get(name, str(default))
    if not text.isdigit() or (most is not None and not 1 <= int(text) <= most):
        raise refuse(f"{name} must be a whole number" + (f" of 1 to {most}" if most else ""))
    return int(text)
