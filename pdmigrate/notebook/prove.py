"""Notebook 6: test pages, sent to the services that are ticked, when a person says so, and who was really told of them."""

import getpass
import os
from collections.abc import Sequence
from typing import Any

import ipywidgets

from pdmigrate.notebook.parts import (
    NARROW,
    Kept,
    Signature,
    draw,
    is_interactive,
    make_menu,
    make_tick,
    stand_below,
)
from pdmigrate.notebook.roll import Roll, Row
from pdmigrate.pages import look
from pdmigrate.pages.prove import Teller, section_last, tag_proof
from pdmigrate.pages.show import show
from pdmigrate.runs.finish import finish
from pdmigrate.steps.job import Job
from pdmigrate.steps.prove import Proved, prove, tick_page
from pdmigrate.steps.sending import Asking, read_log

WAITS = (1, 2, 5, 10)
MAY_BE_WOKEN = "These people may be woken now"


def send_test_pages(job: Job, test_pages: str = "") -> Any:
    """Tick services, see whom a page would wake, and send. Headless: what was sent so far.

    test_pages: headless, the services that get one, by name, apart by commas; where a person sits before it, it is not used.
    """
    last = section_last(read_log(job))
    if is_interactive():
        return Kept(_Desk(job, draw(last)).box, show(last))
    names = [name.strip() for name in test_pages.split(",") if name.strip()]
    if not names:
        return show(last)
    found = prove(job, names, Asking(os.environ.get("PDMIGRATE_USER") or getpass.getuser()))
    finish(job, found)
    return look(found, "services", "strange")


class _Desk:
    """Nothing is read before the first button, and nothing is sent but by the last."""

    def __init__(self, job: Job, last: str):
        self.job = job
        self.shown = ipywidgets.HTML(last)
        self.wait = make_menu("Wait for", [(f"{n} minute{'s' * (n > 1)}", n) for n in WAITS], 5, NARROW)
        self.woken = make_tick(MAY_BE_WOKEN)
        self.sign = Signature(
            ("List whom it would wake", self.list_services, "primary", "Reads both sides, sends nothing"),
            ("Send test pages", self.send, "danger", "To the ticked services, one after the other"),
            ("These were seen by a person", self.tick, "", "For the ticked services"),
            why="",
        )
        self.roll = Roll([], page=25)
        self.place = stand_below()
        self.box = stand_below(self.place, self.wait, self.woken, self.sign.fields, self.sign.ending, self.shown)

    def list_services(self) -> None:
        self.sign.say("Reading both sides.")
        self.sign.attempt(
            lambda: self._show(prove(self.job)),
            "Nothing was sent. Tick services, then say that their people may be woken.",
        )

    def send(self) -> None:
        names = self._list_ticked()
        if not names:
            return
        if not self.woken.value:
            return self.sign.say(f"Tick “{MAY_BE_WOKEN}” first.", "bad")
        asking = Asking(self.sign.by, wait=float(self.wait.value))
        self.woken.value = False
        self.sign.attempt(lambda: self._prove(names, asking), "The page is live.html.")

    def tick(self) -> None:
        names = self._list_ticked()
        if names:
            self.sign.attempt(lambda: self._tick(names), f"{len(names)} ticked by {self.sign.by}.")

    def _tick(self, names: Sequence[str]) -> None:
        for name in names:
            tick_page(self.job, name, self.sign.by)
        self._show(prove(self.job))

    def _prove(self, names: Sequence[str], asking: Asking) -> None:
        found = prove(self.job, names, asking, describe=lambda words: self.sign.say(f"{words}."))
        self.shown.value = look(found, "services", "strange")._repr_html_()
        finish(self.job, found)

    def _show(self, found: Proved) -> None:
        teller = Teller(found)
        rows = []
        for proof in found.proofs:
            said = proof.held or "; ".join(teller.list_wakes(proof, found))
            rows.append(Row(proof.service.id, f"{proof.service.name} · {tag_proof(proof)} · {said}"))
        ticked = self.roll.ticked
        self.roll = Roll(rows, page=25)
        self.roll.tick(ticked & {row.key for row in rows})
        self.place.children = [self.roll.box]
        self.shown.value = look(found, "services", "strange")._repr_html_()

    def _list_ticked(self) -> list[str]:
        if not self.roll.ticked:
            self.sign.say("List the services, and tick some, first.", "bad")
        return sorted(self.roll.ticked)
