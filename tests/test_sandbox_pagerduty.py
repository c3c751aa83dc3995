"""The embedded PagerDuty over HTTP: its manners, its rendering by cases worked out by hand, and its company."""

import gzip
import json
import random
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import requests

from pdmigrate.sandbox.accounts import load_account
from pdmigrate.sandbox.company import build_company, build_harness_people, change_company
from pdmigrate.sandbox.pagerduty import start_pagerduty
from pdmigrate.sandbox.pagerduty_schedules import own_zone
from pdmigrate.sandbox.rendering import read_layer, read_override, render
from pdmigrate.sandbox.store import Store

TOKEN = "sandbox-pagerduty-token"
NOW = datetime(2025, 10, 7, 15, 30, tzinfo=UTC)
RECORDED = Path(__file__).parents[2] / "shared" / "recorded-account"
NEW_YORK = "America/New_York"


class Client:
    """GET with the right token, and the sandbox's own controls."""

    def __init__(self, server):
        self.server, self.url = server, server.url
        self.session = requests.Session()
        self.session.headers["Authorization"] = f"Token token={TOKEN}"

    def get(self, path, **params):
        return self.session.get(self.url + path, params=params, timeout=10)

    def read(self, path, **params):
        answer = self.get(path, **params)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def play(self, *rules):
        assert self.session.post(self.url + "/sandbox/faults", json=rules, timeout=10).status_code == 200

    def log(self):
        return requests.get(self.url + "/sandbox/log", timeout=10).json()


@pytest.fixture
def serve():
    """Start a PagerDuty with an account; all are stopped after the test."""
    servers = []

    def start(account, **options):
        servers.append(start_pagerduty(account, **options))
        return Client(servers[-1])

    yield start
    for server in servers:
        server.stop()


@pytest.fixture
def company(serve):
    return serve(build_company(NOW))


def user(name):
    return {"id": name, "type": "user_reference", "summary": name, "self": None, "html_url": None}


def layer(people, anchor, turn=604_800, restrictions=(), start="2024-01-01T00:00:00Z", end=None):
    return {
        "id": f"PL{people}",
        "name": "Layer",
        "start": start,
        "end": end,
        "rotation_virtual_start": anchor,
        "rotation_turn_length_seconds": turn,
        "users": [{"user": user(name) if isinstance(name, str) else name} for name in people],
        "restrictions": list(restrictions),
    }


def daily(start, hours):
    return {"type": "daily_restriction", "start_time_of_day": start, "duration_seconds": int(hours * 3600)}


def weekly(day, start, hours):
    return {**daily(start, hours), "type": "weekly_restriction", "start_day_of_week": day}


def account(*layers, zone=NEW_YORK, overrides=(), user_zone="UTC"):
    schedule = {"id": "PS1", "type": "schedule", "summary": "S", "name": "S", "time_zone": zone}
    return {
        "subdomain": "acme",
        "time_zone": user_zone,
        "schedules": [{**schedule, "schedule_layers": list(layers)}],
        "overrides": {"PS1": list(overrides)},
    }


def final(client, since, until):
    """The final schedule in UTC, as 'day start day end who'."""
    answer = client.read("/schedules/PS1", since=since, until=until, time_zone="UTC")
    entries = answer["schedule"]["final_schedule"]["rendered_schedule_entries"]
    return [f"{short(one['start'])} {short(one['end'])} {one['user']['id']}" for one in entries]


def short(text):
    return f"{text[8:10]}/{text[11:16]}"


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
    answer = requests.get(company.url + "/users", headers=headers, timeout=10)
    assert answer.status_code == 401
    assert set(answer.json()["error"]) == {"message", "code", "errors"}


