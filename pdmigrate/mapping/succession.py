"""Objects that live on under another name or another id: renamed in PagerDuty, or made anew there."""

from collections.abc import Mapping

from pdmigrate.mapping.mapped import Existing, Mapped, Source
from pdmigrate.mapping.scope import list_records
from pdmigrate.plan.actions import LedgerEntry
from pdmigrate.plan.answers import Conflict, Option


def keep_name(mapped: Mapped, record: Source, entry: LedgerEntry, name: str, existing: Mapping[str, Existing]) -> str:
    """What an object that is carried over is to be called: PagerDuty's new name, where the old one was PagerDuty's.

    A name that a person chose, that was there before us, or that another object has by now, is not touched; a suffix
    that told two objects apart stays.
    """
    ours = entry.identifier.endswith(record.id)
    if not ours or mapped.questions.names(entry.name):
        return entry.name
    suffix = next((s for s in (" - PagerDuty", f" {record.id}") if entry.name.endswith(s)), "")
    fresh = name if name.endswith(suffix) else f"{name[: 127 - len(suffix)]}{suffix}"
    others = (other for other in existing.values() if other.identifier != entry.identifier)
    return entry.name if any(other.name.casefold() == fresh.casefold() for other in others) else fresh


def find_predecessor(mapped: Mapped, kind: str, name: str, existing: Mapping[str, Existing]) -> LedgerEntry | None:
    """What we carried over under this name from an object that PagerDuty does not have any more."""
    there = list_records(mapped.account)[kind]
    entries = (entry for (k, key), entry in mapped.ledger.items() if k == kind and key not in there)
    return next((e for e in entries if e.name.casefold() == name.casefold() and e.identifier in existing), None)


def ask_recreated(kind: str, record: Source, before: LedgerEntry) -> Conflict:
    return Conflict(
        about="recreated_in_source",
        kind=kind,
        id=record.id,
        name=record.name,
        question=f"PagerDuty had {record.name!r} as {before.key}, which is gone; {record.id} has the same name now.",
        meaning="Two in Harness, and people may go on using the one that nobody keeps up.",
        options=(
            Option(name="take_over", effect=f"{before.identifier} in Harness is kept up from the new one"),
            Option(name="rename", effect="a new one is made; the old one is left to a person", value="its name"),
            Option(name="leave_out", effect="not moved"),
        ),
        recommended="take_over",
    )
