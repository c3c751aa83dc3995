"""Harness's role assignments, as far as a migration meets them."""

import uuid

from flask import Blueprint

from pdmigrate.sandbox.harness_document import Scope
from pdmigrate.sandbox.harness_gate import document, not_found, query_scope, writing
from pdmigrate.sandbox.harness_wire import error, failure, page_of, read_body, success

routes = Blueprint("harness_roles", __name__)
PERMISSION = ("core_user_manage", "USER")
FIELDS = ("identifier", "resourceGroupIdentifier", "roleIdentifier", "principal", "disabled", "managed")


def _show(row: dict) -> dict:
    places = {field: row[field] for field in ("accountIdentifier", "orgIdentifier", "projectIdentifier")}
    assigned = {field: row[field] for field in FIELDS}
    return {"roleAssignment": assigned, "scope": places, "createdAt": 0, "lastModifiedAt": 0, "harnessManaged": False}


@routes.post("/authz/api/roleassignments")
def create_assignment():
    row = _read(read_body(), query_scope())
    _keep([row])
    return success(_show(row))


@routes.post("/authz/api/roleassignments/multi")
def create_assignments():
    scope = query_scope()
    rows = [_read(body, scope) for body in read_body().get("roleAssignments") or []]
    _keep(rows)
    return success([_show(row) for row in rows])


def _read(body: dict, scope: Scope) -> dict:
    needed = ("resourceGroupIdentifier", "roleIdentifier", "principal")
    missing = [(field, "must not be null") for field in needed if not body.get(field)]
    if missing:
        raise failure(missing)
    row = {"identifier": f"role_assignment_{uuid.uuid4().hex}", "disabled": False, "managed": False}
    row |= {field: body[field] for field in FIELDS if body.get(field) is not None}
    if any(_same(row, known) for known in document()["role_assignments"] if scope.holds(known)):
        raise error("DUPLICATE_FIELD", "A role assignment with the same principal, role and resource group exists")
    return row | scope.fields(document()["account"])


def _same(row: dict, known: dict) -> bool:
    fields = ("resourceGroupIdentifier", "roleIdentifier")
    one, other = row["principal"], known["principal"]
    return one.get("identifier") == other["identifier"] and all(row[field] == known[field] for field in fields)


def _keep(rows: list[dict]) -> None:
    with writing(",".join(row["identifier"] for row in rows), *PERMISSION) as held:
        held["role_assignments"] += rows


@routes.post("/authz/api/roleassignments/filter")
def list_assignments():
    scope, filters = query_scope(), read_body()
    fields = {"roleFilter": "roleIdentifier", "resourceGroupFilter": "resourceGroupIdentifier"}
    rows = [row for row in document()["role_assignments"] if scope.holds(row)]
    for name, field in fields.items():
        rows = [row for row in rows if not filters.get(name) or row[field] in filters[name]]
    people = [principal.get("identifier") for principal in filters.get("principalFilter") or []]
    return success(page_of(_show(row) for row in rows if not people or row["principal"]["identifier"] in people))


@routes.delete("/authz/api/roleassignments/<identifier>")
def delete_assignment(identifier: str):
    scope = query_scope()
    rows = [row for row in document()["role_assignments"] if scope.holds(row) and row["identifier"] == identifier]
    if not rows:
        raise not_found(f"Role assignment with identifier [{identifier}] is not found in the given scope")
    with writing(identifier, *PERMISSION) as held:
        held["role_assignments"] = [row for row in held["role_assignments"] if row not in rows]
    return success(_show(rows[0]))
