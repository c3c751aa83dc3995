"""What a run wrote is taken back, newest first, and what people have changed since is left."""

import pytest
from small_company import edit, look

from pdmigrate import conflicts, finish, load, preview, undo
from pdmigrate.cli import main
from pdmigrate.errors import UsageError


def test_an_undo_takes_back_what_a_run_made(small):
    before = look(small)
    conflicts(small)
    load(small, "all")
    listed = undo(small)
    assert len(listed.reverts) > 30
    assert not listed.left
    assert look(small) != before
    done = undo(small, yes=True)
    assert not done.left
    assert look(small) == before
    assert conflicts(small).plan.count()["schedules"]["create"] == 4
    finish(small, done)


def test_an_undo_leaves_what_was_changed_since(small):
    conflicts(small)
    load(small, "all")
    with edit(small, "harness") as held:
        policy = held["oncall"]["escalation_policies"]["default/sre/platform_PPOL01"]
        policy["description"] = "by hand"
    done = undo(small, 1, yes=True)
    left = {revert.action.identifier: revert.left for revert in done.left}
    assert left.pop("platform_PPOL01") == "changed in Harness since"
    assert all(reason.startswith("failed") for reason in left.values())  # what the policy still names
    assert "default/sre/platform_PPOL01" in look(small)[0]["escalation_policies"]


def test_an_undo_puts_back_what_an_update_changed(small):
    conflicts(small)
    load(small, "all")
    before = look(small)
    with edit(small, "pagerduty") as held:
        held["schedules"][0]["name"] = "Another name"
    preview(small)
    conflicts(small)
    load(small, "all")
    assert look(small) != before
    assert undo(small, 1).left[0].left == "run 2 has written to it since"
    undo(small, 2, yes=True)
    assert look(small) == before
    assert [a.name for a in conflicts(small).plan.pending] == ["Another name"]


def test_an_undo_needs_a_run(small):
    with pytest.raises(UsageError, match="There is no load 7"):
        undo(small, 7)


def test_the_commands_of_undo_and_history(small, capsys):
    conflicts(small)
    load(small, "all")
    folder = str(small.workspace.folder)
    assert main(["undo", folder]) == 0
    assert "add --yes" in capsys.readouterr().out
    assert main(["undo", folder, "--run", "1", "--yes"]) == 0
    assert main(["history", folder]) == 0
    assert "undo of run 1" in capsys.readouterr().out
    assert main(["undo", folder, "--run", "9"]) == 2
