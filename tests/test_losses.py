"""Losses need an answer: whatever would not move is an open question, or names the answer or rule that decided it."""

import pytest
from mapping_account import (
    check_fates,
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
    team,
    user,
    wishes,
)
from pagerduty_http import NOW as COMPANY_NOW

from conftest import SHARED
from pdmigrate import conflicts, connect, load, open_job, preview, verify
from pdmigrate.finish import judge, summarise
from pdmigrate.harness.records import State
from pdmigrate.newcomer import make_workspace
from pdmigrate.pages import verify as verify_page
from pdmigrate.sandbox.accounts import load_account
from pdmigrate.sandbox.company import build_company
from pdmigrate.workspace import write_json

ANN, BOB = refer("user", "ann"), refer("user", "bob")
CAT = refer("user", "cat", deleted_at="2024-05-01T00:00:00Z")
ZED = refer("user", "zed")
USERS = [user("ann"), user("bob")]


def map_policy(*levels, decisions=(), rule="stop", state=None, **more):
    """One policy of levels, each a list of targets with 30 minutes, and a service that pages by it."""
    made = policy("pe1", *[(30, list(targets)) for targets in levels])
    rows = {"users": USERS, "escalation_policies": [made], "services": [service("sv1", "pe1")]}
    return map_rows(rows | more, state or people("ann", "bob"), decisions, rule)


def levels(work):
    return [
        [target["id"] for target in level["targets"]]
        for level in wishes(work, "escalation_policies")["pe1"].fields["levels"]
    ]


def held(work, kind, key):
    return next(one for one in work.held if (one.kind, one.key) == (kind, key))


def effect(conflict, choice):
    return next(option.effect for option in conflict.options if option.name == choice)


# --- targets that are deleted, unlisted, unknown ---


def test_a_deleted_target_goes_by_the_rule_since_it_pages_nobody_today():
    work = map_policy([CAT, ANN], [BOB], rule="recommended")
    assert work.questions.answered["deleted_target:pe1/cat"].choice == "without"
    assert levels(work) == [["ann@example.com"], ["bob@example.com"]]
    assert grades(work, "escalation_policies") == {"pe1": "changed"}
    assert "without Cat, deleted in PagerDuty" in reason(work, "escalation_policies", "pe1")
    assert grades(work, "services") == {"sv1": "exact"}


def test_without_a_rule_a_deleted_target_is_a_question_and_what_needs_it_waits():
    work = map_policy([CAT, ANN], [BOB])
    asked = work.questions.open["deleted_target:pe1/cat"]
    assert "deleted in PagerDuty on 2024-05-01" in asked.question
    assert (asked.recommended, asked.changes_paging) == ("without", False)
    assert {one.key: one.open_question for one in work.held} == {"pe1": True, "sv1": True}


@pytest.mark.parametrize("at", [0, 1])
def test_a_level_of_deleted_targets_alone_is_left_out_as_pagerduty_passes_it_over(at):
    chain = [[ANN], [BOB]]
    chain.insert(at, [CAT])
    work = map_policy(*chain, rule="recommended")
    assert not work.questions.open
    assert "passes it over at once" in effect(work.questions.answered["deleted_target:pe1/cat"].conflict, "without")
    assert levels(work) == [["ann@example.com"], ["bob@example.com"]]
    said = f"level {at + 1} has nobody left and is left out: PagerDuty passes it over at once"
    assert said in reason(work, "escalation_policies", "pe1")


def test_a_deleted_schedule_is_a_deleted_target():
    gone = refer("schedule", "ps9", deleted_at="2024-05-01T00:00:00Z")
    work = map_policy([gone, ANN], rule="recommended")
    assert levels(work) == [["ann@example.com"]]
    assert list(work.questions.answered) == ["policy_without_team:pe1", "deleted_target:pe1/ps9"] or set(
        work.questions.answered
    ) == {"policy_without_team:pe1", "deleted_target:pe1/ps9"}