def test_both_forms_of_a_token_are_taken(company):
    bearer = {"Authorization": f"Bearer {TOKEN}"}
    assert requests.get(company.url + "/abilities", headers=bearer, timeout=10).status_code == 200
    assert "teams" in company.read("/abilities")["abilities"]


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "HEAD"])
def test_nothing_but_get_is_allowed_and_it_is_counted(company, method):
    assert company.session.request(method, company.url + "/users/PUSER01", timeout=10).status_code == 403
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
    assert company.server.app.extensions["log"].as_dict() == log


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


# --- the time-zone trap ---


def test_lists_speak_in_the_users_zone_and_single_answers_in_the_schedules_own(serve):
    rota = layer("AB", "2025-01-06T09:00:00+01:00", restrictions=[daily("09:00:00", 8), weekly(1, "02:00:00", 5)])
    client = serve(account(rota, zone="Europe/Berlin", user_zone=NEW_YORK))
    [listed] = client.read("/schedules", **{"include[]": "schedule_layers"})["schedules"]
    assert listed["time_zone"] == "Europe/Berlin"
    [shown] = listed["schedule_layers"]
    assert shown["rotation_virtual_start"] == "2025-01-06T03:00:00-05:00"
    assert shown["start"] == "2023-12-31T19:00:00-05:00"
    assert shown["restrictions"][0]["start_time_of_day"] == "03:00:00"
    assert (shown["restrictions"][1]["start_day_of_week"], shown["restrictions"][1]["start_time_of_day"]) == (
        7,
        "20:00:00",
    )
    [single] = client.read("/schedules/PS1")["schedule"]["schedule_layers"]
    assert single["rotation_virtual_start"] == "2025-01-06T09:00:00+01:00"
    assert [one["start_time_of_day"] for one in single["restrictions"]] == ["09:00:00", "02:00:00"]
    [asked] = client.read("/schedules", time_zone="Europe/Berlin", **{"include[]": "schedule_layers"})["schedules"]
    assert asked["schedule_layers"] == [single]


def test_rails_names_are_zones(company):
    single = company.read("/schedules/PSCHED13")["schedule"]
    assert single["schedule_layers"][0]["rotation_virtual_start"] == "2024-07-01T12:00:00-07:00"
    assert company.get("/schedules", time_zone="Pacific Time (US & Canada)").status_code == 200
    assert company.get("/schedules", time_zone="Middle/Earth").status_code == 400


# --- rendering ---


def test_office_hours_keep_to_the_wall_clock_when_the_clock_changes(serve):
    client = serve(account(layer("A", "2025-01-06T09:00:00-05:00", restrictions=[daily("09:00:00", 8)])))
    assert final(client, "2025-03-08T05:00Z", "2025-03-10T04:00Z") == ["08/14:00 08/22:00 A", "09/13:00 09/21:00 A"]
    assert final(client, "2025-11-01T04:00Z", "2025-11-03T05:00Z") == ["01/13:00 01/21:00 A", "02/14:00 02/22:00 A"]


def test_a_night_is_an_hour_shorter_or_longer_when_the_clock_changes(serve):
    client = serve(account(layer("A", "2025-01-06T22:00:00-05:00", 86_400, [daily("22:00:00", 9)])))
    assert final(client, "2025-03-08T20:00Z", "2025-03-09T20:00Z") == ["09/03:00 09/11:00 A"]
    assert final(client, "2025-11-01T20:00Z", "2025-11-02T20:00Z") == ["02/02:00 02/12:00 A"]


def test_what_the_clock_skips_does_not_happen_and_what_it_shows_twice_happens_twice(serve):
    skipped = layer("A", "2025-01-06T00:00:00-05:00", restrictions=[daily("02:30:00", 1)])
    client = serve(account(skipped))
    assert final(client, "2025-03-09T05:00Z", "2025-03-10T04:00Z") == ["09/07:00 09/07:30 A"]
    twice = layer("A", "2025-01-06T00:00:00-05:00", restrictions=[daily("01:15:00", 0.5)])
    client = serve(account(twice))
    assert final(client, "2025-11-02T04:00Z", "2025-11-03T05:00Z") == ["02/05:15 02/05:45 A", "02/06:15 02/06:45 A"]


