"""What a migration waits for: the notebook to open, and the command as it can be typed here."""

import shlex
import shutil
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from pdmigrate.oncall.words import format_number
from pdmigrate.plan.actions import plan_from_json
from pdmigrate.plan.guards import UNRESOLVED
from pdmigrate.workspace.decisions import read_decisions
from pdmigrate.workspace.folder import Workspace
from pdmigrate.workspace.settings import Settings

if TYPE_CHECKING:
    from pdmigrate.workspace.journal import Journal

FIRST = {"connect": "access", "preview": "snapshot", "invite": "people"}
"""The steps before there is a plan, and the state that each of them leaves."""


def find_journal(workspace: Workspace, settings: Settings) -> "Journal | None":
    """The journal for a look; None where nothing was ever loaded, and then nothing is imported to read one."""
    if not settings.journal and not workspace.journal_file.is_file():
        return None
    from pdmigrate.steps import job

    return job.find_journal(workspace, settings)


def list_refusals(workspace: Workspace) -> list[str]:
    """What the guards have said of the plan in the workspace, and nobody has waived; open questions are told apart."""
    seen, decisions = workspace.find_state("guards") or {"refusals": []}, read_decisions(workspace.decisions_file)
    rows = [row for row in seen["refusals"] if row["guard"] != UNRESOLVED]
    now = datetime.now(UTC)
    return [
        f"{row['sentence']} (guard {row['guard']})"
        for row in rows
        if not decisions.waives(row["guard"], seen["plan"], now)
    ]


class Next(NamedTuple):
    """What a migration waits for. step: whose notebook it is done in; doing: what a person does there; typed: the same on
    the command line, in one line."""

    step: str
    doing: str
    typed: str


def find_next(workspace: Workspace, settings: Settings) -> Next:
    """What to do next, as far as the workspace tells. Asks neither side."""
    folder = _shorten(workspace.folder)
    lab, plan_again = _type("lab", "--workspace", folder), _type("run", folder, "--until", "conflicts")
    questions, data = workspace.find_state("questions"), workspace.find_state("plan")
    if questions:
        doing = f"{format_number(len(questions), 'question waits', 'questions wait')} for an answer"
        return Next("conflicts", doing, f"answer in notebook 4 ({lab}) or in decisions.yaml, then {plan_again}")
    if data is None:
        step = next((step for step, state in FIRST.items() if workspace.find_state(state) is None), "conflicts")
        return Next(step, "run its cells", plan_again)
    plan, loaded, unfinished = plan_from_json(data), False, None
    journal = find_journal(workspace, settings)
    if journal:
        with journal.opened():
            runs, unfinished = journal.runs(), journal.unfinished()
            undone = {run.undoes for run in runs}
            loaded = any(run.finished and run.digest == plan.digest and run.number not in undone for run in runs)
    if unfinished and unfinished[1].digest != plan.digest:
        return Next("conflicts", "draft the plan again: an earlier load is unfinished", plan_again)
    if plan.pending and not loaded and list_refusals(workspace):
        typed = f"mend or waive in notebook 4 ({lab}) what refuses the plan, then {plan_again}"
        return Next("conflicts", "mend or waive what refuses the plan", typed)
    if plan.pending and not loaded:
        if read_decisions(workspace.decisions_file).approves(plan.digest):
            return Next("load", "the plan is approved: load it", _type("run", folder, "load", "verify"))
        typed = f"look at the plan, then {_type('run', folder, 'load', 'verify', '--approve', plan.digest)}"
        return Next("conflicts", "look at the plan, and approve it", typed)
    parity = workspace.state_file("parity")
    if not parity.is_file() or (loaded and parity.stat().st_mtime < workspace.state_file("plan").stat().st_mtime):
        return Next("verify", "compare both sides", _type("run", folder, "verify"))
    return Next("verify", "what people must still do, and who goes over", _type("handover", folder))


def _type(*words: str) -> str:
    """The command as a shell takes it: by its name where it is on the path, else by its place beside this Python."""
    beside = Path(sys.executable).with_name("pdmigrate")
    name = "pdmigrate" if shutil.which("pdmigrate") or not beside.is_file() else _shorten(beside)
    return shlex.join([name, *words])


def _shorten(path: Path) -> str:
    """From here, where it lies below."""
    here = Path.cwd()
    return str(path.relative_to(here)) if path.is_relative_to(here) else str(path)
