"""Three-way: what was last synced, what PagerDuty says now, what Harness has now; for every field of every kind."""

import itertools
import json
import random

import pytest
from flask import request
from small_company import read_latest

from pdmigrate.harness import records
from pdmigrate.harness.records import State
from pdmigrate.plan.actions import Desired, LedgerEntry, make_plan
from pdmigrate.plan.answers import Decision, Decisions
from pdmigrate.plan.kinds import KINDS
from pdmigrate.plan.planning import SETS, plan_actions
from pdmigrate.plan.questions import Questions
from pdmigrate.workspace.snapshots import save_snapshot

ROTATION = {"name": "r", "participants": ["a@x.example"], "anchor": "2026-01-05T09:00:00", "turn_seconds": 604800}
ROTATION |= {"windows": [], "since": None, "until": None}
LEVEL = {"timeout_minutes": 5, "retries": 0, "targets": [{"type": "user", "id": "a@x.example"}]}
STEP = {"methods": [{"type": "email", "address": "a@x.example"}], "wait_minutes": 0}
TIMES = [f"2026-12-0{day}T09:00:00Z" for day in (1, 2, 3)]
TEXT = ["one", "two", "three"]
VALUES = {
    "teams": {"name": TEXT, "description": TEXT},
    "schedules": {
        "name": TEXT,
        "description": TEXT,
        "time_zone": ["UTC", "Europe/Berlin", "Asia/Tokyo"],
        "owner_group": TEXT,
        "rotations": [[{**ROTATION, "turn_seconds": turn}] for turn in (3600, 7200, 86400)],
    },
    "overrides": {"schedule": ["s", "s", "s"], "person": TEXT, "start": TIMES, "end": TIMES},
    "escalation_policies": {
        "name": TEXT,
        "description": TEXT,
        "owner_group": TEXT,
        "levels": [[{**LEVEL, "timeout_minutes": minutes}] for minutes in (5, 10, 20)],
    },
    "services": {
        "name": TEXT,
        "description": TEXT,
        "owner_group": TEXT,
        "escalation_policy": TEXT,
        "rule_policy": TEXT,
        "paging": [True, False, True],
    },
    "notification_rules": {"steps": [[{**STEP, "wait_minutes": minutes}] for minutes in (0, 1, 2)]},
}
"""Three values of every scalar field that we own, by kind."""
PLACES = {
    "teams": ("groups", records.UserGroup),
    "schedules": ("schedules", records.Schedule),
    "escalation_policies": ("policies", records.EscalationPolicy),
    "services": ("services", records.Service),
    "contact_methods": ("contacts", records.ContactDetails),
    "notification_rules": ("rules", records.NotificationRule),
}
FIELDS = [(kind, name) for kind, fields in VALUES.items() for name in fields if name != "schedule"]


RECORDS = {kind: record for kind, (_, record) in PLACES.items()}
RECORDS |= {"users": records.Membership, "overrides": records.Override}
NEEDED = {"name": "", "time_zone": "UTC", "person": "", "start": TIMES[0], "end": TIMES[1]}


def make_wish(kind, key, identifier, name, fields, *rest, **more):
    """What is wanted of an object, of which only these fields are ours."""
    whole = RECORDS[kind].model_validate({"identifier": identifier, "email": identifier, **NEEDED, **fields})
    record = whole.model_construct(_fields_set=fields.keys() - {"schedule"}, **dict(whole))
    return Desired(kind, key, identifier, name, record, *rest, **more)


def fields_of(kind, **other):
    return {name: values[0] for name, values in VALUES.get(kind, {}).items()} | other


def have_state(kind, fields):
    """A Harness that has one object of the kind, or, for None, none."""
    if fields is None:
        return State(oncall=True)
    if kind == "overrides":
        override = {"identifier": "k", **{name: value for name, value in fields.items() if name != "schedule"}}
        schedule = {"identifier": "s", "name": "s", "time_zone": "UTC", "overrides": [override]}
        return State(oncall=True, schedules={"s": records.Schedule.model_validate(schedule)})
    place, record = PLACES[kind]
    return State(oncall=True, **{place: {"k": record.model_validate({"identifier": "k", "email": "k", **fields})}})


