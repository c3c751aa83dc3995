"""The steps in order, headless: `run`, and `demo` on the embedded company."""

import argparse
import sys
from pathlib import Path

from pdmigrate import __version__
from pdmigrate.runs import demo
from pdmigrate.runs.headless import choose_steps, run_steps, seal, stopping_between_steps
from pdmigrate.steps.job import open_job, read_clock
from pdmigrate.workspace.folder import STEPS, Workspace


def add_demo(command: argparse.ArgumentParser) -> None:
    command.add_argument("--workspace", type=Path, default=Path("demo"), help="a folder for it (default: demo)")


def run_demo(options: argparse.Namespace) -> int:
    """Carry the embedded company over, three times."""
    return demo.run_demo(options.workspace)


def add_run(run: argparse.ArgumentParser) -> None:
    run.add_argument("workspace", type=Path, metavar="DIR")
    run.add_argument("steps", nargs="*", metavar="STEP", help=", ".join(STEPS))
    run.add_argument("--until", metavar="STEP", help="stop after this step")
    run.add_argument("--reports", type=Path, metavar="FOLDER", help="the run's folder (default: DIR/reports/RUN)")
    run.add_argument(
        "--approve", default="", metavar="DIGEST", help="the plan to load, or all (embedded pair and rehearsals)"
    )


def run_run(options: argparse.Namespace) -> int:
    """Run the notebooks, and seal what they left."""
    steps = choose_steps(options.steps, options.until)
    name = f"{read_clock():%Y%m%dT%H%M%SZ}"
    place = Workspace(options.workspace)
    folder = place.place_run(options.reports or place.reports / name)
    with open_job(options.workspace, folder) as job:
        secrets = job.secrets
    with stopping_between_steps(options.workspace) as stop:
        outcome = run_steps(Path(options.workspace).resolve(), steps, folder, options.approve, stop=stop)
    seal(options.workspace, folder, secrets, __version__)
    for error in outcome.errors:
        print(f"pdmigrate: {error}", file=sys.stderr)
    print(f"Pages: {folder / 'index.html'}")
    return outcome.exit_code
