"""A step that is told to stop, by the file of a headless run: at once, and what it had done is kept."""

import gc
import json
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from flask import request

from pdmigrate import load, preview
from pdmigrate.errors import InterruptedLoadError, KeyRefusedError
from pdmigrate.harness.pacing import INVITE_PATH, Limits, Quota
from pdmigrate.notebook.loading import _Progress
from pdmigrate.steps import job as jobs
from pdmigrate.steps.cancel import Cancel
from pdmigrate.steps.conflicts import conflicts
from pdmigrate.steps.load_checks import ClockWatch


def count_requests(job):
    return job._servers[0].app.config["LOG"].requests


@pytest.mark.parametrize("here", [True, False])
def test_a_preview_that_is_stopped_keeps_what_it_read_and_the_next_one_uses_it(job, monkeypatch, here):
    """here: where signals arrive. In another thread only the requests are stopped, and the words are the same."""
    whole = preview(job).snapshot
    undisturbed = count_requests(job)
    job.workspace.state_file("snapshot").unlink()
    clock, cancel = job.clock, Cancel()
    job.clock = lambda: whole.taken
    app, held = job._servers[0].app, threading.Event()

    def strike(**_):
        if app.config["LOG"].requests >= undisturbed + 30:
            cancel.ask()
            held.wait(600)  # no later answer comes before the stop is heard

    app.before_request_funcs[None].append(strike)
    with monkeypatch.context() as patched:
        patched.setattr(jobs, "Cancel", lambda workspace: cancel)
        with (
            pytest.raises(
                InterruptedLoadError, match="what was read is kept: run preview again, it goes on from there"
            ),
            ThreadPoolExecutor(1) as pool,
        ):
            preview(job) if here else pool.submit(preview, job).result()
    app.before_request_funcs[None].remove(strike)
    held.set()
    left = json.loads((job.folder / "results" / "preview.json").read_text())
    assert (left["status"], left["exit_code"]) == ("cancelled", 7)
    assert not job.workspace.find_state("snapshot")
    assert job.workspace.part_file.is_file()
    stopped = count_requests(job)
    job.clock = clock
    again = preview(job).snapshot
    assert (again.digest, again.taken) == (whole.digest, whole.taken)
    assert count_requests(job) - stopped < undisturbed - 10
    assert not job.workspace.part_file.exists()


def test_a_load_that_waits_for_a_limit_is_stopped_between_two_writes_and_goes_on(small):
    """The minute is as long as it takes until somebody asks for the stop."""
    conflicts(small)
    transport, cancel, woken = small.target.transport, Cancel(), []
    written = transport.counts.writes

    def sleep(seconds):
        assert "Harness's limit of 40 calls a minute" in small.progress.waits
        cancel.ask()
        woken.append(transport._stopped.wait(600))

    known, transport._sleep, quota = transport._sleep, sleep, transport.quota
    transport.quota = Quota(Limits(calls=40))
    with pytest.raises(InterruptedLoadError, match=r"Cancelled after [0-9]+ of [0-9]+ steps: run load again"):
        load(small, "all", cancel=cancel)
    assert woken
    assert all(woken)
    transport._sleep, transport.quota = known, quota
    loaded = load(small, "all")
    assert {done.outcome for done in loaded.done} <= {"created", "updated", "adopted", "kept", "handed_over"}
    assert transport.counts.writes > written


@pytest.mark.parametrize("end", ["the key is refused", "the clock jumps"])
def test_a_load_that_must_end_sends_no_invitation_that_waits_for_its_turn(small, monkeypatch, end):
    """One was sent a moment ago, by another run; the wait is over as soon as the load knows."""
    plan = conflicts(small).plan
    transport, waits, jumped, sent = small.target.transport, threading.Event(), [], []

    def sleep(seconds):
        waits.set()
        return transport._stopped.wait(600)

    def answer(**_):
        sent.append(request.path)
        if request.method == "PUT":
            waits.wait(600)
            if end == "the key is refused":
                return {"code": "INVALID_TOKEN", "message": "gone"}, 401
            jumped.append("old")
        return None

    assert [a for a in plan.pending if a.kind == "users"]
    small._servers[1].app.before_request_funcs.setdefault(None, []).append(answer)
    monkeypatch.setattr(ClockWatch, "find_stale", lambda self: "".join(jumped[:1]))
    transport._sleep, transport.quota = sleep, Quota(Limits(invites=1), sent=[time.time()])
    with pytest.raises((KeyRefusedError, InterruptedLoadError), match=r"refuses the key|Stopped after .* jumped"):
        load(small, "all")
    assert waits.is_set()
    assert INVITE_PATH not in sent


def test_a_load_that_is_paused_sends_no_invitation_whose_turn_comes_meanwhile(small):
    conflicts(small)
    transport, turn, waits, happened = small.target.transport, threading.Event(), threading.Event(), []
    widget = _Progress(small)
    describe = widget.describe

    def sleep(seconds):
        waits.set()
        turn.wait(600)
        transport.quota.clock = lambda: time.time() + 100

    def pause(done, number, total):
        describe(done, number, total)
        if done.action.kind == "contact_methods" and not happened:
            waits.wait(600)
            happened.append("paused")
            widget.turn_pause()
            turn.set()
            threading.Timer(1, go_on).start()

    def go_on():
        happened.append("gone on")
        widget.turn_pause()

    def note(**_):
        happened.extend(["invited"] * (request.path == INVITE_PATH))

    small._servers[1].app.before_request_funcs.setdefault(None, []).append(note)
    transport._sleep, transport.quota = sleep, Quota(Limits(invites=1), sent=[time.time()])
    load(small, "all", pause, widget.steering)
    assert happened == ["paused", "gone on", "invited"]


def test_a_step_that_ends_as_pause_is_pressed_leaves_standing_that_it_is_paused(small):
    """The step is told by the load's thread, the click by the kernel's."""
    conflicts(small)
    widget = _Progress(small)
    clicks = []

    class Struck(threading.Event):
        """Pause is pressed between the moment in which it is asked whether the load goes on and the one in which that is used."""

        def is_set(self):
            was = super().is_set()
            if threading.current_thread() is threading.main_thread():
                clicks.append(threading.Thread(target=widget.turn_pause))
                clicks[0].start()
                clicks[0].join(1)  # whoever waits for the step to be told goes on after it
            return was

    widget.steering.going = Struck()
    widget.steering.going.set()
    widget.say()
    clicks[0].join()
    assert "Paused between two steps." in widget.said.line.value


def test_python_looks_for_circles_as_often_as_before_once_a_step_is_over(job):
    usual = gc.get_threshold()
    with job.under_way.watch("Comparing"):
        assert gc.get_threshold()[0] > usual[0]
    assert gc.get_threshold() == usual
