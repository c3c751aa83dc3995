"""The page of the trend: gaps stay gaps, failures are said, scopes are told apart, and what was faked stands on no curve."""

import re
import sqlite3
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from pdmigrate.cli.status import describe_status
from pdmigrate.pages.trend import Shown, describe_growth, make_page
from pdmigrate.plan.actions import make_plan
from pdmigrate.runs.finish import write_trend
from pdmigrate.steps.job import read_clock
from pdmigrate.steps.trend import read_trend
from pdmigrate.workspace.folder import Workspace, write_json
from pdmigrate.workspace.journal import Journal
from pdmigrate.workspace.settings import make_workspace, read_settings
from pdmigrate.workspace.trend import Measured, pack

NOW = datetime(2026, 11, 30, 3, 0, tzinfo=UTC)


class Nights:
    """A workspace whose journal is filled night by night."""

    now = NOW

    def __init__(self, folder):
        make_workspace(folder, {"name": "acme"})
        self.place = Workspace(folder)
        self.journal = Journal(self.place.journal_file, "acme")

    def add(self, ago, same=None, whole=25, scope="a", hours=0, step="verify", **more):
        at = self.now - timedelta(days=ago, hours=hours)
        figures = {} if same is None else {"services": {"same": same, "nobody": whole - same}}
        row = Measured(
            step, at.isoformat(), "acme", f"reports/{at:%Y%m%dT%H}", scope=scope, zone="Europe/Berlin", figures=figures
        )
        self.journal.measure(replace(row, **more))
        return row

    def read(self, now=NOW):
        return read_trend(self.place, read_settings(self.place.settings_file), now, "acme")

    def page(self, now=NOW):
        return make_page(Shown(self.read(now), now, self.place.folder, self.place.by_hand))

    def table(self, title, now=NOW):
        [found] = [section.table for section in self.page(now).sections if section.title == title]
        return [dict(zip(found.columns, map(tell, row), strict=True)) for row in found.rows]

    def growth(self):
        last = self.read().list_measured("verify")[-1]
        return describe_growth(self.read(), last)


def tell(cell):
    return getattr(cell, "text", cell)


@pytest.fixture
def nights(tmp_path):
    made = Nights(tmp_path / "acme")
    yield made
    made.journal.close()


def count_lines(drawing):
    return drawing.count("<circle"), len(re.findall(r"<line[^>]* stroke-width=\"2\"", drawing))


def test_a_night_without_a_run_is_a_gap_and_no_line_crosses_it(nights):
    """Five nights, of which the third is missing: four dots, and lines between those that follow each other."""
    for ago in (4, 3, 1, 0):
        nights.add(ago, 14)
    services = next(section for section in nights.page().sections if section.title == "Services").drawing
    dots, lines = count_lines(services)
    curves = 3  # in scope, the same, nobody in Harness; with one of each in the legend
    assert (dots, lines) == (curves * (4 + 1), curves * (2 + 1))
    assert "2026-11-28: no run" in services
    rows = nights.table("Each run of verify")
    assert [row["Run"] for row in rows] == ["done", "done", "no run for 1 day", "done", "done"]
    assert rows[2]["Night (Europe/Berlin)"] == "2026-11-28"
    assert {figure.label: figure.value for figure in nights.page().figures}["Days without a run of verify"] == "1"


def test_today_is_no_gap_before_its_run_and_what_is_missing_since_is(nights):
    nights.add(3, 14)
    assert [row["Run"] for row in nights.table("Each run of verify")] == ["no run for 2 days", "done"]
    nights.add(0, None, exit_code=6, error="PagerDuty does not answer")
    rows = nights.table("Each run of verify")
    assert [row["Run"] for row in rows] == ["failed", "no run for 2 days", "done"]
    assert rows[0]["What went wrong"] == "PagerDuty does not answer"
    assert rows[0]["Same"] is None, "not counted is not none"


def test_a_run_that_failed_is_marked_and_stands_for_no_number(nights):
    nights.add(2, 14)
    nights.add(1, None, exit_code=6, error="no answer")
    nights.add(0, 15)
    services = next(section for section in nights.page().sections if section.title == "Services").drawing
    assert "2026-11-29: the run failed" in services
    assert count_lines(services) == (3 * (2 + 1), 3 * (0 + 1)), "nothing is joined over it"
    assert nights.growth() == "14 of 25 services paged the same people 2 days ago, 15 now: readiness grows."


