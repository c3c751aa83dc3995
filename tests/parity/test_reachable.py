"""Who can be paged and would not hear it: pure cases, each place and each reason, and one that is sound beside it."""

from dataclasses import replace
from datetime import timedelta

import pytest
from mapping_account import NOW, layer, map_rows, override, people, policy, refer, schedule, service, user

from pdmigrate.harness import records as harness
from pdmigrate.oncall.rota import Rota, make_rota, to_instant
from pdmigrate.parity.people import find_reach

START, END = to_instant(NOW), to_instant(NOW + timedelta(days=56))
WINDOW = (START, END)
ANN, BEN, CAT = (f"{name}@example.com" for name in ("ann", "ben", "cat"))
NUMBER, GERMAN = "+12125550101", "+4915112345678"


def method(kind="email", address=ANN, **more):
    fields = {"id": f"{kind}-{address}", "type": f"{kind}_contact_method", "label": "Mobile", "address": address}
    return fields | ({"country_code": 1} if kind in ("phone", "sms") else {}) | more


def rule(of, delay=0, urgency="high"):
    to = {"id": of["id"], "type": f"{of['type']}_reference"}
    return {"id": f"r{delay}-{of['id']}", "start_delay_in_minutes": delay, "urgency": urgency, "contact_method": to}


def reached(**more):
    """A user with an email and a rule for it at once."""
    mail = method()
    return {"contact_methods": [mail], "notification_rules": [rule(mail)], **more}


def direct(**more):
    """Ann is the direct target of the only level."""
    rows = {"users": [user("ann", **more)], "escalation_policies": [policy("main", (5, [refer("user", "ann")]))]}
    return rows | {"services": [service("shop", "main")]}


def details(*methods, email=ANN):
    return {email: harness.ContactDetails(email=email, methods=[{"type": t, "address": a} for t, a in methods])}


def steps(*asked, email=ANN):
    """Each step: (wait, (type, address), …)."""
    made = [{"wait_minutes": wait, "methods": [{"type": t, "address": a} for t, a in to]} for wait, *to in asked]
    return {email: harness.NotificationRule(email=email, steps=made)}


SOUND = {"contacts": details(("email", ANN)), "rules": steps((0, ("email", ANN)))}


def look(rows, state=None, rotas=(), who=None, **rules):
    """What is found once Harness has this state; who: the people in it."""
    mapped = map_rows(rows, who or people("ann", "ben", "cat"), **rules)
    mapped = replace(mapped, state=mapped.state.model_copy(update=SOUND if state is None else state))
    return find_reach(mapped, rotas, WINDOW)


def whys(found):
    return {row.email: row.why for row in found}


def alter(name, **fields):
    there = people("ann", "ben", "cat")
    return there.model_copy(update={"people": there.people | {name: there.people[name].model_copy(update=fields)}})


# --- what is wrong ---


def test_somebody_who_hears_it_at_once_is_not_named():
    found = look(direct(**reached()))
    assert (found.unreachable, found.late, found.unproven) == ((), (), ())


@pytest.mark.parametrize(
    "who, said",
    [
        (alter(ANN, disabled=True), "the account is disabled"),
        (alter(ANN, locked=True), "the account is locked"),
        (people("ben", invited=("ann",)), "invited, not accepted yet"),
    ],
)
def test_an_account_that_takes_no_page_is_named(who, said):
    [row] = look(direct(**reached()), who=who).unreachable
    assert (row.email, row.why) == (ANN, said)
    assert row.next_turn == NOW
    assert row.schedules == ("whenever the policy 'Main' reaches level 1",)
    assert row.about == {("escalation_policies", "main")}


