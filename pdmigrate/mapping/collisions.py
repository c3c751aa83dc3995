"""Objects that share a name with another, in Harness or in PagerDuty, or live on there under another name or id."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pdmigrate.harness.identifiers import make_identifier, make_name, make_service_name
from pdmigrate.mapping.mapped import Existing, Mapped, Source
from pdmigrate.plan.actions import LedgerEntry
from pdmigrate.plan.answers import Settled
from pdmigrate.plan.kinds import KINDS
from pdmigrate.plan.planning import THEIRS

MEANINGS = {
    "schedules": "Two schedules of one name are easily mistaken for each other in a policy.",
    "teams": "A group gives its members whatever roles it has; groups page nobody by themselves.",
}
ABOUT = {
    "teams": "group_name_collision",
    "schedules": "duplicate_schedule",
    "escalation_policies": "duplicate_policy",
    "services": "duplicate_service",
}
"""The class of the question about an object that Harness has already."""


@dataclass(frozen=True)
class NamePlace:
    """Where a source object goes: its identifier and name, and whether that object exists in Harness already."""

    identifier: str
    name: str
    adopt: bool = False
    merge: bool = False


def find_place(mapped: Mapped, kind: str, record: Source) -> NamePlace | None:
    """The place of a record: what the ledger says, else a new one, else what was decided. None: held."""
    name, identifier = name_record(kind, record), make_identifier(record.name, record.id)
    existing: Mapping[str, Existing] = getattr(mapped.state, KINDS[kind].target)
    entry = mapped.known(kind, record.id)
    if entry is not None:
        kept = _keep_name(mapped, kind, record, entry, name)
        return NamePlace(entry.identifier, kept, merge=THEIRS in entry.synced)
    before, same, words = _find_predecessor(mapped, kind, name, existing), None, {}
    if before is not None:
        about, same = "recreated_in_source", existing[before.identifier]
        words = {"before": before.key, "identifier": before.identifier}
    elif same := _find_same_name(mapped, kind, name, identifier):
        about = "externally_managed" if getattr(same, "externally_managed", False) else ABOUT[kind]
        words = {"there": same.name, "identifier": same.identifier, "zone": _describe_zone(record, same)}
        words["meaning"] = MEANINGS.get(kind, "Whoever it pages now is not known to PagerDuty.")
    elif has_twin(mapped, kind, name):
        meaning = MEANINGS.get(kind, "Objects of one name are easily mistaken for each other.")
        about, words = "same_name_in_source", {"new": name, "meaning": meaning}
    else:
        return NamePlace(identifier, name)
    answer = mapped.ask(about, kind, record.id, record.name, **words)
    if answer is None:
        question = mapped.questions.open[f"{about}:{record.id}"].question
        mapped.lose(kind, record.id, record.name, f"open question: {question}", True)
        return None
    if same is not None and answer.choice in ("adopt", "merge", "take_over"):
        return NamePlace(same.identifier, same.name, adopt=True, merge=answer.choice == "merge")
    if answer.choice == "leave_out":
        reason = f"left out by decision ({answer.by}): {answer.why}".rstrip(": ")
        mapped.lose(kind, record.id, record.name, reason, decided=answer.conflict.key)
        return None
    return NamePlace(identifier, _new_name(answer, name, record.id))


def name_record(kind: str, record: Source) -> str:
    """What it would be called in Harness."""
    return (make_service_name if kind == "services" else make_name)(record.name, record.id)


def has_twin(mapped: Mapped, kind: str, name: str) -> bool:
    """Whether several objects in scope would have that name in Harness."""
    if kind not in mapped.names:
        mapped.names[kind] = Counter(name_record(kind, record).casefold() for record in mapped.in_scope(kind))
    return mapped.names[kind][name.casefold()] > 1


def list_there(mapped: Mapped, kind: str, name: str) -> list[Any]:
    """What of a kind has that name in Harness, whatever its case."""
    return mapped.state.by_name.get((KINDS[kind].target, name.casefold()), [])


def _keep_name(mapped: Mapped, kind: str, record: Source, entry: LedgerEntry, name: str) -> str:
    """What an object that is carried over is to be called: PagerDuty's new name, where the old one was PagerDuty's.

    A name that a person chose, that was there before us, or that another object has by now, is not touched; a suffix
    that told two objects apart stays.
    """
    ours = entry.identifier.endswith(record.id)
    if not ours or mapped.questions.names(entry.name):
        return entry.name
    suffix = next((s for s in (" - PagerDuty", f" {record.id}") if entry.name.endswith(s)), "")
    fresh = name if name.endswith(suffix) else f"{name[: 127 - len(suffix)]}{suffix}"
    others = any(other.identifier != entry.identifier for other in list_there(mapped, kind, fresh))
    return entry.name if others else fresh


def _find_predecessor(mapped: Mapped, kind: str, name: str, existing: Mapping[str, Existing]) -> LedgerEntry | None:
    """What we carried over under this name from an object that PagerDuty does not have any more."""
    entries = mapped.gone.get((kind, name.casefold()), ())
    return next((entry for entry in entries if entry.identifier in existing), None)


def _find_same_name(mapped: Mapped, kind: str, name: str, identifier: str) -> Existing | None:
    there = (one for one in list_there(mapped, kind, name) if one.identifier != identifier)
    return next((one for one in there if (kind, one.identifier) not in mapped.written), None)


def _new_name(answer: Settled, name: str, id: str) -> str:
    if answer.choice == "keep_both":
        return name
    suffix = f" {id}" if answer.conflict.about == "same_name_in_source" else " - PagerDuty"
    return answer.value or f"{name[: 127 - len(suffix)]}{suffix}"


def _describe_zone(record: Source, same: Existing) -> str:
    """Harness has one zone for a schedule: the turns that were there before would move with it."""
    old, new = getattr(same, "time_zone", ""), getattr(record, "time_zone", "")
    return f"; its own rotations then turn by the clock of {new} instead of {old}" if old != new else ""
