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
from template import DAYS, NIGHT, NOW
from werkzeug.wrappers import Request, Response

from pdmigrate import (
    conflicts,
    connect,
    history,
    invite,
    load,
    parallel,
    preview,
    prove,
    replay,
    undo,
    verify,
)
from pdmigrate.cli.rota import print_on_call
from pdmigrate.cli.status import describe_status
from pdmigrate.handover.folder import describe_handover, open_handover, write_folder
from pdmigrate.harness.webhooks import read_webhook
from pdmigrate.pages import make_page
from pdmigrate.pages import parallel as parallel_pages
from pdmigrate.pages import prove as prove_pages
from pdmigrate.pages import replay as replay_pages
from pdmigrate.pages import trend as trend_pages
from pdmigrate.runs.evidence import check_evidence, seal_run
from pdmigrate.runs.finish import refresh_handovers
from pdmigrate.runs.notebooks import copy_notebooks
from pdmigrate.runs.publish import publish
from pdmigrate.runs.summary import read_results, write_run
from pdmigrate.steps.prove import tick_page
from pdmigrate.steps.sending import Asking, read_log
from pdmigrate.steps.trend import read_trend
from pdmigrate.workspace.folder import Workspace
from pdmigrate.workspace.history import _checksum as sum_history
from pdmigrate.workspace.journal import Journal
from pdmigrate.workspace.settings import read_settings, resolve_key
from pdmigrate.workspace.snapshots import _checksum, load_snapshot
from pdmigrate.workspace.trend import _checksum as sum_trend


def write_json_text(data):
    return json.dumps(data, ensure_ascii=False)


def write_yaml_text(data):
    return yaml.safe_dump(data, sort_keys=False, allow_unicode=True, default_flow_style=None)


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


def read_broken_test_pages(trial):
    """What is known of the test pages that were sent."""
    path = trial.folder / "state" / "live.json"
    path.write_bytes(break_form(trial.random, trial.kind, json.loads(path.read_text()), write_json_text))
    with trial.open() as job:
        trial.run(lambda: repr(prove_pages.section_last(read_log(job))))
        trial.run(lambda: repr(make_page(prove(job))))
        trial.run(tick_page, job, "Edge & CDN", "ann")
        trial.run(lambda: prove(job, asking=Asking("ann", again=True, wait=0, pause=0), sleep=lambda seconds: None))


def read_broken_history(trial):
    """A week of what happened, or PagerDuty's drawing of it."""
    path = trial.random.choice(sorted((trial.folder / "history").glob("*.gz")))
    data = json.loads(gzip.decompress(path.read_bytes()))
    if trial.random.random() < 0.5:  # of one who knows how a checksum is made
        try:
            rows = json.loads(break_form(trial.random, trial.kind, data["rows"], write_json_text))
            data |= {"rows": rows, "checksum": sum_history(rows)}
        except (ValueError, RecursionError):
            data |= {"rows": 1}
        whole = write_json_text(data).encode("utf-8", "surrogatepass")
    else:
        whole = break_form(trial.random, trial.kind, data, write_json_text)
    path.write_bytes(_pack(whole))
    if trial.random.random() < 0.3:
        _choose_source(trial.folder, "s.json.gz")
        (trial.folder / "s.json.gz").write_bytes(_pack(write_json_text(trial.template.snapshot).encode()))
    with trial.open() as job:
        trial.run(lambda: repr(make_page(replay(job, DAYS, titles=trial.random.random() < 0.5))))


