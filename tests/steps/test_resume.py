"""A load that does not go through: what fails blocks only what needs it, and the same command goes on from there."""

import shutil
from datetime import timedelta

import pytest
import requests
from small_company import make_corner

from pdmigrate import conflicts, load, open_job, preview, verify
from pdmigrate.cli.status import describe_status
from pdmigrate.errors import (
    InterruptedLoadError,
    KeyRefusedError,
    PlanMovedError,
    RefusedError,
    SideError,
    TargetMovedError,
)
from pdmigrate.plan import guards
from pdmigrate.sandbox.store import Store
from pdmigrate.steps.cancel import Cancel

SERVICES = ("PSERV05", "PSERV06", "PSERV10", "PSERV11")
WHOLE = 58
"""Writes for these services and what they need, when nothing goes wrong."""
RAJ = "raj.malhotra@acme.example"


@pytest.fixture(scope="module")
def drawn_up(tmp_path_factory):
    """A part of the company with a plan that nobody has loaded yet; each test starts from a copy."""
    folder = make_corner(tmp_path_factory.mktemp("planned") / "acme", SERVICES)
    with open_job(folder) as job:
        preview(job)
        conflicts(job)
    return folder


@pytest.fixture
def planned(drawn_up, tmp_path):
    with open_job(shutil.copytree(drawn_up, tmp_path / "acme")) as job:
        yield job


def post(job, path, body):
    answer = requests.post(f"{job.target.transport.base_url}/sandbox/{path}", json=body, timeout=600)
    assert answer.status_code == 200, answer.text


def play(job, *rules):
    post(job, "faults", list(rules))


def read_harness(job):
    return Store(job.workspace.sandbox / "harness.json", dict).read()


def writes_of(job):
    return len(read_harness(job)["writes"])


def outcomes(loaded):
    return {(done.action.kind, done.action.key): done.outcome for done in loaded.done}


def check_whole(job):
    """All is there as planned, nothing twice, and nothing is left to do."""
    assert conflicts(job).plan.empty
    assert verify(job).error is None
    document = read_harness(job)
    emails = [row["email"] for row in [*document["invites"], *document["users"]]]
    assert len(emails) == len(set(emails))
    assert set(document["mails"].values()) <= {1}, "nobody is invited twice"


# --- one object's trouble ---


def test_a_failed_invitation_blocks_only_what_needs_that_person_and_is_made_by_the_next_run(planned):
    post(planned, "config", {"failing_emails": [RAJ]})
    loaded = load(planned, "all")
    became = outcomes(loaded)
    assert became[("users", "PUSER19")] == "failed"
    skipped = {key for key, outcome in became.items() if outcome == "skipped"}
    assert {("schedules", "PSCHED04"), ("schedules", "PSCHED05"), ("escalation_policies", "PPOL03")} <= skipped
    assert {("services", "PSERV05"), ("contact_methods", "PUSER19")} <= skipped
    assert became[("schedules", "PSCHED06")] == became[("services", "PSERV10")] == "created"
    assert set(became.values()) == {"created", "kept", "failed", "skipped"}
    assert loaded.error.exit_code == 5
    needed = [done for done in loaded.done if done.outcome == "skipped"]
    assert all(done.note.startswith("it needs ") for done in needed)
    assert "failed in part" in describe_status(planned.workspace)
    before = writes_of(planned)
    post(planned, "config", {"failing_emails": []})
    again = load(planned, "all")
    assert again.error is None
    assert writes_of(planned) - before < 30, "only what was missing"
    assert "is loaded" in describe_status(planned.workspace)
    check_whole(planned)


def test_an_answer_that_leaves_somebody_out_is_looked_up(planned):
    post(planned, "config", {"unanswered_emails": [RAJ]})
    loaded = load(planned, "all")
    invited = RAJ in planned.target.read_people()
    assert (outcomes(loaded)[("users", "PUSER19")] == "created") == invited


# --- everybody's trouble ---


def count_faults(job):
    """How often each kind struck, by Harness's own count."""
    return requests.get(f"{job.target.transport.base_url}/sandbox/log", timeout=600).json()["faults"]


