"""Schedules: layers to rotations, and the checks that let no approximation through.

A schedule moves only if PagerDuty's own rendering agrees with a reading of its layers, and if its rotations give the
same people as the layers, second by second over the next 400 days, whether the target joins rotations or stacks them.
Until when that holds is its fidelity.
"""

from functools import partial
from zoneinfo import ZoneInfo

from pdmigrate import rota
from pdmigrate.identifiers import make_name
from pdmigrate.mapping.collisions import Place, find_twins
from pdmigrate.mapping.dated import mend, month_after, month_before
from pdmigrate.mapping.fidelity import NOT_CARRIED, PROOF_DAYS, Fidelity, grade, prove
from pdmigrate.mapping.flatten import flatten
from pdmigrate.mapping.judge import Judgement, judge
from pdmigrate.mapping.left import stop_unknown, tell_heading, tell_teams
from pdmigrate.mapping.participants import participants_known, tell_empty
from pdmigrate.mapping.rotations import Named, name_pieces
from pdmigrate.mapping.schedules_v3 import map_shift_schedule
from pdmigrate.mapping.wanted import fate_of_turns, may_load, place_schedule, want_schedule
from pdmigrate.mapping.work import FieldFate, Work, exact
from pdmigrate.mapping.zone_choice import choose_zone
from pdmigrate.pagerduty.readings import WALL, make_layers, render_layers
from pdmigrate.pagerduty.records import Reference, Schedule
from pdmigrate.pagerduty.v3_records import ScheduleV3


def map_schedules(work: Work) -> None:
    """Want a schedule for every one in scope that can be held exactly. Fills `work.schedules`, `zones`, `fidelity`."""
    schedules = list(work.in_scope("schedules", work.account.all_schedules))
    twins = find_twins(schedules, lambda schedule: make_name(schedule.name, schedule.id))
    for schedule in schedules:
        work.fidelity[schedule.id] = NOT_CARRIED
        if work.stop("schedules", schedule, [stop_unknown(work, "schedules", schedule)]):
            continue
        map_one = map_shift_schedule if isinstance(schedule, ScheduleV3) else _map_layer_schedule
        map_one(work, schedule, schedule.id in twins)


def _map_layer_schedule(work: Work, schedule: Schedule, twin: bool) -> None:
    zone = choose_zone(work, schedule)
    if zone is None or not participants_known(work, schedule, list_participants(work, schedule)):
        return
    judgement = judge(work.account, schedule, ZoneInfo(zone))
    if not may_load(work, schedule, judgement):
        return
    place = place_schedule(work, schedule, twin)
    span = (rota.to_instant(work.account.since), rota.to_instant(work.account.until))
    said = say_layers(schedule, judgement, ZoneInfo(zone), *span) if place else None
    if said:
        named, work.fidelity[schedule.id] = said
        want_schedule(work, schedule, zone, place, named, _field_fates(work, schedule, zone, place, named))
    elif place:
        work.lose("schedules", schedule.id, schedule.name, "its layers cannot be said as rotations")


def say_layers(
    schedule: Schedule, judgement: Judgement, zone: ZoneInfo, now: int, horizon: int
) -> tuple[list[Named], Fidelity] | None:
    """Its rotations, proved, and how long they hold; None where they cannot be the same. now, horizon: instants."""
    start, near, far = month_before(now), month_after(horizon), month_after(now + PROOF_DAYS * rota.DAY)
    layers = make_layers(schedule, judgement.reading, zone, now)
    named = name_pieces(schedule, layers, flatten([layer for _, layer in layers], zone, start, near), now)
    render = partial(render_layers, schedule, judgement.reading, zone)
    dated = any(one.dated for one in named)
    if judgement.reading != WALL and not dated:
        named = mend(named, render(start, far), zone, start, far, now) or []
    until = near if dated else far
    named = [one for one in named if one.rotation.until is None or one.rotation.until > now]
    if not prove(named, render(now, until), zone, now, until):
        return None
    return named, _grade(named, judgement, dated, until, zone)


def _grade(named: list[Named], judgement: Judgement, dated: bool, until: int, zone: ZoneInfo) -> Fidelity:
    if dated:
        reason = "turns of two layers do not fit into one list: written with dates, to be renewed before then"
        return grade(named, min([until, *judgement.doubts]), reason)
    if judgement.reading != WALL:
        reason = f"PagerDuty counts {judgement.reading.tell()} when the clock changes: corrected with dates until then"
        return grade(named, min([until, *judgement.doubts]), reason)
    if judgement.doubts:
        day = f"{rota.to_datetime(judgement.doubts[0]).astimezone(zone):%Y-%m-%d}"
        reason = f"on {day} the clock changes during a turn, and PagerDuty has not shown how it counts that"
        return grade(named, judgement.doubts[0], reason)
    return grade(named, None, "")


def list_participants(work: Work, schedule: Schedule) -> list[Reference]:
    """Everybody in the layers that have not ended; one may be named more than once."""
    layers = [one for one in schedule.schedule_layers if one.end is None or one.end > work.account.since]
    return [place.user for layer in layers for place in layer.users]


def _field_fates(work: Work, schedule: Schedule, zone: str, place: Place, named: list[Named]) -> list[FieldFate]:
    said = fate_of_turns("schedule_layers", named, work.fidelity[schedule.id])
    fates = [said, tell_teams(work, schedule.teams), *tell_heading(schedule, place.name)]
    if zone != schedule.time_zone:
        fates.append(FieldFate("time_zone", "changed", f"{schedule.time_zone} written as {zone}"))
    else:
        fates += exact("time_zone")
    unknown = [p.summary or p.id for p in schedule.escalation_policies if p.id not in work.account.policies]
    if unknown:
        fates.append(
            FieldFate("escalation_policies", "lost", f"names policies that no list shows: {', '.join(unknown)}")
        )
    return [*fates, *tell_empty(work, list_participants(work, schedule))]
