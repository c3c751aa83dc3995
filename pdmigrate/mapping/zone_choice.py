"""Which time zone a schedule gets: its own, or, where that name is not IANA's, what a person confirmed.

And whether its windows are in that zone at all: a list that was asked for without it writes them in another.
"""

from datetime import datetime

from pdmigrate.mapping.judge import list_evidence
from pdmigrate.mapping.work import Work, read_stop
from pdmigrate.oncall.zones import read_zone, suggest_zones
from pdmigrate.pagerduty.records import Schedule
from pdmigrate.pagerduty.rota import find_foreign
from pdmigrate.plan.answers import Answer, Conflict, Option


def choose_zone(work: Work, schedule: Schedule) -> str | None:
    """An IANA name, or None where the schedule is held for it."""
    zone = _choose_name(work, schedule)
    return zone if zone is None or _is_written_in_it(work, schedule) else None


def _is_written_in_it(work: Work, schedule: Schedule) -> bool:
    """Whether its windows are in its zone, as far as the offsets of its layers tell; otherwise a person says so.

    Where PagerDuty has rendered the schedule, that rendering judges the windows, and nobody is asked.
    """
    moment = find_foreign(schedule.time_zone, getattr(schedule, "schedule_layers", ()))
    if moment is None or any(True for _ in list_evidence(work.account, schedule)):
        return True
    answer = work.questions.ask(_ask_foreign(schedule, moment))
    if answer is not None and answer.choice == "as_written":
        return True
    what = f"its windows may be written in another zone than {schedule.time_zone}"
    decided = answer.conflict.key if answer else ""
    said = f"{'left out by decision' if answer else 'open question'}: {what}"
    work.lose("schedules", schedule.id, schedule.name, said, answer is None, decided)
    return False


def _ask_foreign(schedule: Schedule, moment: datetime) -> Conflict:
    return Conflict(
        about="written_in_another_zone",
        kind="schedules",
        id=schedule.id,
        name=schedule.name,
        question=f"The answer with {schedule.name} was written in another zone than {schedule.time_zone}: a time in its "
        f"layers is {moment.isoformat()}, and that is not the zone's offset on that day.",
        meaning="Its windows are clock times without a zone, most likely of that other zone: read as they stand they "
        "would page other people at other hours.",
        options=(
            Option(
                name="leave_out", effect="not moved; save GET /schedules/ID, which writes in the schedule's own zone"
            ),
            Option(
                name="as_written",
                effect=f"the windows are taken for clock times of {schedule.time_zone}, as they stand",
            ),
        ),
        recommended="leave_out",
        changes_paging=True,
    )


def _choose_name(work: Work, schedule: Schedule) -> str | None:
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
