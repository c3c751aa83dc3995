"""One migration, beside its runs: `init`, `handover`, `history` and `undo`."""

import argparse
import getpass
from pathlib import Path

from pdmigrate.handover.folder import describe_handover
from pdmigrate.handover.ticks import find_item, read_items, tick_item, untick_item
from pdmigrate.pages.history import describe_history
from pdmigrate.pages.undo import describe_undone
from pdmigrate.runs.finish import finish, refresh_handovers, write_handover
from pdmigrate.runs.publish import check_published
from pdmigrate.steps.history import history
from pdmigrate.steps.job import open_job, read_clock
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
    init.set_defaults(run=run_init)


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
    handover.set_defaults(run=run_handover)


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
        print(write_handover(workspace, name, (options.to or workspace.reports / "handover").resolve(), True))
    elif options.done or options.undone:
        refresh_handovers(workspace, name, read_clock())
    print(describe_handover(workspace))
    return 0


def add_history(command: argparse.ArgumentParser) -> None:
    command.add_argument("workspace", type=Path, metavar="DIR")
    command.set_defaults(run=run_history)


def run_history(options: argparse.Namespace) -> int:
    """Print the runs and what has changed since, and write the page."""
    with open_job(options.workspace, options.workspace / "reports" / "history") as job:
        found = history(job)
        print("\n".join(describe_history(found)))
        path = finish(job, found).page
        check_published(job.folder, job.secrets)
    print(f"Page: {path}")
    return 0


def add_undo(command: argparse.ArgumentParser) -> None:
    command.add_argument("workspace", type=Path, metavar="DIR")
    command.add_argument("--run", type=int, dest="number", metavar="N", help="the run (default: the latest load)")
    command.add_argument("--yes", action="store_true", help="revert it")
    command.set_defaults(run=run_undo)


def run_undo(options: argparse.Namespace) -> int:
    """List what can be taken back, or take it back, and write the page."""
    with open_job(options.workspace, options.workspace / "reports" / "undo") as job:
        undone = undo(job, options.number, options.yes)
        print("\n".join(describe_undone(undone)))
        path = finish(job, undone).page
        check_published(job.folder, job.secrets)
    print(f"Page: {path}")
    return 0