def test_a_target_that_stands_in_two_levels_is_asked_about_once():
    work = map_policy([CAT, ANN], [CAT, BOB])
    assert [key for key in work.questions.open if key.startswith("deleted_target")] == ["deleted_target:pe1/cat"]
    assert "Level 1, 2 of Pe1" in work.questions.open["deleted_target:pe1/cat"].question


@pytest.mark.parametrize("target", [ZED, refer("schedule", "zed"), refer("schedule_v3", "zed")])
def test_an_unlisted_target_is_a_question_that_no_rule_answers(target):
    work = map_policy([target, ANN], [BOB], rule="recommended")
    asked = work.questions.open["dangling_reference:pe1/zed"]
    assert (asked.kind, asked.recommended, asked.changes_paging) == ("escalation_policies", "leave_out", True)
    assert "perhaps the key may not read it" in asked.question
    assert "As far as anybody knows PagerDuty pages Zed" in asked.meaning
    assert grades(work, "services") == {"sv1": "lost"}
    assert all(one.open_question for one in work.held)


def test_an_unlisted_target_goes_by_a_persons_answer_and_that_is_said():
    work = map_policy([ZED, ANN], decisions=[decide("dangling_reference", "pe1/zed", "without")])
    assert levels(work) == [["ann@example.com"]]
    assert "without Zed, by decision" in reason(work, "escalation_policies", "pe1")


def test_an_unlisted_target_alone_in_its_level_leaves_it_silent_and_that_is_asked_next():
    go_on = decide("dangling_reference", "pe1/zed", "without")
    work = map_policy([ANN], [ZED], [BOB], decisions=[go_on])
    asked = work.questions.open["silent_level:pe1"]
    assert "level 2 is left out: whoever comes after it is paged 30 min earlier" in effect(asked, "without")
    assert (asked.recommended, asked.changes_paging) == ("leave_out", True)
    done = map_policy([ANN], [ZED], [BOB], decisions=[go_on, decide("silent_level", "pe1", "without")])
    assert levels(done) == [["ann@example.com"], ["bob@example.com"]]
    assert "paged 30 min earlier, by decision" in reason(done, "escalation_policies", "pe1")


def test_a_target_of_an_unknown_type_is_a_question():
    odd = {"id": "x1", "type": "service_reference", "summary": "Odd"}
    work = map_policy([odd, ANN], rule="recommended")
    assert list(work.questions.open) == ["unknown_target:pe1/x1"]
    assert "'service'" in work.questions.open["unknown_target:pe1/x1"].question
    assert levels(map_policy([odd, ANN], decisions=[decide("unknown_target", "all", "without")])) == [
        ["ann@example.com"]
    ]


def test_levels_without_a_target_are_a_question_that_a_rule_may_answer():
    assert list(map_policy([ANN], []).questions.open) == ["empty_level:pe1"]
    work = map_policy([ANN], [], [BOB], rule="recommended")
    assert levels(work) == [["ann@example.com"], ["bob@example.com"]]
    assert "level 2 has no target and is left out" in reason(work, "escalation_policies", "pe1")


@pytest.mark.parametrize("chain", [[[]], [[], []], [], [[CAT]]])
def test_a_policy_that_would_page_nobody_is_a_question_that_no_rule_answers(chain):
    work = map_policy(*chain, rule="recommended")
    assert list(work.questions.open) == ["policy_without_target:pe1"]
    assert grades(work, "services") == {"sv1": "lost"}


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
    work = map_rows(rows, people("ann", "bob"))
    assert sorted(work.questions.open) == ["dangling_reference:ps1/zed", "deleted_participant:ps1/cat"]
    unlisted, deleted = (work.questions.open[key] for key in sorted(work.questions.open))
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
    work = map_rows(rows, people("ann", "bob"), [decide("dangling_reference", "all", "empty_place")], "recommended")
    said = reason(work, "schedules", "ps1")
    assert "turns of Cat stay empty: deleted in PagerDuty" in said
    assert "turns of Zed stay empty: no list of PagerDuty shows them, by decision" in said


