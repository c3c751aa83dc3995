"""Who else talks to PagerDuty: read whole in few requests, nothing private kept, and nothing of it ever stops a migration."""

import json
import re

import pytest
from flask import request
from small_company import cut_down
from source_http import Source, company

from pdmigrate.errors import KeyRefusedError
from pdmigrate.pagerduty.dependents import DEPENDENTS, keep, list_dependents
from pdmigrate.sandbox.accounts import load_account
from pdmigrate.workspace.snapshots import save_snapshot

SECRETS = (
    "s3cr3t",
    "9f2c1d7be04a4b6f",
    "7d3f0a94c1be4f20",
    "5b0c77aa",
    "41be7f",
    "tickets.acme.example",
    "Authorization",
)
"""What stands in the company's endpoints, headers, configurations and scripts."""


def corner():
    """All that talks to the company, and of the company itself the services that it names."""
    document = company()
    small = cut_down(document, ("PSERV05", "PSERV10", "PSERV11", "PSERV24"))
    own = ("users", "teams", "team_members", "schedules", "overrides", "escalation_policies", "services")
    return document | {"schedules_v3": []} | {kind: small[kind] for kind in own}


@pytest.fixture(scope="module")
def plain():
    """The account, and nobody asked who else talks to it."""
    source = Source(corner())
    try:
        return source.fetch(days=7)
    finally:
        source.server.stop()


def ask(source, **choices):
    return source.fetch(days=7, dependents=True, **choices)


def find(snapshot, kind):
    return {one.name: one for one in list_dependents(snapshot.rows) if one.kind == kind}


def test_each_kind_is_listed_with_what_it_hangs_on_whose_it_is_and_whether_it_is_on(serve_source):
    snapshot = ask(serve_source(corner()))
    extension = find(snapshot, "extensions")["#checkout-alerts"]
    assert (extension.sort, extension.on, extension.owner) == (
        "Slack V2",
        ("Cart API", "Checkout web"),
        "Checkout & Cart",
    )
    assert (extension.link, extension.opens) == ("https://acme.pagerduty.com/service-directory/PSERV10", "Cart API")
    assert find(snapshot, "extensions")["Tickets for the warehouse"].state == "switched off by PagerDuty"
    hooks = find(snapshot, "webhook_subscriptions")
    assert hooks["Incident report for the board"].on == ("the whole account",)
    assert (hooks["to (an address)"].on, hooks["to (an address)"].state) == (("Legacy monolith",), "switched off")
    workflow, trigger = (find(snapshot, kind)["Major incident"] for kind in list(DEPENDENTS)[3:5])
    assert (workflow.owner, workflow.link.rpartition("/")[2]) == ("Platform", "PWORKF1")
    assert (trigger.sort, trigger.on) == ("conditional", ("Card payments", "Cart API", "Checkout web"))
    assert find(snapshot, "licenses")["Business (Full User)"].state == "38 seats taken, 7 free"
    assert {one.kind for one in list_dependents(snapshot.rows)} == set(DEPENDENTS), "the company has some of each"


def test_it_takes_a_request_a_kind_and_one_a_business_service_and_leaves_the_digest_alone(serve_source, plain):
    document = corner()
    more = ask(serve_source(document))
    assert more.requests - plain.requests == len(DEPENDENTS) - 1 + len(document["business_services"])
    all_of_them = ask(serve_source(document), service_dependencies=True)
    assert all_of_them.requests - more.requests == len(document["services"])
    assert plain.digest == more.digest == all_of_them.digest
    assert not set(DEPENDENTS) & set(plain.rows), "what was not asked for is no empty list"
    needs = [set(find(snapshot, "service_dependencies")) for snapshot in (more, all_of_them)]
    assert needs[1] - needs[0] == {"Checkout web needs Cart API"}


def test_a_service_that_names_a_response_play_brings_it_without_a_request(serve_source):
    document = corner()
    for service in document["services"][:2]:
        service["response_play"] = {"id": "PLAY1", "type": "response_play_reference", "summary": "Call everybody"}
    [play] = find(ask(serve_source(document)), "response_plays").values()
    assert (play.name, play.on) == ("Call everybody", tuple(s["name"] for s in document["services"][:2]))


# --- nothing private ---


