"""Losses need an answer: whatever would not move is an open question, or names the answer or rule that decided it."""

import pytest
from mapping_account import (
    decide,
    grades,
    layer,
    map_rows,
    override,
    people,
    policy,
    reason,
    refer,
    schedule,
    service,
    user,
    wishes,
)

ANN, BOB = refer("user", "ann"), refer("user", "bob")
CAT = refer("user", "cat", deleted_at="2024-05-01T00:00:00Z")
ZED = refer("user", "zed")
USERS = [user("ann"), user("bob")]


def map_policy(*levels, decisions=(), rule="stop", state=None, **more):
    """One policy of levels, each a list of targets with 30 minutes, and a service that pages by it."""
    made = policy("pe1", *[(30, list(targets)) for targets in levels])
    rows = {"users": USERS, "escalation_policies": [made], "services": [service("sv1", "pe1")]}
    return map_rows(rows | more, state or people("ann", "bob"), decisions, rule)


def levels(mapped):
    return [
        [target["id"] for target in level["targets"]]
        for level in wishes(mapped, "escalation_policies")["pe1"].fields["levels"]
    ]


def held(mapped, kind, key):
    return next(one for one in mapped.held if (one.kind, one.key) == (kind, key))


def effect(conflict, choice):
    return next(option.effect for option in conflict.options if option.name == choice)


# --- targets that are deleted, unlisted, unknown ---


def test_a_deleted_target_goes_by_the_rule_since_it_pages_nobody_today():
    mapped = map_policy([CAT, ANN], [BOB], rule="recommended")
    assert mapped.questions.answered["deleted_target:pe1/cat"].choice == "without"
    assert levels(mapped) == [["ann@example.com"], ["bob@example.com"]]
    assert grades(mapped, "escalation_policies") == {"pe1": "changed"}
    assert "without Cat, deleted in PagerDuty" in reason(mapped, "escalation_policies", "pe1")
    assert grades(mapped, "services") == {"sv1": "exact"}


def test_without_a_rule_a_deleted_target_is_a_question_and_what_needs_it_waits():
    mapped = map_policy([CAT, ANN], [BOB])
    asked = mapped.questions.open["deleted_target:pe1/cat"]
    assert "deleted in PagerDuty on 2024-05-01" in asked.question
    assert (asked.recommended, asked.changes_paging) == ("without", False)
    assert {one.key: one.open_question for one in mapped.held} == {"pe1": True, "sv1": True}


@pytest.mark.parametrize("at", [0, 1])
def test_a_level_of_deleted_targets_alone_is_left_out_as_pagerduty_passes_it_over(at):
    chain = [[ANN], [BOB]]
    chain.insert(at, [CAT])
    mapped = map_policy(*chain, rule="recommended")
    assert not mapped.questions.open
    assert "passes it over at once" in effect(mapped.questions.answered["deleted_target:pe1/cat"].conflict, "without")
    assert levels(mapped) == [["ann@example.com"], ["bob@example.com"]]
    said = f"level {at + 1} has nobody left and is left out: PagerDuty passes it over at once"
    assert said in reason(mapped, "escalation_policies", "pe1")


def test_a_deleted_schedule_is_a_deleted_target():
    gone = refer("schedule", "ps9", deleted_at="2024-05-01T00:00:00Z")
    mapped = map_policy([gone, ANN], rule="recommended")
    assert levels(mapped) == [["ann@example.com"]]
    assert mapped.questions.answered["deleted_target:pe1/ps9"].choice == "without"


def test_a_target_that_stands_in_two_levels_is_asked_about_once():
    mapped = map_policy([CAT, ANN], [CAT, BOB])
    assert [key for key in mapped.questions.open if key.startswith("deleted_target")] == ["deleted_target:pe1/cat"]
    assert "Level 1, 2 of Pe1" in mapped.questions.open["deleted_target:pe1/cat"].question


@pytest.mark.parametrize("target", [ZED, refer("schedule", "zed"), refer("schedule_v3", "zed")])
def test_an_unlisted_target_is_a_question_that_no_rule_answers(target):
    mapped = map_policy([target, ANN], [BOB], rule="recommended")
    asked = mapped.questions.open["dangling_reference:pe1/zed"]
    assert (asked.kind, asked.recommended, asked.changes_paging) == ("escalation_policies", "leave_out", True)
    assert "perhaps the key may not read it" in asked.question
    assert "As far as anybody knows PagerDuty pages Zed" in asked.meaning
    assert grades(mapped, "services") == {"sv1": "lost"}
    assert all(one.open_question for one in mapped.held)


