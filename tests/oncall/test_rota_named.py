"""Schedules that people really have, across changes of the clock: layers, rotations and a point function agree."""

import copy
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from rota_cases import Facts, place, read_both_ways

from pdmigrate.mapping.overrides import cut_overrides
from pdmigrate.mapping.proof import Fidelity, judge
from pdmigrate.mapping.schedules_v2 import map_layers
from pdmigrate.oncall import rota
from pdmigrate.pagerduty.account import Account
from pdmigrate.pagerduty.evidence import Rendering
from pdmigrate.pagerduty.readings import Reading, render_layers
from pdmigrate.pagerduty.records import RenderedEntry, Schedule
from pdmigrate.pagerduty.rota import read_entries, render_schedule

NOW = datetime(2026, 11, 23, 10, tzinfo=UTC)
SINCE = int(NOW.timestamp())
HORIZON = SINCE + 56 * rota.DAY
UNTIL = SINCE + 400 * rota.DAY
DAY, WEEK = rota.DAY, rota.WEEK
NEW_YORK, SYDNEY, BERLIN = "America/New_York", "Australia/Sydney", "Europe/Berlin"


def daily(start, hours):
    return {"type": "daily_restriction", "start_time_of_day": f"{start}:00", "duration_seconds": int(hours * 3600)}


def weekly(day, start, hours):
    return {**daily(start, hours), "type": "weekly_restriction", "start_day_of_week": day}


def layer(people, *windows, turn=WEEK, anchor="2024-01-01T09:00:00", zone=NEW_YORK, starts=None, ends=None):
    """people: one letter each, `-` is somebody who was deleted. starts, ends: days from now."""
    begun = datetime.fromisoformat(anchor).replace(tzinfo=ZoneInfo(zone))
    start = begun if starts is None else NOW + timedelta(days=starts)
    return {
        "start": start.isoformat(),
        "end": (NOW + timedelta(days=ends)).isoformat() if ends is not None else None,
        "rotation_virtual_start": begun.isoformat(),
        "rotation_turn_length_seconds": turn,
        "users": [place(None if letter == "-" else letter) for letter in people],
        "restrictions": list(windows),
    }


def schedule(*layers, zone=NEW_YORK):
    named = [
        {"id": f"L{n}", "name": f"Layer {n}", **one} for n, one in zip(range(len(layers), 0, -1), layers, strict=True)
    ]
    return {"id": "PS1", "name": "Named", "time_zone": zone, "schedule_layers": named}


