"""The on-call contract of pdmigrate's own (docs/oncall-contract.md), served under a path of its own."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from flask import Blueprint, jsonify, request

from pdmigrate.sandbox import harness_oncall_checks as checks
from pdmigrate.sandbox.gate import document
from pdmigrate.sandbox.harness_document import Scope
from pdmigrate.sandbox.harness_gate import find_project, setting, writing
from pdmigrate.sandbox.harness_oncall_fields import check_instant
from pdmigrate.sandbox.harness_rendering import read_instant, render_on_call, write_instant
from pdmigrate.sandbox.harness_services import find_service
from pdmigrate.sandbox.harness_wire import absent, failure, read_body, read_number

BASE = "/pdmigrate-oncall/v1/accounts/<account>/orgs/<org>/projects/<project>"
KINDS = (
    "schedules",
    "overrides",
    "escalation_policies",
    "services",
    "alert_rules",
    "contact_details",
    "notification_rules",
)
LONGEST = timedelta(days=800)

routes = Blueprint("harness_oncall", __name__, url_prefix=BASE)


@dataclass(frozen=True)
class Kind:
    """One kind of the contract: where it lives, what names one of it, what reads a body."""

    path: str
    shelf: str
    key: str
    read: Callable
    permission: tuple[str, str]
    personal: bool = False

    def shelf_key(self, scope: Scope, key: str) -> str:
        """People's own settings go with the person, not with the project."""
        return key if self.personal else f"{scope.key}/{key}"


SCHEDULES = Kind("schedules", "schedules", "identifier", checks.read_schedule, ("iro_iroschedule_edit", "IRO_SCHEDULE"))
ALL = (
    SCHEDULES,
    Kind(
        "escalation-policies",
        "escalation_policies",
        "identifier",
        checks.read_policy,
        ("iro_iroescalationpolicy_edit", "IRO_ESCALATION_POLICY"),
    ),
    Kind(
        "services",
        "services",
        "identifier",
        checks.read_service,
        ("iro_servicedirectory_edit", "IRO_SERVICE_DIRECTORY"),
    ),
    Kind("alert-rules", "alert_rules", "identifier", checks.read_alert_rule, ("iro_alertrule_edit", "IRO_ALERT_RULE")),
    Kind(
        "contact-details",
        "contact_details",
        "email",
        checks.read_contact_details,
        ("core_user_manage", "USER"),
        personal=True,
    ),
    Kind(
        "notification-rules",
        "notification_rules",
        "email",
        checks.read_notification_rule,
        ("core_user_manage", "USER"),
        personal=True,
    ),
)


def _scope(org: str, project: str) -> Scope:
    if not find_project(org, project):
        raise absent(f"Project {project} of organization {org} does not exist", 404)
    return Scope(org, project)


@routes.get("/capabilities")
def get_capabilities(account: str, org: str, project: str):
    _scope(org, project)
    return jsonify({"version": 1, "kinds": list(KINDS)})


def _serve_kind(kind: Kind) -> None:
    def list_all(account: str, org: str, project: str):
        return jsonify(_page(_rows(kind, _scope(org, project))))

    def get_one(account: str, org: str, project: str, key: str):
        return jsonify(_require(kind, _scope(org, project), key))

    def put_one(account: str, org: str, project: str, key: str):
        return jsonify(_put(kind, _scope(org, project), key))

    def delete_one(account: str, org: str, project: str, key: str):
        return jsonify(_delete(kind, _scope(org, project), key))

    routes.add_url_rule(f"/{kind.path}", f"list_{kind.shelf}", list_all)
    for method, view in {"GET": get_one, "PUT": put_one, "DELETE": delete_one}.items():
        routes.add_url_rule(f"/{kind.path}/<key>", f"{method}_{kind.shelf}", view, methods=[method])


for _kind in ALL:
    _serve_kind(_kind)


def _rows(kind: Kind, scope: Scope) -> list[dict]:
    start = kind.shelf_key(scope, "")
    return [row for key, row in sorted(document()["oncall"].get(kind.shelf, {}).items()) if key.startswith(start)]


def _page(rows: list[dict]) -> dict:
    page, size = read_number("page", 0, 0), read_number("size", 100, 1, 100)
    return {"content": rows[page * size : (page + 1) * size], "totalItems": len(rows)}


def _require(kind: Kind, scope: Scope, key: str) -> dict:
    row = document()["oncall"].get(kind.shelf, {}).get(kind.shelf_key(scope, key))
    if row is None:
        raise absent(f"{key} does not exist among {kind.path}", 404)
    return row


