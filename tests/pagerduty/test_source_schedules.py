"""Schedules as PagerDuty means them: the time-zone trap, shift-based ones, overrides months ahead, the rendering."""

from datetime import timedelta

from crowd import Size, build_crowd
from source_http import NOW, company

from pdmigrate.sandbox.accounts import load_account
from pdmigrate.workspace.snapshots import save_snapshot


def windows_of(schedule):
    return [
        (r.start_time_of_day, r.start_day_of_week) for layer in schedule.schedule_layers for r in layer.restrictions
    ]


def meant(document):
    """The windows as they stand in the account, in each schedule's own zone."""
    return {
        row["id"]: [
            (r["start_time_of_day"], r.get("start_day_of_week"))
            for layer in row["schedule_layers"]
            for r in layer.get("restrictions") or []
        ]
        for row in document["schedules"]
    }


def test_a_list_without_time_zone_skews_and_the_fetch_does_not(serve_source):
    """The API user sits in Tokyo, the schedules in six other zones."""
    document = company() | {"time_zone": "Asia/Tokyo"}
    source = serve_source(document)
    naive = source.client.transport.send("GET", "/schedules", {"include[]": ["schedule_layers"], "limit": 100})[
        "schedules"
    ]
    assert meant({"schedules": naive}) != meant(document)
    fetched = source.fetch().account.schedules
    assert {id: windows_of(schedule) for id, schedule in fetched.items()} == meant(document)


def test_the_zone_of_the_api_user_changes_nothing(serve_source):
    digests = {
        serve_source(company() | {"time_zone": zone}).fetch().digest
        for zone in ("Asia/Tokyo", "UTC", "America/New_York")
    }
    assert len(digests) == 1


def test_a_zone_costs_a_sweep_or_single_requests_whichever_is_fewer(serve_source):
    document = build_crowd(Size(users=30, teams=1, schedules=24, policies=2, services=2, zones=6), NOW)
    source = serve_source(document)
    swept = source.fetch(days=7)
    assert source.log["by_path"]["/schedules"] == 2 + 5
    assert {id: windows_of(s) for id, s in swept.account.schedules.items()} == meant(document)
    lonely = document | {"schedules": document["schedules"][:7:6] + document["schedules"][1:2]}
    source = serve_source(lonely)
    single = source.fetch(days=7)
    assert source.log["by_path"]["/schedules"] == 2
    assert source.log["by_path"]["/schedules/{id}"] == 1
    assert {id: windows_of(s) for id, s in single.account.schedules.items()} == meant(lonely)


def test_a_zone_that_nobody_knows_is_asked_for_one_by_one(serve_source):
    document = build_crowd(Size(users=3, teams=1, schedules=3, policies=1, services=1), NOW)
    for schedule in document["schedules"]:
        schedule["time_zone"] = "Mars/Olympus"
    source = serve_source(document)
    assert {s.time_zone for s in source.fetch(days=7).account.schedules.values()} == {"Mars/Olympus"}
    assert source.log["by_path"]["/schedules/{id}"] == 3


def test_overrides_are_there_a_year_ahead(serve_source):
    document = company()
    user = {"id": "PUSER01", "type": "user_reference", "summary": "Maya Okafor", "self": None, "html_url": None}
    start = NOW + timedelta(days=380)
    swap = {
        "id": "PFAR",
        "type": "override",
        "start": start.isoformat(),
        "end": (start + timedelta(hours=8)).isoformat(),
    }
    document["overrides"]["PSCHED01"] = [{**swap, "user": user}]
    [found] = serve_source(document).fetch(days=7).account.schedules["PSCHED01"].overrides
    assert (found.start, found.user.id) == (start, "PUSER01")


def test_shift_based_schedules_come_with_everything(serve_source):
    document = company()
    document["schedules_v3"][0]["overrides"][0] |= {
        "start_time": "2025-12-01T12:00:00Z",
        "end_time": "2025-12-01T18:00:00Z",
    }
    shifts = serve_source(document).fetch().account.schedules_v3
    stores, commanders = shifts["PSHIFT01"], shifts["PSHIFT02"]
    [event] = stores.rotations[0].events
    assert event.recurrence == ("RRULE:FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR",)
    assert (event.start_time.time_zone, event.effective_until) == ("Europe/London", None)
    assert (event.assignment_strategy.shifts_per_member, len(event.assignment_strategy.members)) == (2, 3)
    assert [override.rotation_id for override in stores.overrides] == ["PROT01"]
    assert [shift.assignments[0].member.user_id for shift in commanders.custom_shifts] == ["PUSER03"]
    assert commanders.final_schedule.computed_shift_assignments[0].source.rotation_id == "PROT02"


def test_an_upgraded_schedule_keeps_its_id_and_is_read_anew(serve_source):
    document = company()
    before = serve_source(document).fetch()
    moved = next(row for row in document["schedules"] if row["id"] == "PSCHED02")
    document["schedules"].remove(moved)
    document["schedules_v3"].append({**document["schedules_v3"][1], "id": "PSCHED02"})
    after = serve_source(document).fetch()
    assert "PSCHED02" in before.account.schedules
    assert "PSCHED02" in after.account.schedules_v3
    assert "PSCHED02" not in after.account.schedules
    assert "PSCHED02" not in str(after.account.hidden)
    assert before.digest != after.digest


def test_a_snapshot_rehearses_with_its_overrides_and_shifts(serve_source, tmp_path):
    first = serve_source(company()).fetch()
    save_snapshot(tmp_path / "acme.json.gz", first)
    again = serve_source(load_account(tmp_path / "acme.json.gz")).fetch()
    assert again.digest == first.digest
    assert any(schedule.overrides for schedule in again.account.schedules.values())
