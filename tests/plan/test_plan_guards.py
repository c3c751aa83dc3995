"""The reasons to refuse a plan, what waives them, and that load fails closed."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from small_company import cut_down

from pdmigrate import conflicts, load, preview, waive
from pdmigrate.cli.status import describe_status
from pdmigrate.errors import (
    OpenConflictsError,
    PlanMovedError,
    RefusedError,
    SettingsError,
    TargetMovedError,
    UsageError,
)
from pdmigrate.harness.records import State
from pdmigrate.plan.actions import Action, make_plan
from pdmigrate.plan.answers import Waiver
from pdmigrate.plan.guards import GUARDS, Seen, find_refusals
from pdmigrate.plan.rules import Guards
from pdmigrate.sandbox.company import build_company
from pdmigrate.sandbox.store import Store
from pdmigrate.steps.conflicts import check_guards
from pdmigrate.steps.draft import draft, list_ids
from pdmigrate.steps.job import read_clock
from pdmigrate.workspace.decisions import read_decisions, save_answers
from pdmigrate.workspace.folder import write_json
from pdmigrate.workspace.journal import Journal
from pdmigrate.workspace.settings import parse_settings


@pytest.fixture(scope="module")
def seen(whole):
    """A real plan of the embedded company, as the guards see it: none of them refuses."""
    found = whole["preview"].draft
    account = found.account
    window = (account.taken, account.since, account.until, account.taken)
    ids = list_ids(account)
    made = Seen(found.plan, found.state, {}, ids, *window, Guards(), "acme", [], found.open, False)
    assert not find_refusals(made)
    return made


def names(seen):
    return [refusal.guard for refusal in find_refusals(seen)]


def change(seen, kind, verb="update", **fields):
    """The plan with the first action of a kind changed; its `before` is what it would have been."""
    first = next(a for a in seen.plan.actions if a.kind == kind)
    other = replace(first, verb=verb, before=first.after, after={**first.after, **fields})
    others = [a for a in seen.plan.actions if a is not first]
    return replace(seen, plan=make_plan(seen.plan.source, seen.plan.target, [*others, other]))


def test_another_account(seen):
    assert names(replace(seen, other_sources=["globex"])) == ["other_account"]


def test_what_the_key_may_not_read(seen):
    """source_unread and source_hidden: what is not shown is not absent."""
    assert names(replace(seen, unread={"team_members": "forbidden: 403"})) == ["source_unread"]
    assert names(replace(seen, unread={"rulesets": "absent: 404"})) == []
    assert names(replace(seen, hidden=["Shop names PSHIFT01"])) == ["source_hidden"]


def test_what_the_mapping_forgot(seen):
    assert names(replace(seen, miscounted=("services Shop (PS)",))) == ["miscounted"]


def test_the_way_by_api_is_gone(seen):
    """oncall_gone: a login page at the door is no reason to hand everything to people."""
    shut = replace(seen, state=seen.state.model_copy(update={"oncall": False}))
    assert names(shut) == [], "a real Harness: nothing was ever written there by the contract"
    written = {("schedules", "PS"): None, ("teams", "PT"): None}
    ids = {**seen.ids, "schedules": {"PS"}, "teams": {"PT"}}
    assert "oncall_gone" in names(replace(shut, ledger=written, ids=ids))
    assert "oncall_gone" not in names(replace(shut, ledger={("teams", "PT"): None}, ids=ids))


def test_an_old_snapshot(seen):
    assert names(replace(seen, now=seen.taken + timedelta(hours=25))) == ["old_snapshot"]
    assert not names(replace(seen, now=seen.taken + timedelta(hours=25), limits=Guards(snapshot_hours=48)))


def test_too_many_changes_of_one_kind(seen):
    ledger = {("teams", str(n)): None for n in range(20)}
    updates = [Action("update", "teams", str(n), str(n), str(n), {"name": "a"}, {"name": "b"}) for n in range(7)]
    many = replace(seen, ledger=ledger, ids={}, plan=make_plan("s", "t", updates))
    assert names(many) == ["too_many_changes"]
    assert not names(replace(many, limits=Guards(changed_percent=35)))
    assert names(replace(many, limits=Guards(changed_percent=100, changed_objects=6))) == ["too_many_changes"]


def test_a_list_that_came_back_short(seen):
    ledger = {("services", f"gone{n}"): None for n in range(2)}
    assert names(replace(seen, ledger=ledger)) == ["source_incomplete"]


def test_somebody_on_call_without_account_or_invitation(seen):
    assert names(change(seen, "overrides", person="ghost@acme.example")) == ["nobody_reachable"]


def test_a_service_with_nobody_to_page(seen):
    assert names(change(seen, "services", paging=True, escalation_policy=None)) == ["nobody_paged"]
    empty = change(seen, "services", paging=True, escalation_policy="p")
    policy = Action(
        "create",
        "escalation_policies",
        "P",
        "p",
        "Empty",
        None,
        {"name": "Empty", "levels": [{"timeout_minutes": 5, "targets": [{"type": "schedule", "id": "nowhere"}]}]},
    )
    plan = make_plan("s", "t", [*empty.plan.actions, policy])
    assert names(replace(empty, plan=plan)) == ["nobody_paged"]


def test_less_coverage_than_before(seen):
    assert "less_coverage" in names(change(seen, "schedules", rotations=[]))


def on_a_blank_schedule(seen, *actions):
    """A service whose policy names a schedule that has no rotation of its own."""
    paging = change(seen, "services", paging=True, escalation_policy="p")
    levels = [{"timeout_minutes": 5, "targets": [{"type": "schedule", "id": "blank"}]}]
    policy = Action("create", "escalation_policies", "P", "p", "Blank", None, {"name": "Blank", "levels": levels})
    schedule = Action(
        "create", "schedules", "S", "blank", "Blank", None, {"name": "Blank", "time_zone": "UTC", "rotations": []}
    )
    plan = make_plan("s", "t", [*paging.plan.actions, policy, schedule, *actions])
    return replace(paging, plan=plan, state=State())


def stand_in(seen, start, end, **more):
    times = {name: (seen.now + timedelta(days=days)).isoformat() for name, days in (("start", start), ("end", end))}
    fields = {"schedule": "blank", "person": "ann@acme.example", **times}
    return Action("create", "overrides", "O", "blank/o", "ann", None, fields, **more)


def test_a_schedule_that_is_filled_by_overrides_only_pages_somebody(seen):
    assert "nobody_paged" in names(on_a_blank_schedule(seen))
    assert "nobody_paged" not in names(on_a_blank_schedule(seen, stand_in(seen, 6, 7)))
    assert "nobody_paged" in names(on_a_blank_schedule(seen, stand_in(seen, -2, -1))), "nobody stands in any more"


def test_hours_that_somebody_stands_in_for_are_covered(seen):
    always = {"name": "A", "participants": ["ann@acme.example"], "anchor": "2026-01-05T09:00:00", "turn_seconds": 3600}
    before, after = ({"name": "Blank", "time_zone": "UTC", "rotations": [always][:n]} for n in (1, 0))
    blank = Action("update", "schedules", "S", "blank", "Blank", before, after)
    others = replace(seen, plan=make_plan("s", "t", [blank]), state=State())
    assert names(others) == ["less_coverage"]
    for_good = stand_in(seen, -1, 100)
    assert "less_coverage" not in names(replace(others, plan=make_plan("s", "t", [blank, for_good])))


def test_dated_shifts_that_run_out(seen):
    """What ends in PagerDuty as well does not run out: only what more dates must follow."""
    first = next(a for a in seen.plan.actions if a.kind == "schedules" and a.after["rotations"])
    end = seen.now + timedelta(days=3)
    rotations = [{**first.after["rotations"][0], "until": end.isoformat()}]
    ending = replace(first, before=None, after={**first.after, "rotations": rotations})
    others = [a for a in seen.plan.actions if a is not first]
    ended = replace(seen, plan=make_plan("s", "t", [*others, ending]))
    assert not names(ended)
    out = replace(ended, dated_until={first.key: end})
    assert names(out) == ["runs_out"]
    assert not names(replace(out, limits=Guards(next_run_days=2)))
    assert names(replace(seen, limits=Guards(next_run_days=60))) == ["runs_out"]


def test_open_questions(seen):
    asked = replace(seen, open={"x": None})
    assert names(asked) == ["unresolved_conflict"]
    assert not names(replace(asked, skip_open=True))


def test_a_second_mail(seen):
    guest = next(a for a in seen.plan.pending if (a.kind, a.verb) == ("users", "create"))
    assert names(replace(seen, mailed={guest.identifier})) == ["mailed_before"]
    assert not names(replace(seen, mailed={"somebody.else@acme.example"}))


def test_every_guard_has_a_test():
    text = Path(__file__).read_text(encoding="utf-8")
    assert not [name for name in GUARDS if f'"{name}"' not in text]


def test_a_refused_plan_is_not_loaded_until_a_person_waives_it(small):
    path = small.workspace.settings_file
    path.write_text(path.read_text().replace("next_run_days: 7", "next_run_days: 300"))
    decided = conflicts(small)
    assert "(guard runs_out)" in decided.refusals[0]
    assert "(guard runs_out)" in describe_status(small.workspace)
    with pytest.raises(RefusedError, match="runs_out"):
        load(small, "all")
    today = f"{small.clock():%Y-%m-%d}"
    late = {"guard": "runs_out", "plan": decided.plan.digest, "until": "2020-01-01", "by": "ann", "why": "too late"}
    save_answers(small.workspace.decisions_file, Waiver(**late))
    assert "The waiver of ann ran out on 2020-01-01." in conflicts(small).refusals[0]
    waive(small, "runs_out", "0" * 64, today, "bob", "another plan")
    said = conflicts(small).refusals[0]
    assert f"The waiver of bob is for the plan 000000000000, and this is {decided.plan.digest[:12]}." in said
    with pytest.raises(RefusedError) as refused:
        load(small, "all")
    assert str(refused.value).count("The waiver of bob") == 1
    waive(small, "runs_out", decided.plan.digest, today, "ann", "a rehearsal")
    assert conflicts(small).guards[0].waived_by == "ann"
    assert "(guard runs_out)" not in describe_status(small.workspace)
    assert load(small, "all").writes > 20


def test_a_plan_that_no_guard_has_seen_is_not_loaded(small):
    conflicts(small)
    small.workspace.state_file("guards").unlink()
    with pytest.raises(RefusedError, match="run conflicts again"):
        load(small, "all")
    assert small.target.transport.counts.writes == 0


def test_open_questions_stop_load_as_well(workspace):
    from pdmigrate import open_job

    write_json(workspace / "sandbox" / "pagerduty.json", cut_down(build_company(read_clock())))
    with open_job(workspace) as job:
        preview(job)
        decided = conflicts(job)
        assert decided.stop
        assert not decided.refusals
        with pytest.raises(OpenConflictsError):
            load(job, "all")
        waive(job, "unresolved_conflict", decided.plan.digest, f"{job.clock():%Y-%m-%d}", "ann", "the rest is urgent")
        assert not conflicts(job).stop
        assert load(job, "all").writes > 10


def test_what_moved_since_the_plan_is_left_where_that_is_waived(small):
    conflicts(small)
    load(small, "all")
    harness = Store(small.workspace.sandbox / "harness.json", dict)
    with Store(small.workspace.sandbox / "pagerduty.json", dict).change() as held:
        for policy in held["escalation_policies"][:2]:
            policy["description"] = "changed"
    preview(small)
    plan = conflicts(small).plan
    policies = [a for a in plan.pending if a.kind == "escalation_policies"]
    with harness.change() as held:
        held["oncall"]["escalation_policies"][f"default/sre/{policies[0].identifier}"]["description"] = "by hand"
    with pytest.raises(TargetMovedError, match=policies[0].name):
        load(small, "all")
    waive(small, "target_moved", plan.digest, f"{small.clock():%Y-%m-%d}", "ann", "look at it later")
    loaded = load(small, "all")
    assert {done.outcome for done in loaded.done if done.action.kind == "escalation_policies"} >= {"updated", "skipped"}
    rows = harness.read()["oncall"]["escalation_policies"]
    assert rows[f"default/sre/{policies[0].identifier}"]["description"] == "by hand"


def test_waivers_are_checked_strictly(job):
    with pytest.raises(UsageError, match="There is no guard tomany"):
        waive(job, "tomany", "0" * 64, "2026-12-01", "ann", "why")
    path = job.workspace.decisions_file
    path.write_text("waivers:\n- {guard: old_snapshot, plan: 0123456789ab, by: ann, until: 2026-12-01}\n")
    with pytest.raises(SettingsError, match=r"waivers.0.why"):
        read_decisions(path)
    path.write_text("waivers:\n- {guard: old_snapshot, plan: 0123456789ab, by: ann, why: x, until: soon}\n")
    with pytest.raises(SettingsError, match="write a day"):
        read_decisions(path)


def test_a_waiver_is_for_one_plan_and_one_guard(small):
    found = draft(small)
    day = f"{small.clock():%Y-%m-%d}"
    waive(small, "old_snapshot", found.plan.digest, day, "ann", "why")
    decisions = small.decisions()
    assert decisions.waives("old_snapshot", found.plan.digest, small.clock())
    assert not decisions.waives("old_snapshot", "f" * 64, small.clock())
    assert not decisions.waives("runs_out", found.plan.digest, small.clock())
    assert not check_guards(small, found)


def test_the_limits_stand_in_migration_yaml():
    data = {"name": "a", "source": {"kind": "embedded"}, "target": {"kind": "embedded"}}
    assert parse_settings({**data, "rules": {"guards": {"changed_percent": 5}}}).rules.guards.changed_percent == 5
    with pytest.raises(SettingsError, match="did you mean changed_percent"):
        parse_settings({**data, "rules": {"guards": {"changed_percnt": 5}}})


LATE = {"other_account", "old_snapshot", "mailed_before"}
"""Load looks at these itself, once more: their state in the workspace does not count."""


@pytest.mark.parametrize("name", sorted(set(GUARDS) - LATE))
def test_each_guard_refuses_with_its_code_and_is_waived_for_one_plan_by_a_person(small, name):
    """Refused with 4, open questions with 3; a waiver for another plan or guard, or one that ran out, does not help."""
    digest, day = conflicts(small).plan.digest, f"{small.clock():%Y-%m-%d}"
    refusal = {"guard": name, "sentence": "It would be wrong.", "waived_by": ""}
    small.workspace.save_state("guards", {"plan": digest, "refusals": [refusal]})
    other = next(guard for guard in GUARDS if guard != name)
    waive(small, name, "f" * 64, day, "ann", "another plan")
    waive(small, other, digest, day, "ann", "another guard")
    late = Waiver(guard=name, plan=digest, by="ann", why="too late", until="2020-01-01")
    save_answers(small.workspace.decisions_file, late)
    with pytest.raises((RefusedError, OpenConflictsError), match=r"It would be wrong\.") as refused:
        load(small, "all")
    assert refused.value.exit_code == (3 if name == "unresolved_conflict" else 4)
    assert small.target.transport.counts.writes == 0
    waive(small, name, digest, day, "ann", "she has looked at it")
    assert load(small).waiting, "nothing refuses any more; only the approval is missing"


@pytest.mark.parametrize("name", sorted(LATE))
def test_what_only_time_tells_is_waived_as_well(small, name):
    digest, later = conflicts(small).plan.digest, small.clock() + timedelta(hours=30)
    if name == "old_snapshot":
        small.clock = lambda: later
    elif name == "mailed_before":
        guest = next(a for a in conflicts(small).plan.pending if (a.kind, a.verb) == ("users", "create"))
        with Journal(small.workspace.journal_file, "acme").opened() as journal:
            journal.record(journal.start_undo(7, small.clock()), guest, "done", small.clock())
            with journal._engine.begin() as connection:  # the ledger has forgotten it, as after an undo
                connection.exec_driver_sql("delete from ledger")
    else:
        first = Action("create", "teams", "P9", "old", "Old", None, {"name": "Old"})
        with Journal(small.workspace.journal_file, "globex").opened() as journal:
            journal.book(first, small.clock())
    with pytest.raises(RefusedError, match=f"guard {name}"):
        load(small, "all")
    waive(small, name, digest, f"{later:%Y-%m-%d}", "ann", "she has looked at it")
    assert load(small).waiting


def test_a_guard_that_cannot_be_computed_lets_nothing_pass(small, monkeypatch):
    """Not a sentence, and not a silence either: there is no plan that the guards have seen."""
    conflicts(small)
    with Store(small.workspace.sandbox / "pagerduty.json", dict).change() as held:
        held["services"][0]["description"] = "changed"
    preview(small)
    monkeypatch.setitem(GUARDS, "runs_out", lambda seen: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        conflicts(small)
    with pytest.raises(PlanMovedError, match="run conflicts again"):
        load(small, "all")
    assert small.target.transport.counts.writes == 0
