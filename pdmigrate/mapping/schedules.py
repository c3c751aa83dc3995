"""What both kinds of schedules go through: the time zone, who stands in them, the judge's question, what is wanted.

The zone is the schedule's own, or, where that name is not IANA's, what a person confirmed. Everybody in a schedule has an
account or an invitation, or the schedule is held whole, never shortened.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from pdmigrate.harness import records as harness
from pdmigrate.harness.identifiers import make_identifier, make_name
from pdmigrate.mapping.collisions import NamePlace, find_place
from pdmigrate.mapping.mapped import FieldOutcome, Mapped, Stop, describe, read_stop
from pdmigrate.mapping.proof import AnySchedule, Fidelity, Judgement, list_evidence
from pdmigrate.mapping.rotations import Named, add_to_name, write_rotation
from pdmigrate.mapping.unusable import find_unusable
from pdmigrate.oncall import rota
from pdmigrate.oncall.zones import Zone, read_zone, suggest_zones
from pdmigrate.pagerduty.records import Reference
from pdmigrate.pagerduty.rota import find_foreign
from pdmigrate.plan.actions import Desired
from pdmigrate.plan.answers import Conflict, Option, Settled
from pdmigrate.plan.values import describe_unusable
from pdmigrate.wire.canonical import canonical_json

# --- the time zone ---


def choose_zone(mapped: Mapped, schedule: AnySchedule) -> str | None:
    """An IANA name, or None where the schedule is held for it."""
    zone = _choose_name(mapped, schedule)
    return zone if zone is None or _is_written_in_it(mapped, schedule) else None


def _is_written_in_it(mapped: Mapped, schedule: AnySchedule) -> bool:
    """Whether its windows are in its zone, as far as the offsets of its layers tell; otherwise a person says so.

    Where PagerDuty has rendered the schedule, that rendering judges the windows, and nobody is asked.
    """
    moment = find_foreign(schedule.time_zone, getattr(schedule, "schedule_layers", ()))
    if moment is None or any(True for _ in list_evidence(mapped.account, schedule)):
        return True
    answer = mapped.questions.ask(_ask_foreign(schedule, moment))
    if answer is not None and answer.choice == "as_written":
        return True
    what = f"its windows may be written in another zone than {schedule.time_zone}"
    decided = answer.conflict.key if answer else ""
    said = f"{'left out by decision' if answer else 'open question'}: {what}"
    mapped.lose("schedules", schedule.id, schedule.name, said, answer is None, decided)
    return False


def _ask_foreign(schedule: AnySchedule, moment: datetime) -> Conflict:
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


def _choose_name(mapped: Mapped, schedule: AnySchedule) -> str | None:
    zone = read_zone(schedule.time_zone)
    if zone.iana and not zone.converted:
        return zone.iana
    answer = mapped.questions.ask(_ask_zone(schedule, zone))
    if answer is not None and answer.choice == "confirm":
        return zone.iana
    if answer is not None and answer.choice == "other":
        other = read_zone(answer.value or "").iana
        if other is None:
            _lose_zone(mapped, schedule, answer)
        return other
    stop = read_stop(answer, f"its time zone {schedule.time_zone!r}")
    mapped.lose("schedules", schedule.id, schedule.name, stop.reason, stop.waits, stop.decided)
    return None


def _lose_zone(mapped: Mapped, schedule: AnySchedule, answer: Settled) -> None:
    mapped.questions.reopen(answer, describe_unusable("other", answer.value, {}))
    reason = f"its time zone was decided as {answer.value!r}, which nobody knows"
    mapped.lose("schedules", schedule.id, schedule.name, reason, True)


def _ask_zone(schedule: AnySchedule, zone: Zone) -> Conflict:
    other = Option(name="other", effect="another zone is written", value="an IANA name, as Europe/London")
    leave = Option(name="leave_out", effect="not moved")
    options: tuple[Option, ...]
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


# --- who stands in it ---

LEAVE_OUT = Option(name="leave_out", effect="the schedule is not moved, nor what needs it")


def participants_known(mapped: Mapped, schedule: AnySchedule, users: Iterable[Reference]) -> bool:
    """Whether all of them can be paged, or their places may stay empty; otherwise the schedule is booked as held.

    Everything that has to be asked about them is asked at once.
    """
    each = {user.id: user for user in users}
    return not mapped.stop("schedules", schedule, [_find_stop(mapped, schedule, user) for user in each.values()])


def _find_stop(mapped: Mapped, schedule: AnySchedule, user: Reference) -> Stop | None:
    name = user.summary or user.id
    if user.deleted_at:
        return _allow_empty_place(mapped, ask_deleted(schedule, user), f"{name} was deleted in PagerDuty")
    if user.id in mapped.emails or user.id in mapped.nobodies:
        return None
    if user.id in mapped.account.users or find_unusable(mapped, "users", user.id):
        return mapped.stop_behind("users", user.id, f"{name} stands in it and has neither account nor invitation")
    return _allow_empty_place(mapped, ask_unlisted(schedule, user), f"no list of PagerDuty shows {name} ({user.id})")


def _allow_empty_place(mapped: Mapped, conflict: Conflict, why: str) -> Stop | None:
    answer = mapped.questions.ask(conflict)
    return None if answer is not None and answer.choice == "empty_place" else read_stop(answer, why)


def ask_deleted(schedule: AnySchedule, user: Reference) -> Conflict:
    """Somebody whose account is deleted, by PagerDuty's own word: the places have stayed."""
    since = f" on {user.deleted_at[:10]}" if user.deleted_at else ""
    return Conflict(
        about="deleted_participant",
        kind="schedules",
        id=f"{schedule.id}/{user.id}",
        name=schedule.name,
        question=f"{schedule.name} names {user.summary or user.id} ({user.id}), who was deleted in PagerDuty{since}.",
        meaning="Nobody of this layer is on call in those turns, today as well.",
        options=(
            Option(name="empty_place", effect="the turns stay, and stay empty: as it is now"),
            LEAVE_OUT,
        ),
        recommended="empty_place",
    )


