"""`parallel`: a night of shadow weeks, the alerts of both systems side by side."""

from pathlib import Path
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import click

from pdmigrate.cli.printing import print_table
from pdmigrate.cli.program import command, workspace_argument
from pdmigrate.errors import UsageError
from pdmigrate.oncall.words import format_number

if TYPE_CHECKING:
    from pdmigrate.steps.job import Job


@command("parallel", "pdmigrate parallel acme --since 2026-11-29T20:00 --until 2026-11-30T08:00")
@workspace_argument
@click.option(
    "--since",
    default="",
    show_default=False,
    metavar="TIME",
    help="From when, by the account's clock; else last night, 20:00 to 8:00.",
)
@click.option("--until", default="", show_default=False, metavar="TIME", help="Until when; else until now.")
@click.option("--mask", is_flag=True, help="Show no titles of incidents.")
@click.option("--set-up", is_flag=True, help="Only write how the feed is set up, for the person who does it.")
@click.option("--rehearse", is_flag=True, help="Of the embedded pair: play that time through its feed first.")
def run_parallel(workspace: Path, since: str, until: str, mask: bool, set_up: bool, rehearse: bool) -> int:
    """Put PagerDuty's incidents of a night beside Harness's alerts of that night: who was paged on both sides.

    It needs a feed of PagerDuty's webhooks into Harness, which a person sets up: --set-up writes how. Writes to neither
    side. Writes the page parallel, and ends with 5 where something came to PagerDuty only, came twice, or paged
    otherwise, and no decision says so.
    """
    from pdmigrate.pages.parallel import describe_run, list_counts
    from pdmigrate.runs.finish import finish
    from pdmigrate.runs.publish import check_published
    from pdmigrate.steps.job import open_job
    from pdmigrate.steps.parallel import parallel
    from pdmigrate.workspace.folder import Workspace

    with open_job(workspace, Workspace(workspace).reports / "parallel") as job:
        if set_up:
            print("\n".join(f"Written: {path}" for path in write_feed(job)))
            return 0
        if rehearse:
            print(f"Played: {format_number(_play(job, since, until), 'webhook')} of PagerDuty.")
        found = parallel(job, since, until, titles=not mask)
        print(describe_run(found))
        rows = list_counts(found.summarise())
        print_table([f"{name}: {number}" for name, number in rows], ("Alerts", "Number"), rows)
        print(f"Page: {job.folder / 'parallel.html'}")
        finish(job, found)
        check_published(job.folder, job.secrets)
    return 0


def write_feed(job: "Job") -> list[Path]:
    """Write the words and files of the set-up into the workspace's handover."""
    from pdmigrate.handover.feed import make_feed
    from pdmigrate.runs.finish import make_links
    from pdmigrate.steps.draft import draft
    from pdmigrate.workspace.folder import write_text

    found, folder = draft(job), job.workspace.reports / "handover"
    written = []
    for path, text in make_feed(found, make_links(job, found)).items():
        write_text(folder / path, text)
        written.append(folder / path)
    return written


def _play(job: "Job", since: str, until: str) -> int:
    """The embedded PagerDuty sends that time to the embedded Harness, whose webhook knows all services by name."""
    from pdmigrate.sandbox.shadow import send_night
    from pdmigrate.steps.draft import draft
    from pdmigrate.steps.parallel import choose_span

    if job.source is None or (job.settings.source.kind, job.settings.target.kind) != ("embedded", "embedded"):
        raise UsageError("--rehearse plays the embedded pair's feed: this workspace has other sides.")
    found = draft(job)
    start, end = choose_span(since, until, ZoneInfo(found.home_zone), job.clock())
    names = {one.name: found.identifier_of("services", id) for id, one in found.account.services.items()}
    services = {name: identifier for name, identifier in names.items() if identifier}
    body = {"harness": job.target.address.base_url, "since": start.isoformat(), "until": end.isoformat()}
    return send_night(job.source.transport.base_url, {**body, "services": services})
