"""Records that cannot be used, members, contacts, and what no list shows: each is said, and asked where it pages."""

import pytest
from mapping_account import (
    decide,
    layer,
    map_rows,
    people,
    policy,
    refer,
    schedule,
    service,
    team,
    user,
)

from pdmigrate.harness.records import State

ANN = refer("user", "ann")
CAT = refer("user", "cat", deleted_at="2024-05-01T00:00:00Z")
ZED = refer("user", "zed")
USERS = [user("ann"), user("bob")]


def held(mapped, kind, key):
    return next(one for one in mapped.held if (one.kind, one.key) == (kind, key))


ODD = {"escalation_rule_assignment_strategy": {"type": "assign_to_least_recent"}}


def odd_policy(id="pe1"):
    made = policy(id, (30, [ANN]))
    made["escalation_rules"][0] |= ODD
    return made


def test_a_policy_that_cannot_be_used_is_not_one_that_no_list_shows():
    rows = {"users": USERS, "escalation_policies": [odd_policy()], "services": [service("sv1", "pe1")]}
    mapped = map_rows(rows, people("ann", "bob"), rule="recommended")
    assert sorted(mapped.questions.open) == ["unusable_policy:sv1", "unusable_record:pe1"]
    for asked in mapped.questions.open.values():
        assert "escalation_rule_assignment_strategy: Input should be 'assign_to_everyone'" in asked.question
        assert "or 'round_robin', not 'assign_to_least_recent'" in asked.question
        assert "Pe1" in asked.question
    assert held(mapped, "services", "sv1").open_question
    answers = [decide("unusable_policy", "sv1", "leave_out"), decide("unusable_record", "pe1", "leave_out")]
    done = map_rows(rows, people("ann", "bob"), answers)
    assert {one.key: one.decided for one in done.held} == {"pe1": "unusable_record:pe1", "sv1": "unusable_policy:sv1"}


def test_of_an_unknown_value_a_plain_word_is_quoted_and_nothing_else():
    made = policy("pe1", (30, [ANN]))
    made["escalation_rules"][0]["escalation_rule_assignment_strategy"] = "Token y_NbAkKc66ryYTWUXYEu"
    [asked] = map_rows({"users": USERS, "escalation_policies": [made]}, people("ann", "bob")).questions.open.values()
    assert asked.question.endswith("Input should be 'assign_to_everyone' or 'round_robin'.")


BROKEN = {
    "users": {"id": "x1", "name": "Odd"},
    "teams": {"id": "x1", "name": 1.5},
    "schedules": {"id": "x1", "name": "Odd"},
    "escalation_policies": odd_policy("x1"),
    "services": {"id": "x1"},
}


@pytest.mark.parametrize("kind", BROKEN)
def test_a_record_that_cannot_be_used_is_a_question_in_every_kind(kind):
    rows = {"users": USERS}
    mapped = map_rows(rows | {kind: [*rows.get(kind, ()), BROKEN[kind]]}, people("ann", "bob"), rule="recommended")
    assert list(mapped.questions.open) == ["unusable_record:x1"]
    assert held(mapped, kind, "x1").open_question


def test_what_needs_a_broken_record_waits_for_its_answer():
    rows = {"users": [*USERS, {"id": "odd", "name": "Odd"}], "schedules": [schedule("ps1", layer(["ann", "odd"]))]}
    rows["escalation_policies"] = [
        policy("pe1", (5, [refer("schedule", "ps1")])),
        policy("pe2", (5, [refer("user", "odd")])),
    ]
    mapped = map_rows(rows, people("ann", "bob"), [decide("unusable_record", "odd", "leave_out")])
    assert not mapped.questions.open
    assert {one.decided for one in mapped.held} == {"unusable_record:odd"}
    assert [one.key for one in mapped.held] == ["odd", "ps1", "pe1", "pe2"]


def test_a_broken_record_outside_the_scope_is_no_question():
    rows = {"users": USERS, "escalation_policies": [policy("pe1", (5, [ANN])), odd_policy("pe2")]}
    rows["services"] = [service("sv1", "pe1"), service("sv2", "pe2")]
    assert not map_rows(rows, people("ann", "bob"), services=["sv1"]).questions.open
    inside = map_rows(rows, people("ann", "bob"), services=["sv2"])
    assert sorted(inside.questions.open) == ["unusable_policy:sv2", "unusable_record:pe2"]


def test_a_service_without_a_policy_is_a_question():
    rows = {"users": USERS, "services": [service("sv1")]}
    mapped = map_rows(rows, people("ann", "bob"), rule="recommended")
    assert list(mapped.questions.open) == ["service_without_policy:sv1"]
    done = map_rows(rows, people("ann", "bob"), [decide("service_without_policy", "all", "leave_out")])
    assert held(done, "services", "sv1").decided == "service_without_policy:sv1"


