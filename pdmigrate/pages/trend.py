"""The page of the trend: what each run of verify and replay found, day by day, so that a team sees readiness grow or fall."""

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from urllib.parse import quote

from pdmigrate.oncall.words import format_local, format_number
from pdmigrate.pages.curve import Curve, Mark, draw_curves
from pdmigrate.pages.show import Columns, Figure, Link, Page, Section, Tag, make_table
from pdmigrate.pages.words import format_time, warn_if
from pdmigrate.steps.trend import DAY, WEEK, Row, Trend
from pdmigrate.workspace.trend import Measured, Measurer

SHOWN = 91
"""Days that are drawn; the tables have all."""
OTHER_SCOPE, UNDONE = "other services in scope than before", "a load was undone"
OTHER_WINDOW = "other services in scope, or another number of days, than before"
NOT_COUNTED = "not counted"
NOTHING_YET = "No run of verify has come to its end yet: there is nothing to show."


@dataclass(frozen=True)
class Line:
    """A row of a table: a run with the one before it that counts, or a gap."""

    row: Row | None = None
    before: Measured | None = None
    gap: tuple[date, date] | None = None

    @property
    def measured(self) -> Measured | None:
        return self.row.measured if self.row else None


@dataclass(frozen=True)
class Shown:
    """The trend as of a moment, on a page in a folder. workspace: whose runs are linked."""

    trend: Trend
    now: datetime
    workspace: Path
    folder: Path

    @property
    def today(self) -> date:
        return self.trend.day_of(self.now)


def make_page(shown: Shown) -> Page:
    trend, verified = shown.trend, shown.trend.list_measured("verify")
    last = verified[-1] if verified else None
    failed = [row for row in trend.rows if row.measured and not row.measured.figures]
    gaps = sum((last - first).days + 1 for first, last in trend.list_gaps("verify", shown.now))
    doubted = [row for row in trend.rows if row.doubt]
    figures = (
        Figure(
            "Services that page the same people", _share(last) if last else "not known yet", "plain" if last else "warn"
        ),
        Figure("Runs of verify that count", f"{len(verified):,}"),
        Figure("Runs that failed", f"{len(failed):,}", warn_if(failed)),
        Figure("Days without a run of verify", f"{gaps:,}", warn_if(gaps)),
        *([Figure("Rows that are not counted", f"{len(doubted):,}", "bad", "#not-counted")] if doubted else []),
    )
    lead = trend.unread or NOTHING_YET
    if last:
        lead = (
            describe_growth(trend, last)
            or f"{_share(last)} services page the same people; no run of an earlier day is there to compare with."
        )
    facts = (
        ("As of", format_time(shown.now)),
        ("Days are told in", trend.zone),
        ("Kept in", "the journal, a row a run of verify or replay"),
    )
    return Page("trend", "Trend", lead, figures=figures, sections=tuple(list_sections(shown)), facts=facts)


def _share(one: Measured) -> str:
    return f"{one.count('services', 'same'):,} of {one.count_all('services'):,}"


def describe_growth(trend: Trend, last: Measured) -> str:
    """Whether readiness grows, in a sentence; "" where there is nothing to compare with. last: it need not be in the journal yet."""
    if trend.unread:
        return f"Whether readiness grows is not known: {trend.unread}"
    today = trend.day_of(last.moment)
    before = trend.find_before("verify", today)
    numbers = [one.count("services", "same") if one else None for one in (before, last)]
    if before is None or None in numbers:
        return ""
    same, now = (number or 0 for number in numbers)
    whole, whole_now = before.count_all("services") or 0, last.count_all("services") or 0
    when = _tell_ago((today - trend.day_of(before.moment)).days)
    told = f"{same:,} of {format_number(whole, 'service')} paged the same people {when}, {now:,}"
    if before.scope != last.scope:
        return f"{told} of {whole_now:,} do now; other services are in scope, so the two are not to be compared."
    grows = "readiness grows" if now > same else "readiness has fallen" if now < same else "nothing has moved"
    return f"{told} now: {grows}."


def _tell_ago(days: int) -> str:
    return {1: "a day ago", WEEK: "a week ago"}.get(days, f"{days:,} days ago")


def list_sections(shown: Shown) -> Iterator[Section]:
    """The curves, from two days on; then each night, then what is not counted."""
    if len(shown.trend.by_day("verify")) > 1:
        yield Section("Services", TEXT, drawing=_draw(shown, "verify", "How services page", SERVICES, 150))
        left = (_draw(shown, "verify", line[0], (line,), 60) for line in LEFT_TO_DO)
        yield Section("Left to do", drawing="".join(left))
    if len(shown.trend.by_day("replay")) > 1:
        drawn = (_draw(shown, "replay", title, lines, 110) for title, lines in REPLAYS.items())
        yield Section("Replay of what happened", drawing="".join(drawn))
    yield section_verified(shown)
    if shown.trend.list_rows("replay"):
        yield section_replayed(shown)
    if any(row.doubt for row in shown.trend.rows):
        yield section_doubted(shown)


