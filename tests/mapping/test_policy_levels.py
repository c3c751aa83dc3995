"""Policies level by level, on pure records: what is compared with what, what is unverified, and what a decision explains."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from mapping_account import decide, layer, map_rows, people, policy, refer, schedule, service, user

from pdmigrate.harness.records import EscalationPolicy, Level, LevelTarget, State
from pdmigrate.mapping.draft import Draft
from pdmigrate.oncall import rota
from pdmigrate.parity.policies import compare_policies, find_unexplained
from pdmigrate.parity.schedules import Compared, ScheduleParity
from pdmigrate.plan.actions import Held, LedgerEntry, make_plan
from pdmigrate.plan.answers import Conflict, Settled

DAY = 86_400

SPAN = (int(datetime(2026, 11, 23, 12, tzinfo=UTC).timestamp()), int(datetime(2027, 1, 18, 12, tzinfo=UTC).timestamp()))


def find(
    rows, levels, said=None, *, after=(), unread=False, carried=True, decisions=(), kept=False, there="ann bob cat"
):
    """A policy pp of a service, with these people on call in the schedule ps in Harness, and these levels there."""
    held = {"services": [service("psv", "pp")], "users": [user("ann"), user("bob"), user("cat")]} | rows
    mapped = map_rows(held | ({"oncalls": said} if said else {}), people(*there.split()), decisions)
    if kept:
        words = dict.fromkeys(("name", "question", "meaning", "recommended"), "")
        asked = Conflict(about="changed_in_harness", kind="escalation_policies", id="pp", options=(), **words)
        mapped.questions.answered[asked.key] = Settled(conflict=asked, choice="keep_harness", by="ann")
    made = EscalationPolicy(identifier="pp_pp", name="Pp", levels=tuple(levels))
    state = State(people=mapped.state.people, policies={"pp_pp": made}, oncall=True)
    reasons = {kind: dict.fromkeys(ids, "") for kind, ids in mapped.scope.items()}
    ledger = (
        {("escalation_policies", "pp"): LedgerEntry("escalation_policies", "pp", "pp_pp", "Pp", {})} if carried else {}
    )
    plan = make_plan("", "", [], [] if carried else [Held("escalation_policies", "pp", "Pp", "a test", True)])
    found = Draft(mapped.account, state, reasons, replace(mapped, desired=[]), plan, ledger)
    now = rota.make_rota([(*SPAN, tuple(after))])
    seen = ScheduleParity(
        "ps", "Ps", "ps_ps", "UTC", Compared(*SPAN, rota.Rota(), now, now), unread, True, unread=unread
    )
    [policy_seen] = compare_policies(found, [seen])
    return policy_seen


def on_call(person, level=1, **more):
    place = {"escalation_policy": refer("escalation_policy", "pp"), "escalation_level": level, "schedule": None}
    return place | {"user": refer("user", person), "start": None, "end": None} | more


def told(*rows):
    return {"since": "2026-11-23T12:00:00Z", "until": "2027-01-18T12:00:00Z", "oncalls": list(rows)}


def page(*emails, schedules=()):
    targets = [LevelTarget(type="user", id=f"{name}@example.com") for name in emails]
    return Level(timeout_minutes=5, targets=(*targets, *(LevelTarget(type="schedule", id=id) for id in schedules)))


ANN_BOB = {"escalation_policies": [policy("pp", (5, [refer("user", "ann")]), (5, [refer("user", "bob")]))]}


def test_levels_that_all_say_the_same_agree():
    seen = find(ANN_BOB, [page("ann"), page("bob")], told(on_call("ann"), on_call("bob", 2)))
    assert seen.grade == "agree"
    assert [level.agree for level in seen.levels] == [56 * DAY, 56 * DAY]


def test_harness_is_compared_with_pagerdutys_word_where_it_was_given():
    """What PagerDuty says is the before, not what we read."""
    seen = find(ANN_BOB, [page("ann"), page("bob")], told(on_call("cat"), on_call("bob", 2)))
    cat, ann = frozenset(["cat@example.com"]), frozenset(["ann@example.com"])
    assert seen.differences == ((1, *SPAN, cat, ann),)
    assert seen.target_differences == ((1, *SPAN, cat, ann),)
    assert len(find_unexplained([seen])) == 1, "Harness has it as we read it: that is one finding, not two"
    assert find_unexplained([find(ANN_BOB, [page("cat"), page("bob")], told(on_call("ann"), on_call("bob", 2)))])


def test_a_deleted_user_is_not_on_call_by_any_word():
    gone = {"deleted_at": "2026-01-01T00:00:00Z"}
    rows = {"escalation_policies": [policy("pp", (5, [refer("user", "zed", **gone), refer("user", "ann")]))]}
    said = told(on_call("ann"), on_call("zed", user=refer("user", "zed", **gone)))
    assert find(rows, [page("ann")], said).grade == "agree"
    assert find(rows, [page("ann")], told(on_call("ann"), on_call("zed"))).grade == "differ"


def test_a_schedule_that_was_not_read_is_unverified_and_never_nobody():
    rows = {
        "schedules": [schedule("ps", layer(["ann"]))],
        "escalation_policies": [policy("pp", (5, [refer("schedule", "ps")]))],
    }
    seen = find(rows, [page(schedules=["ps_ps"])], told(on_call("ann")), after=["ann@example.com"], unread=True)
    assert (seen.grade, seen.differences) == ("unverified", ())
    assert "was not read" in seen.levels[0].notes[0]
    wrong = find(rows, [page(schedules=["ps_ps"])], told(on_call("bob")), after=["ann@example.com"], unread=True)
    assert wrong.grade == "differ", "PagerDuty's word is known, and Harness's is, too"


def test_a_retry_is_the_same_level_again_and_a_level_without_targets_is_not_written():
    rows = {"escalation_policies": [policy("pp", (5, []), (5, [refer("user", "ann")]), (5, [refer("user", "bob")]))]}
    again = page("ann").model_copy(update={"retries": 2})
    seen = find(rows, [again, page("bob")], told(on_call("ann", 2), on_call("bob", 3)))
    assert {level.grade for level in seen.levels} == {"agree"}
    [sentence] = find_unexplained([seen])
    assert "its levels begin after 0, 5 min in PagerDuty, after 0, 5, 10, 15 min in Harness" in sentence


def test_a_level_that_only_harness_has_pages_people_beyond_those_of_pagerduty():
    said = told(on_call("ann"), on_call("bob", 2))
    seen = find(ANN_BOB, [page("ann"), page("bob"), page("cat")], said)
    assert (seen.grade, [level.grade for level in seen.levels]) == ("differ", ["agree", "agree", "differ"])
    [sentence] = find_unexplained([seen])
    assert "level 3: nobody in PagerDuty, cat@example.com in Harness" in sentence
    assert find_unexplained([find(ANN_BOB, [page("ann"), page("bob"), page("cat")], said, kept=True)]) == ()


@pytest.mark.parametrize(
    "said, words",
    [(None, "a snapshot cannot be asked"), ({"oncalls": [on_call("ann")]}, "which time it covers")],
    ids=["not asked", "timeless"],
)
def test_without_pagerdutys_word_nothing_agrees_and_nothing_is_alarmed(said, words):
    seen = find(ANN_BOB, [page("ann"), page("bob")], said)
    assert (seen.grade, find_unexplained([seen])) == ("unverified", ())
    assert all(words in level.notes[0] for level in seen.levels)
    assert find_unexplained([find(ANN_BOB, [page("bob"), page("ann")], said)]), "what Harness pages is known"


def test_what_a_recorded_answer_does_not_cover_is_unverified():
    half = told(on_call("ann"), on_call("bob", 2)) | {"until": "2026-12-21T12:00:00Z"}
    seen = find(ANN_BOB, [page("ann"), page("bob")], half)
    assert [(level.agree, level.unverified) for level in seen.levels] == [(28 * DAY, 28 * DAY)] * 2


def test_a_policy_that_is_not_carried_over_is_never_said_to_agree():
    """What becomes of it is a question of its own; here only PagerDuty's word is compared with our reading."""
    said = told(on_call("ann"), on_call("bob", 2))
    seen = find(ANN_BOB, [], said, carried=False)
    assert (seen.grade, find_unexplained([seen])) == ("unverified", ())
    assert "not carried over" in seen.levels[0].notes[0]
    assert find(ANN_BOB, [], said).grade == "differ", "it is carried over, and Harness has no such level"


