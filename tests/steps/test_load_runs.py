"""Loads that are cancelled, disturbed, refused or taken back; and what the journal can tell of them."""

import json
import shutil
import sqlite3
import threading
import time
from contextlib import closing

import pytest
import requests
from flask import request
from small_company import edit, look
from sqlalchemy import Engine, event

from pdmigrate import approve, conflicts, decide, finish, history, load, open_job, preview
from pdmigrate.cli.status import describe_status
from pdmigrate.errors import InterruptedLoadError
from pdmigrate.harness.pacing import INVITE_PATH
from pdmigrate.runs.demo import make_demo_workspace
from pdmigrate.sandbox.store import Store
from pdmigrate.steps.cancel import Cancel
from pdmigrate.steps.load import LoadProgress
from pdmigrate.steps.writing import AT_ONCE


def test_cancelled_between_two_steps_and_gone_on_with(small):
    conflicts(small)
    cancel = Cancel()

    def stop_after_seven(done, number, total):
        if number == 7:
            cancel.ask()

    with pytest.raises(InterruptedLoadError, match="Cancelled after"):
        load(small, "all", stop_after_seven, cancel)
    with small.journal().opened() as journal:
        assert not [s for s in journal.states(1).values() if s.state == "intended"]
    done = load(small, "all")
    assert {d.note for d in done.done if d.note.startswith("done before")}
    assert conflicts(small).plan.empty


def test_what_was_under_way_when_it_was_cancelled_is_counted(small):
    """The stop is asked for after the first contact method's answer, when others are under way; they are answered only then."""
    conflicts(small)
    cancel, stopped, another, sent, done = Cancel(), threading.Event(), threading.Event(), [], []

    def hold(**_):
        if request.method == "PUT" and "contact-details" in request.path:
            sent.append(request.path)
            if len(sent) > 1:
                another.set()
            (stopped if len(sent) > 1 else another).wait(600)

    def stop(one, *_):
        done.append(one)
        if one.action.kind == "contact_methods":
            cancel.ask()
            stopped.set()

    small._servers[1].app.before_request_funcs.setdefault(None, []).append(hold)
    with pytest.raises(InterruptedLoadError) as error:
        load(small, "all", stop, cancel)
    assert 2 <= sum(one.action.kind == "contact_methods" for one in done) == len(sent) <= AT_ONCE
    assert f"Cancelled after {len(done)} of " in str(error.value)


def test_while_an_invitation_waits_whatever_needs_nobody_who_is_invited_is_written(small):
    """The invitation is answered once the last of these is sent; its people's things, and what needs those, come after it."""
    plan, last, answered = conflicts(small).plan, threading.Event(), []
    late = {(a.kind, a.key) for a in plan.pending if a.kind == "users"}
    for action in plan.pending:
        if not late.isdisjoint(action.needs):
            late.add((action.kind, action.key))
    early, rest = [], []
    for action in plan.pending:
        name = action.identifier.rpartition("/")[2]
        if action.kind not in ("teams", "users"):
            (rest if (action.kind, action.key) in late else early).append(name)
    assert early
    assert rest

    def hold(**_):
        if request.method == "PUT" and request.path.endswith(early[-1]):
            last.set()
        if request.path == INVITE_PATH:
            last.wait(600)

    def note(response):
        if request.method == "PUT" or request.path == INVITE_PATH:
            answered.append(request.path.rpartition("/")[2])
        return response

    app = small._servers[1].app
    app.before_request_funcs.setdefault(None, []).append(hold)
    app.after_request_funcs.setdefault(None, []).append(note)
    assert load(small, "all").error is None
    before = answered[: answered.index(INVITE_PATH.rpartition("/")[2])]
    assert set(before) <= set(early)
    assert len(before) >= len(early) - AT_ONCE


