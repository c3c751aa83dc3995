"""PagerDuty's shift-based (v3) schedules as frozen records: fields and names are those of its OpenAPI file.

Rotations stand side by side, each with events that recur (RFC 5545); a set of people is on call at a time. A schedule
that was upgraded from v2 keeps its id, so the kind is read anew with every fetch.
"""

from typing import Annotated, Any, Literal

from pydantic import AliasChoices, Field, model_validator

from pdmigrate.pagerduty.records import Moment, Noted, Record, Reference, Type, Unordered, drop_unrendered

SHOWN = "computed_shift_assignments"


class ZonedDateTime(Record):
    """A time of day and the zone whose wall clock it recurs on."""

    date_time: Moment
    time_zone: str


class ShiftMember(Record):
    """A user, or a place that is empty on purpose."""

    type: Literal["user_member", "empty_member"]
    user_id: str | None = None

    @model_validator(mode="after")
    def _check_user(self) -> "ShiftMember":
        if self.type == "user_member" and not self.user_id:
            raise ValueError("a user_member needs user_id")
        return self


class EventAssignmentStrategy(Record):
    """`rotating`: each member covers `shifts_per_member` occurrences, then the next; `every`: all at once."""

    type: Literal["rotating_member_assignment_strategy", "every_member_assignment_strategy"]
    shifts_per_member: int | None = Field(default=None, ge=1)
    members: tuple[ShiftMember, ...]


class Event(Record):
    """A window that recurs: exactly one RRULE, then EXDATE and RDATE. `effective_until` None is for ever."""

    id: str
    name: str | None = None
    start_time: ZonedDateTime
    end_time: ZonedDateTime
    effective_since: Moment
    effective_until: Moment | None = None
    recurrence: tuple[str, ...]
    assignment_strategy: EventAssignmentStrategy


class RotationV3(Record):
    id: str
    events: tuple[Event, ...]


class ShiftAssignment(Record):
    id: str | None = None
    member: ShiftMember


class CustomShift(Record):
    """Coverage that was added once. Exactly one assignment (PagerDuty's OpenAPI file)."""

    id: str
    start_time: Moment
    end_time: Moment
    assignments: tuple[ShiftAssignment, ...]


class OverrideShift(Record):
    """One member replaces another for a while, in one rotation or in one custom shift."""

    id: str
    rotation_id: str | None = None
    custom_shift_id: str | None = None
    start_time: Moment
    end_time: Moment
    overridden_member: ShiftMember
    overriding_member: ShiftMember


class ShiftSource(Record):
    """Where a computed assignment comes from."""

    type: str
    rotation_id: str | None = None
    shift_id: str | None = None
    override_id: str | None = None


class ComputedShiftAssignment(Record):
    start_time: Moment
    end_time: Moment
    member: ShiftMember
    source: ShiftSource | None = None


class FinalSchedule(Record):
    """PagerDuty's own word on who is on call, over the window that was asked for; gaps may be there as empty_member."""

    computed_shift_assignments: tuple[ComputedShiftAssignment, ...] = ()


class ScheduleV3(Noted):
    """A v3 (shift-based) schedule. A recorded reference has no rotations, and is no schedule that can be read."""

    ASKED = ("custom_shifts", "overrides")
    id: str
    name: str = Field(validation_alias=AliasChoices("name", "summary"))
    type: Type = "schedule_v3"
    description: str | None = None
    time_zone: str
    teams: Annotated[tuple[Reference, ...], Unordered] = ()
    escalation_policies: Annotated[tuple[Reference, ...], Unordered] = ()
    rotations: tuple[RotationV3, ...]
    custom_shifts: tuple[CustomShift, ...] = ()
    overrides: tuple[OverrideShift, ...] = ()
    final_schedule: FinalSchedule | None = None
    unread: tuple[str, ...] = ()

    @model_validator(mode="before")
    @classmethod
    def _drop_unrendered(cls, value: Any) -> Any:
        """An empty list with coverage null was not rendered (see records.is_rendered)."""
        return drop_unrendered(value, ("final_schedule",), SHOWN)
