"""Import it, and kernels are talked to over files instead of ports, unless somebody says otherwise.

jupyter_client (8.10) looks for five free ports and lets go of them; a kernel takes them when it has come up, a second or more
later. Whoever takes one in between, another suite on this machine, makes it hang for good (ipykernel 7.4).
"""

import os
import tempfile
import uuid
from pathlib import Path

from jupyter_client.manager import KernelManager

_make = KernelManager.__init__


def _make_over_files(manager, *given, **options):
    _make(manager, *given, **options)
    manager.transport, manager.ip = "ipc", str(Path(tempfile.gettempdir()) / f"kernel-{uuid.uuid4().hex[:16]}")


KernelManager.__init__ = _make_over_files


def make_environment():
    """For a command that starts kernels: Python imports sitecustomize.py, which stands beside this, first."""
    paths = (str(Path(__file__).parent), os.environ.get("PYTHONPATH"))
    return {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, paths))}
