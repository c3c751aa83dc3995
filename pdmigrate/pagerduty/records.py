"""PagerDuty's objects as frozen records, in PagerDuty's words, made from the answers of its API.

A record keeps what matters for the migration. What arrives in an unusable form becomes a Problem that names the object,
and stops only what depends on it. Times are aware; time zones are the names that PagerDuty gave, not yet checked.
"""

import sys
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    ValidationInfo,
    field_validator,
    model_validator,
)

from pdmigrate.oncall.paging import MOST_LEVELS


def _drop_reference_suffix(value: Any) -> Any:
    return sys.intern(value.removesuffix("_reference")) if isinstance(value, str) else value


MARGIN = timedelta(days=2)
"""A time that is nearer than this to the calendar's own ends cannot be told in every zone."""


def _check_moment(value: datetime) -> datetime:
    if value.tzinfo is None:
        raise ValueError("has no offset")
    if datetime.min.year < value.year < datetime.max.year:
        return value
    naive = value.replace(tzinfo=None)
    if naive - datetime.min < MARGIN or datetime.max - naive < MARGIN:
        raise ValueError(f"is in the year {value.year}, and no clock can tell it: mend it in PagerDuty")
    return value


def _write_utc(value: datetime) -> str:
    return value.astimezone(UTC).isoformat()


Moment = Annotated[datetime, AfterValidator(_check_moment), PlainSerializer(_write_utc, when_used="json")]
"""An instant. PagerDuty writes one in many zones, a digest must have one spelling: in JSON it is UTC."""
Type = Annotated[str, BeforeValidator(_drop_reference_suffix)]
"""`user` and `user_reference` are one type: PagerDuty answers with either."""


def sort_by_id(rows: tuple[Any, ...]) -> tuple[Any, ...]:
    """For lists whose order means nothing: a digest, and whatever is made of the first, must not hang on it."""
    return tuple(sorted(rows, key=lambda row: row.id))


Unordered = AfterValidator(sort_by_id)


def _take_type(value: Any) -> Any:
    return value.get("type") if isinstance(value, dict) else value


Strategy = Annotated[Literal["assign_to_everyone", "round_robin"], BeforeValidator(_take_type)]
"""PagerDuty's OpenAPI file says a string, some answers hold an object with a type."""


_NO_FIELDS: set[str] = set()


class Record(BaseModel):
    """What all records are: frozen, and without the fields that nothing here needs.

    A list without which nobody can say who is paged has no default: a row without it is no record. ASKED are the parts
    that an answer has only where they were asked for; a record that can do without them names those it is without in
    its field `unread`. Neither is ever taken for an empty list.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")
    ASKED: ClassVar[tuple[str, ...]] = ()

    @model_validator(mode="before")
    @classmethod
    def _drop_nulls(cls, value: Any) -> Any:
        """A field that is null is as good as absent: recorded answers have both."""
        if not isinstance(value, dict):
            return value
        if not cls.ASKED and None not in value.values():
            return value
        kept = {k: v for k, v in value.items() if v is not None and not (k == "unread" and cls.ASKED)}
        unread = tuple(part for part in cls.ASKED if part not in kept)
        return {**kept, "unread": unread} if unread else kept

    @model_validator(mode="after")
    def _forget_set_fields(self) -> Self:
        """Which fields its row had is asked of no record, and would be half of what an account takes in memory."""
        object.__setattr__(self, "__pydantic_fields_set__", _NO_FIELDS)
        return self


@dataclass(frozen=True)
class Found:
    """What a row has that does not go to Harness: the field's path without ids, and what is to be said of it."""

    path: str
    reason: str = ""
    pages: bool = False


class Noted(Record):
    """A record with what its row had beyond it; the notes are made while it is read, and hold no values."""

    left_fields: tuple[Found, ...] = ()
    unknown_fields: tuple[Found, ...] = ()


class Reference(Record):
    """A pointer at another object. `deleted_at` says that the object is gone; absence from a list does not."""

    id: str
    type: Type = ""
    summary: str | None = None
    deleted_at: str | None = None


