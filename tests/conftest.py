"""What many tests start from: the embedded pair, and a workspace on it."""

import os

import pytest
from pagerduty_http import Source

from pdmigrate import open_job
from pdmigrate.demo import make_demo_workspace
from pdmigrate.newcomer import make_workspace


def skip(reason: str) -> None:
    """Skip, or fail where nothing may be skipped (`PDMIGRATE_REQUIRE_ALL=1`, set in CI)."""
    if os.environ.get("PDMIGRATE_REQUIRE_ALL"):
        pytest.fail(f"may not be skipped here: {reason}")
    pytest.skip(reason)


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
def serve_source():
    """Start embedded PagerDutys, each with a client of pdmigrate; all are stopped after the test."""
    started = []

    def start(document, **options):
        started.append(Source(document, **options))
        return started[-1]

    yield start
    for source in started:
        source.server.stop()
