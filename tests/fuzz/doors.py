"""The doors by which something comes in, each as a function: it puts a broken form into a workspace and runs steps.

A door is given a trial: its dice, the kind of breakage, and a folder that is a copy of the template's workspace. What
reads or writes in it goes through `trial.run`, which notes what lay there before. A door returns where all of it worked,
and raises what was raised. What an answer of a side says is broken on its way, behind a real server.
"""

import csv
import gzip
import io
import json
import re
import sqlite3
from contextlib import closing

import yaml
from breakage import break_form, put_wrong_type
from source_http import DATA
from template import NOW
from werkzeug.wrappers import Request, Response

from pdmigrate import conflicts, connect, history, invite, load, preview, undo, verify
from pdmigrate.cli.rota import print_on_call
from pdmigrate.cli.status import describe_status
from pdmigrate.handover.folder import describe_handover, open_handover, write_folder
from pdmigrate.runs.evidence import check_evidence, seal_run
from pdmigrate.runs.finish import refresh_handovers
from pdmigrate.runs.publish import publish
from pdmigrate.runs.summary import read_results, write_run
from pdmigrate.workspace.folder import Workspace
from pdmigrate.workspace.journal import Journal
from pdmigrate.workspace.settings import read_settings, resolve_key
from pdmigrate.workspace.snapshots import _checksum, load_snapshot
from pdmigrate.workspace.yaml_lists import DUMPER


def write_json_text(data):
    return json.dumps(data, ensure_ascii=False)


def write_yaml_text(data):
    return yaml.dump(data, Dumper=DUMPER, sort_keys=False, allow_unicode=True, default_flow_style=None)


def write_csv_text(data):
    """Rows of cells; what is no list of lists is written as it is."""
    out = io.StringIO()
    rows = data if isinstance(data, list) else [data]
    csv.writer(out).writerows([row if isinstance(row, list) else [row] for row in rows])
    return out.getvalue()


# --- files that people write ---


def read_broken_settings(trial):
    path = trial.folder / "migration.yaml"
    data = yaml.safe_load(path.read_text())
    data["rules"]["people_file"], data["scope"]["services"] = (
        None,
        ["Checkout"] if trial.random.random() < 0.3 else "all",
    )
    path.write_bytes(break_form(trial.random, trial.kind, data, write_yaml_text))
    trial.run(read_settings, path)
    trial.run(describe_status, Workspace(trial.folder))
    with trial.open() as job:
        trial.run(preview, job)
        trial.run(conflicts, job)


def read_broken_decisions(trial):
    path = trial.folder / "decisions.yaml"
    data = yaml.safe_load(path.read_text())
    data["choices"] = [{"setting": "scope.services", "value": "all", "by": "ann"}]
    data["waivers"] = [
        {"guard": "old_snapshot", "plan": data["approvals"][0]["plan"], "by": "a", "why": "b", "until": "2026-12-01"}
    ]
    path.write_bytes(break_form(trial.random, trial.kind, data, write_yaml_text))
    with trial.open() as job:
        trial.run(conflicts, job)
        trial.run(load, job)


def read_broken_people(trial):
    settings = trial.folder / "migration.yaml"
    settings.write_text(re.sub("people_file:[^\n]*", "people_file: people.csv", settings.read_text()))
    users = trial.template.snapshot["records"]["users"][:12]
    rows = [["pagerduty_email", "harness_email"], *([user["email"], f"h.{user['email']}"] for user in users)]
    (trial.folder / "people.csv").write_bytes(break_form(trial.random, trial.kind, rows, write_csv_text))
    with trial.open() as job:
        trial.run(invite, job)
        trial.run(conflicts, job)


def read_broken_key(trial):
    """What `file:PATH` refers to: a key, or the URL of a journal."""
    path = trial.folder / "key"
    path.write_bytes(break_form(trial.random, trial.kind, trial.random.choice(KEYS), str))
    trial.run(resolve_key, f"file:{path}", oauth=trial.random.random() < 0.3)
    settings = trial.folder / "migration.yaml"
    settings.write_text(re.sub("(?m)^journal:[^\n]*", f"journal: file:{path}", settings.read_text()))
    with trial.open() as job:
        trial.run(conflicts, job)


KEYS = ("pat.account.token.secret", "postgresql+psycopg://ann:word@localhost:1/pdmigrate", "sqlite:///x", "Bearer abc")


# --- files that pdmigrate wrote, and somebody or something changed ---


def read_broken_state(trial):
    path = trial.random.choice(sorted((trial.folder / "state").glob("*.json")))
    path.write_bytes(break_form(trial.random, trial.kind, json.loads(path.read_text()), write_json_text))
    _look(trial)


