"""The trend: what each run of verify and replay found, day by day, from the journal. A day without a run is a gap, and stays one."""

import functools
import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any, Concatenate, ParamSpec, TypeVar
from zoneinfo import ZoneInfo

from pdmigrate.errors import PdmigrateError
from pdmigrate.mapping.draft import Draft
from pdmigrate.plan.actions import plan_from_json
from pdmigrate.steps.job import Job, find_journal
from pdmigrate.wire.json_text import OF_FILE, read_json
from pdmigrate.workspace.folder import Workspace
from pdmigrate.workspace.journal import Run
from pdmigrate.workspace.settings import Settings
from pdmigrate.workspace.states import read_within
from pdmigrate.workspace.trend import Measured, Measurer, digest_names

log = logging.getLogger("pdmigrate")
P = ParamSpec("P")
R = TypeVar("R")
SLACK = timedelta(hours=1)
"""By so much the clocks of two machines may be apart."""
DAY = timedelta(days=1)
WEEK = 7


@dataclass(frozen=True)
class Row:
    """One run. measured: None where the row is damaged. doubt: why it is not counted. page: of the run, where it is still there."""

    number: int
    measured: Measured | None
    doubt: str = ""
    page: str = ""

    @property
    def counts(self) -> bool:
        return self.measured is not None and not self.doubt and bool(self.measured.figures)


@dataclass(frozen=True)
class Trend:
    """rows: in the order in which they were written. runs: loads and undos. unread: why there are none, where that is so."""

    rows: tuple[Row, ...] = ()
    runs: tuple[Run, ...] = ()
    unread: str = ""

    @property
    def zone(self) -> str:
        """In which days are told: that of the account, as the latest run says."""
        return next((row.measured.zone for row in reversed(self.rows) if row.measured and row.counts), "UTC")

    def list_measured(self, step: Measurer) -> list[Measured]:
        """The runs that count."""
        return [row.measured for row in self.rows if row.measured and row.counts and row.measured.step == step]

    def list_rows(self, step: Measurer) -> list[Row]:
        """All that can be read, the failed ones too, in the order in which they were written."""
        return [row for row in self.rows if row.measured and row.measured.step == step]

    def day_of(self, moment: datetime) -> date:
        return moment.astimezone(ZoneInfo(self.zone)).date()

    def by_day(self, step: Measurer) -> dict[date, Row]:
        """The run that stands for each day: the last that counts, else the last that failed."""
        found: dict[date, Row] = {}
        for row in self.list_rows(step):
            if row.measured and not row.doubt:
                day = self.day_of(row.measured.moment)
                if row.counts or day not in found or not found[day].counts:
                    found[day] = row
        return dict(sorted(found.items()))

    def list_gaps(self, step: Measurer, now: datetime) -> list[tuple[date, date]]:
        """The days without a run, first and last of each gap. Today is none yet: its run may come."""
        days = list(self.by_day(step))
        ends = [*days, max(self.day_of(now), days[-1] + DAY)] if days else []
        return [(before + DAY, after - DAY) for before, after in pairwise(ends) if after - before > DAY]

    def find_before(self, step: Measurer, today: date) -> Measured | None:
        """What to compare today with: the latest that is a week old, else the oldest of an earlier day."""
        earlier = [row.measured for day, row in self.by_day(step).items() if row.counts and day < today]
        old = [one for one in earlier if one and (today - self.day_of(one.moment)).days >= WEEK]
        return (old[-1:] or earlier[:1] or [None])[0]

    def list_runs(self, after: datetime, until: datetime) -> list[str]:
        """What was loaded and taken back between two runs."""
        moments = [(datetime.fromisoformat(run.started), run) for run in self.runs]
        return [
            f"undo of run {run.undoes}" if run.undoes else f"load {run.number}"
            for at, run in moments
            if after < at <= until
        ]


def digest_scope(found: Draft) -> str:
    """Another one where other services are in scope, were they as many."""
    return digest_names(set(found.reasons["services"]))


