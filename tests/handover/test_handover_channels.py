"""What people set up themselves: Slack as the app, and a number that Harness calls without its extension."""

import csv

import pytest
from small_company import cut_down
from test_handover import read_list, switch

from pdmigrate import conflicts, finish, load, open_job, preview
from pdmigrate.runs.demo import make_demo_workspace
from pdmigrate.sandbox.company import build_company
from pdmigrate.steps.job import read_clock
from pdmigrate.workspace.folder import write_json

SLACK = {"id": "PSLACK1", "type": "slack_contact_method", "label": "Slack", "address": "https://acme.slack.com/team/U0"}


def give_slack_and_extension(account):
    """Tom Becker is told by Slack at once, and his desk telephone has an extension. Returns his id."""
    person = next(user for user in account["users"] if user["name"] == "Tom Becker")
    phone = next(m for m in person["contact_methods"] if m["type"] == "phone_contact_method")
    phone["address"] += ",,4711"
    used, by_slack = person["notification_rules"][0], {"id": "PSLACK1", "type": "slack_contact_method_reference"}
    person["contact_methods"].append(phone | SLACK)
    person["notification_rules"].append(used | {"id": "PRSLACK", "contact_method": by_slack})
    return person["id"]


@pytest.mark.parametrize("oncall", [True, False])
def test_slack_and_an_extension_are_in_the_letter_to_their_owner(tmp_path, oncall):
    """Whoever types his numbers in reads it there; where they are written by API it is an item of its own."""
    make_demo_workspace(tmp_path / "acme")
    account = cut_down(build_company(read_clock()), ("PSERV01",))
    person = give_slack_and_extension(account)
    write_json(tmp_path / "acme" / "sandbox" / "pagerduty.json", account)
    with open_job(tmp_path / "acme", tmp_path / "reports") as job:
        switch(job, oncall=oncall)
        preview(job)
        finish(job, conflicts(job))
        finish(job, load(job, "all"))
    rows = {row["key"]: row for row in read_list(tmp_path / "reports")}
    assert rows[f"contact_methods:{person}/slack"]["pagerduty_id"] == "PSLACK1"
    assert rows[f"notification_rules:{person}/slack_rule"]["pagerduty_id"] == "PRSLACK"
    assert (f"contact_methods:{person}/extension" in rows) == oncall
    if not oncall:  # who types numbers in finds it beside the number
        sheet = csv.DictReader(
            (tmp_path / "reports" / "handover" / "contact_details.csv").read_text("utf-8-sig").splitlines()
        )
        assert {row["extension"] for row in sheet if row["person"] == "Tom Becker"} == {"", "4711"}
    letter = (tmp_path / "reports" / "handover" / "people" / f"{person}.txt").read_text()
    assert "Link your Slack account in your Harness profile" in letter
    assert "Add Slack to your notification rule" in letter
    assert "PagerDuty dials 4711 after +12125550102; Harness documents no extensions" in letter
    assert "Install Harness's mobile app" in letter
