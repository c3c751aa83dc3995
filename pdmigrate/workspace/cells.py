"""CSV files. Each that we write or read goes through here, so that a spreadsheet runs nothing that somebody typed."""

import csv
import re
import unicodedata
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Protocol

from pdmigrate.errors import SettingsError, shorten
from pdmigrate.mapping.people import pair_emails

_STARTS = "=+-@"
"""What a spreadsheet takes for the start of a formula, in every width: NFKC makes one of a full-width sign."""
_BREAKS = "\t\r\n"
"""What no cell begins with: a spreadsheet may take it for the end of one."""
_PARTS = re.compile(r"([;\t\r\n])")
"""What may part cells, whatever is quoted, so that the rest of a text is a cell of its own."""
_BLANK = "\u115f\u1160\u2800\u3164\uffa0"
"""Letters and signs that nobody sees, by their Unicode category none of the blanks."""


class Writable(Protocol):
    """An open text file, or whatever takes text."""

    def write(self, text: str, /) -> object: ...


def write_rows(file: Writable, rows: Iterable[Iterable[Any]], end: str = "\n") -> None:
    """Rows as CSV, each cell defused. end: what ends a row. Numbers stay numbers."""
    csv.writer(_Rows(file, end)).writerows([defuse(cell) for cell in row] for row in rows)


def defuse(cell: Any) -> Any:
    """The cell; in a text, each part that a spreadsheet would run has an apostrophe in front, which makes it text there."""
    if not isinstance(cell, str):
        return cell
    said = "".join(f"'{part}" if _begins_formula(part) else part for part in _PARTS.split(cell))
    return f"'{said}" if _begins_with_break(cell) else said


def read_cell(text: str) -> str:
    """What stood in the cell before it was defused."""
    said = text[1:] if text.startswith("'") and _begins_with_break(text[1:]) else text
    parts = _PARTS.split(said)
    return "".join(part[1:] if part.startswith("'") and _begins_formula(part[1:]) else part for part in parts)


PEOPLE_COLUMNS = ("pagerduty_email", "harness_email")
SEPARATORS = ";\t,"
"""What spreadsheets write between cells: which of them, a file's first line shows."""


LONGEST_EMAIL = 320
"""Signs of a local part, the @ and a domain (RFC 3696, errata)."""


def read_people_file(path: Path) -> dict[str, str]:
    """The file that says who is who, a line a person: PagerDuty's email to Harness's, both in lower case.

    Cells stand apart by `,`, `;` or a tab. Raises SettingsError that names the line that cannot be used.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(
            f"rules.people_file: {shorten(path.name)} cannot be read ({type(error).__name__})."
        ) from None
    try:
        return pair_emails(list(_read_pairs(path.name, text)))
    except csv.Error:
        raise SettingsError(f"{path.name} is no CSV file (a cell of it never ends): save it anew.") from None


def _read_pairs(name: str, text: str) -> Iterator[tuple[str, str, str]]:
    """The place of each line, and its two cells. Raises SettingsError for a first line or a cell that cannot be."""
    separator = next((sign for sign in SEPARATORS if sign in text.partition("\n")[0]), ",")
    rows = csv.DictReader(text.splitlines(), delimiter=separator, skipinitialspace=separator != "\t")
    rows.fieldnames = [column.strip().lower() for column in rows.fieldnames or ()]
    missing = [column for column in PEOPLE_COLUMNS if rows.fieldnames.count(column) != 1]
    if missing:
        wanted = ",".join(PEOPLE_COLUMNS)
        raise SettingsError(f"{name}: the first line must be {wanted}, each once; look at {', '.join(missing)}.")
    for number, row in enumerate(rows, 2):
        cells = [read_cell(row[column] or "") for column in PEOPLE_COLUMNS]
        if max(map(len, cells)) > LONGEST_EMAIL:
            raise SettingsError(f"{name} line {number}: a cell of {max(map(len, cells))} signs is no email.")
        yield f"{name} line {number}", cells[0], cells[1]


def _begins_formula(text: str) -> bool:
    first = _find_first(text)
    return bool(first) and unicodedata.normalize("NFKC", first)[0] in _STARTS


def _begins_with_break(text: str) -> bool:
    return text[:1] in tuple(_BREAKS) and bool(_find_first(text))


def _find_first(text: str) -> str:
    """The first sign past blanks, controls, what has no width, and accents without a letter."""
    return next((sign for sign in text if unicodedata.category(sign)[0] not in "ZCM" and sign not in _BLANK), "")


class _Rows:
    """Takes whole rows from csv, which quotes a lone carriage return only if rows end with one (Python 3.11 and 3.12)."""

    def __init__(self, file: Writable, end: str):
        self._file, self._end = file, end

    def write(self, row: str) -> None:
        self._file.write(row.removesuffix("\r\n") + self._end)
