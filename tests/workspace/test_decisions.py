"""decisions.yaml: what people answered, read strictly, and written so that nobody's answer is lost."""

import multiprocessing

import pytest
import yaml

from pdmigrate import conflicts, decide, finish, open_job, preview
from pdmigrate.cli.status import describe_status
from pdmigrate.errors import OpenConflictsError, SettingsError
from pdmigrate.plan.answers import CLASSES, Approval, Choice, Conflict, Decision, Decisions, Option
from pdmigrate.plan.questions import Questions
from pdmigrate.workspace.decisions import drop_answer, read_decisions, save_answers

INVITE = Option(name="invite", effect="an invitation is sent")
MAP = Option(name="map", effect="another account is paged", value="the email of a person in Harness")


def question(id="PU1", recommended="invite", changes_paging=False):
    return Conflict(
        about="user_not_found",
        kind="users",
        id=id,
        name="Ann",
        question="Ann has no account.",
        meaning="Nobody can be reached.",
        options=(INVITE, MAP),
        recommended=recommended,
        changes_paging=changes_paging,
    )


def answer(choice, object="PU1", **more):
    return Decision(conflict="user_not_found", object=object, choice=choice, **more)


def ask(*decisions, rule="stop", conflict=None):
    return Questions(Decisions(decisions=decisions), rule).ask(conflict or question())


# --- reading ---


def test_no_file_holds_no_decisions(tmp_path):
    assert read_decisions(tmp_path / "decisions.yaml") == Decisions()


def test_a_file_that_a_person_wrote_is_read(tmp_path):
    path = tmp_path / "decisions.yaml"
    path.write_text(
        """
decisions:
- conflict: user_not_found
  object: PU12
  choice: invite
  by: ann
  at: '2026-11-23T10:00:00+00:00'
  why: joins in December
- {conflict: phone_country, object: all, choice: leave_out}
approvals:
- {plan: 3f9a, by: ann}
choices:
- {setting: rules.strategy, value: overwrite, by: ann}
""",
        encoding="utf-8",
    )
    read = read_decisions(path)
    assert [decision.object for decision in read.decisions] == ["PU12", "all"]
    assert read.decisions[0].why == "joins in December"
    assert read.approves("3f9a").by == "ann"
    assert read.choices[0].value == "overwrite"


@pytest.mark.parametrize(
    "text,said",
    [
        ("decisions:\n- {conflict: round_robin, object: b, choise: everyone}", "line 2: decisions.0.choice is missing"),
        ("decisions: [{conflict: a, object: b, choice: c, wy: d}]", "no key decisions.0.wy (did you mean why?)"),
        ("decision: []", "line 1: there is no key decision (did you mean decisions?)"),
        (
            "choices: [{setting: rules.stratgy, value: x}]",
            "'rules.contact_details' (did you mean rules.strategy?)",
        ),
        ("choices: [{setting: source.token, value: x}]", "input should be 'scope.services', 'scope.teams'"),
        ("decisions: yes", "decisions: input should be a valid"),
        (
            "decisions:\n- conflict: user_not_fuond\n  object: PU1\n  choice: invite",
            "line 2: there is no conflict user_not_fuond (did you mean user_not_found?)",
        ),
        (
            "decisions:\n- conflict: user_not_found\n  object: PU1\n  choice: invit",
            "line 4: user_not_found has no option invit (did you mean invite?)",
        ),
        (
            "decisions:\n- {conflict: phone_country, object: all, choice: map}",
            "line 2: phone_country has no option map (there are leave_out, ask_harness)",
        ),
        (
            "waivers: [{guard: to_many_changes, plan: 3f9a00000000, by: ann, why: split, until: 2026-12-01}]",
            "there is no guard to_many_changes (did you mean too_many_changes?)",
        ),
        (
            "waivers: [{guard: runs_out, plan: 3f9a00000000, by: ann, why: split, until: tomorrow}]",
            "waivers.0.until: write a day, as in 2026-12-01",
        ),
        ("waivers: [{guard: runs_out, plan: 3f9a00000000, until: 2026-12-01}]", "waivers.0.by is missing"),
        (
            "decisions: [{conflict: x, object: b, choice: c}, {conflict: y, object: b, choice: c}]",
            "there is no conflict y",
        ),
        ("decisions: {", "is no YAML near line"),
        ("- a\n- b", "decisions.yaml"),
    ],
)
def test_what_cannot_be_understood_is_refused_in_one_line(tmp_path, text, said):
    path = tmp_path / "decisions.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(SettingsError, match=r"decisions\.yaml") as caught:
        read_decisions(path)
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_misspelt_answer_is_refused_before_it_is_written(tmp_path):
    """From a notebook as from a file: what is written can be read."""
    path = tmp_path / "decisions.yaml"
    with pytest.raises(SettingsError, match=r"user_not_found has no option invit \(did you mean invite\?\)"):
        save_answers(path, answer("invit"))
    assert not path.exists()


