"""What a field loses on its way is said, and what nobody knows is asked where it may page: so that exact is true."""

import pytest
from mapping_account import (
    decide,
    grades,
    layer,
    map_rows,
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
from test_mapping_contacts import map_ann, method, methods_of, rule, steps_of

from pdmigrate.mapping.contacts import find_first_minute
from pdmigrate.plan.questions import Questions


def fields_of(mapped, kind, id):
    """Grade and reason of each field of an object."""
    [outcome] = [outcome for outcome in mapped.outcomes if (outcome.kind, outcome.id) == (kind, id)]
    return {one.field: (one.grade, one.reason) for one in outcome.fields}


# --- how people are reached ---


def test_a_label_that_harness_has_not_is_a_change_of_that_method_alone():
    mapped = map_ann([method("m1", "sms", label="Mobile"), method("m2", label="Work"), method("m3", label=None)])
    assert grades(mapped, "contact_methods") == {"m1": "changed", "m2": "exact", "m3": "exact"}
    assert (
        reason(mapped, "contact_methods", "m1") == "the label Mobile becomes Other: Harness knows Work, Home and Other"
    )


def test_a_short_mail_for_a_pager_that_becomes_a_whole_one_is_said():
    pager = method("m1", "email", "1234567890@pager.example", label="Pager", send_short_email=True)
    mapped = map_ann([pager, method("m2", "email", "ann@example.com", send_short_email=False)])
    assert grades(mapped, "contact_methods") == {"m1": "changed", "m2": "exact"}
    assert "a short mail, made for pagers" in reason(mapped, "contact_methods", "m1")
    assert "the label Pager becomes Other" in reason(mapped, "contact_methods", "m1")


@pytest.mark.parametrize(
    "address", ["2125550101 x123", "212-555-0101 ext. 123", "2125550101;ext=123", "2125550101,,123", "2125550101#123"]
)
def test_a_number_that_loses_its_extension_is_not_exact(address):
    mapped = map_ann([method("m1", address=address), method("m2", address="2125550102")])
    assert [one["address"] for one in methods_of(mapped)] == ["+12125550101", "+12125550102"]
    assert grades(mapped, "contact_methods") == {"m1": "changed", "m2": "exact"}
    assert reason(mapped, "contact_methods", "m1").startswith("PagerDuty dials 123 after +12125550101")


def test_slack_is_linked_by_the_person_as_the_app_is_installed_by_him():
    slack = method("m1", "slack", "https://example.slack.com/team/U0", label="Slack")
    mapped = map_ann([slack, method("m2")], [rule("r1", "m1", 0, kind="slack"), rule("r2", "m2", 5)])
    assert grades(mapped, "contact_methods") == {"m1": "handed_over", "m2": "exact"}
    assert grades(mapped, "notification_rules") == {"r1": "handed_over", "r2": "exact"}
    assert reason(mapped, "notification_rules", "r1") == "the person links Slack"
    assert [step["wait_minutes"] for step in steps_of(mapped)] == [5]
    assert find_first_minute(mapped.account.users["ann"], ["r2"]) == 0


@pytest.mark.parametrize("type", ["oncall_handoff_notification_rule", "status_update_notification_rule"])
def test_a_rule_that_is_no_part_of_a_page_is_never_written_as_one(type):
    mapped = map_ann([method("m1")], [rule("r1", "m1", 0) | {"type": type}, rule("r2", "m1", 5)])
    assert grades(mapped, "notification_rules") == {"r1": "lost", "r2": "exact"}
    assert "pages nobody" in reason(mapped, "notification_rules", "r1")
    assert [step["wait_minutes"] for step in steps_of(mapped)] == [5]


def test_what_a_person_says_of_himself_stays_behind_and_leaves_him_exact():
    state = people("ann")
    state.people["ann@example.com"] = state.people["ann@example.com"].model_copy(update={"name": "Anne L."})
    mapped = map_rows({"users": [user("ann", color="teal", description="likes tea", role="admin")]}, state)
    fields = fields_of(mapped, "users", "ann")
    assert grades(mapped, "users") == {"ann": "exact"}
    assert {name for name, (grade, _) in fields.items() if grade == "lost"} == {"color", "description", "role"}
    assert "PagerDuty role admin" in fields["role"][1]
    assert fields["name"] == ("changed", "is 'Anne L.' in Harness")


# --- teams ---


def test_a_team_below_another_and_a_private_one_are_said():
    rows = [
        team("support"),
        team("night", parent=refer("team", "support"), default_role="manager"),
        team("secret", default_role="none"),
    ]
    mapped = map_rows({"teams": rows})
    assert grades(mapped, "teams") == {"support": "exact", "night": "changed", "secret": "changed"}
    assert reason(mapped, "teams", "night") == "it is part of the team Support: groups in Harness are flat"
    assert "it is private in PagerDuty" in reason(mapped, "teams", "secret")


def test_a_second_team_is_said_wherever_harness_has_one_owner():
    both = [refer("team", "a"), refer("team", "b")]
    rows = {
        "teams": [team("a"), team("b")],
        "users": [user("ann")],
        "schedules": [schedule("ps1", layer(["ann"]), teams=both), schedule("ps2", layer(["ann"]), teams=both[1:])],
        "escalation_policies": [policy("pp1", (10, [refer("user", "ann")]), teams=both[:1])],
        "services": [service("s1", "pp1", teams=both)],
    }
    mapped = map_rows(rows, people("ann"))
    assert grades(mapped, "schedules") == {"ps1": "changed", "ps2": "exact"}
    assert reason(mapped, "schedules", "ps1") == (
        "owned by A alone: Harness has one owner, and in PagerDuty it is also in B"
    )
    assert grades(mapped, "escalation_policies") == {"pp1": "exact"}
    assert fields_of(mapped, "services", "s1")["teams"][0] == "changed"


# --- services and policies ---


def map_service(more, decisions=(), **policy_fields):
    rows = {
        "users": [user("ann")],
        "escalation_policies": [policy("pp1", (10, [refer("user", "ann")]), **policy_fields)],
        "services": [service("s1", "pp1", **more)],
    }
    return map_rows(rows, people("ann"), decisions)


PAUSE = {"enabled": True, "timeout": 600}
ADVISED = {"enabled": True, "timeout": 0, "recommended_timeout": 180}


@pytest.mark.parametrize(
    "more,field,said",
    [
        ({"auto_pause_notifications_parameters": PAUSE}, "auto_pause_notifications_parameters", "wait 10 min"),
        ({"auto_pause_notifications_parameters": ADVISED}, "auto_pause_notifications_parameters", "wait 3 min"),
        (
            {"alert_grouping_parameters": {"type": "intelligent", "config": {"time_window": 300}}},
            "alert_grouping_parameters",
            "(intelligent, within 5 min)",
        ),
        ({"alert_grouping": "time", "alert_grouping_timeout": 2}, "alert_grouping", "groups alerts (time)"),
        ({"response_play": {"id": "R", "type": "response_play_reference"}}, "response_play", "response play"),
        ({"scheduled_actions": [{"type": "urgency_change"}]}, "scheduled_actions", "become urgent"),
        (
            {"integrations": [{"id": "I", "email_filter_mode": "and-rules-email"}]},
            "integrations.email_filter_mode",
            "every mail",
        ),
    ],
)
def test_what_makes_a_service_page_less_in_pagerduty_is_a_change_that_is_said(more, field, said):
    mapped = map_service(more)
    assert grades(mapped, "services") == {"s1": "changed"}
    assert said in reason(mapped, "services", "s1")
    assert fields_of(mapped, "services", "s1")[field][0] == "lost"
    quiet = map_service(
        more | {"incident_urgency_rule": {"type": "constant", "urgency": "low"}},
        [decide("service_urgency", "all", "no_page")],
    )
    assert said not in reason(quiet, "services", "s1"), "what pages nobody loses nothing by it"
    assert field in fields_of(quiet, "services", "s1")


@pytest.mark.parametrize(
    "more",
    [
        {"auto_pause_notifications_parameters": {"enabled": False, "timeout": 600}},
        {"alert_grouping_parameters": {"type": None, "config": {"time_window": 300}}},
        {"alert_creation": "create_alerts_and_incidents", "addons": [], "response_play": None},
        {"integrations": [{"id": "I", "email_filter_mode": "all-email"}]},
    ],
)
def test_what_is_switched_off_or_usual_changes_nothing(more):
    mapped = map_service(more)
    assert grades(mapped, "services") == {"s1": "exact"}
    assert "lost" not in {grade for grade, _ in fields_of(mapped, "services", "s1").values()}


def test_hand_off_notices_of_a_policy_and_add_ons_stay_behind_and_page_nobody():
    addon = {"id": "A", "src": "https://example.com"}
    mapped = map_service(
        {"addons": [addon], "alert_creation": "create_incidents"}, on_call_handoff_notifications="always"
    )
    assert grades(mapped, "services") == {"s1": "exact"}
    assert grades(mapped, "escalation_policies") == {"pp1": "exact"}
    assert fields_of(mapped, "escalation_policies", "pp1")["on_call_handoff_notifications"][0] == "lost"
    assert {"addons", "alert_creation"} <= fields_of(mapped, "services", "s1").keys()


# --- names and descriptions ---


@pytest.mark.parametrize("length", [0, 900, 999, 1000, 1024, 3000])
def test_the_pagerduty_name_stays_whatever_the_description(length):
    row = schedule("ps1", layer(["ann"]), name="オンコール 当番", description="x" * length)
    mapped = map_rows({"users": [user("ann")], "schedules": [row]}, people("ann"))
    written = wishes(mapped, "schedules")["ps1"].fields["description"]
    assert len(written) <= 1024
    assert written.endswith("PagerDuty name: オンコール 当番")
    whole = "x" * length in written
    assert fields_of(mapped, "schedules", "ps1")["description"][0] == ("exact" if whole else "changed")
    assert whole == (length <= 999)


def test_a_description_that_fits_beside_no_name_is_whole():
    mapped = map_rows({"teams": [team("support", description="x" * 1024), team("night", description="x" * 1025)]})
    assert wishes(mapped, "teams")["support"].fields["description"] == "x" * 1024
    assert fields_of(mapped, "teams", "support")["description"] == ("exact", "")
    assert fields_of(mapped, "teams", "night")["description"][0] == "changed"
    assert grades(mapped, "teams") == {"support": "exact", "night": "exact"}, "it pages nobody"


# --- what nobody knows ---


def map_schedules(*rows, decisions=(), rule="recommended"):
    return map_rows({"users": [user("ann")], "schedules": list(rows)}, people("ann"), decisions, rule)


def test_a_field_that_pages_nobody_is_named_and_makes_its_object_changed():
    mapped = map_schedules(schedule("ps1", layer(["ann"]), icon="moon"), schedule("ps2", layer(["ann"]), icon=None))
    assert grades(mapped, "schedules") == {"ps1": "changed", "ps2": "exact"}
    assert reason(mapped, "schedules", "ps1") == "this version does not know icon and leaves it behind"


def test_a_field_that_may_page_is_asked_once_for_all_that_have_it_and_by_no_rule(monkeypatch):
    asked, ask = [], Questions.ask
    monkeypatch.setattr(
        Questions, "ask", lambda self, conflict, *more: asked.append(conflict.key) or ask(self, conflict, *more)
    )
    odd = [schedule(f"ps{n}", layer(["ann"], shadow=True)) for n in range(3)]
    mapped = map_schedules(*odd, schedule("plain", layer(["ann"])))
    assert asked.count("unknown_field:schedules/schedule_layers.shadow") == 1  # the question names all that have it
    [question] = mapped.questions.open.values()
    assert question.key == "unknown_field:schedules/schedule_layers.shadow"
    assert "3 schedules have it: Ps0 (ps0), Ps1 (ps1), Ps2 (ps2)" in question.question
    assert {held.key for held in mapped.held if held.open_question} == {"ps0", "ps1", "ps2"}
    assert grades(mapped, "schedules") == {"ps0": "lost", "ps1": "lost", "ps2": "lost", "plain": "exact"}


def test_another_object_with_the_field_is_another_question():
    first, second = (schedule(f"ps{n}", layer(["ann"], shadow=True)) for n in range(2))
    [asked] = map_schedules(first).questions.open.values()
    answer = decide("unknown_field", asked.id, "ignore").model_copy(update={"question": asked.digest})
    assert not map_schedules(first, decisions=[answer]).questions.open
    assert list(map_schedules(first, second, decisions=[answer]).questions.open) == [asked.key]


def test_left_out_by_decision_names_the_answer_and_ignored_is_said():
    row = schedule("ps1", layer(["ann"], shadow=True))
    left = map_schedules(row, decisions=[decide("unknown_field", "all", "leave_out")])
    [held] = left.held
    assert (held.open_question, held.decided) == (False, "unknown_field:schedules/schedule_layers.shadow")
    kept = map_schedules(row, decisions=[decide("unknown_field", "all", "ignore")])
    assert grades(kept, "schedules") == {"ps1": "changed"}
    assert reason(kept, "schedules", "ps1").endswith("leaves it behind, by decision")


def shifts(**rotation):
    zoned = {"time_zone": "Europe/London"}
    event = {
        "id": "E",
        "type": "schedule_event",
        "name": "Days",
        "start_time": zoned | {"date_time": "2026-01-05T09:00:00Z"},
        "end_time": zoned | {"date_time": "2026-01-05T17:00:00Z"},
        "effective_since": "2026-01-05T00:00:00Z",
        "recurrence": ["RRULE:FREQ=DAILY"],
        "assignment_strategy": {
            "type": "every_member_assignment_strategy",
            "members": [{"type": "user_member", "user_id": "ann"}],
        },
    }
    return {
        "id": "v1",
        "name": "V1",
        "time_zone": "Europe/London",
        "rotations": [{"id": "R", "events": [event]} | rotation],
        "custom_shifts": [],
        "overrides": [],
    }


@pytest.mark.parametrize(
    "rotation,path",
    [({"shadow": True}, "rotations.shadow"), ({"type": "shadow_rotation"}, "rotations.type=shadow_rotation")],
)
def test_a_shadow_rotation_is_never_written_as_one_that_pages(rotation, path):
    rows = {"users": [user("ann")], "schedules_v3": [shifts(**rotation)]}
    mapped = map_rows(rows, people("ann"), rule="recommended")
    assert list(mapped.questions.open) == [f"unknown_field:schedules/{path}"]
    assert not wishes(mapped, "schedules")
    assert wishes(map_rows({**rows, "schedules_v3": [shifts()]}, people("ann")), "schedules")


def test_what_nobody_knows_of_services_policies_and_rules_is_asked():
    rows = {
        "users": [user("ann", contact_methods=[method("m")], notification_rules=[rule("r1", "m", urgency="severe")])],
        "escalation_policies": [
            policy("pp1", (10, [refer("user", "ann")])),
            policy("pp2", (10, [refer("user", "ann", only_on="Mondays")])),
        ],
        "services": [service("s1", "pp1", paused_until="noon"), service("s2", "pp1", status="asleep")],
    }
    mapped = map_rows(rows, people("ann"), rule="recommended")
    assert {key.partition("/")[2] for key in mapped.questions.open} == {
        "escalation_rules.targets.only_on",
        "paused_until",
        "status=asleep",
        "urgency=severe",
    }
    assert {held.key for held in mapped.held if held.open_question} == {"pp2", "s1", "s2", "r1"}
    ignored = [decide("unknown_field", "all", "ignore")]
    mapped = map_rows(rows, people("ann"), ignored, rule="recommended")
    assert grades(mapped, "services") == {"s1": "changed", "s2": "changed"}
    assert grades(mapped, "notification_rules") == {"r1": "changed"}
    assert grades(mapped, "escalation_policies") == {"pp1": "exact", "pp2": "changed"}


def test_an_unknown_field_that_comes_or_goes_is_a_change_of_the_configuration():
    plain, odd = (map_schedules(schedule("ps1", layer(["ann"], **more))).account for more in ({}, {"shadow": True}))
    bio = map_schedules(schedule("ps1", layer(["ann"]), http_cal_url="https://example.com")).account
    assert plain.digest != odd.digest
    assert plain.digest == bio.digest
