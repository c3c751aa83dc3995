"""PagerDuty's own word on the days around changes of the clock: asked where it decides something, and to be compared."""

from typing import Any

from pdmigrate.mapping.proof import list_windows
from pdmigrate.oncall import rota
from pdmigrate.pagerduty.account import Account
from pdmigrate.pagerduty.evidence import read_renderings
from pdmigrate.steps.job import Job
from pdmigrate.wire.together import run_together


def ask_in_doubt(job: Job) -> int:
    """Ask once a snapshot about the schedules that can be read in more than one way, and leave it as `clock_windows`.

    Before a plan is made of it, and not before: preview is about counts, and is asked for often. The requests it took.
    """
    file = job.workspace.load_state("snapshot", "preview")["file"]
    if (job.workspace.find_state("clock_windows") or {}).get("file") == file:
        return 0
    shown, requests = _ask(job, job.latest_account(), in_doubt=True)
    job.workspace.save_state("clock_windows", {"file": file, "renderings": shown})
    return requests


def ask_all(job: Job, account: Account) -> tuple[Account, int]:
    """The account with the renderings of all its schedules, where PagerDuty can be asked; the requests it took."""
    shown, requests = _ask(job, account, in_doubt=False)
    return (account.show(renderings=read_renderings(shown)), requests) if shown else (account, requests)


def _ask(job: Job, account: Account, in_doubt: bool) -> tuple[dict[str, list[dict[str, Any]]], int]:
    source = job.source
    if source is None:
        return {}, 0
    before = source.transport.counts.requests
    windows = [
        (rota.to_datetime(start), rota.to_datetime(end), ids)
        for (start, end), ids in list_windows(account, in_doubt).items()
    ]
    shown: dict[str, list[dict[str, Any]]] = {}
    answers = run_together(lambda window: source.read_renderings(*window), windows)
    for (since, until, _), rendered in zip(windows, answers, strict=True):
        for id, entries in rendered.items():
            shown.setdefault(id, []).append({"since": since.isoformat(), "until": until.isoformat(), **entries})
    requests = source.transport.counts.requests - before
    job.clock_requests += requests
    return shown, requests
