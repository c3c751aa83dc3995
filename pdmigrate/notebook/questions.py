"""Notebooks 3 and 4: questions, one by one or many of a class at once, with what each answer would do, and undo."""

from collections.abc import Callable, Iterable
from typing import Any

import ipywidgets

from pdmigrate.mapping.draft import Draft
from pdmigrate.notebook.parts import Signature, draw, is_interactive, make_menu, make_text, make_tick
from pdmigrate.notebook.roll import Roll, Row
from pdmigrate.pages import look
from pdmigrate.pages.show import Section, Table, make_table
from pdmigrate.plan.answers import Conflict, Decision
from pdmigrate.steps.conflicts import Decided, decide_each, take_back
from pdmigrate.steps.invite import Matched, People
from pdmigrate.steps.job import Job
from pdmigrate.workspace.decisions import save_answers

Objects = dict[str, list[str]]
"""Class to object ids; the id `all` is the whole class."""
UNDECIDED = "undecided"
AFTER_PEOPLE = "4 · Conflicts plans with it."
AFTER_CONFLICTS = "Run ▸ Run All Cells drafts the plan with it."


def choose_people(job: Job, people: People) -> Any:
    """Everybody, page by page; those who are not found are invited, mapped by hand, or left out."""
    if not is_interactive():
        return look(people, "questions")
    return _Questions(job, people.draft, "users", people.matched).box


def answer_conflicts(job: Job, decided: Decided) -> Any:
    """Every question, open or decided; answers are written at once, and can be taken back."""
    if not is_interactive():
        return look(decided, "open")
    return _Questions(job, decided.draft).box


