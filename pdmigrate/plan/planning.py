"""Desired against existing, object by object: what has to be done. Pure; reaches no network.

Three-way: what was last synced (ledger), what the source says now, what the target says now. Changed only in the
source: update. Changed only in the target: keep. Changed in both: a decision on the object, else the strategy. What was
changed in the target and changes who is on call or paged: a question, whatever the strategy (see handmade).
"""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cached_property
from typing import Any

from pdmigrate.harness.records import AlertRule, State
from pdmigrate.plan import handmade
from pdmigrate.plan.actions import Action, Desired, Fields, Held, LedgerEntry, Verb, name_places, to_fields
from pdmigrate.plan.handmade import ByHand
from pdmigrate.plan.kinds import CONTRACT_KINDS, KINDS, ORDER, TERRAFORM_KINDS
from pdmigrate.plan.questions import Questions
from pdmigrate.plan.rules import STRATEGIES, Strategy

WAITS = "it waits for people or groups that Terraform makes: run again afterwards"
DROPPED = "gone from PagerDuty; objects are never deleted: remove it by hand, if nobody needs it any more"
LEFT_REMOVED = "removed in Harness, and left so by decision"
CHANGED = "open question: somebody has changed in Harness who is paged"

OTHER_RULES = "other_rules"
"""A field that a service has only where a person has decided what becomes of alert rules beside its own."""

SETS = {"users", "methods"}
"""Fields that are sets of parts: each part is settled by itself, so that nobody's addition is lost."""

THEIRS = "theirs"
"""In the ledger of a schedule that was merged with one of Harness: the rotations that were there before us."""

_UNKNOWN: Any = object()


@dataclass
class Planned:
    """What planning looks at besides the object itself, and what it found: actions, and what a question holds that came up here.

    now: None where nothing is taken for past. absent: what is not in Harness.
    """

    state: State
    strategy: Strategy
    questions: Questions
    now: datetime | None
    actions: list[Action] = field(default_factory=list)
    held: list[Held] = field(default_factory=list)
    absent: dict[tuple[str, str], Held] = field(default_factory=dict)

    @cached_property
    def rules(self) -> dict[str, list[AlertRule]]:
        """The alert rules that page, by service."""
        return handmade.group_rules(self.state)

    def add(
        self,
        verb: Verb,
        wish: Desired,
        before: Fields | None,
        after: Fields,
        reason: str = "",
        synced: Fields | None = None,
    ) -> None:
        """An action; what is not in Harness holds whatever needs it and would be written."""
        place = (wish.kind, wish.key, wish.identifier, wish.name)
        action = Action(verb, *place, before, after, wish.sources, wish.needs, reason, synced)
        needed = next((self.absent[need] for need in wish.needs if need in self.absent), None)
        if needed and action.writes:
            self.hold(wish, f"it needs {needed.kind} {needed.name}: {needed.reason}", needed.decided, absent=True)
        else:
            self.actions.append(action)

    def hold(self, wish: Desired, reason: str, decided: str = "", absent: bool = False) -> None:
        """No action, and why. decided: the key of the answer behind it; empty while a question is open."""
        held = Held(wish.kind, wish.key, wish.name, reason, not decided, wish.sources, decided)
        self.held.append(held)
        if absent:
            self.absent.update(dict.fromkeys(name_places(held), held))


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
    planned = Planned(state, strategy, questions, now)
    written = {(entry.kind, entry.identifier): entry for entry in ledger.values()}
    for wish in desired:
        entry = ledger.get((wish.kind, wish.key))
        _plan_one(planned, wish, entry, entry or written.get((wish.kind, wish.identifier)))
    planned.actions = _leave_to_owner(planned.actions)
    if by_terraform:
        planned.actions = _leave_to_terraform(planned.actions)
    for entry in dropped:
        _take_back(planned, entry)
    return planned


