"""Snapshots: one file, readable for ever, without secrets; the recorded account; what two of them differ in; the commands."""

import copy
import gzip
import json
from dataclasses import replace
from datetime import timedelta

import pytest
from small_company import cut_down, edit, read_latest
from source_http import DATA, NOW, company

from pdmigrate import conflicts, connect, finish, open_job, preview
from pdmigrate.cli import main
from pdmigrate.errors import SettingsError
from pdmigrate.pagerduty.compare import compare_accounts
from pdmigrate.sandbox.accounts import load_account
from pdmigrate.sandbox.company import change_company
from pdmigrate.sandbox.pagerduty import DEFAULT_TOKEN
from pdmigrate.workspace.folder import write_packed
from pdmigrate.workspace.snapshots import load_snapshot, save_snapshot


def keys_of(document):
    """Every integration key and routing key of an account."""
    services = [part.get("integration_key") for row in document["services"] for part in row["integrations"]]
    return [key for key in services + [key for row in document["rulesets"] for key in row["routing_keys"]] if key]


def test_a_snapshot_file_says_what_it_is(serve_source, tmp_path):
    snapshot = serve_source(cut_down(company())).fetch()
    save_snapshot(tmp_path / "acme.json.gz", snapshot)
    head = json.loads(gzip.decompress((tmp_path / "acme.json.gz").read_bytes()))
    assert (head["format"], head["subdomain"], head["zone"]) == (2, "acme", "America/New_York")
    assert (head["taken"], head["requests"], head["digest"]) == (NOW.isoformat(), snapshot.requests, snapshot.digest)
    again = load_snapshot(tmp_path / "acme.json.gz")
    assert again == snapshot
    assert again.digest == snapshot.digest


def test_a_damaged_or_later_file_is_refused_and_the_first_format_is_read(serve_source, tmp_path):
    snapshot = serve_source(cut_down(company())).fetch()
    path = tmp_path / "acme.json.gz"
    save_snapshot(path, snapshot)
    data = json.loads(gzip.decompress(path.read_bytes()))
    edited = copy.deepcopy(data)
    edited["records"]["users"][0]["email"] = "someone@else.example"
    write_packed(path, edited)
    with pytest.raises(SettingsError, match="its checksum differs"):
        load_snapshot(path)
    write_packed(path, {**data, "format": 3})
    with pytest.raises(SettingsError, match="has format 3"):
        load_snapshot(path)
    path.write_bytes(b"\x1f\x8bnonsense")
    with pytest.raises(SettingsError, match="is damaged"):
        load_snapshot(path)
    write_packed(path, {k: v for k, v in {**data, "format": 1}.items() if k not in ("checksum", "zone")})
    assert load_snapshot(path).digest == snapshot.digest


def test_keys_stay_out_unless_asked_for_and_never_reach_a_page(serve_source, workspace, tmp_path):
    document = company()
    keys = keys_of(document)
    assert len(keys) > 20
    source = serve_source(document)
    plain, kept = (json.dumps(source.fetch(keep_keys=keep).rows) for keep in (False, True))
    assert not [key for key in keys if key in plain]
    assert all(key in kept for key in keys if not key.startswith("R0"))
    corner = cut_down(document, ("PSERV10", "PSERV14")) | {
        name: document[name] for name in ("rulesets", "event_orchestrations")
    }
    in_corner = keys_of(corner)
    assert len({key[:2] for key in in_corner}) > 1, "of services and of rulesets"
    save_snapshot(tmp_path / "kept.json.gz", serve_source(corner).fetch(keep_keys=True))
    settings = (workspace / "migration.yaml").read_text()
    settings = settings.replace("kind: embedded            # pagerduty", "kind: snapshot            # pagerduty")
    settings = settings.replace("  snapshot: ", f"  snapshot: {tmp_path / 'kept.json.gz'} ", 1)
    (workspace / "migration.yaml").write_text(settings)
    with open_job(workspace, tmp_path / "pages") as job:
        finish(job, connect(job))
        finish(job, preview(job))
    pages = "".join(path.read_text() for path in (tmp_path / "pages").rglob("*.*"))
    assert "Checkout primary" in pages
    assert not [key for key in in_corner if key in pages]


def test_the_recorded_account_and_a_snapshot_of_it_have_one_digest(serve_source, tmp_path):
    folder = DATA / "recorded-account"
    source = serve_source(load_account(folder))
    fetched = source.fetch()
    save_snapshot(tmp_path / "recorded.json.gz", fetched)
    rehearsed = serve_source(load_account(tmp_path / "recorded.json.gz")).fetch()
    plain = replace(fetched, rows=load_account(folder))
    digests = {fetched.digest, load_snapshot(tmp_path / "recorded.json.gz").digest, rehearsed.digest, plain.digest}
    assert len(digests) == 1
    assert fetched.account.hidden == ()


def test_the_digest_does_not_see_time_or_rendering(serve_source):
    source = serve_source(cut_down(company()))
    first = source.fetch(days=7)
    for service in source.document["services"]:
        service["last_incident_timestamp"] = "2025-10-08T00:00:00Z"
    assert source.fetch(days=28).digest == first.digest
    source.document["services"][0]["description"] = "another"
    assert source.fetch(days=7).digest != first.digest


