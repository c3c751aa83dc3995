"""The steps in order, headless: `run`, and `demo` on the embedded company."""

from contextlib import suppress
from pathlib import Path

import click

from pdmigrate import __version__
from pdmigrate.cli.printing import print_error
from pdmigrate.cli.program import FOLDER, command, workspace_argument
from pdmigrate.workspace.folder import STEPS


@command("demo", "pdmigrate demo --workspace demo")
@click.option("--workspace", type=FOLDER, default=Path("demo"), metavar="DIR", help="A folder for it.")
def run_demo(workspace: Path) -> int:
    """Carry the embedded company over, three times.

    First as it is, then what changed in it since, then nothing, since nothing changed.
    """
    _start_host()
    from pdmigrate.runs import demo

    return demo.run_demo(workspace)


@command("run", "pdmigrate run acme --until conflicts")
@workspace_argument
@click.argument("steps", nargs=-1, metavar="[STEP]...", help=f"{', '.join(STEPS)}; without one all of them.")
@click.option("--until", metavar="STEP", help="Stop after this step.")
@click.option("--reports", type=FOLDER, metavar="FOLDER", help="The run's folder.", show_default="DIR/reports/TIME")
@click.option(
    "--approve",
    default="",
    show_default=False,
    metavar="DIGEST",
    help="The plan to load, or all (embedded pair and rehearsals).",
)
def run_run(workspace: Path, steps: tuple[str, ...], until: str | None, reports: Path | None, approve: str) -> int:
    """Run the steps headless: the same notebooks that a person opens.

    Leaves a page for each step and an index. Without --approve only the small changes are loaded that rules.auto_approve
    lists, or a plan that decisions.yaml approves.
    """
    _start_host()
    from pdmigrate.runs.headless import choose_steps, run_steps, seal, stopping_between_steps
    from pdmigrate.steps.job import open_job, read_clock
    from pdmigrate.workspace.folder import Workspace

    chosen = choose_steps(steps, until)
    name = f"{read_clock():%Y%m%dT%H%M%SZ}"
    place = Workspace(workspace)
    folder = place.place_run(reports or place.reports / name)
    with open_job(workspace, folder) as job:
        secrets = job.secrets
    with stopping_between_steps(workspace) as stop:
        outcome = run_steps(Path(workspace).resolve(), chosen, folder, approve, stop=stop)
    seal(workspace, folder, secrets, __version__)
    for error in outcome.errors:
        print_error(error)
    print(f"Pages: {folder / 'index.html'}")
    return outcome.exit_code


def _start_host() -> None:
    """First of all: it imports what notebooks need, while this process imports what a run needs."""
    from pdmigrate.runs.host import Host

    with suppress(OSError):  # the first step tries again, and says why there is none
        Host.find()
