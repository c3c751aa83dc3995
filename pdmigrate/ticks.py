"""What people must still do after a load, and what of it is done: kept in state/ticks.json until everything is ticked."""

import fcntl
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from pdmigrate.draft import Draft
from pdmigrate.workspace import Workspace, write_json

What = Literal["make by hand", "re-point", "test page"]


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
    """All that is to be done, in the order in which it makes sense, with what is ticked already."""
    ticked = _read(workspace)
    items = [*_list_made(draft), *_list_tests(draft), *_list_integrations(draft)]
    return [Item(key, what, text, about, **ticked.get(key, {})) for key, what, text, about in items]


def tick(workspace: Workspace, keys: Iterable[str], by: str, at: datetime) -> None:
    """These are done. Written at once; what others ticked meanwhile stays."""
    done = {key: {"by": by, "at": at.isoformat(timespec="seconds")} for key in keys}
    _change(workspace, lambda old: {**old, **done})


def untick(workspace: Workspace, keys: Iterable[str]) -> None:
    """These are not done after all."""
    gone = set(keys)
    _change(workspace, lambda old: {key: value for key, value in old.items() if key not in gone})


def _list_made(draft: Draft) -> list[tuple]:
    handed = [action for action in draft.plan.actions if action.verb == "handover"]
    return [
        (f"make:{a.id}", "make by hand", f"Make {a.kind.replace('_', ' ')} {a.name} in Harness", (a.kind, a.key))
        for a in handed
    ]


def _list_tests(draft: Draft) -> list[tuple]:
    """Everybody who stands in a schedule or policy in scope: a page that arrives is the only proof that one can."""
    people = [draft.account.users[id] for id in find_paged(draft) if id in draft.account.users]
    emails = draft.work.emails
    return [
        (
            f"test:{u.id}",
            "test page",
            f"Page {u.name} ({emails[u.id]}) from Harness, and see it arrive",
            ("users", u.id),
        )
        for u in sorted(people, key=lambda u: u.name.casefold())
        if u.id in emails
    ]


def find_paged(draft: Draft) -> set[str]:
    """The PagerDuty ids of everybody who stands in a schedule or policy in scope."""
    schedules = [s for id, s in draft.account.schedules.items() if id in draft.reasons["schedules"]]
    policies = [p for id, p in draft.account.policies.items() if id in draft.reasons["escalation_policies"]]
    places = [place.user.id for s in schedules for layer in s.schedule_layers for place in layer.users]
    stand_ins = [entry.user.id for s in schedules for entry in s.overrides if entry.user]
    targets = [t.id for p in policies for rule in p.escalation_rules for t in rule.targets if t.type == "user"]
    return {*places, *stand_ins, *targets}


def _list_integrations(draft: Draft) -> list[tuple]:
    services = [s for id, s in draft.account.services.items() if id in draft.reasons["services"]]
    return [
        (
            f"repoint:{s.id}:{integration.id}",
            "re-point",
            f"Let {integration.summary or integration.id} send to Harness for {s.name}",
            ("services", s.id),
        )
        for s in sorted(services, key=lambda s: s.name.casefold())
        for integration in s.integrations
    ]


def _read(workspace: Workspace) -> dict[str, dict]:
    return workspace.find_state("ticks") or {}


def _change(workspace: Workspace, edit: Callable[[dict], dict]) -> None:
    path = workspace.state_file("ticks")
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(path.with_name(".ticks.lock"), "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        write_json(path, edit(_read(workspace)))
