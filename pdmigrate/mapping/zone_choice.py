"""Which time zone a schedule gets: its own, or, where that name is not IANA's, what a person confirmed."""

from pdmigrate.decisions import Answer, Conflict, Option
from pdmigrate.mapping.work import Work, read_stop
from pdmigrate.pagerduty.records import Schedule
from pdmigrate.zones import read_zone, suggest_zones


def choose_zone(work: Work, schedule: Schedule) -> str | None:
    """An IANA name, or None where the schedule is held for it."""
    zone = read_zone(schedule.time_zone)
    if zone.iana and not zone.converted:
        return zone.iana
    answer = work.questions.ask(_ask_zone(schedule, zone))
    if answer is not None and answer.choice == "confirm":
        return zone.iana
    if answer is not None and answer.choice == "other":
        return read_zone(answer.value or "").iana or _lose_zone(work, schedule, answer)
    stop = read_stop(answer, f"its time zone {schedule.time_zone!r}")
    return work.lose("schedules", schedule.id, schedule.name, stop.reason, stop.waits, stop.decided)


def _lose_zone(work: Work, schedule: Schedule, answer: Answer) -> None:
    work.questions.reopen(answer)
    reason = f"its time zone was decided as {answer.value!r}, which nobody knows"
    work.lose("schedules", schedule.id, schedule.name, reason, True)


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
