"""Harness's alerts and timelines, read: whole, in order, and what is not known is kept in words, or counted."""

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest
import requests
from harness_http import KEY, PEOPLE, empty_target

from pdmigrate.errors import AnswerError, IncompleteFetchError
from pdmigrate.harness.alert_reading import end_alert, find_alert, list_alerts, read_timeline
from pdmigrate.harness.alert_records import Alert, sort_events
from pdmigrate.harness.pacing import Limits, Quota
from pdmigrate.harness.project import open_project
from pdmigrate.oncall.live import Notice, judge
from pdmigrate.parity.live import read_seen
from pdmigrate.sandbox.harness import new_document, start_harness
from pdmigrate.steps.sending import look_at

NIGHT = datetime(2026, 6, 1, 22, tzinfo=UTC)
HOUR = timedelta(hours=1)
ANN, BOB, CAT = (one["email"] for one in PEOPLE)


@pytest.fixture(scope="module")
def server():
    running = start_harness(new_document(people=PEOPLE), api_key=KEY)
    yield running
    running.stop()


@pytest.fixture
def harness(server):
    """A project with a service checkout, whose policy pages Ann and after five minutes Bob; the clock stands."""
    empty_target(server)
    with server.app.config["STORE"].change() as held:
        levels = [
            {"timeout_minutes": 5, "retries": 0, "targets": [{"type": "user", "id": who}]}
            for who in (ANN, "nobody@example.com", BOB)
        ]
        place = {"orgIdentifier": "default", "projectIdentifier": "sre"}
        held["services"].append({**place, "identifier": "checkout", "name": "checkout"})
        held["oncall"]["services"]["default/sre/checkout"] = {"identifier": "checkout", "escalation_policy": "first"}
        held["oncall"]["escalation_policies"]["default/sre/first"] = {"identifier": "first", "levels": levels}
    set_clock(server, NIGHT)
    client = open_project(server.url, KEY, "embedded", "default", "sre", Quota(Limits(1000, 1000)))
    client.transport._sleep = lambda seconds: None
    return client


def set_clock(server, at):
    server.app.config["CLOCK"] = at.timestamp


def send(server, message, **more):
    rows = requests.get(f"{server.url}/sandbox/webhooks", timeout=600).json()["webhooks"]
    path = next(row["path"] for row in rows if row["service"] == "checkout")
    assert requests.post(server.url + path, json={"message": message, **more}, timeout=600).status_code == 200


def test_a_page_is_read_back_with_whom_it_told_when_and_how(server, harness):
    send(server, "TEST page of checkout")
    set_clock(server, NIGHT + HOUR)
    [alert] = list_alerts(harness, NIGHT, NIGHT + HOUR)
    assert (alert.id, alert.title, alert.services) == ("PAGE_ALERT_sre-1", "TEST page of checkout", ("checkout",))
    assert (alert.status, alert.priority, alert.key, alert.quiet) == ("triggered", "p1_critical", "", False)
    assert alert.created == NIGHT
    assert find_alert(harness, "TEST page", NIGHT) == alert
    timeline = read_timeline(harness, alert.id)
    assert [(one.at - NIGHT, one.who, one.channel, one.level) for one in timeline.told] == [
        (timedelta(0), ANN, "email", 1),
        (timedelta(minutes=10), BOB, "email", 3),
    ]
    assert [one.who for one in timeline.of("failed")] == ["nobody@example.com"]
    assert timeline.other == {"SIMILAR_ALERTS_SEARCHED": 1}
    assert len(timeline.of("aside")) == 1
    assert timeline.unread == {}


def test_who_acknowledged_is_the_actor(server, harness):
    send(server, "down")
    set_clock(server, NIGHT + timedelta(minutes=3))
    body = {"alert": "PAGE_ALERT_sre-1", "email": ANN}
    assert requests.post(f"{server.url}/sandbox/acknowledge", json=body, timeout=600).status_code == 200
    [answer] = read_timeline(harness, "PAGE_ALERT_sre-1").of("acknowledged")
    assert (answer.who, answer.at) == (ANN, NIGHT + timedelta(minutes=3))
    assert find_alert(harness, "down", NIGHT).acknowledged == answer.at


