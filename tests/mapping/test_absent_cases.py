"""Absent is not empty: what was not read stops what depends on it, or is said; it is never taken for "none"."""

import json
from zoneinfo import ZoneInfo

import pytest
from mapping_account import (
    NOW,
    decide,
    layer,
    map_rows,
    override,
    people,
    policy,
    refer,
    schedule,
    service,
    team,
    user,
    wishes,
)

from pdmigrate import connect, finish, open_job, preview
from pdmigrate.cli import main
from pdmigrate.handover.links import Links
from pdmigrate.harness.pacing import Limits, PacedTransport, Quota
from pdmigrate.harness.records import UserGroup
from pdmigrate.mapping.overrides import override_key
from pdmigrate.oncall import rota
from pdmigrate.pagerduty.account import Snapshot
from pdmigrate.pagerduty.records import Schedule, Service
from pdmigrate.pagerduty.rota import read_final, render_schedule
from pdmigrate.pagerduty.secrets import strip_secrets
from pdmigrate.pagerduty.urgency import describe_unreadable, list_edges, urgencies_at
from pdmigrate.plan.actions import LedgerEntry
from pdmigrate.runs.summary import read_results, summarise_run
from pdmigrate.sandbox.accounts import load_account
from pdmigrate.wire.transport import Patience
from pdmigrate.workspace.settings import make_workspace

USERS = [user(name, teams=[], contact_methods=[], notification_rules=[]) for name in ("ann", "bob")]
UNRENDERED = {"name": "Final Schedule", "rendered_schedule_entries": [], "rendered_coverage_percentage": None}
NOBODY = {**UNRENDERED, "rendered_coverage_percentage": 0}
DAY_IN_LA = {"type": "daily_restriction", "start_time_of_day": "00:00:00", "duration_seconds": 28_800}


def read(**rows):
    return Snapshot("acme", NOW, NOW, NOW, {"users": USERS, **rows}).account


def map_schedules(*rows, decisions=(), rule="recommended", ledger=None, **more):
    return map_rows({"users": USERS, "schedules": list(rows), **more}, people("ann", "bob"), decisions, rule, ledger)


# --- what stops an object ---


@pytest.mark.parametrize(
    "kind,row,said",
    [
        ("schedules", {**schedule("ps1"), "schedule_layers": None}, "its layers were not read"),
        ("schedules", {"id": "ps1", "name": "S", "time_zone": "UTC"}, "its layers were not read"),
        ("schedules", schedule("ps1", {**layer(["ann"]), "users": None}), "who takes turns in it was not read"),
        ("schedules_v3", {"id": "ps1", "name": "S", "time_zone": "UTC"}, "its rotations were not read"),
        (
            "schedules_v3",
            {"id": "ps1", "name": "S", "time_zone": "UTC", "rotations": [{"id": "R"}]},
            "when its shifts are was not read",
        ),
        ("escalation_policies", {"id": "ps1", "name": "S"}, "its levels were not read"),
        (
            "escalation_policies",
            policy("ps1", (5, None)),
            "whom the level pages was not read",
        ),
    ],
)
def test_what_was_not_asked_for_is_not_empty(kind, row, said):
    account = read(**{kind: [row]})
    [problem] = account.problems
    assert (problem.id, problem.name) == ("ps1", row["name"])
    assert said in problem.message
    assert "save GET" in problem.message
    assert not {**account.all_schedules, **account.policies}


@pytest.mark.parametrize("dated", ["overrides", "custom_shifts"])
def test_dated_shifts_that_were_not_read_are_said(dated):
    row = {"id": "ps1", "name": "S", "time_zone": "UTC", "rotations": [], "overrides": [], "custom_shifts": []}
    assert read(schedules_v3=[row]).remarks == ()
    for unread in ({**row, dated: None}, {k: v for k, v in row.items() if k != dated}):
        account = read(schedules_v3=[unread])
        assert account.schedules_v3["ps1"].unread == (dated,)
        [remark] = account.remarks
        assert (remark.id, f"its {dated.replace('_', ' ')} were not read" in remark.message) == ("ps1", True)


