"""What of the fields stays behind is on the page of preview, whether or not it changes its object."""

import html

from pdmigrate import finish, open_job, preview


def test_a_field_that_pages_nobody_is_on_the_page_as_well(decided_workspace):
    with open_job(decided_workspace) as job:
        with job._servers[0].app.config["STORE"].change() as account:
            account["teams"][0]["default_role"] = "none"
            account["schedules"][0]["icon"] = "half moon"
        page = html.unescape(finish(job, preview(job)).page.read_text())
    assert "Fields that are not exactly the same" in page
    for said in (
        "roles in Harness are given by people",
        "Harness chooses its colours",
        "the label Default becomes Other",
        "it is part of the team Platform: groups in Harness are flat",
        "it is private in PagerDuty",
        "this version does not know icon and leaves it behind",
    ):
        assert said in page, said
    assert "half moon" not in page
