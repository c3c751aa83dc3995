"""The end of a step: its page, its result.json, and, where a person is needed or something went wrong, the error."""

from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Any

from pdmigrate.errors import (
    OpenConflictsError,
    PartialLoadError,
    PdmigrateError,
    RefusedError,
    UnapprovedPlanError,
    UnexplainedDifferenceError,
)
from pdmigrate.handover.folder import GIVEN, open_handover, read_items, save_list, write_folder
from pdmigrate.handover.links import Links
from pdmigrate.mapping.draft import Draft
from pdmigrate.pages import make_page, stakeholders, step_of, teams
from pdmigrate.pages.handover import make_page as make_checklist
from pdmigrate.pages.report import Page, write_page
from pdmigrate.pages.show import Written
from pdmigrate.pages.standing import Standing, read_standing
from pdmigrate.parity.policies import count_level_seconds, count_policies
from pdmigrate.runs.evidence import is_sealed, seal_run
from pdmigrate.runs.summary import read_results, write_run
from pdmigrate.steps.conflicts import Decided
from pdmigrate.steps.connect import Access
from pdmigrate.steps.history import History
from pdmigrate.steps.invite import People
from pdmigrate.steps.job import Job
from pdmigrate.steps.load import Loaded
from pdmigrate.steps.preview import Preview
from pdmigrate.steps.undo import Undone
from pdmigrate.steps.verify import Verified
from pdmigrate.workspace.folder import STEPS, Workspace

STATUSES = {0: "done", 3: "waiting", 4: "refused", 5: "partial"}


def finish(job: Job, result: Any) -> Written:
    """Write the step's page and results/STEP.json. Returns what was written: a notebook shows it as links.

    Raises OpenConflictsError, UnapprovedPlanError, RefusedError, PartialLoadError or UnexplainedDifferenceError after
    both are written, so that a headless run ends with the right code and the evidence is there.
    """
    error = judge(result)
    status = STATUSES[error.exit_code if error else 0]
    page = make_page(result, status)
    links = [("index.html", "Run"), *((f"{step}.html", step.capitalize()) for step in STEPS)]
    links += hand_over(job, result)
    written = [(f"Page {page.title}", write_page(page, job.folder, links))]
    if isinstance(result, Verified):
        written.append(("Report for stakeholders", write_shared(read_standing(job, result), job.folder)))
    code, words = (error.exit_code, str(error)) if error else (0, "")
    summary = {
        "status": status,
        "exit_code": code,
        "error": words,
        "card": save_card(page),
        "summary": summarise(result),
    }
    job.leave_result(step_of(result), summary)
    write_run(job.settings.name, job.folder, read_results(job.folder), job.clock())
    written.append(("All pages of this run", job.folder / "index.html"))
    if job.folder == job.workspace.desk:
        seal_run(job.workspace, job.folder, job.clock())
    if error:
        raise error
    return Written(tuple(written))


def hand_over(job: Job, result: Any) -> list[tuple[str, str]]:
    """What the plan leaves to people: listed with the plan, written into the run's folder by the load. Returns its link."""
    if isinstance(result, Decided):
        save_list(job.workspace, result.draft, _read_links(job, result.draft.account.host))
    if not isinstance(result, Loaded):
        return []
    write_handover(job.workspace, job.settings.name, job.folder / "handover")
    return [("handover/checklist.html", "Handover")]


def write_handover(workspace: Workspace, name: str, folder: Path, everything: bool = False) -> Path:
    """The folder of a handover: checklist page, handover.csv and the files. Returns the page's path."""
    handover = open_handover(workspace, folder, everything)
    write_folder(workspace, handover)
    return write_page(make_checklist(handover, name), folder)


def refresh_handovers(workspace: Workspace, name: str, now: datetime) -> None:
    """Write the folders again in which open or ticked items stand, so that their pages show the ticks of today.

    A sealed run stays as it was shown; then reports/handover has the whole list of today.
    """
    items = {item.key for item in read_items(workspace)}
    given = {row["folder"] for key, row in (workspace.find_state(GIVEN) or {}).items() if key in items}
    folders = [folder for folder in sorted(map(Path, given)) if folder.is_dir()]
    sealed = [folder for folder in folders if is_sealed(folder.parent) and folder.parent != workspace.desk]
    for folder in folders:
        if folder not in sealed:
            write_handover(workspace, name, folder)
    if sealed:
        write_handover(workspace, name, workspace.reports / "handover", everything=True)
    if is_sealed(workspace.desk):
        seal_run(workspace, workspace.desk, now)


