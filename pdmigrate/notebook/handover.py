"""Notebook 6: what people must still do, ticked when it is done."""

from typing import Any

import ipywidgets

from pdmigrate.handover.items import Item
from pdmigrate.handover.ticks import list_todo, tick_item, untick_item
from pdmigrate.notebook.parts import Signature, draw, is_interactive
from pdmigrate.notebook.roll import Roll, Row
from pdmigrate.pages.handover import section_handover
from pdmigrate.pages.show import show
from pdmigrate.steps.job import Job
from pdmigrate.steps.verify import Verified


def tick_handover(job: Job, verified: Verified) -> Any:
    """What is left for people to do; a ticked item is written to the workspace at once. Headless: the list."""
    if not is_interactive():
        return show(section_handover(list_todo(job.workspace, verified.draft)))
    return _Checklist(job, verified).box


class _Checklist:
    def __init__(self, job: Job, verified: Verified):
        self.job, self.draft, self.items = job, verified.draft, list_todo(job.workspace, verified.draft)
        self.roll = Roll([_make_row(item) for item in self.items], ("State", "What"))
        self.sign = Signature(
            ("These are done", lambda: self.write(True), "primary"),
            ("These are not done", lambda: self.write(False)),
            why="",
        )

    @property
    def box(self) -> ipywidgets.Widget:
        if not self.items:
            return ipywidgets.HTML(draw(section_handover(self.items)))
        return self.sign.stand_below(self.roll.box)

    def write(self, done: bool) -> None:
        ticked = [item for item in self.items if item.key in self.roll.ticked]
        if not ticked:
            self.sign.say("Tick the items first.", "bad")
            return

        def save() -> None:
            for item in ticked:
                if done:
                    tick_item(self.job.workspace, item, self.sign.by, self.job.clock())
                else:
                    untick_item(self.job.workspace, item.key)

        self.sign.attempt(save, f"{len(ticked)} {'done' if done else 'open again'}: written to the workspace.")
        self.items = list_todo(self.job.workspace, self.draft)
        self.roll.replace([_make_row(item) for item in self.items], ())


def _make_row(item: Item) -> Row:
    state = f"done by {item.tick.by or 'somebody'}, {item.tick.at}" if item.tick else "open"
    return Row(
        item.key, f"{item.what} · {item.text} · {state}", {"State": [state.partition(" ")[0]], "What": [item.what]}
    )
