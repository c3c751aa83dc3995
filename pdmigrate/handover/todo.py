"""What people must still do after a load, and what of it is done: the handover's items, and a test page for everybody.

Ticks of the handover stand with it, those of test pages in state/ticks.json.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from pdmigrate.handover import items as handover
from pdmigrate.handover.folder import read_items
from pdmigrate.handover.items import STAGES
from pdmigrate.handover.ticks import Tick, find_tick, read_ticks, tick_item, untick_item
from pdmigrate.mapping.draft import Draft
from pdmigrate.mapping.scope import list_people
from pdmigrate.workspace.folder import Workspace

TESTS = "ticks"
What = Literal["make by hand", "re-point", "test page"]


ABOUT = {"reach": "users", "integrations": "services", "alert_rules": "services", "renewals": "schedules"}
"""Kinds of handover items to the kind of the object that they are about."""


@dataclass(frozen=True)
class Item:
    """One thing to do. `about` is (kind, PagerDuty id) of the object that it belongs to; by, at: who ticked it, when."""

    key: str
    what: What
    text: str
    about: tuple[str, str]
    by: str = ""
    at: str = ""

    @property
    def done(self) -> bool:
        return bool(self.at)


def list_items(workspace: Workspace, draft: Draft) -> list[Item]:
    """All that is to be done, in the order in which it makes sense, with what is ticked already.

    First the handover of the latest plan, then a test page for everybody who is paged.
    """
    tests = workspace.find_state(TESTS) or {}
    pages = [Item(key, "test page", text, about, **tests.get(key, {})) for key, text, about in _list_tests(draft)]
    return [*_list_handover(workspace), *pages]


def tick(workspace: Workspace, keys: Iterable[str], by: str, at: datetime) -> None:
    """These are done. Written at once; what others ticked meanwhile stays."""
    handed, keys = read_items(workspace), list(keys)
    known = {item.key for item in handed}
    for key in known.intersection(keys):
        tick_item(workspace, handed, key, by, at)
    done = {key: {"by": by, "at": at.isoformat(timespec="seconds")} for key in keys if key not in known}
    workspace.change_state(TESTS, lambda old: {**(old or {}), **done})


def untick(workspace: Workspace, keys: Iterable[str]) -> None:
    """These are not done after all."""
    gone = set(keys)
    for key in gone.intersection(item.key for item in read_items(workspace)):
        untick_item(workspace, key)
    workspace.change_state(TESTS, lambda old: {key: row for key, row in (old or {}).items() if key not in gone})


def _list_handover(workspace: Workspace) -> list[Item]:
    ticks = read_ticks(workspace)
    return [_from_handover(item, find_tick(ticks, item)) for item in read_items(workspace)]


def _from_handover(item: handover.Item, done: Tick | None) -> Item:
    sender = item.kind == "integrations"
    kind = ABOUT.get(item.kind, item.kind)
    what: What = "re-point" if sender else "make by hand"
    text = f"{STAGES[item.kind]}: {item.name}"
    return Item(
        item.key, what, text, (kind, item.ids[0] if item.ids else ""), done.by if done else "", done.at if done else ""
    )


def _list_tests(draft: Draft) -> list[tuple]:
    """Everybody who stands in a schedule or policy in scope: a page that arrives is the only proof that one can."""
    people = [draft.account.users[id] for id in find_paged(draft) if id in draft.account.users]
    emails = draft.work.emails
    return [
        (
            f"test:{u.id}",
            f"Page {u.name} ({emails[u.id]}) from Harness, and see it arrive",
            ("users", u.id),
        )
        for u in sorted(people, key=lambda u: u.name.casefold())
        if u.id in emails
    ]


def find_paged(draft: Draft) -> set[str]:
    """The PagerDuty ids of everybody who stands in a schedule or policy in scope."""
    schedules = [s for id, s in draft.account.all_schedules.items() if id in draft.reasons["schedules"]]
    policies = [p for id, p in draft.account.policies.items() if id in draft.reasons["escalation_policies"]]
    places = [user.id for schedule in schedules for user in list_people(schedule)]
    targets = [t.id for p in policies for rule in p.escalation_rules for t in rule.targets if t.type == "user"]
    return {*places, *targets}
