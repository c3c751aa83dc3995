"""Which time zone a schedule gets: its own, or, where that name is not IANA's, what a person confirmed."""

from pdmigrate.decisions import Conflict, Option
from pdmigrate.mapping.work import Work
from pdmigrate.pagerduty.records import Schedule
from pdmigrate.zones import read_zone, suggest_zones


def choose_zone(work: Work, schedule: Schedule) -> str | None:
    """An IANA name, or None where the schedule is held for it."""
    zone = read_zone(schedule.time_zone)
    if zone.iana and not zone.converted:
        return zone.iana
    answer = work.questions.ask(_ask_zone(schedule, zone))
    if answer is None:
        work.lose("schedules", schedule.id, schedule.name, f"open question: its time zone {schedule.time_zone!r}", True)
    elif answer.choice == "confirm":
        return zone.iana
    elif answer.choice == "other":
        return read_zone(answer.value or "").iana or _lose_zone(work, schedule, answer.value or "")
    else:
        work.lose("schedules", schedule.id, schedule.name, "left out by decision: its time zone")
    return None


def _lose_zone(work: Work, schedule: Schedule, value: str) -> None:
    work.lose(
        "schedules", schedule.id, schedule.name, f"its time zone was decided as {value!r}, which nobody knows", True
    )


def _ask_zone(schedule: Schedule, zone) -> Conflict:
    other = Option(name="other", effect="another zone is written", value="an IANA name, as Europe/London")
    leave = Option(name="leave_out", effect="not moved")
    if zone.iana:
        confirm = Option(name="confirm", effect=f"written as {zone.iana}; who is paged stays the same")
        question, options, about = (
            f"{zone.name!r} is {zone.converted}, {zone.iana} in the IANA database.",
            (confirm, other, leave),
            "time_zone_mismatch",
        )
    else:
        near = ", ".join(suggest_zones(zone.name)) or "nothing like it"
        question, options, about = (
            f"Nobody knows the time zone {zone.name!r} (similar: {near}).",
            (other, leave),
            "unknown_time_zone",
        )
    return Conflict(
        about=about,
        kind="schedules",
        id=schedule.id,
        name=schedule.name,
        question=question,
        meaning="A wrong zone moves every window and every handoff of this schedule.",
        options=options,
        recommended=options[0].name if zone.iana else "leave_out",
        changes_paging=not zone.iana,
    )
