"""Shift-based (v3) schedules to rotations: side by side where several people are meant at once.

Rules with a fixed period become rotations that go on; the rest is written with dates. Overrides and custom shifts are
dated by nature (`overrides` counts them). Everything is compared with the schedule itself over 400 days before it is wanted.
"""

import math
from collections.abc import Iterable
from dataclasses import replace
from zoneinfo import ZoneInfo

from pdmigrate.mapping.mapped import FieldOutcome
from pdmigrate.mapping.proof import (
    PROOF_DAYS,
    CannotBeSaidError,
    Fidelity,
    Judgement,
    Said,
    describe_doubt,
    grade,
    prove,
)
from pdmigrate.mapping.rotations import (
    MOST_SHIFTS,
    Alike,
    Named,
    TooManyDatedError,
    add_to_name,
    check_dated,
    describe_apart,
    mend,
    write_shifts,
)
from pdmigrate.mapping.same_for_ever import TEN_YEARS
from pdmigrate.mapping.shifts import find_end, map_event
from pdmigrate.oncall import rota
from pdmigrate.pagerduty.readings import CHUNK
from pdmigrate.pagerduty.recurrence import Pattern
from pdmigrate.pagerduty.rota_v3 import (
    USUAL,
    ShiftReading,
    draw_shifts,
    event_zone,
    first_start,
    life_of,
    list_exceptions,
    list_shift_spots,
    list_shifts,
    read_recurrence,
    render_schedule,
)
from pdmigrate.pagerduty.v3_records import Event, ScheduleV3

JUDGED_USUAL = Judgement(USUAL)
MOST_SEEN = 100_000
"""Entries that are compared before a claim ends with what was seen."""
MOST_DRAWN = 500_000
"""Shifts that are drawn for that: many that run into one another are one entry."""


def find_own_zone(schedule: ScheduleV3) -> str | None:
    """The zone of all its events; None where they have none, or several. Raises ValueError for one that nobody knows."""
    zones = {event_zone(event).key for one in schedule.rotations for event in one.events}
    return zones.pop() if len(zones) == 1 else None


def map_shifts(
    schedule: ScheduleV3,
    zone: ZoneInfo,
    now: int,
    horizon: int,
    judgement: Judgement[ShiftReading] = JUDGED_USUAL,
    most: int = MOST_SHIFTS,
) -> Said:
    """Its rotations, proved, and how long they hold. now, horizon: instants. most: rotations with an end.

    Raises CannotBeSaidError where they cannot be the same, and TooManyDatedError.
    """
    reading, start = judgement.reading, rota.month_before(now)
    near, far = rota.month_after(horizon), rota.month_after(now + PROOF_DAYS * rota.DAY)
    named, endless = _map_events(schedule, zone, (start, near), now, reading)
    check_dated(named, most)
    regular = schedule.model_copy(update={"overrides": (), "custom_shifts": ()})
    until = near if endless else max(far, _find_last(schedule))
    drifts = not endless and not prove(
        named, render_schedule(regular, start, far, reading), zone, start, far, together=True
    )
    try:
        mended = mend(named, render_schedule(schedule, start, until, reading), zone, start, until, now, most)
    except TooManyDatedError:
        until = near
        mended = mend(named, render_schedule(schedule, start, until, reading), zone, start, until, now, most)
    mended = [one for one in mended if one.rotation.until is None or one.rotation.until > now]
    wanted = render_schedule(schedule, now, until, reading)
    together = any(len(people) > 1 for _, _, people in wanted.entries)
    if not prove(mended, wanted, zone, now, until, together):
        raise CannotBeSaidError("its events cannot be said as rotations")
    dated = until if endless or drifts or until == near else None
    certain = dated or _find_drift(regular, reading, mended, zone, until, now)
    fidelity = _grade(mended, judgement, certain, dated, zone, endless)
    return mended, replace(fidelity, documented=fidelity.documented and not together)


def _find_last(schedule: ScheduleV3) -> int:
    """When the last of what has dates of its own ends."""
    ends = (*(one.end_time for one in schedule.overrides), *(one.end_time for one in schedule.custom_shifts))
    return max((rota.month_after(rota.to_instant(end)) for end in ends), default=0)


def _find_drift(
    regular: ScheduleV3, reading: ShiftReading, named: list[Named], zone: ZoneInfo, start: int, now: int
) -> int | None:
    """The first instant in ten years at which the rotations say something else, or from which on nobody can look; None
    where they never do: a shift that begins in the hour that the clock skips or repeats may do so in some years only."""
    end, seen, shown = now + TEN_YEARS, 0, 0
    spans: Iterable[rota.Span] = ((begin, min(begin + CHUNK, end)) for begin in range(start, end, CHUNK))
    if reading.by_wall and _comes_round(regular, reading, named, zone, now):
        spans = list_shift_spots(regular, [reading, reading._replace(edges="first")], start, end)
    for begin, finish in spans:
        shifts = list_shifts(regular, begin, finish, reading)
        wanted = draw_shifts(shifts, begin, finish)
        drawn = rota.join([one.rotation.render(zone, begin, finish) for one in named])
        seen, shown = seen + len(wanted.entries), shown + len(shifts)
        if found := rota.differences(wanted, drawn):
            return found[0][0]
        if seen > MOST_SEEN or shown > MOST_DRAWN:
            return finish
    return None


