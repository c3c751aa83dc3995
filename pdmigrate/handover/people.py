"""What people do themselves: accept, become reachable, set up the app, Slack and a number; and the letter that asks them."""

from collections import defaultdict
from collections.abc import Container, Iterable, Iterator
from dataclasses import replace

from pdmigrate.handover.items import Item, make_item
from pdmigrate.handover.links import Links
from pdmigrate.harness.records import ContactDetails, NotificationRule
from pdmigrate.mapping.contacts import PUSH, SLACK, TYPES, describe_cut
from pdmigrate.mapping.draft import Draft
from pdmigrate.mapping.mapped import Mapped
from pdmigrate.oncall.rota import Rota, to_instant
from pdmigrate.pagerduty.records import User
from pdmigrate.parity.people import group_users, judge_account, judge_channel, list_notifications
from pdmigrate.parity.places import list_places
from pdmigrate.plan.actions import R
from pdmigrate.workspace.file_names import make_file_name

LINKED = {
    PUSH: ("mobile app", "the mobile app", "push", "app", "push"),
    SLACK: ("Slack", "Slack", "Slack", "slack", "slack_rule"),
}
"""By the type of the contact method: its name, what the profile lists, its name in a rule, and the parts of the keys."""
OF_PEOPLE = ("users", "reach", "contact_methods", "notification_rules")
ASKS = {
    "account": (0, "Ask your Harness administrator for an account that is enabled and unlocked. {expected}"),
    "channel": (1, "Enter a contact method of yours: nothing of what PagerDuty has can be carried over. {expected}"),
    "own": (1, "Enter your contact methods yourself: they are not carried over. {expected}"),
    "rule": (2, "Look at your notification rule. {expected}"),
    "app": (
        1,
        "Install Harness's mobile app and sign in: that registers it for push. Allow it to break through silence.",
    ),
    "slack": (1, "Link your Slack account in your Harness profile: nobody else can."),
    "push": (2, "Add push to your notification rule. {expected}"),
    "slack_rule": (2, "Add Slack to your notification rule. {expected}"),
    "extension": (3, "Look at your telephone numbers. {expected}"),
}
"""What a letter says, by the part of the key; the number is its place within a kind, after what is typed in."""
WHOLE = {
    "users": "Accept the invitation that Harness sends to {email}. Its link lives seven days; ask us for a new one.",
    "contact_methods": "Enter your contact methods in your Harness profile. {expected}",
    "notification_rules": "Set your notification rule in your Harness profile. {expected}",
}
"""What it says of an item that is not a part of anything, by its kind."""


def list_invited(found: Draft, links: Links) -> Iterator[Item]:
    """Whoever has no account yet: nobody reaches them until they accept."""
    for action in found.plan.actions:
        person = found.state.people.get(action.identifier)
        if action.kind == "users" and action.verb != "handover" and not (person and person.accepted):
            expected = f"Access Control, Users shows {action.identifier} as active, no longer as pending."
            yield make_item(links, "users", action.key, action.name, expected=expected, file=name_letter(action.key))


def list_missing(found: Draft, links: Links) -> Iterator[Item]:
    """What keeps a page from somebody once all that is planned or handed over is done, for everybody who can be paged.

    Who is only invited is asked to accept by another line.
    """
    mapped = _foresee(found)
    window = (to_instant(found.account.since), to_instant(found.account.until))
    schedules = [(s.id, Rota(), Rota()) for s in mapped.in_scope("schedules")]
    paged = {place.person for place in list_places(mapped, schedules, window)}
    for email, users in sorted(group_users(mapped).items()):
        for part, need, expected in _judge(mapped, email, users) if email in paged else ():
            id, name = users[0].id, f"{users[0].name}: {need}"
            yield make_item(links, "reach", id, name, expected=expected, file=name_letter(id), part=part)


def _foresee(found: Draft) -> Mapped:
    """The work with Harness as it will be: contact details and rules that are planned are there, however they get there."""

    def read(kind: str, record: type[R]) -> dict[str, R]:
        return {a.identifier: a.read(record) for a in found.plan.actions if a.kind == kind and a.after}

    contacts = found.state.contacts | read("contact_methods", ContactDetails)
    rules = found.state.rules | read("notification_rules", NotificationRule)
    return replace(
        found.mapped, state=found.state.model_copy(update={"contacts": contacts, "rules": rules, "oncall": True})
    )


