"""What people change in Harness by hand and what pages otherwise by it is a question, for each state; time alone asks nothing."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from test_plan_three_way import LEVEL, ROTATION, fields_of, have_state, make_wish, plan_one

from pdmigrate.harness.records import AlertRule, EscalationPolicy, Service, State, UserGroup
from pdmigrate.plan.actions import LedgerEntry
from pdmigrate.plan.answers import Decision, Decisions
from pdmigrate.plan.planning import THEIRS, plan_actions
from pdmigrate.plan.questions import Questions

NOW = datetime(2026, 11, 25, tzinfo=UTC)
PAST, LATER = "2026-11-01T09:00:00Z", "2026-12-01T09:00:00Z"
BOTH = pytest.mark.parametrize("strategy", ["preserve", "overwrite"])


def plan(kind, last, want, have, *decisions, strategy="preserve", state=None, rule="stop", merge=False):
    """One object at NOW: what was synced, what PagerDuty says, what Harness has."""
    identifier = "s/k" if kind == "overrides" else "k"
    wish = replace(make_wish(kind, "P1", identifier, "Thing", want, ("P1",)), merge=merge)
    ledger = {(kind, "P1"): LedgerEntry(kind, "P1", identifier, "Thing", last)} if last is not None else {}
    questions = Questions(Decisions(decisions=decisions), rule)
    state = state or have_state(kind, have)
    return plan_actions([wish], [], state, ledger, strategy, questions, now=NOW), questions


def rota(*rotations, **more):
    return fields_of("schedules", rotations=list(rotations), **more)


def turn(name, **more):
    return {**ROTATION, "name": name, **more}


def answer(conflict, choice, **more):
    said = {"conflict": conflict.about, "object": conflict.id, "choice": choice, "by": "ann"}
    return Decision(**{**said, "question": conflict.digest, **more})


def ask(kind, name, want, have, **more):
    """The question about one field that Harness has otherwise."""
    sides = (fields_of(kind, **{name: value}) for value in (want, want, have))
    [asked] = plan(kind, *sides, **more)[1].open.values()
    return asked


# --- the words ---

WORDS = [
    ("escalation_policies", "levels", [LEVEL], [{**LEVEL, "timeout_minutes": 15}], "level 1 waits 15 min, was 5"),
    ("escalation_policies", "levels", [LEVEL], [{**LEVEL, "retries": 2}], "level 1 is repeated 2 times, was 0"),
    ("escalation_policies", "levels", [LEVEL] * 2, [LEVEL], "level 2 is gone, was user a@x.example for 5 min"),
    ("escalation_policies", "levels", [LEVEL], [LEVEL] * 2, "level 2 is new: user a@x.example for 5 min"),
    ("schedules", "time_zone", "UTC", "Asia/Tokyo", "by the clock of Asia/Tokyo, was UTC"),
    ("schedules", "rotations", [turn("A")], [], "rotation A is gone, with a@x.example"),
    ("schedules", "rotations", [turn("A")], [turn("A"), turn("B")], "rotation B is new, with a@x.example"),
    (
        "schedules",
        "rotations",
        [turn("A")],
        [turn("A", turn_seconds=43_200)],
        "A: hand-off every 12 hours, was 1 week",
    ),
    (
        "schedules",
        "rotations",
        [turn("A")],
        [turn("A", participants=["b@x", None])],
        "A: turns go to b@x, nobody, was a@x.example",
    ),
    ("schedules", "rotations", [turn("A")], [turn("A", until=LATER)], "A: ends 2026-12-01T09:00:00Z, was never"),
    ("overrides", "person", "a@x", "b@x", "who stands in is b@x, was a@x"),
    ("services", "paging", True, False, "its alerts are only logged and page nobody, was paging"),
    ("services", "rule_policy", "one", "two", "pages by the policy two, was one"),
    ("services", "escalation_policy", "one", None, "the service's policy is none, was one"),
]


@pytest.mark.parametrize("kind, name, want, have, words", WORDS)
def test_the_question_says_the_effect_on_paging(kind, name, want, have, words):
    asked = ask(kind, name, want, have)
    assert words in asked.question
    assert (asked.about, asked.kind, asked.id) == ("changed_in_harness", kind, "P1")
    assert {option.name for option in asked.options} == {"keep_harness", "take_source"}


def test_what_changed_in_both_is_one_question_that_says_so():
    levels = [[{**LEVEL, "timeout_minutes": minutes}] for minutes in (5, 10, 15)]
    sides = [fields_of("escalation_policies", levels=each) for each in levels]
    planned, questions = plan("escalation_policies", *sides, strategy="overwrite")
    [asked] = questions.open.values()
    assert (asked.about, planned.actions) == ("changed_in_harness", [])
    assert "and in PagerDuty as well" in asked.question
    assert "level 1 waits 15 min, PagerDuty says 10" in asked.question


# --- one state, one answer ---


def test_an_answer_is_for_one_state_only():
    asked = ask("schedules", "time_zone", "UTC", "Asia/Tokyo")
    kept = answer(asked, "keep_harness")
    same = [fields_of("schedules", time_zone=zone) for zone in ("UTC", "UTC", "Asia/Tokyo")]
    planned, questions = plan("schedules", *same, kept)
    assert (planned.actions[0].verb, questions.open) == ("keep", {})
    assert "time_zone" in planned.actions[0].reason
    assert questions.answered["changed_in_harness:P1"].choice == "keep_harness"
    other = fields_of("schedules", time_zone="Asia/Seoul")
    _, questions = plan("schedules", *same[:2], other, kept)
    assert "The question has changed since ann decided keep_harness" in questions.open["changed_in_harness:P1"].meaning


@pytest.mark.parametrize("typed", [{"question": ""}, {"question": "", "object": "all"}, {"question": "0123456789ab"}])
def test_an_answer_that_does_not_name_its_question_covers_nothing(typed):
    asked = ask("schedules", "time_zone", "UTC", "Asia/Tokyo")
    same = [fields_of("schedules", time_zone=zone) for zone in ("UTC", "UTC", "Asia/Tokyo")]
    planned, questions = plan("schedules", *same, answer(asked, "keep_harness", **typed))
    assert planned.held[0].open_question
    assert f"question: {asked.digest}" in questions.open["changed_in_harness:P1"].meaning


@BOTH
def test_no_rule_answers_it(strategy):
    assert ask("services", "paging", True, False, strategy=strategy, rule="recommended")


def test_what_it_needs_and_what_needs_it_go_on():
    """The object is there: an override of a schedule in question is written all the same."""
    last, have = fields_of("schedules"), fields_of("schedules", time_zone="Asia/Tokyo")
    schedule = make_wish("schedules", "P1", "k", "Rota", last, ("P1",))
    override = make_wish(
        "overrides", "P2", "k/o", "ann", {"schedule": "k", "person": "a@x"}, (), (("schedules", "P1"),)
    )
    ledger = {("schedules", "P1"): LedgerEntry("schedules", "P1", "k", "Rota", last)}
    state = have_state("schedules", have)
    planned = plan_actions([schedule, override], [], state, ledger, "preserve", Questions(Decisions(), "stop"))
    assert [(a.verb, a.kind) for a in planned.actions] == [("create", "overrides")]
    assert [held.key for held in planned.held] == ["P1"]


@BOTH
def test_other_fields_of_the_object_go_on_by_the_strategy(strategy):
    """After an answer; before one nothing is written to it."""
    last = fields_of("schedules")
    want, have = fields_of("schedules", name="two"), fields_of("schedules", name="three", time_zone="Asia/Tokyo")
    planned, questions = plan("schedules", last, want, have, strategy=strategy)
    assert not planned.actions
    kept = answer(questions.open["changed_in_harness:P1"], "keep_harness")
    [action] = plan("schedules", last, want, have, kept, strategy=strategy)[0].actions
    assert action.after["time_zone"] == "Asia/Tokyo"
    assert action.after["name"] == ("two" if strategy == "overwrite" else "three")


def test_an_object_that_is_taken_over_is_made_as_pagerduty_has_it():
    planned, questions = plan("schedules", None, fields_of("schedules"), fields_of("schedules", time_zone="Asia/Tokyo"))
    assert (planned.actions[0].verb, planned.actions[0].after["time_zone"], questions.open) == ("adopt", "UTC", {})


# --- rotations, one by one; and time, which changes nothing ---


def test_a_start_that_is_past_says_nothing_about_the_future():
    """Every Terraform apply sets a layer's start to the moment of the apply."""
    last, want = rota(turn("A", since=PAST)), rota(turn("A", since="2026-11-24T08:00:00Z"))
    planned, questions = plan("schedules", last, want, last)
    assert (planned.actions[0].verb, planned.actions[0].synced, questions.open) == ("keep", None, {})
    later = rota(turn("A", since=LATER))
    assert plan("schedules", last, later, last)[0].actions[0].verb == "update"


