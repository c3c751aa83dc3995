"""The first call of a notebook: it opens the workspace, and says whose it is, what was done last, and what is next."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from pdmigrate.errors import SettingsError
from pdmigrate.pages.show import Link, Shown, Table, show
from pdmigrate.runs.displays import choose_display
from pdmigrate.runs.next_command import find_next
from pdmigrate.runs.notebooks import name_notebook
from pdmigrate.runs.person import is_interactive
from pdmigrate.runs.summary import read_results
from pdmigrate.steps import job as jobs
from pdmigrate.workspace.folder import STEPS, Workspace

if TYPE_CHECKING:
    from pdmigrate.steps.job import Job


def open_job(
    workspace: Path | str = "", reports: Path | str = "", clock: Callable[[], datetime] = jobs.read_clock
) -> "Job":
    """Open a workspace; without a name the one in PDMIGRATE_WORKSPACE.

    `reports` is the run's folder; without it, pages of work by hand go to DIR/reports/by-hand. In a notebook its steps show
    how far they are; where a person sits before it, a line says whose workspace this is. Raises SettingsError where there is
    no workspace, its migration.yaml cannot be used, or the notebook lies in the workspace of another client.
    """
    job = jobs.open_job(workspace, reports, clock)
    job.under_way.display = choose_display()
    if not is_interactive():
        return job
    from IPython.display import display

    home = Workspace(Path.cwd().parent)
    if home.folder != job.workspace.folder and home.settings_file.is_file():
        job.close()
        words = f"This notebook lies in {home.folder}, and names {job.workspace.folder}"
        raise SettingsError(f"{words}: open it by pdmigrate lab --workspace {home.folder.name}.")
    display(describe_job(job))  # type: ignore[no-untyped-call]  # IPython's has no types
    return job


def describe_job(job: "Job") -> Shown:
    """Client, source, target, the step that was run last, and what is next, with a link to its notebook."""
    settings, access = job.settings, job.workspace.find_state("access") or {}
    sides = [settings.source.subdomain or access.get("subdomain"), access.get("target") or settings.target.account]
    kinds = [settings.source.kind, settings.target.kind]
    source, target = (f"{name} ({kind})" if name else kind for name, kind in zip(sides, kinds, strict=True))
    following = find_next(job.workspace, settings)
    notebook = name_notebook(following.step)
    link = Link(notebook.removesuffix(".ipynb").replace("_", " · ").title(), notebook)
    row = (settings.name, source, target, _describe_last(job.workspace), link, following.doing)
    return show(Table(("Client", "Source", "Target", "Last run", "Next", "What to do there"), (row,)))


def _describe_last(workspace: Workspace) -> str:
    """The step that left its result last, in whichever run."""
    left = [path for path in workspace.reports.glob("*/results/*.json") if path.stem in (*STEPS, "undo")]
    if not left:
        return "none yet"
    last = max(left, key=lambda path: path.stat().st_mtime)
    said = read_results(last.parent.parent, beside=True)[last.stem]
    when = f", {datetime.fromisoformat(said['at']).astimezone(UTC):%Y-%m-%d %H:%M} UTC" if said.get("at") else ""
    return f"{last.stem}: {said['status']}{when}"
