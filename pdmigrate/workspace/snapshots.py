"""Snapshots on disk: compressed JSON with a format version and a checksum."""

import zlib
from pathlib import Path
from typing import Any

from pydantic import AwareDatetime, BaseModel, TypeAdapter

from pdmigrate.errors import SettingsError
from pdmigrate.pagerduty.account import Snapshot
from pdmigrate.pagerduty.rows import check_rows
from pdmigrate.wire.canonical import digest
from pdmigrate.wire.forms import read_form
from pdmigrate.workspace.folder import describe_damage, read_packed, write_packed

FORMAT = 2
READABLE = (1, FORMAT)


def save_snapshot(path: Path, snapshot: Snapshot) -> None:
    """Write it as compressed JSON with a format version; readable without PagerDuty for ever."""
    head = {name: getattr(snapshot, name).isoformat() for name in ("taken", "since", "until")}
    rest = {name: getattr(snapshot, name) for name in ("subdomain", "zone", "requests", "retries")}
    proof = {"digest": snapshot.digest, "checksum": _checksum(snapshot.rows)}
    write_packed(
        path.parent.resolve() / path.name, {"format": FORMAT, **head, **rest, **proof, "records": snapshot.rows}
    )


class _Stored(BaseModel):
    """The form of the file. records: of each kind its rows; what a row must have is judged by who reads it."""

    format: int
    subdomain: str
    taken: AwareDatetime
    since: AwareDatetime
    until: AwareDatetime
    requests: int
    retries: int
    zone: str = "UTC"
    checksum: str = ""
    records: dict[str, Any]


_STORED = TypeAdapter(_Stored)


def load_snapshot(path: Path) -> Snapshot:
    """Read a snapshot file. Raises SettingsError where it is none, is damaged, or is of a newer format."""
    try:
        data = read_packed(path)
        if isinstance(data, dict) and isinstance(told := data.get("format"), int) and told not in READABLE:
            raise SettingsError(
                f"The snapshot {path.name} has format {told}, this pdmigrate reads up to {FORMAT}: update it."
            )
        stored = read_form(_STORED, data)
        check_rows(stored.records)
    except FileNotFoundError:
        raise SettingsError(f"There is no snapshot {path}: check source.snapshot in migration.yaml.") from None
    except (OSError, EOFError, zlib.error, ValueError) as error:
        raise SettingsError(f"The snapshot {path.name} is damaged ({describe_damage(error)}): make it again.") from None
    if stored.format > 1 and _checksum(stored.records) != stored.checksum:
        raise SettingsError(
            f"The snapshot {path.name} is not what it was when it was made (its checksum differs): make it again."
        )
    times, cost = (stored.taken, stored.since, stored.until), (stored.requests, stored.retries)
    return Snapshot(stored.subdomain, *times, stored.records, *cost, zone=stored.zone)


def _checksum(rows: dict[str, Any]) -> str:
    """Over the rows as they are: a later version may read more or less out of them, and must still trust the file."""
    return digest(rows)
