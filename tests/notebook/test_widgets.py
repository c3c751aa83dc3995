"""The widgets without a browser: what is shown, what a click writes, and that nothing happens by looking."""

import multiprocessing

import ipywidgets
import pytest
from field_cases import open_case

from pdmigrate import conflicts, decide, finish, invite, load, open_job, preview, verify
from pdmigrate.errors import OpenConflictsError
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
from pdmigrate.steps.conflicts import reconsider
from pdmigrate.workspace.decisions import read_decisions
from pdmigrate.workspace.folder import Workspace


@pytest.fixture(autouse=True)
def somebody_sits_there(monkeypatch):
    """As in JupyterLab: the kernel's request allows input."""
    from pdmigrate.runs import person

    kernel = type("Kernel", (), {"get_parent": lambda self, channel: {"content": {"allow_stdin": True}}})()
    monkeypatch.setattr(person, "find_shell", lambda: type("Shell", (), {"kernel": kernel})())
    monkeypatch.setenv("PDMIGRATE_USER", "carla")


@pytest.fixture(scope="module")
def loaded(tmp_path_factory):
    """The embedded company, loaded once; tests that write to Harness come last."""
    from pdmigrate.runs.demo import make_demo_workspace

    folder = tmp_path_factory.mktemp("widgets") / "acme"
    make_demo_workspace(folder)
    with open_job(folder) as job:
        preview(job)
        conflicts(job)
        load(job, "all")
        yield job


def find(widget, label):
    """The widgets of this label, as a person finds them."""
    below = [found for child in getattr(widget, "children", ()) for found in find(child, label)]
    return below + ([widget] if getattr(widget, "description", "") == label else [])


def press(widget, label):
    [button] = find(widget, label)
    assert not button.disabled
    button.click()


def press_option(widget, words):
    """The answer of this name, for one question or for all that are ticked."""
    [button] = [w for w in _list(widget) if getattr(w, "description", "").split(", all ")[0] == words]
    button.click()


def open_class(widget, words):
    """The first line of this class in the list."""
    next(w for w in _list(widget) if getattr(w, "description", "").startswith(f"{words} · ")).click()


def read(widget):
    """Everything that is on the screen."""
    options = [one if isinstance(one, str) else one[0] for one in getattr(widget, "options", ())]
    words = [getattr(widget, "description", ""), str(getattr(widget, "value", "")), *options]
    return " ".join([*words, *(read(child) for child in getattr(widget, "children", ()))])


def tick(widget, words):
    [box] = [w for w in _list(widget) if isinstance(w, ipywidgets.Checkbox) and words in w.description]
    box.value = True


def _list(widget):
    return [widget, *(found for child in getattr(widget, "children", ()) for found in _list(child))]


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
    preview(job)
    return conflicts(job)


def test_the_plan_is_filtered_by_team_and_page_and_widget_name_teams_as_harness_does(job, refused):
    shown = approve_plan(job, refused)
    [team] = find(shown, "Team")
    team.value = "Search Catalog"
    [table] = [w.value for w in _list(shown) if isinstance(w, ipywidgets.HTML) and "Before → after" in w.value]
    assert "Search primary" in table
    assert "Platform primary" not in table
    groups = {a.identifier: a.name for a in refused.plan.actions if a.kind == "teams"}
    teams = {row[1] for row in PARTS["actions"](refused).table.rows}
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


# --- questions ---


@pytest.fixture
def undecided(workspace):
    """As a newcomer finds it."""
    with open_job(workspace) as job:
        preview(job)
        yield job


def test_the_desk_counts_by_what_the_questions_do_to_paging_and_takes_what_is_safe_in_one_click(undecided):
    job = undecided
    found = conflicts(job)
    shown = answer_conflicts(job, found)
    safe = {c.key for c in found.draft.open.values() if not c.changes_paging}
    others = len(found.draft.open) - len(safe)
    assert f"{len(found.draft.open)} left</b>: {others} change who is paged, {len(safe)} change nobody" in read(shown)
    press(shown, f"Accept all {len(safe)} recommendations that change nobody's paging")
    made = {f"{d.conflict}:{d.object}": d.choice for d in job.decisions().decisions}
    assert made == {key: found.draft.open[key].recommended for key in safe}
    assert f"{others} left</b>: {others} change who is paged, 0 change nobody" in read(shown)
    press(shown, "Undo my last click")
    assert not job.decisions().decisions


def test_opening_a_class_answers_nothing_and_says_how_many_an_answer_is_for(undecided):
    shown = answer_conflicts(undecided, conflicts(undecided))
    open_class(shown, "phone country")
    assert "6 questions are ticked: 6 of phone country" in read(shown)
    assert "email and the mobile app remain" in read(shown), "every option stands there with its effect"
    assert "changes who is paged</span>" in read(shown)
    assert not undecided.decisions().decisions
    next(w for w in _list(shown) if "PCM2402" in getattr(w, "description", "")).value = False
    press_option(shown, "leave out")
    assert {d.object for d in undecided.decisions().decisions} == {
        "PCM2403",
        "PCM2502",
        "PCM2503",
        "PCM3602",
        "PCM3603",
    }
    tick(shown, "PCM2402")  # the class stays open, and what is left of it is not ticked by itself
    press_option(shown, "ask harness")
    assert ("PCM2402", "ask_harness") in {(d.object, d.choice) for d in undecided.decisions().decisions}