def test_a_question_of_an_unknown_class_is_a_bug():
    """Else the answer to it could not be written."""
    with pytest.raises(ValueError, match="CLASSES does not have user_not_fuond with invite"):
        Conflict.model_validate({**question().model_dump(), "about": "user_not_fuond"})
    assert all(len(set(options)) == len(options) for options in CLASSES.values())


def test_an_answer_to_a_class_leaves_open_what_it_does_not_fit():
    """A dangling schedule may keep an empty place; a service whose policy nobody shows has no such way out."""
    only_map = question().model_copy(update={"options": (MAP,)})
    assert ask(answer("invite", object="all"), conflict=only_map) is None
    with pytest.raises(SettingsError, match="cannot be decided as invite"):
        ask(answer("invite"), conflict=only_map)


def test_an_id_that_yaml_takes_for_a_number_is_text(tmp_path):
    path = tmp_path / "decisions.yaml"
    path.write_text("decisions: [{conflict: user_not_found, object: 123, choice: invite}]", encoding="utf-8")
    assert read_decisions(path).decisions[0].object == "123"


# --- which answer counts ---


def test_without_an_answer_the_question_is_open():
    questions = Questions(Decisions(), "stop")
    assert questions.ask(question()) is None
    assert list(questions.open) == ["user_not_found:PU1"]
    assert not questions.answered


@pytest.mark.parametrize("turned", [False, True])
def test_an_answer_for_the_object_goes_before_one_for_all(turned):
    decisions = [answer("map", value="bob@example.com"), answer("invite", object="all")]
    assert ask(*(decisions[::-1] if turned else decisions)).choice == "map"


def test_a_later_answer_goes_before_an_earlier_one():
    assert ask(answer("map", value="bob@example.com"), answer("invite")).choice == "invite"
    assert ask(answer("map", "all", value="b@example.com"), answer("invite", "all")).choice == "invite"


def test_an_answer_to_another_class_or_object_is_none():
    other = Decision(conflict="phone_country", object="PU1", choice="leave_out")
    assert ask(answer("invite", object="PU2"), other) is None


def test_an_answer_says_who_gave_it_and_why():
    given = ask(answer("invite", by="ann", at="2026-11-23", why="joins"))
    assert (given.by, given.at, given.why, given.conflict.id) == ("ann", "2026-11-23", "joins", "PU1")


def test_an_option_that_takes_a_value_needs_one():
    with pytest.raises(SettingsError, match="map for user_not_found:PU1 needs a value: the email of a person"):
        ask(answer("map"))


@pytest.mark.parametrize("choice,hint", [("invit", "did you mean invite"), ("zzz", "there are invite, map")])
def test_an_option_that_is_none_is_refused_with_the_nearest_right_one(choice, hint):
    with pytest.raises(SettingsError, match=hint):
        ask(answer(choice))


def test_the_recommended_option_is_taken_only_where_the_rules_say_so_and_nobodys_pages_change():
    assert ask(rule="recommended").choice == "invite"
    assert ask(rule="recommended").by == "rule"
    assert ask(rule="skip") is None
    assert ask(rule="stop") is None
    assert ask(rule="recommended", conflict=question(changes_paging=True)) is None
    assert ask(rule="recommended", conflict=question(recommended="map")) is None, "nobody can recommend a value"


