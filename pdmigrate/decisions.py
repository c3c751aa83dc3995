"""Conflicts (questions with options) and decisions (answers of people), and decisions.yaml, where the answers stand.

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

import fcntl
import hashlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import date, datetime
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

from pdmigrate.classes import CLASSES, GUARD_NAMES, ONE_STATE, ONE_STATE_CHOICES
from pdmigrate.errors import SettingsError
from pdmigrate.strict import find_line, hint, say_problem
from pdmigrate.workspace import canonical_json, write_text
from pdmigrate.yaml_lists import edit_list, read_yaml


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, coerce_numbers_to_str=True)


def _check_day(value: Any) -> str:
    """YAML reads an unquoted day as a date."""
    try:
        return date.fromisoformat(str(value)).isoformat()
    except ValueError:
        raise ValueError("write a day, as in 2026-12-01") from None


class Option(_Strict):
    """One way to answer: its name, what it will do, and what its value is (None: it takes none)."""

    name: str
    effect: str
    value: str | None = None


class Conflict(_Strict):
    """A question about one object. `about` is the class; `meaning` says what it means for paging.

    `changes_paging`: the recommended option changes who is paged, so only a person may take it. `detail`: what else the
    question depends on, for its digest; it is not shown.
    """

    about: str
    kind: str
    id: str
    name: str
    question: str
    meaning: str
    options: tuple[Option, ...]
    recommended: str
    changes_paging: bool = False
    detail: str = ""

    @model_validator(mode="after")
    def _check_class(self) -> "Conflict":
        """An answer to a class or option that CLASSES does not know would be taken for a slip of the pen."""
        unknown = {option.name for option in self.options} - set(CLASSES.get(self.about, ()))
        if unknown:
            raise ValueError(f"CLASSES does not have {self.about} with {', '.join(sorted(unknown))}")
        return self

    @property
    def key(self) -> str:
        return f"{self.about}:{self.id}"

    @property
    def digest(self) -> str:
        """Over what is asked and what can be answered, not over what is said around it."""
        options = [[option.name, option.effect] for option in self.options]
        asked = [self.about, self.kind, self.id, self.question, options, self.detail]
        return hashlib.sha256(canonical_json(asked).encode()).hexdigest()[:12]


class Decision(_Strict):
    """An answer: what, by whom, when, why. `object` is an id, or `all` for every object of the class.

    question: the digest of the question that was answered; without it the answer holds however the question changes.
    """

    conflict: str
    object: str
    choice: str
    value: str | None = None
    by: str = ""
    at: str = ""
    why: str = ""
    question: str = ""

    def answers(self, conflict: Conflict) -> bool:
        """Whether it is to this state of the question; one for a class is to whatever comes.

        In the classes of ONE_STATE, and with the choices of ONE_STATE_CHOICES, an answer has to name its question.
        """
        if conflict.about in ONE_STATE or (conflict.about, self.choice) in ONE_STATE_CHOICES:
            return self.question == conflict.digest
        return self.object == "all" or self.question in ("", conflict.digest)


class Approval(_Strict):
    """A plan that a person lets pass, named by its digest."""

    plan: str
    by: str = ""
    at: str = ""
    why: str = ""


class Waiver(_Strict):
    """A person lets one plan pass one guard, until a day (inclusive, UTC)."""

    guard: str
    plan: str = Field(min_length=12)
    by: str = Field(min_length=1)
    why: str = Field(min_length=1)
    until: Annotated[str, BeforeValidator(_check_day)]

    def holds(self, guard: str, digest: str, now: datetime) -> bool:
        in_time = now.date() <= date.fromisoformat(self.until)
        return self.guard == guard and digest.startswith(self.plan) and in_time


class Choice(_Strict):
    """A setting that a person chose in a notebook; it counts in place of the one in migration.yaml."""

    setting: Literal[
        "scope.services",
        "scope.teams",
        "scope.schedules",
        "scope.policies",
        "rules.strategy",
        "rules.contact_details",
    ]
    value: Any
    by: str = ""
    at: str = ""
    why: str = ""


class SignOff(_Strict):
    """What a team's lead says of it: go, or no go. `plan` is the digest of the plan that was loaded by then."""

    team: str
    choice: Literal["go", "no_go"]
    plan: str = ""
    by: str = ""
    at: str = ""
    why: str = ""


class Decisions(_Strict):
    """The whole of decisions.yaml."""

    decisions: tuple[Decision, ...] = ()
    approvals: tuple[Approval, ...] = ()
    waivers: tuple[Waiver, ...] = ()
    choices: tuple[Choice, ...] = ()
    sign_offs: tuple[SignOff, ...] = ()

    def find(self, conflict: Conflict) -> Decision | None:
        """The answer to a conflict: one for the object before one for its class, the last of several."""
        wanted = [d for d in self.decisions if d.conflict == conflict.about and d.object in (conflict.id, "all")]
        return max(enumerate(wanted), key=lambda pair: (pair[1].object != "all", pair[0]))[1] if wanted else None

    def approves(self, digest: str) -> Approval | None:
        return next((a for a in reversed(self.approvals) if a.plan == digest), None)

    def waives(self, guard: str, digest: str, now: datetime) -> Waiver | None:
        return next((w for w in reversed(self.waivers) if w.holds(guard, digest, now)), None)


class Answer(_Strict):
    """What was decided for a conflict, and by whom: a person, or the rule `open_conflicts: recommended`."""

    conflict: Conflict
    choice: str
    value: str | None = None
    by: str = ""
    at: str = ""
    why: str = ""


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


