"""For any v2 schedule: the rotations say what the layers say, and both say what a clock and a calendar say."""

import os
import random
from datetime import timedelta
from zoneinfo import ZoneInfo

from hypothesis import HealthCheck, given, settings
from rota_cases import START, ZONES, all_edges, person_at, schedules

from pdmigrate import rota
from pdmigrate.mapping.flatten import flatten
from pdmigrate.pagerduty import rota as pagerduty_rota
from pdmigrate.pagerduty.records import Schedule

CASES = int(os.environ.get("PDMIGRATE_CASES", "150"))
SINCE = int(START.timestamp())
UNTIL = int((START + timedelta(days=400)).timestamp())
SETTINGS = settings(
    max_examples=CASES, deadline=None, derandomize=CASES < 1000, suppress_health_check=list(HealthCheck), database=None
)


def read(schedule):
    zone = ZoneInfo(schedule["time_zone"])
    record = Schedule.model_validate(schedule)
    return record, zone, [pagerduty_rota.make_rotation(layer, zone) for layer in record.schedule_layers]


@SETTINGS
@given(schedules())
def test_the_rotations_have_the_same_people_as_the_layers(schedule):
    """400 days, to the second, whether the target joins rotations or stacks them, in any order."""
    record, zone, layers = read(schedule)
    before = pagerduty_rota.render_schedule(record, zone, SINCE, UNTIL)
    after = [piece.rotation.render(zone, SINCE, UNTIL) for piece in flatten(layers, zone, SINCE, UNTIL)]
    assert before == rota.join(after) == rota.stack(after) == rota.stack(after[::-1])


@SETTINGS
@given(schedules())
def test_the_rendering_agrees_with_a_point_function(schedule):
    """Asked at every edge, a second before it, and at 60 random instants."""
    record, zone, _ = read(schedule)
    until = SINCE + 400 * rota.DAY
    drawn = pagerduty_rota.render_schedule(record, zone, SINCE, until)
    edges = all_edges([drawn])
    chosen = random.Random(len(edges))  # noqa: S311 - a sample of a test
    asked = edges if len(edges) <= 400 else chosen.sample(edges, 400)
    for instant in [*asked, *(chosen.randrange(SINCE, until) for _ in range(60))]:
        if SINCE <= instant < until:
            person = person_at(schedule, instant)
            assert drawn.people_at(instant) == (frozenset([person]) if person else frozenset()), instant


def test_the_zones_are_of_all_kinds():
    offsets = {zone: len(rota.zone_changes(ZoneInfo(zone), SINCE, UNTIL)) for zone in ZONES}
    assert len(ZONES) >= 12
    assert sum(changes == 0 for changes in offsets.values()) >= 3
    assert offsets["Australia/Lord_Howe"] == 2
