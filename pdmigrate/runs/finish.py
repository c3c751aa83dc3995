"""The end of a step: its page, its result.json, and, where a person is needed or something went wrong, the error."""

import os
from collections.abc import Callable
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Any

from pdmigrate.errors import PersonNeededError
from pdmigrate.handover.folder import GIVEN, open_handover, save_list, write_folder
from pdmigrate.handover.links import Links
from pdmigrate.handover.ticks import read_items
from pdmigrate.mapping.draft import Draft
from pdmigrate.pages import make_page, stakeholders, survey, teams, trend
from pdmigrate.pages.handover import make_page as make_checklist
from pdmigrate.pages.readiness import Readiness, read_readiness
from pdmigrate.pages.report import write_page
from pdmigrate.pages.show import Written
from pdmigrate.runs.evidence import is_sealed, seal_run
from pdmigrate.runs.measuring import MEASURED, keep_run
from pdmigrate.runs.person import is_interactive
from pdmigrate.runs.summary import read_results, write_run
from pdmigrate.steps.conflicts import Decided
from pdmigrate.steps.job import Job
from pdmigrate.steps.preview import Preview
from pdmigrate.steps.result import Result
from pdmigrate.steps.trend import read_trend
from pdmigrate.steps.verify import Verified
from pdmigrate.wire.progress import Progress
from pdmigrate.workspace.folder import STEPS, Workspace
from pdmigrate.workspace.settings import Settings


def finish(job: Job, result: Result) -> Written:
    """Write the step's page and results/STEP.json. Returns what was written: a notebook shows it as links.

    Raises OpenConflictsError, UnapprovedPlanError, RefusedError, PartialLoadError or UnexplainedDifferenceError after
    both are written, so that a headless run ends with the right code and the evidence is there. Where a person sits
    before the notebook, what waits for an answer is no error: it is said above the links.
    """
    with job.under_way.watch(f"Writing the pages of {result.step}"):
        return _finish(job, result)


def _finish(job: Job, result: Result) -> Written:
    error, page = result.error, make_page(result)
    beside = BESIDE[result.step](job, result) if result.step in BESIDE else {}
    there = [step for step in STEPS if result.step in STEPS or (job.folder / f"{step}.html").is_file()]
    links = [("index.html", "Run"), *((f"{step}.html", step.capitalize()) for step in there)]
    links += [(path.relative_to(job.folder).as_posix(), title) for title, path in beside.items() if title in LINKED]
    written = [(f"Page {page.title}", write_page(page, job.folder, links))]
    written += [(title, path) for title, path in beside.items() if title not in LINKED]
    figures = [asdict(figure) for figure in page.figures]
    left: dict[str, Any] = {
        "status": result.status,
        "exit_code": error.exit_code if error else 0,
        "error": str(error or ""),
        "card": {"title": page.title, "lead": page.lead, "status": page.status, "figures": figures},
        "summary": result.summarise(),
    }
    at = job.clock()
    if result.step in MEASURED:
        left["measured"] = MEASURED[result.step](job, result)
    job.leave_result(result.step, left, at)
    if result.step in MEASURED:
        keep_run(job, result, at, left["measured"])
    if result.step in (*MEASURED, "history"):
        written.append(("Trend", write_trend(job.workspace, job.settings, job.folder, at, job.read_subdomain())))
    write_run(job.settings.name, job.folder, read_results(job.folder), job.clock())
    written.append(("All pages of this run", job.folder / "index.html"))
    if job.folder == job.workspace.by_hand:
        seal_run(job.workspace, job.folder, job.clock())
    waits = isinstance(error, PersonNeededError) and is_interactive()
    if error and not waits:
        raise error
    return Written(tuple(written), page.lead if waits else "")


def _survey(job: Job, found: Preview) -> dict[str, Path]:
    page = survey.make_page(found, job.settings.minutes)
    return {page.title: write_page(page, job.folder, [("index.html", "Run"), ("preview.html", "Preview")])}


