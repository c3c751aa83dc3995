"""Names are never paths: ids of a source that nobody meant well with, through all six steps, and links in a workspace."""

import contextlib
import json
import os
import stat
from datetime import timedelta
from pathlib import Path

import pytest
from small_company import place_corner
from source_http import NOW, company

from pdmigrate import conflicts, connect, decide, finish, invite, load, open_job, preview, verify
from pdmigrate.cli import main
from pdmigrate.errors import PartialLoadError, PersonNeededError, RefusedError, UnexplainedDifferenceError
from pdmigrate.handover.ticks import read_items, tick_item
from pdmigrate.pagerduty.account import Snapshot
from pdmigrate.runs.demo import DECISIONS
from pdmigrate.runs.evidence import seal_run
from pdmigrate.runs.finish import write_handover
from pdmigrate.runs.publish import MADE, publish
from pdmigrate.workspace.folder import Workspace
from pdmigrate.workspace.settings import make_workspace
from pdmigrate.workspace.snapshots import save_snapshot

HOSTILE = ("../../x", "/etc/x", "a\0b", "x" * 300, "CON", "PABC1", "pabc1")
KINDS = ("users", "teams", "schedules", "escalation_policies", "services")
STEPS = {
    "connect": connect,
    "preview": preview,
    "invite": invite,
    "conflicts": conflicts,
    "load": lambda job: load(job, "all"),
    "verify": verify,
}


def rename(value, names):
    """The rows with other ids, wherever one stands."""
    if isinstance(value, dict):
        return {names.get(key, key): rename(each, names) for key, each in value.items()}
    if isinstance(value, list):
        return [rename(each, names) for each in value]
    return names.get(value, value) if isinstance(value, str) else value


def hostile_account():
    """The embedded company, the first of each kind with an id that is a path, a device, too long, or another's twin."""
    rows = company()
    for kind in KINDS:
        ids = [row["id"] for row in rows[kind]]
        rows = rename(
            rows, {id: f"{name}{kind[0] * (name in HOSTILE[5:])}" for id, name in zip(ids, HOSTILE, strict=False)}
        )
    return rows


def list_files(root):
    return {path for path in Path(root).rglob("*") if not path.is_dir()}


def open_workspace(folder, path):
    """A job on a workspace of the snapshot, in which every question is answered."""
    make_workspace(
        folder,
        {"name": "acme", "source": "snapshot", "snapshot": str(path), "open_conflicts": "recommended"},
    )
    job = open_job(folder, clock=lambda: NOW)
    for about, id, choice, why in DECISIONS:
        decide(job, about, id, choice, by="ann", why=why)
    return job


def run_all(job):
    for step in STEPS.values():
        try:
            finish(job, step(job))
        except (PersonNeededError, PartialLoadError, UnexplainedDifferenceError):
            continue  # the pages are written all the same


def test_a_snapshot_with_ids_that_are_paths_writes_in_the_workspace_only(tmp_path):
    home = tmp_path / "one" / "two" / "three"
    home.mkdir(parents=True)
    rows = hostile_account()
    save_snapshot(home / "acme.json.gz", Snapshot("acme", NOW, NOW, NOW + timedelta(days=56), rows))
    before = list_files(tmp_path) | list_files("/etc")
    with open_workspace(home / "acme", home / "acme.json.gz") as job:
        run_all(job)
        page = write_handover(job.workspace, "acme", job.folder / "handover", everything=True)
        letters = [item for item in read_items(job.workspace) if item.file.startswith("people/")]
        tick_item(job.workspace, letters[0], "ann", NOW, str(page))
        seal_run(job.workspace, job.folder, NOW)
        shared = publish(job.folder, home / "shared", job.secrets)
    written = (list_files(tmp_path) | list_files("/etc")) - before
    published = {*shared, home / "shared" / MADE}
    assert all(path.is_relative_to(home / "acme") or path in published for path in written)
    names = [path.name for path in written]
    assert max(map(len, names)) <= 100
    assert all(name.isascii() and name.isprintable() for name in names)
    for folder in {path.parent for path in written}:  # as a system sees it on which capitals do not matter
        beside = [path.name.casefold() for path in written if path.parent == folder]
        assert len(beside) == len(set(beside))
        assert not [name for name in beside if name.split(".")[0] == "con"]
    assert len([path for path in written if path.parent.name == "source"]) >= len(HOSTILE)
    assert len([path for path in shared if path.name.startswith("team-")]) >= 3
    assert {item.file for item in letters} <= {
        path.relative_to(page.parent).as_posix() for path in written if page.parent in path.parents
    }


@pytest.fixture
def workspace(tmp_path):
    """A workspace on the embedded pair, made by nobody else."""
    make_workspace(tmp_path / "acme", {"name": "acme", "open_conflicts": "recommended"})
    (tmp_path / "elsewhere").mkdir()
    return tmp_path / "acme"


@pytest.mark.parametrize(
    "link", ["state", "snapshots", "reports", "reports/by-hand", "reports/by-hand/results", "sandbox", "journal.sqlite"]
)
def test_a_link_in_the_workspace_is_not_followed(workspace, link):
    place = workspace / link
    if link != "sandbox":
        place_corner(workspace)
    place.parent.mkdir(parents=True, exist_ok=True)
    place.symlink_to(workspace.parent / "elsewhere")
    with pytest.raises(RefusedError, match=f"{place} is a symbolic link"), open_job(workspace) as job:  # noqa: PT012 - any of them
        finish(job, preview(job))
        job.journal()
    assert not list_files(workspace.parent / "elsewhere")


