"""Explanations: whose answer, or which rule that a person chose, lies behind a difference, and exactly what it covers.

A reason is not a decision: what the plan or the mapping says of itself explains nothing. From the answers alone follows
what Harness is to show in place of what PagerDuty shows; what Harness shows besides is a difference without a decision.
"""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from zoneinfo import ZoneInfo

from pdmigrate.harness.records import Override, Rotation, Schedule
from pdmigrate.harness.rota import render_schedule
from pdmigrate.mapping import proof
from pdmigrate.mapping.draft import Draft
from pdmigrate.mapping.overrides import cut_overrides, key_overrides, name_piece
from pdmigrate.mapping.proof import AnySchedule
from pdmigrate.oncall import rota
from pdmigrate.pagerduty import records
from pdmigrate.pagerduty.v3_records import ScheduleV3
from pdmigrate.plan.actions import Desired
from pdmigrate.plan.answers import Settled
from pdmigrate.plan.planning import THEIRS

Change = tuple[int, int, rota.People, rota.People]
"""From, to (instants), who is not on call any more, who is in addition."""

LEAVING = frozenset({"leave_out", "leave_removed"})
"""The answers that leave an object behind. An override whose stand-in is an empty place stays behind as well."""


@dataclass(frozen=True)
class Explanation:
    """What one answer, or one chosen rule, does to who is on call or who is paged.

    by: who gave the answer, or the rule's name. answer: the key of the question, `class:id`, or `rule:NAME`. kind, id: the
    object that it is about, an id of PagerDuty. fields: those that it changes. changes: of a schedule, when and whom; of
    a policy or service the changed levels stand in `expect_levels`.
    """

    by: str
    answer: str
    kind: str
    id: str
    fields: tuple[str, ...]
    words: str
    changes: tuple[Change, ...] = ()

    @property
    def people(self) -> rota.People:
        """Everybody whom it takes away or brings."""
        return frozenset().union(*(gone | come for _, _, gone, come in self.changes))


def find_answer(found: Draft, about: str, id: str) -> Settled | None:
    """The answer to a question of a class about an object."""
    return found.answered.get(f"{about}:{id}")


def explain_absence(found: Draft, kind: str, id: str, fields: tuple[str, ...]) -> Explanation | None:
    """Why an object does not move, where that was decided; None where it moves, or where the question is open."""
    held = found.held.get((kind, id))
    if held is None or held.open_question or not held.decided:
        return None
    answer = found.answered.get(held.decided)
    if answer is None and not held.decided.startswith("rule:"):
        return None
    if answer is not None and answer.choice not in LEAVING and (kind, answer.choice) != ("overrides", "empty_place"):
        return None  # whoever accepted something did not leave it out: the loss is nobody's decision
    by = answer.by if answer else held.decided.removeprefix("rule:")
    return Explanation(
        by, held.decided, kind, id, fields, f"not moved, by {_describe_who(answer, held.decided)}: {held.reason}"
    )


def explain(answer: Settled, kind: str, id: str, fields: tuple[str, ...], words: str) -> Explanation:
    """What one answer explains; its effect is up to the caller."""
    key = answer.conflict.key
    return Explanation(answer.by, key, kind, id, fields, f"{words}, by {_describe_who(answer, key)}")


def _describe_who(answer: Settled | None, key: str) -> str:
    if answer is None:
        return f"the rule {key.removeprefix('rule:')}"
    return f"decision of {answer.by or 'somebody'} ({key})"


def explain_schedule(
    found: Draft, schedule: AnySchedule, before: rota.Rota, span: rota.Span
) -> tuple[Explanation, ...]:
    """What people decided about who is on call in a schedule, within a span of instants.

    before: PagerDuty's people over that span, in emails (PagerDuty ids where somebody has none).
    """
    absent = explain_absence(found, "schedules", schedule.id, ("rotations",))
    if absent:
        changes = tuple((start, end, people, rota.NOBODY) for start, end, people in before.entries)
        return (replace(absent, changes=changes),)
    kinds = (_explain_reading, _explain_overrides, _explain_empty_places, _explain_merged, _explain_kept)
    made, expected = [], before
    for explain_kind in kinds:
        parts = [one for one in explain_kind(found, schedule, expected, span) if one.changes]
        expected = expect_rota(expected, parts)
        made += parts
    return tuple(made)


