"""A Harness with its public endpoints only: what it takes is written, everything else is handed to people, once."""

import csv
import json
import re
import shutil
import subprocess
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

import pytest
import requests
import yaml
from jsonschema import Draft202012Validator
from small_company import make_corner

from pdmigrate import conflicts, finish, load, open_job, preview, verify
from pdmigrate.cli import main
from pdmigrate.handover.objects import describe_rotation
from pdmigrate.handover.services import advise
from pdmigrate.handover.ticks import read_items, tick_item, untick_item
from pdmigrate.harness.records import Rotation
from pdmigrate.runs.demo import make_demo_workspace
from pdmigrate.sandbox.store import Store
from pdmigrate.workspace.folder import Workspace, write_text
from pdmigrate.workspace.settings import read_settings

CONTRACT = ("contact_methods", "notification_rules", "schedules", "overrides", "escalation_policies")


def switch(job, **config):
    requests.post(f"{job.target.transport.base_url}/sandbox/config", json=config, timeout=600).raise_for_status()


def run(folder, name, approve="all"):
    """One run from preview to verify; returns the drafts' counts, the load, and the run's folder."""
    reports = folder / "reports" / name
    with open_job(folder, reports) as job:
        switch(job, oncall=False)
        finish(job, preview(job))
        decided = conflicts(job)
        finish(job, decided)
        loaded = load(job, approve)
        finish(job, loaded)
        verified = verify(job)
        finish(job, verified)
    return decided, loaded, verified, reports


def read_list(reports):
    return list(csv.DictReader((reports / "handover" / "handover.csv").read_text().splitlines()))


CORNER = ("PSERV01", "PSERV05")


@pytest.fixture(scope="module")
def handed(tmp_path_factory):
    folder = tmp_path_factory.mktemp("public") / "acme"
    make_demo_workspace(folder)
    return folder, *run(folder, "one")


def test_the_run_ends_well_with_people_groups_and_services_written(handed):
    _, _, loaded, verified, _ = handed
    outcomes = {(d.action.kind, d.outcome) for d in loaded.done}
    assert not [pair for pair in outcomes if pair[1] in ("failed", "skipped", "waiting")]
    assert {kind for kind, outcome in outcomes if outcome == "created"} == {"users", "teams", "services"}
    assert {kind for kind, outcome in outcomes if outcome == "handed_over"} == set(CONTRACT)
    assert verified.count_seconds()["agree_seconds"] == verified.count_seconds()["differ_seconds"] == 0
    assert verified.count_seconds()["unverified_seconds"] > 0


def test_every_object_stands_in_one_place_and_the_counts_add_up(handed):
    _, decided, _, verified, _ = handed
    for counted in (decided.draft.count_kinds(), verified.draft.count_kinds(landed=True)):
        for kind, counts in counted.items():
            assert sum(counts.values()) == 2 * counts["in_source"], kind
            assert not (kind in CONTRACT and counts["exact"] + counts["changed"]), kind
    assert verified.draft.count_kinds(landed=True)["services"]["lost"] == 0


@pytest.mark.parametrize("kind", CONTRACT)
def test_the_list_holds_everything_that_is_handed_over_exactly_once(handed, kind):
    _, decided, _, _, reports = handed
    wanted = sorted(f.id for f in decided.draft.mapped.outcomes if f.kind == kind and f.grade == "handed_over")
    found = sorted(id for row in read_list(reports) if row["kind"] == kind for id in row["pagerduty_id"].split(";"))
    assert found == wanted
    assert wanted


def test_keys_are_distinct_and_every_file_is_there(handed):
    _, _, _, _, reports = handed
    rows = read_list(reports)
    assert len({row["key"] for row in rows}) == len(rows)
    assert list(rows[0]) == ["key", "kind", "pagerduty_id", "name", "file", "link", "expected", "done"]
    assert not [row["key"] for row in rows if row["file"] and not (reports / "handover" / row["file"]).is_file()]
    assert {row["done"] for row in rows} == {"no"}


def test_the_order_is_one_in_which_a_person_can_work(handed):
    kinds = list(dict.fromkeys(row["kind"] for row in read_list(handed[4])))
    assert kinds == [
        "countries",
        "users",
        "contact_methods",
        "notification_rules",
        "schedules",
        "overrides",
        "escalation_policies",
        "services",
        "alert_rules",
        "event_rules",
        "integrations",
    ]


