"""Notebook 1: what both accounts answered, and asking them again after something was mended."""

from typing import Any

import ipywidgets

from pdmigrate.notebook.parts import Saying, is_interactive, make_button, stand_below
from pdmigrate.pages import look
from pdmigrate.steps.connect import Access, connect
from pdmigrate.steps.job import Job


def check_accounts(job: Job, access: Access) -> Any:
    """What both sides answered, with a button that asks them again. Headless: the table."""
    if not is_interactive():
        return look(access, "checks")
    told, said = ipywidgets.HTML(look(access, "checks")._repr_html_()), Saying()

    def ask_again() -> None:
        told.value = look(connect(job), "checks")._repr_html_()

    def act() -> None:
        said.attempt(ask_again, f"Both sides answered at {job.clock():%H:%M:%S} UTC.")

    return stand_below(told, make_button("Ask both sides again", act), said.line)
