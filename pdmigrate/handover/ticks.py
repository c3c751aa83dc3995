"""Who did what of a handover, and when: a tick holds while what is asked for stays the same."""

import re
import shutil
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path

from pdmigrate.errors import UsageError
from pdmigrate.handover.items import Item
from pdmigrate.workspace.folder import Workspace

TICKS = "handover_ticks"


@dataclass(frozen=True)
class Tick:
    """Done, by whom and when (ISO 8601). evidence: what Harness shows, in words, or the name of a file kept beside."""

    digest: str
    by: str
    at: str
    evidence: str = ""


def read_ticks(workspace: Workspace) -> dict[str, Tick]:
    return {key: Tick(**row) for key, row in (workspace.find_state(TICKS) or {}).items()}


def find_tick(ticks: dict[str, Tick], item: Item) -> Tick | None:
    """The tick of an item, unless what is asked for has changed since."""
    tick = ticks.get(item.key)
    return tick if tick and tick.digest == item.digest else None


def tick_item(
    workspace: Workspace, items: tuple[Item, ...], key: str, by: str, at: datetime, evidence: str = ""
) -> Tick:
    """Tick one item off. evidence: a file, which is copied into the workspace, or words. Raises UsageError for a wrong key."""
    item = next((item for item in items if item.key == key), None)
    if item is None:
        raise UsageError(f"No item of the handover has the key {key!r}: see handover/handover.csv.")
    tick = Tick(item.digest, by, at.isoformat(timespec="seconds"), _keep_evidence(workspace, key, evidence))
    workspace.change_state(TICKS, lambda old: {**(old or {}), key: asdict(tick)})
    return tick


def untick_item(workspace: Workspace, key: str) -> None:
    """Take a tick back. Evidence that was filed stays."""
    workspace.change_state(TICKS, lambda old: {known: row for known, row in (old or {}).items() if known != key})


def _keep_evidence(workspace: Workspace, key: str, evidence: str) -> str:
    source = Path(evidence) if evidence and len(evidence) < 1000 and "\n" not in evidence else None
    if source is None or not source.is_file():
        return evidence
    name = re.sub(r"[^A-Za-z0-9.-]+", "_", f"{key}_{source.name}")
    folder = workspace.folder / "evidence"
    folder.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(source, folder / name)
    return f"evidence/{name}"
