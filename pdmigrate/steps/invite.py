"""Step 3, invite: who is who by email, who needs an invitation, who has not accepted. Nothing is sent here."""

from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from pdmigrate.mapping.draft import Draft
from pdmigrate.mapping.people import count_duties, name_class, read_email
from pdmigrate.mapping.proof import read_shown
from pdmigrate.mapping.roles import read_roles
from pdmigrate.oncall import rota
from pdmigrate.pagerduty.records import User
from pdmigrate.steps.draft import draft, leave_questions
from pdmigrate.steps.frames import MOMENT, NUMBER, TEXT, Shape, make_frame
from pdmigrate.steps.job import Job, records_step
from pdmigrate.steps.result import Result, summarise_draft

if TYPE_CHECKING:
    import pandas as pd

LINK_LIVES = timedelta(days=7)
"""How long the link in an invitation works (Harness's documentation); the invitation itself stays for 30 days."""
WAITING = ("to invite", "pending")
PEOPLE: Shape = {
    "person_id": TEXT,
    "person": TEXT,
    "email": TEXT,
    "harness_email": TEXT,
    "state": ("has an account", "accepted", "pending", "to invite", "mapped by hand", "left out", "undecided"),
    "kind": ("person", "shared", "nobody"),
    "role": TEXT,
    "duties": NUMBER,
    "next_turn": MOMENT,
    "invited": MOMENT,
}


@dataclass(frozen=True)
class Matched:
    """One PagerDuty user.

    state: has an account, accepted (was invited before), pending, to invite, mapped by hand, left out, undecided.
    kind: person, shared or nobody. role: what he may do in PagerDuty. since: when an invitation was sent, or first seen by us. next_turn: None, none soon.
    """

    id: str
    name: str
    email: str
    harness_email: str
    state: str
    kind: str
    duties: int
    since: datetime | None
    days: int
    next_turn: datetime | None
    role: str = ""

    @property
    def link_is_dead(self) -> bool:
        return self.state == "pending" and self.days >= LINK_LIVES.days


@dataclass(frozen=True, repr=False)
class People(Result):
    """Everybody in scope, the most urgent first, and the draft that says so."""

    step = "invite"
    FRAMES = ("people",)
    matched: tuple[Matched, ...]
    draft: Draft

    @property
    def people(self) -> "pd.DataFrame":
        """A row a user in scope, the most urgent first. harness_email: who is paged for him; state: how he comes to Harness.

        kind: a person, a mailbox that several share, or a stand-in for nobody. role: what he may do in PagerDuty. duties: in
        how many schedules, overrides and levels he stands. invited: when, of whom has not accepted yet.
        """
        rows = [
            {
                **vars(one),
                "person_id": one.id,
                "person": one.name,
                "harness_email": one.harness_email or None,
                "role": one.role or None,
                "invited": one.since,
            }
            for one in self.matched
        ]
        return make_frame("Who is who", PEOPLE, rows)

    def count(self) -> dict[str, int]:
        states = [person.state for person in self.matched]
        return {state: states.count(state) for state in sorted(set(states))}

    def summarise(self) -> dict[str, Any]:
        return summarise_draft(self.draft)


@records_step("invite")
def invite(job: Job) -> People:
    """Match people. Leaves `people` in the workspace. Invitations are sent by load, after approval."""
    found = draft(job)
    leave_questions(job, found)
    duties, turns = count_duties(found.mapped), _find_next_turns(found)
    before = {row["id"]: row for row in job.workspace.find_state("people") or []}
    sent = {id: datetime.fromisoformat(entry.at) for (kind, id), entry in found.ledger.items() if kind == "users"}
    users, roles = found.mapped.in_scope("users"), read_roles(found.account)
    matched = [
        replace(
            _match(found, user, duties[user.id], turns.get(user.id), before, sent, job.clock()),
            role=roles.describe(user),
        )
        for user in users
    ]
    job.workspace.save_state("people", [_save(person) for person in sorted(matched, key=lambda person: person.id)])
    return People(tuple(sorted(matched, key=_rank)), found)


def _save(person: Matched) -> dict[str, Any]:
    moments = {name: getattr(person, name) for name in ("since", "next_turn")}
    return asdict(person) | {name: at.isoformat() if at else None for name, at in moments.items()}


def _rank(person: Matched) -> tuple[bool, float, int, str]:
    """Whoever cannot be reached yet first, in the order of the next turn on call; then by how often they are on call."""
    waits = person.state in WAITING
    turn = person.next_turn.timestamp() if waits and person.next_turn else float("inf")
    return (not waits, turn, -person.duties, person.name)


def _find_next_turns(found: Draft) -> dict[str, datetime]:
    """When each user is on call next, by PagerDuty's own rendering of the schedules in scope."""
    now, soonest = rota.to_instant(found.account.since), dict[str, int]()
    for schedule in found.mapped.in_scope("schedules"):
        final = read_shown(schedule)
        for start, end, people in final.entries if final else ():
            if end <= now:
                continue
            for person in people:
                soonest[person] = min(soonest.get(person, start), max(start, now))
    return {person: rota.to_datetime(max(start, now)) for person, start in soonest.items()}


def _match(
    found: Draft,
    user: User,
    duties: int,
    turn: datetime | None,
    before: dict[str, dict[str, Any]],
    sent: dict[str, datetime],
    now: datetime,
) -> Matched:
    email, earlier = found.mapped.emails.get(user.id), before.get(user.id, {})
    state = _name_state(found, user, email, earlier.get("state", ""))
    since = _find_since(state, earlier, sent.get(user.id), now)
    days = (now - since).days if since else 0
    place = (read_email(user), email or "", state, name_class(user))
    return Matched(user.id, user.name, *place, duties, since, days, turn)


def _find_since(state: str, earlier: dict[str, Any], sent: datetime | None, now: datetime) -> datetime | None:
    """An invitation that somebody else sent is counted from the day on which we first saw it."""
    if state != "pending":
        return None
    seen = earlier.get("since") if earlier.get("state") == "pending" else None
    return sent or (datetime.fromisoformat(seen) if seen else now)


def _name_state(found: Draft, user: User, email: str | None, earlier: str) -> str:
    if email is None:
        return "undecided" if user.id in found.mapped.undecided else "left out"
    person = found.state.people.get(email)
    if person is None:
        return "to invite"
    if not person.accepted:
        return "pending"
    if earlier in ("to invite", "pending", "accepted"):
        return "accepted"
    return "has an account" if email == read_email(user) else "mapped by hand"
