"""Notebook 6: one schedule at a time, before and after; what people must still do; whether a team goes over."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, Literal

import ipywidgets

from pdmigrate.errors import UsageError
from pdmigrate.handover.ticks import list_todo, tick_item, untick_item
from pdmigrate.notebook.parts import (
    Signature,
    draw,
    is_interactive,
    keep_table,
    make_button,
    make_menu,
    stand_below,
    stand_side_by_side,
)
from pdmigrate.notebook.roll import Roll, Row, do_each
from pdmigrate.oncall.rota import to_datetime
from pdmigrate.oncall.words import format_number, format_seconds
from pdmigrate.pages import look
from pdmigrate.pages.handover import section_handover
from pdmigrate.pages.people import draw_sides, know_people
from pdmigrate.pages.readiness import read_readiness
from pdmigrate.pages.show import Section, show
from pdmigrate.pages.teams import section_teams
from pdmigrate.pages.words import format_instant, format_percent, tell_apart
from pdmigrate.parity.schedules import ScheduleParity
from pdmigrate.plan.answers import SignOff
from pdmigrate.steps.job import Job
from pdmigrate.steps.verify import Verified
from pdmigrate.workspace.decisions import drop_answer, save_answers

SPAN = timedelta(days=14)


@keep_table
def browse_parity(verified: Verified) -> Any:
    """Choose a schedule, see both timelines, jump to the next difference. Headless: the first ones, and a table."""
    if not is_interactive() or not verified.schedules:
        return look(verified, "timelines", "differences")
    return _Browser(verified).box


class _Browser:
    def __init__(self, verified: Verified):
        self.verified, self.people = verified, know_people(verified.draft)
        self.names = tell_apart(verified.schedules)
        ordered = sorted(verified.schedules, key=lambda s: (-s.differ, -s.unverified, s.name.casefold()))
        self.schedules = {s.id: s for s in ordered}
        self.which = make_menu("Schedule", [(self.describe(s), s.id) for s in ordered])
        self.told = ipywidgets.HTML()
        self.which.observe(lambda _: self.choose(), "value")
        jumps = (
            make_button("Previous difference", lambda: self.jump(-1)),
            make_button("Next difference", lambda: self.jump(1), "primary"),
            make_button("Two weeks earlier", lambda: self.show_from(self.start - SPAN)),
            make_button("Two weeks later", lambda: self.show_from(self.start + SPAN)),
        )
        self.box = stand_below(self.which, stand_side_by_side(*jumps), self.told)
        self.choose()

    def describe(self, s: ScheduleParity) -> str:
        """Its name, and what is said of it."""
        grade = "not compared" if s.unverified else format_number(len(s.differences), "difference")
        return f"{self.names[s.id]} · {grade if s.unverified or s.differ else 'agrees'}"

    def choose(self) -> None:
        """Another schedule, from the start of the window."""
        self.place: int | None = None
        self.show_from(self.verified.since)

    def jump(self, step: int) -> None:
        """To the next difference of this schedule, round and round."""
        s = self.schedules[self.which.value]
        if not s.differences:
            return self.show_from(self.start, "There is no difference in this schedule.")
        first = 0 if step > 0 else len(s.differences) - 1
        self.place = first if self.place is None else (self.place + step) % len(s.differences)
        start, end, *sides = s.differences[self.place]
        before, after = (", ".join(sorted(self.people.name_of(p) for p in people)) or "nobody" for people in sides)
        span = f"{format_instant(start, s.time_zone)} to {format_instant(end, s.time_zone)}"
        who = f"{before} in PagerDuty, {after} in Harness ({s.compared.describe(start, end)})"
        words = f"Difference {self.place + 1} of {len(s.differences)}: {span}: {who}."
        return self.show_from(to_datetime(start) - SPAN / 4, words)

    def show_from(self, start: datetime, words: str = "") -> None:
        """Two weeks from there, as far as the window goes. Without words, what is known of the whole schedule."""
        s, last = self.schedules[self.which.value], max(self.verified.since, self.verified.until - SPAN)
        self.start = min(max(start, self.verified.since), last)
        until, taken = min(self.start + SPAN, self.verified.until), self.verified.draft.account.taken
        drawing = draw_sides(s, self.start, until, self.people, taken, name=self.names[s.id])
        self.told.value = draw(Section(self.describe(s), words or _describe_grade(s), drawing=drawing, level=3))


def _describe_grade(s: ScheduleParity) -> str:
    if s.doubted and not s.is_unverified:
        return f"Nothing of it is verified: {s.describe_doubted()}; without them {format_seconds(s.differ)} differ."
    if s.unverified:
        return "Harness has no API to read it: what was meant to be written could not be compared."
    judge = "PagerDuty's own rendering" if s.judged else "our reading of the layers"
    return f"The same people are on call for {format_percent(s.agree, s.agree + s.differ)} of the time, by {judge}."


@keep_table
def tick_handover(job: Job, verified: Verified) -> Any:
    """What is left for people to do; a ticked item is written to the workspace at once. Headless: the list."""
    items = {item.key: item for item in list_todo(job.workspace, verified.draft)}
    if not is_interactive():
        return show(section_handover(items.values()))
    if not items:
        return ipywidgets.HTML(draw(section_handover(())))

    def list_rows() -> list[Row]:
        rows = []
        for item in list_todo(job.workspace, verified.draft):
            state = f"done by {item.tick.by or 'somebody'} on {item.tick.at[:10]}" if item.tick else "open"
            marks = {"State": [state.partition(" ")[0]], "What": [item.what]}
            rows.append(Row(item.key, f"{item.what} · {item.text} · {state}", marks))
        return rows

    def write(words: str, act: Callable[[str], None]) -> None:
        do_each(roll, sign, act, f"{len(roll.ticked)} {words}: written to the workspace.", "the items", list_rows)

    def finish(key: str) -> None:
        tick_item(job.workspace, items[key], sign.by, job.clock())

    sign = Signature(
        ("These are done", lambda: write("done", finish), "primary"),
        ("These are not done", lambda: write("open again", lambda key: untick_item(job.workspace, key))),
        why="",
    )
    roll = Roll(list_rows(), ("State", "What"))
    return sign.stand_below(roll.box)


@keep_table
def sign_off_teams(job: Job, verified: Verified) -> Any:
    """Go or no-go per team, written to decisions.yaml. Headless: what was said."""
    readiness = read_readiness(job, verified)
    if not is_interactive():
        return show(section_teams(readiness))
    path = job.workspace.decisions_file

    def list_rows() -> list[Row]:
        nonlocal readiness
        rows, readiness = [], read_readiness(job, verified)
        for team in readiness.teams:
            said = readiness.sign_off(team.id)
            word = said.choice.replace("_", "-") if said else readiness.lapsed(team.id) or "nothing said"
            told = f"{word} by {said.by or 'somebody'} on {said.at[:10]}" if said else word
            trouble = "; ".join(team.troubles) or "ready"
            rows.append(Row(team.id, f"{team.name} · {told} · {trouble}", {"Said": [word.partition(",")[0]]}))
        return rows

    def write(choice: Literal["go", "no_go", ""]) -> None:
        troubled = {team.id: team.name for team in readiness.teams if team.troubles}

        def save(team: str) -> None:
            if choice == "go" and team in troubled and not sign.why.strip():
                raise UsageError(f"Something speaks against {troubled[team]}: a go needs a reason, under Why.")
            if choice:
                at, plan = job.clock().isoformat(timespec="seconds"), readiness.plan_digest
                save_answers(path, SignOff(team=team, choice=choice, plan=plan, by=sign.by, at=at, why=sign.why))
            else:
                drop_answer(path, SignOff, team)

        words = (
            f"{choice.replace('_', '-') or 'taken back'}: {format_number(len(roll.ticked), 'team')}, in decisions.yaml."
        )
        do_each(roll, sign, save, words, "the teams", list_rows)

    sign = Signature(
        ("Go", lambda: write("go"), "success", "The ticked teams go over"),
        ("No go", lambda: write("no_go"), "danger", "The ticked teams do not go over"),
        ("Take back", lambda: write("")),
    )
    roll = Roll(list_rows(), ("Said",))
    return sign.stand_below(roll.box)
