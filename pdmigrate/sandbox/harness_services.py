"""Harness's CD services: the public way by which a service gets into the service directory."""

from flask import Blueprint, request

from pdmigrate.sandbox.harness_document import Scope
from pdmigrate.sandbox.harness_gate import document, known_scope, not_found, now, query_scope, writing
from pdmigrate.sandbox.harness_names import check_description, check_identifier, check_name, check_tags, list_wrong
from pdmigrate.sandbox.harness_wire import error, failure, page_of, read_body, read_number, read_pattern, success

routes = Blueprint("harness_services", __name__)
PERMISSION = ("core_service_edit", "SERVICE")
CHECKS = {"identifier": check_identifier, "name": check_name, "description": check_description, "tags": check_tags}
INNER = (
    "accountId",
    "orgIdentifier",
    "projectIdentifier",
    "identifier",
    "name",
    "description",
    "deleted",
    "tags",
    "yaml",
)


def find_service(held: dict, scope: Scope, identifier: str) -> dict | None:
    rows = (row for row in held["services"] if scope.holds(row))
    return next((row for row in rows if row["identifier"] == identifier), None)


def _show_service(row: dict) -> dict:
    created = row.get("createdAt", 1700000000000)
    inner = {field: row.get(field) for field in INNER}
    return {"service": inner, "createdAt": created, "lastModifiedAt": row.get("lastModifiedAt", created)}


@routes.get("/ng/api/servicesV2")
def list_services():
    scope, pattern = query_scope(), read_pattern(request.args.get("searchTerm"))
    wanted = request.args.getlist("serviceIdentifiers") or request.args.getlist("serviceIdentifiers[]")
    read_number("size", 100, 1, 1000)
    rows = [row for row in document()["services"] if scope.holds(row)]
    rows = [row for row in rows if not wanted or row["identifier"] in wanted]
    rows = [row for row in rows if pattern.search(row["name"]) or pattern.search(row["identifier"])]
    return success(page_of(map(_show_service, reversed(rows)), "page", "size", 100))


@routes.get("/ng/api/servicesV2/<identifier>")
def get_service(identifier: str):
    scope = query_scope()
    return success(_show_service(_require_service(scope, identifier)))


def _require_service(scope: Scope, identifier: str) -> dict:
    row = find_service(document(), scope, identifier)
    if row is None:
        raise not_found(
            f"Service with identifier [{identifier}] in project [{scope.project}], org [{scope.org}] not found"
        )
    return row


@routes.post("/ng/api/servicesV2")
def create_service():
    row = _read_new(read_body())
    _keep([row])
    return success(_show_service(row))


@routes.post("/ng/api/servicesV2/batch")
def create_services():
    bodies = read_body(list)
    if len(bodies) > 1000:
        raise failure([("serviceRequests", "size must be between 0 and 1000")])
    rows = [_read_new(body) for body in bodies]
    _keep(rows)
    return success(page_of(map(_show_service, rows), "page", "size", 1000))


def _read_new(body: dict) -> dict:
    row = _read(body)
    if find_service(document(), _scope_of(row), row["identifier"]):
        places = f"orgIdentifier [{row['orgIdentifier']}] and projectIdentifier [{row['projectIdentifier']}]"
        raise error("DUPLICATE_FIELD", f"Service [{row['identifier']}] under {places} already exists")
    return row


def _read(body: dict) -> dict:
    """The scope comes from the body, as in the real one. What the body leaves out becomes empty."""
    wrong = list_wrong(body, CHECKS)
    wrong += [(field, "must not be empty") for field in ("orgIdentifier", "projectIdentifier") if not body.get(field)]
    if wrong:
        raise failure(wrong)
    scope = known_scope(body["orgIdentifier"], body["projectIdentifier"])
    row = {"accountId": document()["account"], "orgIdentifier": scope.org, "projectIdentifier": scope.project}
    row |= {"identifier": body["identifier"], "name": body["name"], "description": body.get("description") or ""}
    yaml = body.get("yaml") or f"service:\n  name: {body['name']}\n  identifier: {body['identifier']}\n"
    moment = int(now() * 1000)
    return row | {
        "deleted": False,
        "tags": body.get("tags") or {},
        "yaml": yaml,
        "createdAt": moment,
        "lastModifiedAt": moment,
    }


def _scope_of(row: dict) -> Scope:
    return Scope(row["orgIdentifier"], row["projectIdentifier"])


def _keep(rows: list[dict]) -> None:
    with writing(",".join(row["identifier"] for row in rows), *PERMISSION) as held:
        for row in rows:
            old = find_service(held, _scope_of(row), row["identifier"])
            row["createdAt"] = old["createdAt"] if old else row["createdAt"]
            held["services"] = [known for known in held["services"] if known is not old] + [row]


@routes.put("/ng/api/servicesV2")
def replace_service():
    row = _read(read_body())
    _require_service(_scope_of(row), row["identifier"])
    _keep([row])
    return success(_show_service(row))


@routes.put("/ng/api/servicesV2/upsert")
def upsert_service():
    row = _read(read_body())
    _keep([row])
    return success(_show_service(row))


@routes.delete("/ng/api/servicesV2/<identifier>")
def delete_service(identifier: str):
    row = _require_service(query_scope(), identifier)
    with writing(identifier, *PERMISSION) as held:
        held["services"] = [known for known in held["services"] if known != row]
    return success(True)