def test_a_decided_row_shows_its_answer_and_what_was_decided_is_ticked_no_more(undecided):
    shown = answer_conflicts(undecided, conflicts(undecided))
    for about, answer in (("phone country", "leave out"), ("time zone mismatch", "confirm")):
        open_class(shown, about)
        press_option(shown, answer)
    made = {(d.conflict, d.choice) for d in undecided.decisions().decisions}
    assert made == {("phone_country", "leave_out"), ("time_zone_mismatch", "confirm")}
    open_class(shown, "time zone mismatch")
    assert "Data backup · decided: confirm, by carla" in read(shown)
    assert "Choose a class at the left" in read(shown), "nothing of it is ticked by opening it"


def test_what_a_search_hides_is_not_decided(undecided):
    shown = answer_conflicts(undecided, conflicts(undecided))
    [search] = find(shown, "Search")
    search.value = "PCM2"
    press(shown, "Tick all found")
    assert "4 ticked: 4 phone country" in read(shown)
    search.value = "PCM24"
    tick(shown, "PCM2402")
    press_option(shown, "leave out")
    assert {d.object for d in undecided.decisions().decisions} == {"PCM2402"}


def test_an_answer_is_checked_beside_its_field_before_it_is_given(undecided):
    shown = answer_conflicts(undecided, conflicts(undecided))
    open_class(shown, "shared mailbox")
    [email] = find(shown, "Email")
    assert "priya.raman@acme.example" in email.options or email.options
    email.value = "nobody@acme.example"
    assert "nobody@acme.example is nobody in the Harness project" in read(shown)
    press_option(shown, "map")
    open_class(shown, "group name collision")
    [name] = find(shown, "Name")
    name.value = "platform"
    assert "platform is the name of another one already" in read(shown)
    press_option(shown, "rename")
    assert not undecided.decisions().decisions
    name.value = "Platform of ours"
    press_option(shown, "rename")
    assert [d.value for d in undecided.decisions().decisions] == ["Platform of ours"]


def test_one_name_is_not_given_to_many(undecided):
    job = undecided
    shown = answer_conflicts(job, conflicts(job))
    open_class(shown, "same name in source")
    find(shown, "Name")[0].value = "On call"
    assert "A name is for one object" in read(shown)
    press_option(shown, "rename")
    assert not job.decisions().decisions


def test_nothing_is_asked_before_what_it_depends_on_is_settled_and_then_it_is_asked_at_once(undecided):
    """Whether a policy has a team is not clear while its team waits for an answer; contacts wait for their people."""
    job = undecided
    found = conflicts(job).draft
    waiting = {id for id, team in found.account.teams.items() if found.mapped.lost.get(("teams", id))}
    teams = {id: {team.id for team in policy.teams} for id, policy in found.account.policies.items()}
    asked = {c.id for c in found.open.values() if c.about == "policy_without_team"}
    assert waiting
    assert not any(teams[id] & waiting for id in asked)
    shown = answer_conflicts(job, conflicts(job))
    press(shown, next(w.description for w in _list(shown) if getattr(w, "description", "").startswith("Accept all")))
    for about, answer in DESK.items():
        open_class(shown, about)
        press_option(shown, answer)
    assert "7 more questions follow from the answers." in read(shown)
    open_class(shown, "phone country")
    press_option(shown, "leave out")
    press(shown, "Accept the recommendation that changes nobody's paging")
    assert "Every question is answered. Run ▸ Run All Cells drafts the plan with it." in read(shown)
    assert not conflicts(job).draft.open


DESK = {
    "acknowledgement timeout": "accept",
    "phone country": "leave out",
    "round robin": "everyone",
    "shared mailbox": "invite",
    "user not found": "invite",
    "service urgency": "no page",
}


def test_what_waits_for_an_answer_is_a_calm_box_for_a_person_and_ends_a_headless_run(undecided, monkeypatch):
    decided = conflicts(undecided)
    drawn = finish(undecided, decided)._repr_html_()
    assert f"{len(decided.draft.open)} questions wait for your answer" in drawn
    assert 'href="4_conflicts.ipynb"' in drawn
    page, index = ((undecided.folder / f"{name}.html").read_text() for name in ("conflicts", "index"))
    assert 'class="error calm" role="note"' in index
    assert 'role="alert"' not in page + index
    monkeypatch.setenv("PDMIGRATE_HEADLESS", "1")
    with pytest.raises(OpenConflictsError) as told:
        finish(undecided, decided)
    assert told.value.exit_code == 3


# --- two at once ---


def _decide_many(folder, names):
    with open_job(folder) as job:
        for name in names:
            decide(job, "user_not_found", name, "leave_out", by=name)


def test_two_notebooks_open_at_once_do_not_overwrite_each_other(decided_workspace):
    known = len(read_decisions(Workspace(decided_workspace).decisions_file).decisions)
    kernels = multiprocessing.get_context("spawn")
    mine, others = [f"PA{n}" for n in range(40)], [f"PB{n}" for n in range(40)]
    both = [kernels.Process(target=_decide_many, args=(decided_workspace, names)) for names in (mine, others)]
    for kernel in both:
        kernel.start()
    for kernel in both:
        kernel.join(60)
    found = [d.object for d in read_decisions(Workspace(decided_workspace).decisions_file).decisions]
    assert set(found) >= {*mine, *others}
    assert len(found) == known + 80


def test_undo_in_one_notebook_leaves_what_the_other_decided(job):
    preview(job)
    decided = conflicts(job)
    with open_job(job.workspace.folder) as other_job:
        mine, other = answer_conflicts(job, decided), answer_conflicts(other_job, decided)
        for shown, words in ((mine, "Hana Sato"), (other, "Store Operations")):
            find(shown, "Search")[0].value = words
            next(w for w in _list(shown) if words in getattr(w, "description", "")).value = True
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
        [eve] = [w.description for w in _list(listed) if "Eve Board · " in getattr(w, "description", "")]
        assert "PagerDuty role read_only_user" in eve
