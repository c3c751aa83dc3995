"""Services before and after: for a page at any moment that matters, who is notified at which minute, in both systems.

A page that differs is explained where Harness does exactly what people decided, and nowhere else.
"""

from bisect import bisect_right
from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from zoneinfo import ZoneInfo

from pdmigrate.harness.records import EscalationPolicy, LevelTarget, Service
from pdmigrate.harness.rota import make_rotation
from pdmigrate.mapping.draft import Draft
from pdmigrate.oncall import paging, rota
from pdmigrate.pagerduty import records
from pdmigrate.pagerduty.urgency import list_edges, urgencies_at
from pdmigrate.parity.explanations import (
    Explanation,
    explain,
    explain_absence,
    find_answer,
    list_kept,
)
from pdmigrate.parity.schedules import Rotas, ScheduleParity, Schedules
from pdmigrate.parity.verdicts import Alert, ServiceParity, count_silence
from pdmigrate.plan.answers import Settled

MOST_EARLIER = 600
"""Pages raised before a handoff that are asked for per service, besides one at each handoff and one just before it."""

SCHEDULE_TYPES = ("schedule", "schedule_v3")
URGENCY = {"status", "incident_urgency_rule", "support_hours"}
"""The fields of a service that say which urgency its alerts have."""
Chains = Sequence[list[paging.PagedLevel]]
"""The chains of levels that one alert starts at once: a page may go several ways, each by an alert rule of its own."""


@dataclass(frozen=True)
class Expected:
    """What Harness is to do with an alert by the answers of people.

    pages: whether it pages at all, told whether PagerDuty wakes somebody for it (its urgency is high).
    """

    chains: Chains
    pages: Callable[[bool], bool]
    explanations: tuple[Explanation, ...]

    def walk(self, instant: int, high: bool) -> paging.Paged:
        """Who is to be notified when, for an alert at `instant`. high: of its urgency."""
        return paging.walk_all(self.chains, instant) if self.pages(high) else ()

    def describe(self, instants: Iterable[int]) -> str:
        """In words the decisions that touch one of these moments."""
        at = list(instants)
        about = (x for x in self.explanations if not x.changes or any(s <= t < e for s, e, *_ in x.changes for t in at))
        return "; ".join(dict.fromkeys(x.words for x in about))


def compare_services(
    found: Draft, services: Iterable[records.Service], schedules: Iterable[ScheduleParity]
) -> Iterator[ServiceParity]:
    """Pages at the start, at every handoff and just before it, of every urgency that each service has then.

    Services that page alike, as those of one policy with the same hours do, are compared once.
    """
    schedules, known = Schedules.of(schedules), dict[Hashable, ServiceParity]()
    for service in services:
        policy = find_policy(found, service)
        mine = schedules.pick(list_targets(policy)) if policy else []
        source = source_levels(found, policy, schedules.before) if policy else []
        target = [target_levels(found, one, schedules.after) for one in list_target_policies(found, service)]
        expected = expect_levels(found, service, policy, schedules)
        unknown = not found.state.oncall or any(s.unread for s in mine)
        doubted = any(s.doubted for s in mine)
        chains = tuple(tuple(tuple(chain) for chain in side) for side in ([source], target, expected.chains))
        pages = expected.pages(True), expected.pages(False)
        alike = (unknown, doubted, chains, pages, service.model_dump_json(include=URGENCY))
        if alike not in known:
            raised = _raise_pages(found, service, source, target, expected)
            known[alike] = _count(found, service, raised, target, unknown, doubted)
        one = known[alike]
        why = () if one.unverified else expected.explanations
        yield replace(one, id=service.id, name=service.name, explanations=why)


def _count(
    found: Draft, service: records.Service, pages: list[Alert], target: Chains, unknown: bool, doubted: bool
) -> ServiceParity:
    """What becomes of the pages. unknown: nobody knows who is on call on one side; doubted: some overrides were not read."""
    different = tuple(page for page in pages if page.before != page.after)
    if unknown or (doubted and not different):
        return ServiceParity(service.id, service.name, 0, 0, 0, 0, 0, pages[0], unverified=True)
    first = target[0] if target else []
    return ServiceParity(
        id=service.id,
        name=service.name,
        moments=len(pages),
        dropped_before=sum(not page.before for page in pages),
        dropped_after=sum(not page.after for page in pages),
        louder=sum(bool(page.after) and not page.before for page in pages),
        passed=sum(bool(first) and not first[0].paged_at(page.instant) for page in pages),
        shown=next((page for page in different if page.unexplained), (*different, *pages)[0]),
        silent=sum(page.is_silent for page in pages),
        silent_seconds=count_silence(pages, rota.to_instant(found.account.until)),
        different=different,
    )


