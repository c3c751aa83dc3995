"""Harness's alerts and what their timelines say of paging, as records.

How a timeline words a page nobody outside Harness has seen: so events are told by what they say, and those that are not
known are counted, never left out in silence.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Literal

from pydantic import AliasChoices, BeforeValidator, Field, ValidationError

from pdmigrate.harness.records import Record

PagingKind = Literal["page", "level", "told", "failed", "acknowledged", "exhausted"]
"""told: somebody was notified. failed: somebody was to be, and could not. page, level: it went on its way."""
PAGING_KINDS: dict[str, PagingKind] = {
    "PAGE_SENT": "page",
    "ESCALATION_LEVEL_REACHED": "level",
    "NOTIFICATION_SENT": "told",
    "NOTIFICATION_CONFIRMED": "told",
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


def sort_events(rows: Iterable[dict[str, Any]]) -> Timeline:
    """The events of a timeline, as they came."""
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


def _take_actor(kind: PagingKind, row: dict[str, Any]) -> dict[str, Any]:
    """Who acknowledges is the event's actor."""
    return {"recipient": row.get("actor")} if kind == "acknowledged" else {}
