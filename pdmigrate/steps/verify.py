"""Step 6, verify: read Harness afresh and compare: field by field, second by second, page by page.

Three grades, never blurred: agree and differ where the target itself was read, unverified where Harness has no API.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any, TypeVar

from pdmigrate.errors import PdmigrateError, UnexplainedDifferenceError
from pdmigrate.harness.rota import read_coverage
from pdmigrate.mapping.draft import Draft
from pdmigrate.mapping.proof import AnySchedule
from pdmigrate.oncall import paging, rota
from pdmigrate.oncall.words import format_local, format_number, format_seconds
from pdmigrate.pagerduty.account import Account
from pdmigrate.parity.people import Reach, Unreachable, find_reach
from pdmigrate.parity.policies import PolicyParity, compare_policies, count_level_seconds, count_policies
from pdmigrate.parity.policies import find_unexplained as find_policies
from pdmigrate.parity.schedules import Difference, ScheduleParity, Schedules, compare_schedule, find_end
from pdmigrate.parity.services import compare_services
from pdmigrate.parity.verdicts import ServiceParity, count_verdicts
from pdmigrate.plan.actions import Action
from pdmigrate.steps.clock_windows import ask_all
from pdmigrate.steps.draft import draft
from pdmigrate.steps.job import Job, records_step
from pdmigrate.steps.parity_frames import ParityFrames
from pdmigrate.steps.result import Result, summarise_draft
from pdmigrate.steps.rota_files import write_rota
from pdmigrate.steps.trend import tells_trend
from pdmigrate.wire.together import run_together
from pdmigrate.workspace.file_names import make_file_name

R = TypeVar("R")


@dataclass(frozen=True, repr=False)
class Verified(ParityFrames, Result):
    """What was found. `unexplained` are the sentences of differences that no decision explains.

    window_requests: what asking PagerDuty about the days around changes of the clock took, apart from everything else;
    oncall_requests: the same about the levels of policies.
    """

    step = "verify"
    draft: Draft
    since: datetime
    until: datetime
    schedules: tuple[ScheduleParity, ...]
    service_parity: tuple[ServiceParity, ...]
    reach: Reach
    drift: tuple[Action, ...]
    unexplained: tuple[str, ...]
    window_requests: int = 0
    policies: tuple[PolicyParity, ...] = ()
    oncall_requests: int = 0

    @property
    def unreachable(self) -> tuple[Unreachable, ...]:
        return self.reach.unreachable

    @property
    def doubted(self) -> tuple[Unreachable, ...]:
        """Who has an account, and is told later than today or is not known to be told."""
        return (*self.reach.late, *self.reach.unproven)

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

    @property
    def error(self) -> PdmigrateError | None:
        if not self.unexplained:
            return None
        number, shown = len(self.unexplained), "; ".join(self.unexplained[:5])
        more = f"; and {number - 5} more" if number > 5 else ""
        return UnexplainedDifferenceError(
            f"{format_number(number, 'difference has', 'differences have')} no decision behind {'it' if number == 1 else 'them'}: {shown}{more}. See the page verify."
        )

    def summarise(self) -> dict[str, Any]:
        names = ("agree", "differ", "unverified")
        schedules = {s.id: {f"{name}_seconds": getattr(s, name) for name in names} for s in self.schedules}
        levels = {"policies": count_policies(self.policies), "levels": count_level_seconds(self.policies)}
        nobody = {
            "nobody_seconds": sum(s.nobody for s in self.schedules),
            "services": count_verdicts(self.service_parity),
        }
        parity = {**self.count_seconds(), **nobody, **levels, "schedules": schedules}
        return {**summarise_draft(self.draft, landed=True), "parity": parity}


@tells_trend("verify")
@records_step("verify")
def verify(job: Job) -> Verified:
    """Read the target afresh and compare. Leaves `parity` in the workspace and rota/*.csv in the run's folder."""
    found = draft(job)
    account, window_requests = ask_all(job, found.account)
    account, oncall_requests = _ask_oncalls(job, account, found.reasons["escalation_policies"])
    found = replace(found, account=account)
    seen = job.progress.follow
    wanted = _in_scope(found, "schedules", found.account.all_schedules)
    asked = run_together(lambda one: _ask_target(job, found, one), wanted, job.progress, "schedules read from Harness")
    schedules = Schedules(
        compare_schedule(found, schedule, told)
        for schedule, told in seen("schedules compared", [*zip(wanted, asked, strict=True)])
    )
    moved = _in_scope(found, "services", found.account.services)
    services = tuple(compare_services(found, seen("services compared", moved), schedules))
    policies = compare_policies(found, schedules, services)
    drift = tuple(action for action in found.plan.actions if action.writes)
    window = (rota.to_instant(found.account.since), rota.to_instant(found.account.until))
    reach = find_reach(found.mapped, [(s.id, s.before, s.after) for s in schedules], window)
    verified = Verified(
        draft=found,
        since=found.account.since,
        until=found.account.until,
        schedules=schedules,
        service_parity=services,
        reach=reach,
        drift=drift,
        unexplained=(
            *found.miscounted,
            *find_unexplained(schedules, services, found.home_zone),
            *find_policies(policies, found.home_zone),
        ),
        window_requests=window_requests,
        policies=policies,
        oncall_requests=oncall_requests,
    )
    _write_rotas(job.folder / "rota", found, schedules)
    job.workspace.save_state("parity", verified.count_seconds())
    return verified


def _ask_oncalls(job: Job, account: Account, policies: Iterable[str]) -> tuple[Account, int]:
    """The account with PagerDuty's own word on each level of each policy, and the requests; a snapshot has what it has."""
    if not job.source:
        return account, 0
    oncalls, requests = job.source.read_oncalls(account.since, account.until, policies)
    job.oncall_requests += requests
    return account.show(oncalls=oncalls), requests


def _ask_target(job: Job, found: Draft, schedule: AnySchedule) -> rota.Rota | None:
    """Who is on call by the target's own answer. A schedule that is not there has nobody, which is an answer too."""
    if not found.state.oncall:
        return None
    identifier = found.identifier_of("schedules", schedule.id)
    if identifier not in found.state.schedules:
        return rota.Rota()
    end = rota.to_datetime(find_end(found, schedule))
    return read_coverage(job.target.read_coverage(identifier, found.account.since, end))


def _in_scope(found: Draft, kind: str, there: Mapping[str, R]) -> list[R]:
    return [record for id, record in there.items() if id in found.reasons[kind]]


def find_unexplained(
    schedules: Iterable[ScheduleParity], services: Iterable[ServiceParity], zone: str = "UTC"
) -> Iterator[str]:
    """A sentence for each object that is otherwise in Harness without a decision: who, when, and since which moment.

    zone: in which the moments of services are told; those of a schedule are told in its own.
    """
    for s in schedules:
        if s.unexplained:
            yield f"schedule {s.name} ({s.id}): {_describe_first(s.unexplained, s.time_zone)}"
        for window in s.windows:
            if window.unexplained:
                day = f"{rota.to_datetime(window.change):%Y-%m-%d}"
                told = _describe_first(window.unexplained, s.time_zone)
                yield f"schedule {s.name} ({s.id}), around the clock change of {day}: {told}"
    for service in services:
        if service.unexplained:
            first = service.unexplained[0]
            where = paging.describe_parting(first.before, first.after)
            unheard = sum(not page.after for page in service.unexplained)
            number = f"{len(service.unexplained):,} of {format_number(service.moments, 'page differs', 'pages differ')}"
            nobody = f", {unheard:,} of them {'pages' if unheard == 1 else 'page'} nobody in Harness" if unheard else ""
            yield (
                f"service {service.name} ({service.id}): {number}{nobody}, the first raised at "
                f"{_describe_moment(first.instant, zone)}, {where} (PagerDuty / Harness)"
            )


def _describe_first(differences: Sequence[Difference], zone: str) -> str:
    seconds = rota.total((start, end) for start, end, _, _ in differences)
    start, _, before, after = differences[0]
    who = f"{_name_all(before)} in PagerDuty, {_name_all(after)} in Harness"
    return f"other people are on call for {format_seconds(seconds)}, first at {_describe_moment(start, zone)}: {who}"


def _name_all(people: rota.People) -> str:
    return ", ".join(sorted(people)) or "nobody"


def _describe_moment(instant: int, zone: str) -> str:
    return format_local(rota.to_datetime(instant), zone)


def _write_rotas(folder: Path, found: Draft, schedules: Iterable[ScheduleParity]) -> None:
    """rota/source/ID.csv and rota/target/ID.csv, both in PagerDuty user ids.

    Who is one person in Harness and several users in PagerDuty is named by all of their ids in the target's.
    """
    ids: dict[str, list[str]] = {}
    for id, email in found.mapped.emails.items():
        ids.setdefault(email, []).append(id)
    for schedule in schedules:
        write_rota(folder / "source" / make_file_name(schedule.id, ".csv"), schedule.source, schedule.time_zone)
        if not schedule.is_unverified:
            write_rota(
                folder / "target" / make_file_name(schedule.id, ".csv"), schedule.after.expand(ids), schedule.time_zone
            )
