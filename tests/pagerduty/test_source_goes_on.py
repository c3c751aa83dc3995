"""A fetch that was stopped: the next one asks for what is missing, and the snapshot is the same as of an undisturbed one."""

import fcntl
import re
import threading
from contextlib import ExitStack
from datetime import timedelta

import pytest
from crowd import Size, build_crowd
from source_http import NOW, company
from test_source_patience import Clock

from pdmigrate.errors import IncompleteFetchError, InterruptedLoadError
from pdmigrate.pagerduty.client import FetchOptions
from pdmigrate.wire.progress import Progress
from pdmigrate.workspace.parts import open_part

EXTRAS = {"handoffs": True, "service_orchestrations": True, "dependents": True, "service_dependencies": True}


def fetch(source, path, now=NOW, account="acme", mark=None, extras=EXTRAS):
    """As preview does, with a part in this file."""
    with open_part(path, account, mark or source.client.mark_key, now, 24) as part:
        reading = FetchOptions(source.subdomain, part.since, timedelta(days=28), **extras)
        return source.client.fetch(reading, part)


def stop_at(source, number):
    """Before this request is answered somebody presses stop, once: the server may still be at it when the next fetch begins."""
    log, asked, pressed = source.server.app.config["LOG"], threading.Lock(), []

    def strike(**_):
        with asked:
            if log.requests >= number and not pressed:
                pressed.append(number)
                source.client.transport.cancel()

    source.server.app.before_request_funcs.setdefault(None, []).append(strike)
    return strike


def stop(source, path, number, **more):
    """The requests that it took until it was stopped."""
    source.server.app.config["LOG"].clear()
    strike = stop_at(source, number)
    with pytest.raises(InterruptedLoadError):
        fetch(source, path, **more)
    source.server.app.before_request_funcs[None].remove(strike)
    return source.log["requests"]


LOST = 6
"""Requests that are under way at once, at most."""


def test_stopped_again_and_again_it_goes_on_and_the_snapshot_is_the_same(serve_source, tmp_path):
    """What was under way at a stop is asked again, a list from its beginning; and what PagerDuty refused."""
    source, path = serve_source(company(), calls_per_minute=100_000), tmp_path / "part"
    whole = fetch(source, path)
    undisturbed, spent = source.log["requests"], 0
    assert not path.exists()
    stops = (
        20,
        5,
        25,
        30,
        20,
    )  # at the first one an answer is kept, however many are under way: the time of the fetch stays
    for hours, number in enumerate(stops):
        spent += stop(source, path, number, now=NOW + timedelta(hours=hours))
    source.server.app.config["LOG"].clear()
    gone_on = fetch(source, path, NOW + timedelta(hours=9))
    assert (gone_on.digest, gone_on.rows, gone_on.taken) == (whole.digest, whole.rows, whole.taken)
    assert spent + source.log["requests"] <= undisturbed + len(stops) * 2 * LOST
    assert not path.exists()


CROWD = Size(users=1_500, teams=60, schedules=5, policies=5, services=5)
FEW = Size(users=30, teams=6, schedules=4, policies=4, services=4)


def test_1500_people_under_a_limit_stopped_and_gone_on_with(serve_source, tmp_path, monkeypatch):
    """A minute passes where somebody waits for it. The bar counts, and says what it waits for."""
    clock = Clock()
    for module in ("sandbox.pagerduty", "wire.rate_limit"):
        monkeypatch.setattr(f"pdmigrate.{module}.time", clock)
    source, path = serve_source(build_crowd(CROWD, NOW), calls_per_minute=40), tmp_path / "part"
    transport, told, stands = source.client.transport, [], threading.Lock()

    class Board(Progress):
        def wait(self, why, seconds):
            with stands:  # or the minute that somebody waits for is over before it is told, since another waits it out
                super().wait(why, seconds)
                told.append(self.describe(clock.minutes()))

    def sleep(seconds):
        with stands:
            clock.sleep(seconds)

    transport.patience.told, transport.progress, transport._sleep = 65, Board(clock.monotonic), sleep
    whole = fetch(source, path, extras={})
    undisturbed = source.log["requests"]
    assert len(whole.rows["users"]) == 1_500
    assert "users 1,500 of 1,500" in transport.progress.describe(0)
    assert "team members 60 of 60" in transport.progress.describe(0)
    assert told
    assert all(re.search(r"; waiting [0-9]{1,2} s for PagerDuty's limit of requests$", line) for line in told)
    spent = stop(source, path, undisturbed - 30, extras={})
    kept = path.read_text(encoding="utf-8")
    source.server.app.config["LOG"].clear()
    gone_on = fetch(source, path, NOW + timedelta(hours=1), extras={})
    assert (gone_on.digest, gone_on.rows) == (whole.digest, whole.rows)
    asked, members = source.log["by_path"], kept.count("/members {")
    missing = {
        "/users": 0 if '["/users {' in kept else 15,
        "/teams/{id}/members": 60 - members,
    }  # half a list is read anew
    for path, number in missing.items():  # of the fetch that was stopped some requests may come to PagerDuty only now
        assert number <= asked.get(path, 0) <= number + LOST
    assert members > 0
    assert source.log["requests"] <= undisturbed - spent + 2 * LOST + asked.get("/users", 0)
    assert source.log["rate_limited"] == 0


