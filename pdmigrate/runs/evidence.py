"""Evidence: what a run showed and what was approved, so that months later anybody can prove it.

A run's folder is sealed with manifest.json: a digest of each of its files and of the snapshot, copies of the decisions, the
plan and the journal as they were, the versions used, and the manifest before it. Whoever notes the manifest's own digest
elsewhere (a mail, a ticket) can prove that nothing was changed since, this file included.
"""

import hashlib
import logging
import platform
from dataclasses import dataclass
from datetime import datetime
from importlib import metadata
from pathlib import Path
from typing import Any

from pydantic import AwareDatetime, BaseModel, field_validator

from pdmigrate.errors import SettingsError
from pdmigrate.plan.actions import plan_from_json
from pdmigrate.runs.summary import read_results
from pdmigrate.wire.forms import FileName
from pdmigrate.wire.json_text import OF_FILE, read_json
from pdmigrate.workspace.decisions import read_decisions
from pdmigrate.workspace.folder import Workspace, make_folder, refuse_links, write_bytes, write_json
from pdmigrate.workspace.journal import Journal
from pdmigrate.workspace.states import read_within

log = logging.getLogger("pdmigrate")
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


class _Previous(BaseModel):
    run: str = ""


class _Snapshot(BaseModel):
    file: FileName
    sha256: str


class _Plan(BaseModel):
    digest: str
    loaded_as_approved: str
    approvals: tuple[dict[str, Any], ...]


class Manifest(BaseModel):
    """What must stand in a manifest so that a run can be checked. `files`: path in the run's folder to SHA-256."""

    sealed: AwareDatetime
    files: dict[str, str]
    snapshot: _Snapshot | None
    plan: _Plan
    previous: _Previous = _Previous()

    @field_validator("snapshot", mode="before")
    @classmethod
    def _read_none(cls, value: Any) -> Any:
        """A run without a snapshot has an empty place there."""
        return value or None


def seal_run(workspace: Workspace, folder: Path, at: datetime, version: str = "") -> Path:
    """Write the run's manifest. Returns its path. A run that is sealed again gets a new one: work by hand, with each step."""
    _copy_sources(workspace, folder / COPIES)
    plan = workspace.find_state("plan")
    digest = plan_from_json(plan).digest if plan else ""
    approvals = read_decisions(folder / COPIES / "decisions.yaml").approvals
    known = workspace.find_state("snapshot")
    snapshot = workspace.snapshots / known["file"] if known else None
    manifest = {
        "sealed": at.isoformat(timespec="seconds"),
        "files": _digest_files(folder),
        "snapshot": (
            {"file": snapshot.name, "sha256": digest_file(snapshot)} if snapshot and snapshot.is_file() else {}
        ),
        "plan": {
            "digest": digest,
            # by whom, or by which option, the load was let pass: on the command line nobody's name stands
            "loaded_as_approved": read_results(folder).get("load", {}).get("summary", {}).get("approved_by", ""),
            "approvals": [one.model_dump(exclude_defaults=True) for one in approvals if one.is_about(digest)],
        },
        **_digest_others(workspace, folder),
        "versions": {
            "pdmigrate": version or metadata.version("pdmigrate"),
            "python": platform.python_version(),
            "system": platform.platform(),
            **{name: metadata.version(name) for name in PACKAGES},
        },
    }
    write_json(folder / MANIFEST, manifest)
    return folder / MANIFEST


def is_sealed(folder: Path) -> bool:
    """Whether the run's folder must stay as it is."""
    return (folder / MANIFEST).is_file()


