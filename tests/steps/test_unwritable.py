"""A full or read-only disk: one line, nothing half, and no write to Harness that cannot be booked."""

import contextlib
import os
import resource
import sqlite3
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from pdmigrate import conflicts, load, open_job, preview
from pdmigrate.errors import InterruptedLoadError, RefusedError, UnwritableError
from pdmigrate.runs.evidence import seal_run
from pdmigrate.runs.publish import publish
from pdmigrate.workspace import folder as folder_module
from pdmigrate.workspace.folder import write_text
from pdmigrate.workspace.journal import Journal
from pdmigrate.workspace.parts import open_part


@contextlib.contextmanager
def full_beyond(size):
    """No file of this process grows beyond so many bytes: to whoever writes, the disk is full."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def list_files(folder):
    return {p.relative_to(folder): p.read_bytes() for p in folder.rglob("*") if p.is_file() and "lock" not in p.name}


def test_a_file_that_cannot_be_written_stays_as_it_was(tmp_path):
    write_text(tmp_path / "plan.json", "before")
    with full_beyond(100), pytest.raises(UnwritableError, match=r"plan\.json cannot be written: File too large"):
        write_text(tmp_path / "plan.json", "x" * 5000)
    with full_beyond(100), pytest.raises(UnwritableError):
        write_text(tmp_path / "new.json", "x" * 5000)
    assert list_files(tmp_path) == {(tmp_path / "plan.json").relative_to(tmp_path): b"before"}


def test_a_folder_that_is_read_only_is_one_line(tmp_path, monkeypatch):
    def refuse(*_, **__):
        raise OSError(30, os.strerror(30))

    monkeypatch.setattr(folder_module.tempfile, "mkstemp", refuse)
    with pytest.raises(UnwritableError, match="Read-only file system"):
        write_text(tmp_path / "plan.json", "x")


def test_what_could_not_be_kept_for_another_run_does_not_end_this_one(tmp_path):
    """Closed, the file tries once more to write what there was no room for: that was said already."""
    path = tmp_path / "fetch.part"
    with (
        full_beyond(3000),
        open_part(path, "acme", lambda salt: "mark", datetime(2026, 11, 30, tzinfo=UTC), 24) as part,
    ):
        for number in range(100):
            part.keep(f"GET /users?offset={number}", ["x" * 100])
        assert 2000 < path.stat().st_size <= 3000


@pytest.mark.parametrize("step", [preview, conflicts])
def test_a_step_on_a_full_disk_is_one_error_and_leaves_nothing_half(small, step):
    conflicts(small)
    before = {name for name in list_files(small.workspace.folder) if name.parts[0] in ("state", "snapshots")}
    with full_beyond(3000), pytest.raises(UnwritableError):
        step(small)
    after = {name for name in list_files(small.workspace.folder) if name.parts[0] in ("state", "snapshots")}
    assert after - {Path("state/fetch.part")} == before  # of what was read, as far as there was room


def test_a_load_stops_before_a_write_that_cannot_be_booked_and_goes_on(small, monkeypatch):
    """The journal may not grow: the first intent fails, or some later one, and nothing is sent after it."""
    conflicts(small)
    journal, intents, sent = small.workspace.journal_file, [], []
    record, write = Journal.record, small.target.write_change

    def note(self, load, action, state, *rest):
        if len(intents) == 12:
            resource.setrlimit(resource.RLIMIT_FSIZE, (journal.stat().st_size, limit[1]))
        record(self, load, action, state, *rest)
        intents.extend([action.id] * (state == "intended"))

    limit = resource.getrlimit(resource.RLIMIT_FSIZE)
    monkeypatch.setattr(Journal, "record", note)
    monkeypatch.setattr(
        small.target, "write_change", lambda action, people: (sent.append(action.id), write(action, people))[1]
    )
    try:
        with pytest.raises(UnwritableError, match="The journal cannot be written"):
            load(small, "all")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limit)
    assert set(sent) <= set(intents)
    assert 0 < len(sent) < len(small.workspace.load_state("plan", "conflicts")["actions"])
    monkeypatch.undo()
    with contextlib.closing(sqlite3.connect(journal)) as known:
        assert known.execute("pragma integrity_check").fetchone() == ("ok",)
    assert load(small, "all").error is None
    assert conflicts(small).plan.empty


def test_a_journal_that_cannot_be_made_leaves_no_empty_file(tmp_path):
    with full_beyond(0), pytest.raises(UnwritableError):
        Journal(tmp_path / "journal.sqlite", "acme")
    assert not list_files(tmp_path)


def test_what_was_published_stays_whole(tmp_path):
    """A later page finds no room: the earlier ones are not replaced, and none that was there goes."""
    run, out = tmp_path / "run", tmp_path / "out"
    for name in ("stakeholders.html", "team-a.html", "tables/team-a-1.csv"):
        write_text(run / name, "old")
    publish(run, out, ())
    before = list_files(out)
    (run / "team-a.html").unlink()
    write_text(run / "stakeholders.html", "new")
    write_text(run / "team-b.html", "x" * 5000)
    with full_beyond(3000), pytest.raises(UnwritableError):
        publish(run, out, ())
    assert list_files(out) == before
    publish(run, out, ())
    assert {str(name) for name in list_files(out)} == {
        ".published",
        "stakeholders.html",
        "team-b.html",
        "tables/team-a-1.csv",
    }


def test_the_copy_of_the_journal_in_a_sealed_run_is_whole_or_not_there(small):
    small.journal().close()
    folder = small.workspace.reports / "1"
    little = full_beyond(small.workspace.journal_file.stat().st_size - 1)
    with little, pytest.raises(UnwritableError, match=r"journal\.sqlite cannot be written"):
        seal_run(small.workspace, folder, small.clock())
    assert "journal.sqlite" not in {name.name for name in list_files(folder)}
    seal_run(small.workspace, folder, small.clock())
    with Journal(folder / "evidence" / "journal.sqlite", "acme").opened() as copy:
        assert copy.runs() == []


def test_the_command_says_it_in_one_line(small):
    code = "import resource, sys; from pdmigrate.cli import main; resource.setrlimit(resource.RLIMIT_FSIZE, (2000, 2000)); "
    code += f"sys.exit(main(['run', {str(small.workspace.folder)!r}, 'preview']))"
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=300)
    assert ended.returncode in (4, 6), ended.stderr
    assert "Traceback" not in ended.stderr
    assert "cannot be written" in ended.stderr


def test_a_clock_that_was_set_back_or_forth_is_said(small):
    conflicts(small)
    now = small.clock()
    for hours, words in ((-30, "the clock was set back"), (30, "30 hours old")):
        small.clock = lambda hours=hours: now + timedelta(hours=hours)
        with pytest.raises(RefusedError, match=words):
            load(small, "all")
    with open_job(small.workspace.folder) as job:
        assert load(job, "all").error is None


@pytest.mark.parametrize("hours, words", [(-30, "the clock was set back"), (30, "30 hours old")])
def test_a_clock_that_jumps_during_a_load_stops_it_between_two_steps(small, hours, words):
    """A laptop that slept over night must not go on with what PagerDuty said yesterday."""
    conflicts(small)
    real, jumped = small.clock, []

    def describe(done, number, total):
        if number == 3:
            jumped.append(timedelta(hours=hours))

    small.clock = lambda: real() + sum(jumped, timedelta())
    with pytest.raises(
        InterruptedLoadError, match=f"^Stopped after .* since the clock has jumped meanwhile: .*{words}"
    ):
        load(small, "all", describe)
    assert 0 < small.target.transport.counts.writes < 10
    small.clock = real
    assert load(small, "all").error is None
    assert conflicts(small).plan.empty