def expect_rota(before: rota.Rota, explanations: Iterable[Explanation]) -> rota.Rota:
    """Who is to be on call in Harness: as before, but for what was decided."""
    for explanation in explanations:
        gone = rota.make_rota((start, end, people) for start, end, people, _ in explanation.changes)
        come = rota.make_rota((start, end, people) for start, end, _, people in explanation.changes)
        before = rota.exchange(before, gone, come)
    return before


def _explain_empty_places(
    found: Draft, schedule: AnySchedule, before: rota.Rota, span: rota.Span
) -> Iterator[Explanation]:
    """Somebody who was decided to be an empty place is not on call; whoever else is missing is missing without a decision.

    before: by the other decisions; an override that does not move gives the turn back to whoever has it.
    """
    standing = rota.NOBODY.union(*(people for _, _, people in before.entries))
    places = {**found.empty_places[""], **found.empty_places.get(schedule.id, {})}
    for user, answer in places.items():
        if user not in standing:
            continue
        alone = frozenset([user])
        changes = tuple((start, end, alone, rota.NOBODY) for start, end, people in before.entries if user in people)
        name = found.account.users[user].name if user in found.account.users else user
        words = f"the turns of {name} stay empty"
        yield replace(explain(answer, "schedules", schedule.id, ("participants",), words), changes=changes)


def _explain_reading(found: Draft, schedule: AnySchedule, before: rota.Rota, span: rota.Span) -> Iterator[Explanation]:
    """PagerDuty renders it otherwise than its layers say, and a person let our reading of the layers be loaded.

    It covers the people whom the question named, in place of each other; whatever has come to light since is not in it.
    """
    answer = find_answer(found, "rendering_differs", schedule.id)
    if answer is not None and answer.choice == "load_anyway":
        ours = render_source(found, schedule, span).rename(found.emails)
        named = _list_named(found, answer)
        changes = _list_changes(before, ours)
        words = "our reading of the layers is loaded although PagerDuty renders other people"
        yield replace(
            explain(answer, "schedules", schedule.id, ("layers",), words),
            changes=tuple(change for change in changes if change[2:] in named),
        )


def _list_named(found: Draft, answer: Settled) -> set[tuple[rota.People, rota.People]]:
    """(whom PagerDuty shows, whom the layers say) of each difference that the question was about, in emails."""
    _, apart = json.loads(answer.conflict.detail)
    named = set()
    for shown, ours, _ in apart:
        before, after = (frozenset(found.emails.get(id, id) for id in ids) for ids in (shown, ours))
        named.add((before - after, after - before))
    return named


def _explain_overrides(
    found: Draft, schedule: AnySchedule, before: rota.Rota, span: rota.Span
) -> Iterator[Explanation]:
    """An override that does not move, by decision: for its own hours whoever has the turn by the layers.

    Those of a shift-based schedule are in its rotations, and move with it.
    """
    if isinstance(schedule, ScheduleV3):
        return
    absent = list(_list_absent_overrides(found, schedule)) if found.held_overrides else []
    if absent:
        bare = schedule.overrides_subschedule.model_copy(update={"rendered_schedule_entries": ()})
        both = (schedule, schedule.model_copy(update={"overrides_subschedule": bare}))
        whole, layers = (render_source(found, one, span).rename(found.emails) for one in both)
        for explanation, hours in absent:
            yield replace(explanation, changes=_list_changes(whole.within(hours), layers.within(hours)))


def _list_absent_overrides(found: Draft, schedule: records.Schedule) -> Iterator[tuple[Explanation, list[rota.Span]]]:
    """With the hours that later overrides leave it; of one that moves, each piece that was removed and left so."""
    keys = key_overrides(schedule, found.known_overrides, found.account.since)
    for key, (_, hours) in zip(keys, cut_overrides(schedule.overrides), strict=True):
        pieces = {name_piece(key, number): [piece] for number, piece in enumerate(hours, 1)}
        moves = any(("overrides", piece) in found.wanted for piece in pieces)
        for own, left in pieces.items() if moves else [(key, list(hours))]:
            explanation = explain_absence(found, "overrides", own, ("overrides",))
            if explanation:
                yield explanation, left