MAIL, SMS = method(), method("sms", "2125550101")
BLOCKED, OFF = method("sms", "2125550101", blacklisted=True), method(enabled=False)
CHANNELS = {
    "nothing on either side": (
        [],
        {"contacts": {}, "rules": {}},
        "no contact method in Harness, and none in PagerDuty",
    ),
    "only a blocked one in PagerDuty": (
        [BLOCKED],
        {"contacts": {}, "rules": {}},
        "no contact method in Harness: PagerDuty has 1, blocked or switched off there",
    ),
    "only the app in PagerDuty": (
        [method("push_notification", "token")],
        {"contacts": {}, "rules": {}},
        "no contact method in Harness: PagerDuty has push only",
    ),
    "taken away by hand in Harness": ([MAIL], {"contacts": {}, "rules": {}}, "no contact method in Harness"),
    "a blocked one entered in Harness by hand": (
        [BLOCKED],
        {"contacts": details(("sms", NUMBER)), "rules": {}},
        f"no contact method in Harness can be used: the sms address {NUMBER} is blocked or switched off in PagerDuty",
    ),
    "switched off in PagerDuty, in the first step": (
        [OFF],
        SOUND,
        f"the first step of the notification rule leads nowhere: the email address {ANN} is blocked or switched off in PagerDuty",
    ),
    "a country that is not served": (
        [MAIL],
        {"contacts": details(("phone", GERMAN)), "rules": {}},
        f"no contact method in Harness can be used: Harness does not serve the country of {GERMAN}",
    ),
    "an address that is not there": (
        [MAIL],
        {"contacts": details(("email", ANN)), "rules": steps((0, ("sms", NUMBER)), (5, ("email", ANN)))},
        f"the first step of the notification rule leads nowhere: the sms address {NUMBER} is not among the contact methods",
    ),
    "the same address by another type": (
        [MAIL],
        {"contacts": details(("phone", NUMBER)), "rules": steps((0, ("sms", NUMBER)))},
        f"the first step of the notification rule leads nowhere: the sms address {NUMBER} is not among the contact methods",
    ),
    "a rule without a step": (
        [MAIL],
        {"contacts": details(("email", ANN)), "rules": steps()},
        "the notification rule in Harness has no step",
    ),
    "a step without a channel": (
        [MAIL],
        {"contacts": details(("email", ANN)), "rules": steps((0,))},
        "the first step of the notification rule leads nowhere: it has no channel",
    ),
}


@pytest.mark.parametrize("case", CHANNELS)
def test_a_first_step_that_leads_nowhere_is_named(case):
    methods, state, said = CHANNELS[case]
    found = look(direct(contact_methods=methods), state, open_conflicts="recommended")
    assert whys(found.unreachable) == {ANN: said}


def test_one_channel_of_the_first_step_is_enough():
    state = {"contacts": details(("email", ANN)), "rules": steps((0, ("sms", NUMBER), ("email", ANN)))}
    assert look(direct(**reached()), state).unreachable == ()


def test_who_is_only_invited_is_told_what_will_be_missing_then():
    state = {"contacts": {}, "rules": {}}
    [row] = look(direct(), state, who=people("ben", invited=("ann",))).unreachable
    assert row.why == "invited, not accepted yet; and then no contact method in Harness, and none in PagerDuty"


def test_who_is_only_invited_is_told_how_late_it_will_be_then():
    state = {"contacts": details(("email", ANN)), "rules": steps((7, ("email", ANN)))}
    rows = direct(contact_methods=[MAIL], notification_rules=[rule(MAIL)])
    found = look(rows, state, who=people("ben", invited=("ann",)))
    assert whys(found.unreachable) == {ANN: "invited, not accepted yet; and then is told 7 minutes later than today"}
    assert found.late == ()


# --- later than today ---

