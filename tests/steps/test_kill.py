"""The load of a small company is killed, and nothing is lost and nothing done twice. All points at once: make kills.

That of the whole company is killed in tests/runs/test_signals.py.
"""

import tempfile
from pathlib import Path

import pytest
from break_loads import SERVICES
from kill_loads import MEMORY, MOMENTS, Rehearsal, find_doubles, kill_and_go_on

from pdmigrate import open_job
from pdmigrate.cli.status import describe_status
from pdmigrate.workspace.folder import Workspace


@pytest.fixture(scope="module")
def rehearsal():
    with tempfile.TemporaryDirectory(dir=MEMORY) as folder:
        made = Rehearsal(Path(folder), SERVICES)
        yield made
        made.close()


@pytest.fixture(scope="module")
def undisturbed(rehearsal):
    ended, writes = rehearsal.run(rehearsal.begin())
    assert ended == 0
    assert not find_doubles(rehearsal.app.config["STORE"].read())
    assert set(rehearsal.mails().values()) == {1}
    return rehearsal.see(), writes


def test_a_load_killed_at_every_second_write_goes_on(rehearsal, undisturbed):
    """The moments take turns here; each was killed at every moment once, see the script."""
    expected, writes = undisturbed
    assert writes > 30
    points = [(number, MOMENTS[turn % 3]) for turn, number in enumerate(range(1, writes + 1, 2))]
    assert not [said for said in (kill_and_go_on(rehearsal, *point, expected) for point in points) if said]


def test_a_load_killed_again_and_again_comes_to_its_end(rehearsal, undisturbed):
    """Each loader gets some three writes further than the one before it."""
    expected, _ = undisturbed
    workspace = rehearsal.begin()
    for turn in range(200):
        ended, _ = rehearsal.run(workspace, 3, MOMENTS[turn % 3])
        if ended == 0:
            break
    assert ended == 0
    assert turn > 9
    assert rehearsal.see() == expected
    assert set(rehearsal.mails().values()) == {1}


def test_status_says_what_a_killed_load_has_left_open(rehearsal, undisturbed):
    workspace = rehearsal.begin()
    rehearsal.run(workspace, 20, "before the answer")
    said = describe_status(Workspace(workspace))
    assert "run 1 is open" in said
    assert "under way when it stopped" in said
    with open_job(workspace) as job, job.journal().opened() as journal:
        assert journal.unfinished()[0] == 1
