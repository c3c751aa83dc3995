"""Step 2, preview: fetch everything, choose the scope, map it, see what Harness has and what it cannot hold."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from pdmigrate.mapping.draft import Draft
from pdmigrate.pagerduty.account import Snapshot
from pdmigrate.pagerduty.client import FetchOptions
from pdmigrate.steps.draft import draft, leave_questions
from pdmigrate.steps.job import Job, records_step
from pdmigrate.steps.result import Result, summarise_draft


@dataclass(frozen=True)
class Preview(Result):
    """The snapshot and the draft made of it."""

    step = "preview"
    snapshot: Snapshot
    draft: Draft

    def summarise(self) -> dict[str, Any]:
        return summarise_draft(self.draft)


@records_step("preview")
def preview(job: Job, progress: Callable[[str], None] = lambda kind: None) -> Preview:
    """Fetch the source and draft the migration. Leaves `snapshot` and `scope` in the workspace; writes to neither side."""
    snapshot = fetch_snapshot(job, progress)
    job.keep_snapshot(snapshot)
    found = draft(job)
    leave_questions(job, found)
    job.workspace.save_state("scope", found.reasons)
    return Preview(snapshot, found)


def fetch_snapshot(job: Job, progress: Callable[[str], None]) -> Snapshot:
    """What the source says now, or what its file says."""
    if job.source is None:
        return job.read_source_snapshot()
    return job.source.fetch(_choose_reading(job), progress)


def _choose_reading(job: Job) -> FetchOptions:
    """As the settings say, and with what connect found out about this account."""
    access = job.workspace.find_state("access") or {}
    subdomain, source = job.read_subdomain(), job.settings.source
    known = access.get("final_on_lists") if access.get("subdomain") == subdomain else None
    return FetchOptions(
        subdomain,
        job.clock(),
        job.horizon,
        source.keep_keys,
        source.handoff_rules,
        source.service_orchestrations,
        source.dependents,
        source.service_dependencies,
        known,
    )
