"""Both campaigns of docs/proof.md, whole: faults planted in Harness and faults planted in the code. `make mutants` runs it.

    python tests/prove.py [--planted 320] [--mutants 300] [--seed 1] [--at-once 2] [--only mapping/shifts.py] [--write docs/proof.md]

Ends with 1 where a fault was missed, or a harmless change rang. Hours of processor time are no part of a verdict.
"""

import argparse
import json
import sys
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "tests"), *(str(room) for room in (ROOT / "tests").iterdir() if room.is_dir())]

import proof_mutants  # noqa: E402
import proof_planted  # noqa: E402


def main(arguments=None):
    options = read_options(arguments)
    shares = [(at, options.at_once) for at in range(options.at_once)]
    started = time.monotonic()
    with tempfile.TemporaryDirectory() as scratch, ProcessPoolExecutor(options.at_once, get_context("spawn")) as pool:
        planted, mutated, rooms = (), (), tuple(options.only) or proof_mutants.ROOMS
        if options.planted:
            folder = proof_planted.load_company(Path(scratch) / "acme")
            planted = gather(pool, plant_share, [(folder, options.planted, options.seed, share) for share in shares])
        if options.mutants:
            mutated = gather(pool, mutate_share, [(options.mutants, options.seed, share, rooms) for share in shares])
    text = write_page(planted, mutated, options)
    print(text)
    print(f"{(time.monotonic() - started) / 60:.1f} min")
    if options.write:
        options.write.write_text(text, encoding="utf-8")
    wrong = [o for o in planted if o["verdict"] in ("missed", "false alarm")]
    return 1 if wrong or any(verdict == "missed" for _, verdict, _ in mutated) else 0


def read_options(arguments):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--planted", type=int, default=320, help="how many changes are planted in Harness")
    parser.add_argument("--mutants", type=int, default=300, help="how many faults are planted in the code")
    parser.add_argument("--seed", type=int, default=1, help="which ones: the same for the same number")
    parser.add_argument("--at-once", type=int, default=2, help="processes")
    parser.add_argument("--only", nargs="*", default=[], help="the files of pdmigrate/ in which faults are planted")
    parser.add_argument("--write", type=Path, help="the page to write")
    return parser.parse_args(arguments)


def gather(pool, mapped, calls):
    """Results of all shares, in the order in which one process would have them."""
    shares = [list(rows) for rows in pool.map(mapped, calls)]
    return [rows.pop(0) for turn in range(max(map(len, shares))) for rows in shares if rows]


def plant_share(call):
    folder, number, seed, share = call
    outcomes = proof_planted.run(folder, number, seed, share, lambda o: describe(o.verdict, o.plant, o.said))
    return [{"plant": o.plant.describe(), "verdict": o.verdict, "said": o.said, "changes": o.changes} for o in outcomes]


def mutate_share(call):
    number, seed, share, rooms = call
    return proof_mutants.run(
        number, seed, share, lambda mutant, verdict, words: describe(verdict, mutant, words), rooms=rooms
    )


def describe(verdict, what, words):
    """A line as it comes, so that a long run is no riddle."""
    print(f"{verdict:<11} {what}: {words[:140]}", file=sys.stderr, flush=True)


def write_page(planted, mutated, options):
    lines = [HEAD.format(seed=options.seed), *proof_planted.tabulate(planted), ""]
    wrong = [o for o in planted if o["verdict"] in ("missed", "false alarm")]
    lines += [f"- {o['verdict']}: {json.dumps(o['plant'])}: {o['said'] or 'nothing was said'}" for o in wrong]
    lines += ["", MUTANTS, *proof_mutants.tabulate(mutated), "", SURVIVORS, ""]
    lines += [
        f"- `{mutant.path}:{mutant.line}` {mutant.words}: {words}"
        for mutant, verdict, words in mutated
        if verdict != "caught"
    ]
    return "\n".join(lines).rstrip() + "\n"


HEAD = """# The proof, put to the proof

Made by `make mutants` (seed {seed}); a sample of both campaigns is in the tests. The oracle works out what Harness does with
every alert from the embedded Harness alone, and shares no code with pdmigrate.

## Faults planted in Harness

The embedded company is carried over, every invitation is accepted, and then one thing is changed behind the plan's back.
*Caught*: somebody else is on call, paged or reached, and verify ended with 5, or named whom nobody reaches, by the
name of the object. *Harmless*: nobody is, and verify ended with 0. *Missed* and *false alarms* are what must not be.
"""
MUTANTS = """## Faults planted in the code

One small edit of the code that maps, renders or writes; then the company is carried over with it. *Caught*: conflicts,
load or verify refused, asked, rang or broke. *Harmless*: nobody noticed, and Harness does just what it does without the
edit. *Missed*: nobody noticed, and Harness does something else.
"""
SURVIVORS = """### The survivors

Every edit that nobody noticed, and why it may live."""

if __name__ == "__main__":
    sys.exit(main())
