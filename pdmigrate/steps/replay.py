"""Beside the six steps: every page of the last months, put through what Harness holds now. Writes to neither side."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from pdmigrate.errors import IncompleteFetchError, PdmigrateError, SettingsError, UnexplainedDifferenceError, UsageError
from pdmigrate.mapping.draft import Draft
from pdmigrate.oncall.words import format_local, format_number
from pdmigrate.pagerduty.history import KINDS, Happened, Window, read_happened
from pdmigrate.pagerduty.history_reading import HistoryReader, keep_row
from pdmigrate.pagerduty.window import whole_seconds
from pdmigrate.parity.replay import Replay, Replayed, replay_pages
from pdmigrate.parity.usage import Usage, count_usage
from pdmigrate.steps.draft import draft
from pdmigrate.steps.job import Job, records_step
from pdmigrate.steps.result import Result
from pdmigrate.steps.trend import tells_trend
from pdmigrate.workspace.history import HistoryFolder, Kept, Span, list_windows

DAYS = 90
STATE = "replay"
"""What the last replay found, in numbers, as it stands in the workspace."""
WEEKS_RENDERED = 4
"""PagerDuty renders so many weeks at once; its lists of incidents are read week by week."""


@dataclass(frozen=True, repr=False)
class Replays(Result):
    """What was found. requests: what reading the history took; kept: how many windows were on disk already."""

    step = "replay"
    draft: Draft
    happened: Happened
    replayed: Replayed
    usage: Usage
    requests: int = 0
    kept: int = 0

    @property
    def error(self) -> PdmigrateError | None:
        found = self.replayed.unexplained
        if not found:
            return None
        shown = "; ".join(describe_page(page, self.draft) for page in found[:3])
        more = f"; and {len(found) - 3:,} more" if len(found) > 3 else ""
        words = format_number(len(found), "page would go otherwise", "pages would go otherwise")
        return UnexplainedDifferenceError(f"{words}, and no decision says so: {shown}{more}. See the page replay.")

    def summarise(self) -> dict[str, Any]:
        return {
            "pages": self.replayed.count(),
            "not_comparable": self.replayed.count_reasons(),
            "unexplained": len(self.replayed.unexplained),
            "misread": len(self.replayed.misread),
            "log_entries": self.happened.entries,
            "since": self.happened.since.isoformat(),
            "until": self.happened.until.isoformat(),
            "unread": self.happened.unread,
        }


def describe_page(page: Replay, found: Draft) -> str:
    """An incident in a sentence: its service, when, and where both sides part."""
    service = found.account.services.get(page.service)
    when = format_local(page.incident.created_at, found.home_zone)
    return f"incident {page.incident.number or page.incident.id} of {service.name if service else page.service}, {when}, {page.parting}"


@tells_trend("replay")
@records_step("replay")
def replay(job: Job, days: int = DAYS, titles: bool = True) -> Replays:
    """Read the history of so many days, and put every page through what Harness holds now.

    What was read stays in the workspace's folder `history`, a file a week, and is not read again. titles: those of
    incidents stay in it; without them no words of anybody do.
    """
    if days < 1:
        raise UsageError(f"A replay of {days} days is none: say how many days back, 90 for three months.")
    found = draft(job)
    until = whole_seconds(job.clock())
    happened, requests, kept = read_history(job, until - timedelta(days=days), until, titles)
    played = Replays(found, happened, replay_pages(found, happened), count_usage(found, happened), requests, kept)
    job.workspace.save_state(STATE, played.summarise())
    return played


def read_history(job: Job, since: datetime, until: datetime, titles: bool = True) -> tuple[Happened, int, int]:
    """The history, of what is on disk and of what PagerDuty says of the rest; the requests; how many windows were there.

    Without a source that can be asked it is what is on disk. Raises SettingsError where that is nothing.
    """
    folder = HistoryFolder(job.workspace.folder / "history", job.read_subdomain())
    before = job.source.transport.counts.requests if job.source else 0
    reader = HistoryReader(job.source.transport) if job.source else None
    # all that is kept is looked into before any of it is read anew, or written without titles
    weeks = [(span, folder.find("pages", span)) for span in list_windows(since, until)]
    drawn = [(span, folder.find("rotas", span)) for span in list_windows(since, until, WEEKS_RENDERED)]
    windows, kept = [], 0
    for span, week in weeks:
        window, known = _read_week(folder, reader, span, week, titles)
        windows += [window] if window else []
        kept += known
    shown = [found for span, rotas in drawn if (found := _read_rotas(job, folder, span, rotas))]
    if not windows:
        raise SettingsError(
            "There is no history in the workspace, and the source is a file: replay it once where PagerDuty can be asked."
        )
    requests = job.source.transport.counts.requests - before if job.source else 0
    end = until if job.source else max(window.until for window in windows)
    unread = reader.unread if reader else {}
    for kind in ("incidents", "log_entries"):
        if kind in unread and not any(kind in window.rows for window in windows):
            raise IncompleteFetchError(f"Nothing can be replayed: {unread[kind]}")
    return read_happened(windows, shown, since, end, unread), requests, kept


def _read_week(
    folder: HistoryFolder, reader: HistoryReader | None, span: Span, kept: Kept | None, titles: bool
) -> tuple[Window | None, bool]:
    """One week, kept once it is read; and whether it was there already. None where it is not, and nobody can be asked."""
    rows: dict[str, Any] = kept.rows if kept and (kept.until >= span[1] or reader is None) else {}
    window = Window(*span, rows)
    if kept and kept.titles and not titles:
        rows = {kind: [keep_row(kind, row, titles) for row in some] for kind, some in rows.items()}
        window = Window(*span, rows)
        folder.save("pages", span, rows, titles)
    if reader is None:
        return (Window(span[0], kept.until, rows), True) if kept else (None, False)
    if rows.keys() >= set(KINDS) - reader.unread.keys():
        return window, True
    window = reader.read(window, titles)
    folder.save("pages", span, window.rows, titles)
    return window, False


def _read_rotas(
    job: Job, folder: HistoryFolder, span: Span, kept: Kept | None
) -> tuple[datetime, datetime, dict[str, Any]] | None:
    """PagerDuty's own rendering of some weeks, by schedule id."""
    if kept and (kept.until >= span[1] or job.source is None):
        return kept.since, kept.until, kept.rows
    if job.source is None:
        return None
    rows = job.source.read_renderings(*span, list(job.latest_account().all_schedules))
    rows = {id: keep_rendering(row) for id, row in rows.items()}
    folder.save("rotas", span, rows)
    return *span, rows


def keep_rendering(row: dict[str, Any]) -> dict[str, Any]:
    """Of a rendering only who, from when to when: ids, no names."""
    kept: dict[str, Any] = {}
    for part, edges in (
        ("rendered_schedule_entries", ("start", "end")),
        ("computed_shift_assignments", ("start_time", "end_time")),
    ):
        if isinstance(row.get(part), list):
            kept[part] = [_keep_entry(entry, edges) for entry in row[part] if isinstance(entry, dict)]
    return kept


def _keep_entry(entry: dict[str, Any], edges: tuple[str, str]) -> dict[str, Any]:
    names = ("id", "type", "user_id", "deleted_at")
    people = {
        who: {n: v for n, v in entry[who].items() if n in names}
        for who in ("user", "member")
        if isinstance(entry.get(who), dict)
    }
    return {edge: entry.get(edge) for edge in edges} | people