def test_turns_go_in_order_and_a_person_may_stand_twice(serve):
    client = serve(account(layer("ABAC", "2025-01-06T09:00:00-05:00")))
    assert final(client, "2025-01-06T14:00Z", "2025-02-10T14:00Z") == [
        "06/14:00 13/14:00 A",
        "13/14:00 20/14:00 B",
        "20/14:00 27/14:00 A",
        "27/14:00 03/14:00 C",
        "03/14:00 10/14:00 A",
    ]


def test_half_day_turns_hand_off_by_the_wall_clock(serve):
    client = serve(account(layer("AB", "2025-01-06T08:00:00-05:00", 43_200)))
    assert final(client, "2025-03-08T13:00Z", "2025-03-09T12:00Z") == ["08/13:00 09/01:00 A", "09/01:00 09/12:00 B"]


def test_neighbours_of_one_person_are_one_entry(serve):
    client = serve(account(layer("AA", "2025-01-06T08:00:00-05:00", 86_400)))
    assert final(client, "2025-01-06T00:00Z", "2025-01-20T00:00Z") == ["06/00:00 20/00:00 A"]


def test_the_first_layer_wins_and_a_deleted_user_lets_the_next_one_serve(serve):
    gone = {**user("G"), "deleted_at": "2025-01-01T00:00:00Z"}
    upper = layer(["A", gone], "2025-01-06T09:00:00Z", 86_400, [daily("09:00:00", 8)])
    client = serve(account(upper, layer("L", "2025-01-06T00:00:00Z"), zone="UTC"))
    assert final(client, "2025-01-06T00:00Z", "2025-01-08T12:00Z") == [
        "06/00:00 06/09:00 L",
        "06/09:00 06/17:00 A",
        "06/17:00 08/09:00 L",
        "08/09:00 08/12:00 A",
    ]


def test_layers_live_between_their_start_and_end(serve):
    old = layer("A", "2025-01-06T00:00:00Z", end="2025-01-07T10:00:00Z")
    new = layer("B", "2025-01-06T00:00:00Z", start="2025-01-07T12:00:00Z")
    client = serve(account(new, old, zone="UTC"))
    assert final(client, "2025-01-07T00:00Z", "2025-01-08T00:00Z") == ["07/00:00 07/10:00 A", "07/12:00 08/00:00 B"]


def test_a_window_may_cross_the_weeks_end(serve):
    client = serve(account(layer("A", "2025-01-06T00:00:00Z", restrictions=[weekly(7, "18:00:00", 24)]), zone="UTC"))
    assert final(client, "2025-01-10T00:00Z", "2025-01-15T00:00Z") == ["12/18:00 13/18:00 A"]


def test_windows_are_a_union_and_what_they_leave_open_is_a_gap(serve):
    rota = layer(
        "A", "2025-01-06T00:00:00Z", restrictions=[daily("08:00:00", 4), daily("10:00:00", 4), weekly(1, "20:00:00", 1)]
    )
    client = serve(account(rota, zone="UTC"))
    assert final(client, "2025-01-06T00:00Z", "2025-01-07T00:00Z") == ["06/08:00 06/14:00 A", "06/20:00 06/21:00 A"]


def test_an_override_goes_before_every_layer_and_fills_gaps(serve):
    times = {"id": "PO1", "start": "2025-01-06T16:00:00Z", "end": "2025-01-06T20:00:00Z"}
    rota = layer("A", "2025-01-06T00:00:00Z", restrictions=[daily("08:00:00", 10)])
    client = serve(account(rota, zone="UTC", overrides=[{**times, "user": user("O")}]))
    assert final(client, "2025-01-06T00:00Z", "2025-01-07T00:00Z") == ["06/08:00 06/16:00 A", "06/16:00 06/20:00 O"]
    window = {"since": "2025-01-06T18:00:00Z", "until": "2025-01-07T00:00:00Z"}
    [cut] = client.read("/schedules/PS1/overrides", **window)["overrides"]
    assert (cut["start"], cut["end"]) == ("2025-01-06T18:00:00Z", "2025-01-06T20:00:00Z")
    [whole] = client.read("/schedules/PS1/overrides", overflow="true", **window)["overrides"]
    assert whole["start"] == "2025-01-06T16:00:00Z"
    assert client.get("/schedules/PS1/overrides").status_code == 400


