"""The six notebooks in a real JupyterLab, operated as a person does; then the same decisions headless."""

import json
import re
import threading

import pytest
from flask import request
from kill_loads import READS
from lab import Lab, need_browser, open_browser, save_state, start_lab
from small_company import cut_down

from pdmigrate import conflicts, open_job, preview
from pdmigrate import waive as waive_guard
from pdmigrate.cli.status import describe_status
from pdmigrate.runs.headless import run_steps
from pdmigrate.runs.publish import scan_for_secrets
from pdmigrate.sandbox import company
from pdmigrate.sandbox.harness import build_target, start_harness
from pdmigrate.steps.job import EMBEDDED, EMBEDDED_KEY, EMBEDDED_TOKEN, read_clock
from pdmigrate.workspace.decisions import read_decisions
from pdmigrate.workspace.folder import STEPS, Workspace, write_json
from pdmigrate.workspace.settings import make_workspace

SERVICES = ("PSERV05", "PSERV08", "PSERV10", "PSERV14", "PSERV22", "PSERV23", "PSERV25")
"""With what they need: everything that is asked about here. Of a table twice as long, the browser draws twice as much."""
LEFT_OUT = "PUSER40"
RENAMED = "Data platform on-call"
AT_ONCE = 12
"""Writes, of some hundred, that are answered before somebody presses Pause."""
MOST_CLICKS = 25
"""In notebook 4, from the first run to the approval; it took about 70 once."""
DECIDED = {
    "phone country": "leave out",
    "round robin": "everyone",
    "acknowledgement timeout": "accept",
    "service urgency": "no page",
}


def make_target():
    """A Harness of the test's own, so that it can wait while somebody cancels."""
    return start_harness(build_target(company.build_harness_people()), api_key=EMBEDDED_KEY)


def make_own_workspace(folder, url):
    live = {"account": EMBEDDED["account"], "org": EMBEDDED["org"], "project": EMBEDDED["project"], "target_url": url}
    path = make_workspace(folder, {"name": "acme", "target": "harness", "api_key": "env:HARNESS_API_KEY", **live})
    path.write_text(path.read_text().replace("next_run_days: 7 ", "next_run_days: 60 "))  # a guard refuses that
    write_json(folder / "sandbox" / "pagerduty.json", cut_down(company.build_company(read_clock()), SERVICES))
    return Workspace(folder)


def read_target(folder):
    """All of Harness that concerns us; an invitation's own number is another one each time."""
    with open_job(folder) as job:
        state = job.target.read_state().model_dump(mode="json")
    people = {email: {**person, "invite": bool(person["invite"])} for email, person in state["people"].items()}
    return {**state, "people": people}


@pytest.fixture(scope="module")
def walked(tmp_path_factory):
    """A whole migration by hand: the workspace, what Harness has after it, and what the browser complained of."""
    need_browser()
    folder, server = tmp_path_factory.mktemp("walk"), make_target()
    workspace = make_own_workspace(folder / "acme", server.url)
    patch = pytest.MonkeyPatch()
    patch.setenv("HARNESS_API_KEY", EMBEDDED_KEY)
    with start_lab(workspace.folder, folder / "lab") as url, open_browser() as (context, seen):
        lab = Lab(context, url)
        walk(lab, "1_connect.ipynb", connect)
        walk(lab, "2_preview.ipynb", choose_scope, workspace)
        walk(lab, "3_invite.ipynb", decide_people, workspace)
        walk(lab, "4_conflicts.ipynb", decide_conflicts, workspace, lab)
        save_state(folder / "lab", False)  # as JupyterLab has it where nobody has changed it; read when it is opened
        lab.open_anew()
        load_with_interruptions(lab, server, workspace)
        walk(lab, "6_verify.ipynb", verify_and_tick, workspace)
        follow_links(lab, context)
        reopen(lab, workspace)
        left = read_target(workspace.folder)
    yield workspace, left, seen
    patch.undo()
    server.stop()


def walk(lab, name, act, *given):
    notebook = lab.open(name)
    notebook.run_all()
    act(notebook, *given)
    notebook.save()