@BOTH
def test_what_time_has_ended_is_no_change_of_the_source(strategy):
    """Somebody has changed A; B is over, so PagerDuty's side has one rotation less without anybody's doing."""
    over, changed = turn("B", until=PAST), turn("A", turn_seconds=3600)
    sides = rota(turn("A"), over), rota(turn("A")), rota(changed, over)
    _, questions = plan("schedules", *sides, strategy=strategy)
    [asked] = questions.open.values()
    assert "in PagerDuty" not in asked.question
    planned, _ = plan("schedules", *sides, answer(asked, "keep_harness"), strategy=strategy)
    assert (planned.actions[0].verb, planned.actions[0].after) == ("keep", sides[2])
    assert plan("schedules", *sides[:2], sides[0])[0].actions[0].verb == "keep"


def test_a_rotation_that_is_kept_keeps_no_other_from_pagerduty():
    by_hand = turn("A", turn_seconds=3600)
    last, have = rota(turn("A"), turn("B")), rota(by_hand, turn("B"))
    [asked] = plan("schedules", last, last, have)[1].open.values()
    kept = answer(asked, "keep_harness")
    want = rota(turn("A"), turn("B", turn_seconds=7200), turn("C"))
    planned, questions = plan("schedules", last, want, have, kept)
    [action] = planned.actions
    assert (action.verb, questions.open) == ("update", {})
    assert action.after["rotations"] == [by_hand, turn("B", turn_seconds=7200), turn("C")]
    assert action.synced["rotations"] == want["rotations"]
    again, _ = plan("schedules", action.synced, want, action.after, kept)
    assert (again.actions[0].verb, again.actions[0].synced) == ("keep", None)


