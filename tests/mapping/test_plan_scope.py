"""What moves: all, by team, by service, or a schedule that no service uses; and what brought each object along."""

from dataclasses import replace

import pytest

from pdmigrate import choose, look, preview
from pdmigrate.errors import SettingsError
from pdmigrate.mapping.scope import choose_scope, find_shared
from pdmigrate.plan.rules import Scope
from pdmigrate.workspace.settings import parse_settings


@pytest.fixture(scope="module")
def account(tmp_path_factory):
    from pdmigrate import open_job
    from pdmigrate.workspace.settings import make_workspace

    folder = tmp_path_factory.mktemp("scope") / "acme"
    make_workspace(folder, {"name": "acme"})
    with open_job(folder) as job:
        return preview(job).draft.account


def test_the_whole_account(account):
    reasons = choose_scope(account, Scope())
    assert len(reasons["services"]) == len(account.services)
    assert not find_shared(account, reasons)


def test_a_team_brings_what_belongs_to_it_and_what_that_needs(account):
    team = account.teams["PTEAM03"]
    reasons = choose_scope(account, Scope(teams=[team.name]))
    mine = {s.id for s in account.services.values() if any(t.id == team.id for t in s.teams)}
    assert set(reasons["services"]) == mine
    assert set(reasons["services"].values()) == {f"belongs to the team {team.name}"}
    assert reasons["teams"]["PTEAM03"] == "chosen"
    assert any(why.startswith("on call in") for why in reasons["users"].values())
    assert {m.user.id for m in account.members_of(team)} <= set(reasons["users"])


def test_a_schedule_and_a_policy_without_a_service(account):
    schedule, policy = next(iter(account.schedules.values())), next(iter(account.policies.values()))
    reasons = choose_scope(account, Scope(schedules=[schedule.id], policies=[policy.name]))
    assert not reasons["services"]
    assert reasons["schedules"][schedule.id] == "chosen"
    targets = {t.id for rule in policy.escalation_rules for t in rule.targets if t.type == "schedule"}
    assert targets <= set(reasons["schedules"])


def test_what_is_shared_with_services_outside_is_said(account):
    service = account.services["PSERV01"]
    shared = find_shared(account, choose_scope(account, Scope(services=[service.name])))
    users = [
        s.name
        for s in account.services.values()
        if s.escalation_policy and s.escalation_policy.id == service.escalation_policy.id
    ]
    assert set(shared[("escalation_policies", service.escalation_policy.id)]) >= set(users) - {service.name}


@pytest.mark.parametrize("key", ["services", "teams", "schedules", "policies"])
def test_a_name_that_is_not_there(account, key):
    with pytest.raises(SettingsError, match=rf"scope.{key}: PagerDuty has no .* 'Platfrom'"):
        choose_scope(account, Scope(**{key: ["Platfrom"]}))


def test_a_name_that_two_have(account):
    names = [schedule.name for schedule in account.schedules.values()]
    first = next(iter(account.schedules.values()))
    twin = first.model_copy(update={"id": "PTWIN"})
    two = replace(account, schedules={**account.schedules, "PTWIN": twin})
    with pytest.raises(SettingsError, match="write the id"):
        choose_scope(two, Scope(schedules=[names[0]]))
    assert "PTWIN" in choose_scope(two, Scope(schedules=["PTWIN"]))["schedules"]


def test_the_scope_is_checked_strictly():
    data = {"name": "a", "source": {"kind": "embedded"}, "target": {"kind": "embedded"}}
    with pytest.raises(SettingsError, match="did you mean teams"):
        parse_settings({**data, "scope": {"team": ["A"]}})


def test_what_the_rules_or_the_scope_leave_out_is_counted_and_shown(job):
    """Every contact method, rule and override is either somewhere in the counts, or out of scope."""
    users = preview(job).draft.account.users.values()
    there = {"contact_methods": sum(len(u.contact_methods) for u in users)}
    there["notification_rules"] = sum(len(u.notification_rules) for u in users)
    choose(job, "rules.contact_details", False)
    shown = preview(job)
    assert there.items() <= shown.draft.count_out_of_scope().items()
    assert "left out by rules.contact_details" in str(look(shown, "not_carried")._repr_html_())
    choose(job, "rules.contact_details", None)
    choose(job, "scope.services", [next(iter(shown.draft.account.services))])
    found = preview(job).draft
    counted, out = found.count_kinds(), found.count_out_of_scope()
    assert {kind: counted[kind]["in_source"] + out[kind] for kind in there} == there
    assert out["contact_methods"] > 0
    overrides = sum(len(s.overrides) for s in found.account.schedules.values())
    assert counted["overrides"]["in_source"] + out["overrides"] <= overrides
    assert out["overrides"] > 0