def read_broken_trend(trial):
    """A row of the trend in the journal, of one who knows how its checksum is made."""
    with closing(sqlite3.connect(trial.folder / "journal.sqlite")) as base:
        [number, said] = trial.random.choice(base.execute("select id, measured from trend").fetchall())
        text = break_form(trial.random, trial.kind, json.loads(said), write_json_text).decode("utf-8", "replace")
        sums = (sum_trend(text), sum_trend(text), sum_trend(text), "", 1, b"x", None)
        base.execute("pragma ignore_check_constraints = on")
        try:
            base.execute(
                "update trend set measured = ?, checksum = ? where id = ?", [text, trial.random.choice(sums), number]
            )
        except sqlite3.Error:  # what the table itself does not take never gets there
            base.execute("update trend set measured = '{' where id = ?", [number])
        base.commit()
    workspace = Workspace(trial.folder)
    trial.run(describe_status, workspace)
    with trial.open() as job:
        found = trial.run(read_trend, workspace, job.settings, NOW)
        trial.run(lambda: repr(trend_pages.make_page(trend_pages.Shown(found, NOW, trial.folder, job.folder))))
        trial.run(verify, job)


def read_broken_notebook(trial):
    """One of the workspace's own notebooks."""
    workspace = Workspace(trial.folder)
    path = trial.random.choice(sorted(workspace.notebooks.glob("*.ipynb")))
    path.write_bytes(break_form(trial.random, trial.kind, json.loads(path.read_text()), write_json_text))
    trial.run(copy_notebooks, workspace)
    trial.run(copy_notebooks, workspace)


def read_broken_webhook(trial):
    """The address of a webhook, or which service has which. Nothing is sent by it."""
    path, settings = trial.folder / "webhook", trial.folder / "migration.yaml"
    account = trial.template.survey["account"]
    address = trial.random.choice(WEBHOOKS).replace("ACCOUNT", account)
    if trial.random.random() < 0.5:
        path.write_bytes(break_form(trial.random, trial.kind, address, str))
        trial.run(lambda: read_webhook(resolve_key(f"file:{path}"), account, "target.webhook"))
        return
    path.write_text(address)
    data = yaml.safe_load(settings.read_text())
    ways = {"webhook": f"file:{path}", "webhooks": {"PSERV02": f"file:{path}", "PSERV01": "env:HOOK"}}
    target = json.dumps({name: part for name, part in data.pop("target").items() if name not in ways})[:-1]
    broken = break_form(trial.random, trial.kind, ways, write_json_text).removeprefix(b"{")
    settings.write_bytes(write_yaml_text(data).encode() + f"target: {target}, ".encode() + broken + b"\n")
    with trial.open() as job:
        trial.run(lambda: repr(make_page(prove(job))))


WEBHOOKS = (
    "https://app.harness.io/api/v1/webhook/abcdefgh?key=a-key-that-is-long",
    "https://app.harness.io/gateway/ir/tp/account/ACCOUNT/api/v1/mc/webhook/abcdefgh/token-that-is-long",
)


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


def answer_broken_alerts(trial):
    """Harness's alerts, their timelines, and its webhooks."""
    with trial.open() as job:
        spoil(job._servers[1].app, ALERTS, trial)
        trial.run(lambda: repr(make_page(parallel(job, NIGHT))))
        job.workspace.change_state("live", lambda held: held | {"pages": [p | {"seen": None} for p in held["pages"]]})
        trial.run(lambda: repr(make_page(prove(job))))


def answer_broken_history(trial):
    """PagerDuty's incidents, their log, and who was notified."""
    for path in (trial.folder / "history").glob("*.gz"):
        path.unlink()
    with trial.open() as job:
        trial.reading = True
        spoil(job._servers[0].app, HISTORY, trial)
        trial.run(lambda: repr(make_page(replay(job, DAYS))))
        trial.run(lambda: repr(make_page(parallel(job, NIGHT))))


ALERTS = ("/mc/", "/alerts", "/timeline", "")
HISTORY = ("/incidents", "/log_entries", "/notifications", "/schedules", "/v3/", "")
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
    for name, page in (("replay", replay_pages), ("parallel", parallel_pages)):
        trial.run(lambda name=name, page=page: repr(page.section_last(workspace.find_state(name))))
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
    "test pages": read_broken_test_pages,
    "history": read_broken_history,
    "trend": read_broken_trend,
    "own notebooks": read_broken_notebook,
    "webhooks": read_broken_webhook,
    "Harness's alerts": answer_broken_alerts,
    "PagerDuty's history": answer_broken_history,
}
"""Form to function."""
