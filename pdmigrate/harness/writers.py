"""Turns a Change into requests to Harness. Each write can be sent again without harm, or says that it was not.

Harness's PUT replaces, so what is there is read, changed and written: what is not ours stays (tags, the default service of
a rule, its own name). Unknown members of groups are dropped in silence, so what came back is compared with what was sent.
People are invited by `invitations`.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import yaml

from pdmigrate.errors import AnswerError, IncompleteFetchError, PdmigrateError, UnreachableError
from pdmigrate.harness.answers import take_data, take_found
from pdmigrate.harness.client import Harness
from pdmigrate.harness.records import Person, State
from pdmigrate.harness.target import Change
from pdmigrate.wire.addresses import encode_part
from pdmigrate.wire.yaml_text import read_yaml

Fields = dict[str, Any]

ROUTES = {
    "schedules": ("/schedules", "identifier"),
    "escalation_policies": ("/escalation-policies", "identifier"),
    "contact_methods": ("/contact-details", "email"),
    "notification_rules": ("/notification-rules", "email"),
}
"""Kinds that one request of the on-call contract writes or removes: their path, and what their identifier is called."""
GROUPS, SERVICES = "/ng/api/user-groups", "/ng/api/servicesV2"
ONCALL_SETTINGS = ("owner_group", "escalation_policy", "paging")
RULE_SETTINGS = ("name", "paging", "rule_policy")
ROWS = ("rotations", "levels", "methods", "steps")
"""Fields that are lists of objects."""


class WriteError(PdmigrateError):
    """Harness took a request and did not do what it said."""

    exit_code = 5


def write_change(harness: Harness, change: Change, people: Mapping[str, Person]) -> str:
    """Make one change (of any kind but users). Returns a note for the journal, mostly empty."""
    fields = change.after
    if change.kind == "overrides":
        path, name = _place_override(change.identifier)
        if fields is None:
            harness.oncall("DELETE", path)
            return "taken back: it is gone from PagerDuty"
        said = {field: value for field, value in fields.items() if field != "schedule"}
        harness.oncall("PUT", path, body={"identifier": name, **said})
        return ""
    if fields is None:
        raise WriteError(f"{change.kind} {change.name} is not taken back by a write: only overrides are.")
    if change.kind == "teams":
        return _write_group(harness, change, fields, people)
    if change.kind == "services":
        _write_service(harness, change, fields)
    else:
        path, named = ROUTES[change.kind]
        body = {named: change.identifier, **fields}
        _put(harness, f"{path}/{encode_part(change.identifier)}", body, change)
    return ""


def _write_group(harness: Harness, change: Change, fields: Fields, people: Mapping[str, Person]) -> str:
    """Create the group, or read, change and write it: members that others added stay."""
    current = harness.read_group(change.identifier)
    added = _find_uuids(fields["users"], people)
    if current is None:
        body: Fields = {**harness.scope, "identifier": change.identifier, "users": sorted(added.values())}
        body |= {"name": fields["name"], "description": fields["description"], "tags": {"pagerduty_id": change.key}}
        answer = _create(
            lambda: take_data(harness.transport.send("POST", GROUPS, harness.scope, body), GROUPS),
            lambda: harness.read_group(change.identifier),
            change,
        )
    else:
        answer = _replace_group(harness, change, fields, current, people)
    dropped = sorted(email for email, uuid in added.items() if uuid not in (answer.get("users") or []))
    if dropped:
        raise WriteError(f"Harness left out members of {change.name} without a word: {', '.join(dropped)}.")
    waiting = len(fields["users"]) - len(added)
    return f"{waiting} members join when they accept their invitation" if waiting else ""


def _replace_group(
    harness: Harness, change: Change, fields: Fields, current: Fields, people: Mapping[str, Person]
) -> Fields:
    """PUT replaces all, so all that was there goes along; our own changes are made to the members that are there now."""
    if current.get("externallyManaged") or current.get("harnessManaged"):
        raise WriteError(f"The group {change.identifier} is managed elsewhere: it was not touched.")
    gone = _find_uuids([e for e in (change.before or {}).get("users", []) if e not in fields["users"]], people)
    users = (set(current.get("users") or []) - set(gone.values())) | set(_find_uuids(fields["users"], people).values())
    body = {**current, **harness.scope, "users": sorted(users)}
    body |= {"name": fields["name"], "description": fields["description"]}
    body["tags"] = {**(current.get("tags") or {}), "pagerduty_id": change.key}
    return _check_policy(take_data(harness.transport.send("PUT", GROUPS, harness.scope, body), GROUPS), change)


def _find_uuids(emails: Iterable[str], people: Mapping[str, Person]) -> dict[str, str]:
    return {email: uuid for email in emails if email in people and (uuid := people[email].uuid)}


def _check_policy(answer: Fields, change: Change) -> Fields:
    """Raise WriteError where a governance policy refused the write: Harness says so in an answer with status 200."""
    verdict = answer.get("governanceMetadata") or {}
    if verdict.get("deny"):
        raise WriteError(
            f"A policy of this Harness account refuses {change.name}: {verdict.get('message') or 'denied'}."
        )
    return answer


def _create(send: Callable[[], Fields], look: Callable[[], Fields | None], change: Change) -> Fields:
    """Create by POST, once. Where the answer was lost, or says that it is there already, a look decides."""
    try:
        return _check_policy(send(), change)
    except UnreachableError:
        found = look()
        if found is None:
            raise
        return found
    except AnswerError as error:
        found = look() if error.code == "DUPLICATE_FIELD" else None
        # what carries our mark was made by an earlier try of the same request
        if found is None or (found.get("tags") or {}).get("pagerduty_id") != change.key:
            raise
        return found


def _put(harness: Harness, path: str, body: Fields, change: Change) -> None:
    """Create the object, or read it and write it back with our fields changed: fields that we do not own are kept."""
    current = _read(harness, path) if change.before is not None else {}
    kept = {name: value for name, value in current.items() if name != "overrides"}  # they have a route of their own
    ours = {name: _keep_rows(current.get(name) or [], value) if name in ROWS else value for name, value in body.items()}
    harness.oncall("PUT", path, body={**kept, **ours})


def _read(harness: Harness, path: str) -> Fields:
    """What is there, raw; nothing where somebody has removed it meanwhile."""
    try:
        found: Fields = harness.oncall("GET", path)
    except AnswerError as error:
        if error.status != 404:
            raise
        return {}
    return take_found(found, path)


def _keep_rows(current: list[Fields], wanted: list[Fields]) -> list[Fields]:
    """A row that is there already stays as it is, with whatever else is in it; a rotation is known by its name, too."""
    named = {row["name"]: row for row in current if "name" in row}
    return [
        next(
            (row for row in current if {name: row.get(name) for name in one} == one),
            {**named.get(str(one.get("name")), {}), **one},
        )
        for one in wanted
    ]


def _place_override(identifier: str) -> tuple[str, str]:
    schedule, _, name = identifier.partition("/")
    return f"/schedules/{encode_part(schedule)}/overrides/{encode_part(name)}", name


def _write_service(harness: Harness, change: Change, fields: Fields) -> None:
    before = change.before
    named = {name: fields[name] for name in ("name", "description")}
    if before is None:
        _create_service(harness, change, named)
    elif any(before.get(name) != value for name, value in named.items()):
        _rename_service(harness, change, named)
    if _differs(ONCALL_SETTINGS, fields, before):
        body = {name: fields[name] for name in ONCALL_SETTINGS}
        _put(harness, f"/services/{encode_part(change.identifier)}", {"identifier": change.identifier, **body}, change)
    if _differs(RULE_SETTINGS, fields, before):
        _write_alert_rule(harness, change, fields)
    for rule, settings in fields.get("other_rules", {}).items():
        if settings != (before or {}).get("other_rules", {}).get(rule):
            _put(harness, f"/alert-rules/{encode_part(rule)}", settings, change)


def _differs(names: tuple[str, ...], fields: Fields, before: Fields | None) -> bool:
    """Whether `fields` has all of these names, and other values for them than `before`."""
    return all(name in fields for name in names) and any(fields[n] != (before or {}).get(n) for n in names)


def _write_alert_rule(harness: Harness, change: Change, fields: Fields) -> None:
    """The service's own rule has its identifier. Without a rule an alert is logged, and pages nobody.

    A name that people have given it stays, and so does whether it is for alerts that name no service.
    """
    path = f"/alert-rules/{encode_part(change.identifier)}"
    current = _read(harness, path) if change.before is not None else {}
    ours = {change.identifier, (change.before or {}).get("name")}
    own_name = current.get("name") if current.get("name") not in ours else None
    body = {"identifier": change.identifier, "default_service": False, **current}
    body |= {"name": own_name or fields["name"], "service": change.identifier}
    body |= {"paging": fields["paging"], "escalation_policy": fields["rule_policy"]}
    harness.oncall("PUT", path, body=body)


def _create_service(harness: Harness, change: Change, named: dict[str, str]) -> None:
    place = {"orgIdentifier": harness.org, "projectIdentifier": harness.project}
    body = {"identifier": change.identifier, **named, **place, "tags": {"pagerduty_id": change.key}}
    account = {"accountIdentifier": harness.account}
    _create(
        lambda: take_data(harness.transport.send("POST", SERVICES, account, body), SERVICES, "service"),
        lambda: harness.read_service(change.identifier),
        change,
    )


def _rename_service(harness: Harness, change: Change, named: dict[str, str]) -> None:
    """PUT replaces: what else the CD service is made of goes along, its own definition with the new name in it."""
    current = harness.read_service(change.identifier) or {}
    definition = _read_definition(current.get("yaml") or "", change)
    definition["service"] = {**definition["service"], **named}
    text = yaml.safe_dump(definition, sort_keys=False, allow_unicode=True)
    kept = {name: current.get(name) for name in ("identifier", "orgIdentifier", "projectIdentifier", "tags")}
    body = {**kept, **named, "yaml": text}
    harness.transport.send("PUT", "/ng/api/servicesV2", {"accountIdentifier": harness.account}, body)


def _read_definition(text: Any, change: Change) -> dict[str, Any]:
    """A CD service's own YAML. Raises IncompleteFetchError where it cannot be read: what is in it would be lost."""
    try:
        found = read_yaml(text) or {"service": {"identifier": change.identifier}}
    except (yaml.YAMLError, AttributeError):
        found = None
    if not isinstance(found, dict) or not isinstance(found.get("service"), dict):
        raise IncompleteFetchError(
            f"Harness's definition of the service {change.identifier} holds no YAML of a service: rename it by hand."
        )
    return found


