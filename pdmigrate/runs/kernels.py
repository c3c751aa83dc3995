"""The kernels of headless runs, forked from one process (runs/host.py): while one runs its notebook, the next comes up.

And how kernels are talked to, those of `pdmigrate lab` as well (runs/served.py).
"""

import asyncio
import os
import sys
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, cast

from jupyter_client.asynchronous.client import AsyncKernelClient
from jupyter_client.connect import ConnectionFileMixin
from jupyter_client.manager import AsyncKernelManager
from jupyter_client.provisioning.local_provisioner import LocalProvisioner
from jupyter_core.utils import run_sync

from pdmigrate.runs.host import ForkedKernel

LAUNCHER = [sys.executable, "-m", "ipykernel_launcher"]
"""How the command of a kernel begins that can be forked. One of another environment is started as it says."""
ARGUMENTS = ["--IPKernelApp.log_level=50", "--HistoryManager.hist_file=:memory:"]
"""Without the first it calls its own shutdown an error, now and then; the second is what nbclient gives it."""
PATIENCE = 60
"""Seconds in which a kernel has to come up."""


class OverFiles(ConnectionFileMixin):
    """Talks to the kernel over sockets in the file system, so that no port is open.

    Another program may take a port that was free before the kernel has it, and the kernel hangs then (ipykernel 7.4).
    """

    transport = "ipc"

    def __init__(self, **options: Any):
        super().__init__(**options)
        # By default all kernels of a folder share the same socket files, and two runs at once meet in them.
        self.ip = str(Path(tempfile.gettempdir()) / f"pdmigrate-{uuid.uuid4().hex[:16]}")


class QuietKernelManager(OverFiles, AsyncKernelManager):
    """A headless run's: the kernel is forked."""

    async def _async_pre_start_kernel(self, **options: Any) -> Any:
        self.kernel_id = self.kernel_id or str(uuid.uuid4())
        self.provisioner = ForkingProvisioner(kernel_id=self.kernel_id, kernel_spec=self.kernel_spec, parent=self)
        return await super()._async_pre_start_kernel(**options)


class ForkingProvisioner(LocalProvisioner):
    """Has the kernel forked; what comes after is as with a process of our own."""

    async def launch_kernel(self, cmd: list[str], **options: Any) -> Any:
        """`cmd`, `env` and `cwd` as jupyter_client gives them."""
        if cmd[: len(LAUNCHER)] != LAUNCHER or not hasattr(os, "fork"):
            return await super().launch_kernel(cmd, **options)
        kernel: Any = ForkedKernel(cmd[len(LAUNCHER) :], options["env"], options.get("cwd") or os.getcwd())
        self.process, self.pid = kernel, kernel.pid
        return self.connection_info


class Kernel:
    """One kernel. `manager` and `client` are jupyter_client's."""

    def __init__(self, folder: Path):
        self.manager = QuietKernelManager()
        self.client: AsyncKernelClient | None = None
        self.ready = asyncio.ensure_future(self._come_up(folder))

    async def _come_up(self, folder: Path) -> None:
        await self.manager.start_kernel(extra_arguments=ARGUMENTS, cwd=str(folder))
        self.client = self.manager.client()
        self.client.start_channels()
        await self.client.wait_for_ready(timeout=PATIENCE)
        self.client.allow_stdin = False

    async def stop(self) -> None:
        """Break its cell off, and wait a few seconds for what it does then: an answer that is on its way is still booked."""
        if await self.manager.is_alive():
            await self.manager.shutdown_kernel()

    def end(self) -> None:
        """At once, whether it has come up or not: it has nothing to say any more, and holds nothing that a process leaves."""
        process = self.manager.provisioner and cast(ForkingProvisioner, self.manager.provisioner).process
        if process and process.poll() is None:
            process.kill()
            process.wait()
        run_sync(self._tidy)()

    async def _tidy(self) -> None:
        self.ready.cancel()
        await asyncio.gather(self.ready, return_exceptions=True)
        await self.manager.cleanup_resources()
        if self.client:
            self.client.stop_channels()


class Kernels:
    """The kernels of one run, a fresh one for each notebook. Close it: one that waits for its notebook ends with it.

    folder: where they run. count: how many notebooks there are.
    """

    def __init__(self, folder: Path, count: int):
        self._folder, self._left = folder, count
        self._next: Kernel | None = None

    def prepare(self) -> None:
        """Let the next one come up while the one before runs, if a notebook is left for it. To be called in its event loop."""
        if self._left:
            self._next = self._next or Kernel(self._folder)

    @contextmanager
    def take(self) -> Iterator[Kernel]:
        """The next one, once it has come up; it ends with the block. Raises RuntimeError where it does not come up."""
        kernel = run_sync(self._wait)()
        try:
            kernel.ready.result()
            yield kernel
        except KeyboardInterrupt:
            run_sync(kernel.stop)()
            raise
        finally:
            kernel.end()

    async def _wait(self) -> Kernel:
        self._left -= 1
        kernel = self._next = self._next or Kernel(self._folder)
        await asyncio.wait([kernel.ready])  # where Ctrl-C has broken it off, this is not to raise it once more
        self._next = None
        return kernel

    def close(self) -> None:
        if self._next:
            self._next.end()
            self._next = None
