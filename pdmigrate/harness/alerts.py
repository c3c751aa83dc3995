"""Reads Harness's alerts and what their timelines say of paging: who was told, by what channel, at which moment.

Both are of the public API of AI SRE, which answers without Harness's envelope. How a timeline words a page nobody outside
Harness has seen: so events are told by what they say, and those that are not known are counted, never left out in silence.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Literal

from pydantic import AliasChoices, BeforeValidator, Field, ValidationError

from pdmigrate.errors import IncompleteFetchError
from pdmigrate.harness.client import MOST_PAGES, PAGE, TRIES_FOR_A_WHOLE_LIST, Harness, reading
from pdmigrate.harness.records import Record
from pdmigrate.wire.addresses import encode_part

MC = "/ir/tp/api/v1/mc"
Row = dict[str, Any]
PagingKind = Literal["page", "level", "told", "failed", "acknowledged", "exhausted"]
"""told: somebody was notified. failed: somebody was to be, and could not. page, level: it went on its way."""
PAGING_KINDS: dict[str, PagingKind] = {
    "PAGE_SENT": "page",
    "ESCALATION_LEVEL_REACHED": "level",
    "NOTIFICATION_SENT": "told",
    "NOTIFICATION_FAILED": "failed",
    "PAGE_ACKNOWLEDGED": "acknowledged",
    "ESCALATION_EXHAUSTED": "exhausted",
}
"""What the embedded Harness calls them; PAGE_SENT alone is documented."""
PAGING = "PAGING"


def _read_time(value: Any) -> Any:
    """Milliseconds since 1970, as the documents show them, or ISO 8601."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=value)
    if isinstance(value, str) and value:
        return datetime.fromisoformat(value)
    return value or None


def _take_id(value: Any) -> Any:
    return value.get("id") if isinstance(value, dict) else value


def _take_person(value: Any) -> Any:
    """A person as a text, or as an object that has one: email first, since people are matched by it."""
    if isinstance(value, dict):
        value = next((value[name] for name in ("email", "name", "displayName", "id") if value.get(name)), "")
    return value.strip().lower() if isinstance(value, str) else value or ""


def _take_text(value: Any) -> Any:
    return value or ""


Moment = Annotated[datetime, BeforeValidator(_read_time)]
Text = Annotated[str, BeforeValidator(_take_text)]
Word = Annotated[str, BeforeValidator(lambda value: str(_take_id(value) or "").lower())]
Somebody = Annotated[str, BeforeValidator(_take_person)]


class Alert(Record):
    """One alert. services: identifiers. key: by which it is one with others, "" where it has none. quiet: it pages nobody."""

    id: str = Field(validation_alias=AliasChoices("prettyId", "id"))
    title: Text = ""
    status: Word = ""
    priority: Word = ""
    services: tuple[str, ...] = Field((), validation_alias="impactedServices")
    key: Text = Field("", validation_alias="deduplicationId")
    quiet: bool = Field(False, validation_alias="quietMode")
    link: Text = Field("", validation_alias="monitoringLink")
    created: Moment = Field(validation_alias=AliasChoices("createdAtTimestamp", "createdAt", "createdTimestamp"))
    acknowledged: Moment | None = Field(
        None, validation_alias=AliasChoices("acknowledgedAtTimestamp", "acknowledgedAt", "acknowledgedTimestamp")
    )
    resolved: Moment | None = Field(
        None, validation_alias=AliasChoices("resolvedAtTimestamp", "resolvedAt", "resolvedTimestamp")
    )


class PagingEvent(Record):
    """One event of a timeline that is about paging. who: an email, "" where the event names nobody."""

    kind: PagingKind
    at: Moment = Field(validation_alias="timestamp")
    who: Somebody = Field("", validation_alias=AliasChoices("recipient", "user", "responder", "who"))
    channel: Word = ""
    level: int | None = None
    message: Text = ""


@dataclass(frozen=True)
class Timeline:
    """What a timeline says of paging, oldest first. other: how many events of every other type it has.

    unread: events of the group PAGING, by type, that nobody here knows or can read. Where there are some, whom the page
    told is not wholly known.
    """

    events: tuple[PagingEvent, ...] = ()
    other: dict[str, int] = field(default_factory=dict)
    unread: dict[str, int] = field(default_factory=dict)

    def of(self, *kinds: PagingKind) -> tuple[PagingEvent, ...]:
        return tuple(event for event in self.events if event.kind in kinds)

    @property
    def told(self) -> tuple[PagingEvent, ...]:
        """Who was notified."""
        return self.of("told")


