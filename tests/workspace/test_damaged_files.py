"""Files of a workspace that are cut short, of another shape, or too much: one line that names the file and the field."""

import gzip
import json
import sqlite3
import time
from contextlib import closing
from datetime import UTC, datetime

import pytest
import sqlalchemy as sa

from pdmigrate.errors import RefusedError, SettingsError, WorkspaceHeldError
from pdmigrate.plan.actions import Action, make_plan, plan_to_json
from pdmigrate.runs.evidence import seal_run
from pdmigrate.runs.finish import refresh_handovers
from pdmigrate.runs.publish import publish
from pdmigrate.runs.summary import read_results, write_run
from pdmigrate.steps.job import open_job
from pdmigrate.workspace import database
from pdmigrate.workspace.cells import read_people_file
from pdmigrate.workspace.decisions import read_decisions
from pdmigrate.workspace.folder import Workspace
from pdmigrate.workspace.hold import hold
from pdmigrate.workspace.journal import Journal
from pdmigrate.workspace.settings import make_workspace, read_settings
from pdmigrate.workspace.snapshots import load_snapshot
from pdmigrate.workspace.survey import load_survey

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
NO_PATH = "name: a\nsource: {kind: snapshot, snapshot: " + "x" * 999 + "}\ntarget: {kind: embedded}"
DEEP = "[" * 5_000 + "]" * 5_000


def action(**said):
    fields = {"identifier": "payments", "name": "Payments", "users": ["ann@example.com"]}
    return Action("create", "teams", "PT1", "payments", "Payments", None, fields, ("PT1",))


def saved_plan():
    return json.loads(json.dumps(plan_to_json(make_plan("source", "acc/org/proj", [action()]))))


def say_page(**said):
    """A state with one test page that was sent."""
    words = dict.fromkeys(("service", "name", "identifier", "token", "title", "way", "by", "plan"), "x")
    return json.dumps({"pages": [{**words, "asking": 1, "intended": 1, "dues": [], **said}]})


# --- what the steps leave ---


@pytest.mark.parametrize(
    "name, text, words",
    [
        ("plan", '{"source": "a', "state/plan.json is damaged .it is no JSON near line 1.: run conflicts again"),
        ("plan", DEEP, "it is nested 5000 deep"),
        ("plan", "[]", "the whole: "),
        ("plan", '{"source": "a", "target": "b", "actions": ["x"], "held": []}', r"actions\.0"),
        ("snapshot", '{"digest": "a", "subdomain": "b"}', "file is missing.: run preview again"),
        ("snapshot", '{"file": "../../x", "digest": "a", "subdomain": "b"}', "file: "),
        ("guards", '{"plan": "a", "refusals": ["x"]}', r"refusals\.0"),
        ("handover", '{"items": [{"key": "a"}]}', r"items\.0\.kind is missing"),
        ("handover", '{"files": {"texts": {"../a": "x"}}}', "no place in the folder"),
        ("handover_ticks", '{"a": "x"}', "a: .*restore it from a copy"),
        ("handover_given", '{"a": {"digest": "x"}}', "a.folder is missing"),
        ("people", '[{"id": "P1", "state": "pending", "since": "2026-02-30"}]', r"0\.since"),
        ("people", '[{"id": "P1", "state": "pending", "since": 0}]', r"0\.since"),
        (
            "people",
            '[{"id": "P1", "state": "pending", "since": "2026-11-02"}]',
            r"0\.since: is no moment with its zone",
        ),
        ("access", '{"subdomain": "a", "target": "b", "oncall": "no"}', "oncall: "),
        ("strays", "[1]", "0: "),
        ("access", '{"subdomain": "a\\ud83d", "target": "b"}', "subdomain holds half of a sign"),
        ("asked", '{"a": 9' + "9" * 400 + "}", "401 digits"),
        ("live", '{"pages": ["x"]}', r"pages\.0: .*restore it from a copy"),
        ("live", say_page(intended=10**18), r"pages\.0\.intended: "),
        ("live", say_page(intended=-1), r"pages\.0\.intended: "),
        ("live", say_page(ticked_at=10**18), r"pages\.0\.ticked_at: "),
        ("live", say_page(seen={"created": 10**18}), r"pages\.0\.seen\.created: "),
        ("live", say_page(dues=[{"level": 0, "person": "ann", "minute": 10**18}]), r"pages\.0\.dues\.0\.minute: "),
        ("parallel", '{"since": "2026-11-02"}', r"since: is no moment with its zone"),
        ("replay", '{"since": 1}', r"since: "),
    ],
)
def test_a_damaged_state_names_the_field_and_the_step_that_makes_it_anew(tmp_path, name, text, words):
    path = Workspace(tmp_path).state_file(name)
    path.parent.mkdir()
    path.write_text(text)
    with pytest.raises(SettingsError, match=words) as raised:
        Workspace(tmp_path).find_state(name)
    assert "\n" not in str(raised.value)


