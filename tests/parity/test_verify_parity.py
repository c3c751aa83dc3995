"""What verify finds on the embedded company, and what shift-based schedules say against PagerDuty's own shifts."""

import csv
import io
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from small_company import by_ids, cut_down

from pdmigrate import decide, open_job, preview, verify
from pdmigrate.cli import main
from pdmigrate.cli.rota import print_on_call
from pdmigrate.mapping.schedules_v3 import map_shifts
from pdmigrate.oncall import paging, rota
from pdmigrate.oncall.zones import read_zone
from pdmigrate.pagerduty.client import make_client
from pdmigrate.pagerduty.records import Service
from pdmigrate.pagerduty.rota_v3 import read_final, render_schedule
from pdmigrate.pagerduty.urgency import urgencies_at
from pdmigrate.pagerduty.v3_records import ScheduleV3
from pdmigrate.pages import make_page
from pdmigrate.parity.schedules import Compared, ScheduleParity
from pdmigrate.sandbox.company import build_company
from pdmigrate.sandbox.pagerduty import start_pagerduty
from pdmigrate.workspace.settings import make_workspace

NOW = datetime(2026, 11, 23, 10, tzinfo=UTC)
UNTIL = NOW + timedelta(days=56)
TOKEN = "sandbox"


def test_every_schedule_of_the_company_is_exact_over_the_horizon_and_both_changes(whole):
    seen, found = whole["preview"], whole["verify"]
    assert found.count_seconds() == {"agree_seconds": 20 * 56 * 86_400, "differ_seconds": 0, "unverified_seconds": 0}
    assert found.count_windows()["differ_seconds"] == 0
    assert found.count_windows()["agree_seconds"] > 0
    assert found.unexplained == ()
    assert {s.fidelity.grade for s in found.schedules} == {"for_ever"}
    assert all(window.judged for s in found.schedules for window in s.windows)
    assert not [s.name for s in found.schedules if s.read_otherwise or s.new_gaps]
    assert [s.name for s in found.schedules if s.gaps_before]
    assert not [s.name for s in found.service_parity if s.louder]
    assert all(s.reason for s in found.service_parity if s.equal < s.moments or s.dropped_after > s.dropped_before)
    assert "same on every future date" in repr(make_page(seen))
    assert "When the clock changes" in repr(make_page(found))


@pytest.fixture
def shift_based():
    """Both shift-based schedules of the company, whole, as PagerDuty answers them."""
    server = start_pagerduty(build_company(NOW, with_v3=True), token=TOKEN)
    try:
        client = make_client(server.url, "us", TOKEN)
        window = {"since": f"{NOW:%Y-%m-%dT%H:%M:%SZ}", "until": f"{UNTIL:%Y-%m-%dT%H:%M:%SZ}"}
        yield [_read_whole(client.transport, id, window) for id in ("PSHIFT01", "PSHIFT02")]
    finally:
        server.stop()


def _read_whole(transport, id, window):
    row = transport.send("GET", f"/v3/schedules/{id}", {"include[]": ["final_schedule"], **window})["schedule"]
    parts = {p: transport.send("GET", f"/v3/schedules/{id}/{p}", window)[p] for p in ("overrides", "custom_shifts")}
    return ScheduleV3.model_validate({**row, **parts})


def test_shift_based_schedules_are_rendered_as_pagerduty_does(shift_based):
    start, end = int(NOW.timestamp()), int(UNTIL.timestamp())
    for schedule in shift_based:
        drawn = render_schedule(schedule, start, end)
        assert drawn.entries
        assert drawn == read_final(schedule).clip(start, end)
        named, fidelity = map_shifts(schedule, ZoneInfo(schedule.time_zone), start, end)
        assert fidelity.grade == "for_ever"
        assert rota.join([one.rotation.render(ZoneInfo(schedule.time_zone), start, end) for one in named]) == drawn
    assert max(len(people) for _, _, people in drawn.entries) == 2


def test_rota_prints_who_is_on_call_in_the_zone_asked_for(tmp_path, capsys):
    row = build_company(NOW)["schedules"][1]
    shown = {"rendered_schedule_entries": [
        {"start": "2026-12-24T09:00:00-05:00", "end": "2026-12-25T09:00:00-05:00", "user": {"id": "PX"}}]}  # fmt: skip
    path = tmp_path / "one.json"
    path.write_text(json.dumps({"schedule": {**row, "overrides_subschedule": shown}}))
    arguments = ["rota", str(path), "--from", "2026-12-24", "--to", "2026-12-26", "--zone", "UTC"]
    assert main(arguments) == 0
    rows = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))
    assert [r["users"] for r in rows].count("PX") == 1
    assert next(r["start"] for r in rows if r["users"] == "PX") == "2026-12-24T14:00:00+00:00"
    assert rows[0]["start"] == "2026-12-24T00:00:00+00:00"
    assert rows[-1]["end"] == "2026-12-26T00:00:00+00:00"


