"""Notebook 5: take back what a run wrote, as far as nobody has changed it since."""

from typing import Any

import ipywidgets

from pdmigrate.notebook.history import name_run
from pdmigrate.notebook.parts import (
    Saying,
    is_interactive,
    make_button,
    make_menu,
    make_tick,
    stand_below,
    stand_side_by_side,
)
from pdmigrate.pages import look
from pdmigrate.runs.finish import finish
from pdmigrate.steps.history import History, Told, list_runs
from pdmigrate.steps.job import Job
from pdmigrate.steps.undo import Revert, undo


def undo_load(job: Job) -> Any:
    """List what a run wrote and can be taken back, and take it back once that is confirmed. Headless: the runs."""
    loads = tuple(told for told in reversed(list_runs(job)) if told.run.kind == "load")
    if not is_interactive() or not loads:
        return look(History(loads, (), ()), "runs")
    return _Undo(job, loads).box


class _Undo:
    """Nothing can be taken back before it was listed and confirmed."""

    def __init__(self, job: Job, loads: tuple[Told, ...]):
        self.job = job
        self.which = make_menu("Take back", [(name_run(told), told.run.number) for told in loads])
        self.sure = make_tick("I have read the list: take this back in Harness")
        self.back = make_button("Take it back", self.write, "danger", "Newest first; each step is in the journal")
        self.listed, self.said, self.steps = ipywidgets.HTML(), Saying(), 0
        self.which.observe(lambda _: self.forget(), "value")
        self.sure.observe(lambda _: self._allow(), "value")
        self.forget()

    @property
    def box(self) -> ipywidgets.Widget:
        look_first = make_button("List what can be taken back", self.list, "primary", "Writes nothing")
        return stand_below(
            self.which,
            stand_side_by_side(look_first),
            self.listed,
            self.sure,
            stand_side_by_side(self.back),
            self.said.line,
        )

    def forget(self) -> None:
        """Another run is another list."""
        self.listed.value, self.steps, self.sure.value = "", 0, False
        self._allow()

    def list(self) -> None:
        self.forget()
        self.said.attempt(lambda: self._run(False), "Listed: nothing was written.")
        self._allow()

    def write(self) -> None:
        self.back.disabled = True
        number = self.which.value
        if self.said.attempt(lambda: self._run(True), f"Run {number} is taken back. The page is undo.html."):
            self.steps, self.sure.value = 0, False
        self._allow()

    def _run(self, yes: bool) -> None:
        undone = undo(self.job, self.which.value, yes, self.describe)
        self.steps = len(undone.reverts) - len(undone.left)
        self.listed.value = look(undone, "back", "left")._repr_html_()
        finish(self.job, undone)

    def describe(self, revert: Revert) -> None:
        self.said.say(f"{revert.action.name}: {f'left, {revert.left}' if revert.left else revert.note}")

    def _allow(self) -> None:
        self.sure.disabled = not self.steps
        self.back.disabled = not (self.steps and self.sure.value)
