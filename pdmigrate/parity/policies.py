"""Policies before and after, level by level: who is on call at each level, second by second.

Two witnesses and two claims. PagerDuty's own word (`GET /oncalls`) is compared with what we read out of the schedules and
targets of a level; and the people of a level, by PagerDuty's word where it was given and by our reading elsewhere, with
those whom the level pages in Harness. Loops are the levels again: the first round is compared. Whom the other rounds page, and
when each level begins, shows in the pages of services; of a policy that pages for none it is compared here. Three grades, never
blurred: what one of the witnesses was not there for is unverified.
"""

from collections.abc import Container, Iterable, Iterator
from dataclasses import dataclass
from itertools import accumulate, cycle

from pdmigrate.mapping.draft import Draft
from pdmigrate.oncall import paging, rota
from pdmigrate.oncall.words import format_local, format_seconds
from pdmigrate.pagerduty.records import EscalationPolicy as SourcePolicy
from pdmigrate.pagerduty.records import EscalationRule
from pdmigrate.parity.schedules import Rotas, ScheduleParity, Schedules
from pdmigrate.parity.services import (
    SCHEDULE_TYPES,
    expect_chain,
    expect_rules,
    is_written,
    list_target_policies,
    list_targets,
    source_levels,
    target_levels,
)
from pdmigrate.parity.verdicts import ServiceParity

Difference = rota.Difference
LevelDifference = tuple[int, int, int, rota.People, rota.People]
"""The level's number, and the difference."""
NOBODY = paging.PagedLevel(0, rota.NOBODY, ())
NOT_ASKED = "nobody has asked PagerDuty who is on call at its levels: a snapshot cannot be asked"
UNUSED = "no service uses it, and PagerDuty's /oncalls leaves out what nothing uses"
NO_API = "Harness has no API to read it from"
NOT_CARRIED = "it is not carried over, so that nothing of it is in Harness"
TOO_FAR = "PagerDuty's word does not reach that far: /oncalls looks at most 90 days ahead"
TURNS = "its targets take turns (round robin), and /oncalls does not say whose turn it will be"


