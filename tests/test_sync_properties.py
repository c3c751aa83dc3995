"""Whatever people do on both sides: a run carries over what it may, a second one has nothing to do, no edit is lost."""

import json
import shutil
import tempfile
from pathlib import Path

import yaml
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test
from small_company import cut_down

from pdmigrate import conflicts, decide, load, open_job, preview, take_back
from pdmigrate.demo import make_demo_workspace
from pdmigrate.job import read_clock
from pdmigrate.sandbox import company
from pdmigrate.sandbox.store import Store

NAMES = st.sampled_from(["Red", "Green", "Blue", "Night watch"])
FIELDS = st.sampled_from(
    [
        ("teams", "name"),
        ("teams", "description"),
        ("schedules", "name"),
        ("escalation_policies", "name"),
        ("escalation_policies", "levels"),
    ]
)
MEMBERS = st.integers(0, 3)
CLASSES = ("removed_in_target", "changed_in_both")
_template = []


def make_template():
    """A small company that is carried over, with limits that let everything change."""
    folder = Path(tempfile.mkdtemp(prefix="pdmigrate-sync-")) / "acme"
    make_demo_workspace(folder)
    path = folder / "migration.yaml"
    said = yaml.safe_load(path.read_text())
    said["rules"] |= {"contact_details": False, "open_conflicts": "skip"}
    said["rules"]["guards"] = {"changed_objects": 10_000, "changed_percent": 100}
    path.write_text(yaml.safe_dump(said))
    (folder / "sandbox").mkdir()
    document = cut_down(company.build_company(read_clock()))
    (folder / "sandbox" / "pagerduty.json").write_text(json.dumps(document))
    with open_job(folder) as job:
        preview(job)
        conflicts(job)
        load(job, "all")
    return folder


