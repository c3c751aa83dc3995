"""What is left for people to do, and who did what of it, and when: a tick holds while what is asked for stays the same."""

import re
from dataclasses import asdict, replace
from datetime import datetime
from pathlib import Path

from pdmigrate.errors import UsageError
from pdmigrate.handover.items import Item, Tick
from pdmigrate.mapping.draft import Draft
from pdmigrate.mapping.scope import list_people
from pdmigrate.workspace.file_names import make_file_name
from pdmigrate.workspace.folder import Workspace, write_bytes

LIST, TICKS, TESTS = "handover", "handover_ticks", "ticks"
"""Names of states: the list of the latest plan, the ticks of its items, and those of test pages."""


def read_items(workspace: Workspace) -> tuple[Item, ...]:
    """The latest list with its ticks; empty before there is one."""
    rows = (workspace.find_state(LIST) or {}).get("items", [])
    items = (Item(**{**row, "ids": tuple(row["ids"])}) for row in rows)
    ticks = {key: Tick(**row) for key, row in (workspace.find_state(TICKS) or {}).items()}
    return tuple(replace(i, tick=tick) if (tick := ticks.get(i.key)) and tick.digest == i.digest else i for i in items)


def list_todo(workspace: Workspace, draft: Draft) -> tuple[Item, ...]:
    """All that is to be done, in the order in which it makes sense, with what is ticked already.

    First the handover of the latest plan, then a test page for everybody who stands in a schedule or policy in scope: a
    page that arrives is the only proof that one can.
    """
    ticks = {key: Tick("", **row) for key, row in (workspace.find_state(TESTS) or {}).items()}
    users, emails = draft.account.users, draft.mapped.emails
    people = sorted((users[id] for id in find_paged(draft) if id in users), key=lambda u: u.name.casefold())
    tests = [
        Item(
            f"test:{u.id}",
            "tests",
            (u.id,),
            f"Page {u.name} ({emails[u.id]}) from Harness, and see it arrive",
            tick=ticks.get(f"test:{u.id}"),
        )
        for u in people
        if u.id in emails
    ]
    return (*read_items(workspace), *tests)


def find_paged(draft: Draft) -> set[str]:
    """The PagerDuty ids of everybody who stands in a schedule or policy in scope."""
    schedules = [s for id, s in draft.account.all_schedules.items() if id in draft.reasons["schedules"]]
    policies = [p for id, p in draft.account.policies.items() if id in draft.reasons["escalation_policies"]]
    places = [user.id for schedule in schedules for user in list_people(schedule)]
    targets = [t.id for p in policies for rule in p.escalation_rules for t in rule.targets if t.type == "user"]
    return {*places, *targets}


def find_item(items: tuple[Item, ...], key: str) -> Item:
    """Raises UsageError for a wrong key."""
    item = next((item for item in items if item.key == key), None)
    if item is None:
        raise UsageError(f"No item of the handover has the key {key!r}: see handover/handover.csv.")
    return item


def tick_item(workspace: Workspace, item: Item, by: str, at: datetime, evidence: str = "") -> None:
    """Tick one item off; written at once. evidence: a file, which is copied into the workspace, or words."""
    tick = Tick(item.digest, by, at.isoformat(timespec="seconds"), _keep_evidence(workspace, item.key, evidence))
    row = {"by": tick.by, "at": tick.at} if item.kind == "tests" else asdict(tick)
    workspace.change_state(_name_state(item.key), lambda old: {**(old or {}), item.key: row})


def untick_item(workspace: Workspace, key: str) -> None:
    """Take a tick back. Evidence that was filed stays."""
    workspace.change_state(
        _name_state(key), lambda old: {known: row for known, row in (old or {}).items() if known != key}
    )


def _name_state(key: str) -> str:
    return TESTS if key.startswith("test:") else TICKS


def _keep_evidence(workspace: Workspace, key: str, evidence: str) -> str:
    source = Path(evidence) if evidence and len(evidence) < 1000 and "\n" not in evidence else None
    if source is None or not source.is_file():
        return evidence
    ending = source.suffix if re.fullmatch(r"\.[A-Za-z0-9]{1,8}", source.suffix) else ""
    place = f"evidence/{make_file_name(f'{key}_{source.stem}', ending)}"
    write_bytes(workspace.folder / place, source.read_bytes())
    return place
