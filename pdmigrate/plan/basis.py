"""What a plan is made by beside the two sides, and what has changed between two plans: an approval is of what was seen. Pure."""

from collections.abc import Iterable
from typing import Any

from pdmigrate.plan.actions import Plan
from pdmigrate.plan.answers import Decisions
from pdmigrate.plan.guards import Refusal
from pdmigrate.plan.rules import Rules, Scope
from pdmigrate.wire.canonical import canonical_json

TOLD_BY_TIME = ("old_snapshot", "runs_out")
"""Guards whose sentence is another one every day: that they refuse is part of a plan, not since when."""


def list_basis(address: str, scope: Scope, rules: Rules, decisions: Decisions) -> dict[str, str]:
    """By name, as people know it: the target's address, each setting of scope and rules, each answer."""
    settings = {
        f"{section}.{name}": value for section, one in (("scope", scope), ("rules", rules)) for name, value in one
    }
    answers = {f"the answer {d.conflict} {d.object}": [d.choice, d.value, d.question] for d in decisions.decisions}
    return {"target.base_url": address} | {name: _spell(value) for name, value in (settings | answers).items()}


def add_guards(basis: dict[str, str], raised: Iterable[Refusal]) -> dict[str, str]:
    """The same with what refuses the plan, waived or not."""
    said = {f"guard {one.guard}": "" if one.guard in TOLD_BY_TIME else one.sentence for one in raised}
    return {name: value for name, value in basis.items() if not _is_guard(name)} | said


def drop_guards(basis: dict[str, str]) -> dict[str, str]:
    """Without what they said, which changes as a load goes on."""
    return {name: value for name, value in basis.items() if not _is_guard(name)}


def name_changed(before: dict[str, str], now: dict[str, str]) -> list[str]:
    """What is not the same any more, came or went."""
    return sorted(name for name in before.keys() | now.keys() if before.get(name) != now.get(name))


def name_changes(before: Plan, now: Plan) -> str:
    """What makes one plan another than the one before it, in a few words for people; "" where they are one."""
    names = ["what PagerDuty says"] * (before.source != now.source) + ["the target"] * (before.target != now.target)
    names += name_changed(before.basis, now.basis)
    names += ["what is held, and why"] * (before.held != now.held) + ["the actions"] * (before.actions != now.actions)
    return ", ".join(names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "")


def _is_guard(name: str) -> bool:
    return name.startswith("guard ")


def _spell(value: Any) -> str:
    return canonical_json(value.model_dump() if hasattr(value, "model_dump") else value)