@pytest.mark.parametrize("name", [".lock", "sandbox/harness.new", "sandbox/pagerduty.lock", "state/access.json"])
def test_a_file_that_is_a_link_is_not_written_through(workspace, name):
    precious = workspace.parent / "elsewhere" / "precious"
    precious.write_text("mine", encoding="utf-8")
    (workspace / name).parent.mkdir(exist_ok=True)
    (workspace / name).symlink_to(precious)
    with pytest.raises(RefusedError, match="is a symbolic link"), open_job(workspace) as job, job.hold("test"):
        connect(job)
    assert precious.read_text(encoding="utf-8") == "mine"


def test_history_through_a_linked_folder_is_refused(workspace, capsys):
    (workspace / "reports").symlink_to(workspace.parent / "elsewhere")
    assert main(["history", str(workspace)]) == 4
    assert "is a symbolic link" in capsys.readouterr().err
    assert not list_files(workspace.parent / "elsewhere")


def test_a_workspace_and_a_snapshot_behind_a_link_of_ones_own_are_no_matter(tmp_path):
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real")
    save_snapshot(tmp_path / "link" / "a.json.gz", Snapshot("acme", NOW, NOW, NOW, company()))
    with open_workspace(tmp_path / "link" / "acme", tmp_path / "link" / "a.json.gz") as job:
        finish(job, connect(job))
    assert (tmp_path / "real" / "acme" / "reports" / "by-hand" / "connect.html").is_file()


def test_a_snapshot_is_not_written_through_a_link(tmp_path):
    (tmp_path / "precious").write_text("mine", encoding="utf-8")
    (tmp_path / "a.json.gz").symlink_to(tmp_path / "precious")
    with pytest.raises(RefusedError, match="is a symbolic link"):
        save_snapshot(tmp_path / "a.json.gz", Snapshot("acme", NOW, NOW, NOW, company()))
    assert (tmp_path / "precious").read_text(encoding="utf-8") == "mine"


def make_run(folder):
    (folder / "tables").mkdir(parents=True)
    (folder / "stakeholders.html").write_text("<p>all</p>", encoding="utf-8")
    (folder / "tables" / "stakeholders-01-a.csv").write_text("a\n", encoding="utf-8")
    return folder


def test_publish_copies_nothing_that_is_behind_a_link(tmp_path):
    run = make_run(tmp_path / "run")
    (tmp_path / "private").write_text("mine", encoding="utf-8")
    (run / "team-P1.html").symlink_to(tmp_path / "private")
    with pytest.raises(RefusedError, match="is a symbolic link"):
        publish(run, tmp_path / "shared", ())
    assert not (tmp_path / "shared").exists()


@pytest.mark.parametrize("name", ["tables", "team-P1.html", "stakeholders.html"])
def test_publish_writes_into_no_folder_with_a_link_in_it(tmp_path, name):
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "shared").mkdir()
    (tmp_path / "shared" / name).symlink_to(tmp_path / "elsewhere")
    with pytest.raises(RefusedError, match=name):
        publish(make_run(tmp_path / "run"), tmp_path / "shared", ())
    assert not list_files(tmp_path / "elsewhere")
    assert (tmp_path / "shared" / name).is_symlink()


def test_publish_takes_a_run_by_its_name_and_not_by_a_path(workspace, capsys):
    make_run(workspace.parent / "other")
    make_run(workspace / "reports" / "1")
    assert main(["publish", str(workspace), "--to", str(workspace.parent / "shared"), "--run", "../../other"]) == 2
    assert "No run ../../other" in capsys.readouterr().err


def test_filed_evidence_that_is_a_link_stays_out_of_the_run(workspace):
    (workspace / "evidence").mkdir()
    (workspace / "evidence" / "shown.png").symlink_to("/etc/passwd")
    with pytest.raises(RefusedError, match=r"shown\.png is a symbolic link"):
        seal_run(Workspace(workspace), Workspace(workspace).reports / "1", NOW)


def test_a_damaged_state_names_no_file_outside(workspace):
    """state/snapshot.json may come from elsewhere with the workspace."""
    for name in ("state", "snapshots"):
        (workspace / name).mkdir()
    (workspace / "state" / "snapshot.json").write_text(json.dumps({"file": "../../other.json.gz"}), encoding="utf-8")
    save_snapshot(workspace.parent / "other.json.gz", Snapshot("acme", NOW, NOW, NOW, company()))
    with open_job(workspace) as job, pytest.raises(Exception, match=r"snapshot\.json is damaged"):
        job.latest_account()


def test_what_holds_personal_data_is_for_nobody_else(workspace):
    """Folders that we make are closed to others, whatever is in them; files that name people are too."""
    usual = os.umask(0o022)
    with contextlib.closing(open_job(place_corner(workspace))) as job:
        finish(job, connect(job))
        finish(job, preview(job))
        with job.journal().opened():
            pass
    os.umask(usual)
    modes = {path: stat.S_IMODE(path.stat().st_mode) for path in (workspace, *workspace.rglob("*"))}
    assert {mode for path, mode in modes.items() if path.is_dir()} == {0o700}
    assert not [path for path, mode in modes.items() if path.is_file() and mode & 0o077 and path.suffix != ".lock"]
