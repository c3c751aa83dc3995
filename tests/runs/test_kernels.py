"""Kernels that are forked: the next one comes up while one runs, none outlives its run, and a load in one knows when its run is gone."""

import logging
import os
import signal
import subprocess
import sys
import tempfile
import time
import uuid
from contextlib import closing
from pathlib import Path

import nbformat
import papermill.engines
import psutil
import pytest

from pdmigrate.runs import headless
from pdmigrate.runs.host import ForkedKernel, Host
from pdmigrate.runs.kernels import Kernels
from pdmigrate.steps import cancel
from pdmigrate.steps.cancel import Cancel
from pdmigrate.workspace.hold import TOKENS


def fork_kernel(folder, **variables):
    """One that stays: the names of its sockets are short enough for the system, as those beside its file may not be."""
    sockets = Path(tempfile.gettempdir()) / f"pdmigrate-{uuid.uuid4().hex[:16]}"
    options = ["-f", str(folder / "kernel.json"), "--transport=ipc", f"--ip={sockets}"]
    return ForkedKernel(options, {**os.environ, **variables}, str(folder))


def test_a_kernel_ends_with_the_process_that_it_was_forked_from(tmp_path):
    kernel = fork_kernel(tmp_path)
    process, host = psutil.Process(kernel.pid), Host.find()
    assert process.ppid() == host.process.pid
    assert psutil.Process(host.process.pid).num_threads() == 1, "others would not be there in what it forks"
    assert os.getpgid(kernel.pid) == kernel.pid, "a signal to it reaches nobody else"
    assert kernel.poll() is None
    host.process.kill()
    _, alive = psutil.wait_procs([process], timeout=600)
    assert not alive
    assert kernel.poll() == kernel.wait() != 0


def test_a_kernel_ends_also_where_that_process_is_gone_before_it_has_begun(tmp_path):
    """It takes a while to begin, with so many variables."""
    kernel = fork_kernel(tmp_path, **{f"VARIABLE_{number}": "" for number in range(100_000)})
    Host.find().process.kill()
    _, alive = psutil.wait_procs([psutil.Process(kernel.pid)], timeout=600)
    assert not alive
    assert fork_kernel(tmp_path).poll() is None, "the next one is forked from another"


def test_a_kernel_that_is_killed_has_ended(tmp_path):
    kernel = fork_kernel(tmp_path)
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


COUNT = "import os, psutil; print(len(psutil.Process(os.getppid()).children()))"
"""How many kernels there are, as one of them sees it."""


def run_cells(folder, *sources, notebooks=1, of=2, describe=None):
    """Run notebooks of these cells, a text before each, as a headless run does it. (their errors, what they said)

    of: how many the run was to have. The one after the last is never taken.
    """
    cells = [(nbformat.v4.new_markdown_cell("Next."), nbformat.v4.new_code_cell(source)) for source in sources]
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    book = nbformat.v4.new_notebook(cells=sum(cells, ()), metadata={"kernelspec": kernel})
    nbformat.write(book, folder / "in.ipynb")
    said = []
    with closing(Kernels(folder, of)) as kernels:
        given = folder / "in.ipynb", folder / "out.ipynb", {}, describe or said.append, headless.StopRequest(folder)
        return [headless._execute(*given, kernels) for _ in range(notebooks)], said


def list_kernels():
    return set(psutil.Process(Host.find().process.pid).children())


def test_the_next_kernel_is_there_while_one_still_runs_and_none_is_after_the_last(tmp_path):
    before = list_kernels()
    errors, said = run_cells(tmp_path, "pass", COUNT, notebooks=3, of=3)
    assert errors == [""] * 3
    assert [int(line) - len(before) for line in said] == [2, 2, 1]
    assert list_kernels() == before


@pytest.mark.parametrize(
    "source, said",
    [
        ("pass", ""),
        ("1 / 0", "ZeroDivisionError: division by zero"),
        ("os.kill(os.getpid(), 9)", "its kernel died"),
    ],
    ids=["stopped", "failed", "killed"],
)
def test_the_kernel_that_waits_ends_with_its_run(tmp_path, source, said):
    before = list_kernels()
    [error], [counted] = run_cells(tmp_path, COUNT, source)
    assert said in error
    assert bool(said) == bool(error)
    assert int(counted) - len(before) in (1, 2)
    assert list_kernels() == before


def test_a_run_that_is_broken_off_leaves_no_kernel(tmp_path):
    logging.getLogger("asyncio").setLevel(logging.CRITICAL)  # as the command does: what is broken off is told by us
    before, seen = list_kernels(), []

    def break_off(line):
        seen.append(list_kernels() - before)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_cells(tmp_path, "pass", "print('said')", describe=break_off)
    assert [len(kernels) for kernels in seen] == [2]
    assert list_kernels() == before


def test_a_kernel_that_died_while_it_waited_is_one_line(tmp_path):
    before = list_kernels()

    def kill_others(line):
        for kernel in list_kernels() - before:
            if kernel.pid != int(line):
                kernel.kill()

    errors, _ = run_cells(tmp_path, "import os", "print(os.getpid())", notebooks=2, describe=kill_others)
    assert errors[0] == ""
    assert errors[1].startswith("InterruptedLoadError: in.ipynb: its kernel d")


def test_a_notebook_is_saved_as_each_cell_of_code_begins_with_what_those_before_have_shown(tmp_path, monkeypatch):
    """So that a run that is killed leaves it; and no more often than that: saving takes longer than most cells."""
    saved, write = [], papermill.engines.write_ipynb
    monkeypatch.setattr(papermill.engines, "write_ipynb", lambda *given: saved.append(write(*given)))
    look = f"print(str(1000 + 1) in open({str(tmp_path / 'out.ipynb')!r}).read())"
    assert run_cells(tmp_path, "print(1000 + 1)", look) == ([""], ["1001", "True"])
    assert len(saved) == 4, "at the start, for either cell, and at the end"


def test_a_run_starts_the_process_of_its_kernels_before_it_imports_what_it_needs_itself():
    code = """
import sys
from pdmigrate.runs.host import Host

def find():
    print(sorted({"jupyter_client", "pandas", "papermill", "pdmigrate.pages", "sqlalchemy"} & sys.modules.keys()))
    sys.exit()

Host.find = find
from pdmigrate.cli import main
main(["run", "nowhere"])
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
