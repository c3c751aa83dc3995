"""Objects of the same kind that share a name: in Harness already, or twice in PagerDuty."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TypeVar

from pdmigrate.mapping.mapped import Existing, Mapped, Source
from pdmigrate.mapping.succession import ask_recreated, find_predecessor, keep_name
from pdmigrate.plan.answers import Conflict, Option, Settled
from pdmigrate.plan.planning import THEIRS

MEANINGS = {
    "schedules": "Two schedules of one name are easily mistaken for each other in a policy.",
    "teams": "A group gives its members whatever roles it has; groups page nobody by themselves.",
}


R = TypeVar("R", bound=Source)


@dataclass(frozen=True)
class NamePlace:
    """Where a source object goes: its identifier and name, and whether that object exists in Harness already."""

    identifier: str
    name: str
    adopt: bool = False
    merge: bool = False


def find_place(
    mapped: Mapped,
    kind: str,
    about: str,
    record: Source,
    identifier: str,
    name: str,
    existing: Mapping[str, Existing],
    twins: bool,
) -> NamePlace | None:
    """The place of a record: what the ledger says, else a new one, else what was decided. None: held.

    existing: what Harness has of the kind, by identifier. twins: another source object has the same name.
    """
    entry = mapped.known(kind, record.id)
    if entry is not None:
        return NamePlace(
            entry.identifier, keep_name(mapped, record, entry, name, existing), merge=THEIRS in entry.synced
        )
    before = find_predecessor(mapped, kind, name, existing)
    if before is not None:
        return _decide(
            mapped, ask_recreated(kind, record, before), record, identifier, name, existing[before.identifier]
        )
    same = _find_same_name(mapped, kind, name, identifier, existing)
    if same is not None:
        return _decide(mapped, _ask_existing(kind, about, record, same), record, identifier, name, same)
    if twins:
        return _decide(mapped, _ask_twins(kind, record, name), record, identifier, name, None)
    return NamePlace(identifier, name)


def find_twins(records: Iterable[R], name_of: Callable[[R], str]) -> set[str]:
    """The ids of records whose names are the same in Harness."""
    by_name: dict[str, list[str]] = {}
    for record in records:
        by_name.setdefault(name_of(record).casefold(), []).append(record.id)
    return {id for ids in by_name.values() if len(ids) > 1 for id in ids}


def _find_same_name(
    mapped: Mapped, kind: str, name: str, identifier: str, existing: Mapping[str, Existing]
) -> Existing | None:
    ours = {entry.identifier for entry in mapped.ledger.values() if entry.kind == kind} | {identifier}
    return next(
        (e for e in existing.values() if e.name.casefold() == name.casefold() and e.identifier not in ours), None
    )


def _decide(
    mapped: Mapped, conflict: Conflict, record: Source, identifier: str, name: str, same: Existing | None
) -> NamePlace | None:
    answer = mapped.questions.ask(conflict)
    if answer is None:
        mapped.lose(conflict.kind, record.id, record.name, f"open question: {conflict.question}", True)
        return None
    if same is not None and answer.choice in ("adopt", "merge", "take_over"):
        return NamePlace(same.identifier, same.name, adopt=True, merge=answer.choice == "merge")
    if answer.choice == "leave_out":
        reason = f"left out by decision ({answer.by}): {answer.why}".rstrip(": ")
        mapped.lose(conflict.kind, record.id, record.name, reason, decided=conflict.key)
        return None
    return NamePlace(identifier, _new_name(answer, name, record.id))


def _new_name(answer: Settled, name: str, id: str) -> str:
    if answer.choice == "keep_both":
        return name
    suffix = f" {id}" if answer.conflict.about == "same_name_in_source" else " - PagerDuty"
    return answer.value or f"{name[: 127 - len(suffix)]}{suffix}"


def _ask_existing(kind: str, about: str, record: Source, same: Existing) -> Conflict:
    outside = getattr(same, "externally_managed", False)
    options = [
        Option(
            name="rename", effect="a new one is made, named as you say or with ' - PagerDuty' behind; the other stays"
        )
    ]
    if not outside:
        options += [
            Option(
                name="merge",
                effect=f"the one in Harness keeps what it has and gets what PagerDuty has{_describe_zone(record, same)}",
            ),
            Option(name="adopt", effect="the one in Harness becomes ours and is made as PagerDuty's is"),
        ]
    options.append(Option(name="leave_out", effect="not moved"))
    return Conflict(
        about="externally_managed" if outside else about,
        kind=kind,
        id=record.id,
        name=record.name,
        question=f"Harness already has {same.name!r} ({same.identifier}), made by somebody else.",
        meaning=MEANINGS.get(kind, "Whoever it pages now is not known to PagerDuty."),
        options=tuple(options),
        recommended="rename",
    )


def _describe_zone(record: Source, same: Existing) -> str:
    """Harness has one zone for a schedule: the turns that were there before would move with it."""
    old, new = getattr(same, "time_zone", ""), getattr(record, "time_zone", "")
    return f"; its own rotations then turn by the clock of {new} instead of {old}" if old != new else ""


def _ask_twins(kind: str, record: Source, name: str) -> Conflict:
    return Conflict(
        about="same_name_in_source",
        kind=kind,
        id=record.id,
        name=record.name,
        question=f"More than one object in PagerDuty would be named {name!r} in Harness; {record.id} is one of them.",
        meaning=MEANINGS.get(kind, "Objects of one name are easily mistaken for each other."),
        options=(
            Option(name="rename", effect=f"named as you say, or {name} {record.id}"),
            Option(name="keep_both", effect="the same name twice"),
            Option(name="leave_out", effect="not moved"),
        ),
        recommended="rename",
    )
