"""Webhooks by their addresses, and what is made of answers whose shape nobody has seen."""

import pytest

from pdmigrate.errors import SettingsError
from pdmigrate.harness import alerts
from pdmigrate.harness.alerts import read_instant, read_webhook
from pdmigrate.oncall.live import Notice, Seen

SECRET = "s3cr3t-of-the-webhook"
PAGING = f"https://app.harness.io/api/v1/webhook/abc?key={SECRET}"
GENERAL = f"https://app.harness.io/gateway/ir/tp/account/acct/api/v1/mc/webhook/abc/{SECRET}"
START = 1_780_000_000


@pytest.mark.parametrize(
    "url, kind", [(PAGING, "paging"), (GENERAL, "general"), (f"{GENERAL}".rpartition("/")[0], "general")]
)
def test_an_address_says_which_webhook_it_is(url, kind):
    webhook = read_webhook(url, "acct", "env:HOOK")
    assert webhook.kind == kind
    assert SECRET not in repr(webhook)


@pytest.mark.parametrize(
    "url, words",
    [
        (f"https://hooks.slack.com/services/{SECRET}", "is no webhook of Harness"),
        (SECRET, "is no webhook of Harness"),
        (PAGING.replace("https", "http"), "by https alone"),
        (GENERAL.replace("/acct/", "/other/"), "a webhook of the account other, target.account says acct"),
        (f"https://ann:{SECRET}@app.harness.io/api/v1/webhook/abc", "is no webhook of Harness"),
    ],
)
def test_any_other_address_is_refused_and_never_repeated(url, words):
    with pytest.raises(SettingsError, match=words) as error:
        read_webhook(url, "acct", "env:HOOK")
    assert SECRET not in str(error.value)


@pytest.mark.parametrize("url", [PAGING, GENERAL])
def test_what_goes_wrong_on_the_way_shows_no_key(url):
    """Nobody listens there: it cannot have arrived, but that is not known."""
    webhook = read_webhook(url.replace("https://app.harness.io", "http://127.0.0.1:9"), "acct", "env:HOOK")
    taken, words = webhook.send({"message": "TEST"})
    assert taken == "unknown"
    assert "nobody listens there" in words
    assert SECRET not in words
    assert "abc" not in words


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


def test_events_of_other_groups_are_another_matter():
    seen = alerts._read_events([event(eventType="SEARCHED", eventGroup="AI")], Seen("A-1", START))
    assert seen == Seen("A-1", START)


@pytest.mark.parametrize("value", [None, True, -1, 10**20, "", "x", [], 1.5])
def test_what_is_no_time_is_none(value):
    assert read_instant(value) == 0
