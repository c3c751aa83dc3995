"""Whatever PagerDuty does, the snapshot is the same, or an error; patience is bounded, said out loud, and can be ended."""

import threading
import time

import pytest
from crowd import Size, build_crowd
from small_company import cut_down
from source_http import NOW, company

from pdmigrate.errors import (
    InterruptedLoadError,
    KeyRefusedError,
    SlowAnswerError,
    UnreachableError,
    WrongAccountError,
)
from pdmigrate.pagerduty.client import make_client
from pdmigrate.pagerduty.lists import ListReader
from pdmigrate.pagerduty.schedules_reading import LAYERED
from pdmigrate.wire.rate_limit import Pace

KINDS = ("429_bare", "429_reset", "429_retry_after", "500", "502_html", "200_html", "reset", "truncated", "slow")
SHARE = 1 - 0.8 ** (1 / len(KINDS))
"""Each kind strikes what the others left, and together they strike every fifth answer."""


def test_faults_in_every_fifth_answer_leave_the_same_snapshot(serve_source):
    """An answer that is slow comes later than we wait for it."""
    source = serve_source(company())
    quiet = source.fetch()
    source.client.transport.timeout = 2.0
    source.server.app.config["LOG"].clear()
    source.play(*({"kind": kind, "share": SHARE, "seed": n, "seconds": 2.5} for n, kind in enumerate(KINDS)))
    loud = [source.fetch() for _ in range(3)]
    faults = source.log["faults"]
    assert {one.digest for one in loud} == {quiet.digest}
    assert [row["id"] for row in loud[0].rows["schedules"]] == [row["id"] for row in quiet.rows["schedules"]]
    assert 0.18 <= sum(faults.values()) / source.log["requests"] <= 0.25
    assert set(faults) == set(KINDS)
    assert sum(one.retries for one in loud) >= sum(faults.values())


@pytest.mark.parametrize("kind", KINDS[:-1])
def test_a_fault_is_waited_out_and_said(serve_source, caplog, kind):
    source = serve_source(cut_down(company()))
    source.play({"kind": kind, "count": 2, "path": "/users"})
    assert len(source.fetch().rows["users"]) == len(source.document["users"]) > 5
    assert source.client.transport.counts.retries == 2
    assert "trying again in" in caplog.text


def test_patience_ends(serve_source):
    source = serve_source(cut_down(company()))
    source.play({"kind": "500", "path": "/services"})
    with pytest.raises(UnreachableError, match="GET /services: status 500; gave up after 8 tries"):
        source.fetch()
    assert source.log["by_path"]["/services"] == 8


def test_a_key_that_is_revoked_half_way_is_an_error_and_not_the_first_half(serve_source):
    source = serve_source(cut_down(company()))
    source.play({"kind": "key_revoked", "after": 9})
    with pytest.raises(KeyRefusedError, match="refuses the key"):
        source.fetch()


def test_who_waits_can_be_stopped_at_once(serve_source):
    source = serve_source(company())
    source.play({"kind": "429_retry_after", "seconds": 60})
    source.client.transport.patience.told = 65
    said = []

    def fetch():
        with pytest.raises(InterruptedLoadError, match="Cancelled while asking PagerDuty") as caught:
            source.fetch()
        said.append(caught.value)

    waiting = threading.Thread(target=fetch)
    waiting.start()
    while not source.log["faults"]:
        assert waiting.is_alive()
        time.sleep(0.01)
    source.client.transport.cancel()
    waiting.join(50)  # a minute was told
    assert said
    source.play()
    source.client.transport.pace = Pace()  # PagerDuty said a minute, and a minute would be kept
    assert len(source.fetch().rows["users"]) == 40


class Clock:
    """In the place of `time`: it stands still but for whoever sleeps."""

    def __init__(self):
        self.now = self.began = time.monotonic()

    def monotonic(self):
        return self.now

    def sleep(self, seconds):
        self.now += seconds

    def minutes(self):
        return int((self.now - self.began) / 60)


def test_the_limit_is_kept_by_its_own_headers(serve_source, monkeypatch, caplog):
    clock = Clock()
    for module in ("sandbox.pagerduty", "wire.rate_limit"):
        monkeypatch.setattr(f"pdmigrate.{module}.time", clock)
    source = serve_source(
        build_crowd(Size(users=60, teams=50, schedules=5, policies=5, services=5), NOW), calls_per_minute=30
    )
    source.client.transport.patience.told = 65
    source.client.transport._sleep = clock.sleep
    assert len(source.fetch().rows["team_members"]) == 50
    assert source.log["rate_limited"] == 0
    assert source.log["requests"] > 60
    assert caplog.text.count("its limit of requests is used up") in range(2, clock.minutes() + 1)
    assert source.client.transport.counts.waited > 0


def test_stale_numbers_of_the_last_minute_do_not_open_the_limit_again():
    pace = Pace()
    answer = {"ratelimit-limit": "100", "ratelimit-remaining": "3", "ratelimit-reset": "50"}
    assert pace.take() == 0
    pace.note(answer, 200)
    assert pace.take() == 0
    assert pace.take() > 40
    pace.note({**answer, "ratelimit-remaining": "90", "ratelimit-reset": "10"}, 200)
    assert pace.take() > 40


def test_a_page_that_renders_too_slowly_is_asked_for_in_halves(serve_source):
    source = serve_source(build_crowd(Size(users=5, teams=1, schedules=40, policies=1, services=1), NOW))
    source.client.transport.timeout = 0.3
    over = threading.Event()
    source.server.app.before_request(lambda: _wait_if_much(over))
    rows = ListReader(source.client.transport).read(
        LAYERED.__class__(
            **{**vars(LAYERED), "rendered": True, "limit": 40, "params": {"include[]": ["final_schedule"]}}
        )
    )
    assert len(rows) == 40
    with pytest.raises(SlowAnswerError):
        source.client.transport.send("GET", "/schedules", {"limit": 40, "include[]": ["final_schedule"]}, late=1)
    over.set()


def _wait_if_much(over):
    from flask import request

    if request.args.get("include[]") == "final_schedule" and int(request.args["limit"]) > 20:
        over.wait(60)


def test_only_get_leaves_towards_pagerduty(serve_source):
    source = serve_source(cut_down(company()))
    for method in ("POST", "PUT", "PATCH", "DELETE"):
        with pytest.raises(PermissionError, match="never leaves towards PagerDuty"):
            source.client.transport.send(method, "/users/PUSER01", body={})
    source.fetch()
    assert source.log["refused_methods"] == 0
    assert make_client(None, "eu", "x").transport.allowed == {"GET"}


def test_another_account_than_the_one_named_is_refused_by_both_steps(serve_source):
    source = serve_source(cut_down(company()))
    with pytest.raises(WrongAccountError, match=r"opens the PagerDuty account acme, but migration\.yaml says other"):
        source.check("other")
    source.subdomain = "other"
    with pytest.raises(WrongAccountError):
        source.fetch()


def test_what_the_key_may_read_is_known_in_seven_requests(serve_source):
    source = serve_source(company(), v3_forbidden=True, final_on_lists=False)
    access = source.check()
    assert source.log["requests"] == 7
    assert {one.kind: one.number for one in access.readable if one.allowed} == {
        "users": 40,
        "teams": 8,
        "schedules": 20,
        "escalation_policies": 15,
        "services": 25,
    }
    [forbidden] = [one for one in access.readable if not one.allowed]
    assert (forbidden.kind, "403" in forbidden.why) == ("schedules_v3", True)
    assert access.final_on_lists is False
