"""A replay of 90 days with 100,000 log entries under PagerDuty's own limit: requests, minutes, memory; whole, and killed half-way.

The embedded pair runs in a process of its own, keeps PagerDuty's 960 requests a minute and answers in 0.15 s. The company is loaded
first. Then `pdmigrate replay` runs three times: whole; killed with SIGKILL once half of those requests were sent; and again, on
what the killed one had kept. Takes some ten minutes: the limit is a real one, and the history is made by the embedded PagerDuty.
"""

import multiprocessing
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime
from multiprocessing.connection import Connection
from pathlib import Path

import requests
import yaml

from pdmigrate import conflicts, load, open_job, preview
from pdmigrate.runs.demo import make_demo_workspace
from pdmigrate.sandbox.company import build_company, build_harness_people
from pdmigrate.sandbox.harness import build_target, start_harness
from pdmigrate.sandbox.pagerduty import DEFAULT_TOKEN, start_pagerduty
from pdmigrate.steps.job import EMBEDDED, EMBEDDED_KEY

ENTRIES, DAYS, LIMIT, ANSWER = 100_000, 90, 960, 0.15


def serve(pipe: Connection) -> None:
    """Both sides; tells how many requests PagerDuty was sent, whenever something is said."""
    now = datetime.now(UTC)
    document = build_company(now) | {"history": {"until": now.isoformat(), "days": DAYS, "log_entries": ENTRIES}}
    pagerduty = start_pagerduty(document, calls_per_minute=LIMIT, latency=ANSWER)
    harness = start_harness(build_target(build_harness_people()), api_key=EMBEDDED_KEY)
    headers = {"Authorization": f"Token token={DEFAULT_TOKEN}"}
    asked = {"since": now.date().isoformat(), "limit": 1}
    requests.get(f"{pagerduty.url}/log_entries", asked, headers=headers, timeout=1800).raise_for_status()  # makes it
    pipe.send((pagerduty.url, harness.url))
    while pipe.recv():
        log = pagerduty.app.config["LOG"]
        pipe.send((log.as_dict()["requests"], log.rate_limited))


def make_workspace(folder: Path, pagerduty: str, harness: str) -> None:
    """The company, decided as in the demo, between the two servers."""
    make_demo_workspace(folder)
    path = folder / "migration.yaml"
    settings = yaml.safe_load(path.read_text(encoding="utf-8"))
    settings["source"] = {"kind": "pagerduty", "token": "env:BENCH_TOKEN", "subdomain": "acme", "base_url": pagerduty}
    keys = {"api_key": "env:BENCH_KEY", "rehearsal": True, **EMBEDDED}
    settings["target"] = {"kind": "harness", "base_url": harness, **keys}
    path.write_text(yaml.safe_dump(settings), encoding="utf-8")


class Asked:
    """What PagerDuty was sent since the last question."""

    def __init__(self, pipe: Connection) -> None:
        self.pipe, self.before, self.limited = pipe, 0, 0

    def count(self) -> int:
        """Since the last `begin`."""
        self.pipe.send(True)
        now, self.limited = self.pipe.recv()
        return now - self.before

    def begin(self) -> None:
        self.before += self.count()


def replay(folder: Path, asked: Asked, kill_after: int = 0) -> int:
    """Run the command; its exit code. Prints what it took."""
    asked.begin()
    began, command = time.perf_counter(), [sys.executable, "-m", "pdmigrate.cli", "replay", folder, "--days", f"{DAYS}"]
    child = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)  # noqa: S603
    while kill_after and child.poll() is None and asked.count() < kill_after:
        time.sleep(0.2)
    if kill_after:
        child.send_signal(signal.SIGKILL)
    said = child.stdout.read().strip().splitlines()
    _, _, used = os.wait4(child.pid, 0)
    child.returncode = 0
    seconds, worked = time.perf_counter() - began, used.ru_utime + used.ru_stime
    print(
        f"{'killed' if kill_after else 'whole'}: {asked.count():,} requests, {asked.limited} answers 429 so far, {seconds:.0f} s, "
        f"{worked:.0f} s of our work, {used.ru_maxrss // 1024} MB; {said[0] if said else 'nothing said'}",
        flush=True,
    )
    return asked.count()


def main() -> int:
    spawn = multiprocessing.get_context("spawn")
    ours, theirs = spawn.Pipe()
    servers = spawn.Process(target=serve, args=(theirs,), daemon=True)
    servers.start()
    os.environ |= {"BENCH_TOKEN": DEFAULT_TOKEN, "BENCH_KEY": EMBEDDED_KEY}
    urls = ours.recv()
    asked = Asked(ours)
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place) / "acme"
        make_workspace(folder, *urls)
        with open_job(folder) as job:
            preview(job)
            conflicts(job)
            load(job, "all")
        whole = replay(folder, asked)
        shutil.rmtree(folder / "history")
        killed = replay(folder, asked, whole // 2)
        rest = replay(folder, asked)
    print(f"in one go {whole:,} requests; killed and gone on with {killed + rest:,}")
    ours.send(False)
    return 0


if __name__ == "__main__":
    sys.exit(main())
