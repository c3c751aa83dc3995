"""Step 5, load: write the approved plan. Every intent is journaled before its request and every result after it.

All checks come before the first write. What fails is said and blocks only what needs it; everything else goes on. After
an interruption the same call goes on: what is there already as planned is booked and not sent again.
"""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from pdmigrate import guards
from pdmigrate.actions import KINDS, Action, Held, Plan, plan_from_json, plan_to_json
from pdmigrate.draft import draft
from pdmigrate.errors import (
    InterruptedLoadError,
    PdmigrateError,
    PlanMovedError,
    RefusedError,
    SideError,
    TargetMovedError,
)
from pdmigrate.harness.invitations import batch_invites, invite
from pdmigrate.harness.records import Person, State
from pdmigrate.harness.writers import write_action
from pdmigrate.job import Job, records_step
from pdmigrate.journal import Journal
from pdmigrate.mapping import choose_scope
from pdmigrate.pagerduty.account import Account
from pdmigrate.planning import read_existing

Outcome = Literal["created", "updated", "adopted", "kept", "skipped", "failed", "handed_over", "waiting"]
OUTCOMES: tuple[Outcome, ...] = ("created", "updated", "adopted", "kept", "skipped", "failed")
PAST: dict[str, Outcome] = {
    "create": "created",
    "update": "updated",
    "adopt": "adopted",
    "keep": "kept",
    "handover": "handed_over",
}
SMALL = {"contact_methods": "contact_details", "notification_rules": "notification_rules", "overrides": "overrides"}
"""Kinds whose every change is small, under the name that `rules.auto_approve` has for it."""


@dataclass(frozen=True)
class Done:
    """What became of one action."""

    action: Action
    outcome: Outcome
    note: str = ""


@dataclass(frozen=True)
class Loaded:
    """The whole load. waiting: actions that nobody has approved. requests, retries: what went to Harness."""

    plan: Plan
    done: tuple[Done, ...]
    held: tuple[Held, ...]
    requests: int
    retries: int
    writes: int
    approved_by: str

    @property
    def waiting(self) -> tuple[Done, ...]:
        return tuple(done for done in self.done if done.outcome == "waiting")

    def count_kinds(self) -> dict[str, dict[str, int]]:
        """Source objects per kind and outcome. What is held by an open question is skipped."""
        counts: dict[str, Counter] = {kind: Counter() for kind in KINDS}
        for done in self.done:
            counts[done.action.kind][done.outcome] += max(1, len(done.action.sources))
        for held in self.held:
            counts[held.kind]["skipped"] += held.open_question
        return {kind: {name: counter[name] for name in OUTCOMES} for kind, counter in counts.items()}


Progress = Callable[[Done, int, int], None]


class Cancel:
    """Set it, and the load stops between two steps."""

    def __init__(self) -> None:
        self.asked = False

    def ask(self) -> None:
        self.asked = True


@records_step("load")
def load(job: Job, approve: str = "", progress: Progress | None = None, cancel: Cancel | None = None) -> Loaded:
    """Write the plan, if it is approved: in decisions.yaml, by this digest, or as a small change approved in advance.

    approve: a digest, `all` (for the embedded pair and rehearsals), or nothing. Leaves the journal in the workspace.
    Raises PlanMovedError, TargetMovedError, RefusedError before the first write, InterruptedLoadError when cancelled.
    """
    plan = plan_from_json(job.workspace.load_state("plan", "conflicts"))
    approved_by = _read_approval(job, plan, approve)
    state = job.target.read_state()
    with job.journal().opened() as journal:
        _check(job, plan, state, journal)
        passed = [action for action in plan.pending if approved_by or _is_small(job, action)]
        number = journal.start_load(plan.digest, job.clock()) if passed else 0
        run = _Run(job, journal, state, number, progress, cancel or Cancel(), len(passed))
        for action in plan.actions:
            if action.verb in ("keep", "handover"):
                run.note(Done(action, PAST[action.verb], action.reason))
            elif action not in passed:
                run.note(Done(action, "waiting", "nobody has approved it"))
        run.load_all(passed)
        if passed and not run.failed and len(passed) == len(plan.pending):
            journal.finish_load(run.number, job.clock())
    counts = job.target.transport.counts
    return Loaded(plan, tuple(run.results), plan.held, counts.requests, counts.retries, counts.writes, approved_by)


def replan(job: Job) -> Plan:
    """The plan as both sides are now, left in the workspace."""
    plan = draft(job).plan
    job.workspace.save_state("plan", plan_to_json(plan))
    return plan


