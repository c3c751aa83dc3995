"""Broken inputs at every door, by seed: `python tests/fuzz/fuzz.py --inputs 10000 --seed 1 --write docs/reliability.md`.

What is seen of each: it worked, it was refused in one line with a documented exit code, it ended in a traceback, one of its steps
took more than ten seconds of work or of waiting, or all of them 500 MB, or what was refused has changed something all the
same: a file of the workspace, or Harness.
`--only seed:number` runs one again and shows its traceback.
"""

import argparse
import logging
import multiprocessing
import os
import re
import resource
import shutil
import signal
import sys
import time
import traceback
import warnings
from collections import Counter
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from random import Random

sys.path.append(str(Path(__file__).parent.parent))

from breakage import BREAKAGES
from doors import DOORS
from template import Template
from trial import Trial

from pdmigrate.errors import PdmigrateError

DEADLINE = 10.0
"""Seconds of processor time, and of waiting for nothing that goes on in this process, of each step of an input."""
TICK = 0.5
MEMORY = 500
"""MB, all of the process included."""
CLEAR, STATUS = Path("/proc/self/clear_refs"), Path("/proc/self/status")
LONGEST_LINE = 2_001
SEEN = ("refused", "worked", "traceback", "hang", "written after a refusal")
BAD = SEEN[2:]


class HangError(BaseException):
    """The deadline is over. No Exception: nobody catches it on the way."""


@dataclass(frozen=True)
class Tried:
    """One input, and what was seen of it. words: what was said, or the last lines of the traceback."""

    number: int
    door: str
    kind: str
    seen: str
    words: str = ""
    seconds: float = 0.0
    peak: int = 0


