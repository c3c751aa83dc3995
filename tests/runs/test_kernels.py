"""Kernels that are forked: none outlives the process that it was forked from, and a load in one knows when its run is gone."""

import os
import signal
import time

import psutil
import pytest

from pdmigrate.runs.kernels import ForkedKernel, Host
from pdmigrate.steps import cancel
from pdmigrate.steps.cancel import Cancel
from pdmigrate.workspace.hold import TOKENS


def test_a_kernel_ends_with_the_process_that_it_was_forked_from(tmp_path):
    kernel = ForkedKernel(["-f", str(tmp_path / "kernel.json"), "--transport=ipc"], dict(os.environ), str(tmp_path))
    process, host = psutil.Process(kernel.pid), Host.find()
    assert process.ppid() == host.process.pid
    assert psutil.Process(host.process.pid).num_threads() == 1, "others would not be there in what it forks"
    assert os.getpgid(kernel.pid) == kernel.pid, "a signal to it reaches nobody else"
    assert kernel.poll() is None
    host.process.kill()
    _, alive = psutil.wait_procs([process], timeout=60)
    assert not alive
    assert kernel.poll() == kernel.wait() != 0


def test_a_kernel_that_is_killed_has_ended(tmp_path):
    kernel = ForkedKernel(["-f", str(tmp_path / "kernel.json"), "--transport=ipc"], dict(os.environ), str(tmp_path))
    kernel.send_signal(signal.SIGKILL)
    while kernel.poll() is None:
        time.sleep(0.05)
    assert kernel.wait() == -signal.SIGKILL


def test_another_process_never_asks_for_kernels_in_the_name_of_this_one(monkeypatch):
    ours = Host.find()
    assert Host.find() is ours
    monkeypatch.setattr(ours, "_owner", os.getpid() + 1)
    theirs = Host.find()
    assert theirs.process.pid != ours.process.pid


@pytest.mark.parametrize("lent", [True, False])
def test_a_load_stops_once_its_run_is_gone(small, monkeypatch, lent):
    """By the pipe that only the run writes to; and only in a run's notebook."""
    monkeypatch.setenv(TOKENS, "run" if lent else "")
    here, there = os.pipe()
    monkeypatch.setattr(cancel, "run_pipe", here)
    under_way = Cancel(small.workspace)
    os.write(there, b"a question")
    assert not under_way.asked
    os.close(there)
    assert under_way.asked == lent
    os.close(here)
