"""All workspaces on one page: what is in step, what waits for whom, what failed and why; and nothing is said to be in step that is not."""

import re
import shutil
from contextlib import redirect_stdout, suppress
from datetime import timedelta
from io import StringIO
from itertools import count

import pytest
from small_company import cut_down

from pdmigrate import conflicts, connect, load, open_job, preview, undo, verify
from pdmigrate.cli import main
from pdmigrate.errors import PdmigrateError
from pdmigrate.runs.demo import make_demo_workspace
from pdmigrate.runs.evidence import seal_run
from pdmigrate.runs.finish import finish
from pdmigrate.runs.measuring import keep_broken_run
from pdmigrate.runs.summary import read_results, write_run
from pdmigrate.sandbox.company import build_company
from pdmigrate.sandbox.pagerduty import start_pagerduty
from pdmigrate.steps.job import read_clock
from pdmigrate.workspace.folder import Workspace, write_json
from pdmigrate.workspace.settings import make_workspace


def run(folder, night, *steps, killed=False, clock=read_clock):
    """As far as it comes, like a headless run without its kernels. Each step of one that is killed has left all that it leaves."""
    reports = folder / "reports" / night
    with open_job(folder, reports, clock) as job, suppress(PdmigrateError):
        for step in steps:
            finish(job, step(job))
    write_run(folder.name, reports, read_results(reports), clock())
    if not killed:
        seal_run(Workspace(folder), reports, clock())


def edit(folder, old, new):
    file = folder / "migration.yaml"
    text = file.read_text(encoding="utf-8")
    assert old in text
    file.write_text(text.replace(old, new, 1), encoding="utf-8")


@pytest.fixture(scope="module")
def workspaces(tmp_path_factory):
    """One that is carried over, and copies of it that something has happened to."""
    root = tmp_path_factory.mktemp("workspaces")
    acme = root / "acme" / "in-step"
    make_demo_workspace(acme)
    write_json(acme / "sandbox" / "pagerduty.json", cut_down(build_company(read_clock())))
    run(acme, "1", connect, preview, conflicts, load)

    def copy(name):
        shutil.copytree(acme, acme.with_name(name))
        edit(acme.with_name(name), "name: acme", f"name: {name}")
        return acme.with_name(name)

    waits = copy("waits")
    with open_job(waits) as job:  # as a headless run tells the journal that it came to no verify
        keep_broken_run(
            job.workspace, job.settings, waits / "reports" / "1", read_clock(), 3, "the run ended with load"
        )
    run(acme, "2", lambda job: load(job, "all"), verify)
    run(copy("killed"), "3", connect, preview, conflicts, killed=True)
    run(copy("killed-again"), "2", connect, killed=True)
    with open_job(copy("taken-back")) as job:
        job.journal().start_undo(1, read_clock() + timedelta(seconds=5))
    edit(copy("misspelt"), "rules:", "ruels:")
    run(copy("not-compared"), "3", connect)
    shutil.rmtree(copy("elsewhere") / "reports" / "2")
    for name in ("new", "begun"):
        make_workspace(root / "globex" / name, {"name": name})
    run(root / "globex" / "begun", "1", connect)
    refused, server = copy("key-refused"), start_pagerduty(build_company(read_clock()), token="another")
    (refused / "key").write_text("u+notThisOneAnyMore")
    edit(refused, "kind: embedded", "kind: pagerduty")
    edit(refused, "  token: ", f"  token: file:{refused / 'key'} ")
    edit(refused, "  subdomain: ", "  subdomain: acme ")
    edit(refused, "  base_url: ", f"  base_url: {server.url} ")
    run(refused, "3", connect)
    server.stop()
    edit(acme, "name: acme", "name: in-step")
    return root


STATES = {
    "in-step": "in step",
    "waits": "waiting: load: 45 actions wait for approval",
    "killed": "not ended",
    "killed-again": "not ended",
    "taken-back": "not verified",
    "misspelt": "failed: migration.yaml: ",
    "not-compared": "not verified",
    "elsewhere": "not verified: the latest run has left its folder elsewhere",
    "new": "never run",
    "begun": "not verified",
    "key-refused": "failed: connect: PagerDuty at http",
}


@pytest.fixture(scope="module")
def overview(workspaces):
    """What was printed, and the page."""
    with redirect_stdout(StringIO()) as said:
        assert main(["overview", str(workspaces), "--to", str(workspaces / "overview")]) == 0
    return said.getvalue(), (workspaces / "overview" / "overview.html").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", STATES)
def test_a_workspace_is_said_to_be_in_step_only_where_it_is(name, overview):
    said = dict(line.split(": ", 1) for line in overview[0].splitlines())
    assert said[name].startswith(STATES[name])
    assert (STATES[name] == "in step") == said[name].startswith("in step")


def test_what_happens_within_one_second_keeps_its_order(tmp_path, capsys):
    """A quick machine loads and compares a small company within one."""
    passed = count()
    begun = (read_clock() - timedelta(minutes=1)).replace(microsecond=0)

    def clock():
        return begun + timedelta(microseconds=next(passed))

    def ask():
        assert main(["overview", str(tmp_path), "--to", str(tmp_path / "overview")]) == 0
        return capsys.readouterr().out

    make_demo_workspace(acme := tmp_path / "acme")
    write_json(acme / "sandbox" / "pagerduty.json", cut_down(build_company(begun)))
    run(acme, "1", connect, preview, conflicts, load, clock=clock)
    run(acme, "2", lambda job: load(job, "all"), verify, clock=clock)
    assert ": in step" in ask()
    run(acme, "2", lambda job: undo(job, yes=True), clock=clock)
    assert clock() - begun < timedelta(seconds=1)
    assert ": not verified" in ask()
    assert "undo" in (acme / "reports" / "2" / "index.html").read_text(encoding="utf-8")


def test_the_page_has_every_workspace_and_every_team_with_links_that_lead_somewhere(workspaces, overview):
    page = overview[1]
    assert all(name in page for name in STATES)
    rows = re.findall(r"<tr.*?</tr>", page[page.index('id="teams"') :], re.DOTALL)
    teams = [row for row in rows if ">in-step<" in row]
    assert teams
    assert all("not yet" in row and "a go by" in row for row in teams)
    links = [link for link in re.findall(r'href="([^"#]+\.html)"', page) if ":" not in link]
    assert any("team-" in link for link in links)
    assert "../acme/waits/reports/1/index.html" in links
    assert [link for link in links if not (workspaces / "overview" / link).is_file()] == []


def test_what_was_found_two_nights_ago_is_not_said_of_today(workspaces, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr("pdmigrate.cli.overview.read_clock", lambda: read_clock() + timedelta(hours=48))
    assert main(["overview", str(workspaces / "acme" / "in-step"), "--to", str(tmp_path)]) == 0
    assert capsys.readouterr().out.startswith("in-step: out of date")


def test_a_folder_without_workspaces_is_an_error_and_no_empty_page(tmp_path, capsys):
    assert main(["overview", str(tmp_path), "--to", str(tmp_path / "overview")]) == 2
    assert "There is no workspace in" in capsys.readouterr().err
    assert not (tmp_path / "overview").exists()
