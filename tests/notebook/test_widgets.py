"""The widgets without a browser: what is shown, what a click writes, and that nothing happens by looking."""

import shutil

import ipywidgets
import pytest
from field_cases import open_case
from hands import find, list_widgets, press, press_option, read, sit_down, tick
from holders import decide_many
from kill_loads import PROCESSES
from small_company import cut_down

from pdmigrate import conflicts, invite, load, open_job, preview, verify
from pdmigrate.notebook import (
    answer_conflicts,
    approve_plan,
    browse_history,
    choose_people,
    choose_rules,
    choose_services,
    sign_off_teams,
    tick_handover,
    undo_load,
)
from pdmigrate.pages.conflicts import PARTS
from pdmigrate.runs.demo import make_demo_workspace
from pdmigrate.sandbox.company import build_company
from pdmigrate.steps.conflicts import reconsider
from pdmigrate.steps.job import read_clock
from pdmigrate.workspace.decisions import read_decisions
from pdmigrate.workspace.folder import Workspace, write_json

SERVICES = ("PSERV01", "PSERV05", "PSERV09", "PSERV10", "PSERV14", "PSERV25")


@pytest.fixture(autouse=True)
def somebody_sits_there(monkeypatch):
    sit_down(monkeypatch)


@pytest.fixture(scope="module")
def corner(tmp_path_factory):
    """The folder of a part of the company in which all is that is looked at here, decided and previewed; to be copied."""
    folder = tmp_path_factory.mktemp("widgets") / "acme"
    make_demo_workspace(folder)
    write_json(folder / "sandbox" / "pagerduty.json", cut_down(build_company(read_clock()), SERVICES))
    with open_job(folder) as job:
        preview(job)
    return folder


@pytest.fixture
def job(corner, tmp_path):
    """An open job on it."""
    with open_job(shutil.copytree(corner, tmp_path / "acme")) as job:
        yield job


@pytest.fixture(scope="module")
def loaded(corner, tmp_path_factory):
    """It, loaded once; tests that write to Harness come last."""
    with open_job(shutil.copytree(corner, tmp_path_factory.mktemp("loaded") / "acme")) as job:
        conflicts(job)
        load(job, "all")
        yield job


def test_nothing_happens_by_looking(loaded):
    before = loaded.workspace.decisions_file.read_bytes()
    decided, verified = conflicts(loaded), verify(loaded)
    choose_services(loaded, preview(loaded))
    choose_people(loaded, invite(loaded))
    choose_rules(loaded)
    answer_conflicts(loaded, decided)
    approve_plan(loaded, decided)
    tick_handover(loaded, verified)
    sign_off_teams(loaded, verified)
    browse_history(loaded)
    undo_load(loaded)
    assert loaded.workspace.decisions_file.read_bytes() == before
    assert loaded.workspace.find_state("ticks") is None


# --- guards ---


@pytest.fixture
def refused(job):
    """A plan that a guard refuses: the next run is planned for a day beyond what is known of overrides."""
    job.workspace.settings_file.write_text(
        job.workspace.settings_file.read_text().replace("next_run_days: 7 ", "next_run_days: 99 ")
    )
    return conflicts(job)


def test_the_plan_is_filtered_by_team_and_page_and_widget_name_teams_as_harness_does(job, refused):
    shown = approve_plan(job, refused)
    [team] = find(shown, "Team")
    team.value = "Search Catalog"
    [table] = [w.value for w in list_widgets(shown) if isinstance(w, ipywidgets.HTML) and "Before → after" in w.value]
    assert "Search primary" in table
    assert "Platform primary" not in table
    groups = {a.identifier: a.name for a in refused.plan.actions if a.kind == "teams"}
    teams = {row[3] for row in PARTS["actions"](refused).table.rows}
    assert teams == {*groups.values(), ""}
    assert {row[0] for row in PARTS["groups"](refused).table.rows} == {*groups.values(), "no team"}
    counts = [sum(row[1:]) for row in PARTS["groups"](refused).table.rows]
    assert sum(counts) == len(PARTS["actions"](refused).table.rows)


def test_a_guard_is_waived_with_a_reason_until_a_day_and_for_this_plan_only(job, refused):
    shown = approve_plan(job, refused)
    tick(shown, "runs out")
    press(shown, "Waive for this plan")
    assert "A waiver needs who, why and until when: why" in read(shown)
    find(shown, "Reason")[0].value = "the next run is on Monday"
    press(shown, "Waive for this plan")
    [waiver] = job.decisions().waivers
    assert (waiver.guard, waiver.plan, waiver.by) == ("runs_out", refused.plan.digest, "carla")
    assert "waived by carla until" in read(shown)
    assert not reconsider(job, refused).refusals
    assert "waived by carla until" in read(approve_plan(job, conflicts(job))), "a reopened notebook shows it"


def test_a_plan_is_approved_once_its_guard_is_waived_and_not_before(job, refused):
    shown = approve_plan(job, refused)
    find(shown, "Digest")[0].value = refused.plan.digest[:8]
    press(shown, "Approve this plan")
    assert "cannot be approved yet" in read(shown)
    tick(shown, "runs out")
    find(shown, "Reason")[0].value = "the next run is on Monday"
    press(shown, "Waive for this plan")
    press(shown, "Approve this plan")
    assert job.decisions().approves(refused.plan.digest)
    tick(shown, "runs out")
    press(shown, "Take the waiver back")
    assert not job.decisions().waivers
    assert reconsider(job, refused).refusals


