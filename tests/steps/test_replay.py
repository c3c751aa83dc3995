"""What happened, put through what Harness holds now: a clean load pages the same, and each planted fault is named."""

import copy
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from small_company import cut_down
from test_steps import read_harness

from pdmigrate import conflicts, load, open_job, preview, replay
from pdmigrate.errors import IncompleteFetchError, SettingsError
from pdmigrate.harness.records import LevelTarget
from pdmigrate.pages import make_page
from pdmigrate.pagerduty import lists
from pdmigrate.pagerduty.history import HistoryReader, Window
from pdmigrate.parity.replay import replay_pages
from pdmigrate.runs.demo import make_demo_workspace
from pdmigrate.sandbox.company import build_company
from pdmigrate.workspace.folder import write_json

NOW = datetime(2025, 10, 7, 15, 30, tzinfo=UTC)
CHOSEN = ("PSERV01", "PSERV02", "PSERV04", "PSERV05", "PSERV10", "PSERV11", "PSERV18", "PSERV19")


@pytest.fixture(scope="module")
def company(tmp_path_factory):
    """A part of the company on a day that stays, with its history, carried over and replayed."""
    folder = tmp_path_factory.mktemp("replay") / "acme"
    make_demo_workspace(folder)
    document = cut_down(build_company(NOW), CHOSEN) | {"history": {"until": NOW.isoformat(), "days": 90}}
    write_json(folder / "sandbox" / "pagerduty.json", document)
    with open_job(folder, clock=lambda: NOW) as job:
        preview(job)
        conflicts(job)
        assert load(job, "all").error is None
        yield job, replay(job)


def test_every_page_that_can_be_compared_is_the_same(company):
    _, found = company
    counts = found.replayed.count()
    assert counts["otherwise"] == 0
    assert counts["same"] > 200
    assert found.error is None
    assert found.replayed.misread == (), "our reading of PagerDuty is what happened"
    assert sum(counts.values()) == len(found.happened.incidents)
    reasons = {page.why for page in found.replayed.pages if page.grade == "not_comparable"}
    assert reasons <= {"schedule"}


def test_a_second_replay_asks_for_the_last_week_only(company):
    job, first = company
    again = replay(job)
    assert first.kept == 0
    assert again.kept == 13
    assert again.requests < first.requests / 4
    assert again.replayed.pages == first.replayed.pages


# --- faults, planted in what was read of Harness ---


def change(kind, identifier, edit):
    """The state with one object edited."""

    def apply(state):
        there = getattr(state, kind)
        return state.model_copy(update={kind: {**there, identifier: edit(there[identifier])}})

    return apply


def edit_rotation(**changes):
    def edit(schedule):
        first, *others = schedule.rotations
        made = {name: value(getattr(first, name)) for name, value in changes.items()}
        return schedule.model_copy(update={"rotations": (first.model_copy(update=made), *others)})

    return edit


def edit_level(number, **changes):
    def edit(policy):
        levels = list(policy.levels)
        made = {name: value(getattr(levels[number], name)) for name, value in changes.items()}
        levels[number] = levels[number].model_copy(update=made)
        return policy.model_copy(update={"levels": tuple(levels)})

    return edit


def edit_levels(change):
    return lambda policy: policy.model_copy(update={"levels": change(policy.levels)})


STRANGER = "somebody.else@acme.example"
ROTATIONS = {
    "turned round": edit_rotation(participants=lambda who: who[::-1]),
    "somebody else in it": edit_rotation(participants=lambda who: (STRANGER, *who[1:])),
    "one place empty": edit_rotation(participants=lambda who: (None, *who[1:])),
    "begun a day later": edit_rotation(anchor=lambda at: at + timedelta(days=1)),
    "turns twice as long": edit_rotation(turn_seconds=lambda turn: 2 * turn),
    "begins in ten days": edit_rotation(since=lambda _: NOW + timedelta(days=10)),
    "another zone": lambda one: one.model_copy(update={"time_zone": "Asia/Tokyo"}),
    "no rotation": lambda one: one.model_copy(update={"rotations": ()}),
}
LEVELS = {
    "the first one dropped": edit_levels(lambda levels: levels[1:]),
    "turned round": edit_levels(lambda levels: levels[::-1]),
    "one added": edit_levels(lambda levels: (levels[0].model_copy(update={"targets": (LevelTarget(type="user", id=STRANGER),)}), *levels)),
    "a minute longer": edit_level(0, timeout_minutes=lambda minutes: minutes + 1),
    "one retry": edit_level(0, retries=lambda number: number + 1),
    "somebody besides": edit_level(0, targets=lambda those: (*those, LevelTarget(type="user", id=STRANGER))),
    "somebody else": edit_level(0, targets=lambda _: (LevelTarget(type="user", id=STRANGER),)),
}  # fmt: skip


def list_faults(found):
    """(what, state with it, the PagerDuty ids of the services that hang on it)."""
    account = found.draft.account
    for name, edit in ROTATIONS.items():
        for id in ("PSCHED02", "PSCHED06"):
            policies = {p.id for p in account.policies.values() for r in p.escalation_rules for t in r.targets if t.id == id}
            identifier = found.draft.identifier_of("schedules", id)
            yield f"schedule {id} {name}", change("schedules", identifier, edit), policies
    for name, edit in LEVELS.items():
        for id in ("PPOL01", "PPOL05"):
            if id in account.policies:
                yield f"policy {id} {name}", change("policies", found.draft.identifier_of("escalation_policies", id), edit), {id}
    for rule in found.draft.state.alert_rules.values():
        if rule.paging:
            off = change("alert_rules", rule.identifier, lambda one: one.model_copy(update={"paging": False}))
            [id] = [id for id in account.services if found.draft.identifier_of("services", id) == rule.service]
            yield f"alert rule of {id} switched off", off, {account.services[id].escalation_policy.id}


def test_each_planted_fault_changes_a_page_and_is_named(company):
    _, found = company
    services, caught, missed = found.draft.account.services, [], []
    for what, plant, policies in list_faults(found):
        state = plant(found.draft.state)
        assert state != found.draft.state, what
        played = replay_pages(replace(found.draft, state=state), found.happened)
        (caught if played.unexplained else missed).append(what)
        hung = {id for id, one in services.items() if one.escalation_policy.id in policies}
        assert {page.service for page in played.unexplained} <= hung, what
        assert all(page.parting for page in played.unexplained)
        counts = played.count()
        assert counts["not_comparable"] == found.replayed.count()["not_comparable"], "what Harness holds makes no page less comparable"
        if played.unexplained:
            error = replace(found, replayed=played).error
            assert services[played.unexplained[0].service].name in str(error)
            assert error.exit_code == 5
    assert not missed
    assert len(caught) >= 20
