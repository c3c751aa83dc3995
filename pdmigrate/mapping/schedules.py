"""Schedules: layers to rotations, and the checks that let no approximation through.

A schedule moves only if PagerDuty's own rendering agrees with a reading of its layers, and if its rotations give the
same people as the layers, second by second over the next 400 days, whether the target joins rotations or stacks them.
Until when that holds is its fidelity.
"""

from datetime import timedelta
from functools import partial
from zoneinfo import ZoneInfo

from pdmigrate import rota
from pdmigrate.actions import Desired
from pdmigrate.decisions import Conflict, Option
from pdmigrate.identifiers import make_identifier, make_name
from pdmigrate.mapping.collisions import Place, find_place, find_twins
from pdmigrate.mapping.dated import mend, month_after, month_before
from pdmigrate.mapping.fidelity import PROOF_DAYS, Fidelity, grade, prove
from pdmigrate.mapping.flatten import flatten
from pdmigrate.mapping.judge import Judgement, judge
from pdmigrate.mapping.participants import name_gone, participants_known, people_needed
from pdmigrate.mapping.rotations import Named, name_pieces, write_rotation
from pdmigrate.mapping.work import FieldFate, Work, describe, exact, name_fate
from pdmigrate.mapping.zone_choice import choose_zone
from pdmigrate.pagerduty.readings import WALL, make_layers, render_layers
from pdmigrate.pagerduty.records import Reference, Schedule


def map_schedules(work: Work) -> None:
    """Want a schedule for every one in scope that can be held exactly. Fills `work.schedules`, `zones`, `fidelity`."""
    schedules = list(work.in_scope("schedules", work.account.schedules))
    twins = find_twins(schedules, lambda schedule: make_name(schedule.name, schedule.id))
    for schedule in schedules:
        work.fidelity[schedule.id] = Fidelity("not_carried_over")
        _map_schedule(work, schedule, schedule.id in twins)


def _map_schedule(work: Work, schedule: Schedule, twin: bool) -> None:
    zone = choose_zone(work, schedule)
    if zone is None or not participants_known(work, schedule, list_participants(schedule)):
        return
    judgement = judge(work.account, schedule, ZoneInfo(zone))
    if judgement.differing and not _load_anyway(work, schedule, judgement):
        return
    place = place_schedule(work, schedule, twin)
    named = say_schedule(work, schedule, ZoneInfo(zone), judgement) if place else None
    if named:
        want_schedule(work, schedule, zone, place, named, _field_fates(work, schedule, zone, place))


def place_schedule(work: Work, schedule, twin: bool) -> Place | None:
    """Where in Harness it goes; None where it is held."""
    name, identifier = make_name(schedule.name, schedule.id), make_identifier(schedule.name, schedule.id)
    return find_place(work, "schedules", "duplicate_schedule", schedule, identifier, name, work.state.schedules, twin)


def say_schedule(work: Work, schedule: Schedule, zone: ZoneInfo, judgement: Judgement) -> list[Named] | None:
    """Its rotations, proved; books the fidelity. None, and held, where they cannot be the same."""
    now = rota.to_instant(work.account.since)
    start, far, near = (
        month_before(now),
        month_after(now + PROOF_DAYS * rota.DAY),
        month_after(rota.to_instant(work.account.until)),
    )
    layers = make_layers(schedule, judgement.reading, zone, now)
    pieces = flatten([layer for _, layer in layers], zone, start, near)
    named = name_pieces(schedule, layers, pieces)
    render = partial(render_layers, schedule, judgement.reading, zone)
    dated = any(one.dated for one in named)
    if judgement.reading != WALL and not dated:
        named = mend(named, render(start, far), zone, start, far) or []
    until = near if dated else far
    named = [one for one in named if one.rotation.until is None or one.rotation.until > now]
    if not prove(named, render(now, until), zone, now, until):
        return work.lose("schedules", schedule.id, schedule.name, "its layers cannot be said as rotations")
    work.fidelity[schedule.id] = _grade(named, judgement, dated, until, zone)
    return named


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


def want_schedule(work: Work, schedule, zone: str, place: Place, named: list[Named], fates: list[FieldFate]) -> None:
    """Want it in Harness, at its place; what it merges with keeps its rotations."""
    rotations = [write_rotation(one, work.emails) for one in named]
    if place.merge:
        rotations = [*work.state.schedules[place.identifier].rotations, *rotations]
    fields = {
        "name": place.name,
        "description": describe(schedule.name, place.name, schedule.description),
        "time_zone": zone,
        "owner_group": work.group_of(schedule.teams),
        "rotations": [rotation.model_dump(mode="json") for rotation in rotations],
    }
    people = [work.account.users[p] for one in named for p in one.rotation.participants if p in work.account.users]
    needs = tuple(("teams", t.id) for t in schedule.teams if t.id in work.groups) + people_needed(work, people)
    work.zones[schedule.id] = zone
    work.schedules[schedule.id] = place.identifier
    work.want(
        Desired("schedules", schedule.id, place.identifier, place.name, fields, (schedule.id,), needs, place.adopt),
        fates,
    )


def list_participants(schedule: Schedule) -> list[Reference]:
    """Everybody in the layers; one may be named more than once."""
    return [place.user for layer in schedule.schedule_layers for place in layer.users]


def _load_anyway(work: Work, schedule: Schedule, judgement: Judgement) -> bool:
    """The judge: we do not load what we do not understand."""
    first = rota.to_datetime(judgement.first).isoformat()
    answer = work.questions.ask(ask_rendering(schedule, judgement.differing, first))
    if answer is not None and answer.choice == "load_anyway":
        return True
    differing = timedelta(seconds=judgement.differing)
    reason = f"PagerDuty shows other people on call than its layers say ({differing} in all)"
    work.lose("schedules", schedule.id, schedule.name, reason, answer is None)
    return False


def ask_rendering(schedule, seconds: int, first: str) -> Conflict:
    """What to do with a schedule that PagerDuty renders otherwise than we do."""
    return Conflict(
        about="rendering_differs",
        kind="schedules",
        id=schedule.id,
        name=schedule.name,
        question=f"PagerDuty's own rendering differs from our reading of the layers by {timedelta(seconds=seconds)}, first at {first}.",
        meaning="We do not understand this schedule fully; what we would write might page somebody else.",
        options=(
            Option(name="leave_out", effect="not moved; a person makes it by hand"),
            Option(name="load_anyway", effect="written by our reading of the layers, differences and all"),
        ),
        recommended="leave_out",
        changes_paging=True,
    )


def _field_fates(work: Work, schedule: Schedule, zone: str, place: Place) -> list[FieldFate]:
    fates = [*exact("schedule_layers", "teams", "description"), name_fate(schedule.name, place.name)]
    if zone != schedule.time_zone:
        fates.append(FieldFate("time_zone", "changed", f"{schedule.time_zone} written as {zone}"))
    else:
        fates += exact("time_zone")
    unknown = [p.summary or p.id for p in schedule.escalation_policies if p.id not in work.account.policies]
    if unknown:
        fates.append(
            FieldFate("escalation_policies", "lost", f"names policies that no list shows: {', '.join(unknown)}")
        )
    gone = name_gone(work, list_participants(schedule))
    if gone:
        fates.append(FieldFate("users", "changed", f"turns of {', '.join(gone)} stay empty: deleted in PagerDuty"))
    return fates
