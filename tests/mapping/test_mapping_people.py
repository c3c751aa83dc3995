"""People by email, and teams to user groups: who is who, who is asked about, and what collides."""

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
    team,
    user,
    wishes,
)

from pdmigrate.harness.records import State, UserGroup
from pdmigrate.plan.actions import LedgerEntry

ANN, BOB = user("ann"), user("bob")


def members(*names, role="responder"):
    return [{"user": refer("user", name), "role": role} for name in names]


# --- people ---


def test_people_are_found_by_email_whatever_its_case():
    mapped = map_rows({"users": [user("ann", email=" Ann@Example.COM ")]}, people("ann"))
    assert mapped.emails == {"ann": "ann@example.com"}
    assert wishes(mapped, "users")["ann"].identifier == "ann@example.com"
    assert not mapped.questions.open


def test_what_is_over_or_covers_no_time_is_no_place_on_call():
    """An ended layer stays in PagerDuty for good: whoever stands in nothing else costs no mail and no seat."""
    over = layer(["ann", "bob"], "PL1", end="2026-01-01T00:00:00Z")
    upside_down = layer(["bob"], "PL2", start="2027-01-01T00:00:00Z", end="2026-12-01T00:00:00Z")
    stood_in = {"rendered_schedule_entries": [override("bob", -9, -8), override("bob", 4, 4), override("bob", 6, 5)]}
    rows = [schedule("ps1", over, upside_down, layer(["ann"], "PL3"), overrides_subschedule=stood_in)]
    mapped = map_rows({"users": [ANN, BOB], "schedules": rows})
    asked = mapped.questions.open
    assert "stands in 1 place on call" in asked["user_not_found:ann"].meaning
    assert "is on call nowhere" in asked["user_not_found:bob"].meaning
    assert [asked[f"user_not_found:{name}"].recommended for name in ("ann", "bob")] == ["invite", "leave_out"]


def test_an_invited_person_is_found_too():
    mapped = map_rows({"users": [ANN]}, people(invited=["ann"]))
    assert mapped.emails == {"ann": "ann@example.com"}


def test_a_stranger_is_a_question_and_in_no_plan():
    mapped = map_rows({"users": [ANN], "schedules": [schedule("ps1", layer(["ann"]))]})
    assert list(mapped.questions.open) == ["user_not_found:ann"]
    assert mapped.questions.open["user_not_found:ann"].recommended == "invite"
    assert "stands in 1 place on call" in mapped.questions.open["user_not_found:ann"].meaning
    assert mapped.desired == []
    assert mapped.undecided == {"ann"}
    assert all(held.open_question for held in mapped.held)


def test_nobody_recommends_to_invite_who_is_on_call_nowhere():
    mapped = map_rows({"users": [ANN]})
    assert mapped.questions.open["user_not_found:ann"].recommended == "leave_out"


def test_an_invited_one_joins_the_groups_of_his_teams():
    rows = {"users": [ANN], "teams": [team("pt1"), team("pt2")], "team_members": {"pt1": members("ann")}}
    mapped = map_rows(rows, decisions=[decide("user_not_found", "ann", "invite")])
    wish = wishes(mapped, "users")["ann"]
    assert wish.fields == {"email": "ann@example.com", "groups": ["pt1_pt1"]}
    assert wish.needs == (("teams", "pt1"),)
    assert wishes(mapped, "teams")["pt1"].fields["users"] == [], "he joins by the invitation"


def test_a_person_mapped_by_hand_is_paged_as_the_other():
    rows = {"users": [ANN], "schedules": [schedule("ps1", layer(["ann"]))]}
    mapped = map_rows(rows, people("bob"), [decide("user_not_found", "ann", "map", "Bob@example.com")])
    assert mapped.emails == {"ann": "bob@example.com"}
    assert wishes(mapped, "schedules")["ps1"].fields["rotations"][0]["participants"] == ["bob@example.com"]
    assert grades(mapped, "users") == {"ann": "changed"}


def test_nobody_is_mapped_to_somebody_who_is_not_there():
    mapped = map_rows({"users": [ANN]}, people("bob"), [decide("user_not_found", "ann", "map", "cat@example.com")])
    assert list(mapped.questions.open) == ["user_not_found:ann"]
    assert not mapped.questions.answered
    assert "cat@example.com" in reason(mapped, "users", "ann")
    said = (
        "ann decided map cat@example.com, which cannot be carried out: cat@example.com is nobody in the Harness project"
    )
    assert said in mapped.questions.open["user_not_found:ann"].meaning
    assert "user_not_found:ann cannot be carried out" in mapped.questions.refused[0]


