"""A step sees one snapshot and one state of decisions.yaml, each read once; between steps both are read anew."""

from collections import Counter

import pytest
from small_company import edit, make_corner, place_corner

from pdmigrate import conflicts, connect, decide, history, invite, open_job, preview, verify
from pdmigrate.mapping import schedules
from pdmigrate.pagerduty import account
from pdmigrate.steps import job as job_module
from pdmigrate.workspace.settings import make_workspace
from pdmigrate.workspace.snapshots import save_snapshot


@pytest.fixture
def reads(monkeypatch):
    """How often each is called from now on."""
    counted = Counter()
    for module, name in ((job_module, "load_snapshot"), (job_module, "read_decisions"), (account, "read_account")):
        read = getattr(module, name)

        def count(*arguments, name=name, read=read):
            counted[name] += 1
            return read(*arguments)

        monkeypatch.setattr(module, name, count)
    return counted


@pytest.mark.parametrize("kind", ["embedded", "snapshot"])
def test_a_step_parses_one_snapshot_and_reads_decisions_once(tmp_path, reads, kind):
    make_corner(tmp_path / "acme")
    if kind == "snapshot":
        with open_job(tmp_path / "acme") as job:
            save_snapshot(tmp_path / "acme.json.gz", preview(job).snapshot)
        make_workspace(tmp_path / "file", {"name": "file", "source": "snapshot", "snapshot": "../acme.json.gz"})
    with open_job(tmp_path / ("acme" if kind == "embedded" else "file")) as job:
        for step in (connect, preview, invite, conflicts, verify, history):
            reads.clear()
            step(job)
            assert reads["read_decisions"] == 1, step.__name__
            assert max(reads.values()) == 1, (step.__name__, reads)


def test_what_is_decided_between_two_steps_counts_in_the_next(workspace):
    with open_job(place_corner(workspace)) as job:
        preview(job)
        before = conflicts(job).draft.open
        asked = next(one for one in before.values() if one.about == "user_not_found")
        decide(job, asked.about, asked.id, "leave_out", by="ann")
        assert {d.object for d in job.decisions().decisions} == {asked.id}, "outside a step the file is read"
        assert asked.key not in conflicts(job).draft.open


def test_an_answer_works_out_again_only_the_schedules_that_it_is_about(tmp_path, monkeypatch):
    """All others wait for nobody; in another zone, which has the same clock, a schedule is another one."""
    worked = Counter()

    def count(name):
        made = getattr(schedules, name)

        def work_out(schedule, *arguments, **more):
            worked[schedule.id] += 1
            return made(schedule, *arguments, **more)

        monkeypatch.setattr(schedules, name, work_out)

    count("map_layers")
    count("map_shifts")
    make_corner(tmp_path / "acme")
    with open_job(tmp_path / "acme") as job:
        with edit(job, "pagerduty") as document:
            document["schedules"][0]["time_zone"] = "Eastern Time (US & Canada)"
        preview(job)
        first, seen = conflicts(job).draft, dict(worked)
        moved = document["schedules"][0]["id"]
        decide(job, "time_zone_mismatch", moved, "other", "America/Detroit", by="ann")
        second = conflicts(job).draft
    assert len(seen) > 1
    assert {id: number - seen[id] for id, number in worked.items() if number > seen[id]} == {moved: 1}
    before, after = ({w.key: w.record for w in one.mapped.desired if w.kind == "schedules"} for one in (first, second))
    assert {id for id in before if before[id] != after[id]} == {moved}


def test_what_is_written_while_a_step_runs_counts_only_after_it(workspace):
    with open_job(place_corner(workspace)) as job:
        preview(job)
        with job.begin_step():
            assert job.decisions().decisions == ()
            decide(job, "user_not_found", "PUSER01", "invite", by="ann")
            assert job.decisions().decisions == ()
        assert len(job.decisions().decisions) == 1
