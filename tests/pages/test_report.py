"""Pages that open from a mail: whole, closed to the outside, and deaf to what names try to do."""

import base64
import csv
import hashlib
import re
import shutil
from dataclasses import replace
from datetime import UTC, datetime
from html.parser import HTMLParser
from operator import itemgetter

import pandas as pd
import pytest

from pdmigrate.pages.markup import mask_text
from pdmigrate.pages.report import write_index, write_page
from pdmigrate.pages.show import Figure, Link, Page, Section, Table, Tag, cell_text, make_table, show
from pdmigrate.pages.timeline import Bar, Lane, draw_timeline
from pdmigrate.runs.publish import mask_file

HOSTILE = "<img src=x onerror=alert(1)>\"'&\u202e🚨</script></style>"
START, END = datetime(2026, 10, 1, tzinfo=UTC), datetime(2026, 10, 8, tzinfo=UTC)
CHROMIUM = shutil.which("chromium")


class Reader(HTMLParser):
    """What a browser would find: tags with their attributes, and the words between."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.words = [], []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data):
        self.words.append(data)

    def count(self, tag):
        return sum(name == tag for name, _ in self.tags)


def read(path):
    return Reader(path.read_text(encoding="utf-8"))


def sample(word="Ana", rows=3, **more):
    drawing = draw_timeline([Lane(word, (Bar(START, END, word),))], START, END, "UTC", word)
    cells = tuple((word, n, Tag(word, "good"), Link(word, "https://example.com/x"), [word, word]) for n in range(rows))
    table = Table((word, "n", "tag", "link", "list"), cells, note=word)
    sections = (Section(word, f"{word}\n\n- {word}", table, drawing), Section(word, table=table, level=3, open_up_to=0))
    return Page("sample", word, word, "done", (Figure(word, word, "bad"),), sections, ((word, word),), **more)


@pytest.fixture(params=["page", "index"])
def written(request, tmp_path):
    """The sample with hostile words in every place, as a page and as an index."""
    page = sample(HOSTILE, error=HOSTILE)
    if request.param == "page":
        return write_page(page, tmp_path, [("sample.html", HOSTILE), ("b.html", "B")])
    return write_index(tmp_path, HOSTILE, HOSTILE, [page], page.facts, HOSTILE, page.sections)


def test_names_of_strangers_stay_text_in_every_place(written):
    found = read(written)
    assert found.count("img") == 0
    assert found.count("script") == found.count("style") == 1
    assert not [name for _, attrs in found.tags for name in attrs if name.startswith("on") or name == "style"]
    assert "".join(found.words).count("<img src=x onerror=alert(1)>") > 15


def test_nothing_comes_from_outside(written):
    for tag, attrs in read(written).tags:
        outside = [name for name, value in attrs.items() if re.search(r"https?:|//", value or "")]
        assert not outside or (tag, outside) == ("a", ["href"])
    assert not re.search(r"url\((?!#)|@import", written.read_text(encoding="utf-8"))


def test_the_policy_allows_exactly_what_is_there(written):
    text = written.read_text(encoding="utf-8")
    policy = next(attrs["content"] for tag, attrs in read(written).tags if "http-equiv" in attrs)
    assert policy.startswith("default-src 'none'; ")
    for kind in ("style", "script"):
        inside = re.search(rf"<{kind}>(.*?)</{kind}>", text, re.S)[1]
        digest = base64.b64encode(hashlib.sha256(inside.encode()).digest()).decode()
        assert f"{kind}-src 'sha256-{digest}'" in policy
    assert "unsafe" not in policy


def test_every_row_is_there_with_headers_and_a_caption(tmp_path):
    found = read(write_page(sample(rows=250), tmp_path))
    assert found.count("tr") == 2 * 251
    assert [attrs.get("scope") for tag, attrs in found.tags if tag == "th"].count("row") == 500
    assert found.count("caption") == found.count("table") == 2
    assert [attrs["lang"] for tag, attrs in found.tags if tag == "html"] == ["en"]


def test_anchors_are_unique_and_the_own_page_is_marked(tmp_path):
    found = read(write_page(sample(), tmp_path, [("sample.html", "Sample"), ("b.html", "B")]))
    ids = [attrs["id"] for _, attrs in found.tags if "id" in attrs]
    assert len(ids) == len(set(ids))
    assert [attrs["href"] for _, attrs in found.tags if attrs.get("aria-current")] == ["sample.html"]


def test_empty_places_say_so(tmp_path):
    page = Page("bare", "Bare", "", "done", sections=(Section("None", table=make_table([], {"A": str}, "No one.")),))
    words = "".join(read(write_page(page, tmp_path)).words)
    assert "No one." in words
    assert "No step was run." in "".join(read(write_index(tmp_path, "T", "", [])).words)


def test_the_index_leads_to_each_page_that_was_made(tmp_path):
    pages = [sample(), replace(sample(), name="later", status="not run")]
    found = read(write_index(tmp_path, "T", "L", pages))
    hrefs = [attrs["href"] for tag, attrs in found.tags if tag == "a"]
    assert hrefs == ["#main", "sample.html"]


def test_a_name_that_leaves_the_folder_is_refused(tmp_path):
    with pytest.raises(ValueError, match="name a page"):
        write_page(Page("../x", "T", "", "done"), tmp_path)


def test_same_input_same_bytes(tmp_path):
    first, second = (write_page(sample(HOSTILE), tmp_path / name).read_bytes() for name in "ab")
    assert first == second


def test_links_lead_to_pages_and_the_web_only():
    cells = [Link("a", url) for url in ("javascript:alert(1)", "data:text/html,x", "/etc/passwd", "//evil.example/x")]
    assert "<a " not in Table(("x",), tuple((cell,) for cell in cells)).html()
    assert Table(("x",), ((Link("a", "load.html"),),)).html().count('href="load.html"') == 1


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t=", "\r=", " =", "＝"])
def test_a_spreadsheet_runs_nothing(tmp_path, start):
    path = Table(("=head", "n"), ((f"{start}1+1", -5),)).write_csv(tmp_path / "t.csv")
    with path.open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.reader(file))
    shown = start.replace("=", "'=") if start[0] in "\t\r" else start  # what is behind a break is looked at as well
    assert rows == [["'=head", "n"], [f"'{shown}1+1", "-5"]]


def test_csv_files_lie_beside_the_page_and_keep_names_and_numbers(tmp_path):
    text = write_page(sample("Zoë 李", rows=2), tmp_path).read_text(encoding="utf-8")
    files = sorted((tmp_path / "tables").iterdir())
    assert len(files) == 2
    assert all(f"tables/{file.name}" in text for file in files)
    frame = pd.read_csv(files[0], dtype=str, keep_default_na=False)
    assert frame.iloc[1].tolist() == ["Zoë 李", "1", "Zoë 李", "Zoë 李", "Zoë 李, Zoë 李"]
    assert files[0].read_bytes().startswith(b"\xef\xbb\xbf")


@pytest.mark.parametrize(
    "text,masked",
    [
        ("ask ana.brown@example.com.", "ask a…@example.com."),
        ("o'brien@example.com", "o…@example.com"),
        ("+44 20 7946 0060", "+44 ••• 60"),
        ("+442079460060, +1 (555) 010-1234", "+44 ••• 60, +1 ••• 34"),
        ("020 7946 0060", "••• 60"),
        ("call 2079460060", "call ••• 60"),
        ("2026-11-02 09:00 +01:00", "2026-11-02 09:00 +01:00"),
        ("2026-11-02T09:00:00+00:00", "2026-11-02T09:00:00+00:00"),
        ("08-16 17-20, every 86400 s", "08-16 17-20, every 86400 s"),
        ("sha256:9f2c5a1e77b04dc1", "sha256:9f2c5a1e77b04dc1"),
        ("PD4F2K1, 1200 rows", "PD4F2K1, 1200 rows"),
    ],
)
def test_masking_hides_who_and_keeps_when(text, masked):
    assert mask_text(text) == masked


def test_masking_reaches_every_place(tmp_path):
    page = sample("ana.brown@example.com +442079460060", error="ana.brown@example.com +442079460060")
    page = replace(page, sections=tuple(replace(section, title="People") for section in page.sections))
    write_page(page, tmp_path, [("a.html", "ana.brown@example.com")])
    write_index(tmp_path, page.title, page.lead, [page], page.facts, page.error, page.sections)
    texts = [mask_file(path, path.read_text(encoding="utf-8")) for path in tmp_path.rglob("*.*")]
    assert len(texts) == 6
    assert not [text for text in texts if "ana.brown" in text or "7946" in text]
    assert all("a…@example.com" in text for text in texts)


def test_a_table_from_mappings_for_page_notebook_and_pandas():
    rows = [{"b": 1}, {"b": 2, "c": True}]
    table = make_table(rows, {name: lambda row, name=name: row.get(name) for name in "bac"})
    assert table.columns == ("b", "a", "c")
    assert table.frame().to_numpy().tolist() == [[1, "", ""], [2, "", "yes"]]
    assert make_table([{"a": 1, "b": 2}], {"Bee": itemgetter("b")}).rows == ((2,),)


def test_what_is_missing_in_a_data_frame_is_an_empty_cell():
    frame = pd.DataFrame({"at": [pd.NaT, pd.Timestamp("2026-11-02 09:00")], "x": [None, 1.5], "n": [pd.NA, 2]})
    (table,) = show(frame).parts
    assert [[cell_text(cell) for cell in row] for row in table.rows] == [["", "", ""], ["2026-11-02 09:00", "1.5", "2"]]


def test_a_notebook_shows_the_look_of_the_page_and_text_where_there_is_no_browser():
    page = sample(HOSTILE)
    shown = show(page.sections[0], page.sections[0].table, page.sections[0].drawing, pd.DataFrame({"x": [HOSTILE]}))
    found = Reader(shown._repr_html_())
    assert found.count("table") == 3
    assert [attrs.get("role") for tag, attrs in found.tags if tag == "svg"].count("img") == 2
    assert found.count("img") == 0
    assert "<img" in repr(shown)


@pytest.mark.skipif(not CHROMIUM, reason="there is no Chromium here")
def test_in_a_browser_nothing_is_fetched_nothing_complains_and_the_filter_finds(tmp_path):
    sync_api = pytest.importorskip("playwright.sync_api", reason="there is no Playwright here")
    rows, columns = range(300), {"name": lambda n: f"Person {n}", "team": lambda n: HOSTILE}
    page = Page(
        "wide",
        HOSTILE,
        HOSTILE,
        "done",
        sections=(Section("People", table=make_table(rows, columns)), *sample().sections),
    )
    address = write_page(page, tmp_path).as_uri()
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        tab, heard, asked = browser.new_page(viewport={"width": 390, "height": 800}), [], []
        tab.on("console", lambda message: heard.append(message.text))
        tab.on("pageerror", lambda error: heard.append(str(error)))
        tab.on("request", lambda request: asked.append(request.url))
        tab.goto(address)
        tab.get_by_label("Filter: People").fill("person 29")
        tab.get_by_text("13 found").wait_for()
        assert tab.locator("tbody tr:visible").count() == 13 + 3
        assert tab.evaluate("document.documentElement.scrollWidth <= innerWidth")
        assert heard == []
        assert [url for url in asked if not url.startswith("data:")] == [address]
        browser.close()


def test_a_page_that_was_mailed_alone_says_where_its_links_lead(written):
    """Whoever has only this file is told its name, and what lies beside it."""
    words = " ".join(" ".join(read(written).words).split())
    assert "If this page was sent to you alone" in words
    assert f"({written.name} is its name there): ask the sender for the folder." in words
