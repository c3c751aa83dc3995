"""Nothing private is in a snapshot: what may stay is a list, and whatever else arrives keeps its name only."""

import copy
import json

import pytest
from mapping_account import NOW, layer, map_rows, people, policy, refer, schedule, service, user, wishes
from source_http import company

from pdmigrate.pagerduty.account import Snapshot
from pdmigrate.pagerduty.event_rules import list_event_rules
from pdmigrate.pagerduty.fields import TABLES
from pdmigrate.pagerduty.secrets import HIDDEN, strip_secrets

TOKEN = "748c2b3799de1a67"
FEED = f"webcal://acme.pagerduty.com/private/{TOKEN}/feed/S1?user_id=PU1"


def strip(kind, **fields):
    row = {"id": "P1", "name": "One", **fields}
    [kept] = strip_secrets({kind: [row]})[kind]
    return kept


@pytest.mark.parametrize("kind", [*TABLES, "business_services", "rulesets", "event_orchestrations", "extensions"])
@pytest.mark.parametrize(
    "value",
    [TOKEN, FEED, f"https://x.example/hook?token={TOKEN}", {"headers": [{"value": TOKEN}]}, [TOKEN], {TOKEN: True}],
    ids=["text", "calendar", "address", "inside", "list", "as a name"],
)
def test_a_field_that_nobody_knows_is_noticed_and_its_value_is_not_kept(kind, value):
    kept = strip(kind, a_field_of_tomorrow=value, summary=f"https://acme.pagerduty.com/x?key={TOKEN}")
    assert TOKEN not in json.dumps(kept)
    if kind in TABLES:
        assert kept["a_field_of_tomorrow"] == HIDDEN
    else:
        assert kept["id"] == "P1"


@pytest.mark.parametrize("value", [None, False, True, "", [], {}])
def test_an_unknown_field_that_says_nothing_still_says_nothing(value):
    assert strip("services", a_field_of_tomorrow=value)["a_field_of_tomorrow"] == value


def list_places(kind, path=(), seen=()):
    """The paths to every part of a kind, each with the table there."""
    yield path, kind
    for name, part in {**TABLES[kind].parts, **{own: own for own in TABLES[kind].own.split()}}.items():
        if part not in seen:
            yield from list_places(part, (*path, name), (*seen, part))


KINDS = ("users", "teams", "schedules", "schedules_v3", "escalation_policies", "services")
PLACES = [(kind, path) for kind in KINDS for path, _ in list_places(kind)]


@pytest.mark.parametrize("kind,path", PLACES, ids=["/".join((kind, *path)) for kind, path in PLACES])
def test_in_every_part_of_every_kind(kind, path):
    """A key, a calendar of each kind, an address with a token, and a field of tomorrow."""
    planted = {"integration_key": TOKEN, "personal_web_cal_url": FEED, "some_feed_url": FEED, "endpoint": {"url": FEED}}
    planted |= {
        "self": f"https://api.pagerduty.com/x?token={TOKEN}",
        "html_url": f"https://u:{TOKEN}@acme.pagerduty.com/x#{TOKEN}",
    }
    row = planted
    for name in reversed(path):
        row = {name: [row]}
    kept = strip(kind, **row)
    assert TOKEN not in json.dumps(kept)
    for name in path:
        [kept] = kept[name]
    assert kept["endpoint"] == HIDDEN


RULE = {
    "id": "r1",
    "label": f"see https://ann:{TOKEN}@wiki.example/x",
    "conditions": [{"expression": f"event.link matches 'https://x.example/?token={TOKEN}'", "note": TOKEN}],
    "actions": {
        "suppress": {"value": True, "threshold_value": 3, "reason": {"key": TOKEN}},
        "annotate": {"value": TOKEN},
        "automation_actions": [{"url": f"https://x.example/?token={TOKEN}", "headers": [{"value": TOKEN}]}],
        "of_tomorrow": {TOKEN: TOKEN},
        TOKEN: True,
    },
    "time_frame": {"of_tomorrow": {"zone": TOKEN}, TOKEN: TOKEN},
    "of_tomorrow": TOKEN,
}
PATH = {"id": TOKEN, "sets": [{"id": "start", "rules": [RULE], "of_tomorrow": TOKEN}], "catch_all": RULE}


