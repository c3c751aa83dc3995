"""One folder of recorded answers is one account, whatever door it comes in by; and what was not read is never "none"."""

import json
from contextlib import contextmanager
from datetime import timedelta

import pytest
from source_http import DATA, NOW, QUICK, company

from pdmigrate import open_job
from pdmigrate.cli.rota import read_schedule
from pdmigrate.errors import UsageError
from pdmigrate.pagerduty.account import dump_record
from pdmigrate.pagerduty.client import FetchOptions
from pdmigrate.pagerduty.rota import find_foreign
from pdmigrate.sandbox.accounts import load_account
from pdmigrate.workspace.settings import make_workspace
from pdmigrate.workspace.snapshots import save_snapshot

DAYS = timedelta(days=56)
RECORDED = ["recorded-account", *sorted(str(path.relative_to(DATA)) for path in DATA.glob("cases/*/account"))]


@contextmanager
def opened(tmp_path, kind, folder):
    make_workspace(tmp_path / kind, {"name": "doors", "source": kind, "snapshot": str(folder)})
    with open_job(tmp_path / kind, clock=lambda: NOW) as job:
        yield job


def read_embedded(tmp_path, folder):
    with opened(tmp_path, "embedded", folder) as job:
        job.source.transport.patience = QUICK
        return job.source.fetch(FetchOptions(job.read_subdomain(), NOW, DAYS)).account


def read_recorded(tmp_path, folder):
    with opened(tmp_path, "snapshot", folder) as job:
        return job.read_source_snapshot().account


def describe(account):
    """All that is known of an account, kind by kind."""
    kinds = ("users", "teams", "schedules", "schedules_v3", "policies", "services")
    records = {kind: {id: dump_record(record) for id, record in getattr(account, kind).items()} for kind in kinds}
    said = [one.model_dump() for one in (*account.problems, *account.remarks)]
    return {**records, "said": said, "subdomain": account.subdomain, "hidden": account.hidden}


def check_rota(tmp_path, folder, account):
    """The command's door takes one schedule: the same record, or a refusal where the account has a problem."""
    broken = {problem.id for problem in account.problems}
    for row in load_account(folder)["schedules"]:
        file = tmp_path / f"{row['id']}.json"
        file.write_text(json.dumps({"schedule": row}))
        if row["id"] in broken:
            with pytest.raises(UsageError):
                read_schedule(file)
        else:
            assert dump_record(read_schedule(file)) == dump_record(account.schedules[row["id"]])


@pytest.mark.parametrize("name", RECORDED)
def test_every_door_gives_the_same_account(tmp_path, name):
    folder = DATA / name
    embedded, recorded = read_embedded(tmp_path, folder), read_recorded(tmp_path, folder)
    assert describe(embedded) == describe(recorded)
    assert embedded.digest == recorded.digest
    check_rota(tmp_path, folder, recorded)


def record_untidy(folder):
    """A recorded account of which each part is missing somewhere, and a file of overrides beside it."""
    document = company()
    first, second, third, fourth, fifth = (dict(row) for row in document["schedules"][:5])
    swaps = [
        {"start": "2025-11-01T00:00:00Z", "end": "2025-11-02T00:00:00Z", "user": {"id": "PUSER01"}},
        {"start": "2025-11-01T12:00:00Z", "end": "2025-11-03T00:00:00Z", "user": {"id": "PUSER02"}},
        {"start": "2019-01-01T00:00:00Z", "end": "2019-01-02T00:00:00Z", "user": {"id": "PUSER03"}},
        {"start": "2025-12-02T00:00:00Z", "end": "2025-12-01T00:00:00Z", "user": {"id": "PUSER03"}},
    ]
    del second["schedule_layers"]
    third["overrides_subschedule"] = {"rendered_schedule_entries": [], "rendered_coverage_percentage": None}
    fourth["overrides_subschedule"] = {"rendered_schedule_entries": swaps[:1], "rendered_coverage_percentage": None}
    fifth["time_zone"] = "Asia/Tokyo"
    fifth["schedule_layers"][0]["restrictions"] = [
        {"type": "daily_restriction", "start_time_of_day": "09:00:00", "duration_seconds": 3600, "start_day_of_week": 0}
    ]
    shifts = [{k: v for k, v in row.items() if k != "overrides"} for row in document["schedules_v3"]]
    shifts.append({"id": "PREFER", "name": "A reference", "time_zone": "UTC"})
    kinds = {kind: document[kind] for kind in ("users", "teams", "escalation_policies", "services")}
    kinds |= {"schedules": [first, second, third, fourth, fifth]}
    members = {id: {"members": rows} for id, rows in document["team_members"].items()}
    members.pop("PTEAM02")
    folder.mkdir()
    for kind, rows in kinds.items():
        (folder / f"{kind}.json").write_text(json.dumps({kind: rows}))
    (folder / "schedules_v3.json").write_text(json.dumps({"schedules": shifts}))
    (folder / "team_members.json").write_text(json.dumps(members))
    (folder / "overrides.json").write_text(json.dumps({first["id"]: {"overrides": swaps}}))
    return folder