def reopen(lab, workspace):
    """Another day: tables stand where the widgets were; run again, the notebook shows what was decided."""
    lab.shut_down_kernels()
    lab.open_anew()
    verified = lab.open("6_verify.ipynb").within("sign_off_teams(job")
    verified.panel.scroll_into_view_if_needed()
    verified.see("As it was on ")
    assert verified.panel.get_by_role("row", name=re.compile("^Payments ")).is_visible()
    assert not verified.panel.get_by_text("model not found").is_visible()
    notebook = lab.open("3_invite.ipynb")
    notebook.run_all()
    notebook.search("shared mailbox", 1)
    notebook.see("decided: leave out")


def follow_links(lab, context):
    """From the notebook to its page, from page to page and to a table's rows, in JupyterLab's tab and in one of its own."""
    lab.page.locator(".jp-NotebookPanel:not(.lm-mod-hidden)").get_by_role("link", name="All pages of this run").click()
    inside = lab.page.frame_locator(".jp-HTMLViewer iframe")
    inside.get_by_role("link", name="Connect").first.click()
    inside.get_by_role("heading", name="Connect", exact=True).wait_for()
    inside.get_by_role("link", name="Run", exact=True).click()
    inside.get_by_role("link", name="Verify").first.click()
    inside.get_by_role("link", name="CSV").first.click()
    inside.get_by_text("PagerDuty").first.wait_for()
    own = context.new_page()
    own.goto(f"{lab.page.url.partition('/lab')[0]}/files/reports/by-hand/index.html")
    own.get_by_role("link", name="Connect").first.click()
    own.get_by_role("heading", name="Connect", exact=True).wait_for()
    with own.expect_download() as download:
        own.get_by_role("link", name="CSV").first.click()
    assert download.value.suggested_filename.endswith(".csv")
    own.close()


def connect(notebook):
    notebook.press("Ask both sides again")
    notebook.see("Both sides answered at")


def choose_scope(notebook, workspace):
    notebook.press("Untick all found")
    notebook.search("pserv05", 1)
    notebook.tick("Card payments")
    notebook.see("1 service brings along")
    notebook.press("Move what is ticked")
    notebook.see("1 service is chosen.")
    assert read_decisions(workspace.decisions_file).choices[0].value == ["PSERV05"]
    notebook.press("Untick all found")
    notebook.pick("Kind", "teams")
    notebook.fill("Search", "")
    notebook.tick("Payments · team")
    notebook.see("belongs to the team Payments")
    notebook.press("Move what is ticked")
    notebook.see("1 team is chosen.")
    assert read_decisions(workspace.decisions_file).choices[-1].value == ["PTEAM01"]
    notebook.press("Take the choice back")
    notebook.see("Taken back: migration.yaml counts again.")
    assert not read_decisions(workspace.decisions_file).choices


def decide_people(notebook, workspace):
    assert not workspace.decisions_file.exists() or not read_decisions(workspace.decisions_file).decisions
    notebook.search("shared mailbox", 1)
    notebook.tick("Store Operations")
    notebook.fill("Why", "a mailbox wakes nobody")
    notebook.fill("Email", "nobody@acme.example")
    notebook.press("map")  # whoever leaves the field is told beside it, and the click is refused
    notebook.see("nobody@acme.example is nobody in the Harness project: invite that person first")
    assert not workspace.decisions_file.exists() or not read_decisions(workspace.decisions_file).decisions
    notebook.press("leave out")
    notebook.see("Decided: leave out, 1 of shared mailbox.")
    notebook.search("sato", 1)
    notebook.tick("Hana Sato")
    notebook.see("Hana Sato (hana.sato@acme.example) has no account")
    notebook.tick("for the whole class")
    notebook.press("invite")
    notebook.see("the whole class of user not found")


