"""Account documents from files: recorded answers of PagerDuty's API, a snapshot, or a document of one's own.

What a recorded account does not say is not known, and is not made up: `recorded` is true of its document, an override
or a member that no answer shows is then not "none", and the embedded PagerDuty leaves it out as the answers do. A
document of one's own says all there is.
"""

import gzip
import json
import zlib
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

from pdmigrate.sandbox.pagerduty_dependents import DEPENDENTS
from pdmigrate.sandbox.store import Json

Decode = Callable[[bytes], Any]
LISTS = (
    "abilities",
    "users",
    "teams",
    "schedules",
    "schedules_v3",
    "escalation_policies",
    "services",
    "business_services",
    "maintenance_windows",
    "event_orchestrations",
    "rulesets",
)
RECORDED = "oncalls"
"""What /oncalls answered once: `since`, `until` and the entries. Absent, it was not asked."""
BY_ID = {"team_members": "members", "overrides": "overrides"}
PLURALS = {"event_orchestrations": "orchestrations", "schedules_v3": "schedules"}
LINKED = ("users", "teams", "schedules", "escalation_policies", "services")


def _decode(data: bytes) -> Any:
    return json.loads(gzip.decompress(data) if data[:2] == b"\x1f\x8b" else data)


def load_account(path: Path, decode: Decode = _decode) -> Json:
    """The account document in a folder of recorded answers, or in a JSON file (.json.gz too). What is missing is empty.

    decode: makes values of a file's bytes, and may refuse them with a ValueError, for a caller who is stricter. Raises ValueError, one sentence that names the file, for what cannot be used.
    """
    path = Path(path)
    if not path.exists():
        raise ValueError(f"{path}: there is no such file or folder.")
    raw = _read_folder(path, decode) if path.is_dir() else _read_document(path, decode)
    document: Json = {}
    for kind in (*LISTS, *BY_ID, "paths_of_services"):
        expected = list if kind in LISTS else dict
        found = raw.get(kind)
        if found is not None and not isinstance(found, expected):
            raise ValueError(f'{path}: "{kind}" should be a {expected.__name__}, not a {type(found).__name__}.')
        document[kind] = found or expected()
    document |= {RECORDED: raw[RECORDED]} if raw.get(RECORDED) else {}
    if not raw.get("recorded"):  # what the past of an account of one's own is to be
        document |= {
            part: raw[part] for part in ("history", "past_layers", "past_users") if isinstance(raw.get(part), dict)
        }
    unread = raw.get("unread") or {}
    document |= {kind: raw[kind] for kind in DEPENDENTS if isinstance(raw.get(kind), list) and kind not in unread}
    # a snapshot has them as rows, each with the service's id
    rows = [row for row in raw.get("service_orchestrations") or [] if isinstance(row, dict) and "id" in row]
    document["paths_of_services"] = {row["id"]: row for row in rows} | document["paths_of_services"]
    for kind in LISTS[1:]:
        if not all(isinstance(record, dict) and isinstance(record.get("id"), str) for record in document[kind]):
            raise ValueError(f'{path}: a record in "{kind}" has no id.')
    if raw.get("recorded"):
        document["schedules"] = [_with_overrides(row, document["overrides"]) for row in document["schedules"]]
    # a snapshot has the overrides inside its schedules, as PagerDuty's list renders them; without a window, none
    parts = {one["id"]: one.get("overrides_subschedule") for one in document["schedules"]}
    rendered = {id: part["rendered_schedule_entries"] for id, part in parts.items() if _is_rendered(part)}
    document["overrides"] = {**rendered, **document["overrides"]}
    # a recorded account does not say whose key it was; most of its schedules do
    said = (schedule.get("time_zone") or "UTC" for schedule in document["schedules"])
    zones = Counter(zone for zone in said if isinstance(zone, str))
    zone = raw.get("time_zone") or (zones.most_common(1)[0][0] if zones else "UTC")
    known = {"subdomain": raw.get("subdomain") or _find_subdomain(document), "time_zone": zone}
    return {**known, **({"recorded": True} if raw.get("recorded") else {}), **document}


def _read_folder(folder: Path, decode: Decode) -> Json:
    read: Json = {}
    for kind in (*LISTS, *BY_ID):
        path = folder / f"{kind}.json"
        if not path.exists():
            continue
        answers = _read_json(path, decode)
        if kind not in BY_ID:
            read[kind] = _list_records(answers, PLURALS.get(kind, kind), path)
        elif isinstance(answers, dict):
            read[kind] = {owner: _list_records(answer, BY_ID[kind], path) for owner, answer in answers.items()}
        else:
            raise ValueError(f"{path}: expected answers by id, found a {type(answers).__name__}.")
    if not read:
        raise ValueError(f"{folder}: no recorded answers in this folder (users.json, schedules.json, …).")
    recorded = folder / f"{RECORDED}.json"
    return {**read, "recorded": True, **({RECORDED: _read_json(recorded, decode)} if recorded.exists() else {})}


def _list_records(answers: Any, plural: str, path: Path) -> list[Json]:
    pages = answers if isinstance(answers, list) else [answers]
    if not all(isinstance(page, dict) and isinstance(page.get(plural), list) for page in pages):
        raise ValueError(f'{path}: expected an answer, or a list of them, with a list "{plural}".')
    return [record for page in pages for record in page[plural]]


def _read_document(path: Path, decode: Decode) -> Json:
    raw = _read_json(path, decode)
    if isinstance(raw, dict) and isinstance(raw.get("records"), dict):
        outside = {key: raw[key] for key in ("subdomain", "time_zone") if isinstance(raw.get(key), str)}
        raw = {**outside, **raw["records"], "recorded": True}
    if not isinstance(raw, dict) or not any(kind in raw for kind in LISTS):
        raise ValueError(f"{path}: this is not an account document (no users, schedules or services in it).")
    return raw


def _read_json(path: Path, decode: Decode) -> Any:
    try:
        return decode(path.read_bytes())
    except (OSError, EOFError, ValueError, RecursionError, zlib.error) as wrong:
        reason = str(wrong).splitlines()[0] if str(wrong) else type(wrong).__name__
        raise ValueError(f"{path}: not readable as JSON ({reason}).") from wrong


def _with_overrides(schedule: Json, overrides: Json) -> Json:
    """A schedule with the overrides that an answer of its own shows, in the place where a schedule's answer has them."""
    if schedule["id"] not in overrides or _is_rendered(schedule.get("overrides_subschedule")):
        return schedule
    entries = overrides[schedule["id"]]
    shown = {"name": "Overrides", "rendered_schedule_entries": entries, "rendered_coverage_percentage": 0}
    return {**schedule, "overrides_subschedule": shown}


def _is_rendered(part: Any) -> bool:
    """Whether PagerDuty has rendered it: without since and until the list is empty and the coverage null."""
    entries = part.get("rendered_schedule_entries") if isinstance(part, dict) else None
    return isinstance(entries, list) and (bool(entries) or part.get("rendered_coverage_percentage", 0) is not None)


def _find_subdomain(document: Json) -> str:
    """The account's name as its links have it; "" where there is none, since a name is not made up."""
    links = [record.get("html_url") or "" for kind in LINKED for record in document[kind]]
    hosts = Counter(link.split("/")[2] for link in links if link.count("/") > 2 and ".pagerduty." in link)
    return hosts.most_common(1)[0][0].split(".")[0] if hosts else ""
