"""How long the people and the conflict widgets take to open with 10,000 rows in JupyterLab, and what they send.

Seconds from the start of the cell to the first row on the screen, from a key in the search to the narrowed list, and bytes
received over the kernel's socket.
"""

import json
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

ROWS = 10_000
SETUP = f"""
from types import SimpleNamespace
from pdmigrate import open_job
from pdmigrate.workspace.decisions import Conflict, Option
from pdmigrate.steps.invite import Matched, People
from pdmigrate.notebook import answer_conflicts, choose_people
job = open_job()
options = (Option(name="leave_out", effect="not moved"),)
def ask(n):
    about = ("user_not_found", "phone_country", "service_urgency")[n % 3]
    return Conflict(about=about, kind="users", id=f"P{{n:05}}", name=f"Person {{n}}", question=f"Who is {{n}}?",
                    meaning="nobody is paged", options=options, recommended="leave_out")
questions = {{c.key: c for c in map(ask, range({ROWS}))}}
draft = SimpleNamespace(open=questions, answered={{}})
matched = tuple(Matched(f"P{{n:05}}", f"Person {{n}}", f"p{{n}}@example.com", "", "undecided", "person", 3, None, 0, None) for n in range({ROWS}))
"""
OPENERS = {
    "people": "choose_people(job, People(matched, draft))",
    "conflicts": "answer_conflicts(job, SimpleNamespace(draft=draft))",
}


def write_notebook(folder: Path) -> None:
    cells = [SETUP, *OPENERS.values()]
    made = [
        {"cell_type": "code", "id": f"c{n}", "metadata": {}, "execution_count": None, "outputs": [], "source": text}
        for n, text in enumerate(cells)
    ]
    kernel = {"kernelspec": {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"}}
    notebook = {"cells": made, "metadata": kernel, "nbformat": 4, "nbformat_minor": 5}
    (folder / "fluidity.ipynb").write_text(json.dumps(notebook))


def measure(page, place: int) -> tuple[float, int, float, int]:
    """(seconds to open, bytes to open, seconds to search, bytes to search) of the widget in one cell."""
    cell, received = page.locator(".jp-CodeCell").nth(place), page.received
    before, started = sum(received), time.monotonic()
    cell.locator(".jp-InputArea-editor").click()
    page.keyboard.press("Shift+Enter")
    cell.get_by_text("rows 1 to 12 of 10,000").wait_for()
    opened, sent = time.monotonic() - started, sum(received) - before
    before, started = sum(received), time.monotonic()
    cell.get_by_label("Search").fill("9999")
    cell.get_by_text("rows 1 to 1 of 1").wait_for()
    return opened, sent, time.monotonic() - started, sum(received) - before


def main() -> None:
    import lab

    from pdmigrate.workspace.settings import make_workspace

    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        make_workspace(folder / "acme", {"name": "acme"})
        with lab.start_lab(folder / "acme", folder / "lab") as url, lab.open_browser() as (context, _):
            write_notebook(folder / "acme" / "notebooks")
            window = lab.Lab(context, url)
            window.page.received = []
            window.page.on(
                "websocket", lambda socket: socket.on("framereceived", lambda f: window.page.received.append(len(f)))
            )
            window.open("fluidity.ipynb")
            page = window.page
            page.locator(".jp-CodeCell").first.locator(".jp-InputArea-editor").click()
            page.keyboard.press("Shift+Enter")
            page.get_by_text("[1]:").wait_for()
            for place, widget in enumerate(OPENERS, 1):
                opened, sent, searched, more = measure(page, place)
                print(f"{widget}: {ROWS:,} rows: opened in {opened:.2f} s with {sent / 1000:.0f} kB", end="; ")
                print(f"searched in {searched:.2f} s with {more / 1000:.1f} kB")


if __name__ == "__main__":
    main()
