"""Turns an Action into requests, and, for `undo`, takes back what a run created. Only these two steps use it.

Each write can be sent again without harm, or says that it was not.

Harness's PUT replaces, so what is there is read, changed and written: what is not ours stays (tags, the default service of
a rule, its own name). Unknown members of groups are dropped in silence, so what came back is compared with what was sent.
People are invited by `invitations`.
"""

from collections.abc import Callable

import yaml

from pdmigrate.errors import AnswerError, PdmigrateError, UnreachableError
from pdmigrate.harness.client import Harness
from pdmigrate.harness.records import Person, State
from pdmigrate.plan.actions import Action, Fields

ONCALL_SETTINGS = ("owner_group", "escalation_policy", "paging")
RULE_SETTINGS = ("name", "paging", "rule_policy")
ROWS = ("rotations", "levels", "methods", "steps")
"""Fields that are lists of objects."""


class WriteError(PdmigrateError):
    """Harness took a request and did not do what it said."""

    exit_code = 5


def write_action(harness: Harness, action: Action, people: dict[str, Person]) -> str:
    """Do one action (any kind but users). Returns a note for the journal, mostly empty."""
    return _WRITERS[action.kind](harness, action, people)


def _write_group(harness: Harness, action: Action, people: dict[str, Person]) -> str:
    """Create, or read, change and write: what is in the group by somebody else's hand stays as it is."""
    fields = action.wanted
    current = harness.read_group(action.identifier)
    added = _find_uuids(fields["users"], people)
    if current is None:
        answer = _create_group(harness, action, sorted(added.values()))
    else:
        answer = _replace_group(harness, action, current, people)
    dropped = sorted(email for email, uuid in added.items() if uuid not in (answer.get("users") or []))
    if dropped:
        raise WriteError(f"Harness left out members of {action.name} without a word: {', '.join(dropped)}.")
    waiting = len(fields["users"]) - len(added)
    return f"{waiting} members join when they accept their invitation" if waiting else ""


def _create_group(harness: Harness, action: Action, users: list[str]) -> Fields:
    fields = action.wanted
    body = {**harness.scope, "identifier": action.identifier, "users": users, "name": fields["name"]}
    body |= {"description": fields["description"], "tags": {"pagerduty_id": action.key}}
    return _create(
        lambda: harness.transport.send("POST", "/ng/api/user-groups", harness.scope, body)["data"],
        lambda: harness.read_group(action.identifier),
        action,
    )


def _replace_group(harness: Harness, action: Action, current: Fields, people: dict[str, Person]) -> Fields:
    """PUT replaces all, so all that was there goes along; our own changes are made to the members that are there now."""
    fields = action.wanted
    if current.get("externallyManaged") or current.get("harnessManaged"):
        raise WriteError(f"The group {action.identifier} is managed elsewhere: it was not touched.")
    gone = _find_uuids([e for e in (action.before or {}).get("users", []) if e not in fields["users"]], people)
    users = (set(current.get("users") or []) - set(gone.values())) | set(_find_uuids(fields["users"], people).values())
    body = {**current, **harness.scope, "users": sorted(users)}
    body |= {"name": fields["name"], "description": fields["description"]}
    body["tags"] = {**(current.get("tags") or {}), "pagerduty_id": action.key}
    return _check_policy(harness.transport.send("PUT", "/ng/api/user-groups", harness.scope, body)["data"], action)


def _find_uuids(emails: list[str], people: dict[str, Person]) -> dict[str, str]:
    return {email: uuid for email in emails if email in people and (uuid := people[email].uuid)}


def _check_policy(answer: Fields, action: Action) -> Fields:
    """A rule of the customer's own may refuse a write inside an answer that looks like success."""
    verdict = answer.get("governanceMetadata") or {}
    if verdict.get("deny"):
        raise WriteError(
            f"A policy of this Harness account refuses {action.name}: {verdict.get('message') or 'denied'}."
        )
    return answer


def _create(send: Callable[[], Fields], look: Callable[[], Fields | None], action: Action) -> Fields:
    """Create by POST, once. Where the answer was lost, or says that it is there already, a look decides."""
    try:
        return _check_policy(send(), action)
    except UnreachableError:
        found = look()
        if found is None:
            raise
        return found
    except AnswerError as error:
        found = look() if error.code == "DUPLICATE_FIELD" else None
        if found is None or not _is_ours(found, action):
            raise
        return found


