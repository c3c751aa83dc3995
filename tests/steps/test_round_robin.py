"""Round robin decided as `first_only`, the whole way: mapped, loaded into the embedded Harness, and what is paged there graded."""

import pytest
from small_company import cut_down, edit

from pdmigrate import conflicts, decide, invite, load, open_job, preview, verify
from pdmigrate.runs.demo import make_demo_workspace
from pdmigrate.sandbox.company import build_company
from pdmigrate.steps.job import read_clock
from pdmigrate.workspace.folder import write_json

POLICY, SERVICE = "PPOL12", "PSERV23"
TURNS = ("grace", "victor", "nina")
"""Support's first level deals its pages out among these."""


@pytest.fixture
def loaded(tmp_path):
    make_demo_workspace(tmp_path / "acme")
    company = cut_down(build_company(read_clock()), (SERVICE,))
    for row in company["services"]:
        row["incident_urgency_rule"] = {"type": "constant", "urgency": "high"}
    write_json(tmp_path / "acme" / "sandbox" / "pagerduty.json", company)
    with open_job(tmp_path / "acme") as job:
        decide(job, "round_robin", POLICY, "first_only", by="ann", why="grace asked for it")
        preview(job)
        invite(job)
        assert conflicts(job).error is None
        assert load(job, "all").error is None
        yield job


def read_levels(held):
    policies = held["oncall"]["escalation_policies"].values()
    return next(policy["levels"] for policy in policies if policy["name"] == "Support")


def see(verified):
    [service], [policy] = verified.service_parity, verified.policies
    return service, policy


def name(people):
    return {person.partition(".")[0] for person in people}


def test_only_the_first_target_is_in_harness_and_every_page_is_graded(loaded):
    with edit(loaded, "harness") as held:
        first = read_levels(held)[0]
    assert [target["id"].partition(".")[0] for target in first["targets"]] == ["grace"]
    verified = verify(loaded)
    assert verified.error is None
    service, policy = see(verified)
    assert service.moments
    assert service.equal == 0, "PagerDuty pages one of three, and nobody knows whom: no page is the same"
    for page in service.different:
        (_, before), (_, after) = page.before[0], page.after[0]
        assert [who.startswith("one of ") for who in before] == [True]
        assert name(after) == {"grace"}
        assert [minute for minute, _ in page.before] == [minute for minute, _ in page.after]
    assert "only the first target is paged instead of one in turn (round robin), by decision of ann" in service.reason
    assert policy.levels[0].grade == "unverified", "nobody says whose turn it is"
    assert policy.unexplained == ()


@pytest.mark.parametrize(
    "change",
    [
        lambda targets: targets[0].update(id=targets[0]["id"].replace("grace", "victor")),
        lambda targets: targets.append({**targets[0], "id": targets[0]["id"].replace("grace", "nina")}),
    ],
    ids=["another of the three", "two of the three"],
)
def test_whoever_else_is_paged_is_nobodys_decision(loaded, change):
    with edit(loaded, "harness") as held:
        people = {user["email"].partition(".")[0]: user["email"] for user in (*held["users"], *held["invites"])}
        targets = read_levels(held)[0]["targets"]
        change(targets)
        for target in targets:
            target["id"] = people[target["id"].partition(".")[0]]
    verified = verify(loaded)
    assert verified.error.exit_code == 5
    service, _ = see(verified)
    assert len(service.unexplained) == service.moments
