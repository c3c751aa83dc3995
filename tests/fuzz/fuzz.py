"""Broken inputs at every door, by seed: `python tests/fuzz/fuzz.py --inputs 10000 --seed 1 --write docs/reliability.md`.

What is seen of each: it worked, it was refused in one line with a documented exit code, it ended in a traceback, it took
more than ten seconds of processor time, or something was written to Harness although it was refused.
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
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from random import Random

sys.path.append(str(Path(__file__).parent.parent))

from breakage import BREAKAGES
from doors import DOORS, READS_ONLY
from template import Template

from pdmigrate.errors import PdmigrateError

DEADLINE = 10.0
"""Seconds of processor time."""
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


def choose(seed, number):
    """The dice, the door and the kind of breakage of an input; doors and kinds take turns."""
    random = Random(f"{seed}:{number}")  # noqa: S311 - dice that fall the same every time
    doors, kinds = list(DOORS), list(BREAKAGES)
    return random, doors[number % len(doors)], kinds[number // len(doors) % len(kinds)]


def try_input(template, seed, number):
    """Run one input, and see."""
    random, door, kind = choose(seed, number)
    folder = template.copy(f"try-{os.getpid()}")
    before, begun = _read_target(folder), time.process_time()
    try:
        with _deadline():
            DOORS[door](random, kind, folder, template)
        seen, words = "worked", ""
    except HangError:
        seen, words = "hang", _tell(sys.exc_info()[2])
    except PdmigrateError as error:
        seen, words = _judge_refusal(error)
        if seen == "refused" and door in READS_ONLY and _read_target(folder) != before:
            seen = "written after a refusal"
    except Exception as error:
        seen, words = "traceback", f"{type(error).__name__}: {str(error)[:300]}\n{_tell(error.__traceback__)}"
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return Tried(number, door, kind, seen, words, time.process_time() - begun)


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


def _read_target(folder):
    path = folder / "sandbox" / "harness.json"
    return path.read_bytes() if path.is_file() else b""


@contextmanager
def _deadline():
    def stop(*_):
        raise HangError

    before = signal.signal(signal.SIGPROF, stop)
    signal.setitimer(signal.ITIMER_PROF, DEADLINE)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)


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
    """Inputs one after the other in this process: what was seen, and the most memory that it took, in MB."""
    with quiet():
        template = Template()
        try:
            tried = [try_input(template, seed, number) for number in numbers]
        finally:
            template.close()
    return tried, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


def run_campaign(seed, inputs, processes):
    """All inputs over some processes, in the order of their numbers; and the most memory of one process."""
    shares = [(seed, range(first, min(inputs, first + 250))) for first in range(0, inputs, 250)]
    with multiprocessing.get_context("spawn").Pool(processes, maxtasksperchild=1) as pool:
        found = pool.starmap(run_share, shares, chunksize=1)
    return [one for tried, _ in found for one in tried], max(peak for _, peak in found)


# --- the table ---

BEGIN, END = "<!-- fuzz: made by make fuzz -->", "<!-- fuzz: end -->"


def write_table(tried, seed, peak):
    """The campaign as Markdown: by door and by kind of breakage."""
    head = "| | inputs | refused in a line | worked | tracebacks | hangs | written after a refusal |"
    lines = [
        f"{len(tried)} inputs with the seed {seed}; the slowest took {max(t.seconds for t in tried):.1f} s of "
        f"processor time, the largest process {peak} MB.",
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
    options = parser.parse_args()
    if options.only:
        seed, number = map(int, options.only.split(":"))
        tried, peak = run_share(seed, [number])
    else:
        tried, peak = run_campaign(options.seed, options.inputs, options.processes)
    bad = [one for one in tried if one.seen in BAD]
    for one in bad if not options.only else tried:
        print(f"{options.seed}:{one.number} {one.door}, {one.kind}: {one.seen}\n{one.words}")
    table = write_table(tried, options.seed, peak)
    print(table)
    if options.write:
        write_page(options.write, table)
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