# --- overrides ---


def test_overrides_that_were_not_read_are_said_and_none_is_taken_back():
    ahead = override("bob", 1, 2)
    there = schedule("ps1", layer(["ann"]), overrides_subschedule={"rendered_schedule_entries": [ahead]})
    key = override_key("ps1", Schedule.model_validate(there).overrides[0])
    synced = {"schedule": "ps1_ps1", "person": "bob@example.com", "start": ahead["start"], "end": ahead["end"]}
    ledger = {("overrides", key): LedgerEntry("overrides", key, f"ps1_ps1/pd_{key}", "Bob", synced)}
    gone = map_schedules({**there, "overrides_subschedule": NOBODY}, ledger=ledger)
    assert [entry.key for entry in gone.dropped] == [key]
    for absent in (None, UNRENDERED):
        unread = map_schedules({**there, "overrides_subschedule": absent}, ledger=ledger)
        assert unread.dropped == []
        [remark] = unread.account.remarks
        assert "its overrides were not read" in remark.message
        assert "ps1" in wishes(unread, "schedules")


def test_an_override_is_another_account_than_none_and_none_than_not_read():
    row = schedule("ps1", layer(["ann"]))
    shown = [{**row, "overrides_subschedule": part} for part in (None, NOBODY)]
    digests = {read(schedules=[one]).digest for one in shown}
    assert len(digests) == 2


# --- rendering ---


def test_coverage_null_is_not_rendered_and_judges_nothing():
    row = schedule("ps1", layer(["ann", "bob"]), overrides_subschedule=NOBODY)
    assert read_final(Schedule.model_validate({**row, "final_schedule": UNRENDERED})) is None
    assert read_final(Schedule.model_validate({**row, "final_schedule": NOBODY})) == rota.Rota()
    assert "ps1" in wishes(map_schedules({**row, "final_schedule": UNRENDERED}), "schedules")
    held = map_schedules({**row, "final_schedule": NOBODY})
    assert list(held.questions.open) == ["rendering_differs:ps1"]


# --- members, contact methods, integrations ---


def test_members_that_were_not_read_are_those_who_say_so_and_nobody_is_taken_out():
    said = [{**USERS[0], "teams": [refer("team", "pt1")]}, USERS[1]]
    state = people("ann", "bob")
    state = state.model_copy(
        update={"groups": {"pt1_pt1": UserGroup(identifier="pt1_pt1", name="Pt1", users=("bob@example.com",))}}
    )
    ledger = {("teams", "pt1"): LedgerEntry("teams", "pt1", "pt1_pt1", "Pt1", {"users": ["bob@example.com"]})}
    known = {"users": said, "teams": [team("pt1")], "team_members": {"pt1": [{"user": refer("user", "ann")}]}}
    mapped = map_rows(known, state, ledger=ledger)
    assert wishes(mapped, "teams")["pt1"].fields["users"] == ["ann@example.com"]
    assert mapped.account.remarks == ()
    silent = [said[0], {k: v for k, v in said[1].items() if k != "teams"}]
    for users, members in ((said, ["ann"]), (silent, ["ann", "bob"])):
        mapped = map_rows({**known, "users": users, "team_members": {}}, state, ledger=ledger)
        assert wishes(mapped, "teams")["pt1"].fields["users"] == [f"{name}@example.com" for name in members]
        assert "its members were not read" in " ".join(remark.message for remark in mapped.account.remarks)


def test_parts_that_were_not_read_are_named():
    account = read(users=[user("ann")], services=[service("s1")])
    said = {(one.kind, one.id): one.message for one in account.remarks}
    assert account.users["ann"].unread == ("contact_methods", "notification_rules", "teams")
    assert "its integrations were not read" in said["services", "s1"]
    assert [one.message.split(" were")[0] for one in account.remarks if one.kind == "users"] == [
        "its contact methods",
        "its notification rules",
        "its teams",
    ]
    assert read(services=[service("s1", integrations=[])]).services["s1"].unread == ()


