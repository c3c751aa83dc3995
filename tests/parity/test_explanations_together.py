"""Several answers about one object explain what they make together, and an answer nothing beside what it was about."""

import shutil
from datetime import timedelta

import pytest
from proof_plants import shift
from small_company import cut_down, edit
from test_steps import change_harness

from pdmigrate import conflicts, decide, load, open_job, preview, verify
from pdmigrate.plan.answers import Waiver
from pdmigrate.runs.demo import make_demo_workspace
from pdmigrate.sandbox.company import build_company
from pdmigrate.steps.job import read_clock
from pdmigrate.workspace.decisions import save_answers
from pdmigrate.workspace.folder import write_json


@pytest.fixture(scope="module")
def loaded_folder(tmp_path_factory):
    """A corner of the company, carried over; every test starts from a copy."""
    folder = tmp_path_factory.mktemp("together") / "acme"
    make_demo_workspace(folder)
    corner = cut_down(build_company(read_clock()), ("PSERV01", "PSERV02"))
    write_json(folder / "sandbox" / "pagerduty.json", corner)
    with open_job(folder) as job:
        preview(job)
        conflicts(job)
        load(job, "all")
    return folder


@pytest.fixture
def loaded(loaded_folder, tmp_path):
    with open_job(shutil.copytree(loaded_folder, tmp_path / "acme")) as job:
        yield job


def find(rows, name):
    return next(row for row in rows.values() if row["name"] == name)


def see_unexplained(job):
    return verify(job).unexplained


def keep_all(job):
    """Every change by hand that is asked about is kept."""
    for question in conflicts(job).draft.open.values():
        decide(job, "changed_in_harness", question.id, "keep_harness", by="ann", why="agreed on Monday")


def test_two_things_that_were_kept_in_one_schedule_explain_what_they_make_together(loaded):
    """The stand-in stays longer, over the turn of somebody who has that turn only because the rotation was kept, too."""
    with change_harness(loaded) as held:
        schedule = find(held["oncall"]["schedules"], "Platform primary")
        schedule["rotations"][0]["participants"].reverse()
        override = schedule["overrides"][0]
        override["end"] = shift(5 * 86_400)(override["end"])
    keep_all(loaded)
    assert see_unexplained(loaded) == ()


def test_a_kept_rotation_says_nothing_about_another_one_that_waits_to_be_loaded(loaded):
    with change_harness(loaded) as held:
        find(held["oncall"]["schedules"], "Platform follow-the-sun")["rotations"][0]["participants"].reverse()
    keep_all(loaded)
    assert see_unexplained(loaded) == ()
    with edit(loaded, "pagerduty") as source:
        schedule = next(s for s in source["schedules"] if s["name"] == "Platform follow-the-sun")
        schedule["schedule_layers"][2]["users"].reverse()
    preview(loaded)
    assert any("schedule Platform follow-the-sun" in sentence for sentence in see_unexplained(loaded))
    conflicts(loaded)
    load(loaded, "all")
    assert see_unexplained(loaded) == ()


def test_an_alert_rule_that_was_kept_explains_no_second_one(loaded):
    with change_harness(loaded) as held:
        rules = held["oncall"]["alert_rules"]
        policies = [p["identifier"] for p in held["oncall"]["escalation_policies"].values()]
        key, rule = next((key, r) for key, r in rules.items() if r["paging"] and r["escalation_policy"])
        rule["escalation_policy"] = next(id for id in policies if id != rule["escalation_policy"])
    keep_all(loaded)
    assert see_unexplained(loaded) == ()
    with change_harness(loaded) as held:
        other = next(id for id in policies if id != rule["escalation_policy"])
        more = {"identifier": f"{rule['identifier']}_more", "escalation_policy": other}
        held["oncall"]["alert_rules"][f"{key}_more"] = {**rule, **more}
    assert see_unexplained(loaded)
    keep_all(loaded)
    assert see_unexplained(loaded) == ()


