"""Who is on call when, by cases worked out by hand: turns, windows, stacks, and the days when the clock changes."""

import sys
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from pdmigrate.mapping.flatten import flatten
from pdmigrate.oncall import rota
from pdmigrate.pagerduty import records
from pdmigrate.pagerduty.rota import make_rotation, read_entries, read_final, read_week, render_schedule

NEW_YORK, UTC_ZONE = ZoneInfo("America/New_York"), ZoneInfo("UTC")
HOUR = 3600


def at(text):
    """`2025-01-06 09:00`, in UTC, as an instant; naive seconds look the same."""
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp())


def told(who, day="%d/%H:%M"):
    """'day start day end who', in UTC."""
    spell = lambda instant: datetime.fromtimestamp(instant, UTC).strftime(day)  # noqa: E731
    return [f"{spell(s)} {spell(e)} {'+'.join(sorted(people))}" for s, e, people in who.entries]


def turns(people, anchor="2025-01-06 09:00", turn=rota.WEEK, **more):
    return rota.Roster(tuple(None if p == "-" else p for p in people), at(anchor), turn, **more)


def shown(rotation, since, until, zone=UTC_ZONE):
    return told(rotation.render(zone, at(since), at(until)))


# --- turns ---


def test_turns_go_in_order_and_a_person_may_stand_twice():
    assert shown(turns("ABAC"), "2025-01-06 09:00", "2025-02-10 09:00") == [
        "06/09:00 13/09:00 A",
        "13/09:00 20/09:00 B",
        "20/09:00 27/09:00 A",
        "27/09:00 03/09:00 C",
        "03/09:00 10/09:00 A",
    ]


def test_turns_were_before_the_anchor_too():
    assert shown(turns("AB"), "2024-12-30 09:00", "2025-01-13 09:00") == ["30/09:00 06/09:00 B", "06/09:00 13/09:00 A"]


def test_an_empty_place_is_a_gap():
    assert shown(turns("A-"), "2025-01-06 09:00", "2025-01-27 09:00") == ["06/09:00 13/09:00 A", "20/09:00 27/09:00 A"]


def test_nobody_is_on_call_where_nobody_stands():
    assert shown(turns(""), "2025-01-06 09:00", "2025-01-27 09:00") == []
    assert shown(turns("--"), "2025-01-06 09:00", "2025-01-27 09:00") == []


def test_a_rotation_lives_between_since_and_until():
    life = turns("A", since=at("2025-01-07 00:00"), until=at("2025-01-08 06:00"))
    assert shown(life, "2025-01-06 00:00", "2025-01-20 00:00") == ["07/00:00 08/06:00 A"]


def test_a_handoff_keeps_to_the_wall_clock_when_the_clock_changes():
    """New York: 09:00 is 14:00 UTC in winter, and 13:00 UTC from 9 March 2025."""
    daily = turns("AB", turn=rota.DAY)
    assert shown(daily, "2025-03-08 14:00", "2025-03-10 13:00", NEW_YORK) == [
        "08/14:00 09/13:00 B",
        "09/13:00 10/13:00 A",
    ]


# --- windows ---

WEEKDAYS = tuple((day * rota.DAY + 9 * HOUR, day * rota.DAY + 17 * HOUR) for day in range(5))


def test_windows_open_by_the_wall_clock():
    office = turns("A", week=WEEKDAYS)
    assert shown(office, "2025-03-07 00:00", "2025-03-11 00:00", NEW_YORK) == [
        "07/14:00 07/22:00 A",
        "10/13:00 10/21:00 A",
    ]


def test_a_window_in_a_gap_does_not_happen_and_one_in_a_fold_happens_twice():
    half_past_two = turns("A", week=((6 * rota.DAY + 9000, 6 * rota.DAY + 10_800),))
    assert shown(half_past_two, "2025-03-09 00:00", "2025-03-10 00:00", NEW_YORK) == []
    half_past_one = turns("A", week=((6 * rota.DAY + 5400, 6 * rota.DAY + 7200),))
    assert shown(half_past_one, "2025-11-02 00:00", "2025-11-03 00:00", NEW_YORK) == [
        "02/05:30 02/06:00 A",
        "02/06:30 02/07:00 A",
    ]


def test_a_rotation_that_never_opens_has_nobody():
    assert shown(turns("A", week=()), "2025-01-06 00:00", "2025-02-06 00:00") == []


@pytest.mark.parametrize(
    "windows,spans",
    [
        ([(0, 100)], ((0, 100),)),
        ([(0, 100), (50, 100)], ((0, 150),)),
        ([(rota.WEEK - 50, 100)], ((0, 50), (rota.WEEK - 50, rota.WEEK))),
        ([(0, rota.WEEK)], None),
        ([(500, 2 * rota.WEEK)], None),
        ([(day * rota.DAY, rota.DAY) for day in range(7)], None),
    ],
)
def test_windows_are_spans_of_a_week(windows, spans):
    assert rota.week_spans(windows) == spans