def read_trend(workspace: Workspace, settings: Settings, now: datetime, source: str = "") -> Trend:
    """What the journal has, each row held against its run's own results where those are still there. Writes nothing.

    source: the PagerDuty account; without it that of the latest snapshot.
    """
    try:
        journal = find_journal(workspace, settings, source or _find(workspace, "snapshot").get("subdomain", ""))
        if journal is None:
            return Trend()
        with journal.opened():
            rows, runs = journal.measured(), tuple(journal.runs())
    except PdmigrateError as error:
        return Trend(unread=str(error))
    judged = [
        Row(number, None, row) if isinstance(row, str) else _hold_against_run(Row(number, row), row, workspace)
        for number, row in rows
    ]
    return Trend(tuple(_judge_clocks(judged, now)), runs)


def _hold_against_run(row: Row, measured: Measured, workspace: Workspace) -> Row:
    """Its page, where the run's results are those of this row; a doubt where they say something else."""
    folder = workspace.folder / measured.run
    try:
        said = read_json(read_within(folder / "results" / f"{measured.step}.json", OF_FILE.size))
    except (OSError, ValueError):
        said = None
    if not measured.run or not isinstance(said, dict) or said.get("at") != measured.at:
        return row
    if said.get("measured", {}) != measured.figures:
        return replace(row, doubt=f"the results in {measured.run} say otherwise")
    page = folder / f"{measured.step}.html"
    return replace(row, page=f"{measured.run}/{page.name}") if measured.figures and page.is_file() else row


def _judge_clocks(rows: list[Row], now: datetime) -> Iterator[Row]:
    latest = None
    for row in rows:
        if row.measured is None or row.doubt:
            yield row
        elif row.measured.moment > now + SLACK:
            yield replace(row, doubt="its time has not come yet: a clock was ahead")
        elif latest and row.measured.moment < latest - SLACK:
            yield replace(row, doubt="it was written after a row of a later time: a clock was set back")
        else:
            latest = max(latest or row.measured.moment, row.measured.moment)
            yield row


def keep_measured(workspace: Workspace, settings: Settings, measured: Measured) -> None:
    """Write a row. Where that fails what was found is told all the same, and that the trend does not know of it.

    Where nothing was ever planned there is no journal, and none is made for a run that failed.
    """
    try:
        journal = find_journal(workspace, settings, measured.source)
        if journal:
            with journal.opened():
                journal.measure(measured)
    except PdmigrateError as error:
        log.warning("The trend does not know of this run of %s: %s", measured.step, error)


def describe_run(workspace: Workspace, folder: Path, step: Measurer, at: datetime) -> Measured:
    """What a row says of any run, whether it came to its end or not. folder: the run's."""
    plan, snapshot = (_find(workspace, name) for name in ("plan", "snapshot"))
    run = folder.relative_to(workspace.folder).as_posix() if folder.is_relative_to(workspace.folder) else ""
    digests = {"plan": plan_from_json(plan).digest if plan else "", "snapshot": snapshot.get("digest", "")}
    return Measured(step, at.isoformat(), snapshot.get("subdomain", ""), run, **digests)


def _find(workspace: Workspace, name: str) -> dict[str, Any]:
    """A state; of one that is damaged nothing, since the step itself says so."""
    try:
        found: dict[str, Any] = workspace.find_state(name) or {}
    except PdmigrateError:
        return {}
    return found


def tells_trend(step: Measurer) -> Callable[[Callable[Concatenate[Job, P], R]], Callable[Concatenate[Job, P], R]]:
    """A step that fails leaves a row, too: its night is no gap."""

    def wrap(run: Callable[Concatenate[Job, P], R]) -> Callable[Concatenate[Job, P], R]:
        @functools.wraps(run)
        def told(job: Job, /, *args: P.args, **kwargs: P.kwargs) -> R:
            try:
                return run(job, *args, **kwargs)
            except Exception as error:
                code, words = 1, type(error).__name__
                if isinstance(error, PdmigrateError):
                    code, words = error.exit_code, str(error)
                row = describe_run(job.workspace, job.folder, step, job.clock())
                keep_measured(job.workspace, job.settings, replace(row, exit_code=code, error=words))
                raise

        return told

    return wrap
