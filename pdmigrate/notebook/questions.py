"""Notebooks 3 and 4: questions, one by one or many of a class at once, with what each answer would do, and undo."""

from collections.abc import Iterable
from typing import Any

import ipywidgets

from pdmigrate.mapping.draft import Draft
from pdmigrate.notebook.answers import Answers
from pdmigrate.notebook.parts import Signature, draw, is_interactive, make_menu, make_text, make_tick
from pdmigrate.notebook.roll import Roll, Row
from pdmigrate.pages import look
from pdmigrate.pages.show import Section, Table, make_table
from pdmigrate.plan.answers import Conflict, Decision
from pdmigrate.steps.conflicts import Decided
from pdmigrate.steps.invite import Matched, People
from pdmigrate.steps.job import Job

Standing = dict[tuple[str, str], Decision]
"""The answers as decisions.yaml has them, by class and object."""
UNDECIDED = "undecided"
AFTER_PEOPLE = "4 · Conflicts plans with it."
AFTER_CONFLICTS = "Run ▸ Run All Cells drafts the plan with it."


def choose_people(job: Job, people: People) -> Any:
    """Everybody, page by page; those who are not found are invited, mapped by hand, or left out."""
    if not is_interactive():
        return look(people, "questions")
    questions = {c.id: c for c in _list_questions(people.draft) if c.kind == "users"}
    return _Questions(job, questions.values(), people.draft, people.matched).box


def answer_conflicts(job: Job, decided: Decided) -> Any:
    """Every question, open or decided; answers are written at once, and can be taken back."""
    if not is_interactive():
        return look(decided, "open")
    return _Questions(job, _list_questions(decided.draft), decided.draft).box


def _list_questions(draft: Draft) -> list[Conflict]:
    return [*draft.open.values(), *(answer.conflict for answer in draft.answered.values())]


class _Questions:
    """A list of questions (or of people, some with a question), and below it the answer to those that are ticked."""

    def __init__(self, job: Job, questions: Iterable[Conflict], draft: Draft, people: Iterable[Matched] = ()):
        self.questions = {conflict.key: conflict for conflict in questions}
        self.by_rule = {key: a.choice for key, a in draft.answered.items() if a.by == "rule"}
        self.people = list(people)
        self.after = AFTER_PEOPLE if self.people else AFTER_CONFLICTS
        self.answers = Answers(job, self.questions.values())
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

    @property
    def box(self) -> ipywidgets.Widget:
        if not self.roll.rows:
            return ipywidgets.HTML(draw(Table((), (), empty="There is no question.")))
        return self.sign.stand_below(self.roll.box, self.told, self.choice, self.value, self.whole)

    def list_rows(self) -> list[Row]:
        """A row per question, open ones first, or one per person."""
        standing = self.answers.read()
        if not self.people:
            rows = [_make_row(c, self._name_answer(c, standing)) for c in self.questions.values()]
            return sorted(rows, key=lambda row: row.marks["State"] != ["open"])
        asked = {conflict.id: conflict for conflict in self.questions.values()}
        return [self._make_person(person, asked.get(person.id), standing) for person in self.people]

    def turn(self) -> None:
        """Show what is asked about the ticked rows, and the answers that they share."""
        ticked = self.find_ticked()
        options = _share_options(ticked)
        self.choice.options = [(UNDECIDED, ""), *((name.replace("_", " "), name) for name in options)]
        self.choice.value, self.value.value, self.whole.value = "", "", False
        self.told.value = _describe(ticked) if ticked else self._describe_nothing()

    def find_ticked(self) -> list[Conflict]:
        wanted = self.roll.ticked
        return [c for c in self.questions.values() if (c.id if self.people else c.key) in wanted]

    def decide(self) -> None:
        ticked = self.find_ticked()
        classes = sorted({conflict.about for conflict in ticked})
        if not ticked or not self.choice.value:
            return self.sign.say("Tick a question and choose an answer first.", "bad")
        if self.choice.value in _find_valued(ticked) and not self.value.value.strip():
            return self.sign.say(
                f"{self.choice.value} needs a value: {_find_valued(ticked)[self.choice.value]}.", "bad"
            )
        if self.choice.value == "rename" and self.value.value.strip() and (len(ticked) > 1 or self.whole.value):
            return self.sign.say("A name is for one object: tick one, or leave the value empty.", "bad")
        objects = {about: ["all"] if self.whole.value else _ids_of(ticked, about) for about in classes}
        words = f"Decided: {self.choice.label}, {_count(objects)}. {self.after}"
        given = (self.choice.value, self.value.value.strip(), self.sign.by, self.sign.why)
        return self._write(lambda: self.answers.give(objects, *given), words)

    def take_back(self) -> None:
        ticked = self.find_ticked()
        classes = sorted({conflict.about for conflict in ticked})
        objects = {about: ["all"] if self.whole.value else _ids_of(ticked, about) for about in classes}
        if not self.answers.stands(objects):
            return self.sign.say("There is no such answer of a person to take back (a class has its own tick).", "bad")
        return self._write(lambda: self.answers.take(objects), f"Taken back: {_count(objects)}. {self.after}")

    def undo(self) -> None:
        if not self.answers.can_undo:
            return self.sign.say("Nothing was decided here since the notebook was opened.", "bad")
        return self._write(self.answers.undo, f"Undone. {self.after}")

    def _write(self, act: Any, words: str) -> None:
        """What is decided is ticked no more: under a filter it may be out of sight, and the next answer is not for it."""
        if self.sign.attempt(act, words):
            self.roll.replace(self.list_rows(), ())

    def _make_person(self, person: Matched, conflict: Conflict | None, standing: Standing) -> Row:
        answer = self._name_answer(conflict, standing) if conflict else ""
        state = answer or person.state
        duties = f"{person.duties} places on call" if person.duties else "never on call"
        label = f"{person.name} · {person.email} · PagerDuty role {person.role} · {duties} · {state}"
        return Row(person.id, label, {"State": [state.partition(",")[0]], "Role": [person.role.partition(",")[0]]})

    def _name_answer(self, conflict: Conflict, standing: Standing) -> str:
        decision = standing.get((conflict.about, conflict.id)) or standing.get((conflict.about, "all"))
        if decision and decision.answers(conflict):
            value = f" {decision.value}" if decision.value else ""
            return f"decided: {decision.choice.replace('_', ' ')}{value}, by {decision.by or 'somebody'}"
        by_rule = self.by_rule.get(conflict.key)
        return f"by the rule: {by_rule.replace('_', ' ')}" if by_rule else "open"

    def _describe_nothing(self) -> str:
        words = "Nobody with a question is ticked." if self.roll.ticked else "Tick a row to see what is asked about it."
        return draw(Table((), (), empty=words))


