"""Harness's CD services: the public way by which a service gets into the service directory."""

from flask import Blueprint, Response

from pdmigrate.sandbox.gate import document
from pdmigrate.sandbox.harness_document import Scope
from pdmigrate.sandbox.harness_gate import known_scope, not_found, now, query_scope, writing
from pdmigrate.sandbox.harness_names import (
    Check,
    check_description,
    check_identifier,
    check_name,
    check_tags,
    list_wrong,
)
from pdmigrate.sandbox.harness_wire import error, failure, page_of, read_body, read_number, success
from pdmigrate.sandbox.store import Json

routes = Blueprint("harness_services", __name__)
PERMISSION = ("core_service_edit", "SERVICE")
CHECKS: dict[str, Check] = {
    "identifier": check_identifier,
    "name": check_name,
    "description": check_description,
    "tags": check_tags,
}
INNER = "accountId orgIdentifier projectIdentifier identifier name description deleted tags yaml"


def find_service(held: Json, scope: Scope, identifier: str) -> Json | None:
    rows = (row for row in held["services"] if scope.holds(row))
    return next((row for row in rows if row["identifier"] == identifier), None)


def _show_service(row: Json) -> Json:
    created = row.get("createdAt", 1700000000000)
    inner = {field: row.get(field) for field in INNER.split()}
    return {"service": inner, "createdAt": created, "lastModifiedAt": row.get("lastModifiedAt", created)}


@routes.get("/ng/api/servicesV2")
def list_services() -> Response:
    scope = query_scope()
    read_number("size", 100, 1, 1000)
    rows = [row for row in document()["services"] if scope.holds(row)]
    return success(page_of(rows[::-1], _show_service, "page", "size", 100))


@routes.get("/ng/api/servicesV2/<identifier>")
def get_service(identifier: str) -> Response:
    return success(_show_service(_require_service(query_scope(), identifier)))


@routes.post("/ng/api/servicesV2")
def create_service() -> Response:
    scope, row = _read()
    if find_service(document(), scope, row["identifier"]):
        place = f"orgIdentifier [{scope.org}] and projectIdentifier [{scope.project}]"
        raise error("DUPLICATE_FIELD", f"Service [{row['identifier']}] under {place} already exists")
    with writing(row["identifier"], *PERMISSION) as held:
        held["services"].append(row)
    return success(_show_service(row))


@routes.put("/ng/api/servicesV2")
def replace_service() -> Response:
    """What the body leaves out becomes empty."""
    scope, row = _read()
    old = _require_service(scope, row["identifier"])
    row["createdAt"] = old["createdAt"]
    with writing(row["identifier"], *PERMISSION) as held:
        held["services"] = [known for known in held["services"] if known != old] + [row]
    return success(_show_service(row))


@routes.delete("/ng/api/servicesV2/<identifier>")
def delete_service(identifier: str) -> Response:
    row = _require_service(query_scope(), identifier)
    with writing(identifier, *PERMISSION) as held:
        held["services"] = [known for known in held["services"] if known != row]
    return success(True)


def _require_service(scope: Scope, identifier: str) -> Json:
    row = find_service(document(), scope, identifier)
    if row is None:
        place = f"project [{scope.project}], org [{scope.org}]"
        raise not_found(f"Service with identifier [{identifier}] in {place} not found")
    return row


def _read() -> tuple[Scope, Json]:
    """The service of the body, as it is to be stored. The scope comes from the body, as in the real one."""
    body = read_body()
    wrong = list_wrong(body, CHECKS)
    wrong += [(field, "must not be empty") for field in ("orgIdentifier", "projectIdentifier") if not body.get(field)]
    if wrong:
        raise failure(wrong)
    scope, moment = known_scope(body["orgIdentifier"], body["projectIdentifier"]), int(now() * 1000)
    return scope, {
        "accountId": document()["account"],
        "orgIdentifier": scope.org,
        "projectIdentifier": scope.project,
        "identifier": body["identifier"],
        "name": body["name"],
        "description": body.get("description") or "",
        "deleted": False,
        "tags": body.get("tags") or {},
        "yaml": body.get("yaml") or f"service:\n  name: {body['name']}\n  identifier: {body['identifier']}\n",
        "createdAt": moment,
        "lastModifiedAt": moment,
    }
