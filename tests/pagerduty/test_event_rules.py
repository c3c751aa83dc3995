"""Event orchestrations, services' own, and rulesets: what of them is read, what may stay, what they say in words."""

import json

import pytest
from source_http import company

from pdmigrate import preview
from pdmigrate.handover.event_rules import list_drafted
from pdmigrate.handover.links import Links
from pdmigrate.pagerduty.event_rules import KEPT, OTHERS, count_rules, keep_path, list_event_rules, pick_rules
from pdmigrate.pages.preview import section_event_rules
from pdmigrate.workspace.snapshots import load_snapshot, save_snapshot

CARD = "5c1d7e52-03bb-4b0e-8f0e-3f8d5a1f2c11"


def words(rules):
    return [rule.in_words for rule in rules]


@pytest.fixture
def read(serve_source):
    return serve_source(company()).fetch(service_orchestrations=True)


def test_what_decides_about_a_services_alerts_is_told_in_words_in_pagerdutys_order(read):
    assert words(pick_rules(read.account.event_rules, "PSERV05")) == [
        "When event.source matches 'card': goes to the service Card payments.",
        "When summary contains 'invoice' and severity is not 'critical' and it is Saturday, Sunday from 22:00:00 for "
        "8:00:00 (Europe/Berlin): nobody is paged, goes to the service Card payments, adds a note.",
        "When event.summary matches 'canary': nobody is paged.",
        "When event.custom_details.scheme exists or event.summary matches 'scheme': paging waits 5 min, and is "
        "dropped if the alert resolves before, priority becomes PPRIO01, adds a note.",
    ]


def test_a_rule_that_is_switched_off_and_one_that_does_nothing_are_no_rules(read):
    told = " ".join(words(read.account.event_rules))
    assert "severity matches 'info'" not in told
    assert "unrouted" not in told


def test_an_orchestration_of_a_service_that_is_switched_off_is_no_rule(serve_source):
    document = company()
    document["paths_of_services"]["PSERV05"]["active"] = False
    account = serve_source(document).fetch(service_orchestrations=True).account
    assert not [rule for rule in account.event_rules if rule.kind == "service_orchestrations"]


def test_what_an_orchestration_does_before_it_routes_concerns_every_service_that_it_routes_to(serve_source):
    document = company()
    quiet = {
        "id": "q",
        "conditions": [{"expression": "event.summary matches 'load test'"}],
        "actions": {"drop_event": True},
    }
    document["event_orchestrations"][0]["global"]["sets"][0]["rules"].append(quiet)
    account = serve_source(document).fetch().account
    for service in ("PSERV05", "PSERV10"):
        first = pick_rules(account.event_rules, service)[0]
        assert first.in_words == "When event.summary matches 'load test': the event is thrown away, nobody is paged."
        assert first.silences
    assert not [rule for rule in pick_rules(account.event_rules, "PSERV01") if rule.silences]


def test_no_webhook_header_or_note_of_a_rule_is_in_a_snapshot(serve_source):
    document = company()
    secret = {"name": "hook", "url": "https://x.example/?token=hunter2", "headers": [{"key": "K", "value": "hunter2"}]}
    rule = document["paths_of_services"]["PSERV05"]["sets"][0]["rules"][0]
    rule["actions"] |= {"automation_actions": [secret], "annotate": "the password is hunter2"}
    document["rulesets"][0]["rules"][0]["actions"]["annotate"] = {"value": "hunter2"}
    found = serve_source(document).fetch(service_orchestrations=True)
    assert "hunter2" not in json.dumps(found.rows)
    assert "nobody is paged, adds a note, calls a webhook." in " ".join(words(found.account.event_rules))


def test_an_action_that_this_version_does_not_know_is_named(serve_source):
    document = company()
    document["paths_of_services"]["PSERV05"]["sets"][0]["rules"][0]["actions"] = {"page_the_moon": {"by": "night"}}
    account = serve_source(document).fetch(service_orchestrations=True).account
    assert "does page_the_moon, which this version does not know" in " ".join(words(account.event_rules))


def test_a_rehearsal_of_a_snapshot_has_the_same_rules(serve_source, read, tmp_path):
    from pdmigrate.sandbox.accounts import load_account

    save_snapshot(tmp_path / "one.json.gz", read)
    assert load_snapshot(tmp_path / "one.json.gz").account.event_rules == read.account.event_rules
    again = serve_source(load_account(tmp_path / "one.json.gz")).fetch(service_orchestrations=True)
    assert again.account.event_rules == read.account.event_rules


