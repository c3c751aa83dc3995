"""Notebooks 3 and 4: a desk with the questions at the left and what is asked at the right, answered one by one or many at once."""

from collections.abc import Iterable, Sequence
from typing import Any

import ipywidgets
from markupsafe import escape

from pdmigrate.mapping.draft import Draft
from pdmigrate.notebook.asked import Asked
from pdmigrate.notebook.parts import Signature, draw, is_interactive, keep_table, make_button, make_text
from pdmigrate.notebook.roll import Roll, Row
from pdmigrate.oncall.words import format_number
from pdmigrate.pages import look
from pdmigrate.pages.explained import spell
from pdmigrate.pages.show import Table
from pdmigrate.plan.answers import Conflict, Decision
from pdmigrate.plan.values import describe_unusable
from pdmigrate.steps.conflicts import Decided, decide_each, take_back
from pdmigrate.steps.draft import draft_again, read_nameable
from pdmigrate.steps.invite import Matched, People
from pdmigrate.steps.job import Job
from pdmigrate.workspace.decisions import save_answers

Given = list[tuple[str, list[str], str, str]]
"""Class, object ids (or `all` for the whole class), choice and value."""
AFTER_PEOPLE = "4 · Conflicts plans with it."
AFTER_CONFLICTS = "Run ▸ Run All Cells drafts the plan with it."
CHANGES, SAME, DECIDED = "Change who is paged", "Change nobody's paging, as recommended", "Decided"
FOUND = "Found"
ACCEPT_ONE = "Accept the recommendation that changes nobody's paging"
ACCEPT = "Accept all {} recommendations that change nobody's paging"
LEFT = ipywidgets.Layout(flex="1 1 17rem", min_width="14rem", overflow="hidden auto", display="block")
RIGHT = ipywidgets.Layout(flex="2 1 22rem", min_width="14rem", margin="0 0 0 1rem")
DESK = ipywidgets.Layout(flex_flow="row wrap", align_items="flex-start", max_width="78rem")
SHOWN = 40


@keep_table
def choose_people(job: Job, people: People) -> Any:
    """Everybody, page by page; those who are not found are invited, mapped by hand, or left out."""
    if not is_interactive():
        return look(people, "questions")
    return _Desk(job, people.draft, "users", people.matched).box


@keep_table
def answer_conflicts(job: Job, decided: Decided) -> Any:
    """Every question, open or decided; answers are written at once, and can be taken back. Headless: the tables."""
    if not is_interactive():
        return look(decided, "open", "answers")
    return _Desk(job, decided.draft).box