@pytest.mark.parametrize("keep_keys", [False, True])
def test_no_address_key_header_or_script_is_in_a_snapshot(serve_source, tmp_path, keep_keys):
    document = corner()
    assert all(secret in json.dumps(document) for secret in SECRETS)
    snapshot = ask(serve_source(document), keep_keys=keep_keys)
    kept = json.dumps({kind: snapshot.rows[kind] for kind in DEPENDENTS})
    assert [secret for secret in SECRETS if secret in kept] == []
    assert re.findall(r"https?://(?!acme\.pagerduty\.com)[^\"]*", kept) == []
    save_snapshot(tmp_path / "acme.json.gz", snapshot)
    served = ask(serve_source(load_account(tmp_path / "acme.json.gz")))
    assert list_dependents(served.rows) == list_dependents(snapshot.rows), "a snapshot can be served, and read again"


def test_what_is_new_in_a_row_does_not_stay_by_itself():
    row = {
        "id": "P1",
        "type": "extension",
        "name": "x",
        "html_url": "https://acme.pagerduty.com/e/P1?token=abc",
        "novel": "abc",
    }
    row |= {"extension_objects": [{"id": "P2", "type": "service_reference", "summary": "s", "token": "abc"}]}
    assert keep(row) == {
        **{"id": "P1", "type": "extension", "name": "x", "html_url": "https://acme.pagerduty.com/e/P1"},
        "extension_objects": [{"id": "P2", "type": "service_reference", "summary": "s"}],
    }
    assert "html_url" not in keep({"id": "P1", "html_url": "https://hooks.example/T/B/abc"})
    key = "0123456789abcdef0123456789abcdef"
    assert keep({"id": "P1", "name": f"a https://x.example/{key} {key}"})["name"] == "a (an address) (a key)"
    assert keep({"id": "P1", "name": "n", "description": "curl -H 'X-Key: 41be7f'"}) == {"id": "P1", "name": "n"}


# --- nothing stops, nothing is taken for empty ---


@pytest.mark.parametrize(
    "status, word", [(402, "absent"), (403, "forbidden"), (404, "absent"), (400, "refused"), (500, "not answered")]
)
def test_what_is_refused_is_said_and_stops_nothing(serve_source, plain, status, word):
    source = serve_source(corner())

    @source.server.app.before_request
    def refuse():
        if request.path in {kind.path for kind in DEPENDENTS.values()} or "service_dependencies" in request.path:
            return {"error": {"message": "Not for you", "code": 1}}, status

    snapshot = ask(source)
    assert set(snapshot.rows["unread"]) == set(DEPENDENTS)
    assert all(why.startswith(f"{word}: PagerDuty") for why in snapshot.rows["unread"].values())
    assert snapshot.digest == plain.digest


def test_a_key_that_is_revoked_meanwhile_is_still_an_error(serve_source):
    source = serve_source(corner())

    @source.server.app.before_request
    def revoke():
        if request.path == "/extensions":
            return {"error": {"message": "Unauthorized", "code": 2006}}, 401

    with pytest.raises(KeyRefusedError):
        ask(source)


def test_lists_that_go_on_by_a_mark_are_read_to_their_end(serve_source):
    document = corner()
    for kind in ("automation_actions", "alert_grouping_settings", "incident_workflow_triggers"):
        document[kind] = [{**document[kind][0], "id": f"P{n:04d}", "name": f"N{n}"} for n in range(250)]
    snapshot = ask(serve_source(document))
    counts = [
        len(snapshot.rows[kind])
        for kind in ("automation_actions", "alert_grouping_settings", "incident_workflow_triggers")
    ]
    assert (counts, snapshot.rows["unread"]) == ([250] * 3, {})


@pytest.mark.parametrize(
    "kind, answer",
    [
        ("automation_actions", {"actions": [{"id": "P1"}], "next_cursor": "again"}),
        ("status_pages", {"status_pages": [{"id": "P1"}], "more": True}),
        ("licenses", {"licenses": None}),
        ("tags", {}),
    ],
)
def test_a_list_that_does_not_end_or_is_not_there_is_not_read(serve_source, kind, answer):
    source = serve_source(corner())

    @source.server.app.before_request
    def mislead():
        return answer if request.path == DEPENDENTS[kind].path else None

    snapshot = ask(source)
    assert snapshot.rows["unread"][kind].startswith("not answered: PagerDuty's")
    assert snapshot.rows[kind] == []


def test_dependencies_of_business_services_that_were_not_read_are_not_none(serve_source):
    snapshot = ask(serve_source(corner(), forbidden=["/business_services"]))
    assert set(snapshot.rows["unread"]) == {"business_services", "service_dependencies"}


def test_a_recorded_account_does_not_make_up_what_it_never_asked(serve_source, plain, tmp_path):
    save_snapshot(tmp_path / "old.json.gz", plain)
    served = ask(serve_source(load_account(tmp_path / "old.json.gz")))
    assert set(served.rows["unread"]) == set(DEPENDENTS)
