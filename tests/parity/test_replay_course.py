"""What the log of an incident says: who was told at which minute, and up to which minute that can be compared."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from pdmigrate.oncall import rota
from pdmigrate.pagerduty.history import Incident, LogEntry
from pdmigrate.parity.course import agrees, read_course
from pdmigrate.parity.replay import Replay, forgive_changes
from pdmigrate.parity.usage import find_night

START = datetime(2026, 3, 2, 3, 0, 10, tzinfo=UTC)
SERVICE, USER = {"type": "service_reference", "id": "S"}, {"type": "user_reference", "id": "ann"}


def make_incident(**fields):
    row = {"id": "Q1", "incident_number": 7, "created_at": START.isoformat(), "service": {"id": "S"}, "urgency": "high"}
    return Incident.model_validate({**row, **fields})


def happen(minutes, kind, *people, agent=SERVICE):
    at = START + timedelta(minutes=minutes)
    row = {
        "id": f"{kind}{minutes}",
        "type": f"{kind}_log_entry",
        "created_at": at.isoformat(),
        "incident": {"id": "Q1"},
    }
    return LogEntry.model_validate({**row, "agent": agent, "assignees": [{"id": one} for one in people]})


LEVELS = (happen(0, "assign", "ann"), happen(5, "escalate", "bob", "cat"), happen(15, "repeat_escalation_path"))
ALL = ((0, frozenset(["ann"])), (5, frozenset(["bob", "cat"])))


@pytest.mark.parametrize(
    "more, told, last",
    [
        ([happen(60, "resolve")], ALL, 59),
        ([happen(16, "assign", "ann"), happen(60, "resolve")], (*ALL, (16, frozenset(["ann"]))), 59),
        ([happen(20, "exhaust_escalation_path"), happen(60, "resolve")], ALL, 59),
        ([happen(7, "acknowledge", agent=USER), happen(40, "escalate", "dan")], ALL, 6),
        ([happen(5.2, "acknowledge", agent=USER)], ALL[:1], 4),
        ([happen(0.1, "acknowledge", agent=USER)], ALL[:1], 0),
        ([happen(3, "escalate", "zoe", agent=USER)], ALL[:1], 2),
        ([happen(3, "snooze", agent=USER)], ALL[:1], 2),
        ([happen(3, "delegate", "zoe", agent=USER)], ALL[:1], 2),
    ],
    ids=[
        "to the end",
        "a repeat",
        "exhausted",
        "answered",
        "answered with it",
        "at once",
        "escalated by hand",
        "snoozed",
        "handed on",
    ],
)
def test_what_came_before_somebody_answered_is_compared(more, told, last):
    entries = sorted([*LEVELS, *more], key=lambda entry: entry.created_at)
    course = read_course(make_incident(), entries, rota.to_instant(START + timedelta(days=1)), {})
    assert (course.told, course.last) == (told, last)


def test_the_log_may_be_late_by_less_than_half_a_minute():
    late = [happen(0.05, "assign", "ann"), happen(5.4, "escalate", "bob", "cat"), happen(60, "resolve")]
    assert read_course(make_incident(), late, 0, {}).told == ALL


def test_the_urgency_is_that_of_the_first_minute():
    change = happen(30, "urgency_change")
    assert read_course(make_incident(), LEVELS, 2**40, {}).high
    assert not read_course(make_incident(), [*LEVELS, change], 2**40, {}).high
    assert read_course(make_incident(urgency="low"), [*LEVELS, change], 2**40, {}).high


@pytest.mark.parametrize(
    "expected, fits",
    [("ann", True), ("bob", False), ("one of ann, bob", True), ("one of anna, bob", False)],
)
def test_of_targets_that_take_turns_any_one_will_do(expected, fits):
    assert agrees(ALL[:1], ((0, frozenset([expected])),)) == fits
    assert not agrees(ALL, ((0, frozenset([expected])),))
    assert not agrees(ALL[:1], ((1, frozenset([expected])),))


def grade(at, misread):
    why = "misread" if misread else ""
    incident = make_incident(id=f"Q{at}", escalation_policy={"id": "P"})
    return Replay(incident, at, "S", True, (), (), 0, "not_comparable" if misread else "same", why=why, misread=misread)


def test_a_policy_that_was_another_until_some_day_is_no_riddle():
    changed = list(forgive_changes([grade(1, True), grade(2, True), grade(3, False)]))
    assert [page.why for page in changed] == ["policy", "policy", ""]
    assert not any(page.misread for page in changed)
    mixed = list(forgive_changes([grade(1, True), grade(2, False), grade(3, True)]))
    assert [page.why for page in mixed] == ["misread", "", "misread"]
    alone = list(forgive_changes([grade(1, True)]))
    assert [page.why for page in alone] == ["misread"]


def test_a_night_is_one_by_the_persons_own_clock():
    berlin = ZoneInfo("Europe/Berlin")
    evening, morning = datetime(2026, 3, 1, 21, 30, tzinfo=UTC), datetime(2026, 3, 2, 5, 59, tzinfo=UTC)
    assert find_night(evening, berlin) == find_night(morning, berlin) == evening.date()
    assert find_night(morning + timedelta(minutes=1), berlin) is None
    assert find_night(evening, ZoneInfo("Asia/Tokyo")) == evening.date()
    assert find_night(evening, ZoneInfo("America/New_York")) is None
