"""Both sides as they are now, read backwards: who would have been on call on a day that is over. Pure.

What is alive now, a layer, an event, a rotation, is taken to have always been: then a page of any day can be put through
what is there now. Whether that day was as today is told by PagerDuty's own rendering of it, and by nothing of Harness.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from pdmigrate.harness import rota as harness_rota
from pdmigrate.harness.records import Rotation
from pdmigrate.harness.records import Schedule as TargetSchedule
from pdmigrate.mapping.draft import Draft
from pdmigrate.mapping.proof import AnySchedule
from pdmigrate.oncall import rota
from pdmigrate.pagerduty import rota_v3
from pdmigrate.pagerduty.rota import render_schedule
from pdmigrate.pagerduty.v3_records import ScheduleV3
from pdmigrate.parity.explanations import expect_rota, explain_schedule
from pdmigrate.parity.schedules import Compared, ScheduleParity, Schedules, find_zone


@dataclass(frozen=True)
class Past:
    """Both sides over a span that is over. draft: the draft, with what is alive in Harness reaching back.

    schedules: PagerDuty as it is today beside Harness as it is today. day: PagerDuty's rendering of those days, in emails;
    a schedule that is not in it was not rendered. dated: when what was carried over says nothing of the past, by id.
    """

    draft: Draft
    schedules: Schedules
    day: Mapping[str, rota.Rota]
    dated: Mapping[str, tuple[rota.Span, ...]]


def look_back(
    found: Draft, day: Mapping[str, rota.Rota], since: datetime, until: datetime, dated: bool = False
) -> Past:
    """What a draft says of the time from since until until, which is over. day: PagerDuty's rendering of it, in user ids.

    dated: with what has a date, overrides and shifts, as it stands on both sides: it is known of some weeks only.
    """
    now = found.account.since
    there = {name: _reach_back(one, now, dated) for name, one in found.state.schedules.items()}
    wishes = [
        replace(wish, record=_reach_back(wish.record, now, dated)) if isinstance(wish.record, TargetSchedule) else wish
        for wish in found.mapped.desired
    ]
    back = replace(
        found,
        account=replace(found.account, since=since, until=until),
        state=found.state.model_copy(update={"schedules": there}),
        mapped=replace(found.mapped, desired=wishes),
    )
    span = (rota.to_instant(since), rota.to_instant(until))
    compared = [_compare(back, one, now, span, dated) for one in found.account.all_schedules.values()]
    schedules = Schedules(one for one in compared if one is not None)
    return Past(
        back,
        schedules,
        {id: shown.rename(found.emails) for id, shown in day.items()},
        {s.id: _find_dated(back, s, span) for s in schedules},
    )


def _reach_back(schedule: TargetSchedule, now: datetime, dated: bool) -> TargetSchedule:
    """The rotations that run now, as if they always had, and those to come. dated: with dated shifts and overrides."""
    alive = [
        one if one.since and one.since > now else one.model_copy(update={"since": None})
        for one in schedule.rotations
        if (one.until is None or one.until > now) and not _is_shift(one)
    ]
    shifts = [one for one in schedule.rotations if dated and _is_shift(one)]
    overrides = schedule.overrides if dated else ()
    return schedule.model_copy(update={"rotations": (*alive, *shifts), "overrides": overrides})


def _is_shift(one: Rotation) -> bool:
    """Whether it is a shift with a date, and no turn that comes again."""
    if one.since is None or one.until is None or len(one.participants) > 1:
        return False
    return (one.until - one.since).total_seconds() <= one.turn_seconds


def _compare(back: Draft, schedule: AnySchedule, now: datetime, span: rota.Span, dated: bool) -> ScheduleParity | None:
    """One schedule; None where a rule of it cannot be read, so that nothing is known of it."""
    zone = find_zone(back, schedule)
    bare = _read_today(schedule, now, back.account.since, dated)
    try:
        render = (
            rota_v3.render_schedule(bare, *span) if isinstance(bare, ScheduleV3) else render_schedule(bare, zone, *span)
        )
    except ValueError:
        return None
    before = render.rename(back.emails)
    identifier = back.identifier_of("schedules", schedule.id)
    there = back.state.schedules.get(identifier)
    after = harness_rota.render_schedule(there, *span) if there else rota.Rota()
    explanations = explain_schedule(back, bare, before, span)
    compared = Compared(*span, before, after, expect_rota(before, explanations), explanations)
    unread = not back.state.oncall
    return ScheduleParity(schedule.id, schedule.name, identifier, zone.key, compared, unread, judged=False)


def _read_today(schedule: AnySchedule, now: datetime, since: datetime, dated: bool) -> AnySchedule:
    """Its layers or events that are alive now, from `since` on, and those to come. dated: with what has a date."""

    def reach(start: datetime) -> datetime:
        return min(start, since) if start <= now else start

    if isinstance(schedule, ScheduleV3):
        rotations = [
            one.model_copy(
                update={
                    "events": tuple(
                        event.model_copy(update={"effective_since": reach(event.effective_since)})
                        for event in one.events
                        if event.effective_until is None or event.effective_until > now
                    )
                }
            )
            for one in schedule.rotations
        ]
        without = {} if dated else {"custom_shifts": (), "overrides": ()}
        return schedule.model_copy(update={"rotations": tuple(rotations), "final_schedule": None, **without})
    alive = [
        layer.model_copy(update={"start": reach(layer.start)})
        for layer in schedule.schedule_layers
        if layer.end is None or layer.end > now
    ]
    changes: dict[str, object] = {"schedule_layers": tuple(alive), "final_schedule": None}
    if not dated:
        bare = schedule.overrides_subschedule.model_copy(update={"rendered_schedule_entries": ()})
        changes["overrides_subschedule"] = bare
    return schedule.model_copy(update=changes)


def _find_dated(back: Draft, schedule: ScheduleParity, span: rota.Span) -> tuple[rota.Span, ...]:
    """When what we wrote, read backwards, is not what was decided: rotations with dates say nothing of days before them."""
    wish = back.wanted.get(("schedules", schedule.id))
    may_be_dated = schedule.id in back.account.schedules_v3 or (
        (known := back.mapped.fidelity.get(schedule.id)) is not None and known.grade != "for_ever"
    )
    if wish is None or not isinstance(wish.record, TargetSchedule) or not may_be_dated:
        return ()
    written = harness_rota.render_schedule(wish.record, *span)
    return rota.merge_spans((s, e) for s, e, _, _ in rota.differences(schedule.expected, written))
