"""Step 4, conflicts: every question with its options, the decisions, the plan, the guards, the approval."""

from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, replace
from typing import Any

from pydantic import ValidationError

from pdmigrate.errors import (
    OpenConflictsError,
    PdmigrateError,
    PlanMovedError,
    RefusedError,
    UsageError,
    find_nearest,
)
from pdmigrate.mapping.draft import Draft
from pdmigrate.mapping.people import find_unused
from pdmigrate.oncall import rota
from pdmigrate.pagerduty.needs import describe_unread
from pdmigrate.plan.actions import Plan, plan_from_json, plan_to_json
from pdmigrate.plan.answers import Approval, Choice, Conflict, Decision, Decisions, Waiver
from pdmigrate.plan.basis import add_guards, name_changes
from pdmigrate.plan.guards import GUARD_NAMES, UNRESOLVED, Refusal, Seen, apply_waivers, find_refusals
from pdmigrate.plan.values import describe_unusable
from pdmigrate.steps.clock_windows import ask_in_doubt
from pdmigrate.steps.draft import ASKED, draft, leave_questions, list_ids, read_nameable, refuse_open
from pdmigrate.steps.job import Job, records_step
from pdmigrate.steps.plan_frames import PlanFrames
from pdmigrate.steps.result import Result, summarise_draft
from pdmigrate.steps.resuming import continues, find_done
from pdmigrate.workspace.decisions import drop_answer, save_answers


@dataclass(frozen=True, repr=False)
class Decided(PlanFrames, Result):
    """Questions, plan and guards. `stop` is the sentence that ends a headless run while questions are open.

    guards: all that refuse the plan, those that somebody waived with the name of who did. raised: the same before any waiver.

    goes_on: how many steps of the plan an interrupted load has done already; None where the plan is a new one. last: the
    plan that was in the workspace before. strays: sentences about answers that meet nothing or
    cannot be carried out, and about lines of the file of people that do nothing. clock_requests: what asking
    PagerDuty about the days around changes of the clock took, apart from everything else. void: the sentence about an
    approval that is not for this plan any more, and why.
    """

    step = "conflicts"
    draft: Draft
    guards: tuple[Refusal, ...]
    approval: Approval | None
    stop: str
    goes_on: int | None = None
    last: Plan | None = None
    strays: tuple[str, ...] = ()
    raised: tuple[Refusal, ...] = ()
    clock_requests: int = 0
    void: str = ""

    @property
    def plan(self) -> Plan:
        return self.draft.plan

    @property
    def refusals(self) -> tuple[str, ...]:
        """The sentences of the guards that nobody has waived, with the name that a waiver gives; `stop` tells of questions."""
        standing = (g for g in self.guards if not g.waived_by and g.guard != UNRESOLVED)
        return tuple(f"{g.sentence} (guard {g.guard})" for g in standing)

    @property
    def error(self) -> PdmigrateError | None:
        if self.refusals:
            return RefusedError(" ".join(self.refusals))
        return OpenConflictsError(self.stop) if self.stop else None

    def summarise(self) -> dict[str, Any]:
        writes = sum(action.writes for action in self.plan.actions)
        return {**summarise_draft(self.draft), "plan": self.plan.digest, "to_write": writes}


@records_step("conflicts")
def conflicts(job: Job) -> Decided:
    """Draft anew with the decisions as they are, and leave the plan in the workspace. Writes to neither side.

    A load that broke off goes on: its plan stays the plan, and its approval holds, as long as nothing else has changed.
    """
    last = job.workspace.find_state("plan")
    clock_requests = ask_in_doubt(job)
    found, goes_on = _take_up(job, draft(job))
    decisions = job.decisions()
    refused = tuple(check_guards(job, found))
    strays = (*find_strays(decisions, found), *found.mapped.questions.refused, *find_unused(found.mapped))
    if goes_on is None:
        found = replace(found, plan=replace(found.plan, basis=add_guards(found.plan.basis, refused)))
    void = _find_void(job, plan_from_json(last) if last else None, found.plan)
    job.workspace.save_state("plan", plan_to_json(found.plan))
    leave_questions(job, found)
    job.workspace.save_state("questions", [conflict.model_dump() for conflict in found.open.values()])
    job.workspace.save_state("guards", {"plan": found.plan.digest, "refusals": [asdict(guard) for guard in refused]})
    job.workspace.save_state("strays", strays)
    approval = decisions.approves(found.plan.digest)
    before = plan_from_json(last) if last else None
    made = Decided(
        draft=found,
        guards=refused,
        approval=approval,
        stop="",
        goes_on=goes_on,
        last=before,
        strays=strays,
        raised=refused,
        clock_requests=clock_requests,
        void=void,
    )
    return reconsider(job, made)