@pytest.mark.parametrize(
    "body, words",
    [("{", "is not JSON"), ("{}", "holds no schedule"), ('{"schedule_layers": 1}', "cannot be used"), (None, "cannot be read")],
)  # fmt: skip
def test_rota_says_what_is_wrong_with_a_file(tmp_path, capsys, body, words):
    path = tmp_path / "one.json"
    if body is not None:
        path.write_text(body)
    assert main(["rota", str(path), "--from", "2026-12-24", "--to", "2026-12-26"]) == 2
    assert words in capsys.readouterr().err


@pytest.mark.parametrize(
    "edit, words",
    [
        ({"recurrence": ["RRULE:FREQ=DAILY;INTERVAL=0"]}, "nobody can read the rule 'RRULE:FREQ=DAILY;INTERVAL=0'"),
        ({"recurrence": ["RRULE:INTERVAL=1"]}, "nobody can read the rule"),
        ({"recurrence": []}, "0 RRULEs"),
        ({"recurrence": ["RRULE:FREQ=SECONDLY"]}, "it begins more than 60,000 times"),
    ],
)
def test_rota_names_a_rule_that_cannot_be_read(tmp_path, capsys, edit, words):
    path, row = tmp_path / "one.json", build_company(NOW, with_v3=True)["schedules_v3"][0]
    row["rotations"][0]["events"][0] |= edit
    path.write_text(json.dumps(row))
    assert main(["rota", str(path), "--from", "2026-12-24", "--to", "2026-12-26"]) == 2
    [line] = capsys.readouterr().err.splitlines()
    assert words in line


def test_an_event_without_members_has_nobody(tmp_path):
    path, row = tmp_path / "one.json", build_company(NOW, with_v3=True)["schedules_v3"][0]
    row["rotations"][0]["events"][0]["assignment_strategy"]["members"] = []
    path.write_text(json.dumps({"schedule": row}), encoding="utf-8-sig")
    out = io.StringIO()
    print_on_call(path, "2026-12-24", "2026-12-26", None, out)
    assert out.getvalue() == "start,end,users\n"


def test_rota_asks_pagerdutys_rendering_nothing(tmp_path):
    """Not even whether it can be read; what the key order is, or that lists are null, does not matter either."""
    path, row = tmp_path / "one.json", build_company(NOW)["schedules"][1]
    out, bare = io.StringIO(), io.StringIO()
    path.write_text(json.dumps(row))
    print_on_call(path, "2026-12-24", "2026-12-26T09:00:00Z", None, bare)
    path.write_text(
        json.dumps({"schedule": row | {"final_schedule": "x", "overrides_subschedule": None, "teams": None}})
    )
    print_on_call(path, "2026-12-24T00:00:00-05:00", "2026-12-26T04:00", None, out)
    assert out.getvalue() == bare.getvalue()
    assert len(out.getvalue().splitlines()) > 1


def test_a_shift_based_schedule_with_a_rule_that_nobody_can_read_is_held_and_unverified(tmp_path):
    """It stops nothing else, and never counts as agreeing because both sides are empty."""
    document = cut_down(whole := build_company(NOW, with_v3=True)) | {"schedules_v3": whole["schedules_v3"][:1]}
    document["schedules_v3"][0] |= {"teams": [], "escalation_policies": []}
    document["schedules_v3"][0]["rotations"][0]["events"][0]["recurrence"] = ["RRULE:FREQ=DAILY;INTERVAL=0"]
    people = ("PUSER16", "PUSER17", "PUSER18", "PUSER19", "PUSER20")
    document["users"] += [u for u in by_ids(whole["users"], people) if u not in document["users"]]
    (tmp_path / "pd").mkdir()
    for kind in ("users", "teams", "schedules", "schedules_v3", "escalation_policies", "services"):
        name = "schedules" if kind == "schedules_v3" else kind
        (tmp_path / "pd" / f"{kind}.json").write_text(json.dumps({name: document[kind]}))
    make_workspace(tmp_path / "acme", {"source": "snapshot", "snapshot": str(tmp_path / "pd"), "open_conflicts": "recommended"})  # fmt: skip
    with open_job(tmp_path / "acme") as job:
        decide(job, "user_not_found", "all", "invite", by="test")
        preview(job)
        found = verify(job)
    [held] = [h for h in found.draft.plan.held if h.key == "PSHIFT01"]
    assert "nobody can read the rule" in held.reason
    [seen] = [s for s in found.schedules if s.id == "PSHIFT01"]
    assert (seen.agree, seen.unverified) == (0, 56 * 86_400)
    assert "nobody can read" in repr(make_page(found))


