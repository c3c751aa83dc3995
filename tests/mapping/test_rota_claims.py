"""What is claimed about a schedule: never more than is so, in time that grows with the schedule, or a question at once."""

import time
from datetime import UTC, datetime, timedelta
from random import Random
from types import SimpleNamespace
from zoneinfo import ZoneInfo

import pytest
from campaigns import run_one, run_rota
from mapping_account import decide, map_rows, override, people, refer, schedule, user, wishes
from mapping_account import layer as row
from rota_cases import read_both_ways
from rota_random import make_stack
from test_rota_named import (
    DAY,
    HORIZON,
    NOW,
    SINCE,
    UNTIL,
    WEEK,
    daily,
    layer,
    make_account,
    say,
    show,
    weekly,
)
from test_rota_named import schedule as stack

from pdmigrate.mapping.claims import TEN_YEARS, always_same
from pdmigrate.mapping.proof import judge, list_windows
from pdmigrate.mapping.schedules_v2 import map_layers
from pdmigrate.oncall import rota
from pdmigrate.pagerduty.readings import Reading
from pdmigrate.pagerduty.records import Schedule
from pdmigrate.pagerduty.rota import make_rotation, render_schedule

USERS = [user("ann"), user("bob"), user("cat")]


def map_one(*schedules, decisions=(), **more):
    return map_rows({"users": USERS, "schedules": list(schedules), **more}, people("ann", "bob", "cat"), decisions)


def rotations(mapped, id="ps1"):
    return wishes(mapped, "schedules")[id].fields["rotations"]


# --- layers that are over, and names ---


def test_a_layer_that_ends_before_it_starts_pages_nobody():
    upside_down = layer("x", starts=10, ends=-10)
    _, _, _, (named, fidelity) = say(stack(upside_down, layer("ab")))
    assert [(one.name, one.rotation.since, one.rotation.until) for one in named] == [
        ("Layer 1", int(datetime(2024, 1, 1, 14, tzinfo=UTC).timestamp()), None)
    ]
    assert fidelity.grade == "for_ever"


@pytest.mark.parametrize("order", [1, -1])
def test_of_two_layers_of_one_name_the_one_that_is_on_now_keeps_it(order):
    """The older one has ended: had the other its id behind the name, a level in Harness would be passed over in silence."""
    old = row(["ann"], "PL1", end="2026-11-20T09:00:00Z")
    new = row(["ann", "bob"], "PL2", start="2026-11-20T09:00:00Z")
    assert [one["name"] for one in rotations(map_one(schedule("ps1", *[old, new][::order])))] == ["Layer 1"]


def test_the_layer_that_follows_takes_the_name_when_its_turn_comes():
    old, new = layer("ab", ends=5), layer("bc", starts=5)
    facts = stack(old, new)
    for one in facts["schedule_layers"]:
        one["name"] = "Layer 1"
    one, zone, judgement, _ = say(facts)
    for day, alive in ((0, ("a", "b")), (6, ("b", "c"))):
        now = SINCE + day * DAY
        named, _ = map_layers(one, judgement, zone, now, now + 56 * DAY)
        assert next(made.rotation.participants for made in named if made.name == "Layer 1") == alive


def test_overlapping_layers_of_the_past_cost_nothing():
    begun = time.process_time()
    ended = [layer("a-", anchor="2019-01-07T09:00:00", ends=-30 * n - 1) for n in range(20)]
    _, _, _, (named, fidelity) = say(stack(*ended, layer("cd")))
    assert [one.rotation.participants for one in named] == [("c", "d")]
    assert fidelity.grade == "for_ever"
    assert time.process_time() - begun < 2


def test_nobody_is_asked_about_people_of_layers_that_have_ended():
    gone = refer("user", "gus", deleted_at="2025-02-21T00:00:00Z")
    mapped = map_one(schedule("ps1", row(["ann", gone], "PL1", end="2026-01-01T00:00:00Z"), row(["ann"], "PL2")))
    assert mapped.questions.open == {}
    assert [outcome.grade for outcome in mapped.outcomes if outcome.kind == "schedules"] == ["exact"]


def test_many_layers_with_deleted_people_at_once_cost_nothing():
    begun = time.process_time()
    live = [layer("a-", daily("09:00", 8), turn=WEEK) for _ in range(20)]
    say(stack(*live, layer("cd")))
    assert time.process_time() - begun < 5


# --- turns that are too short, and too many of anything ---


@pytest.mark.parametrize("turn", [1, 10, 59])
def test_turns_of_seconds_are_a_question_at_once(turn):
    begun = time.process_time()
    short = row(["ann", "bob"], rotation_turn_length_seconds=turn)
    mapped = map_one(schedule("ps1", short))
    assert list(mapped.questions.open) == ["cannot_be_said:ps1"]
    assert mapped.held[0].open_question
    answered = map_one(schedule("ps1", short), decisions=[decide("cannot_be_said", "ps1", "leave_out")])
    assert (answered.held[0].open_question, answered.held[0].decided) == (False, "cannot_be_said:ps1")
    assert time.process_time() - begun < 2


