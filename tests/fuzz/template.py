"""The workspace that every input starts from: a corner of the embedded company, loaded once, changed since, approved anew."""

import gzip
import json
import shutil
import tempfile
from datetime import UTC, datetime
from pathlib import Path

from small_company import SERVICES, cut_down, edit

from pdmigrate import approve, conflicts, connect, invite, load, open_job, parallel, preview, prove, replay
from pdmigrate.cli.parallel import _play
from pdmigrate.runs.demo import make_demo_workspace
from pdmigrate.runs.evidence import seal_run
from pdmigrate.runs.finish import finish
from pdmigrate.runs.notebooks import copy_notebooks
from pdmigrate.sandbox.company import build_company
from pdmigrate.steps.sending import Asking
from pdmigrate.workspace.folder import write_json
from pdmigrate.workspace.survey import save_survey

NOW = datetime(2026, 11, 2, 9, tzinfo=UTC)
DAYS, NIGHT = 3, "2026-11-01T09:00"
"""How many days of history there are, and since when both systems are compared."""
MEMORY = Path("/dev/shm")  # noqa: S108 - a folder of its own in there
BESIDE = ("business_services", "maintenance_windows", "event_orchestrations", "rulesets", "schedules_v3")


def open_at(folder):
    """A job at the hour at which all of it happens; its clients are impatient, so that nothing waits."""
    return open_job(folder, clock=lambda: NOW)


class Template:
    """Made once; `copy` gives a fresh one to break."""

    def __init__(self):
        self._home = tempfile.TemporaryDirectory(prefix="pdmigrate-fuzz-", dir=MEMORY if MEMORY.is_dir() else None)
        self.home = Path(self._home.name)
        self.folder = self.home / "template"
        make_demo_workspace(self.folder)
        whole = build_company(NOW)
        past = {"history": {"until": NOW.isoformat(), "days": DAYS, "log_entries": 80}}
        small = cut_down(whole) | {kind: whole[kind][:2] for kind in BESIDE} | past
        write_json(self.folder / "sandbox" / "pagerduty.json", cut_down(whole, SERVICES[1:]) | past)
        with open_at(self.folder) as job:
            for step in (connect, preview, invite, conflicts):
                finish(job, step(job))
            approve(job, conflicts(job).plan.digest, by="ann")
            finish(job, load(job))
            self._live(job)
            with edit(job, "pagerduty") as account:
                account |= small
                known = {user["id"] for user in account["users"]}
                fresh = next(user for user in whole["users"][::-1] if user["id"] not in known)
                team = account["teams"][0]
                members = account["team_members"][team["id"]]
                account["users"].append(fresh | {"teams": [team]})
                members.append(members[0] | {"user": members[0]["user"] | {"id": fresh["id"]}})
                team["name"] += " and more"
                account["escalation_policies"][0]["escalation_rules"][0]["escalation_delay_in_minutes"] += 5
                account["services"][1]["name"] += " and more"
                account["schedules"][0]["schedule_layers"][0]["rotation_turn_length_seconds"] *= 2
            preview(job)
            invite(job)
            finish(job, planned := conflicts(job))
            approve(job, planned.plan.digest, by="ann")
            save_survey(job.target, self.folder / "survey.json.gz", NOW, NOW, NOW + job.horizon)
            self.snapshot = read_packed(job.workspace.snapshots / job.workspace.find_state("snapshot")["file"])
            sealed = self.folder / "reports" / "1"
            shutil.copytree(job.workspace.by_hand / "results", sealed / "results")
            seal_run(job.workspace, sealed, NOW)
            for path in (*job.workspace.by_hand.glob("*.html"), job.workspace.by_hand / "tables"):
                shutil.rmtree(path) if path.is_dir() else path.unlink()
            seal_run(job.workspace, job.workspace.by_hand, NOW)
        self.survey = read_packed(self.folder / "survey.json.gz")

    def _live(self, job):
        """What is beside the six steps: a test page that was sent, a night of both systems, what happened before, own notebooks."""
        name = job.latest_account().services[SERVICES[1]].name
        prove(job, [name], Asking("ann", wait=0, pause=0), sleep=lambda seconds: None)
        _play(job, NIGHT, "")
        parallel(job, NIGHT)
        finish(job, replay(job, DAYS))
        copy_notebooks(job.workspace)

    def copy(self, name):
        folder = self.home / name
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(self.folder, folder)
        return folder

    def close(self):
        self._home.cleanup()


def read_packed(path):
    return json.loads(gzip.decompress(path.read_bytes()))
