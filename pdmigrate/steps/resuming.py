"""Going on after an interruption: whether an unfinished plan is still the plan, and what of it is done. Pure."""

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from pdmigrate.harness.records import State
from pdmigrate.plan.actions import Action, Fields, LedgerEntry, Plan
from pdmigrate.plan.basis import drop_guards
from pdmigrate.plan.planning import read_existing
from pdmigrate.workspace.journal import Journal


def find_done(journal: Journal, load: int) -> set[str]:
    """The actions of a load that are done, by their id."""
    return {id for id, step in journal.states(load).items() if step.state == "done"}


def find_begun(journal: Journal, plan: Plan) -> dict[str, str]:
    """The state of each action that an interrupted load of this plan has begun. What failed half-way is still intended."""
    unfinished = journal.unfinished()
    if unfinished is None or unfinished[1].digest != plan.digest:
        return {}
    half = journal.half_written()
    return {id: "intended" if id in half else step.state for id, step in journal.states(unfinished[0]).items()}


def add_half_written(
    ledger: dict[tuple[str, str], LedgerEntry], half: Iterable[Action], state: State
) -> dict[tuple[str, str], LedgerEntry]:
    """The ledger with what an unfinished write has changed of known objects: that was us, and nobody's change by hand."""
    known = dict(ledger)
    for action in half:
        entry = known.get((action.kind, action.key))
        have = read_existing(action.kind, action.identifier, action.wanted, state)
        if entry and have:
            ours = {name: value for name, value in action.wanted.items() if have[name] == value}
            known[action.kind, action.key] = replace(entry, synced=entry.synced | ours)
    return known


def continues(unfinished: Plan, done: set[str], now: Plan) -> bool:
    """Whether what is to be done now is just what the unfinished plan has left to do."""
    if (unfinished.source, unfinished.target, unfinished.held) != (now.source, now.target, now.held):
        return False
    if drop_guards(unfinished.basis) != drop_guards(now.basis):
        return False
    left = {action.id: action for action in unfinished.pending if action.id not in done}
    found = {action.id: action for action in now.actions if action.verb != "handover"}
    same = all(id in found and found[id].after == action.after for id, action in left.items())
    return same and all(action.id in left for action in now.pending)


def is_there(action: Action, state: State) -> bool:
    """Nothing to send: a run that broke off has done it already, or it only has to be booked."""
    if action.after is None:
        return read_existing(action.kind, action.identifier, action.before or {}, state) is None
    return read_existing(action.kind, action.identifier, action.after, state) == action.after


def has_moved(action: Action, state: State, begun: bool) -> bool:
    """Neither as the plan found it nor as the plan leaves it. begun: its intent is open, so it may be half-way."""
    fields = action.after if action.after is not None else action.before
    have = read_existing(action.kind, action.identifier, fields or {}, state)
    if have in (action.before, action.after):
        return False
    return not (begun and have is not None and action.after is not None and _is_half_way(action, have))


def _is_half_way(action: Action, have: Fields) -> bool:
    """An object that takes two requests (a service and its on-call settings) has got the first."""
    before = action.before or dict.fromkeys(have)
    return all(_is_between(before[name], value, action.wanted[name]) for name, value in have.items())


def _is_between(before: Any, value: Any, wanted: Any) -> bool:
    """As it was or as it will be; of a new object what Harness fills in, of several rules each for itself."""
    if isinstance(before, dict) and isinstance(value, dict):
        return all(name in before and _is_between(before[name], one, wanted.get(name)) for name, one in value.items())
    return value in (before, wanted) or (before is None and not value)