@pytest.mark.parametrize(
    "kind,parts",
    [
        ("event_orchestrations", {"global": PATH, "router": PATH, "unrouted": PATH}),
        ("rulesets", {"rules": [RULE, RULE | {"catch_all": True}]}),
        ("service_orchestrations", PATH | {"id": "PS1", "active": {"key": TOKEN}}),
    ],
)
def test_an_event_rule_keeps_what_it_does_and_nothing_that_it_holds(kind, parts):
    """In a snapshot of somebody else's making too."""
    kept = strip(kind, **parts)
    assert TOKEN not in json.dumps(kept)
    assert strip(kind, **kept) == kept
    rules = list_event_rules({kind: [kept]})
    assert len(rules) == {"event_orchestrations": 6}.get(kind, 2)
    for rule in rules:
        assert rule.silences
        assert rule.rest or f"https://x.example/?token={HIDDEN}" in rule.in_words
        assert "adds a note, calls a webhook, does of_tomorrow, which this version does not know" in rule.in_words


def test_an_unknown_field_of_a_live_account_is_still_named():
    row = service("ps1", "pe1", paging_of_tomorrow={"secret": TOKEN})
    rows = {
        "users": [user("ann")],
        "services": [row],
        "escalation_policies": [policy("pe1", (5, [refer("user", "ann")]))],
    }
    account = Snapshot("acme", NOW, NOW, NOW, strip_secrets(rows)).account
    assert [found.path for found in account.services["ps1"].unknown_fields] == ["paging_of_tomorrow"]


def test_what_is_known_stays():
    rows = {"schedules": [schedule("ps1", layer(["ann"]))], "users": [user("ann", role="user", time_zone="UTC")]}
    assert strip_secrets(rows) == rows


@pytest.mark.parametrize("keep_keys", [False, True])
def test_the_company_loses_nothing_that_the_migration_reads(serve_source, monkeypatch, keep_keys):
    """The same account, with the same digest, as PagerDuty's answers unstripped; and twice is once."""
    source = serve_source(company())
    found = source.fetch(keep_keys=keep_keys)
    for module in ("client", "keeping"):
        monkeypatch.setattr(f"pdmigrate.pagerduty.{module}.strip_secrets", lambda rows, keep_keys: rows)
    whole = source.fetch()
    assert found.rows != whole.rows
    assert found.digest == whole.digest
    for part in (
        "users",
        "teams",
        "schedules",
        "schedules_v3",
        "policies",
        "services",
        "problems",
        "remarks",
        "hidden",
    ):
        assert getattr(found.account, part) == getattr(whole.account, part), part
    assert (found.account.not_carried, found.account.inventory) == (whole.account.not_carried, whole.account.inventory)
    assert strip_secrets(found.rows, keep_keys) == found.rows


def test_recorded_answers_are_read_as_before(recorded_account):
    from pdmigrate.sandbox.accounts import load_account

    rows = load_account(recorded_account)
    whole, stripped = (Snapshot("acme", NOW, NOW, NOW, one) for one in (rows, strip_secrets(copy.deepcopy(rows))))
    assert whole.digest == stripped.digest
    assert whole.account.remarks == stripped.account.remarks
    assert whole.account.hidden == stripped.account.hidden


@pytest.mark.parametrize(
    "written,kept",
    [
        (f"see https://wiki.example/x?page=12&token={TOKEN}", f"see https://wiki.example/x?page=12&token={HIDDEN}"),
        (f"https://ann:{TOKEN}@wiki.example/x", "https://wiki.example/x"),
        (f"my calendar: {FEED}", f"my calendar: webcal://acme.pagerduty.com/private/{HIDDEN}"),
        (f"https://x.example/?key={TOKEN}&page=12 and", f"https://x.example/?key={HIDDEN}&page=12 and"),
        ("see https://wiki.example/x?page=12#top", "see https://wiki.example/x?page=12#top"),
        ("token = none, key = door", "token = none, key = door"),
    ],
)
def test_of_what_people_wrote_only_what_opens_something_goes(written, kept):
    assert strip("schedules", description=written)["description"] == kept
    assert strip("schedules", description=kept)["description"] == kept, "a snapshot is read again and again"


def test_what_is_taken_out_of_a_description_is_a_change_and_said():
    address = f"https://wiki.example/x?token={TOKEN}"
    made = schedule("ps1", layer(["ann"]), description=f"see {address}")
    rows = strip_secrets({"users": [user("ann")], "schedules": [made]})
    mapped = map_rows(rows, people("ann"))
    [described] = [
        one
        for outcome in mapped.outcomes
        for one in outcome.fields
        if one.field == "description"
        if outcome.kind == "schedules"
    ]
    assert (described.grade, "has a secret" in described.reason) == ("changed", True)
    assert TOKEN not in wishes(mapped, "schedules")["ps1"].fields["description"]
