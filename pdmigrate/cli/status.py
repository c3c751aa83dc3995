"""Where a migration stands, in words, from what lies in the workspace. Asks neither side."""

from collections import Counter

from pdmigrate.plan.actions import Plan, plan_from_json
from pdmigrate.steps.job import find_journal
from pdmigrate.steps.resuming import find_done
from pdmigrate.workspace.decisions import read_decisions
from pdmigrate.workspace.folder import Workspace
from pdmigrate.workspace.settings import Settings, read_settings


def tell_status(workspace: Workspace) -> str:
    """A few lines: what was read, what waits for whom, what was interrupted."""
    settings = read_settings(workspace.settings_file)
    lines = [f"{settings.name}: {settings.source.kind} to {settings.target.kind}"]
    lines.append(_tell_access(workspace))
    lines.append(_tell_snapshot(workspace))
    lines += _tell_questions(workspace)
    lines += _tell_open(workspace, settings)
    lines.append(_tell_plan(workspace, settings))
    return "\n".join(filter(None, lines))


def _tell_access(workspace: Workspace) -> str:
    access = workspace.find_state("access")
    return (
        f"connect: {access['subdomain'] or 'an account whose name is not known'} to {access['target']}"
        if access
        else "connect: not done yet; start with: pdmigrate run DIR connect"
    )


def _tell_snapshot(workspace: Workspace) -> str:
    snapshot = workspace.find_state("snapshot")
    return f"preview: snapshot {snapshot['file']}" if snapshot else "preview: nothing was fetched yet"


def _tell_questions(workspace: Workspace) -> list[str]:
    questions = workspace.find_state("questions") or []
    named = [f"  {q['about']} {q['name']} ({q['id']}): {q['question']}" for q in questions]
    waits = [f"conflicts: {len(questions)} questions wait for the consultant", *named] if questions else []
    return waits + (workspace.find_state("strays") or [])


def _tell_plan(workspace: Workspace, settings: Settings) -> str:
    data = workspace.find_state("plan")
    if data is None:
        return "plan: none yet"
    plan = plan_from_json(data)
    writes = sum(action.writes for action in plan.actions)
    if not plan.pending:
        return "plan: nothing to do"
    finished, left = _ask_journal(workspace, settings, plan)
    if finished is False:
        return f"plan: {plan.digest[:12]} was interrupted or failed in part; the same command goes on"
    if finished and not left:
        return f"plan: {plan.digest[:12]} is loaded"
    approval = read_decisions(workspace.decisions_file).approves(plan.digest)
    waits = (
        f"approved by {approval.by}, waits to be loaded"
        if approval
        else f"waits for approval (--approve {plan.digest})"
    )
    small = "the small changes are loaded, " if finished else ""
    return f"plan: {small}{left if finished else writes} to write, {waits}"


def _ask_journal(workspace: Workspace, settings: Settings, plan: Plan) -> tuple[bool | None, int]:
    """Whether the latest load of this plan was finished, None where there was none, and how many steps it has left."""
    journal = find_journal(workspace, settings)
    if journal is None:
        return None, len(plan.pending)
    with journal.opened():
        run = next((run for run in reversed(journal.runs()) if (run.kind, run.digest) == ("load", plan.digest)), None)
        done = find_done(journal, run.number) if run else set()
    return bool(run.finished) if run else None, sum(action.id not in done for action in plan.pending)


def _tell_open(workspace: Workspace, settings: Settings) -> list[str]:
    """An unfinished run, whatever the plan in the workspace is: what is done, and what may or may not have happened."""
    journal = find_journal(workspace, settings)
    if journal is None:
        return []
    with journal.opened():
        unfinished = journal.unfinished()
        states = journal.states(unfinished[0]) if unfinished else {}
    if not unfinished:
        return []
    count = Counter(step.state for step in states.values())
    number, plan = unfinished
    words = f"run {number} is open: {count['done']} of {len(plan.pending)} steps done"
    words += f", {count['intended']} under way when it stopped" if count["intended"] else ""
    words += f", {count['failed'] + count['skipped']} failed or skipped" if count["failed"] + count["skipped"] else ""
    return [f"{words}; the same command goes on"]