def read_broken_journal(trial):
    path = trial.folder / "journal.sqlite"
    if trial.kind in ("cut short", "another encoding", "bytes", "another whole"):
        path.write_bytes(break_form(trial.random, trial.kind, None, lambda _: path.read_bytes().decode("latin-1")))
    else:
        with closing(sqlite3.connect(path)) as base:
            _break_row(trial, base)
            base.commit()
    _look(trial)


def _break_row(trial, base):
    """One cell of one row, or a table, a column, the version."""
    table = trial.random.choice(("about", "loads", "steps", "steps", "ledger", "ledger"))
    columns = [row[1] for row in base.execute(f"pragma table_info({table})")]
    if trial.kind == "missing keys" and trial.random.random() < 0.5:
        base.execute(
            f"drop table {table}"
            if trial.random.random() < 0.5
            else f"alter table {table} rename column {columns[-1]} to x"
        )
        return
    if table == "about":
        base.execute("update about set version = ?", [trial.random.choice((0, -1, 1, 3, 10**9, "two", "", 1.5, b"x"))])
        return
    column = trial.random.choice(columns)
    [number, said] = trial.random.choice(base.execute(f"select rowid, {column} from {table}").fetchall())  # noqa: S608
    try:
        data = json.loads(said)
    except (TypeError, ValueError):
        data = said
    whole = break_form(trial.random, trial.kind, data, write_json_text).decode("utf-8", "replace")
    fresh = trial.random.choice((whole, whole, trial.random.choice((None, 1, b"\xff\x00", "", 2.5))))
    base.execute("pragma ignore_check_constraints = on")
    try:
        base.execute(f"update {table} set {column} = ? where rowid = ?", [fresh, number])  # noqa: S608
    except sqlite3.Error:  # what the table itself does not take never gets there
        base.execute("update ledger set synced = '{' where rowid = (select min(rowid) from ledger)")


def read_broken_memory(trial):
    """What an embedded side remembers."""
    path = trial.folder / "sandbox" / trial.random.choice(("pagerduty.json", "harness.json"))
    path.write_bytes(break_form(trial.random, trial.kind, json.loads(path.read_text()), write_json_text))
    with trial.open() as job:
        trial.run(connect, job)
        trial.run(preview, job)
        trial.run(conflicts, job)


def read_broken_results(trial):
    run = trial.folder / "reports" / "by-hand"
    path = trial.random.choice(sorted((run / "results").glob("*.json")))
    path.write_bytes(break_form(trial.random, trial.kind, json.loads(path.read_text()), write_json_text))
    trial.run(lambda: write_run("acme", run, read_results(run), NOW))


def read_broken_manifest(trial):
    run = trial.random.choice(("1", "by-hand"))
    path = trial.folder / "reports" / run / "manifest.json"
    path.write_bytes(break_form(trial.random, trial.kind, json.loads(path.read_text()), write_json_text))
    trial.run(check_evidence, trial.folder)
    trial.run(seal_run, Workspace(trial.folder), trial.folder / "reports" / "by-hand", NOW)


def read_broken_page(trial):
    """What is published."""
    run = trial.folder / "reports" / "1"
    page = str(trial.random.choice(("<p>Ann</p>", '<p title="a@b.example">+44 20 7946 0000</p>', '"a","b"')))
    (run / "stakeholders.html").write_bytes(break_form(trial.random, trial.kind, page, str))
    trial.run(publish, run, trial.folder / "published", ("a key that is long",), mask=trial.random.random() < 0.5)


def read_broken_lock(trial):
    said = {"who": "a", "host": "b", "pid": 1, "since": "2026-11-02", "purpose": "load", "token": "0123"}
    (trial.folder / ".lock").write_bytes(break_form(trial.random, trial.kind, said, write_json_text))
    (trial.folder / ".decisions.yaml.lock").write_bytes(break_form(trial.random, trial.kind, said, write_json_text))
    with trial.open() as job:
        trial.run(load, job)


# --- files that somebody else made ---


def read_broken_snapshot(trial):
    data = trial.template.snapshot | {"format": trial.random.choice((1, 1, 2))}
    if data["format"] == 2 and trial.random.random() < 0.8:  # of one who knows how a checksum is made
        records = json.loads(put_wrong_type(trial.random, data["records"], write_json_text))
        data |= {"records": records, "checksum": _checksum(records)}
    whole = break_form(trial.random, trial.kind, data, write_json_text)
    (trial.folder / "s.json.gz").write_bytes(_pack(whole))
    _choose_source(trial.folder, "s.json.gz")
    trial.run(load_snapshot, trial.folder / "s.json.gz")
    with trial.open() as job:
        trial.run(preview, job)
        trial.run(conflicts, job)


def read_broken_recorded(trial):
    there = trial.folder / "recorded"
    there.mkdir()
    names = sorted(path.name for path in (DATA / "recorded-account").glob("*.json"))
    chosen = trial.random.choice(names)
    for name in names:
        text = (DATA / "recorded-account" / name).read_text()
        whole = (
            break_form(trial.random, trial.kind, json.loads(text), write_json_text) if name == chosen else text.encode()
        )
        (there / name).write_bytes(whole)
    _choose_source(trial.folder, "recorded")
    with trial.open() as job:
        trial.run(preview, job)
        trial.run(conflicts, job)


