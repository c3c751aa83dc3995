"""Alerts of the embedded Harness: webhooks that arrive, who is paged when, and the timeline that tells of it."""

from datetime import UTC, datetime

import pytest
import requests
from harness_http import PEOPLE, Client, empty_target

from pdmigrate.sandbox.harness import new_document, start_harness

ANN, BOB, CAT = (one["email"] for one in PEOPLE)
MC = "/ir/tp/api/v1/mc"
ONCALL = "/pdmigrate-oncall/v1/accounts/embedded/orgs/default/projects/sre"


@pytest.fixture(scope="module")
def server():
    running = start_harness(new_document(people=PEOPLE))
    yield running
    running.stop()


@pytest.fixture
def sre(server):
    """A service whose policy pages Ann for ten minutes, again for ten, and then whoever is on the rota of Bob and Cat."""
    empty_target(server)
    client = Client(server)
    client.scope = {"accountId": "embedded", "orgId": "default", "projectId": "sre"}
    body = {"orgIdentifier": "default", "projectIdentifier": "sre", "identifier": "checkout", "name": "checkout"}
    assert client.call("POST", "/ng/api/servicesV2", body).status_code == 200
    anchor = datetime.fromtimestamp(client.time, UTC).replace(tzinfo=None, microsecond=0).isoformat()
    rotation = {"name": "R", "participants": [BOB, CAT], "anchor": anchor, "turn_seconds": 1200}
    rota = {"identifier": "rota", "name": "rota", "time_zone": "UTC", "rotations": [rotation]}
    levels = [
        {"timeout_minutes": 10, "retries": 1, "targets": [{"type": "user", "id": ANN}]},
        {"timeout_minutes": 5, "targets": [{"type": "schedule", "id": "rota"}]},
    ]
    policy = {"identifier": "first", "name": "first", "levels": levels}
    steps = [{"methods": [{"type": "sms", "address": "+12125550101"}], "wait_minutes": 0}]
    steps += [{"methods": [{"type": "phone", "address": "+12125550101"}], "wait_minutes": 3}]
    for path, row in {
        "schedules/rota": rota,
        "escalation-policies/first": policy,
        "services/checkout": {"identifier": "checkout", "escalation_policy": "first", "paging": True},
        f"notification-rules/{ANN}": {"email": ANN, "steps": steps},
    }.items():
        assert client.call("PUT", f"{ONCALL}/{path}", row).status_code == 200
    return client


def send(client, kind, body, service=None):
    """What arrives at a webhook comes without a key of the API."""
    rows = requests.get(f"{client.server.url}/sandbox/webhooks", timeout=600).json()["webhooks"]
    path = next(
        one["path"] for one in rows if one["kind"] == kind and one["service"] == service and one["projectId"] == "sre"
    )
    answer = requests.post(client.server.url + path, json=body, timeout=600)
    assert answer.status_code == 200, answer.text


def read(client, path, **asked):
    answer = client.call("GET", MC + path, **asked)
    assert answer.status_code == 200, answer.text
    return answer.json()