def test_events_that_nobody_knows_are_kept_by_type_in_words(server, harness):
    send(server, "down")
    with server.app.config["STORE"].change() as held:
        at = held["alerts"][0]["created"]
        held["alerts"][0]["events"] += [
            {"eventType": "HUNCH", "timestamp": at, "eventGroup": "PAGING", "odd": {"a": 1}},
            {"eventType": "NOTIFICATION_SENT", "timestamp": at, "eventGroup": "PAGING", "channel": "FAX"},
            {"eventType": "NOTIFICATION_SENT", "timestamp": at, "recipient": {"name": "Ann", "email": ANN.upper()}},
            {"timestamp": at},
        ]
    timeline = read_timeline(harness, "PAGE_ALERT_sre-1")
    assert timeline.unread == {
        "HUNCH": ("HUNCH, 2026-06-01 22:00:00 UTC: fields eventGroup, eventId, eventType, odd, timestamp",),
        "NOTIFICATION_SENT": (
            "NOTIFICATION_SENT, 2026-06-01 22:00:00 UTC: fields channel, eventGroup, eventId, eventType, timestamp",
        ),
        "no type": ("an event without a type, 2026-06-01 22:00:00 UTC: fields eventId, timestamp",),
    }
    assert timeline.other == {"SIMILAR_ALERTS_SEARCHED": 1}
    assert [one.who for one in timeline.told] == [ANN, "", ANN]


def test_a_list_is_whole_over_pages_and_holds_its_time_only(server, harness):
    for number in range(123):
        set_clock(server, NIGHT + number * timedelta(minutes=1))
        send(server, f"alert {number}")
    found = list_alerts(harness, NIGHT + timedelta(minutes=2), NIGHT + timedelta(minutes=122))
    assert [one.title for one in found] == [f"alert {number}" for number in range(2, 122)]


@pytest.mark.parametrize(
    "answer, words",
    [
        ({"content": []}, r"another shape than is documented \(entities\)"),
        ({"entities": []}, r"another shape than is documented \(totalCount\)"),
        ({"entities": [], "totalCount": "many"}, r"another shape than is documented \(totalCount\)"),
        ({"entities": [], "totalCount": [0]}, r"another shape than is documented \(totalCount\)"),
        ({"entities": [], "totalCount": True}, r"another shape than is documented \(totalCount\)"),
        ({"entities": [], "totalCount": 2}, "said 2 and gave 0 each of 3 times"),
        (
            {"entities": [{"prettyId": "A-1"}, {"prettyId": "A-2"}], "totalCount": 1},
            "said 1 and gave 2 each of 3 times",
        ),
    ],
)
def test_a_list_that_is_not_whole_is_an_error(harness, monkeypatch, answer, words):
    monkeypatch.setattr(harness.transport, "send", lambda *asked, **more: answer)
    with pytest.raises(IncompleteFetchError, match=words):
        list_alerts(harness, NIGHT, NIGHT + HOUR)


def test_an_alert_that_is_not_there_is_said(harness):
    with pytest.raises(AnswerError, match="Alert ALERT_sre-7 does not exist"):
        read_timeline(harness, "ALERT_sre-7")


# --- events and answers of shapes that nobody has seen ---


START = 1_780_000_000
TIME = datetime.fromtimestamp(START, UTC)


def event(**fields):
    return {"eventType": "NOTIFICATION_SENT", "timestamp": START * 1000, "eventGroup": "PAGING", **fields}


def read_events(*rows, **fields):
    """As the live proof takes them."""
    alert = Alert.model_validate({"prettyId": "A-1", "createdAtTimestamp": START * 1000, **fields})
    return read_seen(alert, sort_events(rows), START, START + 60)


