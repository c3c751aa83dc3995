"""Undo: what a run wrote and nobody has changed since can be listed and reverted, newest first, each step journaled."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from pdmigrate.errors import PdmigrateError, SideError, UsageError
from pdmigrate.harness.records import State
from pdmigrate.plan.actions import Action, check_fields
from pdmigrate.plan.answers import Approval
from pdmigrate.plan.planning import read_existing
from pdmigrate.steps.job import Job, records_step
from pdmigrate.steps.result import Result
from pdmigrate.wire.forms import FormError
from pdmigrate.workspace.database import damaged
from pdmigrate.workspace.decisions import drop_answer
from pdmigrate.workspace.journal import Journal, Run


@dataclass(frozen=True)
class Revert:
    """What a run did, to be taken back; `left` says why it is not: changed since, or already gone."""

    action: Action
    left: str = ""
    note: str = ""


@dataclass(frozen=True, repr=False)
class Undone(Result):
    """What an undo would do, or, where `written`, has done.

    mailed: the names of those whom the run has invited; a mail stays sent. approval: of the run's plan, in decisions.yaml;
    where `written`, it was withdrawn.
    """

    step = "undo"
    run: Run
    reverts: tuple[Revert, ...]
    written: bool
    mailed: tuple[str, ...] = ()
    approval: Approval | None = None

    @property
    def left(self) -> tuple[Revert, ...]:
        return tuple(revert for revert in self.reverts if revert.left)

    def summarise(self) -> dict[str, Any]:
        return {"taken_back": (len(self.reverts) - len(self.left)) * self.written}


@records_step("undo")
def undo(
    job: Job, number: int | None = None, yes: bool = False, describe: Callable[[Revert], None] = lambda r: None
) -> Undone:
    """List what run `number` (the latest load, without one) wrote and can be reverted; with `yes`, revert it.

    Whatever has been changed since, by people or by a later run, is named and left. The approval of the run's plan is
    withdrawn before the first write: the next load would make everything anew. An undo that writes nothing books nothing.
    Raises UsageError for a run that is not there, WorkspaceHeldError while another run is under way.
    """
    with job.hold("undo"), job.journal().opened() as journal:
        run = _find_run(journal, number)
        state = job.target.read_state()
        wrote = [_check(run, step.action) for step in journal.states(run.number).values() if step.wrote]
        later = _list_later(journal, run)
        listed = [_judge(action, state, later) for action in reversed(wrote)]
        mailed = tuple(sorted(a.name for a in wrote if (a.kind, a.verb) == ("users", "create")))
        approval = job.decisions().approves(run.digest)
        if yes and approval:
            drop_answer(job.workspace.decisions_file, Approval, run.digest)
        if yes and any(not revert.left for revert in listed):
            undoing = journal.start_undo(run.number, job.clock())
            for place, revert in enumerate(listed):
                if not revert.left:
                    listed[place] = _revert(job, journal, undoing, revert.action, state)
                describe(listed[place])
                job.progress.count("objects", place + 1, len(listed))
            journal.finish_load(undoing, job.clock())
    return Undone(run, tuple(listed), yes, mailed, approval)


def _check(run: Run, action: Action) -> Action:
    """The same, where what was written and what was there can be compared with Harness."""
    try:
        for fields in (action.before, action.after):
            if fields is not None:
                check_fields(f"run {run.number}, {action.id}", replace(action, after=fields))
    except FormError as error:
        raise damaged(str(error)) from None
    return action


def _find_run(journal: Journal, number: int | None) -> Run:
    runs = [run for run in journal.runs() if run.kind == "load"]
    wanted = [run for run in runs if number in (None, run.number)]
    if not wanted:
        numbers = ", ".join(str(run.number) for run in runs) or "none yet"
        load = "load" if number is None else f"load {number}"
        raise UsageError(f"There is no {load} to undo: there are {numbers}; see pdmigrate history.")
    return wanted[-1]


def _list_later(journal: Journal, run: Run) -> dict[str, int]:
    """Objects that a later run wrote to, undos included, and which."""
    later = [r.number for r in journal.runs() if r.number > run.number]
    return {id: n for n in later for id, step in journal.states(n).items() if step.wrote}


def _judge(action: Action, state: State, later: dict[str, int]) -> Revert:
    if action.id in later:
        return Revert(action, f"run {later[action.id]} has written to it since")
    have = read_existing(action.kind, action.identifier, action.after or action.before or {}, state)
    if have != action.after:
        return Revert(action, "gone already" if have is None else "changed in Harness since")
    accepted = action.kind == "users" and state.people[action.identifier].accepted
    return Revert(action, "has accepted the invitation since: accounts are never removed" if accepted else "")


def _revert(job: Job, journal: Journal, number: int, done: Action, state: State) -> Revert:
    """A writer tells a new object by its `before`: one that the run took back is made anew."""
    action = replace(done, verb="update", before=done.after, after=done.before)
    journal.record(number, action, "intended", job.clock())
    try:
        if action.after is None:
            job.target.remove_created(action.kind, action.identifier, state)
        else:
            job.target.write_change(action, state.people)
    except PdmigrateError as error:
        journal.record(number, action, "failed", job.clock(), str(error))
        if isinstance(error, SideError) and getattr(error, "status", 0) == 0:
            raise
        return Revert(done, f"failed: {error}")
    journal.record(number, action, "done", job.clock(), f"run {done.verb} taken back")
    return Revert(done, note="removed" if action.after is None else "as it was")