# --- rotas as values ---

A_MORNING = rota.make_rota([(0, 12, "A")])
B_DAY = rota.make_rota([(6, 24, "B")])


def test_neighbours_of_the_same_people_are_one_entry():
    assert rota.make_rota([(5, 9, "B"), (0, 5, "B"), (9, 9, "C"), (9, 12, "")]).entries == ((0, 9, frozenset("B")),)


def test_stacked_the_first_wins_and_joined_all_are_on_call():
    assert told(rota.stack([A_MORNING, B_DAY]), "%S") == ["00 12 A", "12 24 B"]
    assert told(rota.stack([B_DAY, A_MORNING]), "%S") == ["00 06 A", "06 24 B"]
    assert told(rota.join([A_MORNING, B_DAY]), "%S") == ["00 06 A", "06 12 A+B", "12 24 B"]


def test_differences_say_who_was_on_call_before_and_after():
    found = rota.differences(A_MORNING, B_DAY)
    assert [(s, e, "".join(b), "".join(a)) for s, e, b, a in found] == [
        (0, 6, "A", ""),
        (6, 12, "A", "B"),
        (12, 24, "", "B"),
    ]
    assert rota.differences(A_MORNING, A_MORNING) == ()


@pytest.mark.parametrize("instant,who", [(-1, ""), (0, "A"), (11, "A"), (12, "")])
def test_an_entry_holds_its_start_and_not_its_end(instant, who):
    assert A_MORNING.people_at(instant) == frozenset(who)


def test_a_rota_can_be_cut_and_told_under_other_names():
    assert A_MORNING.clip(3, 99).entries == ((3, 12, frozenset("A")),)
    assert A_MORNING.rename({"A": "Z", "B": "Y"}).entries == ((0, 12, frozenset("Z")),)
    assert rota.join([A_MORNING, B_DAY]).rename({"A": "B"}).entries == ((0, 24, frozenset("B")),)


def test_spans_are_taken_apart_to_the_second():
    assert rota.subtract_spans([(0, 10), (20, 30)], [(5, 6), (9, 21), (40, 50)]) == ((0, 5), (6, 9), (21, 30))
    assert rota.intersect_spans([(0, 10), (20, 30)], [(5, 25)]) == ((5, 10), (20, 25))
    assert rota.total(rota.merge_spans([(0, 10), (5, 12), (12, 20)])) == 20


# --- PagerDuty's words ---


def layer(people, restrictions=(), **more):
    users = [{"user": user if isinstance(user, dict) else {"id": user, "type": "user_reference"}} for user in people]
    fields = {"id": "PL", "start": "2025-01-01T00:00:00Z", "rotation_virtual_start": "2025-01-06T09:00:00-05:00"}
    fields |= {"rotation_turn_length_seconds": rota.WEEK, "users": users, "restrictions": restrictions}
    return fields | more


def schedule(*layers, **more):
    fields = {"id": "PS1", "name": "S", "time_zone": "America/New_York", "schedule_layers": layers}
    return records.Schedule.model_validate(fields | more)


def override(who, start, end):
    return {"start": f"2025-01-{start}Z", "end": f"2025-01-{end}Z", "user": {"id": who, "type": "user_reference"}}


def daily(start, hours):
    return {"type": "daily_restriction", "start_time_of_day": start, "duration_seconds": hours * HOUR}


def test_a_layer_is_anchored_on_the_wall_clock_of_its_schedule():
    made = make_rotation(records.Layer.model_validate(layer("AB")), NEW_YORK)
    assert (made.anchor, made.turn, made.week) == (at("2025-01-06 09:00"), rota.WEEK, None)
    assert (made.since, made.until) == (at("2025-01-01 00:00"), None)


def test_restrictions_are_a_union_and_a_night_crosses_midnight():
    restrictions = [daily("22:00:00", 9), {**daily("10:00", 2), "type": "weekly_restriction", "start_day_of_week": 7}]
    week = read_week(tuple(records.Restriction.model_validate(r) for r in restrictions))
    assert week[0] == (0, 7 * HOUR)
    assert week[1] == (22 * HOUR, 31 * HOUR)
    assert (6 * rota.DAY + 10 * HOUR, 6 * rota.DAY + 12 * HOUR) in week
    assert week[-1] == (6 * rota.DAY + 22 * HOUR, rota.WEEK)