def test_without_the_on_call_api_too_a_service_waits_for_its_policy():
    rows = {"users": USERS, "services": [service("sv1", "pe1")]}
    rows["escalation_policies"] = [policy("pe1", (5, [ANN, ZED]))]
    public = State(people=people("ann", "bob").people)
    mapped = map_rows(rows, public, [decide("dangling_reference", "pe1/zed", "leave_out")], "recommended")
    assert held(mapped, "services", "sv1").decided == "dangling_reference:pe1/zed"


# --- members and contacts ---


def test_members_whom_no_list_shows_are_one_question_of_their_team():
    members = {"pt1": [{"user": ANN}, {"user": ZED}, {"user": CAT}]}
    rows = {"users": USERS, "teams": [team("pt1")], "team_members": members}
    mapped = map_rows(rows, people("ann", "bob"))
    asked = mapped.questions.open["unlisted_member:pt1"]
    assert "Zed" in asked.question
    assert "Cat" not in asked.question, "PagerDuty says that she is deleted"
    assert held(mapped, "teams", "pt1/members").open_question
    assert not map_rows(rows, people("ann", "bob"), rule="recommended").questions.open


def contacts(methods, rules):
    return {"users": [user("ann", contact_methods=methods, notification_rules=rules)]}


def describe(method_id, urgency="high"):
    to = {"id": method_id, "type": "whatsapp_contact_method_reference"}
    return {"id": f"n-{method_id}", "urgency": urgency, "start_delay_in_minutes": 0, "contact_method": to}


WHATSAPP = {"id": "m1", "type": "whatsapp_contact_method", "address": "1", "summary": "WhatsApp"}


def test_a_contact_that_pages_today_and_does_not_move_is_a_question_of_its_person():
    mapped = map_rows(contacts([WHATSAPP], [describe("m1")]), people("ann"), rule="recommended")
    asked = mapped.questions.open["lost_contact:ann"]
    assert "WhatsApp: Harness has no whatsapp" in asked.question
    assert asked.changes_paging
    assert held(mapped, "contact_methods", "ann").open_question
    assert not map_rows(
        contacts([WHATSAPP], [describe("m1")]), people("ann"), [decide("lost_contact", "all", "leave_out")]
    ).questions.open


@pytest.mark.parametrize(
    "methods,rules",
    [
        ([WHATSAPP], []),
        ([WHATSAPP], [describe("m1", "low")]),
        ([{**WHATSAPP, "enabled": False}], [describe("m1")]),
        ([{"id": "m1", "type": "push_notification_contact_method", "address": "x"}], [describe("m1")]),
    ],
    ids=["no rule uses it", "low urgency only", "switched off", "handed over"],
)
def test_a_contact_that_pages_nobody_today_is_no_question(methods, rules):
    assert not map_rows(contacts(methods, rules), people("ann")).questions.open


def test_contacts_that_came_as_references_only_are_a_question():
    bare = [{"id": "m1", "type": "email_contact_method_reference", "summary": "Default"}]
    mapped = map_rows(contacts(bare, [{"id": "n1", "type": "assignment_notification_rule_reference"}]), people("ann"))
    asked = mapped.questions.open["lost_contact:ann"]
    assert "Default: PagerDuty gave a reference only, no address" in asked.question
    assert "1 notification rules came without their delay or contact method" in asked.question


# --- what no list shows ---


def account_with_a_hidden_team():
    hidden = refer("team", "PTHID", summary="Security (private)")
    made = policy("pe1", (30, [ANN]), teams=[hidden], services=[refer("service", "sv1"), refer("service", "PSHID")])
    rows = {"users": [user("ann", teams=[hidden]), user("bob")], "teams": [team("pt1")]}
    rows |= {"escalation_policies": [made], "services": [service("sv1", "pe1", teams=[hidden]), service("sv2")]}
    return rows


def test_teams_and_services_that_others_name_and_no_list_shows_are_said():
    mapped = map_rows(account_with_a_hidden_team(), people("ann", "bob"))
    assert [one.describe(mapped.scope) for one in mapped.account.hidden] == [
        "the service Pshid (PSHID), named by the policy Pe1",
        "the team Security (private) (PTHID), named by the policy Pe1, the service Sv1, the user Ann",
    ]


def test_what_nothing_in_scope_names_hides_nothing():
    mapped = map_rows(account_with_a_hidden_team(), people("ann", "bob"), services=["sv2"])
    assert [one.describe(mapped.scope) for one in mapped.account.hidden] == ["", ""]


def test_a_list_of_teams_that_could_not_be_read_hides_no_team():
    rows = account_with_a_hidden_team() | {"teams": [], "unread": {"teams": "forbidden: 402"}}
    assert [one.kind for one in map_rows(rows, people("ann", "bob")).account.hidden] == ["services"]
