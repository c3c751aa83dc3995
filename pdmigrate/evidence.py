"""Evidence: what a run showed and what was approved, so that months later anybody can prove it.

A run's folder is sealed with manifest.json: a digest of each of its files and of the snapshot, copies of the decisions, the
plan and the journal as they were, the versions used, and the manifest before it. Whoever notes the manifest's own digest
elsewhere (a mail, a ticket) can prove that nothing was changed since, this file included.
"""

import hashlib
import json
import platform
import shutil
import sqlite3
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from importlib import metadata
from pathlib import Path
from typing import Any

from pdmigrate.decisions import read_decisions
from pdmigrate.errors import SettingsError
from pdmigrate.workspace import Workspace, write_json

MANIFEST = "manifest.json"
COPIES = "evidence"
"""The folder of the copies, in the run's folder."""
STATES = ("plan", "guards", "handover", "handover_ticks", "ticks")
"""What the steps left that was shown, approved or ticked."""
FILED = "filed"
"""What people filed with their ticks: pictures of what Harness shows."""
PACKAGES = ("jupyterlab", "nbclient", "pandas", "papermill", "pydantic", "requests", "sqlalchemy", "tzdata")


@dataclass(frozen=True)
class Checked:
    """What a check found of one run. `problems` is empty where everything is as it was sealed; `apart`: what was not here."""

    folder: Path
    digest: str
    files: int
    plan: str
    approved: str
    problems: tuple[str, ...]
    apart: str = ""


def seal_run(workspace: Workspace, folder: Path, at: datetime, version: str = "") -> Path:
    """Write the run's manifest. Returns its path. A run that is sealed again gets a new one: work by hand, with each step."""
    _copy_sources(workspace, folder / COPIES)
    plan = workspace.find_state("plan") or {}
    manifest = {
        "sealed": at.isoformat(timespec="seconds"),
        "files": _digest_files(folder),
        "snapshot": _digest_snapshot(workspace),
        "plan": {
            "digest": plan.get("digest", ""),
            "loaded_as_approved": _find_loaded(folder),
            "approvals": _find_approvals(folder, plan.get("digest", "")),
        },
        "previous": _digest_previous(workspace, folder),
        "versions": _list_versions(version),
    }
    write_json(folder / MANIFEST, manifest)
    return folder / MANIFEST


def is_sealed(folder: Path) -> bool:
    """Whether the run's folder must stay as it is."""
    return (folder / MANIFEST).is_file()


def check_evidence(folder: Path) -> list[Checked]:
    """Check a run's folder, or every sealed run of a workspace. Raises SettingsError where there is none."""
    folders = (
        [folder] if (folder / MANIFEST).is_file() else sorted(p.parent for p in folder.glob(f"reports/*/{MANIFEST}"))
    )
    if not folders:
        raise SettingsError(f"{folder} holds no sealed run (no {MANIFEST}): name a run's folder, or a workspace.")
    return [_check_run(run) for run in folders]


def digest_file(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _check_run(folder: Path) -> Checked:
    try:
        manifest = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
        sealed, plan, snapshot = manifest["files"], manifest["plan"], manifest["snapshot"]
    except (ValueError, KeyError, TypeError):
        return Checked(folder, digest_file(folder / MANIFEST), 0, "", "", (f"{MANIFEST} is damaged",))
    problems = (*_compare_files(sealed, _digest_files(folder)), *_check_snapshot(folder, snapshot))
    apart = (
        "" if _has_snapshots(folder) or not snapshot else f"the snapshot {snapshot['file']} is not here, not compared"
    )
    named = [f"{a.get('by', 'somebody')}, {a.get('at', 'no date')}" for a in plan["approvals"]]
    approved = "; ".join(named) or plan["loaded_as_approved"]
    return Checked(folder, digest_file(folder / MANIFEST), len(sealed), plan["digest"], approved, problems, apart)


def _compare_files(sealed: dict[str, str], found: dict[str, str]) -> list[str]:
    gone = [f"{name} is missing" for name in sorted(sealed.keys() - found.keys())]
    new = [f"{name} was added" for name in sorted(found.keys() - sealed.keys())]
    changed = [f"{name} was changed" for name in sorted(sealed.keys() & found.keys()) if sealed[name] != found[name]]
    return gone + changed + new


def _check_snapshot(folder: Path, snapshot: dict[str, str]) -> list[str]:
    """The snapshot lies in the workspace, since it is large and many runs may share it; a run taken elsewhere has none."""
    place = folder.parent.parent / "snapshots" / snapshot.get("file", "")
    if not snapshot or not _has_snapshots(folder):
        return []
    if not place.is_file():
        return [f"the snapshot {place.name} is missing"]
    return [] if digest_file(place) == snapshot["sha256"] else [f"the snapshot {place.name} was changed"]


def _has_snapshots(folder: Path) -> bool:
    return (folder.parent.parent / "snapshots").is_dir()


def _digest_files(folder: Path) -> dict[str, str]:
    paths = (path for path in sorted(folder.rglob("*")) if path.is_file() and path.name != MANIFEST)
    return {path.relative_to(folder).as_posix(): digest_file(path) for path in paths}


def _copy_sources(workspace: Workspace, folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    states = [workspace.state_file(name) for name in STATES]
    for path in (workspace.settings_file, workspace.decisions_file, *states):
        if path.is_file():
            shutil.copyfile(path, folder / path.name)
    if (workspace.folder / COPIES).is_dir():
        shutil.copytree(workspace.folder / COPIES, folder / FILED, dirs_exist_ok=True)
    if workspace.journal_file.is_file():
        (folder / "journal.sqlite").unlink(missing_ok=True)
        with (
            closing(sqlite3.connect(workspace.journal_file)) as old,
            closing(sqlite3.connect(folder / "journal.sqlite")) as new,
        ):
            old.backup(new)


def _digest_snapshot(workspace: Workspace) -> dict[str, str]:
    known = workspace.find_state("snapshot")
    path = workspace.snapshots / known["file"] if known else None
    return {"file": path.name, "sha256": digest_file(path)} if path and path.is_file() else {}


def _find_approvals(folder: Path, digest: str) -> list[dict[str, Any]]:
    """Those of the plan, as the copy of decisions.yaml has them."""
    approvals = read_decisions(folder / COPIES / "decisions.yaml").approvals
    return [approval.model_dump(exclude_defaults=True) for approval in approvals if approval.plan == digest]


def _find_loaded(folder: Path) -> str:
    """By whom, or by which option, the load was let pass: on the command line nobody's name stands."""
    path = folder / "results" / "load.json"
    result = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    return result.get("summary", {}).get("approved_by", "")


def _digest_previous(workspace: Workspace, folder: Path) -> dict[str, str]:
    """The manifest sealed before this one: a chain, so that a run cannot be taken out unseen."""
    others = [p for p in workspace.reports.glob(f"*/{MANIFEST}") if p.parent.resolve() != folder.resolve()]
    newest = max(others, key=lambda path: json.loads(path.read_text(encoding="utf-8"))["sealed"], default=None)
    return {"run": newest.parent.name, "sha256": digest_file(newest)} if newest else {}


def _list_versions(version: str) -> dict[str, str]:
    found = {name: metadata.version(name) for name in PACKAGES}
    return {
        "pdmigrate": version or metadata.version("pdmigrate"),
        "python": platform.python_version(),
        "system": platform.platform(),
        **found,
    }
