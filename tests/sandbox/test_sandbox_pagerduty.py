"""The embedded PagerDuty over HTTP: its manners, its filters, and its faults."""

import time

import pytest
import requests
from pagerduty_http import NOW, TOKEN, account

from pdmigrate.sandbox.company import build_company, change_company
from pdmigrate.sandbox.pagerduty import start_pagerduty
from pdmigrate.sandbox.store import Store

# --- paging, tokens, errors, limits ---


def test_lists_come_in_pages_of_25(company):
    first = company.read("/users")
    assert (len(first["users"]), first["limit"], first["offset"], first["more"], first["total"]) == (
        25,
        25,
        0,
        True,
        None,
    )
    second = company.read("/users", offset=25, total="true")
    assert (len(second["users"]), second["more"], second["total"]) == (15, False, 40)
    assert not {one["id"] for one in first["users"]} & {one["id"] for one in second["users"]}


def test_a_page_has_at_most_a_hundred(serve):
    client = serve({"users": [{"id": f"P{number}", "type": "user", "name": "x"} for number in range(10_050)]})
    page = client.read("/users", limit=1000)
    assert (len(page["users"]), page["limit"], page["more"]) == (100, 100, True)
    assert len(client.read("/users", limit=100, offset=9900)["users"]) == 100


def test_nothing_is_read_beyond_ten_thousand(company):
    answer = company.get("/users", offset=9_950, limit=100)
    assert answer.status_code == 400
    assert answer.json()["error"]["errors"] == ["Offset plus limit must not exceed 10000."]
    assert company.get("/users", limit="many").status_code == 400


@pytest.mark.parametrize("header", [None, "Token token=wrong", "Bearer wrong", "Basic eDp5", TOKEN])
def test_a_wrong_token_is_refused(company, header):
    headers = {"Authorization": header} if header else {}
    answer = requests.get(company.url + "/users", headers=headers, timeout=600)
    assert answer.status_code == 401
    assert set(answer.json()["error"]) == {"message", "code", "errors"}


def test_both_forms_of_a_token_are_taken(company):
    bearer = {"Authorization": f"Bearer {TOKEN}"}
    assert requests.get(company.url + "/abilities", headers=bearer, timeout=600).status_code == 200
    assert "teams" in company.read("/abilities")["abilities"]


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "HEAD"])
def test_nothing_but_get_is_allowed_and_it_is_counted(company, method):
    assert company.session.request(method, company.url + "/users/PUSER01", timeout=600).status_code == 403
    assert company.log()["refused_methods"] == 1
    assert company.log()["answers"] == {"403": 1}


def test_what_is_not_there_is_a_404_in_pagerdutys_shape(company):
    for path in ("/users/PNOBODY", "/nowhere", "/teams/PNONE/members", "/v3/schedules/PNONE"):
        answer = company.get(path)
        assert answer.status_code == 404
        assert answer.json()["error"]["message"] == "Not Found"


def test_only_a_users_own_key_has_a_me(serve, company):
    assert company.get("/users/me").status_code == 400
    own = serve(build_company(NOW), key_owner="PUSER02")
    assert own.read("/users/me")["user"]["name"] == "Tom Becker"


def test_the_limit_is_told_and_held(serve):
    client = serve(account(), calls_per_minute=3)
    answers = [client.get("/users") for _ in range(4)]
    assert [answer.status_code for answer in answers] == [200, 200, 200, 429]
    assert [answer.headers["ratelimit-remaining"] for answer in answers] == ["2", "1", "0", "0"]
    assert answers[0].headers["ratelimit-limit"] == "3"
    assert 0 < int(answers[3].headers["ratelimit-reset"]) <= 60
    assert client.log()["rate_limited"] == 1


def test_the_log_counts_by_route(company):
    company.get("/schedules/PSCHED01"), company.get("/schedules/PSCHED02"), company.get("/users")
    log = company.log()
    assert log["requests"] == 3
    assert log["by_path"] == {"/schedules/{id}": 2, "/users": 1}
    assert company.server.app.config["LOG"].as_dict() == log


def test_an_account_may_live_in_a_file(serve, tmp_path):
    state = tmp_path / "pagerduty.json"
    serve(build_company(NOW), state=state)
    again = serve({"users": []}, state=state)
    assert again.read("/users", total="true")["total"] == 40
    with Store(state, dict).change() as document:
        change_company(document)
    assert again.read("/users", total="true")["total"] == 39


def test_an_unknown_option_is_an_error():
    with pytest.raises(TypeError, match="calls_per_second"):
        start_pagerduty({}, calls_per_second=1)


# --- filters and includes ---