def find_policy(found: Draft, service: records.Service) -> records.EscalationPolicy | None:
    """The escalation policy of a service of PagerDuty."""
    return found.account.policies.get(service.escalation_policy.id) if service.escalation_policy else None


def source_levels(found: Draft, policy: records.EscalationPolicy, rotas: Rotas) -> list[paging.PagedLevel]:
    """PagerDuty's chain, unrolled. Deleted people are not paged, and of a round-robin level one target is."""
    emails = found.emails
    chain = [
        paging.PagedLevel(
            rule.escalation_delay_in_minutes,
            frozenset(emails.get(t.id, t.id) for t in rule.targets if t.type == "user" and not t.deleted_at),
            tuple(rotas[t.id] for t in rule.targets if t.type in SCHEDULE_TYPES and t.id in rotas),
            one_of=rule.round_robin and len(rule.targets) > 1,
        )
        for rule in policy.escalation_rules
    ]
    return chain * (policy.num_loops + 1)


def target_levels(found: Draft, policy: EscalationPolicy | None, rotas: Rotas) -> list[paging.PagedLevel]:
    """Harness's levels; a retry pages the level again, and delays the next one. A rotation that is not there is skipped."""
    return [
        paging.PagedLevel(
            level.timeout_minutes,
            frozenset(person for t in level.targets for person in _people_of(found, t)),
            tuple(one for t in level.targets if (one := _rota_of(found, t, rotas)) is not None),
        )
        for level in (policy.levels if policy else ())
        for _ in range(level.retries + 1)
    ]


def list_target_policies(found: Draft, service: records.Service) -> list[EscalationPolicy]:
    """The policies that Harness would run for an alert of this service: one for each alert rule of it that pages.

    Contract: an alert rule's own policy goes before the service's; an alert whose service has no rule pages nobody.
    """
    identifier = found.identifier_of("services", service.id)
    there = found.state.services.get(identifier)
    rules = found.rules_by_service.get(identifier, ())
    names = [rule.escalation_policy or there.escalation_policy or "" for rule in rules] if there else []
    return [found.state.policies[name] for name in dict.fromkeys(names) if name in found.state.policies]


def expect_levels(
    found: Draft, service: records.Service, policy: records.EscalationPolicy | None, schedules: Iterable[ScheduleParity]
) -> Expected:
    """What people decided about a service, its policy and the schedules of that policy, as the levels that follow."""
    absent = explain_absence(found, "services", service.id, ("paging",))
    if policy is None or absent:
        return Expected((), lambda loud: False, (absent,) if absent else ())
    schedules, kept = Schedules.of(schedules), found.kept.get(service.id)
    others = list(_list_kept_rules(found, service, schedules))
    if kept:
        chain, pages, said = _expect_kept(found, service, kept, schedules)
    else:
        chain, explanations = expect_chain(found, policy, schedules)
        pages, urgency = _expect_urgency(found, service)
        own = [x for s in schedules.pick(list_targets(policy)) for x in s.compared.explanations]
        said = (*urgency, *explanations, *own)
    chains = [chain, *(levels for levels, _ in others)]
    return Expected(chains, pages, (*said, *(words for _, words in others)))


def _expect_kept(
    found: Draft, service: records.Service, kept: Settled, schedules: Schedules
) -> tuple[list[paging.PagedLevel], Callable[[bool], bool], tuple[Explanation, ...]]:
    """The chain of its own alert rule, with the fields that the answer was about as they are in Harness."""
    fields = {field for field, _ in list_kept(kept)}
    shown = found.state.services[found.identifier_of("services", service.id)]
    wish = found.wanted.get(("services", service.id))
    if wish and isinstance(wish.record, Service):
        shown = wish.record.model_copy(update={field: getattr(shown, field) for field in fields})
    policy = found.state.policies.get(shown.rule_policy or shown.escalation_policy or "")
    chain = _expect_target(found, policy, schedules) if policy and shown.paging else []
    pages = (lambda loud: bool(chain)) if "paging" in fields else _expect_urgency(found, service)[0]
    words = "its policy and paging are kept as somebody changed them in Harness"
    return chain, pages, (explain(kept, "services", service.id, tuple(sorted(fields)), words),)


