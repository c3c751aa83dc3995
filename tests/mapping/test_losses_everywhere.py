"""Every loss of the company, the recorded account and the cases is open or decided; a run ends accordingly."""

import pytest
from mapping_account import (
    check_fates,
    decide,
    map_rows,
    people,
    policy,
    refer,
    service,
    user,
)
from pagerduty_http import NOW as COMPANY_NOW
from source_http import DATA

from pdmigrate import conflicts, connect, load, open_job, preview, verify
from pdmigrate.harness.records import State
from pdmigrate.pages import make_page
from pdmigrate.sandbox.accounts import load_account
from pdmigrate.sandbox.company import build_company
from pdmigrate.workspace.folder import write_json
from pdmigrate.workspace.settings import make_workspace

ANN = refer("user", "ann")
ODD = {"escalation_rule_assignment_strategy": {"type": "assign_to_least_recent"}}


def odd_policy(id="pe1"):
    made = policy(id, (30, [ANN]))
    made["escalation_rules"][0] |= ODD
    return made


# --- the property: every loss is open or decided ---

FOLDERS = sorted(account.parent for account in (DATA / "cases").glob("*/account"))


def check_losses(mapped):
    """Each is open or decided and never both, and what it names was answered or is open."""
    check_fates(mapped)
    for one in mapped.held:
        assert one.open_question != bool(one.decided), one
        assert not one.decided or one.decided in mapped.questions.answered or one.decided.startswith("rule:"), one
    assert mapped.questions.open or not any(one.open_question for one in mapped.held)
    parts = ("contact_methods", "notification_rules")
    known = {(one.kind, one.key) for one in mapped.held}
    lost = {
        (outcome.kind, outcome.id)
        for outcome in mapped.outcomes
        if outcome.grade == "lost" and outcome.kind not in parts
    }
    assert lost <= known, "lost, and nobody was asked"


@pytest.mark.parametrize("rule", ["stop", "skip", "recommended"])
@pytest.mark.parametrize("who", [(), ("ann",)], ids=["nobody", "somebody"])
def test_every_loss_of_the_company_is_open_or_decided(rule, who):
    check_losses(map_rows(build_company(COMPANY_NOW), people(*who), rule=rule))


LEFT_OUT = [
    decide(about, "all", "leave_out")
    for about in ("user_not_found", "phone_country", "service_urgency", "acknowledgement_timeout", "round_robin")
]


@pytest.mark.parametrize("choice", ["leave_out", "invite"])
def test_every_loss_by_an_answer_names_it(choice):
    answers = [decide("user_not_found", "PUSER01", choice), decide("user_not_found", "PUSER02", "leave_out"), *LEFT_OUT]
    mapped = map_rows(build_company(COMPANY_NOW), State(oncall=True), answers)
    check_losses(mapped)
    assert any(one.decided == "user_not_found:PUSER02" and one.kind == "services" for one in mapped.held)


@pytest.mark.parametrize("rule", ["stop", "skip", "recommended"])
def test_every_loss_of_the_recorded_account_is_open_or_decided(recorded_account, rule):
    check_losses(map_rows(load_account(recorded_account), rule=rule))


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
@pytest.mark.parametrize("rule", ["stop", "recommended"])
def test_every_loss_of_a_case_is_open_or_decided(folder, rule):
    check_losses(map_rows(load_account(folder / "account"), rule=rule))


# --- a run as a whole ---


def run_steps(tmp_path, account, *steps):
    """A workspace whose source is a snapshot of this account; what the last step found."""
    for kind in ("users", "teams", "schedules", "escalation_policies", "services"):
        write_json(tmp_path / "account" / f"{kind}.json", {kind: account.get(kind, [])})
    write_json(tmp_path / "account" / "team_members.json", {})
    source = {"source": "snapshot", "snapshot": str(tmp_path / "account"), "open_conflicts": "recommended"}
    make_workspace(tmp_path / "acme", {"name": "acme", **source})
    with open_job(tmp_path / "acme") as job:
        for step in (connect, preview, conflicts, *steps):
            found = step(job, "all") if step is load else step(job)
        return found


def plain_account(**more):
    made = policy("PE1", (30, [refer("user", "PU9", deleted_at="2024-05-01T00:00:00Z"), refer("user", "PU1")]))
    rows = {"users": [user("PU1", email="pu1@example.com")], "escalation_policies": [made]}
    return rows | {"services": [service("PS1", "PE1")]} | more


def test_a_deleted_target_costs_neither_policy_nor_service(tmp_path):
    found = run_steps(tmp_path, plain_account(), load, verify)
    assert found.error is None
    kinds = found.summarise()["kinds"]
    assert (kinds["escalation_policies"]["changed"], kinds["services"]["lost"]) == (1, 0)
    assert found.draft.answered["deleted_target:PE1/PU9"].choice == "without"


def test_a_run_without_schedules_says_that_there_is_none_to_compare(tmp_path):
    found = run_steps(tmp_path, plain_account(), load, verify)
    page = make_page(found)
    assert "No schedule is in scope: there is none to compare." in page.lead
    said = {section.title: str(section.table) for section in page.sections}
    for title in ("Who is on call", "Differences", "Times with nobody on call"):
        assert "there is none to compare" in said[title]


@pytest.mark.parametrize(
    "account,code",
    [
        (plain_account(escalation_policies=[odd_policy("PE1")]), 3),
        (plain_account(escalation_policies=[policy("PE1", (30, [refer("user", "PUGONE")]))]), 3),
        (plain_account(escalation_policies=[]), 3),
        (plain_account(services=[service("PS1", "PE1", teams=[refer("team", "PTHID")])]), 4),
    ],
    ids=["broken policy", "unlisted target", "absent policy", "hidden team"],
)
def test_what_would_not_move_ends_the_run(tmp_path, account, code):
    assert run_steps(tmp_path, account).error.exit_code == code
