"""Schedules of both kinds: the time zone, who stands in them, the judge's question, what is wanted.

The zone is the schedule's own, or, where that name is not IANA's, what a person confirmed. Everybody in a schedule has an
account or an invitation, or the schedule is not moved until that is settled, never shortened. What Harness's rotations cannot say, or only
with more dates than anybody can check, is a person's decision.
"""

from collections.abc import Callable, Iterable
from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

from pdmigrate.harness import records as harness
from pdmigrate.mapping.collisions import NamePlace, find_place
from pdmigrate.mapping.left_behind import describe_heading, describe_teams, find_unusable, stop_unknown
from pdmigrate.mapping.mapped import FieldOutcome, Mapped, Stop, describe, judge_field, read_stop, stop_by, stop_unless
from pdmigrate.mapping.proof import (
    NOT_CARRIED,
    AnySchedule,
    CannotBeSaidError,
    Judgement,
    Said,
    judge,
    list_evidence,
    read_shown,
)
from pdmigrate.mapping.rotations import (
    MOST_SHIFTS,
    Named,
    TooManyDatedError,
    add_to_name,
    describe_together,
    write_rotation,
)
from pdmigrate.mapping.schedules_v2 import map_layers
from pdmigrate.mapping.schedules_v3 import describe_strays, find_own_zone, map_shifts
from pdmigrate.mapping.scope import list_participants, list_people
from pdmigrate.oncall import rota
from pdmigrate.oncall.zones import read_zone, suggest_zones
from pdmigrate.pagerduty.records import Reference, Schedule
from pdmigrate.pagerduty.rota import find_foreign
from pdmigrate.pagerduty.v3_records import ScheduleV3
from pdmigrate.plan.actions import Desired
from pdmigrate.plan.values import describe_unusable
from pdmigrate.wire.canonical import canonical_json
from pdmigrate.wire.progress import Progress

MOST_WRITTEN = 20_000
"""Rotations with dates that are written where a person wants them all."""
PARTS = {"overrides_subschedule": "overrides", "overrides": "overrides", "custom_shifts": "custom shifts"}


def map_schedules(mapped: Mapped, progress: Progress) -> None:
    """Want a schedule for every one in scope that can be held exactly. Fills `mapped.schedules`, `zones`, `fidelity`."""
    for schedule in progress.follow("schedules worked out", list(mapped.in_scope("schedules"))):
        mapped.fidelity[schedule.id] = NOT_CARRIED
        stops = [stop_unknown(mapped, "schedules", schedule), _stop_unread(mapped, schedule)]
        if not mapped.stop("schedules", schedule, stops):
            _map_schedule(mapped, schedule)


def _map_schedule(mapped: Mapped, schedule: AnySchedule) -> None:
    """Want the schedule, or book why it is held."""
    now, shifts = mapped.account.since, isinstance(schedule, ScheduleV3)
    people = list_people(schedule) if isinstance(schedule, ScheduleV3) else list_participants(schedule, now)
    zone = _choose_zone(mapped, schedule)
    if zone is None or not _is_written_in_it(mapped, schedule):
        return
    each = {user.id: user for user in people}  # everything that has to be asked about them is asked at once
    if mapped.stop("schedules", schedule, [_find_stop(mapped, schedule, user) for user in each.values()]):
        return
    try:
        judgement = judge(mapped.account, schedule, ZoneInfo(zone))
        own = find_own_zone(schedule) or zone if isinstance(schedule, ScheduleV3) else zone
    except (ValueError, OverflowError) as error:
        _hold_unsaid(mapped, schedule, _describe_unread(error, "one of its events" if shifts else "it"))
        return
    if not _may_load(mapped, schedule, judgement):
        return
    place = find_place(mapped, "schedules", schedule)
    span = rota.to_instant(now), rota.to_instant(mapped.account.until)
    map_one: Callable[..., Said] = map_shifts if shifts else map_layers
    known = mapped.account.worked_out

    def say(most: int) -> Said:
        key = (schedule.id, own, judgement, most)
        if key not in known:
            given = {"zone": ZoneInfo(own), "now": span[0], "horizon": span[1]}
            known[key] = map_one(schedule, judgement=judgement, most=most, **given)
        said: Said = known[key]
        return said

    said = _map_or_ask(mapped, schedule, say) if place else None
    if place and said:
        named, mapped.fidelity[schedule.id] = said
        note = describe_together(named, ZoneInfo(own), *span) if shifts else ""
        outcomes = _field_outcomes(mapped, schedule, own, place, named, note)
        _want_schedule(mapped, schedule, own, place, named, [*outcomes, *_describe_empty(mapped, people)], note)


