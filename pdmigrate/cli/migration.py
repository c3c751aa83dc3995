"""One migration, beside its runs: `init`, `handover`, `history`, `undo`; `evidence` checks a run, `publish` copies it."""

import argparse
import getpass
from pathlib import Path

from pdmigrate.errors import EvidenceError
from pdmigrate.handover.folder import describe_handover
from pdmigrate.handover.ticks import find_item, read_items, tick_item, untick_item
from pdmigrate.pages.history import describe_history
from pdmigrate.pages.undo import describe_undone
from pdmigrate.runs.evidence import check_evidence
from pdmigrate.runs.finish import finish, refresh_handovers, write_handover
from pdmigrate.runs.publish import check_published, find_run, publish
from pdmigrate.steps.history import history
from pdmigrate.steps.job import Job, open_job, read_clock
from pdmigrate.steps.result import Result
from pdmigrate.steps.undo import undo
from pdmigrate.workspace.folder import Workspace
from pdmigrate.workspace.settings import make_workspace, read_settings


def add_init(init: argparse.ArgumentParser) -> None:
    init.add_argument("workspace", type=Path, metavar="DIR")
    init.add_argument("--source", choices=("pagerduty", "snapshot", "embedded"), default="embedded")
    init.add_argument("--target", choices=("harness", "embedded"), default="embedded")
    for name in ("name", "subdomain", "region", "token", "snapshot", "account", "org", "project", "api-key"):
        init.add_argument(f"--{name}")
    init.add_argument("--source-url", help="another server that speaks PagerDuty's API")
    init.add_argument("--target-url", help="Harness's base URL")


def run_init(options: argparse.Namespace) -> int:
    """Make the workspace."""
    snapshot = str(Path(options.snapshot).resolve()) if options.snapshot else None
    path = make_workspace(options.workspace, {**vars(options), "snapshot": snapshot})
    print(f"Made {path}. Look at it, then: pdmigrate run {options.workspace}")
    return 0


def add_handover(handover: argparse.ArgumentParser) -> None:
    handover.add_argument("workspace", type=Path, metavar="DIR")
    handover.add_argument("--done", metavar="KEY", help="tick this item off")
    handover.add_argument("--undone", metavar="KEY", help="take a tick back")
    handover.add_argument("--by", default="", metavar="NAME", help="who did it (default: you)")
    handover.add_argument("--evidence", default="", metavar="FILE_OR_WORDS", help="what Harness shows now")
    handover.add_argument("--all", action="store_true", help="write everything anew, not only what changed")
    handover.add_argument("--to", type=Path, metavar="FOLDER", help="where to write (with --all)")


def run_handover(options: argparse.Namespace) -> int:
    """Tick, or write the list anew, and print what is left."""
    workspace = Workspace(options.workspace).check()
    name = read_settings(workspace.settings_file).name
    if options.done:
        item = find_item(read_items(workspace), options.done)
        tick_item(workspace, item, options.by or getpass.getuser(), read_clock(), options.evidence)
    if options.undone:
        untick_item(workspace, options.undone)
    if options.all:
        print(write_handover(workspace, name, workspace.place_run(options.to or workspace.reports / "handover"), True))
    elif options.done or options.undone:
        refresh_handovers(workspace, name, read_clock())
    print(describe_handover(workspace))
    return 0


def add_history(command: argparse.ArgumentParser) -> None:
    command.add_argument("workspace", type=Path, metavar="DIR")


def run_history(options: argparse.Namespace) -> int:
    """Print the runs and what has changed since, and write the page."""
    with open_job(options.workspace, Workspace(options.workspace).reports / "history") as job:
        found = history(job)
        return _leave(job, found, describe_history(found))


def add_undo(command: argparse.ArgumentParser) -> None:
    command.add_argument("workspace", type=Path, metavar="DIR")
    command.add_argument("--run", type=int, dest="number", metavar="N", help="the run (default: the latest load)")
    command.add_argument("--yes", action="store_true", help="revert it")


def run_undo(options: argparse.Namespace) -> int:
    """List what can be taken back, or take it back, and write the page."""
    with open_job(options.workspace, Workspace(options.workspace).reports / "undo") as job:
        undone = undo(job, options.number, options.yes)
        return _leave(job, undone, describe_undone(undone))


def _leave(job: Job, result: Result, lines: list[str]) -> int:
    """Print the lines, write the page, and say where it is."""
    print("\n".join(lines))
    path = finish(job, result).page
    check_published(job.folder, job.secrets)
    print(f"Page: {path}")
    return 0


def add_evidence(evidence: argparse.ArgumentParser) -> None:
    evidence.add_argument("folder", type=Path, metavar="DIR", help="a workspace, or one run's folder")


def run_evidence(options: argparse.Namespace) -> int:
    """Print each sealed run and its problems. Raises EvidenceError where there are any."""
    checked = check_evidence(options.folder)
    for run in checked:
        print(f"{run.folder.name}: {run.files} files, manifest {run.digest[:12]}, plan {run.plan[:12] or 'none'}")
        whole = f"its files are as they were sealed; {run.apart}" if run.apart else "as it was sealed"
        print(f"  approved by {run.approved or 'nobody'}; " + ("; ".join(run.problems) or whole))
    if any(run.problems for run in checked):
        raise EvidenceError("The evidence is not what was sealed: see the lines above, and compare with a copy.")
    return 0


def add_publish(command: argparse.ArgumentParser) -> None:
    command.add_argument("workspace", type=Path, metavar="DIR")
    command.add_argument("--to", type=Path, required=True, metavar="FOLDER")
    command.add_argument("--run", dest="run_name", default="", metavar="RUN", help="default: the newest with a report")
    command.add_argument("--mask", action="store_true", help="make emails and phone numbers unusable")


def run_publish(options: argparse.Namespace) -> int:
    """Copy the pages, and print where they are."""
    with open_job(options.workspace) as job:
        secrets, reports = job.secrets, job.workspace.reports
    run = find_run(reports, options.run_name)
    written = publish(run, options.to, secrets, options.mask)
    print(f"{len(written)} files of the run {run.name}{', masked' * options.mask}: {options.to / 'stakeholders.html'}")
    return 0