def test_an_unlisted_target_goes_by_a_persons_answer_and_that_is_said():
    mapped = map_policy([ZED, ANN], decisions=[decide("dangling_reference", "pe1/zed", "without")])
    assert levels(mapped) == [["ann@example.com"]]
    assert "without Zed, by decision" in reason(mapped, "escalation_policies", "pe1")


def test_an_unlisted_target_alone_in_its_level_leaves_it_silent_and_that_is_asked_next():
    go_on = decide("dangling_reference", "pe1/zed", "without")
    mapped = map_policy([ANN], [ZED], [BOB], decisions=[go_on])
    asked = mapped.questions.open["silent_level:pe1"]
    assert "level 2 is left out: whoever comes after it is paged 30 min earlier" in effect(asked, "without")
    assert (asked.recommended, asked.changes_paging) == ("leave_out", True)
    done = map_policy([ANN], [ZED], [BOB], decisions=[go_on, decide("silent_level", "pe1", "without")])
    assert levels(done) == [["ann@example.com"], ["bob@example.com"]]
    assert "paged 30 min earlier, by decision" in reason(done, "escalation_policies", "pe1")


def test_a_target_of_an_unknown_type_is_a_question():
    odd = {"id": "x1", "type": "service_reference", "summary": "Odd"}
    mapped = map_policy([odd, ANN], rule="recommended")
    assert list(mapped.questions.open) == ["unknown_target:pe1/x1"]
    assert "'service'" in mapped.questions.open["unknown_target:pe1/x1"].question
    assert levels(map_policy([odd, ANN], decisions=[decide("unknown_target", "all", "without")])) == [
        ["ann@example.com"]
    ]


def test_levels_without_a_target_are_a_question_that_a_rule_may_answer():
    assert list(map_policy([ANN], []).questions.open) == ["empty_level:pe1"]
    mapped = map_policy([ANN], [], [BOB], rule="recommended")
    assert levels(mapped) == [["ann@example.com"], ["bob@example.com"]]
    assert "level 2 has no target and is left out" in reason(mapped, "escalation_policies", "pe1")


@pytest.mark.parametrize("chain", [[[]], [[], []], [], [[CAT]]])
def test_a_policy_that_would_page_nobody_is_a_question_that_no_rule_answers(chain):
    mapped = map_policy(*chain, rule="recommended")
    assert list(mapped.questions.open) == ["policy_without_target:pe1"]
    assert grades(mapped, "services") == {"sv1": "lost"}


def test_one_of_two_in_turns_is_still_asked_about_but_not_where_the_other_is_deleted():
    strategy = {"escalation_rule_assignment_strategy": "round_robin"}

    def dealt(*targets):
        made = policy("pe1", (30, list(targets)))
        made["escalation_rules"][0] |= strategy
        return map_rows({"users": USERS, "escalation_policies": [made]}, people("ann", "bob"), rule="recommended")

    assert "round_robin:pe1" not in dealt(ANN, CAT).questions.open
    assert "round_robin:pe1" in dealt(ANN, BOB, CAT).questions.open


# --- who stands in a schedule ---


def test_a_deleted_and_an_unlisted_participant_are_two_questions():
    rows = {"users": USERS, "schedules": [schedule("ps1", layer([ANN, CAT, ZED]))]}
    mapped = map_rows(rows, people("ann", "bob"))
    assert sorted(mapped.questions.open) == ["dangling_reference:ps1/zed", "deleted_participant:ps1/cat"]
    unlisted, deleted = (mapped.questions.open[key] for key in sorted(mapped.questions.open))
    assert "whom no list of PagerDuty shows" in unlisted.question
    assert "perhaps the key may not read" in unlisted.question
    assert "As far as anybody knows PagerDuty pages Zed" in unlisted.meaning
    assert "a key that may read" in unlisted.meaning
    assert "a hole" in effect(unlisted, "empty_place")
    assert (unlisted.recommended, unlisted.changes_paging) == ("leave_out", True)
    assert "was deleted in PagerDuty on 2024-05-01" in deleted.question
    assert (deleted.recommended, deleted.changes_paging) == ("empty_place", False)


