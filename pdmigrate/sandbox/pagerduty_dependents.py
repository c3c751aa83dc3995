"""What else hangs on an embedded PagerDuty: extensions, webhooks, workflows, pages and the rest, listed only."""

from functools import partial

from flask import Flask, request

from pdmigrate.sandbox.gate import document
from pdmigrate.sandbox.pagerduty_lists import find, select, stored
from pdmigrate.sandbox.pagerduty_wire import not_found, paged
from pdmigrate.sandbox.store import Json

BY_OFFSET = ("extensions", "webhook_subscriptions", "addons", "incident_workflows", "tags", "status_pages")
BY_MARK = {
    "incident_workflow_triggers": ("/incident_workflows/triggers", "triggers", "cursor", "next_cursor"),
    "automation_actions": ("/automation_actions/actions", "actions", "cursor", "next_cursor"),
    "automation_runners": ("/automation_actions/runners", "runners", "cursor", "next_cursor"),
    "status_dashboards": ("/status_dashboards", "status_dashboards", "cursor", "next_cursor"),
    "alert_grouping_settings": ("/alert_grouping_settings", "alert_grouping_settings", "after", "after"),
}
"""Where the account keeps them: the path, the list's name, the parameter of the mark, and what an answer calls the next one."""
DEPENDENTS = (*BY_OFFSET, *BY_MARK, "licenses", "service_dependencies")


def add_dependents(app: Flask) -> None:
    """Add the routes of what hangs on the account."""
    for kind in BY_OFFSET:
        app.add_url_rule(f"/{kind}", kind, partial(list_by_offset, kind))
    for kind, (path, *shape) in BY_MARK.items():
        app.add_url_rule(path, kind, partial(list_by_mark, kind, *shape))
    app.add_url_rule("/licenses", "licenses", lambda: {"licenses": list_known("licenses")})
    for owners in ("business_services", "services"):
        path = f"/service_dependencies/{'technical_' * (owners == 'services')}{owners}/<service_id>"
        app.add_url_rule(path, f"dependencies_of_{owners}", partial(list_dependencies, owners))


def list_known(kind: str) -> list[Json]:
    """The records of a kind; where a recorded account does not have it, nobody knows of it: 404."""
    if document().get("recorded") and kind not in document():
        raise not_found()
    return stored(kind)


def list_by_offset(kind: str) -> Json:
    return paged(select(list_known(kind)), kind)


def list_by_mark(kind: str, plural: str, parameter: str, following: str) -> Json:
    """A page of a list whose answers say where the next one begins."""
    records, limit = list_known(kind), min(int(request.args.get("limit", 25)), 100)
    start = int(request.args.get(parameter) or 0)
    further = str(start + limit) if start + limit < len(records) else None
    return {plural: records[start : start + limit], "limit": limit, following: further}


def list_dependencies(owners: str, service_id: str) -> Json:
    """The dependencies that a service has a part in, on either side."""
    find(owners, service_id)
    sides = ("supporting_service", "dependent_service")
    rows = list_known("service_dependencies")
    return {"relationships": [row for row in rows if service_id in {row[side]["id"] for side in sides}]}
