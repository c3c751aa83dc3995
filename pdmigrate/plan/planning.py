"""Desired against existing, object by object: what has to be done. Pure; reaches no network.

Three-way: what was last synced (ledger), what the source says now, what the target says now. Changed only in the
source: update. Changed only in the target: keep. Changed in both: a decision on the object, else the strategy. What was
changed in the target and changes who is on call or paged: a question, whatever the strategy (see handmade).
"""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cached_property

from pdmigrate.harness.records import AlertRule, State
from pdmigrate.plan import handmade, merging
from pdmigrate.plan.actions import Action, Desired, Fields, Held, Verb, to_fields
from pdmigrate.plan.answers import Conflict, Option
from pdmigrate.plan.kinds import CONTRACT_KINDS, KINDS, ORDER, TERRAFORM_KINDS
from pdmigrate.plan.ledger import LedgerEntry
from pdmigrate.plan.merging import Merged, Strategy
from pdmigrate.plan.questions import Questions
from pdmigrate.wire.canonical import canonical_json

WAITS = "it waits for people or groups that Terraform makes: run again afterwards"
DROPPED = "gone from PagerDuty; objects are never deleted: remove it by hand, if nobody needs it any more"


@dataclass
class Planned:
    """What planning found: actions, and what is held by a question that came up here. absent: what is not in Harness."""

    actions: list[Action] = field(default_factory=list)
    held: list[Held] = field(default_factory=list)
    absent: dict[tuple[str, str], Held] = field(default_factory=dict)


@dataclass(frozen=True)
class _Held:
    """Why there is no action. decided: the key of the answer behind it; empty while a question is open."""

    reason: str
    decided: str = ""
    absent: bool = False


@dataclass(frozen=True)
class _Sides:
    """What planning looks at besides the object itself. now: None where nothing is taken for past."""

    state: State
    strategy: Strategy
    questions: Questions
    now: datetime | None

    @cached_property
    def rules(self) -> dict[str, list[AlertRule]]:
        """The alert rules that page, by service."""
        return handmade.group_rules(self.state)


def plan_actions(
    desired: Iterable[Desired],
    dropped: Iterable[LedgerEntry],
    state: State,
    ledger: dict[tuple[str, str], LedgerEntry],
    strategy: Strategy,
    questions: Questions,
    by_terraform: bool = False,
    now: datetime | None = None,
) -> Planned:
    """An action for every desired object, and for what we wrote and the source has dropped.

    Dropped overrides are taken back, if they are still as we wrote them; whole objects are handed over to a person.
    by_terraform: new user groups and people are not written, and whatever needs them waits. now: what is over by then,
    or has begun, is no change.
    """
    planned, sides = Planned(), _Sides(state, strategy, questions, now)
    written = {(entry.kind, entry.identifier): entry for entry in ledger.values()}
    for wish in desired:
        entry = ledger.get((wish.kind, wish.key))
        before = entry or written.get((wish.kind, wish.identifier))
        _sort_in(planned, wish, _plan_one(wish, entry, before, sides))
    planned.actions = _leave_to_owner(planned.actions)
    if by_terraform:
        planned.actions = _leave_to_terraform(planned.actions)
    for entry in dropped:
        _take_back(planned, entry, sides)
    return planned


def _leave_to_owner(actions: list[Action]) -> list[Action]:
    """A rule that was pointed at another service is written once: by the service whose own it is."""
    owners = {action.identifier for action in actions if action.kind == "services" and action.writes}
    return [_leave_rules(action, owners) if OTHER_RULES in action.wanted else action for action in actions]


def _leave_rules(action: Action, owners: set[str]) -> Action:
    rules = {rule: settings for rule, settings in action.wanted[OTHER_RULES].items() if rule not in owners}
    was = action.before or {}
    before = {**was, OTHER_RULES: {rule: was[OTHER_RULES][rule] for rule in rules}}
    after = {**action.wanted, OTHER_RULES: rules}
    verb: Verb = "keep" if before == after and action.verb == "update" else action.verb
    return replace(action, verb=verb, before=before, after=after)


def _leave_to_terraform(actions: list[Action]) -> list[Action]:
    """New groups and people become a handover, and what needs them by API is handed over until they are there."""
    left: set[tuple[str, str]] = set()
    planned = []
    for action in sorted(actions, key=lambda a: ORDER[a.kind]):
        reason = ""
        if action.verb == "create" and action.kind in TERRAFORM_KINDS:
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
    found = getattr(state, KINDS[kind].target).get(identifier)
    if found is None:
        return None
    if kind == "users":
        return wish  # being there, invited or with an account, is all that is compared; groups are a kind of their own
    have = to_fields(found, identifier)
    if OTHER_RULES in wish:
        rules = (state.alert_rules.get(rule) for rule in wish[OTHER_RULES])
        have[OTHER_RULES] = {rule.identifier: {"paging": rule.paging} for rule in rules if rule}
    return {name: have.get(name) for name in wish}


OTHER_RULES = "other_rules"
"""A field that a service has only where a person has decided what becomes of alert rules beside its own."""


def _sort_in(planned: Planned, wish: Desired, action: Action | _Held) -> None:
    """What is not in Harness holds whatever needs it and would be written."""
    if isinstance(action, Action) and action.writes:
        needed = next((planned.absent[need] for need in wish.needs if need in planned.absent), None)
        if needed:
            action = _Held(f"it needs {needed.kind} {needed.name}: {needed.reason}", needed.decided, True)
    if isinstance(action, Action):
        planned.actions.append(action)
        return
    reason, decided = action.reason, action.decided
    held = Held(wish.kind, wish.key, wish.name, reason, not decided, wish.sources, decided)
    planned.held.append(held)
    if action.absent:
        planned.absent[held.kind, held.key] = held


