"""What both kinds of schedules go through: the question of the judge, the place in Harness, the schedule as wanted."""

from datetime import timedelta

from pdmigrate.harness.identifiers import make_identifier, make_name
from pdmigrate.mapping.collisions import Place, find_place
from pdmigrate.mapping.fidelity import Fidelity
from pdmigrate.mapping.judge import Judgement
from pdmigrate.mapping.participants import people_needed
from pdmigrate.mapping.rotations import Named, add_to_name, write_rotation
from pdmigrate.mapping.work import FieldFate, Work, describe
from pdmigrate.oncall import rota
from pdmigrate.plan.actions import Desired
from pdmigrate.plan.answers import Conflict, Option
from pdmigrate.wire.canonical import canonical_json

LAYER = {"end", "rotation_virtual_start", "rotation_turn_length_seconds", "users", "restrictions"}
CONFIGURED = {"time_zone": True, "rotations": True, "schedule_layers": {"__all__": LAYER}}
"""What of a schedule, layer-based or shift-based, an answer about its rendering is given to; Terraform moves every `start`."""


def place_schedule(work: Work, schedule, twin: bool) -> Place | None:
    """Where in Harness it goes; None where it is held."""
    name, identifier = make_name(schedule.name, schedule.id), make_identifier(schedule.name, schedule.id)
    return find_place(work, "schedules", "duplicate_schedule", schedule, identifier, name, work.state.schedules, twin)


def want_schedule(
    work: Work, schedule, zone: str, place: Place, named: list[Named], fates: list[FieldFate], note: str = ""
) -> None:
    """Want it in Harness, at its place; what it merges with keeps its rotations. note: first line of its description."""
    rotations = [write_rotation(one, work.emails) for one in named]
    if place.merge:
        theirs = _list_theirs(work, schedule.id, place.identifier)
        rotations = [
            one.model_copy(update={"name": add_to_name(one.name, "PagerDuty")}) if one.name in theirs else one
            for one in rotations
        ]
    fields = {
        "name": place.name,
        "description": describe(schedule.name, place.name, "\n".join(filter(None, (note, schedule.description)))),
        "time_zone": zone,
        "owner_group": work.group_of(schedule.teams),
        "rotations": [rotation.model_dump(mode="json") for rotation in rotations],
    }
    people = [work.account.users[p] for one in named for p in one.rotation.participants if p in work.account.users]
    needs = tuple(("teams", t.id) for t in schedule.teams if t.id in work.groups) + people_needed(work, people)
    work.zones[schedule.id] = zone
    work.schedules[schedule.id] = place.identifier
    where, taken = (place.identifier, place.name), {"adopt": place.adopt, "merge": place.merge}
    work.want(Desired("schedules", schedule.id, *where, fields, (schedule.id,), needs, **taken), fates)


def _list_theirs(work: Work, id: str, identifier: str) -> set[str]:
    """The names of rotations that were in Harness before us."""
    entry, there = work.known("schedules", id), work.state.schedules.get(identifier)
    ours = {rotation["name"] for rotation in entry.synced["rotations"]} if entry else set()
    return {rotation.name for rotation in there.rotations} - ours if there else set()


def fate_of_turns(field: str, named: list[Named], fidelity: Fidelity) -> FieldFate:
    """Turns are exact, but for those that can only be written with dates: these end, and more must follow."""
    if fidelity.until is None or not any(one.dated for one in named):
        return FieldFate(field, "exact")
    return FieldFate(field, "changed", f"{fidelity.tell()}: {fidelity.reason}")


def may_load(work: Work, schedule, judgement: Judgement) -> bool:
    """The judge: we do not load what we do not understand, unless a person says so."""
    if not judgement.differing:
        return True
    first = rota.to_datetime(judgement.first).isoformat()
    answer = work.questions.ask(_ask_rendering(schedule, judgement, first))
    if answer is not None and answer.choice == "load_anyway":
        return True
    differing = timedelta(seconds=judgement.differing)
    reason = f"PagerDuty shows other people on call than its layers say ({differing} in all)"
    work.lose("schedules", schedule.id, schedule.name, reason, answer is None, answer.conflict.key if answer else "")
    return False


def _ask_rendering(schedule, judgement: Judgement, first: str) -> Conflict:
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
