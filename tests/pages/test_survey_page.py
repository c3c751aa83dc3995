"""The page Account survey: each of its claims with an account in which it holds, and one in which it does not."""

import html
from datetime import timedelta
from pathlib import Path

import pytest
import requests
from small_company import make_corner, place_corner

from pdmigrate import finish, open_job, preview
from pdmigrate.errors import SettingsError
from pdmigrate.handover.items import STAGES
from pdmigrate.pagerduty.dependents import DEPENDENTS, LISTED
from pdmigrate.pagerduty.records import Schedule
from pdmigrate.pagerduty.shapes import choose_shape
from pdmigrate.pages import survey
from pdmigrate.pages.stale import list_stale
from pdmigrate.plan.effort import EFFORTS, list_hours
from pdmigrate.sandbox.store import Store
from pdmigrate.steps.draft import draft
from pdmigrate.steps.preview import Preview
from pdmigrate.workspace.settings import make_workspace, read_settings

NONE: dict = {}


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """An open job on the company with nothing decided, and what preview found."""
    folder = tmp_path_factory.mktemp("survey") / "acme"
    make_workspace(folder, {"name": "acme"})
    with open_job(folder) as job:
        yield job, preview(job)


@pytest.fixture
def newcomer(workspace):
    """An open job on a corner of the company with nothing decided, and its account to change."""
    with open_job(place_corner(workspace)) as job:
        yield job, lambda: Store(job.workspace.sandbox / "pagerduty.json", dict).change()


def read(page, title):
    """The rows of a section by their first cell."""
    return {str(row[0]): row for row in find(page, title).table.rows}


def find(page, title):
    [section] = [one for one in page.sections if one.title == title]
    return section


# --- what it shows ---


def test_preview_writes_it_beside_its_own_page_and_the_index_links_it(whole):
    job, found = whole
    written = finish(job, found)
    assert "Account survey" in repr(written)
    assert 'href="survey.html"' in (job.folder / "index.html").read_text()
    text = html.unescape((job.folder / "survey.html").read_text())
    assert all(LISTED[kind].then in text for kind in LISTED)
    assert "nobody has measured them here" in text
    assert "see the page Account survey" in (job.folder / "preview.html").read_text()


def test_the_numbers_are_those_of_the_account_and_of_the_questions(whole):
    _, found = whole
    page = survey.make_page(found, NONE)
    assert read(page, "How big it is")["Services"][1:] == (25, 25)
    assert read(page, "How big it is")["Senders (integrations)"][1:] == (30, 30)
    shapes = read(page, "Schedules by shape")
    assert sum(row[1] for name, row in shapes.items() if not name.startswith("With")) == 20
    asked = read(page, "What will be asked")
    assert {name.replace(" ", "_"): row[1] for name, row in asked.items()} == found.draft.count_conflicts()["open"]
    assert sum(row[1] for row in read(page, "Time zones").values()) == 20
    assert read(page, "Who else talks to PagerDuty")["Extensions"][1] == 2
    each = find(page, "Each of them").table
    assert len(each.rows) == sum(row[1] for row in read(page, "Who else talks to PagerDuty").values())


def test_answered_questions_are_counted_as_such(tmp_path):
    with open_job(make_corner(tmp_path / "acme", ("PSERV23",))) as job:
        page = survey.make_page(preview(job), NONE)
    assert read(page, "What will be asked")["round robin"][1:3] == (1, 1)


# --- shapes ---


def make_schedule(*layers):
    rows = [
        {
            **{"id": f"L{n}", "start": start, "end": end, "rotation_virtual_start": start, "users": []},
            **{"rotation_turn_length_seconds": 86_400, "restrictions": restrictions},
        }
        for n, (start, end, restrictions) in enumerate(layers)
    ]
    return Schedule.model_validate({"id": "P1", "name": "x", "time_zone": "UTC", "schedule_layers": rows})


def daily(start, hours):
    return {"type": "daily_restriction", "start_time_of_day": start, "duration_seconds": hours * 3600}


def weekly(day, start, hours):
    return {**daily(start, hours), "type": "weekly_restriction", "start_day_of_week": day}


LAST, THIS, NEXT = "2024-01-01T00:00:00Z", "2025-01-01T00:00:00Z", "2027-01-01T00:00:00Z"