def remove_created(harness: Harness, kind: str, identifier: str, state: State) -> None:
    """Remove one object that a load made. An invitation is taken back; an account is never removed."""
    try:
        if kind == "teams":
            harness.transport.send("DELETE", f"/ng/api/user-groups/{encode_part(identifier)}", harness.scope)
        elif kind == "users":
            invite = state.people[identifier].invite
            harness.transport.send("DELETE", f"/ng/api/invites/{encode_part(str(invite))}", harness.scope)
        elif kind == "services":
            _remove_service(harness, identifier, state)
        elif kind == "overrides":
            harness.oncall("DELETE", _place_override(identifier)[0])
        else:
            harness.oncall("DELETE", f"{ROUTES[kind][0]}/{encode_part(identifier)}")
    except AnswerError as error:
        if error.status != 404:  # a lost answer made us ask again
            raise


def _remove_service(harness: Harness, identifier: str, state: State) -> None:
    """First its alert rule and its on-call settings, so that it pages nobody, then the service."""
    if identifier in state.alert_rules:
        harness.oncall("DELETE", f"/alert-rules/{encode_part(identifier)}")
    if state.oncall:
        harness.oncall("DELETE", f"/services/{encode_part(identifier)}")
    harness.transport.send("DELETE", f"/ng/api/servicesV2/{encode_part(identifier)}", harness.scope)
