"""What many tests start from: the embedded pair, and a workspace on it."""

import copy
import os
import shutil
import sys
from pathlib import Path

import pytest
import time_machine
from hypothesis import settings
from live_place import NOW as NOON
from live_place import Place
from pagerduty_http import NOW, Client
from policy_corner import FEW, carry_over, open_quickly
from postgres_server import serve_postgres
from small_company import cut_down, make_corner
from source_http import DATA, Source

from pdmigrate import conflicts, connect, finish, invite, load, open_job, preview, prove, verify
from pdmigrate.harness.pacing import Limits
from pdmigrate.parity.schedules import compare_schedule
from pdmigrate.runs.demo import make_demo_workspace
from pdmigrate.sandbox.company import build_company
from pdmigrate.sandbox.gate import replace_faults
from pdmigrate.sandbox.harness_document import accept_invites
from pdmigrate.sandbox.pagerduty import start_pagerduty
from pdmigrate.steps import sending
from pdmigrate.workspace.folder import write_json
from pdmigrate.workspace.settings import make_workspace

settings.register_profile("gate", derandomize=True)
"""The gate judges a commit the same way every time; new cases are looked for everywhere else."""
if os.environ.get("PDMIGRATE_REQUIRE_ALL"):
    settings.load_profile("gate")


def skip(reason: str) -> None:
    """Skip, or fail where nothing may be skipped (`PDMIGRATE_REQUIRE_ALL=1`, set in CI)."""
    if os.environ.get("PDMIGRATE_REQUIRE_ALL"):
        pytest.fail(f"may not be skipped here: {reason}")
    pytest.skip(reason)


@pytest.fixture(scope="module")
def postgres():
    """The URL of a PostgreSQL of this file's own."""
    with serve_postgres(skip) as url:
        yield url


@pytest.fixture
def workspace(tmp_path):
    """The embedded company with nothing decided and the rules as a newcomer finds them."""
    make_workspace(tmp_path / "acme", {"name": "acme"})
    return tmp_path / "acme"


@pytest.fixture
def decided_workspace(tmp_path):
    """The embedded company, decided as in the demo."""
    make_demo_workspace(tmp_path / "acme")
    return tmp_path / "acme"


@pytest.fixture
def job(decided_workspace):
    """An open job on the decided workspace."""
    with open_job(decided_workspace) as opened:
        yield opened


@pytest.fixture
def serve():
    """Start a PagerDuty with an account; all are stopped after the test."""
    servers = []

    def start(account, **options):
        servers.append(start_pagerduty(account, **options))
        return Client(servers[-1])

    yield start
    for server in servers:
        server.stop()


@pytest.fixture
def company(serve):
    """The company as a PagerDuty of its own, on a day that stays."""
    return serve(build_company(NOW))


@pytest.fixture(scope="session")
def recorded_account():
    """The folder of recorded answers of a real account."""
    return DATA / "recorded-account"


@pytest.fixture
def serve_source():
    """Start embedded PagerDutys, each with a client of pdmigrate; all are stopped after the test."""
    started = []

    def start(document, **options):
        started.append(Source(document, **options))
        return started[-1]

    yield start
    for source in started:
        source.server.stop()


@pytest.fixture(scope="session")
def whole(tmp_path_factory):
    """The whole company carried over: what each step found by its name, the state, the pages, and the folder, to be
    copied and not to be touched."""
    folder = tmp_path_factory.mktemp("whole") / "acme"
    make_demo_workspace(folder)
    found = {"folder": folder}
    with open_job(folder, folder / "run") as job:
        for step in (connect, preview, invite, conflicts):
            found[step.__name__] = step(job)
        found["load"] = load(job, "all")
        found["verify"] = verify(job)
        for name in ("connect", "preview", "invite", "conflicts", "load", "verify"):
            finish(job, found[name])
        found["state"] = job.target.read_state()
    found["pages"] = {path.stem: path.read_text(encoding="utf-8") for path in (folder / "run").glob("*.html")}
    return found


@pytest.fixture(scope="session")
def previewed(tmp_path_factory):
    """The folder of a corner of the company, decided and previewed, to be copied and not to be touched."""
    folder = make_corner(tmp_path_factory.mktemp("small") / "acme")
    with open_job(folder) as job:
        preview(job)
    return folder


@pytest.fixture
def small(previewed, tmp_path):
    """A corner of the company, decided and previewed, with an open job."""
    with open_job(shutil.copytree(previewed, tmp_path / "acme")) as job:
        yield job


@pytest.fixture(scope="session")
def migrated(tmp_path_factory):
    """The workspace whose pages are reports/example, made today; to be read, or copied."""
    sys.path.insert(0, str(Path(__file__).parent.parent / "docs"))
    from make_example import migrate

    folder = tmp_path_factory.mktemp("example") / "acme"
    with time_machine.travel("2027-06-01T12:00:00Z"):  # whatever the day on which the test runs
        migrate(folder)
    return folder


@pytest.fixture(scope="session")
def carried(previewed, tmp_path_factory):
    """The folder of the same corner, carried over, to be copied and not to be touched."""
    with open_job(shutil.copytree(previewed, tmp_path_factory.mktemp("carried") / "acme")) as job:
        conflicts(job)
        assert load(job, "all").error is None
    return job.workspace.folder


@pytest.fixture
def loaded(carried, tmp_path):
    """A corner of the company, carried over, with an open job."""
    with open_job(shutil.copytree(carried, tmp_path / "acme")) as job:
        yield job


@pytest.fixture(scope="session")
def loaded_place(tmp_path_factory):
    """A corner of the company, carried over, with everybody's invitation accepted, on a clock that only tests move."""
    folder = tmp_path_factory.mktemp("prove") / "acme"
    make_demo_workspace(folder)
    write_json(folder / "sandbox" / "pagerduty.json", cut_down(build_company(NOON)))
    clock = [lambda: NOON]
    with open_job(folder, clock=lambda: clock[0]()) as job:
        place = Place(job)
        clock[0] = lambda: place.now
        preview(job)
        conflicts(job)
        assert load(job, "all").error is None
        with place.store.change() as held:
            accept_invites(held)
            held["config"]["calls_per_minute"] = None
        job.target.transport.quota.limits = Limits(calls=10**6)
        place.draft = prove(job).draft
        place.schedules = [compare_schedule(place.draft, s, None) for s in place.draft.account.all_schedules.values()]
        yield place


@pytest.fixture
def place(loaded_place, monkeypatch):
    """Each test finds it as it was loaded, and no test page sent. Between two looks a minute goes by, so that there are few."""
    monkeypatch.setattr(sending, "BEAT", 60.0)
    kept = copy.deepcopy(loaded_place.store.read())
    loaded_place.now, loaded_place.slept = NOON, []
    yield loaded_place
    loaded_place.job.workspace.state_file("live").unlink(missing_ok=True)
    loaded_place.app.config["CALLS"].clear()
    replace_faults(loaded_place.app, [])
    with loaded_place.store.change() as held:
        held.clear()
        held.update(kept)


@pytest.fixture(scope="module")
def small_corner(tmp_path_factory):
    return carry_over(tmp_path_factory.mktemp("few") / "acme", FEW)


@pytest.fixture
def few(small_corner, tmp_path):
    """A corner for tests of policies: with Platform and Platform follow-the-sun only, carried over."""
    yield from open_quickly(shutil.copytree(small_corner, tmp_path / "few"))