def test_who_stood_only_in_a_layer_that_has_ended_is_not_asked_about():
    old = layer([CAT, ZED], "PL0", end="2026-01-01T00:00:00Z")
    work = map_rows({"users": USERS, "schedules": [schedule("ps1", layer([ANN]), old)]}, people("ann", "bob"))
    assert not work.questions.open
    assert grades(work, "schedules") == {"ps1": "exact"}


# --- what an answer drops takes everything that needs it along, and names that answer ---


def chain_rows():
    rows = {"users": USERS, "schedules": [schedule("ps1", layer([ANN, BOB]))]}
    rows["schedules"][0]["overrides_subschedule"] = {"rendered_schedule_entries": [override("ann", 1, 2)]}
    rows["escalation_policies"] = [policy("pe1", (5, [refer("schedule", "ps1")]))]
    return rows | {"services": [service("sv1", "pe1")]}


CHAIN = [("users", "bob"), ("schedules", "ps1"), ("escalation_policies", "pe1"), ("services", "sv1")]


def test_the_chain_keeps_the_key_of_the_answer_at_its_root():
    work = map_rows(chain_rows(), people("ann"), [decide("user_not_found", "bob", "leave_out")])
    assert [held(work, *place).decided for place in CHAIN] == ["user_not_found:bob"] * 4
    assert {one.decided for one in work.held} == {"user_not_found:bob"}, "its override too"
    assert not any(one.open_question for one in work.held)


@pytest.mark.parametrize("rule", ["stop", "skip", "recommended"])
def test_no_rule_makes_an_open_question_a_decided_one(rule):
    work = map_rows(chain_rows(), people("ann"), rule=rule)
    assert list(work.questions.open) == ["user_not_found:bob"] or rule == "recommended"
    skipped = map_rows(chain_rows(), people("ann"), [decide("user_not_found", "zed", "invite")], "skip")
    assert [held(skipped, *place).open_question for place in CHAIN] == [True] * 4
    assert {one.decided for one in skipped.held} == {""}


def test_contacts_of_who_does_not_move_name_the_answer():
    method = {"id": "m1", "type": "email_contact_method", "address": "bob@example.com"}
    rows = {"users": [user("ann"), user("bob", contact_methods=[method])]}
    work = map_rows(rows, people("ann"), [decide("user_not_found", "bob", "leave_out")])
    assert held(work, "contact_methods", "m1").decided == "user_not_found:bob"
    assert held(map_rows(rows, people("ann")), "contact_methods", "m1").open_question


def test_two_who_become_one_by_hand_are_asked_about_whichever_comes_first():
    method = {"id": "m1", "type": "email_contact_method", "address": "bob@example.com"}
    by_hand = decide("user_not_found", "ann", "map", "bob@example.com")
    rows = {"users": [user("ann"), user("bob", contact_methods=[method])]}
    assert list(map_rows(rows, people("bob"), [by_hand]).questions.open) == ["user_found_twice:ann"]
    work = map_rows(rows, people("bob"), [by_hand, decide("user_found_twice", "ann", "same_person")])
    assert held(work, "contact_methods", "m1").decided == "user_found_twice:ann"


def test_an_answer_that_cannot_be_carried_out_leaves_its_question_open():
    made = schedule("ps1", layer([ANN]), time_zone="Europe/Lodnon")
    answer = decide("unknown_time_zone", "ps1", "other", "Middle/Earth")
    work = map_rows({"users": USERS, "schedules": [made]}, people("ann", "bob"), [answer])
    assert list(work.questions.open) == ["unknown_time_zone:ps1"]
    assert not [key for key in work.questions.answered if "zone" in key]


# --- records that arrived in a form that cannot be used ---

ODD = {"escalation_rule_assignment_strategy": {"type": "assign_to_least_recent"}}


def odd_policy(id="pe1"):
    made = policy(id, (30, [ANN]))
    made["escalation_rules"][0] |= ODD
    return made