class _Run:
    """One load under way: what is done, what failed, and what that blocks."""

    def __init__(self, job, journal, state, number, progress, cancel, total):
        self.job, self.journal, self.state, self.number = job, journal, state, number
        self.progress, self.cancel, self.total = progress, cancel, total
        self.people: dict[str, Person] = state.people
        self.results: list[Done] = []
        self.broken: dict[tuple[str, str], str] = {}
        self.finished = 0

    @property
    def failed(self) -> bool:
        return bool(self.broken)

    def note(self, done: Done) -> None:
        self.results.append(done)

    def load_all(self, actions: list[Action]) -> None:
        """In the plan's order; people are invited in batches, once their groups are there."""
        strangers = [action for action in actions if action.kind == "users"]
        groups = [action for action in actions if action.kind == "teams"]
        others = [action for action in actions if action.kind not in ("users", "teams")]
        for action in groups:
            self._load_one(action)
        for batch in batch_invites(self._unblocked(strangers)):
            self._load_batch(batch)
        for action in self._unblocked(others):
            self._load_one(action)

    def _unblocked(self, actions: list[Action]):
        for action in actions:
            needed = next((need for need in action.needs if need in self.broken), None)
            if needed is None:
                yield action
            else:
                self._finish(action, "skipped", f"it needs {needed[0]} {needed[1]}, which failed")

    def _load_one(self, action: Action) -> None:
        self._stop_if_asked()
        if self._is_there(action):
            return self._finish(action, PAST[action.verb], "")
        self.journal.record(self.number, action, "intended", self.job.clock())
        try:
            note = write_action(self.job.target, action, self.people)
        except PdmigrateError as error:
            return self._fail(action, error)
        return self._finish(action, PAST[action.verb], note)

    def _load_batch(self, batch: tuple[Action, ...]) -> None:
        self._stop_if_asked()
        fresh = tuple(action for action in batch if not self._is_there(action))
        for action in (action for action in batch if action not in fresh):
            self._finish(action, "created", "")
        for action in fresh:
            self.journal.record(self.number, action, "intended", self.job.clock())
        try:
            words = invite(self.job.target, fresh) if fresh else {}
        except PdmigrateError as error:
            for action in fresh:
                self._fail(action, error)
            return
        for action in fresh:
            word = words[action.identifier]
            self._finish(action, "failed" if word else "created", word)

    def _is_there(self, action: Action) -> bool:
        """Nothing to send: a run that broke off has done it already, or it only has to be booked."""
        if action.after is None:
            return read_existing(action.kind, action.identifier, action.before, self.state) is None
        return read_existing(action.kind, action.identifier, action.after, self.state) == action.after

    def _fail(self, action: Action, error: PdmigrateError) -> None:
        """One object's trouble is its own; a side that is gone, or refuses the key, is everybody's."""
        self._finish(action, "failed", str(error))
        if isinstance(error, SideError) and getattr(error, "status", 0) == 0:
            raise error

    def _finish(self, action: Action, outcome: Outcome, note: str) -> None:
        state = "done" if outcome in PAST.values() else outcome
        self.journal.record(self.number, action, state, self.job.clock(), note)
        if state != "done":
            self.broken[(action.kind, action.key)] = note
        self.results.append(Done(action, outcome, note))
        self.finished += 1
        if self.progress:
            self.progress(self.results[-1], self.finished, self.total)

    def _stop_if_asked(self) -> None:
        if self.cancel.asked:
            raise InterruptedLoadError(
                f"Cancelled after {self.finished} of {self.total} steps: run load again, it goes on from there."
            )


def _read_approval(job: Job, plan: Plan, approve: str) -> str:
    """Who let the plan pass, or "". Raises PlanMovedError for the digest of another plan."""
    if approve == "all":
        return "--approve all"
    if approve and approve != plan.digest:
        raise PlanMovedError(
            f"The plan is {plan.digest[:12]} now, not {approve[:12]}: look at it again, then approve that digest."
        )
    if approve:
        return "--approve"
    approval = job.decisions().approves(plan.digest)
    return (approval.by or "decisions.yaml") if approval else ""


def _is_small(job: Job, action: Action) -> bool:
    """Whether migration.yaml has approved this kind of change in advance. A new group or schedule never is."""
    rules = job.settings.rules.auto_approve
    if action.kind == "teams":
        return (
            action.verb == "update"
            and {name for name, _, _ in action.changes()} == {"users"}
            and "group_members" in rules
        )
    return SMALL.get(action.kind) in rules


def _check(job: Job, plan: Plan, state: State, journal: Journal) -> None:
    snapshot = job.latest_snapshot()
    refusals = (
        guards.check_survey(job.settings.target.survey),
        guards.check_target(plan.target, job.target.name),
        guards.check_account(job.subdomain, journal.other_sources()),
        guards.check_age(snapshot.taken, job.clock()),
        guards.check_complete(snapshot.account.unread),
        guards.check_hidden(_find_hidden(job, snapshot.account)),
    )
    for sentence in filter(None, refusals):
        raise RefusedError(sentence)
    if snapshot.digest != plan.source:
        raise PlanMovedError("The plan was made from another snapshot than the latest: run conflicts again.")
    begun = journal.begun(plan.digest)
    moved = [a for a in plan.pending if _has_moved(a, state) and not (a.before is None and a.id in begun)]
    if moved:
        names = ", ".join(f"{a.kind} {a.name} ({a.identifier})" for a in moved[:5])
        raise TargetMovedError(
            f"Harness has changed since the plan was made: {names}; {len(moved)} in all. Run conflicts again."
        )


def _find_hidden(job: Job, account: Account) -> list[str]:
    scope = choose_scope(account, job.settings.scope.services)["escalation_policies"]
    return [said for id, said in account.hidden.items() if id in scope]


def _has_moved(action: Action, state: State) -> bool:
    """Neither as the plan found it nor as the plan leaves it."""
    fields = action.after if action.after is not None else action.before
    have = read_existing(action.kind, action.identifier, fields, state)
    return have not in (action.before, action.after)
