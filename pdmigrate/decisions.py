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

from pdmigrate.classes import CLASSES, GUARD_NAMES
from pdmigrate.errors import SettingsError
from pdmigrate.strict import find_line, hint, say_problem
from pdmigrate.workspace import canonical_json, write_text


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
    if not path.is_file():
        return Decisions()
    try:
        text = path.read_text(encoding="utf-8")
        data = yaml.safe_load(text) or {}
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        line = error.problem_mark.line + 1 if getattr(error, "problem_mark", None) else "?"
        raise SettingsError(f"{path.name} is no YAML near line {line}: mend it, then run again.") from None
    return _check(path.name, data, text)


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
    _change(path, lambda old: {**old, "decisions": [*_others(old, decision), _plain(decision)]})


def save_decisions(path: Path, decisions: Sequence[Decision]) -> None:
    """Write many answers at once; each replaces the earlier one for the same object and class."""
    taken = {(d.conflict, d.object) for d in decisions}

    def edit(old: dict) -> dict:
        others = [d for d in old.get("decisions", []) if (d["conflict"], d["object"]) not in taken]
        return {**old, "decisions": [*others, *map(_plain, decisions)]}

    _change(path, edit)


def drop_decision(path: Path, about: str, object_id: str) -> None:
    """Take an answer back; the question is open again."""
    gone = Decision(conflict=about, object=object_id, choice="-")
    _change(path, lambda old: {**old, "decisions": _others(old, gone)})


def save_approval(path: Path, approval: Approval) -> None:
    """Write that a plan is approved."""
    _change(path, lambda old: {**old, "approvals": [*old.get("approvals", []), _plain(approval)]})


def save_waiver(path: Path, waiver: Waiver) -> None:
    """Write that a guard is waived for one plan."""
    _change(path, lambda old: {**old, "waivers": [*old.get("waivers", []), _plain(waiver)]})


def drop_waiver(path: Path, guard: str, digest: str) -> None:
    """Take back whatever waives the guard for this plan."""

    def edit(old: dict) -> dict:
        kept = [w for w in old.get("waivers", []) if w["guard"] != guard or not digest.startswith(w["plan"])]
        return {**old, "waivers": kept}

    _change(path, edit)


def drop_approval(path: Path, digest: str) -> None:
    """Take the approval of a plan back."""
    _change(path, lambda old: {**old, "approvals": [a for a in old.get("approvals", []) if a["plan"] != digest]})


def save_sign_off(path: Path, sign_off: SignOff) -> None:
    """Write what a team's lead says; it replaces what was said before."""
    _change(path, lambda old: {**old, "sign_offs": [*_other_teams(old, sign_off.team), _plain(sign_off)]})


def drop_sign_off(path: Path, team: str) -> None:
    """Nobody has said anything about the team."""
    _change(path, lambda old: {**old, "sign_offs": _other_teams(old, team)})


def _other_teams(old: dict, team: str) -> list[dict]:
    return [sign_off for sign_off in old.get("sign_offs", []) if sign_off["team"] != team]


def save_choice(path: Path, choice: Choice) -> None:
    """Write a setting that was chosen; it replaces the earlier choice."""
    _change(path, lambda old: {**old, "choices": [*_other_choices(old, choice.setting), _plain(choice)]})


def drop_choice(path: Path, setting: str) -> None:
    """Take a choice back: migration.yaml counts again."""
    _change(path, lambda old: {**old, "choices": _other_choices(old, setting)})


def _other_choices(old: dict, setting: str) -> list[dict]:
    return [choice for choice in old.get("choices", []) if choice["setting"] != setting]


def _others(old: dict, decision: Decision) -> list[dict]:
    same = (decision.conflict, decision.object)
    return [d for d in old.get("decisions", []) if (d["conflict"], d["object"]) != same]


def _plain(record: BaseModel) -> dict[str, Any]:
    return {k: v for k, v in record.model_dump().items() if v not in (None, "")}


def _change(path: Path, edit: Callable[[dict], dict]) -> None:
    """Read, change, check and write under a lock: two notebooks open at once do not overwrite each other."""
    with _locked(path):
        data = edit(read_decisions(path).model_dump(mode="json", exclude_defaults=True))
        _check(path.name, data)
        write_text(path, yaml.safe_dump(data, sort_keys=False, allow_unicode=True))


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(path.with_name(f".{path.name}.lock"), "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