def read_broken_survey(trial):
    (trial.folder / "survey.json.gz").write_bytes(
        _pack(break_form(trial.random, trial.kind, trial.template.survey, write_json_text))
    )
    settings = trial.folder / "migration.yaml"
    settings.write_text(re.sub("survey:[^\n]*", "survey: survey.json.gz", settings.read_text()))
    with trial.open() as job:
        trial.run(connect, job)
        trial.run(conflicts, job)
        trial.run(verify, job)


def read_broken_schedule(trial):
    """What `pdmigrate rota` is given."""
    records = trial.template.snapshot["records"]
    row = trial.random.choice(records["schedules"] + records["schedules_v3"])
    path = trial.folder / "schedule.json"
    path.write_bytes(break_form(trial.random, trial.kind, {"schedule": row}, write_json_text))
    trial.run(print_on_call, path, "2026-11-02T00:00", "2026-11-09T00:00", None, io.StringIO())


# --- answers of both sides ---


def answer_broken_source(trial):
    with trial.open() as job:
        spoil(job._servers[0].app, SOURCE, trial)
        trial.run(connect, job)
        trial.run(preview, job)
        trial.run(conflicts, job)


def answer_broken_target(trial):
    with trial.open() as job:
        spoil(job._servers[1].app, TARGET, trial)
        trial.run(connect, job)
        trial.run(invite, job)
        trial.run(conflicts, job)
        trial.run(verify, job)


def answer_broken_writes(trial):
    with trial.open() as job:
        trial.loading = True
        spoil(job._servers[1].app, WRITES, trial)
        trial.run(load, job)


SOURCE = ("", "/abilities", "/users", "/teams", "/members", "/schedules", "/v3/", "/escalation_policies", "/services")
SOURCE += ("/event_orchestrations", "/rulesets", "/rules", "/business_services", "/maintenance_windows")
TARGET = ("", "/ng/", "user", "invites", "user-groups", "servicesV2", "projects", "organizations", "capabilities")
TARGET += ("schedules", "escalation-policies", "contact-details", "alert-rules", "on-call", "/services")
WRITES = ("", "schedules", "services", "alert-rules", "user-groups")


def spoil(app, paths, trial):
    """From now on answers to these paths arrive broken, each request's in the same way whenever it is asked again."""
    wanted, seed, inner = trial.random.choice(paths), trial.random.random(), app.wsgi_app

    def answer(environ, start_response):
        told = Response.from_app(inner, environ, buffered=True)
        request = Request(environ)
        if wanted in request.path and told.is_json and (paths is not WRITES or request.method != "GET"):
            dice = type(trial.random)(f"{seed}{request.path}")
            told.set_data(break_form(dice, trial.kind, told.get_json(), write_json_text))
        return told(environ, start_response)

    app.wsgi_app = answer


# --- what several doors share ---


def _pack(whole):
    return gzip.compress(whole, 1)


def _choose_source(folder, name):
    settings = folder / "migration.yaml"
    text = re.sub("snapshot:[^\n]*", f"snapshot: {name}", settings.read_text())
    settings.write_text(text.replace("kind: embedded", "kind: snapshot", 1))


def _look(trial):
    """All that reads what lies in a workspace, one after the other; one that refuses keeps nobody else from reading."""
    workspace = Workspace(trial.folder)
    trial.run(describe_status, workspace)
    trial.run(describe_handover, workspace)
    with trial.open() as job:
        trial.run(trial.random.choice((conflicts, load, history, undo, invite, verify)), job)
        trial.run(load, job)
        trial.run(
            lambda: write_folder(workspace, open_handover(workspace, trial.folder / "reports" / "by-hand" / "handover"))
        )
        trial.run(refresh_handovers, workspace, "acme", NOW)
        trial.run(seal_run, workspace, trial.folder / "reports" / "by-hand", NOW)
    trial.run(Journal, workspace.journal_file, "x").close()


DOORS = {
    "settings": read_broken_settings,
    "decisions": read_broken_decisions,
    "people": read_broken_people,
    "key file": read_broken_key,
    "state": read_broken_state,
    "journal": read_broken_journal,
    "embedded memory": read_broken_memory,
    "results": read_broken_results,
    "manifest": read_broken_manifest,
    "lock": read_broken_lock,
    "page to publish": read_broken_page,
    "snapshot": read_broken_snapshot,
    "recorded answers": read_broken_recorded,
    "survey": read_broken_survey,
    "schedule file": read_broken_schedule,
    "PagerDuty's answers": answer_broken_source,
    "Harness's answers": answer_broken_target,
    "answers to writes": answer_broken_writes,
}
"""Form to function."""
