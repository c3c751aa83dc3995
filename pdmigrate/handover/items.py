"""One thing for a person to do, and the stages in which they are done: what a thing needs comes before it."""

import hashlib
from dataclasses import dataclass

from pdmigrate.handover.links import Links
from pdmigrate.wire.canonical import canonical_json
from pdmigrate.workspace.file_names import make_file_name

STAGES = {
    "countries": "Ask Harness for countries",
    "teams": "Make the user groups",
    "users": "People accept their invitation",
    "reach": "Make people reachable",
    "contact_methods": "Contact details, each by its owner",
    "notification_rules": "Notification rules, each by its owner",
    "schedules": "Make the schedules",
    "overrides": "Enter the overrides",
    "escalation_policies": "Make the escalation policies",
    "services": "Give each service its owner and its policy",
    "alert_rules": "Make the alert rules",
    "event_rules": "Make what PagerDuty's event rules did",
    "integrations": "Point the senders at Harness",
    "renewals": "Run pdmigrate again before these dates",
    "removed": "Look at what PagerDuty no longer has",
}
"""Kinds of items in working order: what takes weeks is asked for first. `countries`, `reach`, `alert_rules`, `event_rules`,
`integrations`, `renewals` and `removed` are no kinds of objects. A test page (`tests`) is asked for apart, when all of this is done."""

ABOUT = {
    "reach": "users",
    "integrations": "services",
    "event_rules": "services",
    "alert_rules": "services",
    "renewals": "schedules",
    "tests": "users",
}
"""Kinds of items to the kind of the object that they are about."""


@dataclass(frozen=True)
class Tick:
    """Done, by whom and when (ISO 8601). evidence: what Harness shows, in words, or the name of a file kept beside."""

    digest: str
    by: str
    at: str
    evidence: str = ""


@dataclass(frozen=True)
class Item:
    """One thing for a person. ids: the PagerDuty objects that it stands for. file: to work from, in the handover folder.

    digest: over what is asked for; a tick holds as long as it stays the same. tick: the one that holds.
    """

    key: str
    kind: str
    ids: tuple[str, ...]
    name: str
    file: str = ""
    link: str = ""
    back: str = ""
    expected: str = ""
    digest: str = ""
    tick: Tick | None = None

    @property
    def what(self) -> str:
        return {"integrations": "re-point", "tests": "test page"}.get(self.kind, "make by hand")

    @property
    def text(self) -> str:
        return f"{STAGES[self.kind]}: {self.name}" if self.kind in STAGES else self.name

    @property
    def about(self) -> tuple[str, str]:
        """(kind, PagerDuty id) of the object that it belongs to."""
        return ABOUT.get(self.kind, self.kind), self.ids[0] if self.ids else ""


def name_document(folder: str, identifier: str) -> str:
    """The path of an object's own document in the handover's folder. identifier: the object's in Harness."""
    return f"{folder}/{make_file_name(identifier, '.yaml')}"


def make_item(
    links: Links,
    kind: str,
    id: str,
    name: str,
    *,
    expected: str,
    file: str = "",
    ids: tuple[str, ...] = (),
    part: str = "",
    back: str = "",
    content: object = None,
) -> Item:
    """One thing for a person. part: tells two items of one object apart. content: of its file, so that a change in there is one.

    Links are not in the digest: they may change with the address of the account.
    """
    key = f"{kind}:{id}" + (f"/{part}" if part else "")
    said = {"key": key, "kind": kind, "ids": ids or (id,), "name": name, "file": file, "expected": expected}
    digest = hashlib.sha256(canonical_json([said, content]).encode()).hexdigest()[:16]
    back = back or links.to_pagerduty(kind, id.partition("_")[0])
    return Item(key, kind, ids or (id,), name, file, links.to_harness(), back, expected, digest)
