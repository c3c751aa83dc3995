"""Schedules before and after: PagerDuty's rendering beside what the target itself says, second by second.

Over the horizon, and apart from it over the days around both next changes of the clock. Three grades, never blurred:
agree and differ where the target was read, unverified where Harness has no API.
"""

from dataclasses import dataclass
from zoneinfo import ZoneInfo

from pdmigrate import rota
from pdmigrate.draft import Draft
from pdmigrate.harness import rota as harness_rota
from pdmigrate.job import Job
from pdmigrate.mapping.fidelity import NOT_CARRIED, Fidelity
from pdmigrate.mapping.judge import (
    choose_reading,
    list_evidence,
    next_changes,
    read_shown,
    render_with_overrides,
    windows_around,
)
from pdmigrate.pagerduty import records, rota_v3
from pdmigrate.pagerduty.readings import WALL
from pdmigrate.pagerduty.v3_records import ScheduleV3


@dataclass(frozen=True)
class WindowParity:
    """The days around one change of the clock, in seconds. judged: PagerDuty's own rendering was there to compare."""

    start: int
    end: int
    change: int
    differences: tuple
    judged: bool
    unverified: bool
    held_until: int | None

    @property
    def differ(self) -> int:
        return rota.total((s, e) for s, e, _, _ in self.differences)

    @property
    def unexplained(self) -> int:
        """Seconds that differ before the day until which the schedule is said to be right."""
        known = self.held_until is not None
        return sum(e - s for s, e, _, _ in self.differences if not known or s < self.held_until)


@dataclass(frozen=True)
class ScheduleParity:
    """One schedule over the horizon, in seconds. Rotas are in emails. reason: the decision behind a difference.

    read_otherwise: seconds in which our reading of the target's rotations is not what the target itself answers.
    """

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
    fidelity: Fidelity = NOT_CARRIED
    windows: tuple[WindowParity, ...] = ()
    read_otherwise: int = 0
    span: rota.Span = (0, 0)

    @property
    def differences(self) -> tuple:
        return rota.differences(self.before, self.after) if not self.unverified else ()

    @property
    def gaps_before(self) -> tuple[rota.Span, ...]:
        """When nobody is on call in PagerDuty."""
        return rota.subtract_spans([self.span], self.before.covered())

    @property
    def new_gaps(self) -> tuple[rota.Span, ...]:
        """When nobody is on call in the target, and somebody was before."""
        if self.unverified:
            return ()
        return rota.subtract_spans(rota.subtract_spans([self.span], self.after.covered()), self.gaps_before)


def compare_schedule(job: Job, found: Draft, schedule: records.Schedule | ScheduleV3, reason: str) -> ScheduleParity:
    """Read the target's answer once, over the horizon and both changes, and compare."""
    span = (rota.to_instant(found.account.since), rota.to_instant(found.account.until))
    zone = found.work.zones.get(schedule.id) or "UTC"
    shown = read_shown(schedule)
    known = shown if shown is not None else _render_readable(found, schedule, ZoneInfo(zone), span)
    before = _rename(found, known or rota.Rota(), span)
    around = windows_around(ZoneInfo(zone), span[0])
    identifier = found.work.schedules.get(schedule.id, "")
    reach = max([span[1], *(end for _, end in around)])
    whole, read = _read_target(job, found, identifier, reach)
    read = read and known is not None
    after = whole.clip(*span)
    differ = rota.total((s, e) for s, e, _, _ in rota.differences(before, after)) if read else 0
    agree, unverified = (span[1] - span[0] - differ, 0) if read else (0, span[1] - span[0])
    fidelity = found.work.fidelity.get(schedule.id, NOT_CARRIED)
    windows = [
        _compare_window(found, schedule, ZoneInfo(zone), window, change, whole if read else None)
        for window, change in zip(around, next_changes(ZoneInfo(zone), span[0]), strict=True)
        if identifier
    ]
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
        shown is not None,
        reason,
        fidelity,
        tuple(windows),
        _read_otherwise(found, identifier, after, span) if read else 0,
        span,
    )


def _compare_window(
    found: Draft, schedule, zone: ZoneInfo, window: rota.Span, change: int, after: rota.Rota | None
) -> WindowParity:
    evidence = next((shown for span, shown in list_evidence(found.account, schedule) if span == window), None)
    before = _rename(found, evidence if evidence is not None else _render(found, schedule, zone, window), window)
    differences = rota.differences(before, after.clip(*window)) if after is not None else ()
    fidelity = found.work.fidelity.get(schedule.id)
    until = fidelity.until if fidelity else None
    return WindowParity(*window, change, differences, evidence is not None, after is None, until)


def _rename(found: Draft, who: rota.Rota, span: rota.Span) -> rota.Rota:
    return who.clip(*span).rename(found.work.emails)


def _render_readable(found: Draft, schedule, zone: ZoneInfo, span: rota.Span) -> rota.Rota | None:
    """Our own rendering; None where a rule of the schedule cannot be read, so that nothing is known of the before."""
    try:
        return _render(found, schedule, zone, span)
    except ValueError:
        return None


def _render(found: Draft, schedule, zone: ZoneInfo, span: rota.Span) -> rota.Rota:
    """Our own rendering, where PagerDuty has shown none."""
    if isinstance(schedule, ScheduleV3):
        return rota_v3.render_schedule(schedule, *span, choose_reading(found.account, schedule, zone))
    doubtful = found.account.renderings.get(schedule.id) or schedule.final_schedule
    reading = choose_reading(found.account, schedule, zone) if doubtful else WALL
    return render_with_overrides(schedule, reading, zone, *span)


def _read_target(job: Job, found: Draft, identifier: str, end: int) -> tuple[rota.Rota, bool]:
    """The target's own answer; a schedule that is not there has nobody, which is an answer too."""
    if not found.state.oncall:
        return rota.Rota(), False
    if identifier not in found.state.schedules:
        return rota.Rota(), True
    coverage = job.target.read_coverage(identifier, found.account.since, rota.to_datetime(end))
    return harness_rota.read_coverage(coverage), True


def _read_otherwise(found: Draft, identifier: str, after: rota.Rota, span: rota.Span) -> int:
    there = found.state.schedules.get(identifier)
    ours = harness_rota.render_schedule(there, *span) if there else rota.Rota()
    return rota.total((s, e) for s, e, _, _ in rota.differences(ours, after))