TEXT = (
    "A dot is the last run of a day that came to its end; dots of two days that follow each other are joined. A day without a run is a "
    "gap, and nothing is put in its place. Counts, not shares: where other services come into scope, shares would lie."
)
SERVICES = (
    ("in scope", "soft", "services", ""),
    ("page the same people", "main", "services", "same"),
    ("page otherwise", "warn", "services", "otherwise"),
    ("page nobody in Harness", "bad", "services", "nobody"),
    ("page nobody on either side", "soft", "services", "silent"),
    ("not compared", "good", "services", "unverified"),
)
LEFT_TO_DO = (
    ("People who cannot be reached", "bad", "people", "unreachable"),
    ("Open questions", "warn", "questions", "open"),
    ("Steps to do by hand", "main", "by_hand", "left"),
    ("Schedules that differ", "bad", "schedules", "differ"),
    ("Policies that differ", "bad", "policies", "differ"),
)
REPLAYS = {
    "Pages of the last months": (
        ("the same people at the same minute", "main", "pages", "same"),
        ("not comparable", "soft", "pages", "not_comparable"),
        ("nobody, then and now", "good", "pages", "silent"),
    ),
    "Pages that would go otherwise": (
        ("otherwise", "warn", "pages", "otherwise"),
        ("of these without a decision", "bad", "unexplained", "pages"),
    ),
}
"""Name, tone, and what is counted; "" for all grades together."""


def _draw(shown: Shown, step: Measurer, title: str, lines: Iterable[tuple[str, str, str, str]], height: int) -> str:
    by_day = shown.trend.by_day(step)
    if not by_day:
        return ""
    last = max(max(by_day), shown.today if shown.today in by_day else shown.today - DAY)
    first = max(min(by_day), last - (SHOWN - 1) * DAY)
    days = [first + timedelta(days=n) for n in range((last - first).days + 1)]
    curves = [
        Curve(name, tone, tuple(_count(by_day.get(day), kind, grade) for day in days))
        for name, tone, kind, grade in lines
    ]
    shown_curves = [one for n, one in enumerate(curves) if n < 2 or any(one.values)]
    failed = [day for day, row in by_day.items() if not row.counts]
    return draw_curves(title, first, shown_curves, failed, _list_marks(shown.trend, step), shown.trend.zone, height)


def _count(row: Row | None, kind: str, grade: str) -> int | None:
    if row is None or row.measured is None or not row.counts:
        return None
    return row.measured.count(kind, grade) if grade else row.measured.count_all(kind)


def _list_marks(trend: Trend, step: Measurer) -> list[Mark]:
    """Where the runs before and after are not of the same services, or something was taken back in between."""
    counted = trend.list_measured(step)
    marks = []
    for before, one in pairwise(counted):
        day = trend.day_of(one.moment)
        if _basis(one) != _basis(before):
            marks.append(Mark(day, OTHER_SCOPE if step == "verify" else OTHER_WINDOW))
        if any(words.startswith("undo") for words in trend.list_runs(before.moment, one.moment)):
            marks.append(Mark(day, UNDONE, bad=True))
    return list(dict.fromkeys(marks))


def _basis(one: Measured) -> tuple[str, int | None]:
    return one.scope, one.count("window", "days")


def section_verified(shown: Shown) -> Section:
    """Every run of verify, the newest first, and the gaps between."""
    columns: Columns[Line] = {
        **_begin(shown),
        "Same": lambda line: _cell(line, "services", "same"),
        "Otherwise": lambda line: _cell(line, "services", "otherwise"),
        "Nobody in Harness": lambda line: _cell(line, "services", "nobody"),
        "Nobody on either side": lambda line: _cell(line, "services", "silent"),
        "Not compared": lambda line: _cell(line, "services", "unverified"),
        "Services in scope": _tell_scope,
        "Schedules": lambda line: _tell_grades(line, "schedules"),
        "Policies": lambda line: _tell_grades(line, "policies"),
        "Cannot be reached": lambda line: _cell(line, "people", "unreachable"),
        "Open questions": lambda line: _cell(line, "questions", "open"),
        "By hand, left": lambda line: _cell(line, "by_hand", "left"),
        **_end(shown),
    }
    table = make_table(_list_lines(shown, "verify"), columns, "Verify was never run.")
    return Section("Each run of verify", "The first columns count services.", table, open_up_to=40)