def _leave_to_owner(actions: list[Action]) -> list[Action]:
    """A rule that was pointed at another service is written once: by the service whose own it is."""
    owners = {action.identifier for action in actions if action.kind == "services" and action.writes}
    left = []
    for action in actions:
        if OTHER_RULES in action.wanted:
            was, will = action.before or {}, action.wanted
            rules = [rule for rule in will[OTHER_RULES] if rule not in owners]
            before, after = (
                {**side, OTHER_RULES: {rule: side[OTHER_RULES][rule] for rule in rules}} for side in (was, will)
            )
            verb: Verb = "keep" if before == after and action.verb == "update" else action.verb
            action = replace(action, verb=verb, before=before, after=after)
        left.append(action)
    return left


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
            left.update(name_places(action))
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


def _plan_one(planned: Planned, wish: Desired, entry: LedgerEntry | None, before: LedgerEntry | None) -> None:
    """An action, or the reason why there is none. before: the entry, or that of what PagerDuty had in its place."""
    if wish.kind in CONTRACT_KINDS and not planned.state.oncall:
        return planned.add("handover", wish, None, wish.fields, "Harness has no API for it: to do by hand")
    have = read_existing(wish.kind, wish.identifier, wish.fields, planned.state)
    if have is None:
        if entry is None:
            return planned.add("create", wish, None, wish.fields)
        answer = planned.questions.ask(handmade.ask_removed(wish))
        if answer is None:
            return planned.hold(wish, "open question: somebody has removed it in Harness", absent=True)
        if answer.choice == "leave_removed":
            return planned.hold(wish, LEFT_REMOVED, answer.conflict.key, absent=True)
        return planned.add(
            "create", wish, None, wish.fields, "somebody has removed it in Harness; made again by decision"
        )
    rules = handmade.find_other_rules(wish, planned.rules)
    asked = {r.identifier: planned.questions.ask(handmade.ask_other_rule(wish, r, planned.strategy)) for r in rules}
    merged = _merge(planned, wish, before, have)
    if merged is None or None in asked.values():
        return planned.hold(wish, CHANGED)
    after, off = merged.after, [rule for rule, said in asked.items() if said and said.choice != handmade.KEEP]
    if off:
        have = have | {OTHER_RULES: {rule: {"paging": True} for rule in off}}
        after = after | {OTHER_RULES: {rule: {"paging": False} for rule in off}}
    verb: Verb = "adopt" if entry is None and wish.kind != "users" else "keep" if after == have else "update"
    reason = f"{handmade.KEPT_THERE}{', '.join(merged.kept)}" if merged.kept else ""
    booked = entry.synced if verb == "keep" and entry else after
    same = merged.synced == booked or (verb == "keep" and entry is None)
    planned.add(verb, wish, have, after, reason, None if same else merged.synced)


def _take_back(planned: Planned, entry: LedgerEntry) -> None:
    """Overrides must not go on paging; whole objects are a person's to remove."""
    have = read_existing(entry.kind, entry.identifier, entry.synced, planned.state)
    if have is None:
        return
    verb: Verb = "update"
    after, reason, clock = None, "gone from PagerDuty: it must not go on paging", _Clock(planned.now)
    if entry.kind != "overrides":
        verb, after, reason = "handover", have, DROPPED
    elif not all(clock.same(name, have.get(name), entry.synced.get(name)) for name in {*have, *entry.synced}):
        if clock.is_past(have.get("end")):
            return
        asked = handmade.ask_dropped(entry.key, entry.name, have, entry.synced, planned.strategy)
        answer = planned.questions.ask(asked)
        if answer is None:
            planned.held.append(Held(entry.kind, entry.key, entry.name, CHANGED, True))
            return
        if answer.choice == handmade.KEEP:
            verb, after, reason = "keep", have, "gone from PagerDuty, changed in Harness, and kept by decision"
    planned.actions.append(
        Action(verb, entry.kind, entry.key, entry.identifier, entry.name, have, after, reason=reason)
    )


# --- the three-way merge of one object ---


@dataclass(frozen=True)
class _Merged:
    """The object as it shall be. synced: per field what both sides now have in common, for the ledger.

    by_hand: what people have changed in Harness. kept: the fields of it that stay so, and those that were there first.
    """

    after: Fields
    synced: Fields
    by_hand: list[ByHand]
    kept: list[str]