APP = method("push_notification", "token")
LATER = {
    "a longer first wait": ([rule(MAIL)], steps((7, ("email", ANN))), "is told 7 minutes later than today"),
    "one minute": ([rule(MAIL, 2)], steps((3, ("email", ANN))), "is told 1 minute later than today"),
    "push, which no API shows": (
        [rule(APP), rule(MAIL, 15)],
        steps((15, ("email", ANN))),
        "is told 15 minutes later than today, unless push is set up in Harness too, which no API shows",
    ),
    "as soon as today": ([rule(MAIL, 5)], steps((5, ("email", ANN))), None),
    "sooner": ([rule(MAIL, 5)], steps((0, ("email", ANN))), None),
    "by Harness's defaults": (
        [rule(MAIL, 5)],
        {},
        "has no notification rule in Harness, which tells by its own defaults",
    ),
    "by Harness's defaults, which are as today": ([rule(MAIL)], {}, None),
    "low urgency is another thing": ([rule(MAIL, 0, "low"), rule(MAIL, 5)], steps((5, ("email", ANN))), None),
    "no rule in PagerDuty": ([], steps((5, ("email", ANN))), None),
}


@pytest.mark.parametrize("case", LATER)
def test_somebody_who_is_told_later_than_today_is_named(case):
    rules, written, said = LATER[case]
    state = {"contacts": details(("email", ANN)), "rules": written}
    found = look(direct(contact_methods=[MAIL, APP], notification_rules=rules), state)
    assert whys(found.late) == ({ANN: said} if said else {})
    assert found.unreachable == ()


def test_without_a_rule_harness_calls_after_a_minute():
    phone = method("phone", "2125550101")
    rows = direct(contact_methods=[phone], notification_rules=[rule(phone)])
    found = look(rows, {"contacts": details(("phone", NUMBER)), "rules": {}})
    assert whys(found.late) == {ANN: "is told 1 minute later than today"}


# --- what is not known ---


def test_without_an_api_nothing_is_claimed_of_channels():
    found = look(direct(**reached()), {"oncall": False})
    assert (found.unreachable, found.late) == ((), ())
    assert "ask the person" in whys(found.unproven)[ANN]
    assert found.unproven[0].next_turn == NOW


def test_contact_details_that_are_not_carried_over_are_asked_of_the_person():
    found = look(direct(**reached()), {"contacts": {}, "rules": {}}, contact_details=False)
    assert found.unreachable == ()
    assert "not carried over" in whys(found.unproven)[ANN]


def test_own_contact_details_in_harness_are_judged_whatever_the_rules_say():
    assert look(direct(**reached()), contact_details=False).unproven == ()
    gone = {"contacts": details(("email", ANN)), "rules": steps((0, ("sms", NUMBER)))}
    assert ANN in whys(look(direct(**reached()), gone, contact_details=False).unreachable)


# --- where somebody can be paged ---


def rota(*turns):
    """Days from now, and who is on call then."""
    return make_rota((START + a * 86_400, START + b * 86_400, frozenset(who)) for a, b, who in turns)


def in_schedule(*layers, overrides=()):
    rows = {"users": [user(name) for name in ("ann", "ben", "cat")], "schedules": [schedule("rota", *layers)]}
    return rows | {"overrides": {"rota": list(overrides)}}


def test_the_next_turn_is_the_moment_on_either_side():
    rows = in_schedule(layer(["ann", "ben"]))
    before, after = rota((0, 1, [ANN]), (3, 4, [BEN])), rota((0, 1, [ANN]), (2, 3, [BEN]), (5, 6, [CAT]))
    found = look(rows, {"contacts": {}, "rules": {}}, [("rota", before, after)]).unreachable
    assert [(row.email, row.next_turn) for row in found] == [
        (ANN, NOW),
        (BEN, NOW + timedelta(days=2)),
        (CAT, NOW + timedelta(days=5)),
    ]
    assert {row.schedules for row in found} == {("Rota",)}


def test_who_stands_in_a_rotation_without_a_turn_in_the_window_is_named_last():
    rows = in_schedule(layer(["ann", "ben"]), layer(["cat"], id="PL0", end="2025-06-01T00:00:00Z"))
    found = look(rows, {"contacts": {}, "rules": {}}, [("rota", rota((0, 1, [ANN])), Rota())]).unreachable
    assert [(row.email, row.next_turn) for row in found] == [(ANN, NOW), (BEN, None)], "an ended layer pages nobody"