def _is_ours(found: Fields, action: Action) -> bool:
    """An object that carries our mark was made by an earlier try of the same request."""
    return (found.get("tags") or {}).get("pagerduty_id") == action.key


def _write_schedule(harness: Harness, action: Action, people: dict[str, Person]) -> str:
    _put(harness, f"/schedules/{action.identifier}", {"identifier": action.identifier, **action.wanted}, action)
    return ""


def _put(harness: Harness, path: str, body: Fields, action: Action) -> None:
    """Create it, or read, change and write: only what the server itself has shown goes along with what is ours."""
    current = _read(harness, path) if action.before is not None else {}
    kept = {name: value for name, value in current.items() if name != "overrides"}  # they have a route of their own
    ours = {name: _keep_rows(current.get(name) or [], value) if name in ROWS else value for name, value in body.items()}
    harness.oncall("PUT", path, body={**kept, **ours})


def _read(harness: Harness, path: str) -> Fields:
    """What is there, raw; nothing where somebody has removed it meanwhile."""
    try:
        found: Fields = harness.oncall("GET", path)
        return found
    except AnswerError as error:
        if error.status != 404:
            raise
        return {}


def _keep_rows(current: list[Fields], wanted: list[Fields]) -> list[Fields]:
    """A row that is there already stays as it is, with whatever else is in it; a rotation is known by its name, too."""
    named = {row["name"]: row for row in current if "name" in row}
    return [
        next(
            (row for row in current if {name: row.get(name) for name in one} == one),
            {**named.get(one.get("name"), {}), **one},
        )
        for one in wanted
    ]


def _write_override(harness: Harness, action: Action, people: dict[str, Person]) -> str:
    schedule, _, name = action.identifier.partition("/")
    path = f"/schedules/{schedule}/overrides/{name}"
    if action.after is None:
        harness.oncall("DELETE", path)
        return "taken back: it is gone from PagerDuty"
    fields = {k: v for k, v in action.wanted.items() if k != "schedule"}
    harness.oncall("PUT", path, body={"identifier": name, **fields})
    return ""


def _write_policy(harness: Harness, action: Action, people: dict[str, Person]) -> str:
    _put(
        harness, f"/escalation-policies/{action.identifier}", {"identifier": action.identifier, **action.wanted}, action
    )
    return ""


def _write_service(harness: Harness, action: Action, people: dict[str, Person]) -> str:
    fields, before = action.wanted, action.before
    named = {name: fields[name] for name in ("name", "description")}
    if before is None:
        _create_service(harness, action, named)
    elif any(before.get(name) != value for name, value in named.items()):
        _rename_service(harness, action, named)
    if _differs(ONCALL_SETTINGS, fields, before):
        body = {name: fields[name] for name in ONCALL_SETTINGS}
        _put(harness, f"/services/{action.identifier}", {"identifier": action.identifier, **body}, action)
    if _differs(RULE_SETTINGS, fields, before):
        _write_alert_rule(harness, action)
    for rule, settings in fields.get("other_rules", {}).items():
        if settings != (before or {}).get("other_rules", {}).get(rule):
            _put(harness, f"/alert-rules/{rule}", settings, action)
    return ""


def _differs(names: tuple[str, ...], fields: Fields, before: Fields | None) -> bool:
    """Whether these are among what we write, and not there yet."""
    return all(name in fields for name in names) and any(fields[n] != (before or {}).get(n) for n in names)


def _write_alert_rule(harness: Harness, action: Action) -> None:
    """The service's own rule has its identifier. Without a rule an alert is logged, and pages nobody.

    A name that people have given it stays, and so does whether it is for alerts that name no service.
    """
    fields, path = action.wanted, f"/alert-rules/{action.identifier}"
    current = _read(harness, path) if action.before is not None else {}
    ours = {action.identifier, (action.before or {}).get("name")}
    own_name = current.get("name") if current.get("name") not in ours else None
    body = {"identifier": action.identifier, "default_service": False, **current}
    body |= {"name": own_name or fields["name"], "service": action.identifier}
    body |= {"paging": fields["paging"], "escalation_policy": fields["rule_policy"]}
    harness.oncall("PUT", path, body=body)


