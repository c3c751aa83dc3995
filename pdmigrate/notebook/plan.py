"""Notebook 4: the plan, searched and filtered, and its approval by digest."""

from collections import Counter
from typing import Any

import ipywidgets

from pdmigrate.notebook.guards import Waivers
from pdmigrate.notebook.parts import (
    NARROW,
    Signature,
    draw,
    is_interactive,
    make_button,
    make_menu,
    make_text,
    stand_below,
    stand_side_by_side,
)
from pdmigrate.pages.conflicts import RISKIEST, name_owners, section_guards, table_actions
from pdmigrate.pages.show import Table, make_table, show
from pdmigrate.pages.words import KIND_NAMES
from pdmigrate.plan.actions import Action
from pdmigrate.steps.conflicts import Decided, approve, reconsider, withdraw
from pdmigrate.steps.job import Job

PAGE = 12
NO_TEAM = "no team"
DIGEST_AT_LEAST = 6


def approve_plan(job: Job, decided: Decided) -> Any:
    """Look through the plan, waive what refuses it, approve it by typing the beginning of its digest. Headless: tables."""
    if not is_interactive():
        return show(section_guards(decided), _describe_plan(job, decided))
    return stand_below(_PlanView(decided).box, Waivers(job, decided).box, _Approval(job, decided).box)


def _describe_plan(job: Job, decided: Decided) -> Table:
    plan, known = decided.plan, job.decisions().approves(decided.plan.digest)
    state = f"approved by {known.by} at {known.at}" if known else "nothing to approve" if plan.empty else "not approved"
    writes = sum(action.writes for action in plan.actions)
    return make_table(
        [plan], {"Plan": lambda plan: plan.digest, "To write": lambda _: writes, "State": lambda _: state}
    )


class _PlanView:
    """What will be written, a page at a time."""

    def __init__(self, decided: Decided):
        changing = [action for action in decided.plan.actions if action.verb != "keep"]
        self.actions = sorted(changing, key=lambda a: (RISKIEST.index(a.kind), a.name.casefold()))
        self.first, self.team_of = 0, name_owners(decided)
        self.search = make_text("Search", "part of a name", layout=NARROW)
        self.kind = make_menu("Kind", [("every kind", ""), *_count_values(self.actions, "kind")], layout=NARROW)
        self.verb = make_menu("Action", [("every action", ""), *_count_values(self.actions, "verb")], layout=NARROW)
        teams = Counter(self.team_of(action) or NO_TEAM for action in self.actions)
        counted = [(f"{name} ({teams[name]})", name) for name in sorted(teams, key=str.casefold)]
        self.team = make_menu("Team", [("every team", ""), *counted], layout=NARROW)
        self.table = ipywidgets.HTML()
        for menu in (self.search, self.kind, self.verb, self.team):
            menu.observe(lambda _: self.turn_to(0), "value")
        self.turn_to(0)

    @property
    def box(self) -> ipywidgets.Widget:
        turn = (
            make_button("Previous actions", lambda: self.turn_to(self.first - PAGE)),
            make_button("Next actions", lambda: self.turn_to(self.first + PAGE)),
        )
        tools = stand_side_by_side(self.search, self.kind, self.verb, self.team)
        return stand_below(tools, self.table, *([stand_side_by_side(*turn)] if len(self.actions) > PAGE else []))

    def turn_to(self, first: int) -> None:
        found = [action for action in self.actions if self._fits(action)]
        self.first = min(max(0, first), max(0, (len(found) - 1) // PAGE * PAGE))
        shown = found[self.first : self.first + PAGE]
        note = f"Actions {self.first + 1} to {self.first + len(shown)} of {len(found)}." if shown else ""
        self.table.value = draw(table_actions(shown, self.team_of, "No action fits.", note))

    def _fits(self, action: Action) -> bool:
        fits_menus = self.kind.value in ("", action.kind) and self.verb.value in ("", action.verb)
        fits_menus = fits_menus and self.team.value in ("", self.team_of(action) or NO_TEAM)
        return fits_menus and self.search.value.casefold() in action.name.casefold()


def _count_values(actions: list[Action], field: str) -> list[tuple[str, str]]:
    values = [getattr(action, field) for action in actions]
    return [(f"{KIND_NAMES.get(value, value)} ({values.count(value)})", value) for value in dict.fromkeys(values)]


class _Approval:
    """The digest, typed by a person."""

    def __init__(self, job: Job, decided: Decided):
        self.job, self.decided, self.digest = job, decided, decided.plan.digest
        self.table = ipywidgets.HTML()
        self.sign = Signature(("Approve this plan", self.save, "primary"), ("Withdraw the approval", self.withdraw))
        self.typed = make_text("Digest", f"the first {DIGEST_AT_LEAST} characters: {self.digest[:DIGEST_AT_LEAST]}")
        self.describe()

    @property
    def box(self) -> ipywidgets.Widget:
        if self.decided.plan.empty:
            return self.table
        return self.sign.stand_below(self.table, self.typed)

    def describe(self) -> None:
        self.table.value = draw(_describe_plan(self.job, self.decided))

    def save(self) -> None:
        typed, decided = self.typed.value.strip(), reconsider(self.job, self.decided)
        if len(typed) < DIGEST_AT_LEAST or not self.digest.startswith(typed):
            words = f"look at the plan, then type its first {DIGEST_AT_LEAST} characters"
            self.sign.say(f"That is not the beginning of {self.digest[:12]}…: {words}.", "bad")
        elif decided.refusals or decided.stop:
            reasons = " ".join([*decided.refusals, decided.stop])
            self.sign.say(f"The plan cannot be approved yet: {reasons}", "bad")
        else:
            self._write(lambda: approve(self.job, self.digest, self.sign.by, self.sign.why), "Approved")

    def withdraw(self) -> None:
        self._write(lambda: withdraw(self.job, self.digest), "Not approved any more")

    def _write(self, act: Any, words: str) -> None:
        after = " Go on with 5 · Load." if words == "Approved" else ""
        self.sign.attempt(act, f"{words}: {self.digest[:12]}.{after}")
        self.describe()