def test_of_two_runs_on_a_day_the_later_counts_unless_it_failed(nights):
    nights.add(1, 3)
    nights.add(0, 14, hours=2)
    nights.add(0, 20, hours=1)
    nights.add(0, None, exit_code=1, error="bug")
    [yesterday, today] = nights.read().by_day("verify").values()
    assert (yesterday.measured.count("services", "same"), today.measured.count("services", "same")) == (3, 20)
    assert [row["Run"] for row in nights.table("Each run of verify")] == ["failed", "done", "done", "done"]


@pytest.mark.parametrize(
    "then, now, said",
    [
        ({"same": 14}, {"same": 23}, "14 of 25 services paged the same people a week ago, 23 now: readiness grows."),
        ({"same": 23}, {"same": 14}, "23 of 25 services paged the same people a week ago, 14 now: readiness has fallen."),
        ({"same": 9}, {"same": 9}, "9 of 25 services paged the same people a week ago, 9 now: nothing has moved."),
        (
            {"same": 14},
            {"same": 23, "whole": 31, "scope": "b"},
            "14 of 25 services paged the same people a week ago, 23 of 31 do now; other services are in scope, so the two are not to be compared.",
        ),
        (
            {"same": 14},
            {"same": 23, "scope": "as many, but others"},
            "14 of 25 services paged the same people a week ago, 23 of 25 do now; other services are in scope, so the two are not to be compared.",
        ),
    ],
)  # fmt: skip
def test_whether_readiness_grows_is_said_against_a_week_ago(nights, then, now, said):
    nights.add(9, 1)
    nights.add(7, **then)
    nights.add(1, 2)
    nights.add(0, **now)
    assert nights.growth() == said
    assert nights.page().lead == said


def test_on_the_first_day_nothing_is_said_to_grow(nights):
    nights.add(0, 3, hours=2)
    nights.add(0, 14)
    assert nights.growth() == ""
    assert "no run of an earlier day" in nights.page().lead


def test_a_change_of_scope_and_an_undo_are_marked_and_stand_in_the_table(nights):
    nights.add(3, 14)
    load = nights.journal.start_load(make_plan("a", "b", []), NOW - timedelta(days=2, hours=1))
    nights.add(2, 20)
    nights.journal.start_undo(load, NOW - timedelta(days=1, hours=1))
    nights.add(1, 5)
    nights.add(0, 5, whole=31, scope="b")
    rows = nights.table("Each run of verify")
    assert [row["Since the one before"] for row in rows] == ["", "undo of run 1", "load 1", ""]
    assert rows[0]["Services in scope"] == "31, before 25: other services"
    assert rows[1]["Services in scope"] == "25"
    services = next(section for section in nights.page().sections if section.title == "Services").drawing
    assert "a load was undone" in services
    assert "other services in scope than before" in services


# --- what must not be believed ---


def test_a_clock_set_back_or_ahead_is_named_and_is_on_no_curve(nights):
    nights.add(7, 14)
    nights.add(-30, 25)  # a month ahead
    nights.add(1, 20)
    nights.add(20, 25)  # set back
    nights.add(0, 21)
    assert [row.doubt for row in nights.read().rows if row.doubt] == [
        "its time has not come yet: a clock was ahead",
        "it was written after a row of a later time: a clock was set back",
    ]
    assert nights.growth() == "14 of 25 services paged the same people a week ago, 21 now: readiness grows."
    services = next(section for section in nights.page().sections if section.title == "Services").drawing
    assert count_lines(services)[0] == 3 * (3 + 1)
    assert [row["Run"] for row in nights.table("Each run of verify")].count("not counted") == 2


def test_clocks_of_two_machines_may_be_some_minutes_apart(nights):
    nights.add(0, 14)
    nights.add(0, 14, hours=0.2)
    assert not [row.doubt for row in nights.read().rows if row.doubt]


def test_a_faked_row_is_named_and_is_on_no_curve(nights):
    nights.add(8, 14)
    nights.add(1, 15)
    with closing(sqlite3.connect(nights.place.journal_file)) as base:
        base.execute("update trend set measured = replace(measured, '\"same\":15', '\"same\":25') where id = 2")
        base.commit()
    nights.add(0, 16)
    assert nights.growth() == "14 of 25 services paged the same people 8 days ago, 16 now: readiness grows."
    [doubted] = nights.table("Not counted")
    assert (doubted["Row of the journal"], doubted["Why"]) == (2, "it is not what was written")
    assert {figure.label: figure.value for figure in nights.page().figures}["Rows that are not counted"] == "1"


