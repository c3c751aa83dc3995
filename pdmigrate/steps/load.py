"""Step 5, load: write the approved plan. Every intent is journaled before its request and every result after it.

All checks come before the first write. What fails is said and blocks only what needs it; everything else goes on. After
an interruption the same call goes on: what is there already as planned is booked and not sent again.
"""

import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field, replace
from itertools import groupby
from typing import TYPE_CHECKING, Any, Literal

from pdmigrate.errors import (
    InterruptedLoadError,
    PartialLoadError,
    PdmigrateError,
    SideError,
    UnapprovedPlanError,
    UnreachableError,
    UnwritableError,
)
from pdmigrate.harness.records import Membership, State
from pdmigrate.oncall.words import format_number
from pdmigrate.plan import guards
from pdmigrate.plan.actions import Action, Held, Plan, plan_from_json
from pdmigrate.plan.kinds import KINDS
from pdmigrate.steps.cancel import Cancel
from pdmigrate.steps.job import Job, records_step
from pdmigrate.steps.load_checks import ClockWatch, check_before_writing
from pdmigrate.steps.plan_frames import frame_outcomes
from pdmigrate.steps.result import Result
from pdmigrate.steps.resuming import find_begun, has_moved, is_there
from pdmigrate.wire.transport import MOST_ILL
from pdmigrate.workspace.journal import Journal

if TYPE_CHECKING:
    import pandas as pd

Outcome = Literal["created", "updated", "adopted", "kept", "skipped", "failed", "handed_over", "waiting"]
OUTCOMES: tuple[Outcome, ...] = ("created", "updated", "adopted", "kept", "skipped", "failed")
PAST: dict[str, Outcome] = {
    "create": "created",
    "update": "updated",
    "adopt": "adopted",
    "keep": "kept",
    "handover": "handed_over",
}
INVITES_A_CALL = 100
AT_ONCE = 4
"""Requests under way at one time, of one kind: objects of a kind do not need each other."""


@dataclass(frozen=True)
class Done:
    """What became of one action."""

    action: Action
    outcome: Outcome
    note: str = ""


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