def test_whoever_is_left_out_holds_every_schedule_that_needs_him():
    rows = {"users": [ANN, BOB], "schedules": [schedule("ps1", layer(["ann", "bob"])), schedule("ps2", layer(["bob"]))]}
    mapped = map_rows(rows, people("bob"), [decide("user_not_found", "ann", "leave_out")])
    assert grades(mapped, "schedules") == {"ps1": "lost", "ps2": "exact"}
    assert "Ann stands in it and has neither account nor invitation" in reason(mapped, "schedules", "ps1")
    assert not any(held.open_question for held in mapped.held)


def test_two_users_with_one_email_are_a_question_for_each():
    rows = {"users": [ANN, user("ann2", email="ANN@example.com")]}
    mapped = map_rows(rows, people("ann"), rule="recommended")
    assert sorted(mapped.questions.open) == ["user_found_twice:ann", "user_found_twice:ann2"]
    assert mapped.emails == {}


def test_two_users_who_are_one_person_become_one():
    rows = {"users": [ANN, user("ann2", email="ANN@example.com")]}
    mapped = map_rows(rows, people("ann"), [decide("user_found_twice", "all", "same_person")])
    assert set(mapped.emails.values()) == {"ann@example.com"}


def test_one_of_two_users_may_be_left_out():
    rows = {"users": [ANN, user("ann2", email="ann@example.com")]}
    answers = [decide("user_found_twice", "ann", "same_person"), decide("user_found_twice", "ann2", "leave_out")]
    mapped = map_rows(rows, people("ann"), answers)
    assert mapped.emails == {"ann": "ann@example.com"}
    assert grades(mapped, "users") == {"ann": "exact", "ann2": "lost"}


def test_what_harness_does_not_know_of_a_person_is_lost_and_said():
    mapped = map_rows({"users": [user("ann", role="admin", job_title="SRE", time_zone="UTC")]}, people("ann"))
    [outcome] = mapped.outcomes
    assert outcome.grade == "exact", "it pages nobody"
    assert {f.field for f in outcome.fields if f.grade == "lost"} == {"role", "job_title", "time_zone"}


def test_a_user_that_cannot_be_read_is_lost_with_the_reason():
    mapped = map_rows({"users": [{"id": "odd", "name": "Odd"}]})
    assert grades(mapped, "users") == {"odd": "lost"}
    assert "email" in reason(mapped, "users", "odd")


# --- a user who is nobody ---

STAKEHOLDER = user("eve", role="read_only_user")


@pytest.mark.parametrize("role", ["read_only_user", "read_only_limited_user", "observer"])
def test_nobody_recommends_to_invite_who_only_looks_on(role):
    eve = user("eve", role=role)
    rows = {"users": [eve], "teams": [team("pt1")], "team_members": {"pt1": members("eve")}}
    asked = map_rows(rows).questions.open["user_not_found:eve"]
    assert (asked.recommended, asked.changes_paging) == ("leave_out", False)
    assert f"The PagerDuty role is {role}" in asked.question
    assert asked.note == f"PagerDuty role {role}"


def test_a_stakeholder_who_stands_on_call_all_the_same_is_for_a_person_to_decide():
    rows = {"users": [STAKEHOLDER], "schedules": [schedule("ps1", layer(["eve"]))]}
    asked = map_rows(rows, rule="recommended").questions.open["user_not_found:eve"]
    assert (asked.recommended, asked.changes_paging) == ("leave_out", True)


def test_whoever_is_in_teams_to_look_on_only_is_not_recommended_either():
    seen = {"pt1": [{"user": refer("user", "ann"), "role": "observer"}]}
    rows = {"users": [user("ann", role="limited_user")], "teams": [team("pt1")], "team_members": seen}
    asked = map_rows(rows).questions.open["user_not_found:ann"]
    assert asked.recommended == "leave_out"
    assert asked.note == "PagerDuty role limited_user, observer in Pt1"
    on_call = rows | {"schedules": [schedule("ps1", layer(["ann"]))]}
    assert map_rows(on_call).questions.open["user_not_found:ann"].recommended == "invite"


@pytest.mark.parametrize("duty,recommended", [(True, "map"), (False, "leave_out")])
def test_a_shared_mailbox_is_never_recommended_an_invitation(duty, recommended):
    box = user("ops", name="Operations", email="ops@example.com")
    rows = {"users": [box], "teams": [team("pt1")], "team_members": {"pt1": members("ops")}}
    rows |= {"schedules": [schedule("ps1", layer(["ops"]))]} if duty else {}
    mapped = map_rows(rows, rule="recommended")
    asked = {**mapped.questions.open, **{k: a.conflict for k, a in mapped.questions.answered.items()}}
    assert asked["shared_mailbox:ops"].recommended == recommended
    assert ("shared_mailbox:ops" in mapped.questions.open) == duty, "who is on call is not left out by a rule"


