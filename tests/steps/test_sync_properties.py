"""Whatever people do on both sides: a run carries over what it may, a second one has nothing to do, no edit is lost.

Edits of every kind and field, renames, removals on either side, objects recreated with another id; any strategy, any
decision. What was changed in Harness and pages otherwise is asked about, whatever the strategy, and answered as a person
would, or left open: then nothing is written to it. More of it: tests/campaign_sync.py
"""

import json
import os
import shutil
import tempfile
from collections import Counter
from datetime import datetime
from functools import cache
from pathlib import Path

import yaml
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test
from small_company import SERVICES, cut_down
from two_sides import (
    SOURCE_EDITS,
    TARGET_EDITS,
    compare,
    find_overrides,
    list_owned,
    list_paged,
    list_parts,
    recreate,
    see,
    strip,
)

from pdmigrate import choose, conflicts, decide, load, open_job, preview, take_back, waive
from pdmigrate.plan.answers import CLASSES, ONE_STATE
from pdmigrate.plan.kinds import KINDS
from pdmigrate.runs.demo import make_demo_workspace
from pdmigrate.sandbox import company
from pdmigrate.sandbox.store import Store
from pdmigrate.steps.job import read_clock

EXAMPLES = int(os.environ.get("PDMIGRATE_EXAMPLES", 8))
NEEDS_VALUE = ("map", "owner", "other")
DECISIONS = [
    (about, choice)
    for about in sorted(set(CLASSES) - ONE_STATE)
    for choice in CLASSES[about]
    if choice not in NEEDS_VALUE
]
DECISIONS = [pair for pair in DECISIONS if pair != ("recreated_in_source", "rename")]
OFTEN = [pair for pair in DECISIONS if pair[0] in ("changed_in_both", "removed_in_target", "recreated_in_source")]
PICK = st.integers(0, 50)


@cache
def make_template(services=SERVICES):
    """A small company that is carried over, with limits that let everything change."""
    folder = Path(tempfile.mkdtemp(prefix="pdmigrate-sync-")) / "acme"
    make_demo_workspace(folder)
    path = folder / "migration.yaml"
    said = yaml.safe_load(path.read_text())
    said["rules"]["guards"] = {"changed_objects": 10_000, "changed_percent": 100}
    path.write_text(yaml.safe_dump(said))
    (folder / "sandbox").mkdir()
    document = cut_down(company.build_company(read_clock()), services)
    (folder / "sandbox" / "pagerduty.json").write_text(json.dumps(document))
    with open_job(folder) as job:
        preview(job)
        conflicts(job)
        load(job, "all")
    return folder


def _own(seen, wish):
    """What is there of an object, as far as it is ours; overrides are objects of their own."""
    there = seen.get((wish.kind, wish.identifier), {})
    return {field: value for field, value in there.items() if field in wish.fields}


