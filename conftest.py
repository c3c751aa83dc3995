"""How the notebooks run under pytest: in order, in one worker, on one workspace that is ready to be loaded."""

import os
import shutil
import tempfile
from pathlib import Path

from xdist.scheduler import LoadFileScheduling

_workspace: list[Path] = []


class NotebooksTogether(LoadFileScheduling):
    """The six notebooks share a workspace, so they go to one worker; every other file is a group of its own."""

    def _split_scope(self, nodeid: str) -> str:
        return "notebooks" if nodeid.startswith("notebooks/") else super()._split_scope(nodeid)


def pytest_xdist_make_scheduler(config, log):
    return NotebooksTogether(config, log)


def pytest_runtest_setup(item) -> None:
    """Before the first notebook's kernel starts, so that it finds the workspace in its environment."""
    if item.path.suffix == ".ipynb" and not _workspace:
        _workspace.append(_make_workspace(Path(tempfile.mkdtemp(prefix="pdmigrate-notebooks-"))))
        os.environ["PDMIGRATE_WORKSPACE"] = str(_workspace[0])


def pytest_sessionfinish() -> None:
    for folder in _workspace:
        shutil.rmtree(folder, ignore_errors=True)


def _make_workspace(folder: Path) -> Path:
    """The embedded company, decided as in the demo, with its plan approved: all six notebooks run to their end."""
    from pdmigrate import approve, conflicts, connect, open_job, preview
    from pdmigrate.runs.demo import make_demo_workspace

    make_demo_workspace(folder)
    with open_job(folder) as job:
        connect(job)
        preview(job)
        approve(job, conflicts(job).plan.digest, by="pytest", why="the notebooks run to their end")
    return folder
