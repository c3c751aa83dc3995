"""A target in a file: what a Harness project had at one time, to plan against where its keys are not at hand.

Whoever holds the keys makes the file with `pdmigrate survey DIR --to FILE`; it holds names, emails and phone numbers of
the project, and no key. Against it everything works but load.
"""

import zlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from pathlib import Path

from pydantic import AwareDatetime, BaseModel, TypeAdapter

from pdmigrate.errors import RefusedError, SettingsError
from pdmigrate.harness.address import Address
from pdmigrate.harness.records import Coverage, Person, State
from pdmigrate.harness.target import Change, Target, TargetAccess
from pdmigrate.wire.counts import Counts
from pdmigrate.wire.forms import read_form
from pdmigrate.workspace.folder import describe_damage, read_packed, write_packed

FORMAT = 1
READ_ONLY = "This target is a survey, a file: nothing is written. Name the real one to load."


def save_survey(target: Target, path: Path, taken: datetime, start: datetime, end: datetime) -> State:
    """Read the project and write it down, with who is on call from start to end. Returns what was read."""
    found = target.check_scope()
    state = target.read_state()
    coverage = {
        identifier: [entry.model_dump(mode="json") for entry in target.read_coverage(identifier, start, end)]
        for identifier in state.schedules
    }
    head = {"format": FORMAT, "taken": taken.isoformat(), **asdict(target.address)}
    write_packed(
        path.parent.resolve() / path.name,
        {**head, "access": asdict(found), "state": state.model_dump(mode="json"), "coverage": coverage},
    )
    return state


class _Stored(BaseModel):
    """The form of the file."""

    format: int
    taken: AwareDatetime
    base_url: str
    account: str
    org: str
    project: str
    access: TargetAccess
    state: State
    coverage: dict[str, tuple[Coverage, ...]]


_STORED = TypeAdapter(_Stored)


class Survey:
    """A Target that answers from a file, and takes nothing. taken: when the file was made."""

    def __init__(self, stored: _Stored):
        self.address = Address(stored.base_url, stored.account, stored.org, stored.project)
        self.counts = Counts()
        self.taken = stored.taken
        self._access, self._coverage, self._state = stored.access, stored.coverage, stored.state

    def check_scope(self) -> TargetAccess:
        return self._access

    def read_state(self) -> State:
        return self._state

    def read_coverage(self, identifier: str, start: datetime, end: datetime) -> tuple[Coverage, ...]:
        """What the target said when the survey was made, as far as it falls into the window."""
        entries = self._coverage.get(identifier, ())
        return tuple(entry for entry in entries if entry.start < end and entry.end > start)

    def write_change(self, change: Change, people: Mapping[str, Person]) -> str:
        raise RefusedError(READ_ONLY)

    def invite_people(self, emails: Sequence[str], groups: Sequence[str], roles: Sequence[str]) -> dict[str, str]:
        raise RefusedError(READ_ONLY)

    def remove_created(self, kind: str, identifier: str, state: State) -> None:
        raise RefusedError(READ_ONLY)


def load_survey(path: Path) -> Survey:
    """Read a survey. Raises SettingsError where it is none, is damaged, or is of a newer format."""
    try:
        data = read_packed(path)
        if isinstance(data, dict) and isinstance(told := data.get("format"), int) and told != FORMAT:
            raise SettingsError(f"The survey {path.name} has format {told}, this pdmigrate reads {FORMAT}.")
        return Survey(read_form(_STORED, data))
    except FileNotFoundError:
        raise SettingsError(f"There is no survey {path}: check target.survey in migration.yaml.") from None
    except (OSError, EOFError, zlib.error, ValueError) as error:
        raise SettingsError(f"The survey {path.name} is damaged ({describe_damage(error)}): make it again.") from None
