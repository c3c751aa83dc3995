"""Reads what happened in PagerDuty: with GET, in windows, each whole or not at all.

Of an answer only that stays which tells who was paged when: no address, no note, no detail of an alert.
"""

from datetime import timedelta

from pdmigrate.errors import AnswerError, TooLongError
from pdmigrate.pagerduty.history import KINDS, Row, Window
from pdmigrate.pagerduty.lists import ListCall, ListReader
from pdmigrate.pagerduty.needs import explain_refusal
from pdmigrate.pagerduty.window import FetchWindow
from pdmigrate.wire.transport import Transport

SHORTEST = timedelta(minutes=2)
"""No shorter window is cut in two, however much happened in it."""

# --- what is kept of a row, in PagerDuty's own form ---

PLAIN = {
    "incidents": "id incident_number title created_at urgency",
    "log_entries": "id type created_at",
    "notifications": "id type started_at",
}
NAMED = {
    "incidents": "service escalation_policy",
    "log_entries": "incident agent user",
    "notifications": "user",
}
"""Objects of which the id and the type are kept."""
KEY = "incident_key"
"""Of an incident, for a night that is compared with Harness's alerts; it never stays on disk."""


def keep_row(kind: str, row: Row, titles: bool = True, keys: bool = False) -> Row:
    """What may stay of a row. titles, keys: those of incidents too; they are words of whoever monitors."""
    names = PLAIN[kind].split() + [KEY] * (keys and kind == "incidents")
    kept = {name: row[name] for name in names if name in row and (titles or name != "title")}
    kept |= {name: _keep_link(row[name]) for name in NAMED[kind].split() if isinstance(row.get(name), dict)}
    if isinstance(row.get("assignees"), list):
        kept["assignees"] = [_keep_link(one) for one in row["assignees"] if isinstance(one, dict)]
    return kept


def _keep_link(row: Row) -> Row:
    return {name: row[name] for name in ("id", "type") if name in row}


# --- the reading ---


class HistoryReader:
    """Reads windows of history. unread: by kind PagerDuty's words, and what a key needs; it is not asked for again."""

    def __init__(self, transport: Transport):
        self._lists = ListReader(transport)
        self.unread: dict[str, str] = {}

    def read(self, window: Window, titles: bool = True, keys: bool = False) -> Window:
        """The window with the kinds that it lacks and that may be read."""
        span = FetchWindow(window.since, window.until)
        rows = dict(window.rows)
        for kind in KINDS:
            if kind in rows or kind in self.unread:
                continue
            try:
                rows[kind] = [
                    keep_row(kind, row, titles, keys) for row in self._read_some(kind, span) if isinstance(row, dict)
                ]
            except AnswerError as error:
                if error.status not in (402, 403, 404):
                    raise
                self.unread[kind] = explain_refusal(str(error), kind, error.status)
        return Window(window.since, window.until, rows)

    def read_log(self, incident: str) -> list[Row]:
        """The log of one incident, where that of all cannot be had at once."""
        rows = self._lists.read(ListCall("log_entries", f"/incidents/{incident}/log_entries", {"time_zone": "UTC"}))
        return [keep_row("log_entries", row) for row in rows if isinstance(row, dict)]

    def _read_some(self, kind: str, span: FetchWindow) -> list[Row]:
        """A list of more than PagerDuty shows at once is read in halves; a row at the seam comes once."""
        try:
            params = {"time_zone": "UTC", **span.params}
            return self._lists.read(ListCall(kind, f"/{kind}", params))
        except TooLongError:
            if span.length < SHORTEST:
                raise
        middle = span.since + timedelta(seconds=span.length.total_seconds() // 2)
        halves = (FetchWindow(span.since, middle), FetchWindow(middle, span.until))
        found = {row["id"]: row for half in halves for row in self._read_some(kind, half)}
        return list(found.values())