@pytest.mark.parametrize(
    "spoil, why",
    [
        ({"now": NOW + timedelta(hours=25)}, "it was begun more than 24 hours ago"),
        ({"now": NOW - timedelta(hours=1)}, "or the clock was set back"),
        ({"account": "other"}, "it is of another account"),
        ({"mark": lambda salt: "other"}, "it was read with another key"),
        ({"damage": True}, "it is damaged"),
    ],
)
def test_a_part_that_does_not_hold_is_not_used_and_that_is_said(serve_source, tmp_path, caplog, spoil, why):
    source, path = serve_source(build_crowd(FEW, NOW)), tmp_path / "part"
    undisturbed = source.fetch()
    stop(source, path, 15, extras={})
    if spoil.pop("damage", False):
        lines = path.read_bytes().splitlines(keepends=True)
        path.write_bytes(b"".join([*lines[:2], lines[2].replace(b"a", b"b"), *lines[3:]]))
    with open_part(
        path, spoil.get("account", "acme"), spoil.get("mark", source.client.mark_key), spoil.get("now", NOW), 24
    ) as part:
        assert len(part) == 0
        assert part.since == spoil.get("now", NOW)
        found = source.client.fetch(FetchOptions(source.subdomain, NOW, timedelta(days=28)), part)
        assert part.used == 0
    assert found.digest == undisturbed.digest
    [said] = [line for line in caplog.messages if "is not used" in line]
    assert why in said


def test_an_answer_that_was_not_written_whole_is_asked_again(serve_source, tmp_path):
    source, path = serve_source(build_crowd(FEW, NOW)), tmp_path / "part"
    whole = source.fetch()
    stop(source, path, 15, extras={})
    path.write_bytes(path.read_bytes()[:-20])
    assert fetch(source, path, extras={}).rows == whole.rows


def test_what_does_not_fit_together_any_more_is_forgotten(serve_source, tmp_path):
    """Else each further run would go on from it, and end in the same way."""
    source, path = serve_source(build_crowd(FEW, NOW)), tmp_path / "part"
    stop(source, path, 15, extras={})
    assert path.exists()
    with pytest.raises(IncompleteFetchError), open_part(path, "acme", source.client.mark_key, NOW, 24):
        raise IncompleteFetchError("A list moved while it was read.")
    assert not path.exists()


def test_no_key_is_in_a_part_and_nobody_else_may_read_it(serve_source, tmp_path):
    source, path = serve_source(company()), tmp_path / "part"
    stop(source, path, 100)
    text = path.read_text(encoding="utf-8")
    assert '["/services {' in text
    keys = [one.get("integration_key") for row in source.document["services"] for one in row.get("integrations", ())]
    assert any(keys)
    assert not [secret for secret in (source.client.transport.key, *filter(None, keys)) if secret in text]
    assert path.stat().st_mode & 0o777 == 0o600


def test_who_waited_for_a_reading_to_end_keeps_the_next_one_out(tmp_path):
    """The lock's file stays: one who had opened it before would else hold what nobody can see any more."""
    with ExitStack() as stack:
        with open_part(tmp_path / "part", "acme", str, NOW, 24):
            waiting = stack.enter_context(open(tmp_path / ".part.lock"))
        fcntl.flock(waiting, fcntl.LOCK_EX)
        with open_part(tmp_path / "part", "acme", str, NOW, 24) as third:
            assert third is None
    with open_part(tmp_path / "part", "acme", str, NOW, 24) as fourth:
        assert fourth is not None


def test_while_another_run_reads_its_part_is_left_alone(tmp_path):
    with (
        open_part(tmp_path / "part", "acme", str, NOW, 24) as first,
        open_part(tmp_path / "part", "acme", str, NOW, 24) as second,
    ):
        assert first is not None
        assert second is None
