"""What is made of the events of a page, whose shape nobody has seen."""

from types import SimpleNamespace

import pytest

from pdmigrate.harness import alerts
from pdmigrate.harness.alerts import read_instant
from pdmigrate.oncall.live import Notice, Seen, judge

START = 1_780_000_000


def event(**fields):
    return {"eventType": "NOTIFICATION_SENT", "timestamp": START * 1000, "eventGroup": "PAGING", **fields}


EVENTS = {
    "its own fields": (event(recipient="Ann@Example.com", channel="SMS"), Notice("ann@example.com", START, "sms")),
    "a person as an object": (
        event(recipient={"id": 7, "email": "ann@example.com"}, channel={"type": "VOICE"}),
        Notice("ann@example.com", START, "phone"),
    ),
    "words alone": (event(message="Paged ann@example.com via Slack."), Notice("ann@example.com", START, "slack")),
    "a time in ISO 8601": (
        event(recipient="ann@example.com", timestamp="2026-05-28T20:26:40Z"),
        Notice("ann@example.com", START, ""),
    ),
    "a failure": (
        event(eventType="NOTIFICATION_FAILED", recipient="ann@example.com", channel="sms", message="carrier said no"),
        Notice("ann@example.com", START, "sms", "carrier said no"),
    ),
}


@pytest.mark.parametrize("what", EVENTS)
def test_an_event_is_read_where_it_says_whom_and_when(what):
    said, notice = EVENTS[what]
    seen = alerts._read_events([said], Seen("A-1", START))
    assert (seen.notices, seen.strange, seen.understood) == ((notice,), (), 1)


STRANGE = {
    "a type that nobody knows": event(eventType="PERSON_TOLD", recipient="ann@example.com"),
    "no type": {"timestamp": START * 1000},
    "a type that is no text": event(eventType={"name": "X"}),
    "nobody is named": event(message="Somebody was told"),
    "two are named": event(message="ann@example.com or bob@example.com was told"),
    "no time": event(recipient="ann@example.com", timestamp="yesterday"),
    "a time without a zone": event(recipient="ann@example.com", timestamp="2026-05-28T20:26:40"),
    "a message of another shape": event(eventType=None, message=["x"]),
}


@pytest.mark.parametrize("what", STRANGE)
def test_any_other_event_is_kept_in_words_and_taken_for_nothing(what):
    seen = alerts._read_events([STRANGE[what]], Seen("A-1", START))
    assert (seen.notices, seen.understood, len(seen.strange)) == ((), 0, 1)


def test_events_of_other_groups_are_another_matter_unless_they_name_a_person():
    seen = alerts._read_events([event(eventType="SEARCHED", eventGroup="AI")], Seen("A-1", START))
    assert seen == Seen("A-1", START)
    named = event(eventType="CALLED", eventGroup="NOTIFICATIONS", message="Called ann@example.com")
    assert len(alerts._read_events([named], Seen("A-1", START)).strange) == 1


ANSWERS = {
    "no alert list": ({"content": []}, "another shape than is documented"),
    "no rows": (
        [{"entities": [{"prettyId": "A-1", "title": "TEST t0k3n"}]}, {"rows": []}],
        "another shape than is documented",
    ),
    "more, and not where": (
        [{"entities": [{"prettyId": "A-1", "title": "TEST t0k3n"}]}, {"results": [], "hasMoreResults": True}],
        "goes on, and not where",
    ),
    "an alert without an id": ({"entities": [{"title": "TEST t0k3n"}], "totalCount": 1}, "shows no alert"),
    "a list": ([[]], "another shape than is documented"),
    "nothing": ([None], "another shape than is documented"),
}


@pytest.mark.parametrize("what", ANSWERS)
def test_an_answer_of_another_shape_is_never_an_error_nor_nobody(what):
    answers, words = ANSWERS[what]
    rows = iter(answers if isinstance(answers, list) else [answers])
    transport = SimpleNamespace(base_url="https://app.harness.io/gateway", send=lambda *asked, **more: next(rows))
    harness = SimpleNamespace(transport=transport, account="a", org="o", project="p")
    seen = alerts.read_page(harness, "t0k3n", START, START + 60)
    assert words in seen.unread
    assert judge((), seen).outcome is None


@pytest.mark.parametrize("value", [None, True, -1, 10**20, "", "x", [], 1.5])
def test_what_is_no_time_is_none(value):
    assert read_instant(value) == 0