NOBODY = user("nobody", name="Nobody", email="nobody@example.com")
EMPTY = decide("nobody_user", "all", "empty_place")


def with_nobody(state, decisions=(), **rows):
    there = {"users": [ANN, NOBODY], "schedules": [schedule("ps1", layer(["ann", "nobody"]))]}
    return map_rows(there | rows, state, decisions, rule="recommended")


def test_a_nobody_is_a_class_of_its_own_that_no_rule_answers():
    asked = with_nobody(people("ann")).questions.open["nobody_user:nobody"]
    assert [option.name for option in asked.options] == ["invite", "empty_place", "map", "leave_out"]
    assert (asked.recommended, asked.changes_paging) == ("empty_place", True)


def test_an_empty_place_keeps_the_rotation_as_long_as_it_is():
    mapped = with_nobody(people("ann"), [EMPTY])
    [rotation] = wishes(mapped, "schedules")["ps1"].fields["rotations"]
    assert rotation["participants"] == ["ann@example.com", None]
    assert wishes(mapped, "schedules")["ps1"].needs == (("users", "ann"),)
    assert reason(mapped, "schedules", "ps1") == "turns of Nobody stay empty: nobody, by decision"
    assert grades(mapped, "users") == {"ann": "exact", "nobody": "lost"}


def test_without_the_contract_the_option_says_that_harness_documents_no_empty_place():
    public = State(people=people("ann").people)
    asked = with_nobody(public).questions.open["nobody_user:nobody"]
    effect = next(option.effect for option in asked.options if option.name == "empty_place")
    assert "Harness documents no empty place" in effect
    assert wishes(with_nobody(public, [EMPTY]), "schedules")["ps1"].fields["rotations"][0]["participants"][1] is None


def test_a_level_of_nobody_alone_holds_its_policy_and_one_beside_others_is_left_out():
    alone = policy("pp1", (5, [refer("user", "nobody")]), (5, [refer("user", "ann")]))
    beside = policy("pp2", (5, [refer("user", "nobody"), refer("user", "ann")]))
    mapped = with_nobody(people("ann"), [EMPTY], escalation_policies=[alone, beside])
    assert "level 1 pages Nobody only" in reason(mapped, "escalation_policies", "pp1")
    assert mapped.questions.open["silent_level:pp1"].recommended == "leave_out"
    [level] = wishes(mapped, "escalation_policies")["pp2"].fields["levels"]
    assert level["targets"] == [{"type": "user", "id": "ann@example.com"}]
    assert "without Nobody" in reason(mapped, "escalation_policies", "pp2")


def test_an_override_by_nobody_is_lost_and_says_that_its_hours_page():
    silenced = schedule(
        "ps1", layer(["ann"]), overrides_subschedule={"rendered_schedule_entries": [override("nobody", 1, 2)]}
    )
    mapped = with_nobody(people("ann"), [EMPTY], schedules=[silenced])
    assert next(outcome.reason for outcome in mapped.outcomes if outcome.kind == "overrides").endswith(
        "those hours would page"
    )


# --- teams ---


def groups(*names, **more):
    there = {name.lower(): UserGroup(identifier=name.lower(), name=name, **more) for name in names}
    return State(groups=there, people=people("ann", "bob").people, oncall=True)


def test_a_team_is_a_group_with_those_who_have_an_account():
    rows = {"users": [ANN, BOB], "teams": [team("pt1", "Payments", description="Cards")]}
    rows["team_members"] = {"pt1": members("bob", "ann")}
    mapped = map_rows(rows, people("ann", invited=["bob"]))
    wish = wishes(mapped, "teams")["pt1"]
    assert (wish.identifier, wish.adopt) == ("payments_pt1", False)
    assert wish.fields == {"name": "Payments", "description": "Cards", "users": ["ann@example.com"]}


def test_a_team_says_who_stays_behind_and_which_roles_are_lost():
    rows = {"users": [ANN, BOB], "teams": [team("pt1")], "team_members": {"pt1": members("ann", "bob", role="manager")}}
    mapped = map_rows(rows, people("ann"), [decide("user_not_found", "bob", "leave_out")])
    assert grades(mapped, "teams") == {"pt1": "changed"}
    assert reason(mapped, "teams", "pt1") == "without Bob"
    [roles] = [f for outcome in mapped.outcomes for f in outcome.fields if f.field == "roles"]
    assert "manager" in roles.reason


