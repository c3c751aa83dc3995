"""Harness's user groups: uuids in the first version of the API, emails in the second."""

from flask import Blueprint, request

from pdmigrate.sandbox.harness_document import Scope, find_group, is_member
from pdmigrate.sandbox.harness_gate import document, known_scope, not_found, now, query_scope, writing
from pdmigrate.sandbox.harness_names import (
    BUILT_IN_GROUPS,
    check_description,
    check_filled,
    check_identifier,
    check_name,
    check_tags,
    list_wrong,
)
from pdmigrate.sandbox.harness_wire import error, failure, page_of, read_body, read_pattern, success

routes = Blueprint("harness_groups", __name__)
MOVABLE = {"description": "", "tags": {}, "notificationConfigs": [], "externallyManaged": False, "ssoLinked": False}
SSO = ("linkedSsoId", "linkedSsoDisplayName", "linkedSsoType", "ssoGroupId", "ssoGroupName")
PERMISSION = ("core_usergroup_manage", "USERGROUP")


def show_group(group: dict) -> dict:
    """Nulls are left out; a built-in group holds whoever is in its scope."""
    shown = {field: value for field, value in group.items() if value is not None and field != "lastModifiedAt"}
    return shown | {"users": uuids_in(group)}


def uuids_in(group: dict) -> list[str]:
    if group["identifier"] not in BUILT_IN_GROUPS:
        return list(group["users"])
    scope = Scope(group["orgIdentifier"], group["projectIdentifier"])
    return [user["uuid"] for user in document()["users"] if is_member(user, scope)]


def _show_group_v2(group: dict) -> dict:
    emails = {user["uuid"]: user["email"] for user in document()["users"]}
    return show_group(group) | {"users": [{"id": uuid, "email": emails.get(uuid)} for uuid in uuids_in(group)]}


@routes.get("/ng/api/user-groups")
def list_groups():
    groups = _in_scopes(query_scope(), request.args.get("filterType") or "EXCLUDE_INHERITED_GROUPS")
    pattern = read_pattern(request.args.get("searchTerm"))
    return success(page_of(show_group(group) for group in groups if _matches(group, pattern)))


def _matches(group: dict, pattern) -> bool:
    """On name and tags; the identifier is not searched."""
    tags = [text for pair in group["tags"].items() for text in pair]
    return any(pattern.search(text) for text in [group["name"], *tags])


def _in_scopes(scope: Scope, filter_type: str) -> list[dict]:
    rows = sorted(document()["user_groups"], key=lambda group: group["lastModifiedAt"])[::-1]
    keyed = [(Scope(group["orgIdentifier"], group["projectIdentifier"]), group) for group in rows]
    tests = {
        "EXCLUDE_INHERITED_GROUPS": lambda place: place == scope,
        "INCLUDE_INHERITED_GROUPS": lambda place: place.key in scope.chain,
        "INCLUDE_CHILD_SCOPE_GROUPS": lambda place: scope.key in place.chain,
    }
    if filter_type not in tests:
        raise failure([("filterType", "is unknown")])
    return [group for place, group in keyed if tests[filter_type](place)]


@routes.get("/ng/api/user-groups/<identifier>")
def get_group(identifier: str):
    return success(show_group(_find_to_read(query_scope(), identifier)))


@routes.get("/ng/api/v2/user-groups/<identifier>")
def get_group_v2(identifier: str):
    return success(_show_group_v2(_find_to_read(query_scope(), identifier)))


def _find_to_read(scope: Scope, identifier: str) -> dict:
    group = find_group(document(), scope, identifier)
    if group is None:
        raise not_found(f"UserGroup with identifier [{identifier}] is not found in the given scope")
    return group


@routes.post("/ng/api/user-groups/filter")
def filter_groups():
    return success(page_of(map(show_group, _filtered(read_body()))))


@routes.post("/ng/api/user-groups/batch")
def list_groups_by_filter():
    return success([show_group(group) for group in _filtered(read_body())])


def _filtered(filters: dict) -> list[dict]:
    if not filters.get("accountIdentifier"):
        raise failure([("accountIdentifier", "must not be null")])
    scope = known_scope(filters.get("orgIdentifier"), filters.get("projectIdentifier"))
    groups = _in_scopes(scope, filters.get("filterType") or "EXCLUDE_INHERITED_GROUPS")
    names, people = filters.get("identifierFilter"), set(filters.get("userIdentifierFilter") or [])
    groups = [group for group in groups if not names or group["identifier"] in names]
    groups = [group for group in groups if not people or people & set(uuids_in(group))]
    return [group for group in groups if _matches(group, read_pattern(filters.get("searchTerm")))]


@routes.post("/ng/api/user-groups")
def create_group():
    return success(show_group(_create(query_scope(), read_body(), known_uuids)))


@routes.post("/ng/api/v2/user-groups")
def create_group_v2():
    return success(_show_group_v2(_create(query_scope(), read_body(), _uuids_of_emails)))