def test_places_that_stay_empty_say_why():
    rows = {"users": USERS, "schedules": [schedule("ps1", layer([ANN, CAT, ZED]))]}
    mapped = map_rows(rows, people("ann", "bob"), [decide("dangling_reference", "all", "empty_place")], "recommended")
    said = reason(mapped, "schedules", "ps1")
    assert "turns of Cat stay empty: deleted in PagerDuty" in said
    assert "turns of Zed stay empty: no list of PagerDuty shows them, by decision" in said


def test_who_stood_only_in_a_layer_that_has_ended_is_not_asked_about():
    old = layer([CAT, ZED], "PL0", end="2026-01-01T00:00:00Z")
    mapped = map_rows({"users": USERS, "schedules": [schedule("ps1", layer([ANN]), old)]}, people("ann", "bob"))
    assert not mapped.questions.open
    assert grades(mapped, "schedules") == {"ps1": "exact"}


# --- what an answer drops takes everything that needs it along, and names that answer ---


def chain_rows():
    rows = {"users": USERS, "schedules": [schedule("ps1", layer([ANN, BOB]))]}
    rows["schedules"][0]["overrides_subschedule"] = {"rendered_schedule_entries": [override("ann", 1, 2)]}
    rows["escalation_policies"] = [policy("pe1", (5, [refer("schedule", "ps1")]))]
    return rows | {"services": [service("sv1", "pe1")]}


CHAIN = [("users", "bob"), ("schedules", "ps1"), ("escalation_policies", "pe1"), ("services", "sv1")]


def test_the_chain_keeps_the_key_of_the_answer_at_its_root():
    mapped = map_rows(chain_rows(), people("ann"), [decide("user_not_found", "bob", "leave_out")])
    assert [held(mapped, *place).decided for place in CHAIN] == ["user_not_found:bob"] * 4
    assert {one.decided for one in mapped.held} == {"user_not_found:bob"}, "its override too"
    assert not any(one.open_question for one in mapped.held)


@pytest.mark.parametrize("rule", ["stop", "skip"])
def test_no_rule_makes_an_open_question_a_decided_one(rule):
    mapped = map_rows(chain_rows(), people("ann"), rule=rule)
    assert list(mapped.questions.open) == ["user_not_found:bob"]
    assert [held(mapped, *place).open_question for place in CHAIN] == [True] * 4
    assert {one.decided for one in mapped.held} == {""}


def test_contacts_of_who_does_not_move_name_the_answer():
    method = {"id": "m1", "type": "email_contact_method", "address": "bob@example.com"}
    rows = {"users": [user("ann"), user("bob", contact_methods=[method])]}
    mapped = map_rows(rows, people("ann"), [decide("user_not_found", "bob", "leave_out")])
    assert held(mapped, "contact_methods", "m1").decided == "user_not_found:bob"
    assert held(map_rows(rows, people("ann")), "contact_methods", "m1").open_question


def test_two_who_become_one_by_hand_are_asked_about_whichever_comes_first():
    method = {"id": "m1", "type": "email_contact_method", "address": "bob@example.com"}
    by_hand = decide("user_not_found", "ann", "map", "bob@example.com")
    rows = {"users": [user("ann"), user("bob", contact_methods=[method])]}
    assert list(map_rows(rows, people("bob"), [by_hand]).questions.open) == ["user_found_twice:ann"]
    mapped = map_rows(rows, people("bob"), [by_hand, decide("user_found_twice", "ann", "same_person")])
    assert held(mapped, "contact_methods", "m1").decided == "user_found_twice:ann"


def test_an_answer_that_cannot_be_carried_out_leaves_its_question_open():
    made = schedule("ps1", layer([ANN]), time_zone="Europe/Lodnon")
    answer = decide("unknown_time_zone", "ps1", "other", "Middle/Earth")
    mapped = map_rows({"users": USERS, "schedules": [made]}, people("ann", "bob"), [answer])
    assert list(mapped.questions.open) == ["unknown_time_zone:ps1"]
    assert not [key for key in mapped.questions.answered if "zone" in key]
