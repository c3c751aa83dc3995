"""How people are reached: E.164 numbers, countries that Harness does not serve, and delays that become waits."""

import pytest
from mapping_account import decide, grades, map_rows, people, reason, user, wishes

from pdmigrate.harness.records import State


def method(id, kind="phone", address="2125550101", **more):
    fields = {"id": id, "type": f"{kind}_contact_method", "label": "Work", "address": address}
    return fields | ({"country_code": 1} if kind in ("phone", "sms") else {}) | more


def rule(id, method_id, delay=0, urgency="high", kind="phone"):
    to = {"id": method_id, "type": f"{kind}_contact_method_reference"}
    return {"id": id, "start_delay_in_minutes": delay, "urgency": urgency, "contact_method": to}


def map_ann(methods, rules=(), decisions=(), state=None, who=(), **settings):
    rows = {"users": [user("ann", contact_methods=methods, notification_rules=list(rules)), *who]}
    return map_rows(rows, people("ann") if state is None else state, decisions, **settings)


def methods_of(mapped):
    return wishes(mapped, "contact_methods")["ann"].fields["methods"]


def steps_of(mapped):
    return wishes(mapped, "notification_rules")["ann"].fields["steps"]


# --- contact methods ---


@pytest.mark.parametrize(
    "country,address,written",
    [
        (1, "212-555-0101", "+12125550101"),
        (44, "7400 123456", "+447400123456"),
        (44, "07400123456", "+447400123456"),
        (91, "9876543210", "+919876543210"),
        (None, "2125550101", "+12125550101"),
    ],
)
@pytest.mark.parametrize("kind", ["phone", "sms"])
def test_a_number_is_written_as_e164(kind, country, address, written):
    mapped = map_ann([method("m1", kind, address, country_code=country)])
    assert methods_of(mapped) == [{"type": kind, "address": written, "label": "Work"}]
    assert grades(mapped, "contact_methods") == {"m1": "exact"}


def test_an_email_is_written_in_lower_case_and_labels_that_harness_has_are_kept():
    mapped = map_ann([method("m1", "email", " Ann@Example.com ", label="Work"), method("m2", label="Home")])
    assert methods_of(mapped) == [
        {"type": "phone", "address": "+12125550101", "label": "Home"},
        {"type": "email", "address": "ann@example.com", "label": "Work"},
    ]


def test_two_methods_that_are_one_are_written_once_and_both_are_carried_over():
    mapped = map_ann([method("m1", address="212 555 0101"), method("m2", address="2125550101")])
    assert len(methods_of(mapped)) == 1
    assert grades(mapped, "contact_methods") == {"m1": "exact", "m2": "exact"}


@pytest.mark.parametrize(
    "odd,grade,why",
    [
        (method("m1", "push_notification"), "handed_over", "installs Harness's"),
        (method("m1", "whatsapp"), "lost", "Harness has no whatsapp"),
        (method("m1", blacklisted=True), "lost", "blocked or switched off"),
        (method("m1", enabled=False), "lost", "blocked or switched off"),
        (method("m1", address=None), "lost", "a reference only"),
        (method("m1", address="12"), "lost", "is no phone number"),
        (method("m1", address="call me"), "lost", "is no phone number"),
    ],
)
def test_what_does_not_move_says_why(odd, grade, why):
    mapped = map_ann([odd])
    assert grades(mapped, "contact_methods") == {"m1": grade}
    assert why in reason(mapped, "contact_methods", "m1")
    assert wishes(mapped, "contact_methods") == {}


GERMAN = method("m1", address="15123456789", country_code=49)


def test_a_country_that_harness_does_not_serve_is_a_question_that_no_rule_answers():
    mapped = map_ann([GERMAN, method("m2")], rule="recommended")
    assert list(mapped.questions.open) == ["phone_country:m1"]
    assert [held.key for held in mapped.held if held.open_question] == ["m1"]
    assert [each["address"] for each in methods_of(mapped)] == ["+12125550101"]


