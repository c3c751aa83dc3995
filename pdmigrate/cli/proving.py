"""`prove`: a test page per service, asked for by a person, and who was really told of it."""

from pathlib import Path

import click

from pdmigrate.cli.printing import choose_display, print_table
from pdmigrate.cli.program import command, workspace_argument
from pdmigrate.errors import UsageError


@command("prove", 'pdmigrate prove acme --service "Cart API" --by ann --yes')
@workspace_argument
@click.option("--service", "services", multiple=True, metavar="NAME", help="One that moves; again for more. Else all.")
@click.option("--by", default="", metavar="NAME", help="Who asks for the test pages, or has seen one.")
@click.option("--yes", is_flag=True, help="Send them; without this nothing is sent.")
@click.option("--again", is_flag=True, help="Also to services that had one under the plan that is loaded.")
@click.option(
    "--wait", type=click.FloatRange(0, 60), default=5.0, metavar="MINUTES", help="How long each waits for an answer."
)
@click.option(
    "--pause", type=click.FloatRange(0), default=30.0, metavar="SECONDS", help="Between one's end and the next."
)
@click.option(
    "--tick", default="", metavar="NAME", help="A person has seen this service's page reach the right people."
)
@click.option("--words", default="", metavar="TEXT", help="What that person says.")
def run_prove(
    workspace: Path,
    services: tuple[str, ...],
    by: str,
    yes: bool,
    again: bool,
    wait: float,
    pause: float,
    tick: str,
    words: str,
) -> int:
    """Say whom a test page of each service would wake now; --yes sends them.

    They go by the webhook that migration.yaml names (target.webhook, target.webhooks), one at a time, each marked as a test
    and ended once somebody answers. Then Harness's alerts and timelines are read: who was told, by which channel, when, and
    who answered. What is not seen there a person ticks. Writes the page live; ends with 5 where a page reached nobody or
    other people, with 3 where one was not seen. Ctrl-C stops between two pages; the same command goes on, and sends none twice.
    """
    from pdmigrate.pages.prove import describe_proved, describe_sent, list_rows, list_tones, list_wakes
    from pdmigrate.runs.finish import finish
    from pdmigrate.runs.publish import check_published
    from pdmigrate.steps.job import open_job
    from pdmigrate.steps.prove import prove, tick_page
    from pdmigrate.steps.sending import Asking
    from pdmigrate.workspace.folder import Workspace

    if yes and tick:
        raise UsageError("Either --yes, which sends, or --tick, which notes what a person has seen.")
    with open_job(workspace, Workspace(workspace).reports / "live") as job:
        job.under_way.display = choose_display()
        if tick:
            tick_page(job, tick, by, words)
        found = prove(job, services, Asking(by, again, wait, pause) if yes else None, describe=print)
        if not yes and not tick:
            wakes = list_wakes(found)
            lines = [f"{name}: {who}  [{way}]" for name, who, way in wakes]
            print_table(lines, ("Service", "Would be told now", "By, or why not"), wakes)
            print("Nothing was sent. With --by NAME --yes these people are paged, one service after the other.")
        else:
            rows = list_rows(found)
            lines = [f"{name}: {said}{f' ({why})' * bool(why)}" for name, said, why in rows]
            print_table(lines, ("Service", "Test page", "What differs, or is not known"), rows, list_tones(found))
        if yes and (said := describe_sent(found)):
            print(said)
        print(describe_proved(found))
        print(f"Page: {job.folder / 'live.html'}")
        finish(job, found)
        check_published(job.folder, job.secrets)
    return 0
