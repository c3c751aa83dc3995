"""Harness's users and invitations: who is there, who has not accepted yet, and the call that invites."""

import re
import uuid

from flask import Blueprint, Response, current_app, jsonify, request

from pdmigrate.sandbox.gate import document
from pdmigrate.sandbox.harness_document import Scope, accept_invites, find_user, is_member, join_groups, join_scope
from pdmigrate.sandbox.harness_gate import now, query_scope, setting, writing
from pdmigrate.sandbox.harness_names import check_email
from pdmigrate.sandbox.harness_wire import error, failure, page_of, read_body, read_number, read_pattern, success
from pdmigrate.sandbox.store import Json

routes = Blueprint("harness_people", __name__)
USER_FIELDS = ("name", "email", "uuid", "locked", "disabled", "externallyManaged", "twoFactorAuthenticationEnabled")
SCANT = ("accountIdentifier", "orgIdentifier", "projectIdentifier", "userGroups")


def _show_user(user: Json) -> Json:
    return {field: user.get(field, False) for field in USER_FIELDS}


def _show_member(user: Json) -> Json:
    return {"user": _show_user(user), "roleAssignmentMetadata": []}


@routes.post("/ng/api/user/aggregate")
def list_users() -> Response:
    read_body()  # its filters are not played, but what is no JSON is refused
    scope, pattern = query_scope(), read_pattern(request.args.get("searchTerm"))
    users = [user for user in document()["users"] if is_member(user, scope)]
    found = [user for user in users if pattern.search(user["name"]) or pattern.search(user["email"])]
    return success(page_of(found, _show_member))


@routes.post("/ng/api/user/batch")
def list_users_by_email() -> Response:
    read_number("pageSize", 50, 1, 100)
    scope, emails = query_scope(), [email.lower() for email in read_body().get("emails") or []]
    users = [user for user in document()["users"] if is_member(user, scope)]
    return success(page_of([user for user in users if not emails or user["email"] in emails], _show_user))


@routes.post("/ng/api/user/users")
def add_users() -> Response:
    """One bad address spoils the whole call; a good call counts as one write."""
    scope, body = query_scope(), read_body()
    emails = _read_emails(body.get("emails"))
    bindings = _read_bindings(body.get("roleBindings") or [], scope)
    if set(setting("unwelcome_emails")).intersection(map(str.lower, emails)):
        raise error("USER_DOMAIN_NOT_ALLOWED", "User Domain Not Allowed", 401)
    asked = {"roleBindings": bindings, "userGroups": body.get("userGroups") or []}
    with writing(",".join(emails), "core_user_manage", "USER") as held:
        words = {email: _add_user(held, email, asked, scope) for email in emails}
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


def _read_bindings(bindings: list[Json], scope: Scope) -> list[Json]:
    if any(binding.get("resourceGroupIdentifier") == "_all_resources" for binding in bindings):
        raise error("INVALID_REQUEST", "Invalid request: _all_resources is deprecated")
    if any(not binding.get("roleIdentifier") for binding in bindings):
        raise failure([("roleBindings.roleIdentifier", "must not be empty")])
    level = "project" if scope.project else "organization" if scope.org else "account"
    default = f"_all_{level}_level_resources"
    return [one | {"resourceGroupIdentifier": one.get("resourceGroupIdentifier") or default} for one in bindings]


def _add_user(held: Json, email: str, asked: Json, scope: Scope) -> str:
    """Adds or invites one address. `asked` are the role bindings and user groups. Returns Harness's word for it."""
    if email.lower() in setting("failing_emails"):
        return "FAIL"
    # looked up as it was sent: stored addresses are lower case, so an address with capitals finds nobody
    user = find_user(held, email)
    if user is not None:
        there = is_member(user, scope)
        join_scope(user, scope)
        join_groups(held, user, asked["userGroups"], scope)
        return "USER_ALREADY_ADDED" if there else "USER_ADDED_SUCCESSFULLY"
    email = email.lower()
    pending = any(invite["email"] == email and scope.holds(invite) for invite in held["invites"])
    if not pending:
        invite: Json = (
            {"id": uuid.uuid4().hex[:24], "name": email, "email": email} | scope.fields(held["account"]) | asked
        )
        invite |= {"inviteType": "ADMIN_INITIATED_INVITE", "approved": False, "createdAt": int(now() * 1000)}
        held["invites"].append(invite)
        if setting("auto_accept"):
            accept_invites(held, [email])
            return "USER_ADDED_SUCCESSFULLY"
    held["mails"][email] = held["mails"].get(email, 0) + 1
    return "USER_ALREADY_INVITED" if pending else "USER_INVITED_SUCCESSFULLY"


def _list_pending() -> list[Json]:
    """The invitations of the scope, the newest first."""
    scope = query_scope()
    rows = [invite for invite in document()["invites"] if scope.holds(invite)]
    return sorted(rows, key=lambda invite: invite["createdAt"])[::-1]


def _show_invite(invite: Json) -> Json:
    return {field: value for field, value in invite.items() if field != "createdAt"}


@routes.post("/ng/api/invites/aggregate")
def list_pending_users() -> Response:
    """Without scope and groups, as the real one; and its search term minds the case."""
    read_body()
    pattern = read_pattern(request.args.get("searchTerm"), re.NOFLAG)
    found = [invite for invite in _list_pending() if pattern.search(invite["email"])]
    return success(page_of(found, lambda invite: _show_invite(invite) | dict.fromkeys(SCANT)))


@routes.get("/ng/api/invites")
def list_invites() -> Response:
    return success(page_of(_list_pending(), _show_invite))


@routes.delete("/ng/api/invites/<identifier>")
def delete_invite(identifier: str) -> Response:
    found = next((invite for invite in document()["invites"] if invite["id"] == identifier), None)
    if found is None:
        return success(None)
    with writing(found["email"], "core_user_invite", "USER") as held:
        held["invites"] = [invite for invite in held["invites"] if invite["id"] != identifier]
    return success(_show_invite(found))


@routes.post("/sandbox/accept")
def accept() -> Response:
    """For tests and rehearsals: people follow their invitation."""
    emails = read_body().get("emails")
    if emails is not None and not isinstance(emails, list):
        raise failure([("emails", "must be a list")])
    with current_app.config["STORE"].change() as held:
        before = len(held["invites"])
        accept_invites(held, emails)
        return jsonify({"accepted": before - len(held["invites"])})
