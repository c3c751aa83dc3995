"""Account documents from files: recorded answers of PagerDuty's API, a snapshot, or a document of one's own."""

import gzip
import json
from collections import Counter
from pathlib import Path

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
BY_ID = ("team_members", "overrides")
RECORDED = "oncalls"
"""What /oncalls answered once: `since`, `until` and the entries. Absent, it was not asked."""
MEMBERS_OF = {"team_members": "members", "overrides": "overrides"}
PLURALS = {"event_orchestrations": "orchestrations", "schedules_v3": "schedules"}
LINKED = ("users", "teams", "schedules", "escalation_policies", "services")


def load_account(path: Path) -> dict:
    """The account document in a folder of recorded answers, or in a JSON file (.json.gz too). What is missing is empty.

    Raises ValueError, one sentence that names the file, for what cannot be used.
    """
    path = Path(path)
    if not path.exists():
        raise ValueError(f"{path}: there is no such file or folder.")
    raw = _read_folder(path) if path.is_dir() else _read_document(path)
    document = {kind: _take(raw, kind, list, path) for kind in LISTS}
    document |= {kind: _take(raw, kind, dict, path) for kind in (*BY_ID, "paths_of_services")}
    document |= {RECORDED: raw[RECORDED]} if raw.get(RECORDED) else {}
    document["overrides"] = {**_rendered_overrides(document["schedules"]), **document["overrides"]}
    _check_records(document, path)
    zone = raw.get("time_zone") or _most_common_zone(document)
    return {"subdomain": raw.get("subdomain") or _find_subdomain(document), "time_zone": zone, **document}


def _read_folder(folder: Path) -> dict:
    found = {kind: folder / f"{kind}.json" for kind in (*LISTS, *BY_ID)}
    found = {kind: path for kind, path in found.items() if path.exists()}
    if not found:
        raise ValueError(f"{folder}: no recorded answers in this folder (users.json, schedules.json, …).")
    read = {kind: _read_answers(kind, path) for kind, path in found.items()}
    recorded = folder / f"{RECORDED}.json"
    return {**read, RECORDED: _read_json(recorded)} if recorded.exists() else read


def _read_answers(kind: str, path: Path) -> list | dict:
    answers = _read_json(path)
    if kind in BY_ID:
        return _read_answers_by_id(kind, answers, path)
    return _records_of(answers, PLURALS.get(kind, kind), path)


def _read_answers_by_id(kind: str, answers: object, path: Path) -> dict:
    if not isinstance(answers, dict):
        raise ValueError(f"{path}: expected answers by id, found a {_name_of(answers)}.")
    return {owner: _records_of(answer, MEMBERS_OF[kind], path) for owner, answer in answers.items()}


def _records_of(answers: object, plural: str, path: Path) -> list:
    pages = answers if isinstance(answers, list) else [answers]
    records = []
    for page in pages:
        if not isinstance(page, dict) or not isinstance(page.get(plural), list):
            raise ValueError(f'{path}: expected an answer, or a list of them, with a list "{plural}".')
        records += page[plural]
    return records


def _read_document(path: Path) -> dict:
    raw = _read_json(path)
    if isinstance(raw, dict) and isinstance(raw.get("records"), dict):
        outside = {key: raw[key] for key in ("subdomain", "time_zone") if isinstance(raw.get(key), str)}
        raw = {**outside, **raw["records"]}
    if not isinstance(raw, dict) or not any(kind in raw for kind in LISTS):
        raise ValueError(f"{path}: this is not an account document (no users, schedules or services in it).")
    return raw


def _read_json(path: Path) -> object:
    try:
        data = path.read_bytes()
        return json.loads(gzip.decompress(data) if data[:2] == b"\x1f\x8b" else data)
    except (OSError, EOFError, ValueError) as wrong:
        reason = str(wrong).splitlines()[0] if str(wrong) else type(wrong).__name__
        raise ValueError(f"{path}: not readable as JSON ({reason}).") from wrong


def _take(raw: dict, kind: str, expected: type, path: Path) -> list | dict:
    found = raw.get(kind)
    if found is not None and not isinstance(found, expected):
        raise ValueError(f'{path}: "{kind}" should be a {expected.__name__}, not a {_name_of(found)}.')
    return found or expected()


def _rendered_overrides(schedules: list) -> dict:
    """A snapshot has the overrides inside its schedules, as PagerDuty's list renders them."""
    rendered = {
        one["id"]: one.get("overrides_subschedule") or {} for one in schedules if isinstance(one, dict) and "id" in one
    }
    found = {id: part.get("rendered_schedule_entries") or [] for id, part in rendered.items()}
    return {id: entries for id, entries in found.items() if entries}


def _check_records(document: dict, path: Path) -> None:
    for kind in LISTS[1:]:
        for record in document[kind]:
            if not isinstance(record, dict) or not isinstance(record.get("id"), str):
                raise ValueError(f'{path}: a record in "{kind}" has no id.')


def _most_common_zone(document: dict) -> str:
    """A recorded account does not say whose key it was; most of its schedules do."""
    zones = Counter(schedule.get("time_zone") or "UTC" for schedule in document["schedules"])
    return zones.most_common(1)[0][0] if zones else "UTC"


def _find_subdomain(document: dict) -> str:
    links = [record.get("html_url") or "" for kind in LINKED for record in document[kind]]
    hosts = Counter(link.split("/")[2] for link in links if link.count("/") > 2 and ".pagerduty." in link)
    return hosts.most_common(1)[0][0].split(".")[0] if hosts else "acme"


def _name_of(value: object) -> str:
    return type(value).__name__