def plan_one(kind, last, want, have, strategy="preserve", decisions=()):
    identifier = "s/k" if kind == "overrides" else "k"
    wish = make_wish(kind, "P1", identifier, "Thing", want, ("P1",))
    ledger = {(kind, "P1"): LedgerEntry(kind, "P1", identifier, "Thing", last)} if last is not None else {}
    questions = Questions(Decisions(decisions=decisions), "stop")
    planned = plan_actions([wish], [], have_state(kind, have), ledger, strategy, questions)
    return planned, questions


PAGING = {(kind, name) for kind, said in KINDS.items() for name in said.paging}


@pytest.mark.parametrize("strategy", ["preserve", "overwrite"])
@pytest.mark.parametrize("kind, name", FIELDS)
def test_every_field_of_every_kind(kind, name, strategy):
    """All combinations of who changed it: nobody, the source, the target, both alike, both differently."""
    last_value, other, third = VALUES[kind][name]
    for want_value, have_value in itertools.product((last_value, other, third), repeat=2):
        last, want, have = (fields_of(kind, **{name: value}) for value in (last_value, want_value, have_value))
        planned, questions = plan_one(kind, last, want, have, strategy)
        if (kind, name) in PAGING and have_value not in (last_value, want_value):
            check_question(kind, name, (last, want, have), strategy, planned, questions)
            continue
        action = planned.actions[0]
        both = last_value not in (want_value, have_value) and want_value != have_value
        theirs = have_value if strategy == "preserve" else want_value
        expected = want_value if have_value == last_value else have_value if want_value == last_value else theirs
        assert action.after[name] == expected
        assert action.verb == ("keep" if expected == have_value else "update")
        assert ("changed_in_both:P1" in questions.answered) == both
        only_harness = last_value == want_value != have_value and not KINDS[kind].own
        assert ("kept_in_harness:P1" in questions.answered) == only_harness
        if only_harness:
            check_restoring(kind, name, (last, want, have), strategy, questions)


def check_restoring(kind, name, three, strategy, questions):
    """What only Harness changed and pages nobody is kept by the rules, said, and restored where a person says so."""
    asked = questions.answered["kept_in_harness:P1"].conflict
    assert (asked.changes_paging, asked.recommended, questions.open) == (False, "keep_harness", {})
    for choice, side in (("keep_harness", three[2]), ("restore", three[1])):
        answer = Decision(conflict=asked.about, object="P1", choice=choice, by="ann", question=asked.digest)
        planned, questions = plan_one(kind, *three, strategy, (answer,))
        assert planned.actions[0].after[name] == side[name]
        assert (planned.actions[0].writes, questions.open) == (choice == "restore", {})


def check_question(kind, name, three, strategy, planned, questions):
    """Whoever is paged otherwise by hand is asked about: one question, no rule answers it, nothing is written till then."""
    [asked] = questions.open.values()
    assert (asked.key, asked.kind, asked.changes_paging) == ("changed_in_harness:P1", kind, True)
    assert (planned.actions, [held.open_question for held in planned.held]) == ([], [True])
    for choice, side in (("keep_harness", three[2]), ("take_source", three[1])):
        answer = Decision(conflict=asked.about, object="P1", choice=choice, by="ann", question=asked.digest)
        planned, questions = plan_one(kind, *three, strategy, (answer,))
        assert planned.actions[0].after[name] == side[name]
        assert (planned.actions[0].writes, questions.open) == (choice == "take_source", {})


