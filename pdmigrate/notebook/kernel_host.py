"""The process that forks kernels: it has imported what every notebook imports, so that none of them has to.

runs/host.py starts it with two pipes. Requests come in by one, a line of JSON each, and are answered by the other. Once the first
has nobody at its other end, this process ends, and the kernels end with it. They keep that pipe open: a load in one of them
knows at once that the run is gone.
"""

import contextlib
import gc
import json
import os
import signal
import sys
from functools import cache
from importlib import import_module
from typing import Any

import ipykernel.ipkernel  # noqa: F401 - what is imported here is there in each kernel
import pandas  # noqa: F401 - as above
from ipykernel.kernelapp import IPKernelApp

import pdmigrate
from pdmigrate.pages.markup import environment
from pdmigrate.steps import cancel
from pdmigrate.steps.job import read_clock

MEANWHILE = (
    "IPython.core.completerlib",
    "IPython.extensions.storemagic",
    "pandas.io.formats.string",
    "pdmigrate.sandbox.harness",
    "pdmigrate.sandbox.pagerduty",
    "psutil",
    "sqlalchemy.dialects.sqlite",
)
"""What kernels and notebooks import beyond that, as long as it is the embedded pair that they talk to."""


def serve(requests: int, answers: int) -> None:
    """Answer until nobody asks any more. The numbers are those of the two pipes."""
    with open(requests, encoding="utf-8") as asked, open(answers, "w", encoding="utf-8") as told:
        for line in iter(asked.readline, ""):
            request: dict[str, Any] = json.loads(line)
            number, ask, given = request["number"], request["ask"], request["given"]
            answer = None
            if ask == "start":
                answer = _fork_kernel(requests, answers, **given)
            elif ask in ("poll", "wait"):
                answer = _poll(given, os.WNOHANG if ask == "poll" else 0)
            else:
                _signal(*given)
            print(json.dumps([number, answer]), file=told, flush=True)
            if ask == "start":
                _warm_up()


def _fork_kernel(requests: int, answers: int, argv: list[str], env: dict[str, str], cwd: str) -> int:
    """As jupyter_client starts one: a group of its own, the environment and the folder that were asked for."""
    host = os.getpid()  # before the fork: once this process is gone, the kernel would take another one for its parent
    if pid := os.fork():
        with contextlib.suppress(OSError):  # here and there: whoever comes first
            os.setpgid(pid, pid)
        return pid
    try:
        os.setpgid(0, 0)
        os.close(answers)
        os.chdir(cwd)
        os.environ.clear()
        os.environ.update(env)
        signal.signal(signal.SIGINT, signal.default_int_handler)
        cancel.run_pipe = requests
        # ipykernel has read JPY_PARENT_PID by now; without its parent a kernel ends
        IPKernelApp.launch_instance(argv=[*argv, f"--IPKernelApp.parent_handle={host}"])
    finally:
        os._exit(0)


def _poll(pid: int, options: int) -> int | None:
    """The exit code of a kernel that has ended; None while it goes on."""
    found, status = os.waitpid(pid, options)
    return os.waitstatus_to_exitcode(status) if found else None


def _signal(pid: int, number: int) -> None:
    """To the kernel and what it has started. Nobody else has its number: it has not been waited for."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(pid, number)


@cache
def _warm_up() -> None:
    """While the first kernel works: what those after it need not do again. Nothing of it depends on a workspace."""
    for name in MEANWHILE:
        import_module(name)
    for name in environment().list_templates(["html"]):
        environment().get_template(name)
    import_module("pdmigrate.sandbox.company").build_company(read_clock())
    gc.freeze()


def main() -> None:
    """argv: the numbers of the two pipes. Whoever calls this has put off collecting: nothing of what comes in is to be collected."""
    sys.modules["debugpy"] = None  # type: ignore[assignment]  # documented: an import of it then fails; nobody debugs here
    import_module("ipykernel.debugger")
    for name in pdmigrate.__all__:
        getattr(pdmigrate, name)
    gc.freeze()  # what all of them share is not written to by their collectors
    gc.enable()
    gc.set_threshold(5000)  # by default a third of verify's time goes into looking for cycles that are not there
    serve(int(sys.argv[1]), int(sys.argv[2]))