CASES = {
    "new-york-nine-to-five": (schedule(layer("ab", daily("09:00", 8))), 1),
    "night-shift": (schedule(layer("abc", daily("22:00", 9), turn=DAY)), 1),
    "night-shift-in-the-south": (schedule(layer("abc", daily("22:00", 9), turn=DAY, zone=SYDNEY), zone=SYDNEY), 1),
    "anchor-ten-years-ago": (schedule(layer("abc", anchor="2016-11-23T09:00:00")), 1),
    "one-person-every-other-week": (schedule(layer("abac")), 1),
    "two-week-turn": (schedule(layer("abc", turn=2 * WEEK)), 1),
    "seven-day-window": (schedule(layer("ab", weekly(3, "17:00", 168))), 1),
    "ninety-minute-turn": (schedule(layer("abc", turn=5400)), 1),
    "forty-five-minute-turn": (schedule(layer("abcd", turn=2700)), 1),
    "upper-layer-that-ends-next-month": (schedule(layer("x", daily("08:00", 12), ends=30), layer("ab")), 3),
    "lower-layer-wholly-hidden": (schedule(layer("ab"), layer("c")), 1),
    "empty-layer": (schedule(layer(""), layer("ab")), 1),
    "two-windows-that-touch": (schedule(layer("ab", daily("06:00", 8), daily("14:00", 8))), 1),
    "layer-that-starts-in-the-future": (schedule(layer("x", starts=50), layer("ab")), 2),
    "twelve-hour-turns": (schedule(layer("abc", turn=DAY // 2, zone=BERLIN), zone=BERLIN), 1),
    "somebody-was-deleted": (schedule(layer("a-b"), layer("m")), 2),
    "deleted-by-day-over-weeks": (schedule(layer("a-", daily("09:00", 8), turn=DAY), layer("mno")), 3),
}


def make_account(one, **more):
    empty = {kind: {} for kind in ("users", "teams", "policies", "services")}
    return Account("acme", NOW, NOW, NOW + timedelta(days=56), schedules={one.id: one}, problems=(), inventory={}, **empty, **more)  # fmt: skip


def say(facts, **more):
    one, zone = Schedule.model_validate(facts), ZoneInfo(facts["time_zone"])
    judgement = judge(make_account(one, **more), one, zone)
    return one, zone, judgement, map_layers(one, judgement, zone, SINCE, HORIZON)


@pytest.mark.parametrize("facts, rotations", CASES.values(), ids=CASES)
def test_a_schedule_is_said_in_so_many_rotations_with_the_same_people(facts, rotations):
    """Before and after over 400 days, joined and stacked; and a point function at every edge, and the second before it."""
    one, zone, _, (named, _) = say(facts)
    assert len(named) == rotations, [one.name for one in named]
    before = render_schedule(one, zone, SINCE, UNTIL)
    assert read_both_ways(one, zone, named, SINCE, UNTIL) == [before] * 2
    by_points = Facts(facts)
    for instant in by_points.instants(SINCE, UNTIL):
        assert before.people_at(instant) == by_points.people_at(instant), instant


@pytest.mark.parametrize(
    "name, month, edges",
    [
        ("new-york-nine-to-five", 3, "13 14-22, 14 13-21"),
        ("new-york-nine-to-five", 11, "6 13-21, 7 14-22"),
        ("night-shift", 3, "14 03-11, 15 02-11"),
        ("night-shift", 11, "7 02-12, 8 03-12"),
        ("night-shift-in-the-south", 4, "3 11-21, 4 12-21"),
        ("night-shift-in-the-south", 10, "2 12-20, 3 11-20"),
    ],
)
def test_windows_across_the_change_of_the_clock(name, month, edges):
    """What is written to Harness, on the days of the change in 2027, in UTC hours."""
    one, zone, _, (named, _) = say(CASES[name][0])
    shown = []
    for day in (int(part.split()[0]) for part in edges.split(", ")):
        start = int(datetime(2027, month, day, tzinfo=UTC).timestamp())
        [drawn, stacked] = read_both_ways(one, zone, named, start, start + DAY)
        assert drawn == stacked
        shown += [(day, drawn)]
    assert ", ".join(f"{day} {describe_hours(drawn)}" for day, drawn in shown) == edges


def describe_hours(drawn):
    [(start, end)] = [span for span in drawn.covered() if span[1] % DAY and span[0] % DAY]
    return f"{rota.to_datetime(start):%H}-{rota.to_datetime(end):%H}"


@pytest.mark.parametrize("facts", [facts for facts, _ in CASES.values()], ids=CASES)
def test_names_are_the_same_a_fortnight_later(facts):
    """A renamed rotation silently loses its escalation level in Harness. What has ended may be gone."""
    one, zone, judgement, (named, _) = say(facts)
    later, _ = map_layers(one, judgement, zone, SINCE + 14 * DAY, HORIZON + 14 * DAY)
    before = {rotation.name: rotation.rotation for rotation in named}
    assert {rotation.name for rotation in later} <= before.keys()
    assert all(before[rotation.name] == rotation.rotation for rotation in later)


@pytest.mark.parametrize(
    "facts",
    [
        schedule(layer("x", daily("08:00", 12), ends=30), layer("ab")),
        schedule(layer("x", ends=30), layer("ab")),
        schedule(layer("x-", ends=30), layer("ab")),
        schedule(layer("x-", daily("08:00", 12), ends=30), layer("ab")),
        schedule(layer("x-", starts=10, ends=30), layer("ab")),
    ],
    ids=["by day", "always", "every other week", "every other day", "for a while"],
)
def test_the_layer_keeps_its_own_name_when_the_one_above_starts_or_ends(facts):
    """A level on the layer's rotation goes on paging after the next run: what is on now is called as the layer is."""
    one, zone, judgement, _ = say(facts)
    for day in (0, 9, 12, 29, 31, 60):
        now = SINCE + day * DAY
        named, _ = map_layers(one, judgement, zone, now, now + 56 * DAY)
        alone = {rotation.name: rotation.rotation for rotation in named}
        assert len(alone) == len(named)
        others = [name for name, made in alone.items() if name != "Layer 1" and _lives(made, now)]
        assert all(name.startswith(("Layer 2", "Layer 1 for Layer 2")) for name in others), (day, others)
        if _lives_under(facts, day):
            assert _lives(alone["Layer 1"], now), (day, list(alone))


def _lives(made, now):
    return made.since <= now and (made.until is None or now < made.until)


def _lives_under(facts, day):
    """Whether the lower layer has anything to say on that day: a full layer above hides it."""
    above = facts["schedule_layers"][0]
    whole = not above["restrictions"] and all(place["user"].get("deleted_at") is None for place in above["users"])
    return not whole or NOW + timedelta(days=day) >= datetime.fromisoformat(above["end"])


def test_names_stay_whoever_comes_or_goes_and_however_the_layers_are_ordered():
    night, day = layer("ab", daily("20:00", 12)), layer("mno", daily("08:00", 12))
    both = [{"id": "LA", "name": "Layer 1", **night}, {"id": "LB", "name": "Layer 1", **day, "start": NOW.isoformat()}]
    more, fewer, other = (copy.deepcopy(both) for _ in range(3))
    more[1]["users"].append(place("p"))
    fewer[1]["users"].pop()
    other[0]["users"][0] = place("x")
    said = [name_all(layers) for layers in (both, more, fewer, other, both[::-1])]
    assert said == [{"Layer 1", "Layer 1 LB"}] * 5
    assert name_all([both[0]]) == {"Layer 1"}


def name_all(layers):
    one = Schedule.model_validate({"id": "PS1", "name": "Named", "time_zone": NEW_YORK, "schedule_layers": layers})
    zone = ZoneInfo(NEW_YORK)
    return {named.name for named in map_layers(one, judge(make_account(one), one, zone), zone, SINCE, HORIZON)[0]}


def test_windows_away_from_the_change_hold_for_ever():
    assert say(CASES["new-york-nine-to-five"][0])[3][1] == Fidelity("for_ever", None, "", False)


def test_weeks_of_days_need_only_what_harness_documents():
    assert say(schedule(layer("abc")))[3][1] == Fidelity("for_ever", None, "", True)


def test_a_night_shift_is_certain_until_the_change_that_pagerduty_has_not_shown():
    _, zone, judgement, (_, fidelity) = say(CASES["night-shift"][0])
    assert fidelity.grade == "until"
    assert fidelity.until == judgement.doubts[0] == rota.zone_changes(zone, SINCE, UNTIL)[0]


SPRING = (datetime(2027, 3, 12, tzinfo=UTC), datetime(2027, 3, 17, tzinfo=UTC))
AUTUMN = (datetime(2027, 11, 5, tzinfo=UTC), datetime(2027, 11, 10, tzinfo=UTC))


def show(one, zone, reading, *spans):
    """PagerDuty's rendering of those days, if it read the schedule so."""
    shown = []
    for since, until in spans:
        drawn = render_layers(one, reading, zone, int(since.timestamp()), int(until.timestamp()))
        entries = [
            {"start": rota.to_datetime(s), "end": rota.to_datetime(e), "user": {"id": min(who)}} for s, e, who in drawn.entries
        ]  # fmt: skip
        shown.append(Rendering.model_validate({"since": since, "until": until, "rendered_schedule_entries": entries}))
    return {"renderings": {one.id: tuple(shown)}}


@pytest.mark.parametrize("name", ["night-shift", "twelve-hour-turns", "ninety-minute-turn"])
def test_what_pagerduty_shows_by_the_wall_clock_holds_for_ever(name):
    facts = CASES[name][0]
    one, zone = Schedule.model_validate(facts), ZoneInfo(facts["time_zone"])
    fidelity = say(facts, **show(one, zone, Reading(), *_around(zone)))[3][1]
    assert fidelity.grade == "for_ever"


@pytest.mark.parametrize(
    "name, reading",
    [
        ("night-shift", Reading("elapsed", "wall")),
        ("twelve-hour-turns", Reading("wall", "elapsed")),
        ("ninety-minute-turn", Reading("wall", "elapsed")),
    ],
    ids=["night-shift", "twelve-hours", "ninety-minutes"],
)
def test_elapsed_time_is_followed_where_pagerduty_shows_it(name, reading):
    """The rotations are corrected with dates, and say until when."""
    facts = CASES[name][0]
    one, zone = Schedule.model_validate(facts), ZoneInfo(facts["time_zone"])
    _, _, judgement, (named, fidelity) = say(facts, **show(one, zone, reading, *_around(zone)))
    assert judgement.reading == reading
    assert judgement.differing == 0
    assert fidelity.grade == "until"
    assert fidelity.until > UNTIL
    drawn = rota.join([rotation.rotation.render(zone, SINCE, UNTIL) for rotation in named])
    assert drawn == render_layers(one, reading, zone, SINCE, UNTIL)


def test_a_rendering_that_no_reading_explains_is_a_difference():
    facts = CASES["night-shift"][0]
    one, zone = Schedule.model_validate(facts), ZoneInfo(facts["time_zone"])
    other = Schedule.model_validate(schedule(layer("bca", daily("22:00", 9), turn=DAY)))
    judgement = judge(make_account(one, **show(other, zone, Reading(), SPRING)), one, zone)
    assert judgement.differing == 5 * 9 * 3600 - 3600


def test_overrides_that_overlap_are_cut_since_the_later_one_wins():
    times = [(0, 10), (2, 4), (3, 5)]
    entries = tuple(
        RenderedEntry(start=NOW + timedelta(hours=a), end=NOW + timedelta(hours=b), user={"id": "a"}) for a, b in times
    )
    left = [[((s - SINCE) // 3600, (e - SINCE) // 3600) for s, e in spans] for _, spans in cut_overrides(entries)]
    assert left == [[(0, 2), (5, 10)], [(2, 3)], [(3, 5)]]


def test_an_override_whose_stand_in_was_deleted_takes_nothing_from_another():
    """As it is read in PagerDuty: nobody stands in, so the earlier one still does."""
    who = ({"id": "a"}, {"id": "b", "deleted_at": "2026-01-01T00:00:00Z"})
    entries = tuple(RenderedEntry(start=NOW, end=NOW + timedelta(hours=4), user=user) for user in who)
    [(_, spans), _] = cut_overrides(entries)
    assert spans == read_entries(entries).covered() == ((SINCE, SINCE + 4 * 3600),)


def _around(zone):
    if zone.key == NEW_YORK:
        return SPRING, AUTUMN
    changes = [rota.to_datetime(c).replace(hour=0) for c in rota.zone_changes(zone, SINCE, UNTIL)[:2]]
    return tuple((change - timedelta(days=2), change + timedelta(days=3)) for change in changes)