def _read(name: str, text: str) -> Decisions:
    try:
        data = read_yaml(text) or {}
    except yaml.YAMLError as error:
        line = error.problem_mark.line + 1 if getattr(error, "problem_mark", None) else "?"
        raise SettingsError(f"{name} is no YAML near line {line}: mend it, then run again.") from None
    return _check(name, data, text)


def _check(name: str, data: Any, text: str = "") -> Decisions:
    try:
        read = Decisions.model_validate(data)
    except ValidationError as error:
        problems = [(entry["loc"], say_problem(entry, Decisions)) for entry in error.errors()]
    else:
        problems = list(_find_slips(read))
    if problems:
        said = (f"line {find_line(text, place)}: {words}" if text else words for place, words in problems)
        raise SettingsError(f"{name}: {'; '.join(said)}.")
    return read


def _find_slips(read: Decisions) -> Iterator[tuple[tuple, str]]:
    """Classes, options and guards that there are not, and where they stand."""
    for number, decision in enumerate(read.decisions):
        place = ("decisions", number)
        if decision.conflict not in CLASSES:
            yield (*place, "conflict"), f"there is no conflict {decision.conflict} ({hint(decision.conflict, CLASSES)})"
        elif decision.choice not in CLASSES[decision.conflict]:
            near = hint(decision.choice, CLASSES[decision.conflict])
            yield (*place, "choice"), f"{decision.conflict} has no option {decision.choice} ({near})"
    for number, waiver in enumerate(read.waivers):
        if waiver.guard not in GUARD_NAMES:
            yield ("waivers", number, "guard"), f"there is no guard {waiver.guard} ({hint(waiver.guard, GUARD_NAMES)})"


def save_decision(path: Path, decision: Decision) -> None:
    """Write one answer at once; it replaces the earlier one for the same object and class."""
    save_decisions(path, [decision])


def save_decisions(path: Path, decisions: Sequence[Decision]) -> None:
    """Write many answers at once; each replaces the earlier one for the same object and class."""
    _put(path, "decisions", decisions, lambda decision: (decision.conflict, decision.object))


def drop_decision(path: Path, about: str, object_id: str) -> None:
    """Take an answer back; the question is open again."""
    _drop(path, "decisions", lambda decision: (decision.conflict, decision.object) == (about, object_id))


def save_approval(path: Path, approval: Approval) -> None:
    """Write that a plan is approved."""
    _change(path, "approvals", lambda old: ({}, [approval]))


def drop_approval(path: Path, digest: str) -> None:
    """Take the approval of a plan back."""
    _drop(path, "approvals", lambda approval: approval.plan == digest)


def save_waiver(path: Path, waiver: Waiver) -> None:
    """Write that a guard is waived for one plan."""
    _change(path, "waivers", lambda old: ({}, [waiver]))


def drop_waiver(path: Path, guard: str, digest: str) -> None:
    """Take back whatever waives the guard for this plan."""
    _drop(path, "waivers", lambda waiver: waiver.guard == guard and digest.startswith(waiver.plan))


def save_sign_off(path: Path, sign_off: SignOff) -> None:
    """Write what a team's lead says; it replaces what was said before."""
    _put(path, "sign_offs", [sign_off], lambda said: said.team)


def drop_sign_off(path: Path, team: str) -> None:
    """Nobody has said anything about the team."""
    _drop(path, "sign_offs", lambda said: said.team == team)


def save_choice(path: Path, choice: Choice) -> None:
    """Write a setting that was chosen; it replaces the earlier choice."""
    _put(path, "choices", [choice], lambda chosen: chosen.setting)


def drop_choice(path: Path, setting: str) -> None:
    """Take a choice back: migration.yaml counts again."""
    _drop(path, "choices", lambda chosen: chosen.setting == setting)


Edit = Callable[[tuple[Any, ...]], tuple[dict[int, Any], list[Any]]]
"""What stands in a list to what changes there, by place (None: it goes), and what is new at its end."""


def _put(path: Path, section: str, records: Sequence[BaseModel], key: Callable[[Any], Any]) -> None:
    """Each where the last with its key stands, earlier ones go; at the end where there is none."""
    given = {key(record): record for record in records}

    def edit(old: tuple[Any, ...]) -> tuple[dict[int, Any], list[Any]]:
        last = {key(record): place for place, record in enumerate(old)}
        found = {place: key(record) for place, record in enumerate(old) if key(record) in given}
        changed = {place: given[name] if last[name] == place else None for place, name in found.items()}
        return changed, [record for name, record in given.items() if name not in last]

    _change(path, section, edit)


def _drop(path: Path, section: str, goes: Callable[[Any], bool]) -> None:
    _change(path, section, lambda old: ({place: None for place, record in enumerate(old) if goes(record)}, []))


def _plain(record: BaseModel | None) -> dict[str, Any] | None:
    return record and {k: v for k, v in record.model_dump().items() if v not in (None, "")}


def _change(path: Path, section: str, edit: Edit) -> None:
    """Read, change, check and write under a lock: two notebooks open at once do not overwrite each other.

    What does not change stays as somebody wrote it, and the file is not touched where nothing does.
    """
    with _locked(path):
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
        plain = {place: _plain(record) for place, record in changed.items()}
        for fresh in edit_list(text, section, plain, [*map(_plain, added)]):
            if _says(path.name, fresh, wanted):
                return write_text(path, fresh)
    raise SettingsError(
        f"{path.name}: only a person can change {section} as they stand there: write the answer by hand."
    )


def _says(name: str, text: str, wanted: Decisions) -> bool:
    try:
        return _read(name, text) == wanted
    except SettingsError:
        return False


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(path.with_name(f".{path.name}.lock"), "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
