"""1,200 people are invited by processes that are killed (SIGKILL): twelve calls, no 429, nobody gets two mails.

Before the request is carried out, between the request and its answer, after the answer, half-way through booking it; then
gone on with. Both sides live by one clock, which stands still but for the loader's waiting: as many calls a minute as
Harness takes, however quick or slow the machine is.
"""

import json
import os
import shutil
import signal
from collections import Counter

import pytest
import yaml
from kill_loads import MOMENTS, PATIENCE, PROCESSES, Gate

from pdmigrate import conflicts, decide, load, open_job, preview
from pdmigrate.sandbox.harness import create_app, new_document
from pdmigrate.sandbox.server import serve
from pdmigrate.steps.conflicts import approve
from pdmigrate.steps.job import EMBEDDED_KEY
from pdmigrate.workspace.settings import make_workspace

PEOPLE = 1200


def load_by(clock, workspace, most):
    """What the killed process runs. most: so many people are booked, and then it kills itself."""

    def wait(seconds):
        clock.value += seconds

    def describe(done, number, total):
        if number == most:
            os.kill(os.getpid(), signal.SIGKILL)

    os.environ["KILL_KEY"] = EMBEDDED_KEY
    with open_job(workspace) as job:
        quota = job.target.transport.quota
        quota.clock, quota.sleep = lambda: clock.value, wait
        load(job, progress=describe)


class Statuses:
    """Counts what Harness answers. WSGI."""

    def __init__(self, application):
        self.application, self.seen = application, Counter()

    def __call__(self, environ, start_response):
        def start(status, headers, *more):
            self.seen[status.split()[0]] += 1
            return start_response(status, headers, *more)

        return self.application(environ, start)


class Crowd:
    """A Harness behind a gate, and a workspace in which inviting 1,200 people is approved."""

    def __init__(self, folder):
        self.folder, self.planned = folder, folder / "planned"
        self.app = create_app(new_document(), api_key=EMBEDDED_KEY)
        self.clock = PROCESSES.Value("d", 1_800_000_000, lock=False)  # a killed loader would leave a lock shut
        self.app.config["CLOCK"] = lambda: self.clock.value
        self.statuses = Statuses(self.app.wsgi_app)
        self.gate = self.app.wsgi_app = Gate(self.statuses)
        self.server = serve(self.app)
        self._plan()

    def _plan(self):
        os.environ["KILL_KEY"] = EMBEDDED_KEY
        make_workspace(self.planned, {"name": "crowd", "source": "snapshot", "snapshot": "crowd"})
        self._point_at_the_server()
        users = [
            {"id": f"PU{n:05}", "type": "user", "name": f"P {n}", "email": f"P{n}@Acme.example"} for n in range(PEOPLE)
        ]
        (self.planned / "crowd").mkdir()
        (self.planned / "crowd" / "users.json").write_text(json.dumps({"users": users}))
        with open_job(self.planned) as job:
            preview(job)
            decide(job, "user_not_found", "all", "invite", by="test")
            approve(job, conflicts(job).plan.digest, by="test", why="rehearsal")

    def _point_at_the_server(self):
        path = self.planned / "migration.yaml"
        place = {"account": "embedded", "org": "default", "project": "sre", "base_url": self.server.url}
        target = {"kind": "harness", "api_key": "env:KILL_KEY", **place}
        path.write_text(yaml.safe_dump({**yaml.safe_load(path.read_text()), "target": target}))

    def begin(self):
        """A Harness that knows nobody, and the approved workspace."""
        with self.app.config["STORE"].change() as held:
            held.clear()
            held.update(new_document())
        self.app.config["CALLS"].clear()
        self.statuses.seen.clear()
        shutil.rmtree(self.folder / "run", ignore_errors=True)
        shutil.copytree(self.planned, self.folder / "run")

    def run(self, number=0, moment=None, most=0):
        """One loader, killed at its n-th invitation, or with so many people booked; how it ended."""
        loader = PROCESSES.Process(target=load_by, args=(self.clock, str(self.folder / "run"), most))
        self.gate.arm(number, moment, lambda: loader.kill())
        loader.start()
        loader.join(PATIENCE)
        return loader.exitcode

    def count(self):
        """(invitations carried out, people who got a mail, mails that each got, answers of 429)."""
        held = self.app.config["STORE"].read()
        calls = sum(write["path"] == "/ng/api/user/users" for write in held["writes"])
        return calls, len(held["mails"]), set(held["mails"].values()), self.statuses.seen["429"]


@pytest.fixture(scope="module")
def crowd(tmp_path_factory):
    made = Crowd(tmp_path_factory.mktemp("crowd"))
    yield made
    made.server.stop()


def test_loads_killed_at_every_moment_invite_everybody_once(crowd):
    """Each of three loads dies at another moment, a few calls further on; the fourth comes to the end."""
    crowd.begin()
    ended = [crowd.run(number, moment) for number, moment in zip((1, 4, 5), MOMENTS, strict=True)]
    assert set(ended) == {-9}
    assert crowd.count()[0] < 12
    assert crowd.run() == 0
    assert crowd.count() == (12, PEOPLE, {1}, 0)


def test_a_load_killed_half_way_through_booking_a_call_needs_no_call_more(crowd):
    """Whoever was invited and not booked takes no place in a later call."""
    crowd.begin()
    assert crowd.run(most=350) == -9
    assert crowd.count()[0] == 4
    assert crowd.run() == 0
    assert crowd.count() == (12, PEOPLE, {1}, 0)
