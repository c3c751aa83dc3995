"""One migration, beside its runs: `init`, `handover`, `history`, `undo`; `evidence` checks a run, `publish` copies it."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from pdmigrate.cli.printing import choose_display, print_table
from pdmigrate.cli.program import FOLDER, command, workspace_argument
from pdmigrate.errors import EvidenceError
from pdmigrate.wire.progress import Progress, watching

if TYPE_CHECKING:
    from pdmigrate.steps.job import Job
    from pdmigrate.steps.result import Result


@command("init", "pdmigrate init acme --source pagerduty --target harness --subdomain acme --account ID")
@workspace_argument
@click.option(
    "--source", type=click.Choice(("pagerduty", "snapshot", "embedded")), default="embedded", help="Read from."
)
@click.option("--target", type=click.Choice(("harness", "embedded")), default="embedded", help="Written to.")
@click.option("--name", metavar="WORDS", show_default="the folder's name", help="What pages call the migration.")
@click.option("--subdomain", metavar="WORD", help="As in https://SUBDOMAIN.pagerduty.com.")
@click.option("--region", type=click.Choice(("us", "eu")), show_default="us", help="Where the account is.")
@click.option("--token", metavar="REF", help="PagerDuty's key: env:NAME, file:PATH or keyring:SERVICE/NAME.")
@click.option("--snapshot", metavar="FILE", help="For --source snapshot.")
@click.option("--account", metavar="ID", help="Harness's account.")
@click.option("--org", metavar="ID", help="Harness's organisation.")
@click.option("--project", metavar="ID", help="Harness's project.")
@click.option("--api-key", metavar="REF", help="Harness's key: env:NAME, file:PATH or keyring:SERVICE/NAME.")
@click.option("--source-url", metavar="URL", help="Another server that speaks PagerDuty's API.")
@click.option("--target-url", metavar="URL", help="Harness's base URL.")
def run_init(workspace: Path, snapshot: str | None, **options: Any) -> int:
    """Make a workspace: a folder with a commented migration.yaml, and notebooks of its own.

    Without options both sides are the embedded ones. What is not said here can be written into the file.
    """
    from pdmigrate.runs.notebooks import copy_notebooks
    from pdmigrate.workspace.folder import Workspace
    from pdmigrate.workspace.settings import make_workspace

    path = make_workspace(workspace, {**options, "snapshot": str(Path(snapshot).resolve()) if snapshot else None})
    copy_notebooks(Workspace(workspace))
    print(
        f"Made {path}. Look at it, then: pdmigrate lab --workspace {workspace}, or headless: pdmigrate run {workspace}"
    )
    return 0


@command("handover", "pdmigrate handover acme --done schedules:PSCHED7 --by ann --evidence screen.png")
@workspace_argument
@click.option("--done", metavar="KEY", help="Tick this item off.")
@click.option("--undone", metavar="KEY", help="Take a tick back.")
@click.option("--by", default="", show_default="you", metavar="NAME", help="Who did it.")
@click.option("--evidence", default="", show_default=False, metavar="FILE_OR_WORDS", help="What Harness shows now.")
@click.option("--all", "everything", is_flag=True, help="Write everything anew, not only what changed.")
@click.option("--to", type=FOLDER, metavar="FOLDER", help="Where to write, with --all.")
def run_handover(
    workspace: Path, done: str | None, undone: str | None, by: str, evidence: str, everything: bool, to: Path | None
) -> int:
    """Print what is left for people to do, and tick it off.

    A key is the word before each item.
    """
    import getpass

    from pdmigrate.handover.folder import describe_handover
    from pdmigrate.handover.ticks import find_item, read_items, tick_item, untick_item
    from pdmigrate.runs.finish import refresh_handovers, write_handover
    from pdmigrate.steps.job import read_clock
    from pdmigrate.workspace.folder import Workspace
    from pdmigrate.workspace.settings import read_settings

    place = Workspace(workspace).check()
    name = read_settings(place.settings_file).name
    if done:
        item = find_item(read_items(place), done)
        tick_item(place, item, by or getpass.getuser(), read_clock(), evidence)
    if undone:
        untick_item(place, undone)
    progress = Progress()
    with watching(progress, "Writing the handover", choose_display()):
        if everything:
            print(write_handover(place, name, place.place_run(to or place.reports / "handover"), True, progress))
        elif done or undone:
            refresh_handovers(place, name, read_clock())
    print(describe_handover(place))
    return 0


@command("history", "pdmigrate history acme")
@workspace_argument
def run_history(workspace: Path) -> int:
    """Print what each run did, and what has changed since the last.

    Writes the page history. Reads Harness, and the latest snapshot of PagerDuty; writes to neither side.
    """
    from pdmigrate.pages.history import describe_since, list_history
    from pdmigrate.steps.history import history
    from pdmigrate.steps.job import open_job
    from pdmigrate.workspace.folder import Workspace

    with open_job(workspace, Workspace(workspace).reports / "history") as job:
        job.under_way.display = choose_display()
        found = history(job)
        rows = list_history(found)
        lines = [f"{run} {began} {state}, {plan}: {steps}" for run, began, state, plan, steps in rows]
        print_table(lines or ["Nothing was ever loaded."], ("Run", "Began (UTC)", "State", "Plan", "Steps"), rows)
        print("\n".join(describe_since(found)))
        return _leave(job, found)


@command("undo", "pdmigrate undo acme --run 3 --yes")
@workspace_argument
@click.option("--run", "number", type=int, metavar="N", show_default="the latest load", help="The run.")
@click.option("--yes", is_flag=True, help="Take it back; without this nothing is written.")
def run_undo(workspace: Path, number: int | None, yes: bool) -> int:
    """List what a run wrote and nobody has changed since; --yes takes it back.

    What the run made is then removed from Harness, and what it changed is put back; accounts of people who have accepted
    stay. The approval of its plan is withdrawn. A mail that was sent stays sent: the list says to whom. Writes the page undo.
    """
    from pdmigrate.pages.undo import describe_undone, list_undone
    from pdmigrate.steps.job import open_job
    from pdmigrate.steps.undo import undo
    from pdmigrate.workspace.folder import Workspace

    with open_job(workspace, Workspace(workspace).reports / "undo") as job:
        job.under_way.display = choose_display()
        undone = undo(job, number, yes)
        rows, said = list_undone(undone), describe_undone(undone)
        lines = [f"{verb:<7} {kind:<19} {name}: {words}" for verb, kind, name, words in rows]
        print_table(lines, ("The run did", "Kind", "Object", "Now"), rows)
        print("\n".join(said))
        return _leave(job, undone)


def _leave(job: "Job", result: "Result") -> int:
    """Write the page, and say where it is."""
    from pdmigrate.runs.finish import finish
    from pdmigrate.runs.publish import check_published

    path = finish(job, result).page
    check_published(job.folder, job.secrets)
    print(f"Page: {path}")
    return 0


@command("evidence", "pdmigrate evidence acme")
@click.argument("folder", type=FOLDER, metavar="DIR", help="A workspace, or one run's folder.")
def run_evidence(folder: Path) -> int:
    """Check that sealed runs are as they were.

    Prints each sealed run and its problems, and ends with 4 where there are any.
    """
    from pdmigrate.runs.evidence import check_evidence

    checked = check_evidence(folder)
    for run in checked:
        print(f"{run.folder.name}: {run.files} files, manifest {run.digest[:12]}, plan {run.plan[:12] or 'none'}")
        whole = f"its files are as they were sealed; {run.apart}" if run.apart else "as it was sealed"
        approved = f"approved by {run.approved}" if run.approved else "not approved"
        print(f"  {approved}; " + ("; ".join(run.problems) or whole))
    if any(run.problems for run in checked):
        raise EvidenceError("The evidence is not what was sealed: see the lines above, and compare with a copy.")
    return 0


@command("publish", "pdmigrate publish acme --to outbox")
@workspace_argument
@click.option("--to", type=FOLDER, required=True, metavar="FOLDER", help="New, empty, or published to before.")
@click.option("--run", "run_name", default="", show_default="the newest with a report", metavar="RUN", help="The run.")
@click.option("--mask/--no-mask", default=True, help="Make emails and phone numbers unusable.")
def run_publish(workspace: Path, to: Path, run_name: str, mask: bool) -> int:
    """Copy what stakeholders may see to a folder of its own.

    Emails and phone numbers are masked unless --no-mask says otherwise; names stay. A folder that publish did not make is
    never written over.
    """
    from pdmigrate.runs.publish import find_run, publish
    from pdmigrate.steps.job import open_job

    with open_job(workspace) as job:
        secrets, reports = job.secrets, job.workspace.reports
    run = find_run(reports, run_name)
    with watching(progress := Progress(), "Publishing", choose_display()):
        written = publish(run, to, secrets, mask, progress)
    masked = ", masked" if mask else ", with emails and phone numbers"
    print(f"{len(written)} files of the run {run.name}{masked}: {to / 'stakeholders.html'}")
    return 0
