"""Policies, services and alert rules: exact, owned, and with a way for the alert; and a target that is only a file."""

import pytest
import requests
from small_company import make_corner

from pdmigrate import conflicts, connect, decide, load, open_job, preview, verify
from pdmigrate.cli import main
from pdmigrate.errors import RefusedError, SettingsError, UsageError
from pdmigrate.pages import look
from pdmigrate.sandbox.store import Store
from pdmigrate.workspace.folder import Workspace, write_text
from pdmigrate.workspace.survey import load_survey

BASE = "/pdmigrate-oncall/v1/accounts/embedded/orgs/default/projects/sre"


@pytest.fixture
def folder(tmp_path):
    return make_corner(tmp_path / "acme", ("PSERV01", "PSERV02", "PSERV09"))


def change_account(folder, kind, name, **fields):
    with Store(Workspace(folder).sandbox / "pagerduty.json", dict).change() as account:
        next(row for row in account[kind] if row["name"] == name).update(fields)


def draft(folder):
    with open_job(folder) as job:
        preview(job)
        return conflicts(job)


def find(decided, kind, name):
    return next(a for a in decided.plan.actions if a.kind == kind and a.name == name)


def first_policy(folder):
    return Store(Workspace(folder).sandbox / "pagerduty.json", dict).read()["escalation_policies"][0]


def test_an_empty_level_is_left_out_and_all_empty_is_not_moved(folder):
    policy = first_policy(folder)
    empty = {**policy["escalation_rules"][0], "id": "PEMPTY", "targets": []}
    change_account(folder, "escalation_policies", policy["name"], escalation_rules=[empty, *policy["escalation_rules"]])
    decided = draft(folder)
    outcome = next(f for f in decided.draft.mapped.outcomes if f.id == policy["id"])
    assert outcome.grade == "changed"
    assert "level 1 has no target" in outcome.reason
    assert all(level["targets"] for level in find(decided, "escalation_policies", outcome.name).after["levels"])
    change_account(folder, "escalation_policies", policy["name"], escalation_rules=[empty])
    assert next(f for f in draft(folder).draft.mapped.outcomes if f.id == policy["id"]).grade == "lost"


def test_loops_are_unrolled_up_to_the_limit_that_is_set(folder):
    policy = first_policy(folder)
    change_account(folder, "escalation_policies", policy["name"], num_loops=5)
    rules = len(policy["escalation_rules"])
    settings = Workspace(folder).settings_file
    write_text(settings, settings.read_text().replace("most_levels: 10", f"most_levels: {rules * 6}"))
    decided = draft(folder)
    action = next(a for a in decided.plan.actions if a.key == policy["id"])
    assert len(action.after["levels"]) == rules * 6
    assert {level["retries"] for level in action.after["levels"]} == {0}
    write_text(settings, settings.read_text().replace(f"most_levels: {rules * 6}", f"most_levels: {rules * 6 - 1}"))
    assert f"escalation_loops:{policy['id']}" in draft(folder).draft.open


def test_a_policy_without_a_team_gets_the_owner_that_is_decided(folder):
    policy = first_policy(folder)
    change_account(folder, "escalation_policies", policy["name"], teams=[])
    with open_job(folder) as job:
        preview(job)
        decide(job, "policy_without_team", policy["id"], "owner", "platform", by="test")
        action = next(a for a in conflicts(job).plan.actions if a.key == policy["id"])
        assert action.after["owner_group"] == "platform"
        with pytest.raises(UsageError, match="no_such_group is no user group of the project"):
            decide(job, "policy_without_team", policy["id"], "owner", "no_such_group", by="test")
        file = job.workspace.decisions_file
        file.write_text(file.read_text().replace("platform", "no_such_group"))
        assert f"policy_without_team:{policy['id']}" in conflicts(job).draft.open


def test_every_service_gets_an_alert_rule_and_one_that_is_switched_off_is_seen(folder):
    with open_job(folder) as job:
        preview(job)
        decided = conflicts(job)
        load(job, "all")
        state = job.target.read_state()
        assert conflicts(job).plan.empty
        route = next(route for route in decided.draft.mapped.routes if route.paging)
        rule = job.target.oncall("GET", f"/alert-rules/{route.identifier}")
        job.target.oncall("PUT", f"/alert-rules/{route.identifier}", body=rule | {"paging": False})
        assert next(s for s in verify(job).service_parity if s.id == route.key).after == "nobody"
    for route in decided.draft.mapped.routes:
        rule = state.alert_rules[route.identifier]
        assert (rule.service, rule.paging, rule.escalation_policy) == (route.identifier, route.paging, route.policy)
        assert state.services[route.identifier].escalation_policy == route.policy
    assert {rule.paging for rule in state.alert_rules.values()} == {True, False}


def test_an_adopted_group_becomes_as_in_pagerduty_and_a_merged_one_keeps_its_members(folder):
    after = {}
    with open_job(folder) as job:
        preview(job)
        team = next(t for t in job.latest_account().teams.values() if t.name == "Platform")
        before = set(job.target.read_state().groups["platform"].users)
        for choice in ("merge", "adopt"):
            decide(job, "group_name_collision", team.id, choice, by="test")
            decided = conflicts(job)
            action = next(a for a in decided.plan.actions if (a.kind, a.key) == ("teams", team.id))
            after[choice] = set(action.after["users"])
        people = decided.draft.state.people
        members = {decided.draft.mapped.emails[m.user.id] for m in decided.draft.account.members_of(team)}
    wanted = {email for email in members if email in people and people[email].accepted}
    assert after == {"merge": before | wanted, "adopt": wanted}


# --- capabilities, and a target in a file ---


def test_connect_says_what_goes_by_api_by_hand_and_not_at_all(folder):
    with open_job(folder) as job:
        whole = connect(job)
        requests.post(f"{job.target.transport.base_url}/sandbox/config", json={"oncall": False}, timeout=600)
        public = connect(job)
        told = repr(look(public, "capabilities"))
    assert set(whole.capabilities.values()) == {"by API"}
    assert {k for k, way in public.capabilities.items() if way == "by API"} == {"teams", "users", "services"}
    assert "WhatsApp" in told
    assert "not at all" in told


def test_a_target_is_surveyed_into_a_file_and_planned_against(folder, tmp_path):
    file = tmp_path / "survey.json.gz"
    assert main(["survey", str(folder), "--to", str(file)]) == 0
    live = draft(folder).plan
    settings = Workspace(folder).settings_file
    write_text(settings, settings.read_text().replace("  survey: ", f"  survey: {file} "))
    with open_job(folder) as job:
        assert connect(job).target == "embedded/default/sre"
        preview(job)
        offline = conflicts(job).plan
        with pytest.raises(RefusedError, match="is the survey"):
            load(job, "all")
        assert verify(job).count_seconds()["unverified_seconds"] == 0
    assert offline.digest == live.digest
    assert b"sandbox.secret" not in file.read_bytes()


def test_a_survey_that_is_none_is_said(tmp_path):
    (tmp_path / "s").write_text("no survey")
    with pytest.raises(SettingsError, match="is damaged"):
        load_survey(tmp_path / "s")
    with pytest.raises(SettingsError, match="no survey"):
        load_survey(tmp_path / "none")
