"""One run at a time, threads and other processes included; and a request to stop is to one run, and to no other."""

import asyncio
import contextlib
import getpass
import json
import os
import signal
import socket
import threading

import pytest
from holders import lend, lend_as
from kill_loads import PROCESSES, wait_until

from pdmigrate import conflicts, load, open_job, undo
from pdmigrate.cli.status import describe_status
from pdmigrate.errors import InterruptedLoadError, WorkspaceHeldError
from pdmigrate.runs import headless
from pdmigrate.runs.headless import stopping_between_steps
from pdmigrate.runs.kernels import QuietKernelManager
from pdmigrate.steps.job import read_clock
from pdmigrate.workspace.hold import TOKENS, hold


def test_a_request_to_the_run_that_the_load_is_a_part_of_cancels_as_well(small, monkeypatch):
    conflicts(small)
    monkeypatch.setenv(TOKENS, "outer mine")
    small.workspace.cancel_file("mine").touch()
    with pytest.raises(InterruptedLoadError):
        load(small, "all")
    assert small.target.transport.counts.writes == 0


@pytest.mark.parametrize("tokens", ["", "mine"])
def test_a_request_that_was_left_behind_stops_nothing(small, monkeypatch, tokens):
    """A run that was killed cannot take its own away."""
    conflicts(small)
    monkeypatch.setenv(TOKENS, tokens)
    for left in (".cancel", ".cancel-of-another-run"):
        (small.workspace.folder / left).touch()
    assert load(small, "all").writes


def test_a_headless_run_takes_leftovers_away_and_never_the_request_to_another_run(small, monkeypatch, tmp_path):
    """The second run is refused, since the first goes on: it must not have made the first one go on for ever."""
    folder, ends = small.workspace.folder, []

    def run_one(step, *_):
        ends.append(sorted(path.name for path in folder.glob(".cancel*")))
        stop.ask()
        with (
            stopping_between_steps(folder) as other,
            pytest.raises(WorkspaceHeldError, match="for run preview, invite"),
        ):
            headless.run_steps(folder, ["load"], tmp_path / "other", stop=other)
        ends.append(stop.asked and [path.name for path in folder.glob(".cancel*")])
        return {"step": step, "status": "done", "exit_code": 0, "error": "", "seconds": 0.0}

    monkeypatch.setattr(headless, "_run_one", run_one)
    (folder / ".cancel-of-the-dead").touch()
    with stopping_between_steps(folder) as stop:
        outcome = headless.run_steps(
            folder, ["preview", "invite"], tmp_path / "out", describe=lambda line: None, stop=stop
        )
    assert ends == [[], [f".cancel-{stop.run}"]]
    assert outcome.exit_code == 7
    assert not list(folder.glob(".cancel*"))


def test_the_first_signal_asks_the_second_breaks_off(tmp_path):
    with stopping_between_steps(tmp_path) as stop:
        signal.raise_signal(signal.SIGTERM)
        assert stop.asked
        assert (tmp_path / f".cancel-{stop.run}").exists()
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)
    assert not list(tmp_path.iterdir())


def test_a_cancelled_headless_run_ends_with_7_and_goes_on(small, monkeypatch, tmp_path):
    steps, stop = iter(["preview", "invite"]), headless.StopRequest(small.workspace.folder)

    def run_one(step, *_):
        stop.ask()
        return {
            "step": next(steps),
            "status": "done",
            "exit_code": 0,
            "error": "",
            "seconds": 0.0,
            "source": {"requests": 0, "retries": 0},
        }

    monkeypatch.setattr(headless, "_run_one", run_one)
    outcome = headless.run_steps(
        small.workspace.folder, ["preview", "invite"], tmp_path / "out", describe=lambda line: None, stop=stop
    )
    assert outcome.exit_code == 7
    assert "goes on from here" in outcome.errors[0]


def test_a_run_that_is_told_to_stop_while_a_notebook_comes_up_does_not_wait_for_it(small, monkeypatch, tmp_path):
    """On a busy machine that takes longer than anything else; the kernel here never comes up at all."""
    folder = small.workspace.folder

    async def come_up(*_, **options):
        signal.raise_signal(signal.SIGTERM)
        await asyncio.Event().wait()

    monkeypatch.setattr(QuietKernelManager, "_async_pre_start_kernel", come_up)
    with stopping_between_steps(folder) as stop:
        outcome = headless.run_steps(folder, ["invite"], tmp_path / "out", describe=lambda line: None, stop=stop)
    assert outcome.exit_code == 7
    assert outcome.errors == ("invite: cancelled before invite; the same command goes on from here",)
    assert outcome.summary["steps"]["invite"]["status"] == "cancelled"


