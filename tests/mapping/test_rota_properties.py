"""For any v2 schedule: what is written to Harness says what the layers say, and both what a clock and a calendar say."""

import os
import random
from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from rota_cases import START, ZONES, Facts, all_edges, place, read_both_ways, schedules

from pdmigrate.mapping.proof import Judgement, render_with_overrides
from pdmigrate.mapping.rotations import MOST_SHIFTS, TooManyDatedError
from pdmigrate.mapping.schedules_v2 import map_layers
from pdmigrate.oncall import rota
from pdmigrate.pagerduty import rota as pagerduty_rota
from pdmigrate.pagerduty.readings import RULES, WALL, Reading
from pdmigrate.pagerduty.records import Schedule

CASES = int(os.environ.get("PDMIGRATE_CASES", "100"))
SINCE = int(START.timestamp())
UNTIL = SINCE + 400 * rota.DAY


def settings_of(cases):
    health = list(HealthCheck)
    return settings(
        max_examples=cases, deadline=None, derandomize=CASES < 1000, suppress_health_check=health, database=None
    )


def map_with_dates(record, reading, zone, most=MOST_SHIFTS):
    """Written at once, or refused for more dates than anybody can check: then there are more, and so many do it."""
    try:
        return map_layers(record, Judgement(reading), zone, SINCE, UNTIL, most)
    except TooManyDatedError as error:
        number = error.number
    assert number > most, "refused, and no more than somebody can check"
    return map_with_dates(record, reading, zone, number)


def layer(name, people, turn, anchor=0, restrictions=()):
    """anchor: seconds after START."""
    begun = (START + timedelta(seconds=anchor)).isoformat()
    times = {"start": START.isoformat(), "end": None, "rotation_virtual_start": begun}
    rows = {"users": [place(one) for one in people], "restrictions": list(restrictions)}
    return {"id": name, "name": name, **times, "rotation_turn_length_seconds": turn, **rows}


FIRST_HOUR = {
    "type": "weekly_restriction",
    "start_time_of_day": "00:00:00",
    "duration_seconds": 3600,
    "start_day_of_week": 1,
}
A_SECOND_APART = {
    "id": "PS1",
    "name": "Every second day is a deleted person's, and hands over a second before the layers below",
    "time_zone": "America/New_York",
    "schedule_layers": [
        layer("Layer 3", ["ann", None], rota.DAY, -1),
        layer("Layer 2", ["ann", "bob"], rota.WEEK, 0, [FIRST_HOUR]),
        layer("Layer 1", ["ann", "bob"], rota.WEEK),
    ],
}


@settings_of(CASES)
@given(schedules())
@example(A_SECOND_APART)
def test_what_is_written_pages_whom_the_layers_page(schedule):
    """To the second, under either reading of several rotations; and as a point function says, at every edge of any side,
    a second before it, and at 60 random instants."""
    record, zone = Schedule.model_validate(schedule), ZoneInfo(schedule["time_zone"])
    before = pagerduty_rota.render_schedule(record, zone, SINCE, UNTIL)
    named, _ = map_with_dates(record, WALL, zone)
    assert len({one.name for one in named}) == len(named)
    after = read_both_ways(record, zone, named, SINCE, UNTIL)
    assert after == [before] * 2
    facts = Facts(schedule)
    chosen = random.Random(len(before.entries))  # noqa: S311 - a sample of a test
    asked = {*facts.instants(SINCE, UNTIL), *all_edges([before, after[0]])}
    for instant in [*asked, *(chosen.randrange(SINCE, UNTIL) for _ in range(60))]:
        if SINCE <= instant < UNTIL:
            assert before.people_at(instant) == facts.people_at(instant), instant


@settings_of(CASES // 5)
@given(schedules(), st.builds(Reading, st.sampled_from(RULES), st.sampled_from(RULES)))
def test_whatever_way_pagerduty_counts_at_a_change_of_the_clock_is_written(schedule, reading):
    """Rotations that are corrected with dates."""
    record, zone = Schedule.model_validate(schedule), ZoneInfo(schedule["time_zone"])
    named, _ = map_with_dates(record, reading, zone)
    before = render_with_overrides(record, reading, zone, SINCE, UNTIL)
    assert read_both_ways(record, zone, named, SINCE, UNTIL) == [before] * 2


def test_the_example_needs_more_dates_than_anybody_can_check():
    record = Schedule.model_validate(A_SECOND_APART)
    with pytest.raises(TooManyDatedError) as caught:
        map_layers(record, Judgement(WALL), ZoneInfo("America/New_York"), SINCE, UNTIL)
    assert caught.value.number > MOST_SHIFTS


def test_the_zones_are_of_all_kinds():
    offsets = {zone: len(rota.zone_changes(ZoneInfo(zone), SINCE, UNTIL)) for zone in ZONES}
    assert len(ZONES) >= 12
    assert sum(changes == 0 for changes in offsets.values()) >= 3
    assert offsets["Australia/Lord_Howe"] == 2
