"""PagerDuty's own word on the days around changes of the clock: asked where it decides something, and to be compared."""

from dataclasses import replace

from pdmigrate import rota
from pdmigrate.job import Job
from pdmigrate.mapping.judge import list_windows
from pdmigrate.pagerduty.account import Account, Snapshot
from pdmigrate.pagerduty.evidence import read_renderings


def ask_in_doubt(job: Job, snapshot: Snapshot) -> tuple[Snapshot, int]:
    """The snapshot with the renderings of those schedules that can be read in more than one way; the requests it took."""
    shown, requests = _ask(job, snapshot.account, in_doubt=True)
    return replace(snapshot, rows={**snapshot.rows, "renderings": shown}), requests


def ask_all(job: Job, account: Account) -> tuple[Account, int]:
    """The account with the renderings of all its schedules, where PagerDuty can be asked; the requests it took."""
    shown, requests = _ask(job, account, in_doubt=False)
    return (replace(account, renderings=read_renderings(shown)), requests) if shown else (account, requests)


def _ask(job: Job, account: Account, in_doubt: bool) -> tuple[dict[str, list[dict]], int]:
    if job.source is None:
        return {}, 0
    before = job.source.transport.counts.requests
    shown: dict[str, list[dict]] = {}
    for (start, end), ids in list_windows(account, in_doubt).items():
        since, until = rota.to_datetime(start), rota.to_datetime(end)
        for id, rendered in job.source.read_renderings(since, until, ids).items():
            shown.setdefault(id, []).append({"since": since.isoformat(), "until": until.isoformat(), **rendered})
    requests = job.source.transport.counts.requests - before
    job.clock_requests += requests
    return shown, requests
