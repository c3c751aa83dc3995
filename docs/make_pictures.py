"""Makes docs/pictures/: the walk through the embedded migration, photographed in JupyterLab as the notebooks are today.

    python docs/make_pictures.py

Needs a Chromium. Leaves made-from.json beside the pictures, by which a test knows when they are stale.
"""

import hashlib
import json
import re
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "tests"), str(ROOT / "tests" / "notebook")]

FOLDER = ROOT / "docs" / "pictures"
MADE_FROM = ("notebooks/*.ipynb", "pdmigrate/notebook/*.py", "pdmigrate/pages/templates/*", "docs/make_pictures.py")
WINDOW = {"width": 1100, "height": 1500}
FRAME = 200
"""Pixels of JupyterLab around the cells, at most."""


def digest_sources() -> str:
    """Over everything that decides what the pictures show."""
    paths = sorted(path for pattern in MADE_FROM for path in ROOT.glob(pattern))
    return hashlib.sha256(b"".join(path.read_bytes() for path in paths)).hexdigest()


def photograph(notebook, call: str, name: str) -> None:
    """The cell that makes this call, with all that it shows: for a long one the window is made longer."""
    cell = notebook.panel.locator(".jp-CodeCell", has_text=call).last
    cell.scroll_into_view_if_needed()
    longer = max(WINDOW["height"], int(cell.bounding_box()["height"]) + FRAME)
    notebook.page.set_viewport_size({**WINDOW, "height": longer})
    cell.scroll_into_view_if_needed()
    notebook.page.wait_for_timeout(400)
    cell.screenshot(path=FOLDER / f"{name}.png")
    notebook.page.set_viewport_size(WINDOW)


def walk(lab, workspace) -> None:
    """As docs/walkthrough.md tells it."""
    notebook = lab.open("1_connect.ipynb")
    notebook.run_all()
    photograph(notebook, "check_accounts(job", "1-connect")
    notebook = lab.open("2_preview.ipynb")
    notebook.run_all()
    photograph(notebook, "choose_services(job", "2-scope")
    photograph(notebook, 'look(found, "timeline"', "2-on-call")
    notebook = lab.open("3_invite.ipynb")
    notebook.run_all()
    notebook.pick("State", "open")
    notebook.press("Tick all found")
    photograph(notebook, "choose_people(job", "3-people")
    notebook.tick("for the whole class")
    notebook.press(re.compile("^invite, all "))
    notebook.see("Decided: invite")
    answer_all(lab.open("4_conflicts.ipynb"), workspace)
    notebook = lab.open("5_load.ipynb")
    notebook.run_all()
    photograph(notebook, "await load_plan(job", "5-load")
    notebook = lab.open("6_verify.ipynb")
    notebook.run_all()
    notebook.press("Next difference")
    notebook.see("There is no difference in this schedule.")
    photograph(notebook, "browse_parity(verified)", "6-parity")
    photograph(notebook, "tick_handover(job", "6-handover")
    photograph(notebook, "sign_off_teams(job", "6-sign-off")


def answer_all(notebook, workspace) -> None:
    """What changes nobody's paging at once, the rest a class at a time; new ones come up once these are answered."""
    from test_widgets_browser import DECIDED, answer_class, approve

    notebook.run_all()
    questions = notebook.within("answer_conflicts(job")
    questions.press(re.compile("^round robin · "))
    questions.see("The targets of Support take turns")
    photograph(notebook, "answer_conflicts(job", "4-question")
    questions.press(re.compile("^Accept all "))
    questions.see("Accepted: ")
    for about, answer in DECIDED.items():
        answer_class(questions, about, answer)
    questions.see("Every question is answered.")
    notebook.run_all()
    approve(notebook, workspace)
    photograph(notebook, "approve_plan(job", "4-plan")


def photograph_report(context, workspace) -> None:
    page = context.new_page()
    page.goto((workspace.reports / "by-hand" / "stakeholders.html").as_uri())
    page.screenshot(path=FOLDER / "7-report.png")


def main() -> None:
    import lab

    from pdmigrate.workspace.folder import Workspace
    from pdmigrate.workspace.settings import make_workspace

    FOLDER.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        make_workspace(folder / "acme", {"name": "acme"})
        workspace = Workspace(folder / "acme")
        user = {"PDMIGRATE_USER": "carla"}
        with (
            lab.start_lab(workspace.folder, folder / "lab", **user) as url,
            lab.open_browser(viewport=WINDOW) as (context, _),
        ):
            window = lab.Lab(context, url)
            walk(window, workspace)
            photograph_report(context, workspace)
    (FOLDER / "made-from.json").write_text(json.dumps({"sha256": digest_sources()}) + "\n")


if __name__ == "__main__":
    main()