def _list_handover(job: Job, decided: Decided) -> dict[str, Path]:
    """What the plan leaves to people is listed with the plan."""
    save_list(job.workspace, decided.draft, make_links(job, decided.draft))
    return {}


def make_links(job: Job, found: Draft) -> Links:
    """Where a person finds objects on both sides."""
    target, source = job.target.address, job.settings.source
    asked_there = source.kind == "pagerduty" and not source.base_url
    region = source.region if asked_there or source.region != "us" else ""
    place = (target.base_url, target.account, target.org, target.project)
    return Links(*place, job.read_subdomain(), region, found.account.host)


def _write_verified(job: Job, verified: Verified) -> dict[str, Path]:
    """The pages for others; and each team's standing, for whoever looks at many workspaces."""
    readiness = read_readiness(job, verified)
    place = job.workspace.folder
    run = job.folder.relative_to(place).as_posix() if job.folder.is_relative_to(place) else ""
    job.workspace.save_state("teams", {"run": run, "teams": teams.list_standings(readiness)})
    return {"Report for stakeholders": write_shared(readiness, job.folder, job.progress)}


def write_trend(workspace: Workspace, settings: Settings, folder: Path, now: datetime, source: str = "") -> Path:
    """The page of what each night found, in the folder of a run. source: the PagerDuty account, where it is known."""
    shown = trend.Shown(read_trend(workspace, settings, now, source), now, workspace.folder, folder)
    return write_page(trend.make_page(shown), folder, [("index.html", "Run")])


BESIDE: dict[str, Callable[[Job, Any], dict[str, Path]]] = {
    "preview": _survey,
    "conflicts": _list_handover,
    "load": lambda job, _: {
        "Handover": write_handover(job.workspace, job.settings.name, job.folder / "handover", progress=job.progress)
    },
    "verify": _write_verified,
}
"""What a step leaves beside its page: title to the file."""

LINKED = ("Handover",)
"""Those of them that the step's page links."""


def write_handover(
    workspace: Workspace, name: str, folder: Path, everything: bool = False, progress: Progress | None = None
) -> Path:
    """The folder of a handover: checklist page, handover.csv and the files. Returns the page's path."""
    handover = open_handover(workspace, folder, everything)
    write_folder(workspace, handover, progress)
    return write_page(make_checklist(handover, name), folder)


def refresh_handovers(workspace: Workspace, name: str, now: datetime) -> None:
    """Write the folders again in which open or ticked items stand, so that their pages show the ticks of today.

    A sealed run stays as it was shown; then reports/handover has the whole list of today.
    """
    items = {item.key for item in read_items(workspace)}
    given = {row["folder"] for key, row in (workspace.find_state(GIVEN) or {}).items() if key in items}
    folders = [
        folder for folder in sorted(map(Path, given)) if os.path.isdir(folder)
    ]  # is_dir() stumbles over a long name
    sealed = [folder for folder in folders if is_sealed(folder.parent) and folder.parent != workspace.by_hand]
    for folder in folders:
        if folder not in sealed:
            write_handover(workspace, name, folder)
    if sealed:
        write_handover(workspace, name, workspace.reports / "handover", everything=True)
    if is_sealed(workspace.by_hand):
        seal_run(workspace, workspace.by_hand, now)


def write_shared(readiness: Readiness, folder: Path, progress: Progress) -> Path:
    """Write the pages for those outside the project: the stakeholders' report, and one per team.

    They link each other only, and the replay, where this run has one.
    """
    report = stakeholders.make_page(readiness)
    home = (f"{report.name}.html", "All teams")
    for team in progress.follow("team pages written", readiness.teams):
        page = teams.make_page(readiness, team)
        write_page(page, folder, [home, (f"{page.name}.html", page.title)])
    replayed = [("replay.html", "Replay of what happened")] if (folder / "replay.html").is_file() else []
    return write_page(report, folder, [home, *replayed] if replayed else [])
