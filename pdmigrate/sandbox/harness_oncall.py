"""The on-call contract of pdmigrate's own (docs/oncall-contract.md), served under a path of its own."""

from dataclasses import dataclass
from datetime import timedelta

from flask import Blueprint, Response, jsonify, request

from pdmigrate.sandbox import harness_oncall_models as models
from pdmigrate.sandbox.gate import document
from pdmigrate.sandbox.harness_document import Scope
from pdmigrate.sandbox.harness_gate import find_project, setting, writing
from pdmigrate.sandbox.harness_rendering import read_instant, render_on_call, write_instant
from pdmigrate.sandbox.harness_services import find_service
from pdmigrate.sandbox.harness_wire import absent, failure, read_body, read_number
from pdmigrate.sandbox.store import Json

BASE = "/pdmigrate-oncall/v1/accounts/<account>/orgs/<org>/projects/<project>"
LONGEST = timedelta(days=800)

routes = Blueprint("harness_oncall", __name__, url_prefix=BASE)


@dataclass(frozen=True)
class Kind:
    """One kind of the contract: where the account keeps it, what names one of it, who may write it."""

    shelf: str
    model: type[models.Body]
    permission: tuple[str, str]
    key: str = "identifier"

    @property
    def path(self) -> str:
        return self.shelf.replace("_", "-")

    def shelf_key(self, scope: Scope, key: str) -> str:
        """People's own settings go with the person, not with the project."""
        return key if self.key == "email" else f"{scope.key}/{key}"


SCHEDULES = Kind("schedules", models.Schedule, ("iro_iroschedule_edit", "IRO_SCHEDULE"))
POLICIES = Kind("escalation_policies", models.Policy, ("iro_iroescalationpolicy_edit", "IRO_ESCALATION_POLICY"))
SERVICES = Kind("services", models.Service, ("iro_servicedirectory_edit", "IRO_SERVICE_DIRECTORY"))
RULES = Kind("alert_rules", models.AlertRule, ("iro_alertrule_edit", "IRO_ALERT_RULE"))
CONTACTS = Kind("contact_details", models.ContactDetails, ("core_user_manage", "USER"), key="email")
STEPS = Kind("notification_rules", models.NotificationRule, ("core_user_manage", "USER"), key="email")
KINDS = (SCHEDULES, POLICIES, SERVICES, RULES, CONTACTS, STEPS)


def _read_scope() -> Scope:
    places = request.view_args or {}
    scope = Scope(places["org"], places["project"])
    if not find_project(places["org"], places["project"]):
        raise absent(f"Project {scope.project} of organization {scope.org} does not exist", 404)
    return scope


@routes.get("/capabilities")
def get_capabilities(**place: str) -> Response:
    _read_scope()
    return jsonify({"version": 1, "kinds": ["schedules", "overrides", *(kind.shelf for kind in KINDS[1:])]})


def _serve_kind(kind: Kind) -> None:
    def list_all(**place: str) -> Response:
        rows = _list_rows(kind, _read_scope())
        page, size = read_number("page", 0, 0), read_number("size", 100, 1, 100)
        return jsonify({"content": rows[page * size : (page + 1) * size], "totalItems": len(rows)})

    def get_one(key: str, **place: str) -> Response:
        return jsonify(_require(kind, _read_scope(), key))

    def put_one(key: str, **place: str) -> Response:
        return jsonify(_put(kind, _read_scope(), key))

    def delete_one(key: str, **place: str) -> Response:
        return jsonify(_delete(kind, _read_scope(), key))

    routes.add_url_rule(f"/{kind.path}", f"list_{kind.shelf}", list_all)
    for method, view in {"GET": get_one, "PUT": put_one, "DELETE": delete_one}.items():
        routes.add_url_rule(f"/{kind.path}/<key>", f"{method}_{kind.shelf}", view, methods=[method])


for _kind in KINDS:
    _serve_kind(_kind)


def _list_rows(kind: Kind, scope: Scope) -> list[Json]:
    start = kind.shelf_key(scope, "")
    return [row for key, row in sorted(document()["oncall"].get(kind.shelf, {}).items()) if key.startswith(start)]


def _require(kind: Kind, scope: Scope, key: str) -> Json:
    row: Json | None = document()["oncall"].get(kind.shelf, {}).get(kind.shelf_key(scope, key))
    if row is None:
        raise absent(f"{key} does not exist among {kind.path}", 404)
    return row


def _read_row(model: type[models.Body], scope: Scope, field: str, key: str) -> Json:
    """The body as it is to be stored; refused with every field that is wrong."""
    row, wrong = models.read_body(model, read_body(), models.Account(document(), scope))
    if row and row[field] != key:
        wrong = [(field, "is not the one in the path")]
    if wrong:
        raise failure(wrong)
    return row