def test_an_invitation_that_is_answered_is_on_disk_while_the_load_waits_for_slow_writes(small):
    conflicts(small)
    lock, writes, busy, booked, seen = threading.Lock(), [], threading.Event(), threading.Event(), []

    def hold(**_):
        if request.path == INVITE_PATH:
            busy.wait(600)  # until all places beside it are taken
        if request.method != "PUT" or booked.is_set():
            return
        with lock:
            writes.append(request.path)
            last = len(writes) == AT_ONCE - 1
        if last:
            busy.set()
            for _ in range(600):
                with closing(sqlite3.connect(small.workspace.journal_file)) as journal:
                    if journal.execute("select 1 from steps where kind = 'users' and state = 'done'").fetchall():
                        journal.execute("begin immediate")  # nobody else is kept from writing
                        seen.append(True)
                        break
                time.sleep(0.1)
            booked.set()
        booked.wait(600)

    small._servers[1].app.before_request_funcs.setdefault(None, []).append(hold)
    assert load(small, "all").error is None
    assert seen


def test_what_needs_the_other_user_of_a_person_who_cannot_be_invited_is_skipped_too(small):
    """Two users of PagerDuty are one person by decision; the second stands alone in a schedule."""
    with edit(small, "pagerduty") as company:
        users = {user["id"]: user for user in company["users"]}
        users["PUSER01"]["email"] = users["PUSER30"]["email"]
    decide(small, "user_found_twice", "all", "same_person", by="ann")
    preview(small)
    plan = conflicts(small).plan
    person = next(a for a in plan.pending if a.kind == "users" and "PUSER01" in a.sources)
    assert set(person.sources) == {"PUSER01", "PUSER30"}
    configure(small, failing_emails=[person.identifier])
    outcomes = {d.action.id: d for d in load(small, "all").done}
    needing = [a for a in plan.pending if a.kind != "users" and {id for _, id in a.needs} & {"PUSER01", "PUSER30"}]
    assert {"PSCHED19", "PSCHED01"} <= {a.key for a in needing}
    assert {outcomes[a.id].outcome for a in needing} == {"skipped"}


def test_an_interrupted_plan_stays_the_plan_and_its_approval_holds(small):
    """The same command replans; the digest that a person approved must still be the one."""
    digest = conflicts(small).plan.digest
    approve(small, digest, by="ann")
    cancel = Cancel()
    with pytest.raises(InterruptedLoadError):
        load(small, progress=lambda done, number, total: cancel.ask(), cancel=cancel)
    preview(small)
    again = conflicts(small)
    assert again.plan.digest == digest
    assert again.goes_on > 0
    assert load(small).approved_by == "ann"


def test_an_interrupted_plan_is_given_up_when_something_changes(small):
    digest = conflicts(small).plan.digest
    cancel = Cancel()
    with pytest.raises(InterruptedLoadError):
        load(small, "all", lambda done, number, total: cancel.ask(), cancel)
    with edit(small, "pagerduty") as held:
        held["services"][0]["description"] = "new words"
    preview(small)
    again = conflicts(small)
    assert again.plan.digest != digest
    assert again.goes_on is None
    load(small, "all")
    assert conflicts(small).plan.empty


def test_what_people_change_during_an_interruption_is_not_written_over(small):
    conflicts(small)
    cancel = Cancel()
    with pytest.raises(InterruptedLoadError):
        load(small, "all", lambda done, number, total: cancel.ask(), cancel)
    with edit(small, "harness") as held:
        group = next(g for g in held["user_groups"] if g["identifier"].endswith("_PTEAM03"))
        group["description"] = "by hand"
    load(small, "all")
    with edit(small, "harness") as held:
        assert (
            next(g for g in held["user_groups"] if g["identifier"] == group["identifier"])["description"] == "by hand"
        )