# --- the zone of the answer ---


def in_another_zone(**more):
    """Berlin's 09:00 to 17:00, as a list writes it for somebody in Los Angeles."""
    written = "2026-10-05T00:00:00-07:00"
    foreign = layer(["ann", "bob"], start=written, rotation_virtual_start=written, restrictions=[DAY_IN_LA])
    return schedule("ps1", foreign, time_zone="Europe/Berlin", overrides_subschedule=NOBODY, **more)


def test_a_list_in_another_zone_is_a_question_that_no_rule_answers():
    mapped = map_schedules(in_another_zone())
    [question] = mapped.questions.open.values()
    assert (question.key, question.changes_paging) == ("written_in_another_zone:ps1", True)
    assert "2026-10-05T00:00:00-07:00" in question.question
    [held] = mapped.held
    assert held.open_question
    assert "schedules" not in {wish.kind for wish in mapped.desired}


@pytest.mark.parametrize("choice", ["as_written", "leave_out"])
def test_a_person_decides_about_a_list_in_another_zone(choice):
    mapped = map_schedules(in_another_zone(), decisions=[decide("written_in_another_zone", "ps1", choice)])
    assert ("ps1" in wishes(mapped, "schedules")) is (choice == "as_written")
    assert [held.decided for held in mapped.held] == ([] if choice == "as_written" else ["written_in_another_zone:ps1"])


def test_a_rendering_judges_the_windows_and_nobody_is_asked():
    row = in_another_zone()
    parsed = Schedule.model_validate(row)
    span = (rota.to_instant(NOW), rota.to_instant(NOW) + 56 * rota.DAY)
    shown = [
        {"start": str(rota.to_datetime(s)), "end": str(rota.to_datetime(e)), "user": refer("user", min(who))}
        for s, e, who in render_schedule(parsed, ZoneInfo("Europe/Berlin"), *span).entries
    ]
    mapped = map_schedules({**row, "final_schedule": {**NOBODY, "rendered_schedule_entries": shown}})
    assert list(mapped.questions.open) == []
    assert "ps1" in wishes(mapped, "schedules")


def test_a_schedule_without_windows_is_the_same_in_every_zone():
    (row := in_another_zone())["schedule_layers"][0]["restrictions"] = []
    assert "ps1" in wishes(map_schedules(row), "schedules")


def test_rota_says_so_too(tmp_path, capsys):
    path = tmp_path / "one.json"
    path.write_text(json.dumps({k: v for k, v in in_another_zone().items() if k != "overrides_subschedule"}))
    assert main(["rota", str(path), "--from", "2026-12-24", "--to", "2026-12-26"]) == 0
    said = capsys.readouterr()
    assert said.out.startswith("start,end,users\n2026-12-24T00:00:00+01:00")
    assert "another zone than Europe/Berlin" in said.err
    assert "Not in the file, and so not applied: overrides" in said.err


# --- days and years ---


@pytest.mark.parametrize("day", [0, 3, 9, None])
def test_a_daily_restriction_has_no_day(day):
    window = {"type": "daily_restriction", "start_time_of_day": "08:00:00", "duration_seconds": 32_400}
    row = schedule("ps1", layer(["ann"], restrictions=[{**window, "start_day_of_week": day}]))
    plain = schedule("ps1", layer(["ann"], restrictions=[window]))
    assert Schedule.model_validate(row) == Schedule.model_validate(plain)


@pytest.mark.parametrize("field", ["start", "rotation_virtual_start", "end"])
@pytest.mark.parametrize("moment", ["0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z", "0001-01-01T00:00:00-08:00"])
def test_a_time_that_no_clock_can_tell_names_its_schedule(field, moment):
    row = schedule("ps1", layer(["ann"], **{field: moment}), time_zone="America/Los_Angeles")
    mapped = map_schedules(row, schedule("ps2", layer(["bob"]), overrides_subschedule=NOBODY))
    [problem] = mapped.account.problems
    assert (problem.id, problem.name) == ("ps1", "Ps1")
    assert f"schedule_layers.0.{field}: Value error, is in the year" in problem.message
    assert "ps2" in wishes(mapped, "schedules")


