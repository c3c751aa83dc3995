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


def name_letter(person_id: str) -> str:
    return f"people/{person_id}.txt"


def write_letters(items: Iterable[Item], people: dict[str, dict[str, str]]) -> dict[str, str]:
    """Path to text. people: PagerDuty user id to name and email."""
    mine: dict[str, list[Item]] = defaultdict(list)
    for item in items:
        if item.kind in OF_PEOPLE:
            mine[_read_person(item)].append(item)
    return {name_letter(id): _write_letter(people[id], sorted(own, key=_order)) for id, own in mine.items()}


def _read_person(item: Item) -> str:
    return item.key.partition(":")[2].partition("/")[0]


def _order(item: Item) -> tuple[int, int]:
    return OF_PEOPLE.index(item.kind), ORDER[item.key.partition("/")[2]]


def _write_letter(person: dict[str, str], items: list[Item]) -> str:
    asked = [f"{number}. {_ask(item, person['email'])}" for number, item in enumerate(items, 1)]
    lines = [
        f"To: {person['email']}",
        "Subject: On-call moves to Harness: what we need from you",
        "",
        f"Hello {person['name']},",
        "",
        "our on-call moves from PagerDuty to Harness AI SRE. Until you have done this, Harness cannot reach you:",
        "",
        *asked,
        "",
        f"Harness: {items[0].link}",
        "PagerDuty keeps paging you until we tell you otherwise.",
    ]
    return "\n".join(lines) + "\n"


REACH = {
    "account": "Ask your Harness administrator for an account that is enabled and unlocked.",
    "channel": "Enter a contact method of yours: nothing of what PagerDuty has can be carried over.",
    "own": "Enter your contact methods yourself: they are not carried over.",
    "rule": "Look at your notification rule.",
}
"""By the part of the key of an item of the kind `reach`."""


def _ask(item: Item, email: str) -> str:
    if item.kind == "reach":
        return f"{REACH[item.key.partition('/')[2]]} {item.expected}"
    if item.kind == "users":
        return f"Accept the invitation that Harness sends to {email}. Its link lives seven days; ask us for a new one."
    if item.key.endswith("/app"):
        return (
            "Install Harness's mobile app and sign in: that registers it for push. Allow it to break through silence."
        )
    if item.key.endswith("/slack"):
        return "Link your Slack account in your Harness profile: nobody else can."
    if item.key.endswith("/slack_rule"):
        return f"Add Slack to your notification rule. {item.expected}"
    if item.key.endswith("/extension"):
        return f"Look at your telephone numbers. {item.expected}"
    if item.key.endswith("/push"):
        return f"Add push to your notification rule. {item.expected}"
    words = "Enter your contact methods" if item.kind == "contact_methods" else "Set your notification rule"
    return f"{words} in your Harness profile. {item.expected}"
