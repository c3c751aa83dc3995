"""A night played on the embedded pair: as V3 webhooks, at their own time, as often as one likes."""

from datetime import timedelta

import pytest
import requests
from pagerduty_http import NOW
from small_company import cut_down

from pdmigrate.sandbox.company import build_company
from pdmigrate.sandbox.harness import new_document, start_harness
from pdmigrate.sandbox.shadow import send_night

SINCE = NOW - timedelta(days=1)


@pytest.fixture(scope="module")
def harness():
    running = start_harness(new_document())
    yield running
    running.stop()


@pytest.fixture
def pagerduty(serve):
    history = {"until": NOW.isoformat(), "day": "2025-10-05", "days": 1, "log_entries": 200}
    return serve(cut_down(build_company(SINCE)) | {"history": history})


def play(pagerduty, harness, **more):
    body = {"harness": harness.url, "since": SINCE.isoformat(), "until": NOW.isoformat(), **more}
    return send_night(pagerduty.server.url, body)


def held(harness):
    return harness.app.config["STORE"].read().get("alerts", [])


def test_every_incident_is_an_alert_of_its_own_moment_and_a_second_time_changes_nothing(pagerduty, harness):
    rows = pagerduty.read("/incidents", date_range="all", limit=100)["incidents"]
    assert play(pagerduty, harness) >= len(rows) > 3
    alerts = held(harness)
    assert {one["deduplicationId"] for one in alerts} == {row["incident_key"] for row in rows}
    assert len(alerts) == len(rows)
    assert all(SINCE.timestamp() * 1000 <= one["created"] <= (NOW.timestamp() + 5) * 1000 for one in alerts)
    play(pagerduty, harness)
    assert held(harness) == alerts


def test_an_incident_that_nothing_has_changed_can_be_shown(pagerduty):
    """Triggered, and that was all: its last change is its beginning."""
    rows = pagerduty.read("/incidents", date_range="all", limit=100)["incidents"]
    assert all(row["last_status_change_at"] >= row["created_at"] for row in rows)


def test_faults_that_nobody_knows_and_other_addresses_are_refused(pagerduty, harness):
    for body in ({"faults": [{"kind": "hail"}]}, {"harness": "https://app.harness.io"}):
        asked = {"harness": harness.url, "since": SINCE.isoformat(), "until": NOW.isoformat(), **body}
        assert requests.post(f"{pagerduty.server.url}/sandbox/feed", json=asked, timeout=600).status_code == 400