# --- support hours ---

BY_HOURS = {
    "type": "use_support_hours",
    "during_support_hours": {"type": "constant", "urgency": "high"},
    "outside_support_hours": {"type": "constant", "urgency": "low"},
}
LIMA_NOON, LIMA_NIGHT = 1_795_539_600, 1_795_575_600  # 2026-11-24 17:00 and 2026-11-25 03:00 UTC


def make_service(**hours):
    known = {"type": "fixed_time_per_day", "time_zone": "America/Lima", "days_of_week": [1, 2, 3, 4, 5]}
    known |= {"start_time": "09:00:00", "end_time": "17:00:00"}
    return Service.model_validate(service("s1", incident_urgency_rule=BY_HOURS, support_hours={**known, **hours}))


@pytest.mark.parametrize(
    "start,end",
    [
        ("09:00:00", "17:00:00"),
        ("09:00", "17:00"),
        ("2000-01-01T09:00:00-05:00", "2000-01-01T17:00:00-05:00"),
        ("2000-01-01T09:00:00Z", "2000-01-01 17:00:00"),
        ("09:00:00-05:00", "17:00:00+0200"),
        ("2000-01-01T09:00:00.000-05:00", "17:00:00.000"),
    ],
)
def test_date_and_offset_of_support_hours_are_ignored(start, end):
    made = make_service(start_time=start, end_time=end)
    assert describe_unreadable(made) == ""
    assert [urgencies_at(made, at) for at in (LIMA_NOON, LIMA_NIGHT)] == [{"high"}, {"low"}]


@pytest.mark.parametrize(
    "hours",
    [
        {"time_zone": "Mars/Olympus"},
        {"time_zone": None},
        {"start_time": "9am"},
        {"end_time": None},
        {"start_time": "25:00:00"},
        {"start_time": ""},
    ],
)
def test_support_hours_that_nobody_can_read_are_said_and_both_urgencies_count(hours):
    made = make_service(**hours)
    assert urgencies_at(made, LIMA_NOON) == {"high", "low"}
    assert list_edges(made, LIMA_NOON, LIMA_NIGHT) == []
    row = service("s1", incident_urgency_rule=BY_HOURS, support_hours=made.support_hours.model_dump(), integrations=[])
    [remark] = read(services=[row]).remarks[-1:]
    assert (remark.id, "support hours that nobody can read" in remark.message) == ("s1", True)


def test_a_service_without_the_support_hours_that_it_follows_is_said():
    bare = Service.model_validate(service("s1", incident_urgency_rule=BY_HOURS, support_hours=None))
    assert urgencies_at(bare, LIMA_NOON) == {"high", "low"}
    assert "nobody can read" in describe_unreadable(bare)
    always = Service.model_validate(service("s1", incident_urgency_rule={"type": "constant", "urgency": "high"}))
    assert describe_unreadable(always) == ""


# --- what is private, and where an account lives ---


def record(folder, **kinds):
    folder.mkdir()
    empty = {kind: [] for kind in ("users", "teams", "schedules", "escalation_policies", "services")}
    for kind, rows in {**empty, **kinds}.items():
        (folder / f"{kind}.json").write_text(json.dumps({kind: rows} if isinstance(rows, list) else rows))
    return folder


def open_recorded(tmp_path, folder, **options):
    make_workspace(tmp_path / "run", {"name": "run", "source": "snapshot", "snapshot": str(folder), **options})
    return open_job(tmp_path / "run", clock=lambda: NOW)


