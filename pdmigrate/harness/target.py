"""The protocol that a target implements, and how targets other than Harness are found. docs/targets.md has an example.

A target keeps a company's on-call set-up in the words of `harness.records`. A package offers one by an entry point in
the group `pdmigrate.targets`: its name is the `target.kind` of migration.yaml, its object a function that takes a Place
and returns a Target.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any, Protocol

from pdmigrate.errors import SettingsError
from pdmigrate.harness.address import Address
from pdmigrate.harness.records import Coverage, Person, State
from pdmigrate.wire.counts import Counts
from pdmigrate.wire.network import Network

GROUP = "pdmigrate.targets"
"""The entry points that offer targets."""
OWN = ("embedded", "harness")
"""The kinds that pdmigrate brings along."""


@dataclass(frozen=True)
class Place:
    """What a target from another package gets to open itself: its part of migration.yaml.

    api_key: the secret itself, "" where none is named. folder: the workspace's. options: `target.options`, unchecked.
    network: the CA bundle and the proxy that migration.yaml names for both sides.
    """

    address: Address
    api_key: str
    folder: Path
    options: dict[str, Any] = field(default_factory=dict)
    network: Network = field(default_factory=Network)


@dataclass(frozen=True)
class TargetAccess:
    """What a target says when connect asks it.

    target: its name. oncall: whether it takes on-call objects, which otherwise become work for people. door: what it
    answered instead of the on-call contract. key: what sort of key it was asked with.
    """

    target: str
    oncall: bool
    door: str = ""
    key: str = ""


class Change(Protocol):
    """One object as it shall be.

    kind: teams, contact_methods, notification_rules, schedules, overrides, escalation_policies or services. identifier:
    the target's own, for the second and third the person's email, for an override SCHEDULE/OVERRIDE. key: PagerDuty's id.
    before: the fields that are there now, None where the object is not. after: the fields to write, named as in
    `harness.records`, as JSON; None: an override that is taken back.
    """

    @property
    def kind(self) -> str: ...
    @property
    def key(self) -> str: ...
    @property
    def identifier(self) -> str: ...
    @property
    def name(self) -> str: ...
    @property
    def before(self) -> dict[str, Any] | None: ...
    @property
    def after(self) -> dict[str, Any] | None: ...


class Target(Protocol):
    """Where the on-call set-up goes. Harness, the embedded Harness and a survey are targets.

    What goes wrong is a SideError: an AnswerError is about one object and stops only what needs it, any other means that
    the target is gone and stops the load. Up to four writes come at once, and one call of invite_people beside them; up to six
    calls of read_coverage; all from threads. The same write may come twice.
    """

    @property
    def address(self) -> Address:
        """Where it is. Its name stands in the plan's digest."""
        ...

    @property
    def counts(self) -> Counts:
        """What was sent to it so far."""
        ...

    def check_scope(self) -> TargetAccess:
        """Whether the key is good and the place is there. Raises KeyRefusedError or WrongAccountError."""
        ...

    def read_state(self) -> State:
        """Everything of it that concerns a migration, as it is now."""
        ...

    def read_coverage(self, identifier: str, start: datetime, end: datetime) -> tuple[Coverage, ...]:
        """Who is on call in a schedule from start to end, by the target's own reckoning: verify compares it."""
        ...

    def write_change(self, change: Change, people: Mapping[str, Person]) -> str:
        """Create the object or bring it to `after`; what is not in `after` stays. people: by email, from read_state.

        Returns a note for the journal, mostly "".
        """
        ...

    def invite_people(self, emails: Sequence[str], groups: Sequence[str], roles: Sequence[str]) -> dict[str, str]:
        """Invite them into these user groups with these roles, nobody twice. Returns by email "", or what went wrong."""
        ...

    def remove_created(self, kind: str, identifier: str, state: State) -> None:
        """Take back what a load has created: for undo. What is gone already is no error. A person's account stays."""
        ...


def list_kinds() -> list[str]:
    """What `target.kind` may be: our own kinds and those of installed packages."""
    return sorted({*OWN, *entry_points(group=GROUP).names})


def open_offered(kind: str, place: Place) -> Target:
    """A target that an installed package offers. Raises SettingsError where it is gone or cannot be imported."""
    for offer in entry_points(group=GROUP, name=kind):
        try:
            opens: Callable[[Place], Target] = offer.load()
        except (ImportError, AttributeError) as error:
            raise SettingsError(f"target.kind {kind}: {offer.value} cannot be imported ({error}).") from None
        return opens(place)
    raise SettingsError(f"target.kind: there is no {kind}; there are {', '.join(list_kinds())}.")
