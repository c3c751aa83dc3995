"""What each run leaves for the trend: verify and replay, by hand and headless, whole, broken off, or ended before they began."""

import json
import logging
import sqlite3
from contextlib import closing
from datetime import timedelta

import pytest

from pdmigrate import conflicts, finish, load, verify
from pdmigrate.errors import SettingsError, UnexplainedDifferenceError
from pdmigrate.runs import headless
from pdmigrate.steps.trend import read_trend
from pdmigrate.workspace.folder import write_json


def read(job):
    return read_trend(job.workspace, job.settings, job.clock(), job.read_subdomain()).rows


def test_two_nights_of_a_migration_show_readiness_grow(small):
    """Nothing is loaded in the first; the second has a load behind it, and links the first no more: it is by hand."""
    began = small.clock()
    conflicts(small)
    with pytest.raises(UnexplainedDifferenceError):
        finish(small, verify(small))
    load(small, "all")
    small.clock = lambda: began + timedelta(days=7)
    finish(small, verify(small))
    first, second = (row.measured for row in read(small))
    moved, same = first.count_all("services"), second.count("services", "same")
    assert (first.exit_code, first.count("services", "nobody")) == (5, moved)
    assert second.exit_code == 0
    assert 0 < same <= moved == second.count_all("services")
    assert first.scope == second.scope
    assert first.error == "", "who is paged stands on the page, and not in the journal"
    assert second.plan == small.workspace.find_state("plan")["digest"]
    assert second.snapshot == small.latest_account().digest
    for grades, whole in (("schedules", len(small.latest_account().all_schedules)), ("policies", None)):
        assert set(second.figures[grades]) == {"agree", "differ", "unverified"}
        assert whole in (None, second.count_all(grades))
    assert [bool(row.page) for row in read(small)] == [False, True]
    said = f"0 of {moved} services paged the same people a week ago, {same} now: readiness grows."
    assert said in (small.folder / "stakeholders.html").read_text()
    assert said in (small.folder / "trend.html").read_text()
    assert 'href="trend.html"' in (small.folder / "index.html").read_text()
    kept = json.loads((small.folder / "results" / "verify.json").read_text())["measured"]
    assert kept == second.figures


def test_a_run_that_fails_leaves_its_night(small):
    conflicts(small)
    small.workspace.state_file("snapshot").rename(small.workspace.state_file("away"))
    with pytest.raises(SettingsError):
        verify(small)
    small.workspace.state_file("away").rename(small.workspace.state_file("snapshot"))
    [row] = read(small)
    assert (row.measured.exit_code, row.measured.figures, row.counts) == (2, {}, False)
    assert "run the step preview first" in row.measured.error


def test_a_headless_run_that_ends_before_verify_leaves_its_night(small, monkeypatch):
    conflicts(small)
    left = {"status": "waiting", "exit_code": 3, "error": "2 questions wait", "seconds": 0.1, "step": "conflicts"}
    monkeypatch.setattr(headless, "_run_one", lambda *_: left)
    folder = small.workspace.reports / "night"
    assert headless.run_steps(small.workspace.folder, ["conflicts", "load", "verify"], folder).exit_code == 3
    [row] = read(small)
    assert (row.measured.exit_code, row.measured.run) == (3, "reports/night")
    assert row.measured.error == "the run ended with conflicts: 2 questions wait"
    assert "the run ended with conflicts" in (folder / "trend.html").read_text()
    headless.run_steps(small.workspace.folder, ["conflicts"], small.workspace.reports / "other")
    assert len(read(small)) == 1, "nobody asked for verify"


def test_a_trend_that_takes_no_row_keeps_nothing_of_what_was_found_back(small, caplog):
    conflicts(small)
    with closing(sqlite3.connect(small.workspace.journal_file)) as base:
        base.execute("create table trend (id integer primary key)")
        base.commit()
    with caplog.at_level(logging.WARNING, "pdmigrate"), pytest.raises(UnexplainedDifferenceError):
        finish(small, verify(small))
    assert "The trend does not know of this run of verify: The journal is damaged" in caplog.text
    assert "Whether readiness grows is not known" in (small.folder / "stakeholders.html").read_text()
    assert (small.folder / "verify.html").is_file()


def test_a_headless_run_tells_what_its_replay_ended_with(small, monkeypatch):
    """It ends with its code, and says why."""
    folder = small.workspace.reports / "night"
    left = {"status": "done", "exit_code": 0, "error": "", "seconds": 0.1, "step": "verify"}
    replayed = {**left, "step": "replay", "status": "partial", "exit_code": 5, "error": "2 pages would go otherwise"}

    def run_verify(*_):
        write_json(folder / "results" / "replay.json", replayed)
        write_json(folder / "results" / "verify.json", left)
        return left

    monkeypatch.setattr(headless, "_run_one", run_verify)
    ended = headless.run_steps(small.workspace.folder, ["verify"], folder)
    assert (ended.exit_code, ended.errors) == (5, ("replay: 2 pages would go otherwise",))
    assert read(small) == (), "verify itself has left its row, or its notebook has not come to its end"
