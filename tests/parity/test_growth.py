"""The work of mapping, planning and comparing grows with the account and no faster: counted in instructions, not in seconds."""

import sys
from datetime import timedelta
from pathlib import Path

import growth
import pytest
from mapping_account import NOW, decide, layer, override, policy, refer, schedule, service, team, user

import pdmigrate
from pdmigrate.harness.records import Person, State
from pdmigrate.mapping import Mapped, choose_scope, map_all
from pdmigrate.mapping.draft import Draft
from pdmigrate.oncall import rota
from pdmigrate.pagerduty.account import Snapshot
from pdmigrate.parity import services as parity_services
from pdmigrate.parity.people import find_reach
from pdmigrate.parity.policies import compare_policies
from pdmigrate.parity.schedules import Schedules, compare_schedule
from pdmigrate.parity.services import compare_services
from pdmigrate.plan.actions import LedgerEntry, make_plan
from pdmigrate.plan.answers import Decisions
from pdmigrate.plan.kinds import KINDS
from pdmigrate.plan.planning import plan_actions
from pdmigrate.plan.questions import Questions
from pdmigrate.plan.rules import Rules, Scope

HOME = str(Path(pdmigrate.__file__).parent)
UNTIL = NOW + timedelta(days=2)


def count_work(work, *given):
    """What it returns, and how many instructions of pdmigrate's own code run."""
    done = 0

    def trace(frame, event, _):
        nonlocal done
        if not frame.f_code.co_filename.startswith(HOME):
            return None
        frame.f_trace_opcodes, frame.f_trace_lines = True, False
        done += event == "opcode"
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        found = work(*given)
    finally:
        sys.settrace(before)
    return found, done


def stand_in(number):
    return {"rendered_schedule_entries": [override(f"u{number}", 0.25, 0.5)]}


def build(number):
    """So many teams, each with a person, a rota with an override, a policy and a service."""
    each = range(number)
    owned = {n: [refer("team", f"t{n}")] for n in each}
    return {
        "users": [user(f"u{n}", teams=owned[n]) for n in each],
        "teams": [team(f"t{n}") for n in each],
        "team_members": {f"t{n}": [{"user": refer("user", f"u{n}")}] for n in each},
        "schedules": [
            schedule(f"s{n}", layer([f"u{n}"]), time_zone="UTC", teams=owned[n], overrides_subschedule=stand_in(n))
            for n in each
        ],
        "escalation_policies": [
            policy(f"p{n}", (5, [refer("schedule", f"s{n}"), refer("user", f"u{n}")]), teams=owned[n]) for n in each
        ],
        "services": [service(f"v{n}", f"p{n}", teams=owned[n]) for n in each],
    }


def map_account(number, state, ledger, **more):
    """With an answer about each person. more: further rows, by kind."""
    rows = build(number)
    rows |= {kind: [*rows[kind], *found] for kind, found in more.items()}
    account = Snapshot("acme", NOW, NOW, UNTIL, rows).account
    answers = tuple(decide("user_not_found", f"u{n}", "invite") for n in range(number))
    reasons = choose_scope(account, Scope())
    scope = {kind: frozenset(ids) for kind, ids in reasons.items()}
    mapped = map_all(
        Mapped(account, state, ledger, Questions(Decisions(decisions=answers), "recommended"), Rules(), scope)
    )
    planned = plan_actions(mapped.desired, mapped.dropped, state, ledger, "preserve", mapped.questions, now=NOW)
    return Draft(
        account, state, reasons, mapped, make_plan("", "", planned.actions, [*mapped.held, *planned.held]), ledger
    )


def load(found):
    """Harness as it is once all of it was written, and the ledger."""
    wishes = found.mapped.desired
    kept = {kind: {w.identifier: w.record for w in wishes if w.kind == kind} for kind in KINDS}
    stand_ins = {identifier.partition("/")[0]: (one,) for identifier, one in kept["overrides"].items()}
    rotas = {id: one.model_copy(update={"overrides": stand_ins[id]}) for id, one in kept["schedules"].items()}
    state = State(
        oncall=True,
        people={email: Person(email=email, uuid=email) for email in kept["users"]},
        groups=kept["teams"],
        schedules=rotas,
        policies=kept["escalation_policies"],
        services=kept["services"],
    )
    ledger = {
        (w.kind, w.key): LedgerEntry(
            kind=w.kind, key=w.key, identifier=w.identifier, name=w.name, synced=w.fields, at=""
        )
        for w in wishes
    }
    return state, ledger


def look(found):
    """Compare all of it, as verify does."""
    span = (rota.to_instant(NOW), rota.to_instant(UNTIL))
    there = found.account.schedules.values()
    schedules = Schedules(compare_schedule(found, one, rota.Rota()) for one in there)
    services = tuple(compare_services(found, found.account.services.values(), schedules))
    policies = compare_policies(found, schedules, services)
    reach = find_reach(found.mapped, [(one.id, one.before, one.after) for one in schedules], span)
    return found.miscounted, services, policies, reach


@pytest.fixture(scope="module")
def work():
    """How many instructions run for 8, 16 and 24 of everything, by what is done; what is cached for good was filled before."""
    found = {}
    for number in (8, 8, 16, 24):
        drafted, first = count_work(map_account, number, State(oncall=True), {})
        again, later = count_work(map_account, number, *load(drafted))
        (miscounted, *_), verified = count_work(look, again)
        assert len(again.mapped.desired) >= 6 * number
        assert not miscounted
        found[number] = {"a first run": first, "a later run": later, "verify": verified}
    return found


@pytest.mark.parametrize("done", ["a first run", "a later run", "verify"])
def test_as_many_objects_more_are_as_much_work_more(work, done):
    first, second, third = (work[number][done] for number in (8, 16, 24))
    assert (third - second) / (second - first) == pytest.approx(1, abs=0.002), (first, second, third)


def test_services_that_page_alike_are_compared_once(monkeypatch):
    low = {"incident_urgency_rule": {"type": "constant", "urgency": "low"}}
    more = [service("same", "p0"), service("other", "p1"), service("quiet", "p0", **low)]
    found = map_account(2, State(oncall=True), {}, services=more)
    schedules = Schedules(compare_schedule(found, one, rota.Rota()) for one in found.account.schedules.values())
    each = found.account.services.values()
    alone = [seen for one in each for seen in compare_services(found, [one], schedules)]
    raised, raise_pages = [], parity_services._raise_pages

    def count(found, service, *chains):
        raised.append(service.id)
        return raise_pages(found, service, *chains)

    monkeypatch.setattr(parity_services, "_raise_pages", count)
    assert list(compare_services(found, each, schedules)) == alone
    assert [one.id for one in alone] == ["other", "quiet", "same", "v0", "v1"]
    assert raised == ["other", "quiet", "same"]


@pytest.mark.parametrize("thing", growth.THINGS)
def test_what_the_benchmark_lets_grow_is_carried_over_and_pages_the_same(thing):
    """So what it measures is a whole migration. It stops by itself where a page would go otherwise."""
    _, build_thing = growth.THINGS[thing]
    growth.migrate(*build_thing(5))
