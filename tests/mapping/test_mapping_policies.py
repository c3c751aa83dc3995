"""Escalation policies to levels: timeouts to the minute, loops, round robin, and targets that stay behind."""

import pytest
from mapping_account import decide, grades, layer, map_rows, people, policy, reason, refer, schedule, user, wishes

ANN, BOB = refer("user", "ann"), refer("user", "bob")
USERS = [user("ann"), user("bob")]


def level(*targets, minutes=5):
    return (minutes, list(targets))


def map_policy(*policies, decisions=(), rule="stop", **more):
    rows = {"users": USERS, "escalation_policies": list(policies), **more}
    return map_rows(rows, people("ann", "bob"), decisions, rule)


def levels(mapped, id="pp1"):
    return wishes(mapped, "escalation_policies")[id].fields["levels"]


def test_levels_keep_their_minutes_and_all_their_targets():
    rows = {"schedules": [schedule("ps1", layer(["ann"]))]}
    mapped = map_policy(policy("pp1", level(refer("schedule", "ps1"), BOB, minutes=7), level(ANN, minutes=30)), **rows)
    assert levels(mapped) == [
        {
            "timeout_minutes": 7,
            "retries": 0,
            "targets": [{"type": "schedule", "id": "ps1_ps1"}, {"type": "user", "id": "bob@example.com"}],
        },
        {"timeout_minutes": 30, "retries": 0, "targets": [{"type": "user", "id": "ann@example.com"}]},
    ]
    wish = wishes(mapped, "escalation_policies")["pp1"]
    assert wish.needs == (("schedules", "ps1"), ("users", "ann"), ("users", "bob"))
    assert grades(mapped, "escalation_policies") == {"pp1": "exact"}


# --- loops ---


@pytest.mark.parametrize("number,loops", [(1, 0), (1, 9), (2, 4), (3, 2), (10, 0)])
def test_loops_are_written_out_as_long_as_they_fit(number, loops):
    mapped = map_policy(policy("pp1", *[level(ANN)] * number, num_loops=loops))
    assert len(levels(mapped)) == number * (loops + 1)
    assert grades(mapped, "escalation_policies") == {"pp1": "exact"}


def test_a_loop_repeats_the_whole_chain_in_order():
    mapped = map_policy(policy("pp1", level(ANN), level(BOB), num_loops=1))
    assert [each["targets"][0]["id"][:3] for each in levels(mapped)] == ["ann", "bob", "ann", "bob"]


LONG = policy("pp1", *[level(ANN)] * 3, num_loops=5)


def test_loops_that_do_not_fit_are_a_question_that_no_rule_answers():
    mapped = map_policy(LONG, rule="recommended")
    assert list(mapped.questions.open) == ["escalation_loops:pp1"]
    assert grades(mapped, "escalation_policies") == {"pp1": "lost"}
    assert mapped.held[0].open_question


@pytest.mark.parametrize("choice,number", [("fewer", 9), ("none", 3)])
def test_loops_are_cut_by_decision_and_that_is_said(choice, number):
    mapped = map_policy(LONG, decisions=[decide("escalation_loops", "pp1", choice)])
    assert len(levels(mapped)) == number
    assert grades(mapped, "escalation_policies") == {"pp1": "changed"}
    assert f"run {number // 3} times instead of 6" in reason(mapped, "escalation_policies", "pp1")


def test_a_policy_of_many_levels_is_never_cut_and_without_loops_nothing_is_asked():
    mapped = map_policy(policy("pp1", *[level(ANN)] * 12))
    assert not mapped.questions.open
    assert len(levels(mapped)) == 12


# --- round robin ---

ROUND_ROBIN = {"escalation_rule_assignment_strategy": "round_robin"}


def dealt(*targets, strategy="round_robin"):
    made = policy("pp1", level(*targets), level(BOB))
    made["escalation_rules"][0]["escalation_rule_assignment_strategy"] = strategy
    return made


