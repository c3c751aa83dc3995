"""decisions.yaml, where the answers of people stand.

decisions.yaml is made for people to read, edit and keep in git:

    decisions:
    - conflict: user_not_found      # the class
      object: PU12                  # an id, or all: every object of the class
      choice: invite
      value: ann@example.com        # only where the option takes one
      by: ann
      at: '2026-11-23T10:00:00+00:00'
      why: joins in December
      question: 5be0a9c41d2f        # optional: the question that was answered; a changed one is asked again
    approvals:
    - plan: 3f9a…                   # the digest that was approved
      by: ann
    waivers:
    - guard: too_many_changes       # lets one plan pass a guard that refuses it
      plan: 3f9a…
      by: ann
      why: the teams were split on Monday
      until: 2026-12-01
    choices:
    - setting: rules.strategy       # chosen in a notebook, in place of what migration.yaml says
      value: overwrite
      by: ann
    sign_offs:
    - team: PT3                     # a team goes over, or not: said by its lead
      choice: go
      plan: 3f9a…
      by: ann
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import lru_cache, partial
from itertools import groupby
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from pdmigrate.errors import LONGEST, SettingsError, hint, shorten
from pdmigrate.plan.answers import CLASSES, Answer, Decisions
from pdmigrate.plan.guards import GUARD_NAMES
from pdmigrate.wire.yaml_text import describe_yaml_error, read_yaml
from pdmigrate.workspace.folder import lock_beside, write_text
from pdmigrate.workspace.strict import Lines, describe_problem, join_told
from pdmigrate.workspace.yaml_lists import edit_list


def read_decisions(path: Path) -> Decisions:
    """Read and check decisions.yaml; an absent file holds no decisions.

    Raises SettingsError with one line that names every bad entry, its line, and the nearest right one.
    """
    return _read(path.name, _read_text(path))


def _read_text(path: Path) -> str:
    """As it is: with the mark and the line ends of the editor that wrote it. "" where there is no file."""
    try:
        return path.read_bytes().decode("utf-8") if path.is_file() else ""
    except UnicodeDecodeError:
        raise SettingsError(f"{path.name} is no UTF-8: save it as such, then run again.") from None


@lru_cache(maxsize=2)
def _read(name: str, text: str) -> Decisions:
    """What a text says; of the same text nothing is parsed again."""
    try:
        data = read_yaml(text) or {}
    except yaml.YAMLError as error:
        raise SettingsError(describe_yaml_error(name, error)) from None
    return _check(name, data, text)


def _check(name: str, data: Any, text: str = "") -> Decisions:
    problems: Iterable[tuple[Place, str]]
    try:
        read = Decisions.model_validate(data)
    except ValidationError as error:
        entries = error.errors()
        number = len(entries)
        problems = ((tuple(entry["loc"]), describe_problem(entry, Decisions)) for entry in entries)
    else:
        slips = list(_find_slips(read))
        number, problems = len(slips), ((place, describe()) for place, describe in slips)
    if number:
        lines = Lines(text)
        said = (f"line {lines.find(place)}: {words}" if text else words for place, words in problems)
        raise SettingsError(f"{name}: {join_told(said, number)}.")
    return read


Place = tuple[str | int, ...]


def _find_slips(read: Decisions) -> Iterator[tuple[Place, Callable[[], str]]]:
    """Classes, options and guards that there are not: where they stand, and what says it, asked only where it is told."""
    for number, decision in enumerate(read.decisions):
        place = ("decisions", number)
        if decision.conflict not in CLASSES:
            yield (*place, "conflict"), partial(_describe_unknown, "there is no conflict", decision.conflict, CLASSES)
        elif decision.choice not in CLASSES[decision.conflict]:
            words = f"{decision.conflict} has no option"
            yield (*place, "choice"), partial(_describe_unknown, words, decision.choice, CLASSES[decision.conflict])
    for number, waiver in enumerate(read.waivers):
        if waiver.guard not in GUARD_NAMES:
            yield (
                ("waivers", number, "guard"),
                partial(_describe_unknown, "there is no guard", waiver.guard, GUARD_NAMES),
            )


def _describe_unknown(words: str, word: str, known: Iterable[str]) -> str:
    return f"{words} {shorten(word)} ({hint(word[:LONGEST], known)})"


def save_answers(path: Path, *answers: Answer) -> None:
    """Write what a person has said, at once. An earlier answer about the same is replaced, or stays before it (standing)."""
    for section, given in groupby(answers, lambda answer: answer.section):
        _save(path, section, list(given))


def _save(path: Path, section: str, answers: list[Answer]) -> None:
    """Each where the last about the same stands, earlier ones go; at the end where there is none."""
    new = [answer for answer in answers if answer.standing]
    given = {answer.key: answer for answer in answers if not answer.standing}

    def edit(old: Sequence[Answer]) -> Edited:
        last = {record.key: place for place, record in enumerate(old)}
        found = {place: record.key for place, record in enumerate(old) if record.key in given}
        changed = {place: given[key] if last[key] == place else None for place, key in found.items()}
        return changed, [*new, *(answer for key, answer in given.items() if key not in last)]

    _change(path, section, edit)


def drop_answer(path: Path, kind: type[Answer], *key: str) -> None:
    """Take back what was said about this: the question is open again, the guard refuses, migration.yaml counts."""
    _change(path, kind.section, lambda old: ({n: None for n, one in enumerate(old) if one.is_about(*key)}, []))


Edited = tuple[dict[int, Answer | None], list[Answer]]
"""What changes in a list, by place (None: it goes), and what is new at its end."""


def _plain(record: Answer) -> dict[str, Any]:
    return {k: v for k, v in record.model_dump().items() if v not in (None, "")}


def _change(path: Path, section: str, edit: Callable[[Sequence[Answer]], Edited]) -> None:
    """Read, change, check and write under a lock: two notebooks open at once do not overwrite each other.

    What does not change stays as somebody wrote it, and the file is not touched where nothing does.
    """
    with lock_beside(path):
        text = _read_text(path)
        known = _read(path.name, text)
        old = getattr(known, section)
        changed, added = edit(old)
        changed = {place: record for place, record in changed.items() if record != old[place]}
        if not changed and not added:
            return
        kept = [record for place, one in enumerate(old) if (record := changed.get(place, one))]
        wanted = known.model_copy(update={section: (*kept, *added)})
        _check(path.name, wanted.model_dump(mode="json", exclude_defaults=True))
        plain = {place: _plain(record) if record else None for place, record in changed.items()}
        for fresh in edit_list(text, section, plain, [*map(_plain, added)]):
            if _says(path.name, fresh, wanted):
                return write_text(path.resolve(), fresh)  # it was read: behind a link are decisions
    raise SettingsError(
        f"{path.name}: only a person can change {section} as they stand there: write the answer by hand."
    )


def _says(name: str, text: str, wanted: Decisions) -> bool:
    try:
        return _read(name, text) == wanted
    except SettingsError:
        return False
