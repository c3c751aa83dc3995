"""Whom the levels of a policy page, and what is asked about targets that cannot be carried over.

A level never loses a target unasked: fewer people would be paged, or the next level too early.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from pdmigrate.mapping.mapped import FieldOutcome, Mapped, Stop, read_stop
from pdmigrate.mapping.unusable import find_unusable
from pdmigrate.pagerduty.records import EscalationPolicy, EscalationRule, Reference
from pdmigrate.plan.answers import Conflict, Option

KINDS = {"user": "users", "schedule": "schedules", "schedule_v3": "schedules"}
"""The kind of what a target of each type is."""
LEAVE_OUT = Option(name="leave_out", effect="the policy is not moved, nor the services that page by it")


@dataclass(frozen=True)
class MappedLevel:
    """A level of the source. targets: whom it pages in Harness. deleted: targets that PagerDuty has deleted, left out."""

    number: int
    rule: EscalationRule
    targets: tuple[Reference, ...]
    deleted: tuple[Reference, ...] = ()

    @property
    def passed_over(self) -> bool:
        """Whether PagerDuty, too, has nobody to page there and goes on to the next level at once."""
        return len(self.deleted) == len(self.rule.targets)

    @property
    def takes_turns(self) -> bool:
        """Whether PagerDuty pages one of several targets at a time."""
        return self.rule.round_robin and len(self.rule.targets) - len(self.deleted) > 1


@dataclass(frozen=True)
class _Place:
    """A target, and the levels of a policy that page it: it is asked about once, wherever it stands."""

    policy: EscalationPolicy
    target: Reference
    rules: tuple[tuple[int, EscalationRule], ...]

    @property
    def name(self) -> str:
        return self.target.summary or self.target.id

    @property
    def alone(self) -> str:
        """The numbers of the levels that page nothing else."""
        return ", ".join(str(n) for n, rule in self.rules if {one.id for one in rule.targets} == {self.target.id})

    def describe(self) -> str:
        numbers = ", ".join(str(number) for number, _ in self.rules)
        others = {o.id: o.summary or o.id for _, r in self.rules for o in r.targets if o.id != self.target.id}
        beside = f"beside {', '.join(others.values())}" if others else "alone"
        return f"Level {numbers} of {self.policy.name} pages {self.name} ({self.target.id}), {beside}"


def read_levels(mapped: Mapped, policy: EscalationPolicy) -> tuple[tuple[MappedLevel, ...], list[Stop]]:
    """All levels, those without anybody too, and what stops the policy. All questions about targets are asked at once."""
    rules = list(enumerate(policy.escalation_rules, 1))
    targets = {target.id: target for _, rule in rules for target in rule.targets}
    asked, stops = set(), []
    for id, target in targets.items():
        at = tuple((number, rule) for number, rule in rules if id in {one.id for one in rule.targets})
        conflict, why = _find_question(mapped, _Place(policy, target, at))
        answer = mapped.questions.ask(conflict) if conflict else None
        if answer is not None and answer.choice == "without":
            asked.add(id)
        elif conflict:
            stops.append(read_stop(answer, why))
        elif why:
            stops.append(mapped.stop_behind(KINDS[target.type], id, why))
    levels = tuple(_make_level(mapped, number, rule, asked) for number, rule in rules)
    return levels, stops or list(_find_silent(mapped, policy, levels))


def _make_level(mapped: Mapped, number: int, rule: EscalationRule, without: set[str]) -> MappedLevel:
    kept = tuple(target for target in rule.targets if target.id not in without and target.id not in mapped.nobodies)
    deleted = tuple(target for target in rule.targets if target.id in without and target.deleted_at)
    return MappedLevel(number, rule, kept, deleted)


def _find_question(mapped: Mapped, place: _Place) -> tuple[Conflict | None, str]:
    """What to ask about a target, and why; only why, where it waits for something that has its own question."""
    target, name = place.target, place.name
    if target.type not in KINDS:
        return _ask_unknown(
            place
        ), f"its target {name} is of the type {target.type!r}, which this version does not know"
    if target.deleted_at:
        return _ask_deleted(place), f"its target {name} was deleted in PagerDuty"
    if target.id in mapped.emails or target.id in mapped.nobodies or target.id in mapped.schedules:
        return None, ""
    kind, user = KINDS[target.type], target.type == "user"
    there = mapped.account.users if user else mapped.account.all_schedules
    if target.id not in there and not find_unusable(mapped, kind, target.id):
        return _ask_unlisted(place), f"no list of PagerDuty shows its target {name} ({target.id})"
    if user:
        return None, f"{name} is a target and has neither account nor invitation"
    return None, f"its target, the schedule {name}, is not carried over"


def _find_silent(mapped: Mapped, policy: EscalationPolicy, levels: tuple[MappedLevel, ...]) -> Iterator[Stop]:
    """What is asked about levels without anybody, once it is clear which targets stay."""
    if not any(level.targets for level in levels):
        yield read_stop(mapped.questions.ask(_ask_nobody(policy, levels)), "no level has a target that can be paged")
        return
    empty = [level for level in levels if not level.rule.targets]
    silent = [level for level in levels if not level.targets and not level.passed_over]
    for some, ask in ((empty, _ask_empty), (silent, _ask_silent)):
        answer = mapped.questions.ask(ask(policy, some)) if some else None
        if some and (answer is None or answer.choice != "without"):
            yield read_stop(answer, _describe_levels(some))


def _describe_levels(levels: list[MappedLevel] | tuple[MappedLevel, ...]) -> str:
    return "; ".join(_describe_level(level) for level in levels)


def _describe_level(level: MappedLevel) -> str:
    names = _list_names(level.rule.targets)
    return f"level {level.number} pages {names} only" if names else f"level {level.number} has no target"


def _list_names(targets: Iterable[Reference]) -> str:
    return ", ".join(dict.fromkeys(target.summary or target.id for target in targets))


def _ask(
    about: str, policy: EscalationPolicy, of: str, question: str, meaning: str, without: str, **more: Any
) -> Conflict:
    """A question about a policy (of: "", or the target) with the option to go on without, and what that does."""
    go_on = (Option(name="without", effect=without),) if without else ()
    return Conflict(
        about=about,
        kind="escalation_policies",
        id=f"{policy.id}/{of}" if of else policy.id,
        name=policy.name,
        question=question,
        meaning=meaning,
        options=(*go_on, LEAVE_OUT),
        **more,
    )


def _ask_deleted(place: _Place) -> Conflict:
    effect = f"nobody is paged for {place.name}: as it is now"
    if place.alone:
        effect += f"; level {place.alone} has nobody left and is left out: PagerDuty passes it over at once today"
    question = f"{place.describe()}; deleted in PagerDuty on {(place.target.deleted_at or '')[:10]}."
    meaning = "PagerDuty pages nobody for it today."
    return _ask("deleted_target", place.policy, place.target.id, question, meaning, effect, recommended="without")


def _ask_unlisted(place: _Place) -> Conflict:
    noun = "user" if place.target.type == "user" else "schedule"
    question = (
        f"{place.describe()}. No list of PagerDuty shows this {noun}, and it is not said to be deleted: perhaps the key may "
        "not read it."
    )
    meaning = (
        f"As far as anybody knows PagerDuty pages {place.name} there. Use a key that may read it, and run preview again: "
        "then there is nothing to ask."
    )
    rest = {"recommended": "leave_out", "changes_paging": True}
    return _ask("dangling_reference", place.policy, place.target.id, question, meaning, _go_without(place), **rest)


def _ask_unknown(place: _Place) -> Conflict:
    question = f"{place.describe()}. It is of the type {place.target.type!r}, which this version does not know."
    meaning = "Whomever PagerDuty pages by it, nobody can say who that is."
    rest = {"recommended": "leave_out", "changes_paging": True}
    return _ask("unknown_target", place.policy, place.target.id, question, meaning, _go_without(place), **rest)


def _go_without(place: _Place) -> str:
    if not place.alone:
        return f"the level goes on, and {place.name} is not paged by it any more"
    return f"{place.name} is not paged by it any more; that leaves nobody in level {place.alone}, which is asked next"


def _ask_empty(policy: EscalationPolicy, levels: list[MappedLevel]) -> Conflict:
    question = f"In {policy.name} {_describe_levels(levels)}."
    meaning = "PagerDuty passes a level without anybody over at once."
    effect = "left out: the same people are paged at the same minutes"
    return _ask("empty_level", policy, "", question, meaning, effect, recommended="without")


def _ask_silent(policy: EscalationPolicy, levels: list[MappedLevel]) -> Conflict:
    question = f"In {policy.name} {_describe_levels(levels)}: by decision nobody of it is carried over."
    meaning = (
        "Whoever it is, the next level waits for this one; Harness has no level without anybody. To keep the wait, map "
        "the user to an account that stays silent."
    )
    effect = "; ".join(f"level {each.number} is left out: {_describe_earlier(each)}" for each in levels)
    rest = {"recommended": "leave_out", "changes_paging": True}
    return _ask("silent_level", policy, "", question, meaning, effect, **rest)


def _describe_earlier(level: MappedLevel) -> str:
    return f"whoever comes after it is paged {level.rule.escalation_delay_in_minutes} min earlier"


def _ask_nobody(policy: EscalationPolicy, levels: tuple[MappedLevel, ...]) -> Conflict:
    question = (
        f"No level of {policy.name} has a target that can be paged: {_describe_levels(levels) or 'it has no level'}."
    )
    meaning = "In Harness it would page nobody, and so would the services that page by it."
    rest = {"recommended": "leave_out", "changes_paging": True}
    return _ask("policy_without_target", policy, "", question, meaning, "", **rest)


def describe_targets(mapped: Mapped, levels: tuple[MappedLevel, ...], turns: str) -> list[FieldOutcome]:
    """What becomes of the targets, and of levels that have nobody left. turns: what becomes of round robin, or ""."""
    gone = [(level, target) for level in levels for target in level.rule.targets if target not in level.targets]
    deleted = [target for level, target in gone if target in level.deleted]
    nobodies = [target for _, target in gone if target.id in mapped.nobodies]
    others = [target for _, target in gone if target not in (*deleted, *nobodies)]
    reasons = ((deleted, "deleted in PagerDuty"), (nobodies, "who is nobody, by decision"), (others, "by decision"))
    said = [turns] if turns else []
    said += [f"without {_list_names(targets)}, {why}" for targets, why in reasons if targets]
    outcomes = [FieldOutcome("targets", "changed" if said else "exact", "; ".join(said))]
    dropped = "; ".join(_describe_dropped(level) for level in levels if not level.targets)
    return [*outcomes, *([FieldOutcome("escalation_rules", "changed", dropped)] if dropped else [])]


def _describe_dropped(level: MappedLevel) -> str:
    what = "nobody left" if level.rule.targets else "no target"
    how = "PagerDuty passes it over at once" if level.passed_over else f"{_describe_earlier(level)}, by decision"
    return f"level {level.number} has {what} and is left out: {how}"
