"""A run as a whole: index.html and summary.json from what its steps left in results/. By hand or headless, the same."""

from datetime import datetime
from pathlib import Path
from typing import Any

from pydantic import BaseModel, Field, TypeAdapter, model_validator

from pdmigrate.errors import WORST_FIRST, worst_code
from pdmigrate.pages.report import TONES, write_index
from pdmigrate.pages.show import Figure, Link, Page, Section, Tag, make_table
from pdmigrate.pages.words import format_time
from pdmigrate.wire.forms import MaybeMoment
from pdmigrate.wire.json_text import OF_FILE, read_json
from pdmigrate.workspace.folder import STEPS, write_json
from pdmigrate.workspace.states import read_within

Left = dict[str, Any]
"""What a step left in results/STEP.json, or a run in summary.json: JSON, as docs/summary.md has it."""

OVERTAKEN_BY = {
    "invite": ("preview",),
    "conflicts": ("preview",),
    "load": ("conflicts", "undo"),
    "verify": ("preview", "load", "undo"),
    "replay": ("preview", "load", "undo"),
}
"""What a step showed does not hold any more once one of these was run after it."""

DRAFTED = ("preview", "invite", "conflicts", "verify")
BESIDE = {
    "survey.html": (
        "Account survey",
        "Before anything is planned: how big and how odd the account is, who else talks to PagerDuty, what is perhaps not needed, hours",
    ),
    "stakeholders.html": (
        "Report for stakeholders",
        "For those who decide: what moves, who goes over, what is proved, what is open. pdmigrate publish copies it, and "
        "the pages of the teams that it links",
    ),
    "handover/checklist.html": ("Handover", "What people must do, in working order"),
    "history.html": ("History and drift", "What each run did, and what has changed since the last one"),
    "trend.html": ("Trend", "What each night's verify and replay found: whether readiness grows, and since when"),
    "live.html": (
        "Live proof",
        "A test page per service: whom it was to reach, whom it reached by Harness's own word, what a person has seen",
    ),
    "parallel.html": (
        "Parallel run",
        "A night's alerts in both systems: who was paged on both sides at which minute, and what came to one side only",
    ),
    "undo.html": ("Undo", "What of a run can be taken back, or was"),
}
"""The file to its title and what it holds."""
LEFT_BY = {"live.html": "prove", "parallel.html": "parallel", "undo.html": "undo"}
"""The file to whose result it shows."""


class _Card(BaseModel):
    title: str
    lead: str
    status: str
    figures: tuple[Figure, ...]


class _Undone(BaseModel):
    taken_back: int


class _Loaded(BaseModel):
    target_kinds: dict[str, Any]
    plan: str


class _Verified(BaseModel):
    parity: dict[str, Any]


class _Replayed(BaseModel):
    pages: dict[str, int]
    unexplained: int


SUMMARIES: dict[str, TypeAdapter[Any]] = {
    "load": TypeAdapter(_Loaded),
    "verify": TypeAdapter(_Verified),
    "undo": TypeAdapter(_Undone),
    "replay": TypeAdapter(_Replayed),
}
"""What is taken out of the summary of a step."""


class _Result(BaseModel):
    """What every step's result has; most have more."""

    step: str
    at: MaybeMoment = ""
    status: str
    exit_code: int
    error: str
    seconds: float = Field(ge=0, allow_inf_nan=False)
    source: dict[str, int] = {}
    target: dict[str, int] = {}
    card: _Card | None = None
    summary: dict[str, Any] = {}

    @model_validator(mode="after")
    def _check(self) -> "_Result":
        if self.exit_code not in WORST_FIRST:
            raise ValueError("no exit code of ours")
        if self.step in SUMMARIES and self.summary:
            SUMMARIES[self.step].validate_python(self.summary)
        return self


def read_results(folder: Path, beside: bool = False) -> dict[str, Left]:
    """What the steps of a run left, in the steps' order. One that is damaged counts as failed, and stops nothing.

    beside: with what replay, prove, parallel and undo left, which are no steps of a run.
    """
    results: dict[str, Left] = {}
    for step in (*STEPS, *(("replay", "prove", "parallel", "undo") if beside else ())):
        path = folder / "results" / f"{step}.json"
        if path.is_file():
            try:
                said = {**read_json(read_within(path, OF_FILE.size)), "step": step}
                results[step] = _Result.model_validate(said).model_dump(exclude_unset=True)
            except (ValueError, TypeError, OSError):
                words = f"results/{path.name} is damaged: run {step} again"
                results[step] = {"step": step, "status": "failed", "exit_code": 1, "error": words, "seconds": 0.0}
    return results