def test_documents_fit_their_schema_and_say_what_to_type(handed):
    home = handed[4] / "handover"
    schema = json.loads((home / "schema.json").read_text())
    documents = [yaml.safe_load(path.read_text()) for path in sorted(home.glob("*/*.yaml"))]
    for document in documents:
        Draft202012Validator(schema).validate(document)
    kinds = Counter(document["kind"] for document in documents)
    assert kinds == {
        "schedule": len(list(home.glob("schedules/*"))),
        "escalation_policy": len(list(home.glob("policies/*"))),
        "event_rules": len(list(home.glob("event_rules/*"))),
    }
    schedules = [d for d in documents if d["kind"] == "schedule"]
    assert all(r["in_words"].startswith("Turns of ") for d in schedules for r in d["rotations"])
    assert any(d["overrides"] for d in schedules)
    assert all(d["on_call_next"] for d in schedules if d["rotations"])


def test_a_person_reads_names_that_harness_shows(handed):
    _, decided, _, _, reports = handed
    home = reports / "handover"
    document = yaml.safe_load((home / "policies" / "checkout_PPOL05.yaml").read_text())
    first, last = document["levels"][0]["in_words"], document["levels"][-1]["in_words"]
    assert first.startswith("Page the schedule Checkout primary and the schedule Checkout weekend, all at once; 10 min")
    assert last.endswith("the policy ends")
    assert "&id" not in (home / "policies" / "checkout_PPOL05.yaml").read_text()
    policies = {a.name for a in decided.plan.actions if a.kind == "escalation_policies"}
    services = [row["expected"] for row in read_list(reports) if row["kind"] == "services"]
    assert all(any(f"override {name!r}." in said for name in policies) for said in services)
    assert any("owned by Checkout" in row["expected"] for row in read_list(reports))


def test_hours_of_overrides_are_by_the_clock_of_their_schedule(handed):
    rows = [row["expected"] for row in read_list(handed[4]) if row["kind"] == "overrides"]
    assert rows
    assert all(
        said.endswith(").") and "(" in said and "Z" not in said.split(" from ")[1].split(" (")[0] for said in rows
    )


def test_sheets_hold_one_line_a_contact_method_and_a_rule(handed):
    _, decided, _, _, reports = handed
    for kind, name in (("contact_methods", "contact_details"), ("notification_rules", "notification_rules")):
        rows = list(csv.DictReader((reports / "handover" / f"{name}.csv").read_text().splitlines()))
        planned = [s for a in decided.plan.actions if a.kind == kind and a.verb == "handover" for s in a.sources]
        assert sorted(row["pagerduty_id"] for row in rows) == sorted(planned)
        assert all(row["address"] for row in rows)
        assert list(rows[0])[:2] == ["person", "email"]


def test_the_sheet_of_senders_says_for_each_how_it_must_not_flood(handed):
    _, decided, _, _, reports = handed
    rows = list(csv.DictReader((reports / "handover" / "integrations.csv").read_text().splitlines()))
    senders = [i.id for s in decided.draft.account.services.values() for i in s.integrations]
    kinds = ("event_orchestrations", "rulesets")
    routers = [one.id for one in decided.draft.account.not_carried if one.kind in kinds and one.matters]
    assert routers
    assert sorted(row["pagerduty_id"] for row in rows) == sorted([*senders, *routers])
    assert any(row["what_was_suppressed"].startswith("1 rule suppresses") for row in rows)
    assert all(row["what_to_send"] and row["what_was_suppressed"] and row["test_result"] == "" for row in rows)
    assert "resolve" in advise("events_api_v2_inbound_integration")
    assert "OK" in advise("aws_cloudwatch_inbound_integration")
    assert "repeated" in advise("something_new")


def test_no_sender_of_a_service_that_pages_nobody_is_given_a_webhook(handed):
    """The webhook pages for whatever arrives: low urgency would become a full page by the back door."""
    _, decided, _, _, reports = handed
    quiet = {route.key for route in decided.draft.mapped.routes if not route.paging}
    sheet = {row["pagerduty_id"]: row for row in read_sheet(reports, "integrations")}
    rows = [row for row in read_list(reports) if row["key"].partition("/")[0].removeprefix("integrations:") in quiet]
    senders = [row for row in rows if row["kind"] == "integrations"]
    assert senders
    for row in senders:
        assert "pages nobody" in row["expected"]
        assert sheet[row["pagerduty_id"]]["new_paging_webhook"] == "none"
    assert any(row["new_paging_webhook"].startswith("https://") for row in sheet.values())


def test_a_text_for_each_person_who_must_act(handed):
    texts = {path.stem: path.read_text() for path in (handed[4] / "handover" / "people").iterdir()}
    rows = [row for row in read_list(handed[4]) if row["kind"] == "users"]
    assert {row["pagerduty_id"] for row in rows} <= texts.keys()
    assert all(text.startswith("To: ") and "\n1. " in text for text in texts.values())


@pytest.fixture(scope="module")
def corner(tmp_path_factory):
    """The folder of a corner of the company after its first run, and that run's own; to be copied."""
    folder = make_corner(tmp_path_factory.mktemp("corner") / "acme", CORNER)
    return folder, run(folder, "one")[3]