def _merge(planned: Planned, wish: Desired, entry: LedgerEntry | None, have: Fields) -> _Merged | None:
    """The merge, with what a person or the strategy has decided; None while who is paged is an open question."""
    last, taken = entry.synced if entry else {}, set[str]()
    merged = _settle_all(planned, wish, last, have, taken)
    fields = handmade.list_paging(wish.kind, wish.identifier, planned.state)
    paging = [change for change in merged.by_hand if change.field in fields]
    answer = None
    if paging:
        answer = planned.questions.ask(handmade.ask_changed(wish, paging, have, merged.after, planned.strategy))
        taken |= {change.field for change in paging if answer and answer.choice == handmade.TAKE}
    both = [c.field for c in merged.by_hand if c.both and c.field not in fields]
    if both:
        asked = handmade.ask_both(wish, last, have, list(dict.fromkeys(both)), planned.strategy)
        chosen = planned.questions.ask(asked, f"rules.strategy {planned.strategy}: {STRATEGIES[planned.strategy]}")
        taken |= set(both) if chosen and chosen.choice == handmade.TAKE else set()
    alone = [c.field for c in merged.by_hand if not (c.both or c.beside) and c.field not in fields]
    if alone and not KINDS[wish.kind].own:
        asked = handmade.ask_kept(wish, have, list(dict.fromkeys(alone)))
        chosen = planned.questions.ask(asked, "rules: what only Harness changed is kept")
        taken |= set(alone) if chosen and chosen.choice == handmade.RESTORE else set()
    if paging and answer is None:
        return None
    return _settle_all(planned, wish, last, have, taken) if taken else merged


def _settle_all(planned: Planned, wish: Desired, last: Fields, have: Fields, taken: set[str]) -> _Merged:
    """Settle every field. What people changed in Harness stays, but for the fields in `taken`: there PagerDuty's is taken.

    last: empty for an object that we did not write.
    """
    clock, merged = _Clock(planned.now), _Merged({}, {}, [], [])
    theirs = last.get(THEIRS, []) if wish.merge else []
    beside = {rotation["name"] for rotation in theirs} & clock.list_on(have.get("rotations")).keys()
    for name, want in wish.fields.items():
        there, take, changes = have.get(name), name in taken, list[ByHand]()
        if name not in last:
            after, synced = _take_over(wish, name, there, planned.strategy), want
            kept = after != want and name not in SETS and name != "rotations"
        else:
            three = (last[name], want, there)
            if name in SETS:
                after, synced, changes = _settle_set(name, three, take)
            elif name == "rotations":
                after, synced, changes = _settle_rotations(clock, three, take, theirs)
            else:
                after, synced, changes = _settle(clock, name, "", three, take)
            if name == "time_zone" and beside and last[name] == there != want:
                # Harness has one zone for a schedule: rotations that are not PagerDuty's would turn at other times by its new one
                after, synced = (want, want) if take else (there, there)
                changes = [ByHand(name, "", there, want, True, beside=True)]
            kept = bool(changes) and not take and name not in SETS
        merged.after[name], merged.synced[name] = after, synced
        merged.by_hand.extend(changes)
        merged.kept.extend([name] * kept)
    if wish.merge and wish.kind == "schedules":
        ours = {rotation["name"] for rotation in wish.fields["rotations"]}
        found = [rotation for rotation in have.get("rotations") or () if rotation["name"] not in ours]
        merged.synced[THEIRS] = last.get(THEIRS, found)
    return merged


@dataclass(frozen=True)
class _Clock:
    """Tells values apart as far as the future goes: since when something has been on pages nobody otherwise."""

    now: datetime | None

    def is_past(self, moment: str | None) -> bool:
        return bool(self.now and moment and datetime.fromisoformat(moment) <= self.now)

    def same(self, name: str, one: Any, other: Any) -> bool:
        if one is _UNKNOWN or other is _UNKNOWN:
            return one is other
        if name == "start":
            return one == other or (self.is_past(one) and self.is_past(other))
        return self._without_past(one) == self._without_past(other) if name == "rotations" else one == other

    def _without_past(self, rotation: Fields) -> Fields:
        return {**rotation, "since": None if self.is_past(rotation.get("since")) else rotation.get("since")}

    def compare(self, name: str, *values: Any) -> list[Any]:
        """The values as they are told and remembered: without starts of rotations that are the same or past."""
        there: list[Any] = [None if value is _UNKNOWN else value for value in values]
        if name != "rotations" or None in there or len({self._without_past(r)["since"] for r in there}) > 1:
            return there
        return [{field: value for field, value in r.items() if field != "since"} for r in there]

    def list_on(self, rotations: Iterable[Fields] | None) -> dict[str, Fields]:
        """By name, without those that are over: what time alone has ended, nobody has changed."""
        return {r["name"]: r for r in rotations or () if not self.is_past(r.get("until"))}


