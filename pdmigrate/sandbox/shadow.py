"""A shadow night: the embedded PagerDuty sends what happened to the feed of an embedded Harness, as its V3 webhooks would.

`POST /sandbox/feed` with `harness` (its address), `since`, `until`, `faults` of the feed, and `services`, by what names the
webhook in Harness is told to know PagerDuty's. Every webhook says in a header
when it was sent, and the embedded Harness takes that for its clock: so a night that is over is played in a moment.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from urllib.parse import urlsplit
from urllib.request import Request, urlopen

from flask import Flask, request

from pdmigrate.sandbox.gate import SENT_AT, RefusedRequestError
from pdmigrate.sandbox.history import read_history
from pdmigrate.sandbox.history_course import Incident
from pdmigrate.sandbox.history_routes import shape_incident
from pdmigrate.sandbox.pagerduty_schedules import write_instant
from pdmigrate.sandbox.pagerduty_zones import find_zone
from pdmigrate.sandbox.rendering import read_instant
from pdmigrate.sandbox.store import Json

UTC_ZONE = find_zone("UTC")
EVENTS = {
    "trigger_log_entry": "incident.triggered",
    "acknowledge_log_entry": "incident.acknowledged",
    "resolve_log_entry": "incident.resolved",
}
"""What a subscription for a parallel run asks for."""
STATUSES = {
    "incident.triggered": "triggered",
    "incident.acknowledged": "acknowledged",
    "incident.resolved": "resolved",
}
HEADERS = {"Content-Type": "application/json"}
OF_AN_INCIDENT = ("drop", "double", "late", "no_key", "service")
FAULTS = (*OF_AN_INCIDENT, "dead", "clock")
"""What can go wrong on the way. drop, double, late (`seconds`), no_key, service (`service`: another one's name): of the
`incident` of that number. dead: nothing is sent from `at` on. clock: Harness's clock is `seconds` ahead."""


@dataclass(frozen=True)
class Delivery:
    """One webhook on its way."""

    at: datetime
    number: int
    event: Json


def add_feed(app: Flask) -> None:
    """Add the route that plays a night."""
    app.add_url_rule("/sandbox/feed", "play_feed", play_feed, methods=["POST"])


def send_night(pagerduty: str, body: Json) -> int:
    """Have the embedded PagerDuty at that address play a night: how many webhooks it sent."""
    asked = Request(f"{pagerduty}/sandbox/feed", json.dumps(body).encode(), HEADERS)  # noqa: S310 - http, on loopback
    return int(json.loads(_ask(asked))["sent"])


def play_feed() -> Json:
    """Send what happened from since until until; the answer is how many webhooks were sent."""
    body = request.get_json(force=True)
    faults = body.get("faults") or []
    unknown = sorted({str(fault.get("kind")) for fault in faults} - {*FAULTS})
    address = urlsplit(body["harness"])
    if unknown or address.hostname not in ("127.0.0.1", "localhost"):
        raise RefusedRequestError(400, {"error": f"{', '.join(unknown) or body['harness']}: no such fault or address"})
    base = f"{address.scheme}://{address.netloc}"
    rows = json.loads(_ask(Request(f"{base}/sandbox/webhooks")))["webhooks"]  # noqa: S310 - http, on loopback
    path = next(row["path"] for row in rows if row["kind"] == "pagerduty_feed")
    config = {"feed_services": body.get("services") or {}}
    _ask(Request(f"{base}/sandbox/config", json.dumps(config).encode(), HEADERS))  # noqa: S310 - as above
    sent = list(spoil(list(make_deliveries(read_instant(body["since"]), read_instant(body["until"]))), faults))
    for one in sorted(sent, key=lambda delivery: delivery.at):
        headers = HEADERS | {SENT_AT: one.at.isoformat()}
        _ask(Request(base + path, json.dumps({"event": one.event}).encode(), headers))  # noqa: S310 - as above
    return {"sent": len(sent)}


def _ask(asked: Request) -> bytes:
    with urlopen(asked, timeout=30) as answer:  # noqa: S310 - as above
        found: bytes = answer.read()
        return found


def make_deliveries(since: datetime, until: datetime) -> Iterator[Delivery]:
    """A webhook for each thing that happened to an incident of that time; PagerDuty takes some seconds to send it."""
    for place, incident in enumerate(read_history().incidents):
        if not since <= incident.created < until:
            continue
        shown = _shape_data(incident, place)
        for entry in incident.log:
            kind = EVENTS.get(entry.kind)
            if kind:
                sent = entry.at + timedelta(seconds=1 + place % 5)
                event: Json = {"id": f"{incident.id}-{entry.number}", "event_type": kind, "resource_type": "incident"}
                event |= {"occurred_at": write_instant(entry.at, UTC_ZONE), "agent": entry.agent, "client": None}
                yield Delivery(sent, shown["number"], event | {"data": shown | {"status": STATUSES[kind]}})


def _shape_data(incident: Incident, place: int) -> Json:
    """An incident as a V3 webhook has it."""
    whole = shape_incident(incident, place, UTC_ZONE)
    names = ("id", "self", "html_url", "incident_key", "created_at", "title", "service", "escalation_policy", "teams")
    shown = {name: whole[name] for name in names} | {"type": "incident", "number": whole["incident_number"]}
    return shown | {"urgency": incident.urgency, "priority": None, "assignees": [], "conference_bridge": None}


def spoil(deliveries: list[Delivery], faults: list[Json]) -> Iterator[Delivery]:
    """What of the deliveries arrives, and how, with these faults on the way."""
    ahead = sum(fault["seconds"] for fault in faults if fault["kind"] == "clock")
    ends = [read_instant(fault["at"]) for fault in faults if fault["kind"] == "dead"]
    for delivery in deliveries:
        if any(delivery.at >= end for end in ends):
            continue
        arriving = [delivery]
        for fault in faults:
            if fault["kind"] in OF_AN_INCIDENT and fault["incident"] == delivery.number:
                arriving = [late for one in arriving for late in _spoil_one(one, fault)]
        yield from (replace(one, at=one.at + timedelta(seconds=ahead)) for one in arriving)


def _spoil_one(one: Delivery, fault: Json) -> list[Delivery]:
    """double: the second copy comes without the key of the first, so that Harness does not know them for one."""
    kind, data = fault["kind"], one.event["data"]
    if kind == "drop":
        return []
    if kind == "late":
        return [replace(one, at=one.at + timedelta(seconds=fault["seconds"]))]
    changes: dict[str, Json] = {
        "double": {"incident_key": None},
        "no_key": {"incident_key": None, "id": None, "html_url": None},
        "service": {"service": data["service"] | {"summary": fault.get("service")}},
    }
    changed = replace(one, event=one.event | {"data": data | changes[kind]})
    return [one, changed] if kind == "double" else [changed]