@pytest.mark.parametrize(
    "layers, shape",
    [
        ([(THIS, None, [])], "One layer round the clock"),
        ([(THIS, None, [daily("09:00", 8)])], "One layer within hours"),
        ([(THIS, None, [daily("09:00", 8)]), (THIS, None, [daily("17:00", 16)])], "Layers side by side"),
        ([(THIS, None, [daily("09:00", 9)]), (THIS, None, [daily("17:00", 16)])], "Layers that overlap"),
        ([(THIS, None, [daily("22:00", 10)]), (THIS, None, [daily("07:00", 1)])], "Layers that overlap"),
        ([(THIS, None, [weekly(7, "20:00", 8)]), (THIS, None, [weekly(1, "03:00", 4)])], "Layers that overlap"),
        ([(THIS, None, [weekly(7, "20:00", 8)]), (THIS, None, [weekly(1, "04:00", 4)])], "Layers side by side"),
        ([(THIS, None, []), (THIS, None, [weekly(3, "04:00:30", 1)])], "Layers that overlap"),
        ([(THIS, NEXT, []), (NEXT, None, [])], "Layers side by side"),
        ([(LAST, THIS, []), (THIS, None, [])], "One layer round the clock"),
        ([(LAST, THIS, [])], "No layer any more"),
        ([], "No layer any more"),
    ],
)
def test_a_schedule_has_the_shape_that_its_running_layers_make(layers, shape):
    schedule = make_schedule(*layers)
    assert choose_shape(schedule, make_schedule((THIS, None, [])).schedule_layers[0].start + timedelta(days=1)) == shape


# --- what is perhaps not needed ---


def test_what_nobody_uses_is_named_and_what_is_used_is_not(newcomer):
    job, change = newcomer
    before = set(list_stale(preview(job)))
    with change() as account:
        policy = account["escalation_policies"][0]
        service = next(one for one in account["services"] if one["id"] == policy["services"][0]["id"])
        unused = [{**account["schedules"][0], "id": "PSPARE", "name": "Spare", "escalation_policies": []}]
        account["schedules"] += unused
        account["escalation_policies"].append({**policy, "id": "PPSPARE", "name": "Spare policy", "services": []})
        account["teams"].append({**account["teams"][0], "id": "PTSPARE", "name": "Nobody"})
        account["team_members"]["PTSPARE"] = []
        account["users"][0]["invitation_sent"] = True
        service |= {"last_incident_timestamp": "2020-02-02T00:00:00Z"}
    added = {one[1:] for one in list_stale(preview(job))} - {one[1:] for one in before}
    assert added == {
        ("PSPARE", "Spare", "no policy uses it"),
        ("PPSPARE", "Spare policy", "no service uses it"),
        ("PTSPARE", "Nobody", "has no member"),
        ("PUSER01", "Maya Okafor", "was invited to PagerDuty and has never accepted: no login"),
        (service["id"], service["name"], "no incident since 2020-02-02"),
    }


def test_a_new_service_and_one_of_which_nothing_is_said_are_not_called_quiet(newcomer):
    job, change = newcomer
    with change() as account:
        new, silent, quiet = account["services"][:3]
        new |= {"last_incident_timestamp": None, "created_at": job.clock().isoformat()}
        silent.pop("last_incident_timestamp")
        quiet |= {"last_incident_timestamp": (job.clock() - timedelta(days=89)).isoformat()}
        names = {new["id"], silent["id"], quiet["id"]}
    assert not names & {one[1] for one in list_stale(preview(job))}


def test_what_was_not_read_is_never_called_unused(newcomer):
    job, _ = newcomer
    job._servers[0].app.config["OPTIONS"]["forbidden"] = ["/teams/{id}/members"]
    assert not [one for one in list_stale(preview(job)) if one[0] == "teams"]


# --- what is not known ---


def test_what_could_not_be_read_is_no_zero(newcomer):
    job, _ = newcomer
    job._servers[0].app.config["OPTIONS"]["forbidden"] = ["/extensions"]
    page = survey.make_page(preview(job), NONE)
    assert str(read(page, "Who else talks to PagerDuty")["Extensions"][1]) == "could not be read"
    said = read(page, "What could not be read")["Extensions"]
    assert "403" in said[1]
    assert "an administrator's key" in said[2]
    assert "(1 kind unknown)" in page.lead


