"""Services: owner, policy, and whether an alert pages; what would page more than today is never done silently."""

import pytest
from mapping_account import decide, grades, map_rows, people, policy, reason, refer, service, team, user, wishes

from pdmigrate.harness.records import Service, State
from pdmigrate.plan.actions import LedgerEntry

ANN = refer("user", "ann")
LOW = {"type": "constant", "urgency": "low"}
BY_HOURS = {"type": "use_support_hours"}
BY_SEVERITY = {"type": "constant", "urgency": "severity_based"}


def map_service(*services, decisions=(), rule="stop", state=None, policies=None, ledger=None, **more):
    rows = {"users": [user("ann")], "services": list(services)}
    rows["escalation_policies"] = [policy("pp1", (5, [ANN]))] if policies is None else policies
    return map_rows(rows | more, state or people("ann"), decisions, rule, ledger)


def fields(mapped, id="s1"):
    return wishes(mapped, "services")[id].fields


def test_a_service_pages_by_its_policy():
    mapped = map_service(service("s1", "pp1", description="Money"))
    wish = wishes(mapped, "services")["s1"]
    assert wish.fields == {
        "name": "S1",
        "description": "Money",
        "owner_group": None,
        "escalation_policy": "pp1_pp1",
        "paging": True,
        "rule_policy": "pp1_pp1",
    }
    assert wish.needs == (("escalation_policies", "pp1"),)


def test_the_owner_is_the_services_team_or_the_policys():
    mine, theirs = refer("team", "t1"), refer("team", "t2")
    rows = {"teams": [team("t1"), team("t2")], "policies": [policy("pp1", (5, [ANN]), teams=[theirs])]}
    mapped = map_service(service("s1", "pp1", teams=[mine]), service("s2", "pp1"), **rows)
    assert (fields(mapped)["owner_group"], fields(mapped, "s2")["owner_group"]) == ("t1_t1", "t2_t2")


# --- urgency ---

QUIETER = {
    "low": {"incident_urgency_rule": LOW},
    "severity": {"incident_urgency_rule": BY_SEVERITY},
    "hours": {"incident_urgency_rule": BY_HOURS},
    "disabled": {"status": "disabled"},
}


@pytest.mark.parametrize("why", QUIETER)
def test_a_service_that_does_not_always_page_is_a_question(why):
    mapped = map_service(service("s1", "pp1", **QUIETER[why]))
    assert list(mapped.questions.open) == ["service_urgency:s1"]
    assert grades(mapped, "services") == {"s1": "lost"}


@pytest.mark.parametrize("why", QUIETER)
def test_no_rule_answers_it_but_for_what_is_switched_off(why):
    mapped = map_service(service("s1", "pp1", **QUIETER[why]), rule="recommended")
    assert bool(mapped.questions.open) == (why != "disabled")
    if why == "disabled":
        assert fields(mapped)["paging"] is False


@pytest.mark.parametrize("choice,paging", [("page", True), ("no_page", False)])
def test_it_is_settled_by_decision_and_that_is_said(choice, paging):
    mapped = map_service(service("s1", "pp1", **QUIETER["low"]), decisions=[decide("service_urgency", "all", choice)])
    assert fields(mapped)["paging"] is paging
    assert grades(mapped, "services") == {"s1": "changed"}
    assert "its urgency is low" in reason(mapped, "services", "s1")
    assert "by decision" in reason(mapped, "services", "s1")


@pytest.mark.parametrize("rule", [None, {"type": "constant", "urgency": "high"}])
def test_high_urgency_is_no_question(rule):
    mapped = map_service(service("s1", "pp1", incident_urgency_rule=rule))
    assert fields(mapped)["paging"] is True
    assert grades(mapped, "services") == {"s1": "exact"}


# --- the way to the page ---


def test_a_service_without_a_policy_is_a_question_that_no_rule_answers():
    mapped = map_service(service("s1"), rule="recommended")
    assert "it pages nobody" in reason(mapped, "services", "s1")
    assert list(mapped.questions.open) == ["service_without_policy:s1"]


def test_a_policy_that_no_list_shows_is_a_question():
    mapped = map_service(service("s1", "PGONE"), rule="recommended")
    assert list(mapped.questions.open) == ["dangling_reference:s1"]
    assert "PGONE" in reason(mapped, "services", "s1")
    decided = map_service(service("s1", "PGONE"), decisions=[decide("dangling_reference", "s1", "leave_out")])
    assert reason(decided, "services", "s1").startswith("left out by decision")


def test_a_service_is_held_with_its_policy():
    held = [policy("pp1", (5, [refer("schedule", "gone")]))]
    mapped = map_service(service("s1", "pp1"), policies=held)
    assert grades(mapped, "services") == {"s1": "lost"}
    assert "its policy Pp1 is not carried over" in reason(mapped, "services", "s1")


def test_the_wait_of_an_open_question_reaches_the_service():
    mapped = map_service(service("s1", "pp1"), policies=[policy("pp1", *[(5, [ANN])] * 3, num_loops=9)])
    assert {held.key: held.open_question for held in mapped.held} == {"pp1": True, "s1": True}


# --- what there is in Harness already ---


def target(**more):
    there = Service(identifier="cart", name="cart api", **more)
    return State(services={"cart": there}, people=people("ann").people, oncall=True)


