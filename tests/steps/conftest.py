"""Where test pages are sent: loaded once, and found by each test as it was loaded."""

import copy

import pytest
from live_place import NOW, Place
from small_company import cut_down

from pdmigrate import conflicts, load, open_job, preview, prove
from pdmigrate.harness.pacing import Limits
from pdmigrate.parity.schedules import compare_schedule
from pdmigrate.runs.demo import make_demo_workspace
from pdmigrate.sandbox.company import build_company
from pdmigrate.sandbox.gate import replace_faults
from pdmigrate.sandbox.harness_document import accept_invites
from pdmigrate.steps import sending
from pdmigrate.workspace.folder import write_json


@pytest.fixture(scope="session")
def loaded(tmp_path_factory):
    """A corner of the company, carried over, with everybody's invitation accepted, on a clock that only tests move."""
    folder = tmp_path_factory.mktemp("prove") / "acme"
    make_demo_workspace(folder)
    write_json(folder / "sandbox" / "pagerduty.json", cut_down(build_company(NOW)))
    clock = [lambda: NOW]
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
def place(loaded, monkeypatch):
    """Each test finds it as it was loaded, and no test page sent. Between two looks a minute goes by, so that there are few."""
    monkeypatch.setattr(sending, "BEAT", 60.0)
    kept = copy.deepcopy(loaded.store.read())
    loaded.now, loaded.slept = NOW, []
    yield loaded
    loaded.job.workspace.state_file("live").unlink(missing_ok=True)
    loaded.app.config["CALLS"].clear()
    replace_faults(loaded.app, [])
    with loaded.store.change() as held:
        held.clear()
        held.update(kept)
