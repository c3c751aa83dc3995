"""A plan of 10,000 objects: how long it takes to make, to digest, to keep and to show, and how large its page is."""

import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

from pdmigrate.harness.records import EscalationPolicy, State, UserGroup
from pdmigrate.mapping.draft import Draft
from pdmigrate.mapping.mapped import Mapped
from pdmigrate.pagerduty.account import Account
from pdmigrate.pages import make_page
from pdmigrate.pages.report import write_page
from pdmigrate.plan.actions import Desired, LedgerEntry, make_plan, plan_from_json, plan_to_json
from pdmigrate.plan.answers import Decisions
from pdmigrate.plan.planning import plan_actions
from pdmigrate.plan.questions import Questions
from pdmigrate.plan.rules import Rules
from pdmigrate.steps.conflicts import Decided
from pdmigrate.workspace.folder import write_json
from pdmigrate.workspace.journal import Journal

NOW = datetime.now(UTC)
OBJECTS = 10_000
TEAMS = 500


def make_desired() -> list[Desired]:
    """Teams, and policies that belong to them."""
    teams = [
        UserGroup(identifier=f"team_{n}", name=f"Team {n}", description="", users=(f"u{n}@x.example",))
        for n in range(TEAMS)
    ]
    wishes = [Desired("teams", f"T{n}", t.identifier, t.name, t, (f"T{n}",)) for n, t in enumerate(teams)]
    for n in range(OBJECTS - TEAMS):
        target = {"type": "user", "id": f"u{n % TEAMS}@x.example"}
        levels = [{"timeout_minutes": 5 + n % 7, "retries": 0, "targets": [target]} for _ in range(3)]
        fields = {"name": f"Policy {n}", "description": "", "owner_group": f"team_{n % TEAMS}", "levels": levels}
        policy, needs = EscalationPolicy(identifier=f"policy_{n}", **fields), (("teams", f"T{n % TEAMS}"),)
        wishes.append(
            Desired("escalation_policies", f"P{n}", policy.identifier, policy.name, policy, (f"P{n}",), needs)
        )
    return wishes


def make_state(wishes: list[Desired]) -> tuple[State, dict]:
    """Harness has all of them; every tenth policy has changed in PagerDuty since."""
    last = {w.key: {**w.fields, "description": "old"} if w.key.endswith("0") else w.fields for w in wishes}
    groups = {w.identifier: UserGroup(identifier=w.identifier, **last[w.key]) for w in wishes if w.kind == "teams"}
    policies = {
        w.identifier: EscalationPolicy(identifier=w.identifier, **last[w.key]) for w in wishes if w.kind != "teams"
    }
    ledger = {(w.kind, w.key): LedgerEntry(w.kind, w.key, w.identifier, w.name, last[w.key]) for w in wishes}
    return State(oncall=True, groups=groups, policies=policies), ledger


def measure(what: str, mapped):
    started = time.perf_counter()
    result = mapped()
    print(f"{what:<42} {time.perf_counter() - started:6.2f} s")
    return result


def main() -> None:
    """Two plans: the first import of all, and a later one in which a tenth has changed."""
    wishes = make_desired()
    for title, (state, ledger) in (("first import", (State(oncall=True), {})), ("a tenth changed", make_state(wishes))):
        print(f"{OBJECTS} objects, {title}")
        show_plan(wishes, state, ledger)


def show_plan(wishes: list[Desired], state: State, ledger: dict) -> None:
    questions = Questions(Decisions(), "stop")
    planned = measure("compare", lambda: plan_actions(wishes, [], state, ledger, "preserve", questions))
    plan = measure("order and digest", lambda: make_plan("source", "a/b/c", planned.actions, planned.held))
    records = {kind: {} for kind in ("users", "teams", "schedules", "policies", "services", "inventory")}
    empty = Account(subdomain="acme", taken=NOW, since=NOW, until=NOW, problems=(), **records)
    mapped = Mapped(empty, state, ledger, questions, Rules(), {})
    decided = Decided(Draft(empty, state, {}, mapped, plan, ledger), (), None, "")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "plan.json"
        measure("save and read", lambda: (write_json(path, plan_to_json(plan)), plan_from_json(plan_to_json(plan))))
        page = measure("page", lambda: write_page(make_page(decided), Path(folder)))
        print(f"{'plan, page':<42} {path.stat().st_size / 1e6:6.1f} MB {page.stat().st_size / 1e6:6.1f} MB")
        with Journal(Path(folder) / "journal.sqlite", "acme").opened() as journal:
            actions = plan.pending[:200]
            measure(f"journal, {len(actions)} steps", lambda: write_steps(journal, plan, actions))


def write_steps(journal: Journal, plan, actions) -> None:
    from pdmigrate.steps.job import read_clock

    number = journal.start_load(plan, read_clock())
    for action in actions:
        journal.record(number, action, "intended", read_clock())
        journal.record(number, action, "done", read_clock())


if __name__ == "__main__":
    main()
