"""Who else talks to PagerDuty: what is told of its incidents, acts on them, or stands in it for others to see.

Nobody is paged by any of it, so it is counted and listed for people, and what cannot be read stops nothing. Addresses,
keys, headers, scripts and conditions are never kept: what stays of a row is what `keep` names, and nothing else.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Literal

Row = dict[str, Any]


@dataclass(frozen=True)
class DependentKind:
    """One kind, all there is to say of it. does: what it is for today. then: what a person does about it in a move.

    key: what its answers call the list, where that is not the kind's name in a snapshot. pages: how the list is cut, by
    PagerDuty's OpenAPI file: by `offset`, by the mark of the `next_cursor` or `after` it answers with, or not at all (`whole`).
    sort: the field that tells one sort of it from another.
    """

    label: str
    path: str
    does: str
    then: str
    key: str = ""
    pages: Literal["offset", "next_cursor", "after", "whole"] = "offset"
    sort: str = ""


DEPENDENTS = {
    "extensions": DependentKind(
        "Extensions",
        "/extensions",
        "Pass the incidents of a service on: to Slack, a ticket system, a webhook.",
        "Ask the owners of the service whether the tool still needs it. Connect the tool to Harness before the service's "
        "senders are re-pointed: from then on nothing comes from here.",
        sort="extension_schema",
    ),
    "webhook_subscriptions": DependentKind(
        "Webhook subscriptions",
        "/webhook_subscriptions",
        "Tell another system of each change of an incident.",
        "Find who runs the receiver: it falls silent when the last service is re-pointed. Feed it from Harness, or retire it. "
        "Its address is in PagerDuty only, pdmigrate keeps none.",
    ),
    "addons": DependentKind(
        "Add-ons",
        "/addons",
        "Show a page of another system inside PagerDuty.",
        "Nothing to rebuild: tell those who use it where the page itself is.",
        sort="type",
    ),
    "incident_workflows": DependentKind(
        "Incident workflows",
        "/incident_workflows",
        "Run steps on an incident: open a channel, add responders, send updates.",
        "Ask who relies on it. Rebuild what is still used as a runbook in Harness, try it on a test incident, then retire it. "
        "One that adds responders pages people: parity does not cover it.",
    ),
    "incident_workflow_triggers": DependentKind(
        "Triggers of workflows",
        "/incident_workflows/triggers",
        "Start a workflow, by hand or by themselves, on the incidents of these services.",
        "Give the runbook the same start, for the same services, before these are re-pointed.",
        key="triggers",
        pages="next_cursor",
        sort="trigger_type",
    ),
    "automation_actions": DependentKind(
        "Automation actions",
        "/automation_actions/actions",
        "Run a script or a job from an incident.",
        "The job stays where it runs, its button goes: call it from a runbook in Harness, or tell responders how to run it.",
        key="actions",
        pages="next_cursor",
        sort="action_type",
    ),
    "automation_runners": DependentKind(
        "Automation runners",
        "/automation_actions/runners",
        "Run those actions inside the company's network.",
        "Switch it off when its last action has moved, and take back the access that it was given.",
        key="runners",
        pages="next_cursor",
        sort="runner_type",
    ),
    "status_dashboards": DependentKind(
        "Status dashboards",
        "/status_dashboards",
        "Show colleagues which business services are down.",
        "Decide where colleagues will look instead, and tell them before the first service is re-pointed.",
        pages="whole",
    ),
    "status_pages": DependentKind(
        "Status pages",
        "/status_pages",
        "Tell customers of outages, and notify who subscribed.",
        "Decide early: subscribers and the page's own address have to move too, or the page stays with PagerDuty and somebody "
        "posts by hand.",
        pages="whole",
        sort="status_page_type",
    ),
    "service_dependencies": DependentKind(
        "Service dependencies",
        "/service_dependencies/business_services/{id}",
        "Say which service another one needs.",
        "Enter those that people still look at in Harness's service directory; the others are history.",
        key="relationships",
        pages="whole",
    ),
    "tags": DependentKind(
        "Tags",
        "/tags",
        "Mark people, teams and policies, for filters and reports.",
        "Ask whether a report or a script filters by it. What is carried over has no tags.",
    ),
    "alert_grouping_settings": DependentKind(
        "Alert grouping settings",
        "/alert_grouping_settings",
        "Make one incident, and one page, of many alerts.",
        "Expect more pages: nothing of it is carried over. Agree with the team how its alerts are to be grouped before the "
        "senders are re-pointed.",
        pages="after",
        sort="type",
    ),
    "licenses": DependentKind(
        "Licences",
        "/licenses",
        "Are what is paid for.",
        "Look up the date to give notice, and keep enough seats until the last team has said go.",
        pages="whole",
    ),
}
"""Kinds by their name in a snapshot, each one list of PagerDuty's; the preview page has what routes and suppresses alerts."""

PLAYS = DependentKind(
    "Response plays",
    "/services",
    "Are run by themselves on each incident of the service.",
    "One that adds responders pages people: parity does not cover it. Rebuild it as a runbook in Harness. Plays that no "
    "service names are not listed here: PagerDuty documents no list of them any more.",
)
"""They are read from the services that name one."""
LISTED = {**DEPENDENTS, "response_plays": PLAYS}


@dataclass(frozen=True)
class Dependent:
    """One of them. on: the names of what it hangs on. owner: whom it names, or the teams of what it hangs on. state: "" where it is on.

    link: PagerDuty's page of it, or of what it hangs on; `opens` says of which.
    """

    kind: str
    id: str
    name: str
    sort: str = ""
    on: tuple[str, ...] = field(default=())
    owner: str = ""
    link: str = ""
    opens: str = ""
    state: str = ""


