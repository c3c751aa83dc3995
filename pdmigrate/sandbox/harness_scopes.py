"""Harness's organizations and projects, and what a key can ask about itself."""

from flask import Blueprint, Response, request

from pdmigrate.sandbox.gate import document
from pdmigrate.sandbox.harness_gate import find_project, known_scope, not_found
from pdmigrate.sandbox.harness_wire import error, page_of, success
from pdmigrate.sandbox.store import Json

routes = Blueprint("harness_scopes", __name__)
MADE = {"createdAt": 1700000000000, "lastModifiedAt": 1700000000000}


def _is_service_account() -> bool:
    return request.headers["x-api-key"].startswith("sat.")


@routes.post("/ng/api/token/validate")
def validate_token() -> Response:
    parts = request.headers["x-api-key"].split(".")
    kind = "SERVICE_ACCOUNT" if _is_service_account() else "USER"
    names = {"identifier": parts[2] if len(parts) > 3 else "token", "accountIdentifier": document()["account"]}
    return success(names | {"name": names["identifier"], "apiKeyType": kind, "valid": True, "validTo": None})


@routes.get("/ng/api/user/currentUser")
def get_current_user() -> Response:
    if _is_service_account():
        raise error("INVALID_REQUEST", "Invalid request: the principal of this token is not a user")
    account = document()["account"]
    person = {"uuid": "sandboxKeyOwner0000000", "name": "Key Owner", "email": "key.owner@example.com"}
    flags = {"admin": False, "locked": False, "disabled": False, "emailVerified": True, "externallyManaged": False}
    accounts = [{"uuid": account, "accountName": account}]
    return success(person | flags | {"defaultAccountId": account, "accounts": accounts})


@routes.get("/ng/api/organizations")
def list_organizations() -> Response:
    return success(page_of(document()["organizations"], _show_organization))


@routes.get("/ng/api/organizations/<org>")
def get_organization(org: str) -> Response:
    known_scope(org, None)
    return success(_show_organization(next(row for row in document()["organizations"] if row["identifier"] == org)))


def _show_organization(row: Json) -> Json:
    shown = {"identifier": row["identifier"], "name": row["name"], "description": "", "tags": {}}
    return {"organization": shown, **MADE, "harnessManaged": False}


@routes.get("/ng/api/projects")
def list_projects() -> Response:
    org = request.args.get("orgIdentifier")
    rows = [row for row in document()["projects"] if org in (None, "", row["orgIdentifier"])]
    return success(page_of(rows, _show_project))


@routes.get("/ng/api/projects/<project>")
def get_project(project: str) -> Response:
    org = request.args.get("orgIdentifier") or "default"
    row = find_project(org, project)
    if row is None:
        raise not_found(f"Project with orgIdentifier [{org}] and identifier [{project}] not found")
    return success(_show_project(row))


def _show_project(row: Json) -> Json:
    shown = {name: row[name] for name in ("orgIdentifier", "identifier", "name")}
    shown |= {"color": "#0063f7", "modules": ["CD"], "description": "", "tags": {}}
    return {"project": shown, **MADE}
