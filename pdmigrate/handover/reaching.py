"""What people must still do to be reached once everything that is planned or handed over is done."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from pdmigrate.harness.records import ContactDetails, NotificationRule
from pdmigrate.mapping.contacts import TYPES
from pdmigrate.mapping.draft import Draft
from pdmigrate.mapping.mapped import Mapped
from pdmigrate.oncall.rota import Rota, to_instant
from pdmigrate.pagerduty.records import User
from pdmigrate.parity.people import group_users, judge_account, judge_channel, list_notifications
from pdmigrate.parity.places import list_places
from pdmigrate.plan.actions import R


@dataclass(frozen=True)
class Missing:
    """One thing that keeps a page from somebody. part: account, channel, own (contact details are not carried over), rule."""

    user: User
    email: str
    part: str
    expected: str


def list_missing(found: Draft) -> Iterator[Missing]:
    """For everybody who can be paged and moves; who is only invited is asked to accept by another line."""
    mapped = foresee(found)
    window = (to_instant(found.account.since), to_instant(found.account.until))
    schedules = [(schedule.id, Rota(), Rota()) for schedule in mapped.in_scope("schedules")]
    paged = {place.person for place in list_places(mapped, schedules, window)}
    for email, users in sorted(group_users(mapped).items()):
        if email in paged:
            yield from _list_missing(mapped, email, users)


def foresee(found: Draft) -> Mapped:
    """The work with Harness as it will be: contact details and rules that are planned are there, however they get there."""

    def read(kind: str, record: type[R]) -> dict[str, R]:
        return {a.identifier: a.read(record) for a in found.plan.actions if a.kind == kind and a.after}

    contacts = found.state.contacts | read("contact_methods", ContactDetails)
    rules = found.state.rules | read("notification_rules", NotificationRule)
    return replace(
        found.mapped, state=found.state.model_copy(update={"contacts": contacts, "rules": rules, "oncall": True})
    )


def _list_missing(mapped: Mapped, email: str, users: list[User]) -> Iterator[Missing]:
    person, user = mapped.state.people.get(email), users[0]
    if person and person.accepted and (why := judge_account(mapped, email)):
        said = f"Access Control, Users shows {email} as active; now {why}."
        yield Missing(user, email, "account", said)
    doubt = judge_channel(mapped, email, users)
    lists = f"The profile of {email}, Contact Methods, lists an email address or a number that Harness serves"
    if doubt.unproven:
        yield Missing(user, email, "own", f"{lists}; pdmigrate does not carry contact details over here.")
    elif doubt.unreachable and email not in mapped.state.rules:
        yield Missing(user, email, "channel", f"{lists}; now: {doubt.unreachable}.")
    elif doubt.unreachable or (doubt.late and not _is_set_up_apart(users)):
        said = f"The first step of the notification rule of {email} names an address of its Contact Methods"
        yield Missing(user, email, "rule", f"{said}; now: {doubt.unreachable or doubt.late}.")


def _is_set_up_apart(users: list[User]) -> bool:
    """Push and the like, which a line of their own asks for."""
    return any(type not in TYPES for _, type in list_notifications(users))