@pytest.mark.parametrize("choice", ["leave_out", "ask_harness"])
def test_such_a_number_is_not_moved_whatever_is_decided(choice):
    mapped = map_ann([GERMAN], decisions=[decide("phone_country", "all", choice)])
    assert grades(mapped, "contact_methods") == {"m1": "lost"}
    assert not mapped.held


@pytest.mark.parametrize(
    "country,address,name",
    [
        (1, "7875551234", "+1 (Puerto Rico)"),
        (44, "7781123456", "+44 (Guernsey)"),
        (44, "1534123456", "+44 (Jersey)"),
        (7, "7012345678", "+7 (Kazakhstan)"),
        (49, "15123456789", "+49"),
    ],
)
def test_territories_that_share_a_code_are_told_by_name(country, address, name):
    mapped = map_ann([method("m1", address=address, country_code=country)])
    assert f"has a number in {name}, where Harness neither calls" in mapped.questions.open["phone_country:m1"].question
    assert mapped.unserved == {name: ["Ann"]}


@pytest.mark.parametrize("address", ["5551234567", "2001234567", "0005550101"])
@pytest.mark.parametrize("rule_of_open", ["stop", "recommended"])
def test_a_number_that_nobody_knows_is_a_question_and_no_country_that_harness_serves_is_asked_for(
    address, rule_of_open
):
    mapped = map_ann([method("m1", address=address)], [rule("r1", "m1")], rule=rule_of_open)
    assert list(mapped.questions.open) == ["unknown_number:m1"]
    assert mapped.questions.open["unknown_number:m1"].recommended == "it_is_right"
    assert mapped.unserved == {}
    assert [(held.key, held.open_question) for held in mapped.held] == [("m1", True)]


@pytest.mark.parametrize(
    "country,address,written", [(1, "5551234567", "+15551234567"), (44, "1012345678", "+441012345678")]
)
def test_a_number_that_a_person_knows_is_carried_over_as_it_stands(country, address, written):
    odd = method("m1", address=address, country_code=country)
    mapped = map_ann([odd], decisions=[decide("unknown_number", "m1", "it_is_right")])
    assert methods_of(mapped) == [{"type": "phone", "address": written, "label": "Work"}]
    assert (mapped.questions.open, mapped.unserved) == ({}, {})
    left = map_ann([odd], decisions=[decide("unknown_number", "m1", "leave_out")])
    assert grades(left, "contact_methods") == {"m1": "lost"}
    assert not left.held


def test_an_extension_is_kept_in_the_words_to_the_person():
    mapped = map_ann([method("m1", address="5551234567,,99")])
    assert "+15551234567, extension 99," in mapped.questions.open["unknown_number:m1"].question
    right = map_ann([method("m1", address="5551234567,,99")], decisions=[decide("unknown_number", "m1", "it_is_right")])
    assert "PagerDuty dials 99 after +15551234567" in reason(right, "contact_methods", "m1")


def test_a_number_of_the_wrong_length_is_rather_a_slip():
    mapped = map_ann([method("m1", address="21255501011234")])
    assert mapped.questions.open["unknown_number:m1"].recommended == "leave_out"


def test_the_country_of_an_unknown_number_that_is_right_is_asked_about_where_harness_does_not_serve_it():
    odd = method("m1", address="0123", country_code=49)
    mapped = map_ann([odd], decisions=[decide("unknown_number", "m1", "it_is_right")])
    assert list(mapped.questions.open) == ["phone_country:m1"]


# --- notification rules ---

EMAIL, PHONE = method("e", "email", "ann@example.com"), method("p")
MAIL, CALL = {"type": "email", "address": "ann@example.com"}, {"type": "phone", "address": "+12125550101"}


