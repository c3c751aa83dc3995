"""JupyterLab on one workspace, and on nothing else: what it is started with."""

import os
import sys
from pathlib import Path

from pdmigrate.runs.notebooks import name_notebook
from pdmigrate.workspace.folder import STEPS, Workspace

DEFAULTS = Path(__file__).with_name("jupyter")
"""JupyterLab's settings where a person has chosen none: a notebook is saved each minute, and nothing is asked of the internet."""


def make_command(workspace: Workspace) -> list[str]:
    """JupyterLab that sees this workspace only: notebooks and pages. Port and browser are for the caller to add."""
    command = [sys.executable, "-m", "jupyterlab", f"--notebook-dir={workspace.folder}", "--ServerApp.ip=127.0.0.1"]
    command += ["--allow-root"] * (os.geteuid() == 0)  # a container's only user
    command += ["--ContentsManager.files_handler_class=pdmigrate.runs.served.ServedFiles"]
    command += ["--MappingKernelManager.kernel_manager_class=pdmigrate.runs.served.LabKernelManager"]
    return [*command, f"--LabApp.default_url=/lab/tree/{workspace.notebooks.name}/{name_notebook(STEPS[0])}"]


def make_environment(workspace: Workspace) -> dict[str, str]:
    """With the layout of windows kept in the workspace: the names of its files are no other client's business."""
    paths = os.pathsep.join(filter(None, (str(DEFAULTS), os.environ.get("JUPYTER_CONFIG_PATH"))))
    own = {"JUPYTERLAB_WORKSPACES_DIR": str(workspace.folder / ".lab"), "JUPYTER_CONFIG_PATH": paths}
    return {**os.environ, "PDMIGRATE_WORKSPACE": str(workspace.folder), **own}
