"""PagerDuty's /oncalls: read whole, in few requests, at its own pace."""

from datetime import timedelta

from source_http import NOW, company

from pdmigrate.oncall import rota
from pdmigrate.pagerduty import lists
from pdmigrate.pagerduty.rota_v3 import read_final
from pdmigrate.sandbox import pagerduty_wire


def test_more_entries_than_a_list_shows_are_read_in_parts(serve_source, monkeypatch):
    """By policy, and where one policy alone has too many, by time."""
    source = serve_source(company())
    ids = [row["id"] for row in source.document["escalation_policies"]]
    whole, few = source.client.read_oncalls(NOW, NOW + timedelta(days=56), ids)
    told = {count.what: (count.done, count.total) for count in source.client.transport.progress.counts}
    assert told["policies' levels"] == (len(ids), len(ids))
    monkeypatch.setattr(lists, "CAP", 60)
    monkeypatch.setattr(lists, "PAGE", 20)
    monkeypatch.setattr(pagerduty_wire, "REACHABLE", 60)
    parts, many = source.client.read_oncalls(NOW, NOW + timedelta(days=56), ids)
    assert parts == whole
    assert whole.unread == {}
    assert sum(len(level.entries) for level in whole.levels.values()) > 900
    assert few <= 11 < many


def test_shift_based_schedules_are_resolved_too(serve_source):
    source = serve_source(company())
    said, _ = source.client.read_oncalls(NOW, NOW + timedelta(days=28), ["PPOL14", "PPOL15"])
    account = source.fetch().account
    shown = read_final(account.schedules_v3["PSHIFT01"]).clip(*said.span)
    always = rota.make_rota([(*said.span, ("PUSER40",))])
    assert said.level("PPOL15", 1) == rota.join([shown, always])


def test_oncalls_have_a_pace_and_counts_of_their_own(serve_source):
    """When its limit is used up, everything else goes on at once."""
    source = serve_source(company(), oncalls_per_minute=1)
    before = source.client.transport.counts.requests
    _, requests = source.client.read_oncalls(NOW, NOW + timedelta(days=1), ["PPOL09"])
    assert (requests, source.client.transport.counts.requests - before) == (1, 0)
    assert source.client.transport.send("GET", "/users", {"limit": 1})["users"]
    assert source.client.transport.counts.waited == 0


def test_ninety_days_are_asked_for_and_no_more(serve_source):
    source = serve_source(company())
    said, _ = source.client.read_oncalls(NOW, NOW + timedelta(days=400), ["PPOL09"])
    assert said.unread == {}
    assert said.until == NOW + timedelta(days=90)


def test_nothing_is_asked_about_no_policy(serve_source):
    source = serve_source(company())
    said, requests = source.client.read_oncalls(NOW, NOW + timedelta(days=1), [])
    assert (said.policies, requests) == (frozenset(), 0)
