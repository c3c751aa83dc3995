"""Step 3, invite: who is who by email, who needs an invitation, who has not accepted. Nothing is sent here."""

from dataclasses import dataclass

from pdmigrate.draft import Draft, draft
from pdmigrate.job import Job, records_step
from pdmigrate.mapping.people import count_duties, read_email


@dataclass(frozen=True)
class Matched:
    """One PagerDuty user. state: has an account, invited, to invite, mapped by hand, left out, undecided."""

    id: str
    name: str
    email: str
    harness_email: str
    state: str
    duties: int


@dataclass(frozen=True)
class People:
    """Everybody in scope, and the draft that says so."""

    matched: tuple[Matched, ...]
    draft: Draft

    def count(self) -> dict[str, int]:
        states = [person.state for person in self.matched]
        return {state: states.count(state) for state in sorted(set(states))}


@records_step("invite")
def invite(job: Job) -> People:
    """Match people. Leaves `people` in the workspace. Invitations are sent by load, after approval."""
    found = draft(job)
    duties = count_duties(found.work)
    users = sorted(found.work.in_scope("users", found.account.users), key=lambda u: (-duties[u.id], u.name))
    matched = tuple(_match(found, user, duties[user.id]) for user in users)
    job.workspace.save_state("people", [vars(person) for person in matched])
    return People(matched, found)


def _match(found: Draft, user, duties: int) -> Matched:
    email = found.work.emails.get(user.id)
    return Matched(user.id, user.name, read_email(user), email or "", _name_state(found, user, email), duties)


def _name_state(found: Draft, user, email: str | None) -> str:
    if email is None:
        return "undecided" if user.id in found.work.undecided else "left out"
    person = found.state.people.get(email)
    if email != read_email(user):
        return "mapped by hand"
    if person is None:
        return "to invite"
    return "has an account" if person.accepted else "invited, not accepted yet"
