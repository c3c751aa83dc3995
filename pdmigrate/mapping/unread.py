"""Overrides and custom shifts that nobody has read: they page somebody today, and are never taken for "none"."""

from pdmigrate.mapping.mapped import Mapped, Stop, read_stop
from pdmigrate.mapping.proof import read_shown
from pdmigrate.pagerduty.records import Schedule
from pdmigrate.pagerduty.v3_records import ScheduleV3
from pdmigrate.plan.answers import Conflict, Option

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
    answer = mapped.questions.ask(_ask_unread(schedule, parts))
    if answer is not None and answer.choice == "without":
        return None
    return read_stop(answer, f"its {parts} were not read")


def _ask_unread(schedule: Schedule | ScheduleV3, parts: str) -> Conflict:
    return Conflict(
        about="unread_overrides",
        kind="schedules",
        id=schedule.id,
        name=schedule.name,
        question=f"The {parts} of {schedule.name} were not read: PagerDuty's answer does not have them.",
        meaning="Whoever stands in by one of them is paged today, and nobody here knows who or when. Ask PagerDuty again, or save "
        "its answer with since and until, and run preview again: then there is nothing to ask.",
        options=(
            Option(
                name="without",
                effect="loaded without them: in those hours whoever has the turn is paged in Harness, and verify calls "
                "the schedule unverified",
            ),
            Option(name="leave_out", effect="not moved, nor what needs it"),
        ),
        recommended="without",
        changes_paging=True,
    )