def test_lists_are_filtered_by_name_and_team(company):
    assert [one["name"] for one in company.read("/users", query="OKAFOR")["users"]] == ["Maya Okafor"]
    assert len(company.read("/services", **{"team_ids[]": ["PTEAM05", "PTEAM06"]})["services"]) == 7
    assert [one["id"] for one in company.read("/schedules", query="on-call")["schedules"]] == ["PSCHED16", "PSCHED17"]


def test_users_have_references_unless_more_is_asked(company):
    [short_form] = company.read("/users", limit=1)["users"]
    assert short_form["contact_methods"][1]["type"] == "phone_contact_method_reference"
    assert "address" not in short_form["contact_methods"][1]
    [whole] = company.read("/users", limit=1, **{"include[]": ["contact_methods", "notification_rules"]})["users"]
    assert whole["contact_methods"][1]["address"] == "2125550101"
    rule = whole["notification_rules"][0]
    assert (rule["type"], rule["urgency"]) == ("assignment_notification_rule", "high")
    assert rule["contact_method"]["type"] == "push_notification_contact_method_reference"


def test_integration_keys_are_shown_only_when_asked(company):
    without = company.get("/services", limit=100).text
    assert "integration_key" not in without
    [first, *_] = company.read("/services", limit=100, **{"include[]": "integrations"})["services"]
    assert len(first["integrations"][0]["integration_key"]) == 32
    assert "integration_key" not in company.get("/services/PSERV01").text


def test_policies_include_targets_and_strategies(company):
    plain = company.read("/escalation_policies/PPOL12")["escalation_policy"]["escalation_rules"][0]
    assert plain["targets"][0]["type"] == "user_reference"
    assert "escalation_rule_assignment_strategy" not in plain
    asked = ["targets", "escalation_rule_assignment_strategies"]
    rules = company.read("/escalation_policies/PPOL12", **{"include[]": asked})["escalation_policy"]["escalation_rules"]
    assert rules[0]["escalation_rule_assignment_strategy"] == "round_robin"
    assert rules[0]["targets"][0]["email"] == "grace.kim@acme.example"
    assert rules[1]["targets"][0]["type"] == "schedule"


def test_members_have_a_role(company):
    members = company.read("/teams/PTEAM02/members")["members"]
    assert [one["role"] for one in members] == ["manager", "responder", "responder"]
    assert members[0]["user"]["summary"] == "Olivia Marsh"


@pytest.mark.parametrize(
    "path,plural,count",
    [
        ("/business_services", "business_services", 3),
        ("/maintenance_windows", "maintenance_windows", 2),
        ("/event_orchestrations", "orchestrations", 2),
        ("/rulesets", "rulesets", 1),
        ("/v3/schedules", "schedules", 0),
    ],
)
def test_the_rest_is_listed_too(company, path, plural, count):
    records = company.read(path)[plural]
    assert len(records) == count
    for record in records:
        assert company.get(f"{path}/{record['id']}").status_code == 200


# --- faults ---


@pytest.mark.parametrize(
    "kind,status,header",
    [
        ("429_bare", 429, None),
        ("429_reset", 429, "ratelimit-reset"),
        ("429_retry_after", 429, "Retry-After"),
        ("500", 500, None),
        ("502_html", 502, None),
        ("key_revoked", 401, None),
    ],
)
def test_a_fault_is_played_as_often_as_it_is_asked(company, kind, status, header):
    company.play({"kind": kind, "count": 1, "path": "/users", "seconds": 3})
    assert company.get("/teams").status_code == 200
    answer = company.get("/users")
    assert answer.status_code == status
    assert {one for one in ("ratelimit-reset", "Retry-After") if one in answer.headers} == (
        {header} if header else set()
    )
    assert company.get("/users").status_code == (401 if kind == "key_revoked" else 200)
    company.play()
    assert company.get("/users").status_code == 200
    assert company.log()["faults"] == {kind: 1}


def test_connections_break_and_answers_come_short_or_late(company):
    company.play(
        {"kind": "reset", "count": 1}, {"kind": "truncated", "count": 1}, {"kind": "slow", "count": 1, "seconds": 0.3}
    )
    with pytest.raises(requests.ConnectionError):
        company.get("/users")
    with pytest.raises(requests.exceptions.ChunkedEncodingError):
        company.get("/users")
    began = time.perf_counter()
    assert company.get("/users").status_code == 200
    assert time.perf_counter() - began >= 0.3


def test_a_share_of_faults_is_the_same_for_the_same_seed(company):
    def strike():
        company.play({"kind": "500", "share": 0.2, "seed": 5})
        return [company.get("/abilities").status_code for _ in range(60)]

    first = strike()
    assert 5 <= first.count(500) <= 20
    assert strike() == first
    assert (
        company.session.post(company.url + "/sandbox/faults", json=[{"kind": "flood"}], timeout=600).status_code == 400
    )