@dataclass(frozen=True)
class LevelParity:
    """One level over the horizon, in seconds. Rotas are in emails.

    differences: where PagerDuty's word is not what we read (PagerDuty's people, ours). target_differences: where Harness
    pages otherwise (before, after). notes: why something is unverified.
    """

    number: int
    agree: int
    differ: int
    unverified: int
    differences: tuple[Difference, ...] = ()
    target_differences: tuple[Difference, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def grade(self) -> str:
        return "differ" if self.differ else "unverified" if self.unverified else "agree"


@dataclass(frozen=True)
class Begins:
    """Minutes after a page at which each level begins, all rounds. expected: by the answers of people.

    Of levels that somebody is at: one that is passed over begins when the next one does. After the last nothing begins.
    """

    before: tuple[int, ...]
    after: tuple[int, ...]
    expected: tuple[int, ...]

    @property
    def unexplained(self) -> bool:
        return self.after not in (self.before, self.expected)


@dataclass(frozen=True)
class PolicyParity:
    """One policy. identifier: Harness's, "" where it is not carried over.

    unexplained: what of the target_differences no decision explains. begins: when its levels begin, where no page of a
    service shows it.
    """

    id: str
    name: str
    identifier: str
    levels: tuple[LevelParity, ...]
    unexplained: tuple[LevelDifference, ...] = ()
    begins: Begins | None = None

    @property
    def grade(self) -> str:
        """`agree` only where all of it is known and the same."""
        grades = {level.grade for level in self.levels}
        if self.begins and self.begins.before != self.begins.after:
            return "differ"
        return next((grade for grade in ("differ", "unverified") if grade in grades), "agree")

    @property
    def differences(self) -> tuple[LevelDifference, ...]:
        """(level, from, to, PagerDuty's people, ours)."""
        return tuple((level.number, *one) for level in self.levels for one in level.differences)

    @property
    def target_differences(self) -> tuple[LevelDifference, ...]:
        """(level, from, to, before, after)."""
        return tuple((level.number, *one) for level in self.levels for one in level.target_differences)


def compare_policies(
    found: Draft, schedules: Iterable[ScheduleParity], services: Iterable[ServiceParity] = ()
) -> tuple[PolicyParity, ...]:
    """Every policy in scope. `schedules` and `services` are those of the same look at both sides."""
    schedules = Schedules.of(schedules)
    in_scope = found.reasons["escalation_policies"]
    run = (found.account.services[one.id] for one in services if not one.unverified)
    copies = [found.policies_by_identifier.get(p.identifier) for one in run for p in list_target_policies(found, one)]
    paged = {policy.id for policy in copies if policy}
    return tuple(
        _compare(found, policy, schedules, paged) for id, policy in found.account.policies.items() if id in in_scope
    )


def count_policies(policies: Iterable[PolicyParity]) -> dict[str, int]:
    """How many agree, differ and are unverified; each stands in one of them."""
    grades = [policy.grade for policy in policies]
    return {grade: grades.count(grade) for grade in ("agree", "differ", "unverified")}


def count_level_seconds(policies: Iterable[PolicyParity]) -> dict[str, int]:
    """The seconds of all levels of all policies."""
    levels = [level for policy in policies for level in policy.levels]
    return {
        f"{name}_seconds": sum(getattr(level, name) for level in levels) for name in ("agree", "differ", "unverified")
    }


def find_unexplained(policies: Iterable[PolicyParity], zone: str = "UTC") -> tuple[str, ...]:
    """A sentence for each level where PagerDuty's word is not our reading, or where Harness pages otherwise without a decision.

    Where our reading is wrong, that Harness has it as we read it is no second finding; nor is, where its levels page
    otherwise, that they begin at other minutes. zone: in which moments are told.
    """
    said: list[str] = []
    for policy in policies:
        left: dict[int, list[Difference]] = {}
        for number, start, end, before, after in policy.unexplained:
            left.setdefault(number, []).append((start, end, before, after))
        for level in policy.levels:
            said += _describe_level(policy, level, left.get(level.number, ()), zone)
        if policy.begins and policy.begins.unexplained and not policy.unexplained:
            said.append(f"policy {policy.name} ({policy.id}): {describe_begins(policy.begins)}")
    return tuple(said)


def describe_begins(begins: Begins) -> str:
    """When the levels begin on both sides."""
    before, after = (_describe_minutes(minutes) for minutes in (begins.before, begins.after))
    return f"its levels begin after {before} in PagerDuty, after {after} in Harness"


def _describe_minutes(minutes: tuple[int, ...]) -> str:
    return f"{', '.join(map(str, minutes))} min" if minutes else "nothing"


def _describe_level(policy: PolicyParity, level: LevelParity, left: Iterable[Difference], zone: str) -> Iterator[str]:
    """left: the differences of this level that nobody decided."""
    place = f"policy {policy.name} ({policy.id}), level {level.number}"
    if level.differences:
        yield f"{place}: {_describe_first(level.differences, 'as PagerDuty says', 'as we read it', zone)}"
    misread = [(start, end) for start, end, _, _ in level.differences]
    rest = [one for one in left if rota.subtract_spans([one[:2]], misread)]
    if rest:
        yield f"{place}: {_describe_first(rest, 'in PagerDuty', 'in Harness', zone)}"


def _describe_first(differences: Iterable[Difference], left: str, right: str, zone: str) -> str:
    """The first difference in words, and how long it is in all."""
    found = sorted(differences, key=lambda one: one[:2])
    start, _, before, after = found[0]
    seconds = rota.total((s, e) for s, e, _, _ in found)
    moment = format_local(rota.to_datetime(start), zone)
    return f"{describe_people(before)} {left}, {describe_people(after)} {right}, from {moment}; {format_seconds(seconds)} in all"


def describe_people(people: rota.People) -> str:
    return ", ".join(sorted(people)) or "nobody"


def _compare(found: Draft, policy: SourcePolicy, schedules: Schedules, paged: Container[str]) -> PolicyParity:
    span = rota.to_instant(found.account.since), rota.to_instant(found.account.until)
    identifier = found.identifier_of("escalation_policies", policy.id)
    sides = tuple(_lay_side_by_side(found, policy, schedules, span, policy.id in paged))
    levels = tuple(_compare_level(found, policy, side, span) for side in sides)
    left = (
        (level.number, *one)
        for side, level in zip(sides, levels, strict=True)
        for one in _leave_unexplained(side, level.target_differences)
    )
    begins = None if policy.id in paged else _compare_begins(found, policy, schedules)
    return PolicyParity(policy.id, policy.name, identifier, levels, tuple(left), begins)


def _compare_begins(found: Draft, policy: SourcePolicy, schedules: Schedules) -> Begins | None:
    """None where there is nothing in Harness to compare, which the levels say."""
    there = found.state.policies.get(found.identifier_of("escalation_policies", policy.id))
    if not found.state.oncall or there is None:
        return None
    sides = (
        source_levels(found, policy, schedules.before),
        target_levels(found, there, schedules.after),
        expect_chain(found, policy, schedules)[0],
    )
    return Begins(*(_list_begins(levels) for levels in sides))


def _list_begins(levels: Iterable[paging.PagedLevel]) -> tuple[int, ...]:
    waits = [level.minutes for level in levels if level.people or level.rotas]
    return tuple(accumulate(waits[:-1], initial=0)) if waits else ()


def _leave_unexplained(side: "_Level", differences: tuple[Difference, ...]) -> Iterator[Difference]:
    """What is left of the differences where Harness pages otherwise than anybody decided."""
    undecided = [(start, end) for start, end, _, _ in rota.differences(side.expected, side.there)]
    for start, end, before, after in differences:
        yield from ((s, e, before, after) for s, e in rota.intersect_spans([(start, end)], undecided))


@dataclass(frozen=True)
class _Level:
    """A level on both sides: `ours` as we read PagerDuty, `there` as Harness pages, and why either is not known.

    expected: whom it is to page by the answers of people. doubt: which overrides are missing in `ours`. told: the number
    that it has in PagerDuty's first round, 0 where it is in none.
    """

    number: int
    ours: rota.Rota
    there: rota.Rota
    expected: rota.Rota
    unread: str
    unseen: str
    turns: bool
    doubt: str = ""
    told: int = 0


def _lay_side_by_side(
    found: Draft, policy: SourcePolicy, schedules: Schedules, span: rota.Span, paged: bool
) -> Iterator[_Level]:
    """The levels of PagerDuty, and those that Harness has beyond them and their repetitions.

    Repetitions only where Harness pages somebody whom the answers of people leave out, or where they are otherwise and no page
    of a service shows it. paged: whether one does.
    """
    identifier = found.identifier_of("escalation_policies", policy.id)
    mine = schedules.pick(list_targets(policy))
    before = {s.id: s.before for s in mine if not s.unread}
    unseen = NOT_CARRIED if not identifier else "" if found.state.oncall else NO_API
    theirs = iter(_read_target(found, identifier, schedules.after))
    decided = iter(_read_decided(found, policy, schedules))
    rules, _ = expect_rules(found, policy)
    chain = source_levels(found, policy, before)
    once = len(policy.escalation_rules)
    for number, (rule, ours) in enumerate(zip(cycle(policy.escalation_rules), chain, strict=False), 1):
        written = is_written(rules[(number - 1) % once])
        there, expected = (next(side, NOBODY) if written else NOBODY for side in (theirs, decided))
        turns, unread = rule.round_robin and len(rule.targets) > 1, _describe_unread(rule, before)
        doubt = "; ".join(s.describe_doubted() for s in mine if s.doubted and s.id in {t.id for t in rule.targets})
        first, second, third = (_draw(level, span) for level in (ours, there, expected))
        beyond = second != third == rota.Rota()
        if number <= once or beyond or not (paged or unseen or first == second == third):
            yield _Level(number, first, second, third, unread, unseen, turns, doubt, (number - 1) % once + 1)
    further, rounds = list(theirs), list(decided)
    for number, level in enumerate(further[len(rounds) :], len(chain) + 1):
        yield _Level(number, rota.Rota(), _draw(level, span), rota.Rota(), "", unseen, False)


def _read_target(found: Draft, identifier: str, rotas: Rotas) -> list[paging.PagedLevel]:
    """Harness's levels, in order. A retry pages the level again: it is no other level."""
    policy = found.state.policies.get(identifier)
    if policy is None:
        return []
    once = tuple(level.model_copy(update={"retries": 0}) for level in policy.levels)
    return target_levels(found, policy.model_copy(update={"levels": once}), rotas)


def _read_decided(found: Draft, policy: SourcePolicy, schedules: Schedules) -> list[paging.PagedLevel]:
    """The same as people decided them. A policy that they kept as somebody changed it has Harness's own levels."""
    if found.kept.get(policy.id):
        return _read_target(found, found.identifier_of("escalation_policies", policy.id), schedules.expected_there)
    return [level for level in expect_chain(found, policy, schedules)[0] if level.people or level.rotas]


def _draw(level: paging.PagedLevel, span: rota.Span) -> rota.Rota:
    """Everybody whom a level pages, over time."""
    return rota.join([rota.make_rota([(*span, level.people)]), *level.rotas]).clip(*span)


def _describe_unread(rule: EscalationRule, known: Container[str]) -> str:
    """Which schedules of a level nobody has read; "" where all are known."""
    schedules = (t for t in rule.targets if t.type in SCHEDULE_TYPES and not t.deleted_at)
    names = [f"{t.summary or t.id} ({t.id})" for t in schedules if t.id not in known]
    return f"who is on call in {', '.join(names)} was not read" if names else ""


def _compare_level(found: Draft, policy: SourcePolicy, level: _Level, span: rota.Span) -> LevelParity:
    why = _find_silence(found, policy)
    oncalls = found.account.oncalls
    judged = () if why or oncalls is None else rota.intersect_spans([span], [oncalls.span])
    rest = rota.subtract_spans([span], judged)
    said = oncalls.level(policy.id, level.told) if oncalls and judged else rota.Rota()
    said = said.rename(found.emails).within(judged)
    ours = level.ours.within([span])
    known = not (level.turns or level.unread or level.doubt)
    differences = rota.differences(said, ours.within(judged)) if known else ()
    believed = ours if level.turns else rota.make_rota([*said.entries, *ours.within(rest).entries])
    target = () if level.unseen else _compare_target(level, believed, judged if level.unread else (span,))
    all_of_it = (level.unread, level.doubt, level.unseen, TURNS if level.turns else "")
    dark = [(rest, why or TOO_FAR), *(((span,), note) for note in all_of_it)]
    dark = [(spans, note) for spans, note in dark if spans and note]
    differ = rota.merge_spans((start, end) for start, end, _, _ in (*differences, *target))
    missing = rota.subtract_spans([one for spans, _ in dark for one in spans], differ)
    whole, apart, unknown = span[1] - span[0], rota.total(differ), rota.total(missing)
    notes = tuple(note for _, note in dark)
    return LevelParity(level.number, whole - apart - unknown, apart, unknown, differences, target, notes)


def _find_silence(found: Draft, policy: SourcePolicy) -> str:
    """Why PagerDuty's word on a policy is missing; "" where it is there. That nobody is on call is a word, too."""
    oncalls = found.account.oncalls
    if oncalls is None:
        return NOT_ASKED
    return oncalls.why_unread(policy.id) or (
        "" if policy.id in found.used_policies or policy.id in oncalls.policies else UNUSED
    )


def _compare_target(level: _Level, believed: rota.Rota, spans: Iterable[rota.Span]) -> tuple[Difference, ...]:
    """Where Harness pages otherwise. Of targets that take turns, that somebody else or nobody is paged is all that is known."""
    found = rota.differences(believed.within(spans), level.there.within(spans))
    return tuple(one for one in found if not level.turns or one[3] - one[2] or not one[3])