def leave_results(nights, row, figures):
    folder = nights.place.folder / row.run
    write_json(folder / "results" / "verify.json", {"step": "verify", "at": row.at, "measured": figures})
    (folder / "verify.html").write_text("<p>the page</p>")


def test_a_row_with_a_right_checksum_is_held_against_its_runs_own_results(nights):
    """Whoever can make the checksum must change the run's sealed results as well, which `evidence` names."""
    honest, faked = nights.add(1, 14), nights.add(0, 15)
    leave_results(nights, honest, honest.figures)
    leave_results(nights, faked, faked.figures)
    better = replace(faked, figures={"services": {"same": 25, "nobody": 0}})
    with closing(sqlite3.connect(nights.place.journal_file)) as base:
        base.execute("update trend set measured = :measured, checksum = :checksum where id = 2", pack(better))
        base.commit()
    rows = nights.read().rows
    assert [row.doubt for row in rows] == ["", f"the results in {faked.run} say otherwise"]
    assert nights.page().lead.startswith("14 of 25 services page the same people")
    assert nights.table("Each run of verify")[0]["Run"] == "not counted"


def test_a_night_links_its_page_as_long_as_that_is_there_and_is_its_own(nights):
    gone, again, there = nights.add(2, 14), nights.add(1, 14, run="reports/by-hand"), nights.add(0, 14)
    leave_results(nights, there, there.figures)
    leave_results(nights, replace(again, run="reports/by-hand", at=NOW.isoformat()), again.figures)  # run again since
    rows = nights.table("Each run of verify")
    assert [row["Its page"] for row in rows] == [there.run.removeprefix("reports/"), "", ""]
    written = write_trend(nights.place, read_settings(nights.place.settings_file), nights.place.by_hand, NOW, "acme")
    [href] = re.findall(r'href="([^"]*verify\.html)"', written.read_text())
    assert (written.parent / href).resolve() == nights.place.folder / there.run / "verify.html"
    assert not (nights.place.folder / gone.run).exists()


def test_a_trend_that_cannot_be_read_is_said_and_stops_nothing(nights):
    nights.add(1, 14)
    with closing(sqlite3.connect(nights.place.journal_file)) as base:
        base.execute("alter table trend rename column checksum to x")
        base.commit()
    assert "The journal is damaged" in nights.page().lead
    last = Measured("verify", NOW.isoformat(), figures={"services": {"same": 1}})
    assert describe_growth(nights.read(), last).startswith(
        "Whether readiness grows is not known: The journal is damaged"
    )


def test_the_status_says_whether_readiness_grows_and_what_does_not_count(nights):
    nights.now = read_clock()
    nights.place.save_state("snapshot", {"file": "a.json.gz", "digest": "d", "subdomain": "acme"})
    assert "\ntrend: " not in describe_status(nights.place)
    for ago in (8, 1):
        nights.add(ago, 20 - ago)
    said = "12 of 25 services paged the same people a week ago, 19 now: readiness grows."
    assert f"trend: {said}\n" in describe_status(nights.place)
    nights.add(0, None, exit_code=6, error="PagerDuty does not answer.")
    nights.add(30, 25)
    said += " The latest run of verify failed: PagerDuty does not answer. 1 row is not counted: see trend.html."
    assert f"trend: {said}\n" in describe_status(nights.place)


def test_a_workspace_without_a_journal_has_a_page_that_says_so(tmp_path):
    make_workspace(tmp_path / "acme", {"name": "acme"})
    place = Workspace(tmp_path / "acme")
    page = write_trend(place, read_settings(place.settings_file), place.by_hand, NOW)
    assert "No run of verify has come to its end yet" in page.read_text()
    assert not place.journal_file.exists()


def test_the_table_for_a_spreadsheet_has_every_night(nights):
    for ago in range(120, -1, -1):
        nights.add(ago, 14)
    page = write_trend(nights.place, read_settings(nights.place.settings_file), nights.place.by_hand, NOW, "acme")
    [table] = page.parent.glob("tables/trend-*verify.csv")
    assert len(table.read_text().splitlines()) == 122
    assert page.read_text().count("<circle") == (3 * (91 + 1)), "the drawing has the last three months"
    assert nights.read().zone == "Europe/Berlin"