def test_a_second_run_hands_over_only_what_changed_and_keeps_what_is_open(corner, tmp_path):
    first = read_list(corner[1])
    assert {row["kind"] for row in first} >= {*CONTRACT, "services"}
    *_, again = run(shutil.copytree(corner[0], tmp_path / "acme"), "two")
    assert read_list(again) == []
    page = (again / "handover" / "checklist.html").read_text()
    assert all(row["key"] in page for row in first)
    assert not list((again / "handover").glob("schedules"))


def test_only_the_lines_that_changed_are_in_the_sheets_of_a_re_run(corner, tmp_path):
    folder, first = shutil.copytree(corner[0], tmp_path / "acme"), corner[1]
    with open_job(folder), Store(Workspace(folder).sandbox / "pagerduty.json", dict).change() as account:
        person = next(user for user in account["users"] if user["name"] == "Lin Zhao")
        phone = next(m for m in person["contact_methods"] if m["type"] == "phone_contact_method")
        phone["address"] = "2125550199"
        for rule in person["notification_rules"]:
            rule["start_delay_in_minutes"] += 7
    *_, again = run(folder, "two")
    assert {row["key"] for row in read_list(again)} == {
        f"contact_methods:{person['id']}",
        f"notification_rules:{person['id']}",
        f"notification_rules:{person['id']}/push",
    }
    expected = " ".join(row["expected"] for row in read_list(again) if row["kind"] == "notification_rules")
    assert "PagerDuty waits 7 min before the first notification" in expected
    sheets = {name: read_sheet(again, name) for name in ("contact_details", "notification_rules")}
    assert {row["person"] for rows in sheets.values() for row in rows} == {"Lin Zhao"}
    assert "'+12125550199" in {row["address"] for row in sheets["contact_details"]}
    assert sorted(path.name for path in (again / "handover").iterdir()) == [
        "checklist.html",
        "contact_details.csv",
        "handover.csv",
        "notification_rules.csv",
        "people",
        "tables",
    ]
    [letter] = (again / "handover" / "people").iterdir()
    assert "+12125550199" in letter.read_text()
    assert "has push at minute 7" in letter.read_text()
    assert "lists the mobile app" not in letter.read_text()  # asked for before, and not changed
    assert main(["handover", str(folder), "--all", "--to", str(tmp_path / "all")]) == 0
    whole = list(csv.DictReader((tmp_path / "all" / "contact_details.csv").read_text().splitlines()))
    assert len(whole) == len(read_sheet(first, "contact_details"))


def read_sheet(reports, name):
    return list(csv.DictReader((reports / "handover" / f"{name}.csv").read_text().splitlines()))


def test_a_tick_is_remembered_with_who_and_shown(handed, tmp_path, capsys):
    folder, *_, reports = handed
    key = next(row["key"] for row in read_list(reports) if row["kind"] == "schedules")
    picture = tmp_path / "harness shows.png"
    picture.write_bytes(b"picture")
    assert main(["handover", str(folder), "--done", key, "--by", "ann", "--evidence", str(picture)]) == 0
    assert {row["key"]: row["done"] for row in read_list(reports)}[key] == "yes"
    assert "ann" in (reports / "handover" / "checklist.html").read_text()
    assert len(list((folder / "evidence").iterdir())) == 1
    assert f"{key} " not in capsys.readouterr().out
    assert main(["handover", str(folder), "--undone", key]) == 0
    assert {row["key"]: row["done"] for row in read_list(reports)}[key] == "no"
    assert main(["handover", str(folder), "--done", "schedules:NONE"]) == 2


def test_people_who_tick_at_once_lose_no_tick(handed):
    workspace = Workspace(handed[0])
    items, now = read_items(workspace), datetime(2026, 11, 23, tzinfo=UTC)
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda item: tick_item(workspace, item, "ann", now), items[:60]))
    assert {item.key for item in items[:60]} <= {item.key for item in read_items(workspace) if item.tick}
    for item in items[:60]:
        untick_item(workspace, item.key)


def test_everything_can_be_written_anew(handed, tmp_path):
    folder, *_, reports = handed
    assert main(["handover", str(folder), "--all", "--to", str(tmp_path / "all")]) == 0
    again = list(csv.DictReader((tmp_path / "all" / "handover.csv").read_text().splitlines()))
    assert [row["key"] for row in again] == [row["key"] for row in read_list(reports)]


# --- Terraform ---