class TwoSides(RuleBasedStateMachine):
    """People edit PagerDuty and Harness, in any order, and the sync runs in between."""

    @initialize()
    def begin(self):
        if not _template:
            _template.append(make_template())
        self.folder = Path(tempfile.mkdtemp(prefix="pdmigrate-sync-")) / "acme"
        shutil.copytree(_template[0], self.folder)
        self.job = open_job(self.folder)
        self.pagerduty = Store(self.folder / "sandbox" / "pagerduty.json", dict)
        self.harness = Store(self.folder / "sandbox" / "harness.json", dict)
        self.edits, self.contested, self.members = {}, set(), {}
        self.gone_overrides = False

    # --- PagerDuty's side ---

    @rule(field=FIELDS, pick=st.integers(0, 3), name=NAMES)
    def source_changes(self, field, pick, name):
        kind, what = field
        with self.pagerduty.change() as held:
            row = held[kind][pick % len(held[kind])]
            if what == "levels":
                row["escalation_rules"][0]["escalation_delay_in_minutes"] = 11 + len(name)
            else:
                row[what] = f"{name} {row['id']}"
            self.contested.add((kind, row["id"], what))

    @rule(member=MEMBERS)
    def source_member_comes_or_goes(self, member):
        with self.pagerduty.change() as held:
            team, rows = next(iter(held["team_members"].items()))
            user = self._accepted(held)[member]
            others = [row for row in rows if row["user"]["id"] != user["id"]]
            here = len(others) < len(rows)
            held["team_members"][team] = (
                others if here else [*rows, {"user": {"id": user["id"], "type": "user_reference"}, "role": "manager"}]
            )
            user["teams"] = (
                [t for t in user["teams"] if t["id"] != team]
                if here
                else [*user["teams"], {"id": team, "type": "team_reference"}]
            )
            self.members.pop(user["email"], None)

    @rule()
    def source_drops_an_override(self):
        with self.pagerduty.change() as held:
            rows = next((rows for rows in held["overrides"].values() if rows), None)
            if rows:
                rows.pop()
                self.gone_overrides = True

    @rule()
    def source_drops_a_service(self):
        with self.pagerduty.change() as held:
            if len(held["services"]) > 1:
                held["services"].pop()

    # --- Harness's side ---

    @rule(field=FIELDS, pick=st.integers(0, 3), name=NAMES)
    def target_changes(self, field, pick, name):
        kind, what = field
        with self.harness.change() as held:
            rows = self._ours(held, kind)
            if not rows:
                return
            row = rows[pick % len(rows)]
            value = f"{name} by hand"
            if what == "levels":
                row["levels"][0]["timeout_minutes"] = value = 31 + len(name)
            else:
                row[what] = value
            self.edits[(kind, row["identifier"].rpartition("_")[2], what)] = value

    @rule(member=MEMBERS)
    def target_member_comes_or_goes(self, member):
        accepted = self._accepted(self.pagerduty.read())
        with self.harness.change() as held:
            groups = self._ours(held, "teams")
            if not groups:
                return
            email = accepted[member]["email"]
            uuid = next(u["uuid"] for u in held["users"] if u["email"] == email)
            here = uuid in groups[0]["users"]
            groups[0]["users"] = [u for u in groups[0]["users"] if u != uuid] if here else [*groups[0]["users"], uuid]
            self.members[email] = not here

    @rule(kind=st.sampled_from(["teams", "escalation_policies"]))
    def target_loses_an_object(self, kind):
        with self.harness.change() as held:
            rows = self._ours(held, kind)
            if not rows:
                return
            if kind == "teams":
                held["user_groups"].remove(rows[0])
                self.members.clear()
            else:
                policies = held["oncall"]["escalation_policies"]
                policies.pop(next(key for key, row in policies.items() if row is rows[0]))
            key = rows[0]["identifier"].rpartition("_")[2]
            self.edits = {place: value for place, value in self.edits.items() if place[:2] != (kind, key)}

    # --- the run ---

    @rule(
        strategy=st.sampled_from(["preserve", "overwrite"]),
        about=st.sampled_from(CLASSES),
        choice=st.sampled_from(["", "first", "second"]),
    )
    def runs_twice(self, strategy, about, choice):
        rules = self.job.settings.rules.model_copy(update={"strategy": strategy})
        self.job.settings = self.job.settings.model_copy(update={"rules": rules})
        self._decide(about, choice)
        before = self._identifiers()
        self._run()
        lost = before - self._identifiers()
        assert not {place for place in lost if not (place[0] == "overrides" and self.gone_overrides)}
        self.gone_overrides = False
        self._check_edits(strategy)
        writes = len(self.harness.read()["writes"])
        assert self._run().empty
        assert len(self.harness.read()["writes"]) == writes

    def _decide(self, about, choice):
        options = {
            "removed_in_target": ("create_again", "leave_removed"),
            "changed_in_both": ("keep_harness", "take_source"),
        }
        if choice:
            decide(self.job, about, "all", options[about][choice == "second"], by="hypothesis", why="to see")
        else:
            take_back(self.job, about, "all")

    def _run(self):
        preview(self.job)
        decided = conflicts(self.job)
        assert not decided.refusals
        loaded = load(self.job, "all")
        assert not [done for done in loaded.done if done.outcome in ("failed", "skipped")]
        return decided.plan

    def _check_edits(self, strategy):
        """Members are settled one by one, so no edit of theirs is ever contested."""
        decision = next((d.choice for d in self.job.decisions().decisions if d.conflict == "changed_in_both"), "")
        overwritten = decision == "take_source" or (strategy == "overwrite" and not decision)
        if overwritten:
            self.edits = {place: value for place, value in self.edits.items() if place not in self.contested}
        for (kind, key, what), value in self.edits.items():
            row = next(r for r in self._ours(self.harness.read(), kind) if r["identifier"].endswith(f"_{key}"))
            assert (row["levels"][0]["timeout_minutes"] if what == "levels" else row[what]) == value
        if overwritten:
            self.contested.clear()
        self._check_members()

    def _check_members(self):
        held = self.harness.read()
        names = {u["uuid"]: u["email"] for u in held["users"]}
        groups = self._ours(held, "teams")
        if groups:
            there = {names.get(uuid) for uuid in groups[0]["users"]}
            assert not {email for email, wanted in self.members.items() if (email in there) != wanted}

    # --- looking ---

    def _accepted(self, held):
        emails = {u["email"] for u in self.harness.read()["users"]}
        return [user for user in held["users"] if user["email"] in emails]

    def _ours(self, held, kind):
        rows = held["user_groups"] if kind == "teams" else list(held["oncall"][kind].values())
        keys = {row["id"] for row in self.pagerduty.read()[kind]}
        return [row for row in rows if row["identifier"].rpartition("_")[2] in keys]

    def _identifiers(self):
        held = self.harness.read()
        places = {("teams", row["identifier"]) for row in held["user_groups"]}
        places |= {("services", row["identifier"]) for row in held["services"]}
        places |= {("people", row["email"]) for row in (*held["users"], *held["invites"])}
        places |= {(kind, key) for kind in ("schedules", "escalation_policies") for key in held["oncall"][kind]}
        schedules = held["oncall"]["schedules"].values()
        return places | {("overrides", o["identifier"]) for s in schedules for o in s["overrides"]}

    @invariant()
    def pagerduty_is_only_read(self):
        assert "writes" not in self.pagerduty.read()

    def teardown(self):
        if hasattr(self, "job"):
            self.job.close()
            shutil.rmtree(self.folder.parent, ignore_errors=True)


def test_no_edit_is_lost_and_a_second_run_writes_nothing():
    few = settings(
        max_examples=12,
        stateful_step_count=12,
        deadline=None,
        derandomize=True,
        suppress_health_check=list(HealthCheck),
    )
    run_state_machine_as_test(TwoSides, settings=few)
