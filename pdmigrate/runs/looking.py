"""Parts of a step's page in a notebook, with a line that says how far they are where a large account makes them take long."""

from typing import TYPE_CHECKING

from pdmigrate import pages
from pdmigrate.pages.show import Shown, show
from pdmigrate.runs.displays import choose_display
from pdmigrate.steps.result import Result
from pdmigrate.wire.progress import Progress, watching

if TYPE_CHECKING:
    import pandas as pd


def look(result: Result, *parts: "str | pd.DataFrame") -> Shown:
    """Some parts of a step's page, to be the last line of a cell: by their names, or data frames in the same look.

    Raises ValueError that names the parts there are.
    """
    display, progress = choose_display(), Progress()
    with watching(progress, f"Drawing {result.step}", display):
        shown = show(*(pages.look(result, part).parts[0] for part in progress.follow("parts drawn", parts)))
        if display:  # a notebook wants the markup next
            _ = shown.markup
        return shown