def test_whoever_says_he_is_in_a_team_is_in_it():
    rows = {"users": [user("ann", teams=[refer("team", "pt1")])], "teams": [team("pt1")]}
    assert wishes(map_rows(rows, people("ann")), "teams")["pt1"].fields["users"] == ["ann@example.com"]


def test_a_name_that_harness_cannot_hold_is_kept_in_the_description():
    mapped = map_rows({"teams": [team("pt1", "Search & Catalog 🔎", description="All")]})
    fields = wishes(mapped, "teams")["pt1"].fields
    assert (fields["name"], fields["description"]) == ("Search Catalog", "All\nPagerDuty name: Search & Catalog 🔎")


COLLIDES = "group_name_collision"


@pytest.mark.parametrize(
    "choice,identifier,name,adopt",
    [
        ("rename", "payments_pt1", "Payments - PagerDuty", False),
        ("merge", "payments", "PAYMENTS", True),
        ("adopt", "payments", "PAYMENTS", True),
    ],
)
def test_a_group_of_the_same_name_is_a_question(choice, identifier, name, adopt):
    rows = {"teams": [team("pt1", "Payments")]}
    assert list(map_rows(rows, groups("PAYMENTS")).questions.open) == [f"{COLLIDES}:pt1"]
    mapped = map_rows(rows, groups("PAYMENTS"), [decide(COLLIDES, "pt1", choice)])
    wish = wishes(mapped, "teams")["pt1"]
    assert (wish.identifier, wish.name, wish.adopt) == (identifier, name, adopt)


def test_a_group_of_somebody_elses_can_neither_be_merged_nor_adopted():
    rows = {"teams": [team("pt1", "Payments")]}
    [conflict] = map_rows(rows, groups("Payments", externally_managed=True)).questions.open.values()
    assert conflict.about == "externally_managed"
    assert [option.name for option in conflict.options] == ["rename", "leave_out"]


def test_a_new_name_may_be_given():
    answer = [decide(COLLIDES, "pt1", "rename", "Payments EU")]
    mapped = map_rows({"teams": [team("pt1", "Payments")]}, groups("Payments"), answer)
    assert wishes(mapped, "teams")["pt1"].name == "Payments EU"


def test_two_teams_of_one_name_are_a_question_for_each():
    rows = {"teams": [team("pt1", "Payments"), team("pt2", "payments!"), team("pt3", "Fraud")]}
    mapped = map_rows(rows)
    assert sorted(mapped.questions.open) == ["same_name_in_source:pt1", "same_name_in_source:pt2"]
    named = map_rows(rows, rule="recommended")
    assert {wish.name for wish in named.desired} == {"Payments pt1", "payments pt2", "Fraud"}
    both = map_rows(rows, decisions=[decide("same_name_in_source", "all", "keep_both")])
    assert {wish.name for wish in both.desired} == {"Payments", "payments", "Fraud"}


def test_what_we_made_ourselves_is_no_collision():
    ledger = {("teams", "pt1"): LedgerEntry("teams", "pt1", "payments", "Payments", {})}
    mapped = map_rows({"teams": [team("pt1", "Payments renamed")]}, groups("Payments"), ledger=ledger)
    assert not mapped.questions.open
    assert wishes(mapped, "teams")["pt1"].identifier == "payments"


def test_a_team_without_an_answer_is_nobodys_owner():
    rows = {"users": [ANN], "teams": [team("pt1", "Payments")]}
    rows["escalation_policies"] = [policy("pp1", (5, [refer("user", "ann")]), teams=[refer("team", "pt1")])]
    mapped = map_rows(rows, groups("Payments"))
    assert wishes(mapped, "escalation_policies")["pp1"].fields["owner_group"] is None
    assert "teams" in {held.kind for held in mapped.held}


def test_nobody_is_asked_who_owns_a_policy_before_its_team_is_settled():
    rows = {"users": [ANN], "teams": [team("pt1", "Payments")]}
    rows["escalation_policies"] = [policy("pp1", (5, [refer("user", "ann")]), teams=[refer("team", "pt1")])]
    waits = map_rows(rows, groups("Payments"), answered=())
    assert list(waits.questions.open) == ["group_name_collision:pt1"]
    assert waits.lost["escalation_policies", "pp1"].reason == "its team Payments waits for an answer"
    left = map_rows(rows, groups("Payments"), [decide("group_name_collision", "pt1", "leave_out")], answered=())
    assert list(left.questions.open) == ["policy_without_team:pp1"]
    renamed = map_rows(rows, groups("Payments"), [decide("group_name_collision", "pt1", "rename")], answered=())
    assert not renamed.questions.open
