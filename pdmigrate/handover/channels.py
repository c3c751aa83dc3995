"""What people set up themselves on their own telephone or desk: the app, Slack, and a number in place of an extension."""

from collections.abc import Iterator
from dataclasses import dataclass

from pdmigrate.mapping.contacts import PUSH, SLACK, describe_cut
from pdmigrate.mapping.draft import Draft
from pdmigrate.pagerduty.records import User


@dataclass(frozen=True)
class PersonalChannel:
    """How a person sets it up, in the words of the checklist and of the letter.

    kind, part: what the item is called. ids: the PagerDuty objects that it stands for.
    """

    user: User
    kind: str
    part: str
    name: str
    expected: str
    ids: tuple[str, ...]


LINKED = {
    PUSH: ("mobile app", "the mobile app", "push", "app", "push"),
    SLACK: ("Slack", "Slack", "Slack", "slack", "slack_rule"),
}
"""By the type of the contact method: its name, what the profile lists, its name in a rule, and the parts of the keys."""


def list_channels(found: Draft) -> Iterator[PersonalChannel]:
    """Everything of the kind, for everybody in scope."""
    planned = {source for action in found.plan.actions for source in action.sources}
    alone = {outcome.id for outcome in found.mapped.outcomes if outcome.grade == "handed_over"} - planned
    written = {s for a in found.plan.actions if a.kind == "contact_methods" and a.verb != "handover" for s in a.sources}
    for user in found.mapped.in_scope("users", found.account.users):
        email = found.mapped.emails.get(user.id, user.email)
        for type in LINKED:
            yield from _list_linked(user, email, type, alone)
        yield from _list_extensions(user, written)


def _list_linked(user: User, email: str, type: str, alone: set[str]) -> Iterator[PersonalChannel]:
    name, listed, channel, part, rule_part = LINKED[type]
    methods = tuple(method.id for method in user.contact_methods if method.id in alone and method.type == type)
    rules = [r for r in user.notification_rules if r.id in alone and r.contact_method and r.contact_method.type == type]
    if methods:
        said = f"The profile of {email}, Contact Methods, lists {listed}."
        yield PersonalChannel(user, "contact_methods", part, f"{user.name}: {name}", said, methods)
    if rules:
        delays = ", ".join(str(rule.start_delay_in_minutes) for rule in rules)
        said = f"The profile of {email}, Notification Rules, has {channel} at minute {delays} after the page."
        ids = tuple(rule.id for rule in rules)
        yield PersonalChannel(user, "notification_rules", rule_part, f"{user.name}: {channel}", said, ids)


def _list_extensions(user: User, written: set[str]) -> Iterator[PersonalChannel]:
    """A number that is written without its extension; who types his numbers in is told where he does."""
    cut = {method.id: describe_cut(method) for method in user.contact_methods if method.id in written}
    cut = {id: said for id, said in cut.items() if said}
    if cut:
        expected = ". ".join([*cut.values(), "The profile has a number that rings where the person is."])
        yield PersonalChannel(user, "contact_methods", "extension", f"{user.name}: extension", expected, tuple(cut))