def test_a_fifth_of_all_answers_going_wrong_changes_nothing(small, tmp_path):
    folder = tmp_path / "noisy" / "acme"
    make_demo_workspace(folder)
    shutil.copytree(small.workspace.sandbox, folder / "sandbox")
    conflicts(small)
    load(small, "all")
    quiet = look(small)
    with open_job(folder) as job:
        for client in (job.source, job.target):
            client.transport.patience.first = 0.01
            client.transport.patience.tries = 20
        disturb(job)
        for _ in range(3):  # one fetch of so small an account is too few requests to speak of a fifth
            preview(job)
        conflicts(job)
        for _ in range(6):
            loaded = load(job, "all")
            if not [d for d in loaded.done if d.outcome in ("failed", "skipped")]:
                break
            conflicts(job)
        struck = [count_struck(client) for client in (job.source, job.target)]
        noisy = look(job)
        held = Store(folder / "sandbox" / "harness.json", dict).read()
    for requested, faults in struck:
        assert requested > 25
        assert len(faults) > 2
        assert 0.15 < sum(faults.values()) / requested < 0.27
    assert set(held["mails"].values()) == {1}
    assert strip_uuids(noisy) == strip_uuids(quiet)


def disturb(job):
    """Each kind strikes what the others left, and together they strike every fifth request."""
    kinds = {job.source: ("500", "reset", "502_html"), job.target: ("500", "reset", "lost_answer", "502_html")}
    for client, names in kinds.items():
        share = 1 - 0.8 ** (1 / len(names))
        rules = [{"kind": kind, "share": share, "seed": n} for n, kind in enumerate(names)]
        requests.post(f"{client.transport.base_url}/sandbox/faults", json=rules, timeout=600).raise_for_status()


def count_struck(client):
    """(requests, faults by kind) by the server's own count."""
    log = requests.get(f"{client.transport.base_url}/sandbox/log", timeout=600).json()
    return log["requests"], log["faults"]


def strip_uuids(seen):
    oncall, groups, services, invites = seen
    return oncall, [{**g, "users": len(g["users"])} for g in groups], services, invites


def test_history_tells_runs_and_drift(loaded):
    assert not history(loaded).changes
    with edit(loaded, "pagerduty") as held:
        held["escalation_policies"][0]["escalation_rules"][0]["escalation_delay_in_minutes"] = 77
    with edit(loaded, "harness") as held:
        next(g for g in held["user_groups"] if g["identifier"].endswith("_PTEAM03"))["name"] = "By hand"
    preview(loaded)
    found = history(loaded)
    assert [(c.side, c.kind, c.pages) for c in found.changes] == [
        ("PagerDuty", "escalation_policies", True),
        ("Harness", "teams", False),
    ]
    assert len(found.to_do) == 1
    assert found.runs[0].count()["done"] > 30
    assert finish(loaded, found).page.is_file()


def carry(job):
    preview(job)
    found = conflicts(job)
    load(job, "all")
    return found


def test_status_tells_small_changes_that_are_loaded_from_what_waits(loaded):
    rules = loaded.settings.rules.model_copy(update={"auto_approve": ["overrides"]})
    loaded.read_choices = lambda: None  # it would read the file's rules again
    loaded.settings = loaded.settings.model_copy(update={"rules": rules})
    with edit(loaded, "pagerduty") as held:
        next(rows for rows in held["overrides"].values() if rows).pop()
        held["teams"][0]["name"] = "Another team"
    preview(loaded)
    plan = conflicts(loaded).plan
    load(loaded)
    said = f"plan: the small changes are loaded, 1 to write, waits for approval (--approve {plan.digest})"
    assert said in describe_status(loaded.workspace)
    load(loaded, plan.digest)
    assert f"plan: {plan.digest[:12]} is loaded" in describe_status(loaded.workspace)


def test_a_rename_in_pagerduty_is_carried_over_and_the_identifier_stays(loaded):
    with edit(loaded, "pagerduty") as held:
        held["teams"][0]["name"] = "Another team"
    plan = carry(loaded).plan
    assert [(a.verb, a.changes()[0][0], a.changes()[0][2]) for a in plan.pending if a.kind == "teams"] == [
        ("update", "name", "Another team - PagerDuty")
    ]
    assert conflicts(loaded).plan.empty