def describe_unread_parts(schedule: AnySchedule) -> str:
    """Which of its dated parts were not read, in words; "" where all were, or where PagerDuty's own rendering has them.

    What PagerDuty renders has its overrides in it: an override that we have not read is a difference from it.
    """
    return " and ".join(PARTS[part] for part in schedule.unread) if read_shown(schedule) is None else ""


def _stop_unread(mapped: Mapped, schedule: AnySchedule) -> Stop | None:
    """Overrides and custom shifts that nobody has read page somebody today: held until a person says what to do."""
    parts = describe_unread_parts(schedule)
    if not parts:
        return None
    answer = mapped.ask("unread_overrides", "schedules", schedule.id, schedule.name, parts=parts)
    return stop_unless("without", answer, f"its {parts} were not read")


# --- what rotations cannot say ---


def _map_or_ask(mapped: Mapped, schedule: AnySchedule, say: Callable[..., Said]) -> Said | None:
    """What `say` makes of it, given how many dated rotations there may be; None where it is held, which is booked."""
    for most in (MOST_SHIFTS, MOST_WRITTEN):
        try:
            return say(most=most)
        except TooManyDatedError as error:
            reason = f"{error}, and {most:,} are the most that are written"
            if most == MOST_WRITTEN:
                break
            answer = mapped.ask("too_many_dated", "schedules", schedule.id, schedule.name, most=most, error=error)
            if answer is None or answer.choice != "write_dates":
                said = f"{error}, and {most} is what somebody can check"
                mapped.stop("schedules", schedule, [stop_by(answer, said)])
                return None
        except CannotBeSaidError as error:
            reason = str(error)
            break
        except (ValueError, OverflowError) as error:
            reason = _describe_unread(error)
            break
    _hold_unsaid(mapped, schedule, reason)
    return None


def _describe_unread(error: Exception, what: str = "it") -> str:
    """Why a schedule, or what of it, is not understood."""
    return str(error) if isinstance(error, rota.TooManyTurnsError) else f"{what} cannot be read: {error}"


def _hold_unsaid(mapped: Mapped, schedule: AnySchedule, reason: str) -> None:
    """Ask about a schedule that cannot be carried over, and book it as held."""
    answer = mapped.ask("cannot_be_said", "schedules", schedule.id, schedule.name, reason=reason)
    mapped.stop("schedules", schedule, [stop_by(answer, reason)])


# --- the time zone ---


def _choose_zone(mapped: Mapped, schedule: AnySchedule) -> str | None:
    """An IANA name, or None where the schedule is held for it."""
    zone = read_zone(schedule.time_zone)
    if zone.iana and not zone.converted:
        return zone.iana
    near = "" if zone.iana else ", ".join(suggest_zones(zone.name)) or "nothing like it"
    words = {"zone": zone.name, "iana": zone.iana, "converted": zone.converted, "near": near}
    about = "time_zone_mismatch" if zone.iana else "unknown_time_zone"
    answer = mapped.ask(about, "schedules", schedule.id, schedule.name, **words)
    if answer is not None and answer.choice == "confirm":
        return zone.iana
    if answer is not None and answer.choice == "other":
        other = read_zone(answer.value or "").iana
        if other is None:
            mapped.questions.reopen(answer, describe_unusable("other", answer.value, {}))
            reason = f"its time zone was decided as {answer.value!r}, which nobody knows"
            mapped.lose("schedules", schedule.id, schedule.name, reason, True)
        return other
    mapped.stop("schedules", schedule, [read_stop(answer, f"its time zone {schedule.time_zone!r}")])
    return None


