"""Harness's user groups, whose members are uuids."""

from flask import Blueprint, Response, request

from pdmigrate.sandbox.gate import document
from pdmigrate.sandbox.harness_document import Scope, find_group, is_member
from pdmigrate.sandbox.harness_gate import not_found, now, query_scope, writing
from pdmigrate.sandbox.harness_names import (
    BUILT_IN_GROUPS,
    Check,
    check_description,
    check_filled,
    check_identifier,
    check_name,
    check_tags,
    list_wrong,
)
from pdmigrate.sandbox.harness_wire import error, failure, page_of, read_body, read_pattern, success
from pdmigrate.sandbox.store import Json

routes = Blueprint("harness_groups", __name__)
MOVABLE = {"description": "", "tags": {}, "notificationConfigs": [], "externallyManaged": False, "ssoLinked": False}
SSO = ("linkedSsoId", "linkedSsoDisplayName", "linkedSsoType", "ssoGroupId", "ssoGroupName")
PERMISSION = ("core_usergroup_manage", "USERGROUP")


def _show_group(group: Json) -> Json:
    """Nulls are left out."""
    shown = {field: value for field, value in group.items() if value is not None and field != "lastModifiedAt"}
    return shown | {"users": _list_uuids(group)}


def _list_uuids(group: Json) -> list[str]:
    """The members; a built-in group holds whoever is in its scope."""
    if group["identifier"] not in BUILT_IN_GROUPS:
        return list(group["users"])
    scope = Scope(group["orgIdentifier"], group["projectIdentifier"])
    return [user["uuid"] for user in document()["users"] if is_member(user, scope)]


@routes.get("/ng/api/user-groups")
def list_groups() -> Response:
    """The last changed first. A search term is looked for in name and tags; the identifier is not searched."""
    scope, pattern = query_scope(), read_pattern(request.args.get("searchTerm"))
    groups = sorted(filter(scope.holds, document()["user_groups"]), key=lambda group: group["lastModifiedAt"])[::-1]
    texts = [[group["name"], *(text for pair in group["tags"].items() for text in pair)] for group in groups]
    found = [group for group, words in zip(groups, texts, strict=True) if any(map(pattern.search, words))]
    return success(page_of(found, _show_group))


@routes.get("/ng/api/user-groups/<identifier>")
def get_group(identifier: str) -> Response:
    group = find_group(document(), query_scope(), identifier)
    if group is None:
        raise not_found(f"UserGroup with identifier [{identifier}] is not found in the given scope")
    return success(_show_group(group))


@routes.post("/ng/api/user-groups")
def create_group() -> Response:
    scope, body = query_scope(), read_body()
    _check_body(scope, body, {"identifier": check_identifier, "name": check_name})
    identifier = body["identifier"]
    if identifier in BUILT_IN_GROUPS:
        raise error("INVALID_REQUEST", f"Invalid request: {identifier} is a harness managed group")
    if find_group(document(), scope, identifier):
        raise error("DUPLICATE_FIELD", f"Try using different user group identifier, [{identifier}] cannot be used")
    group = _build(scope, body)
    with writing(identifier, *PERMISSION) as held:
        held["user_groups"].append(group)
    return success(_show_group(group))


@routes.put("/ng/api/user-groups")
def replace_group() -> Response:
    """Whatever the body leaves out becomes empty."""
    scope, body = query_scope(), read_body()
    _check_body(scope, body, {"name": check_filled})
    old = find_group(document(), scope, str(body.get("identifier")))
    if old is None:
        raise error("INVALID_ARGUMENT", f"Invalid argument(s): User group [{body.get('identifier')}] doesn't exist")
    group = _build(scope, body) | {"harnessManaged": old["harnessManaged"]}
    changed = old["name"] != group["name"] or set(_list_uuids(old)) != set(group["users"])
    for flag, owner in (("externallyManaged", "externally"), ("harnessManaged", "harness")):
        if old[flag] and changed:
            raise error("INVALID_REQUEST", f"Invalid request: Update is not supported for {owner} managed group")
    _swap(old, [group])
    return success(_show_group(group))


@routes.delete("/ng/api/user-groups/<identifier>")
def delete_group(identifier: str) -> Response:
    group = find_group(document(), query_scope(), identifier)
    if group is None:
        raise error("USER_GROUP_ERROR", f"User group [{identifier}] doesn't exist")
    if group["harnessManaged"] or group["externallyManaged"]:
        raise error("INVALID_REQUEST", f"Invalid request: User group [{identifier}] is managed and cannot be deleted")
    _swap(group, [])
    return success(_show_group(group))


def _check_body(scope: Scope, body: Json, checks: dict[str, Check]) -> None:
    wrong = list_wrong(body, checks | {"description": check_description, "tags": check_tags})
    if wrong:
        raise failure(wrong)
    for field, value in scope.fields(document()["account"]).items():
        if body.get(field) not in (None, value):
            raise error("INVALID_REQUEST", f"Invalid request: Value mismatch between query and body: {field}")
    kinds = [config.get("type") for config in body.get("notificationConfigs") or []]
    if len(kinds) != len(set(kinds)):
        told = "Not allowed to create multiple notification configs of one type"
        raise error("INVALID_ARGUMENT", f"Invalid argument(s): {told}")


def _build(scope: Scope, body: Json) -> Json:
    """The group to be stored. Members who are strangers are dropped without a word, duplicates too; the order is lost."""
    members = {user["uuid"] for user in document()["users"] if is_member(user, scope)}
    users = sorted(members & {uuid for uuid in body.get("users") or [] if isinstance(uuid, str)})
    named = scope.fields(document()["account"]) | {"identifier": body["identifier"], "name": body["name"]}
    moved = {field: body.get(field) or blank for field, blank in MOVABLE.items()}
    linked = {field: body.get(field) for field in SSO}
    return {**named, "users": users, **moved, **linked, "harnessManaged": False, "lastModifiedAt": int(now() * 1000)}


def _swap(old: Json, groups: list[Json]) -> None:
    fields = ("identifier", "orgIdentifier", "projectIdentifier")
    with writing(old["identifier"], *PERMISSION) as held:
        rows = held["user_groups"]
        place = next(at for at, known in enumerate(rows) if all(known[field] == old[field] for field in fields))
        rows[place : place + 1] = groups
