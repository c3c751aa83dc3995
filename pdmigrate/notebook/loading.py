"""Notebook 5: the load with progress by kind, pause and cancel.

The cell awaits the load, which runs in a thread: the kernel delivers clicks to a cell that awaits (ipykernel 7.4), and the
cells below wait for it. Interrupting the kernel, with JupyterLab's stop button, cancels as well.
"""

import asyncio
import threading
from collections import Counter

import ipywidgets
from IPython.display import display

from pdmigrate.errors import PdmigrateError
from pdmigrate.notebook.new_pages import telling_new_pages
from pdmigrate.notebook.parts import WIDE, Kept, Saying, is_interactive, make_button, stand_below, stand_side_by_side
from pdmigrate.oncall.words import format_number
from pdmigrate.pages.show import make_table, show
from pdmigrate.pages.words import KIND_NAMES
from pdmigrate.plan.actions import plan_from_json
from pdmigrate.steps.cancel import Cancel
from pdmigrate.steps.job import Job
from pdmigrate.steps.load import Loaded, LoadProgress, load
from pdmigrate.steps.writing import Done

LONG = {"description_width": "9rem"}
"""Room for the longest name of a kind."""
BEAT = 0.2
"""Seconds. The kernel notes an interrupt without waking its loop (ipykernel 7.4): unwoken it would hear of it at the end."""


async def load_plan(job: Job, approved: str = "") -> Loaded:
    """Load the approved plan. Cancelling stops between two steps; run the cell again to go on."""
    if not is_interactive():
        loaded: Loaded = load(job, approved)
        return loaded
    progress = _Progress(job)
    display(Kept(progress.box, show(progress.planned)))  # type: ignore[no-untyped-call]  # IPython's has no types
    loading = asyncio.create_task(asyncio.to_thread(progress.run, approved))
    try:
        with telling_new_pages():
            while not loading.done():
                await asyncio.wait({loading}, timeout=BEAT)
                progress.tell_waits()
    except asyncio.CancelledError:
        progress.stop()
    return await loading


class _Steering(Cancel):
    """Asked between two steps: waits while paused, then says whether to stop."""

    def __init__(self, job: Job) -> None:
        super().__init__(job.workspace)
        self.going = threading.Event()
        self.going.set()

    @property
    def asked(self) -> bool:
        self.going.wait()
        return super().asked

    def ask(self) -> None:
        super().ask()
        self.going.set()


class _Progress:
    """A bar per kind that has something to load."""

    def __init__(self, job: Job):
        self.job, self.steering, self.progress = job, _Steering(job), LoadProgress()
        plan = plan_from_json(job.workspace.load_state("plan", "conflicts"))
        totals = Counter(action.kind for action in plan.pending)
        told = {"Kind": lambda row: KIND_NAMES[row[0]], "To load": lambda row: row[1]}
        self.planned = make_table(totals.items(), told, "Nothing was to be loaded.", "What came of it stands below.")
        self.bars = {
            kind: ipywidgets.IntProgress(0, 0, n, description=KIND_NAMES[kind], layout=WIDE, style=LONG)
            for kind, n in totals.items()
        }
        self.pause = make_button("Pause", self.turn_pause)
        self.cancel = make_button("Cancel", self.stop, "warning", "Stops between two steps")
        self.said, self.words = Saying(), "Checking that nothing has moved since the plan was made"
        self.saying = threading.Lock()  # the load's thread tells its steps, the kernel's is clicked in
        self.box = stand_below(*self.bars.values(), stand_side_by_side(self.pause, self.cancel), self.said.line)

    def run(self, approved: str) -> Loaded:
        self.job.under_way.display = None  # the bars here tell it
        self.say()
        try:
            loaded: Loaded = load(self.job, approved, self.describe, self.steering)
        except PdmigrateError as error:
            self.said.say(str(error), "bad")
            raise
        finally:
            self.job.under_way.release()
            self.pause.disabled = self.cancel.disabled = True
        counts = Counter(done.outcome.replace("_", " ") for done in loaded.done)
        told = ", ".join(f"{n} {outcome}" for outcome, n in counts.items()) or "nothing was to be done"
        waits = f"{format_number(len(loaded.waiting), 'action waits', 'actions wait')} for approval in 4 · Conflicts; nothing else was to be loaded."
        self.said.say(waits if loaded.waiting else f"Finished: {told}.")
        return loaded

    def describe(self, done: Done, number: int, total: int) -> None:
        self.bars[done.action.kind].value += 1
        self.words = f"{self.progress.describe(done, number, total)}; {done.action.name}: {done.outcome}"
        self.say()

    def tell_waits(self) -> None:
        if self.job.progress.waits:
            self.say()

    def say(self) -> None:
        """How far it is; what waits for a limit, though other things may go on, and how long still. While it is paused, nothing."""
        with self.saying:
            if self.steering.going.is_set():
                waits = (f"; waiting {left} s for {why}" for why, left in self.job.progress.waits.items())
                self.said.say("".join([self.words, *waits, "."]))

    def turn_pause(self) -> None:
        if self.steering.going.is_set():
            self.job.under_way.hold()
            self.pause.description = "Go on"
            with self.saying:
                self.steering.going.clear()
                self.said.say("Paused between two steps.")
        else:
            self.job.under_way.release()
            self.steering.going.set()
            self.pause.description = "Pause"

    def stop(self) -> None:
        self.cancel.disabled = True
        self.steering.ask()