def test_entries_are_cut_at_the_edges_unless_overflow_is_asked_for_one(serve):
    client = serve(account(layer("AB", "2025-01-06T09:00:00-05:00"), user_zone=NEW_YORK))
    window = {"since": "2025-01-08T00:00:00-05:00", "until": "2025-01-09T00:00:00-05:00"}
    [listed] = client.read("/schedules", **{"include[]": ["final_schedule"]}, **window)["schedules"]
    assert "schedule_layers" not in listed
    [entry] = listed["final_schedule"]["rendered_schedule_entries"]
    assert (entry["start"], entry["end"]) == (window["since"], window["until"])
    single = client.read("/schedules/PS1", overflow="true", **window)["schedule"]
    [entry] = single["final_schedule"]["rendered_schedule_entries"]
    assert (entry["start"], entry["end"]) == ("2025-01-06T09:00:00-05:00", "2025-01-13T09:00:00-05:00")
    assert single["final_schedule"]["rendered_coverage_percentage"] == 100.0
    assert single["schedule_layers"][0]["rendered_schedule_entries"] == [entry]


def test_a_list_may_be_told_to_leave_out_the_final_schedule(serve):
    client = serve(account(layer("AB", "2025-01-06T09:00:00-05:00")), final_on_lists=False)
    [listed] = client.read("/schedules", since="2025-01-08", **{"include[]": ["final_schedule", "schedule_layers"]})[
        "schedules"
    ]
    assert "final_schedule" not in listed
    assert listed["schedule_layers"][0]["rendered_schedule_entries"]


def test_without_a_window_nothing_is_rendered(company):
    schedule = company.read("/schedules/PSCHED02")["schedule"]
    assert schedule["final_schedule"] == {
        "name": "Final Schedule",
        "rendered_schedule_entries": [],
        "rendered_coverage_percentage": None,
    }
    assert company.get("/schedules/PSCHED02", since="2025-02-02", until="2025-01-01").status_code == 400
    assert company.get("/schedules/PSCHED02", since="soon").status_code == 400


def test_entries_say_at_every_instant_what_the_rules_say():
    """No edge is forgotten: at random instants the entries agree with the rules, asked directly."""
    dice, document = random.Random(7), build_company(NOW)  # noqa: S311
    since, until = NOW.replace(hour=0, minute=0), NOW.replace(hour=0, minute=0) + timedelta(days=56)
    began = time.perf_counter()
    for schedule in document["schedules"]:
        zone = own_zone(schedule)
        sources = [read_override(one) for one in document["overrides"].get(schedule["id"], [])]
        sources += [read_layer(one, zone) for one in schedule["schedule_layers"]]
        entries = render(sources, zone, since, until)
        for _ in range(200):
            instant = since + timedelta(seconds=dice.randrange(56 * 86_400))
            clock = instant.astimezone(zone).replace(tzinfo=None, fold=0)
            ruled = next((found["id"] for one in sources if (found := one.user_at(instant, clock))), None)
            shown = next((one.user["id"] for one in entries if one.start <= instant < one.end), None)
            assert shown == ruled, (schedule["name"], instant)
    assert time.perf_counter() - began < 20


