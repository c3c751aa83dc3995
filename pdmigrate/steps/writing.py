"""The writing itself of a load. Every intent is journaled before its request and every result after it.

What fails is said and blocks only what needs it; everything else goes on. What is there already as planned is booked and
not sent again.
"""

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import chain, groupby
from typing import Literal

from pdmigrate.errors import InterruptedLoadError, PdmigrateError, SideError, UnreachableError, UnwritableError
from pdmigrate.harness.records import Membership, State
from pdmigrate.plan.actions import Action, Plan, name_places
from pdmigrate.steps.cancel import Cancel
from pdmigrate.steps.job import Job
from pdmigrate.steps.load_checks import ClockWatch
from pdmigrate.steps.resuming import has_moved, is_there
from pdmigrate.wire.transport import MOST_ILL
from pdmigrate.workspace.journal import Journal

Outcome = Literal["created", "updated", "adopted", "kept", "skipped", "failed", "handed_over", "waiting"]
PAST: dict[str, Outcome] = {
    "create": "created",
    "update": "updated",
    "adopt": "adopted",
    "keep": "kept",
    "handover": "handed_over",
}
INVITES_A_CALL = 100
AT_ONCE = 4
"""Objects that are written at one time, of one kind: they do not need each other. A call with invitations may wait beside them."""


@dataclass(frozen=True)
class Done:
    """What became of one action."""

    action: Action
    outcome: Outcome
    note: str = ""


Progress = Callable[[Done, int, int], None]
"""Called after each action with it, how many are done, and of how many."""


