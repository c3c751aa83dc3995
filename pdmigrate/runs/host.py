"""The process that kernels of headless runs are forked from (notebook/kernel_host.py), as the run sees it.

Nothing of Jupyter is imported here: the process can be started first of all, and imports what kernels need while the run
imports what it needs itself.
"""

import atexit
import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
from typing import Any, ClassVar, cast

ALONE = {"OPENBLAS_NUM_THREADS": "1"}
"""A process that forks is to have one thread only, and pandas would bring others. A kernel's own environment is as it was."""
HOST = "import gc; gc.disable(); from pdmigrate.notebook.kernel_host import main; main()"
"""What it does. Collecting while modules come in would take a tenth of the time, and find nothing."""


class ForkedKernel:
    """A kernel with what jupyter_client asks of a subprocess.Popen."""

    stdin = stdout = stderr = None

    def __init__(self, argv: list[str], env: dict[str, str], cwd: str):
        """Raises RuntimeError where none can be forked."""
        self.returncode: int | None = None
        self._host = Host.find()
        pid = self._host.ask("start", {"argv": argv, "env": env, "cwd": cwd})
        if pid is None:
            raise RuntimeError("the process that it is forked from has ended")
        self.pid = pid

    def poll(self) -> int | None:
        if self.returncode is None:
            self.returncode = self._host.ask("poll", self.pid)
        if self.returncode is None and self._host.ended:  # a kernel ends with it
            self.returncode = -signal.SIGKILL
        return self.returncode

    def wait(self) -> int | None:
        """Until it has ended."""
        if self.poll() is None:
            self.returncode = self._host.ask("wait", self.pid)
        return self.poll()

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)

    def send_signal(self, number: int) -> None:
        """To the kernel, and to what it has started."""
        self._host.ask("signal", [self.pid, int(number)])


class Host:
    """notebook/kernel_host.py at work for this process, and no longer than this process lives."""

    _found: ClassVar["Host | None"] = None
    _finding = threading.Lock()

    @classmethod
    def find(cls) -> "Host":
        """The one that is at work, or a new one."""
        with cls._finding:
            found = cls._found
            if found is None or found.ended or found._owner != os.getpid() or found.process.poll() is not None:
                cls._found = found = cls()
            return found

    def __init__(self) -> None:
        (requests, asking), (told, answers) = os.pipe(), os.pipe()
        command = [sys.executable, "-P", "-c", HOST, str(requests), str(answers)]
        pipes = (requests, answers)
        self.process = subprocess.Popen(  # noqa: S603 - our own words
            command, stdin=subprocess.DEVNULL, pass_fds=pipes, start_new_session=True, env={**os.environ, **ALONE}
        )
        for pipe in pipes:
            os.close(pipe)
        self._asking, self._told = os.fdopen(asking, "w", encoding="utf-8"), os.fdopen(told, encoding="utf-8")
        self._owner, self._lock, self._number, self.ended = os.getpid(), threading.Lock(), 0, False
        atexit.register(self._end)

    def ask(self, ask: str, given: Any) -> int | None:
        """Its answer. None, and `ended` is set, where it is gone."""
        with self._lock:
            if self.ended:
                return None
            self._number += 1
            try:
                print(json.dumps({"number": self._number, "ask": ask, "given": given}), file=self._asking, flush=True)
                for line in iter(self._told.readline, ""):
                    number, answer = json.loads(line)
                    if number == self._number:  # not that of a question that Ctrl-C broke off
                        return cast(int | None, answer)
            except OSError:
                pass  # nobody reads
            self._end()
            return None

    def _end(self) -> None:
        if not self.ended and self._owner == os.getpid():
            self.ended = True
            self.process.kill()
            self.process.wait()
            for pipe in (self._told, self._asking):
                with contextlib.suppress(OSError):  # what is left in it has nobody to go to
                    pipe.close()
