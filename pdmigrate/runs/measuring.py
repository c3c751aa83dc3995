"""A run of verify or replay in numbers, for the trend in the journal."""

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

from pdmigrate.handover.ticks import list_todo
from pdmigrate.parity.policies import count_policies
from pdmigrate.parity.schedules import ScheduleParity
from pdmigrate.parity.verdicts import count_verdicts
from pdmigrate.steps.job import Job
from pdmigrate.steps.replay import Replays
from pdmigrate.steps.trend import describe_run, digest_scope, keep_measured
from pdmigrate.steps.verify import Verified
from pdmigrate.workspace.folder import Workspace
from pdmigrate.workspace.settings import Settings
from pdmigrate.workspace.trend import Figures


def measure_verified(job: Job, found: Verified) -> Figures:
    """Every service, schedule and policy has exactly one grade."""
    items = list_todo(job.workspace, found.draft)
    done = sum(bool(item.tick) for item in items)
    reach = found.reach
    return {
        "services": dict(count_verdicts(found.service_parity)),
        "schedules": _count_schedules(found.schedules),
        "policies": count_policies(found.policies),
        "people": {
            "unreachable": len(reach.unreachable),
            "late": len(reach.late),
            "unproven": len(reach.unproven),
        },
        "questions": {"open": len(found.draft.open)},
        "by_hand": {"done": done, "left": len(items) - done},
        "unexplained": {"differences": len(found.unexplained)},
    }


def _count_schedules(schedules: tuple[ScheduleParity, ...]) -> dict[str, int]:
    """differ: for any second; unverified: none differs, and some of it could not be compared."""
    grades = Counter("differ" if s.differ else "unverified" if s.unverified else "agree" for s in schedules)
    return {grade: grades[grade] for grade in ("agree", "differ", "unverified")}


def measure_replayed(job: Job, found: Replays) -> Figures:
    return {
        "pages": found.replayed.count(),
        "unexplained": {"pages": len(found.replayed.unexplained)},
        "misread": {"pages": len(found.replayed.misread)},
        "window": {"days": (found.happened.until - found.happened.since).days},
    }


MEASURED: dict[str, Callable[[Job, Any], Figures]] = {"verify": measure_verified, "replay": measure_replayed}
"""The steps that the trend tells of."""


def keep_run(job: Job, result: Any, at: datetime, figures: Figures) -> None:
    """Write the row of a run that came to its end. result: of one of these steps. at: as its results say."""
    row = describe_run(job.workspace, job.folder, result.step, at)
    code = result.error.exit_code if result.error else 0
    scope, zone = digest_scope(result.draft), result.draft.home_zone
    row = replace(row, source=job.read_subdomain(), exit_code=code, scope=scope, zone=zone)
    keep_measured(job.workspace, job.settings, replace(row, figures=figures))


def keep_broken_run(place: Workspace, settings: Settings, folder: Path, now: datetime, code: int, why: str) -> None:
    """Write the row of a headless run that ended before verify had begun: its night is no gap."""
    row = describe_run(place, place.place_run(folder), "verify", now)
    keep_measured(place, settings, replace(row, exit_code=code, error=why))