def test_the_turn_of_one_who_is_always_on_is_of_no_matter():
    [made] = rotations(map_one(schedule("ps1", row(["ann"], rotation_turn_length_seconds=1))))
    assert made["turn_seconds"] == 60


def test_turns_of_a_minute_are_written_in_no_time():
    begun = time.process_time()
    made = row(["ann", "bob", "cat"], rotation_turn_length_seconds=60)
    mapped = map_one(schedule("ps1", made, time_zone="Asia/Tokyo"))
    assert rotations(mapped)[0]["turn_seconds"] == 60
    assert mapped.fidelity["ps1"].grade == "for_ever"
    assert time.process_time() - begun < 8


def test_five_hundred_windows_and_ten_thousand_places_cost_little():
    begun = time.process_time()
    windows = [weekly(n % 7 + 1, f"{n * 7 % 24:02}:{n % 60:02}", 0.2) for n in range(500)]
    say(stack(layer("ab", *windows), layer("cd")))
    say(stack(layer("abcd" * 2500, turn=DAY), layer("xy")))
    assert time.process_time() - begun < 12


def test_an_anchor_of_year_one_names_the_schedule():
    odd = row(["ann", "bob"], rotation_virtual_start="0001-01-01T00:00:00+14:00")
    mapped = map_one(schedule("ps1", odd, time_zone="America/New_York"), schedule("ps2", row(["ann"])))
    assert list(mapped.questions.open) == ["unusable_record:ps1"]
    assert "ps2" in wishes(mapped, "schedules")


def test_more_dates_than_anybody_can_check_are_a_question():
    upper = row(
        ["ann", refer("user", "gus", deleted_at="2025-02-21T00:00:00Z")], "PL1", rotation_turn_length_seconds=6001
    )
    made = schedule("ps1", upper, row(["bob", "cat"], "PL2", rotation_turn_length_seconds=100_001))
    empty = decide("deleted_participant", "all", "empty_place")
    assert list(map_one(made, decisions=[empty]).questions.open) == ["too_many_dated:ps1"]
    begun = time.process_time()
    mapped = map_one(made, decisions=[empty, decide("too_many_dated", "ps1", "write_dates")])
    assert len(rotations(mapped)) > 400
    assert time.process_time() - begun < 5
    left = map_one(made, decisions=[empty, decide("too_many_dated", "ps1", "leave_out")])
    assert left.held[0].decided == "too_many_dated:ps1"


# --- exact for ever, or until when ---


def test_a_deleted_user_in_a_layer_that_starts_in_two_years_limits_the_claim():
    """What is under his turns can only be written with dates, and nobody has written them yet."""
    upper, lower = layer("x-", turn=100_000, starts=700), layer("abc", turn=2700)
    one, zone, judgement, (named, fidelity) = say(stack(upper, lower), **_shown(stack(upper, lower), 700))
    assert judgement.doubts == ()
    assert (fidelity.grade, fidelity.until) == ("until", SINCE + 700 * DAY)
    drawn = rota.join([made.rotation.render(zone, SINCE, fidelity.until) for made in named])
    assert drawn == render_schedule(one, zone, SINCE, fidelity.until)


def _shown(facts, day):
    """PagerDuty's rendering of some days from then on: the layer below shows."""
    one, zone = Schedule.model_validate(facts), ZoneInfo(facts["time_zone"])
    span = tuple(NOW + timedelta(days=day + more) for more in (0, 14))
    changes = [(at - timedelta(days=2), at + timedelta(days=20)) for at in _next_changes(zone)]
    return show(one, zone, Reading(), span, *changes)


def _next_changes(zone):
    return [rota.to_datetime(change).replace(hour=0) for change in rota.zone_changes(zone, SINCE, UNTIL)[:2]]


def test_one_that_starts_behind_the_month_is_written_with_dates():
    upper, lower = layer("x-", turn=100_000, starts=120), layer("abc", turn=2 * WEEK + 1)
    one, zone, _, (named, fidelity) = say(stack(upper, lower))
    assert any(made.dated for made in named)
    starts = SINCE + 120 * DAY
    assert fidelity.until <= starts + 100 * DAY
    assert (
        read_both_ways(one, zone, named, SINCE, starts + 60 * DAY)
        == [render_schedule(one, zone, SINCE, starts + 60 * DAY)] * 2
    )


def test_the_structure_shows_what_no_date_of_the_next_years_does():
    """A rotation that is right for ten years and wrong afterwards is not the same for ever."""
    one = rota.Roster(("a", "b"), 0, WEEK)
    late = rota.Roster(("a",), 0, WEEK, until=SINCE + 2 * TEN_YEARS)
    assert always_same([one], [one], SINCE, None)
    assert not always_same([late, one], [late, one], SINCE, None), "joined, both are on"
    rest = rota.Roster(("a", "b"), 0, WEEK, since=SINCE + 2 * TEN_YEARS)
    assert always_same([late, one], [late, rest], SINCE, None)
    assert not always_same([late, one], [late], SINCE, None)


