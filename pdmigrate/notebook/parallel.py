"""Notebook 6: the alerts of both systems in a night of shadow weeks, side by side, when somebody asks for it."""

from typing import Any

import ipywidgets

from pdmigrate.notebook.parts import Saying, draw, is_interactive, make_button, make_text, stand_below
from pdmigrate.pages import look
from pdmigrate.pages.parallel import section_last
from pdmigrate.pages.show import show
from pdmigrate.runs.finish import finish
from pdmigrate.steps.job import Job
from pdmigrate.steps.parallel import STATE, parallel


def browse_parallel(job: Job) -> Any:
    """Compare a night, at a click, and show it. Headless: what the last parallel run found."""
    last = section_last(job.workspace.find_state(STATE))
    if not is_interactive():
        return show(last)
    since = make_text("From", "2026-11-29T20:00; empty is last night")
    until = make_text("Until", "2026-11-30T08:00; empty is now")
    said, shown = Saying(), ipywidgets.HTML(draw(last))

    def compare() -> None:
        found = parallel(job, since.value.strip(), until.value.strip())
        parts = ("feed", "telling", "services", "otherwise", "one_side", "not_comparable")
        shown.value = look(found, *parts)._repr_html_()
        finish(job, found)

    def ask() -> None:
        said.say("Reading PagerDuty's incidents and Harness's alerts of that night.")
        said.attempt(compare, "The page is parallel.html.")

    button = make_button("Compare the night", ask, "primary", "Reads both sides, writes to neither")
    return stand_below(since, until, button, said.line, shown)
