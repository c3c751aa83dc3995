"""The question desk without a browser: what is shown, what a click decides, and what waits for a person."""

import shutil

import ipywidgets
import pytest
from hands import find, list_widgets, open_class, press, press_option, read, sit_down, tick

from pdmigrate import conflicts, finish, open_job, preview
from pdmigrate.errors import OpenConflictsError
from pdmigrate.notebook import answer_conflicts
from pdmigrate.workspace.settings import make_workspace


@pytest.fixture(autouse=True)
def somebody_sits_there(monkeypatch):
    sit_down(monkeypatch)


@pytest.fixture(scope="module")
def newcomers(tmp_path_factory):
    """The folder of the embedded company as a newcomer finds it, previewed; every test starts from a copy."""
    folder = tmp_path_factory.mktemp("desk") / "acme"
    make_workspace(folder, {"name": "acme"})
    with open_job(folder) as job:
        preview(job)
    return folder


@pytest.fixture
def undecided(newcomers, tmp_path):
    """As a newcomer finds it."""
    with open_job(shutil.copytree(newcomers, tmp_path / "acme")) as job:
        yield job


def test_what_waits_for_an_answer_is_not_called_lost_in_a_data_frame(undecided):
    found = preview(undecided)
    becomes = found.people.set_index("person_id").becomes
    asked = [conflict.id for conflict in found.draft.open.values() if conflict.kind == "users"]
    assert asked
    assert set(becomes[asked]) == {"waits"}


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
    assert f"{others} left</b>: {others} change who is paged. {len(safe)} decided." in read(shown)
    press(shown, "Undo my last click")
    assert not job.decisions().decisions


def test_opening_a_class_answers_nothing_and_says_how_many_an_answer_is_for(undecided):
    shown = answer_conflicts(undecided, conflicts(undecided))
    open_class(shown, "phone country")
    assert "6 questions are ticked: 6 of phone country" in read(shown)
    assert "email and the mobile app remain" in read(shown), "every option stands there with its effect"
    assert "changes who is paged</span>" in read(shown)
    assert not undecided.decisions().decisions
    next(w for w in list_widgets(shown) if "PCM2402" in getattr(w, "description", "")).value = False
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


def test_a_click_that_meets_a_list_that_has_changed_meanwhile_opens_the_class_where_it_stands_now(undecided):
    shown = answer_conflicts(undecided, conflicts(undecided))
    open_class(shown, "phone country")
    press_option(shown, "leave out")
    [decided] = find(shown, "phone country · 6")
    press(shown, "Undo my last click")
    decided.click()  # the browser still shows it among those that are decided
    assert "6 questions are ticked: 6 of phone country" in read(shown)


def test_an_answer_that_meets_another_question_than_it_was_shown_for_decides_nothing_and_says_so(undecided):
    shown = answer_conflicts(undecided, conflicts(undecided))
    open_class(shown, "user not found")
    [seen] = [w for w in list_widgets(shown) if getattr(w, "description", "").startswith("leave out")]
    open_class(shown, "shared mailbox")  # may be left out as well
    seen.click()
    assert not undecided.decisions().decisions
    assert "Nothing was decided: another question had come up meanwhile." in read(shown)


def test_a_second_click_on_an_answer_changes_neither_what_was_decided_nor_what_was_said(undecided):
    shown = answer_conflicts(undecided, conflicts(undecided))
    open_class(shown, "phone country")
    [seen] = [w for w in list_widgets(shown) if getattr(w, "description", "") == "leave out, all 6"]
    seen.click()
    decided = undecided.decisions().decisions
    seen.click()
    assert undecided.decisions().decisions == decided
    assert "Decided: leave out, 6 of phone country." in read(shown)


def test_what_was_done_is_said_once_the_list_shows_it(undecided):
    """Whoever reads the words and clicks at once must find what they speak of."""
    shown = answer_conflicts(undecided, conflicts(undecided))
    seen = []

    def look(change):
        for words in ("Decided: leave out, 6", "Undone."):
            if words in change["new"]:
                seen.append((words, "Decided · 6" in read(shown)))

    for line in list_widgets(shown):
        line.observe(look, "value") if isinstance(line, ipywidgets.HTML) else None
    open_class(shown, "phone country")
    press_option(shown, "leave out")
    press(shown, "Undo my last click")
    assert seen == [("Decided: leave out, 6", True), ("Undone.", False)]


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
    press(
        shown,
        next(w.description for w in list_widgets(shown) if getattr(w, "description", "").startswith("Accept all")),
    )
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