@pytest.mark.parametrize("strategy", ["round_robin", {"type": "round_robin"}])
def test_round_robin_is_a_question_that_no_rule_answers(strategy):
    mapped = map_policy(dealt(ANN, BOB, strategy=strategy), rule="recommended")
    assert list(mapped.questions.open) == ["round_robin:pp1"]
    assert grades(mapped, "escalation_policies") == {"pp1": "lost"}


@pytest.mark.parametrize("choice,number", [("everyone", 2), ("first_only", 1)])
def test_round_robin_is_settled_by_decision_and_that_is_said(choice, number):
    mapped = map_policy(dealt(ANN, BOB), decisions=[decide("round_robin", "all", choice)])
    assert [len(each["targets"]) for each in levels(mapped)] == [number, 1]
    assert "instead of round robin, by decision" in reason(mapped, "escalation_policies", "pp1")


def test_a_level_with_one_target_takes_no_turns():
    mapped = map_policy(dealt(ANN))
    assert not mapped.questions.open
    assert grades(mapped, "escalation_policies") == {"pp1": "exact"}


@pytest.mark.parametrize("about", ["round_robin", "escalation_loops"])
def test_a_policy_may_be_left_out(about):
    made = dealt(ANN, BOB) | ({"num_loops": 9} if about == "escalation_loops" else {})
    answers = [decide("round_robin", "all", "everyone"), decide("escalation_loops", "all", "fewer")]
    mapped = map_policy(made, decisions=[*answers, decide(about, "pp1", "leave_out")])
    assert "left out by decision" in reason(mapped, "escalation_policies", "pp1")
    assert not mapped.held[0].open_question


# --- targets that stay behind ---


def test_a_level_never_loses_a_target():
    rows = {"users": [user("ann"), user("bob")], "escalation_policies": [policy("pp1", level(ANN, BOB))]}
    mapped = map_rows(rows, people("ann"), [decide("user_not_found", "bob", "leave_out")])
    assert grades(mapped, "escalation_policies") == {"pp1": "lost"}
    assert "Bob is a target and has neither account nor invitation" in reason(mapped, "escalation_policies", "pp1")
    assert not next(held for held in mapped.held if held.key == "pp1").open_question


def test_an_open_question_about_a_target_is_one_of_the_policys():
    rows = {"users": USERS, "escalation_policies": [policy("pp1", level(BOB), level(refer("schedule", "ps1")))]}
    rows["schedules"] = [schedule("ps1", layer(["ann"]), time_zone="Middle/Earth")]
    mapped = map_rows(rows, people("ann", "bob"))
    assert {held.key: held.open_question for held in mapped.held} == {"ps1": True, "pp1": True}


def test_a_target_that_is_nowhere_or_of_another_kind_holds_the_policy():
    for target in (refer("schedule", "gone"), refer("user", "gone"), {"id": "x", "type": "service_reference"}):
        mapped = map_policy(policy("pp1", level(ANN), level(target)))
        assert grades(mapped, "escalation_policies") == {"pp1": "lost"}


def test_a_level_that_cannot_be_read_is_a_problem_of_its_policy_only():
    mapped = map_policy(policy("pp1", (-1, [ANN])), policy("pp2", level(ANN)))
    assert grades(mapped, "escalation_policies") == {"pp1": "lost", "pp2": "exact"}
    assert "escalation_delay_in_minutes" in reason(mapped, "escalation_policies", "pp1")


def test_all_questions_about_a_policy_are_asked_at_once_while_its_people_are_undecided():
    rows = {"users": USERS, "escalation_policies": [dealt(ANN, BOB) | {"num_loops": 9}]}
    mapped = map_rows(rows, people("ann"))
    assert sorted(mapped.questions.open) == ["escalation_loops:pp1", "round_robin:pp1", "user_not_found:bob"]
    assert [(held.kind, held.key) for held in mapped.held if held.open_question] == [
        ("users", "bob"),
        ("escalation_policies", "pp1"),
    ]


def test_nothing_is_asked_about_a_policy_that_is_left_out_already():
    rows = {"users": USERS, "escalation_policies": [dealt(ANN, BOB) | {"num_loops": 9}]}
    assert not map_rows(rows, people("ann"), [decide("user_not_found", "bob", "leave_out")]).questions.open