def _is_written_in_it(mapped: Mapped, schedule: AnySchedule) -> bool:
    """Whether its windows are in its zone, as far as the offsets of its layers tell; otherwise a person says so.

    Where PagerDuty has rendered the schedule, that rendering judges the windows, and nobody is asked.
    """
    moment = find_foreign(schedule.time_zone, getattr(schedule, "schedule_layers", ()))
    if moment is None or any(True for _ in list_evidence(mapped.account, schedule)):
        return True
    words = {"zone": schedule.time_zone, "moment": moment.isoformat()}
    answer = mapped.ask("written_in_another_zone", "schedules", schedule.id, schedule.name, **words)
    what = f"its windows may be written in another zone than {schedule.time_zone}"
    return not mapped.stop("schedules", schedule, [stop_unless("as_written", answer, what)])


# --- who stands in it ---


def _find_stop(mapped: Mapped, schedule: AnySchedule, user: Reference) -> Stop | None:
    """None where the person can be paged, or the places may stay empty."""
    name = user.summary or user.id
    place, words = f"{schedule.id}/{user.id}", {"user": f"{name} ({user.id})", "who": name}
    if user.deleted_at:
        since = f" on {user.deleted_at[:10]}"
        answer = mapped.ask("deleted_participant", "schedules", place, schedule.name, since=since, **words)
        return stop_unless("empty_place", answer, f"{name} was deleted in PagerDuty")
    if user.id in mapped.emails or user.id in mapped.nobodies:
        return None
    if user.id in mapped.account.users or find_unusable(mapped, "users", user.id):
        return mapped.stop_behind("users", user.id, f"{name} stands in it and has neither account nor invitation")
    answer = mapped.ask("dangling_reference", "schedules", place, schedule.name, **words)
    return stop_unless("empty_place", answer, f"no list of PagerDuty shows {name} ({user.id})")


def _describe_empty(mapped: Mapped, users: Iterable[Reference]) -> list[FieldOutcome]:
    """Whose turns stay empty: who is deleted, whom no list shows, and who is nobody by decision."""
    users = tuple(users)
    deleted = {u.summary or u.id for u in users if u.deleted_at}
    unlisted = {u.summary or u.id for u in users if not u.deleted_at and u.id not in mapped.account.users}
    nobodies = {mapped.account.users[u.id].name for u in users if u.id in mapped.nobodies}
    reasons = (
        (deleted, "deleted in PagerDuty"),
        (unlisted, "no list of PagerDuty shows them, by decision"),
        (nobodies, "nobody, by decision"),
    )
    said = [f"turns of {', '.join(sorted(names))} stay empty: {why}" for names, why in reasons if names]
    return [FieldOutcome("users", "changed", "; ".join(said))] if said else []


# --- the judge's question, and what is wanted ---

LAYER = {"end", "rotation_virtual_start", "rotation_turn_length_seconds", "users", "restrictions"}
CONFIGURED: dict[str, Any] = {"time_zone": True, "rotations": True, "schedule_layers": {"__all__": LAYER}}
"""What of a schedule, layer-based or shift-based, an answer about its rendering is given to; Terraform moves every `start`."""