@dataclass
class Writing:
    """One load under way: what is done, what failed, and what that blocks. The journal is written by this thread alone.

    begun: the state of each action that an interrupted load has begun. broken: kind and id of what failed, and why.
    ill: how many objects in a row had no answer. flying: what was sent, and is not back. invites: calls that are still to
    be sent. awaited: kind and id of everybody who is invited, and of what waits for them, which is `later`.
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
    flying: dict[Future[list[Done]], tuple[Action, ...]] = field(default_factory=dict)
    invites: list[tuple[Action, ...]] = field(default_factory=list)
    awaited: set[tuple[str, str]] = field(default_factory=set)
    later: list[Action] = field(default_factory=list)

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
            self._finish(Done(action, "skipped", "changed in Harness since the plan was made: left as it is"))
        else:
            return False
        return True

    def _load_all(self, actions: list[Action]) -> None:
        """In the plan's order. People are invited in batches, once their groups are there.

        Harness takes few calls with invitations a minute: while one waits, whatever needs nobody who is invited is written.
        Whatever stops this, what was sent is waited for and booked; what waits for its turn is not sent.
        """
        with ThreadPoolExecutor(AT_ONCE + 1) as pool:
            try:
                for kind, group in groupby(actions, key=lambda action: action.kind):
                    if kind == "users":
                        strangers = [action for action in self._unblocked(group) if not self._settle_there(action)]
                        self.invites = batch_invites(strangers)
                        self.awaited.update(place for action in strangers for place in name_places(action))
                    else:
                        self._load_kind(pool, group)
                while self.invites or self.flying:
                    self._send(pool)
                    wait(self.flying)
                later, self.awaited = self.later, set()
                for _, group in groupby(later, key=lambda action: action.kind):
                    self._load_kind(pool, group)
            except BaseException as error:
                self.job.under_way.stop_waiting()
                with self.journal.together(), suppress(InterruptedLoadError):
                    self._land(wait(self.flying).done)
                if isinstance(error, InterruptedLoadError):
                    raise say_stopped(self.finished, self.total, str(error)) from None
                raise

    def _unblocked(self, actions: Iterable[Action]) -> Iterator[Action]:
        for action in actions:
            needed = next((need for need in action.needs if need in self.broken), None)
            if needed is not None:
                self._finish(Done(action, "skipped", f"it needs {needed[0]} {needed[1]}, which failed"))
            elif self.awaited.isdisjoint(action.needs):
                yield action
            else:
                self.awaited.update(name_places(action))
                self.later.append(action)

    def _settle_there(self, action: Action) -> bool:
        """What was sent before an interruption and never booked is not sent again, nor does it take a place in a call."""
        if there := is_there(action, self.state):
            self._finish(Done(action, PAST[action.verb]))
        return there

    def _load_kind(self, pool: ThreadPoolExecutor, actions: Iterable[Action]) -> None:
        """A few at a time, all of them before the next kind."""
        for action in self._unblocked(actions):
            self._send(pool, action)
        with self.journal.together():
            self._land(wait(self._writes).done)

    @property
    def _writes(self) -> list[Future[list[Done]]]:
        return [one for one, actions in self.flying.items() if actions[0].kind != "users"]

    def _send(self, pool: ThreadPoolExecutor, action: Action | None = None) -> None:
        """The action, and the next invitations if none are under way. What is back is booked with their intents."""
        sent: list[tuple[Action, ...]] = []
        with self.journal.together():
            self._land([one for one in self.flying if one.done()])
            while len(self._writes) >= AT_ONCE:
                self.journal.flush()
                self._land(wait(self.flying, return_when=FIRST_COMPLETED).done)
            self._stop_if_asked()
            if action and not self._settle_there(action):
                sent.append((action,))
            if self.invites and len(self._writes) == len(self.flying):
                sent.append(self.invites.pop(0))
            for one in chain(*sent):
                self.journal.record(self.number, one, "intended", self.job.clock())
        for actions in sent:
            self.flying[pool.submit(self._write, actions)] = actions

    def _write(self, actions: tuple[Action, ...]) -> list[Done]:
        """One object, or one call with invitations, whose people share their groups and roles. In a thread of its own."""
        one, target = actions[0], self.job.target
        if one.kind != "users":
            return [Done(one, PAST[one.verb], target.write_change(one, self.state.people))]
        words = target.invite_people(sorted({a.identifier for a in actions}), *_name_groups(one))
        return [Done(a, "failed" if (word := words[a.identifier]) else PAST[a.verb], word) for a in actions]

    def _land(self, arrived: Iterable[Future[list[Done]]]) -> None:
        """Book what has come back. A side that is gone is raised, after all of them are booked; so is a stop."""
        gone: PdmigrateError | None = None
        stopped = False
        for future in arrived:
            actions = self.flying.pop(future)
            error = future.exception()
            if error is None:
                for done in future.result():
                    self._finish(done)
            elif isinstance(error, InterruptedLoadError):  # its intent stays open, and the next load looks it up
                stopped = True
            elif isinstance(error, PdmigrateError):
                for action in actions:
                    gone = self._fail(action, error) or gone
            else:
                raise error
        if gone:
            raise gone
        if stopped:
            raise InterruptedLoadError

    def _fail(self, action: Action, error: PdmigrateError) -> PdmigrateError | None:
        """One object's trouble is its own; a side that is gone, or refuses the key, is everybody's, and is returned.

        So is one that answers several objects in a row with nothing but errors of its own.
        """
        self._finish(Done(action, "failed", str(error)))
        self.ill += isinstance(error, UnreachableError)
        gone = isinstance(error, UnwritableError) or (isinstance(error, SideError) and getattr(error, "status", 0) == 0)
        return error if gone or self.ill >= MOST_ILL else None

    def _finish(self, done: Done) -> None:
        action = done.action
        state = "done" if done.outcome in PAST.values() else done.outcome
        self.ill = 0 if state == "done" else self.ill
        self.journal.record(self.number, action, state, self.job.clock(), done.note)
        if state != "done":
            self.broken.update(dict.fromkeys(name_places(action), done.note))
        self._count(done)

    def _count(self, done: Done) -> None:
        self.results.append(done)
        self.finished += 1
        self.job.progress.count("steps", self.finished, self.total)
        self.job.progress.add(done.action.kind.replace("_", " "))
        if self.progress:  # it may look at the journal, or pause
            self.journal.flush()
            self.progress(done, self.finished, self.total)

    def _stop_if_asked(self) -> None:
        if self.cancel.asked:
            raise InterruptedLoadError
        if stale := self.watch.find_stale():
            raise InterruptedLoadError(f", since the clock has jumped meanwhile: {stale}")


def say_stopped(number: int, total: int, why: str = "") -> InterruptedLoadError:
    """The error of a load that ended before its end. why: the reason, from a comma on; without one a person has cancelled it."""
    if why:
        return InterruptedLoadError(f"Stopped after {number} of {total} steps{why}")
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
