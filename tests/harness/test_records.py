"""What no object of Harness can be, whoever sends it."""

import pytest
from pydantic import ValidationError

from pdmigrate.harness.records import Schedule

ROTATION = {
    "name": "Layer 1",
    "participants": ["ann@acme.example"],
    "anchor": "2026-11-02T09:00:00",
    "turn_seconds": 86_400,
}


def test_two_rotations_of_one_name_are_no_schedule():
    """Our contract: they are told apart by name. A survey with one of them thousands of times took all time."""
    one = {"identifier": "primary", "name": "Primary", "time_zone": "UTC", "rotations": [ROTATION]}
    assert len(Schedule.model_validate(one).rotations) == 1
    with pytest.raises(ValidationError, match="two of them have one name"):
        Schedule.model_validate({**one, "rotations": [ROTATION, {**ROTATION, "turn_seconds": 3_600}]})