def _put(kind: Kind, scope: Scope, key: str) -> Json:
    if kind is SERVICES and not find_service(document(), scope, key):
        raise absent(f"Service {key} does not exist in this project", 404)
    row = _read_row(kind.model, scope, kind.key, key)
    with writing(f"{kind.shelf}/{key}", *kind.permission) as held:
        shelf, place = held["oncall"].setdefault(kind.shelf, {}), kind.shelf_key(scope, key)
        if kind is SCHEDULES:
            row["overrides"] = shelf.get(place, {}).get("overrides", [])
        shelf[place] = row
        _keep_in_step(held["oncall"], kind, scope, row)
    return row


def _keep_in_step(oncall: Json, kind: Kind, scope: Scope, row: Json) -> None:
    """A service's `paging` is that of the alert rule which is named as the service is: writing one writes the other."""
    place = f"{scope.key}/{row['identifier']}" if "identifier" in row else ""
    rules, services = oncall.setdefault("alert_rules", {}), oncall["services"]
    if kind is SERVICES:
        blank = {"identifier": row["identifier"], "name": row["identifier"], "service": row["identifier"]}
        blank |= {"escalation_policy": None, "default_service": False}
        rules[place] = rules.get(place, blank) | {"paging": row["paging"]}
    elif kind is RULES and row["service"] == row["identifier"] and place in services:
        services[place] = services[place] | {"paging": row["paging"]}


def _delete(kind: Kind, scope: Scope, key: str) -> Json:
    row, users = _require(kind, scope, key), []
    if kind is SCHEDULES:
        target = {"type": "schedule", "id": key}
        policies = _list_rows(POLICIES, scope)
        users = [one for one in policies if any(target in level["targets"] for level in one["levels"])]
    elif kind is POLICIES:
        users = [one for other in (SERVICES, RULES) for one in _list_rows(other, scope)]
        users = [one for one in users if one["escalation_policy"] == key]
    if users:
        named = dict.fromkeys(one["identifier"] for one in users)
        raise failure([(kind.key, f"is in use by {', '.join(named)}")])
    with writing(f"{kind.shelf}/{key}", *kind.permission) as held:
        del held["oncall"][kind.shelf][kind.shelf_key(scope, key)]
        if kind is RULES:
            _keep_in_step(held["oncall"], kind, scope, row | {"paging": False})
    return row


@routes.put("/schedules/<key>/overrides/<override>")
def put_override(key: str, override: str, **place: str) -> Response:
    scope = _read_scope()
    _require(SCHEDULES, scope, key)
    row = _read_row(models.Override, scope, "identifier", override)
    _swap_override(scope, key, override, [row])
    return jsonify(row)


@routes.delete("/schedules/<key>/overrides/<override>")
def delete_override(key: str, override: str, **place: str) -> Response:
    scope = _read_scope()
    known = _require(SCHEDULES, scope, key)["overrides"]
    row = next((row for row in known if row["identifier"] == override), None)
    if row is None:
        raise absent(f"Override {override} does not exist in schedule {key}", 404)
    _swap_override(scope, key, override, [])
    return jsonify(row)


def _swap_override(scope: Scope, key: str, override: str, rows: list[Json]) -> None:
    permission = ("iro_iroscheduleoverride_edit", "IRO_SCHEDULE_OVERRIDE")
    with writing(f"overrides/{key}/{override}", *permission) as held:
        schedules, place = held["oncall"]["schedules"], SCHEDULES.shelf_key(scope, key)
        others = [row for row in schedules[place]["overrides"] if row["identifier"] != override]
        ordered = sorted(others + rows, key=lambda row: (row["start"], row["identifier"]))
        schedules[place] = schedules[place] | {"overrides": ordered}


@routes.get("/schedules/<key>/on-call")
def get_on_call(key: str, **place: str) -> Response:
    schedule = _require(SCHEDULES, _read_scope(), key)
    checked = [(name, models.check_instant(request.args.get(name))) for name in ("from", "to")]
    wrong = [(name, reason) for name, reason in checked if reason]
    if wrong:
        raise failure(wrong)
    start, end = (read_instant(request.args[name]) for name in ("from", "to"))
    if not start < end <= start + LONGEST:
        raise failure([("to", f"must be later than from, by {LONGEST.days} days at most")])
    entries = render_on_call(schedule, start, end, setting("reading"))
    return jsonify({"from": write_instant(start), "to": write_instant(end), "entries": entries})
