"""The forms of what a step leaves in state/ for the next: read in one place, so that whoever takes it may trust it."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, StrictBool, TypeAdapter, model_validator

from pdmigrate.errors import SettingsError, shorten
from pdmigrate.oncall.live import PageLog
from pdmigrate.plan.actions import plan_from_json
from pdmigrate.plan.guards import Refusal
from pdmigrate.wire.forms import FileName, FormError, MomentText, read_form
from pdmigrate.wire.json_text import OF_FILE, JsonError, read_json


class _Form(BaseModel):
    """What must stand there; a later version may write more. What is read stays as it stands: no field is one that is converted."""

    model_config = ConfigDict(extra="allow")


class _Access(_Form):
    subdomain: str
    target: str
    oncall: StrictBool = False
    final_on_lists: StrictBool | None = None


class _Snapshot(_Form):
    file: FileName
    digest: str
    subdomain: str


class _ClockWindows(_Form):
    file: str
    renderings: dict[str, list[dict[str, Any]]]


class _Person(_Form):
    id: str
    state: str
    since: MomentText | None = None


class _Question(_Form):
    about: str
    id: str
    name: str
    question: str


class _Guards(_Form):
    plan: str
    refusals: list[Refusal]


class _Item(BaseModel):
    """Nothing beside: an item is made of all of it."""

    model_config = ConfigDict(extra="forbid")
    key: str
    kind: str
    ids: list[str]
    name: str
    file: str = ""
    link: str = ""
    back: str = ""
    expected: str = ""
    digest: str = ""


class _Row(BaseModel):
    keys: list[str]
    row: list[tuple[str, Any]]


class _Contact(BaseModel):
    name: str
    email: str


def _check_place(path: str) -> str:
    if path.startswith(("/", "\\")) or ".." in path or "\0" in path:
        raise ValueError("is no place in the folder")
    return path


Place = Annotated[str, AfterValidator(_check_place)]


class _Files(BaseModel):
    model_config = ConfigDict(extra="forbid")
    texts: dict[Place, str] = {}
    sheets: dict[Place, list[_Row]] = {}
    people: dict[str, _Contact] = {}

    @model_validator(mode="after")
    def _check_schema(self) -> "_Files":
        if any(path.endswith(".yaml") for path in self.texts) and "schema.json" not in self.texts:
            raise ValueError("schema.json is missing beside the YAML files")
        for place, rows in self.sheets.items():
            if len({tuple(name for name, _ in row.row) for row in rows}) > 1:
                raise ValueError(f"the rows of {shorten(place)} have different columns")
        return self


class _Handover(_Form):
    plan: str = ""
    items: list[_Item] = []
    files: _Files = _Files()


class _Tested(BaseModel):
    model_config = ConfigDict(extra="forbid")
    by: str
    at: str


class _Ticked(_Tested):
    digest: str
    evidence: str = ""


class _Given(_Form):
    digest: str
    folder: str


class _Team(BaseModel):
    name: str
    page: Place
    choice: str
    troubles: list[str]
    waits: list[str]


class _Teams(_Form):
    run: Place
    teams: list[_Team]


class _Replay(_Form):
    since: MomentText
    until: MomentText
    pages: dict[str, int]
    unexplained: int
    misread: int


class _Feed(_Form):
    state: str
    expected: int
    came: int


class _Parallel(_Form):
    since: MomentText
    until: MomentText
    alerts: dict[str, int]
    computed: dict[str, int]
    unexplained: int
    feed: _Feed


def _check(form: Any) -> Callable[[Any], object]:
    adapter = TypeAdapter(form)
    return lambda data: read_form(adapter, data)


FORMS: dict[str, tuple[str, Callable[[Any], object]]] = {
    "access": ("connect", _check(_Access)),
    "snapshot": ("preview", _check(_Snapshot)),
    "clock_windows": ("conflicts", _check(_ClockWindows)),
    "people": ("invite", _check(list[_Person])),
    "nameable": ("conflicts", _check(dict[str, list[str]])),
    "names": ("conflicts", _check(dict[str, dict[str, str]])),
    "asked": ("conflicts", _check(dict[str, str])),
    "questions": ("conflicts", _check(list[_Question])),
    "strays": ("conflicts", _check(list[str])),
    "guards": ("conflicts", _check(_Guards)),
    "plan": ("conflicts", plan_from_json),
    "parity": ("verify", _check(dict[str, int])),
    "teams": ("verify", _check(_Teams)),
    "replay": ("replay", _check(_Replay)),
    "live": ("", _check(PageLog)),
    "parallel": ("parallel", _check(_Parallel)),
    "handover": ("conflicts", _check(_Handover)),
    "handover_ticks": ("", _check(dict[str, _Ticked])),
    "ticks": ("", _check(dict[str, _Tested])),
    "handover_given": ("load", _check(dict[str, _Given])),
}
"""A state's name to the step that makes it anew ("": only people can), and what checks its form. Others are only written."""


def read_state(path: Path, name: str) -> Any:
    """What a step left, in its form. Raises SettingsError that names the field, and what makes the file anew."""
    step, check = FORMS.get(name, ("", lambda data: data))
    mend = f"run {step} again, once the file is removed" if step else "restore it from a copy, or remove it"
    data = read_json_file(path, f"state/{path.name}", mend)
    try:
        check(data)
    except FormError as error:
        raise SettingsError(f"state/{path.name} is damaged ({error}): {mend}.") from None
    return data


def read_json_file(path: Path, name: str, mend: str) -> Any:
    """The JSON in a file of ours. Raises SettingsError with the name, the reason, and how it is mended."""
    try:
        return read_json(read_within(path, OF_FILE.size))
    except (OSError, JsonError) as error:
        why = str(error) if isinstance(error, JsonError) else f"it cannot be read, {type(error).__name__}"
        raise SettingsError(f"{name} is damaged ({shorten(why)}): {mend}.") from None


def read_within(path: Path, most: int) -> bytes:
    """The bytes of a file; no more than tell that it is too long."""
    with path.open("rb") as file:
        return file.read(min(most, os.fstat(file.fileno()).st_size) + 1)  # a buffer is as large as what is asked for
