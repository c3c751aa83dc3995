"""Where the six notebooks are: in a checkout beside the package, in an installed one inside of it."""

from pathlib import Path

from pdmigrate.workspace.folder import STEPS

_PACKAGE = Path(__file__).resolve().parent.parent
NOTEBOOKS = next(
    (folder for folder in (_PACKAGE / "notebooks", _PACKAGE.parent / "notebooks") if any(folder.glob("*.ipynb"))),
    _PACKAGE / "notebooks",
)
"""setup.py puts them into the wheel."""


def notebook_of(step: str) -> Path:
    return NOTEBOOKS / f"{STEPS.index(step) + 1}_{step}.ipynb"