def _put(kind: Kind, scope: Scope, key: str) -> dict:
    if kind.shelf == "services" and not find_service(document(), scope, key):
        raise absent(f"Service {key} does not exist in this project", 404)
    row = _read(kind.read, scope, kind.key, key)
    with writing(f"{kind.shelf}/{key}", *kind.permission) as held:
        shelf, place = held["oncall"].setdefault(kind.shelf, {}), kind.shelf_key(scope, key)
        if kind is SCHEDULES:
            row["overrides"] = shelf.get(place, {}).get("overrides", [])
        shelf[place] = row
        _keep_in_step(held["oncall"], kind, scope, row)
    return row


def _keep_in_step(oncall: dict, kind: Kind, scope: Scope, row: dict) -> None:
    """A service's `paging` is that of the alert rule which is named as the service is: writing one writes the other."""
    place = f"{scope.key}/{row['identifier']}" if "identifier" in row else ""
    rules, services = oncall.setdefault("alert_rules", {}), oncall["services"]
    if kind.shelf == "services":
        blank = {"identifier": row["identifier"], "name": row["identifier"], "service": row["identifier"]}
        blank |= {"escalation_policy": None, "default_service": False}
        rules[place] = rules.get(place, blank) | {"paging": row["paging"]}
    elif kind.shelf == "alert_rules" and row["service"] == row["identifier"] and place in services:
        services[place] = services[place] | {"paging": row["paging"]}


def _read(read: Callable, scope: Scope, field: str, key: str) -> dict:
    """The body as it is to be stored; refused with every field that is wrong."""
    checker = checks.Checker(document(), scope)
    row = read(checker, read_body())
    if row and row[field] != key:
        checker.wrong.append((field, "is not the one in the path"))
    if checker.wrong:
        raise failure(checker.wrong)
    return row


def _delete(kind: Kind, scope: Scope, key: str) -> dict:
    row = _require(kind, scope, key)
    users = _list_users_of(kind, scope, key)
    if users:
        raise failure([(kind.key, f"is in use by {', '.join(users)}")])
    with writing(f"{kind.shelf}/{key}", *kind.permission) as held:
        del held["oncall"][kind.shelf][kind.shelf_key(scope, key)]
        if kind.shelf == "alert_rules":
            _keep_in_step(held["oncall"], kind, scope, row | {"paging": False})
    return row


def _list_users_of(kind: Kind, scope: Scope, key: str) -> list[str]:
    """The policies that name a schedule, the services that name a policy."""
    shelves = {known.shelf: _rows(known, scope) for known in ALL}
    target = {"type": "schedule", "id": key}
    if kind is SCHEDULES:
        policies = shelves["escalation_policies"]
        return [row["identifier"] for row in policies if any(target in level["targets"] for level in row["levels"])]
    users = shelves["services"] + shelves["alert_rules"]
    services = users if kind.shelf == "escalation_policies" else []
    return list(dict.fromkeys(row["identifier"] for row in services if row["escalation_policy"] == key))


@routes.put("/schedules/<key>/overrides/<override>")
def put_override(account: str, org: str, project: str, key: str, override: str):
    scope = _scope(org, project)
    _require(SCHEDULES, scope, key)
    row = _read(checks.read_override, scope, "identifier", override)
    _swap_override(scope, key, override, [row])
    return jsonify(row)


@routes.delete("/schedules/<key>/overrides/<override>")
def delete_override(account: str, org: str, project: str, key: str, override: str):
    scope = _scope(org, project)
    known = _require(SCHEDULES, scope, key)["overrides"]
    row = next((row for row in known if row["identifier"] == override), None)
    if row is None:
        raise absent(f"Override {override} does not exist in schedule {key}", 404)
    _swap_override(scope, key, override, [])
    return jsonify(row)


def _swap_override(scope: Scope, key: str, override: str, rows: list[dict]) -> None:
    permission = ("iro_iroscheduleoverride_edit", "IRO_SCHEDULE_OVERRIDE")
    with writing(f"overrides/{key}/{override}", *permission) as held:
        shelf, place = held["oncall"]["schedules"], SCHEDULES.shelf_key(scope, key)
        others = [row for row in shelf[place]["overrides"] if row["identifier"] != override]
        shelf[place] = shelf[place] | {
            "overrides": sorted(others + rows, key=lambda row: (row["start"], row["identifier"]))
        }


@routes.get("/schedules/<key>/on-call")
def get_on_call(account: str, org: str, project: str, key: str):
    schedule = _require(SCHEDULES, _scope(org, project), key)
    wrong = [(name, check_instant(request.args.get(name))) for name in ("from", "to")]
    if any(reason for _, reason in wrong):
        raise failure([(name, reason) for name, reason in wrong if reason])
    start, end = (read_instant(request.args[name]) for name in ("from", "to"))
    if not start < end <= start + LONGEST:
        raise failure([("to", f"must be later than from, by {LONGEST.days} days at most")])
    entries = render_on_call(schedule, start, end, setting("reading"))
    return jsonify({"from": write_instant(start), "to": write_instant(end), "entries": entries})
