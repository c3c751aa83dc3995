"""A draft: what the source said, what the target has now, what would become of everything, and the plan for it."""

from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

from pdmigrate.actions import Desired, Held, Plan, make_plan
from pdmigrate.decisions import Answer, Conflict
from pdmigrate.errors import OpenConflictsError, TargetMovedError
from pdmigrate.fates import count_out_of_scope, find_miscounted
from pdmigrate.handmade import group_rules
from pdmigrate.harness.records import AlertRule, State
from pdmigrate.job import Job
from pdmigrate.journal import Entry
from pdmigrate.mapping import GRADES, Fate, Grade, Work, choose_scope, map_all
from pdmigrate.mapping.scope import Reasons
from pdmigrate.pagerduty.account import Account
from pdmigrate.pagerduty.records import EscalationPolicy
from pdmigrate.people_file import read_people_file
from pdmigrate.planning import plan_actions
from pdmigrate.questions import Questions

ASKED = "asked"
"""The state with the digests of the questions."""
SUMMARY_KINDS = (
    "users",
    "contact_methods",
    "notification_rules",
    "teams",
    "schedules",
    "overrides",
    "escalation_policies",
    "services",
)


@dataclass(frozen=True)
class Draft:
    """One look at both sides. `work` has the fates, `plan` the actions; nothing was written."""

    account: Account
    state: State
    reasons: Reasons
    work: Work
    plan: Plan
    ledger: dict[tuple[str, str], Entry]

    @cached_property
    def emails(self) -> dict[str, str]:
        """PagerDuty user id to the email that is to be paged in Harness: the user's own, unless a person said otherwise.

        Read from PagerDuty, the answers and the chosen rules, not from the mapping, which is what is to be proved.
        """
        mapped = {
            answer.conflict.id: (answer.value or "").strip().lower()
            for answer in self.answered.values()
            if answer.conflict.kind == "users" and answer.choice == "map"
        }
        users = [user for id, user in self.account.users.items() if id in self.work.emails]
        return {user.id: mapped.get(user.id) or self._follow_rules(user.email.strip().lower()) for user in users}

    def _follow_rules(self, email: str) -> str:
        """`rules.people_file` and `rules.renamed_domains` of migration.yaml; an address that Harness knows stays."""
        if email in self.work.people_map:
            return self.work.people_map[email]
        box, _, domain = email.rpartition("@")
        renamed = {old.lower(): new.lower() for old, new in self.work.rules.renamed_domains.items()}
        moved = f"{box}@{renamed.get(domain, domain)}"
        return email if email in self.state.people and moved not in self.state.people else moved

    @cached_property
    def held(self) -> dict[tuple[str, str], Held]:
        """What does not move, by kind and PagerDuty id."""
        return {(held.kind, held.key): held for held in self.plan.held}

    @cached_property
    def held_overrides(self) -> bool:
        """Whether any override does not move."""
        return any(held.kind == "overrides" for held in self.plan.held)

    @cached_property
    def kept(self) -> dict[str, Answer]:
        """The answers that let stand what somebody changed in Harness, by the key of the object."""
        changed = (a for a in self.answered.values() if a.conflict.about == "changed_in_harness")
        return {answer.conflict.id: answer for answer in changed if answer.choice == "keep_harness"}

    @cached_property
    def wanted(self) -> dict[tuple[str, str], Desired]:
        """What is wanted in Harness, by kind and the key that the ledger and the answers have for it."""
        return {(wish.kind, wish.key): wish for wish in self.work.desired}

    def identifier_of(self, kind: str, id: str) -> str:
        """Where an object of PagerDuty is in Harness: wanted there, or carried over earlier; "" where it never was."""
        wish, entry = self.wanted.get((kind, id)), self.ledger.get((kind, id))
        return wish.identifier if wish else entry.identifier if entry else ""

    @cached_property
    def policies_by_identifier(self) -> dict[str, EscalationPolicy]:
        """The policies of PagerDuty by where each is in Harness; the first of two that are one there."""
        found: dict[str, EscalationPolicy] = {}
        for id, policy in self.account.policies.items():
            found.setdefault(self.identifier_of("escalation_policies", id), policy)
        return found

    @cached_property
    def used_policies(self) -> frozenset[str]:
        """PagerDuty ids of the policies that some service uses, in or out of scope."""
        return frozenset(s.escalation_policy.id for s in self.account.services.values() if s.escalation_policy)

    @cached_property
    def rules_by_service(self) -> dict[str, list[AlertRule]]:
        """Harness's alert rules that page, by the service that they are for."""
        return group_rules(self.state)

    @property
    def open(self) -> dict[str, Conflict]:
        return self.work.questions.open

    @property
    def answered(self) -> dict[str, Answer]:
        return self.work.questions.answered

    def count_kinds(self, landed: bool = False) -> dict[str, dict[str, int]]:
        """Objects in scope per kind: every one stands in exactly one place.

        A forecast, or, `landed`, after the load: what was to be made and is not there is lost, and what is there and
        still has to be written is not exact.
        """
        left = {(a.kind, s): a.verb for a in self.plan.actions if landed and a.writes for s in a.sources}
        fates = [replace(f, grade=_grade_left(f.grade, left.get((f.kind, f.id)))) for f in self.work.fates]
        return {kind: _count([fate for fate in fates if fate.kind == kind]) for kind in SUMMARY_KINDS}

    def count_fields(self) -> dict[str, dict[str, int]]:
        """The same for their fields; an object that is nowhere has lost them all, and counts as one."""
        return {kind: _count_fields([fate for fate in self.work.fates if fate.kind == kind]) for kind in SUMMARY_KINDS}

    def count_out_of_scope(self) -> dict[str, int]:
        """Objects that stay behind because nobody chose them, or, contact details, because the rules leave them out."""
        return count_out_of_scope(self.account, self.reasons, self.work.rules.contact_details)

    @cached_property
    def miscounted(self) -> tuple[str, ...]:
        """A sentence for each object in scope that has no fate, or more than one: then no count adds up."""
        details, fates = self.work.rules.contact_details, self.work.fates
        return find_miscounted(self.account, self.reasons, details, self.ledger, fates)

    def count_conflicts(self) -> dict[str, dict[str, int]]:
        """Open and decided questions per class."""
        answered = [answer.conflict for answer in self.answered.values()]
        return {"open": _by_class(self.open.values()), "decided": _by_class(answered)}