@pytest.mark.parametrize("lent", ["", "run"], ids=["by hand", "in a run's notebook"])
def test_while_a_load_is_under_way_nothing_else_writes_from_the_same_process(small, monkeypatch, lent):
    """A widget's handler runs beside a running cell, in its thread or in another: one goes, the other says who holds it."""
    conflicts(small)
    said, threads = [], []
    acts = (lambda job: load(job, "all"), undo, lambda job: undo(job, yes=True))

    def second():
        with open_job(small.workspace.folder) as other:
            for act in acts:
                with pytest.raises(WorkspaceHeldError) as caught:
                    act(other)
                said.append(str(caught.value))

    def describe(done, number, total):
        if number != 3:
            return
        second()
        threads.append(threading.Thread(target=second))
        threads[0].start()
        threads[0].join()

    with hold_elsewhere(small, lent, monkeypatch):
        load(small, "all", describe)
    assert len(said) == 2 * len(acts)
    assert all(f"is held by {getpass.getuser()} on {socket.gethostname()}" in words for words in said)
    assert all(words.count(f"(process {os.getpid()})") == 1 and "for load:" in words for words in said)


@contextlib.contextmanager
def hold_elsewhere(job, token, monkeypatch):
    """As in a notebook that a headless run has started: the run holds the workspace in another process, and lends it."""
    if not token:
        yield
        return
    ready, over = PROCESSES.Event(), PROCESSES.Event()
    run = PROCESSES.Process(target=lend, args=(job.workspace.folder, token, ready, over))
    run.start()
    wait_until(ready, run)
    monkeypatch.setenv(TOKENS, token)
    yield
    over.set()
    run.join()


def test_two_loads_at_once_one_goes_the_other_says_who(small, monkeypatch):
    conflicts(small)
    said, begun = [], threading.Event()

    def second():
        with open_job(small.workspace.folder) as other, pytest.raises(WorkspaceHeldError) as caught:
            load(other, "all")
        said.append(str(caught.value))

    def describe(done, number, total):
        if number == 3 and not begun.is_set():
            begun.set()
            thread = threading.Thread(target=second)
            thread.start()
            thread.join()

    load(small, "all", describe)
    assert "is held by" in said[0]


def test_status_shows_a_load_as_it_is_and_leaves_it_alone(small):
    conflicts(small)
    said = []

    def stamp():
        return [path.stat().st_mtime_ns for path in (small.workspace.journal_file, small.workspace.folder / ".lock")]

    def describe(done, number, total):
        if number in (3, total):
            before = stamp()
            said.append((number, total, describe_status(small.workspace)))
            assert stamp() == before

    assert load(small, "all", describe).error is None
    for number, total, words in said:
        assert f"run 1 is open: {number} of {total} steps done" in words
    assert [number for number, *_ in said] == [3, said[0][1]]
    assert "run 1 is open" not in describe_status(small.workspace)


@pytest.mark.parametrize("where", ["here", "elsewhere"])
def test_the_number_of_a_process_that_is_gone_says_nothing(tmp_path, monkeypatch, caplog, where):
    """Another process may have got it since, this one too: what counts is the lock, and what is said is what was written."""
    host = socket.gethostname()
    with hold(tmp_path / "journal.sqlite", "acme", tmp_path, "load", read_clock()):
        said = json.loads((tmp_path / ".lock").read_text())
    host = host if where == "here" else "another-host"
    (tmp_path / ".lock").write_text(json.dumps({**said, "host": host, "token": "gone"}))
    monkeypatch.setenv(TOKENS, "gone")
    with hold(tmp_path / "journal.sqlite", "acme", tmp_path, "load", read_clock()):
        assert f"on {host} (process {os.getpid()})" in caplog.text
        assert "ended without a word" in caplog.text


def test_a_holder_of_the_same_host_and_process_number_in_another_container_is_not_us(small, monkeypatch):
    """Containers share both. The run that lends to this notebook is told apart by its token alone."""
    conflicts(small)
    ready, over = PROCESSES.Event(), PROCESSES.Event()
    run = PROCESSES.Process(target=lend_as, args=(os.getpid(), small.workspace.folder, "mine", ready, over))
    run.start()
    wait_until(ready, run)
    try:
        with pytest.raises(WorkspaceHeldError, match="for run load"):
            load(small, "all")
        monkeypatch.setenv(TOKENS, "mine")
        assert load(small, "all").writes
    finally:
        over.set()
        run.join()