def _make_row(conflict: Conflict, answer: str) -> Row:
    about = conflict.about.replace("_", " ")
    state = "open" if answer == "open" else "by the rule" if answer.startswith("by") else "decided"
    return Row(
        conflict.key,
        " · ".join(filter(None, (about, conflict.name, conflict.note, conflict.id, answer))),
        {"State": [state], "Class": [conflict.about]},
    )


def _share_options(conflicts: list[Conflict]) -> list[str]:
    """The answers that every one of them can have."""
    offered = [[option.name for option in conflict.options] for conflict in conflicts]
    return [name for name in offered[0] if all(name in names for names in offered)] if offered else []


def _find_valued(conflicts: list[Conflict]) -> dict[str, str]:
    """The answers that take a value, and what it is."""
    return {option.name: option.value for c in conflicts for option in c.options if option.value}


def _ids_of(conflicts: list[Conflict], about: str) -> list[str]:
    return [conflict.id for conflict in conflicts if conflict.about == about]


def _count(objects: dict[str, list[str]]) -> str:
    told = []
    for about, ids in objects.items():
        number = "the whole class" if ids == ["all"] else f"{len(ids):,}"
        told.append(f"{number} of {about.replace('_', ' ')}")
    return "; ".join(told)


def _describe(conflicts: list[Conflict]) -> str:
    """What is asked and what each answer will do; for many, the first stands for all."""
    first = conflicts[0]
    table = make_table(
        first.options,
        {
            "Answer": lambda o: o.name.replace("_", " "),
            "What it will do": lambda o: o.effect,
            "Value": lambda o: o.value or "",
        },
    )
    recommended = f"Recommended: {first.recommended.replace('_', ' ')}."
    others = (
        f"{len(conflicts):,} are ticked, this is the first of them. Only answers that all of them can have are offered."
    )
    note = f" {first.note}." if first.note else ""
    text = "\n\n".join([f"{first.meaning}{note} {recommended}", *([others] if len(conflicts) > 1 else [])])
    return draw(Section(first.question, text, table, level=3))
