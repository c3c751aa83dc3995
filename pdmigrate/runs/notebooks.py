"""Where the six notebooks are (in a checkout beside the package, in an installed one inside of it), and a workspace's own."""

import hashlib
import json
from pathlib import Path
from typing import Any

from pydantic import BaseModel, TypeAdapter

from pdmigrate.wire.forms import read_form
from pdmigrate.wire.json_text import OF_FILE, read_json
from pdmigrate.workspace.folder import STEPS, Workspace, write_json
from pdmigrate.workspace.states import read_within

_PACKAGE = Path(__file__).resolve().parent.parent
NOTEBOOKS = next(
    (folder for folder in (_PACKAGE / "notebooks", _PACKAGE.parent / "notebooks") if any(folder.glob("*.ipynb"))),
    _PACKAGE / "notebooks",
)
"""setup.py puts them into the wheel."""
WORKSPACE_LINE = 'workspace: str = ""'
"""As the parameters' cell has it; the copy in a workspace names that."""


class _Cell(BaseModel):
    cell_type: str
    source: str | list[str]


class _Notebook(BaseModel):
    """What is read of one that lies in a workspace."""

    cells: list[_Cell] = []
    metadata: dict[str, Any] = {}


_FORM = TypeAdapter(_Notebook)


def name_notebook(step: str) -> str:
    return f"{STEPS.index(step) + 1}_{step}.ipynb"


def notebook_of(step: str) -> Path:
    return NOTEBOOKS / name_notebook(step)


def copy_notebooks(workspace: Workspace) -> list[str]:
    """Bring the notebooks into WORKSPACE/notebooks/, each naming its workspace. Returns a line for each that was put aside.

    One that is as this version has it stays, with its outputs. Else it is written anew; what a person has changed in it is
    kept beside, as N_STEP.yours.ipynb. So it is where the folder was copied for another client: no output comes along.
    """
    said = []
    for step in STEPS:
        path = workspace.notebooks / name_notebook(step)
        fresh = json.loads(notebook_of(step).read_text(encoding="utf-8"))
        cell = next(cell for cell in fresh["cells"] if "parameters" in cell["metadata"].get("tags", ()))
        named = f"workspace: str = {json.dumps(str(workspace.folder), ensure_ascii=False)}"
        cell["source"] = _join(cell["source"]).replace(WORKSPACE_LINE, named)
        written = fresh["metadata"]["pdmigrate"] = _digest(read_form(_FORM, fresh))
        there = _read(path)
        known = there.metadata.get("pdmigrate", "")
        if known == written:
            continue
        if path.exists() and known != _digest(there):
            said.append(f"{path.name} is new; yours, which you have changed, is {_put_aside(path).name}.")
        write_json(path, fresh)
    return said


def _digest(notebook: _Notebook) -> str:
    """Over what its cells say, whatever their outputs. An empty cell, as JupyterLab adds one at the end, says nothing."""
    cells = [(cell.cell_type, _join(cell.source).strip()) for cell in notebook.cells]
    return hashlib.sha256(json.dumps([cell for cell in cells if cell[1]]).encode()).hexdigest()[:16]


def _join(source: list[str] | str) -> str:
    return "".join(source)


def _read(path: Path) -> _Notebook:
    """Nothing of one that is not there, or is damaged: that one is put aside, too."""
    try:
        return read_form(_FORM, read_json(read_within(path, OF_FILE.size)))
    except (OSError, ValueError):
        return _Notebook()


def _put_aside(path: Path) -> Path:
    """Under the first name that is free."""
    names = (path.with_name(f"{path.stem}.yours{'' if n == 1 else f'-{n}'}.ipynb") for n in range(1, 10_000))
    aside = next(name for name in names if not name.exists())
    return path.rename(aside)
