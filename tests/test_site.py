"""`make docs`: built whole and strictly, with a page for everything that is asked, and searched from file:// without a network."""

import sys
from pathlib import Path

import pytest
from lab import open_browser

import pdmigrate
from conftest import skip
from pdmigrate.plan.answers import CLASSES
from pdmigrate.plan.explained import QUESTIONS
from pdmigrate.plan.guards import GUARD_NAMES

sys.path.insert(0, str(Path(__file__).parent.parent / "docs"))
pytestmark = [
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),  # myst-parser's, about what Sphinx 11 will drop
    pytest.mark.filterwarnings("ignore::PendingDeprecationWarning"),
]


@pytest.fixture(scope="module")
def maker():
    """docs/make_site.py."""
    try:
        import make_site
    except ModuleNotFoundError:
        return skip("sphinx is not installed (the extra `test` has it)")
    return make_site


@pytest.fixture(scope="module")
def site(maker, tmp_path_factory):
    """The folder of the built site."""
    folder = tmp_path_factory.mktemp("site") / "site"
    assert maker.make_site(folder) == 0, "what is wrong stands on stderr"
    return folder


def test_everything_that_is_asked_has_a_page(site):
    assert {path.stem for path in (site / "questions").glob("*.html")} == CLASSES.keys()
    assert {path.stem for path in (site / "guards").glob("*.html")} == set(GUARD_NAMES)


def test_every_public_name_is_told_of(site):
    text = (site / "api.html").read_text(encoding="utf-8")
    assert not [name for name in pdmigrate.__all__ if f'id="{name}"' not in text]


def test_a_link_that_leads_nowhere_stops_the_build(maker, tmp_path, capfd):
    (tmp_path / "index.md").write_text("# One\n\n[two](two.md)\n")
    assert maker.build_strictly(tmp_path, tmp_path / "out") == 1
    assert "two.md" in capfd.readouterr().err


def test_a_question_is_found_without_a_network(site):
    with open_browser(offline=True) as (context, seen):
        page = context.new_page()
        page.goto((site / "index.html").as_uri())
        page.get_by_role("textbox", name="Search").fill("user_not_found")
        page.keyboard.press("Enter")
        page.get_by_role("link", name=QUESTIONS["user_not_found"].title).first.click()
        page.get_by_role("heading", name="The options, and what each does to paging").wait_for()
        assert page.url.partition("?")[0].endswith("questions/user_not_found.html")
    assert [url for url in seen["requests"] if not url.startswith("file:")] == []
    assert seen["errors"] == seen["console"] == []
