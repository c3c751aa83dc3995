"""The plain kinds of an embedded PagerDuty: users, teams, policies, services, and what is only counted."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from flask import Flask, current_app, request

from pdmigrate.sandbox.gate import document
from pdmigrate.sandbox.pagerduty_wire import as_reference, included, invalid, not_found, paged
from pdmigrate.sandbox.store import Json


def stored(kind: str) -> list[Json]:
    """The records of a kind, as the account has them."""
    return document().get(kind) or []


def find(kind: str, record_id: str) -> Json:
    """The record with that id. Raises the 404 where there is none."""
    found = next((record for record in stored(kind) if record["id"] == record_id), None)
    if found is None:
        raise not_found()
    return found


def select(records: list[Json]) -> list[Json]:
    """What the request's filters leave: `query` (part of a name or email) and `team_ids[]`."""
    wanted = request.args.get("query", "").casefold()
    teams = set(request.args.getlist("team_ids[]"))
    if teams:
        records = [record for record in records if teams & _list_teams(record)]
    if wanted:
        records = [record for record in records if any(wanted in name.casefold() for name in _list_names(record))]
    return records


def _list_teams(record: Json) -> set[str]:
    return {team["id"] for team in (*(record.get("teams") or []), record.get("team")) if team}


def _list_names(record: Json) -> list[str]:
    return [record.get(field) or "" for field in ("name", "email", "summary")]


def expand(references: list[Json], kind: str, name: str) -> list[Json]:
    """References, or the records themselves where the request includes `name`. A dangling reference stays one."""
    if not included(name):
        return [as_reference(reference) for reference in references]
    by_id = {record["id"]: record for record in stored(kind)}
    return [_whole(reference, by_id) for reference in references]


def _whole(reference: Json, by_id: Json) -> Json:
    is_reference = (reference.get("type") or "").endswith("_reference")
    return by_id.get(reference["id"], reference) if is_reference else reference


def shape_user(user: Json) -> Json:
    """A user; contact methods and notification rules are references unless asked for."""
    shaped = {field: value for field, value in user.items() if field != "oncall_handoff_notification_rules"}
    for part in ("contact_methods", "notification_rules"):
        if part in shaped and not included(part):
            shaped[part] = [as_reference(one) for one in shaped[part]]
    if "teams" in shaped:
        shaped["teams"] = expand(shaped["teams"], "teams", "teams")
    return shaped


def shape_policy(policy: Json) -> Json:
    """An escalation policy; targets, teams and services are references unless asked for."""
    shaped, by_id = dict(policy), {}
    if included("targets"):
        by_id = {record["id"]: shape_user(record) for record in stored("users")}
        by_id |= {record["id"]: _without(record, "schedule_layers") for record in stored("schedules")}
    rules = [dict(rule) for rule in policy.get("escalation_rules") or []]
    for rule in rules:
        targets = rule.get("targets") or []
        rule["targets"] = [_whole(one, by_id) if included("targets") else as_reference(one) for one in targets]
        strategy = rule.pop("escalation_rule_assignment_strategy", None)
        if strategy and included("escalation_rule_assignment_strategies"):
            as_object = current_app.config["OPTIONS"]["strategy_objects"] and isinstance(strategy, str)
            rule["escalation_rule_assignment_strategy"] = {"type": strategy} if as_object else strategy
    shaped["escalation_rules"] = rules
    for part in ("teams", "services"):
        if part in shaped:
            shaped[part] = expand(shaped[part], part, part)
    return shaped


def shape_service(service: Json) -> Json:
    """A service; integrations with their keys, teams and the policy are references unless asked for."""
    shaped = dict(service)
    if "integrations" in shaped and not included("integrations"):
        shaped["integrations"] = [as_reference(one) for one in shaped["integrations"]]
    if "teams" in shaped:
        shaped["teams"] = expand(shaped["teams"], "teams", "teams")
    if shaped.get("escalation_policy"):
        [shaped["escalation_policy"]] = expand(
            [shaped["escalation_policy"]], "escalation_policies", "escalation_policies"
        )
    return shaped


def _without(record: Json, *fields: str) -> Json:
    return {field: value for field, value in record.items() if field not in fields}


@dataclass(frozen=True)
class Kind:
    """One plain kind: where it is served, what its answers call it, where the account keeps it."""

    path: str
    plural: str
    singular: str
    shape: Callable[[Json], Json] = dict
    keep: str = ""

    def list_page(self) -> Json:
        records = select(stored(self.keep or self.plural))
        for name in ("user_ids[]", "service_ids[]"):
            if wanted := set(request.args.getlist(name)):
                records = [record for record in records if wanted & _list_mentioned(record)]
        page = paged(records, self.plural)
        return {**page, self.plural: [self.shape(record) for record in page[self.plural]]}

    def get_one(self, record_id: str) -> Json:
        return {self.singular: self.shape(find(self.keep or self.plural, record_id))}


