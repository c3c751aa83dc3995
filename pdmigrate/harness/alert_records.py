"""Harness's alerts and what their timelines say of paging, as records.

How a timeline words a page nobody outside Harness has seen: its documents name eventType, timestamp, actor and message,
and a group PAGING. So an event is taken for something only where its type is known and says whom and when it is about;
every other one that may be about a page is kept in words, and those of other matters are counted.
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Literal

from pydantic import AliasChoices, BeforeValidator, Field, ValidationError

from pdmigrate.errors import shorten
from pdmigrate.harness.records import Record

EventKind = Literal["page", "level", "told", "failed", "acknowledged", "exhausted", "aside"]
"""told: somebody was notified. failed: somebody was to be, and could not. page, level: it went on its way. aside: of no page."""
EVENT_KINDS: dict[str, EventKind] = {
    "PAGE_SENT": "page",
    "ESCALATION_LEVEL_REACHED": "level",
    "NOTIFICATION_SENT": "told",
    "NOTIFICATION_CONFIRMED": "told",
    "NOTIFICATION_FAILED": "failed",
    "PAGE_ACKNOWLEDGED": "acknowledged",
    "ESCALATION_EXHAUSTED": "exhausted",
    "ALERT_CREATED": "aside",
    "MESSAGE": "aside",
}
"""What the embedded Harness calls them; PAGE_SENT alone is documented."""
PAGING = "PAGING"
EMAIL = re.compile(r"[^\s@<>()\[\],;:\"']+@[^\s@<>()\[\],;:\"']+\w")
CHANNEL = re.compile(r"\b(sms|email|phone|voice|slack|push)\b", re.IGNORECASE)


def list_texts(value: Any) -> Iterator[str]:
    """Every text in it, however deep; never a person of it that is only a number."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        for part in value.values() if isinstance(value, dict) else value:
            yield from list_texts(part)


def find_email(*places: Any) -> str:
    """The one email in the first place that has just one; "" where none has."""
    for place in places:
        emails: set[str] = {found.lower() for text in list_texts(place) for found in EMAIL.findall(text)}
        if len(emails) == 1:
            return emails.pop()
    return ""


def read_moment(value: Any) -> Any:
    """Milliseconds since 1970, as the documents show them, or ISO 8601 with an offset. Nothing and "" are None."""
    if value is None or value == "" or isinstance(value, datetime):
        return value or None
    if isinstance(value, int | float) and not isinstance(value, bool) and 10**11 < value < 10**14:
        return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=value)
    moment = datetime.fromisoformat(value) if isinstance(value, str) else None
    if moment is None or moment.tzinfo is None or not 1970 <= moment.year < 5000:
        raise ValueError("no moment")
    return moment


def _take_id(value: Any) -> Any:
    return value.get("id") if isinstance(value, dict) else value


def _take_person(value: Any) -> str:
    """The one email in it; else the name, where there is no email at all."""
    if isinstance(value, dict) and not any(map(EMAIL.search, list_texts(value))):
        value = next((value[name] for name in ("name", "displayName", "id") if value.get(name)), "")
    named = value.strip().lower() if isinstance(value, str) and not EMAIL.search(value) else ""
    return find_email(value) or named


def _take_channel(value: Any) -> str:
    """The one that is named; "voice" is Harness's other word for phone."""
    found = {one.lower() for text in list_texts(value) for one in CHANNEL.findall(EMAIL.sub("", text))}
    return found.pop().replace("voice", "phone") if len(found) == 1 else ""


Moment = Annotated[datetime, BeforeValidator(read_moment)]
Text = Annotated[str, BeforeValidator(lambda value: value or "")]
Texts = Annotated[str, BeforeValidator(lambda value: " ".join(list_texts(value)))]
Word = Annotated[str, BeforeValidator(lambda value: str(_take_id(value) or "").lower())]
Somebody = Annotated[str, BeforeValidator(_take_person)]
ByWhat = Annotated[str, BeforeValidator(_take_channel)]


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

    @property
    def over(self) -> bool:
        return self.status in ("resolved", "dismissed")


class Event(Record):
    """One event of a timeline that is understood. who: an email, else a name; "" where it names nobody. words: all of it, for a person."""

    kind: EventKind
    words: str
    at: Moment = Field(validation_alias="timestamp")
    who: Somebody = Field("", validation_alias=AliasChoices("recipient", "user", "responder", "who"))
    channel: ByWhat = ""
    level: int | None = None
    message: Texts = ""

    @property
    def email(self) -> str:
        """Who, where that is an email, or its words have just one."""
        return find_email(self.who, self.message)


@dataclass(frozen=True)
class Timeline:
    """What a timeline says, oldest first. other: how many events of every other type it has, which are about no page.

    unread: by type, in words, what is of the group PAGING, of none, or about a person, and that nobody here knows or can read.
    cut: why it could not be read whole. Where there is either, whom the page told is not wholly known.
    """

    events: tuple[Event, ...] = ()
    other: dict[str, int] = field(default_factory=dict)
    unread: dict[str, tuple[str, ...]] = field(default_factory=dict)
    cut: str = ""

    @property
    def gap(self) -> str:
        """Why it does not tell all, in words; "" where it does."""
        unread = f"its timeline has events that nobody here can read: {', '.join(self.unread)}" if self.unread else ""
        return f"its timeline was not read: {self.cut}" if self.cut else unread

    def of(self, *kinds: EventKind) -> tuple[Event, ...]:
        return tuple(event for event in self.events if event.kind in kinds)

    @property
    def told(self) -> tuple[Event, ...]:
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
    events: list[Event] = []
    other, unread = Counter[str](), dict[str, tuple[str, ...]]()
    for row in rows:
        type = shorten(row["eventType"]) if isinstance(row.get("eventType"), str) else "no type"
        words, event = _describe(row, type), None
        try:
            event = _read_event(row, EVENT_KINDS.get(type), words)
            events.append(event)
        except ValidationError:
            paging = row.get("eventGroup") in (None, PAGING) or type in EVENT_KINDS
            if not paging and not find_email(row.get("recipient"), row.get("message")):
                other[type] += 1
                continue
        if event is None or (event.kind in ("told", "failed") and not event.who):
            unread[type] = (*unread.get(type, ()), words)
    return Timeline(tuple(sorted(events, key=lambda event: event.at)), dict(other), unread)


def _read_event(row: dict[str, Any], kind: EventKind | None, words: str) -> Event:
    """Who acknowledges is the event's actor. What has no field of its own is looked for in the message."""
    actor = {"recipient": row.get("actor")} if kind == "acknowledged" else {}
    event = Event.model_validate({**row, "kind": kind, "words": words, **actor})
    who, channel = event.who or find_email(event.message), event.channel or _take_channel(event.message)
    return event.model_copy(update={"who": who, "channel": channel})


def _describe(row: dict[str, Any], type: str) -> str:
    """An event for a person to read."""
    try:
        at = read_moment(row.get("timestamp"))
    except ValueError:
        at = None
    when = f"{at.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC" if at else "at no time that can be read"
    said = row.get("message")
    shown = shorten(said) if isinstance(said, str) else f"fields {shorten(', '.join(sorted(map(str, row))))}"
    return f"{'an event without a type' if type == 'no type' else type}, {when}: {shown}"
