"""Schedules: layers to rotations, and the checks that let no approximation through.

A schedule moves only if PagerDuty's own rendering agrees with a reading of its layers, and if its rotations give the
same people as the layers, second by second over the next 400 days, whether the target joins rotations or stacks them.
Until when that holds is its fidelity.
"""

from dataclasses import replace
from functools import partial
from zoneinfo import ZoneInfo

from pdmigrate.harness.identifiers import make_name
from pdmigrate.mapping.claims import TEN_YEARS, always_same
from pdmigrate.mapping.collisions import Place, find_twins
from pdmigrate.mapping.dated import MOST_SHIFTS, check_dated, mend
from pdmigrate.mapping.fidelity import NOT_CARRIED, PROOF_DAYS, CannotBeSaidError, Fidelity, grade, prove
from pdmigrate.mapping.flatten import SHORTEST, flatten
from pdmigrate.mapping.judge import Judgement, check_turns, judge, tell_doubt
from pdmigrate.mapping.left import stop_unknown, tell_heading, tell_teams
from pdmigrate.mapping.participants import participants_known, tell_empty
from pdmigrate.mapping.rotations import Named, name_pieces
from pdmigrate.mapping.schedules_v3 import map_shift_schedule
from pdmigrate.mapping.scope import list_participants
from pdmigrate.mapping.unread import stop_unread
from pdmigrate.mapping.unsaid import Said, hold_unsaid, say_or_ask, tell_unread
from pdmigrate.mapping.wanted import fate_of_turns, may_load, place_schedule, want_schedule
from pdmigrate.mapping.work import FieldFate, Work, exact
from pdmigrate.mapping.zone_choice import choose_zone
from pdmigrate.oncall import rota
from pdmigrate.pagerduty.readings import DELETED, Reading, make_layers, render_layers
from pdmigrate.pagerduty.records import Schedule
from pdmigrate.pagerduty.v3_records import ScheduleV3

MOST_DRAWN = 60_000
"""Turns that are drawn to compare both sides."""


def map_schedules(work: Work) -> None:
    """Want a schedule for every one in scope that can be held exactly. Fills `work.schedules`, `zones`, `fidelity`."""
    schedules = list(work.in_scope("schedules", work.account.all_schedules))
    twins = find_twins(schedules, lambda schedule: make_name(schedule.name, schedule.id))
    for schedule in schedules:
        work.fidelity[schedule.id] = NOT_CARRIED
        if work.stop("schedules", schedule, [stop_unknown(work, "schedules", schedule), stop_unread(work, schedule)]):
            continue
        map_one = map_shift_schedule if isinstance(schedule, ScheduleV3) else _map_layer_schedule
        map_one(work, schedule, schedule.id in twins)


def _map_layer_schedule(work: Work, schedule: Schedule, twin: bool) -> None:
    zone = choose_zone(work, schedule)
    if zone is None or not participants_known(work, schedule, list_participants(schedule, work.account.since)):
        return
    try:
        judgement = judge(work.account, schedule, ZoneInfo(zone))
    except (ValueError, OverflowError) as error:
        return hold_unsaid(work, schedule, tell_unread(error))
    if not may_load(work, schedule, judgement):
        return None
    place = place_schedule(work, schedule, twin)
    span = (rota.to_instant(work.account.since), rota.to_instant(work.account.until))
    say = partial(say_layers, schedule, judgement, ZoneInfo(zone), *span)
    said = say_or_ask(work, schedule, say) if place else None
    if said:
        named, work.fidelity[schedule.id] = said
        want_schedule(work, schedule, zone, place, named, _field_fates(work, schedule, zone, place, named))
    return None


def say_layers(
    schedule: Schedule, judgement: Judgement, zone: ZoneInfo, now: int, horizon: int, most: int = MOST_SHIFTS
) -> Said:
    """Its rotations, proved, and how long they hold. now, horizon: instants. most: rotations with an end.

    Raises CannotBeSaidError where they cannot be the same, and TooManyDatedError.
    """
    reading, start = judgement.reading, rota.month_before(now)
    near, far = rota.month_after(horizon), rota.month_after(now + PROOF_DAYS * rota.DAY)
    layers = make_layers(schedule, reading, zone, now)
    check_turns(schedule, now)
    flat = flatten([layer for _, layer in layers], zone, start, near, far)
    check_dated([Named("", piece.rotation) for piece in flat.pieces if piece.dated], most)
    named = [_leave_empty(one) for one in name_pieces(schedule, layers, flat.pieces, now)]
    reach = _shorten(layers, now, far if flat.until is None else min(flat.until, far))
    render = partial(render_layers, schedule, reading, zone)
    if not reading.by_wall:
        named = mend(named, render(start, reach), zone, start, reach, now, most)
    named = [one for one in named if one.rotation.until is None or one.rotation.until > now]
    if not prove(named, render(now, reach), zone, now, reach):
        raise CannotBeSaidError("its layers cannot be said as rotations")
    until = flat.until if reading.by_wall else reach
    if reading.by_wall and not _holds(schedule, reading, zone, layers, named, (now, until)):
        until = reach
    return named, _grade(named, judgement, flat.until, until, zone)


def _leave_empty(named: Named) -> Named:
    """Nobody stands where somebody was deleted; the turn of one who is always on is of no matter, and is a minute at least."""
    made = named.rotation
    people = tuple(None if person == DELETED else person for person in made.participants)
    return replace(named, rotation=replace(made, participants=people, turn=max(made.turn, SHORTEST)))


def _shorten(layers: list, now: int, end: int) -> int:
    """How far the rotations are compared by date: less than asked for where people hand over every few minutes."""
    turns = sum(layer.count_turns(now, end) for _, layer in layers)
    return end if turns <= MOST_DRAWN else now + (end - now) * MOST_DRAWN // turns


def _holds(schedule: Schedule, reading: Reading, zone: ZoneInfo, layers: list, named: list[Named], span: tuple) -> bool:
    """Whether the rotations say the same until the end of the span, None for ever: by structure, else by ten years' dates."""
    now, until = span
    whole = [layer for _, layer in layers]
    if always_same(whole, [one.rotation for one in named], now, until):
        return True
    end = now + TEN_YEARS if until is None else min(until, now + TEN_YEARS)
    if sum(layer.count_turns(now, end) for layer in whole) > MOST_DRAWN:
        return False
    return prove(named, render_layers(schedule, reading, zone, now, end), zone, now, end)


def _grade(
    named: list[Named], judgement: Judgement, flat_until: int | None, until: int | None, zone: ZoneInfo
) -> Fidelity:
    """How long it holds: until the first doubt, or until more dates are needed."""
    dated = flat_until if judgement.reading.by_wall else until
    end = min([*judgement.doubts, *([] if until is None else [until])], default=None)
    if end is None:
        return grade(named, None, "")
    if judgement.doubts and end == judgement.doubts[0]:
        reason = tell_doubt(judgement, zone)
    elif not judgement.reading.by_wall:
        reason = f"PagerDuty counts {judgement.reading.tell()} when the clock changes: corrected with dates until then"
    elif flat_until is not None:
        reason = "turns of two layers do not fit into one list: written with dates, to be renewed before then"
    else:
        reason = "its turns come round too seldom or hand over too often to be compared any further"
    return grade(named, end, reason, dated)


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
    return [*fates, *tell_empty(work, list_participants(schedule, work.account.since))]