@pytest.mark.parametrize("kind, name", [pair for pair in FIELDS if pair not in PAGING])
def test_what_was_kept_is_still_kept_after_it_was_booked(kind, name):
    """The ledger must not take people's value for ours, or the next run would put ours back."""
    last_value, _, by_hand = VALUES[kind][name]
    if by_hand == last_value:
        by_hand = VALUES[kind][name][1]
    last, have = fields_of(kind), fields_of(kind, **{name: by_hand})
    other = next((n for n in VALUES[kind] if n not in (name, "schedule")), None)
    want = fields_of(kind, **({other: VALUES[kind][other][1]} if other else {}))
    for _ in range(3):
        action = plan_one(kind, last, want, have)[0].actions[0]
        assert action.after[name] == by_hand
        last, have = action.synced or (last if action.verb == "keep" else action.after), action.after
    assert action.verb == "keep"
    assert action.synced is None or action.synced == last


@pytest.mark.parametrize("choice", ["take_source", "keep_harness"])
def test_a_decision_on_the_object_goes_before_the_strategy(choice):
    want, have = fields_of("schedules", name="two"), fields_of("schedules", name="three")
    decision = Decision(conflict="changed_in_both", object="P1", choice=choice, by="ann")
    strategy = "preserve" if choice == "take_source" else "overwrite"
    planned, _ = plan_one("schedules", fields_of("schedules"), want, have, strategy, (decision,))
    assert planned.actions[0].after["name"] == ("two" if choice == "take_source" else "three")


def test_a_decision_whose_question_has_changed_is_asked_again():
    kind = "escalation_policies"
    last, have, want = (fields_of(kind, description=word) for word in TEXT)
    _, questions = plan_one(kind, last, want, have)
    digest = questions.answered["changed_in_both:P1"].conflict.digest
    decision = Decision(conflict="changed_in_both", object="P1", choice="take_source", by="ann", question=digest)
    assert plan_one(kind, last, want, have, decisions=(decision,))[0].actions[0].verb == "update"
    later = fields_of(kind, description="four")
    _, questions = plan_one(kind, last, later, have, decisions=(decision,))
    assert "since ann decided take_source" in questions.open["changed_in_both:P1"].meaning
    by_hand = decision.model_copy(update={"question": ""})
    assert not plan_one(kind, last, later, have, decisions=(by_hand,))[1].open


@pytest.mark.parametrize("kind", [*PLACES, "overrides"])
def test_what_was_removed_in_harness_is_a_question(kind):
    fields = fields_of(kind)
    planned, questions = plan_one(kind, fields, fields, None)
    assert not planned.actions
    assert planned.held[0].open_question
    assert list(questions.open) == ["removed_in_target:P1"]
    for choice, verbs in (("create_again", ["create"]), ("leave_removed", [])):
        decision = Decision(conflict="removed_in_target", object="P1", choice=choice, by="ann")
        planned, _ = plan_one(kind, fields, fields, None, decisions=(decision,))
        assert [action.verb for action in planned.actions] == verbs


def test_no_rule_answers_what_changes_who_is_paged():
    wish = make_wish("teams", "P1", "k", "Thing", fields_of("teams"), ("P1",))
    ledger = {("teams", "P1"): LedgerEntry("teams", "P1", "k", "Thing", fields_of("teams"))}
    questions = Questions(Decisions(), "recommended")
    assert not plan_actions([wish], [], State(oncall=True), ledger, "preserve", questions).actions
    assert questions.open


@pytest.mark.parametrize("needed", ["P1", "P9"])
def test_what_needs_something_that_waits_waits_too(needed):
    """The group is two teams of PagerDuty; the schedule belongs to the one or the other."""
    team = make_wish("teams", "P1", "k", "Thing", fields_of("teams"), ("P1", "P9"))
    schedule = make_wish("schedules", "P2", "s", "Rota", fields_of("schedules"), ("P2",), (("teams", needed),))
    ledger = {("teams", "P1"): LedgerEntry("teams", "P1", "k", "Thing", fields_of("teams"))}
    given = [team, schedule], [], State(oncall=True)
    planned = plan_actions(*given, ledger, "preserve", Questions(Decisions(), "stop"))
    assert [held.key for held in planned.held] == ["P1", "P2"]
    assert "it needs teams Thing" in planned.held[1].reason
    planned = plan_actions(*given, {}, "preserve", Questions(Decisions(), "stop"), by_terraform=True)
    assert {action.verb for action in planned.actions} == {"handover"}


