"""Desired against existing, object by object: what has to be done. Pure; reaches no network.

Three-way: what was last synced (ledger), what the source says now, what the target says now. Changed only in the
source: update. Changed only in the target: keep. Changed in both: a decision on the object, else the strategy.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from pdmigrate import merging
from pdmigrate.actions import KINDS, Action, Desired, Fields, Held, Verb
from pdmigrate.decisions import Conflict, Option
from pdmigrate.harness.records import State
from pdmigrate.journal import Entry
from pdmigrate.merging import Merged, Strategy
from pdmigrate.questions import Questions
from pdmigrate.workspace import canonical_json

ONCALL_KINDS = {"schedules", "overrides", "escalation_policies", "contact_methods", "notification_rules"}
WAITS = "it waits for people or groups that Terraform makes: run again afterwards"
DROPPED = "gone from PagerDuty; objects are never deleted: remove it by hand, if nobody needs it any more"


@dataclass
class Planned:
    """What planning found: actions, and what is held by a question that came up here."""

    actions: list[Action] = field(default_factory=list)
    held: list[Held] = field(default_factory=list)


def plan_actions(
    desired: Iterable[Desired],
    dropped: Iterable[Entry],
    state: State,
    ledger: dict[tuple[str, str], Entry],
    strategy: Strategy,
    questions: Questions,
    by_terraform: bool = False,
) -> Planned:
    """An action for every desired object, and for what we wrote and the source has dropped.

    Dropped overrides are taken back, if they are still as we wrote them; whole objects are handed over to a person.
    by_terraform: new user groups and people are not written, and whatever needs them waits.
    """
    planned = Planned()
    for wish in desired:
        action = _plan_one(wish, state, ledger.get((wish.kind, wish.key)), strategy, questions)
        _sort_in(planned, wish, action)
    if by_terraform:
        planned.actions = _leave_to_terraform(planned.actions)
    planned.actions += _take_back(dropped, state)
    return planned


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


def _sort_in(planned: Planned, wish: Desired, action: Action | str) -> None:
    """What is held holds whatever needs it and would be written."""
    if isinstance(action, Action) and action.writes:
        held = {(h.kind, h.key): h for h in planned.held}
        needed = next((held[need] for need in wish.needs if need in held), None)
        action = f"it needs {needed.kind} {needed.name}: {needed.reason}" if needed else action
    if isinstance(action, str):
        waiting = action != LEFT_REMOVED
        planned.held.append(Held(wish.kind, wish.key, wish.name, action, waiting, wish.sources))
    else:
        planned.actions.append(action)


LEFT_REMOVED = "removed in Harness, and left so by decision"


def _plan_one(
    wish: Desired, state: State, entry: Entry | None, strategy: Strategy, questions: Questions
) -> Action | str:
    """The action, or the reason why there is none."""
    if wish.kind in ONCALL_KINDS and not state.oncall:
        return _act("handover", wish, None, wish.fields, "Harness has no API for it: a person makes it")
    have = read_existing(wish.kind, wish.identifier, wish.fields, state)
    if have is None:
        return _plan_absent(wish, entry, questions)
    merged = merging.merge(wish, entry.synced if entry else None, have, strategy)
    if merged.both:
        merged = _settle_both(wish, entry, have, merged, strategy, questions)
    return _plan_present(wish, entry, have, merged)


def _plan_absent(wish: Desired, entry: Entry | None, questions: Questions) -> Action | str:
    if entry is None:
        return _act("create", wish, None, wish.fields, "")
    answer = questions.ask(_ask_removed(wish))
    if answer is None:
        return "open question: somebody has removed it in Harness"
    if answer.choice == "leave_removed":
        return LEFT_REMOVED
    return _act("create", wish, None, wish.fields, "somebody has removed it in Harness; made again by decision")


def _plan_present(wish: Desired, entry: Entry | None, have: Fields, merged: Merged) -> Action:
    if entry is None and wish.kind != "users":
        verb: Verb = "adopt"
    else:
        verb = "keep" if merged.after == have else "update"
    action = _act(verb, wish, have, merged.after, merged.reason)
    known = entry.synced if verb == "keep" and entry else merged.after
    return action if merged.synced == known or (verb == "keep" and not entry) else replace(action, synced=merged.synced)


def _settle_both(
    wish: Desired, entry: Entry, have: Fields, merged: Merged, strategy: Strategy, questions: Questions
) -> Merged:
    answer = questions.ask(_ask_both(wish, entry, have, merged, strategy), f"rules.strategy: {strategy}")
    taken: Strategy = "overwrite" if answer and answer.choice == "take_source" else "preserve"
    return merging.merge(wish, entry.synced, have, taken)


def _ask_both(wish: Desired, entry: Entry, have: Fields, merged: Merged, strategy: Strategy) -> Conflict:
    told = "; ".join(
        f"{name}: was {merging.brief(entry.synced.get(name))}, PagerDuty says {merging.brief(wish.fields[name])}, "
        f"Harness {merging.brief(have.get(name))}"
        for name in merged.both
    )
    return Conflict(
        about="changed_in_both",
        kind=wish.kind,
        id=wish.key,
        name=wish.name,
        question=f"Changed in PagerDuty and in Harness since the last run. {told}.",
        meaning="Whichever is taken, somebody's change is not there any more.",
        options=(
            Option(name="keep_harness", effect="what people changed in Harness stays"),
            Option(name="take_source", effect="what PagerDuty says takes its place"),
        ),
        recommended="take_source" if strategy == "overwrite" else "keep_harness",
        detail=canonical_json([[entry.synced.get(name), wish.fields[name], have.get(name)] for name in merged.both]),
    )


def _ask_removed(wish: Desired) -> Conflict:
    return Conflict(
        about="removed_in_target",
        kind=wish.kind,
        id=wish.key,
        name=wish.name,
        question=f"{wish.name} ({wish.identifier}) was carried over, and is not in Harness any more.",
        meaning="Somebody has removed it there, or an invitation has lapsed; PagerDuty still has it.",
        options=(
            Option(name="create_again", effect="it is made again, as PagerDuty says"),
            Option(name="leave_removed", effect="it stays removed, and so does what would need it"),
        ),
        recommended="create_again",
        changes_paging=True,
    )


def _take_back(dropped: Iterable[Entry], state: State) -> list[Action]:
    """Overrides must not go on paging; whole objects are a person's to remove."""
    seen = ((entry, read_existing(entry.kind, entry.identifier, entry.synced, state)) for entry in dropped)
    return [_drop(entry, have) for entry, have in seen if have is not None]


def _drop(entry: Entry, have: Fields) -> Action:
    place = (entry.kind, entry.key, entry.identifier, entry.name, have)
    if entry.kind == "overrides" and have == entry.synced:
        return Action("update", *place, None, (), (), "gone from PagerDuty: it must not go on paging")
    why = "gone from PagerDuty, and changed in Harness since" if entry.kind == "overrides" else DROPPED
    return Action("handover", *place, have, (), (), why)


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
