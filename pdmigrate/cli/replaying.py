"""`replay`: what happened in PagerDuty, put through what Harness holds now."""

from pathlib import Path

import click

from pdmigrate.cli.printing import print_table
from pdmigrate.cli.program import command, workspace_argument


@command("replay", "pdmigrate replay acme --days 90")
@workspace_argument
@click.option("--days", type=int, default=90, metavar="N", help="How far back.")
@click.option("--mask", is_flag=True, help="Keep no titles of incidents in the workspace.")
def run_replay(workspace: Path, days: int, mask: bool) -> int:
    """Put every page of the last months through what Harness holds now.

    Reads PagerDuty's incidents and their log, week by week, and keeps them in the workspace's folder history: when it is
    broken off, the same command goes on from there. Writes to neither side. Writes the page replay, and ends with 5 where a
    page would go otherwise and no decision says so.
    """
    from pdmigrate.pages.replay import describe_replay, list_counts
    from pdmigrate.runs.finish import finish
    from pdmigrate.runs.publish import check_published
    from pdmigrate.steps.job import open_job
    from pdmigrate.steps.replay import replay
    from pdmigrate.workspace.folder import Workspace

    with open_job(workspace, Workspace(workspace).reports / "replay") as job:
        found = replay(job, days, titles=not mask)
        print(describe_replay(found))
        rows = list_counts(found)
        print_table([f"{name}: {number}" for name, number in rows], ("Pages", "Number"), rows)
        print("\n".join(found.happened.unread.values()), end="\n" if found.happened.unread else "")
        print(f"Page: {job.folder / 'replay.html'}")
        finish(job, found)
        check_published(job.folder, job.secrets)
    return 0