def test_delays_become_waits_after_the_step_before():
    rules = [rule("r3", "p", 15), rule("r1", "e", 0), rule("r2", "p", 5), rule("r4", "e", 15)]
    assert steps_of(map_ann([EMAIL, PHONE], rules)) == [
        {"methods": [MAIL], "wait_minutes": 0},
        {"methods": [CALL], "wait_minutes": 5},
        {"methods": [MAIL, CALL], "wait_minutes": 10},
    ]


def test_a_first_delay_is_a_wait_too():
    assert steps_of(map_ann([PHONE], [rule("r1", "p", 5)])) == [{"methods": [CALL], "wait_minutes": 5}]


def test_a_first_wait_that_a_persons_form_may_not_take_is_a_change_and_said():
    by_hand = State(people=people("ann").people)
    assert "before the first" not in reason(
        map_ann([PHONE], [rule("r1", "p")], state=by_hand), "notification_rules", "r1"
    )
    app = rule("r0", "x", kind="push_notification")
    assert "before the first" not in reason(
        map_ann([PHONE], [app, rule("r1", "p", 5)], state=by_hand), "notification_rules", "r1"
    )
    mapped = map_ann([PHONE], [rule("r1", "p", 5)], state=by_hand)
    assert "waits 5 min before the first notification" in reason(mapped, "notification_rules", "r1")
    assert grades(map_ann([PHONE], [rule("r1", "p", 5)]), "notification_rules") == {"r1": "exact"}


def test_the_same_channel_twice_in_a_minute_is_once():
    mapped = map_ann([PHONE], [rule("r1", "p"), rule("r2", "p")])
    assert steps_of(mapped) == [{"methods": [CALL], "wait_minutes": 0}]
    assert grades(mapped, "notification_rules") == {"r1": "exact", "r2": "exact"}


@pytest.mark.parametrize(
    "odd,grade,why",
    [
        (rule("r1", "p", urgency="low"), "lost", "low urgency"),
        (rule("r1", "x", kind="push_notification"), "handed_over", "mobile app"),
        (rule("r1", "gone"), "lost", "its contact method is not carried over"),
        ({"id": "r1", "type": "assignment_notification_rule_reference"}, "lost", "a reference only"),
    ],
)
def test_a_rule_that_does_not_move_says_why(odd, grade, why):
    mapped = map_ann([PHONE], [odd])
    assert grades(mapped, "notification_rules") == {"r1": grade}
    assert why in reason(mapped, "notification_rules", "r1")
    assert wishes(mapped, "notification_rules") == {}


# --- whose they are ---


def test_the_details_of_whoever_stays_behind_stay_behind_and_are_counted():
    answers = [decide("user_not_found", "ann", "leave_out")]
    mapped = map_ann([EMAIL, PHONE], [rule("r1", "p")], answers, state=State(oncall=True))
    assert set(grades(mapped, "contact_methods").values()) == {"lost"}
    assert (len(grades(mapped, "contact_methods")), len(grades(mapped, "notification_rules"))) == (2, 1)


def test_one_person_with_two_users_keeps_the_details_of_the_first():
    twin = user("ann2", email="ann@example.com", contact_methods=[method("p2", address="2125550199")])
    mapped = map_ann([PHONE], decisions=[decide("user_found_twice", "all", "same_person")], who=[twin])
    assert grades(mapped, "contact_methods") == {"p": "exact", "p2": "lost"}
    assert [each["address"] for each in methods_of(mapped)] == ["+12125550101"]


def test_without_the_on_call_api_a_person_types_them_in():
    mapped = map_ann([EMAIL], [rule("r1", "e")], state=State(people=people("ann").people))
    assert set((grades(mapped, "contact_methods") | grades(mapped, "notification_rules")).values()) == {"handed_over"}


def test_contact_details_may_be_left_where_they_are():
    mapped = map_ann([EMAIL, PHONE], [rule("r1", "p")], contact_details=False)
    assert {wish.kind for wish in mapped.desired} == {"users"}