def _judge(mapped: Mapped, email: str, users: list[User]) -> Iterator[tuple[str, str, str]]:
    """The part of the key, what is missing, and what Harness will show."""
    person = mapped.state.people.get(email)
    if person and person.accepted and (why := judge_account(mapped, email)):
        said = f"Access Control, Users shows {email} as active; now {why}."
        yield "account", "an account that is enabled and unlocked", said
    doubt = judge_channel(mapped, email, users)
    lists = f"The profile of {email}, Contact Methods, lists an email address or a number that Harness serves"
    # push and the like have a line of their own
    apart = any(type not in TYPES for _, type in list_notifications(users))
    if doubt.unproven:
        said = f"{lists}; pdmigrate does not carry contact details over here."
        yield "own", "contact methods of one's own", said
    elif doubt.unreachable and email not in mapped.state.rules:
        yield "channel", "a contact method", f"{lists}; now: {doubt.unreachable}."
    elif doubt.unreachable or (doubt.late and not apart):
        said = f"The first step of the notification rule of {email} names an address of its Contact Methods"
        yield "rule", "a first step that is heard", f"{said}; now: {doubt.unreachable or doubt.late}."


def list_own(found: Draft, links: Links) -> Iterator[Item]:
    """The app registers itself on the person's own telephone, Slack is linked by the person, an extension has no place."""
    planned = {source for action in found.plan.actions for source in action.sources}
    alone = {outcome.id for outcome in found.mapped.outcomes if outcome.grade == "handed_over"} - planned
    written = {s for a in found.plan.actions if a.kind == "contact_methods" and a.verb != "handover" for s in a.sources}
    for user in found.mapped.in_scope("users"):
        profile = f"The profile of {found.mapped.emails.get(user.id, user.email)}"
        told: list[tuple[str, str, str, str, list[str]]] = []
        for type, (name, listed, channel, part, rule_part) in LINKED.items():
            methods = [method.id for method in user.contact_methods if method.id in alone and method.type == type]
            rules = [r for r in user.notification_rules if r.id in alone and r.contact_method]
            rules = [r for r in rules if r.contact_method and r.contact_method.type == type]
            delays = ", ".join(str(rule.start_delay_in_minutes) for rule in rules)
            said = f"{profile}, Notification Rules, has {channel} at minute {delays} after the page."
            told.append(("contact_methods", part, name, f"{profile}, Contact Methods, lists {listed}.", methods))
            told.append(("notification_rules", rule_part, channel, said, [rule.id for rule in rules]))
        # a number that is written without its extension; who types his numbers in is told where he does
        cut = {m.id: said for m in user.contact_methods if m.id in written and (said := describe_cut(m))}
        rings = ". ".join([*cut.values(), "The profile has a number that rings where the person is."])
        told.append(("contact_methods", "extension", "extension", rings, list(cut)))
        for kind, part, name, expected, ids in told:
            if ids:
                file, name = name_letter(user.id), f"{user.name}: {name}"
                yield make_item(links, kind, user.id, name, expected=expected, file=file, ids=tuple(ids), part=part)


def name_letter(id: str) -> str:
    """The path of a person's letter in the handover's folder. id: of the PagerDuty user."""
    return f"people/{make_file_name(id, '.txt')}"


def _read_key(item: Item, people: Container[str]) -> tuple[str, str]:
    """The user's id and the part that stand in the key: an id may hold a / itself."""
    said = item.key.partition(":")[2]
    id, _, part = (said, "", "") if said in people else said.rpartition("/")
    return id, part


def write_letters(items: Iterable[Item], people: dict[str, dict[str, str]]) -> dict[str, str]:
    """One text for each person, with what is new or changed: path to text. people: PagerDuty user id to name and email."""
    mine: dict[str, list[tuple[int, int, str]]] = defaultdict(list)
    harness = ""
    for item in items:
        if item.kind in OF_PEOPLE:
            id, part = _read_key(item, people)
            place, words = ASKS[part] if part else (0, WHOLE[item.kind])
            asked = words.format(email=people[id]["email"], expected=item.expected)
            mine[id].append((OF_PEOPLE.index(item.kind), place, asked))
            harness = item.link
    letters = {}
    for id, own in mine.items():
        own.sort(key=lambda one: one[:2])
        lines = [
            f"To: {people[id]['email']}",
            "Subject: On-call moves to Harness: what we need from you",
            "",
            f"Hello {people[id]['name']},",
            "",
            "our on-call moves from PagerDuty to Harness AI SRE. Until you have done this, Harness cannot reach you:",
            "",
            *(f"{number}. {asked}" for number, (_, _, asked) in enumerate(own, 1)),
            "",
            f"Harness: {harness}",
            "PagerDuty keeps paging you until we tell you otherwise.",
        ]
        letters[name_letter(id)] = "\n".join(lines) + "\n"
    return letters