def test_oncalls_leave_out_schedules_without_a_policy(company):
    oncalls = company.read("/oncalls", limit=100, since=NOW.isoformat(), until=(NOW + timedelta(hours=1)).isoformat())[
        "oncalls"
    ]
    assert "PSCHED02" in {one["schedule"]["id"] for one in oncalls if one["schedule"]}
    assert "PSCHED14" in {one["schedule"]["id"] for one in oncalls if one["schedule"]}
    permanent = [one for one in oncalls if one["schedule"] is None]
    assert {one["start"] for one in permanent} == {None}
    assert company.get("/oncalls", since="2025-01-01", until="2025-06-01").status_code == 400


# --- shift-based schedules ---


def test_v3_schedules_render_turns_sets_overrides_and_custom_shifts(serve):
    client = serve(build_company(NOW, with_v3=True))
    listed = client.read("/v3/schedules")["schedules"]
    assert [one["type"] for one in listed] == ["schedule_v3_reference"] * 2
    week = {"since": "2025-03-03T00:00:00Z", "until": "2025-03-08T00:00:00Z", "include[]": "final_schedule"}
    shifts = client.read("/v3/schedules/PSHIFT01", **week)["schedule"]["final_schedule"]["computed_shift_assignments"]
    people = [one["member"]["user_id"] for one in shifts]
    assert people == ["PUSER20", "PUSER18", "PUSER20", "PUSER19", "PUSER19", "PUSER17"]
    assert shifts[1]["source"]["type"] == "schedule_rotation_override"
    sale = {"since": "2025-11-28T00:00:00Z", "until": "2025-11-30T00:00:00Z", "include[]": "final_schedule"}
    shifts = client.read("/v3/schedules/PSHIFT02", **sale)["schedule"]["final_schedule"]["computed_shift_assignments"]
    assert [(one["member"]["user_id"], one["start_time"][:13]) for one in shifts] == [
        ("PUSER03", "2025-11-28T07"),
        ("PUSER02", "2025-11-29T09"),
        ("PUSER05", "2025-11-29T09"),
    ]
    assert client.get("/v3/schedules/PSHIFT02/overrides").status_code == 400


def test_a_key_may_be_kept_from_v3_schedules(serve):
    client = serve(build_company(NOW, with_v3=True), v3_forbidden=True)
    assert client.get("/v3/schedules").status_code == 403
    assert client.get("/schedules").status_code == 200


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
        company.session.post(company.url + "/sandbox/faults", json=[{"kind": "flood"}], timeout=10).status_code == 400
    )


# --- accounts from files ---


@pytest.mark.skipif(not RECORDED.exists(), reason="the recorded account is not beside this repository")
def test_the_recorded_account_is_served(serve):
    document = load_account(RECORDED)
    assert (document["subdomain"], document["time_zone"]) == ("acme-inc", "America/Los_Angeles")
    client = serve(document)
    counts = {
        kind: client.read(f"/{kind}", total="true")["total"] for kind in ("users", "teams", "schedules", "services")
    }
    assert counts == {"users": 13, "teams": 7, "schedules": 5, "services": 2}
    recorded = json.loads((RECORDED / "users.json").read_text())["users"]
    assert client.read("/users", **{"include[]": ["contact_methods", "notification_rules"]})["users"] == recorded
    assert len(client.read("/teams/PTEAM01/members")["members"]) == 7
    window = {"since": "2024-05-06T00:00:00Z", "until": "2024-05-13T00:00:00Z", "include[]": "final_schedule"}
    rendered = {one["id"]: one["final_schedule"] for one in client.read("/schedules", **window)["schedules"]}
    assert rendered["PVJMUIC"]["rendered_schedule_entries"] == []  # its only user was deleted
    assert rendered["P3D7DLW"]["rendered_schedule_entries"]