def test_no_private_address_is_in_a_snapshot(tmp_path):
    token = "748c2b3799de1a67"
    address = f"https://acme.pagerduty.com/private/{token}/feed/S1"
    names = ("web_cal_url", "http_cal_url", "personal_web_cal_url", "personal_http_cal_url", "a_name_of_tomorrow")
    row = {**schedule("ps1", layer(["ann"])), **dict.fromkeys(names, address)}
    assert token not in json.dumps(strip_secrets({"schedules": [row]}))
    kept = strip_secrets({"schedules": [{**row, "html_url": "https://acme.pagerduty.com/schedules/ps1"}]})
    assert kept["schedules"][0]["html_url"]
    with open_recorded(tmp_path, record(tmp_path / "account", users=USERS, schedules=[row])) as job:
        assert token not in json.dumps(preview(job).snapshot.rows)


@pytest.mark.parametrize("host", ["acme.pagerduty.com", "acme.eu.pagerduty.com", None])
def test_links_go_back_to_where_the_account_lives(tmp_path, host):
    link = {"html_url": f"https://{host}/users/ann" if host else None}
    folder = record(tmp_path / "account", users=[{**one, **link} for one in USERS])
    with open_recorded(tmp_path, folder) as job:
        page = finish(job, connect(job)).page.read_text()
        account = preview(job).draft.account
        assert (account.subdomain, account.host) == (("acme", host) if host else ("", ""))
        links = Links("https://app.harness.io/gateway", "a", "o", "p", job.read_subdomain(), "us", account.host)
        assert links.to_pagerduty("schedules", "ps1") == (f"https://{host}/schedules/ps1" if host else "")
        assert ("no link in its answers tells its name" in page) is (host is None)
    assert load_account(folder)["subdomain"] == ("acme" if host else "")


def test_a_name_that_no_link_tells_may_be_written_down(tmp_path):
    with open_recorded(tmp_path, record(tmp_path / "account", users=USERS), subdomain="initech") as job:
        assert job.read_subdomain() == "initech"


def test_an_account_without_schedules_is_read(tmp_path):
    with open_recorded(tmp_path, record(tmp_path / "account", users=USERS)) as job:
        found = preview(job)
    assert (found.draft.account.all_schedules, found.draft.account.problems) == ({}, ())


# --- counting, and the pace ---


def test_each_request_is_counted_once_however_many_steps_one_job_runs(decided_workspace):
    with open_job(decided_workspace) as job:
        finish(job, connect(job))
        finish(job, preview(job))
        finish(job, preview(job))
        summary = summarise_run("acme", "by-hand", 0, read_results(job.folder))
        sent = job._servers[0].app.config["LOG"].requests
        assert summary["source"]["requests"] == sent == job.source.transport.counts.requests
        assert connect(job).source_requests == read_results(job.folder)["connect"]["source"]["requests"]


def test_a_repeat_passes_the_pace_like_any_request(serve_source):
    from source_http import company

    source = serve_source(company())
    now, slept = [0.0], []

    def sleep(seconds):
        slept.append(seconds)
        now[0] += seconds

    quota = Quota(Limits(calls=2), clock=lambda: now[0], sleep=sleep)
    headers = source.client.transport._headers
    transport = PacedTransport("Harness", source.server.url, headers, quota, patience=Patience(first=0.01))
    source.play({"kind": "500", "path": "/users", "count": 3})
    transport.send("GET", "/users", {"limit": 1})
    assert transport.counts.requests == 4
    assert slept == [61.0], "the third call of a minute waits, though it is a repeat of the first"


def test_members_that_the_key_may_not_read_are_said_once_and_not_of_every_team():
    teams = [team("pt1"), team("pt2")]
    assert read(teams=teams, team_members={"pt1": [], "pt2": []}).remarks == ()
    assert len(read(teams=teams, team_members={"pt1": []}).remarks) == 1
    none = read(teams=teams, team_members={}, unread={"team_members": "forbidden: 403"})
    assert (none.remarks, none.teams["pt1"].unread) == ((), ("members",))