MEMBERS = ["a@x.example", "b@x.example"]


BEFORE = [[], MEMBERS[:1], MEMBERS]
NOW = [[], MEMBERS[:1], MEMBERS[1:], MEMBERS]


@pytest.mark.parametrize("last, want, have", list(itertools.product(BEFORE, BEFORE, NOW)))
@pytest.mark.parametrize("kind, name", [("teams", "users"), ("contact_methods", "methods")])
def test_members_and_methods_are_settled_one_by_one(kind, name, last, want, have):
    assert name in SETS
    parts = {
        email: email if kind == "teams" else {"type": "email", "address": email, "label": "Work"} for email in MEMBERS
    }
    told = [fields_of(kind, **{name: [parts[email] for email in emails]}) for emails in (last, want, have)]
    action = plan_one(kind, *told)[0].actions[0]
    for email, part in parts.items():
        ours_dropped = email in last and email not in want
        removed_by_people = email in last and email in want and email not in have
        expected = (email in have or email in want) and not ours_dropped and not removed_by_people
        assert (part in action.after[name]) == expected


def test_whole_objects_that_the_source_drops_are_a_persons():
    for kind in PLACES:
        fields = fields_of(kind)
        entry = LedgerEntry(kind, "P1", "k", "Thing", fields)
        planned = plan_actions([], [entry], have_state(kind, fields), {}, "overwrite", Questions(Decisions(), "stop"))
        assert [(a.verb, a.writes) for a in planned.actions] == [("handover", False)]
        assert not plan_actions(
            [], [entry], State(oncall=True), {}, "overwrite", Questions(Decisions(), "stop")
        ).actions


def test_a_dropped_override_is_taken_back_only_as_we_wrote_it():
    fields = fields_of("overrides", start=TIMES[0], end=TIMES[2])
    entry = LedgerEntry("overrides", "P1", "s/k", "Thing", fields)
    questions = Questions(Decisions(), "stop")
    planned = plan_actions([], [entry], have_state("overrides", fields), {}, "preserve", questions)
    assert [(a.verb, a.after) for a in planned.actions] == [("update", None)]
    changed = have_state("overrides", {**fields, "person": "else@x.example"})
    planned = plan_actions([], [entry], changed, {}, "preserve", questions)
    assert (planned.actions, [held.open_question for held in planned.held]) == ([], [True])


FREE = ("contact_methods", "notification_rules", "teams", "integrations", "escalation_policies", "services")
"""Lists inside PagerDuty's records whose order means nothing; that of layers, their people, levels, targets and overrides does."""


def shuffle(value, dice, free=True):
    """The same in another order, wherever order means nothing."""
    if isinstance(value, dict):
        return {k: shuffle(v, dice, k in FREE) for k, v in dice.sample(list(value.items()), len(value))}
    if isinstance(value, list):
        rows = [shuffle(row, dice) for row in value]
        return dice.sample(rows, len(rows)) if free else rows
    return value


@pytest.fixture(scope="module")
def planned(tmp_path_factory):
    """A job on the whole company, its plan, and what was read for it."""
    from pdmigrate import conflicts, open_job, preview
    from pdmigrate.runs.demo import make_demo_workspace

    folder = tmp_path_factory.mktemp("planned") / "acme"
    make_demo_workspace(folder)
    with open_job(folder) as job:
        preview(job)
        yield job, conflicts(job).plan, read_latest(job)


@pytest.mark.parametrize("seed", range(3))
def test_any_order_of_input_gives_the_same_plan(planned, seed):
    from pdmigrate.pagerduty.account import Snapshot
    from pdmigrate.steps.draft import draft

    job, plan, snapshot = planned
    dice = random.Random(seed)  # noqa: S311 - order, not secrets
    rows = {kind: shuffle(found, dice) for kind, found in snapshot.rows.items() if kind != "team_members"}
    rows["team_members"] = {team: shuffle(found, dice) for team, found in snapshot.rows["team_members"].items()}
    shuffled = Snapshot(snapshot.subdomain, snapshot.taken, snapshot.since, snapshot.until, rows)
    save_snapshot(job.workspace.snapshots / "shuffled.json.gz", shuffled)
    job.workspace.save_state(
        "snapshot", {"file": "shuffled.json.gz", "digest": shuffled.digest, "requests": 0, "subdomain": "acme"}
    )
    again = draft(job).plan
    assert again.actions == plan.actions
    assert again.digest == plan.digest
    assert make_plan(plan.source, plan.target, plan.actions[::-1], plan.held[::-1], plan.basis).digest == plan.digest


