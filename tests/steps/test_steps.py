"""The six steps on the embedded pair, over HTTP: a company carried over, its changes after it, and nobody's own change lost."""

import shutil

import pytest
from small_company import make_corner, read_latest

from pdmigrate import conflicts, connect, decide, invite, load, open_job, preview, verify
from pdmigrate.errors import PlanMovedError
from pdmigrate.plan.kinds import KINDS
from pdmigrate.runs.demo import change_source, make_demo_workspace
from pdmigrate.sandbox.harness import accept_invites
from pdmigrate.sandbox.store import Store


def migrate(job, approve="all"):
    """Everything between two looks at the source: preview, invite, conflicts, load, verify."""
    preview(job)
    invite(job)
    conflicts(job)
    loaded = load(job, approve)
    return loaded, verify(job)


def writes_of(job):
    """What the embedded Harness itself has counted."""
    return len(read_harness(job)["writes"])


def read_harness(job):
    return Store(job.workspace.sandbox / "harness.json", dict).read()


def change_harness(job):
    return Store(job.workspace.sandbox / "harness.json", dict).change()


@pytest.fixture(scope="module")
def first(tmp_path_factory):
    """The company carried over once; the tests that change nothing share it, the others start from a copy."""
    folder = tmp_path_factory.mktemp("first") / "acme"
    make_demo_workspace(folder)
    with open_job(folder) as job:
        access = connect(job)
        yield job, access, *migrate(job)


# --- the first time ---


def test_both_sides_answer(first):
    _, access, *_ = first
    assert (access.subdomain, access.target, access.oncall) == ("acme", "embedded/default/sre", True)
    assert set(access.capabilities) == set(KINDS)


def test_every_object_has_one_place_and_the_counts_are_the_sources(first):
    job, _, _, verified = first
    counts = verified.draft.count_kinds(landed=True)
    rows = read_latest(job).rows
    for kind in ("users", "teams", "schedules", "escalation_policies", "services"):
        assert counts[kind]["in_source"] == len(rows[kind])
    assert counts["contact_methods"]["in_source"] == sum(len(user["contact_methods"]) for user in rows["users"])
    assert counts["notification_rules"]["in_source"] == sum(len(user["notification_rules"]) for user in rows["users"])
    for figures in (*counts.values(), *verified.draft.count_fields().values()):
        assert figures["in_source"] == sum(figures[grade] for grade in ("exact", "changed", "handed_over", "lost"))


def test_everything_that_was_planned_was_written(first):
    job, _, loaded, verified = first
    assert {done.outcome for done in loaded.done} == {"created", "kept"}
    assert loaded.error is None
    assert verified.error is None
    assert verified.drift == ()
    assert loaded.writes == writes_of(job)


def test_the_same_people_are_on_call_before_and_after(first):
    *_, verified = first
    for schedule in verified.schedules:
        assert schedule.differ == 0 or schedule.reason, schedule.name
        assert schedule.unverified == 0
        assert schedule.judged
    assert verified.count_seconds()["agree_seconds"] == 20 * 56 * 86_400


def test_the_same_people_are_paged_for_each_service(first):
    *_, verified = first
    assert len(verified.service_parity) == 25
    different = {s.name for s in verified.service_parity if s.equal < s.moments}
    assert different == {s.name for s in verified.service_parity if s.equal < s.moments and s.reason}
    assert {"Cart API", "Card payments", "Edge & CDN"}.isdisjoint(different)


def test_pagerdutys_word_on_every_level_agrees_or_is_said_to_be_missing(first):
    """PagerDuty does not say whose turn it will be at the level of Support that takes turns."""
    job, *_, verified = first
    parity = verified.summarise()["parity"]
    assert parity["policies"] == {"agree": 14, "differ": 0, "unverified": 1}
    assert parity["levels"] == {
        "agree_seconds": 32 * 56 * 86_400,
        "differ_seconds": 0,
        "unverified_seconds": 56 * 86_400,
    }
    [(policy, level)] = [(p, one) for p in verified.policies for one in p.levels if one.grade == "unverified"]
    assert (policy.name, level.number) == ("Support", 1)
    assert "take turns" in level.notes[0]
    assert job.counts()["source"]["oncall_requests"] == verified.oncall_requests > 0


def test_who_is_on_call_and_has_not_accepted_is_said_the_most_urgent_first(first):
    *_, verified = first
    assert {row.why.partition("; and then is told")[0] for row in verified.unreachable} == {"invited, not accepted yet"}
    turns = [row.next_turn for row in verified.unreachable if row.next_turn]
    assert turns == sorted(turns)


# --- the second time, on a workspace of its own ---


@pytest.fixture(scope="module")
def corner(tmp_path_factory):
    """Payments and Checkout, carried over."""
    folder = make_corner(tmp_path_factory.mktemp("corner") / "acme", ("PSERV05", "PSERV10"))
    with open_job(folder) as job:
        loaded, _ = migrate(job)
        assert loaded.error is None
    return folder


@pytest.fixture
def moved(corner, tmp_path):
    """A part of the company that was carried over, and the number of writes that this took."""
    with open_job(shutil.copytree(corner, tmp_path / "acme")) as job:
        yield job, writes_of(job)


def plan_again(job):
    preview(job)
    return conflicts(job).plan


def pending(plan):
    return {(action.verb, action.kind, action.name) for action in plan.pending}


