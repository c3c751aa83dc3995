"""The history of the embedded PagerDuty over HTTP: incidents, their log entries, notifications; all GET.

Times are written in the account's zone for log entries and notifications and in UTC for incidents, unless `time_zone` is
asked for; the log comes newest first, incidents and notifications oldest first; both edges of a time that is asked for
belong to it.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from datetime import datetime
from typing import cast
from zoneinfo import ZoneInfo

from dateutil.relativedelta import relativedelta
from flask import Flask, request

from pdmigrate.sandbox.gate import document
from pdmigrate.sandbox.history import History, issue_id, read_history
from pdmigrate.sandbox.history_course import Entry, Incident, Notice
from pdmigrate.sandbox.pagerduty_lists import expand, find, shape_policy, shape_service, shape_user, stored
from pdmigrate.sandbox.pagerduty_schedules import find_user_zone, read_time, read_zone, write_instant
from pdmigrate.sandbox.pagerduty_wire import as_reference, asked, included, invalid, not_found, paged
from pdmigrate.sandbox.store import Json

UTC_ZONE = ZoneInfo("UTC")
FIRST_NUMBER = 1001
MINOR = ("notify_log_entry", "assign_log_entry", "annotate_log_entry")
"""What is_overview=true leaves out."""
ORDERS = ("incident_number", "created_at", "resolved_at", "urgency")


def add_history(app: Flask) -> None:
    """Add the routes of what happened."""
    app.add_url_rule("/incidents", "incidents", list_incidents)
    app.add_url_rule("/incidents/<incident_id>", "incident", get_incident)
    app.add_url_rule("/incidents/<incident_id>/log_entries", "incident_log", list_incident_log)
    app.add_url_rule("/log_entries", "log_entries", list_log)
    app.add_url_rule("/log_entries/<entry_id>", "log_entry", get_log_entry)
    app.add_url_rule("/notifications", "notifications", list_notifications)


def list_incidents() -> Json:
    """A page of the incidents that were triggered in a month, or in six at most, as the request has it."""
    history = read_history()
    zone = read_zone(UTC_ZONE)
    since, until = _read_month(history)
    services, teams = (set(request.args.getlist(name)) for name in ("service_ids[]", "team_ids[]"))
    statuses, urgencies = (set(request.args.getlist(name)) for name in ("statuses[]", "urgencies[]"))
    users, key = set(request.args.getlist("user_ids[]")), request.args.get("incident_key")
    found = [
        (place, one)
        for place, one in enumerate(history.incidents)
        if (not since or since <= one.created)
        and (not until or one.created <= until)
        and (not services or one.service["id"] in services)
        and (not teams or teams & {team["id"] for team in one.policy.get("teams") or []})
        and (not statuses or one.status in statuses)
        and (not urgencies or one.urgency in urgencies)
        and (not users or users & {user["id"] for _, user in one.assigned})
        and (not key or key == _key(one))
    ]
    for order in reversed(list(filter(None, request.args.get("sort_by", "").split(",")))):
        field, _, way = order.partition(":")
        if field not in ORDERS or way not in ("", "asc", "desc"):
            raise invalid(f"Sort by {order} is not known.")
        found.sort(key=lambda row: _sort_key(field, *row), reverse=way == "desc")
    page = paged(found, "incidents")  # type: ignore[arg-type]  # rows; they are shaped after the cut
    return {**page, "incidents": [shape_incident(one, place, zone) for place, one in page["incidents"]]}


def _sort_key(field: str, place: int, incident: Incident) -> tuple[str, int]:
    said = {"urgency": incident.urgency, "resolved_at": incident.changed.isoformat()}
    return said.get(field, ""), place


def _read_month(history: History) -> tuple[datetime | None, datetime | None]:
    if request.args.get("date_range") == "all":
        return None, None
    zone = read_zone(find_user_zone())
    since, until = read_time("since", zone), read_time("until", zone)
    month = relativedelta(months=1)
    since = since or (until or history.until) - month
    until = until or since + month
    if until < since or until > since + relativedelta(months=6):
        raise invalid("Until must be after since, and at most six months after it.")
    return since, until


def get_incident(incident_id: str) -> Json:
    """One incident, by its id or its number."""
    place, incident = _find_incident(incident_id)
    return {"incident": shape_incident(incident, place, read_zone(UTC_ZONE))}


def list_incident_log(incident_id: str) -> Json:
    """A page of an incident's log."""
    place, incident = _find_incident(incident_id)
    return _page_log([(entry, place) for entry in incident.log])


