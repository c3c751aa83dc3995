"""Sends invitations: never twice, and with a word for each address on what became of it.

Harness sends the mail again to whoever is invited already, and one bad address spoils the whole call. So whatever is not
clear from an answer, or has no answer, is settled by looking, never by sending again. A refused call has invited nobody:
where its words name no address, its halves are sent by themselves.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from pdmigrate.errors import AnswerError, UnreachableError
from pdmigrate.harness.client import Harness
from pdmigrate.harness.pacing import INVITE_PATH

MOST_ALONE = 5
"""So many addresses refused by themselves, and none taken: it is not about the addresses."""
ABOUT_ADDRESSES = (400, 401)
"""Refusals that one address may have caused; a 401 comes here with a code of its own only, a bad key is another error."""
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


def invite_people(
    harness: Harness, emails: Iterable[str], groups: Iterable[str], roles: Iterable[str]
) -> dict[str, str]:
    """Invite one batch. Returns for each email "" where it went well, else what happened, in words."""
    return _Call(harness, list(groups), list(roles)).invite(sorted(set(emails)))


@dataclass
class _Call:
    """One batch. alone: how many addresses were refused in a call of their own. taken: whether any call was accepted."""

    harness: Harness
    groups: list[str]
    roles: list[str]
    alone: int = 0
    taken: bool = False

    def invite(self, emails: list[str]) -> dict[str, str]:
        if not emails:
            return {}
        body = {"emails": emails, "userGroups": self.groups, "roleBindings": [_bind(role) for role in self.roles]}
        try:
            answer = self.harness.transport.send("POST", INVITE_PATH, self.harness.scope, body)
        except UnreachableError:
            return _look(self.harness, emails, LOST)
        except AnswerError as error:
            return self._settle_refusal(emails, error)
        self.taken = True
        words = {email.lower(): word for email, word in answer["data"]["addUserResponseMap"].items()}
        unheard = [email for email in emails if email not in words]
        heard = {email: "" if word in DONE_WORDS else f"Harness says {word}" for email, word in words.items()}
        known = {email: heard[email] for email in emails if email in heard}
        return {**known, **_look(self.harness, unheard, UNHEARD)}

    def _settle_refusal(self, emails: list[str], error: AnswerError) -> dict[str, str]:
        """Set aside who is in the project already and who is named in the error, and send the rest again, else in halves."""
        if error.status not in ABOUT_ADDRESSES:
            return dict.fromkeys(emails, str(error))
        there = self.harness.find_people(emails)
        culprits = [email for email in emails if email not in there and email in str(error).lower()]
        rest = [email for email in emails if email not in there and email not in culprits]
        settled = dict.fromkeys(there, "") | dict.fromkeys(culprits, str(error))
        if settled:
            return settled | self.invite(rest)
        if len(emails) == 1:
            self.alone += 1
            return {emails[0]: str(error)}
        middle = len(emails) // 2
        for half in (emails[:middle], emails[middle:]):
            hopeless = self.alone >= MOST_ALONE and not self.taken
            settled |= dict.fromkeys(half, str(error)) if hopeless else self.invite(half)
        return settled


def _bind(role: str) -> dict[str, Any]:
    """A role of this project; an identifier with an underscore in front is one of Harness's own."""
    name = role.strip("_").replace("_", " ").title()
    return {
        "roleIdentifier": role,
        "roleName": name,
        "resourceGroupIdentifier": RESOURCE_GROUP,
        "managedRole": role.startswith("_"),
    }


def _look(harness: Harness, emails: list[str], otherwise: str) -> dict[str, str]:
    """Look the addresses up in the project: "" for those that are in it, `otherwise` for the rest."""
    there = harness.find_people(emails) if emails else {}
    return {email: "" if email in there else otherwise for email in emails}
