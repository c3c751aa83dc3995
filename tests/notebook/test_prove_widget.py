"""Test pages in notebook 6: looking sends nothing, a click without a tick neither; headless only what the parameter names."""

import re

import pytest
from hands import press, read, sit_down, tick
from small_company import cut_down

from pdmigrate import conflicts, load, open_job, preview
from pdmigrate.cli import main
from pdmigrate.notebook import send_test_pages
from pdmigrate.notebook.prove import MAY_BE_WOKEN
from pdmigrate.runs.demo import make_demo_workspace
from pdmigrate.sandbox.company import build_company
from pdmigrate.sandbox.harness_document import accept_invites
from pdmigrate.sandbox.store import Store
from pdmigrate.steps.job import read_clock
from pdmigrate.steps.sending import read_log
from pdmigrate.workspace.folder import write_json


def notify_at_once(account):
    """Whoever is on call while these tests run is told in the minute of the page, and no test waits for the next one."""
    ways = {one["id"]: one["type"] for user in account["users"] for one in user["contact_methods"]}
    for user in account["users"]:
        rules = user["notification_rules"]
        told = [
            one
            for one in rules
            if not ways[one["contact_method"]["id"]].startswith("push_") and one["urgency"] == "high"
        ]
        user["notification_rules"] = [one | {"start_delay_in_minutes": 0} for one in told[:1]]
    return account


@pytest.fixture(scope="module")
def loaded(tmp_path_factory):
    folder = tmp_path_factory.mktemp("widget") / "acme"
    make_demo_workspace(folder)
    account = cut_down(build_company(read_clock()), ("PSERV02",))
    write_json(folder / "sandbox" / "pagerduty.json", notify_at_once(account))
    with open_job(folder) as job:
        preview(job)
        conflicts(job)
        load(job, "all")
        with Store(job.workspace.sandbox / "harness.json", dict).change() as held:
            accept_invites(held)
        yield job


@pytest.fixture
def corner(loaded):
    loaded.workspace.state_file("live").unlink(missing_ok=True)
    return loaded


def test_a_test_page_leaves_at_a_click_of_who_has_ticked_twice(corner, monkeypatch):
    assert "No test page was sent yet" in repr(send_test_pages(corner))
    sit_down(monkeypatch)
    box = send_test_pages(corner, "Edge & CDN").children[0]
    press(box, "Send test pages")
    assert "List the services, and tick some, first." in read(box)
    press(box, "List whom it would wake")
    assert "Nothing was sent." in read(box)
    tick(box, "Edge & CDN · not asked · ")
    press(box, "Send test pages")
    assert f"Tick “{MAY_BE_WOKEN}” first." in read(box)
    assert read_log(corner).pages == (), "nothing was sent by looking"
    tick(box, MAY_BE_WOKEN)
    press(box, "Send test pages")
    assert "The page is live.html." in read(box)
    assert "seen: the right people" in read(box)
    [page] = read_log(corner).pages
    assert page.by == "carla"
    press(box, "These were seen by a person")
    assert read_log(corner).pages[0].ticked_by == "carla"
    assert "seen: the right people" in read(send_test_pages(corner).children[0])


def test_headless_it_sends_what_the_parameter_names(corner):
    (corner.folder / "live.html").unlink(missing_ok=True)
    shown = repr(send_test_pages(corner, " edge & cdn ,"))
    assert "seen: the right people" in shown
    assert (corner.folder / "live.html").is_file()
    send_test_pages(corner, "Edge & CDN")
    assert len(read_log(corner).pages) == 1, "once under one plan"


def test_the_command_says_whom_and_sends_only_with_yes(corner, capsys):
    folder = str(corner.workspace.folder)
    assert main(["prove", folder]) == 0
    said = capsys.readouterr().out
    assert re.search(r"Edge & CDN: 0 min: [^(]+ \(\w{3} \d\d:\d\d in ", said)
    assert "Nothing was sent." in said
    assert main(["prove", folder, "--yes"]) == 2
    assert main(["prove", folder, "--yes", "--tick", "Edge & CDN"]) == 2
    assert read_log(corner).pages == ()
    capsys.readouterr()
    assert main(["prove", folder, "--by", "ann", "--yes", "--pause", "0"]) == 0
    assert "Edge & CDN: seen: the right people" in capsys.readouterr().out
    assert main(["prove", folder, "--by", "ann", "--yes"]) == 0
    assert "1 service had a test page under this plan already: --again sends another." in capsys.readouterr().out
    assert main(["prove", folder, "--tick", "edge & cdn", "--by", "bob"]) == 0
    assert (corner.workspace.reports / "live" / "live.html").is_file()
