"""What happened in PagerDuty: incidents, their log, who was notified; read with GET in windows, each whole or not at all.

Of an answer only that stays which tells who was paged when: no address, no note, no detail of an alert.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cached_property
from typing import Annotated, Any

from pydantic import AliasChoices, BeforeValidator, Field, ValidationError

from pdmigrate.errors import AnswerError, TooLongError
from pdmigrate.oncall import rota
from pdmigrate.pagerduty import rota_v3
from pdmigrate.pagerduty.evidence import Rendering
from pdmigrate.pagerduty.lists import ListCall, ListReader, Row
from pdmigrate.pagerduty.needs import explain_refusal
from pdmigrate.pagerduty.records import Moment, Record, Type
from pdmigrate.pagerduty.rota import read_entries
from pdmigrate.pagerduty.window import FetchWindow
from pdmigrate.wire.transport import Transport

KINDS = ("incidents", "log_entries", "notifications")
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


def keep_row(kind: str, row: Row, titles: bool = True) -> Row:
    """What may stay of a row. titles: those of incidents too; they are words of whoever monitors."""
    kept = {name: row[name] for name in PLAIN[kind].split() if name in row and (titles or name != "title")}
    kept |= {name: _keep_link(row[name]) for name in NAMED[kind].split() if isinstance(row.get(name), dict)}
    if isinstance(row.get("assignees"), list):
        kept["assignees"] = [_keep_link(one) for one in row["assignees"] if isinstance(one, dict)]
    return kept


def _keep_link(row: Row) -> Row:
    return {name: row[name] for name in ("id", "type") if name in row}


# --- the reading ---


@dataclass
class Window:
    """What happened from since until until, raw: rows by kind. A kind that is not there was not read."""

    since: datetime
    until: datetime
    rows: dict[str, list[Row]] = field(default_factory=dict)


class HistoryReader:
    """Reads windows of history. unread: by kind PagerDuty's words, and what a key needs; it is not asked for again."""

    def __init__(self, transport: Transport):
        self._lists = ListReader(transport)
        self.unread: dict[str, str] = {}

    def read(self, window: Window, titles: bool = True) -> Window:
        """The window with the kinds that it lacks and that may be read."""
        span = FetchWindow(window.since, window.until)
        rows = dict(window.rows)
        for kind in KINDS:
            if kind in rows or kind in self.unread:
                continue
            try:
                rows[kind] = [
                    keep_row(kind, row, titles) for row in self._read_some(kind, span) if isinstance(row, dict)
                ]
            except AnswerError as error:
                if error.status not in (402, 403, 404):
                    raise
                self.unread[kind] = explain_refusal(str(error), kind, error.status)
        return Window(window.since, window.until, rows)

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


# --- the records ---


def _take_id(value: Any) -> Any:
    return value.get("id") if isinstance(value, dict) else value


def _take_type(value: Any) -> Any:
    return value.get("type") if isinstance(value, dict) else value


Id = Annotated[str, BeforeValidator(_take_id)]
"""Of an object that is named: a hundred thousand entries need no more of it."""
KindOf = Annotated[Type, BeforeValidator(_take_type)]


class Incident(Record):
    """urgency: as it is now, which is not what it was where the log has a change of it."""

    id: str
    number: int = Field(0, validation_alias=AliasChoices("incident_number", "number"))
    title: str = ""
    created_at: Moment
    urgency: str = "high"
    service: Id
    escalation_policy: Id = ""


class LogEntry(Record):
    """One thing that happened to an incident. agent: `user`, `service`, or whatever did it."""

    id: str
    type: str
    created_at: Moment
    incident: Id
    agent: KindOf = ""
    assignees: tuple[Id, ...] = ()
    user: Id = ""

    @property
    def by_hand(self) -> bool:
        """Whether a person did it."""
        return self.agent == "user"


class Notification(Record):
    """Somebody was told: by phone, sms, email or push. PagerDuty does not say about which incident."""

    id: str
    type: str
    started_at: Moment
    user: Id


@dataclass(frozen=True, repr=False)
class Happened:
    """The history of an account from `since` until `until`.

    log: the entries of each incident in order. rotas: PagerDuty's own rendering of those days, by schedule id, in user
    ids. unread: why a kind was not read. unusable: rows that cannot be read, by kind.
    """

    since: datetime
    until: datetime
    incidents: tuple[Incident, ...] = ()
    log: dict[str, tuple[LogEntry, ...]] = field(default_factory=dict)
    notifications: tuple[Notification, ...] = ()
    rotas: dict[str, rota.Rota] = field(default_factory=dict)
    unread: dict[str, str] = field(default_factory=dict)
    unusable: dict[str, int] = field(default_factory=dict)

    def __repr__(self) -> str:
        return f"<{len(self.incidents)} incidents, {self.since:%Y-%m-%d} to {self.until:%Y-%m-%d}>"

    @cached_property
    def entries(self) -> int:
        """How many log entries there are."""
        return sum(map(len, self.log.values()))


RECORDS: dict[str, type[Record]] = {"incidents": Incident, "log_entries": LogEntry, "notifications": Notification}


def read_happened(
    windows: Iterable[Window],
    shown: Iterable[tuple[datetime, datetime, dict[str, Any]]],
    since: datetime,
    until: datetime,
    unread: dict[str, str],
) -> Happened:
    """The records of what lies between since and until, each once. shown: renderings by schedule id, with their span."""
    found: dict[str, dict[str, Any]] = {kind: {} for kind in KINDS}
    unusable = dict.fromkeys(KINDS, 0)
    for window in windows:
        for kind, rows in window.rows.items():
            for row in rows:
                try:
                    record = RECORDS[kind].model_validate(row)
                except ValidationError:
                    unusable[kind] += 1
                    continue
                found[kind][row["id"]] = record
    log: dict[str, list[LogEntry]] = {}
    for entry in found["log_entries"].values():
        log.setdefault(entry.incident, []).append(entry)
    incidents = [one for one in found["incidents"].values() if since <= one.created_at < until]
    told = [one for one in found["notifications"].values() if since <= one.started_at < until]
    return Happened(
        since,
        until,
        tuple(sorted(incidents, key=lambda one: (one.created_at, one.id))),
        {id: tuple(sorted(some, key=lambda one: one.created_at)) for id, some in log.items()},
        tuple(told),
        _read_rotas(shown),
        unread,
        {kind: number for kind, number in unusable.items() if number},
    )


def _read_rotas(shown: Iterable[tuple[datetime, datetime, dict[str, Any]]]) -> dict[str, rota.Rota]:
    """What cannot be read was not shown."""
    parts: dict[str, list[rota.Rota]] = {}
    for since, until, rows in shown:
        for id, row in rows.items():
            try:
                rendering = Rendering.model_validate({**row, "since": since, "until": until})
            except ValidationError:
                continue
            assigned = rendering.computed_shift_assignments
            drawn = (
                rota_v3.read_assignments(assigned) if assigned else read_entries(rendering.rendered_schedule_entries)
            )
            parts.setdefault(id, []).append(drawn.clip(rota.to_instant(since), rota.to_instant(until)))
    return {id: rota.join(drawn) for id, drawn in parts.items()}
