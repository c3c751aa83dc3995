"""The doors beside the six steps: the live proof, what happened before, the trend, own notebooks. As in doors.py."""

import gzip
import json
import sqlite3
from contextlib import closing

import yaml
from breakage import break_form
from forms import choose_source, pack, spoil, write_json_text, write_yaml_text
from template import DAYS, NIGHT, NOW

from pdmigrate import parallel, prove, replay, verify
from pdmigrate.cli.status import describe_status
from pdmigrate.harness.webhooks import read_webhook
from pdmigrate.pages import make_page
from pdmigrate.pages import prove as prove_pages
from pdmigrate.pages import trend as trend_pages
from pdmigrate.runs.notebooks import copy_notebooks
from pdmigrate.steps.prove import tick_page
from pdmigrate.steps.sending import Asking, read_log
from pdmigrate.steps.trend import read_trend
from pdmigrate.workspace.folder import Workspace
from pdmigrate.workspace.history import _checksum as sum_history
from pdmigrate.workspace.settings import resolve_key
from pdmigrate.workspace.trend import _checksum as sum_trend


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
    path.write_bytes(pack(whole))
    if trial.random.random() < 0.3:
        choose_source(trial.folder, "s.json.gz")
        (trial.folder / "s.json.gz").write_bytes(pack(write_json_text(trial.template.snapshot).encode()))
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

BESIDE = {
    "test pages": read_broken_test_pages,
    "history": read_broken_history,
    "trend": read_broken_trend,
    "own notebooks": read_broken_notebook,
    "webhooks": read_broken_webhook,
    "Harness's alerts": answer_broken_alerts,
    "PagerDuty's history": answer_broken_history,
}
"""Form to function."""
