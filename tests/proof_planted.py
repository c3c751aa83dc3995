"""Faults planted in Harness behind the plan's back, one at a time: does verify ring for those that page somebody else?

Each plant is one change that a person could make: of a field, of a part, of a whole object. The oracle (proof_effects)
says whether it changes who is on call, who is paged or who is reached; verify must say so, name the object, and be quiet
about the rest.
"""

import copy
import shutil
from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime

from proof_effects import is_told_worse, read_effects
from proof_plants import Plant, choose, list_plants
from test_steps import change_harness, migrate, read_harness

from pdmigrate import connect, open_job, verify
from pdmigrate.runs.demo import make_demo_workspace
from pdmigrate.sandbox.harness import accept_invites
from pdmigrate.steps.job import EMBEDDED_KEY

WATCHED = ("schedules", "escalation_policies", "services")


@dataclass(frozen=True)
class Outcome:
    """changes: what the oracle sees changed; rang: verify ended with 5, or named somebody anew who cannot be reached."""

    plant: Plant
    changes: tuple
    rang: bool
    named: bool
    said: str

    @property
    def verdict(self):
        if self.changes:
            return "caught" if self.rang and self.named else "missed"
        return "false alarm" if self.rang else "harmless"


# --- the company, loaded, and what is seen of it ---


class Field:
    """The embedded company after a clean load, with everybody's invitation accepted, and the effects that it has."""

    def __init__(self, job):
        self.job = job
        self._lift_limits()
        self.clean = copy.deepcopy(read_harness(job))
        with job.journal().opened() as journal:
            self.ledger = journal.ledger()
        self.watched = {(kind, entry.identifier) for (kind, _), entry in self.ledger.items() if kind in WATCHED}
        found = verify(job)
        self.names = {
            (kind, entry.identifier): (key, _name_of(found.draft.account, kind, key))
            for (kind, key), entry in self.ledger.items()
        }
        self.start, self.end = int(found.since.timestamp()), int(found.until.timestamp())
        self.quiet = (found.unexplained, {(row.email, row.why) for row in (*found.unreachable, *found.doubted)})
        self.base = self.read()
        self.base_effects = self.base.describe(self.watched)

    def _lift_limits(self):
        """Hundreds of looks in a minute are no migration: neither side counts them."""
        pagerduty, harness = (server.app for server in self.job._servers)
        pagerduty.config["OPTIONS"] |= dict.fromkeys(("calls_per_minute", "oncalls_per_minute"), 1_000_000)
        with harness.config["STORE"].change() as held:
            held["config"]["calls_per_minute"] = None

    def read(self):
        url = self.job.target.transport.base_url
        return read_effects(url, EMBEDDED_KEY, read_harness(self.job), self.start, self.end)

    def restore(self):
        with change_harness(self.job) as held:
            held.clear()
            held.update(copy.deepcopy(self.clean))

    def try_plant(self, plant):
        """Plant it, look with the oracle and with verify, and take it out again."""
        with change_harness(self.job) as held:
            plant.apply(held)
        try:
            changes = self.list_changes()
            found = verify(self.job)
        finally:
            self.restore()
        sentences = [s for s in found.unexplained if s not in self.quiet[0]]
        people = {(row.email, row.why) for row in (*found.unreachable, *found.doubted)} - self.quiet[1]
        said = "; ".join([*sentences, *(f"{email} {why}" for email, why in sorted(people))])
        rang = (found.error is not None and bool(sentences)) or bool(people)
        return Outcome(plant, changes, rang, self.is_named(changes, said), said)

    def list_changes(self):
        """The objects whose effect is another one, and the people who are reached otherwise."""
        now = self.read()
        effects = now.describe(self.watched)
        changes = [key for key in self.base_effects if effects[key] != self.base_effects[key]]
        paged = self.base.list_paged(self.watched) | now.list_paged(self.watched)
        return (*changes, *(("people", p) for p in sorted(paged) if self.is_told_otherwise(p, now)))

    def is_told_otherwise(self, person, now):
        """Worse than before; or by Harness's defaults, which nobody chose, in place of a rule that told him otherwise."""
        before, after = self.base.told(person), now.told(person)
        left_to_defaults = self.base.has_rule(person) and not now.has_rule(person)
        return is_told_worse(before, after) or (left_to_defaults and before != after)

    def is_named(self, changes, said):
        """Whether what was said names one of the objects that are otherwise."""
        words = [word for key in changes for word in (self.names.get(key) or (key[1],)) if word]
        return not changes or any(word in said for word in words)


def _name_of(account, kind, key):
    there = {"schedules": account.all_schedules, "escalation_policies": account.policies, "services": account.services}
    record = there.get(kind, {}).get(key)
    return record.name if record else ""


def load_company(folder):
    """The company, carried over twice: the second time with everybody's invitation accepted."""
    make_demo_workspace(folder)
    with open_job(folder) as job:
        connect(job)
        migrate(job)
        with change_harness(job) as held:
            accept_invites(held)
        migrate(job)
    return folder


def run(folder, number, seed, share=(0, 1), describe=lambda outcome: None):
    """Plant `number` changes, those of this share of the work; returns the outcomes."""
    mapped = folder.parent / f"share{share[0]}"
    shutil.copytree(folder, mapped)
    with open_job(mapped) as job:
        field = Field(job)
        plants = choose(list(list_plants(field.clean, field.ledger, datetime.now(UTC))), number, seed)
        outcomes = []
        for plant in plants[share[0] :: share[1]]:
            outcomes.append(field.try_plant(plant))
            describe(outcomes[-1])
    return outcomes


def tabulate(outcomes):
    """outcomes: rows with plant and verdict. Lines of a Markdown table: by kind and field, what was planted and what became of it."""
    verdicts = ("caught", "harmless", "missed", "false alarm")
    rows = {}
    for outcome in outcomes:
        rows.setdefault((outcome["plant"]["kind"], outcome["plant"]["field"]), Counter())[outcome["verdict"]] += 1
    lines = ["| kind | field | planted | caught | harmless | missed | false alarms |", "|---|---|---|---|---|---|---|"]
    for (kind, field), counts in sorted(rows.items()):
        lines.append(f"| {kind} | {field} | {counts.total()} | {' | '.join(str(counts[v]) for v in verdicts)} |")
    total = sum(rows.values(), Counter())
    lines.append(f"| **all** | | {total.total()} | {' | '.join(str(total[v]) for v in verdicts)} |")
    return lines
