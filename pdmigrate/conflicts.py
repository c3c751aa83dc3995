"""Step 4, conflicts: every question with its options, the decisions, the plan, the guards, the approval."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from pdmigrate import guards
from pdmigrate.actions import Plan, plan_to_json
from pdmigrate.decisions import (
    Approval,
    Choice,
    Decision,
    drop_approval,
    drop_choice,
    drop_decision,
    save_approval,
    save_choice,
    save_decision,
    save_decisions,
)
from pdmigrate.draft import Draft, draft, refuse_open
from pdmigrate.errors import PlanMovedError
from pdmigrate.job import Job, records_step


@dataclass(frozen=True)
class Decided:
    """Questions, plan and guards. `stop` is the sentence that ends a headless run while questions are open."""

    draft: Draft
    refusals: tuple[str, ...]
    approval: Approval | None
    stop: str

    @property
    def plan(self) -> Plan:
        return self.draft.plan


@records_step("conflicts")
def conflicts(job: Job) -> Decided:
    """Draft anew with the decisions as they are, and leave the plan in the workspace. Writes to neither side."""
    found = draft(job)
    job.workspace.save_state("plan", plan_to_json(found.plan))
    job.workspace.save_state("questions", [conflict.model_dump() for conflict in found.open.values()])
    refusals = check_guards(job, found)
    return Decided(found, refusals, job.decisions().approves(found.plan.digest), refuse_open(job, found.open))


def check_guards(job: Job, found: Draft) -> tuple[str, ...]:
    """The sentences of all guards that refuse."""
    with job.journal().opened() as journal:
        account = guards.check_account(job.subdomain, journal.other_sources())
    return tuple(filter(None, (account, guards.check_age(found.account.taken, job.clock()))))


def decide(job: Job, about: str, object_id: str, choice: str, value: str = "", by: str = "", why: str = "") -> None:
    """Write an answer of a person to decisions.yaml, at once. `object_id` may be `all`."""
    at = job.clock().isoformat(timespec="seconds")
    decision = Decision(conflict=about, object=object_id, choice=choice, value=value or None, by=by, at=at, why=why)
    save_decision(job.workspace.decisions_file, decision)


def decide_each(
    job: Job, about: str, object_ids: Iterable[str], choice: str, value: str = "", by: str = "", why: str = ""
) -> None:
    """The same answer for many objects of one class, in one write."""
    same = {"choice": choice, "value": value or None, "by": by, "why": why}
    at = job.clock().isoformat(timespec="seconds")
    answers = [Decision(conflict=about, object=object_id, at=at, **same) for object_id in object_ids]
    save_decisions(job.workspace.decisions_file, answers)


def take_back(job: Job, about: str, object_id: str) -> None:
    """Undo an answer: the question is open again."""
    drop_decision(job.workspace.decisions_file, about, object_id)


def choose(job: Job, setting: str, value: Any, by: str = "", why: str = "") -> None:
    """Write a setting that a person chose to decisions.yaml; it counts from the next step on, in every open notebook.

    A value of None takes the choice back.
    """
    if value is None:
        drop_choice(job.workspace.decisions_file, setting)
    else:
        at = job.clock().isoformat(timespec="seconds")
        save_choice(job.workspace.decisions_file, Choice(setting=setting, value=value, by=by, at=at, why=why))
    job.read_choices()


def approve(job: Job, digest: str, by: str = "", why: str = "") -> None:
    """Approve the plan in the workspace by its digest. Raises PlanMovedError where the digest is another one."""
    planned = job.workspace.load_state("plan", "conflicts")
    if planned["digest"] != digest:
        raise PlanMovedError(
            f"The plan's digest is {planned['digest'][:12]}, not {digest[:12]}: look at the plan again, then approve it."
        )
    at = job.clock().isoformat(timespec="seconds")
    save_approval(job.workspace.decisions_file, Approval(plan=digest, by=by, at=at, why=why))


def withdraw(job: Job, digest: str) -> None:
    """Take the approval of a plan back. What was loaded under it stays loaded."""
    drop_approval(job.workspace.decisions_file, digest)