def reconsider(job: Job, decided: Decided) -> Decided:
    """The same plan under the waivers that decisions.yaml has now."""
    guards = tuple(apply_waivers(decided.raised, job.decisions(), decided.plan.digest, job.clock()))
    waived = any(guard.guard == UNRESOLVED and guard.waived_by for guard in guards)
    stop = "" if waived else refuse_open(job, decided.draft.open)
    return replace(decided, guards=guards, stop=" ".join([stop, *decided.strays]) if stop else "")


def find_strays(decisions: Decisions, found: Draft) -> Iterator[str]:
    """Sentences about answers for objects that are nowhere: misspelt, or gone for good."""
    asked = [*found.open.values(), *(answer.conflict for answer in found.answered.values())]
    methods = (method.id for user in found.account.users.values() for method in user.contact_methods)
    known = {"all", *methods, *(key for _, key in found.ledger), *(conflict.id for conflict in asked)}
    known = known.union(*list_ids(found.account).values())
    for decision in decisions.decisions:
        if known.isdisjoint((decision.object, decision.object.partition("/")[0])):
            near = [c.id for c in asked if c.about == decision.conflict] or sorted(known)
            hint = find_nearest(decision.object, near)
            yield f"decisions.yaml answers {decision.conflict} for {decision.object}, which is nowhere{hint}."


def _take_up(job: Job, found: Draft) -> tuple[Draft, int | None]:
    with job.journal().opened() as journal:
        unfinished = journal.unfinished()
        done = find_done(journal, unfinished[0]) if unfinished else set()
    if unfinished is None or not continues(unfinished[1], done, found.plan):
        return found, None
    return replace(found, plan=unfinished[1]), len(done)


def _find_void(job: Job, last: Plan | None, now: Plan) -> str:
    """What has made the latest approval void. The plan that was approved is kept until the next one is."""
    decisions = job.decisions()
    if last and decisions.approves(last.digest):
        job.workspace.save_state("approved", plan_to_json(last))
    kept = job.workspace.find_state("approved")
    before = plan_from_json(kept) if kept else None
    approval = decisions.approves(before.digest) if before else None
    with job.journal().opened() as journal:
        loaded = {run.digest for run in journal.runs() if run.finished}
    if not before or not approval or decisions.approves(now.digest) or now.empty or before.digest in loaded:
        said = ""
    else:
        said = (
            f"The approval of {approval.by or 'decisions.yaml'} is for the plan {before.digest[:12]} and void: "
            f"changed since: {name_changes(before, now)}."
        )
    job.workspace.save_state("void", said)
    return said


def check_guards(job: Job, found: Draft) -> list[Refusal]:
    """All guards that refuse the plan, waived or not."""
    with job.journal().opened() as journal:
        others, mailed = journal.other_sources(), journal.mailed()
    account, rules = found.account, job.settings.rules
    seen = Seen(
        plan=found.plan,
        state=found.state,
        ledger=found.ledger,
        ids=list_ids(account),
        taken=account.taken,
        since=account.since,
        until=account.until,
        now=job.clock(),
        limits=rules.guards,
        source=job.read_subdomain(),
        other_sources=others,
        open=found.open,
        skip_open=rules.open_conflicts == "skip",
        unread={kind: describe_unread(kind, why) for kind, why in account.unread.items()},
        hidden=[said for one in account.hidden if (said := one.describe(found.reasons))],
        dated_until={id: rota.to_datetime(one.dated) for id, one in found.mapped.fidelity.items() if one.dated},
        miscounted=found.miscounted,
        mailed=mailed,
    )
    return find_refusals(seen)


