"""A step that is told to stop, by the file of a headless run: at once, and what it had done is kept."""

import gc
import json
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from pdmigrate import load, preview
from pdmigrate.errors import InterruptedLoadError
from pdmigrate.harness.pacing import Limits, Quota
from pdmigrate.steps import job as jobs
from pdmigrate.steps.cancel import Cancel
from pdmigrate.steps.conflicts import conflicts


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


def test_python_looks_for_circles_as_often_as_before_once_a_step_is_over(job):
    usual = gc.get_threshold()
    with job.under_way.watch("Comparing"):
        assert gc.get_threshold()[0] > usual[0]
    assert gc.get_threshold() == usual
