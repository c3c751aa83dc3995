"""The journal and the lock in a real PostgreSQL, started here; and the same lock beside a SQLite file."""

import os
import socket
import threading
import time
from dataclasses import replace

import pytest
import sqlalchemy as sa
import yaml
from holders import hold_for_long, try_hold
from kill_loads import PATIENCE, PROCESSES, wait_until

from pdmigrate import conflicts, load, open_job, preview
from pdmigrate.cli import main
from pdmigrate.errors import PdmigrateError, SettingsError, UnreachableError, WorkspaceHeldError
from pdmigrate.steps.job import read_clock
from pdmigrate.workspace.hold import TOKENS, hold
from pdmigrate.workspace.journal import Journal
from pdmigrate.workspace.trend import Measured


@pytest.fixture(params=["sqlite", "postgres"])
def place(request, tmp_path):
    return request.getfixturevalue("postgres") if request.param == "postgres" else tmp_path / "journal.sqlite"


@pytest.fixture
def other_run(place, tmp_path):
    ready = PROCESSES.Event()
    other = PROCESSES.Process(target=hold_for_long, args=(place, tmp_path, ready))
    other.start()
    wait_until(ready, other)
    yield other
    other.kill()
    other.join()


def test_the_second_run_says_who_holds_the_workspace(place, tmp_path, other_run):
    with pytest.raises(WorkspaceHeldError) as caught, hold(place, "acme", tmp_path, "load", read_clock()):
        pytest.fail("both got it")
    assert f"(process {other_run.pid})" in str(caught.value)
    assert socket.gethostname() in str(caught.value)
    assert "for load" in str(caught.value)


def test_a_run_that_was_killed_does_not_hold_it_for_ever(place, tmp_path, other_run, caplog):
    other_run.kill()
    other_run.join()
    for _ in range(10 * PATIENCE):
        try:
            with hold(place, "acme", tmp_path, "load", read_clock()):
                break
        except WorkspaceHeldError:  # the server learns of the broken connection a moment later
            time.sleep(0.1)
    else:
        pytest.fail("the dead run still holds it")
    assert "ended without a word" in caplog.text
    caplog.clear()
    with hold(place, "acme", tmp_path, "load", read_clock()):
        assert "ended" not in caplog.text


def test_what_a_run_starts_may_hold_it_one_at_a_time_and_nobody_else(place, tmp_path):
    said, release = PROCESSES.Queue(), PROCESSES.Event()
    tokens = ("outer token", "token", "somebody-else")
    all_three = [PROCESSES.Process(target=try_hold, args=(place, tmp_path, t, said, release)) for t in tokens]
    first, second, stranger = all_three
    with hold(place, "acme", tmp_path, "run load", read_clock(), lend="token"):
        with pytest.raises(WorkspaceHeldError, match="for run load"), hold(place, "acme", tmp_path, "x", read_clock()):
            pytest.fail("the process that lends it holds it already")
        assert os.environ[TOKENS] == "token"
        first.start()
        assert said.get(timeout=PATIENCE) == "held"
        second.start()
        assert f"(process {first.pid})" in said.get(timeout=PATIENCE)
        stranger.start()
        assert f"(process {os.getpid()})" in said.get(timeout=PATIENCE)
        release.set()
        for process in all_three:
            process.join()
    assert TOKENS not in os.environ


