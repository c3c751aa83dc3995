"""Whatever way an answer is given, it is to the question that the person saw: a changed one is asked again."""

import shutil

import ipywidgets
import pytest
from small_company import cut_down, edit

from pdmigrate import conflicts, decide, invite, open_job, preview
from pdmigrate.notebook import answer_conflicts, choose_people
from pdmigrate.plan.answers import Conflict
from pdmigrate.sandbox.company import build_company
from pdmigrate.steps.conflicts import decide_each, take_back
from pdmigrate.steps.job import read_clock
from pdmigrate.workspace.folder import write_json
from pdmigrate.workspace.settings import make_workspace


@pytest.fixture(autouse=True)
def somebody_sits_there(monkeypatch):
    """As in JupyterLab: the kernel's request allows input."""
    import pdmigrate.notebook.questions as questions

    monkeypatch.setattr(questions, "is_interactive", lambda: True)


@pytest.fixture(scope="module")
def previewed_folder(tmp_path_factory):
    """A corner of the company in which nothing is decided, previewed; to be copied."""
    folder = tmp_path_factory.mktemp("newcomer") / "acme"
    make_workspace(folder, {"name": "acme"})
    write_json(folder / "sandbox" / "pagerduty.json", cut_down(build_company(read_clock()), ("PSERV10",)))
    with open_job(folder) as job:
        preview(job)
    return folder


@pytest.fixture
def company(previewed_folder, tmp_path):
    with open_job(shutil.copytree(previewed_folder, tmp_path / "acme")) as job:
        yield job


def list_widgets(widget):
    return [widget, *(found for child in getattr(widget, "children", ()) for found in list_widgets(child))]


def find(shown, label):
    return next(w for w in list_widgets(shown) if getattr(w, "description", "") == label)


def answer_all(shown, choice, **filters):
    for name, value in filters.items():
        find(shown, name).value = value
    for every in [w for w in list_widgets(shown) if getattr(w, "description", "") == "Tick all found"]:
        every.click()
    for box in [w for w in list_widgets(shown) if isinstance(w, ipywidgets.Checkbox) and " · " in w.description]:
        box.value = True  # one row needs no button for all
    words = choice.replace("_", " ")
    [button] = [w for w in list_widgets(shown) if getattr(w, "description", "").split(", all ")[0] == words]
    button.click()


def read_digests(job):
    return {(d.conflict, d.object): d.question for d in job.decisions().decisions}


def list_asked(draft):
    return {(c.about, c.id): c.digest for c in (*draft.open.values(), *(a.conflict for a in draft.answered.values()))}


def rename(job, old, new):
    with edit(job, "pagerduty") as held:
        user = next(user for user in held["users"] if user["name"] == old)
        user["name"] = new
    return user["id"]


def test_notebook_3_keeps_what_it_asked(company):
    """It may be the first to ask: the step conflicts has not run yet."""
    preview(company)
    people = invite(company)
    answer_all(choose_people(company, people), "invite", Search="Hana Sato")
    given = read_digests(company)
    assert given
    assert given == {key: digest for key, digest in list_asked(people.draft).items() if key in given}


def test_notebook_4_keeps_what_it_asked_of_each_object_and_again_when_it_was_answered_before(company):
    decided = conflicts(company)
    asked = list_asked(decided.draft)
    for choice in ("leave_out", "ask_harness"):
        answer_all(answer_conflicts(company, decided), choice, Search="phone country")
        given = read_digests(company)
        assert given == {key: digest for key, digest in asked.items() if key[0] == "phone_country"}
        assert len(given) > 1
        decided = conflicts(company)


@pytest.mark.parametrize("step", [preview, invite, conflicts])
def test_an_answer_that_is_given_in_python_is_to_what_the_latest_step_asked(company, step):
    asked = list_asked(step(company).draft)
    keys = [key for key in asked if key[0] == "phone_country"]
    decide(company, *keys[0], "leave_out")
    decide_each(company, "phone_country", [id for _, id in keys[1:]], "leave_out")
    assert read_digests(company) == {key: asked[key] for key in keys}


def test_an_answer_is_to_what_the_person_saw_and_not_to_what_was_asked_meanwhile(company):
    shown = answer_conflicts(company, conflicts(company))
    id = rename(company, "Hana Sato", "Hana Kato")
    preview(company)
    answer_all(shown, "invite", Search="Hana Sato")
    assert f"user_not_found:{id}" in conflicts(company).draft.open


def test_a_changed_question_is_open_again_and_the_notebook_says_so(company):
    answer_all(choose_people(company, invite(company)), "invite", Search="Hana Sato")
    id = rename(company, "Hana Sato", "Hana Kato")
    preview(company)
    people = invite(company)
    assert "The question has changed since" in people.draft.open[f"user_not_found:{id}"].meaning
    shown = choose_people(company, people)
    find(shown, "Search").value = "Hana Kato"
    [box] = [w for w in list_widgets(shown) if isinstance(w, ipywidgets.Checkbox) and "Hana Kato" in w.description]
    assert box.description.endswith("open")
    answer_all(shown, "invite", Search="Hana Kato")
    assert f"user_not_found:{id}" in conflicts(company).draft.answered


def test_taking_back_and_undo_leave_the_digests_of_the_others(company):
    decided = conflicts(company)
    shown = answer_conflicts(company, decided)
    answer_all(shown, "leave_out", Search="phone country")
    before = read_digests(company)
    answer_all(shown, "ask_harness", Search="phone country")
    find(shown, "Undo my last click").click()
    assert read_digests(company) == before
    about, id = next(iter(before))
    take_back(company, about, id)
    assert read_digests(company) == {key: digest for key, digest in before.items() if key != (about, id)}


def test_an_answer_to_a_class_is_to_whatever_comes(company):
    decide(company, "user_not_found", "all", "invite")
    assert read_digests(company) == {("user_not_found", "all"): ""}
    assert all(isinstance(a.conflict, Conflict) for a in conflicts(company).draft.answered.values())
    id = rename(company, "Hana Sato", "Hana Kato")
    preview(company)
    assert f"user_not_found:{id}" in conflicts(company).draft.answered