EVENTS = {
    "its own fields": (event(recipient="Ann@Example.com", channel="SMS"), Notice("ann@example.com", START, "sms")),
    "a person as an object": (
        event(recipient={"id": 7, "email": "ann@example.com"}, channel={"type": "VOICE"}),
        Notice("ann@example.com", START, "phone"),
    ),
    "words alone": (event(message="Paged ann@example.com via Slack."), Notice("ann@example.com", START, "slack")),
    "an id, and words": (
        event(recipient="u-17", message=["Texted", {"to": "ann@example.com by sms"}]),
        Notice("ann@example.com", START, "sms"),
    ),
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
    seen = read_events(said)
    assert (seen.notices, seen.strange, seen.understood) == ((notice,), (), 1)


STRANGE = {
    "a type that nobody knows": event(eventType="PERSON_TOLD", recipient="ann@example.com"),
    "no type": {"timestamp": START * 1000},
    "a type that is no text": event(eventType={"name": "X"}),
    "nobody is named": event(message="Somebody was told"),
    "two are named": event(message="ann@example.com or bob@example.com was told"),
    "no time": event(recipient="ann@example.com", timestamp="yesterday"),
    "a time that no calendar tells": event(recipient="ann@example.com", timestamp="0001-01-01T00:00:00+14:00"),
    "a time at the end of all": event(recipient="ann@example.com", timestamp="9999-12-31T23:59:59-12:00"),
    "a time without a zone": event(recipient="ann@example.com", timestamp="2026-05-28T20:26:40"),
    "a name alone": event(recipient="Ann"),
    "several emails in one field": event(recipient={"email": "ann@example.com", "for": "bob@example.com"}),
    "of no group": {"eventType": "STATUS_CHANGED", "timestamp": START * 1000},
    "a message of another shape": event(eventType=None, message=["x"]),
}


@pytest.mark.parametrize("what", STRANGE)
def test_any_other_event_is_kept_in_words_and_taken_for_nothing(what):
    seen = read_events(STRANGE[what])
    assert (seen.notices, seen.understood, len(seen.strange)) == ((), 0, 1)


def test_events_of_other_groups_are_another_matter_unless_they_name_a_person():
    assert read_events(event(eventType="SEARCHED", eventGroup="AI")) == read_events()
    named = event(eventType="CALLED", eventGroup="NOTIFICATIONS", message="Called ann@example.com")
    assert len(read_events(named).strange) == 1


ANSWERS = {
    "no alert list": ({"content": []}, "another shape than is documented"),
    "no rows": (
        [{"entities": [{"prettyId": "A-1", "title": "TEST t0k3n"}]}, {"rows": []}],
        "another shape than is documented",
    ),
    "rows that are no list": (
        [{"entities": [{"prettyId": "A-1", "title": "TEST t0k3n"}]}, {"results": {}}],
        "another shape",
    ),
    "more, and not where": (
        [{"entities": [{"prettyId": "A-1", "title": "TEST t0k3n"}]}, {"results": [], "hasMoreResults": True}],
        "goes on, and not where",
    ),
    "an alert without an id": ({"entities": [{"title": "TEST t0k3n"}], "totalCount": 1}, "shows no alert"),
    "a list": ([[]], "another shape than is documented"),
    "nothing": ([None], "another shape than is documented"),
}


def make_harness(transport):
    return SimpleNamespace(transport=transport, account="a", org="o", project="p")


@pytest.mark.parametrize("what", ANSWERS)
def test_an_answer_of_another_shape_is_never_an_error_nor_nobody(what):
    answers, words = ANSWERS[what]
    rows = iter(answers if isinstance(answers, list) else [answers])
    transport = SimpleNamespace(base_url="https://app.harness.io/gateway", send=lambda *asked, **more: next(rows))
    seen = look_at(make_harness(transport), "t0k3n", START, START + 60)
    assert words in seen.unread
    assert judge((), seen).outcome is None


@pytest.mark.parametrize("value", [None, True, -1, 10**20, "", "x", [], 1.5])
def test_what_is_no_time_is_none(value):
    seen = read_events(event(recipient="ann@example.com", timestamp=value))
    assert (seen.notices, len(seen.strange)) == ((), 1)


PAGES = {
    "as is documented": ({"hasMoreResults": True, "nextPageCursor": "2"}, "results"),
    "in other words": ({"nextCursor": "2"}, "entities"),
}


@pytest.mark.parametrize("base", ["https://app.harness.io", "https://app.harness.io/gateway"])
@pytest.mark.parametrize("what", PAGES)
def test_a_timeline_is_read_to_its_end_wherever_the_base_address_ends(what, base):
    following, rows = PAGES[what]
    asked = []

    def send(method, path, params, door):
        asked.append((base + path, params.get("cursor"), door))
        return {rows: [event(recipient="ann@example.com", eventId=len(asked))], **(following if len(asked) < 2 else {})}

    timeline = read_timeline(make_harness(SimpleNamespace(base_url=base, send=send)), "A-1")
    assert len(timeline.told) == 2
    url = "https://app.harness.io/gateway/ir/tp/api/v1/mc/activities/A-1/timeline"
    assert asked == [(url, None, True), (url, "2", True)]


def test_an_alert_of_ours_is_found_and_ended_whatever_else_is_odd_in_it(server, harness):
    send(server, "TEST t0k3n")
    with server.app.config["STORE"].change() as held:
        held["alerts"][0] |= {"patched": {"quietMode": "perhaps"}, "service": {"odd": 1}}
    assert list_alerts(harness, NIGHT, NIGHT + HOUR).unusable == 1
    found = find_alert(harness, "t0k3n", NIGHT + HOUR)
    assert (found.id, found.status, found.services) == ("PAGE_ALERT_sre-1", "triggered", ())
    assert end_alert(harness, found.id) == ""
    assert find_alert(harness, "t0k3n", NIGHT).over
    assert "Alert A-7 does not exist" in end_alert(harness, "A-7")
    row = {"prettyId": "A-1", "title": "TEST t0k3n", "status": "RESOLVED", "createdAtTimestamp": "soon"}
    transport = SimpleNamespace(base_url="", send=lambda *asked, **more: {"entities": [row]})
    found = find_alert(make_harness(transport), "t0k3n", NIGHT)
    assert (found.created, found.over) == (NIGHT, True)
