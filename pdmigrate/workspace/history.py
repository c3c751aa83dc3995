"""The history of a PagerDuty account on disk, beside the snapshots: a file per week, kept when that week is whole.

So a reading that is broken off goes on where it was, and tomorrow's asks for the last week only.
"""

import zlib
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Literal

from pydantic import AwareDatetime, BaseModel, TypeAdapter

from pdmigrate.errors import SettingsError
from pdmigrate.pagerduty.history import Kind
from pdmigrate.wire.canonical import digest
from pdmigrate.wire.forms import read_form
from pdmigrate.workspace.folder import describe_damage, read_packed, refuse_links, write_packed

FORMAT = 1
WEEK = timedelta(days=7)
MONDAY = datetime(1970, 1, 5, tzinfo=UTC)
"""Weeks are counted from here, so that those of tomorrow are those of today."""
LONGEST = 4 * WEEK
"""No file is of a longer time."""
Span = tuple[datetime, datetime]
Group = Literal["pages", "rotas"]


class Kept(BaseModel):
    """One file. rows: by kind, or one rendering each by schedule id. titles: whether those of incidents are in it."""

    format: int
    subdomain: str
    since: AwareDatetime
    until: AwareDatetime
    titles: bool
    checksum: str
    rows: dict[str, Any]


_KEPT = TypeAdapter(Kept)
_ROWS: dict[Group, TypeAdapter[Any]] = {
    "pages": TypeAdapter(dict[Kind, list[dict[str, Any]]]),
    "rotas": TypeAdapter(dict[str, dict[str, Any]]),
}


def list_windows(since: datetime, until: datetime, weeks: int = 1) -> Iterator[Span]:
    """Windows of so many weeks from before `since` to `until`; the last ends there, and is not whole."""
    length = weeks * WEEK
    start = MONDAY + (since - MONDAY) // length * length
    while start < until:
        yield start, min(start + length, until)
        start += length


class HistoryFolder:
    """The folder `history` of a workspace. subdomain: of the account; the history of another is refused."""

    def __init__(self, folder: Path, subdomain: str):
        self.folder, self.subdomain = folder, subdomain

    def save(self, group: Group, span: Span, rows: dict[str, Any], titles: bool = True) -> None:
        """Keep a window: the whole file, or the one before."""
        head = {"format": FORMAT, "subdomain": self.subdomain, "titles": titles, "checksum": _checksum(rows)}
        times = {"since": span[0].isoformat(), "until": span[1].isoformat()}
        write_packed(self._place(group, span), {**head, **times, "rows": rows})

    def find(self, group: Group, span: Span) -> Kept | None:
        """What was kept of the window that begins then; None where nothing was. Raises SettingsError for what is damaged."""
        path = self._place(group, span)
        try:
            kept = read_form(_KEPT, read_packed(refuse_links(path)))
            read_form(_ROWS[group], kept.rows)
        except FileNotFoundError:
            return None
        except (OSError, EOFError, zlib.error, ValueError) as error:
            raise SettingsError(
                f"The history {path.name} is damaged ({describe_damage(error)}): remove it, and replay reads that time again."
            ) from None
        whole = kept.since == span[0] < kept.until <= span[0] + LONGEST
        if not whole or kept.format != FORMAT or kept.checksum != _checksum(kept.rows):
            raise SettingsError(
                f"The history {path.name} is not what it was when it was made, or of another format: remove it, and replay "
                "reads that time again."
            )
        if kept.subdomain != self.subdomain:
            raise SettingsError(
                f"The history {path.name} is of the account {kept.subdomain}, not {self.subdomain}: remove the folder history."
            )
        return kept

    def _place(self, group: Group, span: Span) -> Path:
        return self.folder / f"{group}-{span[0]:%Y%m%d}.json.gz"


def _checksum(rows: dict[str, Any]) -> str:
    return digest(rows)