def _create_service(harness: Harness, action: Action, named: dict[str, str]) -> None:
    place = {"orgIdentifier": harness.org, "projectIdentifier": harness.project}
    body = {"identifier": action.identifier, **named, **place, "tags": {"pagerduty_id": action.key}}
    account = {"accountIdentifier": harness.account}
    _create(
        lambda: harness.transport.send("POST", "/ng/api/servicesV2", account, body)["data"]["service"],
        lambda: harness.read_service(action.identifier),
        action,
    )


def _rename_service(harness: Harness, action: Action, named: dict[str, str]) -> None:
    """PUT replaces: what else the CD service is made of goes along, its own definition with the new name in it."""
    current = harness.read_service(action.identifier) or {}
    definition = yaml.safe_load(current.get("yaml") or "") or {"service": {"identifier": action.identifier}}
    definition["service"] = {**definition["service"], **named}
    text = yaml.safe_dump(definition, sort_keys=False, allow_unicode=True)
    kept = {name: current.get(name) for name in ("identifier", "orgIdentifier", "projectIdentifier", "tags")}
    body = {**kept, **named, "yaml": text}
    harness.transport.send("PUT", "/ng/api/servicesV2", {"accountIdentifier": harness.account}, body)


def _write_contacts(harness: Harness, action: Action, people: dict[str, Person]) -> str:
    _put(harness, f"/contact-details/{action.identifier}", {"email": action.identifier, **action.wanted}, action)
    return ""


def _write_rules(harness: Harness, action: Action, people: dict[str, Person]) -> str:
    _put(harness, f"/notification-rules/{action.identifier}", {"email": action.identifier, **action.wanted}, action)
    return ""


_WRITERS: dict[str, Callable[[Harness, Action, dict[str, Person]], str]] = {
    "teams": _write_group,
    "contact_methods": _write_contacts,
    "notification_rules": _write_rules,
    "schedules": _write_schedule,
    "overrides": _write_override,
    "escalation_policies": _write_policy,
    "services": _write_service,
}


# --- for undo ---


def remove_created(harness: Harness, kind: str, identifier: str, state: State) -> None:
    """Remove one object that nobody has changed since. An invitation is taken back; an account is never removed."""
    try:
        _REMOVERS[kind](harness, identifier, state)
    except AnswerError as error:
        if error.status != 404:  # a lost answer made us ask again
            raise


def _remove_oncall(path: str) -> Callable[[Harness, str, State], None]:
    return lambda harness, identifier, state: harness.oncall("DELETE", f"/{path}/{identifier}")


def _remove_group(harness: Harness, identifier: str, state: State) -> None:
    harness.transport.send("DELETE", f"/ng/api/user-groups/{identifier}", harness.scope)


def _take_back_invite(harness: Harness, identifier: str, state: State) -> None:
    invite = state.people[identifier].invite
    harness.transport.send("DELETE", f"/ng/api/invites/{invite}", harness.scope)


def _remove_override(harness: Harness, identifier: str, state: State) -> None:
    schedule, _, name = identifier.partition("/")
    harness.oncall("DELETE", f"/schedules/{schedule}/overrides/{name}")


def _remove_service(harness: Harness, identifier: str, state: State) -> None:
    """First its alert rule and its on-call settings, so that it pages nobody, then the service."""
    if identifier in state.alert_rules:
        harness.oncall("DELETE", f"/alert-rules/{identifier}")
    if state.oncall:
        harness.oncall("DELETE", f"/services/{identifier}")
    harness.transport.send("DELETE", f"/ng/api/servicesV2/{identifier}", harness.scope)


_REMOVERS: dict[str, Callable[[Harness, str, State], None]] = {
    "teams": _remove_group,
    "users": _take_back_invite,
    "contact_methods": _remove_oncall("contact-details"),
    "notification_rules": _remove_oncall("notification-rules"),
    "schedules": _remove_oncall("schedules"),
    "overrides": _remove_override,
    "escalation_policies": _remove_oncall("escalation-policies"),
    "services": _remove_service,
}
