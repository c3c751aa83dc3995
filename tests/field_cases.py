"""The cases of data/cases: small accounts and manners of servers, made after what people who do this job have reported."""

import json
import re
import shutil
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import requests

from pdmigrate import conflicts, connect, decide, invite, load, open_job, preview, verify
from pdmigrate.oncall.rota import to_datetime
from pdmigrate.pages import make_page
from pdmigrate.workspace.settings import make_workspace

CASES = Path(__file__).parent / "data" / "cases"
NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)
"""The day of which the cases speak."""
USUAL = {"user_not_found": "invite", "policy_without_team": "no_owner", "unread_overrides": "without"}
"""What most cases are not about, answered for the whole class."""


@contextmanager
def open_case(tmp_path, name, answers=(), **options):
    """A job on a workspace made of the case, whose clock is that of the cases. answers: (conflict, object, choice)."""
    folder = tmp_path / name
    shutil.copytree(CASES / name, folder)
    if not (folder / "migration.yaml").exists():
        make_workspace(folder, {"name": name, "source": "snapshot", "snapshot": "account", **options})
        answers = [(about, "all", choice) for about, choice in USUAL.items()] + [*answers]
    with open_job(folder, clock=lambda: NOW) as job:
        for about, object_id, choice in answers:
            decide(job, about, object_id, choice, by="ann", why="seen")
        yield job


@contextmanager
def serve_account(tmp_path, account, *manners):
    """A job on the embedded pair that serves the account with these manners."""
    (tmp_path / "account.json").write_text(json.dumps(account), encoding="utf-8")
    folder = tmp_path / "acme"
    make_workspace(folder, {"name": "acme", "source": "embedded", "snapshot": str(tmp_path / "account.json")})
    with open_job(folder, clock=lambda: NOW) as job:
        for about, choice in (USUAL | {"time_zone_mismatch": "confirm"}).items():
            decide(job, about, "all", choice, by="ann")
        rules = [{"kind": manner, "path": "/"} for manner in manners]
        requests.post(f"{job.source.transport.base_url}/sandbox/faults", json=rules, timeout=600).raise_for_status()
        yield job


def ask_case(tmp_path, name, answers=(), **options):
    """What conflicts finds: the questions, the plan, the guards."""
    with open_case(tmp_path, name, answers, **options) as job:
        for step in (connect, preview, invite):
            step(job)
        return conflicts(job)


def run_case(tmp_path, name, answers=(), **options):
    """All six steps: what conflicts found, and what verify did."""
    with open_case(tmp_path, name, answers, **options) as job:
        for step in (connect, preview, invite):
            step(job)
        decided = conflicts(job)
        assert load(job, "all").error is None
        return decided, verify(job)


def outcome(decided, kind, id):
    """(grade, reason, {field: grade} of what is not exact) of one object."""
    found = next(one for one in decided.draft.mapped.outcomes if (one.kind, one.id) == (kind, id))
    return found.grade, found.reason, {field.field: field.grade for field in found.fields if field.grade != "exact"}


def asked(decided):
    """The open questions by class and object."""
    return {(one.about, one.id): one for one in decided.draft.open.values()}


def read_section(result, title):
    """One section of a step's page, as text."""
    section = next(section for section in make_page(result).sections if section.title == title)
    return re.sub(r"\s+", " ", f"{section.text} {section.table}")


def turns(verified, id, only=99):
    """Who is on call by what was carried over: (start, end, names), the first few."""
    schedule = next(one for one in verified.schedules if one.id == id)
    form = "%m-%d %H:%M"
    return [
        (to_datetime(start).strftime(form), to_datetime(end).strftime(form), *sorted(people))
        for start, end, people in schedule.after.entries[:only]
    ]
