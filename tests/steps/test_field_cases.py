"""People, teams, policies, services and the account of the cases in data/cases, each under its own name, with its right value."""

import csv
import io
from datetime import datetime
from zoneinfo import ZoneInfo

from field_cases import ask_case, asked, open_case, outcome, read_section, run_case

from pdmigrate import conflicts, connect, finish, invite, load, preview, verify
from pdmigrate.oncall.rota import to_instant
from pdmigrate.pagerduty.urgency import urgencies_at
from pdmigrate.pages import make_page


def test_auto_pause(tmp_path):
    """Alerts that are transient wait ten minutes in PagerDuty and page at once in Harness; grouped ones page one by one."""
    decided, _ = run_case(tmp_path, "auto-pause")
    grade, reason, fields = outcome(decided, "services", "PS1")
    assert grade == "changed"
    assert {"auto_pause_notifications_parameters", "alert_grouping_parameters"} <= fields.keys()
    assert "wait 10 min in PagerDuty, and page at once in Harness" in reason
    assert "in Harness each pages" in reason


def test_csv_plus(tmp_path):
    """A name that begins with + is text in every CSV of the run."""
    with open_case(tmp_path, "csv-plus") as job:
        for step in (connect, preview, invite, conflicts, lambda job: load(job, "all"), verify):
            finish(job, step(job))
        written = [path.read_bytes().decode("utf-8-sig") for path in job.folder.rglob("*.csv")]
    cells = [cell for text in written for row in csv.reader(io.StringIO(text, newline="")) for cell in row]
    assert any(cell.startswith("'+SUM") for cell in cells)
    assert not [cell for cell in cells if cell.strip()[:1] in tuple("=+-@")]


def test_deleted_target(tmp_path):
    """PagerDuty pages Ann at minute 0 and Ben at 30: the policy and the service move without Cat, who is deleted, said as a change."""
    decided, verified = run_case(tmp_path, "deleted-target")
    grade, reason, _ = outcome(decided, "escalation_policies", "PE1")
    assert (grade, reason) == ("changed", "without Cat Gone, deleted in PagerDuty")
    assert outcome(decided, "services", "PS1")[0] == "exact"
    assert (verified.error, [one.name for one in verified.service_parity]) == (None, ["Checkout"])
    policy = next(wish for wish in decided.draft.mapped.desired if wish.kind == "escalation_policies")
    levels = [(one["timeout_minutes"], [to["id"] for to in one["targets"]]) for one in policy.fields["levels"]]
    assert levels == [(30, ["ann@example.com"]), (30, ["ben@example.com"])]


def test_direct_target_unreachable(tmp_path):
    """A disabled, an invited and a locked account: all three are named, and since when it matters."""
    _, verified = run_case(tmp_path, "direct-target-unreachable", [("unread_overrides", "all", "without")])
    said = {one.email: one.why for one in verified.unreachable}
    assert set(said) == {"ann@example.com", "ben@example.com", "cat@example.com"}
    table = read_section(verified, "Cannot be reached")
    for who, why in (("ann", "disabled"), ("ben", "invited"), ("cat", "locked")):
        assert f"{who}@example.com" in table
        assert why in said[f"{who}@example.com"]


def test_eu_snapshot(tmp_path):
    """Links go back to the EU, where every link of the account leads."""
    with open_case(tmp_path, "eu-snapshot") as job:
        for step in (connect, preview, invite, conflicts, lambda job: load(job, "all")):
            finish(job, step(job))
        handover = (job.folder / "handover" / "checklist.html").read_text()
    assert "https://acme.eu.pagerduty.com/service-directory/PS1" in handover
    assert "//acme.pagerduty.com" not in handover


def test_label_is_not_exact(tmp_path):
    """The label Mobile becomes Other; a pager's short mail becomes a whole one."""
    decided, _ = run_case(tmp_path, "label-is-not-exact")
    grade, reason, fields = outcome(decided, "contact_methods", "C1")
    assert (grade, fields["label"]) == ("changed", "changed")
    assert "the label Mobile becomes Other" in reason
    grade, reason, fields = outcome(decided, "contact_methods", "C2")
    assert (grade, fields["send_short_email"]) == ("changed", "lost")
    assert "short mail" in reason


def test_no_links(tmp_path):
    """No link tells the account's name: it is said so, and none is made up."""
    with open_case(tmp_path, "no-links") as job:
        page = finish(job, connect(job)).page.read_text()
        assert preview(job).draft.account.subdomain == ""
        for step in (invite, conflicts, lambda job: load(job, "all")):
            finish(job, step(job))
        handover = (job.folder / "handover" / "checklist.html").read_text()
    assert "no link in its answers tells its name" in page
    assert "pagerduty.com/" not in handover


