"""Harness's invitations: who has not accepted yet, sending again, taking back."""

from flask import Blueprint, current_app, jsonify, request

from pdmigrate.sandbox.harness_document import accept_invites
from pdmigrate.sandbox.harness_gate import document, query_scope, writing
from pdmigrate.sandbox.harness_people import refuse_filter_with_term, send_mail
from pdmigrate.sandbox.harness_wire import error, failure, page_of, read_body, read_pattern, success

routes = Blueprint("harness_invites", __name__)
SCANT = ("accountIdentifier", "orgIdentifier", "projectIdentifier", "userGroups")


def _show_invite(invite: dict) -> dict:
    return {field: value for field, value in invite.items() if field != "createdAt"}


def _show_scantly(invite: dict) -> dict:
    return _show_invite(invite) | dict.fromkeys(SCANT)


def _pending() -> list[dict]:
    scope = query_scope()
    rows = [invite for invite in document()["invites"] if scope.holds(invite)]
    return sorted(rows, key=lambda invite: invite["createdAt"])[::-1]


@routes.post("/ng/api/invites/aggregate")
def list_pending_users():
    """Without scope and groups, as the real one; and its search term minds the case."""
    filters, term = read_body(), request.args.get("searchTerm")
    refuse_filter_with_term(filters, term)
    pattern = read_pattern(term, flags=0)
    return success(page_of(_show_scantly(invite) for invite in _pending() if pattern.search(invite["email"])))


@routes.get("/ng/api/invites")
def list_invites():
    return success(page_of(map(_show_invite, _pending())))


@routes.get("/ng/api/invites/invite")
def get_invite():
    if bool(request.args.get("inviteId")) == bool(request.args.get("jwttoken")):
        raise error("INVALID_REQUEST", "Invalid request: Specify either inviteId or jwttoken")
    return success(_show_invite(_find_invite(document(), request.args.get("inviteId"))))


def _find_invite(held: dict, identifier: str | None) -> dict:
    found = next((invite for invite in held["invites"] if invite["id"] == identifier), None)
    if found is None:
        raise error("INVALID_REQUEST", f"Invalid request: Invalid invite id: {identifier}")
    return found


@routes.put("/ng/api/invites/<identifier>")
def resend_invite(identifier: str):
    invite = _find_invite(document(), identifier)
    with writing(invite["email"], "core_user_invite", "USER") as held:
        send_mail(held, invite["email"])
    return success(_show_invite(invite))


@routes.delete("/ng/api/invites/<identifier>")
def delete_invite(identifier: str):
    found = next((invite for invite in document()["invites"] if invite["id"] == identifier), None)
    if found is None:
        return success(None)
    with writing(found["email"], "core_user_invite", "USER") as held:
        held["invites"] = [invite for invite in held["invites"] if invite["id"] != identifier]
    return success(_show_invite(found))


@routes.post("/sandbox/accept")
def accept():
    """For tests and rehearsals: people follow their invitation."""
    emails = read_body().get("emails")
    if emails is not None and not isinstance(emails, list):
        raise failure([("emails", "must be a list")])
    with current_app.config["STORE"].change() as held:
        before = len(held["invites"])
        accept_invites(held, emails)
        return jsonify({"accepted": before - len(held["invites"])})
