"""Step 6, verify: read Harness afresh and compare: field by field, second by second, page by page.

Three grades, never blurred: agree and differ where the target itself was read, unverified where Harness has no API.
"""

import csv
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from pdmigrate import paging, rota
from pdmigrate.actions import Action
from pdmigrate.draft import Draft, draft
from pdmigrate.harness import rota as harness_rota
from pdmigrate.harness.records import EscalationPolicy
from pdmigrate.job import Job, records_step
from pdmigrate.pagerduty import records
from pdmigrate.pagerduty import rota as pagerduty_rota

MOST_MOMENTS = 200


@dataclass(frozen=True)
class ScheduleParity:
    """One schedule over the window, in seconds. Rotas are in emails. reason: the decision behind a difference."""

    id: str
    name: str
    identifier: str
    time_zone: str
    before: rota.Rota
    after: rota.Rota
    agree: int
    differ: int
    unverified: int
    judged: bool
    reason: str = ""

    @property
    def differences(self) -> tuple:
        return rota.differences(self.before, self.after) if not self.unverified else ()


@dataclass(frozen=True)
class ServiceParity:
    """One service: for pages at so many moments, how often the same people are notified at the same minutes."""

    id: str
    name: str
    moments: int
    equal: int
    before: str
    after: str
    first_difference: int | None = None
    reason: str = ""


@dataclass(frozen=True)
class Unreachable:
    """Somebody who is on call and cannot be reached, with the next turn (None: no turn in the window)."""

    email: str
    why: str
    next_turn: datetime | None
    schedules: tuple[str, ...]


@dataclass(frozen=True)
class Verified:
    """What was found. `unexplained` are the sentences of differences that no decision explains."""

    draft: Draft
    since: datetime
    until: datetime
    schedules: tuple[ScheduleParity, ...]
    services: tuple[ServiceParity, ...]
    unreachable: tuple[Unreachable, ...]
    drift: tuple[Action, ...]
    unexplained: tuple[str, ...]

    def count_seconds(self) -> dict[str, int]:
        names = ("agree", "differ", "unverified")
        return {f"{name}_seconds": sum(getattr(s, name) for s in self.schedules) for name in names}


@records_step("verify")
def verify(job: Job) -> Verified:
    """Read the target afresh and compare. Leaves `parity` in the workspace and rota/*.csv in the run's folder."""
    found = draft(job)
    start, end = rota.to_instant(found.account.since), rota.to_instant(found.account.until)
    schedules = tuple(
        _compare_schedule(job, found, s, start, end) for s in _in_scope(found, "schedules", found.account.schedules)
    )
    services = tuple(
        _compare_service(found, s, schedules, start, end) for s in _in_scope(found, "services", found.account.services)
    )
    drift = tuple(action for action in found.plan.actions if action.writes)
    unreachable = _find_unreachable(found, schedules, start)
    verified = Verified(
        found,
        found.account.since,
        found.account.until,
        schedules,
        services,
        unreachable,
        drift,
        _find_unexplained(schedules, services),
    )
    _write_rotas(job.folder / "rota", found, schedules)
    job.workspace.save_state("parity", verified.count_seconds())
    return verified


def _in_scope(found: Draft, kind: str, there: dict) -> list:
    return [record for id, record in there.items() if id in found.reasons[kind]]


def _compare_schedule(job: Job, found: Draft, schedule: records.Schedule, start: int, end: int) -> ScheduleParity:
    zone = found.work.zones.get(schedule.id) or "UTC"
    final = pagerduty_rota.read_final(schedule)
    source = final if final is not None else pagerduty_rota.render_schedule(schedule, ZoneInfo(zone), start, end)
    before = source.clip(start, end).rename(found.work.emails)
    identifier = found.work.schedules.get(schedule.id, "")
    after, read = _read_target(job, found, identifier)
    after = after.clip(start, end)
    differ = rota.total((s, e) for s, e, _, _ in rota.differences(before, after)) if read else 0
    seconds = end - start
    agree, unverified = (seconds - differ, 0) if read else (0, seconds)
    reason = _explain(found, "schedules", schedule.id)
    return ScheduleParity(
        schedule.id,
        schedule.name,
        identifier,
        zone,
        before,
        after,
        agree,
        differ,
        unverified,
        final is not None,
        reason,
    )


def _read_target(job: Job, found: Draft, identifier: str) -> tuple[rota.Rota, bool]:
    """The target's own answer; a schedule that is not there has nobody, which is an answer too."""
    if not found.state.oncall:
        return rota.Rota(), False
    if identifier not in found.state.schedules:
        return rota.Rota(), True
    coverage = job.target.read_coverage(identifier, found.account.since, found.account.until)
    return harness_rota.read_coverage(coverage), True


def _explain(found: Draft, kind: str, id: str) -> str:
    """The decision or the loss behind a difference, or ""."""
    held = next((h for h in found.plan.held if (h.kind, h.key) == (kind, id)), None)
    if held:
        return held.reason
    kept = next(
        (a.reason for a in found.plan.actions if (a.kind, a.key) == (kind, id) and a.verb == "keep" and a.reason), ""
    )
    lost = [h.reason for h in found.plan.held if h.kind == "overrides" and h.key.startswith(f"{id}_")]
    load_anyway = f"rendering_differs:{id}" in found.answered
    unseen = [a for key, a in found.answered.items() if key.startswith(f"dangling_reference:{id}/")]
    return (
        kept
        or next(iter(lost), "")
        or ("loaded by decision although PagerDuty's rendering differs" if load_anyway else "")
        or next(
            (f"turns stay empty by decision: {a.conflict.question}" for a in unseen if a.conflict.changes_paging), ""
        )
    )


