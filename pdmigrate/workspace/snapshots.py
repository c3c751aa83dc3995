"""Snapshots on disk: compressed JSON with a format version and a checksum."""

import gzip
import hashlib
import json
import zlib
from datetime import datetime
from pathlib import Path
from typing import Any

from pdmigrate.errors import SettingsError
from pdmigrate.pagerduty.account import Snapshot
from pdmigrate.wire.canonical import canonical_json
from pdmigrate.workspace.folder import write_packed

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


def load_snapshot(path: Path) -> Snapshot:
    """Read a snapshot file. Raises SettingsError where it is none, is damaged, or is of a newer format."""
    try:
        data = json.loads(gzip.decompress(path.read_bytes()))
        if data["format"] not in READABLE:
            raise SettingsError(
                f"The snapshot {path.name} has format {data['format']}, this pdmigrate reads up to {FORMAT}: update it."
            )
        taken, since, until = (datetime.fromisoformat(data[name]) for name in ("taken", "since", "until"))
        cost = {name: data[name] for name in ("requests", "retries")}
        zone = data.get("zone", "UTC")
        snapshot = Snapshot(data["subdomain"], taken, since, until, data["records"], **cost, zone=zone)
        damaged = data["format"] > 1 and _checksum(snapshot.rows) != data["checksum"]
    except FileNotFoundError:
        raise SettingsError(f"There is no snapshot {path}: check source.snapshot in migration.yaml.") from None
    except (OSError, EOFError, ValueError, KeyError, TypeError, zlib.error) as error:
        raise SettingsError(f"The snapshot {path.name} is damaged ({type(error).__name__}): make it again.") from None
    if damaged:
        raise SettingsError(
            f"The snapshot {path.name} is not what it was when it was made (its checksum differs): make it again."
        )
    return snapshot


def _checksum(rows: dict[str, Any]) -> str:
    """Over the rows as they are: a later version may read more or less out of them, and must still trust the file."""
    return hashlib.sha256(canonical_json(rows).encode()).hexdigest()