def _want_schedule(
    mapped: Mapped,
    schedule: AnySchedule,
    zone: str,
    place: NamePlace,
    named: list[Named],
    outcomes: list[FieldOutcome],
    note: str = "",
) -> None:
    """Want it in Harness, at its place; what it merges with keeps its rotations. note: first line of its description."""
    rotations = [write_rotation(one, mapped.emails) for one in named]
    if place.merge:
        theirs = _list_theirs(mapped, schedule.id, place.identifier)
        rotations = [
            one.model_copy(update={"name": add_to_name(one.name, "PagerDuty")}) if one.name in theirs else one
            for one in rotations
        ]
    wanted = harness.Schedule(
        identifier=place.identifier,
        name=place.name,
        description=describe(schedule.name, place.name, "\n".join(filter(None, (note, schedule.description)))),
        time_zone=zone,
        owner_group=mapped.group_of(schedule.teams),
        rotations=tuple(rotations),
    )
    standing = {person for one in named for person in one.rotation.participants if person in mapped.account.users}
    needs = tuple(("teams", team.id) for team in schedule.teams if team.id in mapped.groups)
    needs += tuple(("users", person) for person in sorted(filter(None, standing)) if person in mapped.emails)
    mapped.zones[schedule.id] = zone
    mapped.schedules[schedule.id] = place.identifier
    where, ids = (place.identifier, place.name), (schedule.id,)
    mapped.want(Desired("schedules", schedule.id, *where, wanted, ids, needs, place.adopt, place.merge), outcomes)


def _list_theirs(mapped: Mapped, id: str, identifier: str) -> set[str]:
    """The names of rotations that were in Harness before us."""
    entry, there = mapped.known("schedules", id), mapped.state.schedules.get(identifier)
    ours = {rotation["name"] for rotation in entry.synced["rotations"]} if entry else set()
    return {rotation.name for rotation in there.rotations} - ours if there else set()


def _field_outcomes(
    mapped: Mapped, schedule: AnySchedule, zone: str, place: NamePlace, named: list[Named], note: str
) -> list[FieldOutcome]:
    """Turns are exact, but for those that can only be written with dates: these end, and more must follow."""
    shifts, fidelity = isinstance(schedule, ScheduleV3), mapped.fidelity[schedule.id]
    dated = fidelity.until is not None and any(one.dated for one in named)
    said = f"{fidelity.describe()}: {fidelity.reason}" if dated else ""
    written = f"{schedule.time_zone} written as {zone}" + (", its events' own" if shifts else "")
    return [
        judge_field("rotations" if shifts else "schedule_layers", said),
        describe_teams(mapped, schedule.teams),
        *describe_heading(schedule, place.name, note),
        judge_field("time_zone", written if zone != schedule.time_zone else ""),
        *(describe_strays(schedule) if isinstance(schedule, ScheduleV3) else _describe_unlisted(mapped, schedule)),
    ]


def _describe_unlisted(mapped: Mapped, schedule: Schedule) -> list[FieldOutcome]:
    unknown = [p.summary or p.id for p in schedule.escalation_policies if p.id not in mapped.account.policies]
    said = f"names policies that no list shows: {', '.join(unknown)}"
    return [FieldOutcome("escalation_policies", "lost", said)] if unknown else []


def _may_load(mapped: Mapped, schedule: AnySchedule, judgement: Judgement[Any]) -> bool:
    """The judge: we do not load what we do not understand, unless a person says so.

    By how much PagerDuty renders it otherwise moves with the horizon every night: the answer holds until somebody changes
    the schedule, or other people are shown, or at other times of the week.
    """
    if not judgement.differing:
        return True
    seconds, apart = (
        timedelta(seconds=judgement.differing),
        [[a.shown, a.ours, a.when] for a in sorted(judgement.apart)],
    )
    words = {
        "seconds": seconds,
        "first": rota.to_datetime(judgement.first).isoformat(),
        "detail": canonical_json([schedule.model_dump(mode="json", include=CONFIGURED), apart]),
    }
    answer = mapped.ask("rendering_differs", "schedules", schedule.id, schedule.name, **words)
    if answer is not None and answer.choice == "load_anyway":
        return True
    reason = f"PagerDuty shows other people on call than its layers say ({seconds} in all)"
    return not mapped.stop("schedules", schedule, [stop_by(answer, reason)])
