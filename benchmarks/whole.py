"""A whole migration of accounts of growing size, step by step: `python benchmarks/whole.py [--people 100 1000] [--write docs/performance.md]`.

The embedded pair runs in a process of its own, answers in 0.1 to 0.2 s, and keeps the real limits: PagerDuty's 960 requests
a minute, Harness's 400 calls and 10 calls with invitations. pdmigrate runs in another one, as on a consultant's machine. The
real clock is kept, but where Harness's limit makes a step long (QUICK): the clock of all three is then so many times as fast,
waits, limits and answers with it, so that a load of hours can be watched. Our own work is no faster then, and weighs so much more.

The bound is what no program can go below: the whole minutes that a limit asks for, or the answers' time over the requests that may be
under way at once (six to PagerDuty, four to Harness), whichever is longer.
"""

import argparse
import contextlib
import functools
import math
import multiprocessing
import os
import random
import re
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import pairwise
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import yaml
from accounts import build_account

SIZES = (100, 1_000, 5_000, 20_000)
STEPS = ("connect", "preview", "invite", "conflicts", "load", "verify", "verify again")
FETCH = "of it the fetch"
"""What preview does first; then it maps."""
COMPUTED = "mapped, planned, verified"
"""All that is computed of the account, by itself: mapped and planned, and again as if it stood in Harness, and compared."""
WORKED = {"preview": "#0b6e99", "conflicts": "#9a6700", "load": "#7a3fa0", "verify": "#b4231f"}
"""The steps that are drawn, and their colours. Their growth is told, and that of what is computed."""
QUICK = {"load": 500, "verify": 2_500, "verify again": 2_500}
"""For so many people such a step keeps the real clock; for twice as many it has one that is twice as fast."""
SEED = 1
ANSWER = (0.1, 0.2)
AT_ONCE = {"source": 6, "oncalls": 4, "target": 4}
PER_MINUTE = {"source": 960, "oncalls": 120, "target": 400}
"""PagerDuty's lists of who is on call have a limit of their own; its height is the embedded PagerDuty's."""
NEW_EVERY = 20
"""One person of so many has no account in Harness yet, and is invited; all of them accept at once."""
PLACE = {"account": "embedded", "org": "default", "project": "sre"}
KEY = "pat.embedded.bench.secret"
ANSWERS = (("service_urgency", "no_page"),)
"""What has no recommendation, since each answer changes who is paged."""
CLEAR, STATUS = Path("/proc/self/clear_refs"), Path("/proc/self/status")