def decide_conflicts(notebook, workspace, lab):
    """The questions one after the other, and beside that what a person may do as well, which is not counted."""
    questions = notebook.within("answer_conflicts(job")
    beside = -notebook.clicks.total()
    choose_the_strategy(notebook)
    rename_a_schedule(questions)
    beside += notebook.clicks.total()
    questions.press(re.compile(r"^Accept all \d+ recommendations that change nobody's paging$"))
    questions.see("Accepted: ")
    for about, answer in DECIDED.items():
        answer_class(questions, about, answer)
    questions.see("Every question is answered.")
    beside -= notebook.clicks.total()
    decide_in_the_other_notebook(lab, workspace)
    lab.open("4_conflicts.ipynb")
    questions.press("Undo my last click")
    questions.see("Undone.")
    answer_class(questions, *list(DECIDED.items())[-1])
    questions.see("Every question is answered.")
    beside += notebook.clicks.total()
    notebook.run_all()
    waive(notebook, workspace)
    approve(notebook, workspace)
    assert notebook.clicks.total() - beside < MOST_CLICKS, notebook.clicks


def choose_the_strategy(notebook):
    notebook.choose("Strategy", "overwrite: where both sides changed, PagerDuty's is written over it")
    notebook.press("Save the rules")
    notebook.see("Saved. Run ▸ Run All Cells drafts the plan with it.")
    notebook.run_all()


def rename_a_schedule(questions):
    questions.fill("Search", "On-call PSCHED16")
    questions.tick("On-call · ")
    questions.fill("Name", RENAMED)
    questions.press("rename")
    questions.see("Decided: rename Data platform on-call, 1 of same name in source.")
    questions.fill("Search", "")


def decide_in_the_other_notebook(lab, workspace):
    """Its kernel knows nothing of what was decided here since."""
    before = {(d.conflict, d.object) for d in read_decisions(workspace.decisions_file).decisions}
    other = lab.open("3_invite.ipynb")
    other.search("ortega", 1)
    other.tick("Luis Ortega")
    other.press("invite")
    other.see("Decided: invite, 1 of user not found.")
    after = {(d.conflict, d.object) for d in read_decisions(workspace.decisions_file).decisions}
    assert after == before | {("user_not_found", "PUSER12")}


def waive(notebook, workspace):
    notebook.see("the next run is in 60 days")
    notebook.tick("runs out")
    notebook.fill("Reason", "we run it again on Monday")
    notebook.fill("Until", "2099-12-31")
    notebook.press("Waive for this plan")
    notebook.see("Waived until 2099-12-31: runs out")
    [waiver] = read_decisions(workspace.decisions_file).waivers
    assert (waiver.guard, waiver.until) == ("runs_out", "2099-12-31")


def answer_class(questions, about, answer):
    """Two clicks: what is open of the class is ticked with it."""
    questions.press_first(re.compile(rf"^{about} · \d+$"))  # those that are decided stand further down
    questions.press(re.compile(rf"^{answer}(, all \d+)?$"))
    questions.see(
        re.compile(f"Decided: {answer}, |Every question is answered")
    )  # the last of them is told as that at once


def approve(notebook, workspace):
    digest = workspace.find_state("plan")["digest"]
    notebook.fill("Digest", digest[:5] + "?")
    notebook.press("Approve this plan")
    notebook.see("That is not the beginning of")
    notebook.fill("Digest", digest[:6])
    notebook.press("Approve this plan")
    notebook.see(f"Approved: {digest[:12]}.")
    assert read_decisions(workspace.decisions_file).approves(digest)


class Holding:
    """Harness answers some writes and then none until it may, so that the load does not come to its end before a click does."""

    def __init__(self, app):
        self.writes, self.goes_on = 0, threading.Event()
        app.before_request_funcs.setdefault(None, []).append(self)

    def __call__(self):
        if request.method != "GET" and request.path.removeprefix("/gateway") not in READS:
            self.writes += 1
            if self.writes > AT_ONCE:
                self.goes_on.wait(600)


