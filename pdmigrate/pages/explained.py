"""What questions and guards mean, made of the tables that they are asked by: on the pages that name them, in notebooks, in the docs."""

import re
from collections.abc import Iterable, Iterator
from string import Formatter
from typing import Any

from pdmigrate.mapping.wording import WORDINGS, Wording
from pdmigrate.pages.markup import environment
from pdmigrate.pages.show import Link, Section
from pdmigrate.plan.answers import CLASSES
from pdmigrate.plan.explained import QUESTIONS
from pdmigrate.plan.explained_guards import GUARDS
from pdmigrate.plan.handmade import EFFECTS

QUESTION, GUARD = "question-", "guard-"
"""How the anchors begin."""
_KEY = re.compile(r"\(([a-z]+(?:_[a-z]+)*):[^()\s]+\)")
FREE = "a name, or nothing: then one is made"


def link_question(about: str) -> Link:
    """A class of questions, leading to what it means, further down on the same page: so it works in a mail too."""
    return Link(about.replace("_", " "), f"#{QUESTION}{about}")


def link_guard(name: str) -> Link:
    """The same of a guard, by the name that a waiver gives."""
    return Link(name, f"#{GUARD}{name}")


def explain_named(sections: Iterable[Section]) -> Iterator[Section]:
    """What the questions and guards mean that are linked from these sections, each once."""
    tables = [section.table for section in sections if section.table]
    cells = [cell for table in tables for row in table.rows for cell in row if isinstance(cell, Link)]
    for title, start, explain in (
        ("What the questions mean", QUESTION, explain_question),
        ("What the guards mean", GUARD, explain_guard),
    ):
        named = {cell.url[1:].removeprefix(start) for cell in cells if cell.url.startswith(f"#{start}")}
        if named:
            yield Section(title)
            yield from (explain(name) for name in sorted(named))


def explain_question(about: str) -> Section:
    """What has happened, what it does to paging, what to do, and what each option does."""
    said, options = QUESTIONS[about], [f"- {spell(name)}: {effect}." for name, effect in list_options(about)]
    parts = [said.means, f"What to do: {said.advice}", "\n".join(options), f"Recommended: {name_recommended(about)}."]
    return _write(f"{said.title} ({spell(about)})", "\n\n".join(parts), f"{QUESTION}{about}")


def explain_guard(name: str) -> Section:
    """When it refuses, what the plan would do to paging, and what to do."""
    said = GUARDS[name]
    return _write(f"{said.title} ({name})", f"{said.means}\n\nWhat to do: {said.advice}", f"{GUARD}{name}")


def _write(title: str, text: str, anchor: str) -> Section:
    """Pages know no code: what stands between backticks in the docs is a word like the others."""
    return Section(title, text.replace("`", ""), level=3, anchor=anchor)


def fold(section: Section) -> str:
    """An explanation as markup that unfolds where it stands, for a cell of a notebook."""
    return environment().get_template("explained.html").render(section=section)


def spell(word: str) -> str:
    """A class or an option as people read it."""
    return word.replace("_", " ")


def tell_reason(words: str) -> str:
    """A reason with the class of the question that was answered, not its key."""
    return _KEY.sub(lambda key: f"({spell(key[1])})", words)


def list_options(about: str) -> list[tuple[str, str]]:
    """Every option of a class with what it does, in general, and what that is to paging."""
    said = QUESTIONS[about]
    found = []
    for number, option in enumerate(CLASSES[about]):
        effects: dict[str, list[str]] = {}
        for kind, wording in list_wordings(about):
            if option in wording.options:
                effects.setdefault(speak(about, wording.options[option]), []).append(kind)
        told = [f"of {spell(' and '.join(kinds))}: {effect}" for effect, kinds in effects.items()]
        if len(effects) == 1:
            told = [*effects]
        if about in EFFECTS:
            told = [EFFECTS[about][number]]
        found.append((option, "; ".join([*told, *filter(None, [said.paging.get(option)])])))
    return found


def list_questions(about: str) -> list[tuple[str, str]]:
    """How the class is asked, in general, by kind; none where the question is made of what was changed."""
    return [(kind, speak(about, wording.question)) for kind, wording in list_wordings(about)]


def name_value(about: str, option: str) -> str:
    """What the value of an answer is, or ""."""
    named = [wording.values[option] for _, wording in list_wordings(about) if option in wording.values]
    return named[0] if named else FREE if option == "rename" else ""


def name_recommended(about: str) -> str:
    """The option that is recommended, or on what it hangs."""
    named = dict.fromkeys(wording.recommended for _, wording in list_wordings(about))
    return QUESTIONS[about].usually or " or ".join(map(spell, named))


def needs_person(about: str) -> bool:
    """Whether taking the recommendation always changes who is paged, so that only a person may."""
    wordings = [wording.changes_paging for _, wording in list_wordings(about)]
    return all(wordings) if wordings else about in ("changed_in_harness", "removed_in_target")


def list_wordings(about: str) -> list[tuple[str, Wording]]:
    """The kinds that the class is asked about, each with its words."""
    return [(kind, there[about]) for kind, there in WORDINGS.items() if about in there]


def speak(about: str, template: str) -> str:
    """A text of the wordings without a single case: in its places stands in general what comes there."""
    return Formatter().vformat(template, (), _General(QUESTIONS[about].words))


class _General(dict[str, Any]):
    def __missing__(self, name: str) -> "_Place":
        return _Place(f"‹{name.replace('_', ' ')}›")


class _Place(str):
    """A place in a text; it looks the same where the text asks for it in quotation marks."""

    def __repr__(self) -> str:
        return str(self)
