"""A workspace on object storage: brought for one command, sent back after it, and held meanwhile."""

import os
import re
import tempfile
from pathlib import Path

import fsspec
import pytest

from pdmigrate.cli import main
from pdmigrate.errors import RefusedError, SettingsError, UnreachableError
from pdmigrate.steps.job import read_clock
from pdmigrate.workspace.hold import hold
from pdmigrate.workspace.storage import Storage

ADDRESS = "memory://clients/acme"
ROOT = "/clients/acme"


@pytest.fixture
def stored(tmp_path, monkeypatch):
    """The storage, empty, and a folder for temporary files in which nothing else is."""
    files = fsspec.filesystem("memory")
    files.store.clear()
    (tmp_path / "temporary").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temporary"))
    yield files
    files.store.clear()


@pytest.fixture
def journal(postgres, monkeypatch):
    """The journal of workspaces of this file, by reference."""
    monkeypatch.setenv("JOURNAL", postgres)
    return "journal: env:JOURNAL\n"


def put(files, name, text):
    files.pipe_file(f"{ROOT}/{name}", text.encode())


def read(files, name):
    return files.cat_file(f"{ROOT}/{name}").decode()


def names(files):
    return sorted(path.removeprefix(f"{ROOT}/") for path in files.find(ROOT))


def test_a_run_needs_nothing_from_the_disk_and_leaves_nothing_there(stored, journal, tmp_path, capfd):
    assert main(["init", ADDRESS, "--name", "acme away"]) == 0
    put(stored, "migration.yaml", re.sub("(?m)^journal:.*\n", journal, read(stored, "migration.yaml")))
    assert main(["run", ADDRESS, "connect"]) == 0
    said = capfd.readouterr().out
    assert f"Pages: {ADDRESS}/reports/" in said
    assert str(tmp_path) not in said
    left = names(stored)
    assert "state/access.json" in left
    assert [name for name in left if name.startswith("reports/") and name.endswith("/index.html")]
    assert not [name for name in left if "/." in f"/{name}"]
    assert not list((tmp_path / "temporary").iterdir())
    assert main(["status", ADDRESS]) == 0
    assert f"next: pdmigrate run {ADDRESS} --until conflicts" in capfd.readouterr().out
    assert names(stored) == left


def test_two_at_once_are_one_and_the_other_says_who_has_it(stored, journal, postgres, tmp_path, capsys):
    put(stored, "migration.yaml", f"name: twice\nsource: {{kind: embedded}}\ntarget: {{kind: embedded}}\n{journal}")
    with hold(postgres, "twice", tmp_path, "run s3://elsewhere", read_clock()):
        assert main(["run", ADDRESS, "connect"]) == 4
    assert "is held by" in capsys.readouterr().err
    assert names(stored) == ["migration.yaml"]


def test_a_journal_in_a_file_is_refused(stored, capsys):
    put(stored, "migration.yaml", "name: acme\nsource: {kind: embedded}\ntarget: {kind: embedded}\n")
    assert main(["run", ADDRESS]) == 2
    assert "has its journal in PostgreSQL" in capsys.readouterr().err


def test_an_address_in_another_place_makes_no_folder_of_that_name(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(["demo", "--workspace", ADDRESS]) == 2
    assert "is no folder" in capsys.readouterr().err
    assert main(["rota", ADDRESS]) == 2
    assert not list(tmp_path.iterdir())


def test_what_somebody_changed_meanwhile_stays_and_ours_stands_beside_it(stored, tmp_path):
    for name in ("decisions.yaml", "state/plan.json", "state/old.json", "snapshots/1.gz"):
        put(stored, name, "as it was")
    storage = Storage(ADDRESS)
    storage.bring(tmp_path, sealed=True)
    put(stored, "decisions.yaml", "a person's")
    for name, text in (("decisions.yaml", "the run's"), ("state/plan.json", "planned"), ("new.txt", "new")):
        (tmp_path / name).write_text(text)
    (tmp_path / "state" / "old.json").unlink()
    (tmp_path / ".lock").write_text("this machine's")
    assert storage.send(tmp_path) == ("decisions.yaml",)
    assert names(stored) == ["decisions.yaml", "decisions.yaml.ours", "new.txt", "snapshots/1.gz", "state/plan.json"]
    assert [read(stored, name) for name in names(stored)] == ["a person's", "the run's", "new", "as it was", "planned"]


def test_what_is_removed_here_and_changed_there_stays(stored, tmp_path):
    put(stored, "state/fetch.part", "half")
    storage = Storage(ADDRESS)
    storage.bring(tmp_path, sealed=True)
    put(stored, "state/fetch.part", "another's half")
    (tmp_path / "state" / "fetch.part").unlink()
    assert storage.send(tmp_path) == ()
    assert read(stored, "state/fetch.part") == "another's half"


def test_of_a_sealed_run_the_next_one_gets_what_it_needs_and_removes_nothing(stored, tmp_path):
    kept = ["reports/1/manifest.json", "reports/1/results/load.json", "reports/handover/checklist.html"]
    left = ["reports/1/index.html", "reports/1/evidence/plan.json"]
    for name in [*kept, *left]:
        put(stored, name, name)
    storage = Storage(ADDRESS)
    storage.bring(tmp_path, sealed=False)
    assert sorted(path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*") if path.is_file()) == kept
    assert storage.send(tmp_path) == ()
    assert names(stored) == sorted([*kept, *left])


@pytest.mark.parametrize("name", ["../evil", "state/../../evil", "state//evil", "nul\0evil", "x" * 300])
def test_a_name_that_is_no_path_is_refused_and_nothing_is_written(stored, tmp_path, name):
    put(stored, "migration.yaml", "name: acme")
    stored.store[f"{ROOT}/{name}"] = stored.store[f"{ROOT}/migration.yaml"]
    with pytest.raises(RefusedError, match="which is no path"):
        Storage(ADDRESS).bring(tmp_path / "here", sealed=True)
    assert not (tmp_path / "here").exists()
    assert not (tmp_path / "evil").exists()


def test_what_cannot_be_sent_is_kept_and_said_where(stored, journal, monkeypatch, tmp_path, capsys):
    put(stored, "migration.yaml", f"name: broken\nsource: {{kind: embedded}}\ntarget: {{kind: embedded}}\n{journal}")

    def refuse(*_, **__):
        raise OSError("the bucket's key was abc-secret")

    monkeypatch.setattr(type(stored), "pipe_file", refuse)
    assert main(["survey", ADDRESS, "--to", str(tmp_path / "survey.json.gz")]) == 6
    said = capsys.readouterr().err
    folder = Path(said.partition("What this command left is in ")[2].strip().rstrip("."))
    assert (folder / "sandbox" / "harness.json").is_file()
    assert "abc-secret" not in said
    assert os.stat(folder).st_mode & 0o077 == 0


def test_an_address_that_nobody_speaks_is_said():
    with pytest.raises(SettingsError, match="cannot be used"):
        Storage("gopher2://place")
    with pytest.raises(SettingsError, match="cannot be used"):
        Storage("s3://key:secret@bucket/acme")


def test_storage_that_fails_is_a_side_that_cannot_be_used(stored, monkeypatch, tmp_path):
    monkeypatch.setattr(type(stored), "find", lambda *_, **__: 1 / 0)
    with pytest.raises(UnreachableError, match="ZeroDivisionError"):
        Storage(ADDRESS).bring(tmp_path, sealed=True)