def list_log() -> Json:
    """A page of the log of the whole account."""
    history = read_history()
    teams = set(request.args.getlist("team_ids[]"))
    entries = history.entries
    if teams:
        of_teams = [bool(teams & {team["id"] for team in one.policy.get("teams") or []}) for one in history.incidents]
        entries = [row for row in entries if of_teams[row[1]]]
    return _page_log(entries)


def get_log_entry(entry_id: str) -> Json:
    """One line of the log."""
    history, zone = read_history(), read_zone(find_user_zone())
    for entry, place in history.entries:
        if _mark(entry, history.incidents[place]) == entry_id:
            return {"log_entry": shape_entry(entry, history.incidents[place], place, zone)}
    raise not_found()


def list_notifications() -> Json:
    """A page of the notifications between since and until, which are required and less than three months apart."""
    history, zone = read_history(), read_zone(find_user_zone())
    since, until = read_time("since", zone), read_time("until", zone)
    if since is None or until is None:
        raise invalid("Since and until are required.")
    if not since <= until < since + relativedelta(months=3):
        raise invalid("Until must be after since, and less than 3 months after it.")
    wanted = request.args.get("filter")
    found = _between(history.entries, since, until)
    rows = [row for row in found if row[0].notice and wanted in (None, row[0].notice.kind)]
    page = paged(rows, "notifications")  # type: ignore[arg-type]  # as above
    shown = [_shape_notice(entry, history.incidents[place], zone) for entry, place in page["notifications"]]
    return {**page, "notifications": shown}


def _between(
    entries: Sequence[tuple[Entry, int]], since: datetime | None, until: datetime | None
) -> Sequence[tuple[Entry, int]]:
    first = bisect_left(entries, since, key=lambda row: row[0].at) if since else 0
    last = bisect_right(entries, until, key=lambda row: row[0].at) if until else len(entries)
    return entries[first:last]


def _page_log(entries: Sequence[tuple[Entry, int]]) -> Json:
    history, zone = read_history(), read_zone(find_user_zone())
    since, until = read_time("since", zone), read_time("until", zone)
    found = _between(entries, since, until)[::-1]
    if asked("is_overview"):
        found = [row for row in found if row[0].kind not in MINOR]
    page = paged(found, "log_entries")  # type: ignore[arg-type]  # as above
    rows = [shape_entry(entry, history.incidents[place], place, zone) for entry, place in page["log_entries"]]
    return {**page, "log_entries": rows}


def _find_incident(incident_id: str) -> tuple[int, Incident]:
    history = read_history()
    place = int(incident_id) - FIRST_NUMBER if incident_id.isdecimal() else history.places.get(incident_id, -1)
    if not 0 <= place < len(history.incidents):
        raise not_found()
    return place, history.incidents[place]


# --- shapes ---