def section_replayed(shown: Shown) -> Section:
    """Every run of replay."""
    columns: Columns[Line] = {
        **_begin(shown),
        "The same people": lambda line: _cell(line, "pages", "same"),
        "Otherwise": lambda line: _cell(line, "pages", "otherwise"),
        "Of these without a decision": lambda line: _cell(line, "unexplained", "pages"),
        "Nobody, then and now": lambda line: _cell(line, "pages", "silent"),
        "Not comparable": lambda line: _cell(line, "pages", "not_comparable"),
        "Not understood": lambda line: _cell(line, "misread", "pages"),
        "Days back": lambda line: _cell(line, "window", "days"),
        **_end(shown),
    }
    table = make_table(_list_lines(shown, "replay"), columns, "Nothing was replayed.")
    return Section("Each run of replay", "The first columns count pages.", table, open_up_to=40)


def section_doubted(shown: Shown) -> Section:
    """The rows that are on no curve, and why."""
    rows = [row for row in shown.trend.rows if row.doubt]
    columns: Columns[Row] = {
        "Row of the journal": lambda row: row.number,
        "Says it is of": lambda row: row.measured.at[:16].replace("T", " ") if row.measured else "not known",
        "Run": lambda row: row.measured.run if row.measured else "not known",
        "Why": lambda row: row.doubt,
    }
    text = "They are damaged, were changed by something else than pdmigrate, or are of a time that cannot be. They stand in no curve."
    return Section("Not counted", text, make_table(rows, columns), anchor="not-counted")


def _begin(shown: Shown) -> Columns[Line]:
    return {
        f"Night ({shown.trend.zone})": lambda line: _tell_night(shown, line),
        "Run": _tell_state,
    }


def _end(shown: Shown) -> Columns[Line]:
    return {
        "Since the one before": lambda line: _tell_between(shown.trend, line),
        "Plan": lambda line: line.measured.plan[:12] if line.measured else "",
        "Snapshot": lambda line: line.measured.snapshot[:12] if line.measured else "",
        "What went wrong": lambda line: line.row.doubt or line.measured.error if line.row and line.measured else "",
        "Its page": lambda line: _link(shown, line),
    }


def _list_lines(shown: Shown, step: Measurer) -> list[Line]:
    """The runs in the order in which they were written, each gap after the last run of the day before it; the latest first."""
    trend, lines, before = shown.trend, [], None
    gaps = {first - DAY: (first, last) for first, last in trend.list_gaps(step, shown.now)}
    there = [(row, row.measured) for row in trend.list_rows(step) if row.measured]
    ends = {trend.day_of(measured.moment): row.number for row, measured in there if not row.doubt}
    for row, measured in there:
        lines.append(Line(row, before))
        before = measured if row.counts else before
        day = trend.day_of(measured.moment)
        if day in gaps and ends.get(day) == row.number:
            lines.append(Line(gap=gaps[day]))
    return lines[::-1]


def _tell_night(shown: Shown, line: Line) -> str:
    if line.gap:
        first, last = line.gap
        return f"{first}" if first == last else f"{first} to {last}"
    zone = shown.trend.zone
    return format_local(line.measured.moment, zone).removesuffix(f" ({zone})") if line.measured else ""


def _tell_state(line: Line) -> Tag:
    if line.gap:
        return Tag(f"no run for {format_number((line.gap[1] - line.gap[0]).days + 1, 'day')}", "warn")
    if line.row and line.row.doubt:
        return Tag(NOT_COUNTED, "bad")
    if line.row is None or line.measured is None or not line.row.counts:
        return Tag("failed", "bad")
    return Tag("differences without a decision", "bad") if line.measured.exit_code else Tag("done", "good")


def _cell(line: Line, kind: str, grade: str) -> int | None:
    return line.measured.count(kind, grade) if line.measured else None


def _tell_scope(line: Line) -> str | Tag:
    one, before = line.measured, line.before
    if one is None or (whole := one.count_all("services")) is None:
        return ""
    if before is None or before.scope == one.scope:
        return f"{whole:,}"
    return Tag(f"{whole:,}, before {before.count_all('services') or 0:,}: other services", "warn")


def _tell_grades(line: Line, kind: str) -> list[str]:
    names = {"agree": "agree", "differ": "differ", "unverified": "not compared"}
    return [f"{number:,} {name}" for grade, name in names.items() if (number := _cell(line, kind, grade))]


def _tell_between(trend: Trend, line: Line) -> str:
    if line.measured is None or line.before is None:
        return ""
    return ", ".join(trend.list_runs(line.before.moment, line.measured.moment))


def _link(shown: Shown, line: Line) -> Link | str:
    if line.row is None or not line.row.page:
        return ""
    place = os.path.relpath(shown.workspace / line.row.page, shown.folder).replace(os.sep, "/")
    return Link(Path(line.row.page).parent.name, quote(place))
