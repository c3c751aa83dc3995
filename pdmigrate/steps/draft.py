"""A draft: what the source said, what the target has now, what would become of everything, and the plan for it."""

from collections.abc import Collection, Iterable
from pathlib import Path

from pdmigrate.errors import OpenConflictsError, TargetMovedError
from pdmigrate.harness.records import State
from pdmigrate.mapping import Mapped, choose_scope, map_all
from pdmigrate.mapping.draft import Draft
from pdmigrate.mapping.scope import list_records
from pdmigrate.oncall.words import format_number
from pdmigrate.pagerduty.account import Account
from pdmigrate.plan.actions import LedgerEntry, make_plan
from pdmigrate.plan.answers import Conflict
from pdmigrate.plan.basis import list_basis
from pdmigrate.plan.kinds import KINDS
from pdmigrate.plan.planning import plan_actions
from pdmigrate.plan.questions import Questions
from pdmigrate.steps.job import Job
from pdmigrate.steps.resuming import add_half_written
from pdmigrate.workspace.cells import read_people_file

ASKED = "asked"
"""The state with the digests of the questions."""
NAMEABLE = "nameable"
"""The state with the people and groups that an answer may name."""
NAMES = "names"
"""The state with the names of each kind, and, by `kinds`, the kind of each question about a name."""


def draft(job: Job) -> Draft:
    """Map the latest snapshot onto the target as it is now, with the decisions as they are now. Writes nothing."""
    account, state = job.latest_account(), job.target.read_state()
    _check_door(job, state)
    rules = job.settings.rules
    with job.journal().opened() as journal:
        ledger = add_half_written(journal.ledger(), journal.half_written().values(), state)
    reasons = choose_scope(account, job.settings.scope)
    scope = {kind: frozenset(ids) for kind, ids in reasons.items()}
    questions = Questions(job.decisions(), rules.open_conflicts)
    path = job.workspace.folder / Path(rules.people_file or "").expanduser()
    who_is_who = read_people_file(path) if rules.people_file else {}
    mapped = map_all(Mapped(account, state, ledger, questions, rules, scope, who_is_who), job.progress)
    dropped = [*mapped.dropped, *find_gone(account, ledger, mapped)]
    planned = plan_actions(
        mapped.desired, dropped, state, ledger, rules.strategy, questions, rules.terraform, account.since
    )
    held = [*mapped.held, *planned.held]
    return Draft(
        account,
        state,
        reasons,
        mapped,
        make_plan(account.digest, job.target.address.name, planned.actions, held, read_basis(job)),
        ledger,
    )


def read_basis(job: Job) -> dict[str, str]:
    """What plans are made by as it is now, but for what guards say. The embedded Harness has another port each time."""
    address = "" if job.settings.target.kind == "embedded" else job.target.address.base_url
    return list_basis(address, job.settings.scope, job.settings.rules, job.decisions())


def _check_door(job: Job, state: State) -> None:
    """A login page in between must not turn what goes by API into work for people. Raises TargetMovedError."""
    access = job.workspace.find_state("access") or {}
    if access.get("oncall") and access.get("target") == job.target.address.name and not state.oncall:
        raise TargetMovedError(
            f"When connect asked, {job.target.address.name} took on-call objects by API, and now it does not: run connect again. "
            "If it still does not, they become work for people."
        )


def list_ids(account: Account) -> dict[str, set[str]]:
    """What the source has, by kind; a record that arrived unusable is there too."""
    broken = [(problem.kind, problem.id) for problem in account.problems]
    return {kind: {*there, *(id for k, id in broken if k == kind)} for kind, there in list_records(account).items()}


def find_gone(account: Account, ledger: dict[tuple[str, str], LedgerEntry], mapped: Mapped) -> list[LedgerEntry]:
    """Whole objects that we carried over and the source does not have any more, in or out of scope."""
    ids = list_ids(account)
    taken_over = {(wish.kind, wish.identifier) for wish in mapped.desired}
    gone = [entry for (kind, key), entry in ledger.items() if kind in ids and key not in ids[kind]]
    return [entry for entry in gone if (entry.kind, entry.identifier) not in taken_over]


def leave_questions(job: Job, found: Draft) -> None:
    """Leave the digest of every question, answered ones too: an answer holds for what was asked when it was given.

    And whom and what an answer may name.
    """
    asked = [*found.open.values(), *(answer.conflict for answer in found.answered.values())]
    job.workspace.save_state(ASKED, {conflict.key: conflict.digest for conflict in asked})
    groups = {*found.state.groups, *found.mapped.groups.values()}
    kinds = {one.key: one.kind for one in asked if any(option.name == "rename" for option in one.options)}
    names = {kind: _list_names(found, kind) for kind in set(kinds.values())}
    job.workspace.save_state(NAMEABLE, {"people": sorted(found.state.people), "groups": sorted(groups)})
    job.workspace.save_state(NAMES, {**names, "kinds": kinds})


def draft_again(job: Job) -> Draft:
    """A draft with the answers of now, and its questions left for those who answer."""
    found = draft(job)
    leave_questions(job, found)
    return found


def read_nameable(job: Job, about: str, ids: Iterable[str]) -> dict[str, Collection[str]]:
    """What an answer about these objects may name, and the names that others have (see describe_unusable)."""
    ids, names = list(ids), job.workspace.find_state(NAMES) or {}
    kinds = {names.get("kinds", {}).get(f"{about}:{id}", "") for id in ids}
    taken = {name for kind in kinds for name, key in names.get(kind, {}).items() if key not in ids}
    return {**(job.workspace.find_state(NAMEABLE) or {}), "taken": taken}


def _list_names(found: Draft, kind: str) -> dict[str, str]:
    """The names of a kind in lower case, each with the PagerDuty id of whose it is or will be; "" where it is nobody's of ours."""
    names = {one.name.casefold(): "" for one in getattr(found.state, KINDS[kind].target).values()}
    ours = {entry.name.casefold(): entry.key for entry in found.ledger.values() if entry.kind == kind}
    return names | ours | {wish.name.casefold(): wish.key for wish in found.mapped.desired if wish.kind == kind}


def refuse_open(job: Job, open_conflicts: dict[str, Conflict]) -> str:
    """The sentence that ends a run with open questions, naming them; "" where the rules let them be skipped."""
    if not open_conflicts or job.settings.rules.open_conflicts == "skip":
        return ""
    names = [f"{conflict.about} {conflict.name} ({conflict.id})" for conflict in open_conflicts.values()]
    shown = "; ".join(names[:12]) + (f"; and {len(names) - 12} more" if len(names) > 12 else "")
    return str(
        OpenConflictsError(
            f"{format_number(len(names), 'open question')}: {shown}. Answer them in decisions.yaml or in the notebook conflicts."
        )
    )