def choose(seed, number):
    """The dice, the door and the kind of breakage of an input; doors take turns, and each has every kind, one after the other."""
    random = Random(f"{seed}:{number}")  # noqa: S311 - dice that fall the same every time
    doors, kinds = list(DOORS), list(BREAKAGES)
    place = number % len(doors)
    return random, doors[place], kinds[(number // len(doors) + place) % len(kinds)]


def try_input(template, seed, number):
    """Run one input, and see."""
    random, door, kind = choose(seed, number)
    folder = template.copy(f"try-{os.getpid()}")
    trial = Trial(random, kind, folder, template)
    begun = time.process_time()
    _forget_peak()
    try:
        with _deadline() as trial.begin:
            DOORS[door](trial)
        seen, words = "worked", ""
    except HangError:
        seen, words = "hang", _tell(sys.exc_info()[2])
    except PdmigrateError as error:
        seen, words = _judge_refusal(error)
    except Exception as error:
        seen, words = "traceback", f"{type(error).__name__}: {str(error)[:300]}\n{_tell(error.__traceback__)}"
    if seen in ("refused", "worked") and (written := trial.find_written(seen == "refused")):
        seen, words = "written after a refusal", f"{', '.join(written)}\n{words}"
    shutil.rmtree(folder, ignore_errors=True)
    if (peak := _read_peak()) > MEMORY:
        seen, words = "hang", f"it took {peak} MB\n{words}"
    return Tried(number, door, kind, seen, words, time.process_time() - begun, peak)


def _judge_refusal(error):
    words = str(error)
    try:
        words.encode()
    except UnicodeEncodeError:
        return "traceback", f"the refusal cannot be printed: {words[:200]!r}\n{_tell(error.__traceback__)}"
    if error.exit_code not in range(2, 8):
        return "traceback", f"exit code {error.exit_code}: {words[:300]}\n{_tell(error.__traceback__)}"
    if "\n" in words or len(words) > LONGEST_LINE:
        return "traceback", f"no one line ({len(words)} signs): {words[:200]!r}\n{_tell(error.__traceback__)}"
    return "refused", f"{error.exit_code} {words}"


def _tell(trace):
    """Where it happened, in our own files."""
    ours = [f for f in traceback.extract_tb(trace, 3000) if "/pdmigrate/" in f.filename]
    return "\n".join(f"  {Path(f.filename).name}:{f.lineno} {f.name}: {f.line}" for f in (ours[-4:]))


def _forget_peak():
    """From now on the most memory is counted anew, where the system can do that (Linux)."""
    if CLEAR.is_file():
        CLEAR.write_text("5")


def _read_peak():
    """The most memory of this process, in MB."""
    if not CLEAR.is_file():
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10
    return int(re.search(r"VmHWM:\s*(\d+)", STATUS.read_text())[1]) >> 10


@contextmanager
def _deadline():
    def stop(*_):
        raise HangError

    idle, last = 0.0, _read_work()

    def tick(*_):
        nonlocal idle, last
        now = _read_work()
        idle += TICK if abs(now - last) < TICK / 4 else 0.0
        last = now
        if idle >= DEADLINE:
            raise HangError

    timers = {
        signal.SIGPROF: (signal.ITIMER_PROF, stop, DEADLINE, 0.0),
        signal.SIGALRM: (signal.ITIMER_REAL, tick, TICK, TICK),
    }
    before = {number: signal.signal(number, call) for number, (_, call, *_rest) in timers.items()}

    def begin():
        nonlocal idle
        idle = 0.0
        for timer, _, first, each in timers.values():
            signal.setitimer(timer, first, each)

    begin()
    try:
        yield begin
    finally:
        for number, (timer, *_) in timers.items():
            signal.setitimer(timer, 0)
            signal.signal(number, before[number])


def _read_work():
    """Seconds that this process has worked, or would have, had a full machine let it (Linux tells)."""
    queued = 0
    for path in Path("/proc/self/task").glob("*/schedstat"):
        with suppress(OSError):  # a thread that has just ended
            queued += int(path.read_text().split()[1])
    return time.process_time() + queued / 1e9


@contextmanager
def quiet():
    """What is logged on the way is not looked at."""
    logging.disable(logging.CRITICAL)
    warnings.simplefilter("ignore")
    try:
        yield
    finally:
        logging.disable(logging.NOTSET)


def run_share(seed, numbers):
    """Inputs one after the other in this process: what was seen."""
    with quiet():
        template = Template()
        try:
            tried = [try_input(template, seed, number) for number in numbers]
        finally:
            template.close()
    return tried


def run_campaign(seed, numbers, processes):
    """All inputs over some processes, share by share as they are done."""
    shares = [(seed, numbers[first : first + 250]) for first in range(0, len(numbers), 250)]
    with multiprocessing.get_context("spawn").Pool(processes, maxtasksperchild=1) as pool:
        yield from pool.imap_unordered(_run_one_share, shares)


def _run_one_share(share):
    return run_share(*share)


# --- the table ---

BEGIN, END = "<!-- fuzz: made by make fuzz -->", "<!-- fuzz: end -->"


def write_table(tried, seed):
    """The campaign as Markdown: by door and by kind of breakage."""
    head = "| | inputs | refused in a line | worked | tracebacks | hangs | written after a refusal |"
    lines = [
        f"{len(tried)} inputs with the seed {seed}; the slowest took {max(t.seconds for t in tried):.1f} s of processor "
        f"time, the largest {max(t.peak for t in tried)} MB.",
        "",
    ]
    for title, name in (("Door", "door"), ("Breakage", "kind")):
        groups = {}
        for one in tried:
            groups.setdefault(getattr(one, name), Counter())[one.seen] += 1
        whole = sum(groups.values(), Counter())
        lines += [head.replace("| |", f"| {title} |", 1), "|---|" + "---:|" * 6]
        rows = [
            *((group, groups[group]) for group in (DOORS if name == "door" else BREAKAGES) if group in groups),
            ("all", whole),
        ]
        lines += [
            f"| {group} | {count.total()} | " + " | ".join(str(count[s]) for s in SEEN) + " |" for group, count in rows
        ]
        lines.append("")
    return "\n".join(lines)


def write_page(path, table):
    """Put the table between its marks in a page; the rest of the page is people's, or another script's."""
    part = f"{BEGIN}\n\n{table}\n{END}"
    text = path.read_text(encoding="utf-8")
    path.write_text(re.sub(f"{BEGIN}.*{END}", lambda _: part, text, flags=re.DOTALL), encoding="utf-8")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--inputs", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--processes", type=int, default=os.cpu_count())
    parser.add_argument("--write", type=Path)
    parser.add_argument("--only", metavar="SEED:NUMBER")
    parser.add_argument("--doors", nargs="+", choices=DOORS, default=list(DOORS), help="these alone")
    options = parser.parse_args()
    seed, tried = options.seed, []
    if options.only:
        seed, number = map(int, options.only.split(":"))
        shares = [run_share(seed, [number])]
    else:
        numbers = [number for number in range(options.inputs) if choose(seed, number)[1] in options.doors]
        shares = run_campaign(seed, numbers, options.processes)
    for share in shares:
        tried += share
        for one in share:
            if options.only or one.seen in BAD:
                print(f"{seed}:{one.number} {one.door}, {one.kind}: {one.seen}\n{one.words}", flush=True)
    table = write_table(tried, seed)
    print(table)
    if options.write:
        write_page(options.write, table)
    return 1 if any(one.seen in BAD for one in tried) else 0


if __name__ == "__main__":
    sys.exit(main())