class TwoSides(RuleBasedStateMachine):
    """People edit PagerDuty and Harness, in any order, and the sync runs in between."""

    services = SERVICES

    @initialize()
    def begin(self):
        self.folder = Path(tempfile.mkdtemp(prefix="pdmigrate-sync-")) / "acme"
        shutil.copytree(make_template(self.services), self.folder)
        self.job = open_job(self.folder)
        self.pagerduty = Store(self.folder / "sandbox" / "pagerduty.json", dict)
        self.harness = Store(self.folder / "sandbox" / "harness.json", dict)
        self.number = 0
        self.edits, self.contested, self.renamed, self.asked = {}, set(), {}, Counter()

    # --- PagerDuty's side ---

    @rule(edit=st.sampled_from(SOURCE_EDITS), pick=PICK)
    def source_changes(self, edit, pick):
        self.number += 1
        with self.pagerduty.change() as held:
            self.contested |= edit(held, pick, self.number)

    @rule(kind=st.sampled_from(["teams", "schedules", "escalation_policies", "services", "users"]), pick=PICK)
    def source_drops_an_object(self, kind, pick):
        with self.pagerduty.change() as held:
            if len(held[kind]) > 1:
                gone = held[kind][pick % len(held[kind])]["id"]
                self.contested |= list_paged(held, gone) | list_owned(held, gone)
                strip(held, gone)

    @rule(kind=st.sampled_from(["teams", "schedules", "escalation_policies", "services"]), pick=PICK)
    def source_object_is_made_anew(self, kind, pick):
        self.number += 1
        with self.pagerduty.change() as held:
            if held[kind]:
                old, new = held[kind][pick % len(held[kind])]["id"], f"PNEW{self.number:03}"
                self.contested |= list_owned(held, old)
                recreate(held, old, new)
                self.renamed[old] = new
                self.contested = {(kind, self._follow(id), field) for kind, id, field in self.contested}

    @rule(pick=PICK)
    def source_drops_an_override(self, pick):
        with self.pagerduty.change() as held:
            rows = [rows for rows in held["overrides"].values() if rows]
            if rows:
                rows[pick % len(rows)].pop()

    # --- Harness's side ---

    @rule(edit=st.sampled_from(TARGET_EDITS), pick=PICK)
    def target_changes(self, edit, pick):
        self.number += 1
        with self.harness.change() as held:
            before = see(held)
            edit(held, pick, self.number)
            changed = compare(before, see(held))
        for place, (was, now) in changed.items():
            first, _ = self.edits.pop(place, (was, None))
            if now != first:  # what is as it was before is nobody's edit
                self.edits[place] = (first, now)

    @rule(kind=st.sampled_from(["teams", "schedules", "escalation_policies", "services", "contact_methods"]), pick=PICK)
    def target_loses_an_object(self, kind, pick):
        with self.harness.change() as held:
            places = {
                "teams": held["user_groups"],
                "services": held["services"],
                "contact_methods": held["oncall"]["contact_details"],
            }
            rows = places.get(kind) if kind in places else held["oncall"][kind]
            if not rows or (kind in ("teams", "escalation_policies") and self._is_named(held)):
                return
            row = rows.pop(pick % len(rows) if isinstance(rows, list) else sorted(rows)[pick % len(rows)])
        gone, kinds = (row.get("identifier", row.get("email")), {kind, "overrides"} if kind == "schedules" else {kind})
        self.edits = {
            place: edit
            for place, edit in self.edits.items()
            if not (place[0] in kinds and place[1].partition("/")[0] == gone)
        }

    def _is_named(self, held):
        """Harness removes nothing that a level or a rule names, and by hand they may name anything."""
        fields = {field for _, _, field in self.edits}
        return bool(fields & {"levels", "rule_policy"}) or any(kind == "alert_rules" for kind, _ in see(held))

    # --- the run ---

    @rule(
        strategy=st.sampled_from(["preserve", "overwrite"]),
        decision=st.one_of(st.none(), st.sampled_from(OFTEN), st.sampled_from(DECISIONS)),
        by_hand=st.sampled_from(["keep_harness", "take_source", ""]),
        contact_details=st.sampled_from([True, True, True, False]),
    )
    def runs_twice(self, strategy, decision, by_hand, contact_details):
        """by_hand: how a person answers whether what was changed in Harness is right; "" leaves the question open."""
        choose(self.job, "rules.strategy", strategy)
        choose(self.job, "rules.contact_details", contact_details)
        if decision:
            decide(self.job, decision[0], "all", decision[1], by="hypothesis", why="to see")
        before = see(self.harness.read())
        found = self._run(by_hand)
        after = see(self.harness.read())
        open_keys = {(c.kind, c.id.partition("/")[0]) for c in found.draft.open.values() if c.about in ONE_STATE}
        keys = self._list_keys(found)
        self._check_nothing_is_deleted(found, keys, before, after)
        self._check_untouched(found, open_keys, before, after)
        self._check_edits(found, keys, after, strategy)
        self._check_clocks(found, keys, before, after)
        self._forget(found, keys, after)
        writes = len(self.harness.read()["writes"])
        again = self._run("")
        assert again.plan.empty, [(a.verb, a.kind, a.name, a.changes(), a.reason) for a in again.plan.pending]
        assert len(self.harness.read()["writes"]) == writes
        assert {key for key, c in again.draft.open.items() if c.about in ONE_STATE} == {
            key for key, c in found.draft.open.items() if c.about in ONE_STATE
        }
        if decision:
            take_back(self.job, decision[0], "all")

    def _run(self, by_hand):
        preview(self.job)
        decided = conflicts(self.job)
        asked = [c for c in decided.draft.open.values() if c.about in ONE_STATE]
        self.asked.update((c.kind, by_hand or "open") for c in asked)
        if by_hand and asked:
            for conflict in asked:
                decide(self.job, conflict.about, conflict.id, by_hand, by="hypothesis", why="to see")
            decided = conflicts(self.job)
            assert not [c for c in decided.draft.open.values() if c.about in ONE_STATE], "asked twice for one state"
        for guard in decided.guards:
            waive(self.job, guard.guard, decided.plan.digest, "2100-01-01", "hypothesis", "to see")
        if decided.stop:
            waive(self.job, "unresolved_conflict", decided.plan.digest, "2100-01-01", "hypothesis", "to see")
        loaded = load(self.job, "all")
        trouble = [done for done in loaded.done if done.outcome in ("failed", "skipped")]
        assert not trouble, [(done.action.kind, done.action.name, done.note) for done in trouble]
        return decided

    def _list_keys(self, found):
        """By what PagerDuty's object is known that stands behind one of Harness: the id that it has by now."""
        keys = {(entry.kind, entry.identifier): entry.key for entry in found.draft.ledger.values()}
        keys |= {(wish.kind, wish.identifier): wish.key for wish in found.draft.mapped.desired}
        return {place: self._follow(key) for place, key in keys.items()}

    def _follow(self, id):
        while id in self.renamed:
            id = self.renamed[id]
        return id

    def _check_nothing_is_deleted(self, found, keys, before, after):
        """But overrides that we wrote and PagerDuty has no more, of a schedule that it still has."""
        held = self.pagerduty.read()
        ours = {(entry.kind, entry.identifier): entry for entry in found.draft.ledger.values()}
        for place in before.keys() - after.keys():
            assert place[0] == "overrides", place
            wrote = ours[place]
            assert find_overrides(held, keys["schedules", wrote.synced["schedule"]]) is not None, place
            span = tuple(datetime.fromisoformat(wrote.synced[at]) for at in ("start", "end"))
            there = find_overrides(held, wrote.key.partition("_")[0]) or set()
            assert not {(wrote.synced["person"], *span), (None, *span)} & there, place

    def _check_untouched(self, found, open_keys, before, after):
        """Nothing is written to what an open question is about."""
        wishes = [w for w in found.draft.mapped.desired if (w.kind, w.key) in open_keys]
        changed = {(w.kind, w.identifier) for w in wishes if _own(before, w) != _own(after, w)}
        assert not changed

    def _check_edits(self, found, keys, after, strategy):
        """An edit is there still, part by part; or a person took PagerDuty's; or it pages nobody, PagerDuty has changed
        the same field, and the strategy or a person took PagerDuty's."""
        taken = {key for key, answer in found.draft.answered.items() if answer.choice == "take_source"}
        taken = {f"{about}:{self._follow(id)}" for about, _, id in (key.partition(":") for key in taken)}
        second = {key.rpartition("/")[2] for key in taken if key.startswith("changed_in_harness:")}
        lost = {}
        for (kind, identifier, field), (_, value) in self.edits.items():
            there, key = after.get((kind, identifier), {}).get(field), keys.get((kind, identifier))
            whole, part, _ = field.partition("/")
            if kind == "alert_rules":
                settled = field == "paging" and identifier in second
            elif whole in KINDS[kind].paging or whole == "users":
                settled = f"changed_in_harness:{key}" in taken
            else:
                both = not part and (kind, key, field) in self.contested
                settled = both and (strategy == "overwrite" or f"changed_in_both:{key}" in taken)
            if there != value and not settled:
                lost[kind, identifier, field] = (value, there, sorted(taken))
        assert not lost, lost

    def _check_clocks(self, found, keys, before, after):
        """A rotation by hand moves to another clock only if whoever kept it was told so."""
        answers = [a for a in found.draft.answered.values() if a.conflict.about == "changed_in_harness"]
        answered = {(a.conflict.kind, self._follow(a.conflict.id)): a for a in answers}
        for (kind, identifier, field), (_, value) in self.edits.items():
            row, was = after.get((kind, identifier), {}), before.get((kind, identifier), {})
            kept = field.startswith("rotations/") and value is not None and row.get(field) == value
            if kept and row["time_zone"] != was["time_zone"]:
                said = answered[kind, keys[kind, identifier]].conflict.question
                assert f"by the clock of {row['time_zone']}" in said, (identifier, said)

    def _forget(self, found, keys, after):
        """What both sides say by now is nobody's edit any more, and what PagerDuty changed is carried over."""
        wanted = {(w.kind, w.identifier): w.fields | list_parts(w.fields) for w in found.draft.mapped.desired}
        self.edits = {
            place: (was, value)
            for place, (was, value) in self.edits.items()
            if after.get(place[:2], {}).get(place[2]) == value != wanted.get(place[:2], {}).get(place[2])
        }
        carried = {
            (kind, keys.get((kind, identifier)), field)
            for (kind, identifier), fields in wanted.items()
            for field, value in fields.items()
            if after.get((kind, identifier), {}).get(field, value) == value
        }
        self.contested -= carried

    @invariant()
    def pagerduty_is_only_read(self):
        assert "writes" not in self.pagerduty.read()

    def teardown(self):
        if hasattr(self, "job"):
            self.job.close()
            shutil.rmtree(self.folder.parent, ignore_errors=True)


def test_no_edit_is_lost_and_a_second_run_writes_nothing():
    few = settings(
        max_examples=EXAMPLES,
        stateful_step_count=14,
        deadline=None,
        phases=(Phase.explicit, Phase.reuse, Phase.generate),  # shrinking takes minutes, and the steps are few
        derandomize="PDMIGRATE_EXAMPLES" not in os.environ,
        suppress_health_check=list(HealthCheck),
    )
    run_state_machine_as_test(TwoSides, settings=few)
