"""Overrides and custom shifts that nobody has read: a question, and with its answer still nothing that verify calls agreed."""

import json

import pytest
from mapping_account import decide as answer
from mapping_account import layer, map_rows, override, people, policy, refer, schedule, user, wishes
from small_company import cut_down, edit

from pdmigrate import conflicts, decide, load, open_job, preview, verify
from pdmigrate.pages import make_page
from pdmigrate.runs.demo import DECISIONS
from pdmigrate.sandbox.company import build_company
from pdmigrate.steps.job import read_clock
from pdmigrate.workspace.settings import make_workspace

USERS = [user(name, teams=[], contact_methods=[], notification_rules=[]) for name in ("ann", "bob")]
UNRENDERED = {"name": "Overrides", "rendered_schedule_entries": [], "rendered_coverage_percentage": None}


@pytest.mark.parametrize("absent", [None, UNRENDERED], ids=["absent", "not rendered"])
def test_overrides_that_were_not_read_are_a_question_that_no_rule_answers(absent):
    """They page somebody today: without an answer the schedule waits, and what needs it."""
    row = schedule("ps1", layer(["ann"]), overrides_subschedule=absent)
    rows = {"users": USERS, "schedules": [row], "escalation_policies": [policy("pp", (5, [refer("schedule", "ps1")]))]}
    mapped = ask_all(rows)
    [asked] = mapped.questions.open.values()
    assert (asked.key, asked.changes_paging) == ("unread_overrides:ps1", True)
    assert {(held.kind, held.open_question) for held in mapped.held} == {
        ("schedules", True),
        ("escalation_policies", True),
    }
    without = ask_all(rows, answer("unread_overrides", "ps1", "without"))
    assert "ps1" in wishes(without, "schedules")
    left = ask_all(rows, answer("unread_overrides", "ps1", "leave_out"))
    assert {held.decided for held in left.held} == {"unread_overrides:ps1"}


@pytest.mark.parametrize("dated", ["overrides", "custom_shifts"])
def test_so_are_those_of_a_shift_based_schedule(dated):
    row = {"id": "ps1", "name": "S", "time_zone": "UTC", "rotations": [], "overrides": [], "custom_shifts": []}
    mapped = ask_all({"users": USERS, "schedules_v3": [{**row, dated: None}]})
    assert list(mapped.questions.open) == ["unread_overrides:ps1"]
    assert not ask_all({"users": USERS, "schedules_v3": [row]}).questions.open


def test_what_pagerduty_has_rendered_has_its_overrides_in_it():
    """Where its own rendering is ann's, nobody stands in; where it is not, that is the question."""
    row = schedule("ps1", layer(["ann"]))
    always = [{**override("ann", 0, 56), "id": "x"}]
    shown = {**row, "final_schedule": {"rendered_schedule_entries": always, "rendered_coverage_percentage": 100.0}}
    assert not ask_all({"users": USERS, "schedules": [shown]}).questions.open
    shown["final_schedule"]["rendered_schedule_entries"] = [{**override("bob", 0, 56), "id": "x"}]
    assert list(ask_all({"users": USERS, "schedules": [shown]}).questions.open) == ["rendering_differs:ps1"]


def ask_all(rows, *decisions):
    """The mapping with the answers of these decisions, and of no others."""
    return map_rows(
        rows, people("ann", "bob"), (*decisions, answer("policy_without_team", "all", "no_owner")), answered=()
    )


# --- the whole way: recorded answers that were saved without a window ---


@pytest.fixture
def job(tmp_path):
    """A corner of the company as recorded answers; one schedule of it was saved without since and until."""
    document = cut_down(build_company(read_clock()), ("PSERV01",))
    folder = tmp_path / "recorded"
    folder.mkdir()
    first = document["schedules"][0]
    for row in document["schedules"]:
        shown = {"rendered_schedule_entries": [], "rendered_coverage_percentage": 0}
        row["overrides_subschedule"] = UNRENDERED if row is first else shown
    for kind in ("users", "teams", "schedules", "escalation_policies", "services"):
        (folder / f"{kind}.json").write_text(json.dumps({kind: document[kind]}))
    make_workspace(tmp_path / "acme", {"source": "snapshot", "snapshot": str(folder), "open_conflicts": "recommended"})
    with open_job(tmp_path / "acme") as opened:
        decide(opened, "user_not_found", "all", "invite", by="ann")
        for about, id, choice, _ in DECISIONS:
            decide(opened, about, id, choice, by="ann")
        preview(opened)
        opened.bare = first["id"]
        yield opened


def settle(job):
    """Every question is answered as recommended. Returns the classes that were asked about."""
    asked = conflicts(job).draft.open.values()
    for conflict in asked:
        decide(job, conflict.about, conflict.id, conflict.recommended, by="ann")
    conflicts(job)
    return {conflict.key for conflict in asked}


def test_nothing_is_loaded_before_the_answer_and_nothing_agrees_after_it(job):
    assert conflicts(job).error.exit_code == 3
    assert f"unread_overrides:{job.bare}" in settle(job)
    load(job, "all")
    verified = verify(job)
    assert verified.error is None
    seen = {s.id: s for s in verified.schedules}
    assert (seen[job.bare].agree, seen[job.bare].differ) == (0, 0)
    assert all(s.unverified == 0 for id, s in seen.items() if id != job.bare)
    [service] = verified.service_parity
    assert service.unverified
    [policy_seen] = verified.policies
    assert any("were not read" in note for level in policy_seen.levels for note in level.notes)
    assert "our reading of the layers; its overrides were not read" in repr(make_page(verified))


def test_what_is_otherwise_than_the_layers_rings_all_the_same(job):
    settle(job)
    load(job, "all")
    with edit(job, "harness") as held:
        place = next(k for k, row in held["oncall"]["schedules"].items() if row["identifier"] == _place(job))
        rotation = held["oncall"]["schedules"][place]["rotations"][0]
        rotation["participants"] = rotation["participants"][:1]
    verified = verify(job)
    assert verified.error.exit_code == 5
    assert any(f"({job.bare})" in sentence for sentence in verified.unexplained)


def _place(job):
    with job.journal().opened() as journal:
        return journal.ledger()["schedules", job.bare].identifier
