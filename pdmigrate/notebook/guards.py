"""Notebook 4: the reasons to refuse this plan, waived by a person with a reason and a last day."""

from datetime import timedelta
from typing import Any

import ipywidgets

from pdmigrate.notebook.parts import LABELS, NARROW, Signature, draw
from pdmigrate.notebook.roll import Roll, Row
from pdmigrate.pages.conflicts import section_guards
from pdmigrate.plan.guards import Refusal
from pdmigrate.steps.conflicts import Decided, reconsider, waive, withdraw_waiver
from pdmigrate.steps.job import Job

ONE_DAY = timedelta(days=1)


class Waivers:
    """What refuses the plan, each with who lets it pass. A waiver is for this plan's digest only."""

    def __init__(self, job: Job, decided: Decided):
        self.job, self.decided, self.digest = job, decided, decided.plan.digest
        self.roll = Roll(self.list_rows())
        tomorrow = (job.clock() + ONE_DAY).date()
        self.until = ipywidgets.DatePicker(value=tomorrow, description="Until", layout=NARROW, style=LABELS)
        self.sign = Signature(
            ("Waive for this plan", self.waive, "warning", "The plan may pass the ticked guards"),
            ("Take the waiver back", self.take_back),
            why="Reason",
        )

    @property
    def box(self) -> ipywidgets.Widget:
        if not self.decided.guards:
            return ipywidgets.HTML(draw(section_guards(self.decided)))
        return self.sign.stand_below(self.roll.box, self.until)

    def list_rows(self) -> list[Row]:
        guards = reconsider(self.job, self.decided).guards
        return [Row(g.guard, f"{_name(g.guard)} · {g.sentence} · {self._describe(g)}") for g in guards]

    def waive(self) -> None:
        until = self.until.value.isoformat() if self.until.value else ""
        reasons = (until, self.sign.by, self.sign.why)
        self._write(lambda guard: waive(self.job, guard, self.digest, *reasons), f"Waived until {until}")

    def take_back(self) -> None:
        self._write(lambda guard: withdraw_waiver(self.job, guard, self.digest), "Taken back")

    def _write(self, act: Any, words: str) -> None:
        ticked = sorted(self.roll.ticked)
        if not ticked:
            return self.sign.say("Tick a guard first.", "bad")
        named = ", ".join(map(_name, ticked))
        done = self.sign.attempt(lambda: [act(guard) for guard in ticked], f"{words}: {named}, for {self.digest[:12]}.")
        return self.roll.replace(self.list_rows(), () if done else ticked)

    def _describe(self, guard: Refusal) -> str:
        waiver = self.job.decisions().waives(guard.guard, self.digest, self.job.clock())
        return f"waived by {waiver.by} until {waiver.until}: {waiver.why}" if waiver else "refuses"


def _name(guard: str) -> str:
    return guard.replace("_", " ")
