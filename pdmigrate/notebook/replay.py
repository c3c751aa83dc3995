"""Notebook 6: what happened in PagerDuty, put through what Harness holds now, when somebody asks for it."""

from typing import Any

import ipywidgets

from pdmigrate.errors import PdmigrateError
from pdmigrate.notebook.parts import Saying, draw, is_interactive, make_button, make_menu, stand_below
from pdmigrate.pages import look
from pdmigrate.pages.replay import section_last
from pdmigrate.pages.show import Section, show
from pdmigrate.runs.finish import finish
from pdmigrate.steps.job import Job
from pdmigrate.steps.replay import STATE, replay

LENGTHS = (30, 90, 180)


def browse_replay(job: Job) -> Any:
    """Replay the pages of the last months, at a click, and show them.

    Headless: a replay of as many days as `replay_days` of migration.yaml says, else what the last one found.
    """
    if not is_interactive() and job.settings.replay_days:
        return _replay_headless(job)
    last = section_last(job.workspace.find_state(STATE))
    if not is_interactive():
        return show(last)
    days = make_menu("Go back", [(f"{number} days", number) for number in LENGTHS], 90)
    said, shown = Saying(), ipywidgets.HTML(draw(last))

    def play() -> None:
        found = replay(job, days.value)
        shown.value = look(found, "telling", "services", "otherwise", "reading", "noise", "nights")._repr_html_()
        finish(job, found)

    def ask() -> None:
        said.say("Reading PagerDuty's incidents and their log; what was read stays on disk.")
        said.attempt(play, "The page is replay.html.")

    button = make_button("Replay what happened", ask, "primary", "Reads both sides, writes to neither")
    return stand_below(days, button, said.line, shown)


def _replay_headless(job: Job) -> Any:
    """What goes wrong, and a page that would go otherwise, ends the run with its code, and verify has its page all the same."""
    try:
        finish(job, replay(job, job.settings.replay_days))
    except PdmigrateError as error:
        return show(Section("Replay of what happened", str(error)))
    return show(section_last(job.workspace.find_state(STATE)))