def ask_unlisted(schedule: AnySchedule, user: Reference) -> Conflict:
    """Somebody whom no list shows, and of whom PagerDuty does not say that he is deleted."""
    name = user.summary or user.id
    return Conflict(
        about="dangling_reference",
        kind="schedules",
        id=f"{schedule.id}/{user.id}",
        name=schedule.name,
        question=f"{schedule.name} names {name} ({user.id}), whom no list of PagerDuty shows, and who is not said to be "
        "deleted: perhaps the key may not read that user.",
        meaning=f"As far as anybody knows PagerDuty pages {name} in those turns. Use a key that may read that user, "
        "and run preview again: then there is nothing to ask.",
        options=(
            Option(
                name="empty_place",
                effect=f"the turns stay, and stay empty: a hole, in which nobody is paged in place of {name}",
            ),
            LEAVE_OUT,
        ),
        recommended="leave_out",
        changes_paging=True,
    )


def people_needed(mapped: Mapped, users: Iterable[str | None]) -> tuple[tuple[str, str], ...]:
    """What must be there before the schedule is. users: PagerDuty ids."""
    return tuple(("users", id) for id in sorted({id for id in users if id and id in mapped.emails}))


def describe_empty(mapped: Mapped, users: Iterable[Reference]) -> list[FieldOutcome]:
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


def place_schedule(mapped: Mapped, schedule: AnySchedule, twin: bool) -> NamePlace | None:
    """Where in Harness it goes; None where it is held."""
    name, identifier = make_name(schedule.name, schedule.id), make_identifier(schedule.name, schedule.id)
    return find_place(
        mapped, "schedules", "duplicate_schedule", schedule, identifier, name, mapped.state.schedules, twin
    )


def want_schedule(
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
    people = (person for one in named for person in one.rotation.participants if person in mapped.account.users)
    needs = tuple(("teams", t.id) for t in schedule.teams if t.id in mapped.groups) + people_needed(mapped, people)
    mapped.zones[schedule.id] = zone
    mapped.schedules[schedule.id] = place.identifier
    where, ids = (place.identifier, place.name), (schedule.id,)
    mapped.want(Desired("schedules", schedule.id, *where, wanted, ids, needs, place.adopt, place.merge), outcomes)


def _list_theirs(mapped: Mapped, id: str, identifier: str) -> set[str]:
    """The names of rotations that were in Harness before us."""
    entry, there = mapped.known("schedules", id), mapped.state.schedules.get(identifier)
    ours = {rotation["name"] for rotation in entry.synced["rotations"]} if entry else set()
    return {rotation.name for rotation in there.rotations} - ours if there else set()


def outcome_of_turns(field: str, named: list[Named], fidelity: Fidelity) -> FieldOutcome:
    """Turns are exact, but for those that can only be written with dates: these end, and more must follow."""
    if fidelity.until is None or not any(one.dated for one in named):
        return FieldOutcome(field, "exact")
    return FieldOutcome(field, "changed", f"{fidelity.describe()}: {fidelity.reason}")


def may_load(mapped: Mapped, schedule: AnySchedule, judgement: Judgement[Any]) -> bool:
    """The judge: we do not load what we do not understand, unless a person says so."""
    if not judgement.differing:
        return True
    first = rota.to_datetime(judgement.first).isoformat()
    answer = mapped.questions.ask(_ask_rendering(schedule, judgement, first))
    if answer is not None and answer.choice == "load_anyway":
        return True
    differing = timedelta(seconds=judgement.differing)
    reason = f"PagerDuty shows other people on call than its layers say ({differing} in all)"
    mapped.lose("schedules", schedule.id, schedule.name, reason, answer is None, answer.conflict.key if answer else "")
    return False


def _ask_rendering(schedule: AnySchedule, judgement: Judgement[Any], first: str) -> Conflict:
    """What to do with a schedule that PagerDuty renders otherwise than we do.

    By how much moves with the horizon every night: the answer holds until somebody changes the schedule, or other people
    are shown, or at other times of the week.
    """
    seconds = timedelta(seconds=judgement.differing)
    apart = [[one.shown, one.ours, one.when] for one in sorted(judgement.apart)]
    return Conflict(
        about="rendering_differs",
        kind="schedules",
        id=schedule.id,
        name=schedule.name,
        question="PagerDuty's own rendering differs from our reading of the layers.",
        meaning=f"By {seconds} in all, first at {first}. We do not understand this schedule fully; what we would write "
        "might page somebody else. An answer is for these differences only.",
        options=(
            Option(name="leave_out", effect="not moved; a person makes it by hand"),
            Option(name="load_anyway", effect="written by our reading of the layers, these differences and all"),
        ),
        recommended="leave_out",
        changes_paging=True,
        detail=canonical_json([schedule.model_dump(mode="json", include=CONFIGURED), apart]),
    )
