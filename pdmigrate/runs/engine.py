"""How papermill runs a notebook headless: in a kernel that is there already, and without saving all of it around every cell."""

from typing import Any

import pdmigrate.runs.quick_start  # noqa: F401 - before papermill

# isort: split
from papermill.clientwrap import PapermillNotebookClient
from papermill.engines import NBClientEngine, NotebookExecutionManager, papermill_engines
from papermill.log import logger

from pdmigrate.runs.kernels import Kernel

ENGINE = "pdmigrate"
"""Its name, as papermill.execute_notebook takes it."""


class SavedNotebook(NotebookExecutionManager):  # type: ignore[misc]  # papermill has no types
    """Saved whenever a cell of code begins, so with what all the cells before it have shown.

    papermill would save it twice for each cell, text included, which takes longer than the cells. A long cell is saved
    meanwhile as papermill does it.
    """

    def cell_start(self, cell: Any, cell_index: int | None = None, **more: Any) -> None:
        if cell.cell_type == "code":
            super().cell_start(cell, cell_index, **more)

    def cell_complete(self, *_: Any, **__: Any) -> None:
        """The next one saves it, or the end of the notebook."""


class Engine(NBClientEngine):  # type: ignore[misc]  # as above
    """papermill's own engine, but for who makes the kernel and when the notebook is saved."""

    @classmethod
    def execute_notebook(
        cls,
        nb: Any,
        kernel_name: str,
        output_path: str,
        *,
        kernel: Kernel,
        stdout_file: Any,
        on_cell_start: Any,
        **_: Any,
    ) -> Any:
        """kernel: one that has come up, and is ended by whoever made it."""
        saved = SavedNotebook(nb, output_path, progress_bar=False)
        options = {"log": logger, "stdout_file": stdout_file, "on_cell_start": on_cell_start}
        client = PapermillNotebookClient(saved, km=kernel.manager, timeout=None, **options)
        client.kc = kernel.client
        saved.notebook_start()
        try:
            client.execute()
        finally:
            saved.notebook_complete()
        return nb


papermill_engines.register(ENGINE, Engine)
