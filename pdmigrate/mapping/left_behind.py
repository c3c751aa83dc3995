"""What stays behind of an object that moves: fields that Harness has no place for, and fields that nobody here knows.

An unknown field that may decide who is paged is a question. It is asked once for all objects of a kind that have it, so
that one answer serves two hundred schedules, and asked again when another object has it.
"""

from collections.abc import Iterable, Iterator
from typing import Any

from pdmigrate.mapping.mapped import MOST_DESCRIPTION, FieldOutcome, Mapped, Stop, describe, name_outcome
from pdmigrate.mapping.scope import list_records
from pdmigrate.pagerduty.notes import Found
from pdmigrate.pagerduty.records import Noted, Reference
from pdmigrate.pagerduty.secrets import HIDDEN
from pdmigrate.plan.answers import Conflict, Option
from pdmigrate.plan.kinds import KINDS

SHOWN = 6


def describe_left(record: Noted, pages: bool = True) -> list[FieldOutcome]:
    """An outcome for each field that stays behind. pages: False where the object pages nobody, so that none of them matters."""
    left = [FieldOutcome(one.path, "lost", one.reason, not (one.pages and pages)) for one in record.left_fields]
    return left + [FieldOutcome(one.path, "lost", _describe_unknown(one)) for one in record.unknown_fields]


def _describe_unknown(found: Found) -> str:
    decided = ", by decision" if found.pages else ""
    return f"this version does not know {found.path} and leaves it behind{decided}"


def describe_heading(record: Any, new: str, note: str = "", pages: bool = True) -> list[FieldOutcome]:
    """Name, description and what stays behind of an object that is called `new` in Harness."""
    text = "\n".join(filter(None, (note, record.description)))
    return [
        name_outcome(record.name, new),
        _describe_description(record.name, new, text),
        *describe_left(record, pages),
    ]


def _describe_description(name: str, new: str, text: str) -> FieldOutcome:
    written = describe(name, new, text)
    if HIDDEN in text:
        return FieldOutcome(
            "description", "changed", "an address in it has a secret, which is not kept and not carried over"
        )
    if written.startswith(text):
        return FieldOutcome("description", "exact")
    said = f"cut: it has {len(text)} characters, Harness takes {MOST_DESCRIPTION} together with the PagerDuty name"
    return FieldOutcome("description", "changed", said)


def describe_teams(mapped: Mapped, teams: Iterable[Reference]) -> FieldOutcome:
    """Harness knows one owner: the first team that is carried over."""
    teams = tuple(teams)
    owner = next((team for team in teams if team.id in mapped.groups), None)
    others = ", ".join(team.summary or team.id for team in teams if team is not owner)
    if not others:
        return FieldOutcome("teams", "exact")
    said = f"owned by {owner.summary or owner.id} alone" if owner else "owned by no team"
    return FieldOutcome("teams", "changed", f"{said}: Harness has one owner, and in PagerDuty it is also in {others}")


def stop_unknown(mapped: Mapped, kind: str, record: Noted) -> Stop | None:
    """Why the object does not move: something in it that may decide who is paged is not known, and nobody said ignore."""
    stops = [_read_answer(mapped, kind, found.path) for found in record.unknown_fields if found.pages]
    return min((stop for stop in stops if stop), key=lambda stop: stop.waits, default=None)


def _read_answer(mapped: Mapped, kind: str, path: str) -> Stop | None:
    answer = mapped.questions.ask(_ask_unknown(kind, path, _list_holders(mapped, kind, path)))
    what = f"it has {path}, which this version does not know"
    if answer is None:
        return Stop(f"open question: {what}", True)
    return Stop(f"left out by decision: {what}", decided=answer.conflict.key) if answer.choice == "leave_out" else None


def _list_holders(mapped: Mapped, kind: str, path: str) -> list[str]:
    """Who in scope has it, as 'name (id)', in one order."""
    if not mapped.holders:
        for each, holder, record in _list_records(mapped):
            for found in record.unknown_fields:
                mapped.holders.setdefault((each, found.path), []).append(holder)
    return sorted(mapped.holders[kind, path])


def _list_records(mapped: Mapped) -> Iterator[tuple[str, str, Noted]]:
    """(kind, 'name (id)', record)"""
    there = list_records(mapped.account)
    for kind in ("schedules", "escalation_policies", "services"):
        yield from ((kind, f"{record.name} ({record.id})", record) for record in mapped.in_scope(kind, there[kind]))
    for user in mapped.in_scope("users", mapped.account.users):
        yield from (("notification_rules", f"{user.name} ({rule.id})", rule) for rule in user.notification_rules)


def _ask_unknown(kind: str, path: str, holders: list[str]) -> Conflict:
    shown = ", ".join(holders[:SHOWN]) + (f" and {len(holders) - SHOWN} more" if len(holders) > SHOWN else "")
    field, _, value = path.partition("=")
    words = KINDS[kind].label.lower()
    what = f"{field} set to {value}" if value else f"the field {field}"
    return Conflict(
        about="unknown_field",
        kind=kind,
        id=f"{kind}/{path}",
        name=path,
        question=f"This version does not know {what}. {len(holders)} {words} have it: {shown}.",
        meaning="It may say who is paged, or that nobody is: PagerDuty's shadow rotations are never paged, and carried "
        "over without that word they would page.",
        options=(
            Option(
                name="ignore",
                effect="carried over as if it were not there: what has it pages like everything else of its kind",
            ),
            Option(name="leave_out", effect=f"these {words} are not moved: nobody is paged by them in Harness"),
        ),
        recommended="leave_out",
        changes_paging=True,
        detail=", ".join(holders),
    )