def test_a_saved_plan_whose_fields_make_no_record_is_damaged(tmp_path):
    plan = saved_plan()
    plan["actions"][0]["after"]["users"] = "ann"
    Workspace(tmp_path).save_state("plan", plan)
    with pytest.raises(SettingsError, match=r"actions\.0\.after\.users: "):
        Workspace(tmp_path).load_state("plan", "conflicts")
    Workspace(tmp_path).save_state("plan", saved_plan())
    assert Workspace(tmp_path).load_state("plan", "conflicts") == saved_plan()


def test_a_damaged_result_counts_as_failed_and_the_run_has_its_pages(tmp_path):
    whole = {"step": "connect", "status": "done", "exit_code": 0, "error": "", "seconds": 1}
    card = {"title": "a", "lead": "b", "status": "done", "figures": ["x"]}
    (tmp_path / "results").mkdir()
    for step, text in {
        "connect": json.dumps(whole | {"card": card}),
        "preview": json.dumps(whole | {"exit_code": 999}),
        "invite": json.dumps(whole | {"source": {"requests": "many"}}),
        "conflicts": DEEP,
        "load": "[]",
        "verify": json.dumps(whole | {"step": "verify", "at": "a\u202eb"}),
    }.items():
        (tmp_path / "results" / f"{step}.json").write_text(text)
    results = read_results(tmp_path)
    assert {step: result["exit_code"] for step, result in results.items()} == dict.fromkeys(results, 1)
    assert write_run("acme", tmp_path, results, NOON)["exit_code"] == 1


def test_a_result_is_taken_as_its_form_reads_it(tmp_path):
    """Keys that no form knows, and a number written as a text, break nobody behind the door."""
    figure = {"label": "a", "value": "b", "key0": 1}
    card = {"title": "a", "lead": "b", "status": "done", "figures": [figure]}
    said = {"step": "connect", "status": "done", "exit_code": "3", "error": "", "seconds": 1, "card": card, "more": 1}
    (tmp_path / "results").mkdir()
    (tmp_path / "results" / "connect.json").write_text(json.dumps(said))
    assert write_run("acme", tmp_path, read_results(tmp_path), NOON)["exit_code"] == 3


def test_a_damaged_page_is_not_published_and_what_was_stays(tmp_path):
    run, shared = tmp_path / "run", tmp_path / "shared"
    run.mkdir()
    (run / "stakeholders.html").write_text("<p>first</p>")
    publish(run, shared, ())
    (run / "stakeholders.html").write_bytes(b"<p>\xff</p>")
    with pytest.raises(RefusedError, match=r"stakeholders\.html is damaged .it is no UTF-8.: run verify again"):
        publish(run, shared, ())
    assert (shared / "stakeholders.html").read_text() == "<p>first</p>"


@pytest.mark.parametrize("said", [b"\xff\xfe\x00", DEEP.encode(), b"[]", b'{"who": 1}', b"x" * 100_000])
def test_a_lock_that_says_nothing_of_ours_is_taken(tmp_path, said):
    (tmp_path / ".lock").write_bytes(said)
    with hold(tmp_path / "journal.sqlite", "acme", tmp_path, "load", NOON):
        assert json.loads((tmp_path / ".lock").read_text())["purpose"] == "load"


@pytest.mark.parametrize("said", ["", "[]", '{"account": "a', DEEP, "\ud800"])
@pytest.mark.parametrize("side", ["harness", "pagerduty"])
def test_a_damaged_memory_of_an_embedded_side_is_one_line(tmp_path, side, said):
    make_workspace(tmp_path / "acme", {})
    (tmp_path / "acme" / "sandbox").mkdir()
    (tmp_path / "acme" / "sandbox" / f"{side}.json").write_bytes(said.encode("utf-8", "surrogatepass"))
    with pytest.raises(SettingsError, match=f"{side}.json is damaged.*: remove it"):
        open_job(tmp_path / "acme")


# --- the journal ---


@pytest.fixture
def journaled(tmp_path):
    """A journal with a load that is under way, closed."""
    path = tmp_path / "journal.sqlite"
    with Journal(path, "acme").opened() as journal:
        number = journal.start_load(make_plan("source", "acc/org/proj", [action()]), NOON)
        journal.record(number, action(), "done", NOON)
    return path


def look(path):
    with Journal(path, "acme").opened() as journal:
        journal.runs(), journal.unfinished(), journal.ledger(), journal.states(1)


