"""What an account has beside what is carried over, object by object, and what of it decides whether anybody is paged."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from pdmigrate.pagerduty.records import EscalationPolicy

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
class Aside:
    """One object that stays behind. matters: how it changes which alerts page whom, or ""."""

    kind: str
    id: str
    name: str
    matters: str = ""


def list_aside(rows: dict[str, Any]) -> tuple[Aside, ...]:
    """All of them, by kind and name. Handoff rules are counted only: there may be thousands."""
    kinds = [kind for kind in INVENTORY if kind != "handoff_rules"]
    found = [_describe(kind, row) for kind in kinds for row in rows.get(kind) or [] if isinstance(row, dict)]
    return tuple(sorted(found, key=lambda one: (kinds.index(one.kind), one.name.casefold(), one.id)))


def find_hidden(policies: Iterable[EscalationPolicy], shown: set[str]) -> dict[str, str]:
    """By policy id the sentence about a schedule that it names and no list has shown. Deleted ones are known to be gone."""
    hidden = {}
    for policy in policies:
        targets = [target for rule in policy.escalation_rules for target in rule.targets]
        schedules = [t for t in targets if t.type in ("schedule", "schedule_v3") and not t.deleted_at]
        missing = [f"{t.summary or t.id} ({t.id})" for t in schedules if t.id not in shown]
        if missing:
            hidden[policy.id] = f"the policy {policy.name} names {', '.join(dict.fromkeys(missing))}"
    return hidden


def _describe(kind: str, row: dict[str, Any]) -> Aside:
    name = str(row.get("name") or row.get("summary") or row.get("description") or row.get("id"))
    return Aside(kind, str(row.get("id")), name, ", ".join(_what_matters(kind, row)))


def _what_matters(kind: str, row: dict[str, Any]) -> list[str]:
    suppressing = row.get("suppressing_rules")
    routes = row.get("routes") if kind == "event_orchestrations" else row.get("routing_rules")
    said = [f"{suppressing} rules suppress alerts"] if suppressing else []
    said += [f"routes alerts to {routes} services"] if routes and kind == "event_orchestrations" else []
    said += [f"{routes} rules route alerts"] if routes and kind == "rulesets" else []
    said += (
        [f"silences {len(row.get('services') or [])} services until {row.get('end_time')}"]
        if kind == "maintenance_windows"
        else []
    )
    return said