class ContactMethod(Noted):
    """A way to reach somebody. `address` is None where PagerDuty gave a reference only."""

    id: str
    type: Type
    label: str | None = None
    summary: str | None = None
    address: str | None = None
    country_code: int | None = None
    blacklisted: bool = False
    enabled: bool = True


class NotificationRule(Noted):
    """After `start_delay_in_minutes` (from the assignment) one contact method is used; None where only a reference came."""

    id: str
    type: Type = "assignment_notification_rule"
    summary: str | None = None
    urgency: str | None = None
    start_delay_in_minutes: int | None = None
    contact_method: Reference | None = None


class User(Noted):
    ASKED = ("contact_methods", "notification_rules", "teams")
    id: str
    name: str
    email: str
    time_zone: str | None = None
    role: str | None = None
    job_title: str | None = None
    teams: Annotated[tuple[Reference, ...], Unordered] = ()
    contact_methods: Annotated[tuple[ContactMethod, ...], Unordered] = ()
    notification_rules: Annotated[tuple[NotificationRule, ...], Unordered] = ()
    unread: tuple[str, ...] = ()


class Member(Record):
    """A user in a team, with the role in that team (manager, responder, observer)."""

    user: Reference
    role: str | None = None

    @property
    def id(self) -> str:
        return self.user.id


class Team(Noted):
    """unread: `members`, where nothing was answered to the question who is in it."""

    id: str
    name: str
    description: str | None = None
    parent: Reference | None = None
    members: Annotated[tuple[Member, ...], Unordered] = ()
    unread: tuple[str, ...] = ()


class Restriction(Record):
    """A wall-clock window in the schedule's zone. `start_day_of_week` 1 is Monday; only weekly ones have it.

    PagerDuty's OpenAPI file: the day is "only required for use with a weekly_restriction"; what stands there of a daily
    one (clients write an unset day as 0) means nothing.
    """

    type: Literal["daily_restriction", "weekly_restriction"]
    start_time_of_day: str = Field(pattern=r"^\d\d:\d\d(:\d\d)?$")
    duration_seconds: int = Field(gt=0)
    start_day_of_week: int | None = Field(default=None, ge=1, le=7)

    @model_validator(mode="before")
    @classmethod
    def _drop_day(cls, value: Any) -> Any:
        daily = isinstance(value, dict) and value.get("type") == "daily_restriction"
        return {k: v for k, v in value.items() if k != "start_day_of_week"} if daily else value

    @model_validator(mode="after")
    def _check_day(self) -> "Restriction":
        if self.type == "weekly_restriction" and self.start_day_of_week is None:
            raise ValueError("a weekly restriction needs start_day_of_week")
        return self


class LayerUser(Record):
    user: Reference


class Layer(Record):
    """Turns of users, between `start` and `end` (None = for ever), inside the restrictions (none = always)."""

    id: str
    name: str | None = None
    start: Moment
    end: Moment | None = None
    rotation_virtual_start: Moment
    rotation_turn_length_seconds: int = Field(gt=0)
    users: tuple[LayerUser, ...]
    restrictions: tuple[Restriction, ...] = ()


class RenderedEntry(Record):
    """Somebody is on call from `start` to `end`: a rendered entry, or an override."""

    id: str | None = None
    start: Moment
    end: Moment
    user: Reference | None = None


class Rendered(Record):
    """PagerDuty's own word on who is on call, over the window that was asked for."""

    rendered_schedule_entries: tuple[RenderedEntry, ...] = ()


def is_rendered(part: Any, entries: str = "rendered_schedule_entries") -> bool:
    """Whether PagerDuty has rendered a part of an answer. Without since and until its list is empty, its coverage null.

    entries: the part's name for what it shows (PagerDuty's OpenAPI file: "Returns null unless since or until are set").
    """
    shown = part.get(entries) if isinstance(part, dict) else None
    return isinstance(shown, list) and (bool(shown) or part.get("rendered_coverage_percentage", 0) is not None)


def drop_unrendered(value: Any, parts: tuple[str, ...], entries: str) -> Any:
    """A row without those parts of it that were not rendered (see is_rendered)."""
    empty = [
        name
        for name in parts
        if isinstance(value, dict) and isinstance(part := value.get(name), dict)
        if not part.get(entries) and not is_rendered(part, entries)
    ]
    return {k: v for k, v in value.items() if k not in empty} if empty else value


