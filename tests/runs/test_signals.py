"""A real SIGTERM or Ctrl-C while real processes load: they stop between two writes, leave no kernel, and go on."""

import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import psutil
import pytest
from kernels_over_files import make_environment
from kill_loads import Rehearsal

from pdmigrate.cli.status import describe_status
from pdmigrate.runs.notebooks import notebook_of
from pdmigrate.workspace.folder import Workspace

SERVICES = [f"PSERV{number:02}" for number in range(1, 13)]
"""Half of the company: enough to be stopped in six times."""
FIRST, PAST = 10, 20
"""The write at which the signals come, and one that is never reached then."""


@pytest.fixture(scope="module")
def rehearsal(tmp_path_factory):
    made = Rehearsal(tmp_path_factory.mktemp("signals"), SERVICES)
    yield made
    made.close()


@pytest.fixture(scope="module")
def undisturbed(rehearsal):
    ended, writes = rehearsal.run(rehearsal.begin())
    assert ended == 0
    return rehearsal.see(), writes


KERNEL = ("kernel",)
"""In the place of signals to the command: its notebook's kernel is killed."""


class Command:
    """A command that loads, and is sent signals while Harness answers its writes.

    held: given the command, it returns once the signals have been heard. Until then Harness keeps every later answer back, so
    that the load does not go on, nor come to its end, however busy or quick the machine is.
    """

    def __init__(self, rehearsal, *words, held, env=None):
        self.gate, self.words, self.held = rehearsal.gate, [sys.executable, "-m", *map(str, words)], held
        self.env = env

    def run(self, number=0, *signals):
        """(exit code, writes, what it said, processes that it left behind). The signals come at one write."""
        self.gate.arm(number, "before the answer" if signals else None, lambda: self._strike(signals))
        self.family = []
        before = signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background job would ignore it
        self.process = subprocess.Popen(
            self.words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=self.env
        )
        signal.signal(signal.SIGINT, before)
        said, _ = self.process.communicate(timeout=1200)
        _, alive = psutil.wait_procs(self.family, timeout=600)
        return self.process.returncode, self.gate.writes, said, alive

    def _strike(self, signals):
        struck = threading.Event()

        def wait():
            struck.wait()
            self.held(self)

        self.gate.late = threading.Thread(
            target=wait
        )  # first, so that nothing is answered while it is looked for the processes
        self.gate.late.start()
        self.family = psutil.Process(self.process.pid).children(recursive=True)
        if signals == KERNEL:
            for kernel in self.family:
                kernel.kill()
        else:
            for number in signals:
                self.process.send_signal(number)
        struck.set()


def wait_for_its_end(command):
    command.process.wait()


def wait_for_its_kernel(command):
    psutil.wait_procs(command.family, timeout=600)


def wait_for_its_request(command):
    """Until the command has asked its load to stop: a file in the workspace, which stands behind the word `run`."""
    folder = Path(command.words[command.words.index("run") + 1])
    while command.process.poll() is None and not any(folder.glob(".cancel-*")):
        time.sleep(0.01)


class Stopped:
    """A headless run of `load` that is struck again and again, and goes on by the same command each time.

    In this order: SIGTERM; Ctrl-C; both, which does not wait for the step; SIGKILL; its kernel killed.
    """

    def __init__(self, rehearsal):
        self.workspace = rehearsal.begin()
        words = ("pdmigrate.cli", "run", self.workspace, "load")
        asked, killed, alone = (  # each with another kernel that waits for its step
            Command(rehearsal, *words, "verify", held=h)
            for h in (wait_for_its_request, wait_for_its_end, wait_for_its_kernel)
        )
        strikes = ((signal.SIGTERM,), (signal.SIGINT,), (signal.SIGTERM, signal.SIGINT))
        self.asked = [(*asked.run(FIRST, *signals), describe_status(Workspace(self.workspace))) for signals in strikes]
        self.killed = killed.run(FIRST, signal.SIGKILL)
        self.family = len(killed.family)
        self.without_kernel = alone.run(FIRST, *KERNEL)
        self.last = Command(rehearsal, *words, held=wait_for_its_end).run()
        self.left, self.mails = rehearsal.see(), rehearsal.mails()


@pytest.fixture(scope="module")
def stopped(rehearsal):
    return Stopped(rehearsal)


def test_a_headless_run_stops_between_two_writes(stopped):
    for code, written, said, alive, status in stopped.asked:
        assert (code, alive) == (7, []), said
        assert FIRST <= written < PAST
        assert "Traceback" not in said
        assert "is open" in status


def test_a_command_that_is_killed_leaves_no_kernel_that_goes_on_writing(stopped):
    """What is under way is still answered and booked; nothing else is begun."""
    code, written, said, alive = stopped.killed
    assert (code, alive) == (-signal.SIGKILL, []), said
    assert stopped.family == 3, "the process of the kernels, that of load, and that which waits for verify"
    assert FIRST <= written < PAST


def test_a_kernel_that_dies_is_one_line(stopped):
    code, written, said, alive = stopped.without_kernel
    assert (code, alive) == (7, []), said
    assert FIRST <= written < PAST
    assert "Traceback" not in said
    [line] = [line for line in said.splitlines() if line.startswith("pdmigrate: ")]
    assert line.startswith("pdmigrate: load: 5_load.ipynb: its kernel died")
    assert line.endswith("then the same command goes on from there.")


def test_after_all_that_the_same_command_comes_to_its_end(stopped, undisturbed):
    expected, writes = undisturbed
    code, written, said, alive = stopped.last
    assert (code, alive) == (0, []), said
    assert written > FIRST, "there was enough left, each time, to be stopped in"
    assert writes > 6 * FIRST
    assert stopped.left == expected
    assert set(stopped.mails.values()) == {1}


def test_papermill_alone_leaves_no_kernel_and_the_load_goes_on(rehearsal, undisturbed, tmp_path):
    """It knows nothing of our codes; what counts is that nothing goes on writing behind its back, and nothing is lost."""
    workspace = rehearsal.begin()
    notebook, output = notebook_of("load"), tmp_path / "out.ipynb"
    patience = "--start-timeout=600"  # papermill gives up a kernel that is not there within a minute
    given = (notebook, output, patience, "-p", "workspace", workspace)
    command = Command(rehearsal, "papermill", *given, held=wait_for_its_end, env=make_environment())
    for number in (signal.SIGTERM, signal.SIGINT):
        code, written, said, alive = command.run(5, number)
        assert code != 0, said
        assert not alive
        assert 5 <= written < 20 < undisturbed[1] / 4
    assert command.run()[0] == 0
    assert rehearsal.see() == undisturbed[0]
    assert set(rehearsal.mails().values()) == {1}
