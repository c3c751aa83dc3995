"""Addresses of PagerDuty: the account's own, or what somebody said; never made up."""

import pytest

from pdmigrate.handover.links import Links
from pdmigrate.pagerduty.account import find_host


@pytest.mark.parametrize(
    "subdomain, region, host, address",
    [
        ("acme", "us", "acme.eu.pagerduty.com", "https://acme.eu.pagerduty.com/service-directory/PS1"),
        ("acme", "eu", "", "https://acme.eu.pagerduty.com/service-directory/PS1"),
        ("acme", "us", "", "https://acme.pagerduty.com/service-directory/PS1"),
        ("acme", "", "", ""),
        ("", "us", "", ""),
    ],
)
def test_a_link_back_goes_where_the_account_is(subdomain, region, host, address):
    links = Links("https://app.harness.io/gateway", "a", "o", "p", subdomain, region, host)
    assert links.to_pagerduty("services", "PS1") == address


def test_the_host_is_that_of_most_links_whatever_they_are():
    rows = [{"html_url": "https://acme.eu.pagerduty.com/teams/T1"}, {"html_url": None}, {"html_url": 7}, "no row", {}]
    assert find_host(rows) == "acme.eu.pagerduty.com"
    assert find_host(rows[1:]) == ""
