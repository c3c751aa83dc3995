"""`status`: where a migration stands, in words, from what lies in the workspace. Asks neither side."""

import argparse
from collections import Counter
from pathlib import Path

from pdmigrate.plan.actions import Plan, plan_from_json
from pdmigrate.plan.answers import Decisions
from pdmigrate.plan.basis import drop_guards, list_basis, name_changed
from pdmigrate.steps.job import find_journal, read_chosen
from pdmigrate.steps.resuming import find_done
from pdmigrate.workspace.decisions import read_decisions
from pdmigrate.workspace.folder import Workspace
from pdmigrate.workspace.settings import Settings


def add_status(status: argparse.ArgumentParser) -> None:
    status.add_argument("workspace", type=Path, metavar="DIR")


def run_status(options: argparse.Namespace) -> int:
    """Print what lies in the workspace; neither side is asked."""
    print(describe_status(Workspace(options.workspace).check()))
    return 0


def describe_status(workspace: Workspace) -> str:
    """A few lines: what was read, what waits for whom, what was interrupted."""
    decisions = read_decisions(workspace.decisions_file)
    settings = read_chosen(workspace, decisions)
    access, snapshot = workspace.find_state("access"), workspace.find_state("snapshot")
    lines = [f"{settings.name}: {settings.source.kind} to {settings.target.kind}"]
    if access:
        lines.append(f"connect: {access['subdomain'] or 'an account whose name is not known'} to {access['target']}")
    else:
        lines.append("connect: not done yet; start with: pdmigrate run DIR connect")
    lines.append(f"preview: snapshot {snapshot['file']}" if snapshot else "preview: nothing was fetched yet")
    questions = workspace.find_state("questions") or []
    if questions:
        lines.append(f"conflicts: {len(questions)} questions wait for the consultant")
        lines += [f"  {q['about']} {q['name']} ({q['id']}): {q['question']}" for q in questions]
    lines += workspace.find_state("strays") or []
    data = workspace.find_state("plan")
    plan = plan_from_json(data) if data else None
    changed = _name_changed(plan, settings, decisions) if plan else []
    lines += _describe_open(workspace, settings, plan, bool(changed))
    lines.append(_describe_plan(workspace, settings, plan, decisions) if plan else "plan: none yet")
    if changed and plan and plan.pending:
        lines.append(
            f"  changed since it was made: {', '.join(changed[:5])}; {len(changed)} in all: an approval of it is void. Run conflicts "
            "again, then look at the plan and approve it"
        )
    return "\n".join(lines)


def _name_changed(plan: Plan, settings: Settings, decisions: Decisions) -> list[str]:
    """As load will say it, but for the target's address, which only the open target knows."""
    now = list_basis("", settings.scope, settings.rules, decisions)
    return [name for name in name_changed(drop_guards(plan.basis), now) if name != "target.base_url"]


def _describe_plan(workspace: Workspace, settings: Settings, plan: Plan, decisions: Decisions) -> str:
    if not plan.pending:
        return "plan: nothing to do"
    run, left = None, sum(action.writes for action in plan.actions)
    journal = find_journal(workspace, settings)
    if journal:
        with journal.opened():
            loads = [run for run in journal.runs() if (run.kind, run.digest) == ("load", plan.digest)]
            run = loads[-1] if loads else None
            done = find_done(journal, run.number) if run else set()
    void = workspace.find_state("void")
    also = f". {void}" if void else ""
    if run and not run.finished:
        return f"plan: {plan.digest[:12]} was interrupted or failed in part{also}"
    if run:
        left = sum(action.id not in done for action in plan.pending)
    if run and not left:
        return f"plan: {plan.digest[:12]} is loaded"
    approval = decisions.approves(plan.digest)
    waits = f"waits for approval (--approve {plan.digest}){also}"
    if approval:
        waits = f"approved by {approval.by}, waits to be loaded"
    return f"plan: {'the small changes are loaded, ' if run else ''}{left} to write, {waits}"


def _describe_open(workspace: Workspace, settings: Settings, latest: Plan | None, changed: bool) -> list[str]:
    """An unfinished run: what is done, what may or may not have happened, and whether it goes on or another plan follows."""
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
    goes_on = latest is None or (latest.digest == plan.digest and not changed)
    return [f"{words}; {'the same command goes on' if goes_on else 'what is left is in the plan that conflicts makes'}"]
