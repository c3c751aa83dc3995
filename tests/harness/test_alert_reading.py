"""Harness's alerts and timelines, read: whole, in order, and what is not known is counted."""

from datetime import UTC, datetime, timedelta

import pytest
import requests
from harness_http import KEY, PEOPLE, empty_target

from pdmigrate.errors import AnswerError, IncompleteFetchError
from pdmigrate.harness.alert_reading import list_alerts, read_alert, read_timeline
from pdmigrate.harness.pacing import Limits, Quota
from pdmigrate.harness.project import open_project
from pdmigrate.sandbox.harness import new_document, start_harness

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
    rows = requests.get(f"{server.url}/sandbox/webhooks", timeout=10).json()["webhooks"]
    path = next(row["path"] for row in rows if row["service"] == "checkout")
    assert requests.post(server.url + path, json={"message": message, **more}, timeout=10).status_code == 200


def test_a_page_is_read_back_with_whom_it_told_when_and_how(server, harness):
    send(server, "TEST page of checkout")
    set_clock(server, NIGHT + HOUR)
    [alert] = list_alerts(harness, NIGHT, NIGHT + HOUR)
    assert (alert.id, alert.title, alert.services) == ("PAGE_ALERT_sre-1", "TEST page of checkout", ("checkout",))
    assert (alert.status, alert.priority, alert.key, alert.quiet) == ("triggered", "p1_critical", "", False)
    assert alert.created == NIGHT
    assert read_alert(harness, alert.id) == alert
    timeline = read_timeline(harness, alert.id)
    assert [(one.at - NIGHT, one.who, one.channel, one.level) for one in timeline.told] == [
        (timedelta(0), ANN, "email", 1),
        (timedelta(minutes=10), BOB, "email", 3),
    ]
    assert [one.who for one in timeline.of("failed")] == ["nobody@example.com"]
    assert timeline.other == {"ALERT_CREATED": 1, "SIMILAR_ALERTS_SEARCHED": 1}
    assert timeline.unread == {}


def test_who_acknowledged_is_the_actor(server, harness):
    send(server, "down")
    set_clock(server, NIGHT + timedelta(minutes=3))
    body = {"alert": "PAGE_ALERT_sre-1", "email": ANN}
    assert requests.post(f"{server.url}/sandbox/acknowledge", json=body, timeout=10).status_code == 200
    [answer] = read_timeline(harness, "PAGE_ALERT_sre-1").of("acknowledged")
    assert (answer.who, answer.at) == (ANN, NIGHT + timedelta(minutes=3))
    assert read_alert(harness, "PAGE_ALERT_sre-1").acknowledged == answer.at


def test_events_that_nobody_knows_are_counted(server, harness):
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
    assert timeline.unread == {"HUNCH": 1, "NOTIFICATION_SENT": 1}
    assert timeline.other["no type"] == 1
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
        ({"entities": [], "totalCount": 2}, "said 2 and gave 0 each of 3 times"),
    ],
)
def test_a_list_that_is_not_whole_is_an_error(harness, monkeypatch, answer, words):
    monkeypatch.setattr(harness.transport, "send", lambda *asked: answer)
    with pytest.raises(IncompleteFetchError, match=words):
        list_alerts(harness, NIGHT, NIGHT + HOUR)


def test_an_alert_that_is_not_there_is_said(harness):
    with pytest.raises(AnswerError, match="Alert ALERT_sre-7 does not exist"):
        read_timeline(harness, "ALERT_sre-7")