def test_a_person_goes_before_the_rule():
    assert ask(answer("map", value="bob@example.com"), rule="recommended").choice == "map"


# --- writing ---


def test_an_answer_is_there_at_once_and_can_be_taken_back(tmp_path):
    path = tmp_path / "decisions.yaml"
    save_answers(path, answer("invite", by="Ünal", why="ja"))
    save_answers(path, answer("invite", object="all"))
    assert yaml.safe_load(path.read_text(encoding="utf-8"))["decisions"][0] == {
        "conflict": "user_not_found",
        "object": "PU1",
        "choice": "invite",
        "by": "Ünal",
        "why": "ja",
    }
    drop_answer(path, Decision, "user_not_found", "PU1")
    assert [decision.object for decision in read_decisions(path).decisions] == ["all"]


def test_a_new_answer_takes_the_place_of_the_old_one(tmp_path):
    path = tmp_path / "decisions.yaml"
    for choice in ("invite", "leave_out"):
        save_answers(path, answer(choice))
    assert [decision.choice for decision in read_decisions(path).decisions] == ["leave_out"]


def test_approvals_are_kept_and_the_latest_is_named(tmp_path):
    path = tmp_path / "decisions.yaml"
    for plan, by in (("aa", "ann"), ("bb", "bob"), ("aa", "cat")):
        save_answers(path, Approval(plan=plan, by=by))
    read = read_decisions(path)
    assert len(read.approvals) == 3
    assert read.approves("aa").by == "cat"
    assert read.approves("a") is None, "a digest is whole or none"


def test_one_choice_stands_for_each_setting(tmp_path):
    path = tmp_path / "decisions.yaml"
    save_answers(path, Choice(setting="rules.strategy", value="overwrite"))
    save_answers(path, Choice(setting="scope.services", value=["Cart API"]))
    save_answers(path, Choice(setting="rules.strategy", value="preserve"))
    save_answers(path, Choice(setting="rules.contact_details", value=False))
    assert {choice.setting: choice.value for choice in read_decisions(path).choices} == {
        "scope.services": ["Cart API"],
        "rules.strategy": "preserve",
        "rules.contact_details": False,
    }
    drop_answer(path, Choice, "rules.strategy")
    assert len(read_decisions(path).choices) == 2


def test_a_file_that_cannot_be_read_is_never_written_over(tmp_path):
    path = tmp_path / "decisions.yaml"
    path.write_text("decisions: {", encoding="utf-8")
    with pytest.raises(SettingsError):
        save_answers(path, answer("invite"))
    assert path.read_text(encoding="utf-8") == "decisions: {"


def write_many(path, who):
    for number in range(15):
        save_answers(path, answer("invite", object=f"{who}{number}"))


def test_two_writers_at_once_lose_nothing(tmp_path):
    """Two notebooks are open, and each writes an answer whenever somebody clicks."""
    path, processes = tmp_path / "decisions.yaml", multiprocessing.get_context("fork")
    writers = [processes.Process(target=write_many, args=(path, who)) for who in "AB"]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert len(read_decisions(path).decisions) == 30
    assert sorted(file.name for file in tmp_path.iterdir()) == [".decisions.yaml.lock", "decisions.yaml"]


def test_an_answer_for_an_object_that_is_nowhere_is_named_with_the_nearest_one(workspace):
    """The question stays open, so it pages nobody; but whoever wrote the answer believes that it counts."""
    with open_job(workspace) as job:
        preview(job)
        asked = next(c for c in conflicts(job).draft.open.values() if c.about == "user_not_found")
        decide(job, "user_not_found", f"{asked.id}X", "invite", by="ann")
        decide(job, "user_not_found", next(iter(job.latest_account().users)), "invite", by="ann")
        decided = conflicts(job)
        said = f"decisions.yaml answers user_not_found for {asked.id}X, which is nowhere (did you mean {asked.id}?)."
        assert decided.strays == (said,)
        assert said in decided.stop
        assert said in describe_status(job.workspace)
        with pytest.raises(OpenConflictsError):
            finish(job, decided)
        assert said in (job.folder / "conflicts.html").read_text(encoding="utf-8")
