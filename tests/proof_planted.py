"""Faults planted in Harness behind the plan's back: does verify ring for those that page somebody else?

Each plant is one change that a person could make: of a field, of a part, of a whole object. The oracle (proof_effects)
says whether it changes who is on call, who is paged or who is reached; verify must say so, name the object, and be quiet
about the rest. Plants that touch nothing of each other can be judged by one look.
"""

import copy
import shutil
from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime

from proof_effects import is_told_worse, read_effects
from proof_plants import Plant, choose, group_by_kind, list_plants
from test_steps import change_harness, read_harness

from pdmigrate import conflicts, connect, invite, load, open_job, preview, verify
from pdmigrate.runs.demo import make_demo_workspace
from pdmigrate.sandbox.harness import accept_invites
from pdmigrate.steps.job import EMBEDDED_KEY

WATCHED = ("schedules", "escalation_policies", "services")
KINDS = {"schedules": "schedules", "policies": "escalation_policies", "groups": "groups"}
KINDS |= dict.fromkeys(("services", "alert rules", "CD services"), "services")
"""Plants' kinds that are not about one person, in the plan's words."""


@dataclass(frozen=True)
class Outcome:
    """changes: what the oracle sees changed; said: what verify says of it, anew, in an error that ends with 5 or of people
    who cannot be reached; named: of an object that changed; beside: what was seen or said of what no plant touches."""

    plant: Plant
    changes: tuple
    said: str
    named: bool
    beside: str

    @property
    def verdict(self):
        if self.beside or (self.said and not self.changes):
            return "false alarm"
        return "harmless" if not self.changes else "caught" if self.named else "missed"


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

    def try_plants(self, plants):
        """Plant these, of which none touches what another does, look with the oracle and with verify, and take them out
        again. Returns an outcome of each."""
        with change_harness(self.job) as held:
            for plant in plants:
                plant.apply(held)
        try:
            changes = self.list_changes()
            found = verify(self.job)
        finally:
            self.restore()
        told = [s for s in found.unexplained if s not in self.quiet[0] and found.error]
        people = {(row.email, row.why) for row in (*found.unreachable, *found.doubted)} - self.quiet[1]
        told += [f"{email} {why}" for email, why in sorted(people)]
        reach = [self.list_touched(plant) for plant in plants]
        whole = set().union(*reach)
        beside = [f"{kind} {name} is otherwise" for kind, name in changes if (kind, name) not in whole]
        beside = "; ".join([*beside, *(one for one in told if not self.is_about(whole, one))])
        return [self.judge(*pair, changes, told, beside) for pair in zip(plants, reach, strict=True)]

    def judge(self, plant, touched, changes, told, beside):
        mine = tuple(key for key in changes if key in touched)
        said = [one for one in told if self.is_about(touched, one)]
        return Outcome(plant, mine, "; ".join(said), any(self.is_about(mine, one) for one in said), beside)

    def is_about(self, keys, sentence):
        """Whether a sentence of verify begins with one of the objects, by its PagerDuty id, or with one of the people."""
        subject = sentence.partition(": ")[0]
        for key in keys:
            id, name = self.names.get(key, (None, None))
            if f" ({id})" in subject or sentence.startswith((f"{key[1]} ", f"schedule {name} nobody stands in it")):
                return True
        return False

    def list_plants(self):
        return list(list_plants(self.clean, self.ledger, datetime.now(UTC)))

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

    def list_touched(self, plant):
        """What a plant may change: its own object, and whatever pages by that, as (kind, identifier)."""
        kind, name = KINDS.get(plant.kind, "people"), plant.name
        if plant.kind == "alert rules":
            name = next(rule["service"] for rule in self.base.rules if rule["identifier"] == name)
        ways = {id: set(self.base.list_policies(id)) for of, id in self.watched if of == "services"}
        paging = {name} & self.base.policies.keys()
        if kind == "services":  # its policies may come to page for nobody
            paging = ways.get(name, set())
        elif kind in ("schedules", "groups"):
            paging = {id for id, row in self.base.policies.items() if name in list_targets(row)}
        services = {id for id, own in ways.items() if own & paging} if kind != "services" else set()
        return {(kind, name), *(("escalation_policies", id) for id in paging), *(("services", id) for id in services)}


def list_targets(policy):
    """Every schedule, person and group that it names."""
    return {target["id"].partition("/")[0] for level in policy["levels"] for target in level["targets"]}


def _name_of(account, kind, key):
    there = {"schedules": account.all_schedules, "escalation_policies": account.policies, "services": account.services}
    record = there.get(kind, {}).get(key)
    return record.name if record else ""


def load_company(folder):
    """The company, carried over, and once more with everybody's invitation accepted."""
    make_demo_workspace(folder)
    with open_job(folder) as job:
        connect(job)
        preview(job)
        invite(job)
        conflicts(job)
        load(job, "all")
    return accept_all(folder)


def accept_all(folder):
    """In a company that was carried over everybody accepts, and what waited for that is loaded."""
    with open_job(folder) as job:
        with change_harness(job) as held:
            accept_invites(held)
        conflicts(job)
        load(job, "all")
    return folder


def run(folder, number, seed, share=(0, 1), describe=lambda outcome: None):
    """Plant `number` changes one at a time, those of this share of the work; returns the outcomes."""
    mapped = folder.parent / f"share{share[0]}"
    shutil.copytree(folder, mapped)
    with open_job(mapped) as job:
        field, outcomes = Field(job), []
        for plant in choose(field.list_plants(), number, seed)[share[0] :: share[1]]:
            outcomes += field.try_plants([plant])
            describe(outcomes[-1])
    return outcomes


def run_together(folder, seed):
    """Plant every kind of change once, as many at a time as touch nothing of each other; returns the outcomes."""
    with open_job(folder) as job:
        field = Field(job)
        batches = make_batches(field, group_by_kind(field.list_plants(), seed))
        return [outcome for batch in batches for outcome in field.try_plants(batch)]


def make_batches(field, groups):
    """One plant of each group, each in the first batch in which it meets none of the others."""
    batches = []
    for group in groups:
        reach = [(plant, field.list_touched(plant)) for plant in group]
        room = ((plant, touched, batch) for batch in batches for plant, touched in reach if not touched & batch[1])
        plant, touched, (batch, taken) = next(room, (*reach[0], ([], set())))
        if not batch:
            batches.append((batch, taken))
        batch.append(plant)
        taken |= touched
    return [batch for batch, _ in batches]


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
