"""Step 2, preview: fetch everything, choose the scope, map it, see what Harness has and what it cannot hold."""

from dataclasses import dataclass, replace
from typing import Any

from pdmigrate.mapping import choose_scope
from pdmigrate.mapping.draft import Draft
from pdmigrate.pagerduty.account import Snapshot
from pdmigrate.pagerduty.client import FetchOptions
from pdmigrate.steps.draft import draft, leave_questions
from pdmigrate.steps.job import Job, records_step
from pdmigrate.steps.result import Result, summarise_draft
from pdmigrate.steps.source_frames import SourceFrames
from pdmigrate.wire.canonical import canonical_json
from pdmigrate.workspace.parts import open_part


@dataclass(frozen=True, repr=False)
class Preview(SourceFrames, Result):
    """The snapshot and the draft made of it; what PagerDuty has, also as data frames."""

    step = "preview"
    snapshot: Snapshot
    draft: Draft

    def summarise(self) -> dict[str, Any]:
        return summarise_draft(self.draft)


@records_step("preview")
def preview(job: Job) -> Preview:
    """Fetch the source and draft the migration. Leaves `snapshot` and `scope` in the workspace; writes to neither side.

    What was fetched before a stop is kept there for as long as a snapshot would be fresh, and used by the next preview; so
    it is where the scope names what the source has not, of which no snapshot is left. Raises SettingsError for such a name.
    """
    job.forget_account()
    snapshot = _fetch_snapshot(job)
    found = draft(job)
    leave_questions(job, found)
    job.workspace.save_state("scope", found.reasons)
    return Preview(snapshot, found)


def _fetch_snapshot(job: Job) -> Snapshot:
    """What the source's file says; else what the source says now, with what connect found out about this account."""
    if job.source is None:
        return _keep(job, job.read_source_snapshot())
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
    account = canonical_json([source.kind, subdomain, source.base_url, source.region, source.snapshot])
    hours, mark = job.settings.rules.guards.snapshot_hours, job.source.mark_key
    with open_part(job.workspace.part_file, account, mark, reading.now, hours) as part:
        if part:
            job.progress.count("answers kept from before", len(part))
        snapshot = job.source.fetch(replace(reading, now=part.since) if part else reading, part)
        return _keep(job, snapshot)


def _keep(job: Job, snapshot: Snapshot) -> Snapshot:
    """Nothing of it stays where the scope cannot be chosen from it."""
    choose_scope(snapshot.account, job.settings.scope)
    job.keep_snapshot(snapshot)
    return snapshot