def test_every_door_knows_what_the_answers_do_not_say(tmp_path):
    folder = record_untidy(tmp_path / "account")
    embedded, recorded = read_embedded(tmp_path, folder), read_recorded(tmp_path, folder)
    assert describe(embedded) == describe(recorded)
    assert embedded.digest == recorded.digest
    check_rota(tmp_path, folder, recorded)
    first, second, third, fourth, _ = (row["id"] for row in load_account(folder)["schedules"])
    assert {one.id for one in recorded.problems} == {second, "PREFER"}
    assert [len(recorded.schedules[id].overrides) for id in (first, fourth)] == [4, 1]
    unread = {(one.kind, one.id) for one in recorded.remarks if "were not read" in one.message}
    assert {("schedules", third), ("teams", "PTEAM02")} < unread
    assert {("schedules", first), ("schedules", fourth)} & unread == set()
    assert recorded.schedules_v3["PSHIFT01"].unread == ("overrides",)


def test_a_snapshot_of_it_is_the_same_account_again(tmp_path):
    folder = record_untidy(tmp_path / "account")
    with opened(tmp_path, "embedded", folder) as job:
        snapshot = job.source.fetch(FetchOptions(job.read_subdomain(), NOW, DAYS))
    save_snapshot(tmp_path / "own.json.gz", snapshot)
    with opened(tmp_path / "again", "embedded", tmp_path / "own.json.gz") as job:
        again = job.source.fetch(FetchOptions(job.read_subdomain(), NOW, DAYS))
    assert describe(again.account) == describe(snapshot.account)
    assert again.digest == snapshot.digest


def test_windows_of_another_zone_are_one_doubt_by_every_door(tmp_path):
    """The embedded PagerDuty serves them as they were recorded, and renders nothing of which it knows nothing."""
    document = company()
    [row] = [one for one in document["schedules"] if one["time_zone"] == "Europe/Berlin"][:1] or document["schedules"][
        :1
    ]
    window = {"type": "daily_restriction", "start_time_of_day": "00:00:00", "duration_seconds": 28_800}
    times = dict.fromkeys(("start", "rotation_virtual_start"), "2025-09-01T00:00:00-07:00")
    row = {**row, "time_zone": "Europe/Berlin", "schedule_layers": [row["schedule_layers"][0] | times]}
    row["schedule_layers"][0]["restrictions"] = [window]
    folder = tmp_path / "account"
    folder.mkdir()
    (folder / "users.json").write_text(json.dumps({"users": document["users"]}))
    (folder / "schedules.json").write_text(json.dumps({"schedules": [row]}))
    for account in (read_embedded(tmp_path, folder), read_recorded(tmp_path, folder)):
        [found] = account.schedules.values()
        assert find_foreign(found.time_zone, found.schedule_layers) is not None
        assert found.schedule_layers[0].restrictions[0].start_time_of_day == "00:00:00"
        assert found.final_schedule is None