def test_counts_say_how_many_silence_and_how_many_route(read):
    matters = {one.name: one.matters for one in read.account.not_carried if one.matters}
    assert matters["Nightly batch noise"] == "1 rule suppresses alerts"
    assert matters["Monolith alarms"] == "1 rule suppresses alerts, 1 rule routes alerts"
    assert matters["Card payments"] == "1 rule suppresses alerts"


@pytest.mark.parametrize("odd", [None, "x", [], {"sets": None}, {"sets": [7, {"rules": "x"}], "catch_all": 3}])
def test_a_part_of_an_odd_shape_has_no_rules(odd):
    kept = keep_path(odd)
    assert count_rules({"global": kept}) == {"suppressing": 0, "routing": 0}
    assert list_event_rules({"event_orchestrations": [{"id": "o", "global": odd}]}) == ()


ODD = ("x", 7, True, None, [], ["x"], [7], {}, {"x": 1}, {"value": ["x"]}, {"value": {"x": 1}}, {"subconditions": "x"})


@pytest.mark.parametrize("at", ["conditions", "actions", "time_frame", "label", "disabled", "id", *OTHERS, *KEPT])
def test_a_rule_with_an_odd_value_anywhere_is_told_or_is_none(at):
    for odd in ODD:
        rule = {"conditions": [{"expression": "a"}], "actions": {"suppress": True}}
        (rule["actions"] if at in (*OTHERS, *KEPT) else rule)[at] = odd
        row = {"id": "o", "global": {"sets": [{"rules": [rule]}]}, "rules": [rule]}
        told = list_event_rules({"event_orchestrations": [row], "rulesets": [row], "service_orchestrations": [row]})
        assert all(one.in_words for one in told)
        assert count_rules(row)["suppressing"] <= 2


@pytest.mark.parametrize(
    "odd",
    [
        "event.summary matches 'x'",
        ["event.summary matches 'x'"],
        {"subconditions": "event.summary matches 'x'"},
        {"operator": "or", "subconditions": ["event.summary matches 'x'"]},
    ],
)
def test_a_condition_of_an_unknown_form_is_not_left_out(odd):
    rule = {"conditions": odd, "actions": {"suppress": True}}
    [told] = list_event_rules({"event_orchestrations": [{"id": "o", "global": {"sets": [{"rules": [rule]}]}}]})
    assert told.in_words.startswith("When event.summary matches 'x' (as PagerDuty has it")


@pytest.mark.parametrize("odd", [{"x": 1}, [{"x": 1}]])
def test_a_condition_that_is_not_understood_is_not_always(odd):
    rule = {"conditions": odd, "actions": {"suppress": True}}
    [told] = list_event_rules({"event_orchestrations": [{"id": "o", "global": {"sets": [{"rules": [rule]}]}}]})
    assert told.in_words.startswith("When {'x': 1} (as PagerDuty has it")


@pytest.mark.parametrize(
    "frame", [{"scheduled_weekly": {"weekdays": [9]}}, {"active_between": {"start_time": 1e30}}, "x"]
)
def test_hours_that_are_none_stay_as_they_came(frame):
    rule = {"id": "r", "time_frame": frame, "actions": {"suppress": {"value": True}}}
    [found] = list_event_rules({"rulesets": [{"id": "s", "rules": [rule]}]})
    assert str(frame) in found.in_words
    assert found.silences


@pytest.mark.parametrize("asked", [True, False])
def test_rules_that_were_not_read_are_not_said_to_be_none(job, asked):
    source = job.settings.source.model_copy(update={"service_orchestrations": asked})
    job.settings = job.settings.model_copy(update={"source": source})
    found = preview(job)
    shown = section_event_rules(found).text
    listed = {item.key: item.expected for item in list_drafted(found.draft, Links("", "a", "o", "p", "acme", "us"))}
    assert ("event_rules:unread" in listed) is not asked
    assert asked or "at its service orchestrations, of which nothing is known" in listed["event_rules:unread"]
    assert ("Not read, so nothing is known of them: service orchestrations." in shown) is not asked
