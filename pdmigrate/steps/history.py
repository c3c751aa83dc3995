"""History and drift: what each run did, and what has changed since the last one, in PagerDuty and in Harness."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, get_args

from pdmigrate.mapping.draft import Draft
from pdmigrate.pagerduty.account import Account
from pdmigrate.pagerduty.compare import compare_accounts
from pdmigrate.plan.actions import Action
from pdmigrate.plan.kinds import PAGING_KINDS
from pdmigrate.plan.planning import read_existing
from pdmigrate.steps.draft import draft
from pdmigrate.steps.frames import MOMENT, NUMBER, TEXT, Row, Shape, make_frame
from pdmigrate.steps.job import Job, records_step
from pdmigrate.steps.result import Result
from pdmigrate.steps.trend import Row as TrendRow
from pdmigrate.steps.trend import read_trend
from pdmigrate.workspace.journal import JournalStep, Run
from pdmigrate.workspace.trend import Measurer

if TYPE_CHECKING:
    import pandas as pd

NAMES_ONLY = {"name", "description"}
TREND: Shape = {
    "at": MOMENT,
    "step": get_args(Measurer),
    "kind": TEXT,
    "grade": TEXT,
    "number": NUMBER,
    "exit_code": NUMBER,
    "error": TEXT,
    "doubt": TEXT,
}


@dataclass(frozen=True)
class Told:
    """A run and its steps as they ended."""

    run: Run
    steps: tuple[JournalStep, ...]

    def count(self) -> dict[str, int]:
        """How many steps ended in which state; a step that sent nothing counts as booked."""
        return dict(Counter("booked" if s.state == "done" and not s.wrote else s.state for s in self.steps))


@dataclass(frozen=True)
class Change:
    """One object that is not as the last run left it. side: PagerDuty or Harness.

    what: created, changed, gone, unreadable, unreadable no more; of the last two `fields` holds why.
    """

    side: str
    kind: str
    name: str
    what: str
    fields: tuple[str, ...]

    @property
    def pages(self) -> bool:
        """Whether it may change who is paged."""
        renamed = self.what == "changed" and set(self.fields) <= NAMES_ONLY
        return self.kind == "account" or (self.kind in PAGING_KINDS and not renamed)


@dataclass(frozen=True, repr=False)
class History(Result):
    """All runs, newest first, and what has changed since the last. to_do: what a run would write now. counted: what runs of
    verify and replay counted."""

    FRAMES = ("trend",)
    step = "history"
    runs: tuple[Told, ...]
    changes: tuple[Change, ...]
    to_do: tuple[Action, ...]
    counted: tuple[TrendRow, ...] = ()

    @property
    def trend(self) -> "pd.DataFrame":
        """A row a number that a run of verify or replay has counted: how many of a kind have a grade. A run that failed has one
        row without any, and so has one that is damaged. doubt: why its numbers stand in no curve."""
        rows = [one for row in self.counted for one in _list_counted(row)]
        return make_frame("What each night found", TREND, rows)


def _list_counted(row: TrendRow) -> Iterator[Row]:
    run = row.measured
    told: Row = dict.fromkeys(TREND) | {"doubt": row.doubt or None}
    if run:
        told |= {"at": run.moment, "step": run.step, "exit_code": run.exit_code, "error": run.error or None}
    numbers = [(kind, *one) for kind, grades in run.figures.items() for one in grades.items()] if run else []
    for kind, grade, number in numbers:
        yield told | {"kind": kind, "grade": grade, "number": number}
    if not numbers:
        yield told


@records_step("history")
def history(job: Job) -> History:
    """Read the journal, the latest snapshot and Harness as it is now. Writes to neither side.

    What changed in PagerDuty is told from the snapshot that the last run was made from: run preview first for news.
    """
    found = draft(job)
    runs = list_runs(job)
    names = [told.run.snapshot for told in runs if told.run.snapshot]
    known = bool(names) and (job.workspace.snapshots / names[-1]).is_file()
    source = tell_source(job.read_account(names[-1]), found.account) if known else []
    # each object as the last run that wrote to it left it
    left = {step.action.id: step.action for told in runs for step in told.steps if step.state == "done"}
    target = [change for action in left.values() if (change := _compare_target(action, found))]
    changes = sorted([*source, *target], key=lambda c: (not c.pages, c.side, c.kind, c.name))
    counted = read_trend(job.workspace, job.settings, job.clock(), job.read_subdomain()).rows
    return History(tuple(reversed(runs)), tuple(changes), tuple(a for a in found.plan.actions if a.writes), counted)


def list_runs(job: Job) -> list[Told]:
    """What the journal knows of, oldest first. Asks neither side."""
    with job.journal().opened() as journal:
        return [Told(run, tuple(journal.states(run.number).values())) for run in journal.runs()]


def tell_source(before: Account, after: Account) -> list[Change]:
    """What has changed in PagerDuty."""
    return [Change("PagerDuty", c.kind, c.name, c.what, c.fields) for c in compare_accounts(before, after)]


def _compare_target(left: Action, found: Draft) -> Change | None:
    """What people made of an object since a run left it."""
    if left.after is None:
        return None
    have = read_existing(left.kind, left.identifier, left.after, found.state)
    if have == left.after:
        return None
    fields = () if have is None else tuple(name for name, value in left.after.items() if have.get(name) != value)
    return Change("Harness", left.kind, left.name, "gone" if have is None else "changed", fields)