MAPS = {"tags", "addUserResponseMap"}
"""Objects of which every key is somebody's data."""


PAGERDUTY_LISTS = {"users", "teams", "members", "schedules", "escalation_policies", "services"}
HARNESS_READS = {f"/ng/api/{name}" for name in ("user/aggregate", "invites/aggregate", "user-groups", "servicesV2")}
HARNESS_READS |= {"/capabilities", "/schedules", "/escalation-policies", "/services", "/contact-details"}
HARNESS_READS |= {"/notification-rules"}


def add_everywhere(value, more, at=""):
    """An answer with a field more in each object, nested ones too."""
    if isinstance(value, list):
        return [add_everywhere(row, more, at) for row in value]
    if not isinstance(value, dict) or at in MAPS:
        return value
    return {name: add_everywhere(each, more, name) for name, each in value.items()} | {"somethingNew": more}


NEWS = {"since": "yesterday"}


def decorate(app, answered, more):
    """From now on this server adds a field to whatever it answers; the paths that it was asked go into `answered`."""

    def add(response):
        if response.is_json:
            answered.add(request.path)
            response.set_data(json.dumps(add_everywhere(response.get_json(), more)))
        return response

    app.after_request_funcs.setdefault(None, []).append(add)


def test_fields_that_a_server_adds_to_any_answer_are_no_change(small):
    """Harness adds fields everywhere, PagerDuty some that say nothing: the same plan and digest, the second run is empty."""
    from pdmigrate import conflicts, load, preview

    plain, snapshot = conflicts(small).plan, small.latest_account().digest
    source, target = set(), set()
    for server in small._servers:
        pagerduty = server.app.name.endswith("pagerduty")
        decorate(server.app, source if pagerduty else target, [] if pagerduty else NEWS)
    preview(small)
    decided = conflicts(small)
    assert small.latest_account().digest == snapshot
    assert (decided.plan.digest, decided.plan.actions) == (plain.digest, plain.actions)
    loaded = load(small, "all")
    assert not [done for done in loaded.done if done.outcome in ("failed", "skipped")]
    preview(small)
    assert conflicts(small).plan.empty
    assert not [done for done in load(small, "all").done if done.action.writes]
    assert {path.rsplit("/", 1)[1] for path in source} >= PAGERDUTY_LISTS
    assert {path.partition("/projects/sre")[2] or path for path in target} >= HARNESS_READS


def test_a_field_that_pagerduty_adds_where_it_pages_is_asked_about(small):
    """It may say that nobody is paged; who is paged is not written before somebody has looked."""
    from pdmigrate import conflicts, preview

    decorate(next(s for s in small._servers if s.app.name.endswith("pagerduty")).app, set(), NEWS)
    preview(small)
    asked = {question.kind for question in conflicts(small).draft.open.values() if question.about == "unknown_field"}
    assert asked >= {"schedules", "escalation_policies", "services"}


def test_every_field_of_every_kind_is_here(planned):
    """What the embedded company's plan would write, against this table; parts of sets have a table of their own."""
    written = {}
    for action in planned[1].pending:
        written.setdefault(action.kind, set()).update(action.after)
    assert set(written) == set(KINDS)
    named = {kind: set(VALUES.get(kind, ())) | (written[kind] & SETS) for kind in KINDS if kind != "users"}
    assert {kind: fields for kind, fields in written.items() if kind != "users"} == named
    assert {kind: fields & SETS for kind, fields in written.items() if fields & SETS} == {
        "teams": {"users"},
        "contact_methods": {"methods"},
    }
