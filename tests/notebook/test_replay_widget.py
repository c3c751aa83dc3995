"""The replay in notebook 6: headless what the last one found, and a new one at a click."""

import json

import pytest
from hands import press, read, sit_down
from small_company import cut_down

from pdmigrate import conflicts, load, open_job, preview
from pdmigrate.notebook import browse_replay
from pdmigrate.runs.demo import make_demo_workspace
from pdmigrate.sandbox.company import build_company
from pdmigrate.steps.job import read_clock
from pdmigrate.workspace.folder import write_json


@pytest.fixture
def corner(tmp_path):
    make_demo_workspace(tmp_path / "acme")
    write_json(tmp_path / "acme" / "sandbox" / "pagerduty.json", cut_down(build_company(read_clock())))
    with open_job(tmp_path / "acme") as job:
        preview(job)
        conflicts(job)
        load(job, "all")
        yield job


def test_the_notebook_replays_at_a_click_and_shows_it_afterwards(corner, monkeypatch):
    assert "Nothing was replayed yet" in repr(browse_replay(corner))
    sit_down(monkeypatch)
    box = browse_replay(corner)
    assert not (corner.workspace.folder / "history").exists(), "nothing happens by looking"
    press(box, "Replay what happened")
    assert "The page is replay.html." in read(box)
    assert "Noise and use" in read(box)
    assert (corner.folder / "replay.html").is_file()
    assert "the same people at the same minute" in read(browse_replay(corner))


def test_headless_it_replays_as_many_days_as_the_settings_say(corner):
    """In the run's folder, where verify goes on whatever is found; without the setting nothing is read."""
    corner.settings = corner.settings.model_copy(update={"replay_days": 14})
    assert "the same people at the same minute" in repr(browse_replay(corner))
    assert json.loads((corner.folder / "summary.json").read_text())["replay"]["pages"]
    corner.workspace.state_file("snapshot").unlink()
    assert "run the step preview first" in repr(browse_replay(corner))
    assert json.loads((corner.folder / "results" / "replay.json").read_text())["exit_code"] == 2
