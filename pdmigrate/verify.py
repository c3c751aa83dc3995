"""Step 6, verify: read Harness afresh and compare: field by field, second by second, page by page.

Three grades, never blurred: agree and differ where the target itself was read, unverified where Harness has no API.
"""

from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from pdmigrate import paging, rota
from pdmigrate.actions import Action
from pdmigrate.clock_windows import ask_all
from pdmigrate.draft import Draft, draft
from pdmigrate.job import Job, records_step
from pdmigrate.mapping.overrides import override_key
from pdmigrate.pagerduty import records
from pdmigrate.parity import ScheduleParity, compare_schedule
from pdmigrate.rota_files import write_rota
from pdmigrate.service_parity import ServiceParity, compare_service


@dataclass(frozen=True)
class Unreachable:
    """Somebody who is on call and cannot be reached, with the next turn (None: no turn in the window)."""

    email: str
    why: str
    next_turn: datetime | None
    schedules: tuple[str, ...]


@dataclass(frozen=True)
class Verified:
    """What was found. `unexplained` are the sentences of differences that no decision explains.

    window_requests: what asking PagerDuty about the days around changes of the clock took, apart from everything else.
    """

    draft: Draft
    since: datetime
    until: datetime
    schedules: tuple[ScheduleParity, ...]
    services: tuple[ServiceParity, ...]
    unreachable: tuple[Unreachable, ...]
    drift: tuple[Action, ...]
    unexplained: tuple[str, ...]
    window_requests: int = 0

    def count_seconds(self) -> dict[str, int]:
        names = ("agree", "differ", "unverified")
        return {f"{name}_seconds": sum(getattr(s, name) for s in self.schedules) for name in names}

    def count_windows(self) -> dict[str, int]:
        """The same around the changes of the clock, which are no part of the horizon's seconds."""
        windows = [window for s in self.schedules for window in s.windows]
        read = [window for window in windows if not window.unverified]
        differ = sum(window.differ for window in read)
        whole, unread = (sum(w.end - w.start for w in some) for some in (read, [w for w in windows if w.unverified]))
        return {"agree_seconds": whole - differ, "differ_seconds": differ, "unverified_seconds": unread}


@records_step("verify")
def verify(job: Job) -> Verified:
    """Read the target afresh and compare. Leaves `parity` in the workspace and rota/*.csv in the run's folder."""
    found = draft(job)
    account, window_requests = ask_all(job, found.account)
    found = replace(found, account=account)
    start = rota.to_instant(found.account.since)
    schedules = tuple(
        _explain_parts(found, compare_schedule(job, found, s, _explain(found, "schedules", s.id)))
        for s in _in_scope(found, "schedules", found.account.all_schedules)
    )
    services = tuple(
        compare_service(found, s, schedules, _explain_service(found, s, {p.id: p.reason for p in schedules}))
        for s in _in_scope(found, "services", found.account.services)
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
        window_requests,
    )
    _write_rotas(job.folder / "rota", found, schedules)
    job.workspace.save_state("parity", verified.count_seconds())
    return verified


def _in_scope(found: Draft, kind: str, there: dict) -> list:
    return [record for id, record in there.items() if id in found.reasons[kind]]


def _explain(found: Draft, kind: str, id: str) -> str:
    """The decision or the loss behind a difference, or ""."""
    held = next((h for h in found.plan.held if (h.kind, h.key) == (kind, id)), None)
    if held:
        return held.reason
    kept = next(
        (a.reason for a in found.plan.actions if (a.kind, a.key) == (kind, id) and a.verb == "keep" and a.reason), ""
    )
    unseen = [a for key, a in found.answered.items() if key.startswith(f"dangling_reference:{id}/")]
    load_anyway = f"rendering_differs:{id}" in found.answered
    return (
        kept
        or ("loaded by decision although PagerDuty's rendering differs" if load_anyway else "")
        or next(
            (f"turns stay empty by decision: {a.conflict.question}" for a in unseen if a.conflict.changes_paging), ""
        )
    )


