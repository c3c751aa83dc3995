"""Notebook 6: one schedule at a time, before and after, from difference to difference."""

from datetime import timedelta
from typing import Any

import ipywidgets

from pdmigrate.notebook.parts import draw, is_interactive, make_button, make_menu, stand_below, stand_side_by_side
from pdmigrate.oncall.rota import to_datetime
from pdmigrate.pages import look
from pdmigrate.pages.show import Section
from pdmigrate.pages.words import draw_sides, format_instant, format_percent, name_people
from pdmigrate.parity.schedules import ScheduleParity
from pdmigrate.steps.verify import Verified

SPAN = timedelta(days=14)


def browse_parity(verified: Verified) -> Any:
    """Choose a schedule, see both timelines, jump to the next difference. Headless: the first ones, and a table."""
    if not is_interactive() or not verified.schedules:
        return look(verified, "timelines", "differences")
    return _Browser(verified).box


class _Browser:
    def __init__(self, verified: Verified):
        self.verified, self.names = verified, name_people(verified.draft)
        ordered = sorted(verified.schedules, key=lambda s: (-s.differ, -s.unverified, s.name.casefold()))
        self.schedules = {s.id: s for s in ordered}
        self.which = make_menu("Schedule", [(_name(s), s.id) for s in ordered])
        self.told = ipywidgets.HTML()
        self.which.observe(lambda _: self.choose(), "value")
        self.choose()

    @property
    def box(self) -> ipywidgets.Widget:
        jumps = (
            make_button("Previous difference", lambda: self.jump(-1)),
            make_button("Next difference", lambda: self.jump(1), "primary"),
            make_button("Two weeks earlier", lambda: self.move(-SPAN)),
            make_button("Two weeks later", lambda: self.move(SPAN)),
        )
        return stand_below(self.which, stand_side_by_side(*jumps), self.told)

    @property
    def schedule(self) -> ScheduleParity:
        return self.schedules[self.which.value]

    def choose(self) -> None:
        """Another schedule, from the start of the window."""
        self.start = self.verified.since
        self.place: int | None = None
        self.describe("")

    def move(self, by: timedelta) -> None:
        last = max(self.verified.since, self.verified.until - SPAN)
        self.start = min(max(self.start + by, self.verified.since), last)
        self.describe("")

    def jump(self, step: int) -> None:
        """To the next difference of this schedule, round and round."""
        differences = self.schedule.differences
        if not differences:
            return self.describe("There is no difference in this schedule.")
        first = 0 if step > 0 else len(differences) - 1
        self.place = first if self.place is None else (self.place + step) % len(differences)
        start, end, before, after = differences[self.place]
        last = max(self.verified.since, self.verified.until - SPAN)
        self.start = min(max(to_datetime(start) - SPAN / 4, self.verified.since), last)
        span = f"{format_instant(start, self.schedule.time_zone)} to {format_instant(end, self.schedule.time_zone)}"
        reason = self.schedule.compared.describe(start, end)
        who = f"{self._name(before)} in PagerDuty, {self._name(after)} in Harness"
        return self.describe(f"Difference {self.place + 1} of {len(differences)}: {span}: {who} ({reason}).")

    def describe(self, words: str) -> None:
        s, until = self.schedule, min(self.start + SPAN, self.verified.until)
        drawing = draw_sides(s, self.start, until, self.names)
        self.told.value = draw(Section(_name(s), words or _describe_grade(s), drawing=drawing, level=3))

    def _name(self, people: frozenset[str]) -> str:
        return ", ".join(sorted(self.names.get(p, p) for p in people)) or "nobody"


def _name(schedule: ScheduleParity) -> str:
    grade = "unverified" if schedule.unverified else f"{len(schedule.differences)} differences"
    return f"{schedule.name} · {grade if schedule.unverified or schedule.differ else 'agrees'}"


def _describe_grade(s: ScheduleParity) -> str:
    if s.doubted and not s.is_unverified:
        return f"Nothing of it is verified: {s.describe_doubted()}; without them {s.differ} s differ."
    if s.unverified:
        return "Harness has no API to read it: what was meant to be written could not be compared."
    judge = "PagerDuty's own rendering" if s.judged else "our reading of the layers"
    return f"The same people are on call for {format_percent(s.agree, s.agree + s.differ)} of the time, by {judge}."
