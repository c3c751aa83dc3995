"""Harness's users: who is there, and the call that invites."""

import uuid

from flask import Blueprint, request

from pdmigrate.sandbox.harness_document import (
    Scope,
    accept_invites,
    bind_roles,
    default_resource_group,
    find_user,
    is_member,
    join_groups,
    join_scope,
)
from pdmigrate.sandbox.harness_gate import document, now, query_scope, setting, writing
from pdmigrate.sandbox.harness_names import check_email
from pdmigrate.sandbox.harness_wire import error, failure, page_of, read_body, read_number, read_pattern, success

routes = Blueprint("harness_people", __name__)
USER_FIELDS = ("name", "email", "uuid", "locked", "disabled", "externallyManaged", "twoFactorAuthenticationEnabled")


def show_user(user: dict) -> dict:
    return {field: user.get(field, False) for field in USER_FIELDS}


def _members(scope: Scope) -> list[dict]:
    return [user for user in document()["users"] if is_member(user, scope)]


def _matches(user: dict, pattern) -> bool:
    return bool(pattern.search(user["name"]) or pattern.search(user["email"]))


@routes.post("/ng/api/user/aggregate")
def list_users():
    scope, filters, term = query_scope(), read_body(), request.args.get("searchTerm")
    refuse_filter_with_term(filters, term)
    users = [user for user in _members(scope) if _matches(user, read_pattern(term))]
    rows = [_aggregate(user, scope) for user in users]
    return success(page_of(row for row in rows if _passes(row["roleAssignmentMetadata"], filters)))


def refuse_filter_with_term(filters: dict, term: str | None) -> None:
    if term and (filters.get("resourceGroupIdentifiers") or filters.get("roleIdentifiers")):
        raise error("INVALID_REQUEST", "Invalid request: Search term and filter cannot be used together")


def _passes(roles: list[dict], filters: dict) -> bool:
    fields = {"roleIdentifiers": "roleIdentifier", "resourceGroupIdentifiers": "resourceGroupIdentifier"}
    asked = [(field, filters[name]) for name, field in fields.items() if filters.get(name)]
    return not asked or any(all(role[field] in wanted for field, wanted in asked) for role in roles)


def _aggregate(user: dict, scope: Scope) -> dict:
    rows = [row for row in document()["role_assignments"] if scope.holds(row)]
    roles = [_show_role(row) for row in rows if row["principal"]["identifier"] == user["uuid"]]
    return {"user": show_user(user), "roleAssignmentMetadata": roles}


def _show_role(row: dict) -> dict:
    names = {field: row[field] for field in ("identifier", "roleIdentifier", "resourceGroupIdentifier")}
    spoken = {"roleName": row["roleIdentifier"], "resourceGroupName": row["resourceGroupIdentifier"]}
    managed = row["roleIdentifier"].startswith("_")
    return names | spoken | {"managedRole": managed, "managedRoleAssignment": row.get("managed", False)}


@routes.get("/ng/api/user/aggregate/<user>")
def get_user(user: str):
    scope = query_scope()
    return success(_aggregate(_require_member(scope, user), scope))


def _require_member(scope: Scope, uuid: str) -> dict:
    found = next((row for row in _members(scope) if row["uuid"] == uuid), None)
    if found is None:
        raise error("ENTITY_NOT_FOUND", f"User with id [{uuid}] is not found in the given scope", 404)
    return found


@routes.get("/ng/api/user/<user>")
def get_plain_user(user: str):
    """Not attested by the server's code; nobody should rely on it."""
    return success(show_user(_require_member(query_scope(), user)))


@routes.delete("/ng/api/user/<user>")
def remove_user(user: str):
    """Takes the user out of the scope and of its groups, not out of the account above it."""
    scope = query_scope()
    _require_member(scope, user)
    with writing(user, "core_user_manage", "USER") as held:
        row = next(row for row in held["users"] if row["uuid"] == user)
        row["scopes"] = [key for key in row.get("scopes", scope.chain) if key != scope.key]
        for group in filter(scope.holds, held["user_groups"]):
            group["users"] = [uuid for uuid in group["users"] if uuid != user]
    return success(True)


@routes.post("/ng/api/user/batch")
def list_users_by_filter():
    read_number("pageSize", 50, 1, 100)
    filters = read_body()
    return success(page_of(map(show_user, filter_users(_in_parents(query_scope(), filters), filters))))