def test_a_schedule_made_anew_in_pagerduty_takes_over_the_one_in_harness(loaded):
    with edit(loaded, "pagerduty") as held:
        text = json.dumps(held).replace("PSCHED02", "PSCHED99")
        held.update(json.loads(text))
    plan = carry(loaded).plan
    assert [(a.key, a.verb) for a in plan.actions if a.kind == "schedules" and a.key == "PSCHED99"] == [
        ("PSCHED99", "adopt")
    ]
    assert not [a for a in plan.actions if a.kind == "schedules" and a.verb == "handover"]
    assert conflicts(loaded).plan.empty


def test_split_and_merged_teams(loaded):
    """A team that is split gives a new group; one that is merged away is left to a person, and its members move."""
    with edit(loaded, "pagerduty") as held:
        old = held["teams"][0]
        held["teams"].append({**old, "id": "PTEAM90", "name": "Platform tools"})
        rows = held["team_members"][old["id"]]
        held["team_members"] |= {old["id"]: rows[2:], "PTEAM90": rows[:2]}
        for user in held["users"]:
            user["teams"] = []
    plan = carry(loaded).plan
    assert [(a.key, a.verb) for a in plan.pending if a.kind == "teams"] == [
        (old["id"], "update"),
        ("PTEAM90", "create"),
    ]
    with edit(loaded, "pagerduty") as held:
        held["teams"].pop()
        held["team_members"][old["id"]] += held["team_members"].pop("PTEAM90")
    plan = carry(loaded).plan
    verbs = {a.key: a.verb for a in plan.actions if a.kind == "teams"}
    assert verbs == {old["id"]: "update", "PTEAM90": "handover"}
    assert conflicts(loaded).plan.empty


def test_progress_is_told_by_kind_with_the_time_left(small):
    conflicts(small)
    seconds = iter(range(1000))
    pace, said = LoadProgress(lambda: next(seconds)), []
    load(small, "all", lambda done, number, total: said.append(pace.describe(done, number, total)))
    assert said[0].startswith(f"1 of {len(said)}, about {len(said) - 1} s left: teams 1")
    assert "users 6" in said[-1]
    assert "about 0 s left" in said[-1]


def test_what_fails_is_told_and_blocks_only_what_needs_it(small):
    plan = conflicts(small).plan
    stranger = next(a for a in plan.pending if a.kind == "users")
    configure(small, failing_emails=[stranger.identifier])
    outcomes = {d.action.id: d for d in load(small, "all").done}
    assert outcomes[stranger.id].outcome == "failed"
    assert "Harness says" in outcomes[stranger.id].note
    contacts = outcomes[f"contact_methods:{stranger.key}"]
    assert (contacts.outcome, contacts.note) == ("skipped", f"it needs users {stranger.key}, which failed")
    assert sum(d.outcome == "created" for d in outcomes.values()) > 15
    configure(small, failing_emails=[])
    assert conflicts(small).plan.digest == plan.digest
    assert {d.outcome for d in load(small, "all").done} <= {"created", "kept"}
    assert conflicts(small).plan.empty


def configure(job, **settings):
    requests.post(f"{job.target.transport.base_url}/sandbox/config", json=settings, timeout=600).raise_for_status()


def test_an_action_is_synced_to_disk_once(small):
    """Its result goes with the intent of the next; what is under way at the end of a kind comes back by itself."""
    plan = conflicts(small).plan
    commits = []

    def note(connection):
        commits.append(connection)

    event.listen(Engine, "commit", note)
    try:
        assert load(small, "all").error is None
    finally:
        event.remove(Engine, "commit", note)
    sent = [action for action in plan.pending if action.kind != "users"]
    assert len(commits) < 1.5 * len(sent)
