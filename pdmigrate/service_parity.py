"""Services before and after: for a page at any moment that matters, who is notified at which minute, in both systems."""

from collections.abc import Iterable
from dataclasses import dataclass

from pdmigrate import paging, rota
from pdmigrate.draft import Draft
from pdmigrate.harness.records import EscalationPolicy, LevelTarget
from pdmigrate.mapping.policies import SCHEDULE_TYPES
from pdmigrate.pagerduty import records
from pdmigrate.pagerduty.urgency import list_edges, urgencies_at

MOST_EARLIER = 600
"""Pages raised before a handoff that are asked for per service, besides one at each handoff and one just before it."""


@dataclass(frozen=True)
class ServiceParity:
    """One service: for so many pages, how often the same people are notified at the same minutes.

    dropped_before, dropped_after: pages that nobody ever hears of. louder: pages that wake somebody in Harness and
    nobody in PagerDuty, since their urgency is low or the service is disabled. passed: pages whose first level is empty
    in Harness, which does not say what it does then. parting: the first minute at which the page that is shown parts,
    and who is paged, still waiting or dropped then, before / after.
    """

    id: str
    name: str
    moments: int
    equal: int
    before: str
    after: str
    first_difference: int | None = None
    reason: str = ""
    dropped_before: int = 0
    dropped_after: int = 0
    louder: int = 0
    passed: int = 0
    parting: str = ""


@dataclass(frozen=True)
class Page:
    """A page and what becomes of it."""

    instant: int
    urgency: str
    before: paging.Paged
    after: paging.Paged


def compare_service(found: Draft, service: records.Service, schedules: Iterable, reason: str) -> ServiceParity:
    """Pages at the start, at every handoff and just before it, of every urgency that the service has then."""
    before = {s.id: s.before for s in schedules}
    after = {s.identifier: s.after for s in schedules if s.identifier}
    policy = found.account.policies.get(service.escalation_policy.id) if service.escalation_policy else None
    source = source_levels(found, policy, before) if policy else []
    target = target_levels(found, _target_policy(found, service), after)
    pages = _raise_pages(found, service, source, target)
    different = [page for page in pages if page.before != page.after]
    shown = (different or pages)[0]
    return ServiceParity(
        service.id,
        service.name,
        len(pages),
        len(pages) - len(different),
        paging.tell(shown.before),
        paging.tell(shown.after),
        shown.instant if different else None,
        reason,
        sum(not page.before for page in pages),
        sum(not page.after for page in pages),
        sum(bool(page.after) and not page.before for page in pages),
        sum(bool(target) and not target[0].paged_at(page.instant) for page in pages),
        paging.tell_parting(shown.before, shown.after),
    )


def source_levels(found: Draft, policy: records.EscalationPolicy, rotas: dict[str, rota.Rota]) -> list[paging.Level]:
    """PagerDuty's chain, unrolled."""
    emails = found.work.emails
    chain = [
        paging.Level(
            rule.escalation_delay_in_minutes,
            frozenset(emails.get(t.id, t.id) for t in rule.targets if t.type == "user" and not t.deleted_at),
            tuple(rotas[t.id] for t in rule.targets if t.type in SCHEDULE_TYPES and t.id in rotas),
        )
        for rule in policy.escalation_rules
    ]
    return chain * (policy.num_loops + 1)


def target_levels(found: Draft, policy: EscalationPolicy | None, rotas: dict[str, rota.Rota]) -> list[paging.Level]:
    """Harness's levels; a retry pages the level again, and delays the next one."""
    return [
        paging.Level(
            level.timeout_minutes,
            frozenset(person for t in level.targets for person in _people_of(found, t)),
            tuple(rotas[t.id] for t in level.targets if t.type == "schedule" and t.id in rotas),
        )
        for level in (policy.levels if policy else ())
        for _ in range(level.retries + 1)
    ]


def _raise_pages(found: Draft, service: records.Service, source: list, target: list) -> list[Page]:
    start, end = rota.to_instant(found.account.since), rota.to_instant(found.account.until)
    hours = [instant for edge in list_edges(service, start, end) for instant in (edge - 1, edge)]
    asked = {*paging.moments([*source, *target], start, end, MOST_EARLIER), *(t for t in hours if start <= t < end)}
    pages = []
    for instant in sorted(asked):
        loud, after = paging.walk(source, instant), paging.walk(target, instant)
        urgencies = sorted(urgencies_at(service, instant)) or ["none"]
        pages += [Page(instant, urgency, loud if urgency == "high" else (), after) for urgency in urgencies]
    return pages


def _people_of(found: Draft, target: LevelTarget) -> tuple[str, ...]:
    if target.type == "user_group":
        group = found.state.groups.get(target.id)
        return group.users if group else ()
    return (target.id,) if target.type == "user" else ()


def _target_policy(found: Draft, service: records.Service) -> EscalationPolicy | None:
    """The policy that Harness would run for an alert of this service: none where its rule does not page."""
    action = next((a for a in found.plan.actions if (a.kind, a.key) == ("services", service.id)), None)
    there = found.state.services.get(action.identifier) if action else None
    return found.state.policies.get(there.escalation_policy or "") if there and there.paging else None
