"""One folder of recorded answers is one account, whatever door it comes in by; and what was not read is never "none"."""

import json
from contextlib import contextmanager
from datetime import timedelta

import pytest
from source_http import NOW, QUICK, find_shared

from pdmigrate import open_job
from pdmigrate.asking import read_schedule
from pdmigrate.errors import UsageError
from pdmigrate.newcomer import make_workspace
from pdmigrate.pagerduty.account import dump_record
from pdmigrate.pagerduty.client import Reading
from pdmigrate.sandbox.accounts import load_account

DAYS = timedelta(days=56)


def list_folders():
    """Every recorded account of ../shared; one name where there is none, so that the test says what is missing."""
    import source_http

    cases = sorted(path.parent for path in source_http.SHARED.glob("cases/*/account/schedules.json"))
    found = [str(path.relative_to(source_http.SHARED)) for path in cases]
    return ["recorded-account", *found]


@contextmanager
def opened(tmp_path, kind, folder):
    make_workspace(tmp_path / kind, {"name": "doors", "source": kind, "snapshot": str(folder)})
    with open_job(tmp_path / kind, clock=lambda: NOW) as job:
        yield job


def read_embedded(tmp_path, folder):
    with opened(tmp_path, "embedded", folder) as job:
        job.source.transport.patience = QUICK
        return job.source.fetch(Reading(job.subdomain, NOW, DAYS)).account


def read_recorded(tmp_path, folder):
    with opened(tmp_path, "snapshot", folder) as job:
        return job.read_source_snapshot().account


def tell(account):
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


@pytest.mark.parametrize("name", list_folders())
def test_every_door_gives_the_same_account(tmp_path, name):
    folder = find_shared(name)
    embedded, recorded = read_embedded(tmp_path, folder), read_recorded(tmp_path, folder)
    assert tell(embedded) == tell(recorded)
    assert embedded.digest == recorded.digest
    check_rota(tmp_path, folder, recorded)
