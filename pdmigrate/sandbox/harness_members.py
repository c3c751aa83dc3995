"""The members of Harness's user groups, one at a time."""

from flask import Blueprint, request

from pdmigrate.sandbox.harness_document import find_group
from pdmigrate.sandbox.harness_gate import document, now, query_scope, writing
from pdmigrate.sandbox.harness_groups import find_to_change, known_uuids, show_group, swap_group, uuids_in
from pdmigrate.sandbox.harness_people import filter_users, show_user
from pdmigrate.sandbox.harness_wire import APOLOGY, error, page_of, read_body, success

routes = Blueprint("harness_members", __name__)


@routes.get("/ng/api/user-groups/<identifier>/member/<user>")
def has_member(identifier: str, user: str):
    group = find_group(document(), query_scope(), identifier)
    if group is None:
        raise error("INVALID_ARGUMENT", f"Invalid argument(s): User group [{identifier}] doesn't exist")
    return success(user in uuids_in(group))


@routes.put("/ng/api/user-groups/<identifier>/member/<user>")
def add_member(identifier: str, user: str):
    group = find_to_change(identifier)
    _refuse_member_change(group)
    if user in group["users"]:
        raise error("INVALID_REQUEST", f"Invalid request: User [{user}] is already part of User Group [{identifier}]")
    if not known_uuids(query_scope(), [user]):
        raise error("INVALID_REQUEST", f"Invalid request: User [{user}] is not part of the scope")
    return _change_members(group, [*group["users"], user])


@routes.delete("/ng/api/user-groups/<identifier>/member/<user>")
def remove_member(identifier: str, user: str):
    group = find_to_change(identifier)
    _refuse_member_change(group)
    return _change_members(group, [uuid for uuid in group["users"] if uuid != user])


def _refuse_member_change(group: dict) -> None:
    if group["externallyManaged"] or group["harnessManaged"]:
        raise error("INVALID_REQUEST", "Invalid request: members of a managed group cannot be changed")


def _change_members(group: dict, users: list[str]):
    changed = group | {"users": users, "lastModifiedAt": int(now() * 1000)}
    swap_group(group, changed)
    return success(show_group(changed))


@routes.put("/ng/api/user/add-user-to-groups/<user>")
def replace_groups_of_user(user: str):
    """In spite of its name it also takes the user out of every other group of the scope."""
    scope, wanted = query_scope(), read_body().get("userGroupIdsToAdd") or []
    if not known_uuids(scope, [user]):
        raise error("INVALID_REQUEST", f"Invalid request: User [{user}] is not part of the scope")
    with writing(user, "core_usergroup_manage", "USERGROUP") as held:
        for group in held["user_groups"]:
            if scope.holds(group) and not group["harnessManaged"]:
                others = [uuid for uuid in group["users"] if uuid != user]
                group["users"] = others + [user] * (group["identifier"] in wanted)
    return success(True)


@routes.post("/ng/api/user-groups/<identifier>/users")
def list_members(identifier: str):
    """An unknown group is an empty page; a missing body is an error of the server."""
    if not request.get_data():
        raise error("UNKNOWN_ERROR", APOLOGY, 500)
    group = find_group(document(), query_scope(), identifier)
    uuids = uuids_in(group) if group else []
    members = [user for user in document()["users"] if user["uuid"] in uuids]
    return success(page_of(map(show_user, filter_users(members, read_body()))))