def list_targets(policy: records.EscalationPolicy) -> list[str]:
    """The ids of all that its levels page."""
    return [target.id for rule in policy.escalation_rules for target in rule.targets]


def _expect_target(found: Draft, there: EscalationPolicy, schedules: Schedules) -> list[paging.PagedLevel]:
    """A policy of Harness that a person let stand: as ours is to be, or, where it is none of ours, as it is."""
    ours = found.policies_by_identifier.get(there.identifier)
    return expect_chain(found, ours, schedules)[0] if ours else target_levels(found, there, schedules.expected_there)


def _list_kept_rules(
    found: Draft, service: records.Service, schedules: Schedules
) -> Iterator[tuple[list[paging.PagedLevel], Explanation]]:
    """The levels of alert rules that somebody made in Harness beside the service's own, and a person let stand."""
    identifier = found.identifier_of("services", service.id)
    there = found.state.services.get(identifier)
    if there is None:
        return
    for rule in found.rules_by_service.get(identifier, ()):
        answer = found.kept.get(f"{service.id}/{rule.identifier}")
        if answer:
            policy = found.state.policies.get(rule.escalation_policy or there.escalation_policy or "")
            words = f"the alert rule {rule.identifier}, made in Harness, goes on paging as well"
            said = explain(answer, "services", service.id, ("alert_rules",), words)
            yield (_expect_target(found, policy, schedules) if policy else []), said


def expect_chain(
    found: Draft, policy: records.EscalationPolicy, schedules: Schedules
) -> tuple[list[paging.PagedLevel], tuple[Explanation, ...]]:
    """The levels of a policy as people decided them, on schedules as people decided them."""
    absent = explain_absence(found, "escalation_policies", policy.id, ("levels",))
    if absent:
        return [], (absent,)
    kept = found.kept.get(policy.id)
    if kept:
        identifier = found.identifier_of("escalation_policies", policy.id)
        words = f"the levels of {policy.name} are kept as somebody changed them in Harness"
        explanation = explain(kept, "escalation_policies", policy.id, ("levels",), words)
        return target_levels(found, found.state.policies.get(identifier), schedules.expected_there), (explanation,)
    rules, said = expect_rules(found, policy)
    loops, fewer = _expect_loops(found, policy, sum(is_written(rule) for rule in rules))
    decided = policy.model_copy(update={"escalation_rules": rules, "num_loops": loops})
    return source_levels(found, decided, schedules.expected), (*said, *fewer)


def expect_rules(
    found: Draft, policy: records.EscalationPolicy
) -> tuple[tuple[records.EscalationRule, ...], list[Explanation]]:
    """Its levels without the targets that people let go, and with what they decided in place of round robin."""
    gone, said = _list_gone_targets(found, policy)
    turns = find_answer(found, "round_robin", policy.id)
    rules = []
    for rule in policy.escalation_rules:
        targets = tuple(target for target in rule.targets if target.id not in gone)
        changes: dict[str, object] = {"targets": targets}
        if turns and rule.round_robin and turns.choice in ("everyone", "first_only"):
            changes |= {"escalation_rule_assignment_strategy": "assign_to_everyone"}
            changes |= {"targets": targets[:1]} if turns.choice == "first_only" else {}
        rules.append(rule.model_copy(update=changes))
    if turns and any(rule.round_robin for rule in policy.escalation_rules):
        told = {"everyone": "all targets are paged at once", "first_only": "only the first target is paged"}
        words = f"{told.get(turns.choice, turns.choice)} instead of one in turn (round robin)"
        said.append(explain(turns, "escalation_policies", policy.id, ("targets",), words))
    return tuple(rules), said


def _list_gone_targets(found: Draft, policy: records.EscalationPolicy) -> tuple[set[str], list[Explanation]]:
    """Targets that a person let go: people who are nobody, and what is deleted or unlisted in PagerDuty."""
    gone, said = set(), []
    nobodies = found.empty_places[""]
    for target in (target for rule in policy.escalation_rules for target in rule.targets):
        answers = [find_answer(found, about, f"{policy.id}/{target.id}") for about in ("deleted_target", "dangling_reference", "unknown_target")]  # fmt: skip
        answer = next((a for a in answers if a and a.choice == "without"), nobodies.get(target.id))
        if answer and target.id not in gone:
            gone.add(target.id)
            words = f"{target.summary or target.id} is no target of {policy.name}"
            said.append(explain(answer, "escalation_policies", policy.id, ("targets",), words))
    return gone, said