def test_a_stand_in_is_named():
    rows = in_schedule(layer(["ann"]), overrides=[override("cat", 9, 10)])
    found = look(rows, {"contacts": details(("email", ANN))}, [("rota", rota((9, 10, [CAT])), Rota())]).unreachable
    assert [(row.email, row.next_turn) for row in found] == [(CAT, NOW + timedelta(days=9))]


def test_whoever_stands_only_in_what_covers_no_time_is_not_named():
    upside_down = layer(["ben"], "PL2", start="2027-01-01T00:00:00Z", end="2026-12-01T00:00:00Z")
    rows = in_schedule(layer(["ann"]), upside_down, overrides=[override("cat", 9, 9), override("cat", 12, 11)])
    assert look(rows, {"contacts": details(("email", ANN))}, [("rota", rota((0, 56, [ANN])), Rota())]).unreachable == ()


def in_harness(*targets, **state):
    """The policy as somebody has changed it in Harness: these targets at its second level."""
    levels = [harness.Level(timeout_minutes=5, targets=[{"type": "user", "id": ANN}])]
    levels += [harness.Level(timeout_minutes=5, targets=[{"type": t, "id": i} for t, i in targets])]
    identifier = map_rows(direct(), people("ann")).policies["main"]
    there = harness.EscalationPolicy(identifier=identifier, name="Main", levels=levels)
    return SOUND | {"policies": {identifier: there}} | state


ROTATION = {"name": "Night", "participants": [BEN], "anchor": "2026-11-23T09:00:00", "turn_seconds": 86_400}
NIGHTS = harness.Schedule(identifier="nights", name="Nights", time_zone="UTC", rotations=[ROTATION])
CREW = harness.UserGroup(identifier="crew", name="Crew", users=[BEN])
LEVEL = "whenever the policy 'Main' reaches level 2"


@pytest.mark.parametrize(
    "target, state",
    [
        (("user", BEN), {}),
        (("user_group", "crew"), {"groups": {"crew": CREW}}),
        (("rotation", "nights/Night"), {"schedules": {"nights": NIGHTS}}),
        (("schedule", "nights"), {"schedules": {"nights": NIGHTS}}),
    ],
)
def test_whoever_a_level_of_harness_leads_to_is_named(target, state):
    [row] = look(direct(**reached()), in_harness(target, **state)).unreachable
    assert (row.email, row.why) == (BEN, "no contact method in Harness")
    assert LEVEL in row.schedules
    assert row.next_turn == NOW


@pytest.mark.parametrize(
    "target, state, name, said",
    [
        (
            ("user_group", "crew"),
            {"groups": {"crew": CREW.model_copy(update={"users": ()})}},
            "user group Crew",
            "no mem",
        ),
        (("user_group", "gone"), {}, "user group gone", "no such group"),
        (
            ("rotation", "nights/Day"),
            {"schedules": {"nights": NIGHTS}},
            "rotation Day of the schedule Nights",
            "skips the target",
        ),
        (("schedule", "gone"), {}, "schedule gone", "no such schedule"),
        (
            ("schedule", "nights"),
            {"schedules": {"nights": NIGHTS.model_copy(update={"rotations": ()})}},
            "schedule Nights",
            "nobody stands in it",
        ),
    ],
)
def test_a_target_that_pages_nobody_is_named(target, state, name, said):
    [row] = look(direct(**reached()), in_harness(target, **state)).unreachable
    assert (row.email, row.schedules, row.next_turn) == (name, (LEVEL,), NOW)
    assert said in row.why


def test_both_sides_of_a_level_are_one_line():
    [row] = look(direct(**reached()), in_harness(("user", ANN)), who=alter(ANN, disabled=True)).unreachable
    assert row.schedules == ("whenever the policy 'Main' reaches level 1",)