@BOTH
def test_a_rotation_that_is_kept_changes_its_clock_only_if_a_person_knows_it(strategy):
    """Harness has one zone for a schedule: when PagerDuty's moves, so do the hours of what was made by hand."""
    last, have = rota(turn("A"), time_zone="UTC"), rota(turn("A"), turn("B"), time_zone="UTC")
    [asked] = plan("schedules", last, last, have, strategy=strategy)[1].open.values()
    want = rota(turn("A", anchor="2026-01-05T18:00:00"), time_zone="Asia/Tokyo")
    planned, questions = plan("schedules", last, want, have, answer(asked, "keep_harness"), strategy=strategy)
    [again] = questions.open.values()
    assert (planned.actions, planned.held[0].open_question) == ([], True)
    assert "by the clock of Asia/Tokyo" in again.question
    assert "now by the clock of UTC" in again.meaning
    kept = answer(again, "keep_harness")
    [action] = plan("schedules", last, want, have, kept, strategy=strategy)[0].actions
    assert action.after == {**want, "rotations": [*want["rotations"], turn("B")]}
    planned, questions = plan("schedules", action.synced, want, action.after, kept, strategy=strategy)
    assert (planned.actions[0].verb, questions.open) == ("keep", {}), "it was answered, and is written"


def test_what_was_in_harness_first_changes_its_clock_only_if_a_person_says_so():
    """Of a schedule that ours was merged with: PagerDuty has moved it, and its own rotations would move with it."""
    theirs, moved = turn("Theirs"), turn("A", anchor="2026-01-05T18:00:00")
    last, have = {**rota(turn("A")), THEIRS: [theirs]}, rota(turn("A"), theirs)
    want = rota(moved, time_zone="Asia/Tokyo")
    planned, questions = plan("schedules", last, want, have, strategy="overwrite", merge=True)
    [asked] = questions.open.values()
    assert (planned.actions, asked.recommended) == ([], "take_source")
    assert asked.question.startswith("Changed in PagerDuty since the last run: ")
    assert (
        "by the clock of Asia/Tokyo instead of UTC, and the rotations that were there before us with it"
        in asked.question
    )
    taken, kept = (answer(asked, choice) for choice in ("take_source", "keep_harness"))
    [action] = plan("schedules", last, want, have, taken, merge=True)[0].actions
    assert action.after["time_zone"] == "Asia/Tokyo"
    assert plan("schedules", action.synced, want, action.after, taken, merge=True)[1].open == {}
    [action] = plan("schedules", last, want, have, kept, merge=True)[0].actions
    assert (action.after["time_zone"], moved in action.after["rotations"]) == ("UTC", True)
    planned, questions = plan("schedules", action.synced, want, action.after, kept, merge=True)
    assert (planned.actions[0].verb, questions.open) == ("keep", {})
    [asked] = plan("schedules", last, want, rota(turn("A")), merge=True)[1].open.values()
    assert "instead of" not in asked.question, "it is gone: nothing of theirs would move"