def decide(job: Job, about: str, object_id: str, choice: str, value: str = "", by: str = "", why: str = "") -> None:
    """Write an answer of a person to decisions.yaml, at once. `object_id` may be `all`."""
    decide_each(job, about, [object_id], choice, value, by, why)


def decide_each(
    job: Job,
    about: str,
    object_ids: Iterable[str],
    choice: str,
    value: str = "",
    by: str = "",
    why: str = "",
    shown: Iterable[Conflict] = (),
) -> None:
    """The same answer for many objects of one class, in one write, each with the digest of its question.

    shown: the questions that the person saw; of others it is what the latest step asked. Raises UsageError for an answer
    that cannot be carried out, such as somebody who is not in Harness.
    """
    object_ids = list(object_ids)
    if unusable := describe_unusable(choice, value, read_nameable(job, about, object_ids)):
        raise UsageError(
            f"{choice} for {about} cannot be carried out: {unusable}. If it is there by now, run this step again."
        )
    digests = (job.workspace.find_state(ASKED) or {}) | {conflict.key: conflict.digest for conflict in shown}
    at = job.clock().isoformat(timespec="seconds")
    same = Decision(conflict=about, object="all", choice=choice, value=value or None, by=by, at=at, why=why)
    each = ({"object": id, "question": digests.get(f"{about}:{id}", "")} for id in object_ids)
    save_answers(job.workspace.decisions_file, *(same.model_copy(update=one) for one in each))


def take_back(job: Job, about: str, object_id: str) -> None:
    """Undo an answer: the question is open again."""
    drop_answer(job.workspace.decisions_file, Decision, about, object_id)


def choose(job: Job, setting: str, value: Any, by: str = "", why: str = "") -> None:
    """Write a setting that a person chose to decisions.yaml; it counts from the next step on, in every open notebook.

    A value of None takes the choice back.
    """
    if value is None:
        drop_answer(job.workspace.decisions_file, Choice, setting)
    else:
        at = job.clock().isoformat(timespec="seconds")
        said = {"setting": setting, "value": value, "by": by, "at": at, "why": why}
        save_answers(job.workspace.decisions_file, Choice.model_validate(said))
    job.read_choices()


def approve(job: Job, digest: str, by: str = "", why: str = "") -> None:
    """Approve the plan in the workspace by its digest, or the beginning of it. Raises PlanMovedError where the digest is another one."""
    planned, now = job.workspace.load_state("plan", "conflicts")["digest"], job.clock()
    if not Approval(plan=digest).is_about(planned):
        raise PlanMovedError(
            f"The plan's digest is {planned[:12]}, not {digest[:12]}: look at the plan again, then approve it."
        )
    waived = ", ".join(name for name in GUARD_NAMES if job.decisions().waives(name, planned, now)) or "none"
    at = now.isoformat(timespec="seconds")
    save_answers(job.workspace.decisions_file, Approval(plan=planned, by=by, at=at, why=why, waived=waived))


def waive(job: Job, guard: str, digest: str, until: str, by: str, why: str) -> None:
    """Let the plan of this digest pass one guard, until a day (2026-12-01) inclusive.

    Raises UsageError for a guard there is not, without a name or a reason, and for a day that is no day or is over.
    """
    if guard not in GUARD_NAMES:
        raise UsageError(f"There is no guard {guard}: there are {', '.join(GUARD_NAMES)}.")
    try:
        waiver = Waiver(guard=guard, plan=digest, by=by.strip(), why=why.strip(), until=until)
    except ValidationError as error:
        first = error.errors(include_input=False)[0]
        raise UsageError(f"A waiver needs who, why and until when: {first['loc'][0]}: {first['msg']}.") from None
    if not waiver.holds(guard, digest, job.clock()):
        raise UsageError(f"A waiver until {waiver.until} is over already: name a later day.")
    save_answers(job.workspace.decisions_file, waiver)


def withdraw_waiver(job: Job, guard: str, digest: str) -> None:
    """The guard refuses the plan of this digest again."""
    drop_answer(job.workspace.decisions_file, Waiver, guard, digest)


def withdraw(job: Job, digest: str) -> None:
    """Take the approval of a plan back. What was loaded under it stays loaded."""
    drop_answer(job.workspace.decisions_file, Approval, digest)
