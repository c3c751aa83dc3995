"""`overview`: all workspaces on one page, from what lies in them. Asks neither side."""

import os
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import quote

import click

from pdmigrate.cli.program import FOLDER, command
from pdmigrate.cli.status import list_runs, list_standings
from pdmigrate.errors import WORST_FIRST, PdmigrateError, SettingsError
from pdmigrate.pages.overview import Shown, Standing, Team, make_page
from pdmigrate.pages.report import write_page
from pdmigrate.runs.evidence import has_ended
from pdmigrate.runs.summary import Left, read_results
from pdmigrate.steps.job import read_clock
from pdmigrate.steps.trend import read_trend
from pdmigrate.wire.json_text import OF_FILE, read_json
from pdmigrate.workspace.decisions import read_decisions
from pdmigrate.workspace.folder import Workspace
from pdmigrate.workspace.settings import read_chosen
from pdmigrate.workspace.states import read_within

DEPTHS = ("migration.yaml", "*/migration.yaml", "*/*/migration.yaml")
"""A workspace, a folder of them, or a folder of accounts with a folder of workspaces each."""


@command("overview", "pdmigrate overview workspaces --to overview")
@click.argument(
    "folders", type=FOLDER, nargs=-1, required=True, metavar="DIR...", help="A workspace, or a folder of them."
)
@click.option("--to", type=FOLDER, default=Path("overview"), metavar="FOLDER", help="Where the page goes.")
@click.option("--hours", type=int, default=26, metavar="N", help="A latest run that is older is out of date.")
def run_overview(folders: tuple[Path, ...], to: Path, hours: int) -> int:
    """Write one page over many workspaces: in step, waits for whom, failed why.

    DIR is a workspace, or a folder with workspaces in it or one level below. Only runs whose folders lie in their workspace
    are seen. Neither side is asked, and nothing is written but the page.
    """
    places = [place for folder in folders for place in _find_workspaces(folder)]
    to, now = to.resolve(), read_clock()
    shown = Shown(tuple(_read_standing(place, to, now) for place in places), now, timedelta(hours=hours))
    page = make_page(shown)
    path = write_page(page, to)
    for one in shown.worst_first:
        said = one.unread or "; ".join(one.why or one.waits)
        print(f"{one.name}: {shown.tell_state(one)}{f': {said}' if said else ''}")
    print(f"Page: {path}")
    return 0


def _find_workspaces(folder: Path) -> list[Workspace]:
    """Raises SettingsError where there is none: a page over nothing would say that all is well."""
    found = sorted({path.parent for depth in DEPTHS for path in folder.glob(depth)})
    if not found:
        raise SettingsError(f"There is no workspace in {folder} (no migration.yaml): name a folder that holds some.")
    return [Workspace(path) for path in found]


def _read_standing(place: Workspace, to: Path, now: datetime) -> Standing:
    """What its latest run left, and what lies in it; of a workspace that is damaged at least the former, and why."""
    run, results = _find_latest(place)
    left = _read_run(run, results, to) if run else Standing(place.folder.name, str(place.folder))
    try:
        settings = read_chosen(place, read_decisions(place.decisions_file))
        left = replace(left, name=settings.name)
        standings, runs = list_standings(place, settings), list_runs(place, settings)
        rows = read_trend(place, settings, now).list_rows("verify")
        teams = _read_teams(place, to)
    except PdmigrateError as error:
        return replace(left, unread=str(error))
    told = [one for one in standings if one.step != "trend"]  # it tells of the latest run, as the run does itself
    waits, wrong = (
        tuple(f"{one.step}: {one.short or one.said}" for one in told if one.tone == tone) for tone in ("warn", "bad")
    )
    verified = results.get("verify", {})
    since = [one for one in runs if one.started > verified.get("at", "")]
    compared = verified.get("exit_code") == 0 and not since and not wrong
    left = replace(left, compared=compared, why=left.why + wrong, waits=waits, teams=teams)
    last = rows[-1].measured if rows else None
    if last and place.folder / last.run != run and (left.at is None or last.moment > left.at):
        why = (
            last.error or "the latest run has left its folder elsewhere, or it is gone: what it found is not known here"
        )
        return replace(left, code=last.exit_code, at=last.moment, compared=False, why=(why, *wrong), page="")
    return left


def _find_latest(place: Workspace) -> tuple[Path | None, dict[str, Left]]:
    """The folder of the run in which a step has left something last, and what its steps left."""
    runs = sorted(place.reports.glob("*/results"), key=lambda path: path.stat().st_mtime, reverse=True)
    found = ((path.parent, read_results(path.parent)) for path in runs)
    return next(((folder, results) for folder, results in found if results), (None, {}))


def _read_run(run: Path, results: dict[str, Left], to: Path) -> Standing:
    """The run as its folder tells it; without a code where it has not come to its end."""
    code, ends = None, [datetime.fromisoformat(one["at"]) for one in results.values() if one.get("at")]
    if has_ended(run):
        with suppress(OSError, ValueError, TypeError, KeyError):
            code = read_json(read_within(run / "summary.json", OF_FILE.size))["exit_code"]
    at = max(ends, default=datetime.fromtimestamp((run / "results").stat().st_mtime, UTC))
    why = tuple(f"{step}: {one['error']}" for step, one in results.items() if one["error"])
    page = _lead(run / "index.html", to) if (run / "index.html").is_file() else ""
    folder = run.parent.parent
    return Standing(folder.name, str(folder), code if code in WORST_FIRST else None, at, why=why, page=page)


def _read_teams(place: Workspace, to: Path) -> tuple[Team, ...]:
    left = place.find_state("teams") or {"run": "", "teams": []}
    run = place.folder / left["run"]
    return tuple(
        Team(
            one["name"],
            _lead(path, to) if left["run"] and (path := run / one["page"]).is_file() else "",
            one["choice"],
            tuple(one["troubles"]),
            tuple(one["waits"]),
        )
        for one in left["teams"]
    )


def _lead(path: Path, to: Path) -> str:
    return quote(os.path.relpath(path, to).replace(os.sep, "/"))
