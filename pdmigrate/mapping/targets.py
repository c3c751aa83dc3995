"""Whom the levels of a policy page, and what is asked about targets that cannot be carried over.

A level never loses a target unasked: fewer people would be paged, or the next level too early.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from pdmigrate.mapping.left_behind import find_unusable
from pdmigrate.mapping.mapped import FieldOutcome, Mapped, Stop, judge_field, read_stop, stop_unless
from pdmigrate.pagerduty.records import EscalationPolicy, EscalationRule, Reference

KINDS = {"user": "users", "schedule": "schedules", "schedule_v3": "schedules"}
"""The kind of what a target of each type is."""


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

    def describe(self) -> dict[str, str]:
        """The words of the questions about it."""
        numbers, alone = ", ".join(str(number) for number, _ in self.rules), self.alone
        others = {o.id: o.summary or o.id for _, r in self.rules for o in r.targets if o.id != self.target.id}
        beside = f"beside {', '.join(others.values())}" if others else "alone"
        rest = f"the level goes on, and {self.name} is not paged by it any more"
        if alone:
            rest = f"{self.name} is not paged by it any more; that leaves nobody in level {alone}, which is asked next"
        left_out = f"; level {alone} has nobody left and is left out: PagerDuty passes it over at once today"
        return {
            "place": f"Level {numbers} of {self.policy.name} pages {self.name} ({self.target.id}), {beside}",
            "target": self.name,
            "type": self.target.type,
            "noun": "user" if self.target.type == "user" else "schedule",
            "day": (self.target.deleted_at or "")[:10],
            "alone": left_out if alone else "",
            "rest": rest,
        }


def read_levels(mapped: Mapped, policy: EscalationPolicy) -> tuple[tuple[MappedLevel, ...], list[Stop]]:
    """All levels, those without anybody too, and what stops the policy. All questions about targets are asked at once."""
    rules = list(enumerate(policy.escalation_rules, 1))
    targets = {target.id: target for _, rule in rules for target in rule.targets}
    asked: set[str] = set()
    stops: list[Stop] = []
    for id, target in targets.items():
        at = tuple((number, rule) for number, rule in rules if id in {one.id for one in rule.targets})
        place = _Place(policy, target, at)
        about, why = _find_question(mapped, place)
        stop = mapped.stop_behind(KINDS[target.type], id, why) if why and not about else None
        if about:
            answer = mapped.ask(about, "escalation_policies", f"{policy.id}/{id}", policy.name, **place.describe())
            stop = stop_unless("without", answer, why)
            asked |= set() if stop else {id}
        stops += [stop] if stop else []
    levels = tuple(_make_level(mapped, number, rule, asked) for number, rule in rules)
    return levels, stops or list(_find_silent(mapped, policy, levels))


def _make_level(mapped: Mapped, number: int, rule: EscalationRule, without: set[str]) -> MappedLevel:
    kept = tuple(target for target in rule.targets if target.id not in without and target.id not in mapped.nobodies)
    deleted = tuple(target for target in rule.targets if target.id in without and target.deleted_at)
    return MappedLevel(number, rule, kept, deleted)


def _find_question(mapped: Mapped, place: _Place) -> tuple[str, str]:
    """What class of question to ask about a target, and why; only why, where it waits for what has its own question."""
    target, name = place.target, place.name
    if target.type not in KINDS:
        return "unknown_target", f"its target {name} is of the type {target.type!r}, which this version does not know"
    if target.deleted_at:
        return "deleted_target", f"its target {name} was deleted in PagerDuty"
    if target.id in mapped.emails or target.id in mapped.nobodies or target.id in mapped.schedules:
        return "", ""
    kind, user = KINDS[target.type], target.type == "user"
    there = mapped.account.users if user else mapped.account.all_schedules
    if target.id not in there and not find_unusable(mapped, kind, target.id):
        return "dangling_reference", f"no list of PagerDuty shows its target {name} ({target.id})"
    if user:
        return "", f"{name} is a target and has neither account nor invitation"
    return "", f"its target, the schedule {name}, is not carried over"


def _find_silent(mapped: Mapped, policy: EscalationPolicy, levels: tuple[MappedLevel, ...]) -> Iterator[Stop]:
    """What is asked about levels without anybody, once it is clear which targets stay."""
    if not any(level.targets for level in levels):
        said = _describe_levels(levels) or "it has no level"
        answer = mapped.ask("policy_without_target", "escalation_policies", policy.id, policy.name, levels=said)
        yield read_stop(answer, "no level has a target that can be paged")
        return
    empty = [level for level in levels if not level.rule.targets]
    silent = [level for level in levels if not level.targets and not level.passed_over]
    for about, some in (("empty_level", empty), ("silent_level", silent)):
        if some:
            said = _describe_levels(some)
            rest = "; ".join(f"level {each.number} is left out: {_describe_earlier(each)}" for each in some)
            answer = mapped.ask(about, "escalation_policies", policy.id, policy.name, levels=said, rest=rest)
            if stop := stop_unless("without", answer, said):
                yield stop


def _describe_levels(levels: list[MappedLevel] | tuple[MappedLevel, ...]) -> str:
    return "; ".join(_describe_level(level) for level in levels)


def _describe_level(level: MappedLevel) -> str:
    names = _list_names(level.rule.targets)
    return f"level {level.number} pages {names} only" if names else f"level {level.number} has no target"


def _list_names(targets: Iterable[Reference]) -> str:
    return ", ".join(dict.fromkeys(target.summary or target.id for target in targets))


def _describe_earlier(level: MappedLevel) -> str:
    return f"whoever comes after it is paged {level.rule.escalation_delay_in_minutes} min earlier"


def describe_targets(mapped: Mapped, levels: tuple[MappedLevel, ...], turns: str) -> list[FieldOutcome]:
    """What becomes of the targets, and of levels that have nobody left. turns: what becomes of round robin, or ""."""
    gone = [(level, target) for level in levels for target in level.rule.targets if target not in level.targets]
    deleted = [target for level, target in gone if target in level.deleted]
    nobodies = [target for _, target in gone if target.id in mapped.nobodies]
    others = [target for _, target in gone if target not in (*deleted, *nobodies)]
    reasons = ((deleted, "deleted in PagerDuty"), (nobodies, "who is nobody, by decision"), (others, "by decision"))
    said = [turns] if turns else []
    said += [f"without {_list_names(targets)}, {why}" for targets, why in reasons if targets]
    outcomes = [judge_field("targets", "; ".join(said))]
    dropped = "; ".join(_describe_dropped(level) for level in levels if not level.targets)
    return [*outcomes, *([FieldOutcome("escalation_rules", "changed", dropped)] if dropped else [])]


def _describe_dropped(level: MappedLevel) -> str:
    what = "nobody left" if level.rule.targets else "no target"
    how = "PagerDuty passes it over at once" if level.passed_over else f"{_describe_earlier(level)}, by decision"
    return f"level {level.number} has {what} and is left out: {how}"