class _Desk:
    """The questions (or the people, some with a question) by what they do to paging, and beside them the one that is asked.

    What stands in decisions.yaml is read again for every list: another notebook may write meanwhile.
    """

    def __init__(self, job: Job, draft: Draft, kind: str = "", people: Iterable[Matched] = ()):
        self.job, self.kind, self.people = job, kind, list(people)
        self.after = AFTER_PEOPLE if self.people else AFTER_CONFLICTS
        self.clicks: list[dict[tuple[str, str], Decision | None]] = []  # what stood there before each, newest last
        self.opened = ("", "")
        self.mark: tuple[int, int, int] | None = None
        self.standing: dict[tuple[str, str], Decision] = {}
        self.sign = Signature(("Take the answer back", self.take_back), ("Undo my last click", self.undo))
        self.asked = Asked(self.list_known, self.check, self.decide, self.sign.fields)
        self.take_up(draft)
        if self.people:
            self.roll = Roll(self.list_people(), ("State", "Role"), (), self.turn, only_shown=True)
        else:
            self.roll = Roll([], (), (), self.turn, only_shown=True, page=SHOWN, about="Class")
        self.head, self.list = ipywidgets.HTML(), ipywidgets.VBox(layout=LEFT)
        self.list.add_class("pdm-list")
        self.search = make_text("Search", "words of a question, a name, an id")
        self.search.observe(lambda _: self.open(FOUND if self.search.value.strip() else "", ""), "value")
        self.accept = make_button("", self.accept_all, "primary")
        self.accept.add_class("pdm-wrap")
        self.again = make_button("Ask what follows from the answers", self.ask_again)
        if self.people:
            self.list.children, tools = [self.roll.box], [self.accept]
        else:
            tools = [self.accept, self.again]
        right = ipywidgets.VBox([self.asked.box, self.sign.ending], layout=RIGHT)
        desk = ipywidgets.HBox([self.list, right], layout=DESK)
        self.box = ipywidgets.VBox([self.head, ipywidgets.HBox(tools, layout=DESK), desk])
        self.show()
        if not self.questions and not self.people:
            self.box = ipywidgets.HTML(draw(Table((), (), empty="There is no question.")))

    def take_up(self, draft: Draft) -> None:
        """The questions of a draft, with what answers them without a person."""
        there = [*draft.open.values(), *(answer.conflict for answer in draft.answered.values())]
        self.questions = {conflict.key: conflict for conflict in there if self.kind in ("", conflict.kind)}
        self.by_rule = {key: a.choice for key, a in draft.answered.items() if a.by == "rule"}
        asked = {(conflict.kind, conflict.id) for conflict in self.questions.values()}
        self.waiting = sum(h.open_question and (h.kind, h.key) not in asked for h in draft.plan.held)

    # --- the list ---

    def read_answers(self) -> dict[str, str]:
        """What is answered to each question: open, by the rule, or decided; and how."""
        standing = self.read_standing()
        return {key: self.name_answer(conflict, standing) for key, conflict in self.questions.items()}

    def read_standing(self) -> dict[tuple[str, str], Decision]:
        """The answers by class and object, as the file is now; thousands take a second to read, so once for each state of it."""
        file = self.job.workspace.decisions_file
        there = file.stat() if file.exists() else None
        mark = (there.st_ino, there.st_mtime_ns, there.st_size) if there else None
        if mark is None or mark != self.mark:
            self.mark = mark
            self.standing = {(d.conflict, d.object): d for d in self.job.decisions().decisions}
        return self.standing

    def name_answer(self, conflict: Conflict, standing: dict[tuple[str, str], Decision]) -> str:
        decision = standing.get((conflict.about, conflict.id)) or standing.get((conflict.about, "all"))
        if decision and decision.answers(conflict):
            value = f" {decision.value}" if decision.value else ""
            return f"decided: {spell(decision.choice)}{value}, by {decision.by or 'somebody'}"
        by_rule = self.by_rule.get(conflict.key)
        return f"by the rule: {spell(by_rule)}" if by_rule else "open"

    def list_groups(self) -> dict[str, dict[str, list[Conflict]]]:
        """By what they do to paging, then by class."""
        answers, groups = self.read_answers(), dict[str, dict[str, list[Conflict]]]()
        for group in (CHANGES, SAME, DECIDED):
            groups[group] = {}
        for key, conflict in self.questions.items():
            group = DECIDED if answers[key] != "open" else CHANGES if conflict.changes_paging else SAME
            groups[group].setdefault(conflict.about, []).append(conflict)
        return groups

    def show(self) -> None:
        """The list and the counts as they are now, with the class that is open."""
        groups = self.list_groups()
        changes, same, decided = (sum(map(len, groups[group].values())) for group in (CHANGES, SAME, DECIDED))
        waits = f" {format_number(self.waiting, 'object waits', 'objects wait')} for answers about others."
        each = ((changes, "who is paged"), (same, "nobody's paging"))
        kinds = ", ".join(format_number(n, f"changes {words}", f"change {words}") for n, words in each if n)
        told = f"<b>{changes + same:,} left</b>{': ' * bool(kinds)}{kinds}. {decided:,} decided."
        told += waits if self.waiting and kinds else ""
        self.head.value = f'<div role="status" class="pdm-said">{told}</div>'
        safe = len(self.list_safe())
        self.accept.description = ACCEPT.format(safe) if safe > 1 else ACCEPT_ONE
        self.accept.layout.display = "flex" if safe else "none"
        if not self.people:
            self.list.children = [self.search, *self.draw_groups(groups)]
        self.turn()

    def draw_groups(self, groups: dict[str, dict[str, list[Conflict]]]) -> list[ipywidgets.Widget]:
        """A line for each class under its heading, and the questions of the one that is open."""
        if self.opened[0] == FOUND:
            return [self.roll.box]
        drawn: list[ipywidgets.Widget] = []
        for group, classes in groups.items():
            if not classes:
                continue
            number = sum(map(len, classes.values()))
            drawn.append(ipywidgets.HTML(f'<div class="pdm-group">{escape(group)} · {number:,}</div>'))
            for about, conflicts in sorted(classes.items()):
                line = make_button(f"{spell(about)} · {len(conflicts):,}", lambda at=(group, about): self.open(*at))  # type: ignore[misc]
                line.layout.width = "calc(100% - 4px)"
                line.add_class("pdm-class")
                drawn.append(line)
                if self.opened == (group, about):
                    line.add_class("pdm-opened")
                    drawn.append(self.roll.box)
        return drawn

    def open(self, group: str, about: str) -> None:
        """Show the questions of a class; those that are open are ticked, for one answer to all of them.

        The click may come from a list that was drawn before the class was answered, or open again: then it stands elsewhere now.
        """
        if about:
            there = [name for name, classes in self.list_groups().items() if about in classes]
            group = group if group in there else next(iter(there), group)
        self.opened = (group, about) if self.opened != (group, about) or group == FOUND else ("", "")
        rows = self.list_rows()
        self.roll.replace(rows, [row.key for row in rows] if self.opened[0] in (CHANGES, SAME) else ())
        self.show()

    def list_rows(self) -> list[Row]:
        """The questions of the open class, or those that are searched for."""
        group, about = self.opened
        answers, words = self.read_answers(), self.search.value.casefold().split() if group == FOUND else []
        there = self.list_groups().get(group, {}).get(about, []) if group != FOUND else self.questions.values()
        rows = []
        for conflict in there:
            answer = answers[conflict.key]
            said = (conflict.name, spell(conflict.about) if words else "", answer, conflict.note, conflict.id)
            label = " · ".join(part for part in said if part and part != "open")
            if all(word in f"{label} {conflict.question} {answer}".casefold() for word in words):
                rows.append(Row(conflict.key, label, {"Class": [conflict.about]}))
        return rows

    def list_people(self) -> list[Row]:
        """A row per person."""
        answers = self.read_answers()
        asked = {conflict.id: answers[key] for key, conflict in self.questions.items()}
        rows = []
        for person in self.people:
            state = asked.get(person.id, person.state)
            duties = (
                format_number(person.duties, "place on call", "places on call") if person.duties else "never on call"
            )
            label = f"{person.name} · {person.email} · PagerDuty role {person.role} · {duties} · {state}"
            marks = {"State": [state.partition(",")[0]], "Role": [person.role.partition(",")[0]]}
            rows.append(Row(person.id, label, marks))
        return rows

    def find_ticked(self) -> list[Conflict]:
        wanted = self.roll.ticked
        return [c for c in self.questions.values() if (c.id if self.people else c.key) in wanted]

    def turn(self) -> None:
        """Show what is asked about the ticked rows, and the answers that all of them can have."""
        ticked, standing = self.find_ticked(), self.read_standing()
        answers = {self.name_answer(conflict, standing) for conflict in ticked}
        said = answers.pop() if len(answers) == 1 else ""
        self.asked.show(ticked, "" if ticked else self.tell_next(), "" if said == "open" else said)

    def tell_next(self) -> str:
        """What stands where a question would, while none is chosen."""
        if "open" not in self.read_answers().values():
            return "Everything here is answered."
        return "Tick somebody who is open." if self.people else "Choose a class at the left to see what is asked."

    # --- the answer ---

    def list_known(self, sort: str) -> Sequence[str]:
        """What the field offers while somebody types."""
        return sorted(read_nameable(self.job, "", ()).get(sort, ()))

    def check(self, choice: str, value: str) -> str:
        about, ids = self.asked.conflicts[0].about, [conflict.id for conflict in self.asked.conflicts]
        return describe_unusable(choice, value, read_nameable(self.job, about, ids))

    def decide(self, choice: str, value: str, asked: Sequence[Conflict]) -> None:
        """asked: what the browser showed at the click. It may be behind: a second click finds nothing ticked any more."""
        if {conflict.key for conflict in asked} != {conflict.key for conflict in self.asked.conflicts}:
            changed = "Nothing was decided: another question had come up meanwhile. Read it and click again."
            return self.sign.say(changed, "bad") if self.asked.conflicts else None
        objects = self.name_objects()
        words = f"Decided: {spell(choice)}{f' {value}' if value else ''}, {_count(objects)}."
        return self._decide([(about, ids, choice, value) for about, ids in objects.items()], words)

    def list_safe(self) -> list[Conflict]:
        """The open questions whose recommendation changes nobody's paging and needs no value."""
        answers = self.read_answers()
        free = {(c.key, option.name) for c in self.questions.values() for option in c.options if not option.value}
        there = (c for c in self.questions.values() if answers[c.key] == "open" and not c.changes_paging)
        return [conflict for conflict in there if (conflict.key, conflict.recommended) in free]

    def accept_all(self) -> None:
        """Take every recommendation that changes nobody's paging."""
        chosen: dict[tuple[str, str], list[str]] = {}
        for conflict in self.list_safe():
            chosen.setdefault((conflict.about, conflict.recommended), []).append(conflict.id)
        each = ", ".join(f"{len(ids):,} of {spell(about)}: {spell(choice)}" for (about, choice), ids in chosen.items())
        self._decide([(about, ids, choice, "") for (about, choice), ids in chosen.items()], f"Accepted: {each}.")

    def _decide(self, given: Given, words: str) -> None:
        seen = list(self.questions.values())

        def write() -> None:
            for about, ids, choice, value in given:
                decide_each(self.job, about, ids, choice, value, self.sign.by, self.sign.why, seen)

        self._write([(about, id) for about, ids, _, _ in given for id in ids], write, words)

    def take_back(self) -> None:
        objects, standing = self.name_objects(), self.read_standing()
        places = [(about, id) for about, ids in objects.items() for id in ids]
        if not any(place in standing for place in places):
            return self.sign.say("There is no such answer of a person to take back (a class has its own tick).", "bad")

        def take() -> None:
            for place in places:
                take_back(self.job, *place)

        return self._write(places, take, f"Taken back: {_count(objects)}.")

    def undo(self) -> None:
        """As before the last click."""
        if not self.clicks:
            self.sign.say("Nothing was decided here since the notebook was opened.", "bad")
            return
        before = self.clicks[-1]

        def restore() -> None:
            for (about, object_id), decision in before.items():
                if decision is None:
                    take_back(self.job, about, object_id)
            save_answers(self.job.workspace.decisions_file, *filter(None, before.values()))
            self.clicks.pop()
            self._show()

        self.sign.attempt(restore, f"Undone. {self.after}")

    def ask_again(self) -> None:
        """Draft with the answers: some questions come up only when others are answered."""
        known = set(self.questions)
        self.sign.say("Drafting with the answers.")

        def draft() -> None:
            self.take_up(draft_again(self.job))
            self._show()

        if self.sign.attempt(draft, ""):
            new = sum(key not in known for key, answer in self.read_answers().items() if answer == "open")
            more = f"{format_number(new, 'more question follows', 'more questions follow')} from the answers."
            left = "open" in self.read_answers().values()
            self.sign.say(more if new or left else f"Every question is answered. {self.after}")

    def name_objects(self) -> dict[str, list[str]]:
        """The ticked questions by class, or the whole of their classes."""
        objects: dict[str, list[str]] = {}
        for conflict in sorted(self.find_ticked(), key=lambda conflict: conflict.about):
            objects.setdefault(conflict.about, []).append(conflict.id)
        return {about: ["all"] for about in objects} if self.asked.whole.value else objects

    def _write(self, places: list[tuple[str, str]], act: Any, words: str) -> None:
        standing = self.read_standing()

        def act_and_show() -> None:
            act()
            self.clicks.append({place: standing.get(place) for place in places})
            self._show()

        if not self.sign.attempt(act_and_show, f"{words} {self.after}"):
            return
        if not self.people and "open" not in self.read_answers().values():
            self.ask_again()

    def _show(self) -> None:
        """What is decided is ticked no more: the next answer is not for it."""
        if not self.people and not self.list_rows():
            self.opened = ("", "")
        self.roll.replace(self.list_people() if self.people else self.list_rows(), ())
        self.show()


def _count(objects: dict[str, list[str]]) -> str:
    numbers = {about: "the whole class" if ids == ["all"] else f"{len(ids):,}" for about, ids in objects.items()}
    return ", ".join(f"{number} of {spell(about)}" for about, number in numbers.items())