def _explain_kept(found: Draft, schedule: AnySchedule, before: rota.Rota, span: rota.Span) -> Iterator[Explanation]:
    """What people changed in Harness and a person decided to keep: the difference between it and what we would write."""
    wish = found.wanted.get(("schedules", schedule.id))
    there = found.state.schedules.get(wish.identifier) if wish else None
    if wish is None or not isinstance(wish.record, Schedule) or there is None or not found.kept:
        return
    pieces = [(w, w.record) for w in found.wanted_parts.get(wish.identifier, ())]
    stand_ins = {w.key: override for w, override in pieces if isinstance(override, Override)}
    rotations = (*wish.record.rotations, *_list_theirs(found, wish))
    shown = wish.record.model_copy(update={"rotations": rotations, "overrides": tuple(stand_ins.values())})
    answer = found.kept.get(wish.key)
    if answer:
        kept = _keep_parts(answer, shown, there)
        yield _describe_kept(answer, schedule.id, ("rotations", "time_zone"), shown, kept, span)
        shown = kept
    for key, override in found.kept_overrides.get(there.identifier, ()):
        stand_ins[key] = override
        kept = shown.model_copy(update={"overrides": tuple(stand_ins.values())})
        yield _describe_kept(found.kept[key], schedule.id, ("overrides",), shown, kept, span)
        shown = kept


def list_kept(answer: Settled) -> set[tuple[str, str]]:
    """(field, part of it or "") of what the question was about: what else is otherwise, nobody has decided to keep."""
    return {(field, part) for field, part, *_ in json.loads(answer.conflict.detail)}


def _keep_parts(answer: Settled, wanted: Schedule, there: Schedule) -> Schedule:
    """The rotations and the zone that the question named as they are in Harness, all others as wanted."""
    named = list_kept(answer)
    ours = [one for one in wanted.rotations if ("rotations", one.name) not in named]
    theirs = [one for one in there.rotations if ("rotations", one.name) in named]
    zone = there.time_zone if ("time_zone", "") in named else wanted.time_zone
    return wanted.model_copy(update={"rotations": (*ours, *theirs), "time_zone": zone})


def _list_theirs(found: Draft, wish: Desired) -> tuple[Rotation, ...]:
    """The rotations of a schedule of Harness that ours was merged with, as they were then."""
    entry = found.ledger.get((wish.kind, wish.key))
    return tuple(map(Rotation.model_validate, entry.synced.get(THEIRS, ()))) if entry else ()


def _explain_merged(found: Draft, schedule: AnySchedule, before: rota.Rota, span: rota.Span) -> Iterator[Explanation]:
    """A person merged it with a schedule that was in Harness before: whoever is on call there goes on being so."""
    wish = found.wanted.get(("schedules", schedule.id))
    there = found.state.schedules.get(wish.identifier) if wish and wish.merge else None
    choice = found.mapped.questions.decisions.find("duplicate_schedule", schedule.id)
    if wish is None or not isinstance(wish.record, Schedule) or there is None or choice is None:
        return
    alone = wish.record.model_copy(update={"overrides": there.overrides})
    both = alone.model_copy(update={"rotations": (*alone.rotations, *_list_theirs(found, wish))})
    key, words = (
        f"duplicate_schedule:{schedule.id}",
        "merged with a schedule that was in Harness, which keeps its rotations",
    )
    changes = _list_changes(render_schedule(alone, *span), render_schedule(both, *span))
    said = f"{words}, by decision of {choice.by or 'somebody'} ({key})"
    yield Explanation(choice.by, key, "schedules", schedule.id, ("rotations",), said, changes)


def _describe_kept(
    answer: Settled, id: str, fields: tuple[str, ...], wanted: Schedule, kept: Schedule, span: rota.Span
) -> Explanation:
    changes = _list_changes(render_schedule(wanted, *span), render_schedule(kept, *span))
    return replace(explain(answer, "schedules", id, fields, "kept as somebody changed it in Harness"), changes=changes)


def _list_changes(before: rota.Rota, after: rota.Rota) -> tuple[Change, ...]:
    return tuple((start, end, old - new, new - old) for start, end, old, new in rota.differences(before, after))


def render_source(found: Draft, schedule: AnySchedule, span: rota.Span) -> rota.Rota:
    """Our own reading of a schedule, in PagerDuty ids. Raises ValueError for a rule that cannot be read."""
    zone = ZoneInfo(found.mapped.zones.get(schedule.id) or "UTC")
    return proof.render_source(found.account, schedule, zone, span)
