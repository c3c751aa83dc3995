"""Desired against existing, object by object and field by field: what has to be done. Pure; reaches no network.

Three-way: what we last wrote (ledger), what the source says now, what the target says now. Changed only in the source:
update. Changed only in the target: keep. Changed in both: the strategy decides.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any, Literal

from pdmigrate.actions import KINDS, Action, Desired, Fields, Verb
from pdmigrate.harness.records import State
from pdmigrate.journal import Entry

Strategy = Literal["preserve", "overwrite"]

SETS = {"users", "methods"}
"""Fields that are sets of parts: each part is settled by itself, so that nobody's addition is lost."""
OWN_BY_PEOPLE = {"contact_methods", "notification_rules"}
"""Kinds that people keep for themselves in Harness: without a ledger the strategy decides, not the source."""
ONCALL_KINDS = {"schedules", "overrides", "escalation_policies", "contact_methods", "notification_rules"}
WAITS = "it waits for people or groups that Terraform makes: run again afterwards"


@dataclass(frozen=True)
class Comparison:
    """One desired object beside what is there: `last` is what we left there, `have` what is there now."""

    desired: Desired
    last: Fields | None
    have: Fields | None


def plan_actions(
    desired: Iterable[Desired],
    dropped: Iterable[Entry],
    state: State,
    ledger: dict[tuple[str, str], Entry],
    strategy: Strategy,
    by_terraform: bool = False,
) -> list[Action]:
    """An action for every desired object, and for every override that we wrote and the source has dropped.

    by_terraform: new user groups and people are not written, and whatever needs them waits.
    """
    actions = [_plan_one(wish, state, ledger.get((wish.kind, wish.key)), strategy) for wish in desired]
    if by_terraform:
        actions = _leave_to_terraform(actions)
    return actions + _take_back(dropped, state)


def _leave_to_terraform(actions: list[Action]) -> list[Action]:
    """New groups and people become a handover, and what needs them by API is handed over until they are there."""
    left: set[tuple[str, str]] = set()
    planned = []
    for action in sorted(actions, key=lambda a: KINDS.index(a.kind)):
        reason = ""
        if action.verb == "create" and action.kind in ("teams", "users"):
            reason = "Terraform makes it: see the handover"
        elif action.verb in ("create", "update", "adopt") and left.intersection(action.needs):
            reason = WAITS
        if reason:
            left.add((action.kind, action.key))
            action = replace(action, verb="handover", before=None, reason=reason)
        planned.append(action)
    return planned


def read_existing(kind: str, identifier: str, wish: Fields, state: State) -> Fields | None:
    """What the target has of the fields that we own, or None where the object is not there."""
    found = _FIND[kind](identifier, state)
    if found is None:
        return None
    have = found.model_dump(mode="json")
    if kind == "users":
        return wish  # being there, invited or with an account, is all that is compared; groups are a kind of their own
    if kind == "overrides":
        have["schedule"] = identifier.partition("/")[0]
    return {name: have.get(name) for name in wish}


def _plan_one(wish: Desired, state: State, entry: Entry | None, strategy: Strategy) -> Action:
    if wish.kind in ONCALL_KINDS and not state.oncall:
        return _act("handover", wish, None, wish.fields, "Harness has no API for it: a person makes it")
    have = read_existing(wish.kind, wish.identifier, wish.fields, state)
    if have is None:
        again = "it was there, and somebody has removed it in Harness; it is made again" if entry else ""
        return _act("create", wish, None, wish.fields, again)
    seen = Comparison(wish, entry.synced if entry else None, have)
    after, reason = _settle(seen, strategy)
    if entry is None and wish.kind != "users":
        return _act("adopt", wish, have, after, reason)
    return _act("keep" if after == have else "update", wish, have, after, reason)


def _settle(seen: Comparison, strategy: Strategy) -> tuple[Fields, str]:
    after, kept = {}, []
    for name, want in seen.desired.fields.items():
        have = seen.have.get(name)
        last = seen.last.get(name, _UNKNOWN) if seen.last else _UNKNOWN
        after[name] = _settle_field(seen.desired, name, last, want, have, strategy)
        if after[name] != want and name not in SETS:
            kept.append(name)
    return after, f"changed in Harness and kept: {', '.join(kept)}" if kept else ""


_UNKNOWN: Any = object()


def _settle_field(wish: Desired, name: str, last: Any, want: Any, have: Any, strategy: Strategy) -> Any:
    if name in SETS and last is _UNKNOWN and wish.adopt and not wish.merge:
        return want
    if name in SETS:
        return _merge_sets([] if last is _UNKNOWN else last, want, have or [])
    if last is _UNKNOWN:
        return have if _belongs_to_them(wish, name, have, strategy) else want
    if last == have:
        return want
    if last == want:
        return have
    return want if strategy == "overwrite" else have


def _belongs_to_them(wish: Desired, name: str, have: Any, strategy: Strategy) -> bool:
    """What was there before us stays: the name of what is taken over, and what people set for themselves."""
    if wish.kind in OWN_BY_PEOPLE:
        return bool(have) and strategy == "preserve"
    return name in ("name", "description") and bool(have)


def _merge_sets(last: list, want: list, have: list) -> list:
    """What is there, plus what the source added, minus what it dropped of what we wrote; one order for all."""
    dropped = [part for part in last if part not in want]
    kept = [part for part in have if part not in dropped]
    merged = kept + [part for part in want if part not in kept and (part not in last or part in have)]
    return have if sorted(map(repr, merged)) == sorted(map(repr, have)) else sorted(merged, key=repr)


def _take_back(dropped: Iterable[Entry], state: State) -> list[Action]:
    """Overrides that the source has dropped must not go on paging: those that are still as we wrote them are taken back."""
    reason = "gone from PagerDuty: it must not go on paging"
    seen = ((entry, read_existing("overrides", entry.identifier, entry.synced, state)) for entry in dropped)
    return [
        Action("update", "overrides", entry.key, entry.identifier, entry.name, have, None, (), (), reason)
        for entry, have in seen
        if have is not None and have == entry.synced
    ]


def _act(verb: Verb, wish: Desired, before: Fields | None, after: Fields, reason: str) -> Action:
    return Action(
        verb, wish.kind, wish.key, wish.identifier, wish.name, before, after, wish.sources, wish.needs, reason
    )


def _find_override(identifier: str, state: State):
    schedule, _, name = identifier.partition("/")
    overrides = state.schedules[schedule].overrides if schedule in state.schedules else ()
    return next((override for override in overrides if override.identifier == name), None)


_FIND = {
    "users": lambda id, state: state.people.get(id),
    "teams": lambda id, state: state.groups.get(id),
    "schedules": lambda id, state: state.schedules.get(id),
    "overrides": _find_override,
    "escalation_policies": lambda id, state: state.policies.get(id),
    "services": lambda id, state: state.services.get(id),
    "contact_methods": lambda id, state: state.contacts.get(id),
    "notification_rules": lambda id, state: state.rules.get(id),
}
