"""Harness's objects as frozen records, in Harness's words: the desired state and the existing one have the same types.

Schedule, policy, on-call service, contact details and notification rule are those of docs/oncall-contract.md, ours.
People are named by lower-case email, since an invited person has no id yet.
"""

from datetime import datetime
from functools import cached_property
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StrictInt, StrictStr, field_validator

from pdmigrate.oncall.paging import MOST_LEVELS


def _to_lower(value: str | None) -> str | None:
    return value.strip().lower() if value else value


ChannelType = Literal["email", "phone", "sms"]
Email = Annotated[str, AfterValidator(_to_lower)]


class Record(BaseModel):
    """What is set of a wanted one (`model_fields_set`) is what we own of the object; an existing one has all its fields."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class Person(Record):
    """Somebody in the project: with an account (`uuid`), or invited only (`invite`)."""

    email: Email
    name: str = ""
    uuid: str | None = None
    invite: str | None = None
    disabled: bool = False
    locked: bool = False

    @property
    def accepted(self) -> bool:
        return self.uuid is not None


class Membership(Record):
    """A person as wanted in the project. An invitation names these groups, by identifier, and roles."""

    email: Email
    groups: tuple[str, ...] = ()
    roles: tuple[str, ...] = ()


class UserGroup(Record):
    """`users` are emails, sorted. Pending people are in it once they accept; their invite names the group."""

    identifier: str
    name: str
    description: str = ""
    users: tuple[Email, ...] = ()
    externally_managed: bool = False
    tags: dict[str, str] = {}


class Window(Record):
    """Opens every week on `day` (1 is Monday) at `start` by the wall clock of the schedule's zone, for `seconds`."""

    day: int
    start: str
    seconds: int


class Rotation(Record):
    """Participants in order, None is an empty place. `anchor` is naive local time, `since` and `until` are instants."""

    name: str
    participants: tuple[Email | None, ...]
    anchor: datetime
    turn_seconds: int
    windows: tuple[Window, ...] = ()
    since: datetime | None = None
    until: datetime | None = None


class Override(Record):
    """Replaces whoever is on call, from `start` to `end`."""

    identifier: str
    person: Email
    start: datetime
    end: datetime


class Schedule(Record):
    identifier: str
    name: str
    description: str = ""
    time_zone: str
    owner_group: str | None = None
    rotations: tuple[Rotation, ...] = ()
    overrides: tuple[Override, ...] = ()

    @field_validator("rotations")
    @classmethod
    def _check_names(cls, rotations: tuple[Rotation, ...]) -> tuple[Rotation, ...]:
        if len({rotation.name for rotation in rotations}) < len(rotations):
            raise ValueError("two of them have one name, by which they are told apart")
        return rotations


class LevelTarget(Record):
    type: Literal["user", "schedule", "user_group", "rotation"]
    id: str


class Level(Record):
    timeout_minutes: int = Field(ge=0)
    retries: int = Field(default=0, ge=0)
    targets: tuple[LevelTarget, ...] = ()


class EscalationPolicy(Record):
    identifier: str
    name: str
    description: str = ""
    owner_group: str | None = None
    levels: tuple[Level, ...] = ()

    @field_validator("levels")
    @classmethod
    def _check_number(cls, levels: tuple[Level, ...]) -> tuple[Level, ...]:
        if sum(level.retries + 1 for level in levels) > MOST_LEVELS:
            raise ValueError(f"it has more than {MOST_LEVELS:,} levels, their retries counted")
        return levels


class Service(Record):
    """A CD service of the project with its on-call settings. `paging` and `rule_policy` are its alert rule's."""

    identifier: str
    name: str
    description: str = ""
    owner_group: str | None = None
    escalation_policy: str | None = None
    paging: bool = False
    rule_policy: str | None = None


class AlertRule(Record):
    """What becomes of alerts of a service: paging or only logged, by which policy. No rule: logged, pages nobody."""

    identifier: str
    name: str
    service: str
    paging: bool = False
    escalation_policy: str | None = None
    default_service: bool = False


class Contact(Record):
    type: ChannelType
    address: str
    label: str = "Other"


class ContactDetails(Record):
    email: Email
    methods: tuple[Contact, ...] = ()


class Channel(Record):
    type: ChannelType
    address: str


class Step(Record):
    """`wait_minutes` is the wait before the step, counted from the step before it."""

    methods: tuple[Channel, ...]
    wait_minutes: int


class NotificationRule(Record):
    email: Email
    steps: tuple[Step, ...] = ()


class Capabilities(Record):
    """What a server says that speaks our contract: its version, and the kinds that it takes."""

    version: StrictInt
    kinds: tuple[StrictStr, ...]


class Coverage(Record):
    """Who is on call from `start` to `end`, as the target itself answers."""

    start: datetime
    end: datetime
    people: tuple[Email, ...]


class State(Record):
    """All of the target that concerns us, read at one time. Dicts are by identifier, people's by email.

    `oncall` says whether the on-call contract was there to be read; without it those dicts are empty.
    """

    people: dict[str, Person] = {}
    groups: dict[str, UserGroup] = {}
    services: dict[str, Service] = {}
    schedules: dict[str, Schedule] = {}
    policies: dict[str, EscalationPolicy] = {}
    contacts: dict[str, ContactDetails] = {}
    rules: dict[str, NotificationRule] = {}
    alert_rules: dict[str, AlertRule] = {}
    oncall: bool = False

    @cached_property
    def overrides(self) -> dict[str, Override]:
        """Those of all schedules, as SCHEDULE/OVERRIDE."""
        schedules = self.schedules.values()
        return {f"{schedule.identifier}/{o.identifier}": o for schedule in schedules for o in schedule.overrides}

    @cached_property
    def paged_groups(self) -> frozenset[str]:
        """The groups that a level of any policy pages."""
        levels = (level for policy in self.policies.values() for level in policy.levels)
        return frozenset(target.id for level in levels for target in level.targets if target.type == "user_group")

    @cached_property
    def by_name(self) -> dict[tuple[str, str], list[Any]]:
        """The objects of each of these dicts that have a name, by the dict's own and theirs, whatever its case."""
        found: dict[tuple[str, str], list[Any]] = {}
        for kind in ("groups", "schedules", "policies", "services"):
            for one in getattr(self, kind).values():
                found.setdefault((kind, one.name.casefold()), []).append(one)
        return found

    def model_copy(self, **said: Any) -> "State":
        """Copies are made without what is cached."""
        made = super().model_copy(**said)
        for name in vars(made).keys() - type(made).model_fields.keys():
            del vars(made)[name]
        return made