def change(path, *statements):
    with closing(sqlite3.connect(path)) as base:
        for statement in statements:
            base.execute(statement)
        base.commit()


@pytest.mark.parametrize(
    "statement, words",
    [
        ("alter table steps rename column after to x", r"steps\.after"),
        ("alter table loads drop column plan", r"loads\.plan"),
        ("drop table ledger", "it has no table ledger"),
    ],
)
def test_a_journal_that_could_not_book_what_is_sent_is_refused_when_it_is_opened(journaled, statement, words):
    """The intent needs fewer columns than the result: a load would send, and then stand there."""
    change(journaled, statement)
    with pytest.raises(SettingsError, match=f"The journal is damaged .*{words}"):
        Journal(journaled, "acme")


@pytest.mark.parametrize(
    "statement, words",
    [
        ("update about set version = 'two'", "no version that there ever was"),
        ("update about set version = 0", "no version that there ever was"),
        ("update about set version = 3", "has version 3, this pdmigrate reads up to 2"),
        ("update ledger set synced = '{'", "ledger, PT1: it is no JSON"),
        ("update ledger set synced = '[]'", "ledger, teams PT1: synced: "),
        ("update ledger set synced = '{\"users\": null}'", r"ledger, teams PT1: synced\.users is nothing"),
        ("update ledger set kind = 'films'", "ledger, films PT1: there is no such kind"),
        ("update ledger set synced = '" + DEEP + "'", "nested 5000 deep"),  # noqa: S608 - our own
        ("update steps set after = x'ff00'", "steps, teams:PT1"),
        ("update steps set after = '[1]'", "run 1, step 1: action"),
        ("update steps set kind = 'films'", "run 1, step 1: there is no kind films"),
        ("update steps set verb = 'explode'", "run 1, step 1: action.verb"),
        ("update loads set plan = 'null'", "loads, run 1, plan: "),
        ("update loads set started = x'ff'", "run 1: started"),
        ("update loads set snapshot = '" + "é" * 130 + "'", "run 1: snapshot: is no name of a file"),
        ("update loads set snapshot = '../../x'", "run 1: snapshot: is no name of a file"),
        ("update loads set started = '9999-12-31T23:59'", "run 1: started: is no moment with its zone"),
        ("update loads set started = '9999-12-31T23:59:00+00:00'", "run 1: started: is no moment with its zone"),
        ("update ledger set at = '0001-01-01T00:00:00+00:00'", "ledger, teams PT1: at: is no moment with its zone"),
        ("update ledger set at = '2026'", "ledger, teams PT1: at"),
        ("drop table about", "a database of something else, with the table"),
        ("alter table ledger rename column at to x", "no such column: ledger.at"),
    ],
)
def test_a_damaged_journal_names_the_row(journaled, statement, words):
    change(journaled, statement)
    with pytest.raises(SettingsError, match=words) as raised:
        look(journaled)
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize("whole", [b"no database at all" * 100, b"SQLite format 3\x00" + b"\xff" * 4_000])
def test_a_journal_that_is_no_database_is_said(journaled, whole):
    journaled.write_bytes(whole)
    with pytest.raises(SettingsError, match="The journal is damaged"):
        look(journaled)
    assert journaled.read_bytes() == whole


def test_a_database_of_something_else_stays_as_it_is(tmp_path):
    path = tmp_path / "journal.sqlite"
    change(path, "create table films (title text)")
    before = path.read_bytes()
    with pytest.raises(SettingsError, match="something else, with the table films"):
        look(path)
    assert path.read_bytes() == before


def test_a_journal_that_another_program_holds_is_said(journaled, monkeypatch):
    monkeypatch.setattr(database, "PATIENCE", 0.01)
    with closing(sqlite3.connect(journaled)) as other:
        other.execute("begin exclusive")
        with pytest.raises(WorkspaceHeldError, match="Another program holds the journal"):
            look(journaled)
        other.rollback()


def test_a_journal_that_cannot_be_written_is_said(journaled, monkeypatch):
    with Journal(journaled, "acme").opened() as journal:
        with journal._engine.connect() as connection:
            connection.execute(sa.text("pragma query_only = on"))
            connection.commit()
        with pytest.raises(RefusedError, match=r"cannot be written .*readonly"):
            journal.record(1, action(), "intended", NOON)


# --- files that somebody else made ---


def pack(path, text):
    path.write_bytes(gzip.compress(text if isinstance(text, bytes) else text.encode()))
    return path