def has_ended(folder: Path) -> bool:
    """Whether the run came to its end: it is sealed, and no step has left anything since."""
    sealed, left = _read_manifest(folder / MANIFEST), folder.glob("results/*.json")
    return sealed is not None and all(sealed.files.get(f"results/{path.name}") == digest_file(path) for path in left)


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
    sealed = _read_manifest(folder / MANIFEST)
    if sealed is None:
        return Checked(folder, _digest_if_readable(folder / MANIFEST), 0, "", "", (f"{MANIFEST} is damaged",))
    before, now = sealed.files, _digest_files(folder)
    problems = [f"{name} is missing" for name in sorted(before.keys() - now.keys())]
    problems += [f"{name} was changed" for name in sorted(before.keys() & now.keys()) if before[name] != now[name]]
    problems += [f"{name} was added" for name in sorted(now.keys() - before.keys())]
    # The snapshot lies in the workspace, since it is large and many runs may share it; a run taken elsewhere has none.
    snapshots, apart = folder.parent.parent / "snapshots", ""
    if sealed.snapshot and snapshots.is_dir():
        place = snapshots / Path(sealed.snapshot.file).name
        if not place.is_file():
            problems.append(f"the snapshot {place.name} is missing")
        elif digest_file(place) != sealed.snapshot.sha256:
            problems.append(f"the snapshot {place.name} was changed")
    elif sealed.snapshot:
        apart = f"the snapshot {sealed.snapshot.file} is not here, not compared"
    plan = sealed.plan
    named = [f"{a.get('by', 'somebody')} on {str(a.get('at', 'no date'))[:10]}" for a in plan.approvals]
    approved = "; ".join(named) or plan.loaded_as_approved
    digest = digest_file(folder / MANIFEST)
    return Checked(folder, digest, len(before), plan.digest, approved, tuple(problems), apart)


def _digest_files(folder: Path) -> dict[str, str]:
    paths = (path for path in sorted(folder.rglob("*")) if path.is_file() and path.name != MANIFEST)
    return {path.relative_to(folder).as_posix(): digest_file(path) for path in paths}


def _copy_sources(workspace: Workspace, folder: Path) -> None:
    make_folder(refuse_links(folder))
    states = [workspace.state_file(name) for name in STATES]
    for path in (workspace.settings_file, workspace.decisions_file, *states):
        if path.is_file():
            write_bytes(folder / path.name, path.read_bytes())
    filed = workspace.folder / COPIES
    for path in sorted(path for path in filed.rglob("*") if path.is_symlink() or path.is_file()):
        write_bytes(folder / FILED / path.relative_to(filed), refuse_links(path).read_bytes())
    if workspace.journal_file.is_file():
        with Journal(workspace.journal_file, "").opened() as journal:
            write_bytes(folder / "journal.sqlite", journal.copy())


def _digest_others(workspace: Workspace, folder: Path) -> dict[str, Any]:
    """The manifest sealed before this one: a chain, so that a run cannot be taken out unseen.

    One that is damaged says no time: it is named with its own digest beside the chain, and stops nothing.
    """
    others = [p for p in sorted(workspace.reports.glob(f"*/{MANIFEST}")) if p.parent.resolve() != folder.resolve()]
    whole = {path: manifest for path in others if (manifest := _read_manifest(path))}
    # the end of the chain, and not the latest by the clock: that may have been set back meanwhile
    named = {manifest.previous.run for manifest in whole.values()}
    ends = [path for path in whole if path.parent.name not in named] or list(whole)
    newest = max(ends, key=lambda path: whole[path].sealed, default=None)
    damaged = {path.parent.name: _digest_if_readable(path) for path in others if path not in whole}
    for name in damaged:
        log.warning(
            "The run %s has a damaged %s: restore it from a copy; this run is sealed without it.", name, MANIFEST
        )
    previous = {"run": newest.parent.name, "sha256": digest_file(newest)} if newest else {}
    return {"previous": previous, **({"damaged": damaged} if damaged else {})}


def _read_manifest(path: Path) -> Manifest | None:
    """None where it is damaged: half written, of another shape, or not to be read at all."""
    try:
        return Manifest.model_validate(read_json(read_within(path, OF_FILE.size)))
    except (ValueError, OSError):
        return None


def _digest_if_readable(path: Path) -> str:
    try:
        return digest_file(path)
    except OSError:
        return ""
