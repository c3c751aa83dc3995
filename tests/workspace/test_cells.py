"""One defuser for every CSV: a spreadsheet runs nothing that somebody typed into PagerDuty, and numbers stay numbers."""

import csv
import io
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from source_http import DATA

from pdmigrate import conflicts, decide, finish, load, open_job, preview, verify
from pdmigrate.cli import main
from pdmigrate.handover.sheets import write_csv
from pdmigrate.oncall import rota
from pdmigrate.pages.show import Table
from pdmigrate.steps.rota_files import print_rota
from pdmigrate.workspace.cells import defuse, read_cell, read_people_file, write_rows

SIGNS = "=+-@＝＋－＠﹢﹣﹦﹫"
UNSEEN = (
    "",
    " ",
    "\u00a0",
    "\u200b",
    "\ufeff",
    "\u00ad",
    "\u2066",
    "\u3000",
    "\u3164",
    "\t",
    "\r",
    "\n",
    " \u200b ",
    "\0",
    "\x1b",
    "\ufeff\0\r",
)


@pytest.mark.parametrize("start", [unseen + sign for unseen in UNSEEN for sign in SIGNS])
def test_what_a_spreadsheet_would_run_is_text(start):
    shown = defuse(f"{start}1+1")
    assert read_cell(shown) == f"{start}1+1"
    for part in re.split(r"[;\t\r\n]", shown):  # as one that parts cells there sees it, whatever is quoted
        seen = "".join(sign for sign in part if sign.isprintable() and sign.strip() and sign != "\u3164")
        assert not seen.startswith(tuple(SIGNS))
    assert shown.startswith("'") or "'" in shown.partition("\r")[2]


@pytest.mark.parametrize("sign", [";", "\t", "\r", "\n", "\r\n"])
@pytest.mark.parametrize("blank", ["", " ", "\u200b"])
def test_no_part_of_a_text_is_run_where_it_begins_a_cell_of_its_own(sign, blank):
    text, shown = f"Ann{sign}{blank}=1+1{sign}-2;-", f"Ann{sign}'{blank}=1+1{sign}'-2;'-"
    assert (defuse(text), read_cell(shown)) == (shown, text)
    assert defuse(f"Ann{sign}1=1") == f"Ann{sign}1=1"


@pytest.mark.parametrize(
    "cell", [-5, -1.5, 0, None, "", " ", "Ann", "5", "a-b", "2026-11-25T09:00:00+00:00", "PU1;PU2"]
)
def test_ours_and_what_is_harmless_stays_as_it_is(cell):
    assert defuse(cell) == cell


@pytest.mark.parametrize("cell", ["\tAnn", "\rAnn", "\nAnn"])
def test_what_may_end_a_cell_does_not_begin_one(cell):
    assert defuse(cell) == f"'{cell}"


@given(st.lists(st.lists(st.text(alphabet=st.characters(exclude_categories=["Cs"])), min_size=2, max_size=2)))
def test_every_text_is_read_back_and_no_cell_begins_with_a_sign(rows):
    out = io.StringIO(newline="")
    write_rows(out, rows)
    found = list(csv.reader(io.StringIO(out.getvalue(), newline="")))
    assert found == [[defuse(cell) for cell in row] for row in rows]
    assert not [cell for row in found for cell in row if cell.strip()[:1] in tuple(SIGNS)]


@pytest.mark.parametrize("name", ["+SUM(1+1)*cmd|' /C calc'!A0", "\u200b=1+1", "＋1", "Ann\r=1+1", "Ann;=1+1"])
def test_every_writer_defuses(tmp_path, name):
    """A lone carriage return is quoted: unquoted it begins a row, and the rest is a cell of its own."""
    text = name.replace("=", "'=") if name.startswith("Ann") else f"'{name}"
    printed = io.StringIO(newline="")
    print_rota(printed, rota.make_rota([(0, 60, [name])]), "UTC")
    sheet = write_csv([{"name": name}])
    table = Table((name,), ((name,),)).write_csv(tmp_path / "t.csv").read_bytes().decode("utf-8-sig")
    for written in (printed.getvalue(), sheet, table):
        rows = list(csv.reader(io.StringIO(written, newline="")))
        assert [rows[-1][-1], len(rows)] == [text, 2]
        assert "\r" not in name or f'"{text}"' in written


def test_an_email_that_was_defused_is_read_back(tmp_path):
    path = tmp_path / "people.csv"
    path.write_text("pagerduty_email,harness_email\n'+ann@example.com,'-ann@example.com\n", encoding="utf-8")
    assert read_people_file(path) == {"+ann@example.com": "-ann@example.com"}


@pytest.mark.parametrize("separator", [",", ";", "\t", " , ", "; "])
@pytest.mark.parametrize(
    "heading", [("pagerduty_email", "harness_email"), ("Harness_Email", "note", "PagerDuty_Email")]
)
def test_a_file_of_people_may_come_from_any_spreadsheet(tmp_path, separator, heading):
    path = tmp_path / "people.csv"
    cells = {
        "pagerduty_email": "ann@example.com",
        "harness_email": "ann@corp.example",
        "note": "a, b" if "," not in separator else "ab",
    }
    rows = [heading, [cells[name.lower()] for name in heading]]
    path.write_text("\ufeff" + "\r\n".join(separator.join(row) for row in rows), encoding="utf-8")
    assert read_people_file(path) == {"ann@example.com": "ann@corp.example"}


def test_a_name_from_the_field_that_begins_with_plus(tmp_path):
    """tests/data/cases/csv-plus: through all steps, in every CSV of the run."""
    case = DATA / "cases" / "csv-plus" / "account"
    folder = tmp_path / "plus"
    assert main(["init", str(folder), "--source", "snapshot", "--snapshot", str(case)]) == 0
    with open_job(folder) as job:
        decide(job, "user_not_found", "all", "invite", by="ann")
        for step in (preview, conflicts, lambda job: load(job, "all"), verify):
            finish(job, step(job))
        written = {path.name: path.read_bytes().decode("utf-8-sig") for path in job.folder.rglob("*.csv")}
    rows = {name: list(csv.reader(io.StringIO(text, newline=""))) for name, text in written.items()}
    cells = [cell for found in rows.values() for row in found for cell in row]
    assert "handover.csv" in rows
    assert any(cell.startswith("'+SUM") for cell in cells)
    assert not [cell for cell in cells if cell.strip()[:1] in tuple(SIGNS)]
