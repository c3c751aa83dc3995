"""How the tests run: the long files first, the folders of a whole run in memory; the notebooks in order, in one worker,
on one workspace that is ready to be loaded."""

import gc
import os
import shutil
import tempfile
from collections import Counter
from pathlib import Path

from xdist.scheduler import LoadFileScheduling

LONG = (
    "tests/notebook/test_widgets_browser.py",
    "tests/fuzz/test_fuzz.py",
    "tests/runs/test_demo.py",
    "tests/parity/test_proof.py",
    "tests/runs/test_signals.py",
    "tests/pages/test_pages_browser.py",
    "tests/steps/test_sync_properties.py",
    "tests/steps/test_kill.py",
    "tests/steps/test_shift_company.py",
    "tests/parity/test_policy_parity.py",
    "tests/steps/test_steps.py",
    "tests/parity/test_explanations.py",
    "tests/steps/test_target_keeps.py",
    "tests/steps/test_replay.py",
    "tests/pagerduty/test_source_lists.py",
    "tests/cli/test_away.py",
    "tests/notebook/test_kernel.py",
    "tests/steps/test_load_runs.py",
    "tests/handover/test_handover.py",
    "tests/steps/test_kill_invites.py",
    "tests/steps/test_sync_oracle.py",
    "tests/mapping/test_rota_properties.py",
    "tests/notebook/test_widgets.py",
    "tests/test_site.py",
    "tests/notebook/test_desk.py",
    "tests/steps/test_resume.py",
    "tests/cli/test_cli.py",
    "tests/runs/test_sharing.py",
    "tests/pagerduty/test_source_snapshot.py",
)
"""Begun first, the longest at the top: xdist goes by the number of tests, and would leave a worker alone with one of
these at the end."""
SHARED = {"tests/test_example.py": "tests/pages/test_pages_browser.py"}
"""Both look at one migration, which is made once for both."""
MEMORY = Path("/dev/shm")  # noqa: S108 - a folder of its own in there
ROOM = 2 * 2**30
"""Several times what a whole run leaves."""

_workspace: list[Path] = []
_memory: list[Path] = []


class NotebooksTogether(LoadFileScheduling):
    """The six notebooks share a workspace, so they go to one worker; every other file is a group of its own."""

    def _split_scope(self, nodeid: str) -> str:
        return find_group(nodeid)


def find_group(nodeid: str) -> str:
    """What stays together in one worker."""
    file = nodeid.partition("::")[0]
    return "notebooks" if file.startswith("notebooks/") else SHARED.get(file, file)


def pytest_xdist_make_scheduler(config, log):
    config.option.loadscopereorder = False  # the order is that of the collection, see below
    return NotebooksTogether(config, log)


def pytest_configure(config) -> None:
    """Most of a load's time is the journal's syncing to disk, which no test needs: only a power cut would tell."""
    whole = getattr(config.option, "numprocesses", None) and not hasattr(config, "workerinput")
    if whole and "TMPDIR" not in os.environ and not config.option.basetemp and _has_room(MEMORY):
        _memory.append(Path(tempfile.mkdtemp(prefix="pdmigrate-tests-", dir=MEMORY)))
        _memory[0].chmod(0o711)  # PostgreSQL, which insists on another user than root, has its folder in here
        os.environ["TMPDIR"], tempfile.tempdir = str(_memory[0]), None


def _has_room(folder: Path) -> bool:
    """Whether it is there, programs may run in it (tests write some), and it has ROOM to spare."""
    if not os.access(folder, os.W_OK):
        return False
    found = os.statvfs(folder)
    return not found.f_flag & os.ST_NOEXEC and found.f_bavail * found.f_frsize > ROOM


def pytest_unconfigure() -> None:
    for folder in _memory:
        shutil.rmtree(folder, ignore_errors=True)


def pytest_collection_modifyitems(items) -> None:
    """The long files first, then as xdist would have them: by the number of their tests."""
    groups = [find_group(item.nodeid) for item in items]
    sizes = Counter(groups)
    places = {group: place for place, group in enumerate(LONG)}
    ranks = {group: (places.get(group, len(LONG)), -sizes[group], groups.index(group)) for group in sizes}
    items.sort(key=lambda item: ranks[find_group(item.nodeid)])


def pytest_collection_finish() -> None:
    """A fifth of the processor's time went into looking through all that was imported, again and again, for garbage."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 10, 10)


def pytest_runtest_setup(item) -> None:
    """Before the first notebook's kernel starts, so that it finds the workspace in its environment."""
    if item.path.suffix == ".ipynb" and not _workspace:
        import kernels_over_files  # noqa: F401 - nbval's kernels

        _workspace.append(_make_workspace(Path(tempfile.mkdtemp(prefix="pdmigrate-notebooks-"))))
        os.environ["PDMIGRATE_WORKSPACE"] = str(_workspace[0])


def pytest_sessionfinish() -> None:
    for folder in _workspace:
        shutil.rmtree(folder, ignore_errors=True)


def _make_workspace(folder: Path) -> Path:
    """A corner of the embedded company, decided as in the demo, with its plan approved: all six notebooks run to their end."""
    from small_company import cut_down

    from pdmigrate import approve, conflicts, connect, open_job, preview
    from pdmigrate.runs.demo import make_demo_workspace
    from pdmigrate.sandbox.company import build_company
    from pdmigrate.steps.job import read_clock
    from pdmigrate.workspace.folder import write_json

    make_demo_workspace(folder)
    write_json(folder / "sandbox" / "pagerduty.json", cut_down(build_company(read_clock())))
    with open_job(folder) as job:
        connect(job)
        preview(job)
        approve(job, conflicts(job).plan.digest, by="pytest", why="the notebooks run to their end")
    return folder
