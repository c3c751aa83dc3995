"""docs/targets.md, run: its target, offered by its entry point and chosen by its lines of migration.yaml."""

import re
import tomllib
from pathlib import Path

import pytest
import yaml
from small_company import make_corner

from pdmigrate import conflicts, connect, finish, load, open_job, preview, undo, verify
from pdmigrate.errors import SettingsError
from pdmigrate.workspace.folder import Workspace

PAGE = (Path(__file__).parents[2] / "docs" / "targets.md").read_text(encoding="utf-8")


def read_block(language):
    [block] = re.findall(rf"^```{language}\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
    return block


@pytest.fixture
def install(tmp_path, monkeypatch):
    """A package with these entry points, as pip would leave it."""
    site = tmp_path / "site"
    monkeypatch.syspath_prepend(site)

    def install(offers):
        about = site / "oncall_file-1.0.dist-info"
        about.mkdir(parents=True)
        (about / "METADATA").write_text("Metadata-Version: 2.1\nName: oncall-file\nVersion: 1.0\n")
        lines = [f"{name} = {value}" for name, value in offers.items()]
        (about / "entry_points.txt").write_text("\n".join(["[pdmigrate.targets]", *lines, ""]))
        (site / "oncall_file.py").write_text(read_block("python"))

    return install


@pytest.fixture
def folder(tmp_path):
    return make_corner(tmp_path / "acme", ("PSERV01", "PSERV02", "PSERV05", "PSERV10"))


def choose_target(folder, **target):
    path = Workspace(folder).settings_file
    path.write_text(yaml.safe_dump({**yaml.safe_load(path.read_text()), "target": target}))


def test_the_target_of_the_page_goes_through_all_steps(install, folder):
    [(group, offers)] = tomllib.loads(read_block("toml"))["project"]["entry-points"].items()
    assert group == "pdmigrate.targets"
    install(offers)
    choose_target(folder, **yaml.safe_load(read_block("yaml"))["target"], rehearsal=True)
    with open_job(folder) as job:
        for step in (connect, preview, conflicts):
            finish(job, step(job))
        loaded = load(job, "all")
        assert {done.outcome for done in loaded.done} == {"created"}
        assert loaded.writes == job.target.counts.writes > 0
        seen = verify(job)
        finish(job, seen)
        seconds = seen.count_seconds()
        assert (seconds["differ_seconds"], seconds["unverified_seconds"]) == (0, 0)
        assert seconds["agree_seconds"] > 0
        assert not seen.drift
        assert conflicts(job).plan.empty, "what was loaded is there"
        assert len(job.target.read_state().schedules) > 5
        assert not undo(job, yes=True).left
        assert not any(
            vars(job.target.read_state()).get(kind) for kind in ("schedules", "overrides", "policies", "groups")
        )


def test_a_kind_that_nobody_offers_is_refused_with_those_that_there_are(install, folder):
    install({"file": "oncall_file:FileTarget"})
    choose_target(folder, kind="flie")
    with pytest.raises(
        SettingsError, match=r"target\.kind: .*did you mean file\?\); there are embedded, file, harness\.$"
    ):
        open_job(folder)


@pytest.mark.parametrize("value", ["oncall_file:Nothing", "not_installed:FileTarget"])
def test_an_offer_that_cannot_be_imported_is_said(install, folder, value):
    install({"file": value})
    choose_target(folder, kind="file")
    with pytest.raises(SettingsError, match=f"target.kind file: {value} cannot be imported"):
        open_job(folder)
