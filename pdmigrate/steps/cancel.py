"""Stopping a step, and a load between two writes: by a person, by a signal to the run that it is a part of, or by that run's death."""

import os
import select

from pdmigrate.workspace.folder import Workspace
from pdmigrate.workspace.hold import lent_tokens

KERNELS_PARENT = "JPY_PARENT_PID"
"""The variable in which jupyter_client tells a kernel who has started it. What a kernel starts has it too, and another parent."""
run_pipe: int | None = None
"""In a kernel that was forked for a headless run: a pipe that nobody but that run can write to."""


class Cancel:
    """Set it, and the step stops; a load does between two writes. In a notebook of a headless run it is set as well once that run is told to
    stop; in any notebook once whoever started its kernel is gone: nothing goes on writing behind the back of who killed it.
    """

    def __init__(self, workspace: Workspace | None = None) -> None:
        self._asked = False
        self._files = [workspace.cancel_file(run) for run in lent_tokens()] if workspace else []
        self._parent = os.getppid()
        self._in_kernel = os.environ.get(KERNELS_PARENT) == str(self._parent)

    @property
    def asked(self) -> bool:
        orphaned = (self._in_kernel or bool(self._files)) and (os.getppid() != self._parent or _is_hung_up())
        return self._asked or orphaned or any(file.exists() for file in self._files)

    def ask(self) -> None:
        self._asked = True


def _is_hung_up() -> bool:
    """Whether the run at the other end of the pipe has ended."""
    if run_pipe is None:
        return False
    waits = select.poll()
    waits.register(run_pipe, 0)  # no more than that it has been hung up
    return any(event & select.POLLHUP for _, event in waits.poll(0))
