"""CSV files. Each that we write or read goes through here, so that a spreadsheet runs nothing that somebody typed."""

import csv
import unicodedata
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Protocol

from pdmigrate.errors import SettingsError
from pdmigrate.mapping.people import pair_emails

_STARTS = "=+-@"
"""What a spreadsheet takes for the start of a formula, in every width: NFKC makes one of a full-width sign."""
_BREAKS = "\t\r\n"
"""What it may take for the end of a cell, so that the rest of the text is a cell of its own."""
_BLANK = "\u115f\u1160\u2800\u3164\uffa0"
"""Letters and signs that nobody sees, by their Unicode category none of the blanks."""


class Writable(Protocol):
    """An open text file, or whatever takes text."""

    def write(self, text: str, /) -> object: ...


def write_rows(file: Writable, rows: Iterable[Iterable[Any]], end: str = "\n") -> None:
    """Rows as CSV, each cell defused. end: what ends a row. Numbers stay numbers."""
    csv.writer(_Rows(file, end)).writerows([defuse(cell) for cell in row] for row in rows)


def defuse(cell: Any) -> Any:
    """The cell; a text that a spreadsheet would run, with an apostrophe in front, which makes it text there."""
    return f"'{cell}" if isinstance(cell, str) and _is_risky(cell) else cell


def read_cell(text: str) -> str:
    """What stood in the cell before it was defused."""
    return text[1:] if text.startswith("'") and _is_risky(text[1:]) else text


PEOPLE_COLUMNS = ("pagerduty_email", "harness_email")
SEPARATORS = ";\t,"
"""What spreadsheets write between cells: which of them, a file's first line shows."""


def read_people_file(path: Path) -> dict[str, str]:
    """The file that says who is who, a line a person: PagerDuty's email to Harness's, both in lower case.

    Cells stand apart by `,`, `;` or a tab. Raises SettingsError that names the line that cannot be used.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"rules.people_file: {path} cannot be read ({type(error).__name__}).") from None
    separator = next((sign for sign in SEPARATORS if sign in text.partition("\n")[0]), ",")
    rows = csv.DictReader(text.splitlines(), delimiter=separator, skipinitialspace=separator != "\t")
    rows.fieldnames = [name.strip().lower() for name in rows.fieldnames or ()]
    missing = [name for name in PEOPLE_COLUMNS if name not in (rows.fieldnames or ())]
    if missing:
        wanted = ",".join(PEOPLE_COLUMNS)
        raise SettingsError(f"{path.name}: the first line must be {wanted}; it lacks {', '.join(missing)}.")
    source, target = PEOPLE_COLUMNS
    return pair_emails(
        (f"{path.name} line {number}", read_cell(row[source] or ""), read_cell(row[target] or ""))
        for number, row in enumerate(rows, 2)
    )


def _is_risky(text: str) -> bool:
    # past blanks, controls, what has no width, and accents without a letter
    first = next((sign for sign in text if unicodedata.category(sign)[0] not in "ZCM" and sign not in _BLANK), "")
    return bool(first) and (text[0] in _BREAKS or unicodedata.normalize("NFKC", first)[0] in _STARTS)


class _Rows:
    """Takes whole rows from csv, which quotes a lone carriage return only if rows end with one (Python 3.11 and 3.12)."""

    def __init__(self, file: Writable, end: str):
        self._file, self._end = file, end

    def write(self, row: str) -> None:
        self._file.write(row.removesuffix("\r\n") + self._end)
