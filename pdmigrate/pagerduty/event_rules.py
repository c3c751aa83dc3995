"""Rules that decide about an alert before anybody is paged: of event orchestrations, of services, of the older rulesets.

No public API of Harness takes them, so they are drafts for a person: what each says, in words, by the service that it is
about. Conditions stay as PagerDuty has them. Of an action only what decides about paging is kept: notes, webhooks and
headers may hold secrets, so that there is one of them is said, and not what it holds.
"""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from pdmigrate.pagerduty.fields import show_value

Row = dict[str, Any]

PATHS = ("global", "router", "unrouted")
"""The parts of an event orchestration, in the order in which an event passes them (PagerDuty API)."""
DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
COMPARED = {
    "exists": "is there",
    "nexists": "is not there",
    "equals": "is",
    "nequals": "is not",
    "contains": "contains",
    "ncontains": "does not contain",
    "matches": "matches",
    "nmatches": "does not match",
}
"""Operators of a ruleset's conditions (PagerDuty API) in words."""
ROUTES = ("route_to", "dynamic_route_to", "route")
KEPT = ("suppress", "drop_event", "suspend", "priority", "severity", "escalation_policy", "event_action", *ROUTES)
"""The actions whose value is kept, in the order in which they are told. Of every other one only its name is kept."""
SILENT = ("suppress", "drop_event")
"""Actions after which nobody is paged."""
OTHERS = {
    "annotate": "adds a note",
    "automation_actions": "calls a webhook",
    "pagerduty_automation_actions": "starts an automation",
    "incident_custom_field_updates": "fills in fields of the incident",
    "variables": "reads values out of the alert",
    "extractions": "rewrites fields of the alert",
}

INNER = {
    *("expression", "operator", "subconditions", "parameters", "path", "value"),
    *("threshold_value", "threshold_time_amount", "threshold_time_unit", "lookup_by", "source", "regex"),
    *("scheduled_weekly", "active_between", "start_time", "end_time", "duration", "timezone", "weekdays"),
}
"""What a condition, hours, and a kept action are made of (PagerDuty API). Of every other part only its name is kept."""


# --- what may stay in a snapshot ---


def keep_parts(row: Row) -> Row:
    """The parts of an orchestration's or a ruleset's row that hold rules, with nothing in them but what may stay."""
    kept: Row = {part: keep_path(row[part]) for part in PATHS if part in row}
    if "rules" in row:
        kept["rules"] = keep_rules(_rows(row, "rules"))
    if "sets" in row:
        kept |= keep_path(row)
    if "active" in row:
        kept["active"] = bool(row["active"])
    return kept


def keep_path(path: Any) -> Row:
    """One part of an orchestration in PagerDuty's own form, with nothing in it but what may stay."""
    if not isinstance(path, dict):
        return {"sets": [], "catch_all": {"actions": {}}}
    sets = [
        {"id": str(one.get("id")), "rules": [_keep_rule(rule) for rule in _rows(one, "rules")]}
        for one in _rows(path, "sets")
    ]
    return {"sets": sets, "catch_all": {"actions": _keep_actions(path.get("catch_all"))}}


def keep_rules(rules: Iterable[Row]) -> list[Row]:
    """The rules of a ruleset in the same way."""
    return [_keep_rule(rule) | {"catch_all": bool(rule.get("catch_all"))} for rule in rules if isinstance(rule, dict)]


def _keep_rule(rule: Row) -> Row:
    names = ("id", "label", "disabled", "conditions", "time_frame")
    said = {name: _keep_inner(rule[name]) for name in names if rule.get(name) is not None}
    return said | {"actions": _keep_actions(rule)}


def _keep_actions(rule: Any) -> Row:
    actions = rule.get("actions") if isinstance(rule, dict) else None
    return _keep_names(actions, (*KEPT, *OTHERS), KEPT) if isinstance(actions, dict) else {}


def _keep_inner(value: Any) -> Any:
    if isinstance(value, list):
        return [_keep_inner(each) for each in value]
    return _keep_names(value, INNER, INNER) if isinstance(value, dict) else value


def _keep_names(value: Row, known: Collection[str], kept: Collection[str]) -> Row:
    """What says something: the value of those that are kept, of all others that it is there; unknown names as words only."""
    said = {name: each for name, each in value.items() if each not in (None, [], {}, False)}
    return {
        name if name in known else show_value(name): _keep_inner(each) if name in kept else True
        for name, each in said.items()
    }


