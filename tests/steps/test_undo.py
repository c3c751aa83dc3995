"""What a run wrote is taken back, newest first, and what people have changed since is left."""

import pytest
from small_company import edit, look

from pdmigrate import approve, conflicts, finish, load, preview, undo, waive
from pdmigrate.cli import main
from pdmigrate.cli.status import describe_status
from pdmigrate.errors import RefusedError, UsageError
from pdmigrate.steps.history import list_runs


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


def test_an_undo_leaves_what_was_changed_since(loaded):
    with edit(loaded, "harness") as held:
        policy = held["oncall"]["escalation_policies"]["default/sre/platform_PPOL01"]
        policy["description"] = "by hand"
    done = undo(loaded, 1, yes=True)
    left = {revert.action.identifier: revert.left for revert in done.left}
    assert left.pop("platform_PPOL01") == "changed in Harness since"
    assert all(reason.startswith("failed") for reason in left.values())  # what the policy still names
    assert "default/sre/platform_PPOL01" in look(loaded)[0]["escalation_policies"]


def test_an_undo_puts_back_what_an_update_changed(loaded):
    before = look(loaded)
    with edit(loaded, "pagerduty") as held:
        held["schedules"][0]["name"] = "Another name"
    preview(loaded)
    conflicts(loaded)
    load(loaded, "all")
    assert look(loaded) != before
    assert undo(loaded, 1).left[0].left == "run 2 has written to it since"
    undo(loaded, 2, yes=True)
    assert look(loaded) == before
    assert [a.name for a in conflicts(loaded).plan.pending] == ["Another name"]


def test_an_undo_needs_a_run(small):
    with pytest.raises(UsageError, match="There is no load 7"):
        undo(small, 7)


def test_the_commands_of_undo_and_history(loaded, capsys):
    folder = str(loaded.workspace.folder)
    assert main(["undo", folder]) == 0
    assert "add --yes" in capsys.readouterr().out
    assert main(["undo", folder, "--run", "1", "--yes"]) == 0
    assert "removed from Harness: " in capsys.readouterr().out
    assert main(["history", folder]) == 0
    said = capsys.readouterr().out
    assert "undo of run 1" in said
    assert "finished, undone by run 2" in said
    assert main(["undo", folder, "--run", "9"]) == 2


def test_an_undo_withdraws_the_approval_and_names_who_was_mailed(small):
    plan = conflicts(small).plan
    approve(small, plan.digest, by="ann")
    load(small)
    invited = sorted(a.name for a in plan.pending if (a.kind, a.verb) == ("users", "create"))
    assert invited
    listed = undo(small)
    assert (list(listed.mailed), listed.approval.by) == (invited, "ann")
    assert small.decisions().approves(plan.digest), "looking withdraws nothing"
    undo(small, yes=True)
    assert small.decisions().approves(plan.digest) is None
    said = describe_status(small.workspace)
    assert "undone by run 2" in said
    assert "is loaded" not in said
    assert f"waits for approval (--approve {plan.digest})" in said


def test_nobody_is_mailed_twice_without_a_persons_word(loaded):
    """Neither where the plan was made before the undo nor where it was made after it."""
    undo(loaded, yes=True)
    for made in (False, True):
        if made:
            conflicts(loaded)
        with pytest.raises(RefusedError, match=r"would get another .*guard mailed_before"):
            load(loaded, "all")
    digest, day = conflicts(loaded).plan.digest, f"{loaded.clock():%Y-%m-%d}"
    waive(loaded, "mailed_before", digest, day, "ann", "they know of it")
    assert load(loaded, "all").writes


def test_a_run_that_writes_nothing_books_nothing(loaded):
    assert conflicts(loaded).plan.empty
    assert not load(loaded, "all").writes
    undo(loaded, 1, yes=True)
    undo(loaded, 1, yes=True)
    assert [(told.run.number, told.run.kind) for told in list_runs(loaded)] == [(1, "load"), (2, "undo")]
