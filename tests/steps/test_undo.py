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


def test_nobody_is_mailed_twice_without_a_persons_word(small):
    """Neither where the plan was made before the undo nor where it was made after it."""
    conflicts(small)
    load(small, "all")
    undo(small, yes=True)
    for made in (False, True):
        if made:
            conflicts(small)
        with pytest.raises(RefusedError, match=r"would get another .*guard mailed_before"):
            load(small, "all")
    digest, day = conflicts(small).plan.digest, f"{small.clock():%Y-%m-%d}"
    waive(small, "mailed_before", digest, day, "ann", "they know of it")
    assert load(small, "all").writes


def test_a_run_that_writes_nothing_books_nothing(small):
    conflicts(small)
    load(small, "all")
    assert conflicts(small).plan.empty
    assert not load(small, "all").writes
    undo(small, 1, yes=True)
    undo(small, 1, yes=True)
    assert [(told.run.number, told.run.kind) for told in list_runs(small)] == [(1, "load"), (2, "undo")]