def test_a_policy_that_cannot_be_used_is_not_one_that_no_list_shows():
    rows = {"users": USERS, "escalation_policies": [odd_policy()], "services": [service("sv1", "pe1")]}
    work = map_rows(rows, people("ann", "bob"), rule="recommended")
    assert sorted(work.questions.open) == ["unusable_policy:sv1", "unusable_record:pe1"]
    for asked in work.questions.open.values():
        assert "escalation_rule_assignment_strategy: Input should be 'assign_to_everyone'" in asked.question
        assert "Pe1" in asked.question
    assert held(work, "services", "sv1").open_question
    answers = [decide("unusable_policy", "sv1", "leave_out"), decide("unusable_record", "pe1", "leave_out")]
    done = map_rows(rows, people("ann", "bob"), answers)
    assert {one.key: one.decided for one in done.held} == {"pe1": "unusable_record:pe1", "sv1": "unusable_policy:sv1"}


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
    work = map_rows(rows | {kind: [*rows.get(kind, ()), BROKEN[kind]]}, people("ann", "bob"), rule="recommended")
    assert list(work.questions.open) == ["unusable_record:x1"]
    assert held(work, kind, "x1").open_question


def test_what_needs_a_broken_record_waits_for_its_answer():
    rows = {"users": [*USERS, {"id": "odd", "name": "Odd"}], "schedules": [schedule("ps1", layer(["ann", "odd"]))]}
    rows["escalation_policies"] = [
        policy("pe1", (5, [refer("schedule", "ps1")])),
        policy("pe2", (5, [refer("user", "odd")])),
    ]
    work = map_rows(rows, people("ann", "bob"), [decide("unusable_record", "odd", "leave_out")])
    assert not work.questions.open
    assert {one.decided for one in work.held} == {"unusable_record:odd"}
    assert [one.key for one in work.held] == ["odd", "ps1", "pe1", "pe2"]


def test_a_broken_record_outside_the_scope_is_no_question():
    rows = {"users": USERS, "escalation_policies": [policy("pe1", (5, [ANN])), odd_policy("pe2")]}
    rows["services"] = [service("sv1", "pe1"), service("sv2", "pe2")]
    assert not map_rows(rows, people("ann", "bob"), services=["sv1"]).questions.open
    inside = map_rows(rows, people("ann", "bob"), services=["sv2"])
    assert sorted(inside.questions.open) == ["unusable_policy:sv2", "unusable_record:pe2"]


def test_a_service_without_a_policy_is_a_question():
    rows = {"users": USERS, "services": [service("sv1")]}
    work = map_rows(rows, people("ann", "bob"), rule="recommended")
    assert list(work.questions.open) == ["service_without_policy:sv1"]
    done = map_rows(rows, people("ann", "bob"), [decide("service_without_policy", "all", "leave_out")])
    assert held(done, "services", "sv1").decided == "service_without_policy:sv1"


def test_a_schedule_that_rotations_cannot_hold_is_a_question():
    event = {
        "id": "E1",
        "name": "Always",
        "start_time": {"date_time": "2026-11-02T09:00:00Z", "time_zone": "Middle/Earth"},
        "end_time": {"date_time": "2026-11-02T17:00:00Z", "time_zone": "Middle/Earth"},
        "effective_since": "2026-11-02T09:00:00Z",
        "recurrence": ["RRULE:FREQ=DAILY"],
        "assignment_strategy": {
            "type": "rotating_member_assignment_strategy",
            "shifts_per_member": 1,
            "members": [{"type": "user_member", "user_id": "ann"}],
        },
    }
    made = {"id": "ps1", "name": "Ps1", "time_zone": "UTC", "rotations": [{"id": "R1", "events": [event]}]}
    work = map_rows({"users": USERS, "schedules_v3": [made]}, people("ann", "bob"), rule="recommended")
    assert list(work.questions.open) == ["unwritable_schedule:ps1"]
    assert "Middle/Earth" in work.questions.open["unwritable_schedule:ps1"].question


# --- members and contacts ---


