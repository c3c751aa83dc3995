"""Schedules to rotations that never overlap, overrides beside them; what cannot be held exactly is held back, with the reason."""

import pytest
from mapping_account import (
    NOW,
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

from pdmigrate.errors import SettingsError
from pdmigrate.harness import records as harness
from pdmigrate.harness.rota import render_schedule
from pdmigrate.oncall import rota

USERS = [user("ann"), user("bob"), user("cat")]
GONE = refer("user", "gus", deleted_at="2025-02-21T00:00:00Z")


def map_schedule(*schedules, decisions=(), rule="stop", state=None, ledger=None, **more):
    rows = {"users": USERS, "schedules": list(schedules), **more}
    return map_rows(rows, state or people("ann", "bob", "cat"), decisions, rule, ledger)


def fields(mapped, id="ps1"):
    return wishes(mapped, "schedules")[id].fields


def daily(start, hours):
    return {"type": "daily_restriction", "start_time_of_day": start, "duration_seconds": hours * 3600}


def rendered(*entries):
    return {"rendered_schedule_entries": list(entries)}


# --- layers ---


def test_a_layer_is_a_rotation():
    [rotation] = fields(map_schedule(schedule("ps1", layer(["ann", "bob"], name="Days"))))["rotations"]
    assert rotation == {
        "name": "Days",
        "participants": ["ann@example.com", "bob@example.com"],
        "anchor": "2025-01-06T09:00:00",
        "turn_seconds": 604_800,
        "windows": [],
        "since": "2025-01-01T00:00:00Z",
        "until": None,
    }


def test_a_schedule_knows_its_team_its_people_and_its_own_name():
    made = schedule("ps1", layer(["ann"]), name="On-call 🛒", description="Shop", teams=[refer("team", "pt1")])
    mapped = map_schedule(made, teams=[team("pt1")])
    wish = wishes(mapped, "schedules")["ps1"]
    assert (wish.identifier, wish.name, wish.fields["owner_group"]) == ("on_call_ps1", "On-call", "pt1_pt1")
    assert wish.fields["description"] == "Shop\nPagerDuty name: On-call 🛒"
    assert wish.needs == (("teams", "pt1"), ("users", "ann"))


@pytest.mark.parametrize("stacked", [True, False])
def test_stacked_layers_page_the_same_people_whether_a_target_stacks_or_joins(stacked):
    upper = layer(["ann", "bob"], "PL1", restrictions=[daily("09:00:00", 8)], rotation_turn_length_seconds=86_400)
    mapped = map_schedule(schedule("ps1", upper, layer(["cat"], "PL2")))
    made = harness.Schedule(identifier="ps1", **fields(mapped))
    start = rota.to_instant(NOW)
    who = render_schedule(made, start, start + 28 * rota.DAY, stacked)
    assert {len(people) for _, _, people in who.entries} == {1}
    assert rota.total((s, e) for s, e, _ in who.entries) == 28 * rota.DAY
    office = [people for s, e, people in who.entries if e - s == 8 * 3600]
    assert len(office) == 27, "the first and the last day are cut at noon"
    assert all(people <= {"ann@example.com", "bob@example.com"} for people in office)


def test_two_layers_of_one_name_are_told_apart():
    upper = layer(["ann"], "PL1", restrictions=[daily("09:00:00", 8)])
    names = [each["name"] for each in fields(map_schedule(schedule("ps1", upper, layer(["bob"], "PL2"))))["rotations"]]
    assert names == ["Layer 1", "Layer 1 PL2"]


def test_an_ended_layer_leaves_nothing():
    old = layer(["cat"], "PL0", name="Old", end="2026-01-01T00:00:00Z")
    mapped = map_schedule(schedule("ps1", layer(["ann"], name="New"), old))
    assert [each["name"] for each in fields(mapped)["rotations"]] == ["New"]


def test_under_empty_places_of_an_upper_layer_the_lower_one_is_laid_out_over_the_turns_of_both():
    """Windows cannot say `every other week`: the turns of who is gone belong to the layer below."""
    mapped = map_schedule(schedule("ps1", layer(["ann", GONE], "PL1"), layer(["bob"], "PL2")), rule="recommended")
    assert grades(mapped, "schedules") == {"ps1": "changed"}
    upper, lower = (each["participants"] for each in fields(mapped)["rotations"])
    assert upper == ["ann@example.com", None]
    assert lower == [None, "bob@example.com"]


# --- who is gone ---


def test_the_turns_of_a_deleted_user_stay_empty_and_that_is_said():
    mapped = map_schedule(schedule("ps1", layer(["ann", GONE])), rule="recommended")
    assert fields(mapped)["rotations"][0]["participants"] == ["ann@example.com", None]
    assert grades(mapped, "schedules") == {"ps1": "changed"}
    assert "turns of Gus stay empty" in reason(mapped, "schedules", "ps1")


def test_a_user_that_no_list_shows_is_a_question_that_no_rule_answers():
    """Perhaps the key may not see him; he may be paged today."""
    mapped = map_schedule(schedule("ps1", layer(["ann", "zed"])), rule="recommended")
    assert list(mapped.questions.open) == ["dangling_reference:ps1/zed"]
    assert mapped.held[0].open_question


def test_a_user_that_no_list_shows_leaves_an_empty_place_by_decision():
    made = schedule("ps1", layer(["ann", "zed"]))
    mapped = map_schedule(made, decisions=[decide("dangling_reference", "ps1/zed", "empty_place")])
    assert fields(mapped)["rotations"][0]["participants"] == ["ann@example.com", None]


def test_policies_that_no_list_shows_are_said():
    made = schedule("ps1", layer(["ann"]), escalation_policies=[refer("escalation_policy", "PGONE")])
    assert "Pgone" in reason(map_schedule(made), "schedules", "ps1")


# --- zones ---


def test_a_rails_zone_is_confirmed_first():
    made = schedule("ps1", layer(["ann"]), time_zone="Pacific Time (US & Canada)")
    assert list(map_schedule(made).questions.open) == ["time_zone_mismatch:ps1"]
    mapped = map_schedule(made, rule="recommended")
    assert fields(mapped)["time_zone"] == "America/Los_Angeles"
    assert "written as America/Los_Angeles" in reason(mapped, "schedules", "ps1")


def test_an_unknown_zone_is_never_guessed():
    made = schedule("ps1", layer(["ann"]), time_zone="Europe/Lodnon")
    assert list(map_schedule(made, rule="recommended").questions.open) == ["unknown_time_zone:ps1"]
    mapped = map_schedule(made, decisions=[decide("unknown_time_zone", "ps1", "other", "Europe/London")])
    assert fields(mapped)["time_zone"] == "Europe/London"
    again = map_schedule(made, decisions=[decide("unknown_time_zone", "ps1", "other", "Middle/Earth")])
    assert "'Middle/Earth', which nobody knows" in reason(again, "schedules", "ps1")


# --- PagerDuty's own rendering is the judge ---


def test_a_schedule_that_pagerduty_renders_otherwise_is_not_loaded():
    entry = {**override("cat", 0, 56), "id": "x"}
    made = schedule("ps1", layer(["ann"]), final_schedule=rendered(entry))
    mapped = map_schedule(made, rule="recommended")
    assert list(mapped.questions.open) == ["rendering_differs:ps1"]
    assert "56 days" in reason(mapped, "schedules", "ps1")
    seen = decide("rendering_differs", "ps1", "load_anyway")
    seen = seen.model_copy(update={"question": mapped.questions.open["rendering_differs:ps1"].digest})
    assert wishes(map_schedule(made, decisions=[seen]), "schedules")
    for blank in (decide("rendering_differs", id, "load_anyway") for id in ("all", "ps1")):
        held = map_schedule(made, decisions=[blank])
        assert "without naming the question" in held.questions.open["rendering_differs:ps1"].meaning


def test_that_question_is_another_one_when_the_schedule_is_and_not_because_a_day_has_passed():
    """An answer holds for the schedule that it was given to."""

    def ask(days, people=("ann",), **more):
        entries = [{**override(*one), "id": one[0]} for one in (("cat", 0, days), ("ann", days, 56))]
        made = schedule("ps1", layer(people, **more), final_schedule=rendered(*entries))
        return map_schedule(made).questions.open["rendering_differs:ps1"].digest

    assert ask(56) == ask(55) == ask(55, start="2026-11-03T09:00:00Z")
    assert ask(56) != ask(56, ("ann", "bob"))


def test_a_schedule_that_pagerduty_renders_as_we_do_moves():
    made = schedule("ps1", layer(["ann"]), final_schedule=rendered(override("ann", 0, 56)))
    assert grades(map_schedule(made), "schedules") == {"ps1": "exact"}


def test_a_shift_based_schedule_that_pagerduty_renders_otherwise_is_held():
    """As with a shadow rotation, which PagerDuty names and no schema shows."""
    begin, end = "2026-11-23T12:00:00Z", "2027-01-18T12:00:00Z"
    event = {
        "id": "E1",
        "name": "Always",
        "start_time": {"date_time": "2026-11-02T09:00:00Z", "time_zone": "Etc/UTC"},
        "end_time": {"date_time": "2026-11-09T09:00:00Z", "time_zone": "Etc/UTC"},
        "effective_since": "2026-11-02T09:00:00Z",
        "recurrence": ["RRULE:FREQ=WEEKLY"],
        "assignment_strategy": {"type": "every_member_assignment_strategy", "members": [stand("ann")]},
    }
    shown = [{"start_time": begin, "end_time": end, "member": stand(person)} for person in ("ann", "bob")]
    for assignments, held in ((shown[:1], False), (shown, True)):
        made = {"id": "pv3", "name": "Shifts", "time_zone": "Etc/UTC", "rotations": [{"id": "R1", "events": [event]}]}
        made["final_schedule"] = {"computed_shift_assignments": assignments}
        mapped = map_schedule(schedules_v3=[made], rule="recommended")
        assert ("pv3" in wishes(mapped, "schedules")) is not held
        assert list(mapped.questions.open) == ["rendering_differs:pv3"] * held


def stand(person):
    return {"type": "user_member", "user_id": person}


# --- names ---


def test_two_schedules_of_one_name_are_a_question_for_each():
    mapped = map_schedule(
        schedule("ps1", layer(["ann"]), name="On-call"), schedule("ps2", layer(["bob"]), name="on-call")
    )
    assert sorted(mapped.questions.open) == ["same_name_in_source:ps1", "same_name_in_source:ps2"]


@pytest.mark.parametrize("choice", ["adopt", "merge"])
def test_a_schedule_of_the_same_name_in_harness_is_adopted_or_merged(choice):
    weekly = harness.Rotation(name="Weekly", participants=[None], anchor=NOW.replace(tzinfo=None), turn_seconds=86_400)
    there = harness.Schedule(identifier="mine", name="Primary", time_zone="Europe/London", rotations=(weekly,))
    state = people("ann").model_copy(update={"schedules": {"mine": there}})
    made = schedule("ps1", layer(["ann"]), name="Primary")
    assert list(map_schedule(made, state=state).questions.open)[-1] == "duplicate_schedule:ps1"
    mapped = map_schedule(
        made,
        state=state,
        decisions=[decide("duplicate_schedule", "ps1", choice), decide("user_not_found", "all", "invite")],
    )
    wish = wishes(mapped, "schedules")["ps1"]
    assert (wish.identifier, wish.adopt, wish.merge) == ("mine", True, choice == "merge")
    assert [each["name"] for each in wish.fields["rotations"]] == ["Layer 1"]


# --- overrides ---


def with_overrides(*overrides, **more):
    return schedule("ps1", layer(["ann"]), overrides_subschedule=rendered(*overrides), **more)


def test_an_override_is_a_part_of_its_schedule():
    mapped = map_schedule(with_overrides(override("bob", 1, 2)))
    [wish] = wishes(mapped, "overrides").values()
    assert wish.identifier == f"ps1_ps1/pd_{wish.key}"
    assert wish.fields == {
        "schedule": "ps1_ps1",
        "person": "bob@example.com",
        "start": "2026-11-24T12:00:00Z",
        "end": "2026-11-25T12:00:00Z",
    }
    assert wish.needs == (("schedules", "ps1"), ("users", "bob"))


def test_one_that_has_ended_is_none_and_one_that_runs_is():
    assert len(wishes(map_schedule(with_overrides(override("bob", -3, -1), override("bob", -1, 1))), "overrides")) == 1


@pytest.mark.parametrize(
    "made,why",
    [
        (with_overrides(override("zed", 1, 2)), "open question: no list of PagerDuty shows its stand-in"),
        (with_overrides(override(None, 1, 2)), "open question: no list of PagerDuty shows its stand-in"),
        (with_overrides(override("bob", 1, 2), time_zone="Middle/Earth"), "its schedule is not carried over"),
    ],
)
def test_an_override_that_stays_behind_says_why(made, why):
    [outcome] = [outcome for outcome in map_schedule(made).outcomes if outcome.kind == "overrides"]
    assert (outcome.grade, outcome.reason) == ("lost", why)


# --- scope ---

ACCOUNT = {
    "users": USERS,
    "teams": [team("pt1"), team("pt2")],
    "team_members": {"pt1": [{"user": refer("user", "bob"), "role": "responder"}]},
    "schedules": [schedule("ps1", layer(["ann"])), schedule("ps2", layer(["cat"]))],
    "escalation_policies": [
        policy("pp1", (5, [refer("schedule", "ps1")])),
        policy("pp2", (5, [refer("schedule", "ps2")])),
    ],
    "services": [
        service("s1", "pp1", name="Cart", teams=[refer("team", "pt1")]),
        service("s2", "pp2", name="Shop"),
        service("s3", "pp2", name="Shop"),
    ],
}


@pytest.mark.parametrize("word", ["s1", "Cart"])
def test_a_service_brings_exactly_what_it_needs(word):
    mapped = map_rows(ACCOUNT, people("ann", "bob", "cat"), services=[word])
    assert {kind: sorted(ids) for kind, ids in mapped.scope.items()} == {
        "users": ["ann", "bob"],
        "teams": ["pt1"],
        "schedules": ["ps1"],
        "escalation_policies": ["pp1"],
        "services": ["s1"],
    }
    assert {outcome.kind for outcome in mapped.outcomes} == {
        "users",
        "teams",
        "schedules",
        "escalation_policies",
        "services",
    }


@pytest.mark.parametrize(
    "word,said", [("Crat", "did you mean 'Cart'"), ("Shop", r"names 2 of them.*s2, s3"), ("zzz", "see the services")]
)
def test_a_service_that_is_none_or_two_is_refused(word, said):
    with pytest.raises(SettingsError, match=said):
        map_rows(ACCOUNT, services=[word])