def test_with_terraform_groups_and_users_are_files_and_nothing_is_written(tmp_path):
    folder = make_corner(tmp_path / "acme", CORNER)
    settings = Workspace(folder).settings_file
    write_text(settings, settings.read_text().replace("terraform: false", "terraform: true"))
    assert read_settings(settings).rules.terraform
    decided, loaded, _, reports = run(folder, "one")
    written = {d.action.kind for d in loaded.done if d.outcome == "created"}
    assert written == {"services"}
    made = json.loads((reports / "handover" / "terraform" / "main.tf.json").read_text())
    groups, users = (made["resource"][f"harness_platform_{name}"] for name in ("usergroup", "user"))
    assert len(groups) == sum(a.kind == "teams" and a.verb == "handover" for a in decided.plan.actions)
    assert len(groups) > 1 < len(users)
    assert len(users) == sum(a.kind == "users" and a.verb == "handover" for a in decided.plan.actions)
    assert all(row["org_id"] == "default" and "@" in row["email"] for row in users.values())
    assert all("users" not in row and isinstance(row["user_emails"], list) for row in groups.values())
    check_by_terraform(reports / "handover" / "terraform", made)
    for kind, counts in decided.draft.count_kinds().items():
        assert sum(counts.values()) == 2 * counts["in_source"], kind


def check_by_terraform(folder, made):
    """Every group that a user names is in the file; and Terraform itself reads it, where it is installed."""
    groups = made["resource"]["harness_platform_usergroup"]
    named = [group for row in made["resource"]["harness_platform_user"].values() for group in row["user_groups"]]
    assert named
    for group in named:
        found = re.fullmatch(r"\$\{harness_platform_usergroup\.([A-Za-z0-9_]+)\.identifier\}", group)
        assert found.group(1) in groups if found else group in ("platform",), group
    terraform = shutil.which("terraform")
    if terraform:
        done = subprocess.run([terraform, "providers"], cwd=folder, capture_output=True, text=True, check=False)
        assert (done.returncode, "harness/harness]" in done.stdout) == (0, True), done.stderr


def test_a_user_with_several_roles_is_said_to_get_one_by_terraform(tmp_path):
    folder = make_corner(tmp_path / "acme", CORNER)
    settings = Workspace(folder).settings_file
    text = settings.read_text().replace("terraform: false", "terraform: true")
    write_text(settings, text.replace("invite_roles: []", "invite_roles: [_project_viewer, responder]"))
    with open_job(folder, folder / "reports" / "one") as job:
        preview(job)
        finish(job, conflicts(job))
        finish(job, load(job, "all"))
    row = next(row for row in read_list(folder / "reports" / "one") if row["kind"] == "users")
    assert row["expected"].endswith("Give the other roles by hand: responder.")


def test_terraform_takes_a_text_for_a_text():
    from pdmigrate.handover.objects import make_terraform
    from pdmigrate.plan.actions import Action

    fields = {"name": "Pay", "description": "costs ${var.x} and %{if}", "users": ["a@e.com"]}
    made = make_terraform([Action("handover", "teams", "PT1", "pay_PT1", "Pay", None, fields)], [], "o", "p")
    assert made["resource"]["harness_platform_usergroup"]["pay_PT1"]["description"] == "costs $${var.x} and %%{if}"
    assert "harness_platform_user" not in made["resource"]


@pytest.mark.parametrize(
    "days, seconds, words",
    [
        (range(1, 8), 28800, "Only every day from 09:00:00 to 17:00:00"),
        (range(1, 6), 3600, "Only Monday to Friday from 09:00:00 to 10:00:00"),
        ((1, 2), 57600, "Only Monday, Tuesday from 09:00:00 to 01:00:00 the next day"),
        ((5,), 228600, "Only Friday from 09:00:00 to Monday 00:30:00"),
        ((1, 3), 5400, "Only Monday, Wednesday from 09:00:00 to 10:30:00"),
    ],
)
def test_a_rotation_is_said_as_a_form_asks(days, seconds, words):
    windows = [{"day": day, "start": "09:00:00", "seconds": seconds} for day in days]
    rotation = {"name": "r", "participants": ["a@e.com", None], "anchor": "2024-01-01T09:00:00", "turn_seconds": 604800}
    rotation = Rotation.model_validate({**rotation, "windows": windows, "since": "2024-01-01T09:00:00Z"})
    start = "Turns of 1 week, the first from Monday 2024-01-01 09:00:00 UTC: a@e.com, (nobody)"
    early, late = (datetime(year, 6, 1, tzinfo=UTC) for year in (2023, 2024))
    assert describe_rotation(rotation, "UTC", early) == f"{start}. {words}. Since 2024-01-01 09:00:00 UTC"
    assert describe_rotation(rotation, "UTC", late) == f"{start}. {words}"


def test_the_page_of_a_run_leads_to_its_checklist(handed):
    reports = Path(handed[4])
    assert 'href="handover/checklist.html"' in (reports / "load.html").read_text()
