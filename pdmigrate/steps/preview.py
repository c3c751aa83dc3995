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
from pdmigrate.steps.source_frames import SourceFrames


@dataclass(frozen=True, repr=False)
class Preview(SourceFrames, Result):
    """The snapshot and the draft made of it; what PagerDuty has, also as data frames."""

    step = "preview"
    snapshot: Snapshot
    draft: Draft

    def summarise(self) -> dict[str, Any]:
        return summarise_draft(self.draft)


@records_step("preview")
def preview(job: Job, progress: Callable[[str], None] = lambda kind: None) -> Preview:
    """Fetch the source and draft the migration. Leaves `snapshot` and `scope` in the workspace; writes to neither side."""
    snapshot = _fetch_snapshot(job, progress)
    job.keep_snapshot(snapshot)
    found = draft(job)
    leave_questions(job, found)
    job.workspace.save_state("scope", found.reasons)
    return Preview(snapshot, found)


def _fetch_snapshot(job: Job, progress: Callable[[str], None]) -> Snapshot:
    """What the source's file says; else what the source says now, with what connect found out about this account."""
    if job.source is None:
        return job.read_source_snapshot()
    access = job.workspace.find_state("access") or {}
    subdomain, source = job.read_subdomain(), job.settings.source
    reading = FetchOptions(
        subdomain=subdomain,
        now=job.clock(),
        horizon=job.horizon,
        keep_keys=source.keep_keys,
        handoffs=source.handoff_rules,
        service_orchestrations=source.service_orchestrations,
        dependents=source.dependents,
        service_dependencies=source.service_dependencies,
        final_on_lists=access.get("final_on_lists") if access.get("subdomain") == subdomain else None,
    )
    return job.source.fetch(reading, progress)
