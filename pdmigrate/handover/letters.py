"""What to send to the people who must do something themselves: one text each, with what is new or changed for them."""

from collections import defaultdict
from collections.abc import Iterable

from pdmigrate.handover.items import Item

OF_PEOPLE = ("users", "reach", "contact_methods", "notification_rules")
ORDER = {
    "": 0,
    "account": 0,
    "app": 1,
    "slack": 1,
    "channel": 1,
    "own": 1,
    "push": 2,
    "rule": 2,
    "slack_rule": 2,
    "extension": 3,
}
"""Within a kind: what is typed in, then the app, then what leans on it."""


def write_letters(items: Iterable[Item], people: dict[str, dict[str, str]]) -> dict[str, str]:
    """Path to text. people: PagerDuty user id to name and email."""
    mine: dict[str, list[Item]] = defaultdict(list)
    for item in items:
        if item.kind in OF_PEOPLE:
            mine[item.key.partition(":")[2].partition("/")[0]].append(item)
    letters = {}
    for id, own in mine.items():
        own.sort(key=lambda item: (OF_PEOPLE.index(item.kind), ORDER[item.key.partition("/")[2]]))
        name, email = people[id]["name"], people[id]["email"]
        lines = [
            f"To: {email}",
            "Subject: On-call moves to Harness: what we need from you",
            "",
            f"Hello {name},",
            "",
            "our on-call moves from PagerDuty to Harness AI SRE. Until you have done this, Harness cannot reach you:",
            "",
            *(f"{number}. {_ask(item, email)}" for number, item in enumerate(own, 1)),
            "",
            f"Harness: {own[0].link}",
            "PagerDuty keeps paging you until we tell you otherwise.",
        ]
        letters[f"people/{id}.txt"] = "\n".join(lines) + "\n"
    return letters


REACH = {
    "account": "Ask your Harness administrator for an account that is enabled and unlocked.",
    "channel": "Enter a contact method of yours: nothing of what PagerDuty has can be carried over.",
    "own": "Enter your contact methods yourself: they are not carried over.",
    "rule": "Look at your notification rule.",
}
"""By the part of the key of an item of the kind `reach`."""

PARTS = {
    "app": "Install Harness's mobile app and sign in: that registers it for push. Allow it to break through silence.",
    "slack": "Link your Slack account in your Harness profile: nobody else can.",
    "slack_rule": "Add Slack to your notification rule. {expected}",
    "extension": "Look at your telephone numbers. {expected}",
    "push": "Add push to your notification rule. {expected}",
}
"""By the part of the key of any other item."""


def _ask(item: Item, email: str) -> str:
    part = item.key.partition("/")[2]
    if item.kind == "reach":
        return f"{REACH[part]} {item.expected}"
    if item.kind == "users":
        return f"Accept the invitation that Harness sends to {email}. Its link lives seven days; ask us for a new one."
    if part in PARTS:
        return PARTS[part].format(expected=item.expected)
    words = "Enter your contact methods" if item.kind == "contact_methods" else "Set your notification rule"
    return f"{words} in your Harness profile. {item.expected}"
