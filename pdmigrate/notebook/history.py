"""Notebook 5: what each run did, and what has changed on either side since the last one."""

from typing import Any

import ipywidgets

from pdmigrate.notebook.parts import Saying, draw, is_interactive, make_button, make_menu, stand_below
from pdmigrate.pages import look
from pdmigrate.pages.history import describe_counts, section_runs, section_steps
from pdmigrate.runs.finish import finish
from pdmigrate.steps.history import History, Told, history, list_runs
from pdmigrate.steps.job import Job


def browse_history(job: Job) -> Any:
    """Every run and its steps, and, when asked, what has changed since the last one. Headless: the runs."""
    runs = tuple(reversed(list_runs(job)))
    if not is_interactive() or not runs:
        return look(History(runs, (), ()), "runs")
    return _Runs(job, runs).box


class _Runs:
    def __init__(self, job: Job, runs: tuple[Told, ...]):
        self.job, self.runs = job, {told.run.number: told for told in runs}
        self.which = make_menu("Run", [(name_run(told), told.run.number) for told in runs])
        self.which.observe(lambda _: self.describe(), "value")
        self.table, self.steps, self.changes = (ipywidgets.HTML() for _ in range(3))
        self.table.value = draw(section_runs(History(runs, (), ())))
        self.said = Saying()
        self.describe()

    @property
    def box(self) -> ipywidgets.Widget:
        hint = "Reads Harness afresh, and the latest snapshot"
        ask = make_button("What has changed since", self.ask, hint=hint)
        return stand_below(self.table, self.which, self.steps, ask, self.said.line, self.changes)

    def describe(self) -> None:
        """The steps of the chosen run."""
        self.steps.value = draw(section_steps(History((self.runs[self.which.value],), (), ())))

    def ask(self) -> None:
        def read() -> None:
            found = history(self.job)
            self.changes.value = look(found, "changes", "to_do")._repr_html_()
            finish(self.job, found)

        self.said.say("Reading Harness and the latest snapshot.")
        self.said.attempt(read, f"As of {self.job.clock():%H:%M:%S} UTC. The page is history.html.")


def name_run(told: Told) -> str:
    """A run in one line of a menu."""
    return f"run {told.run.number} · {told.run.started[:16].replace('T', ' ')} · {describe_counts(told)}"