def test_a_post_whose_answer_is_lost_is_settled_by_a_look(planned):
    lost = {"kind": "lost_answer", "method": "POST", "count": 1}
    play(planned, {**lost, "path": "/ng/api/user/users"}, {**lost, "path": "/ng/api/servicesV2", "after": 3})
    assert load(planned, "all").error is None
    assert count_faults(planned) == {"lost_answer": 2}
    check_whole(planned)


def test_a_post_that_may_not_have_arrived_is_never_sent_blindly(planned):
    play(planned, {"kind": "reset", "method": "POST", "path": "/ng/api/user-groups", "count": 1, "after": 1})
    with pytest.raises(SideError):
        load(planned, "all")
    assert "interrupted" in describe_status(planned.workspace)
    play(planned)
    assert load(planned, "all").error is None
    check_whole(planned)


def test_what_may_be_sent_twice_goes_through(planned):
    planned.target.transport._sleep = lambda seconds: None
    kinds = ("502_html", "lost_answer")
    play(planned, *({"kind": kind, "method": "PUT", "share": 0.2, "seed": seed} for seed, kind in enumerate(kinds, 3)))
    assert load(planned, "all").error is None
    assert set(count_faults(planned)) == set(kinds)
    play(planned)
    assert conflicts(planned).plan.empty


def test_a_key_that_is_revoked_half_way_stops_the_load_and_a_good_one_goes_on(planned):
    play(planned, {"kind": "key_revoked", "after": 40, "count": 1})
    with pytest.raises(KeyRefusedError):
        load(planned, "all")
    assert 0 < writes_of(planned) < WHOLE
    play(planned)
    assert load(planned, "all").error is None
    assert writes_of(planned) == WHOLE
    check_whole(planned)


# --- cancelled ---


def cancel_after(steps, how):
    def progress(done, finished, total):
        if finished == steps:
            how()

    return progress


def interrupt():
    raise KeyboardInterrupt


@pytest.mark.parametrize("killed", [False, True], ids=["asked", "killed"])
def test_a_cancelled_load_stops_between_two_steps_and_goes_on(planned, killed):
    cancel = Cancel()
    with pytest.raises(InterruptedLoadError) as caught:
        load(planned, "all", cancel_after(30, interrupt if killed else cancel.ask), cancel)
    assert caught.value.exit_code == 7
    assert 0 < writes_of(planned) < 40
    for _ in range(2):
        assert load(planned, "all").error is None
        assert writes_of(planned) == WHOLE, "what our own load wrote is neither moved nor written again"
    check_whole(planned)


# --- refused before the first write ---


def test_a_target_that_moved_is_refused(planned):
    with Store(planned.workspace.sandbox / "harness.json", dict).change() as document:
        shelf = document["oncall"]["schedules"]
        shelf["default/sre/payments_nights_PSCHED05"] = {
            **shelf["default/sre/payments_primary"],
            "identifier": "payments_nights_PSCHED05",
        }
    with pytest.raises(TargetMovedError, match=r"schedules Payments nights.*Run conflicts again"):
        load(planned, "all")
    assert writes_of(planned) == 0


def test_a_source_that_was_read_again_is_refused(planned):
    with Store(planned.workspace.sandbox / "pagerduty.json", dict).change() as account:
        account["teams"][0]["description"] = "New words"
    preview(planned)
    with pytest.raises(PlanMovedError, match="run conflicts again"):
        load(planned, "all")
    assert writes_of(planned) == 0


def test_a_snapshot_of_yesterday_is_refused(planned):
    now = planned.clock()
    planned.clock = lambda: now + timedelta(hours=25)
    with pytest.raises(RefusedError, match="25 hours old"):
        load(planned, "all")
    assert writes_of(planned) == 0


def test_the_guards_say_one_sentence_each():
    assert guards.check_account("acme", []) is None
    assert "globex" in guards.check_account("acme", ["globex"])
    assert guards.check_target("a/b/c", "a/b/c") is None
    assert "a/b/d" in guards.check_target("a/b/c", "a/b/d")
