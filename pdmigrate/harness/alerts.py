"""What became of a test page, as the alerts of a Harness project and their timelines show it; and its end.

Nobody has seen what the timeline says of a page: its documentation names eventType, timestamp, actor and message, and
that there is a group PAGING. So an event is taken for something only where its type is known and says whom and when it
is about; every other one is kept in words.
"""

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from pdmigrate.errors import AnswerError, SideError, shorten
from pdmigrate.harness.client import Harness
from pdmigrate.oncall.live import Notice, Seen
from pdmigrate.wire.addresses import encode_part
from pdmigrate.wire.transport import NO_JSON

GATEWAY = "/gateway"
BASE = "/ir/tp/api/v1/mc"
PAGE, MOST_PAGES = 100, 50
CLOCKS_APART = timedelta(hours=1)
ENDED = ("RESOLVED", "DISMISSED")
EVENTS = {
    "NOTIFICATION_SENT": "told",
    "NOTIFICATION_CONFIRMED": "told",
    "NOTIFICATION_FAILED": "failed",
    "PAGE_ACKNOWLEDGED": "answered",
    "ALERT_CREATED": "",
    "PAGE_SENT": "",
    "ESCALATION_LEVEL_REACHED": "",
    "ESCALATION_EXHAUSTED": "",
    "MESSAGE": "",
}
"""The types of events that are understood, and what each says of a person."""
PAGING = "PAGING"
EMAIL = re.compile(r"[^\s@<>()\[\],;:\"']+@[^\s@<>()\[\],;:\"']+\w")
CHANNEL = re.compile(r"\b(sms|email|phone|voice|slack|push)\b", re.IGNORECASE)
Row = dict[str, Any]


def read_page(harness: Harness, token: str, sent: int, until: int) -> Seen:
    """What Harness shows of the page with this token, sent at that instant and watched until that one, by our clock.

    It is never an error: what cannot be read is not seen, and said.
    """
    alert: Row | None = None
    try:
        alert = find_alert(harness, token, datetime.fromtimestamp(sent, UTC) - CLOCKS_APART)
        if alert is None:
            return Seen(until=until, unread="Harness shows no alert with this title")
        events = list(_list_events(harness, str(alert["prettyId"])))
    except (_UnreadError, SideError) as error:
        return Seen(str(alert["prettyId"]) if alert else "", until=until, unread=str(error).rstrip("."))
    created = next(
        (at for key in alert if key.lower().startswith("created") and (at := read_instant(alert[key]))), sent
    )
    named = alert.get("impactedServices")
    services = tuple(one for one in named if isinstance(one, str)) if isinstance(named, list) else ()
    # its clock may not be ours: what lies between is counted from the alert's own beginning
    seen = Seen(str(alert["prettyId"]), created, created + until - sent, services)
    seen = _read_events(events, seen)
    status = str(alert.get("status")).upper()
    if status == "ACKNOWLEDGED" and not seen.acknowledged:
        seen = replace(seen, acknowledged=read_instant(alert.get("acknowledgedAtTimestamp")))
    over = read_instant(alert.get("resolvedAtTimestamp")) if status in ENDED else 0
    return replace(seen, until=min(seen.until, over or seen.until), over=status in ENDED)


def find_alert(harness: Harness, token: str, since: datetime) -> Row | None:
    """The alert that has the token in it, among those that came since then."""
    for page in range(MOST_PAGES):
        asked = {"createdAfter": since.isoformat(), "sortDirection": "DESC", "page": page, "pageSize": PAGE}
        answer = _ask(harness, "GET", "/alerts", asked)
        rows = answer.get("entities") if isinstance(answer, dict) else None
        if not isinstance(rows, list):
            raise _UnreadError("Harness answers the list of alerts in another shape than is documented")
        named = (row for row in rows if isinstance(row, dict) and isinstance(row.get("prettyId"), str))
        found = next((row for row in named if any(token in text for text in _list_texts(row))), None)
        if found is not None or not rows:
            return found
        total = answer.get("totalCount")
        if isinstance(total, int) and (page + 1) * PAGE >= total:
            return None
    return None


def end_page(harness: Harness, alert: str) -> str:
    """Resolve our own alert, so that nobody is woken by its next level. Returns why that was not possible, or ""."""
    try:
        _ask(harness, "POST", f"/alerts/{encode_part(alert)}/resolve", {})
    except AnswerError as error:
        if error.code != NO_JSON or error.status >= 300:
            return str(error)
    except SideError as error:
        return str(error)
    return ""


