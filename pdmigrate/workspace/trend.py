"""What one run of verify or replay found, in numbers, as the journal keeps it: a row a run, so that a team sees readiness grow."""

import hashlib
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime
from pathlib import PurePosixPath
from typing import Annotated, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, Field, TypeAdapter

from pdmigrate.wire.canonical import canonical_json
from pdmigrate.wire.forms import FormError, MomentText, read_form
from pdmigrate.wire.json_text import JsonError, read_json

Measurer = Literal["verify", "replay"]
Count = Annotated[int, Field(ge=0, le=10**9, strict=True)]
Figures = dict[str, dict[str, Count]]
"""What was counted to how many of each grade: services, schedules, policies, people, questions, by_hand; pages of a replay."""
LONGEST = 300
"""Letters of an error; the whole of it stands in the run's folder."""


def _check_place(text: str) -> str:
    if PurePosixPath(text).is_absolute() or ".." in PurePosixPath(text).parts:
        raise ValueError("leads out of the workspace")
    return text


def _check_zone(text: str) -> str:
    try:
        return ZoneInfo(text).key
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError("is no time zone") from None


@dataclass(frozen=True)
class Measured:
    """One run. A run that failed has an error and no figures; what was not counted is not in them.

    source: the PagerDuty account. run: its folder, as seen from the workspace, "" where it lies elsewhere. plan, snapshot: their digests. scope: the digest
    of the ids of the services in scope, since as many need not be the same. zone: in which the account tells its days.
    """

    step: Measurer
    at: MomentText
    source: Annotated[str, Field(max_length=200)] = ""
    run: Annotated[str, Field(max_length=300), AfterValidator(_check_place)] = ""
    exit_code: Annotated[int, Field(ge=0, le=255, strict=True)] = 0
    error: Annotated[str, Field(max_length=LONGEST + 1)] = ""
    plan: Annotated[str, Field(max_length=100)] = ""
    snapshot: Annotated[str, Field(max_length=100)] = ""
    scope: Annotated[str, Field(max_length=100)] = ""
    zone: Annotated[str, AfterValidator(_check_zone)] = "UTC"
    figures: Figures = field(default_factory=dict)

    @property
    def moment(self) -> datetime:
        return datetime.fromisoformat(self.at)

    def count(self, kind: str, grade: str) -> int | None:
        """None where it was not counted."""
        return self.figures.get(kind, {}).get(grade)

    def count_all(self, kind: str) -> int | None:
        return sum(self.figures[kind].values()) if kind in self.figures else None


_FORM = TypeAdapter(Measured)


def digest_names(names: set[str]) -> str:
    return hashlib.sha256(canonical_json(sorted(names)).encode()).hexdigest()[:16]


def pack(measured: Measured) -> dict[str, str]:
    """The cells of its row."""
    short = replace(measured, error=measured.error[:LONGEST] + "…" * (len(measured.error) > LONGEST))
    text = canonical_json(asdict(short))
    return {"measured": text, "checksum": _checksum(text)}


def unpack(text: object, checksum: object) -> Measured:
    """What stands in a row. Raises FormError where it is damaged, or not as it was written."""
    if not isinstance(text, str) or checksum != _checksum(text):
        raise FormError("it is not what was written")
    try:
        return read_form(_FORM, read_json(text))
    except JsonError as error:
        raise FormError(str(error)) from None


def _checksum(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()
