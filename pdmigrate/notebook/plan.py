"""Notebook 4: the plan, searched and filtered; the reasons to refuse it, waived; and its approval by digest."""

from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import ipywidgets

from pdmigrate.notebook.parts import (
    LABELS,
    NARROW,
    Signature,
    draw,
    is_interactive,
    keep_table,
    make_button,
    make_menu,
    make_text,
    stand_below,
    stand_side_by_side,
)
from pdmigrate.notebook.roll import PAGE, Roll, Row, do_each
from pdmigrate.pages.conflicts import (
    name_owners,
    rate_risk,
    section_actions,
    section_guards,
    sort_by_risk,
    table_actions,
)
from pdmigrate.pages.explained import explain_guard, fold
from pdmigrate.pages.show import Table, make_table, show
from pdmigrate.pages.words import KIND_NAMES
from pdmigrate.plan.actions import Action
from pdmigrate.steps.conflicts import Decided, approve, reconsider, waive, withdraw, withdraw_waiver
from pdmigrate.steps.job import Job

DIGEST_AT_LEAST = 6


@keep_table
def approve_plan(job: Job, decided: Decided) -> Any:
    """Look through the plan, waive what refuses it, approve it by typing the beginning of its digest. Headless: tables."""
    if not is_interactive():
        return show(section_actions(decided), section_guards(decided), _describe_plan(job, decided))
    return stand_below(_PlanView(decided).box, _show_guards(job, decided), _ask_approval(job, decided))


def _describe_plan(job: Job, decided: Decided) -> Table:
    plan, known = decided.plan, job.decisions().approves(decided.plan.digest)
    state = known.describe() if known else "nothing to approve" if plan.empty else ""
    state = state or f"not approved. {decided.void}".removesuffix(". ")
    writes = sum(action.writes for action in plan.actions)
    return make_table(
        [plan], {"Plan": lambda plan: plan.digest, "To write": lambda _: writes, "State": lambda _: state}
    )


class _PlanView:
    """What will be written, in words, riskiest first, a page at a time."""

    def __init__(self, decided: Decided):
        self.decided, self.actions, self.first = decided, sort_by_risk(decided), 0
        team_of = name_owners(decided)
        self.search = make_text("Search", "part of a name", layout=NARROW)
        self.reads: dict[str, Callable[[Action], str]] = {
            "Paging": rate_risk(decided),
            "Team": lambda action: team_of(action) or "no team",
            "Kind": lambda action: KIND_NAMES[action.kind],
        }
        self.menus = {}
        for label, read in self.reads.items():
            counts = Counter(map(read, self.actions))
            values = sorted(counts, key=str.casefold) if label == "Team" else counts
            options = [("everything", ""), *((f"{value} ({counts[value]})", value) for value in values)]
            self.menus[label] = make_menu(label, options, layout=NARROW)
        self.table = ipywidgets.HTML()
        tools = (self.search, *self.menus.values())
        for tool in tools:
            tool.observe(lambda _: self.turn_to(0), "value")
        turn = (
            make_button("Previous actions", lambda: self.turn_to(self.first - PAGE)),
            make_button("Next actions", lambda: self.turn_to(self.first + PAGE)),
        )
        below = [stand_side_by_side(*turn)] if len(self.actions) > PAGE else []
        self.box = ipywidgets.VBox([stand_side_by_side(*tools), self.table, *below])
        self.turn_to(0)

    def turn_to(self, first: int) -> None:
        """Show a page of the actions that fit the search and the menus."""
        words, wanted = self.search.value.casefold(), {self.reads[name]: m.value for name, m in self.menus.items()}
        found = [action for action in self.actions if words in action.name.casefold()]
        found = [a for a in found if all(value in ("", read(a)) for read, value in wanted.items())]
        self.first = min(max(0, first), max(0, (len(found) - 1) // PAGE * PAGE))
        shown = found[self.first : self.first + PAGE]
        note = f"Actions {self.first + 1} to {self.first + len(shown)} of {len(found)}." if shown else ""
        self.table.value = draw(table_actions(self.decided, shown, "No action fits.", note))


def _show_guards(job: Job, decided: Decided) -> ipywidgets.Widget:
    """What refuses the plan, each with who lets it pass. A waiver is for this plan's digest only."""
    if not decided.guards:
        return ipywidgets.HTML(draw(section_guards(decided)))
    digest, tomorrow = decided.plan.digest, (job.clock() + timedelta(days=1)).date()
    until = ipywidgets.DatePicker(value=tomorrow, description="Until", layout=NARROW, style=LABELS)

    def list_rows() -> list[Row]:
        rows = []
        for refusal in reconsider(job, decided).guards:
            waiver = job.decisions().waives(refusal.guard, digest, job.clock())
            state = f"waived by {waiver.by} until {waiver.until}: {waiver.why}" if waiver else "refuses"
            rows.append(Row(refusal.guard, f"{refusal.guard.replace('_', ' ')} · {refusal.sentence} · {state}"))
        return rows

    def write(act: Callable[[str], None], words: str) -> None:
        named = ", ".join(sorted(roll.ticked)).replace("_", " ")
        do_each(roll, sign, act, f"{words}: {named}, for {digest[:12]}.", "a guard", list_rows)

    def waive_ticked() -> None:
        day = until.value.isoformat() if until.value else ""
        write(lambda guard: waive(job, guard, digest, day, sign.by, sign.why), f"Waived until {day}")

    sign = Signature(
        ("Waive for this plan", waive_ticked, "warning", "The plan may pass the ticked guards"),
        ("Take the waiver back", lambda: write(lambda guard: withdraw_waiver(job, guard, digest), "Taken back")),
        why="Reason",
    )
    roll = Roll(list_rows())
    meanings = draw(*(fold(explain_guard(refusal.guard)) for refusal in decided.guards))
    return sign.stand_below(roll.box, ipywidgets.HTML(meanings), until)


def _ask_approval(job: Job, decided: Decided) -> ipywidgets.Widget:
    """The digest, typed by a person."""
    digest, table = decided.plan.digest, ipywidgets.HTML(draw(_describe_plan(job, decided)))
    if decided.plan.empty:
        return table

    def write(act: Callable[[], None], words: str) -> None:
        def act_and_draw() -> None:
            act()
            table.value = draw(_describe_plan(job, decided))

        sign.attempt(act_and_draw, words)

    def save() -> None:
        start, now = typed.value.strip(), reconsider(job, decided)
        if len(start) < DIGEST_AT_LEAST or not digest.startswith(start):
            words = f"look at the plan, then type its first {DIGEST_AT_LEAST} characters"
            sign.say(f"That is not the beginning of {digest[:12]}…: {words}.", "bad")
        elif now.refusals or now.stop:
            sign.say(f"The plan cannot be approved yet: {' '.join([*now.refusals, now.stop])}", "bad")
        else:
            said = f"Approved: {digest[:12]}. Go on with 5 · Load."
            write(lambda: approve(job, digest, sign.by, sign.why), said)

    sign = Signature(
        ("Approve this plan", save, "primary"),
        (
            "Withdraw the approval",
            lambda: write(lambda: withdraw(job, digest), f"Not approved any more: {digest[:12]}."),
        ),
    )
    typed = make_text("Digest", f"the first {DIGEST_AT_LEAST} characters: {digest[:DIGEST_AT_LEAST]}")
    return sign.stand_below(table, typed)