def test_overrides_go_first_then_the_layers_from_the_top():
    gone = {"id": "G", "type": "user_reference", "deleted_at": "2025-01-01T00:00:00Z"}
    stand_in = {"rendered_schedule_entries": [override("O", "07T10:00:00", "07T20:00:00")]}
    upper = layer(["A", gone], [daily("09:00:00", 8)], rotation_turn_length_seconds=rota.DAY)
    seen = schedule(upper, layer("L"), overrides_subschedule=stand_in)
    assert told(render_schedule(seen, NEW_YORK, at("2025-01-06 14:00"), at("2025-01-09 00:00"))) == [
        "06/14:00 06/22:00 A",
        "06/22:00 07/10:00 L",
        "07/10:00 07/20:00 O",
        "07/20:00 08/14:00 L",
        "08/14:00 08/22:00 A",
        "08/22:00 09/00:00 L",
    ]


def test_the_later_of_two_overrides_wins():
    rows = [override("A", "06T00:00:00", "06T12:00:00"), override("B", "06T06:00:00", "06T08:00:00")]
    entries = tuple(records.RenderedEntry.model_validate(row) for row in rows)
    assert told(read_entries(entries)) == ["06/00:00 06/06:00 A", "06/06:00 06/08:00 B", "06/08:00 06/12:00 A"]


def test_what_was_not_rendered_is_not_nobody():
    assert read_final(schedule()) is None
    assert read_final(schedule(final_schedule={"rendered_schedule_entries": []})) == rota.Rota()


# --- layers to rotations that never overlap ---

NINE_TO_FIVE = tuple((day * rota.DAY + 9 * HOUR, day * rota.DAY + 17 * HOUR) for day in range(7))


FAR = 4000 * rota.DAY


def left_of(*layers, now=0):
    return [(piece.layer, piece.rotation) for piece in flatten(list(layers), NEW_YORK, now, FAR, FAR).pieces]


def test_a_lower_layer_keeps_what_the_upper_leaves_open():
    upper, lower = turns("A", week=NINE_TO_FIVE), turns("BC")
    (_, first), (number, rest) = left_of(upper, lower)
    assert first == upper
    assert (number, rest.anchor, rest.turn, rest.participants) == (1, lower.anchor, lower.turn, ("B", "C"))
    assert rota.total(rest.week) == 7 * 16 * HOUR


def test_a_layers_life_is_cut_where_the_one_above_it_starts_and_ends():
    upper = turns("A", week=NINE_TO_FIVE, since=1000 * rota.DAY, until=2000 * rota.DAY)
    pieces = [piece for number, piece in left_of(upper, turns("B")) if number == 1]
    assert [(p.since, p.until, p.week is None) for p in pieces] == [
        (None, 1000 * rota.DAY, True),
        (1000 * rota.DAY, 2000 * rota.DAY, False),
        (2000 * rota.DAY, None, True),
    ]


def test_a_layer_that_is_wholly_covered_or_ended_leaves_nothing():
    assert [number for number, _ in left_of(turns("A"), turns("B"))] == [0]
    assert left_of(turns("A", until=5), now=5) == []
    assert [number for number, _ in left_of(turns(""), turns("B"))] == [1]


def count_calls(run):
    """What it returns, and how often a function was called or a generator went on."""
    calls = []
    sys.setprofile(lambda frame, event, value: calls.append(1) if event == "call" else None)
    try:
        return run(), len(calls)
    finally:
        sys.setprofile(None)


@pytest.mark.parametrize("zone", [UTC_ZONE, NEW_YORK])
def test_drawing_costs_what_is_handed_over_and_not_how_finely_it_is_cut(zone):
    start, end = at("2025-01-06 05:00"), at("2025-06-01 00:00")
    coarse = turns("a-bb-", turn=20 * HOUR)
    fine = turns("".join(person * 40 for person in "a-bb-"), turn=HOUR // 2)
    coarse.render(zone, start, end)  # the changes of the zone's clock are looked up once
    (drawn, few), (same, many) = (
        count_calls(lambda made=made: made.render(zone, start, end)) for made in (coarse, fine)
    )
    assert drawn == same
    assert len(drawn.entries) > 60
    assert many < few * 1.2


def test_long_rounds_begin_anywhere_and_stop_at_windows():
    made = turns("aab-b", anchor="2025-01-06 00:00", turn=rota.DAY, week=rota.week_spans([(12 * HOUR, rota.DAY)]))
    found = made.render(UTC_ZONE, at("2025-01-05 00:00"), at("2025-01-29 00:00"))
    assert told(found, "%d/%H") == [
        "06/12 07/12 a",
        "13/12 14/00 b",
        "20/12 21/00 b",
        "21/00 21/12 a",
        "27/12 28/00 a",
        "28/00 28/12 b",
    ]