def test_the_order_of_rotations_is_no_change():
    one, other = rota(turn("A"), turn("B")), rota(turn("B"), turn("A"))
    planned, questions = plan("schedules", one, one, other)
    assert (planned.actions[0].writes, questions.open) == (False, {})


def test_a_write_takes_ended_rotations_of_ours_along_and_nobody_elses():
    last = rota(turn("A"), turn("B", until=PAST))
    have = rota(turn("A"), turn("B", until=PAST), turn("Theirs", until=PAST))
    [action] = plan("schedules", last, rota(turn("A", turn_seconds=60)), have)[0].actions
    assert [rotation["name"] for rotation in action.after["rotations"]] == ["A", "Theirs"]


@pytest.mark.parametrize("start", ["2026-10-01T00:00:00Z", "2026-11-01T00:00:00Z", "2026-11-24T23:00:00Z"])
def test_the_start_of_an_override_that_has_begun_is_no_change(start):
    """PagerDuty's list cuts it to the start of the last month, so it moves each month."""
    last = fields_of("overrides", start="2026-09-12T07:00:00Z", end=LATER)
    planned, questions = plan("overrides", last, {**last, "start": start}, last)
    assert (planned.actions[0].verb, planned.actions[0].synced, questions.open) == ("keep", None, {})


# --- groups, and second rules ---

MEMBERS = ["a@x.example", "b@x.example"]


def group_state(users, *targets):
    level = {"timeout_minutes": 5, "targets": [{"type": "user_group", "id": target} for target in targets]}
    policy = EscalationPolicy(identifier="p", name="P", levels=[level] if targets else [])
    return State(oncall=True, groups={"k": UserGroup(identifier="k", name="one", users=users)}, policies={"p": policy})


@pytest.mark.parametrize("have, word", [(MEMBERS, "pages b@x.example as well"), ([], "pages a@x.example no more")])
def test_members_are_a_question_where_a_level_targets_their_group(have, word):
    last = {"name": "one", "users": MEMBERS[:1]}
    for strategy in ("preserve", "overwrite"):
        planned, questions = plan("teams", last, last, None, strategy=strategy, state=group_state(have))
        assert (planned.actions[0].verb, questions.open) == ("keep", {})
        _, questions = plan("teams", last, last, None, strategy=strategy, state=group_state(have, "k"))
        assert word in questions.open["changed_in_harness:P1"].question
    asked = questions.open["changed_in_harness:P1"]
    for choice, users in (("keep_harness", have), ("take_source", MEMBERS[:1])):
        [action] = plan("teams", last, last, None, answer(asked, choice), state=group_state(have, "k"))[0].actions
        assert action.after["users"] == users


def service_state(*rules):
    fields = fields_of("services")
    own = AlertRule(identifier="k", name="k", service="k", paging=True, escalation_policy=fields["rule_policy"])
    service = Service(identifier="k", **fields)
    return State(oncall=True, services={"k": service}, alert_rules={rule.identifier: rule for rule in (own, *rules)})


SECOND = AlertRule(identifier="night", name="Night", service="k", paging=True, escalation_policy="others")