def test_rota_knows_shift_based_schedules(tmp_path, shift_based):
    path = tmp_path / "one.json"
    path.write_text(json.dumps({"schedule": shift_based[1].model_dump(mode="json")}))
    out = io.StringIO()
    print_on_call(path, "2026-11-28", "2026-11-29", None, out)
    [row] = csv.DictReader(io.StringIO(out.getvalue()))
    assert (row["start"], row["end"]) == ("2026-11-28T09:00:00-05:00", "2026-11-28T21:00:00-05:00")
    assert len(row["users"].split(";")) == 2


LATE = paging.PagedLevel(5, frozenset(["ann"]), ())
SOMEBODY = rota.make_rota([(1000, 2000, ("bob",))])


def test_gaps_that_were_there_are_told_from_those_that_are_new():
    before, after = (rota.make_rota([(s, e, ("bob",))]) for s, e in ((1000, 3000), (2000, 4000)))
    seen = ScheduleParity("ps1", "S", "s", "UTC", Compared(0, 5000, before, after, before), False, True)
    assert seen.gaps_before == ((0, 1000), (3000, 5000))
    assert seen.new_gaps == ((1000, 2000),)
    assert replace(seen, is_unverified=True).new_gaps == ()


def test_pages_just_before_a_handoff_are_among_the_moments():
    levels = [LATE, paging.PagedLevel(10, frozenset(), (SOMEBODY,))]
    assert {999, 1000, 1999, 2000, 1000 - 300, 999 - 300} <= set(paging.moments(levels, 0, 5000, 600))


def test_paged_waiting_and_dropped_are_told_apart():
    paged = paging.walk([LATE, paging.PagedLevel(10, frozenset(), (SOMEBODY,))], 1000)
    assert [paging.state_at(paged, minute) for minute in (0, 3, 5, 30)] == ["paged", "waiting", "paged", "waiting"]
    assert paging.state_at(paging.walk([paging.PagedLevel(10, frozenset(), (SOMEBODY,))], 0), 0) == "dropped"


def test_where_two_chains_part_is_said_with_who_is_paged_and_who_waits():
    """A retry pages the level again and delays the next one."""
    bob = paging.PagedLevel(10, frozenset(["bob"]), ())
    once, again = paging.walk([LATE, bob], 0), paging.walk([LATE, LATE, bob], 0)
    assert paging.describe_parting(once, again) == "minute 5: paged bob / paged ann"
    assert paging.describe_parting(once, paging.walk([LATE], 0)) == "minute 5: paged bob / waiting"
    assert paging.describe_parting((), once) == "minute 0: dropped / paged ann"
    assert paging.describe_parting(once, once) == ""


def test_support_hours_decide_who_is_woken():
    low, high = {"type": "constant", "urgency": "low"}, {"type": "constant", "urgency": "high"}
    rule = {"type": "use_support_hours", "during_support_hours": high, "outside_support_hours": low}
    hours = {"time_zone": "London", "start_time": "09:00:00", "end_time": "17:30:00", "days_of_week": [1, 2, 3, 4, 5]}
    service = Service.model_validate(
        {"id": "PS", "name": "Shop", "incident_urgency_rule": rule, "support_hours": hours}
    )
    monday_noon = int(datetime(2026, 11, 23, 12, tzinfo=UTC).timestamp())
    assert urgencies_at(service, monday_noon) == {"high"}
    assert urgencies_at(service, monday_noon + 8 * 3600) == urgencies_at(service, monday_noon - 86_400) == {"low"}


@pytest.mark.parametrize(
    "name, iana, how",
    [
        ("Pacific Standard Time", "America/Los_Angeles", "a Windows name"),
        ("W. Europe Standard Time", "Europe/Berlin", "a Windows name"),
        ("UTC+02:00", "Etc/GMT-2", "a fixed offset"),
        ("-05:00", "Etc/GMT+5", "a fixed offset"),
        ("+05:30", None, ""),
        ("GMT+15", None, ""),
    ],
)
def test_windows_names_and_fixed_offsets(name, iana, how):
    zone = read_zone(name)
    assert (zone.iana, zone.converted) == (iana, how)