# --- what they say ---


@dataclass(frozen=True)
class EventRule:
    """One rule in words. kind, id, name: of the orchestration, ruleset or service whose rule it is; part: where in there.

    conditions: PagerDuty's own words, any one of which is enough; none where it is for every alert, or for the rest.
    silences: nobody is paged where it fits. service_id: whom it routes to; "" where it routes nowhere.
    """

    kind: str
    id: str
    name: str
    part: str
    label: str
    conditions: tuple[str, ...]
    does: tuple[str, ...]
    rest: bool = False
    silences: bool = False
    service_id: str = ""

    @property
    def in_words(self) -> str:
        when = f"When {' or '.join(self.conditions)}" if self.conditions else ("Else" if self.rest else "Always")
        return f"{when}: {', '.join(self.does)}."


def list_event_rules(rows: dict[str, Any]) -> tuple[EventRule, ...]:
    """All rules that are on and do something, in the order in which PagerDuty tries them. rows: of a snapshot."""
    names = {str(row.get("id")): str(row.get("name") or row.get("id")) for row in _rows(rows, "services")}
    found: list[EventRule] = []
    for row in _rows(rows, "event_orchestrations"):
        for part in PATHS:
            found += _read_path("event_orchestrations", row, part, row.get(part), names)
    for row in _rows(rows, "rulesets"):
        for rule in _rows(row, "rules"):
            found += _read_rule("rulesets", row, "rules", rule, names, bool(rule.get("catch_all")))
    for row in _rows(rows, "service_orchestrations"):
        if row.get("active", True):
            found += _read_path("service_orchestrations", row, "service", row, names)
    return tuple(found)


def count_rules(row: Row) -> dict[str, int]:
    """How many of an orchestration's or a ruleset's own rules silence alerts, and how many route them."""
    rules = [rule for part in PATHS for rule in _read_path("", row, part, row.get(part), {})]
    rules += _read_path("", row, "service", row, {})
    rules += [one for rule in _rows(row, "rules") for one in _read_rule("", row, "", rule, {}, False)]
    return {
        "suppressing": sum(rule.silences for rule in rules),
        "routing": sum(bool(rule.service_id) for rule in rules),
    }


def pick_rules(rules: Iterable[EventRule], service_id: str) -> tuple[EventRule, ...]:
    """Those that decide about a service's alerts: its own, those that route to it, and what an orchestration does before it routes."""
    rules = tuple(rules)
    routers = {(rule.kind, rule.id) for rule in rules if rule.service_id == service_id}
    return tuple(
        rule
        for rule in rules
        if (rule.kind == "service_orchestrations" and rule.id == service_id)
        or rule.service_id == service_id
        or (rule.part == "global" and (rule.kind, rule.id) in routers)
    )


def _read_path(kind: str, row: Row, part: str, path: Any, names: dict[str, str]) -> Iterator[EventRule]:
    if not isinstance(path, dict):
        return
    for one in _rows(path, "sets"):
        for rule in _rows(one, "rules"):
            yield from _read_rule(kind, row, part, rule, names, False)
    if isinstance(path.get("catch_all"), dict):
        yield from _read_rule(kind, row, part, path["catch_all"], names, True)


def _read_rule(kind: str, row: Row, part: str, rule: Row, names: dict[str, str], rest: bool) -> Iterator[EventRule]:
    actions = rule.get("actions") if isinstance(rule.get("actions"), dict) else {}
    named = sorted(
        (actions or {}).items(), key=lambda one: (KEPT.index(one[0]) if one[0] in KEPT else len(KEPT), one[0])
    )
    said = {name: value for name, value in named if _says(name, value)}
    does = tuple(_describe(name, value, names) for name, value in said.items())
    if rule.get("disabled") or not does:
        return
    route = said.get("route_to", _inner(said.get("route")))
    yield EventRule(
        kind,
        str(row.get("id")),
        str(row.get("name") or row.get("id")),
        part,
        str(rule.get("label") or ""),
        tuple(_list_conditions(rule)),
        does,
        rest,
        any(name in said for name in SILENT),
        str(route) if isinstance(route, str) and (not names or route in names) else "",
    )


def _says(name: str, value: Any) -> bool:
    inner = _inner(value)
    return inner not in (None, False, "", [], {}) and (name, inner) != ("route_to", "unrouted")


