"""Objects of an account that are not carried over, and what each of them changes about who is paged."""

from collections.abc import Container, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pdmigrate.oncall.words import format_number
from pdmigrate.pagerduty.event_rules import count_rules
from pdmigrate.pagerduty.records import Problem

INVENTORY = (
    "business_services",
    "maintenance_windows",
    "event_orchestrations",
    "rulesets",
    "service_orchestrations",
    "handoff_rules",
)
"""Kinds that are counted and listed as not carried over."""


@dataclass(frozen=True)
class NotCarried:
    """One object that stays behind. matters: how it changes which alerts page whom, or ""."""

    kind: str
    id: str
    name: str
    matters: str = ""


def list_not_carried(rows: dict[str, Any]) -> tuple[NotCarried, ...]:
    """All of them, by kind and name. Handoff rules are counted only: there may be thousands."""
    kinds = [kind for kind in INVENTORY if kind != "handoff_rules"]
    found = [
        NotCarried(
            kind,
            str(row.get("id")),
            str(row.get("name") or row.get("summary") or row.get("description") or row.get("id")),
            _describe_effect(kind, row),
        )
        for kind in kinds
        for row in _list_rows(rows, kind)
    ]
    return tuple(sorted(found, key=lambda one: (kinds.index(one.kind), one.name.casefold(), one.id)))


@dataclass(frozen=True)
class Hidden:
    """An object that others name and no list has shown. named_by: (kind, id, name) of those that name it."""

    kind: str
    id: str
    name: str
    named_by: tuple[tuple[str, str, str], ...]

    def describe(self, scope: Mapping[str, Container[str]]) -> str:
        """The sentence about it; "" where nothing in scope names it. scope: ids by kind."""
        said = self.describe_holders([one for one in self.named_by if one[1] in scope[one[0]]])
        return f"the {NOUNS[self.kind]} {self.name} ({self.id}), named by {said}" if said else ""

    def describe_holders(self, holders: Sequence[tuple[str, str, str]]) -> str:
        """The first of those that name it, in words; "" for none."""
        names = [f"the {NOUNS[kind]} {name}" for kind, _, name in holders]
        return ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")


NOUNS = {
    "users": "user",
    "teams": "team",
    "schedules": "schedule",
    "escalation_policies": "policy",
    "services": "service",
}
SHOWN_AS = {"schedules_v3": "schedules"}
"""Shift-based schedules are schedules."""


def find_hidden(rows: dict[str, Any]) -> tuple[Hidden, ...]:
    """Teams, schedules and services that some object names and no list has shown. Deleted ones are known to be gone.

    A list that could not be read at all hides nothing: that is said elsewhere.
    """
    unread = {kind for kind in NOUNS if kind not in rows or kind in (rows.get("unread") or {})}
    return tuple(one for one in _find_unshown(rows) if one.kind not in unread)


def note_unread_teams(rows: dict[str, Any]) -> list[Problem]:
    """The teams that others name while teams could not be read: after a change of the plan they stay on what they owned."""
    if "teams" not in (rows.get("unread") or {}):
        return []
    named = [one for one in _find_unshown(rows) if one.kind == "teams"]
    said = "teams could not be read and no group is made of it; it is still named by"
    return [
        Problem(kind="teams", id=one.id, name=one.name, message=f"{said} {one.describe_holders(one.named_by)}")
        for one in named
    ]


def _find_unshown(rows: dict[str, Any]) -> tuple[Hidden, ...]:
    """What some object names and no list has shown, whatever was read."""
    lists = [(SHOWN_AS.get(kind, kind), _list_rows(rows, kind)) for kind in (*NOUNS, *SHOWN_AS)]
    shown = {_read_id(row) for _, there in lists for row in there}
    names: dict[tuple[str, str], str] = {}
    named_by: dict[tuple[str, str], dict[tuple[str, str, str], None]] = {}
    for holder, there in lists:
        for row in there:
            for kind, reference in _list_references(holder, row):
                if reference["id"] in shown:
                    continue
                place = (kind, reference["id"])
                names[place] = names.get(place) or str(reference.get("summary") or reference["id"])
                named_by.setdefault(place, {})[
                    holder, str(row.get("id")), str(row.get("name") or row.get("summary") or row.get("id"))
                ] = None
    return tuple(Hidden(*place, name, tuple(sorted(named_by[place]))) for place, name in sorted(names.items()))


def _list_rows(rows: dict[str, Any], kind: str) -> list[dict[str, Any]]:
    found = rows.get(kind)
    return [row for row in found if isinstance(row, dict)] if isinstance(found, list) else []


def _read_id(row: dict[str, Any]) -> str:
    """What it is known by; "" where it has no id that one can be known by."""
    id = row.get("id")
    return id if isinstance(id, str) else ""


def _list_references(kind: str, row: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """(kind, reference) of the teams, services and schedules that it names."""
    said = [("teams", reference) for reference in _list_rows(row, "teams")]
    if kind == "escalation_policies":
        said += [("services", reference) for reference in _list_rows(row, "services")]
        targets = [target for rule in _list_rows(row, "escalation_rules") for target in _list_rows(rule, "targets")]
        said += [("schedules", target) for target in targets if str(target.get("type")).startswith("schedule")]
    return ((to, reference) for to, reference in said if _read_id(reference) and not reference.get("deleted_at"))


def _describe_effect(kind: str, row: dict[str, Any]) -> str:
    """How it changes which alerts page whom."""
    counted, said = count_rules(row), []
    # an older snapshot has the numbers alone
    if suppressing := counted["suppressing"] or row.get("suppressing_rules"):
        said.append(f"{_count(suppressing, 'rule suppresses', 'rules suppress')} alerts")
    if kind == "event_orchestrations" and row.get("routes"):
        said.append(f"routes alerts to {_count(row['routes'], 'service', 'services')}")
    if kind == "rulesets" and (routing := counted["routing"] or row.get("routing_rules")):
        said.append(f"{_count(routing, 'rule routes', 'rules route')} alerts")
    if kind == "maintenance_windows":
        said.append(
            f"silences {format_number(len(_list_rows(row, 'services')), 'service')} until {row.get('end_time')}"
        )
    return ", ".join(said)


def _count(number: object, one: str, many: str) -> str:
    """A number of a snapshot, which nobody has looked at: whatever it is, it is shown."""
    return f"{number} {one if number == 1 else many}"