# --- what may stay ---

WORDS = ("name", "summary", "label", "description")
"""The names that it may have; the first is kept, without addresses and keys that somebody wrote into it."""
PLAIN = (
    *("id", "type", "action_type", "runner_type", "trigger_type", "status_page_type"),
    *("active", "is_enabled", "is_disabled", "temporarily_disabled"),
    *("is_subscribed_to_all_services", "map_to_all_services", "current_value", "allocations_available"),
)
ON = ("extension_objects", "services", "filter", "dependent_service", "supporting_service")
OWNERS = ("team", "teams", "oauth_client", "created_by")
REFERENCES = (*ON, *OWNERS, "extension_schema", "workflow")
ADDRESS = re.compile(r"\b[\w+.-]+://\S+")
KEY = re.compile(r"\b[0-9A-Za-z]{32,}\b")
PAGE_OF_PAGERDUTY = re.compile(r"https://[a-z0-9.-]+\.pagerduty\.com/[^?#\s]*", re.IGNORECASE)


def keep(row: Row) -> Row:
    """What of a row is kept: its name, what it hangs on, whose it is, whether it is on, and PagerDuty's page of it."""
    plain = {name: row[name] for name in PLAIN if isinstance(row.get(name), str | int | bool)}
    words = {name: _clean(row[name]) for name in WORDS if isinstance(row.get(name), str) and row[name]}
    page = PAGE_OF_PAGERDUTY.match(row["html_url"]) if isinstance(row.get("html_url"), str) else None
    references = {name: _keep_reference(row[name]) for name in REFERENCES if isinstance(row.get(name), dict | list)}
    return {**plain, **dict(list(words.items())[:1]), **({"html_url": page.group()} if page else {}), **references}


def _keep_reference(value: Any) -> Any:
    if isinstance(value, list):
        return [_keep_reference(one) for one in value if isinstance(one, dict)]
    kept = {name: value[name] for name in ("id", "type") if isinstance(value.get(name), str)}
    return kept | {name: _clean(value[name]) for name in ("name", "summary") if isinstance(value.get(name), str)}


def _clean(text: str) -> str:
    return KEY.sub("(a key)", ADDRESS.sub("(an address)", text))


# --- for pages ---


def list_dependents(rows: dict[str, Any]) -> tuple[Dependent, ...]:
    """All that a snapshot has, by kind and name. rows: of a snapshot."""
    known = {row["id"]: row for kind in NAMED for row in rows.get(kind) or [] if isinstance(row, dict) and "id" in row}
    found = [_read(kind, row, known) for kind in DEPENDENTS for row in rows.get(kind) or []]
    found += [_read("response_plays", row, known) for row in _list_plays(rows)]
    order = list(LISTED)
    return tuple(sorted(found, key=lambda one: (order.index(one.kind), one.name.casefold(), one.id)))


NAMED = ("users", "teams", "services", "business_services")
"""Kinds whose objects the others refer to, some by their id alone."""


def _list_plays(rows: dict[str, Any]) -> list[Row]:
    """Response plays with the services that name them."""
    plays: dict[str, Row] = {}
    for service in (row for row in rows.get("services") or [] if isinstance(row, dict)):
        play = service.get("response_play")
        if isinstance(play, dict) and play.get("id"):
            plays.setdefault(play["id"], {**keep(play), "services": []})["services"].append(keep(service))
    return list(plays.values())


def _read(kind: str, row: Row, known: dict[str, Row]) -> Dependent:
    on, owners = _list_references(row, ON, known), _list_references(row, OWNERS, known)
    if row.get("is_subscribed_to_all_services") or row.get("map_to_all_services"):
        on.append({"name": "all services"})
    hosts = [_name(one) for one in on]
    name = " needs ".join(hosts) if kind == "service_dependencies" else _name({**(row.get("workflow") or {}), **row})
    teams = [team for one in on for team in (*(one.get("teams") or ()), one.get("team")) if team]
    of_hosts = _list_references({"teams": teams}, ("teams",), known)
    pages = [(one["html_url"], _name(one)) for one in (row, *on) if str(one.get("html_url")).startswith("https://")]
    link, opens = next(iter(pages), ("", ""))
    sort = row.get(LISTED[kind].sort) or ""
    sort = _name(sort) if isinstance(sort, dict) else str(sort)
    return Dependent(
        kind,
        str(row["id"]),
        name,
        sort.removesuffix("_reference").replace("_", " "),
        tuple(hosts),
        ", ".join(_name(one) for one in owners or of_hosts),
        link,
        opens,
        _describe_state(row),
    )


def _list_references(row: Row, fields: Iterable[str], known: dict[str, Row]) -> list[Row]:
    """What it refers to, each once, with all that is known of it; a filter by account is the whole account."""
    held = [row[name] for name in fields if row.get(name)]
    references = [one for value in held for one in (value if isinstance(value, list) else [value])]
    found = [
        {"name": "the whole account"} if _is_account(one) else {**one, **known.get(one.get("id"), {})}
        for one in references
    ]
    return list({_name(one): one for one in found if _name(one)}.values())


def _is_account(reference: Row) -> bool:
    return str(reference.get("type")).startswith("account")


def _name(row: Row) -> str:
    return str(next((row[word] for word in (*WORDS, "id") if row.get(word)), ""))


def _describe_state(row: Row) -> str:
    if "current_value" in row:
        return f"{row['current_value']} seats taken, {row.get('allocations_available', 'unknown')} free"
    off = row.get("active") is False or row.get("is_enabled") is False or row.get("is_disabled")
    return "switched off" if off else "switched off by PagerDuty" if row.get("temporarily_disabled") else ""
