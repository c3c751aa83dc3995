"""Clients of pdmigrate on an embedded PagerDuty over HTTP, for the tests of the source."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

from pdmigrate.pagerduty.client import FetchOptions, make_client
from pdmigrate.sandbox.company import build_company
from pdmigrate.sandbox.gate import replace_faults
from pdmigrate.sandbox.pagerduty import DEFAULT_TOKEN, start_pagerduty
from pdmigrate.wire.transport import Patience

NOW = datetime(2025, 10, 7, 15, 30, tzinfo=UTC)
DATA = Path(__file__).parent / "data"
QUICK = Patience(first=0.01, longest=0.05, told=0.02)


def company(with_v3=True):
    return build_company(NOW, with_v3=with_v3)


class Source:
    """An embedded PagerDuty with a client that is impatient, so that tests are quick."""

    def __init__(self, document, token=DEFAULT_TOKEN, region="us", **options):
        self.document = document
        self.server = start_pagerduty(document, **options)
        self.client = make_client(self.server.url, region, token)
        self.client.transport.patience = QUICK
        self.subdomain = document.get("subdomain", "acme")

    def fetch(self, days=28, **choices):
        return self.client.fetch(FetchOptions(self.subdomain, NOW, timedelta(days=days), **choices))

    def check(self, subdomain=None):
        return self.client.check_account(subdomain or self.subdomain, NOW)

    def play(self, *rules):
        replace_faults(self.server.app, list(rules))

    @property
    def log(self):
        return self.server.app.config["LOG"].as_dict()