@dataclass(frozen=True)
class Alerts:
    """Alerts of a time, oldest first, each once. unusable: rows that cannot be read."""

    alerts: tuple[Alert, ...] = ()
    unusable: int = 0

    def __iter__(self) -> Iterator[Alert]:
        return iter(self.alerts)

    def __len__(self) -> int:
        return len(self.alerts)


def list_alerts(harness: Harness, after: datetime, before: datetime) -> Alerts:
    """All alerts of the project created from after until before. Whole, or IncompleteFetchError."""
    asked = {"createdAfter": _write_time(after), "createdBefore": _write_time(before), "sortDirection": "ASC"}
    rows: dict[str, Row] = {}
    promised = 0
    for _ in range(TRIES_FOR_A_WHOLE_LIST):
        rows, promised = _read_pages(harness, asked)
        if len(rows) >= promised:
            break
    else:
        raise IncompleteFetchError(
            f"Harness's list of alerts said {promised} and gave {len(rows)} each of {TRIES_FOR_A_WHOLE_LIST} times: "
            "nothing was taken from it; run again."
        )
    found = [alert for row in rows.values() if (alert := _read_alert(row))]
    kept = sorted((one for one in found if after <= one.created < before), key=lambda one: (one.created, one.id))
    return Alerts(tuple(kept), len(rows) - len(found))


def read_alert(harness: Harness, id: str) -> Alert:
    """One alert as it is now."""
    path = f"{MC}/alerts/{encode_part(id)}"
    answer = harness.transport.send("GET", path, _scope(harness))
    with reading(path):
        return Alert.model_validate(answer)


def read_timeline(harness: Harness, id: str) -> Timeline:
    """What happened to an alert. All groups are read: an event may belong to none, and be about paging."""
    path = f"{MC}/activities/{encode_part(id)}/timeline"
    rows: dict[str, Row] = {}
    asked: Row = {"pageSize": PAGE}
    for _ in range(MOST_PAGES):
        answer = harness.transport.send("GET", path, {**_scope(harness), **asked})
        with reading(path):
            rows.update((str(row.get("eventId") or len(rows)), row) for row in answer["entities"])
            following = answer.get("nextCursor")
        if not following:
            return _sort_events([*rows.values()])
        asked = {"pageSize": PAGE, "cursor": following}
    raise IncompleteFetchError(f"Harness's timeline of {id} does not end after {MOST_PAGES} pages.")


def _scope(harness: Harness) -> dict[str, str]:
    """The alerts' own words for it, all three required."""
    return {"accountId": harness.account, "orgId": harness.org, "projectId": harness.project}


def _write_time(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _read_pages(harness: Harness, asked: Row) -> tuple[dict[str, Row], int]:
    path, rows = f"{MC}/alerts", dict[str, Row]()
    for page in range(MOST_PAGES):
        answer = harness.transport.send("GET", path, {**_scope(harness), **asked, "page": page, "pageSize": PAGE})
        with reading(path):
            content, promised = answer["entities"], int(answer["totalCount"])
            rows.update((str(row.get("prettyId") or row["id"]), row) for row in content)
        harness.transport.progress.count("Harness's alerts", len(rows), promised)
        if not content or len(rows) >= promised:
            return rows, promised
    raise IncompleteFetchError(f"Harness's list of alerts does not end after {MOST_PAGES} pages.")


def _read_alert(row: Row) -> Alert | None:
    try:
        return Alert.model_validate(row)
    except (ValidationError, ValueError):
        return None


def _sort_events(rows: list[Row]) -> Timeline:
    events, other, unread = [], Counter[str](), Counter[str]()
    for row in rows:
        type = str(row.get("eventType") or "no type")
        kind = PAGING_KINDS.get(type)
        if kind is None:
            (unread if row.get("eventGroup") == PAGING else other)[type] += 1
            continue
        try:
            events.append(PagingEvent.model_validate({**row, "kind": kind, **_take_actor(kind, row)}))
        except (ValidationError, ValueError):
            unread[type] += 1
    events.sort(key=lambda event: event.at)
    nameless = sum(event.kind == "told" and not event.who for event in events)
    unread.update({"NOTIFICATION_SENT": nameless} if nameless else {})
    return Timeline(tuple(events), dict(other), dict(unread))


def _take_actor(kind: PagingKind, row: Row) -> Row:
    """Who acknowledges is the event's actor."""
    return {"recipient": row.get("actor")} if kind == "acknowledged" else {}
