"""Sends invitations: in batches, never twice, and with a word for each address on what became of it.

Harness sends the mail again to whoever is invited already, and one bad address spoils the whole call. So whatever is not
clear from an answer, or has no answer, is settled by looking, never by sending again.
"""

from collections.abc import Iterable

from pdmigrate.actions import Action
from pdmigrate.errors import AnswerError, UnreachableError
from pdmigrate.harness.client import Harness
from pdmigrate.harness.pacing import INVITE_PATH

INVITES_A_CALL = 100
DONE_WORDS = {
    "USER_INVITED_SUCCESSFULLY",
    "USER_ADDED_SUCCESSFULLY",
    "USER_ALREADY_ADDED",
    "USER_ALREADY_INVITED",
    "USER_INVITE_NOT_REQUIRED",
}
RESOURCE_GROUP = "_all_project_level_resources"
UNHEARD = "Harness's answer leaves this address out and it is not among the invited; run load again"
LOST = "Harness's answer was lost and this address is not among the invited; run load again"


def batch_invites(actions: Iterable[Action]) -> list[tuple[Action, ...]]:
    """People to invite, put together by the groups and roles that they will get, at most 100 a call.

    An invited person has no id and can be put into a group only by the invitation itself.
    """
    sets: dict[tuple, list[Action]] = {}
    for action in actions:
        asked = (tuple(action.after["groups"]), tuple(action.after.get("roles") or ()))
        sets.setdefault(asked, []).append(action)
    return [
        tuple(found[i : i + INVITES_A_CALL]) for found in sets.values() for i in range(0, len(found), INVITES_A_CALL)
    ]


def invite(harness: Harness, actions: tuple[Action, ...]) -> dict[str, str]:
    """Invite one batch. Returns for each email "" where it went well, else what happened, in words."""
    emails = sorted({action.identifier for action in actions})
    fields = actions[0].after
    return _invite(harness, emails, list(fields["groups"]), list(fields.get("roles") or ()))


def _invite(harness: Harness, emails: list[str], groups: list[str], roles: list[str]) -> dict[str, str]:
    body = {"emails": emails, "userGroups": groups, "roleBindings": [_bind(role) for role in roles]}
    try:
        answer = harness.transport.send("POST", INVITE_PATH, harness.scope, body)
    except UnreachableError:
        return _look(harness, emails, LOST)
    except AnswerError as error:
        return _settle_refusal(harness, emails, groups, roles, error)
    words = {email.lower(): word for email, word in answer["data"]["addUserResponseMap"].items()}
    unheard = [email for email in emails if email not in words]
    heard = {email: "" if word in DONE_WORDS else f"Harness says {word}" for email, word in words.items()}
    return {**{email: heard[email] for email in emails if email in heard}, **_look(harness, unheard, UNHEARD)}


def _bind(role: str) -> dict:
    """A role of this project; an identifier with an underscore in front is one of Harness's own."""
    name = role.strip("_").replace("_", " ").title()
    return {
        "roleIdentifier": role,
        "roleName": name,
        "resourceGroupIdentifier": RESOURCE_GROUP,
        "managedRole": role.startswith("_"),
    }


def _look(harness: Harness, emails: list[str], otherwise: str) -> dict[str, str]:
    """What a look at the project shows of addresses that nobody answered for."""
    there = harness.find_people(emails) if emails else {}
    return {email: "" if email in there else otherwise for email in emails}


def _settle_refusal(
    harness: Harness, emails: list[str], groups: list[str], roles: list[str], error: AnswerError
) -> dict[str, str]:
    """A refused call: whoever is in the project already, or is named as the trouble, leaves; the rest is asked once more."""
    if error.status != 400 or len(emails) == 1:
        there = harness.find_people(emails) if error.status == 400 else {}
        return {email: "" if email in there else str(error) for email in emails}
    there = harness.find_people(emails)
    culprits = [email for email in emails if email not in there and email in str(error).lower()]
    rest = [email for email in emails if email not in there and email not in culprits]
    settled = dict.fromkeys(there, "") | dict.fromkeys(culprits, str(error))
    if not settled:
        return dict.fromkeys(emails, str(error))
    return settled | (_invite(harness, rest, groups, roles) if rest else {})