Progress = Callable[[Done, int, int], None]
"""Called after each action with it, how many are done, and of how many."""


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
            raise _stopped_after(0, len(plan.pending)) from None
        begun = find_begun(journal, plan)
        moved = check_before_writing(job, plan, state, journal, begun, approve)
        small = job.settings.rules.auto_approve
        passed = {a.id for a in plan.pending if approved_by or guards.is_small(a, small)}
        snapshot = job.workspace.load_state("snapshot", "preview")["file"]
        number = journal.start_load(plan, job.clock(), approved_by, snapshot) if passed else 0
        run = _Run(
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


@dataclass
class _Run:
    """One load under way: what is done, what failed, and what that blocks. The journal is written by this thread alone.

    begun: the state of each action that an interrupted load has begun. broken: kind and key of what failed, and why.
    ill: how many objects in a row had no answer.
    """

    job: Job
    journal: Journal
    state: State
    number: int
    progress: Progress | None
    cancel: Cancel
    begun: dict[str, str]
    watch: ClockWatch
    results: list[Done] = field(default_factory=list)
    broken: dict[tuple[str, str], str] = field(default_factory=dict)
    ill: int = 0
    finished: int = 0
    total: int = 0

    def load(self, plan: Plan, passed: set[str], moved: set[str]) -> None:
        """Everything that passed, in the plan's order; what waits, is kept or a person's is only noted."""
        to_do = []
        with self.journal.together():
            for action in plan.actions:
                if action.verb in ("keep", "handover"):
                    if action.verb == "keep" and action.synced is not None:
                        self.journal.book(action, self.job.clock())
                    self.results.append(Done(action, PAST[action.verb], action.reason))
                elif action.id not in passed:
                    self.results.append(Done(action, "waiting", "nobody has approved it"))
                else:
                    to_do.append(action)
        self.total = len(to_do)
        self._load_all([action for action in to_do if not self._settle_early(action, moved)])
        if self.number and not self.broken:
            self.journal.finish_load(self.number, self.job.clock())

    def _settle_early(self, action: Action, moved: set[str]) -> bool:
        """What was done before an interruption is not done twice, whatever people have made of it since."""
        undone = action.writes and not has_moved(action, self.state, False) and not is_there(action, self.state)
        if self.begun.get(action.id) == "done" and not undone:
            self._count(Done(action, PAST[action.verb], "done before the interruption"))
        elif action.id in moved:
            self._finish(action, "skipped", "changed in Harness since the plan was made: left as it is")
        else:
            return False
        return True

    def _load_all(self, actions: list[Action]) -> None:
        """In the plan's order; people are invited in batches, once their groups are there."""
        with ThreadPoolExecutor(AT_ONCE) as pool:
            for kind, group in groupby(actions, key=lambda action: action.kind):
                unblocked = self._unblocked(list(group))
                if kind == "users":
                    for batch in batch_invites(action for action in unblocked if not self._settle_there(action)):
                        self._load_batch(batch)
                else:
                    self._load_kind(pool, unblocked)

    def _unblocked(self, actions: list[Action]) -> Iterator[Action]:
        for action in actions:
            needed = next((need for need in action.needs if need in self.broken), None)
            if needed is None:
                yield action
            else:
                self._finish(action, "skipped", f"it needs {needed[0]} {needed[1]}, which failed")

    def _settle_there(self, action: Action) -> bool:
        """What was sent before an interruption and never booked is not sent again, nor does it take a place in a call."""
        if there := is_there(action, self.state):
            self._finish(action, PAST[action.verb], "")
        return there

    def _load_kind(self, pool: ThreadPoolExecutor, actions: Iterable[Action]) -> None:
        """A few at a time; what is back is booked with the next intent. Whatever stops this, what was sent is waited for and booked."""
        flying: dict[Future[str], Action] = {}
        try:
            for action in actions:
                with self.journal.together():
                    self._land(flying, [one for one in flying if one.done()])
                    self._stop_if_asked(lambda: self._land(flying, wait(flying).done))
                    if self._settle_there(action):
                        continue
                    self.journal.record(self.number, action, "intended", self.job.clock())
                flying[pool.submit(self.job.target.write_change, action, self.state.people)] = action
                if len(flying) >= AT_ONCE:
                    wait(flying, return_when=FIRST_COMPLETED)
        finally:
            with self.journal.together():
                self._land(flying, wait(flying).done)

    def _land(self, flying: dict[Future[str], Action], arrived: Iterable[Future[str]]) -> None:
        """Book what has come back. A side that is gone is raised, after all of them are booked; so is a stop, once nothing flies."""
        gone: PdmigrateError | None = None
        stopped = False
        for future in arrived:
            action = flying.pop(future)
            error = future.exception()
            if error is None:
                self._finish(action, PAST[action.verb], future.result())
            elif isinstance(error, InterruptedLoadError):  # its intent stays open, and the next load looks it up
                stopped = True
            elif isinstance(error, PdmigrateError):
                gone = self._fail(action, error) or gone
            else:
                raise error
        if gone:
            raise gone
        if stopped:
            self._land(flying, wait(flying).done)
            raise _stopped_after(self.finished, self.total)

    def _load_batch(self, batch: tuple[Action, ...]) -> None:
        """All of a batch share their groups and roles."""
        self._stop_if_asked()
        with self.journal.together():
            for action in batch:
                self.journal.record(self.number, action, "intended", self.job.clock())
        try:
            words = self.job.target.invite_people(sorted({a.identifier for a in batch}), *_name_groups(batch[0]))
        except InterruptedLoadError:
            raise _stopped_after(self.finished, self.total) from None
        except PdmigrateError as error:
            if any([self._fail(action, error) for action in batch]):  # noqa: C419 - a list: all of them are booked
                raise
            return
        with self.journal.together():
            for action in batch:
                self._finish(action, "failed" if (word := words[action.identifier]) else PAST[action.verb], word)

    def _fail(self, action: Action, error: PdmigrateError) -> PdmigrateError | None:
        """One object's trouble is its own; a side that is gone, or refuses the key, is everybody's, and is returned.

        So is one that answers several objects in a row with nothing but errors of its own.
        """
        self._finish(action, "failed", str(error))
        self.ill += isinstance(error, UnreachableError)
        gone = isinstance(error, UnwritableError) or (isinstance(error, SideError) and getattr(error, "status", 0) == 0)
        return error if gone or self.ill >= MOST_ILL else None

    def _finish(self, action: Action, outcome: Outcome, note: str) -> None:
        state = "done" if outcome in PAST.values() else outcome
        self.ill = 0 if state == "done" else self.ill
        self.journal.record(self.number, action, state, self.job.clock(), note)
        if state != "done":
            self.broken[(action.kind, action.key)] = note
        self._count(Done(action, outcome, note))

    def _count(self, done: Done) -> None:
        self.results.append(done)
        self.finished += 1
        self.job.progress.count("steps", self.finished, self.total)
        self.job.progress.add(done.action.kind.replace("_", " "))
        if self.progress:  # it may look at the journal, or pause
            self.journal.flush()
            self.progress(done, self.finished, self.total)

    def _stop_if_asked(self, settle: Callable[[], None] = lambda: None) -> None:
        """settle: books what is under way, so that it is counted."""
        asked, stale = self.cancel.asked, self.watch.find_stale()
        if asked or stale:
            self.journal.flush()
            settle()
        if asked:
            raise _stopped_after(self.finished, self.total)
        if stale:
            raise InterruptedLoadError(
                f"Stopped after {self.finished} of {self.total} steps, since the clock has jumped meanwhile: {stale}"
            )


def _stopped_after(number: int, total: int) -> InterruptedLoadError:
    return InterruptedLoadError(f"Cancelled after {number} of {total} steps: run load again, it goes on from there.")


def batch_invites(actions: Iterable[Action]) -> list[tuple[Action, ...]]:
    """People to invite, put together by the groups and roles that they will get, at most 100 a call.

    An invited person has no id and can be put into a group only by the invitation itself.
    """
    sets: dict[tuple[tuple[str, ...], tuple[str, ...]], list[Action]] = {}
    for action in actions:
        sets.setdefault(_name_groups(action), []).append(action)
    return [
        tuple(found[i : i + INVITES_A_CALL]) for found in sets.values() for i in range(0, len(found), INVITES_A_CALL)
    ]


def _name_groups(action: Action) -> tuple[tuple[str, ...], tuple[str, ...]]:
    member = action.read(Membership)
    return member.groups, member.roles
