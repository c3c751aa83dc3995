"""Three-way planning: what we last wrote, what the source wants, what the target has, and who wins."""

import pytest
from test_plan_three_way import make_wish

from pdmigrate.harness.records import ContactDetails, Override, Person, Schedule, Service, State, UserGroup
from pdmigrate.plan.actions import LedgerEntry, make_plan, plan_from_json, plan_to_json
from pdmigrate.plan.answers import Decision, Decisions
from pdmigrate.plan.planning import plan_actions
from pdmigrate.plan.questions import Questions


def group(**fields):
    return UserGroup(**{"identifier": "g", "name": "Payments", "description": "", **fields})


def target(*groups, oncall=True, **more):
    return State(groups={g.identifier: g for g in groups}, oncall=oncall, **more)


def wish(kind="teams", identifier="g", needs=(), **fields):
    return make_wish(kind, "P1", identifier, "Payments", fields, ("P1",), needs)


def wrote(kind="teams", identifier="g", **fields):
    return {(kind, "P1"): LedgerEntry(kind, "P1", identifier, "Payments", fields)}


def plan_many(desired, dropped, state, ledger, strategy, *decisions):
    questions = Questions(Decisions(decisions=decisions), "stop")
    return plan_actions(desired, dropped, state, ledger, strategy, questions).actions


def plan_one(desired, state, ledger=None, strategy="preserve", *decisions):
    [action] = plan_many([desired], [], state, ledger or {}, strategy, *decisions)
    return action


# --- one field: last / want / have, by strategy ---

TABLE = [
    # last, want, have, preserve, overwrite
    ("a", "a", "a", "a", "a"),  # nobody changed anything
    ("a", "b", "a", "b", "b"),  # changed in the source
    ("a", "a", "c", "c", "c"),  # changed in the target
    ("a", "b", "c", "c", "b"),  # changed in both: the strategy decides
    ("a", "b", "b", "b", "b"),  # changed in both to the same
]


@pytest.mark.parametrize("last,want,have,preserve,overwrite", TABLE)
@pytest.mark.parametrize("strategy", ["preserve", "overwrite"])
def test_a_field_is_settled_three_ways(last, want, have, preserve, overwrite, strategy):
    settled = {"preserve": preserve, "overwrite": overwrite}[strategy]
    action = plan_one(wish(name=want), target(group(name=have)), wrote(name=last), strategy)
    assert action.after == {"name": settled}
    assert action.before == {"name": have}
    assert action.verb == ("keep" if settled == have else "update")
    assert action.writes == (settled != have)


@pytest.mark.parametrize("strategy", ["preserve", "overwrite"])
def test_what_was_kept_against_the_source_is_said(strategy):
    action = plan_one(wish(name="b"), target(group(name="c")), wrote(name="a"), strategy)
    assert action.reason == ("changed in Harness and kept: name" if strategy == "preserve" else "")


def test_each_field_is_settled_by_itself():
    state = target(group(name="mine", description="a"))
    action = plan_one(wish(name="a", description="b"), state, wrote(name="a", description="a"))
    assert action.after == {"name": "mine", "description": "b"}
    assert [name for name, _, _ in action.changes()] == ["description"]


def test_only_what_we_own_is_compared():
    state = target(group(description="theirs", tags={"owner": "x"}))
    assert plan_one(wish(name="Payments"), state, wrote(name="Payments")).verb == "keep"


# --- sets of parts ---

SETS = [
    # last, want, have, after
    (["a"], ["a", "b"], ["a"], ["a", "b"]),  # added in the source
    (["a", "b"], ["a"], ["a", "b"], ["a"]),  # dropped in the source
    (["a"], ["a"], ["a", "x"], ["a", "x"]),  # added in the target: stays
    (["a", "b"], ["a", "b"], ["a"], ["a"]),  # dropped in the target: stays dropped
    (["a", "b"], ["a", "c"], ["a", "b", "x"], ["a", "c", "x"]),  # both at once
    (["a"], ["a", "b"], ["a", "b"], ["a", "b"]),  # added in both
    ([], [], ["x"], ["x"]),
]


@pytest.mark.parametrize("last,want,have,after", SETS)
@pytest.mark.parametrize("strategy", ["preserve", "overwrite"])
def test_a_set_is_merged_part_by_part(last, want, have, after, strategy):
    emails = {part: f"{part}@example.com" for part in "abcx"}
    last, want, have, after = ([emails[part] for part in parts] for parts in (last, want, have, after))
    action = plan_one(wish(users=want), target(group(users=have)), wrote(users=last), strategy)
    assert action.after == {"users": after}


def test_the_order_of_a_set_is_no_change():
    state = target(group(users=["b@x", "a@x"]))
    action = plan_one(wish(users=["a@x", "b@x"]), state, wrote(users=["a@x", "b@x"]))
    assert (action.verb, action.writes) == ("keep", False)


# --- verbs ---


def test_what_is_not_there_is_created():
    action = plan_one(wish(name="Payments"), target())
    assert (action.verb, action.before, action.after, action.reason) == ("create", None, {"name": "Payments"}, "")


def test_what_somebody_removed_is_made_again_by_decision_and_that_is_said():
    again = Decision(conflict="removed_in_target", object="P1", choice="create_again")
    action = plan_one(wish(name="Payments"), target(), wrote(name="Payments"), "preserve", again)
    assert action.verb == "create"
    assert "somebody has removed it in Harness" in action.reason


