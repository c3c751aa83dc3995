"""What is alive now is read backwards; what is over is not, and what is to come begins when it does."""

from datetime import UTC, datetime, timedelta

from pdmigrate.harness.records import Rotation
from pdmigrate.harness.records import Schedule as TargetSchedule
from pdmigrate.pagerduty.records import Schedule
from pdmigrate.parity.past import _reach_back, _read_today

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
SINCE, LATER, WEEK = NOW - timedelta(days=7), NOW + timedelta(hours=8), timedelta(days=7)


def make_layer(id, start, end=None):
    edges = {"start": start.isoformat(), "end": end.isoformat() if end else None}
    turn = {"rotation_virtual_start": start.isoformat(), "rotation_turn_length_seconds": 604800}
    return {"id": id, "name": id, **edges, **turn, "users": [{"user": {"id": "ann", "type": "user_reference"}}]}


def test_layers_of_pagerduty():
    layers = [
        make_layer("over", SINCE - WEEK, NOW - timedelta(hours=1)),
        make_layer("alive", NOW - timedelta(days=1), LATER),
        make_layer("to come", LATER),
    ]
    schedule = Schedule.model_validate({"id": "S", "name": "S", "time_zone": "UTC", "schedule_layers": layers})
    today = _read_today(schedule, NOW, SINCE, dated=False).schedule_layers
    assert [(one.id, one.start, one.end) for one in today] == [("alive", SINCE, LATER), ("to come", LATER, None)]


def test_rotations_of_harness():
    def make(name, since, until=None):
        people, turn = ("ann@acme.example",), 604800
        return Rotation(name=name, participants=people, anchor=SINCE.replace(tzinfo=None), turn_seconds=turn, since=since, until=until)  # fmt: skip

    rotations = (make("over", None, NOW), make("alive", NOW - timedelta(days=1)), make("to come", LATER))
    shift = make("shift", NOW - timedelta(days=3), NOW - timedelta(days=2))
    schedule = TargetSchedule(identifier="s", name="S", time_zone="UTC", rotations=(*rotations, shift))
    for dated, shown in ((False, []), (True, [("shift", shift.since)])):
        reached = _reach_back(schedule, NOW, dated).rotations
        assert [(one.name, one.since) for one in reached] == [("alive", None), ("to come", LATER), *shown]
