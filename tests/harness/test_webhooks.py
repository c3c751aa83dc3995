"""Webhooks by their addresses, which are never shown."""

import pytest

from pdmigrate.errors import SettingsError
from pdmigrate.harness.webhooks import read_webhook

SECRET = "s3cr3t-of-the-webhook"
PAGING = f"https://app.harness.io/api/v1/webhook/abc?key={SECRET}"
GENERAL = f"https://app.harness.io/gateway/ir/tp/account/acct/api/v1/mc/webhook/abc/{SECRET}"


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