@pytest.mark.parametrize(
    "text", [DEEP, "[]", "{}", "null", '{"format": ["x"]}', '{"format": "' + "x" * 9_999 + '"}', b"\xff"]
)
def test_a_survey_or_a_snapshot_of_another_shape_is_damaged(tmp_path, text):
    for load in (load_survey, load_snapshot):
        with pytest.raises(SettingsError, match=r"is damaged|format") as raised:
            load(pack(tmp_path / "x.json.gz", text))
        assert len(str(raised.value)) < 300


@pytest.mark.parametrize(
    "records, words",
    [
        ({"services": {"a": 1}}, "services is no list"),
        ({"rulesets": ["x"]}, r"rulesets\.0 is no object"),
        ({"team_members": {"PT1": "x"}}, r"team_members\.PT1"),
        ({"unread": {"users": 1}}, r"unread\.users"),
        ({"renderings": {"P1": ["x"]}}, r"renderings\.P1\.0"),
    ],
)
def test_a_snapshot_names_the_rows_that_are_none(tmp_path, records, words):
    at = NOON.isoformat()
    head = {"format": 1, "subdomain": "acme", "taken": at, "since": at, "until": at, "requests": 1, "retries": 0}
    with pytest.raises(SettingsError, match=words):
        load_snapshot(pack(tmp_path / "x.json.gz", json.dumps(head | {"records": records})))
    assert load_snapshot(
        pack(tmp_path / "x.json.gz", json.dumps(head | {"records": {"users": ["x"]}}))
    ).account.problems


# --- files that people write ---


@pytest.mark.parametrize(
    "cell, words",
    [
        ("x" * 1_000_000, "people.csv"),
        ('"' + "x" * 1_000_000, "people.csv"),
        ("a" * 400 + "@b", "line 2: a cell of 402 signs"),
    ],
)
def test_a_cell_of_a_megabyte_is_refused(tmp_path, cell, words):
    (tmp_path / "people.csv").write_text(f"pagerduty_email,harness_email\na@example.com,{cell}\n")
    with pytest.raises(SettingsError, match=words) as raised:
        read_people_file(tmp_path / "people.csv")
    assert len(str(raised.value)) < 300


def test_a_column_that_stands_twice_is_asked_about(tmp_path):
    (tmp_path / "people.csv").write_text("pagerduty_email,harness_email,harness_email\na@example.com,b@x.org,c@x.org\n")
    with pytest.raises(SettingsError, match="each once; look at harness_email"):
        read_people_file(tmp_path / "people.csv")


def test_thousands_of_slips_are_told_in_a_line_and_in_time(tmp_path):
    rows = "\n".join(f"- {{conflict: user_not_fuond, object: P{n}, choice: invite, key{n}: 1}}" for n in range(16_000))
    (tmp_path / "decisions.yaml").write_text(f"decisions:\n{rows}\n")
    begun = time.process_time()
    with pytest.raises(SettingsError, match=r"line 2: there is no key decisions\.0\.key0.*; and 15992 more") as raised:
        read_decisions(tmp_path / "decisions.yaml")
    assert time.process_time() - begun < 10
    assert len(str(raised.value)) < 3_000


@pytest.mark.parametrize(
    "text",
    [
        "name: 2026-02-30",
        "name: a\nname: b",
        "name: " + "[" * 999,
        f"? {'x' * 9_999}\n: 1",
        "a: 0x" + "f" * 999,
        NO_PATH,
    ],
)
def test_settings_that_no_yaml_holds_are_one_line(tmp_path, text):
    (tmp_path / "migration.yaml").write_text(text)
    with pytest.raises(SettingsError, match=r"migration\.yaml") as raised:
        read_settings(tmp_path / "migration.yaml")
    assert len(str(raised.value)) < 600


def test_no_message_is_longer_than_a_person_reads():
    assert len(str(RefusedError("x" * 1_000_000))) <= 2_001


def test_a_run_is_sealed_by_the_digest_that_its_plan_has_not_by_the_one_that_a_file_says(tmp_path):
    make_workspace(tmp_path / "acme", {"name": "acme"})
    place = Workspace(tmp_path / "acme")
    said = saved_plan()
    place.save_state("plan", {**said, "digest": [[["x"]]]})
    manifest = json.loads(seal_run(place, place.place_run(tmp_path / "run"), NOON).read_text())
    assert manifest["plan"]["digest"] == said["digest"]


def test_a_folder_whose_name_no_system_takes_is_no_folder_of_a_handover(tmp_path):
    make_workspace(tmp_path / "acme", {"name": "acme"})
    place = Workspace(tmp_path / "acme")
    item = {"key": "teams:PT1", "kind": "teams", "ids": ["PT1"], "name": "Payments"}
    place.save_state("handover", {"items": [item]})
    place.save_state("handover_given", {"teams:PT1": {"folder": "x" * 5_000, "digest": "d"}})
    refresh_handovers(place, "acme", NOON)