def shape_incident(incident: Incident, place: int, zone: ZoneInfo) -> Json:
    """The answer for one incident."""
    first, number, is_over = incident.log[0], FIRST_NUMBER + place, incident.status == "resolved"
    id = incident.id
    ended = write_instant(incident.changed, zone) if is_over else None
    changed = incident.changed if incident.changed > incident.created else incident.log[-1].at
    trigger = {name: value for name, value in _name_entry(first, incident).items() if name != "created_at"}
    people = {user["id"]: user for user in stored("users")}
    shown = {user_id: shape_user(user) for user_id, user in people.items()} if included("assignees") else {}
    return {
        "id": id,
        "type": "incident",
        "summary": f"[#{number}] {incident.title}",
        "self": f"https://api.pagerduty.com/incidents/{id}",
        "html_url": f"{_site()}/incidents/{id}",
        "incident_number": number,
        "title": incident.title,
        "description": incident.title,
        "created_at": write_instant(incident.created, zone),
        "updated_at": write_instant(incident.log[-1].at, zone),
        "status": incident.status,
        "incident_key": _key(incident),
        "service": shape_service(incident.service) if included("services") else as_reference(incident.service),
        "assignments": [
            {"at": write_instant(at, zone), "assignee": shown.get(user["id"], user)} for at, user in incident.assigned
        ],
        "assigned_via": incident.via,
        "last_status_change_at": write_instant(changed, zone),
        "resolved_at": ended,
        "first_trigger_log_entry": (
            shape_entry(first, incident, place, zone)
            if included("first_trigger_log_entries")
            else {**trigger, "type": "trigger_log_entry_reference"}
        ),
        "alert_counts": {"all": 1, "triggered": int(not is_over), "resolved": int(is_over)},
        "is_mergeable": True,
        "incident_type": {"name": "incident_default"},
        "escalation_policy": (
            shape_policy(incident.policy) if included("escalation_policies") else as_reference(incident.policy)
        ),
        "teams": expand(incident.policy.get("teams") or [], "teams", "teams"),
        "pending_actions": [_shape_action(name, at, zone) for name, at in incident.pending],
        "acknowledgements": [{"at": write_instant(at, zone), "acknowledger": one} for at, one in incident.acknowledged],
        "last_status_change_by": incident.changed_by or as_reference(incident.service),
        "priority": None,
        "resolve_reason": None,
        "urgency": incident.urgency,
    }


def shape_entry(entry: Entry, incident: Incident, place: int, zone: ZoneInfo) -> Json:
    """The answer for one line of the log."""
    whole = shape_incident(incident, place, zone) if included("incidents") else None
    number, id = FIRST_NUMBER + place, incident.id
    channel: Json = {"type": entry.channel}
    if entry.notice:
        channel["notification"] = {**_shape_notice(entry, incident, zone), "status": "success"}
    if included("channels") and entry.kind == "trigger_log_entry":
        details = {"severity": incident.severity, "component": incident.service["name"]}
        channel |= {"summary": incident.title, "description": incident.title, "incident_key": _key(incident)}
        channel["details"] = details
    more = dict(entry.more)
    if "changed_actions" in more:
        more["changed_actions"] = [_shape_action(one["type"], one["at"], zone) for one in more["changed_actions"]]
    reference = {
        "id": id,
        "type": "incident_reference",
        "summary": f"[#{number}] {incident.title}",
        "self": f"https://api.pagerduty.com/incidents/{id}",
        "html_url": f"{_site()}/incidents/{id}",
    }
    details = {"description": incident.title} if entry.kind == "trigger_log_entry" else {}
    return {
        **_name_entry(entry, incident),
        "created_at": write_instant(entry.at, zone),
        "agent": entry.agent,
        "channel": channel,
        "service": shape_service(incident.service) if included("services") else as_reference(incident.service),
        "incident": whole or reference,
        "teams": expand(incident.policy.get("teams") or [], "teams", "teams"),
        "contexts": [],
        "event_details": details,
        **more,
    }


def _name_entry(entry: Entry, incident: Incident) -> Json:
    mark, id = _mark(entry, incident), incident.id
    return {
        "id": mark,
        "type": entry.kind,
        "summary": entry.words,
        "self": f"https://api.pagerduty.com/log_entries/{mark}?incident_id={id}",
        "html_url": f"{_site()}/incidents/{id}/log_entries/{mark}",
    }


def _shape_notice(entry: Entry, incident: Incident, zone: ZoneInfo) -> Json:
    notice = cast(Notice, entry.notice)
    user = shape_user(find("users", notice.user["id"])) if included("users") else notice.user
    mark = issue_id("P", 13, _mark(entry, incident))
    shown = {"id": mark, "type": notice.kind, "started_at": write_instant(notice.at, zone)}
    return shown | ({"address": notice.address} if notice.address else {}) | {"user": user}


def _shape_action(name: str, at: datetime, zone: ZoneInfo) -> Json:
    return {"type": name, "at": write_instant(at, zone)} | ({"to": "high"} if name == "urgency_change" else {})


def _key(incident: Incident) -> str:
    return issue_id("", 32, "key", incident.id).lower()


def _mark(entry: Entry, incident: Incident) -> str:
    return issue_id("R", 25, incident.id, str(entry.number))


def _site() -> str:
    return f"https://{document().get('subdomain') or 'acme'}.pagerduty.com"
