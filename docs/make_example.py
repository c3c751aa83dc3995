"""Makes reports/example/: the pages of the embedded migration as it stood on one morning, byte for byte the same each time.

python docs/make_example.py [FOLDER]
"""

import shutil
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path

from pdmigrate import approve, conflicts, connect, finish, invite, load, open_job, preview, replay, verify
from pdmigrate.handover.ticks import list_todo, tick_item
from pdmigrate.plan.answers import SignOff
from pdmigrate.runs.demo import make_demo_workspace
from pdmigrate.sandbox.company import build_company
from pdmigrate.workspace.decisions import save_answers
from pdmigrate.workspace.folder import write_json

FOLDER = Path(__file__).resolve().parent.parent / "reports" / "example"
MORNING = datetime(2026, 11, 2, 9, 0, tzinfo=UTC)
DAYS = 30
"""So much of what happened is replayed."""
SHOWN = ("*.html", "tables/*.csv")


def make_example(folder: Path) -> None:
    """Carry the embedded company over in a scratch workspace, and keep its pages and their tables."""
    with tempfile.TemporaryDirectory() as scratch:
        migrate(Path(scratch))
        shutil.rmtree(folder, ignore_errors=True)
        for path in list_shown(Path(scratch)):
            place = folder / path.relative_to(Path(scratch) / "reports" / "by-hand")
            place.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, place)


def list_shown(scratch: Path) -> list[Path]:
    """What of a migrated workspace is the example: its pages and their tables."""
    return [path for pattern in SHOWN for path in (scratch / "reports" / "by-hand").glob(pattern)]


def migrate(scratch: Path) -> None:
    """All six steps, as a consultant would go; one team has said go, and has re-pointed what is its own."""
    make_demo_workspace(scratch)
    happened = {"history": {"until": MORNING.isoformat(), "days": DAYS}}  # whatever the day on which this is made
    write_json(scratch / "sandbox" / "pagerduty.json", build_company(MORNING) | happened)
    with open_job(scratch, clock=lambda: MORNING) as job:
        for step in (connect, preview, invite):
            finish(job, step(job))
        decided = conflicts(job)
        approve(job, decided.plan.digest, "carla", "looked at with the teams' leads")
        finish(job, conflicts(job))
        finish(job, load(job))
        finish(job, replay(job, DAYS))
        verified = verify(job)
        _let_a_team_go(job, verified)
        finish(job, verified)


def _let_a_team_go(job, verified) -> None:
    team = next(iter(verified.draft.account.teams))
    services = {s.id for s in verified.draft.account.services.values() if any(t.id == team for t in s.teams)}
    for item in list_todo(job.workspace, verified.draft):
        if item.about[1] in services:
            tick_item(job.workspace, item, "dan", MORNING)
    said = SignOff(
        team=team,
        choice="go",
        plan=job.workspace.find_state("plan")["digest"],
        by="dan",
        at=MORNING.isoformat(),
        why="the team has seen its page",
    )
    save_answers(job.workspace.decisions_file, said)


if __name__ == "__main__":
    make_example(Path(sys.argv[1]) if len(sys.argv) > 1 else FOLDER)
