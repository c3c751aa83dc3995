"""Account documents from files: recorded answers of PagerDuty's API, a snapshot, or a document of one's own.

What a recorded account does not say is not known, and is not made up: `recorded` is true of its document, an override
or a member that no answer shows is then not "none", and the embedded PagerDuty leaves it out as the answers do. A
document of one's own says all there is.
"""

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
    _check_records(document, path)
    if raw.get("recorded"):
        document["schedules"] = [_with_overrides(row, document["overrides"]) for row in document["schedules"]]
    document["overrides"] = {**_rendered_overrides(document["schedules"]), **document["overrides"]}
    zone = raw.get("time_zone") or _most_common_zone(document)
    known = {"subdomain": raw.get("subdomain") or _find_subdomain(document), "time_zone": zone}
    return {**known, **({"recorded": True} if raw.get("recorded") else {}), **document}


def _read_folder(folder: Path) -> dict:
    found = {kind: folder / f"{kind}.json" for kind in (*LISTS, *BY_ID)}
    found = {kind: path for kind, path in found.items() if path.exists()}
    if not found:
        raise ValueError(f"{folder}: no recorded answers in this folder (users.json, schedules.json, …).")
    read = {kind: _read_answers(kind, path) for kind, path in found.items()}
    recorded = folder / f"{RECORDED}.json"
    return {**read, "recorded": True, **({RECORDED: _read_json(recorded)} if recorded.exists() else {})}


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
        raw = {**outside, **raw["records"], "recorded": True}
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


def _with_overrides(schedule: dict, overrides: dict) -> dict:
    """A schedule with the overrides that an answer of its own shows, in the place where a schedule's answer has them."""
    if schedule["id"] not in overrides or _is_shown(schedule.get("overrides_subschedule")):
        return schedule
    entries = overrides[schedule["id"]]
    shown = {"name": "Overrides", "rendered_schedule_entries": entries, "rendered_coverage_percentage": 0}
    return {**schedule, "overrides_subschedule": shown}


def _rendered_overrides(schedules: list) -> dict:
    """A snapshot has the overrides inside its schedules, as PagerDuty's list renders them; without a window, none."""
    parts = {one["id"]: one.get("overrides_subschedule") for one in schedules}
    return {id: part["rendered_schedule_entries"] for id, part in parts.items() if _is_shown(part)}


def _is_shown(part: object) -> bool:
    """Whether PagerDuty has rendered it: without since and until the list is empty and the coverage null."""
    entries = part.get("rendered_schedule_entries") if isinstance(part, dict) else None
    return isinstance(entries, list) and (bool(entries) or part.get("rendered_coverage_percentage", 0) is not None)


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
    """The account's name as its links have it; "" where there is none, since a name is not made up."""
    links = [record.get("html_url") or "" for kind in LINKED for record in document[kind]]
    hosts = Counter(link.split("/")[2] for link in links if link.count("/") > 2 and ".pagerduty." in link)
    return hosts.most_common(1)[0][0].split(".")[0] if hosts else ""


def _name_of(value: object) -> str:
    return type(value).__name__
