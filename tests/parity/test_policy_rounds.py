"""Policies that no service uses, and the rounds of their levels: what no page of a service shows."""

import shutil

import pytest
from policy_corner import grades, level_of, open_quickly
from small_company import edit

from pdmigrate import conflicts, decide, load, open_job, preview, verify
from pdmigrate.pages import make_page


def by_id(verified):
    return {policy.id: policy for policy in verified.policies}


def use_nowhere(job):
    """Nothing uses the follow-the-sun policy any more, on either side."""
    with edit(job, "pagerduty") as document:
        for row in document["services"]:
            if row["escalation_policy"]["id"] == "PPOL02":
                row["escalation_policy"] = {"id": "PPOL01", "type": "escalation_policy_reference"}
    preview(job)


def test_a_policy_of_no_service_is_unverified(few):
    use_nowhere(few)
    verified = verify(few)
    assert grades(verified)["PPOL02"] == "unverified"
    assert any("leaves out what nothing uses" in note for note in level_of(verified, "PPOL02", 1).notes)


def change_levels(job, change):
    with edit(job, "harness") as document:
        policies = document["oncall"]["escalation_policies"]
        [key] = [key for key in policies if "follow" in key]
        change(policies[key]["levels"])


@pytest.fixture(scope="module")
def nowhere_folder(small_corner, tmp_path_factory):
    """That policy carried over and used by nothing."""
    folder = tmp_path_factory.mktemp("nowhere") / "acme"
    with open_job(shutil.copytree(small_corner, folder)) as job:
        use_nowhere(job)
        conflicts(job)
        load(job, "all")
        assert verify(job).error is None
    return folder


@pytest.fixture
def nowhere(nowhere_folder, tmp_path):
    yield from open_quickly(shutil.copytree(nowhere_folder, tmp_path / "nowhere"))


@pytest.mark.parametrize(
    "at, field, more",
    [(0, "timeout_minutes", 10), (0, "retries", 1), (-1, "retries", 2)],
    ids=["time-out", "repeated", "last repeated"],
)
def test_a_policy_of_no_service_that_waits_otherwise_rings(nowhere, at, field, more):
    """No page of a service shows it: the policy is compared itself, with every round of its levels."""
    change_levels(nowhere, lambda levels: levels[at].update({field: levels[at][field] + more}))
    verified = verify(nowhere)
    [sentence] = verified.unexplained
    assert sentence.startswith("policy Platform follow-the-sun (PPOL02): its levels begin after 0, ")
    assert verified.error.exit_code == 5
    assert grades(verified)["PPOL02"] == "differ"
    assert "its levels begin after 0, " in repr(make_page(verified))
    asked = conflicts(nowhere).draft.open["changed_in_harness:PPOL02"]
    decide(nowhere, "changed_in_harness", asked.id, "keep_harness", by="ann")
    kept = verify(nowhere)
    assert (kept.error, grades(kept)["PPOL02"]) == (None, "differ")


@pytest.mark.parametrize(
    "targets", [[], [{"type": "user", "id": "noam.adler@harbourlane.example"}]], ids=["nobody", "another"]
)
def test_a_policy_of_no_service_that_pages_others_in_its_second_round_rings(nowhere, targets):
    """Its first round is as it was."""
    change_levels(nowhere, lambda levels: levels[-1].update(targets=targets))
    verified = verify(nowhere)
    [sentence] = verified.unexplained
    assert sentence.startswith("policy Platform follow-the-sun (PPOL02), level ")
    assert verified.error.exit_code == 5
    assert grades(verified)["PPOL02"] == "differ"
    asked = conflicts(nowhere).draft.open["changed_in_harness:PPOL02"]
    decide(nowhere, "changed_in_harness", asked.id, "keep_harness", by="ann")
    kept = verify(nowhere)
    assert (kept.error, grades(kept)["PPOL02"]) == (None, "differ")


def test_a_level_that_stands_where_people_decided_on_fewer_rounds_is_named(few):
    """In PagerDuty's second round somebody else is at it: the service's pages ring, and the policy's levels do."""
    with edit(few, "pagerduty") as account:
        policy = next(one for one in account["escalation_policies"] if one["id"] == "PPOL02")
        policy["num_loops"] = 9
        levels = len(policy["escalation_rules"])
    preview(few)
    decide(few, "escalation_loops", "PPOL02", "none", by="ann")
    conflicts(few)
    load(few, "all")
    before = verify(few)
    assert before.error is None
    change_levels(
        few,
        lambda there: there.append(there[0] | {"targets": [{"type": "user", "id": "noam.adler@harbourlane.example"}]}),
    )
    verified = verify(few)
    place = f"policy Platform follow-the-sun (PPOL02), level {levels + 1}: "
    assert [sentence for sentence in verified.unexplained if sentence.startswith(place)]
    assert verified.error.exit_code == 5
    assert len(by_id(verified)["PPOL02"].levels) == len(by_id(before)["PPOL02"].levels) + 1 == levels + 1


def test_how_long_its_last_level_waits_is_nobody_s_page(nowhere):
    change_levels(nowhere, lambda levels: levels[-1].update(timeout_minutes=levels[-1]["timeout_minutes"] + 10))
    assert not [sentence for sentence in verify(nowhere).unexplained if "begin" in sentence]
