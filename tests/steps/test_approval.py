"""An approval is of what was seen: what changes afterwards makes it void, and is named."""

import pytest
import yaml
from small_company import edit

from pdmigrate import approve, choose, conflicts, decide, load, open_job, preview, waive
from pdmigrate.cli.status import describe_status
from pdmigrate.errors import InterruptedLoadError, PlanMovedError, RefusedError, UnapprovedPlanError, UsageError
from pdmigrate.plan.actions import Held, make_plan
from pdmigrate.plan.answers import Decisions
from pdmigrate.plan.guards import read_approval
from pdmigrate.steps.cancel import Cancel


def settle(job, **said):
    """Write into migration.yaml, as a person does with an editor: {"rules": {...}}."""
    path = job.workspace.settings_file
    settings = yaml.safe_load(path.read_text())
    for section, values in said.items():
        settings[section] = {**(settings.get(section) or {}), **values}
    path.write_text(yaml.safe_dump(settings))


CHANGES = [
    {
        "rules.strategy": lambda job: choose(job, "rules.strategy", "overwrite", by="bob"),
        "rules.guards": lambda job: settle(job, rules={"guards": {"changed_percent": 100}}),
        "rules.contact_details": lambda job: choose(job, "rules.contact_details", False, by="bob"),
    },
    {
        "scope.services": lambda job: choose(job, "scope.services", ["Edge & CDN"], by="bob"),
        "the answer group_name_collision all": lambda job: decide(
            job, "group_name_collision", "all", "merge", by="bob"
        ),
    },
]


@pytest.mark.parametrize("changes", CHANGES, ids=["rules", "scope and answers"])
def test_what_changes_after_the_approval_makes_it_void_by_name(small, changes):
    approve(small, conflicts(small).plan.digest, by="ann")
    for change in changes.values():
        change(small)
    with pytest.raises(PlanMovedError, match=f"Changed since the plan was made: .*; {len(changes)} in all") as told:
        load(small)
    assert not [name for name in changes if name not in str(told.value)]
    assert small.target.transport.counts.writes == 0
    conflicts(small)
    for _ in range(2):  # asked again, it says the same
        loaded = load(small)
        assert isinstance(loaded.error, UnapprovedPlanError)
        assert "approval of ann is for the plan" in str(loaded.error)
        for name in changes:
            assert name in str(loaded.error)
            assert name in describe_status(small.workspace)
        conflicts(small)
    again = conflicts(small)
    assert "void" in again.void
    approve(small, again.plan.digest, by="ann")
    assert not conflicts(small).void
    assert load(small).writes


def interrupt(job, approve=""):
    stop = Cancel()
    with pytest.raises(InterruptedLoadError):
        load(job, approve, lambda done, number, total: stop.ask(), stop)
    return describe_status(job.workspace)


def test_status_names_a_void_approval_while_a_load_is_interrupted(small):
    """First of the plan that was begun, then where another one is begun without the approval."""
    approve(small, conflicts(small).plan.digest, by="ann")
    said = interrupt(small)
    assert said.count("the same command goes on") == 1
    assert "is void" not in said
    choose(small, "rules.strategy", "overwrite", by="bob")
    said = describe_status(small.workspace)
    assert "changed since the plan was made: rules.strategy; 1 in all: an approval of it is void" in said
    assert "the same command goes on" not in said
    again = conflicts(small).plan
    assert "run 1 is open" in describe_status(small.workspace)
    assert "the same command goes on" not in describe_status(small.workspace)
    said = interrupt(small, again.digest)
    assert f"plan: {again.digest[:12]} was interrupted or failed in part. The approval of ann is for the plan" in said
    assert "void: changed since: rules.strategy" in said


def test_a_source_that_was_read_again_makes_it_void_by_name(small):
    approve(small, conflicts(small).plan.digest, by="ann")
    with edit(small, "pagerduty") as account:
        account["teams"][0]["description"] = "New words"
    preview(small)
    assert "what PagerDuty says" in conflicts(small).void
    assert isinstance(load(small).error, UnapprovedPlanError)


def test_another_address_is_another_plan(small):
    plan = conflicts(small).plan
    elsewhere = make_plan(
        plan.source, plan.target, plan.actions, plan.held, {**plan.basis, "target.base_url": "https://other.example"}
    )
    assert elsewhere.digest != plan.digest


def test_what_is_held_and_what_guards_said_is_in_the_digest(small):
    plan = conflicts(small).plan
    held = (*plan.held, Held("users", "PX", "Somebody", "left out by decision"))
    assert make_plan(plan.source, plan.target, plan.actions, held, plan.basis).digest != plan.digest
    refused = {**plan.basis, "guard less_coverage": "Fewer hours would be covered than now: Nights 3 h."}
    assert make_plan(plan.source, plan.target, plan.actions, plan.held, refused).digest != plan.digest


def test_the_same_is_the_same_plan_and_stays_approved(small):
    digest = conflicts(small).plan.digest
    approve(small, digest, by="ann")
    preview(small)
    assert conflicts(small).plan.digest == digest
    assert load(small).approved_by == "ann"


def test_a_guard_that_is_waived_after_the_approval_makes_it_void_by_name(small):
    settle(small, rules={"guards": {"next_run_days": 100}})
    with open_job(small.workspace.folder) as job:
        digest = conflicts(job).plan.digest
        approve(job, digest, by="ann")
        waive(job, "runs_out", digest, "2999-01-01", "bob", "we are back before that")
        with pytest.raises(UnapprovedPlanError, match="approval of ann is void: runs_out was waived after it"):
            load(job)
        assert job.target.transport.counts.writes == 0
        approve(job, digest, by="ann")
        assert load(job).writes


def test_all_is_for_the_embedded_pair_and_rehearsals():
    plan, said = make_plan("s", "t", []), Decisions()
    with pytest.raises(RefusedError, match="rehearsal: true"):
        read_approval(plan, "all", said, rehearsal=False)
    assert read_approval(plan, "all", said, rehearsal=True) == "--approve all"


def test_the_beginning_of_a_digest_names_a_plan_where_it_is_the_only_one():
    plan, said = make_plan("s", "t", []), Decisions()
    assert read_approval(plan, plan.digest[:12], said) == "--approve"
    by_hand = Decisions.model_validate({"approvals": [{"plan": plan.digest[:16], "by": "ann"}]})
    assert read_approval(plan, "", by_hand) == "ann"
    for start in (plan.digest[:11], "0" * 12, "a"):
        with pytest.raises(PlanMovedError, match="approve that digest"):
            read_approval(plan, start, said)
    assert not read_approval(plan, "", Decisions.model_validate({"approvals": [{"plan": plan.digest[:11]}]}))
    twin = plan.digest[:20] + "0" * 44
    for start, decisions in ((plan.digest[:12], said), ("", by_hand)):
        with pytest.raises(UsageError, match="beginning of several plans"):
            read_approval(plan, start, decisions, others=[twin, plan.digest])
    assert read_approval(plan, plan.digest, said, others=[twin]) == "--approve"