def test_no_schedules(tmp_path):
    _, verified = run_case(tmp_path, "no-schedules")
    assert "No schedule is in scope: there is none to compare." in make_page(verified).lead


def test_people_file_typo(tmp_path):
    """A line whose PagerDuty address nobody has is said, since ann is invited under her old address otherwise."""
    with open_case(tmp_path, "people-file-typo") as job:
        preview(job)
        said = "nobody in PagerDuty has the address anne@example.com (did you mean ann@example.com?)"
        assert said in read_section(invite(job), "People")
        decided = conflicts(job)
        assert said in " ".join(decided.strays)
        assert said in read_section(decided, "Decisions")


def test_private_team(tmp_path):
    """What objects name and no list shows may be hidden from the key: the plan is refused, and both are named."""
    decided = ask_case(tmp_path, "private-team")
    assert decided.error.exit_code == 4
    [refusal] = decided.guards
    assert refusal.guard == "source_hidden"
    for said in ("the team Security (private) (PTHID)", "the service Vault signing (PSHID)", "the user Ann Lee"):
        assert said in refusal.sentence


def test_slack_contact(tmp_path):
    """Slack is handed over as the app is, with the rule at minute 0 that uses it."""
    decided, _ = run_case(tmp_path, "slack-contact")
    assert outcome(decided, "contact_methods", "C1")[:2] == (
        "handed_over",
        "Slack is linked by the person himself, in Harness",
    )
    assert outcome(decided, "notification_rules", "N1")[:2] == ("handed_over", "the person links Slack")
    assert outcome(decided, "contact_methods", "C2")[0] == "exact"


def test_stakeholders_invited(tmp_path):
    """Eve, a stakeholder, and Finn, an observer, can never be on call: no rule invites them, and the question shows their roles."""
    decided = ask_case(tmp_path, "stakeholders-invited")
    chosen = {answer.conflict.id: answer for answer in decided.draft.answered.values()}
    for id, role in (("PU5", "read_only_user"), ("PU6", "observer")):
        assert role in chosen[id].conflict.question
        assert chosen[id].choice == "leave_out"
    assert chosen["PU1"].choice == "invite"
    assert [action.name for action in decided.plan.actions if action.kind == "users"] == ["Ann Lee"]


def test_stakeholders_stand_with_their_role_on_the_page_and_in_its_csv(tmp_path):
    with open_case(tmp_path, "stakeholders-invited") as job:
        preview(job)
        page = finish(job, invite(job)).page
        table = page.parent / "tables" / "invite-01-people.csv"
        rows = {row["Person"]: row for row in csv.DictReader(table.read_text("utf-8-sig").splitlines())}
    assert rows["Eve Board"]["Role in PagerDuty"] == "read_only_user"
    assert "read_only_user" in page.read_text()


def test_support_hours_with_date(tmp_path):
    """Date and offset of support hours are ignored, as PagerDuty says; nine to five in Lima pages, and the rest by decision."""
    decided, verified = run_case(tmp_path, "support-hours-with-date")
    assert verified.error is None
    grade, reason, _ = outcome(decided, "services", "PS1")
    assert (grade, "follows support hours" in reason) == ("changed", True)
    lima = ZoneInfo("America/Lima")
    for hour, urgency in ((8, "low"), (9, "high"), (16, "high"), (17, "low")):
        at = to_instant(datetime(2026, 11, 25, hour, 30, tzinfo=lima))
        assert urgencies_at(decided.draft.account.services["PS1"], at) == {urgency}, hour


def test_team_hierarchy(tmp_path):
    """A parent and a private team are said as lost: Harness's groups are flat, and seen by everybody."""
    decided, _ = run_case(tmp_path, "team-hierarchy")
    teams = {id: next(o for o in decided.draft.mapped.outcomes if o.id == id) for id in ("PT2", "PT3")}
    lost = {id: {f.field: f.reason for f in one.fields if f.grade == "lost"} for id, one in teams.items()}
    assert "flat" in lost["PT2"]["parent"]
    assert "everybody" in lost["PT3"]["default_role"]


def test_unusable_policy(tmp_path):
    """The policy is there, in a form that cannot be read: the question about the service says that, and quotes it."""
    decided = ask_case(tmp_path, "unusable-policy")
    question = asked(decided)["unusable_policy", "PS1"].question
    assert "which is there, in a form that this version cannot use" in question
    assert "assign_to_least_recent" in question
    assert decided.error.exit_code == 3
