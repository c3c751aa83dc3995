"""The pages in a real Chromium, offline and under their own policy: deaf to the outside, whole without scripts, accessible."""

import importlib.resources
import shutil

import pytest
from lab import open_context, start_browser

from conftest import skip
from pdmigrate import finish, history, open_job, undo
from pdmigrate.pages.report import write_page
from pdmigrate.pages.show import Figure, Page, Section, make_table
from pdmigrate.runs.publish import mask_page

HOSTILE = "<img src=x onerror=alert(1)>\"'&<script>alert(2)</script>"
SERIOUS = ("serious", "critical")
PHONE, DESK = {"width": 390, "height": 844}, {"width": 1280, "height": 720}


@pytest.fixture(scope="module")
def browser():
    """One for all tests; each has a context of its own in it."""
    with start_browser() as browser:
        yield browser


@pytest.fixture(scope="module")
def pages(migrated, tmp_path_factory):
    """The pages of the embedded migration, of every kind, and one of a hostile company with ten thousand rows."""
    from make_example import MORNING

    workspace = shutil.copytree(migrated, tmp_path_factory.mktemp("pages") / "acme")
    with open_job(workspace, clock=lambda: MORNING) as job:
        finish(job, history(job))
        finish(job, undo(job))
    folder = workspace / "reports" / "by-hand"
    columns = {"Name": lambda n: f"{HOSTILE} {n}", "Mail": lambda n: f"p{n}@example.com"}
    section = Section(HOSTILE, HOSTILE, make_table(range(10_000), columns))
    write_page(
        Page("hostile", HOSTILE, HOSTILE, "failed", (Figure(HOSTILE, HOSTILE),), (section,), error=HOSTILE), folder
    )
    return [*sorted(folder.glob("*.html")), folder / "handover" / "checklist.html"]


def read_axe():
    """axe-core as the test package carries it; it is not part of this project."""
    try:
        return (importlib.resources.files("axe_playwright_python") / "axe.min.js").read_text(encoding="utf-8")
    except ModuleNotFoundError:
        return skip("axe-playwright-python is not installed (the extra `test` has it)")


def test_pages_ask_for_nothing_complain_of_nothing_and_are_no_wider_than_a_phone(browser, pages):
    with open_context(browser, offline=True) as (context, seen):
        page = context.new_page()
        for path in pages:
            for window in (PHONE, DESK):
                page.set_viewport_size(window)
                if window == PHONE:
                    page.goto(path.as_uri())
                assert page.evaluate("document.documentElement.scrollWidth") <= window["width"], path.name
    assert [url for url in seen["requests"] if not url.startswith("file:")] == []
    assert len(seen["requests"]) == len(pages)
    assert seen["console"] == []
    assert seen["errors"] == []


def test_the_filter_finds_one_of_ten_thousand(browser, pages):
    with open_context(browser, offline=True) as (context, _):
        page = context.new_page()
        page.goto(next(path for path in pages if path.stem == "hostile").as_uri())
        page.get_by_role("searchbox").fill("p9999@")
        page.get_by_text("1 found").wait_for()
        assert page.locator("tbody tr:visible").count() == 1


def test_every_row_is_there_without_scripts(browser, pages):
    counts = {}
    with open_context(browser, offline=True, java_script_enabled=False) as (context, _):
        page = context.new_page()
        for path in pages:
            page.goto(path.as_uri())
            counts[path.stem] = page.locator("tbody tr").count()
            assert counts[path.stem] == path.read_text(encoding="utf-8").count('scope="row"'), path.name
            assert page.locator("tr[hidden]").count() == 0, path.name
            assert path.stem != "hostile" or page.locator("tbody tr").last.is_visible()
    assert counts["hostile"] == 10_000


def test_a_timeline_zooms_without_scripts(browser, pages):
    """A radio button makes room: the days grow, the page does not, and a bar too short for a name over a month gets it."""
    widths, named = [], []
    with open_context(browser, offline=True, java_script_enabled=False) as (context, _):
        page = context.new_page()
        page.goto(next(path for path in pages if path.stem == "preview").as_uri())
        drawing = page.locator(".timeline").first
        for zoom in ("Month", "Week", "Day"):
            drawing.locator(f"label[for$={zoom.lower()}]").click()
            widths.append(drawing.locator(".tl-body").bounding_box()["width"])
            named.append(drawing.locator(".tl-bar text:visible", has_text="Arjun Nair").count())
    assert widths[0] < widths[1] < widths[2]
    assert named[0] == 0 < named[1]


def test_hostile_names_stay_text(browser, pages):
    with open_context(browser, offline=True) as (context, seen):
        page = context.new_page()
        page.on("dialog", lambda dialog: seen["errors"].append(dialog.message))
        page.goto(next(path for path in pages if path.stem == "hostile").as_uri())
        assert page.locator("img").count() == 0
        assert page.locator("script").count() == 1
        assert seen["errors"] == []


CHECKED = {
    "light": (
        *("index", "preview", "invite", "conflicts", "load", "verify", "stakeholders", "team-PTEAM03"),
        *("history", "undo", "checklist", "replay", "trend"),
    ),
    "dark": ("index", "stakeholders", "team-PTEAM03", "trend"),
}
"""Connect has nothing that these have not, and all teams' pages are made alike."""


@pytest.mark.parametrize("scheme", CHECKED)
def test_an_accessibility_checker_finds_nothing_serious(browser, pages, scheme):
    axe, found = read_axe(), []
    with open_context(browser, offline=True, color_scheme=scheme, bypass_csp=True) as (context, _):
        page = context.new_page()
        for path in (path for path in pages if path.stem in CHECKED[scheme]):
            page.goto(path.as_uri())
            page.evaluate(axe)
            results = page.evaluate("axe.run({resultTypes: ['violations']})")
            found += [
                (path.name, v["id"], v["nodes"][0]["html"]) for v in results["violations"] if v["impact"] in SERIOUS
            ]
    assert found == []


def test_a_masked_page_still_passes_its_own_policy(browser, pages, tmp_path):
    for path in (path for path in pages if path.stem != "hostile"):
        (tmp_path / path.name).write_text(mask_page(path.read_text(encoding="utf-8")), encoding="utf-8")
    with open_context(browser, offline=True) as (context, seen):
        page = context.new_page()
        for path in sorted(tmp_path.glob("*.html")):
            page.goto(path.as_uri())
            assert "@acme.example" not in page.content().replace("…@acme.example", "")
    assert seen["console"] == []