def _create(scope: Scope, body: dict, resolve) -> dict:
    checks = {"identifier": check_identifier, "name": check_name, "description": check_description, "tags": check_tags}
    _check_body(scope, body, checks)
    if body["identifier"] in BUILT_IN_GROUPS:
        raise error("INVALID_REQUEST", f"Invalid request: {body['identifier']} is a harness managed group")
    if find_group(document(), scope, body["identifier"]):
        raise error(
            "DUPLICATE_FIELD", f"Try using different user group identifier, [{body['identifier']}] cannot be used"
        )
    group = _build(scope, body, resolve(scope, body.get("users") or []))
    with writing(group["identifier"], *PERMISSION) as held:
        held["user_groups"].append(group)
    return group


def _check_body(scope: Scope, body: dict, checks: dict) -> None:
    wrong = list_wrong(body, checks)
    if wrong:
        raise failure(wrong)
    for field, value in scope.fields(document()["account"]).items():
        if body.get(field) not in (None, value):
            raise error("INVALID_REQUEST", f"Invalid request: Value mismatch between query and body: {field}")
    kinds = [config.get("type") for config in body.get("notificationConfigs") or []]
    if len(kinds) != len(set(kinds)):
        raise error(
            "INVALID_ARGUMENT", "Invalid argument(s): Not allowed to create multiple notification configs of one type"
        )


def _build(scope: Scope, body: dict, users: list[str]) -> dict:
    named = scope.fields(document()["account"]) | {
        "identifier": body["identifier"],
        "name": body["name"],
        "users": users,
    }
    moved = {field: body.get(field) or blank for field, blank in MOVABLE.items()}
    linked = {field: body.get(field) for field in SSO}
    return named | moved | linked | {"harnessManaged": False, "lastModifiedAt": int(now() * 1000)}


def known_uuids(scope: Scope, uuids: list) -> list[str]:
    """Strangers are dropped without a word, duplicates too, and the order is lost."""
    members = {user["uuid"] for user in document()["users"] if is_member(user, scope)}
    return sorted(members & {uuid for uuid in uuids if isinstance(uuid, str)})


def _uuids_of_emails(scope: Scope, emails: list) -> list[str]:
    if len(emails) > 5000:
        raise failure([("users", "size must be between 0 and 5000")])
    wanted = {str(email).lower() for email in emails}
    return sorted(user["uuid"] for user in document()["users"] if user["email"] in wanted and is_member(user, scope))


@routes.put("/ng/api/user-groups")
def replace_group():
    return success(show_group(_replace(query_scope(), read_body(), known_uuids)))


@routes.put("/ng/api/v2/user-groups")
def replace_group_v2():
    return success(_show_group_v2(_replace(query_scope(), read_body(), _uuids_of_emails)))


def _replace(scope: Scope, body: dict, resolve) -> dict:
    """Whatever the body leaves out becomes empty."""
    _check_body(scope, body, {"name": check_filled, "description": check_description, "tags": check_tags})
    old = find_group(document(), scope, str(body.get("identifier")))
    if old is None:
        raise error("INVALID_ARGUMENT", f"Invalid argument(s): User group [{body.get('identifier')}] doesn't exist")
    group = _build(scope, body, resolve(scope, body.get("users") or []))
    _refuse_if_foreign(old, group)
    swap_group(old, group | {"harnessManaged": old["harnessManaged"]})
    return group | {"harnessManaged": old["harnessManaged"]}


def _refuse_if_foreign(old: dict, group: dict) -> None:
    changed = old["name"] != group["name"] or set(uuids_in(old)) != set(group["users"])
    if old["externallyManaged"] and changed:
        raise error("INVALID_REQUEST", "Invalid request: Update is not supported for externally managed group")
    if old["harnessManaged"] and changed:
        raise error("INVALID_REQUEST", "Invalid request: Update is not supported for harness managed group")


def swap_group(old: dict, group: dict | None) -> None:
    with writing(old["identifier"], *PERMISSION) as held:
        place = next(at for at, known in enumerate(held["user_groups"]) if _same(known, old))
        held["user_groups"][place : place + 1] = [group] if group else []


def _same(one: dict, other: dict) -> bool:
    fields = ("identifier", "orgIdentifier", "projectIdentifier")
    return all(one[field] == other[field] for field in fields)


def find_to_change(identifier: str) -> dict:
    group = find_group(document(), query_scope(), identifier)
    if group is None:
        raise error("USER_GROUP_ERROR", f"User group [{identifier}] doesn't exist")
    return group


@routes.delete("/ng/api/user-groups/<identifier>")
def delete_group(identifier: str):
    group = find_to_change(identifier)
    if group["harnessManaged"] or group["externallyManaged"]:
        raise error("INVALID_REQUEST", f"Invalid request: User group [{identifier}] is managed and cannot be deleted")
    swap_group(group, None)
    return success(show_group(group))


@routes.put("/ng/api/user-groups/copy")
def copy_group():
    raise error("INVALID_REQUEST", "Invalid request: copying user groups is not supported")