def write_run(name: str, folder: Path, results: dict[str, Left], now: datetime) -> Left:
    """Write index.html and summary.json. Returns the summary. A replay in the run's folder is part of it.

    Where no step left anything, the folder is that of a night, a replay or a proof alone: it comes to what that comes to.
    """
    there = read_results(folder, beside=True)
    overtaken = _find_overtaken({**results, **there})
    replayed = {"replay": there["replay"]} if "replay" in there else {}
    told = {**results, **replayed}
    counted = [r for step, r in told.items() if step in results or step not in overtaken] if results else there.values()
    code = worst_code([r["exit_code"] for r in counted])
    troubles = [f"{step}: {r['error']}" for step, r in told.items() if r["error"] and step not in overtaken]
    summary = summarise_run(name, folder.name, code, told)
    live = there.get("prove", {}).get("summary")
    summary |= {"live": live} if live else {}
    if night := there.get("parallel"):
        summary["parallel"] = {"exit_code": night["exit_code"], **night.get("summary", {})}
    write_json(folder / "summary.json", summary)
    done = sum(result["exit_code"] == 0 for result in results.values())
    lead = f"{done} of {len(STEPS)} steps {'is' if done == 1 else 'are'} done."
    verdict = results.get("verify", {}).get("card") if "verify" not in overtaken else None
    if verdict:
        lead = verdict["lead"]
    elif troubles:
        lead = "A person is needed, or something went wrong: see below."
    elif "verify" in overtaken:
        lead = f"What was verified does not hold any more: {overtaken['verify']} was run after it. Run verify again."
    elif not results:
        lead = " ".join(r["card"]["lead"] for r in there.values() if r.get("card")) or lead
    facts = (
        ("Workspace", summary["workspace"]),
        ("Run", summary["run"]),
        ("Written", f"{now:%Y-%m-%d %H:%M} UTC"),
        ("Exit code", str(summary["exit_code"])),
    )
    pages = [file for file in BESIDE if (folder / file).is_file()]  # the pages of this run that are no step's
    columns = {
        "Page": lambda file: Link(BESIDE[file][0], file),
        "What": lambda file: BESIDE[file][1],
        "Found": lambda file: _tag_status(there.get(LEFT_BY.get(file, ""))),
    }
    beside = [Section("Beside the steps", table=make_table(pages, columns))] if pages else []
    write_index(
        folder,
        f"Migration {summary['workspace']}",
        lead,
        [
            _make_card(step, told.get(step), overtaken.get(step, ""), bool(verdict) and step == "verify")
            for step in (*(STEPS if results else ()), *replayed)
        ],
        facts,
        "\n".join(troubles),
        beside,
        tuple(Figure(**figure) for figure in verdict["figures"]) if verdict else (),
    )
    return summary


def summarise_run(name: str, run: str, code: int, results: dict[str, Left]) -> Left:
    """summary.json: documented in docs/summary.md, and stable."""
    steps = {step: {"status": r["status"], "seconds": r["seconds"]} for step, r in results.items() if step in STEPS}
    drafted = [results[step]["summary"] for step in DRAFTED if "summary" in results.get(step, {})]
    latest = drafted[-1] if drafted else {}
    source = {**_add_counts(results, "source"), "snapshot_digest": latest.get("snapshot_digest", "")}
    summary = {"workspace": name, "run": run, "exit_code": code, "steps": steps, "source": source}
    summary |= {
        key: latest[key] for key in ("kinds", "fields", "out_of_scope", "inventory", "conflicts") if key in latest
    }
    loaded = results.get("load", {}).get("summary")
    if loaded:
        summary["target"] = {**_add_counts(results, "target"), "kinds": loaded["target_kinds"]}
        summary["plan"] = loaded["plan"]
    verified = results.get("verify", {}).get("summary")
    summary |= {"parity": verified["parity"]} if verified else {}
    replayed = results.get("replay", {}).get("summary")
    return summary | ({"replay": replayed} if replayed else {})


def _add_counts(results: dict[str, Left], side: str) -> dict[str, int]:
    counts = [result[side] for result in results.values() if side in result]
    names = ("requests", "retries", *(("writes",) if side == "target" else ("clock_requests", "oncall_requests")))
    return {name: sum(count.get(name, 0) for count in counts) for name in names}


def _find_overtaken(results: dict[str, Left]) -> dict[str, str]:
    """The steps whose page does not show what holds now, each with the step that was run after it."""
    at = {step: result.get("at", "") for step, result in results.items()}
    if not results.get("undo", {}).get("summary", {}).get("taken_back"):
        at.pop("undo", None)
    late = ((step, next((o for o in others if at.get(o, "") > at[step]), "")) for step, others in OVERTAKEN_BY.items() if at.get(step))  # fmt: skip
    return {step: by for step, by in late if by}


def _tag_status(result: Left | None) -> Tag | str:
    """What a page beside the steps comes to, in its own word."""
    if result is None:
        return ""
    status = (result.get("card") or result)["status"]
    return Tag(status, TONES.get(status, "plain"))


def _make_card(step: str, result: Left | None, overtaken: str, leads: bool) -> Page:
    """overtaken: the step that was run after it, so that its page shows what was. leads: the run's page says it already."""
    if result is None:
        return Page(step, step.capitalize(), "Not run.", "not run")
    if not result.get("card"):
        status = "not run" if result["status"] == "done" else result["status"]
        return Page(step, step.capitalize(), result["error"], status)
    card = result["card"]
    figures = () if overtaken or leads else tuple(Figure(**figure) for figure in card["figures"])
    lead = "What it found stands above." if leads else card["lead"]
    status = "out of date" if overtaken else card["status"]
    when = f"As of {format_time(datetime.fromisoformat(result['at']))}" if result.get("at") else ""
    said = f"{when}, before {overtaken} was run again." if overtaken else f"{when}."
    return Page(step, card["title"], lead, status, figures, facts=(("as of", said),) if when else ())