def _read_links(job: Job, host: str) -> Links:
    target, region = job.target.address, job.settings.source.region
    return Links(target.base_url, target.account, target.org, target.project, job.read_subdomain(), region, host)


def write_shared(standing: Standing, folder: Path) -> Path:
    """Write the pages for those outside the project: the stakeholders' report, and one per team. They link each other only."""
    report = stakeholders.make_page(standing)
    home = (f"{report.name}.html", "All teams")
    for page in teams.make_pages(standing):
        write_page(page, folder, [home, (f"{page.name}.html", page.title)])
    return write_page(report, folder)


def judge(result: Any) -> PdmigrateError | None:
    """What stops the run after this step, if anything does."""
    if isinstance(result, Decided):
        return _judge_decided(result)
    if isinstance(result, Loaded):
        return _judge_loaded(result)
    if isinstance(result, Verified) and result.unexplained:
        shown = "; ".join(result.unexplained[:5])
        more = f"; and {len(result.unexplained) - 5} more" if len(result.unexplained) > 5 else ""
        return UnexplainedDifferenceError(
            f"{len(result.unexplained)} differences have no decision behind them: {shown}{more}. See the page verify."
        )
    return None


def _judge_decided(decided: Decided) -> PdmigrateError | None:
    if decided.refusals:
        return RefusedError(" ".join(decided.refusals))
    return OpenConflictsError(decided.stop) if decided.stop else None


def _judge_loaded(loaded: Loaded) -> PdmigrateError | None:
    """A person is needed before trouble is told: the codes' order is the command line's."""
    if loaded.waiting:
        number, digest = len(loaded.waiting), loaded.plan.digest
        return UnapprovedPlanError(
            f"{number} actions wait for approval: look at the plan, then run with --approve {digest}."
        )
    failed = [done for done in loaded.done if done.outcome in ("failed", "skipped")]
    waiting = [held for held in loaded.held if held.open_question]
    if failed:
        first = failed[0]
        return PartialLoadError(
            f"{len(failed)} actions failed or were skipped, the first: {first.action.kind} {first.action.name}: {first.note}"
        )
    if waiting:
        return PartialLoadError(f"{len(waiting)} objects were skipped because of an open question: see the page load.")
    return None


def summarise(result: Any) -> dict[str, Any]:
    """The step's part of summary.json."""
    if isinstance(result, Access | History | Undone):
        return {}
    if isinstance(result, Loaded):
        known = {"plan": result.plan.digest, "loaded": bool(result.plan.pending), "approved_by": result.approved_by}
        return {"target_kinds": result.count_kinds(), **known}
    if isinstance(result, Verified):
        return {**_summarise_draft(result.draft, landed=True), "parity": _summarise_parity(result)}
    return {**_summarise_draft(result.draft), **_summarise_rest(result)}


def _summarise_draft(draft: Draft, landed: bool = False) -> dict[str, Any]:
    return {
        "kinds": draft.count_kinds(landed),
        "fields": draft.count_fields(),
        "out_of_scope": draft.count_out_of_scope(),
        "inventory": draft.account.inventory,
        "conflicts": draft.count_conflicts(),
        "snapshot_digest": draft.account.digest,
    }


def _summarise_rest(result: Preview | People | Decided) -> dict[str, Any]:
    return (
        {"plan": result.plan.digest, "to_write": sum(a.writes for a in result.plan.actions)}
        if isinstance(result, Decided)
        else {}
    )


def _summarise_parity(verified: Verified) -> dict[str, Any]:
    names = ("agree", "differ", "unverified")
    schedules = {s.id: {f"{name}_seconds": getattr(s, name) for name in names} for s in verified.schedules}
    levels = {"policies": count_policies(verified.policies), "levels": count_level_seconds(verified.policies)}
    return {**verified.count_seconds(), **levels, "schedules": schedules}


def save_card(page: Page) -> dict[str, Any]:
    """What the index shows of a page."""
    return {"title": page.title, "lead": page.lead, "status": page.status, "figures": [asdict(f) for f in page.figures]}
