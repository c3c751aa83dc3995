"""Reads Harness's alerts and their timelines: who was told, by what channel, at which moment.

Both are of the public API of AI SRE, which answers without Harness's envelope.
"""

from datetime import UTC, datetime
from typing import Any

from pydantic import ValidationError

from pdmigrate.errors import IncompleteFetchError
from pdmigrate.harness.alert_records import Alert, Alerts, Timeline, sort_events
from pdmigrate.harness.client import MOST_PAGES, PAGE, TRIES_FOR_A_WHOLE_LIST, Harness, reading
from pdmigrate.wire.addresses import encode_part

MC = "/ir/tp/api/v1/mc"
TIMELINE_ROWS = ("results", "entities")
CURSORS = ("nextPageCursor", "nextCursor")
"""What a page of a timeline calls its rows, and where the next one begins: nobody outside Harness has seen one."""
Row = dict[str, Any]


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
            content = answer[next((name for name in TIMELINE_ROWS if name in answer), TIMELINE_ROWS[0])]
            rows.update((str(row.get("eventId") or f"{len(rows)} {number}"), row) for number, row in enumerate(content))
            following = next((answer[name] for name in CURSORS if answer.get(name)), None)
        if not following:
            return sort_events(rows.values())
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
