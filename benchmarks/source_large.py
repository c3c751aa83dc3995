"""A large account under PagerDuty's own limit of 960 requests a minute: whole, with what it costs in requests and memory.

The embedded PagerDuty runs in a process of its own, so that the memory told is pdmigrate's. Takes a few minutes: the
limit is a real one.
"""

import multiprocessing
import resource
import sys
import time
from datetime import UTC, datetime, timedelta
from multiprocessing.connection import Connection

from crowd import Size, build_crowd

from pdmigrate.pagerduty.client import FetchOptions, make_client
from pdmigrate.sandbox.pagerduty import DEFAULT_TOKEN, start_pagerduty

LARGE = Size(users=10_000, teams=1_000, schedules=2_000, schedules_v3=200, policies=2_000, services=5_000, zones=6)
LIMIT = 960


def serve(pipe: Connection, size: Size) -> None:
    """Serve the account until something is said, then tell the log."""
    server = start_pagerduty(build_crowd(size, datetime.now(UTC)), calls_per_minute=LIMIT)
    pipe.send(server.url)
    pipe.recv()
    pipe.send(server.app.config["LOG"].as_dict())
    server.stop()


def main() -> int:
    ours, theirs = multiprocessing.Pipe()
    process = multiprocessing.get_context("spawn").Process(target=serve, args=(theirs, LARGE), daemon=True)
    process.start()
    client, now = make_client(ours.recv(), "us", DEFAULT_TOKEN), datetime.now(UTC)
    began = time.perf_counter()
    snapshot = client.fetch(FetchOptions("acme", now, timedelta(days=56)))
    seconds, fetched = time.perf_counter() - began, read_peak()
    digest = snapshot.digest
    ours.send("stop")
    log = ours.recv()
    account = snapshot.account
    kinds = (account.users, account.teams, account.schedules, account.schedules_v3, account.policies, account.services)
    whole = [len(kind) for kind in kinds] == [*vars(LARGE).values()][:-1]
    print(
        f"{log['requests']} requests in {seconds:.0f} s ({client.transport.counts.waited:.0f} s of waiting, all threads "
        f"together), {log['rate_limited']} answers 429, {'whole' if whole else 'NOT WHOLE'}; peak memory "
        f"{fetched} MB fetched, {read_peak()} MB with records and digest {digest[:12]}"
    )
    return int(not whole or log["rate_limited"] > 0)


def read_peak() -> int:
    """Megabytes at the most so far."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


if __name__ == "__main__":
    sys.exit(main())
