"""Harness's account, organizations, projects, and what a key can ask about itself."""

from flask import Blueprint, request

from pdmigrate.sandbox.harness_gate import document, find_project, known_scope, not_found, query_scope
from pdmigrate.sandbox.harness_wire import denied, error, page_of, read_pattern, success

routes = Blueprint("harness_scopes", __name__)


def _is_service_account() -> bool:
    return request.headers["x-api-key"].startswith("sat.")


@routes.get("/ng/api/accounts/<account>")
def get_account(account: str):
    if _is_service_account():
        # an account view is seldom granted to a service account
        raise denied("core_account_view", "ACCOUNT", "service", {"accountIdentifier": account})
    name = document().get("account_name", account)
    return success({"identifier": account, "name": name, "companyName": name, "cluster": "sandbox"})


@routes.post("/ng/api/token/validate")
def validate_token():
    parts = request.headers["x-api-key"].split(".")
    kind = "SERVICE_ACCOUNT" if _is_service_account() else "USER"
    names = {"identifier": parts[2] if len(parts) > 3 else "token", "accountIdentifier": document()["account"]}
    return success(names | {"name": names["identifier"], "apiKeyType": kind, "valid": True, "validTo": None})


@routes.get("/ng/api/user/currentUser")
def get_current_user():
    if _is_service_account():
        raise error("INVALID_REQUEST", "Invalid request: the principal of this token is not a user")
    account = document()["account"]
    person = {"uuid": "sandboxKeyOwner0000000", "name": "Key Owner", "email": "key.owner@example.com"}
    flags = {"admin": False, "locked": False, "disabled": False, "emailVerified": True, "externallyManaged": False}
    accounts = [{"uuid": account, "accountName": document().get("account_name", account)}]
    return success(person | flags | {"defaultAccountId": account, "accounts": accounts})


@routes.get("/ng/api/organizations")
def list_organizations():
    wanted = read_pattern(request.args.get("searchTerm"))
    rows = [
        row for row in document()["organizations"] if wanted.search(row["name"]) or wanted.search(row["identifier"])
    ]
    return success(page_of(map(_show_organization, rows)))


@routes.get("/ng/api/organizations/<org>")
def get_organization(org: str):
    known_scope(org, None)
    return success(_show_organization(next(row for row in document()["organizations"] if row["identifier"] == org)))


def _show_organization(row: dict) -> dict:
    fields = {"identifier": row["identifier"], "name": row["name"], "description": "", "tags": {}}
    return {
        "organization": fields,
        "createdAt": 1700000000000,
        "lastModifiedAt": 1700000000000,
        "harnessManaged": False,
    }


@routes.get("/ng/api/projects")
def list_projects():
    org = request.args.get("orgIdentifier")
    wanted = read_pattern(request.args.get("searchTerm"))
    rows = [row for row in document()["projects"] if org in (None, "", row["orgIdentifier"])]
    rows = [row for row in rows if wanted.search(row["name"]) or wanted.search(row["identifier"])]
    return success(page_of(map(_show_project, rows)))


@routes.get("/ng/api/projects/<project>")
def get_project(project: str):
    scope = query_scope()
    row = find_project(scope.org or "default", project)
    if row is None:
        raise not_found(f"Project with orgIdentifier [{scope.org}] and identifier [{project}] not found")
    return success(_show_project(row))


def _show_project(row: dict) -> dict:
    fields = {name: row[name] for name in ("orgIdentifier", "identifier", "name")}
    fields |= {"color": "#0063f7", "modules": ["CD"], "description": "", "tags": {}}
    return {"project": fields, "createdAt": 1700000000000, "lastModifiedAt": 1700000000000}
