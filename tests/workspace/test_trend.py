"""What the journal keeps of each run of verify and replay: rows of a journal from before, faked ones, damaged ones."""

import sqlite3
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from pdmigrate.plan.actions import make_plan
from pdmigrate.workspace.journal import Journal
from pdmigrate.workspace.trend import Measured, pack

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
NIGHT = Measured("verify", NOON.isoformat(), "acme", run="reports/1", figures={"services": {"same": 14, "nobody": 11}})


def read(path):
    with Journal(path, "acme").opened() as journal:
        return journal.measured()


def keep(path, measured):
    with Journal(path, "acme").opened() as journal:
        journal.measure(measured)


def change(path, *statements):
    with closing(sqlite3.connect(path)) as base:
        for statement in statements:
            base.execute(*statement)
        base.commit()


def test_a_journal_from_before_the_trend_goes_on_and_gets_it_with_the_first_row(tmp_path):
    path = tmp_path / "journal.sqlite"
    with Journal(path, "acme").opened() as journal:
        journal.start_load(make_plan("d", "t", []), NOON)
    assert "trend" not in tables_of(path), "as every journal was that an earlier version made"
    assert read(path) == []
    assert "trend" not in tables_of(path), "a look changes nothing"
    keep(path, NIGHT)
    assert len(read(path)) == 1
    with Journal(path, "acme").opened() as journal:
        assert len(journal.runs()) == 1


def tables_of(path):
    with closing(sqlite3.connect(path)) as base:
        return {name for (name,) in base.execute("select name from sqlite_master where type = 'table'")}


FAKE = pack(replace(NIGHT, figures={"services": {"same": 25}}))["measured"]


@pytest.mark.parametrize(
    "statement, why",
    [
        (("update trend set measured = ? where id = 2", (FAKE,)), "it is not what was written"),
        (("update trend set measured = replace(measured, '14', '25') where id = 2",), "it is not what was written"),
        (("update trend set measured = x'ff00' where id = 2",), "it is not what was written"),
        (("update trend set measured = 7 where id = 2",), "it is not what was written"),
        (("update trend set checksum = '' where id = 2",), "it is not what was written"),
    ],
)
def test_a_row_that_was_faked_or_damaged_is_named_and_the_others_stay(tmp_path, statement, why):
    path = tmp_path / "journal.sqlite"
    for day in (21, 22, 23):
        keep(path, replace(NIGHT, at=f"2026-11-{day}T12:00:00+00:00"))
    change(path, statement)
    rows = read(path)
    assert rows[1] == (2, why)
    assert [row.at[8:10] for _, row in rows[::2]] == ["21", "23"]


@pytest.mark.parametrize(
    "said, why",
    [
        ({"at": "2026-11-23T12:00"}, "at: is no moment with its zone"),
        ({"run": "../../etc"}, "run: leads out of the workspace"),
        ({"zone": "Mars/Olympus"}, "zone: is no time zone"),
        ({"figures": {"services": {"same": -1}}}, "figures.services.same: "),
        ({"figures": {"services": {"same": 10**12}}}, "figures.services.same: "),
        ({"figures": {"services": 25}}, "figures.services: "),
        ({"step": "dance"}, "step: "),
    ],
)
def test_a_row_with_a_checksum_of_its_own_is_read_by_its_form(tmp_path, said, why):
    path = tmp_path / "journal.sqlite"
    keep(path, NIGHT)
    change(path, ("update trend set measured = :measured, checksum = :checksum", pack(replace(NIGHT, **said))))
    [(_, told)] = read(path)
    assert isinstance(told, str)
    assert told.startswith(why)