LEFT_REMOVED = "removed in Harness, and left so by decision"
CHANGED = "open question: somebody has changed in Harness who is paged"


def _plan_one(wish: Desired, entry: LedgerEntry | None, before: LedgerEntry | None, sides: _Sides) -> Action | _Held:
    """The action, or the reason why there is none. before: the entry, or that of what PagerDuty had in its place."""
    state = sides.state
    if wish.kind in CONTRACT_KINDS and not state.oncall:
        return _act("handover", wish, None, wish.fields, "Harness has no API for it: a person makes it")
    have = read_existing(wish.kind, wish.identifier, wish.fields, state)
    if have is None:
        return _plan_absent(wish, entry, sides.questions)
    rules = _settle_other_rules(wish, sides)
    merged = _merge(wish, before, have, sides)
    if merged is None or None in rules.values():
        return _Held(CHANGED)
    if rules:
        have = have | {OTHER_RULES: {rule: {"paging": True} for rule in rules}}
        merged = replace(merged, after=merged.after | {OTHER_RULES: {rule: {"paging": False} for rule in rules}})
    return _plan_present(wish, entry, have, merged)


def _plan_absent(wish: Desired, entry: LedgerEntry | None, questions: Questions) -> Action | _Held:
    if entry is None:
        return _act("create", wish, None, wish.fields, "")
    answer = questions.ask(_ask_removed(wish))
    if answer is None:
        return _Held("open question: somebody has removed it in Harness", absent=True)
    if answer.choice == "leave_removed":
        return _Held(LEFT_REMOVED, answer.conflict.key, True)
    return _act("create", wish, None, wish.fields, "somebody has removed it in Harness; made again by decision")


def _plan_present(wish: Desired, entry: LedgerEntry | None, have: Fields, merged: Merged) -> Action:
    if entry is None and wish.kind != "users":
        verb: Verb = "adopt"
    else:
        verb = "keep" if merged.after == have else "update"
    action = _act(verb, wish, have, merged.after, merged.reason)
    known = entry.synced if verb == "keep" and entry else merged.after
    return action if merged.synced == known or (verb == "keep" and not entry) else replace(action, synced=merged.synced)


def _settle_other_rules(wish: Desired, sides: _Sides) -> dict[str, bool | None]:
    """Alert rules beside the service's own: those to be switched off, and, as None, those that nobody has decided on."""
    rules = handmade.find_other_rules(wish, sides.rules)
    asked = {r.identifier: sides.questions.ask(handmade.ask_other_rule(wish, r, sides.strategy)) for r in rules}
    kept = {rule for rule, answer in asked.items() if answer and answer.choice == handmade.KEEP}
    return {rule: False if answer else None for rule, answer in asked.items() if rule not in kept}


def _merge(wish: Desired, entry: LedgerEntry | None, have: Fields, sides: _Sides) -> Merged | None:
    """The merge, with what a person or the strategy has decided; None while who is paged is an open question."""

    def merge(taken: Iterable[str] = ()) -> Merged:
        return merging.merge(wish, entry.synced if entry else None, have, sides.strategy, taken, sides.now)

    merged, taken, open_question = merge(), set(), False
    paging = handmade.find_changes(wish, merged, sides.state)
    if paging:
        answer = sides.questions.ask(handmade.ask_changed(wish, paging, have, merged.after, sides.strategy))
        open_question = answer is None
        taken |= {change.field for change in paging if answer and answer.choice == handmade.TAKE}
    both = [name for name in merged.both if name not in {change.field for change in paging}]
    if both and entry:
        said = f"rules.strategy: {sides.strategy}"
        answer = sides.questions.ask(_ask_both(wish, entry, have, both, sides.strategy), said)
        taken |= set(both) if answer and answer.choice == handmade.TAKE else set()
    return None if open_question else merge(taken) if taken else merged


def _ask_both(wish: Desired, entry: LedgerEntry, have: Fields, both: list[str], strategy: Strategy) -> Conflict:
    told = "; ".join(
        f"{name}: was {merging.brief(entry.synced.get(name))}, PagerDuty says {merging.brief(wish.fields[name])}, "
        f"Harness {merging.brief(have.get(name))}"
        for name in both
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
        detail=canonical_json([[entry.synced.get(name), wish.fields[name], have.get(name)] for name in both]),
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


def _take_back(planned: Planned, entry: LedgerEntry, sides: _Sides) -> None:
    """Overrides must not go on paging; whole objects are a person's to remove."""
    have = read_existing(entry.kind, entry.identifier, entry.synced, sides.state)
    if have is None:
        return
    place = (entry.kind, entry.key, entry.identifier, entry.name, have)
    if entry.kind != "overrides":
        planned.actions.append(Action("handover", *place, have, (), (), DROPPED))
        return
    choice = handmade.TAKE
    if not merging.are_same(have, entry.synced, sides.now):
        if merging.has_ended(have, sides.now):
            return
        asked = handmade.ask_dropped(entry.key, entry.name, have, entry.synced, sides.strategy)
        answer = sides.questions.ask(asked)
        if answer is None:
            planned.held.append(Held(entry.kind, entry.key, entry.name, CHANGED, True))
            return
        choice = answer.choice
    if choice == handmade.KEEP:
        kept = "gone from PagerDuty, changed in Harness, and kept by decision"
        planned.actions.append(Action("keep", *place, have, (), (), kept))
    else:
        planned.actions.append(Action("update", *place, None, (), (), "gone from PagerDuty: it must not go on paging"))


def _act(verb: Verb, wish: Desired, before: Fields | None, after: Fields, reason: str) -> Action:
    return Action(
        verb, wish.kind, wish.key, wish.identifier, wish.name, before, after, wish.sources, wish.needs, reason
    )