def _comes_round(regular: ScheduleV3, reading: ShiftReading, named: list[Named], zone: ZoneInfo, now: int) -> bool:
    """Whether all turns have gone through a whole round in what was compared, after the last date that an event or a rotation
    has and without a change of the clock. Then both say the same for ever, but where a shift begins or ends at such a change."""
    dates, rounds, shifts = [now], [rota.DAY], 0
    for event in (event for one in regular.rotations for event in one.events):
        rule, last = read_recurrence(event).rule, find_end(event)
        added = [date + first_start(event)[1] + rota.DAY for date, _, _ in list_exceptions(event, reading)]
        dates += [life_of(event)[0], *added, last or now]
        if last is None:
            if not isinstance(rule, Pattern):
                return False
            strategy = event.assignment_strategy
            rounds.append(rule.period * max(1, len(strategy.members)) * (strategy.shifts_per_member or 1))
            shifts += TEN_YEARS // rule.period * len(rule.starts) * len(strategy.members)
    for made in (one.rotation for one in named):
        dates += [edge for edge in (made.since, made.until) if edge is not None]
        rounds += [made.turn * len(made.participants), *([] if made.week is None else [rota.WEEK])]
    if shifts > MOST_SEEN // 4:  # so many that they are looked at by date, for as long as anybody can
        return False
    whole, far = math.lcm(*rounds) + 2 * rota.DAY, rota.month_after(now + PROOF_DAYS * rota.DAY)
    return any(finish - begin >= whole for begin, finish, _ in rota.zone_stretches(zone, max(dates), far))


def _map_events(
    schedule: ScheduleV3, zone: ZoneInfo, span: rota.Span, now: int, reading: ShiftReading
) -> tuple[list[Named], bool]:
    """The rotations of all events, and whether some event could only be written with dates, over `span`."""
    named, endless = [], False
    for event, name in _name_events(schedule, now):
        said = map_event(event, name, span[0], now, reading) if event_zone(event).key == zone.key else None
        if said is None:
            end = find_end(event)
            endless = endless or end is None or end > span[1]
            said = _map_with_dates(schedule, event, name, zone, span, reading)
        named += said
    return named, endless


def _map_with_dates(
    schedule: ScheduleV3, event: Event, name: str, zone: ZoneInfo, span: rota.Span, reading: ShiftReading
) -> list[Named]:
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
        for one in write_shifts(render_schedule(alone, *span, reading), zone)
    ]


def _name_events(schedule: ScheduleV3, now: int) -> list[tuple[Event, str]]:
    events = [event for one in schedule.rotations for event in one.events]
    names = describe_apart(
        [
            Alike(one.name, one.id, max(life_of(one)[0], rota.to_instant(one.start_time.date_time)), find_end(one))
            for one in events
        ],
        now,
    )
    return list(zip(events, names, strict=True))


def _grade(
    named: list[Named],
    judgement: Judgement[ShiftReading],
    certain: int | None,
    dated: int | None,
    zone: ZoneInfo,
    endless: bool,
) -> Fidelity:
    """How long it holds: until the first doubt, or until more dates are needed."""
    if judgement.doubts and (certain is None or judgement.doubts[0] <= certain):
        return grade(named, judgement.doubts[0], describe_doubt(judgement, zone), dated)
    if certain is None:
        return grade(named, None, "")
    if dated is None:
        return grade(named, certain, "from then on a shift begins or ends in the hour that the clock skips or repeats")
    reason = "shifts at changes of the clock are written with dates until then"
    if endless:
        reason = "a rule without a fixed period is written with dates, to be renewed before then"
    return grade(named, certain, reason, dated)


def describe_strays(schedule: ScheduleV3) -> list[FieldOutcome]:
    """The EXDATEs that meet no occurrence: somebody meant them to."""
    strays = [
        f"{rota.from_naive(date):%Y-%m-%d %H:%M} of {event.name or event.id}"
        for one in schedule.rotations
        for event in one.events
        for date in sorted(
            {*read_recurrence(event).left_out, *read_recurrence(event).days} - {*read_recurrence(event).hits}
        )
    ]
    if not strays:
        return []
    more = f"; and {len(strays) - 5} more" if len(strays) > 5 else ""
    said = f"EXDATEs that meet no start leave none out: {'; '.join(strays[:5])}{more}"
    return [FieldOutcome("recurrence", "changed", said)]
