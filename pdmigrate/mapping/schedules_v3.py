"""Shift-based (v3) schedules to rotations: side by side where several people are meant at once.

Rules with a fixed period become rotations that go on; the rest is written with dates. Overrides and custom shifts are
dated by nature (`overrides` counts them). Everything is compared with the schedule itself over 400 days before it is wanted.
"""

from dataclasses import replace
from zoneinfo import ZoneInfo

from pdmigrate import rota
from pdmigrate.mapping.dated import mend, month_after, month_before, write_shifts
from pdmigrate.mapping.fidelity import PROOF_DAYS, Fidelity, grade, prove
from pdmigrate.mapping.judge import judge_shifts
from pdmigrate.mapping.participants import participants_known, tell_empty
from pdmigrate.mapping.rotations import Named, add_to_name, tell_apart, tell_together
from pdmigrate.mapping.scope import list_people
from pdmigrate.mapping.shifts import say_event
from pdmigrate.mapping.wanted import fate_of_turns, may_load, place_schedule, want_schedule
from pdmigrate.mapping.work import FieldFate, Work, exact, name_fate
from pdmigrate.mapping.zone_choice import choose_zone
from pdmigrate.pagerduty.rota_v3 import event_zone, render_schedule
from pdmigrate.pagerduty.v3_records import Event, ScheduleV3


def map_shift_schedule(work: Work, schedule: ScheduleV3, twin: bool) -> None:
    """Want the schedule, or book why it is held."""
    zone = choose_zone(work, schedule)
    if zone is None or not participants_known(work, schedule, list_people(schedule)):
        return
    try:
        may = may_load(work, schedule, judge_shifts(work.account, schedule))
        place = place_schedule(work, schedule, twin) if may else None
        zone = _common_zone(schedule) or zone
        span = (rota.to_instant(work.account.since), rota.to_instant(work.account.until))
        said = say_shifts(schedule, ZoneInfo(zone), *span) if place else None
    except ValueError as error:
        return work.lose("schedules", schedule.id, schedule.name, f"one of its events cannot be read: {error}")
    if said is not None:
        named, work.fidelity[schedule.id] = said
        note = tell_together(named, ZoneInfo(zone), *span)
        want_schedule(work, schedule, zone, place, named, _field_fates(work, schedule, zone, place, named), note)
    elif place:
        work.lose("schedules", schedule.id, schedule.name, "its shifts are too many to be written with dates")
    return None


def _common_zone(schedule: ScheduleV3) -> str | None:
    """The zone of all its events, in which its rotations turn; None where they have several."""
    zones = {event_zone(event).key for one in schedule.rotations for event in one.events}
    return zones.pop() if len(zones) == 1 else None


def say_shifts(schedule: ScheduleV3, zone: ZoneInfo, now: int, horizon: int) -> tuple[list[Named], Fidelity] | None:
    """Its rotations, proved, and how long they hold; None where they cannot be the same. Both are instants."""
    start, near, far = month_before(now), month_after(horizon), month_after(now + PROOF_DAYS * rota.DAY)
    named, endless = _say_events(schedule, zone, (start, near), now)
    regular = schedule.model_copy(update={"overrides": (), "custom_shifts": ()})
    until = near if endless else far
    drifts = not endless and not prove(named, render_schedule(regular, start, far), zone, start, far, together=True)
    mended = mend(named, render_schedule(schedule, start, until), zone, start, until, now)
    if mended is None:
        until = near
        mended = mend(named, render_schedule(schedule, start, until), zone, start, until, now) or []
    mended = [one for one in mended if one.rotation.until is None or one.rotation.until > now]
    wanted = render_schedule(schedule, now, until)
    together = any(len(people) > 1 for _, _, people in wanted.entries)
    if not prove(mended, wanted, zone, now, until, together):
        return None
    fidelity = _grade(mended, endless, drifts or until == near, until)
    return mended, replace(fidelity, documented=fidelity.documented and not together)


def _say_events(schedule: ScheduleV3, zone: ZoneInfo, span: rota.Span, now: int) -> tuple[list[Named], bool]:
    """The rotations of all events, and whether some event could only be written with dates, over `span`."""
    named, endless = [], False
    for event, name in _name_events(schedule):
        said = say_event(event, name, span[0], now) if event_zone(event).key == zone.key else None
        if said is None:
            endless = True
            said = _say_with_dates(schedule, event, name, zone, span)
        named += said
    return named, endless


def _say_with_dates(schedule: ScheduleV3, event: Event, name: str, zone: ZoneInfo, span: rota.Span) -> list[Named]:
    owner = next(one for one in schedule.rotations if event in one.events)
    alone = schedule.model_copy(
        update={
            "rotations": (owner.model_copy(update={"events": (event,)}),),
            "overrides": (),
            "custom_shifts": (),
        }
    )
    return [
        Named(f"{add_to_name(name, one.name)}", one.rotation, True)
        for one in write_shifts(render_schedule(alone, *span), zone)
    ]


def _name_events(schedule: ScheduleV3) -> list[tuple[Event, str]]:
    events = [event for one in schedule.rotations for event in one.events]
    names = tell_apart([(event.name, event.id, event.start_time.date_time) for event in events])
    return list(zip(events, names, strict=True))


def _grade(named: list[Named], endless: bool, drifts: bool, until: int) -> Fidelity:
    if endless:
        return grade(named, until, "a rule without a fixed period is written with dates, to be renewed before then")
    if drifts:
        return grade(named, until, "shifts at changes of the clock are written with dates until then")
    return grade(named, None, "")


def _field_fates(work: Work, schedule: ScheduleV3, zone: str, place, named: list[Named]) -> list[FieldFate]:
    said = fate_of_turns("rotations", named, work.fidelity[schedule.id])
    fates = [said, *exact("teams", "description"), name_fate(schedule.name, place.name)]
    if zone != schedule.time_zone:
        fates.append(FieldFate("time_zone", "changed", f"{schedule.time_zone} written as {zone}, its events' own"))
    else:
        fates += exact("time_zone")
    return [*fates, *tell_empty(work, list_people(schedule))]
