"""A rota as a CSV file: the form of rota/*.csv in a run's folder and of what `pdmigrate rota` prints."""

import io
from pathlib import Path
from typing import TextIO
from zoneinfo import ZoneInfo

from pdmigrate.oncall import rota
from pdmigrate.workspace.cells import write_rows
from pdmigrate.workspace.folder import write_text

HEADER = ("start", "end", "users")


def write_rota(path: Path, who: rota.Rota, zone: str) -> None:
    """CSV with the header start,end,users: instants in ISO 8601 with offset, ids sorted and joined by `;`, no gaps."""
    file = io.StringIO(newline="")
    print_rota(file, who, zone)
    write_text(path, file.getvalue())


def print_rota(file: TextIO, who: rota.Rota, zone: str) -> None:
    """The same into an open file."""
    rows = ((_iso(s, zone), _iso(e, zone), ";".join(sorted(people))) for s, e, people in who.entries)
    write_rows(file, (HEADER, *rows))


def _iso(instant: int, zone: str) -> str:
    return rota.to_datetime(instant).astimezone(ZoneInfo(zone)).isoformat()
