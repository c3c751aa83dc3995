"""Overrides and custom shifts that nobody has read: they page somebody today, and are never taken for "none"."""

from pdmigrate.mapping.mapped import Mapped, Stop, stop_unless
from pdmigrate.mapping.proof import read_shown
from pdmigrate.pagerduty.records import Schedule
from pdmigrate.pagerduty.v3_records import ScheduleV3

NAMES = {"overrides_subschedule": "overrides", "overrides": "overrides", "custom_shifts": "custom shifts"}


def describe_unread_parts(schedule: Schedule | ScheduleV3) -> str:
    """Which of its dated parts were not read, in words; "" where all were, or where PagerDuty's own rendering has them.

    What PagerDuty renders has its overrides in it: an override that we have not read is a difference from it.
    """
    return " and ".join(NAMES[part] for part in schedule.unread) if read_shown(schedule) is None else ""


def stop_unread(mapped: Mapped, schedule: Schedule | ScheduleV3) -> Stop | None:
    """Held until somebody says what to do without them."""
    parts = describe_unread_parts(schedule)
    if not parts:
        return None
    answer = mapped.ask("unread_overrides", "schedules", schedule.id, schedule.name, parts=parts)
    return stop_unless("without", answer, f"its {parts} were not read")