def _inner(value: Any) -> Any:
    """A ruleset says {"value": true} where an orchestration says true."""
    return value["value"] if isinstance(value, dict) and "value" in value else value


def _describe(name: str, value: Any, names: dict[str, str]) -> str:
    inner = _inner(value)
    if name == "suppress":
        return f"nobody is paged{_describe_threshold(value)}"
    if name == "drop_event":
        return "the event is thrown away, nobody is paged"
    if name == "suspend":
        return f"paging waits {_describe_seconds(inner)}, and is dropped if the alert resolves before"
    if name in ("route_to", "route"):
        return (
            f"goes to the service {names[inner]}"
            if isinstance(inner, str) and inner in names
            else f"goes on to {inner}"
        )
    if name == "dynamic_route_to":
        source = inner.get("source") if isinstance(inner, dict) else inner
        return f"goes to the service that {source} names"
    if name == "event_action":
        return f"counts as {inner}"
    if name in ("severity", "priority", "escalation_policy"):
        return f"{name.replace('_', ' ')} becomes {inner}"
    return OTHERS.get(name, f"does {name}, which this version does not know")


def _describe_threshold(value: Any) -> str:
    if not isinstance(value, dict) or not value.get("threshold_value"):
        return ""
    span = f"{value.get('threshold_time_amount')} {value.get('threshold_time_unit')}"
    return f" until there were {value['threshold_value']} alerts in {span}"


def _describe_seconds(seconds: Any) -> str:
    if not isinstance(seconds, int | float):
        return str(seconds)
    return f"{seconds / 60:g} min" if seconds >= 60 else f"{seconds:g} s"


def _list_conditions(rule: Row) -> Iterator[str]:
    """PagerDuty's own expressions, or a ruleset's comparisons in words; with the hours in which a ruleset's rule is on."""
    conditions, hours = rule.get("conditions"), _describe_hours(rule.get("time_frame"))
    if isinstance(conditions, list):
        said = [
            one.get("expression") if isinstance(one, dict) and "expression" in one else _tell_odd(one)
            for one in conditions
            if one
        ]
        yield from (str(words) for words in said if words)
        return
    parts = []
    if isinstance(conditions, dict) and conditions.keys() <= {"operator", "subconditions"}:
        below = conditions.get("subconditions") or []
        compared = below if isinstance(below, list) else [below]
        parts = [_describe_comparison(one) if isinstance(one, dict) else _tell_odd(one) for one in compared]
    elif conditions:
        parts = [_tell_odd(conditions)]
    operator = str(conditions.get("operator", "and")) if isinstance(conditions, dict) else "and"
    if operator == "or" and not hours:
        yield from parts
    elif parts or hours:
        yield " and ".join(filter(None, (f" {operator} ".join(parts), hours)))


def _tell_odd(said: Any) -> str:
    """A condition of a form that nobody knows is never left out: the rule would seem to hold always."""
    return f"{said} (as PagerDuty has it: this version does not know the form)"


def _describe_comparison(one: Row) -> str:
    parameters = one.get("parameters") if isinstance(one.get("parameters"), dict) else {}
    operator, path = str(one.get("operator")), str((parameters or {}).get("path"))
    value = "" if operator in ("exists", "nexists") else f" {str((parameters or {}).get('value'))!r}"
    return f"{path} {COMPARED.get(operator, operator)}{value}"


def _describe_hours(frame: Any) -> str:
    """Milliseconds, of the day or since 1970, as PagerDuty counts them. What is no such hours stays as it came."""
    if not frame:
        return ""
    try:
        if "scheduled_weekly" in frame:
            weekly = frame["scheduled_weekly"]
            days = ", ".join(DAYS[day - 1] for day in weekly["weekdays"])
            start, length = (timedelta(milliseconds=weekly[name]) for name in ("start_time", "duration"))
            return f"it is {days} from {start} for {length} ({weekly['timezone']})"
        once = frame["active_between"]
        since, until = (datetime.fromtimestamp(once[name] / 1000, UTC) for name in ("start_time", "end_time"))
        return f"it is between {since:%Y-%m-%d %H:%M} and {until:%Y-%m-%d %H:%M} UTC"
    except (KeyError, TypeError, ValueError, IndexError, OverflowError, OSError):
        return f"the time fits {frame}"


def _rows(holder: Any, name: str) -> list[Row]:
    found = holder.get(name) if isinstance(holder, dict) else None
    return [row for row in found if isinstance(row, dict)] if isinstance(found, list) else []
