"""Notebook 5: what each run did, what has changed since the last one, and what a run wrote, taken back."""

from typing import Any

import ipywidgets

from pdmigrate.notebook.parts import (
    Saying,
    draw,
    is_interactive,
    keep_table,
    make_button,
    make_menu,
    make_tick,
    stand_below,
    stand_side_by_side,
)
from pdmigrate.pages import look
from pdmigrate.pages.history import describe_counts, section_runs, section_steps
from pdmigrate.runs.finish import finish
from pdmigrate.steps.history import History, Told, history, list_runs
from pdmigrate.steps.job import Job
from pdmigrate.steps.undo import Revert, undo


@keep_table
def browse_history(job: Job) -> Any:
    """Every run and its steps, and, when asked, what has changed since the last one. Headless: the runs."""
    runs = tuple(reversed(list_runs(job)))
    if not is_interactive() or not runs:
        return look(History(runs, (), ()), "runs")
    which, said = _make_menu("Run", runs), Saying()
    table, steps, changes = (ipywidgets.HTML() for _ in range(3))
    table.value = draw(section_runs(History(runs, (), ())))

    def describe(_: object = None) -> None:
        chosen = tuple(told for told in runs if told.run.number == which.value)
        steps.value = draw(section_steps(History(chosen, (), ())))

    def read() -> None:
        found = history(job)
        changes.value = look(found, "changes", "to_do")._repr_html_()
        finish(job, found)

    def ask() -> None:
        said.say("Reading Harness and the latest snapshot.")
        said.attempt(read, f"As of {job.clock():%H:%M:%S} UTC. The page is history.html.")

    which.observe(describe, "value")
    describe()
    since = make_button("What has changed since", ask, hint="Reads Harness afresh, and the latest snapshot")
    return stand_below(table, which, steps, since, said.line, changes)


def _make_menu(label: str, runs: tuple[Told, ...]) -> ipywidgets.Dropdown:
    """The runs, each in one line."""
    told = {one.run.number: f"{one.run.started[:16].replace('T', ' ')} · {describe_counts(one)}" for one in runs}
    return make_menu(label, [(f"run {number} · {words}", number) for number, words in told.items()])


@keep_table
def undo_load(job: Job) -> Any:
    """List what a run wrote and can be taken back, and take it back once that is confirmed. Headless: the runs."""
    loads = tuple(told for told in reversed(list_runs(job)) if told.run.kind == "load")
    if not is_interactive() or not loads:
        return look(History(loads, (), ()), "runs")
    return _Undo(job, loads).box


class _Undo:
    """Nothing can be taken back before it was listed and confirmed."""

    def __init__(self, job: Job, loads: tuple[Told, ...]):
        self.job, self.which = job, _make_menu("Take back", loads)
        self.sure = make_tick("I have read the list: take this back in Harness")
        self.back = make_button("Take it back", self.write, "danger", "Newest first; each step is in the journal")
        self.listed, self.said = ipywidgets.HTML(), Saying()
        self.which.observe(lambda _: self.forget(), "value")
        self.sure.observe(lambda _: self.allow(self.steps), "value")
        self.forget()
        look_first = make_button("List what can be taken back", self.list, "primary", "Writes nothing")
        first, then = stand_side_by_side(look_first), stand_side_by_side(self.back)
        self.box = stand_below(self.which, first, self.listed, self.sure, then, self.said.line)

    def allow(self, steps: int) -> None:
        """So many steps can be taken back; with none, nothing can be confirmed."""
        self.steps = steps
        self.sure.disabled = not steps
        self.back.disabled = not (steps and self.sure.value)

    def forget(self) -> None:
        """Another run is another list."""
        self.steps = 0
        self.listed.value, self.sure.value = "", False
        self.allow(0)

    def list(self) -> None:
        self.forget()
        self.said.attempt(lambda: self._run(False), "Listed: nothing was written.")
        self.allow(self.steps)

    def write(self) -> None:
        self.back.disabled = True
        words = f"Run {self.which.value} is taken back. The page is undo.html."
        if self.said.attempt(lambda: self._run(True), words):
            self.steps, self.sure.value = 0, False
        self.allow(self.steps)

    def _run(self, yes: bool) -> None:
        def describe(revert: Revert) -> None:
            self.said.say(f"{revert.action.name}: {f'left, {revert.left}' if revert.left else revert.note}")

        undone = undo(self.job, self.which.value, yes, describe)
        self.steps = len(undone.reverts) - len(undone.left)
        self.listed.value = look(undone, "beside", "back", "left")._repr_html_()
        finish(self.job, undone)