def load_with_interruptions(lab, server, workspace):
    """Paused, seen in a page that was loaded anew, gone on with there, cancelled; then to the end."""
    notebook, harness = lab.open("5_load.ipynb"), Holding(server.app)
    notebook.start_all()
    notebook.see(" left: teams")
    notebook.press("Pause")
    notebook.see("Paused between two steps.")
    harness.goes_on.set()
    asked = None
    while asked != (asked := server.app.config["LOG"].requests):  # what was sent is waited for
        notebook.page.wait_for_timeout(800)
    notebook.see("Paused between two steps.")
    notebook.save()
    lab.page.reload()
    notebook.see("Paused between two steps.")
    harness.goes_on.clear()
    notebook.press("Go on")
    notebook.press("Cancel")
    notebook.panel.get_by_role("button", name="Cancel", disabled=True).last.wait_for()
    harness.goes_on.set()
    notebook.see("Cancelled after")
    notebook.wait_run()
    assert "was interrupted" in describe_status(workspace)
    notebook.run_all()
    notebook.see("Finished:")


def verify_and_tick(notebook, workspace):
    notebook.press("Next difference")
    notebook.see("There is no difference in this schedule.")
    notebook.pick("What", "re-point")
    notebook.tick("re-point")
    notebook.press("These are done")
    notebook.see("1 done: written to the workspace.")
    assert len(workspace.find_state("handover_ticks")) == 1
    notebook.tick("Payments ·")
    notebook.fill("Why", "the team has seen its page")
    notebook.press("Go")
    notebook.see("go: 1 team, in decisions.yaml.")
    assert read_decisions(workspace.decisions_file).sign_offs[0].choice == "go"


def test_nothing_goes_wrong_in_the_page_and_nothing_leaves_the_machine(walked):
    _, _, seen = walked
    assert not seen["errors"]
    assert not seen["outside"]


def test_no_kernel_of_the_lab_opens_a_port(walked):
    """Another program would take it, now and then, before the kernel does."""
    workspace, _, _ = walked
    said = (workspace.folder.parent / "lab" / "lab.log").read_text()
    assert said.count("Kernel started: ") > 5
    assert "over TCP" not in said


def test_a_decision_is_seen_in_harness(walked):
    _, left, _ = walked
    schedules = {schedule["name"] for schedule in left["schedules"].values()}
    assert RENAMED in schedules
    assert "On-call" not in schedules
    assert "store-ops@acme.example" not in left["people"]


def test_every_click_is_in_the_file(walked):
    workspace, _, _ = walked
    decisions = read_decisions(workspace.decisions_file)
    assert {(d.conflict, d.object): d.choice for d in decisions.decisions}[("shared_mailbox", LEFT_OUT)] == "leave_out"
    assert {choice.setting: choice.value for choice in decisions.choices}["rules.strategy"] == "overwrite"
    assert len(decisions.approvals) == 1


def test_no_key_is_in_any_file_the_saved_widgets_included(walked):
    workspace, _, _ = walked
    folder = workspace.folder.parent
    saved = [json.loads(path.read_text()) for path in workspace.notebooks.glob("*.ipynb")]
    assert any("widgets" in notebook["metadata"] for notebook in saved)
    assert scan_for_secrets(folder, (EMBEDDED_KEY, EMBEDDED_TOKEN)) == []


def test_what_was_done_by_hand_left_its_pages(walked):
    workspace, _, _ = walked
    by_hand = workspace.reports / "by-hand"
    assert {f"{step}.html" for step in STEPS} | {"stakeholders.html", "index.html"} <= {
        p.name for p in by_hand.iterdir()
    }


def test_the_same_decisions_headless_give_the_same_target(walked, tmp_path, monkeypatch):
    workspace, left, _ = walked
    monkeypatch.setenv("HARNESS_API_KEY", EMBEDDED_KEY)
    other = make_target()
    again = make_own_workspace(tmp_path / "acme", other.url)
    again.decisions_file.write_bytes(workspace.decisions_file.read_bytes())
    with open_job(again.folder) as job:  # approval and waivers are for one address, and this Harness has another
        preview(job)
        decided = conflicts(job)
        for guard in decided.guards:
            waive_guard(job, guard.guard, decided.plan.digest, "2100-01-01", "pytest", "as in the notebook")
    outcome = run_steps(again.folder, STEPS, tmp_path / "run", approve=decided.plan.digest)
    assert read_target(again.folder) == left
    other.stop()
    assert outcome.exit_code in (0, 5)
