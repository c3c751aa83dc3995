"""The journal: the intent before a request, the result after it, and what each object is called in Harness."""

import sqlite3
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from pdmigrate.errors import SettingsError
from pdmigrate.plan.actions import Action, make_plan
from pdmigrate.workspace.journal import Journal

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)


def plan(name):
    """A plan that is told from others by its source."""
    return make_plan(name, "acc/org/proj", [])


D1, D2 = plan("d1"), plan("d2")


def action(key="PT1", after=("a",), verb="create", kind="teams"):
    fields = None if after is None else {"name": "Päyments", "users": list(after)}
    return Action(verb, kind, key, f"payments_{key}", "Päyments", None, fields, (key,))


@pytest.fixture
def open_journal(tmp_path):
    """Open the one journal, as any process would; all are closed after the test."""
    opened = []

    def open_it(source="acme"):
        opened.append(Journal(tmp_path / "new" / "journal.sqlite", source))
        return opened[-1]

    yield open_it
    for journal in opened:
        journal.close()


@pytest.fixture
def journal(open_journal):
    return open_journal()


def test_what_is_done_is_in_the_ledger_as_it_was_left(journal, open_journal):
    load = journal.start_load(D1, NOON)
    journal.record(load, action(), "intended", NOON)
    assert journal.ledger() == {}
    journal.record(load, action(), "done", NOON)
    entry = open_journal().ledger()[("teams", "PT1")]
    assert (entry.identifier, entry.name, entry.synced) == (
        "payments_PT1",
        "Päyments",
        {"name": "Päyments", "users": ["a"]},
    )


@pytest.mark.parametrize("state", ["intended", "failed", "skipped"])
def test_what_is_not_done_is_not_in_the_ledger(journal, state):
    journal.record(journal.start_load(D1, NOON), action(), state, NOON, "why")
    assert journal.ledger() == {}


def test_a_failure_leaves_what_was_last_written(journal):
    load = journal.start_load(D1, NOON)
    journal.record(load, action(after=("a",)), "done", NOON)
    journal.record(load, action(after=("a", "b"), verb="update"), "failed", NOON, "500")
    assert journal.ledger()[("teams", "PT1")].synced["users"] == ["a"]


def test_an_update_takes_the_place_of_what_was_written_before(journal):
    load = journal.start_load(D1, NOON)
    for users in (("a",), ("a", "b")):
        journal.record(load, action(after=users), "done", NOON)
    assert len(journal.ledger()) == 1
    assert journal.ledger()[("teams", "PT1")].synced["users"] == ["a", "b"]


def test_what_is_taken_back_leaves_the_ledger(journal):
    load = journal.start_load(D1, NOON)
    journal.record(load, action(kind="overrides"), "done", NOON)
    journal.record(load, action(kind="overrides", after=None, verb="update"), "done", NOON)
    assert journal.ledger() == {}


def test_the_latest_step_of_an_action_is_its_state(journal):
    load = journal.start_load(D1, NOON)
    journal.record(load, action(), "intended", NOON)
    journal.record(load, action("PT2"), "intended", NOON)
    journal.record(load, action(), "failed", NOON + timedelta(seconds=1), "500")
    states = journal.states(load)
    assert {name: (step.state, step.note) for name, step in states.items()} == {
        "teams:PT1": ("failed", "500"),
        "teams:PT2": ("intended", ""),
    }
    assert journal.states(load + 1) == {}


def test_an_unfinished_load_goes_on_and_a_finished_one_does_not(journal, open_journal):
    assert journal.unfinished() is None
    first = journal.start_load(D1, NOON)
    assert journal.unfinished() == (first, D1)
    assert open_journal().start_load(D1, NOON) == first
    second = journal.start_load(D2, NOON)
    assert second != first
    journal.finish_load(second, NOON)
    assert journal.unfinished() is None
    again = journal.start_load(D2, NOON)
    assert again not in (first, second)
    assert journal.unfinished() == (again, D2)


def test_accounts_are_kept_apart(journal, open_journal):
    journal.record(journal.start_load(D1, NOON), action(), "done", NOON)
    other = open_journal("globex")
    assert other.ledger() == {}
    assert other.other_sources() == ["acme"]
    assert journal.other_sources() == []
    other.record(other.start_load(D2, NOON), action(after=("z",)), "done", NOON)
    assert journal.ledger()[("teams", "PT1")].synced["users"] == ["a"]


def test_a_journal_of_another_version_is_refused(journal, open_journal, tmp_path):
    with sqlite3.connect(tmp_path / "new" / "journal.sqlite") as connection:
        connection.execute("update about set version = 99")
    connection.close()
    with pytest.raises(SettingsError, match="version 99"):
        open_journal()


def test_a_journal_is_in_its_folder_whatever_that_is_called(tmp_path):
    folder = tmp_path / "100% sure? yes#1 ünï"
    Journal(folder / "journal.sqlite", "acme").close()
    assert [path.name for path in tmp_path.iterdir()] == [folder.name]
    assert (folder / "journal.sqlite").stat().st_size
    assert (folder / "journal.sqlite").stat().st_mode & 0o777 == 0o600


def test_a_look_waits_for_no_writer_and_leaves_the_file_as_it_is(journal, open_journal, tmp_path):
    """A load writes while somebody asks for the status: what is written and not yet whole is not seen."""
    journal.record(journal.start_load(D1, NOON), action(), "intended", NOON)
    path = tmp_path / "new" / "journal.sqlite"
    before = path.stat().st_mtime_ns
    with closing(sqlite3.connect(path)) as load:
        load.execute("begin immediate")
        load.execute("update steps set state = 'done'")
        assert open_journal().states(1)["teams:PT1"].state == "intended"
    assert path.stat().st_mtime_ns == before


def record_together(journal, load, last):
    with journal.together():
        journal.record(load, action(), "done", NOON)
        last()


def test_a_step_that_fails_half_way_leaves_nothing_of_what_is_written_together(journal):
    load = journal.start_load(D1, NOON)
    journal.record(load, action(), "intended", NOON)
    unwritable = replace(action("PT2"), synced={"users": object()})
    with pytest.raises(TypeError):
        record_together(journal, load, lambda: journal.record(load, unwritable, "done", NOON))
    assert {id: step.state for id, step in journal.states(load).items()} == {"teams:PT1": "intended"}
    assert journal.ledger() == {}


def test_what_is_written_together_is_written_whatever_stops_it(journal):
    def stop():
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        record_together(journal, journal.start_load(D1, NOON), stop)
    assert set(journal.ledger()) == {("teams", "PT1")}
