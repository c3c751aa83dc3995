"""Companies that people go on editing on both sides, over many runs of the sync: the large sister of the property.

    python tests/campaign_sync.py --companies 200 --runs 10 --seed 1 --jobs 2

Each company is a corner of the embedded one. Between two runs people edit PagerDuty and Harness; each run is followed by a
second one, which has nothing to do. Prints what was asked, and every failure with its seed: --only SEED runs that alone.
"""

import argparse
import random
import sys
import traceback
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent / "steps"))

from small_company import SERVICES
from test_sync_properties import DECISIONS, OFTEN, TwoSides
from two_sides import SOURCE_EDITS, TARGET_EDITS

CORNERS = (SERVICES, ("PSERV04", "PSERV05", "PSERV06"), ("PSERV10", "PSERV11"), ("PSERV15", "PSERV16", "PSERV20"))
DROPPED = ("teams", "schedules", "escalation_policies", "services", "users")
LOST = ("teams", "schedules", "escalation_policies", "services", "contact_methods")


def edit(company, dice):
    """One edit of somebody; those of single fields are the most frequent."""
    pick = dice.randrange(50)
    edits = {
        lambda: company.source_changes(dice.choice(SOURCE_EDITS), pick): 8,
        lambda: company.target_changes(dice.choice(TARGET_EDITS), pick): 8,
        lambda: company.source_drops_an_object(dice.choice(DROPPED), pick): 1,
        lambda: company.source_object_is_made_anew(dice.choice(DROPPED[:4]), pick): 1,
        lambda: company.source_drops_an_override(pick): 1,
        lambda: company.target_loses_an_object(dice.choice(LOST), pick): 1,
    }
    dice.choices(list(edits), list(edits.values()))[0]()


def run(company, dice):
    decision = dice.choice([None, dice.choice(OFTEN), dice.choice(DECISIONS)])
    strategy = dice.choice(["preserve", "overwrite"])
    by_hand = dice.choice(["keep_harness", "take_source", ""])
    company.runs_twice(strategy, decision, by_hand, dice.random() < 0.75)


def live(seed, runs):
    """One company over its runs. Returns what was asked, and what went wrong."""
    dice = random.Random(seed)  # noqa: S311 - edits, not secrets
    company = TwoSides()
    company.services = CORNERS[seed % len(CORNERS)]
    company.begin()
    try:
        for _ in range(runs):
            for _ in range(dice.randint(1, 6)):
                edit(company, dice)
            run(company, dice)
        return company.asked, ""
    except Exception:  # a campaign goes on and tells of all
        return company.asked, traceback.format_exc()
    finally:
        company.teardown()


def describe(words):
    sys.stdout.write(f"{words}\n")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--companies", type=int, default=200)
    parser.add_argument("--runs", type=int, default=10)
    parser.add_argument("--seed", type=int, default=1, help="of the first company; each next one has the next seed")
    parser.add_argument("--only", type=int, help="one company, by its seed")
    parser.add_argument("--jobs", type=int, default=1)
    said = parser.parse_args()
    seeds = [said.only] if said.only is not None else range(said.seed, said.seed + said.companies)
    with ProcessPoolExecutor(said.jobs) as pool:
        found = list(pool.map(live, seeds, [said.runs] * len(seeds)))
    asked = sum((counts for counts, _ in found), Counter())
    failed = {seed: words for seed, (_, words) in zip(seeds, found, strict=True) if words}
    for seed, words in failed.items():
        describe(f"seed {seed}:\n{words}")
    for (kind, answer), number in sorted(asked.items()):
        describe(f"asked about {kind}, {answer}: {number}")
    describe(f"{len(seeds)} companies, {said.runs} runs each and a second one after each: {len(failed)} failed")
    return bool(failed)


if __name__ == "__main__":
    sys.exit(main())
