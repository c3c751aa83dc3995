"""Schedules: layers to rotations, and the checks that let no approximation through.

A schedule moves only if PagerDuty's own rendering agrees with our reading of its layers, and if its rotations give the
same people as the layers, second by second over the next 400 days, whether the target joins rotations or stacks them.
"""

from datetime import timedelta
from zoneinfo import ZoneInfo

from pdmigrate import rota
from pdmigrate.actions import Desired
from pdmigrate.decisions import Conflict, Option
from pdmigrate.harness import records as harness
from pdmigrate.harness import rota as harness_rota
from pdmigrate.identifiers import make_identifier, make_name
from pdmigrate.mapping.collisions import Place, find_place, find_twins
from pdmigrate.mapping.flatten import flatten
from pdmigrate.mapping.work import FieldFate, Work, describe, exact, name_fate
from pdmigrate.pagerduty import rota as pagerduty_rota
from pdmigrate.pagerduty.records import Reference, Schedule
from pdmigrate.zones import read_zone, suggest_zones

PROOF_DAYS = 400


def map_schedules(work: Work) -> None:
    """Want a schedule for every one in scope that can be held exactly. Fills `work.schedules` and `work.zones`."""
    schedules = list(work.in_scope("schedules", work.account.schedules))
    twins = find_twins(schedules, lambda schedule: make_name(schedule.name, schedule.id))
    for schedule in schedules:
        zone = _choose_zone(work, schedule)
        if zone is None or not _participants_known(work, schedule) or not _rendering_agrees(work, schedule, zone):
            continue
        name, identifier = make_name(schedule.name, schedule.id), make_identifier(schedule.name, schedule.id)
        existing = work.state.schedules
        place = find_place(
            work, "schedules", "duplicate_schedule", schedule, identifier, name, existing, schedule.id in twins
        )
        if place is not None:
            work.zones[schedule.id] = zone
            _want_schedule(work, schedule, zone, place)


def _want_schedule(work: Work, schedule: Schedule, zone: str, place: Place) -> None:
    layers = [pagerduty_rota.make_rotation(layer, ZoneInfo(zone)) for layer in schedule.schedule_layers]
    pieces = flatten(layers, rota.to_instant(work.account.since))
    if not _same_people(work, layers, [piece for _, piece in pieces], ZoneInfo(zone)):
        reason = "its layers cannot be said as rotations: an upper layer has empty places over a lower one"
        return work.lose("schedules", schedule.id, schedule.name, reason)
    rotations = [_make_rotation(work, schedule, number, piece, layers) for number, piece in pieces]
    if place.merge:
        rotations = [*work.state.schedules[place.identifier].rotations, *rotations]
    fields = {
        "name": place.name,
        "description": describe(schedule.name, place.name, schedule.description),
        "time_zone": zone,
        "owner_group": work.group_of(schedule.teams),
        "rotations": [rotation.model_dump(mode="json") for rotation in rotations],
    }
    needs = tuple(("teams", t.id) for t in schedule.teams if t.id in work.groups) + _people_needed(work, schedule)
    work.schedules[schedule.id] = place.identifier
    desired = Desired(
        "schedules", schedule.id, place.identifier, place.name, fields, (schedule.id,), needs, place.adopt
    )
    work.want(desired, _field_fates(work, schedule, zone, place))
    return None


def _make_rotation(work: Work, schedule: Schedule, number: int, piece: rota.Rotation, layers: list) -> harness.Rotation:
    return harness.Rotation(
        name=_name_rotation(schedule, number, piece, layers[number]),
        participants=tuple(work.emails.get(id) if id else None for id in piece.participants),
        anchor=rota.from_naive(piece.anchor),
        turn_seconds=piece.turn,
        windows=harness_rota.write_windows(piece.week),
        since=rota.to_datetime(piece.since) if piece.since is not None else None,
        until=rota.to_datetime(piece.until) if piece.until is not None else None,
    )


def _name_rotation(schedule: Schedule, number: int, piece: rota.Rotation, layer: rota.Rotation) -> str:
    """The layer's name, the same on every run: a renamed rotation silently loses its escalation level in Harness.

    A later piece of a layer is told apart by its start, a second layer of the same name by its id.
    """
    names = [make_name(layer.name or layer.id, layer.id) for layer in schedule.schedule_layers]
    name = (
        names[number] if names.count(names[number]) == 1 else f"{names[number]} {schedule.schedule_layers[number].id}"
    )
    return name if piece.since == layer.since else f"{name} from {rota.to_datetime(piece.since):%Y-%m-%d %H.%M.%S}"