def test_members_whom_no_list_shows_are_one_question_of_their_team():
    members = {"pt1": [{"user": ANN}, {"user": ZED}, {"user": CAT}]}
    rows = {"users": USERS, "teams": [team("pt1")], "team_members": members}
    work = map_rows(rows, people("ann", "bob"))
    asked = work.questions.open["unlisted_member:pt1"]
    assert "Zed" in asked.question
    assert "Cat" not in asked.question, "PagerDuty says that she is deleted"
    assert held(work, "teams", "pt1/members").open_question
    assert not map_rows(rows, people("ann", "bob"), rule="recommended").questions.open


def contacts(methods, rules):
    return {"users": [user("ann", contact_methods=methods, notification_rules=rules)]}


def tell(method_id, urgency="high"):
    to = {"id": method_id, "type": "whatsapp_contact_method_reference"}
    return {"id": f"n-{method_id}", "urgency": urgency, "start_delay_in_minutes": 0, "contact_method": to}


WHATSAPP = {"id": "m1", "type": "whatsapp_contact_method", "address": "1", "summary": "WhatsApp"}


def test_a_contact_that_pages_today_and_does_not_move_is_a_question_of_its_person():
    work = map_rows(contacts([WHATSAPP], [tell("m1")]), people("ann"), rule="recommended")
    asked = work.questions.open["lost_contact:ann"]
    assert "WhatsApp: Harness has no whatsapp" in asked.question
    assert asked.changes_paging
    assert held(work, "contact_methods", "ann").open_question
    assert not map_rows(
        contacts([WHATSAPP], [tell("m1")]), people("ann"), [decide("lost_contact", "all", "leave_out")]
    ).questions.open


@pytest.mark.parametrize(
    "methods,rules",
    [
        ([WHATSAPP], []),
        ([WHATSAPP], [tell("m1", "low")]),
        ([{**WHATSAPP, "enabled": False}], [tell("m1")]),
        ([{"id": "m1", "type": "push_notification_contact_method", "address": "x"}], [tell("m1")]),
    ],
    ids=["no rule uses it", "low urgency only", "switched off", "handed over"],
)
def test_a_contact_that_pages_nobody_today_is_no_question(methods, rules):
    assert not map_rows(contacts(methods, rules), people("ann")).questions.open


def test_contacts_that_came_as_references_only_are_a_question():
    bare = [{"id": "m1", "type": "email_contact_method_reference", "summary": "Default"}]
    work = map_rows(contacts(bare, [{"id": "n1", "type": "assignment_notification_rule_reference"}]), people("ann"))
    asked = work.questions.open["lost_contact:ann"]
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
    work = map_rows(account_with_a_hidden_team(), people("ann", "bob"))
    assert [one.tell(work.scope) for one in work.account.hidden] == [
        "the service Pshid (PSHID), named by the policy Pe1",
        "the team Security (private) (PTHID), named by the policy Pe1, the service Sv1, the user Ann",
    ]


def test_what_nothing_in_scope_names_hides_nothing():
    work = map_rows(account_with_a_hidden_team(), people("ann", "bob"), services=["sv2"])
    assert [one.tell(work.scope) for one in work.account.hidden] == ["", ""]


def test_a_list_of_teams_that_could_not_be_read_hides_no_team():
    rows = account_with_a_hidden_team() | {"teams": [], "unread": {"teams": "forbidden: 402"}}
    assert [one.kind for one in map_rows(rows, people("ann", "bob")).account.hidden] == ["services"]


# --- the property: every loss is open or decided ---

CASES = SHARED / "cases"
FOLDERS = sorted(folder for folder in CASES.iterdir() if (folder / "account").is_dir()) if CASES.is_dir() else []


def check_losses(work):
    """Each is open or decided and never both, and what it names was answered or is open."""
    check_fates(work)
    for one in work.held:
        assert one.open_question != bool(one.decided), one
        assert not one.decided or one.decided in work.questions.answered or one.decided.startswith("rule:"), one
    assert work.questions.open or not any(one.open_question for one in work.held)
    parts = ("contact_methods", "notification_rules")
    known = {(one.kind, one.key) for one in work.held}
    lost = {(fate.kind, fate.id) for fate in work.fates if fate.grade == "lost" and fate.kind not in parts}
    assert lost <= known, "lost, and nobody was asked"


