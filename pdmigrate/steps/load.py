"""Step 5, load: write the approved plan. All checks come before the first write; `writing` does the rest.

After an interruption the same call goes on.
"""

import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from pdmigrate.errors import InterruptedLoadError, PartialLoadError, PdmigrateError, UnapprovedPlanError
from pdmigrate.oncall.words import format_number
from pdmigrate.plan import guards
from pdmigrate.plan.actions import Held, Plan, plan_from_json
from pdmigrate.plan.kinds import KINDS
from pdmigrate.steps.cancel import Cancel
from pdmigrate.steps.job import Job, records_step
from pdmigrate.steps.load_checks import ClockWatch, check_before_writing
from pdmigrate.steps.plan_frames import frame_outcomes
from pdmigrate.steps.result import Result
from pdmigrate.steps.resuming import find_begun
from pdmigrate.steps.writing import Done, Outcome, Progress, Writing, say_stopped

if TYPE_CHECKING:
    import pandas as pd

OUTCOMES: tuple[Outcome, ...] = ("created", "updated", "adopted", "kept", "skipped", "failed")


@dataclass(frozen=True, repr=False)
class Loaded(Result):
    """The whole load. waiting: actions that nobody has approved. requests, retries: what went to Harness."""

    step = "load"
    FRAMES = ("actions",)
    plan: Plan
    done: tuple[Done, ...]
    held: tuple[Held, ...]
    requests: int
    retries: int
    writes: int
    approved_by: str
    number: int = 0
    void: str = ""

    @property
    def waiting(self) -> tuple[Done, ...]:
        return tuple(done for done in self.done if done.outcome == "waiting")

    @property
    def actions(self) -> "pd.DataFrame":
        """A row an object, and what became of it; the note says why, and what Harness answered where it refused.

        run: the load's number in the journal. outcome: `waiting` for an approval, `skipped` for an open question or for what
        failed before it, `held` by a decision, `handed_over` to a person. object_id: PagerDuty's.
        """
        return frame_outcomes(self.number, ((d.action, d.outcome, d.note) for d in self.done), self.held)

    def count_kinds(self) -> dict[str, dict[str, int]]:
        """Source objects per kind and outcome. What is held by an open question is skipped."""
        counts: dict[str, Counter[str]] = {kind: Counter() for kind in KINDS}
        for done in self.done:
            counts[done.action.kind][done.outcome] += max(1, len(done.action.sources))
        for held in self.held:
            counts[held.kind]["skipped"] += held.open_question
        return {kind: {name: counter[name] for name in OUTCOMES} for kind, counter in counts.items()}

    @property
    def error(self) -> PdmigrateError | None:
        """A person is needed before trouble is told: the codes' order is the command line's."""
        if self.waiting:
            return UnapprovedPlanError(
                f"{format_number(len(self.waiting), 'action waits', 'actions wait')} for approval: look at the plan, then run with --approve {self.plan.digest}."
                f" {self.void}".rstrip()
            )
        failed = [done for done in self.done if done.outcome in ("failed", "skipped")]
        if failed:
            return PartialLoadError(
                f"{format_number(len(failed), 'action failed or was', 'actions failed or were')} skipped, the first: {failed[0].action.kind} {failed[0].action.name}: {failed[0].note}"
            )
        waiting = sum(held.open_question for held in self.held)
        if waiting:
            return PartialLoadError(
                f"{format_number(waiting, 'object waits', 'objects wait')} for your answer to an open question: see the page load."
            )
        return None

    def summarise(self) -> dict[str, Any]:
        known = {"plan": self.plan.digest, "loaded": bool(self.plan.pending), "approved_by": self.approved_by}
        return {"target_kinds": self.count_kinds(), **known}


class LoadProgress:
    """How far a load is, by kind, and how long it will take. `clock` gives seconds, and is for tests."""

    def __init__(self, clock: Callable[[], float] = time.monotonic):
        self._clock = clock
        self._started = clock()
        self._kinds: Counter[str] = Counter()

    def describe(self, done: Done, number: int, total: int) -> str:
        """`60 of 180, about 12 s left: teams 8, users 28, schedules 24`; by the steps so far, which differ: about right."""
        self._kinds[done.action.kind] += 1
        kinds = ", ".join(f"{kind.replace('_', ' ')} {count}" for kind, count in self._kinds.items())
        seconds = round((self._clock() - self._started) / number * (total - number))
        left = f"{seconds // 60} min" if seconds >= 120 else f"{seconds} s"
        return f"{number} of {total}, about {left} left: {kinds}"


@records_step("load")
def load(job: Job, approve: str = "", progress: Progress | None = None, cancel: Cancel | None = None) -> Loaded:
    """Write the plan, if it is approved: in decisions.yaml, by this digest, or as a small change approved in advance.

    approve: a digest, `all` (for the embedded pair and rehearsals), or nothing. Leaves the journal in the workspace.
    Raises WorkspaceHeldError, PlanMovedError, TargetMovedError, RefusedError or OpenConflictsError before the first
    write, InterruptedLoadError when cancelled.
    """
    before = replace(job.target.counts)
    cancel = job.under_way.cancel = cancel or job.under_way.cancel
    with job.hold("load"), job.journal().opened() as journal:
        plan = plan_from_json(job.workspace.load_state("plan", "conflicts"))
        rehearsal = job.settings.target.kind == "embedded" or job.settings.target.rehearsal
        others = {run.digest for run in journal.runs()}
        approved_by = guards.read_approval(plan, approve, job.decisions(), rehearsal, others)
        try:
            state = job.target.read_state()
        except InterruptedLoadError:
            raise say_stopped(0, len(plan.pending)) from None
        begun = find_begun(journal, plan)
        moved = check_before_writing(job, plan, state, journal, begun, approve)
        small = job.settings.rules.auto_approve
        passed = {a.id for a in plan.pending if approved_by or guards.is_small(a, small)}
        snapshot = job.workspace.load_state("snapshot", "preview")["file"]
        number = journal.start_load(plan, job.clock(), approved_by, snapshot) if passed else 0
        run = Writing(
            job=job,
            journal=journal,
            state=state,
            number=number,
            progress=progress,
            cancel=cancel,
            begun=begun,
            watch=ClockWatch(job, plan.digest),
        )
        job.under_way.writing = True
        try:
            run.load(plan, passed, moved)
        finally:
            job.under_way.writing = False
    counts = job.target.counts
    order = {action.id: place for place, action in enumerate(plan.actions)}
    done = tuple(sorted(run.results, key=lambda d: order[d.action.id]))
    return Loaded(
        plan=plan,
        done=done,
        held=plan.held,
        requests=counts.requests - before.requests,
        retries=counts.retries - before.retries,
        writes=counts.writes - before.writes,
        approved_by=approved_by,
        number=number,
        void=job.workspace.find_state("void") or "",
    )