def _list_mentioned(record: Json) -> set[str]:
    targets = [target for rule in record.get("escalation_rules") or [] for target in rule.get("targets") or []]
    return {reference["id"] for reference in (*targets, *(record.get("services") or []))}


KINDS = (
    Kind("/users", "users", "user", shape_user),
    Kind("/teams", "teams", "team"),
    Kind("/escalation_policies", "escalation_policies", "escalation_policy", shape_policy),
    Kind("/services", "services", "service", shape_service),
    Kind("/business_services", "business_services", "business_service"),
    Kind("/maintenance_windows", "maintenance_windows", "maintenance_window"),
    Kind(
        "/event_orchestrations",
        "orchestrations",
        "orchestration",
        lambda record: _without(record, "router", "global", "unrouted"),
        keep="event_orchestrations",
    ),
    Kind("/rulesets", "rulesets", "ruleset", lambda record: _without(record, "rules")),
)
PARTS_OF_USERS = ("contact_methods", "notification_rules", "oncall_handoff_notification_rules")


def add_lists(app: Flask) -> None:
    """Add the routes of the plain kinds, of members, and of the parts of users and services."""
    for kind in KINDS:
        app.add_url_rule(kind.path, kind.plural, kind.list_page)
        app.add_url_rule(f"{kind.path}/<record_id>", kind.singular, kind.get_one)
    for part in PARTS_OF_USERS:
        app.add_url_rule(f"/users/<user_id>/{part}", part, partial(get_part, part))
    app.add_url_rule("/users/me", "me", get_me)
    app.add_url_rule("/teams/<team_id>/members", "members", list_members)
    app.add_url_rule("/abilities", "abilities", lambda: {"abilities": stored("abilities")})
    app.add_url_rule("/services/<service_id>/integrations/<part_id>", "integration", get_integration)
    app.add_url_rule("/rulesets/<ruleset_id>/rules", "rules", list_rules)
    for path in ("router", "global", "unrouted"):
        app.add_url_rule(f"/event_orchestrations/<orchestration_id>/{path}", path, partial(get_path, path))
    app.add_url_rule("/event_orchestrations/services/<service_id>", "of_service", get_of_service)
    app.add_url_rule("/event_orchestrations/services/<service_id>/active", "active", get_active)


def get_me() -> Json:
    """The user whose key it is. A key of the whole account has none."""
    owner = current_app.config["OPTIONS"]["key_owner"]
    if owner is None:
        raise invalid("Requires a user-level token: this key belongs to the account.")
    return {"user": shape_user(find("users", owner))}


def list_members(team_id: str) -> Json:
    """The members of a team with their roles; null where none of the answers that were recorded says who they are."""
    find("teams", team_id)
    found = (document().get("team_members") or {}).get(team_id)
    if found is None and document().get("recorded"):
        return {"members": None}
    page = paged(found or [], "members")
    if not included("users"):
        return page
    by_id = {user["id"]: shape_user(user) for user in stored("users")}
    return {**page, "members": [{**member, "user": _whole(member["user"], by_id)} for member in page["members"]]}


def get_integration(service_id: str, part_id: str) -> Json:
    """One integration of a service."""
    parts = find("services", service_id).get("integrations") or []
    found = next((part for part in parts if part["id"] == part_id), None)
    if found is None:
        raise not_found()
    return {"integration": found}


def list_rules(ruleset_id: str) -> Json:
    """The rules of a ruleset."""
    return paged(find("rulesets", ruleset_id).get("rules") or [], "rules")


def get_of_service(service_id: str) -> Json:
    """A service's own orchestration; every service has one, most without a rule."""
    find("services", service_id)
    parent = {"id": service_id, "type": "service_reference"}
    empty = {"type": "service", "parent": parent, "sets": [{"id": "start", "rules": []}], "catch_all": {"actions": {}}}
    path = (document().get("paths_of_services") or {}).get(service_id) or {}
    return {"orchestration_path": {**empty, **_without(path, "active")}}


def get_active(service_id: str) -> Json:
    """Whether a service's own orchestration is switched on."""
    find("services", service_id)
    path = (document().get("paths_of_services") or {}).get(service_id) or {}
    return {"active": path.get("active", True)}


def get_part(part: str, user_id: str) -> Json:
    """The contact methods or the notification rules of a user."""
    return {part: find("users", user_id).get(part) or []}


def get_path(path: str, orchestration_id: str) -> Json:
    """A part of an orchestration."""
    held = find("event_orchestrations", orchestration_id).get(path)
    return {"orchestration_path": held or {"type": path, "sets": []}}
