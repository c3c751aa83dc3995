"""Who is on call in the embedded PagerDuty, by cases worked out by hand."""

import random
import time
from datetime import timedelta

from pagerduty_http import NEW_YORK, NOW, account, daily, final, layer, user, weekly

from pdmigrate.sandbox.company import build_company
from pdmigrate.sandbox.pagerduty_schedules import own_zone
from pdmigrate.sandbox.rendering import read_instant, read_layer, read_override, render

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
    began = time.process_time()
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
    assert time.process_time() - began < 20


def test_oncalls_leave_out_schedules_without_a_policy(company):
    oncalls = company.read("/oncalls", limit=100, since=NOW.isoformat(), until=(NOW + timedelta(hours=1)).isoformat())[
        "oncalls"
    ]
    assert "PSCHED02" in {one["schedule"]["id"] for one in oncalls if one["schedule"]}
    assert "PSCHED14" in {one["schedule"]["id"] for one in oncalls if one["schedule"]}
    permanent = [one for one in oncalls if one["schedule"] is None]
    assert {one["start"] for one in permanent} == {None}
    assert company.get("/oncalls", since="2025-01-01", until="2025-06-01").status_code == 400


WEEK = {"since": NOW.isoformat(), "until": (NOW + timedelta(days=7)).isoformat(), "limit": 100}


def read_all(client, **params):
    """Every page of /oncalls."""
    rows, more = [], True
    while more:
        page = client.read("/oncalls", **{**WEEK, **params}, offset=len(rows), total="true")
        rows, more = rows + page["oncalls"], page["more"]
        assert page["total"] >= len(rows)
    return rows


def test_oncalls_leave_out_policies_that_no_service_uses(serve):
    document = build_company(NOW)
    document["services"] = [s for s in document["services"] if s["escalation_policy"]["id"] != "PPOL05"]
    said = {one["escalation_policy"]["id"] for one in read_all(serve(document))}
    assert "PPOL05" not in said
    assert len(said) == 14


def test_oncalls_resolve_shift_based_schedules(serve):
    """As their own rendering has it, whole at the edges, and a deleted target is not on call."""
    document = build_company(NOW, with_v3=True)
    client = serve(document)
    rows = read_all(client, **{"schedule_ids[]": "PSHIFT02"})
    shown = client.read("/v3/schedules/PSHIFT02", overflow="true", **{"include[]": "final_schedule"}, **WEEK)[
        "schedule"
    ]
    shifts = shown["final_schedule"]["computed_shift_assignments"]
    said = {(one["user"]["id"], read_instant(one["start"]), read_instant(one["end"])) for one in rows}
    assert said == {
        (s["member"]["user_id"], read_instant(s["start_time"]), read_instant(s["end_time"])) for s in shifts
    }
    assert {one["schedule"]["type"] for one in rows} == {"schedule_v3_reference"}
    document["escalation_policies"][0]["escalation_rules"][2]["targets"][1]["deleted_at"] = "2025-01-01T00:00:00Z"
    again = read_all(serve(document), **{"escalation_policy_ids[]": "PPOL01", "schedule_ids[]": "null"})
    assert again == []


def test_oncalls_include_what_is_asked_for_and_can_be_the_earliest(company):
    [first, *_] = read_all(company, **{"include[]": ["users", "schedules", "escalation_policies"]})
    assert (first["user"]["type"], first["schedule"]["type"]) == ("user", "schedule")
    assert first["user"]["email"]
    assert first["escalation_policy"]["escalation_rules"]
    rows = read_all(company, earliest="true")
    places = [(one["escalation_policy"]["id"], one["escalation_level"], one["user"]["id"]) for one in rows]
    assert len(places) == len(set(places))


def test_oncalls_answer_as_recorded_where_that_covers_the_time(serve, company):
    rows = read_all(company)
    rows[0]["user"] = {"id": "PUSER40", "type": "user_reference", "summary": "Somebody else"}
    document = build_company(NOW) | {"oncalls": {"since": WEEK["since"], "until": WEEK["until"], "oncalls": rows}}
    client = serve(document)
    assert read_all(client)[0]["user"]["id"] == "PUSER40"
    later = read_all(client, until=(NOW + timedelta(days=8)).isoformat())
    assert later[0]["user"]["id"] != "PUSER40"


def test_oncalls_have_a_limit_of_their_own(serve):
    client = serve(build_company(NOW), oncalls_per_minute=2)
    answers = [client.get("/oncalls", **WEEK) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert answers[0].headers["ratelimit-limit"] == "2"
    assert client.get("/users").status_code == 200


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
