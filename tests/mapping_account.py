"""Small PagerDuty accounts for the tests of the mapping: rows as the API gives them, mapped without any network."""

from collections import Counter
from datetime import UTC, datetime, timedelta

from pdmigrate.harness.records import Person, State
from pdmigrate.mapping import Mapped, choose_scope, map_all
from pdmigrate.pagerduty.account import Snapshot
from pdmigrate.plan.answers import Decision, Decisions
from pdmigrate.plan.questions import Questions
from pdmigrate.plan.rules import Rules, Scope

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
EVERYTHING = ("users", "teams", "schedules", "escalation_policies", "services")


def refer(kind, id, **more):
    return {"id": id, "type": f"{kind}_reference", "summary": id.title(), **more}


def user(id, **more):
    return {"id": id, "name": id.title(), "email": f"{id}@example.com"} | more


def team(id, name=None, **more):
    return {"id": id, "name": name or id.title()} | more


def layer(people, id="PL1", **more):
    users = [{"user": person if isinstance(person, dict) else refer("user", person)} for person in people]
    fields = {"id": id, "name": "Layer 1", "start": "2025-01-01T00:00:00Z", "users": users, "restrictions": []}
    fields |= {"rotation_virtual_start": "2025-01-06T09:00:00Z", "rotation_turn_length_seconds": 604_800}
    return fields | more


def schedule(id, *layers, **more):
    return {"id": id, "name": id.title(), "time_zone": "Europe/London", "schedule_layers": list(layers)} | more


def override(person, start, end):
    """Days from now."""
    days = {"start": NOW + timedelta(days=start), "end": NOW + timedelta(days=end)}
    return {name: day.isoformat() for name, day in days.items()} | {"user": refer("user", person) if person else None}


def policy(id, *levels, **more):
    """A level is (minutes, [targets])."""
    rules = [
        {"id": f"{id}-{number}", "escalation_delay_in_minutes": minutes, "targets": targets}
        for number, (minutes, targets) in enumerate(levels)
    ]
    return {"id": id, "name": id.title(), "escalation_rules": rules, "num_loops": 0} | more


def service(id, policy_id=None, **more):
    reference = refer("escalation_policy", policy_id) if policy_id else None
    return {"id": id, "name": id.title(), "status": "active", "escalation_policy": reference} | more


def people(*names, invited=()):
    """A target with these people in it."""
    there = {f"{name}@example.com": Person(email=f"{name}@example.com", uuid=f"u_{name}") for name in names}
    waiting = {f"{name}@example.com": Person(email=f"{name}@example.com", invite=f"i_{name}") for name in invited}
    return State(people=there | waiting, oncall=True)


def decide(about, object, choice, value=None):
    return Decision(conflict=about, object=object, choice=choice, value=value, by="ann")


NO_OWNER = decide("policy_without_team", "all", "no_owner")
"""Most policies of these tests have no team, and that is not what they are about."""


WITHOUT_OVERRIDES = decide("unread_overrides", "all", "without")
"""Most schedules of these tests say nothing of overrides, and that is not what they are about."""


ANSWERED = (NO_OWNER, WITHOUT_OVERRIDES)


def map_rows(rows, state=None, decisions=(), rule="stop", ledger=None, services="all", answered=ANSWERED, **rules):
    """The mapping of an account; the same everywhere, from raw rows to what is wanted, lost and asked."""
    account = Snapshot("acme", NOW, NOW, NOW + timedelta(days=56), rows).account
    questions = Questions(Decisions(decisions=(*answered, *decisions)), rule)
    scope = {kind: frozenset(ids) for kind, ids in choose_scope(account, Scope(services=services)).items()}
    state = State(oncall=True) if state is None else state
    mapped = map_all(Mapped(account, state, ledger or {}, questions, Rules(**rules), scope))
    check_fates(mapped)
    return mapped


def check_fates(mapped):
    """Every object in scope has exactly one outcome, and what is wanted and what is lost are not the same."""
    outcomes = Counter((outcome.kind, outcome.id) for outcome in mapped.outcomes)
    assert {key: number for key, number in outcomes.items() if number > 1} == {}
    asked = {(kind, id) for kind in EVERYTHING for id in mapped.scope[kind]}
    assert asked <= outcomes.keys(), "an object has no outcome"
    lost = {(outcome.kind, outcome.id) for outcome in mapped.outcomes if outcome.grade == "lost"}
    assert not lost & {(wish.kind, source) for wish in mapped.desired for source in wish.sources}
    assert all(outcome.reason for outcome in mapped.outcomes if outcome.grade in ("lost", "handed_over")), (
        "a loss without a reason"
    )


def wishes(mapped, kind):
    return {wish.key: wish for wish in mapped.desired if wish.kind == kind}


def grades(mapped, kind):
    return {outcome.id: outcome.grade for outcome in mapped.outcomes if outcome.kind == kind}


def reason(mapped, kind, id):
    return next(outcome.reason for outcome in mapped.outcomes if (outcome.kind, outcome.id) == (kind, id))
