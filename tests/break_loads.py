"""A load of a small company, killed at every write, and each of seven faults at every request; then gone on with.

`python tests/break_loads.py --write docs/reliability.md` plays every point once and writes the table.
"""

import argparse
import logging
import os
import re
import sys
import tempfile
import threading
import time
from collections import Counter
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path

from kill_loads import ANOTHER_STATE, MAIL_TWICE, MEMORY, MOMENTS, Rehearsal, find_doubles, kill_and_go_on

from pdmigrate import load, open_job
from pdmigrate.errors import PdmigrateError
from pdmigrate.sandbox.gate import replace_faults
from pdmigrate.wire.transport import Patience

SERVICES = ("PSERV17", "PSERV21")
"""With what they need: groups, people with an account and without, their contact details and rules, schedules,
overrides, policies, services with their alert rules."""
PATIENT = Patience(tries=3, first=0.01, longest=0.02)
TIMEOUT = 0.5
"""Seconds; on a machine that is busier some other request is late too, and is tried again."""
FAULTS = {
    "lost": ("carried out, and the connection closed without an answer", {"kind": "lost_answer", "count": 1}),
    "lost hard": ("the same with every request from this one on, until the load gives up", {"kind": "lost_answer"}),
    "reset": ("the connection closed, nothing carried out", {"kind": "reset", "count": 1}),
    "HTML 200": ("a proxy's page in the place of the answer, nothing carried out", {"kind": "200_html", "count": 1}),
    "500": ("an error of the server, nothing carried out", {"kind": "500", "count": 1}),
    "slow": (
        "carried out when nobody waits for it any more",
        {"kind": "slow", "count": 1, "seconds": 2 * TIMEOUT},
    ),
    "cut": ("carried out, and half of the answer", {"kind": "truncated", "count": 1}),
}
"""What happens to the request, and the rule that makes the embedded Harness do so."""
MOST_LOADS = 5
"""A company that is not loaded then never will be."""
BY_ITSELF, GONE_ON = "went through", "gone on with"


@dataclass(frozen=True)
class Broken:
    """A point, and what became of it: BY_ITSELF, GONE_ON, or what is wrong."""

    fault: str
    number: int
    became: str


class Flight:
    """Counts the requests that the server is at. WSGI."""

    def __init__(self, application):
        self.application, self.under_way, self.idle = application, 0, threading.Condition()

    def __call__(self, environ, start_response):
        with self.idle:
            self.under_way += 1
        try:
            return self.application(environ, start_response)
        finally:
            with self.idle:
                self.under_way -= 1
                self.idle.notify_all()

    def wait(self):
        """Until nothing is under way: what is late belongs to the load that sent it."""
        with self.idle:
            assert self.idle.wait_for(lambda: not self.under_way, 60)


class Trouble:
    """A rehearsal whose requests can be struck, and what its load comes to when nothing happens."""

    def __init__(self, folder, services=SERVICES):
        self.rehearsal = Rehearsal(folder, services)
        self.flight = self.rehearsal.app.wsgi_app = Flight(self.rehearsal.app.wsgi_app)
        log = self.rehearsal.app.config["LOG"]
        log.clear()
        assert self.load(self.rehearsal.begin()) == ""
        self.requests, self.writes = log.requests, self.rehearsal.gate.writes
        self.expected = self.rehearsal.see()
        assert not find_doubles(self.rehearsal.app.config["STORE"].read())
        assert set(self.rehearsal.mails().values()) == {1}

    def load(self, workspace):
        """One load in this process: what it ended with, "" for nothing."""
        with open_job(workspace) as job:
            job.target.transport.patience, job.target.transport.timeout = PATIENT, TIMEOUT
            try:
                error = load(job).error
            except PdmigrateError as raised:
                error = raised
        return str(error or "")

    def strike(self, fault, number):
        """One fault at the n-th request; then the same command again, until it is through."""
        workspace = self.rehearsal.begin()
        replace_faults(self.rehearsal.app, [{**FAULTS[fault][1], "after": number - 1}])
        said = first = self.load(workspace)
        struck = self.rehearsal.app.config["FAULTS"][0].after < 0
        replace_faults(self.rehearsal.app, [])
        for _ in range(MOST_LOADS):
            self.flight.wait()
            said = said and self.load(workspace)
        self.flight.wait()
        wrong = f"never loaded: {said}" if said else self.rehearsal.judge(self.expected)
        return Broken(fault, number, wrong or (GONE_ON if first else BY_ITSELF) if struck else "never struck")

    def kill(self, moment, number):
        wrong = kill_and_go_on(self.rehearsal, number, moment, self.expected)
        self.flight.wait()
        return Broken(moment, number, wrong.partition(": ")[2] or GONE_ON)

    def break_at(self, fault, number):
        return self.strike(fault, number) if fault in FAULTS else self.kill(fault, number)