def test_threads_of_one_process_hold_it_one_at_a_time(place, tmp_path):
    """Of ten that try at once exactly one gets it, as long as it keeps it."""
    start, tried, said = threading.Barrier(10), threading.Barrier(10), []

    def attempt():
        start.wait(PATIENCE)
        try:
            with hold(place, "acme", tmp_path, "load", read_clock()):
                said.append("held")
                tried.wait(PATIENCE)
        except WorkspaceHeldError as error:
            said.append(str(error))
            tried.wait(PATIENCE)

    threads = [threading.Thread(target=attempt) for _ in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert said.count("held") == 1
    assert len(said) == 10
    assert all("held by" in words or "just taken" in words for words in said if words != "held")


def test_all_who_make_a_new_journal_at_once_get_the_same_one(place):
    start, said = threading.Barrier(8), []

    def make(number):
        start.wait(PATIENCE)
        try:
            with Journal(place, "acme", "at once").opened() as journal:
                journal.start_undo(number, read_clock())
        except PdmigrateError as error:
            said.append(str(error))

    threads = [threading.Thread(target=make, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not said
    with Journal(place, "acme", "at once").opened() as journal:
        assert len(journal.runs()) == 8
        with journal._engine.connect() as connection:
            assert connection.execute(sa.text("select count(*) from about")).scalar() == 1


NIGHT = Measured("verify", "2026-11-23T12:00:00+00:00", "acme", figures={"services": {"same": 14, "nobody": 11}})


def test_what_runs_measured_is_kept_in_the_order_in_which_it_was_written(place):
    with Journal(place, "acme", "trend").opened() as journal, Journal(place, "globex", "trend").opened() as other:
        assert journal.measured() == []
        journal.measure(NIGHT)
        journal.measure(replace(NIGHT, at="2026-11-20T12:00:00+00:00", exit_code=5))
        other.measure(replace(NIGHT, source="globex"))
        rows = [row for _, row in journal.measured()]
    assert [(row.at[:10], row.exit_code, row.source) for row in rows] == [
        ("2026-11-23", 0, "acme"),
        ("2026-11-20", 5, "acme"),
    ]
    assert rows[0].count("services", "same") == 14
    assert rows[0].count("policies", "agree") is None, "not counted is not none"


def test_two_runs_at_once_keep_a_row_each(place):
    start, said = threading.Barrier(6), []

    def run(number):
        start.wait(PATIENCE)
        try:
            with Journal(place, "acme", "nights").opened() as journal:
                journal.measure(replace(NIGHT, run=f"reports/{number}"))
        except PdmigrateError as error:
            said.append(str(error))

    threads = [threading.Thread(target=run, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not said
    with Journal(place, "acme", "nights").opened() as journal:
        assert {row.run for _, row in journal.measured()} == {f"reports/{number}" for number in range(6)}


def test_another_workspace_is_not_held(postgres, tmp_path):
    with hold(postgres, "acme", tmp_path, "run", read_clock()), hold(postgres, "other", tmp_path, "run", read_clock()):
        pass


def test_a_whole_load_with_its_journal_in_postgres(postgres, decided_workspace, monkeypatch):
    monkeypatch.setenv("JOURNAL_URL", postgres)
    path = decided_workspace / "migration.yaml"
    path.write_text(yaml.safe_dump({**yaml.safe_load(path.read_text()), "journal": "env:JOURNAL_URL"}))
    with open_job(decided_workspace) as job:
        preview(job)
        conflicts(job)
        assert load(job, "all").writes > 150
        assert conflicts(job).plan.empty
        assert postgres in job.secrets
    assert not (decided_workspace / "journal.sqlite").exists()
    assert main(["status", str(decided_workspace)]) == 0


def test_a_url_that_cannot_be_used_is_never_repeated(tmp_path):
    for url in ("mysql://me:geheim@db/x", "geheim", "postgresql://me:geheim@127.0.0.1:1/x"):
        with pytest.raises((SettingsError, UnreachableError)) as caught:
            Journal(url, "acme", "acme")
        assert "geheim" not in str(caught.value)


def test_a_journal_of_version_1_is_brought_up_to_date(tmp_path):
    path = tmp_path / "journal.sqlite"
    old = sa.create_engine(f"sqlite:///{path}")
    with old.begin() as connection:
        for line in OLD.strip().split(";\n"):
            connection.execute(sa.text(line))
    old.dispose()
    with Journal(path, "acme").opened() as journal:
        assert [run.digest for run in journal.runs()] == ["d1"]
        assert {(step.action.kind, step.action.key) for step in journal.states(1).values()} == {("teams", "PT1")}
        assert journal.ledger()[("teams", "PT1")].synced == {"name": "A"}
    Journal(path, "acme").close()


def test_a_journal_of_the_future_is_refused(tmp_path):
    with Journal(tmp_path / "j", "acme").opened() as journal, journal._engine.begin() as connection:
        connection.execute(sa.text("update about set version = 99"))
    with pytest.raises(SettingsError, match="version 99"):
        Journal(tmp_path / "j", "acme")


OLD = """
create table about (version integer not null);
insert into about values (1);
create table loads (id integer primary key, digest varchar not null, started varchar not null, finished varchar);
insert into loads values (1, 'd1', '2026-11-01T00:00:00+00:00', '2026-11-01T00:01:00+00:00');
create table steps (id integer primary key, load integer not null, action varchar not null, verb varchar not null,
 state varchar not null, note varchar not null, at varchar not null);
insert into steps values (1, 1, 'teams:PT1', 'create', 'done', '', '2026-11-01T00:00:30+00:00');
create table ledger (source varchar, kind varchar, key varchar, identifier varchar not null, name varchar not null,
 synced varchar not null, at varchar not null, primary key (source, kind, key));
insert into ledger values ('acme', 'teams', 'PT1', 'a_PT1', 'A', '{"name": "A"}', '2026-11-01T00:00:30+00:00')
"""