def test_an_incident_that_opens_is_no_change_and_a_service_that_is_switched_off_is_one(serve_source):
    document, digests = cut_down(company()), []
    for status in ("active", "warning", "critical", "maintenance", "disabled"):
        document["services"][0]["status"] = status
        digests.append(serve_source(document).fetch().digest)
    assert len(set(digests[:-1])) == 1
    assert digests[-1] not in digests[:-1]


def test_what_changed_in_the_source_since(serve_source, tmp_path, capsys):
    document = cut_down(company(), ("PSERV05", "PSERV10"))
    before = serve_source(document).fetch()
    change_company(document)
    after = serve_source(document).fetch()
    changes = {(one.kind, one.name): one for one in compare_accounts(before.account, after.account)}
    assert changes["users", "Ben Achebe"].what == "gone"
    assert changes["services", "Loyalty points"].what == "created"
    assert changes["schedules", "Checkout primary"].fields == ("schedule_layers",)
    for name, snapshot in (("a", before), ("b", after)):
        save_snapshot(tmp_path / name, snapshot)
    assert main(["compare", str(tmp_path / "a"), str(tmp_path / "b")]) == 0
    assert "gone     user Ben Achebe (PUSER21)" in capsys.readouterr().out
    assert main(["compare", str(tmp_path / "a"), str(tmp_path / "a")]) == 0
    assert capsys.readouterr().out == "Nothing changed.\n"


def test_the_one_command_that_a_client_runs(serve_source, tmp_path, monkeypatch, capsys):
    source = serve_source(company())
    monkeypatch.setenv("PD_TOKEN", DEFAULT_TOKEN)
    path = tmp_path / "acme.json.gz"
    command = ["snapshot", "--subdomain", "acme", "--base-url", source.server.url, "--to", str(path)]
    assert main(command) == 0
    said = capsys.readouterr().out
    assert "40 users, 8 teams, 20 schedules, 2 shift-based schedules, 15 escalation policies, 25 services" in said
    assert DEFAULT_TOKEN not in said + gzip.decompress(path.read_bytes()).decode()
    assert load_snapshot(path).until - load_snapshot(path).since == timedelta(days=56)
    assert main(["snapshot", "--to", str(path)]) == 2
    assert source.log["refused_methods"] == 0


def test_a_workspace_has_its_snapshot_too(workspace, tmp_path):
    assert main(["snapshot", str(workspace), "--to", str(tmp_path / "own.json.gz")]) == 0
    assert len(load_snapshot(tmp_path / "own.json.gz").account.users) == 40


def test_an_open_job_reads_a_snapshot_once_and_again_when_its_files_are_others(small):
    """Another notebook fetches, or is told of changes of the clock: the next step of this one knows it."""
    first = small.latest_account()
    assert small.latest_account() is first
    [path] = small.workspace.snapshots.iterdir()
    schedule = next(iter(first.schedules))
    rendered = {"since": "2099-01-01T00:00:00+00:00", "until": "2099-01-02T00:00:00+00:00"}
    rendered |= {"rendered_schedule_entries": []}
    small.workspace.save_state("clock_windows", {"file": path.name, "renderings": {schedule: [rendered]}})
    assert list(small.latest_account().renderings) == [schedule]
    with edit(small, "pagerduty") as held:
        held["services"][0]["name"] = "Another name"
    preview(small)
    names = [service.name for service in small.latest_account().services.values()]
    assert "Another name" in names
    (small.workspace.snapshots / small.workspace.find_state("snapshot")["file"]).write_bytes(b"damaged")
    with pytest.raises(SettingsError, match="damaged"):
        small.latest_account()


def test_a_whole_migration_runs_from_a_snapshot_offline(small, tmp_path):
    """No PagerDuty is there any more; the plan is the same as with it."""
    live, workspace = conflicts(small).plan, small.workspace
    save_snapshot(tmp_path / "acme.json.gz", read_latest(small))
    small.close()
    settings = workspace.settings_file.read_text()
    settings = settings.replace("kind: embedded", "kind: snapshot", 1)
    settings = settings.replace("  snapshot: ", f"  snapshot: {tmp_path / 'acme.json.gz'} ", 1)
    workspace.settings_file.write_text(settings)
    with open_job(workspace.folder) as job:
        assert job.source is None
        preview(job)
        assert conflicts(job).plan.source == live.source


def test_handoff_rules_are_counted_when_asked_for(serve_source):
    source = serve_source(company())
    assert "handoff_rules" not in source.fetch().rows
    rows = source.fetch(handoffs=True).rows["handoff_rules"]
    assert len(rows) == 40
    assert source.log["by_path"]["/users/{id}/oncall_handoff_notification_rules"] == 40


def test_orchestrations_of_services_that_suppress_are_listed_when_asked_for(serve_source):
    source = serve_source(company())
    assert "service_orchestrations" not in source.fetch().rows
    asked = source.fetch(service_orchestrations=True)
    assert [row["id"] for row in asked.rows["service_orchestrations"]] == ["PSERV05"]
    assert source.log["by_path"]["/event_orchestrations/services/{id}"] == 25
    assert "1 rule suppresses alerts" in [one.matters for one in asked.account.not_carried if one.id == "PSERV05"]