def test_what_was_there_before_us_is_adopted_and_keeps_its_name():
    state = target(group(name="PAYMENTS", description="by hand", users=["x@x"]))
    action = plan_one(wish(name="Payments", description="from PagerDuty", users=["a@x"]), state)
    assert action.verb == "adopt"
    assert action.after == {"name": "PAYMENTS", "description": "by hand", "users": ["a@x", "x@x"]}


def test_a_person_who_is_there_is_kept_and_one_who_is_not_is_created():
    state = target(people={"a@x": Person(email="a@x", uuid="u1")})
    fields = {"email": "a@x", "groups": ["g"]}
    assert plan_one(wish("users", "a@x", **fields), state).verb == "keep"
    assert plan_one(wish("users", "b@x", email="b@x", groups=[]), state).verb == "create"


METHODS = [{"type": "email", "address": "a@x", "label": "Work"}]


@pytest.mark.parametrize("strategy,address", [("preserve", "mine@x"), ("overwrite", "mine@x")])
def test_what_people_set_for_themselves_is_never_lost(strategy, address):
    mine = ContactDetails(email="a@x", methods=[{"type": "email", "address": "mine@x", "label": "Home"}])
    action = plan_one(wish("contact_methods", "a@x", methods=METHODS), target(contacts={"a@x": mine}), None, strategy)
    assert address in {method["address"] for method in action.after["methods"]}


OWNED = {
    "schedules": {"name": "A"},
    "overrides": {"schedule": "x", "person": "a@x"},
    "escalation_policies": {"name": "A"},
    "contact_methods": {"methods": []},
    "notification_rules": {"steps": []},
}


@pytest.mark.parametrize("kind", OWNED)
def test_without_the_on_call_api_a_person_makes_it(kind):
    action = plan_one(wish(kind, "x/y", **OWNED[kind]), target(oncall=False))
    assert (action.verb, action.after, action.writes) == ("handover", OWNED[kind], False)


@pytest.mark.parametrize("kind", ["teams", "users", "services"])
def test_without_the_on_call_api_the_rest_is_still_written(kind):
    assert plan_one(wish(kind, "x", email="x", name="A"), target(oncall=False)).verb == "create"


def test_a_service_is_read_with_its_on_call_settings():
    state = target(services={"s": Service(identifier="s", name="S", paging=True)})
    action = plan_one(wish("services", "s", name="S", paging=False), state, wrote("services", name="S", paging=True))
    assert action.changes() == [("paging", True, False)]


# --- overrides that the source has dropped ---

OVERRIDE = Override(identifier="pd_1", person="a@x", start="2026-12-01T00:00:00Z", end="2026-12-02T00:00:00Z")


def with_override(*overrides):
    schedule = Schedule(identifier="s", name="S", time_zone="UTC", overrides=overrides)
    return target(schedules={"s": schedule})


def ours():
    fields = {"schedule": "s", **OVERRIDE.model_dump(mode="json", exclude={"identifier"})}
    return LedgerEntry("overrides", "PS1_1", "s/pd_1", "a in S", fields)


def test_a_dropped_override_is_taken_back():
    [action] = plan_many([], [ours()], with_override(OVERRIDE), {}, "preserve")
    assert (action.verb, action.kind, action.before, action.after) == ("update", "overrides", ours().synced, None)
    assert action.writes
    assert "must not go on paging" in action.reason


@pytest.mark.parametrize("strategy", ["preserve", "overwrite"])
def test_one_that_somebody_changed_is_a_question(strategy):
    changed = OVERRIDE.model_copy(update={"person": "b@x"})
    questions = Questions(Decisions(), "recommended")
    planned = plan_actions([], [ours()], with_override(changed), {}, strategy, questions)
    [held] = planned.held
    assert (planned.actions, held.key, held.open_question) == ([], "PS1_1", True)
    [asked] = questions.open.values()
    assert "who stands in is b@x, was a@x" in asked.question
    for choice, verb, after in (("keep_harness", "keep", "b@x"), ("take_source", "update", None)):
        answer = Decision(conflict=asked.about, object=asked.id, choice=choice, by="ann", question=asked.digest)
        [action] = plan_many([], [ours()], with_override(changed), {}, strategy, answer)
        assert (action.verb, action.after and action.after["person"]) == (verb, after)


def test_one_that_is_gone_already_needs_nothing():
    assert plan_many([], [ours()], with_override(), {}, "preserve") == []
    assert plan_many([], [ours()], target(), {}, "preserve") == []


# --- the plan ---


def some_plan(order=1):
    wishes = [wish("services", "s", name="S"), wish(name="A"), wish("users", "a@x", email="a@x")][::order]
    return make_plan("digest", "acc/org/proj", plan_many(wishes, [], target(), {}, "preserve"))


def test_a_plan_is_in_loading_order_whatever_came_first():
    assert [action.kind for action in some_plan().actions] == ["teams", "users", "services"]
    assert some_plan() == some_plan(order=-1)
    assert some_plan().digest == some_plan(order=-1).digest


def test_a_saved_plan_is_the_same_and_an_edited_one_has_another_digest():
    saved = plan_to_json(some_plan())
    assert plan_from_json(saved) == some_plan()
    saved["actions"][0]["after"] = {"name": "B"}
    assert plan_from_json(saved).digest != some_plan().digest


def test_a_plan_for_another_target_or_source_has_another_digest():
    plan = some_plan()
    digests = {
        plan.digest,
        make_plan("other", plan.target, plan.actions).digest,
        make_plan("digest", "x", plan.actions).digest,
    }
    assert len(digests) == 3