class Schedule(Noted):
    """A v2 (layer-based) schedule. The first layer of the array is the top one, and the top wins (PagerDuty API).

    final_schedule: None where PagerDuty has rendered nothing, so that nothing can be judged by it.
    """

    ASKED = ("overrides_subschedule",)
    id: str
    name: str
    type: Type = "schedule"
    description: str | None = None
    time_zone: str
    teams: Annotated[tuple[Reference, ...], Unordered] = ()
    escalation_policies: Annotated[tuple[Reference, ...], Unordered] = ()
    schedule_layers: tuple[Layer, ...]
    overrides_subschedule: Rendered = Rendered()
    final_schedule: Rendered | None = None
    unread: tuple[str, ...] = ()

    @model_validator(mode="before")
    @classmethod
    def _drop_unrendered(cls, value: Any) -> Any:
        """What was not rendered says nothing: an empty list in it is not "none". What has another form is complained of."""
        return drop_unrendered(value, ("overrides_subschedule", "final_schedule"), "rendered_schedule_entries")

    @property
    def overrides(self) -> tuple[RenderedEntry, ...]:
        """Those that were read; `unread` tells where that is no answer."""
        return self.overrides_subschedule.rendered_schedule_entries


class EscalationRule(Record):
    id: str
    escalation_delay_in_minutes: int = Field(ge=0)
    targets: tuple[Reference, ...]
    escalation_rule_assignment_strategy: Strategy | None = None

    @property
    def round_robin(self) -> bool:
        return self.escalation_rule_assignment_strategy == "round_robin"


class EscalationPolicy(Noted):
    """Levels in order. `num_loops` is how often the whole chain is run again."""

    id: str
    name: str
    description: str | None = None
    escalation_rules: tuple[EscalationRule, ...]
    num_loops: int = Field(default=0, ge=0, validate_default=True)
    teams: Annotated[tuple[Reference, ...], Unordered] = ()

    @field_validator("num_loops")
    @classmethod
    def _check_number(cls, loops: int, info: ValidationInfo) -> int:
        if len(info.data.get("escalation_rules", ())) * (loops + 1) > MOST_LEVELS:
            raise ValueError(f"it has more than {MOST_LEVELS:,} levels, its repetitions counted")
        return loops


class UrgencyRule(Record):
    """`type` constant or use_support_hours; `urgency` only with constant: high, low or severity_based."""

    type: str | None = None
    urgency: str | None = None
    during_support_hours: "UrgencyRule | None" = None
    outside_support_hours: "UrgencyRule | None" = None


class SupportHours(Record):
    """Clock times in `time_zone`, on the days 1 (Monday) to 7; no days means every day."""

    type: str | None = None
    time_zone: str | None = None
    days_of_week: tuple[int, ...] | None = None
    start_time: str | None = None
    end_time: str | None = None


class Integration(Record):
    """What sends to a service. The key is a secret and is never part of the record."""

    id: str
    type: Type = ""
    summary: str | None = None


class Service(Noted):
    ASKED = ("integrations",)
    id: str
    name: str
    description: str | None = None
    status: str | None = None
    escalation_policy: Reference | None = None
    teams: Annotated[tuple[Reference, ...], Unordered] = ()
    integrations: Annotated[tuple[Integration, ...], Unordered] = ()
    incident_urgency_rule: UrgencyRule | None = None
    support_hours: SupportHours | None = None
    acknowledgement_timeout: int | None = None
    auto_resolve_timeout: int | None = None
    last_incident_timestamp: str | None = None
    unread: tuple[str, ...] = ()

    @model_validator(mode="before")
    @classmethod
    def _name_from_summary(cls, value: Any) -> Any:
        """Some recorded answers have the name as summary only."""
        if isinstance(value, dict) and not value.get("name"):
            return {**value, "name": value.get("summary")}
        return value


class Problem(Record):
    """An object that arrived in an unusable form: what is wrong, and where."""

    kind: str
    id: str
    name: str
    message: str
