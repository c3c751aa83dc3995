"""History and drift: what each run did, and what has changed since the last one, in PagerDuty and in Harness."""

from collections import Counter
from dataclasses import dataclass

from pdmigrate.actions import Action
from pdmigrate.draft import Draft, draft
from pdmigrate.job import Job, records_step
from pdmigrate.journal import Run, Step
from pdmigrate.mapping.scope import list_records
from pdmigrate.pagerduty.account import Account, load_snapshot
from pdmigrate.planning import read_existing

PAGES = {"schedules", "overrides", "escalation_policies", "services"}
"""Kinds whose change changes who is paged."""
NAMES_ONLY = {"name", "description"}


@dataclass(frozen=True)
class Told:
    """A run and its steps as they ended."""

    run: Run
    steps: tuple[Step, ...]

    def count(self) -> dict[str, int]:
        """How many steps ended in which state; a step that sent nothing counts as booked."""
        words = ["booked" if s.state == "done" and s.before == s.after else s.state for s in self.steps]
        return dict(Counter(words))


@dataclass(frozen=True)
class Change:
    """One object that is not as the last run left it. side: PagerDuty or Harness. what: created, changed, gone."""

    side: str
    kind: str
    name: str
    what: str
    fields: tuple[str, ...]
    pages: bool


@dataclass(frozen=True)
class History:
    """All runs, newest first, and what has changed since the last. to_do: what a run would write now."""

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
    target = [change for step in _list_left(runs).values() if (change := _compare_target(step, found))]
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
    before, after = load_snapshot(path).account, found.account
    return [change for kind in list_records(after) for change in _compare_kind(kind, before, after)]


def _compare_kind(kind: str, before: Account, after: Account) -> list[Change]:
    old, new = list_records(before)[kind], list_records(after)[kind]
    changes = []
    for id in sorted({*old, *new}):
        fields = _differ(old.get(id), new.get(id))
        what = "created" if id not in old else "gone" if id not in new else "changed"
        if what != "changed" or fields:
            pages = kind in PAGES and (what != "changed" or not set(fields) <= NAMES_ONLY)
            changes.append(Change("PagerDuty", kind, (new.get(id) or old.get(id)).name, what, fields, pages))
    return changes


def _differ(old, new) -> tuple[str, ...]:
    """The configured fields that differ; PagerDuty's rendering and counts change by themselves."""
    if old is None or new is None:
        return ()
    one, other = ({**r.model_dump(mode="json")} for r in (old, new))
    moving = {"final_schedule", "last_incident_timestamp"}
    return tuple(name for name in one if name not in moving and one[name] != other.get(name))


def _list_left(runs: list[Told]) -> dict[str, Step]:
    """Each object as the last run that wrote to it left it."""
    written = [step for told in runs for step in told.steps if step.state == "done"]
    return {step.action: step for step in written}


def _compare_target(step: Step, found: Draft) -> Change | None:
    """What people made of an object since a run left it."""
    if step.after is None:
        return None
    have = read_existing(step.kind, step.identifier, step.after, found.state)
    if have == step.after:
        return None
    fields = () if have is None else tuple(name for name, value in step.after.items() if have.get(name) != value)
    pages = step.kind in PAGES and (have is None or not set(fields) <= NAMES_ONLY)
    return Change("Harness", step.kind, step.name, "gone" if have is None else "changed", fields, pages)