def test_a_waiver_that_is_over_already_is_not_written(job, refused):
    shown = approve_plan(job, refused)
    tick(shown, "runs out")
    find(shown, "Reason")[0].value = "yesterday"
    find(shown, "Until")[0].value = job.clock().date().replace(year=2020)
    press(shown, "Waive for this plan")
    assert "is over already" in read(shown)
    assert not job.decisions().waivers


# --- scope ---


def test_a_team_is_chosen_and_what_comes_along_is_told_with_the_reason(job):
    found = preview(job)
    shown = choose_services(job, found)
    press(shown, "Untick all found")
    find(shown, "Kind")[0].value = "teams"
    tick(shown, "Payments ·")
    assert "1 team brings along" in read(shown)
    assert "belongs to the team Payments" in read(shown)
    assert "Also used by, outside the scope" in read(shown)
    press(shown, "Move what is ticked")
    chosen = {choice.setting: choice.value for choice in job.decisions().choices}
    team = next(team.id for team in found.draft.account.teams.values() if team.name == "Payments")
    assert chosen == {"scope.services": [], "scope.teams": [team]}
    again = preview(job)
    assert 0 < len(again.draft.reasons["services"]) < len(again.draft.account.services)
    assert "Chosen: 1 teams, by carla" in read(choose_services(job, again))
    press(shown, "Take the choice back")
    assert not job.decisions().choices
    assert job.settings.scope.whole


def test_a_service_of_two_teams_is_found_under_either(job):
    found = preview(job)
    two = [s for s in found.draft.account.services.values() if len(s.teams) > 1]
    shown = choose_services(job, found)
    for service in two:
        for team in service.teams:
            find(shown, "Team")[0].value = found.draft.account.teams[team.id].name
            assert service.name in read(shown)
    assert two


# --- two at once ---


def test_two_notebooks_open_at_once_do_not_overwrite_each_other(decided_workspace):
    known = len(read_decisions(Workspace(decided_workspace).decisions_file).decisions)
    mine, others = [f"PA{n}" for n in range(40)], [f"PB{n}" for n in range(40)]
    both = [PROCESSES.Process(target=decide_many, args=(decided_workspace, names)) for names in (mine, others)]
    for kernel in both:
        kernel.start()
    for kernel in both:
        kernel.join()
    found = [d.object for d in read_decisions(Workspace(decided_workspace).decisions_file).decisions]
    assert set(found) >= {*mine, *others}
    assert len(found) == known + 80


def test_undo_in_one_notebook_leaves_what_the_other_decided(job):
    decided = conflicts(job)
    with open_job(job.workspace.folder) as other_job:
        mine, other = answer_conflicts(job, decided), answer_conflicts(other_job, decided)
        for shown, words in ((mine, "Hana Sato"), (other, "Store Operations")):
            find(shown, "Search")[0].value = words
            next(w for w in list_widgets(shown) if words in getattr(w, "description", "")).value = True
            press_option(shown, "leave out")
        press(mine, "Undo my last click")
    objects = {decision.object for decision in job.decisions().decisions}
    assert "PUSER40" in objects


# --- history and undo; these write to Harness ---


def test_history_shows_each_run_and_compares_only_when_asked(loaded):
    shown = browse_history(loaded)
    assert "run 1" in read(shown)
    assert "Changed since the last run" not in read(shown)
    press(shown, "What has changed since")
    assert "Changed since the last run" in read(shown)
    assert (loaded.folder / "history.html").is_file()


def test_nothing_is_taken_back_before_it_was_listed_and_confirmed(loaded):
    made = set(loaded.target.read_state().schedules)
    shown = undo_load(loaded)
    [back] = find(shown, "Take it back")
    [sure] = find(shown, "I have read the list: take this back in Harness")
    assert back.disabled
    assert sure.disabled
    press(shown, "List what can be taken back")
    assert back.disabled
    back.click()  # the browser may still show what was listed and confirmed for another run
    assert set(loaded.target.read_state().schedules) == made
    sure.value = True
    press(shown, "Take it back")
    assert "Run 1 is taken back." in read(shown)
    assert back.disabled
    assert made & set(loaded.target.read_state().schedules) == {"payments_primary"}, "it was there before the run"
    assert (loaded.folder / "undo.html").is_file()
    assert "undo of run 1" in read(browse_history(loaded))


def test_roles_are_shown_where_people_are_chosen_and_an_answer_that_cannot_work_is_refused_at_the_click(tmp_path):
    with open_case(tmp_path, "stakeholders-invited") as job:
        preview(job)
        shown = choose_people(job, invite(job))
        assert "Eve Board · eve@example.com · PagerDuty role read_only_user" in read(shown)
        assert "Finn Watch · finn@example.com · PagerDuty role observer" in read(shown)
        [role] = find(shown, "Role")
        assert {value for _, value in role.options} >= {"read_only_user", "observer", "user"}
        tick(shown, "Ann Lee")
        find(shown, "Email")[0].value = "bob@example.com"
        press_option(shown, "map")
        assert "bob@example.com is nobody in the Harness project" in read(shown)
        assert job.decisions().decisions == ()
        listed = answer_conflicts(job, conflicts(job))
        find(listed, "Search")[0].value = "Eve Board"
        [eve] = [w.description for w in list_widgets(listed) if "Eve Board · " in getattr(w, "description", "")]
        assert "PagerDuty role read_only_user" in eve
