"""What a row has that does not go to Harness, noted while it is read: by name and reason, never by value."""

from dataclasses import dataclass, field
from typing import Any

from pdmigrate.pagerduty.fields import TABLES, FieldTable, show_value


@dataclass(frozen=True)
class Found:
    """What a row has that does not go to Harness: the field's path without ids, and what is to be said of it."""

    path: str
    reason: str = ""
    pages: bool = False


@dataclass
class Notes:
    """left: fields that the tables know and that stay behind. unknown: fields and values that no table has."""

    left: dict[str, Found] = field(default_factory=dict)
    unknown: dict[str, Found] = field(default_factory=dict)


def read_notes(kind: str, row: dict[str, Any]) -> Notes:
    """What of a row of this kind stays behind, or is not known."""
    notes = Notes()
    _walk(TABLES[kind], row, "", notes)
    return notes


def _walk(table: FieldTable, row: dict[str, Any], path: str, notes: Notes) -> None:
    for name in sorted(name for name in row.keys() - table.plain if isinstance(name, str)):
        value = row[name]
        newer = table.older.get(name)
        if table.speaks(name, value) and not (newer and table.speaks(newer, row.get(newer))):
            _note(table, name, value, f"{path}{name}", notes)


def _note(table: FieldTable, name: str, value: Any, where: str, notes: Notes) -> None:
    words = table.lost.get(name, table.listed.get(name, ""))
    if words:
        reason = words if isinstance(words, str) else words(value)
        notes.left[where] = Found(where, reason, name in table.lost)
    if name not in table.names:
        where = where.removesuffix(name) + show_value(name)
        notes.unknown[where] = Found(where, pages=table.pages)
    known = table.known.get(name)
    if known is not None and not (isinstance(value, str) and value.removesuffix("_reference") in known.split()):
        full = f"{where}={show_value(value)}"
        notes.unknown[full] = Found(full, pages=table.pages)
    if name in table.parts:
        for part in value if isinstance(value, list) else [value]:
            if isinstance(part, dict):
                _walk(TABLES[table.parts[name]], part, f"{where}.", notes)