def _same_people(work: Work, layers: list[rota.Rotation], pieces: list[rota.Rotation], zone: ZoneInfo) -> bool:
    """The proof: same people as the layers, over 400 days, under both readings of several rotations."""
    start = rota.to_instant(work.account.since)
    end = start + PROOF_DAYS * rota.DAY
    before = rota.stack([layer.render(zone, start, end) for layer in layers])
    after = [piece.render(zone, start, end) for piece in pieces]
    return before == rota.join(after) == rota.stack(after)


def _choose_zone(work: Work, schedule: Schedule) -> str | None:
    zone = read_zone(schedule.time_zone)
    if zone.iana and not zone.converted:
        return zone.iana
    answer = work.questions.ask(_ask_zone(schedule, zone))
    if answer is None:
        work.lose("schedules", schedule.id, schedule.name, f"open question: its time zone {schedule.time_zone!r}", True)
    elif answer.choice == "confirm":
        return zone.iana
    elif answer.choice == "other":
        return read_zone(answer.value or "").iana or _lose_zone(work, schedule, answer.value or "")
    else:
        work.lose("schedules", schedule.id, schedule.name, "left out by decision: its time zone")
    return None


def _lose_zone(work: Work, schedule: Schedule, value: str) -> None:
    work.lose(
        "schedules", schedule.id, schedule.name, f"its time zone was decided as {value!r}, which nobody knows", True
    )


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


def _participants_known(work: Work, schedule: Schedule) -> bool:
    """A schedule whose participant has neither account nor invitation is held whole, never shortened."""
    for user in _participants(schedule):
        if user.deleted_at or user.id not in work.account.users:
            if not _allow_empty_place(work, schedule, user):
                return False
        elif user.id not in work.emails:
            name = user.summary or user.id
            reason = f"{name} stands in it and has neither account nor invitation"
            work.lose("schedules", schedule.id, schedule.name, reason, user.id in work.undecided)
            return False
    return True


def _participants(schedule: Schedule) -> list[Reference]:
    """Everybody in the layers that have not ended for good; one may be named more than once."""
    return [place.user for layer in schedule.schedule_layers for place in layer.users]


def _allow_empty_place(work: Work, schedule: Schedule, user: Reference) -> bool:
    answer = work.questions.ask(_ask_dangling(schedule, user))
    if answer is not None and answer.choice == "empty_place":
        return True
    why = "left out by decision" if answer else "open question"
    work.lose(
        "schedules",
        schedule.id,
        schedule.name,
        f"{why}: {user.summary or user.id} is not in PagerDuty any more",
        answer is None,
    )
    return False


def _ask_dangling(schedule: Schedule, user: Reference) -> Conflict:
    since = f" since {user.deleted_at[:10]}" if user.deleted_at else ""
    return Conflict(
        about="dangling_reference",
        kind="schedules",
        id=f"{schedule.id}/{user.id}",
        name=schedule.name,
        question=f"{schedule.name} names {user.summary or user.id} ({user.id}), who is not in PagerDuty any more{since}.",
        meaning="Nobody of this layer is on call in those turns, today as well.",
        options=(
            Option(name="empty_place", effect="the turns stay, and stay empty: as it is now"),
            Option(name="leave_out", effect="the schedule is not moved"),
        ),
        recommended="empty_place",
        changes_paging=not user.deleted_at,
    )


def _rendering_agrees(work: Work, schedule: Schedule, zone: str) -> bool:
    """The judge: we do not load what we do not understand."""
    final = pagerduty_rota.read_final(schedule)
    if final is None:
        return True
    start, end = rota.to_instant(work.account.since), rota.to_instant(work.account.until)
    ours = pagerduty_rota.render_schedule(schedule, ZoneInfo(zone), start, end)
    found = rota.differences(final.clip(start, end), ours)
    if not found:
        return True
    seconds = rota.total((s, e) for s, e, _, _ in found)
    answer = work.questions.ask(_ask_rendering(schedule, seconds, rota.to_datetime(found[0][0]).isoformat()))
    if answer is not None and answer.choice == "load_anyway":
        return True
    reason = f"PagerDuty shows other people on call than its layers say ({timedelta(seconds=seconds)} in all)"
    work.lose("schedules", schedule.id, schedule.name, reason, answer is None)
    return False


def _ask_rendering(schedule: Schedule, seconds: int, first: str) -> Conflict:
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


def _people_needed(work: Work, schedule: Schedule) -> tuple[tuple[str, str], ...]:
    ids = sorted({user.id for user in _participants(schedule) if user.id in work.emails})
    return tuple(("users", id) for id in ids)


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
    gone = sorted(
        {u.summary or u.id for u in _participants(schedule) if u.deleted_at or u.id not in work.account.users}
    )
    if gone:
        fates.append(FieldFate("users", "changed", f"turns of {', '.join(gone)} stay empty: deleted in PagerDuty"))
    return fates