@dataclass(frozen=True)
class Spent:
    """What one step took: requests and bytes of both sides, seconds on the clock of the accounts, seconds of our work, MB.

    oncalls: the requests to PagerDuty's /oncalls, which `source` holds, too. speed: how many times as fast that clock was.
    """

    people: int
    step: str
    source: int
    oncalls: int
    target: int
    received: int
    seconds: float
    worked: float
    peak: int
    speed: float

    @property
    def bound(self) -> float:
        sent = {"source": self.source - self.oncalls, "oncalls": self.oncalls, "target": self.target}
        full = (max(0, number - 1) // PER_MINUTE[side] * 60.0 for side, number in sent.items())
        return max(*full, *(number * sum(ANSWER) / 2 / AT_ONCE[side] for side, number in sent.items()))


# --- the clock ---


class Clock:
    """The clocks of this process, which run `speed` times as fast as real ones, and its waits, which are as much shorter.

    Processor time stays what it is.
    """

    def __init__(self) -> None:
        self.speed = 1.0
        self._real = {name: getattr(time, name) for name in ("time", "monotonic", "perf_counter")}
        self._began = {name: (clock(), clock()) for name, clock in self._real.items()}
        sleep, wait = time.sleep, threading.Event.wait
        for name in self._real:
            setattr(time, name, functools.partial(self.read, name))
        time.sleep = lambda seconds: sleep(seconds / self.speed)
        threading.Event.wait = lambda event, timeout=None: wait(event, timeout and timeout / self.speed)

    def read(self, name: str) -> float:
        real, shown = self._began[name]
        return shown + (self._real[name]() - real) * self.speed

    def run_at(self, speed: float) -> None:
        """From now on: what it shows goes on from what it shows now."""
        self._began = {name: (clock(), self.read(name)) for name, clock in self._real.items()}
        self.speed = speed


# --- both accounts ---


class Meter:
    """Before an embedded side: takes its time to answer, and counts bytes. WSGI."""

    def __init__(self, application, seed: int):
        self.application, self.received, self._dice = application, 0, random.Random(seed)  # noqa: S311

    def __call__(self, environ, start_response):
        time.sleep(self._dice.uniform(*ANSWER))
        whole = b"".join(self.application(environ, start_response))
        self.received += len(whole)
        return [whole]


def serve(pipe: Connection, people: int) -> None:
    """Both sides, until nobody asks any more. Given a speed, goes on at it, and tells bytes and refusals so far."""
    clock = Clock()
    from pdmigrate.sandbox.harness import new_document, start_harness
    from pdmigrate.sandbox.pagerduty import start_pagerduty

    account = build_account(people, SEED, datetime.now(UTC))
    known = [{"name": user["name"], "email": user["email"]} for user in account["users"]]
    there = [user for place, user in enumerate(known) if place % NEW_EVERY]
    target = new_document(people=there)
    target["config"] = {"calls_per_minute": PER_MINUTE["target"], "auto_accept": True}
    servers = [start_pagerduty(account), start_harness(target, api_key=KEY)]
    meters = [Meter(server.app.wsgi_app, SEED) for server in servers]
    for server, meter in zip(servers, meters, strict=True):
        server.app.wsgi_app = meter
    pipe.send([server.url for server in servers])
    with contextlib.suppress(EOFError):
        while speed := pipe.recv():
            clock.run_at(speed)
            limited = servers[0].app.config["LOG"].rate_limited + servers[1].app.config["LOG"].answers["429"]
            pipe.send((sum(meter.received for meter in meters), limited))


# --- pdmigrate ---


def migrate(pipe: Connection, sides: Connection, people: int, folder: str) -> None:
    """All steps, one after the other, then what is computed by itself: tells a Spent for each."""
    clock = Clock()
    from growth import compute

    from pdmigrate import conflicts, connect, invite, load, open_job, preview, verify
    from pdmigrate.pagerduty.account import read_account
    from pdmigrate.workspace.snapshots import load_snapshot

    os.environ["BENCH_TOKEN"], os.environ["BENCH_KEY"] = "sandbox-pagerduty-token", KEY
    steps = (connect, preview, invite, conflicts, lambda job: load(job, "all"), verify, verify)
    with open_job(folder) as job:
        meter = Counter(job, people, clock, sides)
        fetch = job.source.fetch
        fetched = []

        def measured_fetch(*given):
            meter.begin(clock.speed)
            read = fetch(*given)
            fetched.append(meter.read(FETCH)[0])
            return read

        job.source.fetch = measured_fetch
        for step, do in zip(STEPS, steps, strict=True):
            meter.begin(max(1.0, people / QUICK.get(step, people)))
            done = do(job)
            spent, limited = meter.read(step)
            for one in (spent, *fetched):
                pipe.send(one)
            fetched.clear()
            if step == "conflicts" and done.draft.mapped.questions.open:
                pipe.send(
                    "; ".join(f"{c.about} {c.name}: {c.question}" for c in done.draft.mapped.questions.open.values())
                )
                break
            if done.error or limited:
                pipe.send(f"{step}: {done.error or ''} {limited} answers 429".strip())
            del done
        decisions = job.decisions().decisions
        snapshot = load_snapshot(job.workspace.snapshots / job.workspace.find_state("snapshot")["file"])
        meter.begin(1.0)
        compute(read_account(snapshot).show(renderings=job.latest_account().renderings), decisions)
        pipe.send(meter.read(COMPUTED)[0])
    pipe.send(None)


class Counter:
    """What both accounts and this process spend, from one moment to another; one count may begin within another."""

    def __init__(self, job: Any, people: int, clock: Clock, sides: Connection):
        self.job, self.people, self.clock, self.sides, self._begun = job, people, clock, sides, []

    def begin(self, speed: float) -> None:
        """All clocks go on at that speed."""
        received, _ = self._ask(speed)
        _forget_peak()
        self._begun.append((self.job.counts(), received, time.perf_counter(), time.process_time()))

    def read(self, step: str) -> tuple[Spent, int]:
        """What was spent since the latest `begin`, and how many answers were 429 since the very first."""
        before, had, began, worked = self._begun.pop()
        seconds, work = time.perf_counter() - began, time.process_time() - worked
        after, (received, limited) = self.job.counts(), self._ask(self.clock.speed)
        source = {name: after["source"][name] - before["source"][name] for name in after["source"]}
        return Spent(
            people=self.people,
            step=step,
            source=source["requests"] + source["clock_requests"] + source["oncall_requests"],
            oncalls=source["oncall_requests"],
            target=after["target"]["requests"] - before["target"]["requests"],
            received=received - had,
            seconds=seconds,
            worked=work,
            peak=_read_peak(),
            speed=self.clock.speed,
        ), limited

    def _ask(self, speed: float) -> tuple[int, int]:
        """Both sides' bytes and answers 429 so far."""
        self.clock.run_at(speed)
        self.sides.send(speed)
        return self.sides.recv()


def _forget_peak() -> None:
    if CLEAR.is_file():
        CLEAR.write_text("5")


def _read_peak() -> int:
    """The most memory since, in MB (Linux)."""
    return int(re.search(r"VmHWM:\s*(\d+)", STATUS.read_text())[1]) >> 10


def run(people: int) -> Iterator[Spent | str]:
    """One account from connect to verify, each step as it ends."""
    spawn = multiprocessing.get_context("spawn")
    ours, theirs = spawn.Pipe()
    servers = spawn.Process(target=serve, args=(theirs, people), daemon=True)
    servers.start()
    urls = ours.recv()
    with tempfile.TemporaryDirectory() as folder:
        _make_workspace(Path(folder), *urls)
        told, telling = spawn.Pipe()
        migration = spawn.Process(target=migrate, args=(telling, ours, people, folder), daemon=True)
        migration.start()
        telling.close()
        while (said := told.recv()) is not None:
            yield said
        migration.join()
    servers.terminate()


def _make_workspace(folder: Path, source: str, target: str) -> None:
    from pdmigrate.plan.answers import Decision
    from pdmigrate.workspace.decisions import save_answers
    from pdmigrate.workspace.folder import Workspace
    from pdmigrate.workspace.settings import make_workspace

    path = make_workspace(folder, {"name": "bench", "open_conflicts": "recommended"})
    settings = yaml.safe_load(path.read_text(encoding="utf-8"))
    settings["source"] = {"kind": "pagerduty", "token": "env:BENCH_TOKEN", "subdomain": "acme", "base_url": source}
    settings["target"] = {"kind": "harness", "api_key": "env:BENCH_KEY", "base_url": target, "rehearsal": True, **PLACE}
    path.write_text(yaml.safe_dump(settings), encoding="utf-8")
    at = datetime.now(UTC).isoformat(timespec="seconds")
    given = (
        Decision(conflict=kind, object="all", choice=choice, by="bench", at=at, why="a benchmark")
        for kind, choice in ANSWERS
    )
    save_answers(Workspace(folder).decisions_file, *given)


# --- the page ---

BEGIN, END = "<!-- whole: made by make bench -->", "<!-- whole: end -->"


def write_table(found: list[Spent]) -> str:
    """Markdown, a row a step and size."""
    lines = [
        f"Seed {SEED}; {os.cpu_count()} cores.",
        "",
        "| people | step | requests to PagerDuty | to Harness | MB received | clock | seconds | bound | of the bound | our work, s | peak MB |",
        "|---:|---|" + "---:|" * 9,
    ]
    lines += [
        f"| {one.people:,} | {one.step} | {one.source:,} | {one.target:,} | {one.received / 1e6:.1f} | × {one.speed:g} | {one.seconds:,.0f} | "
        f"{one.bound:,.0f} | {f'{one.seconds / one.bound:.2f}' if one.bound else ''} | {one.worked:.1f} | {one.peak:,} |"
        for one in found
    ]
    return "\n".join([*lines, "", *_weigh_computed(found), "", *_write_growth(found), ""])


def _weigh_computed(found: list[Spent]) -> Iterator[str]:
    """What is computed, as a part of the time that the fetch takes."""
    known = {(one.people, one.step): one for one in found}
    yield f'"{COMPUTED[0].upper()}{COMPUTED[1:]}" is all that is computed of an account: mapping and planning, both again as if it stood in'
    yield "Harness, and verifying, without any question to a side. The seconds of it, beside those of the fetch alone:"
    both = [(known[people, COMPUTED], known[people, FETCH]) for people, step in known if step == COMPUTED]
    yield "; ".join(f"{one.people:,} people {one.worked:.1f} to {fetch.seconds:.1f}" for one, fetch in both) + "."


def _write_growth(found: list[Spent]) -> Iterator[str]:
    """How many times the people, and how many times everything else, from each size to the next."""
    sizes = sorted({one.people for one in found})
    known = {(one.people, one.step): one for one in found}
    if len(sizes) < 2:
        return
    yield "| from one size to the next | step | people | requests | our work | peak MB |"
    yield "|---|---|---:|---:|---:|---:|"
    for before, after in pairwise(sizes):
        for step in (*WORKED, COMPUTED):
            one, other = known.get((before, step)), known.get((after, step))
            if one and other:
                times = (
                    after / before,
                    (other.source + other.target) / (one.source + one.target or 1),
                    other.worked / one.worked,
                    other.peak / one.peak,
                )
                yield f"| {before:,} to {after:,} | {step} | {' | '.join(f'× {number:.1f}' if number else '' for number in times)} |"


def draw_plot(found: list[Spent]) -> str:
    """SVG, both axes logarithmic: seconds by people. A line a step, its bound dashed, our work dotted."""
    sizes = sorted({one.people for one in found})
    low, high = math.log10(sizes[0]), math.log10(sizes[-1])
    top = math.ceil(math.log10(max(max(one.seconds, one.bound) for one in found)))

    def place(people: float, seconds: float) -> tuple[float, float]:
        across = (math.log10(people) - low) / (high - low or 1)
        return 72 + 548 * across, 340 - 300 * (max(-1.0, math.log10(max(seconds, 0.1))) + 1) / (top + 1)

    lines = []
    for power in range(-1, top + 1):
        y = place(sizes[0], 10**power)[1]
        lines.append(
            f'<path d="M72 {y:.0f}H620" stroke="#ccc"/><text x="66" y="{y + 4:.0f}" text-anchor="end">{10**power:g} s</text>'
        )
    for people in sizes:
        x = place(people, 1)[0]
        lines.append(f'<text x="{x:.0f}" y="362" text-anchor="middle">{people:,} people</text>')
    for step, colour in WORKED.items():
        rows = sorted((one for one in found if one.step == step), key=lambda one: one.people)
        for dash, values in (("none", "seconds"), ("6 4", "bound"), ("1 4", "worked")):
            points = " ".join("{:.0f},{:.0f}".format(*place(one.people, getattr(one, values))) for one in rows)
            lines.append(
                f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="2" stroke-dasharray="{dash}"/>'
            )
        x, y = place(rows[-1].people, rows[-1].seconds)
        lines.append(f'<text x="{x + 8:.0f}" y="{y + 4:.0f}" fill="{colour}">{step}</text>')
    lines.append(
        '<text x="60" y="386">whole: what a step took; dashed: its bound; dotted: our work (processor time)</text>'
    )
    style = 'font-family="sans-serif" font-size="12"'
    return f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 720 400" {style}><rect width="720" height="400" fill="#fff"/>{"".join(lines)}</svg>\n'


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--people", type=int, nargs="+", default=SIZES)
    parser.add_argument("--write", type=Path)
    options = parser.parse_args()
    found, troubles = [], []
    for people in options.people:
        for said in run(people):
            (troubles if isinstance(said, str) else found).append(said)
            print(said, flush=True)
    table = write_table(found)
    print(table)
    if options.write:
        text = options.write.read_text(encoding="utf-8")
        whole = re.sub(f"{BEGIN}.*{END}", lambda _: f"{BEGIN}\n\n{table}\n{END}", text, flags=re.DOTALL)
        options.write.write_text(whole, encoding="utf-8")
        options.write.with_suffix(".svg").write_text(draw_plot(found), encoding="utf-8")
    return 1 if troubles else 0


if __name__ == "__main__":
    sys.exit(main())