def _in_parents(scope: Scope, filters: dict) -> list[dict]:
    asked = filters.get("parentFilter") or "NO_PARENT_SCOPES"
    parents = [Scope(), Scope(scope.org)][: len(scope.chain) - 1]
    scopes = {
        "NO_PARENT_SCOPES": [scope],
        "INCLUDE_PARENT_SCOPES": [*parents, scope],
        "STRICTLY_PARENT_SCOPES": parents,
    }
    if asked not in scopes:
        raise failure([("parentFilter", "is unknown")])
    return [user for user in document()["users"] if any(is_member(user, place) for place in scopes[asked])]


def filter_users(users: list[dict], filters: dict) -> list[dict]:
    """Identifiers and emails are a union, the search term then narrows it."""
    uuids, emails = filters.get("identifiers") or [], [email.lower() for email in filters.get("emails") or []]
    if uuids or emails:
        users = [user for user in users if user["uuid"] in uuids or user["email"] in emails]
    return [user for user in users if _matches(user, read_pattern(filters.get("searchTerm")))]


@routes.post("/ng/api/user/users")
def add_users():
    """One bad address spoils the whole call; a good call counts as one write."""
    scope, body = query_scope(), read_body()
    emails = _read_emails(body.get("emails"))
    bindings = _read_bindings(body.get("roleBindings") or [], scope)
    if set(setting("unwelcome_emails")).intersection(map(str.lower, emails)):
        raise error("USER_DOMAIN_NOT_ALLOWED", "User Domain Not Allowed", 401)
    with writing(",".join(emails), "core_user_manage", "USER") as held:
        words = {email: _add_user(held, email, body.get("userGroups") or [], bindings, scope) for email in emails}
    muted = setting("unanswered_emails")
    return success({"addUserResponseMap": {email: word for email, word in words.items() if email.lower() not in muted}})


def _read_emails(emails: object) -> list[str]:
    if not isinstance(emails, list) or not emails:
        raise failure([("emails", "must not be empty")])
    if len(emails) > 100:
        raise failure([("emails", "size must be between 1 and 100")])
    bad = [email for email in emails if check_email(email)]
    if bad:
        raise error("INVALID_REQUEST", f"Invalid request: Invalid email: {bad[0]}")
    return list(dict.fromkeys(emails))


def _read_bindings(bindings: list[dict], scope: Scope) -> list[dict]:
    if any(binding.get("resourceGroupIdentifier") == "_all_resources" for binding in bindings):
        raise error("INVALID_REQUEST", "Invalid request: _all_resources is deprecated")
    if any(not binding.get("roleIdentifier") for binding in bindings):
        raise failure([("roleBindings.roleIdentifier", "must not be empty")])
    group = default_resource_group(scope)
    return [
        binding | {"resourceGroupIdentifier": binding.get("resourceGroupIdentifier") or group} for binding in bindings
    ]


def _add_user(held: dict, email: str, groups: list[str], bindings: list[dict], scope: Scope) -> str:
    if email.lower() in setting("failing_emails"):
        return "FAIL"
    # looked up as it was sent: stored addresses are lower case, so an address with capitals finds nobody
    user = find_user(held, email)
    if user is None:
        return _invite(held, email.lower(), groups, bindings, scope)
    there = is_member(user, scope)
    join_scope(user, scope)
    join_groups(held, user, groups, scope)
    bind_roles(held, user["uuid"], bindings, scope)
    return "USER_ALREADY_ADDED" if there else "USER_ADDED_SUCCESSFULLY"


def _invite(held: dict, email: str, groups: list[str], bindings: list[dict], scope: Scope) -> str:
    pending = any(invite["email"] == email and scope.holds(invite) for invite in held["invites"])
    if not pending:
        held["invites"].append(_new_invite(held["account"], email, groups, bindings, scope))
    if not pending and setting("auto_accept"):
        accept_invites(held, [email])
        return "USER_ADDED_SUCCESSFULLY"
    send_mail(held, email)
    return "USER_ALREADY_INVITED" if pending else "USER_INVITED_SUCCESSFULLY"


def _new_invite(account: str, email: str, groups: list[str], bindings: list[dict], scope: Scope) -> dict:
    named = {"id": uuid.uuid4().hex[:24], "name": email, "email": email} | scope.fields(account)
    asked = {"roleBindings": bindings, "userGroups": groups, "inviteType": "ADMIN_INITIATED_INVITE"}
    return named | asked | {"approved": False, "createdAt": int(now() * 1000)}


def send_mail(held: dict, email: str) -> None:
    held["mails"][email] = held["mails"].get(email, 0) + 1