class _Questions:
    """A list of questions (or of people, some with a question), and below it the answer to those that are ticked.

    What stands in decisions.yaml is read again for every list: another notebook may write meanwhile.
    """

    def __init__(self, job: Job, draft: Draft, kind: str = "", people: Iterable[Matched] = ()):
        there = [*draft.open.values(), *(answer.conflict for answer in draft.answered.values())]
        self.job, self.people = job, list(people)
        self.questions = {conflict.key: conflict for conflict in there if kind in ("", conflict.kind)}
        self.by_rule = {key: a.choice for key, a in draft.answered.items() if a.by == "rule"}
        self.after = AFTER_PEOPLE if self.people else AFTER_CONFLICTS
        self.clicks: list[dict[tuple[str, str], Decision | None]] = []  # what stood there before each, newest last
        self.roll = Roll(self.list_rows(), ("State", "Role") if self.people else ("State", "Class"), (), self.turn)
        self.told = ipywidgets.HTML()
        self.sign = Signature(
            ("Decide", self.decide, "primary"),
            ("Take the answer back", self.take_back),
            ("Undo my last click", self.undo),
        )
        self.choice = make_menu("Answer", [(UNDECIDED, "")])
        self.value = make_text("Value", "only where the answer takes one: a name, an email, a zone")
        self.whole = make_tick("for the whole class: all of its questions, later ones too")
        self.turn()
        self.box = self.sign.stand_below(self.roll.box, self.told, self.choice, self.value, self.whole)
        if not self.roll.rows:
            self.box = ipywidgets.HTML(draw(Table((), (), empty="There is no question.")))

    def read_standing(self) -> dict[tuple[str, str], Decision]:
        """The answers by class and object, as the file is now."""
        return {(d.conflict, d.object): d for d in self.job.decisions().decisions}

    def list_rows(self) -> list[Row]:
        """A row per question, open ones first, or one per person."""
        standing = self.read_standing()
        rows, answers = [], {key: self.name_answer(c, standing) for key, c in self.questions.items()}
        if self.people:
            asked = {conflict.id: answers[key] for key, conflict in self.questions.items()}
            for person in self.people:
                state = asked.get(person.id, person.state)
                duties = f"{person.duties} places on call" if person.duties else "never on call"
                label = f"{person.name} · {person.email} · PagerDuty role {person.role} · {duties} · {state}"
                marks = {"State": [state.partition(",")[0]], "Role": [person.role.partition(",")[0]]}
                rows.append(Row(person.id, label, marks))
            return rows
        for key, conflict in self.questions.items():
            about = conflict.about.replace("_", " ")
            label = " · ".join(filter(None, (about, conflict.name, conflict.note, conflict.id, answers[key])))
            rows.append(Row(key, label, {"State": [answers[key].partition(":")[0]], "Class": [conflict.about]}))
        return sorted(rows, key=lambda row: row.marks["State"] != ["open"])

    def name_answer(self, conflict: Conflict, standing: dict[tuple[str, str], Decision]) -> str:
        """Open, by the rule, or decided; and how."""
        decision = standing.get((conflict.about, conflict.id)) or standing.get((conflict.about, "all"))
        if decision and decision.answers(conflict):
            value = f" {decision.value}" if decision.value else ""
            return f"decided: {decision.choice.replace('_', ' ')}{value}, by {decision.by or 'somebody'}"
        by_rule = self.by_rule.get(conflict.key)
        return f"by the rule: {by_rule.replace('_', ' ')}" if by_rule else "open"

    def find_ticked(self) -> list[Conflict]:
        wanted = self.roll.ticked
        return [c for c in self.questions.values() if (c.id if self.people else c.key) in wanted]

    def turn(self) -> None:
        """Show what is asked about the ticked rows, and the answers that all of them can have."""
        ticked = self.find_ticked()
        offered = [[option.name for option in conflict.options] for conflict in ticked]
        shared = [name for name in offered[0] if all(name in names for names in offered)] if offered else []
        self.choice.options = [(UNDECIDED, ""), *((name.replace("_", " "), name) for name in shared)]
        self.choice.value, self.value.value, self.whole.value = "", "", False
        nothing = (
            "Nobody with a question is ticked." if self.roll.ticked else "Tick a row to see what is asked about it."
        )
        self.told.value = draw(_describe(ticked) if ticked else Table((), (), empty=nothing))

    def decide(self) -> None:
        ticked, choice, value = self.find_ticked(), self.choice.value, self.value.value.strip()
        valued = {option.name: option.value for c in ticked for option in c.options if option.value}
        if not ticked or not choice:
            return self.sign.say("Tick a question and choose an answer first.", "bad")
        if choice in valued and not value:
            return self.sign.say(f"{choice} needs a value: {valued[choice]}.", "bad")
        if choice == "rename" and value and (len(ticked) > 1 or self.whole.value):
            return self.sign.say("A name is for one object: tick one, or leave the value empty.", "bad")
        given, seen = (choice, value, self.sign.by, self.sign.why), list(self.questions.values())
        objects = self.name_objects()
        words = f"Decided: {self.choice.label}, {_count(objects)}."
        return self._write(objects, lambda about, ids: decide_each(self.job, about, ids, *given, seen), words)

    def take_back(self) -> None:
        objects, standing = self.name_objects(), self.read_standing()
        if not any((about, id) in standing for about, ids in objects.items() for id in ids):
            return self.sign.say("There is no such answer of a person to take back (a class has its own tick).", "bad")

        def take(about: str, ids: list[str]) -> None:
            for object_id in ids:
                take_back(self.job, about, object_id)

        return self._write(objects, take, f"Taken back: {_count(objects)}.")

    def undo(self) -> None:
        """As before the last click."""
        if not self.clicks:
            return self.sign.say("Nothing was decided here since the notebook was opened.", "bad")
        before = self.clicks.pop()

        def restore() -> None:
            for (about, object_id), decision in before.items():
                if decision is None:
                    take_back(self.job, about, object_id)
            save_answers(self.job.workspace.decisions_file, *filter(None, before.values()))

        return self._show(self.sign.attempt(restore, f"Undone. {self.after}"))

    def name_objects(self) -> Objects:
        """The ticked questions, or the whole of their classes."""
        objects: Objects = {}
        for conflict in sorted(self.find_ticked(), key=lambda conflict: conflict.about):
            objects.setdefault(conflict.about, []).append(conflict.id)
        return {about: ["all"] for about in objects} if self.whole.value else objects

    def _write(self, objects: Objects, act: Callable[[str, list[str]], Any], words: str) -> None:
        standing = self.read_standing()

        def write() -> None:
            for about, ids in objects.items():
                act(about, ids)
            self.clicks.append({(about, id): standing.get((about, id)) for about, ids in objects.items() for id in ids})

        self._show(self.sign.attempt(write, f"{words} {self.after}"))

    def _show(self, written: bool) -> None:
        """What is decided is ticked no more: under a filter it may be out of sight, and the next answer is not for it."""
        if written:
            self.roll.replace(self.list_rows(), ())


def _count(objects: Objects) -> str:
    numbers = {about: "the whole class" if ids == ["all"] else f"{len(ids):,}" for about, ids in objects.items()}
    return "; ".join(f"{number} of {about.replace('_', ' ')}" for about, number in numbers.items())


def _describe(conflicts: list[Conflict]) -> Section:
    """What is asked and what each answer will do; for many, the first stands for all."""
    first, many = conflicts[0], len(conflicts) > 1
    table = make_table(
        first.options,
        {
            "Answer": lambda o: o.name.replace("_", " "),
            "What it will do": lambda o: o.effect,
            "Value": lambda o: o.value or "",
        },
    )
    note = f" {first.note}." if first.note else ""
    text = f"{first.meaning}{note} Recommended: {first.recommended.replace('_', ' ')}."
    others = f"\n\n{len(conflicts):,} are ticked, this is the first of them. Only answers that all of them can have are offered."
    return Section(first.question, text + others * many, table, level=3)