def pages(client, alert):
    """Minute, person, channel of every notification so far."""
    events = read(client, f"/activities/{alert}/timeline", eventGroups="PAGING", pageSize=100)["results"]
    created = read(client, f"/alerts/{alert}")["createdAtTimestamp"]
    sent = [one for one in events if one["eventType"] == "NOTIFICATION_SENT"]
    return [((one["timestamp"] - created) // 60_000, one["recipient"], one["channel"]) for one in sent]


def test_a_page_goes_the_way_of_the_policy_as_the_clock_comes(sre):
    send(sre, "paging", {"message": "TEST page of checkout"}, "checkout")
    [alert] = read(sre, "/alerts", status="triggered", impactedService="checkout")["entities"]
    assert (alert["prettyId"], alert["title"], alert["status"]) == (
        "PAGE_ALERT_sre-1",
        "TEST page of checkout",
        "TRIGGERED",
    )
    assert alert["priority"] == {"id": "P1_CRITICAL", "label": "P1: Critical"}
    assert pages(sre, alert["prettyId"]) == [(0, ANN, "SMS")]
    sre.time += 12 * 60
    assert pages(sre, alert["prettyId"]) == [(0, ANN, "SMS"), (3, ANN, "PHONE"), (10, ANN, "SMS")]
    sre.time += 60 * 60
    told = pages(sre, alert["prettyId"])
    assert told[3:] == [(13, ANN, "PHONE"), (20, CAT, "EMAIL")]  # Cat's turn began at the twentieth minute
    kinds = [one["eventType"] for one in read(sre, "/activities/PAGE_ALERT_sre-1/timeline", pageSize=100)["results"]]
    assert kinds[:3] == ["ALERT_CREATED", "SIMILAR_ALERTS_SEARCHED", "PAGE_SENT"]
    assert kinds[-1] == "ESCALATION_EXHAUSTED"


def test_an_acknowledgement_ends_the_page(sre):
    send(sre, "paging", {"message": "Checkout is down"}, "checkout")
    sre.time += 4 * 60
    sre.sandbox("acknowledge", {"alert": "PAGE_ALERT_sre-1", "email": ANN})
    sre.time += 60 * 60
    assert [minute for minute, _, _ in pages(sre, "PAGE_ALERT_sre-1")] == [0, 3]
    alert = read(sre, "/alerts/PAGE_ALERT_sre-1")
    assert alert["status"] == "ACKNOWLEDGED"
    assert alert["acknowledgedAtTimestamp"] - alert["createdAtTimestamp"] == 4 * 60_000
    assert sre.call("POST", f"{MC}/alerts/PAGE_ALERT_sre-1/resolve").json()["status"] == "RESOLVED"


def test_people_can_be_made_to_answer(sre):
    sre.sandbox("config", {"page_answered_after": 2})
    send(sre, "paging", {"message": "Checkout is down"}, "checkout")
    sre.time += 60 * 60
    events = read(sre, "/activities/PAGE_ALERT_sre-1/timeline", eventGroups="PAGING")["results"]
    assert [one["eventType"] for one in events] == [
        "ESCALATION_LEVEL_REACHED",
        "NOTIFICATION_SENT",
        "PAGE_ACKNOWLEDGED",
    ]
    assert events[-1]["actor"] == ANN


def test_whoever_has_no_account_yet_is_not_reached(sre):
    with sre.server.app.config["STORE"].change() as document:
        document["users"] = [user for user in document["users"] if user["email"] != ANN]
    send(sre, "paging", {"message": "Checkout is down"}, "checkout")
    assert pages(sre, "PAGE_ALERT_sre-1") == []
    events = read(sre, "/activities/PAGE_ALERT_sre-1/timeline", eventGroups="PAGING")["results"]
    assert events[-1]["eventType"] == "NOTIFICATION_FAILED"


def test_a_general_webhook_goes_by_the_alert_rule(sre):
    rule = {"identifier": "checkout", "name": "checkout", "service": "checkout", "paging": False}
    assert sre.call("PUT", f"{ONCALL}/alert-rules/checkout", rule).status_code == 200
    send(sre, "general", {"title": "No page", "service": "checkout", "deduplicationId": "a"})
    assert sre.call("PUT", f"{ONCALL}/alert-rules/checkout", rule | {"paging": True}).status_code == 200
    send(sre, "general", {"title": "A page", "service": "checkout", "deduplicationId": "b"})
    send(sre, "general", {"title": "A page", "service": "checkout", "deduplicationId": "b", "status": "resolved"})
    rows = read(sre, "/alerts", sortDirection="ASC")["entities"]
    assert [(one["title"], one["status"]) for one in rows] == [("No page", "TRIGGERED"), ("A page", "RESOLVED")]
    assert [len(pages(sre, one["prettyId"])) for one in rows] == [0, 1]


def test_pagerdutys_feed_is_quiet(sre):
    data = {
        "id": "Q1",
        "title": "Cart is slow",
        "service": {"summary": "checkout"},
        "incident_key": "k",
        "urgency": "low",
    }
    send(sre, "pagerduty_feed", {"event": {"event_type": "incident.triggered", "data": data}})
    [alert] = read(sre, "/alerts")["entities"]
    assert (alert["quietMode"], alert["deduplicationId"], alert["impactedServices"]) == (True, "k", ["checkout"])
    assert pages(sre, alert["prettyId"]) == []
    send(sre, "pagerduty_feed", {"event": {"event_type": "incident.resolved", "data": data}})
    assert read(sre, f"/alerts/{alert['prettyId']}")["status"] == "RESOLVED"


def test_what_is_asked_wrongly_is_refused(sre):
    url = sre.server.url
    assert requests.post(f"{url}/api/v1/webhook/none?key=x", json={"message": "x"}, timeout=600).status_code == 401
    assert sre.call("GET", f"{MC}/alerts", impactedService="nowhere").status_code == 400
    assert sre.call("GET", f"{MC}/alerts/PAGE_ALERT_sre-9").status_code == 404
    sre.key = "pat.embedded.wrong.secret"
    assert sre.call("GET", f"{MC}/alerts").status_code == 401
    sre.key, sre.scope = "pat.embedded.sandbox.secret", {"accountId": "embedded"}
    assert sre.call("GET", f"{MC}/alerts").json()["message"] == "orgId, projectId must be given"


def test_a_timeline_comes_in_pages(sre):
    send(sre, "paging", {"message": "Checkout is down"}, "checkout")
    sre.time += 3600
    rows, cursor = [], "0"
    while cursor:
        page = read(sre, "/activities/PAGE_ALERT_sre-1/timeline", pageSize=3, cursor=cursor)
        rows, cursor = rows + page["results"], page["nextPageCursor"]
        assert page["hasMoreResults"] == bool(cursor)
    assert rows == read(sre, "/activities/PAGE_ALERT_sre-1/timeline", pageSize=100)["results"]
    assert len({one["eventId"] for one in rows}) == len(rows) > 6
    assert read(sre, "/activities/PAGE_ALERT_sre-1/timeline", pageSize=101)["results"] == rows
