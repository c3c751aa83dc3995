"""How many requests connect and preview send to PagerDuty, by the embedded server's own log, at 0.2 s an answer.

The account is the one that two open-source peers were measured on: 233 requests in 47.7 s, and 266 in 54.0 s, both
without team roles and without PagerDuty's rendering. Their answers took 0.2 s too. Windows around changes of the clock
are counted apart (windows, not requests): those before a plan is made (schedules that can be read in two ways), and those of verify.

Where the list does not render, 220 requests are for single schedules, 20 for members with their roles and 10 for the
pages of users, teams, policies and services: 250 is the least that rendering and roles can take, fewer than the second
peer's 266 (which has neither) and more than the first's 233.

Who else talks to PagerDuty (`source.dependents`: 12 requests more, and one a business service) is not in it: it is no part
of what moves, and neither peer reads it.

The embedded PagerDuty runs in a process of its own, so that the seconds are not shared with its rendering; but it does
render on the same machine: run it when nothing else does.
"""

import multiprocessing
import sys
import time
from datetime import UTC, datetime, timedelta
from multiprocessing.connection import Connection

from crowd import PEERS_ACCOUNT, Size, build_crowd

from pdmigrate.mapping.proof import list_windows
from pdmigrate.pagerduty.client import FetchOptions, make_client
from pdmigrate.sandbox.pagerduty import DEFAULT_TOKEN, start_pagerduty

LATENCY = 0.2
PEER_SECONDS = 47.7
BUDGETS = {1: 48, 6: 64}
"""By zones, where the list renders. Where it does not it is one request a schedule more, and less than the second peer's."""
UNRENDERED_BUDGET = 265


def serve(pipe: Connection, size: Size, final_on_lists: bool, latency: float) -> None:
    """Serve the account until something is said, then tell the log."""
    server = start_pagerduty(build_crowd(size, datetime.now(UTC)), latency=latency, final_on_lists=final_on_lists)
    pipe.send(server.url)
    pipe.recv()
    pipe.send(server.app.config["LOG"].as_dict())
    server.stop()


def measure(zones: int, final_on_lists: bool, latency: float = LATENCY) -> dict:
    """Requests, seconds and what was read, for connect and preview together."""
    size = Size(**{**vars(PEERS_ACCOUNT), "zones": zones})
    ours, theirs = multiprocessing.Pipe()
    options = (theirs, size, final_on_lists, latency)
    process = multiprocessing.get_context("spawn").Process(target=serve, args=options, daemon=True)
    process.start()
    client, now = make_client(ours.recv(), "us", DEFAULT_TOKEN), datetime.now(UTC)
    began, worked = time.perf_counter(), time.process_time()
    access = client.check_account("acme", now)
    connected = client.transport.counts.requests
    snapshot = client.fetch(FetchOptions("acme", now, timedelta(days=56), final_on_lists=access.final_on_lists))
    seconds, worked = time.perf_counter() - began, time.process_time() - worked
    ours.send("stop")
    log = ours.recv()
    process.join()
    _check_whole(snapshot.account, size)
    return {
        "requests": log["requests"],
        "connect": connected,
        "seconds": seconds,
        "worked": worked,
        "log": log,
        "doubts": len(list_windows(snapshot.account, in_doubt=True)),
        "windows": len(list_windows(snapshot.account, in_doubt=False)),
    }


def _check_whole(account, size: Size) -> None:
    kinds = (account.users, account.teams, account.schedules, account.policies, account.services)
    assert [len(kind) for kind in kinds] == [size.users, size.teams, size.schedules, size.policies, size.services]
    assert all(s.final_schedule.rendered_schedule_entries for s in account.schedules.values())
    assert sum(len(team.members) for team in account.teams.values()) == size.users
    windows = [schedule.schedule_layers[0].restrictions[0] for schedule in account.schedules.values()]
    assert {window.start_time_of_day for window in windows} == {"09:00:00"}


def main() -> int:
    failed = False
    for zones in (1, 6):
        for honoured in (True, False):
            found = measure(zones, honoured)
            budget = BUDGETS[zones] if honoured else UNRENDERED_BUDGET
            good = found["requests"] <= budget and (not honoured or found["seconds"] < PEER_SECONDS / 10)
            failed = failed or not good
            words = "renders" if honoured else "does not render"
            print(
                f"{zones} zone(s), the list {words}: {found['requests']} requests (budget {budget}, connect {found['connect']}), "
                f"{found['seconds']:.1f} s ({found['worked']:.1f} s of it our own work), 429: {found['log']['rate_limited']}; windows apart: {found['doubts']} in conflicts, {found['windows']} in verify{'' if good else '  OVER'}"
            )
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