@pytest.mark.parametrize("rule", ["stop", "skip", "recommended"])
@pytest.mark.parametrize("who", [(), ("ann",)], ids=["nobody", "somebody"])
def test_every_loss_of_the_company_is_open_or_decided(rule, who):
    check_losses(map_rows(build_company(COMPANY_NOW), people(*who), rule=rule))


LEFT_OUT = [
    decide(about, "all", "leave_out")
    for about in ("user_not_found", "phone_country", "service_urgency", "acknowledgement_timeout", "round_robin")
]


@pytest.mark.parametrize("choice", ["leave_out", "invite"])
def test_every_loss_by_an_answer_names_it(choice):
    answers = [decide("user_not_found", "PUSER01", choice), decide("user_not_found", "PUSER02", "leave_out"), *LEFT_OUT]
    work = map_rows(build_company(COMPANY_NOW), State(oncall=True), answers)
    check_losses(work)
    assert any(one.decided == "user_not_found:PUSER02" and one.kind == "services" for one in work.held)


@pytest.mark.parametrize("rule", ["stop", "skip", "recommended"])
def test_every_loss_of_the_recorded_account_is_open_or_decided(recorded_account, rule):
    check_losses(map_rows(load_account(recorded_account), rule=rule))


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
@pytest.mark.parametrize("rule", ["stop", "recommended"])
def test_every_loss_of_a_case_is_open_or_decided(folder, rule):
    check_losses(map_rows(load_account(folder / "account"), rule=rule))


# --- a run as a whole ---


def run_steps(tmp_path, account, *steps):
    """A workspace whose source is a snapshot of this account; what the last step found."""
    for kind in ("users", "teams", "schedules", "escalation_policies", "services"):
        write_json(tmp_path / "account" / f"{kind}.json", {kind: account.get(kind, [])})
    write_json(tmp_path / "account" / "team_members.json", {})
    source = {"source": "snapshot", "snapshot": str(tmp_path / "account"), "open_conflicts": "recommended"}
    make_workspace(tmp_path / "acme", {"name": "acme", **source})
    with open_job(tmp_path / "acme") as job:
        for step in (connect, preview, conflicts, *steps):
            found = step(job, "all") if step is load else step(job)
        return found


def plain_account(**more):
    made = policy("PE1", (30, [refer("user", "PU9", deleted_at="2024-05-01T00:00:00Z"), refer("user", "PU1")]))
    rows = {"users": [user("PU1", email="pu1@example.com")], "escalation_policies": [made]}
    return rows | {"services": [service("PS1", "PE1")]} | more


def test_a_deleted_target_costs_neither_policy_nor_service(tmp_path):
    found = run_steps(tmp_path, plain_account(), load, verify)
    assert judge(found) is None
    kinds = summarise(found)["kinds"]
    assert (kinds["escalation_policies"]["changed"], kinds["services"]["lost"]) == (1, 0)
    assert found.draft.answered["deleted_target:PE1/PU9"].choice == "without"


def test_a_run_without_schedules_says_that_there_is_none_to_compare(tmp_path):
    found = run_steps(tmp_path, plain_account(), load, verify)
    page = verify_page.make_page(found, "done")
    assert "No schedule is in scope: there is none to compare." in page.lead
    said = {section.title: str(section.table) for section in page.sections}
    for title in ("Who is on call", "Differences", "Times with nobody on call"):
        assert "there is none to compare" in said[title]


@pytest.mark.parametrize(
    "account,code",
    [
        (plain_account(escalation_policies=[odd_policy("PE1")]), 3),
        (plain_account(escalation_policies=[policy("PE1", (30, [refer("user", "PUGONE")]))]), 3),
        (plain_account(escalation_policies=[]), 3),
        (plain_account(services=[service("PS1", "PE1", teams=[refer("team", "PTHID")])]), 4),
    ],
    ids=["broken policy", "unlisted target", "absent policy", "hidden team"],
)
def test_what_would_not_move_ends_the_run(tmp_path, account, code):
    assert judge(run_steps(tmp_path, account)).exit_code == code
