"""What changed in the source between two snapshots: configuration only, object by object, field by field. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from pdmigrate.pagerduty.account import Account, dump_record

NAMES = {
    "users": "user",
    "teams": "team",
    "schedules": "schedule",
    "schedules_v3": "shift-based schedule",
    "policies": "escalation policy",
    "services": "service",
}


@dataclass(frozen=True)
class SourceChange:
    """One object that came, went or changed. `fields` are the names of what is different."""

    kind: str
    id: str
    name: str
    verb: str
    fields: tuple[str, ...] = ()

    def describe(self) -> str:
        """One line for a person."""
        where = f": {', '.join(field.replace('_', ' ') for field in self.fields)}" if self.fields else ""
        return f"{self.verb:<8} {self.kind} {self.name} ({self.id}){where}"


def compare_accounts(before: Account, after: Account) -> tuple[SourceChange, ...]:
    """All changes, by kind and id. Rendered entries and times of incidents are none."""
    return tuple(_compare_all(before, after))


def _compare_all(before: Account, after: Account) -> Iterator[SourceChange]:
    if before.subdomain != after.subdomain:
        yield SourceChange("account", after.subdomain, f"{before.subdomain} before", "another")
    for kind, word in NAMES.items():
        yield from _compare_kind(word, getattr(before, kind), getattr(after, kind))
    for kind in sorted(before.inventory.keys() | after.inventory.keys()):
        had, has = before.inventory.get(kind, 0), after.inventory.get(kind, 0)
        if had != has and kind != "schedules_v3":
            yield SourceChange(kind.replace("_", " "), f"{had} to {has}", "in number", "changed")


def _compare_kind(word: str, before: dict[str, Any], after: dict[str, Any]) -> Iterator[SourceChange]:
    for id in sorted(before.keys() | after.keys()):
        if id not in after:
            yield SourceChange(word, id, before[id].name, "gone")
        elif id not in before:
            yield SourceChange(word, id, after[id].name, "new")
        else:
            old, new = dump_record(before[id]), dump_record(after[id])
            fields = tuple(field for field in new if new[field] != old.get(field))
            if fields:
                yield SourceChange(word, id, after[id].name, "changed", fields)