def test_a_bare_service_of_the_same_name_is_the_service_itself():
    mapped = map_service(service("s1", "pp1", name="Cart API"), state=target())
    wish = wishes(mapped, "services")["s1"]
    assert (wish.identifier, wish.adopt, wish.fields["name"]) == ("cart", True, "cart api")
    assert not mapped.questions.open


def test_one_that_somebody_has_set_up_is_a_question():
    mapped = map_service(service("s1", "pp1", name="Cart API"), state=target(paging=True, escalation_policy="theirs"))
    assert list(mapped.questions.open) == ["duplicate_service:s1"]


def test_two_services_of_one_name_never_take_the_same_one():
    both = [
        service("s1", "pp1", name="Cart API"),
        service("s2", "pp1", name="cart-api"),
        service("s3", "pp1", name="Cart API"),
    ]
    mapped = map_service(*both, state=target(), rule="recommended")
    identifiers = [wish.identifier for wish in mapped.desired if wish.kind == "services"]
    assert len(identifiers) == len(set(identifiers))


# --- without the on-call API ---


def test_without_the_on_call_api_the_service_is_made_and_its_paging_handed_over():
    by_hand = [decide("no_way_to_page", "s1", "rule_by_hand")]
    mapped = map_service(service("s1", "pp1"), decisions=by_hand, state=State(people=people("ann").people))
    assert fields(mapped) == {"name": "S1", "description": ""}
    assert grades(mapped, "escalation_policies") == {"pp1": "handed_over"}
    assert "owner and policy are set by a person" in reason(mapped, "services", "s1")


def test_what_harness_does_not_do_is_said():
    inbound = [{"id": "i1", "type": "events_api_v2_inbound_integration"}] * 2
    row = service("s1", "pp1", acknowledgement_timeout=1800, auto_resolve_timeout=60, integrations=inbound)
    mapped = map_service(row, decisions=[decide("acknowledgement_timeout", "all", "accept")])
    [outcome] = [outcome for outcome in mapped.outcomes if outcome.kind == "services"]
    assert {f.field: f.grade for f in outcome.fields if f.grade != "exact"} == {
        "acknowledgement_timeout": "lost",
        "auto_resolve_timeout": "lost",
        "integrations": "handed_over",
    }
    assert "30 min after an acknowledgement" in outcome.reason
    assert "by decision" in outcome.reason


# --- what a service relies on ---


def test_a_service_that_pages_again_after_an_acknowledgement_is_a_question_that_no_rule_answers():
    mapped = map_service(service("s1", "pp1", acknowledgement_timeout=600), rule="recommended")
    assert list(mapped.questions.open) == ["acknowledgement_timeout:s1"]
    assert grades(mapped, "services") == {"s1": "lost"}
    assert "10 min after an acknowledgement" in mapped.questions.open["acknowledgement_timeout:s1"].question


def test_one_that_pages_nobody_relies_on_no_second_page():
    row = service("s1", "pp1", acknowledgement_timeout=600, **QUIETER["low"])
    mapped = map_service(row, decisions=[decide("service_urgency", "s1", "no_page")])
    assert not mapped.questions.open
    [outcome] = [outcome for outcome in mapped.outcomes if outcome.kind == "services"]
    assert "acknowledgement_timeout" not in {field.field for field in outcome.fields}


def test_a_service_with_neither_rule_nor_webhook_is_a_question():
    public = State(people=people("ann").people)
    quiet, sender = service("s1", "pp1"), [{"id": "i1", "type": "events_api_v2_inbound_integration"}]
    assert list(map_service(quiet, state=public).questions.open) == ["no_way_to_page:s1"]
    assert not map_service(quiet | {"integrations": sender}, state=public).questions.open
    assert not map_service(quiet).questions.open  # where rules go by API, each service gets one
    assert map_service(
        quiet, state=public, rule="recommended"
    ).questions.open  # until somebody makes it, nobody is paged
    decided = map_service(quiet, state=public, decisions=[decide("no_way_to_page", "s1", "rule_by_hand")])
    assert [route.key for route in decided.routes] == ["s1"]


def test_a_service_under_maintenance_is_a_question_until_it_is_carried_over():
    row = service("s1", "pp1", status="maintenance")
    assert list(map_service(row, rule="recommended").questions.open) == ["service_urgency:s1"]
    live, quiet = (LedgerEntry("services", "s1", "s1_s1", "S1", {"paging": paging}) for paging in (True, False))
    assert not map_service(row, ledger={("services", "s1"): live}).questions.open
    silent = decide("service_urgency", "s1", "no_page")
    kept = map_service(row, decisions=[silent], ledger={("services", "s1"): quiet})
    assert fields(kept)["paging"] is False


def test_high_urgency_in_and_out_of_support_hours_is_no_question():
    high = {"type": "constant", "urgency": "high"}
    rule = {"type": "use_support_hours", "during_support_hours": high, "outside_support_hours": high}
    assert fields(map_service(service("s1", "pp1", incident_urgency_rule=rule)))["paging"] is True


def test_a_disabled_service_that_is_to_page_is_a_change():
    mapped = map_service(service("s1", "pp1", status="disabled"), decisions=[decide("service_urgency", "s1", "page")])
    assert grades(mapped, "services") == {"s1": "changed"}


def test_all_questions_about_a_service_are_asked_at_once():
    row = service("s1", "pp1", acknowledgement_timeout=600)
    mapped = map_service(row, policies=[policy("pp1", *[(5, [ANN])] * 3, num_loops=9)])
    assert sorted(mapped.questions.open) == ["acknowledgement_timeout:s1", "escalation_loops:pp1"]
