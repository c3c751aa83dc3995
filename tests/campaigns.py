"""Random campaigns, by hand: `python tests/campaigns.py rota --v2 20000 --v3 5000 --seed 1`. They end with failures 0.

Each schedule is mapped as for a migration, written as Harness would have it, and compared with an oracle that shares no
code with the package: at every edge of either side and the second before it over 400 days, then in weeks around every
change of the clock and in others of the ten years, as long as its claim says. `--only v2:17` runs one again.
"""

import argparse
import os
import sys
import time
import traceback
from collections import Counter
from datetime import timedelta
from multiprocessing import Pool
from random import Random
from zoneinfo import ZoneInfo

from rota_cases import DAY, START, WEEK, write
from rota_oracles import Events, Stack, Written
from rota_random import make_shifts, make_stack

from pdmigrate.mapping.proof import CannotBeSaidError, Judgement, judge, list_windows
from pdmigrate.mapping.rotations import TooManyDatedError
from pdmigrate.mapping.schedules_v2 import map_layers
from pdmigrate.mapping.schedules_v3 import map_shifts
from pdmigrate.pagerduty.account import Account
from pdmigrate.pagerduty.readings import WALL
from pdmigrate.pagerduty.records import Schedule
from pdmigrate.pagerduty.v3_records import ScheduleV3

SINCE = int(START.timestamp())
HORIZON = SINCE + 56 * DAY
UNTIL, TEN_YEARS = SINCE + 400 * DAY, SINCE + 3652 * DAY
SLOW = 20
"""Seconds of processor time within which a schedule is mapped."""
JUDGED = 0.1
"""How many of them are looked at for doubts as well, which takes longest."""


class WrongError(AssertionError):
    """Somebody else would be paged, or what is written cannot be."""


def run_v2(random):
    """Map one v2 schedule and check it. Returns what became of it."""
    facts = make_stack(random)
    record, zone = Schedule.model_validate(facts), ZoneInfo(facts["time_zone"])
    said, grade = _map(lambda: map_layers(record, Judgement(WALL), zone, SINCE, HORIZON))
    if random.random() < JUDGED:
        _judge(record, zone, {"schedules": {record.id: record}})
    if said:
        _check(Stack(facts), Written(_dump(write(record, zone, said[0]))), said, random, (False, True))
    return grade


def run_v3(random):
    """The same with a v3 schedule; several people may be meant at once, so rotations are joined."""
    facts = make_shifts(random)
    record, zone = ScheduleV3.model_validate(facts), ZoneInfo(facts["time_zone"])
    said, grade = _map(lambda: map_shifts(record, zone, SINCE, HORIZON))
    if random.random() < JUDGED:
        _judge(record, zone, {"schedules": {}, "schedules_v3": {record.id: record}})
    if said:
        bare = record.model_copy(update={"overrides": ()})
        written = write(bare, zone, said[0])
        _check(Events(facts, TEN_YEARS + WEEK), Written(_dump(written)), said, random, (False,))
    return grade


KINDS = {"v2": run_v2, "v3": run_v3}


def _map(say):
    begun = time.process_time()
    try:
        said = say()
        grade = said[1].grade
    except (CannotBeSaidError, TooManyDatedError) as error:
        said, grade = None, type(error).__name__
    if (took := time.process_time() - begun) > SLOW:
        raise WrongError(f"it took {took:.1f} s")
    return said, grade


def _judge(record, zone, schedules):
    """What is asked and doubted must at least come to an end."""
    empty = {kind: {} for kind in ("users", "teams", "policies", "services")}
    made = Account("acme", START, START, START + timedelta(days=56), problems=(), inventory={}, **empty, **schedules)
    judge(made, record, zone)
    list_windows(made, in_doubt=True)


def _dump(written):
    return written.model_dump(mode="json")


def _check(before, after, said, random, ways):
    named, fidelity = said
    _check_form(named)
    claimed = TEN_YEARS if fidelity.until is None else min(fidelity.until, TEN_YEARS)
    spans = [(SINCE, min(UNTIL, claimed))]
    changes = [change for change in after.clock.changes if UNTIL < change < claimed]
    weeks = [random.randrange(UNTIL, TEN_YEARS) for _ in range(6)]
    spans += [(at - 2 * DAY, at + 5 * DAY) for at in (*changes, *weeks) if at + 5 * DAY < claimed]
    for span in spans:
        edges = before.edges(*span) | after.edges(*span)
        for instant in sorted({edge - back for edge in edges for back in (0, 1)}):
            if span[0] <= instant < span[1]:
                _check_second(before, after, instant, ways)


def _check_second(before, after, instant, ways):
    wanted = before.people_at(instant)
    found = [after.people_at(instant, stacked) for stacked in ways]
    if any(one != wanted for one in found):
        raise WrongError(f"at {instant} {sorted(wanted)} are meant and {[sorted(one) for one in found]} are paged")


def _check_form(named):
    """What Harness would refuse by our contract."""
    names = Counter(one.name for one in named)
    for one in named:
        made = one.rotation
        upside_down = made.since is not None and made.until is not None and made.since >= made.until
        if upside_down or made.turn < 60 or not made.participants or len(one.name) > 128 or names[one.name] > 1:
            raise WrongError(f"Harness would refuse {one}")


def run_one(case):
    """One case by (kind, seed, number): what became of it, and what is wrong with it, if anything."""
    kind, seed, number = case
    try:
        return case, KINDS[kind](Random(f"{kind}-{seed}-{number}")), ""  # noqa: S311 - a sample of a test
    except Exception:  # whatever it is, it is a failure of this case
        return case, "failed", traceback.format_exc(limit=-4)


def run_rota(numbers, seed, processes):
    """(what became of the schedules, failures) of so many of each kind."""
    cases = [(kind, seed, number) for kind, count in numbers.items() for number in range(count)]
    counts, failures = Counter(), []
    with Pool(processes) as pool:
        for case, grade, wrong in pool.imap_unordered(run_one, cases, chunksize=20):
            counts[case[0], grade] += 1
            failures += [(case, wrong)] if wrong else []
    return counts, failures


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("what", choices=["rota"])
    parser.add_argument("--v2", type=int, default=1000)
    parser.add_argument("--v3", type=int, default=500)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--processes", type=int, default=os.cpu_count())
    parser.add_argument("--only", help="one case again, as v2:17")
    asked = parser.parse_args(arguments)
    if asked.only:
        kind, _, number = asked.only.partition(":")
        _, grade, wrong = run_one((kind, asked.seed, int(number)))
        print(grade, wrong)
        return bool(wrong)
    begun = time.monotonic()
    counts, failures = run_rota({"v2": asked.v2, "v3": asked.v3}, asked.seed, asked.processes)
    for (kind, grade), number in sorted(counts.items()):
        print(f"{kind} {grade}: {number:,}")
    for (kind, _, number), wrong in failures[:20]:
        print(f"\n{kind}:{number}\n{wrong}")
    print(f"{sum(counts.values()):,} schedules in {time.monotonic() - begun:,.0f} s, failures {len(failures)}")
    return bool(failures)


if __name__ == "__main__":
    sys.exit(main())