def test_an_override_that_is_left_out_gives_a_turn_back_that_stays_empty(loaded):
    """Nobody stands in, and whoever has the turn by the layers is nobody, by another decision."""
    with edit(loaded, "pagerduty") as source:
        like, now = source["users"][0], loaded.latest_account().since
        for id, email in (("PX1", "gone@left.example"), ("PX2", "noreply@acme.example")):
            rest = {"contact_methods": [], "notification_rules": [], "teams": []}
            source["users"].append({**like, "id": id, "name": id, "email": email, **rest})
        schedule = next(s for s in source["schedules"] if s["name"] == "Platform secondary")
        layer = schedule["schedule_layers"][0]
        layer["users"].append({"user": {**layer["users"][0]["user"], "id": "PX2"}})
        days = [(now + timedelta(days=days)).strftime("%Y-%m-%dT00:00:00Z") for days in (2, 50)]
        stand_in = {"id": "PX1", "type": "user_reference", "summary": "PX1"}
        source["overrides"].setdefault(schedule["id"], []).append(
            {"id": "PO1", "start": days[0], "end": days[1], "user": stand_in}
        )
    decide(loaded, "nobody_user", "PX2", "empty_place", by="ann", why="a placeholder")
    decide(loaded, "user_not_found", "PX1", "leave_out", by="ann", why="left us")
    preview(loaded)
    digest = conflicts(loaded).draft.plan.digest
    waiver = Waiver(guard="less_coverage", plan=digest, by="ann", why="agreed on Monday", until="2099-01-01")
    save_answers(loaded.workspace.decisions_file, waiver)
    conflicts(loaded)
    load(loaded, "all")
    verified = verify(loaded)
    [seen] = [s for s in verified.schedules if s.name == "Platform secondary"]
    assert "(user_not_found:PX1)" in seen.reason
    assert "(nobody_user:PX2)" in seen.reason
    assert verified.unexplained == ()


def test_a_rotation_that_is_added_by_hand_is_asked_about_whatever_was_decided_about_duplicates(loaded):
    """Merging what has one name with what was there says nothing about a schedule that was merged with nothing."""
    decide(loaded, "duplicate_schedule", "all", "merge", by="ann", why="ours goes beside theirs")
    with change_harness(loaded) as held:
        rotations = find(held["oncall"]["schedules"], "Platform secondary")["rotations"]
        rotations.append({**rotations[0], "name": "By hand", "participants": ["tom.becker@acme.example"]})
    assert [question.about for question in conflicts(loaded).draft.open.values()] == ["changed_in_harness"]
    assert see_unexplained(loaded)


def test_a_rotation_that_is_added_to_a_merged_schedule_is_none_of_those_that_were_there(tmp_path):
    make_demo_workspace(tmp_path / "acme")
    corner = cut_down(build_company(read_clock()), ("PSERV01",))
    write_json(tmp_path / "acme" / "sandbox" / "pagerduty.json", corner)
    with open_job(tmp_path / "acme") as job:
        preview(job)
        rotation = {"name": "Old", "participants": ["tom.becker@acme.example"], "anchor": "2026-01-05T00:00:00"}
        rotation |= {"turn_seconds": 604_800, "windows": [], "since": None, "until": None}
        theirs = {
            "identifier": "theirs",
            "name": "Platform secondary",
            "description": "",
            "time_zone": "America/New_York",
        }
        with change_harness(job) as held:
            held["oncall"]["schedules"]["default/sre/theirs"] = {**theirs, "rotations": [rotation], "overrides": []}
        decide(job, "duplicate_schedule", "PSCHED03", "merge", by="ann", why="ours goes beside theirs")
        conflicts(job)
        load(job, "all")
        assert see_unexplained(job) == ()
        assert conflicts(job).draft.plan.pending == ()
        with change_harness(job) as held:
            find(held["oncall"]["schedules"], "Platform secondary")["rotations"].append(
                {**rotation, "name": "By hand", "participants": ["grace.kim@acme.example"]}
            )
        assert see_unexplained(job)
        [question] = conflicts(job).draft.open.values()
        assert question.key == "changed_in_harness:PSCHED03"
        keep_all(job)
        assert see_unexplained(job) == ()