def test_a_second_run_writes_nothing(first):
    """Of the whole company."""
    job, _, first_load, _ = first
    preview(job)
    invite(job)
    conflicts(job)
    loaded = load(job)
    assert loaded.plan.empty
    assert loaded.error is None
    assert writes_of(job) == first_load.writes


def test_after_a_week_only_what_changed_is_written(moved):
    job, before = moved
    change_source(job.workspace)
    loaded, verified = migrate(job)
    assert pending(loaded.plan) == {
        ("update", "schedules", "Payments nights"),
        ("update", "schedules", "Checkout primary"),
        ("update", "escalation_policies", "Payments"),
        ("create", "services", "Loyalty points"),
    }
    assert writes_of(job) == before + 6, "a service, its on-call settings and its alert rule are three requests"
    assert verified.error is None
    assert plan_again(job).empty


def test_whoever_accepts_joins_the_groups_and_nothing_else_is_written(moved):
    job, _ = moved
    with change_harness(job) as document:
        accept_invites(document)
    loaded, verified = migrate(job)
    assert {(action.verb, action.kind) for action in loaded.plan.pending} <= {("update", "teams")}
    assert verified.unreachable == ()
    assert plan_again(job).empty
    groups = {group["name"]: group for group in read_harness(job)["user_groups"]}
    assert len(groups["Checkout Cart"]["users"]) == 7


# --- changes that people made in Harness ---


def rename_schedule(job, name="Ours now"):
    with change_harness(job) as document:
        [key] = [key for key in document["oncall"]["schedules"] if "payments_nights" in key]
        document["oncall"]["schedules"][key]["name"] = name


def overwrite(job):
    text = job.workspace.settings_file.read_text(encoding="utf-8")
    job.workspace.settings_file.write_text(text.replace("strategy: preserve", "strategy: overwrite"), encoding="utf-8")
    return open_job(job.workspace.folder)


def test_what_changed_only_in_harness_is_kept_under_either_strategy(moved):
    job, _ = moved
    rename_schedule(job)
    assert plan_again(job).empty
    with overwrite(job) as other:
        assert plan_again(other).empty


def change_both(job):
    rename_schedule(job)
    with Store(job.workspace.sandbox / "pagerduty.json", dict).change() as account:
        next(s for s in account["schedules"] if s["id"] == "PSCHED05")["description"] = "Renamed in PagerDuty"
    with change_harness(job) as document:
        [key] = [key for key in document["oncall"]["schedules"] if "payments_nights" in key]
        document["oncall"]["schedules"][key]["description"] = "Changed in Harness"


def test_what_changed_in_both_is_kept_under_preserve(moved):
    job, _ = moved
    change_both(job)
    plan = plan_again(job)
    assert plan.empty
    [kept] = [action for action in plan.actions if action.name == "Payments nights"]
    assert "description" in kept.reason


def test_what_changed_in_both_is_the_sources_under_overwrite(moved):
    job, _ = moved
    change_both(job)
    with overwrite(job) as other:
        [action] = plan_again(other).pending
        assert action.changes() == [("description", "Changed in Harness", "Renamed in PagerDuty")]


def test_a_kept_change_is_kept_for_ever(moved):
    """A load books nothing for what it keeps: the next run says the same."""
    job, before = moved
    change_both(job)
    for _ in range(2):
        plan_again(job)
        assert load(job, "all").error is None
    assert writes_of(job) == before
    [schedule] = [s for s in job.target.read_state().schedules.values() if "payments_nights" in s.identifier]
    assert (schedule.name, schedule.description) == ("Ours now", "Changed in Harness")


def test_a_member_that_somebody_added_stays(moved):
    job, _ = moved
    with change_harness(job) as document:
        [group] = [g for g in document["user_groups"] if g["identifier"] == "checkout_cart_PTEAM04"]
        group["users"].append(document["users"][-1]["uuid"])
    assert plan_again(job).empty


def test_a_cancelled_override_is_taken_back(moved):
    job, before = moved
    with Store(job.workspace.sandbox / "pagerduty.json", dict).change() as account:
        account["overrides"]["PSCHED19"] = []
    loaded, verified = migrate(job)
    [action] = loaded.plan.pending
    assert (action.kind, action.after) == ("overrides", None)
    assert writes_of(job) == before + 1
    assert verified.error is None
    assert plan_again(job).empty


def test_an_object_that_somebody_removed_is_made_again_by_decision(moved):
    job, _ = moved
    with change_harness(job) as document:
        [key] = [key for key in document["oncall"]["escalation_policies"] if "checkout" in key]
        del document["oncall"]["escalation_policies"][key]
    assert plan_again(job).empty, "nobody has decided yet"
    decide(job, "removed_in_target", "all", "create_again", by="ann")
    [action] = plan_again(job).pending
    assert (action.verb, action.kind) == ("create", "escalation_policies")
    assert "made again by decision" in action.reason


# --- approval ---


def test_what_nobody_has_approved_is_not_loaded(small):
    conflicts(small)
    loaded = load(small)
    assert loaded.error.exit_code == 3
    assert writes_of(small) == 0
    assert {done.outcome for done in loaded.done} == {"waiting", "kept"}


def test_the_digest_of_another_plan_is_refused(small):
    conflicts(small)
    with pytest.raises(PlanMovedError, match="look at it again"):
        load(small, approve="0" * 64)
    assert writes_of(small) == 0