class _UnreadError(Exception):
    """What was answered is not understood."""


def _list_events(harness: Harness, alert: str) -> Iterator[Row]:
    path, asked = f"/activities/{encode_part(alert)}/timeline", Row(pageSize=PAGE)
    for _ in range(MOST_PAGES):
        answer = _ask(harness, "GET", path, asked)
        rows = answer.get("results") if isinstance(answer, dict) else None
        if not isinstance(rows, list):
            raise _UnreadError("Harness answers the alert's timeline in another shape than is documented")
        yield from (row if isinstance(row, dict) else {"message": str(row)} for row in rows)
        cursor = answer.get("nextPageCursor")
        if not answer.get("hasMoreResults", cursor):
            return
        if not isinstance(cursor, str):
            raise _UnreadError("Harness says that the alert's timeline goes on, and not where")
        asked = {"pageSize": PAGE, "cursor": cursor}
    raise _UnreadError("the alert's timeline does not end")


def _ask(harness: Harness, method: str, path: str, asked: Row) -> Any:
    """One request of this part of the API, which is under /gateway, whether the base address says so or not."""
    base = "" if harness.transport.base_url.endswith(GATEWAY) else GATEWAY
    scope = {"accountId": harness.account, "orgId": harness.org, "projectId": harness.project}
    return harness.transport.send(method, f"{base}{BASE}{path}", {**scope, **asked}, door=True)


def _read_events(events: list[Row], seen: Seen) -> Seen:
    notices, strange, understood, acknowledged, by = [], [], 0, 0, ""
    for event in events:
        kind, at = str(event.get("eventType")), read_instant(event.get("timestamp"))
        group = event.get("eventGroup")
        meaning = EVENTS.get(kind)
        if meaning is None and group not in (None, PAGING) and not _find_person(event, "recipient"):
            continue  # of another matter, and about nobody
        person = _find_person(event, "actor" if meaning == "answered" else "recipient")
        if meaning is None or not at or (meaning in ("told", "failed") and not person):
            strange.append(_describe(event, at))
            continue
        understood += 1
        if meaning == "answered" and not acknowledged:
            acknowledged, by = at, person
        elif meaning in ("told", "failed"):
            why = (str(event.get("message") or "") or "Harness does not say why") if meaning == "failed" else ""
            notices.append(Notice(person, at, _find_channel(event), shorten(why)))
    return replace(
        seen,
        notices=tuple(notices),
        strange=tuple(strange),
        understood=understood,
        acknowledged=acknowledged,
        by=by,
    )


def _find_person(event: Row, field: str) -> str:
    """The one person that the event names, in its own field or else in its words; "" where it names none, or several."""
    for place in (event.get(field), event.get("message")):
        emails: set[str] = {found.lower() for text in _list_texts(place) for found in EMAIL.findall(text)}
        if len(emails) == 1:
            return emails.pop()
    return ""


def _find_channel(event: Row) -> str:
    """In its own field, or else in its words; "voice" is Harness's other word for phone."""
    for place in (event.get("channel"), event.get("message")):
        found: list[str] = [one.lower() for text in _list_texts(place) for one in CHANNEL.findall(EMAIL.sub("", text))]
        if len({*found}) == 1:
            return "phone" if found[0] == "voice" else found[0]
    return ""


def _list_texts(value: Any) -> Iterator[str]:
    """Every text in it, however deep; never a person of it that is only a number."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        for part in value.values() if isinstance(value, dict) else value:
            yield from _list_texts(part)


def _describe(event: Row, at: int) -> str:
    """An event that is not understood, for a person to read."""
    kind, words = event.get("eventType"), event.get("message")
    when = f"{datetime.fromtimestamp(at, UTC):%Y-%m-%d %H:%M:%S} UTC" if at else "at no time that can be read"
    shown = shorten(words) if isinstance(words, str) else f"fields {shorten(', '.join(sorted(map(str, event))))}"
    return f"{shorten(kind) if isinstance(kind, str) else 'an event without a type'}, {when}: {shown}"


def read_instant(value: Any) -> int:
    """Milliseconds since 1970, or ISO 8601 with an offset, as an instant; 0 for what is neither."""
    try:
        if isinstance(value, str):
            moment = datetime.fromisoformat(value)
            return int(moment.timestamp()) if moment.tzinfo else 0
        if isinstance(value, int) and not isinstance(value, bool) and 0 < value < 10**14:
            return value // 1000
    except ValueError:
        pass
    return 0
