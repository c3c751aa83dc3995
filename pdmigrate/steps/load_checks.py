"""All that must hold before a load's first write: the right target, the plan that was seen, guards, nothing moved."""

import time
from datetime import timedelta

from pdmigrate.errors import (
    OpenConflictsError,
    PlanMovedError,
    RefusedError,
    TargetMovedError,
    UnapprovedPlanError,
)
from pdmigrate.harness.records import State
from pdmigrate.plan import guards
from pdmigrate.plan.actions import Plan
from pdmigrate.plan.basis import drop_guards, name_changed
from pdmigrate.steps.draft import read_basis
from pdmigrate.steps.job import Job
from pdmigrate.steps.resuming import has_moved
from pdmigrate.workspace.journal import Journal


def check_before_writing(
    job: Job, plan: Plan, state: State, journal: Journal, begun: dict[str, str], approve: str
) -> set[str]:
    """All that must hold before the first write. Returns the actions that a waiver lets be left because they moved."""
    survey = guards.check_survey(job.settings.target.survey)
    elsewhere = survey or guards.check_target(plan.target, job.target.address.name)
    if elsewhere:
        raise RefusedError(elsewhere)
    if job.latest_account().digest != plan.source:
        raise PlanMovedError("The plan was made from another snapshot than the latest: run conflicts again.")
    changed = name_changed(drop_guards(plan.basis), read_basis(job))
    if changed:
        raise PlanMovedError(
            f"Changed since the plan was made: {', '.join(changed[:5])}; {len(changed)} in all. Run conflicts again, then look at "
            "the plan and approve it."
        )
    _check_guards(job, plan, state, journal, approve)
    moved = [
        a for a in plan.pending if begun.get(a.id) != "done" and has_moved(a, state, begun.get(a.id) == "intended")
    ]
    if moved and not job.decisions().waives(guards.TARGET_MOVED, plan.digest, job.clock()):
        names = ", ".join(f"{a.kind} {a.name} ({a.identifier})" for a in moved[:5])
        raise TargetMovedError(
            f"Harness has changed since the plan was made: {names}; {len(moved)} in all. Run conflicts again."
        )
    return {action.id for action in moved}


class ClockWatch:
    """Whether the clock has jumped since a load began: somebody has set it, or the machine has slept."""

    def __init__(self, job: Job, digest: str):
        self._job, self._digest = job, digest
        self._began, self._ticks = job.clock(), time.monotonic()

    def find_stale(self) -> str:
        """Why what was fresh enough at the beginning is not any more; "" where the clock went on as clocks do."""
        now = self._job.clock()
        jumped = now - self._began - timedelta(seconds=time.monotonic() - self._ticks)
        if abs(jumped) <= guards.CLOCKS_DIFFER:
            return ""
        hours = self._job.settings.rules.guards.snapshot_hours
        said = guards.check_age(self._job.latest_account().taken, now, hours)
        return "" if self._job.decisions().waives("old_snapshot", self._digest, now) else said or ""


def _check_guards(job: Job, plan: Plan, state: State, journal: Journal, approve: str) -> None:
    """What conflicts found, and what only time tells; a plan that no guard has looked at does not pass.

    What was waived after the approval nobody has approved.
    """
    seen = job.workspace.find_state("guards") or {}
    if seen.get("plan") != plan.digest:
        raise RefusedError("No guard has looked at this plan yet: run conflicts again.")
    limits, now = job.settings.rules.guards, job.clock()
    late = {
        "other_account": guards.check_account(job.read_subdomain(), journal.other_sources()),
        "old_snapshot": guards.check_age(job.latest_account().taken, now, limits.snapshot_hours),
        "mailed_before": guards.check_mailed(plan, journal.mailed(), state),
    }
    found = {row["guard"]: row["sentence"] for row in seen["refusals"] if row["guard"] not in late}
    said = [guards.Refusal(name, words) for name, words in {**found, **late}.items() if words]
    judged = guards.apply_waivers(said, job.decisions(), plan.digest, now)
    standing = [r for r in judged if not r.waived_by]
    refused = [r for r in standing if r.guard != guards.UNRESOLVED]
    if refused:
        raise RefusedError(" ".join(f"{r.sentence} (guard {r.guard})" for r in refused))
    if standing:
        raise OpenConflictsError(f"{standing[0].sentence} Answer them, or waive the guard {guards.UNRESOLVED}.")
    approval = None if approve else job.decisions().approves(plan.digest)
    unseen = approval.list_unseen(r.guard for r in judged if r.waived_by) if approval else []
    if approval and unseen:
        raise UnapprovedPlanError(
            f"The approval of {approval.by or 'decisions.yaml'} is void: {', '.join(unseen)} was waived after it. Look at the plan "
            "and approve it again."
        )
