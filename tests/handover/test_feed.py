"""The set-up of the feed for shadow weeks: exact, with every secret by reference only."""

import csv
import io
import json

from pdmigrate.handover.feed import make_feed
from pdmigrate.handover.links import Links
from pdmigrate.steps.draft import draft


def test_the_set_up_is_words_a_body_and_both_names_of_every_service(small):
    found = draft(small)
    files = make_feed(found, Links("https://app.harness.io/gateway", "acc", "default", "sre", "acme", "eu"))
    assert sorted(files) == [f"parallel_run/{name}" for name in ("service_names.csv", "set_up.md", "subscription.json")]
    body = json.loads(files["parallel_run/subscription.json"])["webhook_subscription"]
    assert body["delivery_method"] == {"type": "http_delivery_method", "url": "${HARNESS_FEED_URL}"}
    assert body["filter"] == {"type": "account_reference"}
    assert body["events"] == ["incident.triggered", "incident.acknowledged", "incident.resolved"]
    rows = list(csv.DictReader(io.StringIO(files["parallel_run/service_names.csv"])))
    assert [row["pagerduty_name"] for row in rows if row["differs"]] == ["Edge & CDN"]
    assert len(rows) == len(found.account.services)
    words = files["parallel_run/set_up.md"]
    for said in ("quiet mode", "**1 of them has another name there**", "https://api.eu.pagerduty.com", "Take it away again", "$PAGERDUTY_WRITE_KEY", "DELETE /webhook_subscriptions/ID"):  # fmt: skip
        assert said in words
