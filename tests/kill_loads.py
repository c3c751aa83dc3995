"""Loads in a process of their own that are killed (SIGKILL) at a chosen write, and gone on with.

The embedded Harness runs here, behind a gate that counts the writes and kills the loader before the request, after the
request and before the answer, or after the answer. Every point once: tests/break_loads.py.
"""

import copy
import multiprocessing
import os
import shutil
import threading
import time
from pathlib import Path

import yaml

MOMENTS = ("before the request", "before the answer", "after the answer")
READS = ("/ng/api/user/aggregate", "/ng/api/invites/aggregate", "/ng/api/token/validate")
VOLATILE = {"createdAt", "lastModifiedAt", "at", "uuid", "id", "writes", "mails"}
MEMORY = Path("/dev/shm") if os.access("/dev/shm", os.W_OK) else None  # noqa: S108 - a folder of its own in there
"""Most of a load's time is the journal's syncing to disk, which a killed process does not need: only a power cut would."""
PROCESSES = multiprocessing.get_context("forkserver")
PROCESSES.set_forkserver_preload(["pdmigrate.steps.load", "pdmigrate.runs.opening", "pytest"])
"""`pdmigrate` alone brings nothing along, and `open_job` much: each loader would import for longer than it loads."""
ANOTHER_STATE, MAIL_TWICE = "another final state", "a mail went out twice"
PATIENCE = 300
"""Seconds: a process that takes longer hangs, on however busy a machine."""


def wait_until(ready, process):
    """Until the process says so. One that has ended says nothing any more."""
    for _ in range(PATIENCE):
        if ready.wait(1):
            return
        assert process.is_alive(), f"it ended with {process.exitcode}"
    raise AssertionError(f"not ready after {PATIENCE} s")


class Gate:
    """Between the loader and Harness: kills the loader at one write. WSGI."""

    def __init__(self, application):
        self.application = application
        self.lock = threading.Lock()
        self.writes = 0
        self.strike = None
        self.pause = 0
        self.late = None

    def arm(self, number, moment, kill):
        self.late = None
        with self.lock:
            self.writes, self.strike = 0, (number, moment, kill) if moment else None

    def __call__(self, environ, start_response):
        time.sleep(self.pause)
        if self.late:
            self.late.join()  # however busy the machine is, the loader does not come to its end before it is killed
        moment, kill = self._count(environ)
        if moment == "before the request":
            kill()
            start_response("500 Killed", [])
            return []
        answer = self.application(environ, start_response)
        if moment == "before the answer":
            answer = [b"".join(answer)]
            kill()
        if moment == "after the answer":
            self.late = threading.Timer(0.002, kill)
            self.late.start()
        return answer

    def _count(self, environ):
        path = environ["PATH_INFO"].removeprefix("/gateway")
        if environ["REQUEST_METHOD"] == "GET" or path in READS or path.startswith("/sandbox"):
            return None, None
        with self.lock:
            self.writes += 1
            if self.strike and self.strike[0] == self.writes:
                return self.strike[1:]
        return None, None