def _compare_service(found: Draft, service: records.Service, schedules, start: int, end: int) -> ServiceParity:
    before = {s.id: s.before for s in schedules}
    after = {s.identifier: s.after for s in schedules if s.identifier}
    policy = found.account.policies.get(service.escalation_policy.id) if service.escalation_policy else None
    source = _source_levels(found, policy, before) if policy and service.status != "disabled" else []
    target = _target_levels(_target_policy(found, service), after)
    used = [r for level in (*source, *target) for r in level.rotas]
    asked = paging.moments(used, start, end, MOST_MOMENTS)
    pairs = [(t, paging.walk(source, t), paging.walk(target, t)) for t in asked]
    different = [pair for pair in pairs if pair[1] != pair[2]]
    shown = (different or pairs)[0]
    return ServiceParity(
        service.id,
        service.name,
        len(pairs),
        len(pairs) - len(different),
        paging.tell(shown[1]),
        paging.tell(shown[2]),
        shown[0] if different else None,
        _explain_service(found, service, policy),
    )


def _explain_service(found: Draft, service: records.Service, policy) -> str:
    """Its own decision, or one about its policy or a schedule that the policy names."""
    targets = [t.id for rule in policy.escalation_rules for t in rule.targets] if policy else []
    places = [
        ("services", service.id),
        *([("escalation_policies", policy.id)] if policy else []),
        *(("schedules", t) for t in targets),
    ]
    reasons = [reason for kind, id in places if (reason := _explain(found, kind, id))]
    fates = [f for f in found.work.fates if (f.kind, f.id) in places and f.grade == "changed" and f.reason]
    return (reasons + [f.reason for f in fates] + [""])[0]


def _source_levels(found: Draft, policy: records.EscalationPolicy, rotas: dict[str, rota.Rota]) -> list[paging.Level]:
    emails = found.work.emails
    chain = [
        paging.Level(
            rule.escalation_delay_in_minutes,
            frozenset(emails.get(t.id, t.id) for t in rule.targets if t.type == "user"),
            tuple(rotas[t.id] for t in rule.targets if t.id in rotas),
        )
        for rule in policy.escalation_rules
    ]
    return chain * (policy.num_loops + 1)


def _target_policy(found: Draft, service: records.Service) -> EscalationPolicy | None:
    """The policy that Harness would run for an alert of this service: none where its rule does not page."""
    action = next((a for a in found.plan.actions if (a.kind, a.key) == ("services", service.id)), None)
    there = found.state.services.get(action.identifier) if action else None
    return found.state.policies.get(there.escalation_policy or "") if there and there.paging else None


def _target_levels(policy: EscalationPolicy | None, rotas: dict[str, rota.Rota]) -> list[paging.Level]:
    return [
        paging.Level(
            level.timeout_minutes,
            frozenset(t.id for t in level.targets if t.type == "user"),
            tuple(rotas[t.id] for t in level.targets if t.type == "schedule" and t.id in rotas),
        )
        for level in (policy.levels if policy else ())
        for _ in range(level.retries + 1)
    ]


def _find_unreachable(found: Draft, schedules, start: int) -> tuple[Unreachable, ...]:
    """Whoever is in a rotation and has not accepted, or is disabled or locked; the most urgent first."""
    people = {email for s in schedules for _, _, who in s.before.entries for email in who}
    rows = [
        _describe(email, why, schedules, start) for email in sorted(people) if (why := _why_unreachable(found, email))
    ]
    return tuple(sorted(rows, key=lambda row: (row.next_turn is None, row.next_turn, row.email)))


def _why_unreachable(found: Draft, email: str) -> str:
    person = found.state.people.get(email)
    if person is None:
        return "no account and no invitation"
    if not person.accepted:
        return "invited, not accepted yet"
    return "the account is disabled" if person.disabled else "the account is locked" if person.locked else ""


def _describe(email: str, why: str, schedules, start: int) -> Unreachable:
    turns = {s.name: turn for s in schedules if (turn := paging.next_turn(s.before, email, start)) is not None}
    soonest = rota.to_datetime(min(turns.values())) if turns else None
    return Unreachable(email, why, soonest, tuple(sorted(turns, key=turns.get)))


def _find_unexplained(schedules, services) -> tuple[str, ...]:
    rotas = [f"schedule {s.name}: {s.differ} s differ" for s in schedules if s.differ and not s.reason]
    pages = [
        f"service {s.name}: {s.moments - s.equal} of {s.moments} pages differ"
        for s in services
        if s.equal < s.moments and not s.reason
    ]
    return tuple(rotas + pages)


def _write_rotas(folder: Path, found: Draft, schedules) -> None:
    """rota/source/ID.csv and rota/target/ID.csv, both in PagerDuty user ids."""
    ids = {email: id for id, email in sorted(found.work.emails.items(), reverse=True)}
    for schedule in schedules:
        write_rota(folder / "source" / f"{schedule.id}.csv", schedule.before.rename(ids), schedule.time_zone)
        if not schedule.unverified:
            write_rota(folder / "target" / f"{schedule.id}.csv", schedule.after.rename(ids), schedule.time_zone)


def write_rota(path: Path, who: rota.Rota, zone: str) -> None:
    """CSV with the header start,end,users: instants in ISO 8601 with offset, ids sorted and joined by `;`, no gaps."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(path, "w", encoding="utf-8", newline="") as file:
        rows = csv.writer(file, lineterminator="\n")
        rows.writerow(("start", "end", "users"))
        rows.writerows((_iso(s, zone), _iso(e, zone), ";".join(sorted(people))) for s, e, people in who.entries)


def _iso(instant: int, zone: str) -> str:
    return rota.to_datetime(instant).astimezone(ZoneInfo(zone)).isoformat()
