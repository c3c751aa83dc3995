"""History and drift: what each run did, and what has changed since the last one, in PagerDuty and in Harness."""

from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass

from pdmigrate.mapping.draft import Draft
from pdmigrate.pagerduty.account import Account, dump_record
from pdmigrate.pagerduty.records import EscalationPolicy, Problem, Schedule, Service, Team, User
from pdmigrate.pagerduty.v3_records import ScheduleV3
from pdmigrate.plan.actions import Action, Fields
from pdmigrate.plan.kinds import PAGING_KINDS
from pdmigrate.plan.planning import read_existing
from pdmigrate.steps.draft import draft
from pdmigrate.steps.job import Job, records_step
from pdmigrate.steps.result import Result
from pdmigrate.workspace.journal import JournalStep, Run

NAMES_ONLY = {"name", "description"}
Configured = User | Team | Schedule | ScheduleV3 | EscalationPolicy | Service
"""What an account has as records of its own."""


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
    pages: bool


@dataclass(frozen=True)
class History(Result):
    """All runs, newest first, and what has changed since the last. to_do: what a run would write now."""

    step = "history"
    runs: tuple[Told, ...]
    changes: tuple[Change, ...]
    to_do: tuple[Action, ...]


@records_step("history")
def history(job: Job) -> History:
    """Read the journal, the latest snapshot and Harness as it is now. Writes to neither side.

    What changed in PagerDuty is told from the snapshot that the last run was made from: run preview first for news.
    """
    found = draft(job)
    runs = list_runs(job)
    source = _compare_sources(job, runs, found)
    left = {
        s.action.id: s.action for told in runs for s in told.steps if s.state == "done"
    }  # by the last that wrote to it
    target = [change for action in left.values() if (change := _compare_target(action, found))]
    changes = sorted([*source, *target], key=lambda c: (not c.pages, c.side, c.kind, c.name))
    return History(tuple(reversed(runs)), tuple(changes), tuple(a for a in found.plan.actions if a.writes))


def list_runs(job: Job) -> list[Told]:
    """What the journal knows of, oldest first. Asks neither side."""
    with job.journal().opened() as journal:
        return [Told(run, tuple(journal.states(run.number).values())) for run in journal.runs()]


def _compare_sources(job: Job, runs: list[Told], found: Draft) -> list[Change]:
    names = [told.run.snapshot for told in runs if told.run.snapshot]
    path = job.workspace.snapshots / names[-1] if names else None
    if path is None or not path.is_file():
        return []
    return compare_accounts(job.read_snapshot(path.name).account, found.account)


def compare_accounts(before: Account, after: Account) -> list[Change]:
    """What has changed in PagerDuty; nothing exactly where both have one digest, which is over the same things."""
    old, new = _gather(before), _gather(after)
    order = sorted({*old, *new})
    changes = [change for kind, id in order if (change := _compare(kind, old[kind, id], new[kind, id]))]
    if before.subdomain != after.subdomain:
        changes.append(Change("PagerDuty", "account", after.subdomain, "changed", ("subdomain",), True))
    return [*changes, *_compare_problems(before.problems, after.problems)]


def _gather(account: Account) -> dict[tuple[str, str], list[Configured]]:
    """The records by kind and id: two of a schedule that stands in both lists, layer-based and shift-based."""
    found: dict[tuple[str, str], list[Configured]] = defaultdict(list)
    for kind, records in account.list_configured():
        for id, record in records.items():
            found[kind, id].append(record)
    return found


def _compare(kind: str, old: list[Configured], new: list[Configured]) -> Change | None:
    """An object of before and of now, by what of it is configuration: rendering and counts change by themselves."""
    one, other = ([dump_record(record) for record in records] for records in (old, new))
    if one == other:
        return None
    what = "created" if not old else "gone" if not new else "changed"
    fields = tuple(_name_fields(one, other)) if old and new else ()
    pages = kind in PAGING_KINDS and (what != "changed" or not set(fields) <= NAMES_ONLY)
    return Change("PagerDuty", kind, [*old, *new][-1].name, what, fields, pages)


def _name_fields(old: list[Fields], new: list[Fields]) -> list[str]:
    """The fields that are not in both as they are; `type` where a schedule is of another sort, or of both sorts now."""
    if [row.keys() for row in old] != [row.keys() for row in new]:
        return ["type"]
    pairs = ((name, one[name], other[name]) for one, other in zip(old, new, strict=True) for name in one)
    return list(dict.fromkeys(name for name, one, other in pairs if one != other))


def _compare_problems(before: tuple[Problem, ...], after: tuple[Problem, ...]) -> Iterator[Change]:
    """Rows that cannot be read any more, or only now can; one that says the same twice counts twice."""
    old, new = Counter(before), Counter(after)
    for problem in sorted(old | new, key=lambda one: (one.kind, one.id, one.message)):
        if old[problem] != new[problem]:
            word = "unreadable" if new[problem] > old[problem] else "unreadable no more"
            fields = (problem.message,)
            yield Change("PagerDuty", problem.kind, problem.name, word, fields, problem.kind in PAGING_KINDS)


def _compare_target(left: Action, found: Draft) -> Change | None:
    """What people made of an object since a run left it."""
    if left.after is None:
        return None
    have = read_existing(left.kind, left.identifier, left.after, found.state)
    if have == left.after:
        return None
    fields = () if have is None else tuple(name for name, value in left.after.items() if have.get(name) != value)
    pages = left.kind in PAGING_KINDS and (have is None or not set(fields) <= NAMES_ONLY)
    return Change("Harness", left.kind, left.name, "gone" if have is None else "changed", fields, pages)
