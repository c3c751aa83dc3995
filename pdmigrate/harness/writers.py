"""Turns an Action into requests. Only `load` uses it. Each write can be sent again without harm, or says that it was not.

Harness's PUT replaces, so groups are read, changed and written; unknown members are dropped in silence, so what came
back is compared with what was sent. People are invited in batches, with the groups that they will join.
"""

from collections.abc import Callable, Iterable

from pdmigrate.actions import Action
from pdmigrate.errors import AnswerError, PdmigrateError
from pdmigrate.harness.client import Harness
from pdmigrate.harness.records import Person

INVITES_A_CALL = 100
DONE_WORDS = {
    "USER_INVITED_SUCCESSFULLY",
    "USER_ADDED_SUCCESSFULLY",
    "USER_ALREADY_ADDED",
    "USER_ALREADY_INVITED",
    "USER_INVITE_NOT_REQUIRED",
}


class WriteError(PdmigrateError):
    """Harness took a request and did not do what it said."""

    exit_code = 5


def write_action(harness: Harness, action: Action, people: dict[str, Person]) -> str:
    """Do one action (any kind but users). Returns a note for the journal, mostly empty."""
    return _WRITERS[action.kind](harness, action, people)


def batch_invites(actions: Iterable[Action]) -> list[tuple[Action, ...]]:
    """People to invite, put together by the groups that they will join, at most 100 a call."""
    sets: dict[tuple[str, ...], list[Action]] = {}
    for action in actions:
        sets.setdefault(tuple(action.after["groups"]), []).append(action)
    return [
        tuple(found[i : i + INVITES_A_CALL]) for found in sets.values() for i in range(0, len(found), INVITES_A_CALL)
    ]


def invite(harness: Harness, actions: tuple[Action, ...]) -> dict[str, str]:
    """Invite one batch. Returns for each email "" where it went well, else Harness's word for what happened.

    Roles are a decision of people, so no role is bound here.
    """
    emails = sorted({action.identifier for action in actions})
    body = {"emails": emails, "userGroups": list(actions[0].after["groups"]), "roleBindings": []}
    answer = harness.transport.send("POST", "/ng/api/user/users", harness.scope, body)
    words = {email.lower(): word for email, word in answer["data"]["addUserResponseMap"].items()}
    missing = harness.read_people() if set(emails) - set(words) else {}
    return {email: _judge_word(words.get(email), email in missing) for email in emails}


def _judge_word(word: str | None, found: bool) -> str:
    """An address that the answer leaves out counts as done only where a look shows it."""
    if word is None:
        return "" if found else "Harness's answer leaves this address out and it is not among the invited"
    return "" if word in DONE_WORDS else f"Harness says {word}"


def _write_group(harness: Harness, action: Action, people: dict[str, Person]) -> str:
    fields = action.after
    wanted = {email: people[email].uuid for email in fields["users"] if email in people and people[email].uuid}
    body = {**harness.scope, "identifier": action.identifier, "users": sorted(wanted.values())}
    body |= {"name": fields["name"], "description": fields["description"], "tags": {"pagerduty_id": action.key}}
    if action.before is None:
        answer = harness.transport.send("POST", "/ng/api/user-groups", harness.scope, body)["data"]
    else:
        current = harness.read_group(action.identifier)
        body["tags"] = {**(current.get("tags") or {}), **body["tags"]}
        answer = harness.transport.send("PUT", "/ng/api/user-groups", harness.scope, {**current, **body})["data"]
    dropped = sorted(email for email, uuid in wanted.items() if uuid not in (answer.get("users") or []))
    if dropped:
        raise WriteError(f"Harness left out members of {action.name} without a word: {', '.join(dropped)}.")
    waiting = len(fields["users"]) - len(wanted)
    return f"{waiting} members join when they accept their invitation" if waiting else ""


def _write_schedule(harness: Harness, action: Action, people: dict[str, Person]) -> str:
    harness.oncall("PUT", f"/schedules/{action.identifier}", body={"identifier": action.identifier, **action.after})
    return ""


def _write_override(harness: Harness, action: Action, people: dict[str, Person]) -> str:
    schedule, _, name = action.identifier.partition("/")
    path = f"/schedules/{schedule}/overrides/{name}"
    if action.after is None:
        harness.oncall("DELETE", path)
        return "taken back: it is gone from PagerDuty"
    fields = {k: v for k, v in action.after.items() if k != "schedule"}
    harness.oncall("PUT", path, body={"identifier": name, **fields})
    return ""


def _write_policy(harness: Harness, action: Action, people: dict[str, Person]) -> str:
    path = f"/escalation-policies/{action.identifier}"
    harness.oncall("PUT", path, body={"identifier": action.identifier, **action.after})
    return ""


def _write_service(harness: Harness, action: Action, people: dict[str, Person]) -> str:
    fields = action.after
    if action.before is None:
        body = {"identifier": action.identifier, "name": fields["name"], "description": fields["description"]}
        body |= {"orgIdentifier": harness.org, "projectIdentifier": harness.project}
        _send_once(harness, "/ng/api/servicesV2", body)
    settings = {name: fields[name] for name in ("owner_group", "escalation_policy", "paging") if name in fields}
    if settings:
        harness.oncall("PUT", f"/services/{action.identifier}", body={"identifier": action.identifier, **settings})
    return ""


def _write_contacts(harness: Harness, action: Action, people: dict[str, Person]) -> str:
    harness.oncall("PUT", f"/contact-details/{action.identifier}", body={"email": action.identifier, **action.after})
    return ""


def _write_rules(harness: Harness, action: Action, people: dict[str, Person]) -> str:
    harness.oncall("PUT", f"/notification-rules/{action.identifier}", body={"email": action.identifier, **action.after})
    return ""


def _send_once(harness: Harness, path: str, body: dict) -> None:
    """Create by POST; where a lost answer made us ask again, Harness says that it is there already, and that is well."""
    try:
        harness.transport.send("POST", path, {"accountIdentifier": harness.account}, body)
    except AnswerError as error:
        if error.code != "DUPLICATE_FIELD":
            raise


_WRITERS: dict[str, Callable[[Harness, Action, dict[str, Person]], str]] = {
    "teams": _write_group,
    "contact_methods": _write_contacts,
    "notification_rules": _write_rules,
    "schedules": _write_schedule,
    "overrides": _write_override,
    "escalation_policies": _write_policy,
    "services": _write_service,
}