@pytest.mark.parametrize("last", [fields_of("services"), None])
def test_a_second_rule_for_the_service_is_a_question_of_its_own(last):
    fields = fields_of("services")
    planned, questions = plan("services", last, fields, None, state=service_state(SECOND))
    [asked] = questions.open.values()
    assert (asked.key, asked.kind) == ("changed_in_harness:P1/night", "services")
    assert (
        "A second alert rule pages for it, night, by the policy others; PagerDuty pages by one only" in asked.question
    )
    assert (planned.actions, planned.held[0].open_question) == ([], True)
    kept = plan("services", last, fields, None, answer(asked, "keep_harness"), state=service_state(SECOND))[0]
    assert not kept.actions[0].writes
    [action] = plan("services", last, fields, None, answer(asked, "take_source"), state=service_state(SECOND))[
        0
    ].actions
    assert action.changes() == [("other_rules", {"night": {"paging": True}}, {"night": {"paging": False}})]
    assert "other_rules" not in action.synced


def test_a_second_rule_that_only_logs_or_is_another_services_asks_nothing():
    others = [SECOND.model_copy(update=change) for change in ({"paging": False}, {"service": "other"})]
    for other in others:
        assert not plan("services", fields_of("services"), fields_of("services"), None, state=service_state(other))[
            1
        ].open


def test_a_second_rule_that_is_pointed_elsewhere_is_asked_about_again():
    fields = fields_of("services")
    [asked] = plan("services", fields, fields, None, state=service_state(SECOND))[1].open.values()
    kept, elsewhere = answer(asked, "keep_harness"), SECOND.model_copy(update={"escalation_policy": "third"})
    assert plan("services", fields, fields, None, kept, state=service_state(elsewhere))[1].open
    renamed = SECOND.model_copy(update={"name": "Nights"})
    assert not plan("services", fields, fields, None, kept, state=service_state(renamed))[1].open


def test_an_override_lengthened_after_pagerdutys_has_ended_is_a_question():
    last = fields_of("overrides", start="2026-11-20T09:00:00Z", end="2026-11-24T09:00:00Z")
    entry = LedgerEntry("overrides", "P1", "s/k", "Thing", last)
    questions = Questions(Decisions(), "stop")
    state = have_state("overrides", {**last, "end": LATER})
    planned = plan_actions([], [entry], state, {}, "overwrite", questions, now=NOW)
    assert (planned.actions, planned.held[0].open_question) == ([], True)
    assert "it ends 2026-12-01T09:00:00Z, was 2026-11-24T09:00:00Z" in questions.open["changed_in_harness:P1"].question
    over = have_state("overrides", {**last, "person": "b@x"})
    assert not plan_actions([], [entry], over, {}, "overwrite", questions, now=NOW).held


def test_every_held_object_names_the_answer_behind_it():
    fields = fields_of("schedules")
    removed = Decision(conflict="removed_in_target", object="P1", choice="leave_removed", by="ann")
    planned, _ = plan_one("schedules", fields, fields, None, decisions=(removed,))
    assert [(held.open_question, held.decided) for held in planned.held] == [(False, "removed_in_target:P1")]


def test_what_was_changed_by_hand_is_asked_about_when_pagerdutys_object_was_made_anew():
    """Taken over from an object that is gone: what people have made of it in Harness since is not ours to drop."""
    fields, by_hand = fields_of("schedules"), fields_of("schedules", time_zone="Asia/Tokyo")
    entry = LedgerEntry("schedules", "OLD", "k", "Thing", fields)
    wish = make_wish("schedules", "NEW", "k", "Thing", fields, ("NEW",), adopt=True)
    questions = Questions(Decisions(), "stop")
    ledger = {("schedules", "OLD"): entry}
    assert not plan_actions([wish], [], have_state("schedules", by_hand), ledger, "overwrite", questions).actions
    assert list(questions.open) == ["changed_in_harness:NEW"]
    kept = Questions(Decisions(decisions=(answer(questions.open["changed_in_harness:NEW"], "keep_harness"),)), "stop")
    [action] = plan_actions([wish], [], have_state("schedules", by_hand), ledger, "overwrite", kept).actions
    assert (action.verb, action.writes, action.synced) == ("adopt", False, fields)