class Rehearsal:
    """The embedded company, planned and approved, in a workspace whose target is a Harness over HTTP.

    services: of the company only these, and what they need.
    """

    def __init__(self, folder, services=()):
        from small_company import cut_down

        from pdmigrate import approve, conflicts, connect, open_job, preview
        from pdmigrate.runs.demo import make_demo_workspace
        from pdmigrate.sandbox import company
        from pdmigrate.sandbox.harness import build_target, create_app
        from pdmigrate.sandbox.server import serve
        from pdmigrate.steps.job import EMBEDDED_KEY, read_clock
        from pdmigrate.workspace.folder import write_json

        self.folder = folder
        first = build_target(company.build_harness_people())
        first["config"] = {"calls_per_minute": None, "invite_calls_per_minute": None}
        self.app = create_app(copy.deepcopy(first), api_key=EMBEDDED_KEY)
        self.first = first
        self.gate = self.app.wsgi_app = Gate(self.app.wsgi_app)
        self.server = serve(self.app)
        self.planned = folder / "planned"
        make_demo_workspace(self.planned)
        if services:
            small = cut_down(company.build_company(read_clock()), services)
            write_json(self.planned / "sandbox" / "pagerduty.json", small)
        with open_job(self.planned) as job:
            connect(job)
            preview(job)
        os.environ["KILL_KEY"] = EMBEDDED_KEY
        self._point_at_the_server()
        with open_job(self.planned) as job:
            preview(job)
            approve(job, conflicts(job).plan.digest, by="test", why="rehearsal")

    def _point_at_the_server(self):
        path = self.planned / "migration.yaml"
        settings = yaml.safe_load(path.read_text())
        snapshot = next((self.planned / "snapshots").iterdir())
        kept = self.planned / "kept.json.gz"
        shutil.copy(snapshot, kept)
        settings["source"] = {"kind": "snapshot", "snapshot": kept.name}
        settings["target"] = {
            "kind": "harness",
            "api_key": "env:KILL_KEY",
            "account": "embedded",
            "org": "default",
            "project": "sre",
            "base_url": self.server.url,
        }
        path.write_text(yaml.safe_dump(settings))

    def begin(self):
        """A fresh Harness and a fresh workspace."""
        with self.app.config["STORE"].change() as held:
            held.clear()
            held.update(copy.deepcopy(self.first))
        workspace = self.folder / "run"
        shutil.rmtree(workspace, ignore_errors=True)
        shutil.copytree(self.planned, workspace)
        return workspace

    def run(self, workspace, number=0, moment=None):
        """One loader; (how it ended, how many writes Harness saw). Negative: killed."""
        loader = PROCESSES.Process(target=load_once, args=(str(workspace),))
        self.gate.arm(number, moment, lambda: loader.kill())
        loader.start()
        loader.join(PATIENCE)
        return loader.exitcode, self.gate.writes

    def see(self):
        """Harness's memory without ids, times and logs."""
        return scrub(copy.deepcopy(self.app.config["STORE"].read()))

    def mails(self):
        """How many mails each person got."""
        return dict(self.app.config["STORE"].read()["mails"])

    def judge(self, expected):
        """What is wrong with Harness in the end, or ""."""
        if self.see() != expected:
            return ANOTHER_STATE
        return MAIL_TWICE if set(self.mails().values()) != {1} else ""

    def close(self):
        self.server.stop()


def load_once(workspace):
    from pdmigrate import load, open_job
    from pdmigrate.steps.job import EMBEDDED_KEY

    os.environ["KILL_KEY"] = EMBEDDED_KEY  # the fork server may be older than the test's own environment
    with open_job(workspace) as job:
        load(job)


def scrub(value, names=None):
    """Without what is new every time; people by email, rows in one order."""
    if names is None:
        names = {user["uuid"]: user["email"] for user in value["users"]}
    if isinstance(value, dict):
        return {k: scrub(v, names) for k, v in value.items() if k not in VOLATILE}
    if isinstance(value, list):
        return sorted((scrub(entry, names) for entry in value), key=repr)
    return names.get(value, value) if isinstance(value, str) else value


def find_doubles(document):
    """Names that stand twice in a list of Harness's, of one scope."""
    rows = [
        (n, row) for n, found in document.items() if isinstance(found, list) for row in found if isinstance(row, dict)
    ]
    scopes = ("orgIdentifier", "projectIdentifier", "identifier", "email")
    names = [(n, *(row.get(scope) for scope in scopes)) for n, row in rows if row.get("identifier") or row.get("email")]
    return sorted({name for name in names if names.count(name) > 1}, key=repr)


def kill_and_go_on(rehearsal, number, moment, expected):
    """One point: killed there, gone on with. Returns what is wrong, or ""."""
    workspace = rehearsal.begin()
    ended, _ = rehearsal.run(workspace, number, moment)
    again, _ = rehearsal.run(workspace)
    point = f"write {number}, {moment}: "
    if again != 0:
        return point + f"the second loader ended with {again}"
    if ended != -9 and moment != "after the answer":
        return point + f"the first loader was not killed but ended with {ended}"
    wrong = rehearsal.judge(expected)
    return point + wrong if wrong else ""