def is_written(rule: records.EscalationRule) -> bool:
    """A level without anybody left to page, after the answers, is not written to Harness; PagerDuty passes it over."""
    return any(not target.deleted_at for target in rule.targets)


def _expect_loops(found: Draft, policy: records.EscalationPolicy, levels: int) -> tuple[int, list[Explanation]]:
    """How often the chain is repeated: as often as PagerDuty does, unless a person took fewer rounds."""
    answer = find_answer(found, "escalation_loops", policy.id)
    if answer is None or answer.choice not in ("fewer", "none"):
        return policy.num_loops, []
    loops = max(0, found.mapped.rules.most_levels // max(1, levels) - 1) if answer.choice == "fewer" else 0
    words = f"{policy.name} is run {loops + 1} times instead of {policy.num_loops + 1}"
    return loops, [explain(answer, "escalation_policies", policy.id, ("num_loops",), words)]


def _expect_urgency(found: Draft, service: records.Service) -> tuple[Callable[[bool], bool], list[Explanation]]:
    """Whether a page is to be made: where PagerDuty wakes somebody, unless a person decided for always or never."""
    answer = find_answer(found, "service_urgency", service.id)
    if answer is None or answer.choice not in ("page", "no_page") or not _is_ever_quiet(service):
        return (lambda loud: loud), []
    pages = answer.choice == "page"
    words = "every alert pages, at any hour" if pages else "alerts are logged and page nobody"
    return (lambda loud: pages), [explain(answer, "services", service.id, ("incident_urgency_rule",), words)]


def _is_ever_quiet(service: records.Service) -> bool:
    """Whether PagerDuty does not always wake somebody: an answer for the whole class is none about a service that it does."""
    rule = service.incident_urgency_rule
    parts = (rule, rule.during_support_hours, rule.outside_support_hours) if rule else ()
    return service.status in ("disabled", "maintenance") or any(p and p.urgency not in (None, "high") for p in parts)


def _raise_pages(
    found: Draft, service: records.Service, source: list[paging.PagedLevel], target: Chains, expected: Expected
) -> list[Alert]:
    start, end = rota.to_instant(found.account.since), rota.to_instant(found.account.until)
    edges = list_edges(service, start, end)
    hours = [instant for edge in edges for instant in (edge - 1, edge)]
    levels = [*source, *(level for chain in (*target, *expected.chains) for level in chain)]
    asked = {*paging.moments(levels, start, end, MOST_EARLIER), *(t for t in hours if start <= t < end)}
    as_before = list(expected.chains) == [source]
    carried_over = list(target) == [source] and all(level.minutes for level in source)
    pages, known = [], paging.Known()
    urgencies: dict[int, list[str]] = {}
    for instant in sorted(asked):
        loud = paging.walk(source, instant, known)
        after = loud if carried_over else paging.walk_all(target, instant, known)
        wanted = loud if as_before else paging.walk_all(expected.chains, instant, known)
        stretch = bisect_right(edges, instant)
        if stretch not in urgencies:
            urgencies[stretch] = _sort_urgencies(service, instant)
        for urgency in urgencies[stretch]:
            high = urgency == "high"
            pages.append(Alert(instant, urgency, loud if high else (), after, wanted if expected.pages(high) else ()))
    return pages


def _sort_urgencies(service: records.Service, instant: int) -> list[str]:
    return sorted(urgencies_at(service, instant)) or ["none"]


def _people_of(found: Draft, target: LevelTarget) -> tuple[str, ...]:
    if target.type == "user_group":
        group = found.state.groups.get(target.id)
        return group.users if group else ()
    return (target.id,) if target.type == "user" else ()


def _rota_of(found: Draft, target: LevelTarget, rotas: Rotas) -> rota.Rota | None:
    """Who is on call for a target: a schedule, or one rotation of it, named SCHEDULE/ROTATION."""
    if target.type == "schedule":
        return rotas.get(target.id)
    identifier, _, name = target.id.partition("/")
    schedule = found.state.schedules.get(identifier)
    if target.type != "rotation" or schedule is None:
        return None
    zone = ZoneInfo(schedule.time_zone)
    span = (rota.to_instant(found.account.since), rota.to_instant(found.account.until))
    return next((make_rotation(one).render(zone, *span) for one in schedule.rotations if one.name == name), None)
