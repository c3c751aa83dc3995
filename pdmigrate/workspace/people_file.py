"""The CSV file that says who is who: `pagerduty_email,harness_email`, a line a person."""

import csv
from pathlib import Path

from pdmigrate.errors import SettingsError
from pdmigrate.workspace.cells import read_cell

COLUMNS = ("pagerduty_email", "harness_email")


def read_people_file(path: Path) -> dict[str, str]:
    """PagerDuty's email to Harness's, both in lower case. Raises SettingsError that names the line that cannot be used."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"rules.people_file: {path} cannot be read ({type(error).__name__}).") from None
    rows = csv.DictReader(text.splitlines(), skipinitialspace=True)
    missing = [name for name in COLUMNS if name not in (rows.fieldnames or ())]
    if missing:
        raise SettingsError(f"{path.name}: the first line must be {','.join(COLUMNS)}; it lacks {', '.join(missing)}.")
    known: dict[str, str] = {}
    for number, row in enumerate(rows, 2):
        _add(known, *(read_cell(row[name] or "").strip().lower() for name in COLUMNS), f"{path.name} line {number}")
    return known


def _add(known: dict[str, str], source: str, target: str, place: str) -> None:
    if not source and not target:
        return
    for email in (source, target):
        if email.count("@") != 1 or " " in email:
            raise SettingsError(f"{place}: {email!r} is no email.")
    if known.setdefault(source, target) != target:
        raise SettingsError(f"{place}: {source} stands there twice, as {known[source]} and as {target}.")