Three = tuple[Any, Any, Any]
"""last, want, have"""
Settlement = tuple[Any, Any, list[ByHand]]
"""after, synced, changes by hand"""


def _settle(clock: _Clock, name: str, part: str, three: Three, taken: bool) -> Settlement:
    """What is kept against PagerDuty stays known as it was, and goes on being kept."""
    last, want, have = three
    unchanged = clock.same(name, last, want)
    if clock.same(name, want, have):
        return have, last if unchanged else want, []
    if clock.same(name, last, have):
        return want, want, []
    told_have, told_want = clock.compare(name, have, want)
    changes = [ByHand(name, part, told_have, told_want, not unchanged)]
    return (want, want, changes) if taken else (have, last, changes)


def _settle_rotations(clock: _Clock, three: Three, taken: bool, theirs: list[Fields]) -> Settlement:
    """One by one, by their names. Those that are over go with the next write, if they are ours.

    theirs: of a schedule that ours was merged with: wanted as they were then; what else there is is by hand.
    """
    three = ([*theirs, *three[0]], [*theirs, *three[1]], three[2])
    last, want, have = (clock.list_on(rotations) for rotations in three)
    names = dict.fromkeys([*want, *have, *last])
    sides = ((each, tuple(side.get(each, _UNKNOWN) for side in (last, want, have))) for each in names)
    settled = [_settle(clock, "rotations", each, found, taken) for each, found in sides]
    after = [rotation for rotation, _, _ in settled if rotation is not _UNKNOWN]
    synced = [rotation for _, rotation, _ in settled if rotation is not _UNKNOWN]
    if _sort(after) == _sort(have.values()):
        after = three[2]
    else:
        ours = {rotation["name"] for rotation in [*three[0], *after]}
        after += [r for r in three[2] or () if r["name"] not in have and r["name"] not in ours]
    synced = three[0] if _sort(synced) == _sort(last.values()) else synced
    own = [rotation for rotation in synced if rotation["name"] not in {other["name"] for other in theirs}]
    return after, own, [change for _, _, found in settled for change in found]


def _sort(rotations: Iterable[Fields]) -> list[Fields]:
    return sorted(rotations, key=lambda rotation: str(rotation["name"]))


def _settle_set(name: str, three: Three, taken: bool) -> Settlement:
    """By hand is who was added or removed in Harness and not in PagerDuty."""
    last, want, have = three
    merged = _merge_sets(last, want, have or [])
    if sorted(map(repr, merged)) == sorted(map(repr, want)):
        return merged, want, []
    return want if taken else merged, want, [ByHand(name, "", have or [], want, False)]


def _take_over(wish: Desired, name: str, have: Any, strategy: Strategy) -> Any:
    """A field of an object that was there before us: its name stays, and what people set for themselves."""
    want = wish.fields[name]
    if name in SETS:
        return want if wish.adopt and not wish.merge else _merge_sets([], want, have or [])
    if name == "rotations" and wish.merge:
        ours = {rotation["name"] for rotation in want}
        return [*(rotation for rotation in have or () if rotation["name"] not in ours), *want]
    # of what is people's own the strategy decides without a ledger, not the source
    stays = strategy == "preserve" if KINDS[wish.kind].own else name in ("name", "description")
    return have if have and stays else want


def _merge_sets(last: list[Any], want: list[Any], have: list[Any]) -> list[Any]:
    """What is there, plus what the source added, minus what it dropped of what we wrote; one order for all."""
    dropped = [part for part in last if part not in want]
    kept = [part for part in have if part not in dropped]
    merged = kept + [part for part in want if part not in kept and part not in last]
    return have if sorted(map(repr, merged)) == sorted(map(repr, have)) else sorted(merged, key=repr)