def test_what_was_not_asked_for_is_said_to_be_so(tmp_path):
    make_workspace(tmp_path / "acme", {"name": "acme"})
    path = place_corner(tmp_path / "acme") / "migration.yaml"
    path.write_text(path.read_text().replace("  dependents: true", "  dependents: false"))
    with open_job(tmp_path / "acme") as job:
        found = preview(job)
        page = survey.make_page(found, NONE)
    rows = read(page, "Who else talks to PagerDuty")
    assert {str(rows[DEPENDENTS[kind].label][1]) for kind in DEPENDENTS} == {"not asked"}
    assert f"({len(DEPENDENTS)} kinds unknown)" in page.lead
    assert "source.dependents" in find(page, "Who else talks to PagerDuty").text


def test_parts_that_were_not_read_stand_beside_their_number(newcomer):
    job, _ = newcomer
    found = preview(job)
    for row in found.snapshot.rows["services"][:2]:
        row.pop("integrations")
    vars(found.snapshot).pop("account", None)
    job.keep_snapshot(found.snapshot)
    page = survey.make_page(Preview(found.snapshot, draft(job)), NONE)
    assert "Senders (integrations) (those of 2 services were not read)" in read(page, "How big it is")
    assert f"{STAGES['integrations']} (those of 2 services were not read)" in read(page, "To do by hand")
    assert "The senders of 2 services were not read" in page.sections[-1].text


# --- hours ---


def test_the_hours_are_the_counts_times_the_minutes_and_the_sums_are_theirs(whole):
    _, found = whole
    page = survey.make_page(found, {"sender": (5, 15)})
    rows = page.sections[-1].table.rows
    [senders] = [row for row in rows if row[0] == "Senders re-pointed"]
    assert senders[1:6] == (2.5, 7.5, "teams", 30, "5–15")
    work = [row for row in rows if row[0] != "All together"]
    total = rows[0]
    assert total[1:3] == pytest.approx([sum(row[at] for row in work) for at in (1, 2)], abs=0.5)
    assert sum(row[1] for row in rows[1:4]) == pytest.approx(total[1], abs=0.2)


def test_a_target_without_an_on_call_api_is_more_to_do_by_hand(newcomer):
    job, _ = newcomer
    here = read(survey.make_page(preview(job), NONE), "To do by hand")
    requests.post(
        f"{job.target.transport.base_url}/sandbox/config", json={"oncall": False}, timeout=600
    ).raise_for_status()
    page = survey.make_page(preview(job), NONE)
    there = read(page, "To do by hand")
    assert STAGES["schedules"] not in here
    assert there[STAGES["schedules"]][1] == 4
    assert "Schedules made by hand" in {row[0] for row in page.sections[-1].table.rows}


def test_minutes_of_ones_own_stand_in_migration_yaml_and_a_slip_is_said(tmp_path):
    make_workspace(tmp_path / "acme", {"name": "acme"})
    path = tmp_path / "acme" / "migration.yaml"
    text = path.read_text()
    path.write_text(f"{text}minutes: {{sender: [5, 15]}}\n")
    assert read_settings(path).minutes == {"sender": (5, 15)}
    for said, why in (
        ("{senders: [5, 15]}", "did you mean sender"),
        ("{sender: [15, 5]}", "the fewest minutes and the most"),
    ):
        path.write_text(f"{text}minutes: {said}\n")
        with pytest.raises(SettingsError, match=why):
            read_settings(path)


def test_work_that_there_is_none_of_takes_no_line():
    assert list_hours({"sender": 0}, {}) == []
    [(effort, number, minutes, hours)] = list_hours({"sender": 4}, {})
    assert (effort, number, minutes, hours) == (EFFORTS["sender"], 4, (15, 60), (1.0, 4.0))


def test_the_walkthrough_names_every_piece_of_work():
    text = (Path(__file__).parents[2] / "docs" / "walkthrough.md").read_text(encoding="utf-8")
    assert [name for name in EFFORTS if f"`{name}`" not in text] == []
    assert f"takes {len(DEPENDENTS) - 1}\nrequests" in text