def test_random_layers_are_not_the_same_as_others():
    random = Random(3)  # noqa: S311 - a sample of a test
    for _ in range(60):
        facts = make_stack(random)
        one, zone = Schedule.model_validate(facts), ZoneInfo(facts["time_zone"])
        layers = [make_rotation(each, zone) for each in one.schedule_layers]
        drawn = rota.stack([each.render(zone, SINCE, UNTIL) for each in layers])
        for other in (layers[1:], layers[::-1]):
            shown = rota.stack([each.render(zone, SINCE, UNTIL) for each in other])
            if always_same(layers, other, SINCE, UNTIL, stacked=True):
                assert drawn == shown


# --- doubts ---


@pytest.mark.parametrize(
    "facts, day",
    [
        (stack(layer("abc", daily("22:00", 9), turn=DAY, starts=900)), 900),
        (stack(layer("ab", weekly(5, "20:00", 144))), 0),
        (stack(layer("abc", turn=302_400)), 0),
        (stack(layer("abc", turn=907_200)), 0),
    ],
    ids=["a night layer in three years", "six days", "84 hours", "ten days and a half"],
)
def test_doubt_is_said_and_asked_for_wherever_readings_part(facts, day):
    one, zone, judgement, (_, fidelity) = say(facts)
    assert fidelity.grade == "until"
    assert fidelity.until == judgement.doubts[0] >= SINCE + day * DAY
    windows = list_windows(make_account(one), in_doubt=True)
    spans = [tuple(map(rota.to_datetime, window)) for window in windows]
    for reading in (Reading(), judgement.reading._replace(windows="elapsed", turns="elapsed")):
        account = make_account(one, **show(one, zone, reading, *spans))
        found = judge(account, one, zone)
        assert (found.differing, found.doubts) == (0, ()), (reading, windows)


def test_nothing_is_asked_about_a_schedule_that_can_be_read_in_one_way_only():
    one, _, _, (_, fidelity) = say(stack(layer("ab", daily("09:00", 8)), layer("cd")))
    assert fidelity.grade == "for_ever"
    assert list_windows(make_account(one), in_doubt=True) == {}


def test_a_deleted_users_turn_that_hides_the_layer_below_is_read_so_where_pagerduty_shows_it():
    facts = stack(layer("a-"), layer("b"))
    one, zone = Schedule.model_validate(facts), ZoneInfo(facts["time_zone"])
    assert say(facts)[3][1].until is not None, "nobody has shown which way it is"
    hides = Reading(deleted="hides")
    spans = [(NOW, NOW + timedelta(days=56))]
    for reading, who in ((Reading(), {"a", "b"}), (hides, {"a"})):
        _, _, judgement, (named, fidelity) = say(facts, **show(one, zone, reading, *spans))
        assert (judgement.reading, fidelity.grade) == (reading, "for_ever")
        drawn = rota.join([made.rotation.render(zone, SINCE, HORIZON) for made in named])
        assert {person for _, _, people in drawn.entries for person in people} == who


# --- what ends, and what never begins ---


def test_what_ends_in_pagerduty_is_exact_and_says_so():
    _, _, _, (named, fidelity) = say(stack(layer("ab", ends=3)))
    assert fidelity.grade == "for_ever"
    assert "ends on 2026-11-26, in PagerDuty as well" in fidelity.reason
    assert not named[0].dated


def test_a_schedule_of_overrides_alone_has_no_rotation():
    stand_in = {"rendered_schedule_entries": [override("bob", 8, 9)]}
    ended = row(["ann"], end="2026-06-02T00:00:00Z")
    mapped = map_one(schedule("ps1", ended, overrides_subschedule=stand_in))
    assert rotations(mapped) == []
    assert [wish.fields["person"] for wish in wishes(mapped, "overrides").values()] == ["bob@example.com"]


# --- the campaign ---


def test_a_sample_of_the_campaign():
    counts, failures = run_rota({"v2": 12, "v3": 12}, "sample", 1)
    assert failures == []
    assert sum(counts.values()) == 24


def test_the_campaign_can_fail(monkeypatch):
    """One turn off, and it says so."""

    def map_wrongly(*arguments, **more):
        named, fidelity = map_layers(*arguments, **more)
        off = [SimpleNamespace(name=one.name, rotation=_turn_on(one.rotation), dated=one.dated) for one in named]
        return off, fidelity

    monkeypatch.setattr("campaigns.map_layers", map_wrongly)
    wrong = [run_one(("v2", "sample", number))[2] for number in range(12)]
    assert sum("are paged" in text for text in wrong) > 6


def _turn_on(made):
    return rota.Roster(
        made.participants[1:] + made.participants[:1], made.anchor, made.turn, made.week, made.since, made.until
    )