def test_a_decision_explains_what_it_says_and_no_more():
    """A placeholder is nobody, by decision: it is missing in Harness. That Cat is paged besides nobody has decided."""
    rows = {
        "users": [user("ann"), user("cat"), user("nobody", email="nobody@example.com")],
        "escalation_policies": [policy("pp", (5, [refer("user", "ann"), refer("user", "nobody")]))],
    }
    said, gone = told(on_call("ann"), on_call("nobody")), [decide("nobody_user", "nobody", "empty_place")]
    seen = find(rows, [page("ann")], said, decisions=gone, there="ann cat")
    assert (seen.grade, len(seen.target_differences), find_unexplained([seen])) == ("differ", 1, ())
    [sentence] = find_unexplained([find(rows, [page("ann", "cat")], said, decisions=gone, there="ann cat")])
    assert "ann@example.com, cat@example.com in Harness" in sentence


def test_a_policy_that_people_kept_as_it_is_in_harness_is_explained_with_its_retries():
    """The levels are Harness's own, one by one: a level that is paged twice does not move the next."""
    said = told(on_call("ann"), on_call("bob", 2))
    twice = page("cat").model_copy(update={"retries": 1})
    assert find_unexplained([find(ANN_BOB, [twice, page("bob", "cat")], said)])
    seen = find(ANN_BOB, [twice, page("bob", "cat")], said, kept=True)
    assert (seen.grade, len(seen.target_differences), find_unexplained([seen])) == ("differ", 2, ())