def draft(job: Job) -> Draft:
    """Map the latest snapshot onto the target as it is now, with the decisions as they are now. Writes nothing."""
    snapshot, state = job.latest_snapshot(), job.target.read_state()
    _check_door(job, state)
    account, rules = snapshot.account, job.settings.rules
    with job.journal().opened() as journal:
        ledger = journal.ledger()
    reasons = choose_scope(account, job.settings.scope)
    scope = {kind: frozenset(ids) for kind, ids in reasons.items()}
    questions = Questions(job.decisions(), rules.open_conflicts)
    work = map_all(Work(account, state, ledger, questions, rules, scope, read_people_map(job)))
    dropped = [*work.dropped, *find_gone(account, ledger, work)]
    planned = plan_actions(
        work.desired, dropped, state, ledger, rules.strategy, questions, rules.terraform, account.since
    )
    held = [*work.held, *planned.held]
    return Draft(
        account, state, reasons, work, make_plan(account.digest, job.target.name, planned.actions, held), ledger
    )


def _check_door(job: Job, state: State) -> None:
    """A login page in between must not turn what goes by API into work for people. Raises TargetMovedError."""
    access = job.workspace.find_state("access") or {}
    if access.get("oncall") and access.get("target") == job.target.name and not state.oncall:
        raise TargetMovedError(
            f"When connect asked, {job.target.name} took on-call objects by API, and now it does not: run connect again. "
            "If it still does not, they become work for people."
        )


def list_ids(account: Account) -> dict[str, set[str]]:
    """What the source has, by kind; a record that arrived unusable is there too."""
    there = {
        "users": account.users,
        "teams": account.teams,
        "schedules": account.all_schedules,
        "escalation_policies": account.policies,
        "services": account.services,
    }
    broken = [(problem.kind, problem.id) for problem in account.problems]
    return {kind: {*records, *(id for k, id in broken if k == kind)} for kind, records in there.items()}


def find_gone(account: Account, ledger: dict[tuple[str, str], Entry], work: Work) -> list[Entry]:
    """Whole objects that we carried over and the source does not have any more, in or out of scope."""
    ids = list_ids(account)
    taken_over = {(wish.kind, wish.identifier) for wish in work.desired}
    gone = [entry for (kind, key), entry in ledger.items() if kind in ids and key not in ids[kind]]
    return [entry for entry in gone if (entry.kind, entry.identifier) not in taken_over]


def read_people_map(job: Job) -> dict[str, str]:
    """Who is who, by the file that `rules.people_file` names."""
    name = job.settings.rules.people_file
    return read_people_file(job.workspace.folder / Path(name).expanduser()) if name else {}


def leave_questions(job: Job, found: Draft) -> None:
    """Leave the digest of every question, answered ones too: an answer holds for what was asked when it was given."""
    asked = [*found.open.values(), *(answer.conflict for answer in found.answered.values())]
    job.workspace.save_state(ASKED, {conflict.key: conflict.digest for conflict in asked})


def refuse_open(job: Job, open_conflicts: dict[str, Conflict]) -> str:
    """The sentence that ends a run with open questions, naming them; "" where the rules let them be skipped."""
    if not open_conflicts or job.settings.rules.open_conflicts == "skip":
        return ""
    names = [f"{conflict.about} {conflict.name} ({conflict.id})" for conflict in open_conflicts.values()]
    shown = "; ".join(names[:12]) + (f"; and {len(names) - 12} more" if len(names) > 12 else "")
    return str(
        OpenConflictsError(
            f"{len(names)} open questions: {shown}. Answer them in decisions.yaml or in the notebook conflicts."
        )
    )


def _grade_left(grade: Grade, verb: str | None) -> Grade:
    """The grade of an object that an action still has to write."""
    if verb == "create":
        return "lost"
    return "changed" if verb and grade == "exact" else grade


def _count(fates: list[Fate]) -> dict[str, int]:
    return {"in_source": len(fates), **{grade: sum(f.grade == grade for f in fates) for grade in GRADES}}


def _count_fields(fates: list[Fate]) -> dict[str, int]:
    grades = [field.grade for fate in fates for field in fate.fields] + [f.grade for f in fates if not f.fields]
    return {"in_source": len(grades), **{grade: grades.count(grade) for grade in GRADES}}


def _by_class(conflicts) -> dict[str, int]:
    names = [conflict.about for conflict in conflicts]
    return {name: names.count(name) for name in sorted(set(names))}