def test_an_account_is_read_from_a_file_packed_or_not(tmp_path):
    document = build_company(NOW)
    plain, packed = tmp_path / "account.json", tmp_path / "snapshot.json.gz"
    plain.write_text(json.dumps(document), encoding="utf-8")
    packed.write_bytes(gzip.compress(json.dumps({"format": 1, "records": {"users": document["users"]}}).encode()))
    assert load_account(plain) == document
    assert len(load_account(packed)["users"]) == 40
    assert load_account(packed)["schedules"] == []
    assert load_account(packed)["subdomain"] == "acme"


@pytest.mark.parametrize(
    "text,fault",
    [
        ("{", "not readable as JSON"),
        ("[]", "not an account document"),
        ('{"users": {}, "teams": []}', None),
        ('{"users": "all"}', '"users" should be a list'),
        ('{"users": [{"name": "x"}]}', 'a record in "users" has no id'),
    ],
)
def test_what_is_not_an_account_is_said_in_one_line(tmp_path, text, fault):
    path = tmp_path / "account.json"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ValueError, match=fault or "users") as caught:
        load_account(path)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_folder_without_answers_is_refused(tmp_path):
    with pytest.raises(ValueError, match="no recorded answers"):
        load_account(tmp_path)
    (tmp_path / "users.json").write_text('{"teams": []}', encoding="utf-8")
    with pytest.raises(ValueError, match='with a list "users"'):
        load_account(tmp_path)
    with pytest.raises(ValueError, match="no such file"):
        load_account(tmp_path / "missing")


# --- the company ---


def test_the_company_is_of_the_size_that_it_says():
    document = build_company(NOW)
    kinds = ("users", "teams", "schedules", "escalation_policies", "services")
    assert [len(document[kind]) for kind in kinds] == [40, 8, 20, 15, 25]
    assert document == build_company(NOW.replace(hour=1))
    assert document != build_company(NOW + timedelta(days=1))
    assert len(build_company(NOW, with_v3=True)["schedules_v3"]) == 2


def test_the_company_has_no_reference_that_leads_nowhere_but_to_those_who_left():
    document = build_company(NOW, with_v3=True)
    kinds = ("users", "teams", "schedules", "schedules_v3", "escalation_policies", "services")
    known = {record["id"] for kind in kinds for record in document[kind]}
    known |= {method["id"] for one in document["users"] for method in one["contact_methods"]}
    dangling = {one["id"] for one in references(document) if one["id"] not in known}
    assert dangling == {one["id"] for one in references(document) if "deleted_at" in one} == {"PUSER91", "PUSER92"}
    ids = [record["id"] for kind in kinds for record in document[kind]]
    assert len(ids) == len(set(ids))


def references(value):
    if isinstance(value, list):
        return [found for one in value for found in references(one)]
    if not isinstance(value, dict):
        return []
    own = [value] if str(value.get("type", "")).endswith("_reference") and value["type"][:5] != "event" else []
    return own + [found for one in value.values() for found in references(one)]


def test_some_people_have_a_harness_account_already():
    people, users = build_harness_people(), build_company(NOW)["users"]
    exact = {one["email"] for one in people} & {one["email"] for one in users}
    folded = {one["email"] for one in people} & {one["email"].lower() for one in users}
    assert (len(people), len(exact), len(folded)) == (14, 11, 12)
    assert len({one["uuid"] for one in people}) == 14


def test_a_week_goes_by_in_the_company():
    before, after = build_company(NOW), build_company(NOW)
    change_company(after)
    assert {one["name"] for one in before["users"]} - {one["name"] for one in after["users"]} == {"Ben Achebe"}
    assert "PUSER21" not in json.dumps(after)
    joined = next(one for one in after["schedules"] if one["id"] == "PSCHED06")["schedule_layers"][0]["users"]
    assert [place["user"]["summary"] for place in joined][-2:] == ["Kofi Mensah", "Noam Adler"]
    assert [one["name"] for one in after["services"][25:]] == ["Loyalty points"]
    changed = [one["id"] for one, other in zip(before["schedules"], after["schedules"], strict=True) if one != other]
    assert changed == ["PSCHED05", "PSCHED06"]
