"""Reads Harness's alerts and their timelines: who was told, by what channel, at which moment; and ends an alert of ours.

All of it is of the public API of AI SRE, which answers without Harness's envelope. Nobody has seen it at work: a page
instead of JSON is an answer, and what comes in another shape is IncompleteFetchError.
"""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from pydantic import ValidationError

from pdmigrate.errors import AnswerError, IncompleteFetchError, SideError
from pdmigrate.harness.alert_records import Alert, Alerts, Timeline, list_texts, sort_events
from pdmigrate.harness.client import MOST_PAGES, PAGE, TRIES_FOR_A_WHOLE_LIST, Harness, reading
from pdmigrate.wire.addresses import encode_part
from pdmigrate.wire.transport import NO_JSON

GATEWAY = "/gateway"
MC = "/ir/tp/api/v1/mc"
ALERTS = f"{MC}/alerts"
TIMELINE_ROWS = ("results", "entities")
CURSORS = ("nextPageCursor", "nextCursor")
"""What a page of a timeline calls its rows, and where the next one begins: nobody outside Harness has seen one."""
CLOCKS_APART = timedelta(hours=1)
Row = dict[str, Any]


def list_alerts(harness: Harness, after: datetime, before: datetime) -> Alerts:
    """All alerts of the project created from after until before. Whole, or IncompleteFetchError."""
    asked = {"createdAfter": _write_time(after), "createdBefore": _write_time(before), "sortDirection": "ASC"}
    rows: dict[str, Row] = {}
    promised = 0
    for _ in range(TRIES_FOR_A_WHOLE_LIST):
        rows = {}
        for answer in _list_pages(harness, asked):
            with reading(ALERTS):
                promised = _take_count(answer)
                named = ((row.get("prettyId") or row.get("id") or f"row {row}", row) for row in answer["entities"])
                rows.update((str(id), row) for id, row in named)
            harness.transport.progress.count("Harness's alerts", len(rows), promised)
        if len(rows) == promised:
            break
    else:
        raise IncompleteFetchError(
            f"Harness's list of alerts said {promised} and gave {len(rows)} each of {TRIES_FOR_A_WHOLE_LIST} times: "
            "nothing was taken from it; run again."
        )
    found = [alert for row in rows.values() if (alert := _read_alert(row))]
    kept = sorted((one for one in found if after <= one.created < before), key=lambda one: (one.created, one.id))
    return Alerts(tuple(kept), len(rows) - len(found))


def find_alert(harness: Harness, token: str, sent: datetime) -> Alert | None:
    """The alert that has the token in it, sent then by our clock. What is odd in it is left out: it is ours, and is to be ended."""
    for answer in _list_pages(harness, {"createdAfter": _write_time(sent - CLOCKS_APART), "sortDirection": "DESC"}):
        for row in answer["entities"]:
            if any(token in text for text in list_texts(row)) and (alert := _read_alert(row, sent)):
                return alert
    return None


def read_timeline(harness: Harness, id: str) -> Timeline:
    """What happened to an alert. All groups are read: an event may belong to none, and be about paging."""
    path = f"{MC}/activities/{encode_part(id)}/timeline"
    rows: dict[str, Row] = {}
    asked: Row = {"pageSize": PAGE}
    for _ in range(MOST_PAGES):
        answer = _ask(harness, "GET", path, asked)
        with reading(path):
            content = _take_list(answer, next((name for name in TIMELINE_ROWS if name in answer), TIMELINE_ROWS[0]))
            events = (row if isinstance(row, dict) else {"message": str(row)} for row in content)
            rows.update((str(row.get("eventId") or f"{len(rows)} {number}"), row) for number, row in enumerate(events))
            following = next((answer[name] for name in CURSORS if answer.get(name)), None)
        if not answer.get("hasMoreResults", following):
            return sort_events(rows.values())
        if not following:
            raise IncompleteFetchError(f"Harness says that the timeline of {id} goes on, and not where.")
        asked = {"pageSize": PAGE, "cursor": following}
    raise IncompleteFetchError(f"Harness's timeline of {id} does not end after {MOST_PAGES} pages.")


def end_alert(harness: Harness, id: str) -> str:
    """Resolve our own alert, so that nobody is woken by its next level. Returns why that was not possible, or ""."""
    try:
        _ask(harness, "POST", f"{ALERTS}/{encode_part(id)}/resolve")
    except SideError as error:
        done = isinstance(error, AnswerError) and error.code == NO_JSON and error.status < 300
        return "" if done else str(error)
    return ""


def _ask(harness: Harness, method: str, path: str, asked: Row | None = None) -> Any:
    """One request of this part of the API, which is under /gateway, whether the base address says so or not.

    Its own words for the scope, all three required.
    """
    base = "" if harness.transport.base_url.endswith(GATEWAY) else GATEWAY
    scope = {"accountId": harness.account, "orgId": harness.org, "projectId": harness.project}
    return harness.transport.send(method, base + path, {**scope, **(asked or {})}, door=True)


def _write_time(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _list_pages(harness: Harness, asked: Row) -> Iterator[Row]:
    """Pages of alerts, until one is empty, or as many have come as were promised."""
    came = 0
    for page in range(MOST_PAGES):
        answer = _ask(harness, "GET", ALERTS, {**asked, "page": page, "pageSize": PAGE})
        with reading(ALERTS):
            rows, promised = _take_list(answer, "entities"), answer.get("totalCount")
        yield answer
        came += len(rows)
        if not rows or (isinstance(promised, int) and came >= promised):
            return
    raise IncompleteFetchError(f"Harness's list of alerts does not end after {MOST_PAGES} pages.")


def _take_list(answer: Row, name: str) -> list[Any]:
    if not isinstance(answer[name], list):
        raise KeyError(name)
    return [*answer[name]]


def _take_count(answer: Row) -> int:
    promised = answer["totalCount"]
    if type(promised) is not int:
        raise KeyError("totalCount")
    return promised


def _read_alert(row: Row, sent: datetime | None = None) -> Alert | None:
    """sent: odd fields are left out, and it began then unless it says so."""
    try:
        return Alert.model_validate(row)
    except ValidationError as error:
        if sent is None or not isinstance(row, dict):
            return None
        odd = {one["loc"][0] for one in error.errors()}
        return _read_alert({"createdTimestamp": sent} | {name: row[name] for name in row if name not in odd})