def break_share(share):
    """The n-th of so many parts of all points, with a Harness of its own: (all points' number, what became of these)."""
    part, parts = share
    logging.disable(logging.CRITICAL)
    with tempfile.TemporaryDirectory(dir=MEMORY) as folder:
        trouble = Trouble(Path(folder))
        points = [(moment, number) for number in range(1, trouble.writes + 1) for moment in MOMENTS]
        points += [(fault, number) for number in range(1, trouble.requests + 1) for fault in FAULTS]
        broken = [trouble.break_at(*point) for point in points[part::parts]]
        trouble.rehearsal.close()
    return trouble.writes, trouble.requests, broken


# --- the table ---

BEGIN, END = "<!-- loads: made by make kills -->", "<!-- loads: end -->"
HEAD = "| What happens | points | went through | gone on with | another final state | a mail twice | never through |"


def write_table(writes, requests, broken):
    """What became of all points, as Markdown."""
    lines = [
        f"The load of the small company has {writes} writes and {requests} requests: {len(broken)} points.",
        "",
        HEAD,
        "|---|" + "---:|" * 6,
    ]
    words = {moment: f"killed (SIGKILL) at a write, {moment}" for moment in MOMENTS}
    words |= {fault: f"{fault}: {said}" for fault, (said, _) in FAULTS.items()}
    whole = Counter()
    for name, said in words.items():
        count = Counter(_sort(one.became) for one in broken if one.fault == name)
        whole += count
        lines.append(_write_row(said, count))
    return "\n".join([*lines, _write_row("all", whole)])


def _sort(became):
    return became if became in (BY_ITSELF, GONE_ON, ANOTHER_STATE, MAIL_TWICE) else "never through"


def _write_row(said, count):
    kinds = (BY_ITSELF, GONE_ON, ANOTHER_STATE, MAIL_TWICE, "never through")
    return f"| {said} | {count.total()} | " + " | ".join(str(count[kind]) for kind in kinds) + " |"


def write_page(path, table):
    """Put the table between its marks in a page."""
    text = path.read_text(encoding="utf-8")
    part = f"{BEGIN}\n\n{table}\n\n{END}"
    path.write_text(re.sub(f"{BEGIN}.*{END}", lambda _: part, text, flags=re.DOTALL), encoding="utf-8")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--processes", type=int, default=os.cpu_count())
    parser.add_argument(
        "--parts", type=int, default=20, help="into so many parts the points are cut, one after the other"
    )
    parser.add_argument("--write", type=Path)
    options = parser.parse_args()
    begun, broken = time.monotonic(), []
    shares = [(part, options.parts) for part in range(options.parts)]
    with ProcessPoolExecutor(options.processes, mp_context=get_context("spawn")) as pool:
        for done in as_completed([pool.submit(break_share, share) for share in shares]):
            writes, requests, more = done.result()
            broken += more
            bad = [one for one in broken if one.became not in (BY_ITSELF, GONE_ON)]
            describe(f"{len(broken)} points, {time.monotonic() - begun:.0f} s, {len(bad)} wrong {bad[-3:]}")
    table = write_table(writes, requests, broken)
    describe("\n".join([table, *map(str, bad)]))
    if options.write:
        write_page(options.write, table)
    return 1 if bad else 0


def describe(line):
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