def explain_by_empty_places(found: Draft, seen: ScheduleParity) -> ScheduleParity:
    """Who is nobody by decision explains his own absence, and no other difference."""
    differences = [*seen.differences, *(one for window in seen.windows for one in window.differences)]
    missing = [before - after for _, _, before, after in differences]
    if seen.reason or not missing or not all(gone <= found.work.nobodies and gone for gone in missing):
        return seen
    if any(after - before for _, _, before, after in differences):
        return seen
    names = sorted({found.account.users[person].name for gone in missing for person in gone})
    return replace(seen, reason=f"turns of {', '.join(names)} stay empty by decision")


def _explain_parts(found: Draft, seen: ScheduleParity) -> ScheduleParity:
    return explain_by_empty_places(found, _explain_by_overrides(found, seen))


def _explain_by_overrides(found: Draft, seen: ScheduleParity) -> ScheduleParity:
    """An override that is not carried over explains its own hours, and no others."""
    lost = {held.key: held.reason for held in found.plan.held if held.kind == "overrides"}
    schedule = found.account.schedules.get(seen.id)
    entries = [(override_key(seen.id, e), e) for e in schedule.overrides] if schedule and not seen.reason else []
    mine = {key: (rota.to_instant(e.start), rota.to_instant(e.end)) for key, e in entries if key in lost}
    if not mine or rota.subtract_spans([(s, e) for s, e, _, _ in seen.differences], mine.values()):
        return seen
    return replace(seen, reason=lost[next(iter(mine))])


def _explain_service(found: Draft, service: records.Service, schedules: dict[str, str]) -> str:
    """Its own decision, or one about its policy or a schedule that the policy names."""
    policy = found.account.policies.get(service.escalation_policy.id) if service.escalation_policy else None
    targets = [t.id for rule in policy.escalation_rules for t in rule.targets] if policy else []
    places = [
        ("services", service.id),
        *([("escalation_policies", policy.id)] if policy else []),
    ]
    reasons = [reason for kind, id in places if (reason := _explain(found, kind, id))]
    reasons += [schedules[t] for t in targets if schedules.get(t)]
    places += [("schedules", t) for t in targets]
    fates = [f for f in found.work.fates if (f.kind, f.id) in places and f.grade == "changed" and f.reason]
    return (reasons + [f.reason for f in fates] + [""])[0]


def _find_unreachable(found: Draft, schedules, start: int) -> tuple[Unreachable, ...]:
    """Whoever is in a rotation and has not accepted, or is disabled or locked; the most urgent first."""
    people = {email for s in schedules for _, _, who in s.before.entries for email in who} - found.work.nobodies
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
    rotas += [
        f"schedule {s.name}: {w.unexplained} s differ around the clock change of {rota.to_datetime(w.change):%Y-%m-%d}"
        for s in schedules
        for w in s.windows
        if w.unexplained and not s.reason
    ]
    pages = [
        f"service {s.name}: {s.moments - s.equal} of {s.moments} pages differ"
        for s in services
        if s.equal < s.moments and not s.reason
    ]
    return tuple(rotas + pages)


def _write_rotas(folder: Path, found: Draft, schedules) -> None:
    """rota/source/ID.csv and rota/target/ID.csv, both in PagerDuty user ids.

    Who is one person in Harness and several users in PagerDuty is named by all of their ids in the target's.
    """
    ids: dict[str, list[str]] = {}
    for id, email in found.work.emails.items():
        ids.setdefault(email, []).append(id)
    for schedule in schedules:
        write_rota(folder / "source" / f"{schedule.id}.csv", schedule.source, schedule.time_zone)
        if not schedule.unverified:
            write_rota(folder / "target" / f"{schedule.id}.csv", schedule.after.expand(ids), schedule.time_zone)
