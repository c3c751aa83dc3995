"""The embedded company: a mid-size online retailer on PagerDuty, with the untidiness of a real one.

Its account is data, company.yaml, which says itself how it is shortened.
"""

import copy
import json
import re
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from functools import cache, lru_cache
from importlib.resources import files
from typing import Any

import yaml

from pdmigrate.sandbox.company_shapes import PATHS, make_key, make_part, make_record, refer, write_local
from pdmigrate.sandbox.store import Json

LEAVES = "PUSER21"  # Ben Achebe
JOINS, JOINED = "PUSER16", "PSCHED06"  # Noam Adler, Checkout primary
IDS_IN = {"user", "users", "team", "teams", "targets", "contact_method", "escalation_policy", "escalation_policies"}
IDS_IN |= {"service", "services", "created_by", "updated_by", "creator", "updater", "extension_objects"}
"""The fields in which an id stands for a reference."""
PARTS = {"contact_methods", "notification_rules", "oncall_handoff_notification_rules", "integrations"}
PARTS |= {"schedule_layers", "escalation_rules"}
RELATIVE = re.compile(r"([+-]\d+)d (\d\d:\d\d)")


@cache
def _read_data() -> Json:
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # six times as quick, where PyYAML was built with it
    text = files("pdmigrate.sandbox").joinpath("company.yaml").read_text(encoding="utf-8")
    data: Json = yaml.load(text, loader)  # noqa: S506 - both are safe
    return data


def build_company(now: datetime, with_v3: bool = False) -> Json:
    """The company's account document. Only spans (overrides, some layers, maintenance) and last incidents depend on `now`, by the day."""
    document: Json = json.loads(_write_company(now.astimezone(UTC).date(), with_v3))
    return document


@lru_cache(maxsize=8)
def _write_company(today: date, with_v3: bool) -> str:
    """As text: reading it gives everybody a document of his own, ten times as quickly as making it."""
    document: Json = copy.deepcopy(_read_data()["account"])
    for kind, (plural, _) in PATHS.items():
        document[plural] = [_complete(kind, row) for row in document[plural]]
    document["history"] = {"day": f"{today}"}
    for schedule in document["schedules"]:
        past = [_complete_layer(layer, schedule) for layer in document["past_layers"].get(schedule["id"], ())]
        document["past_layers"] |= {schedule["id"]: past} if past else {}
        spans = [*schedule["schedule_layers"], *past, *document["overrides"].get(schedule["id"], ())]
        for span in spans:
            span |= {edge: _place(span[edge], today, schedule["time_zone"]) for edge in ("start", "end")}
    for service in document["services"]:
        service["last_incident_timestamp"] = _place(service["last_incident_timestamp"], today, "UTC")
    for window in document["maintenance_windows"]:
        window |= {edge: _place(window[edge], today, document["time_zone"]) for edge in ("start_time", "end_time")}
    document = _fill_references(document, _index(document))
    if not with_v3:
        return json.dumps(document | {"schedules_v3": []})
    policies = {policy["id"]: policy for policy in document["escalation_policies"]}
    for schedule in document["schedules_v3"]:
        for policy in schedule["escalation_policies"]:
            policies[policy["id"]]["escalation_rules"][0]["targets"].append(
                refer({**schedule, "summary": schedule["name"]})
            )
    return json.dumps(document)


def build_harness_people() -> list[Json]:
    """Who has a Harness account already: `uuid`, `name` and `email` of each."""
    return copy.deepcopy(_read_data()["harness_people"])


def change_company(document: Json) -> None:
    """A week goes by: Ben Achebe leaves, Noam Adler joins the rota of Checkout, the service Loyalty points is added.

    What the schedules were until then stays in what is rendered of former days, and so does he in what happened.
    """
    left = {user["id"]: user for user in document["users"] if user["id"] == LEAVES}
    before = {schedule["id"]: copy.deepcopy(schedule["schedule_layers"]) for schedule in document["schedules"]}
    document.update(_without(document, LEAVES) | {"past_users": left})
    for policy in document["escalation_policies"]:  # a level that would have nobody goes with him
        policy["escalation_rules"] = [rule for rule in policy["escalation_rules"] if rule["targets"]]
    known = _index(document)
    schedule = next(one for one in document["schedules"] if one["id"] == JOINED)
    schedule["schedule_layers"][0]["users"].append({"user": dict(known[JOINS])})
    schedule["users"].append(dict(known[JOINS]))
    _keep_past(document, before)
    service = _complete("service", _read_data()["added"])
    service = _fill_references(service, known | {service["id"]: refer(service)})
    document["services"].append(service)
    policy = next(one for one in document["escalation_policies"] if one["id"] == service["escalation_policy"]["id"])
    policy["services"].append(refer(service))


def _complete(kind: str, row: Json) -> Json:
    """A record with its links and with the defaults of its kind; its parts likewise."""
    defaults = _read_data()["defaults"]
    fields = {**defaults.get(kind, {}), **row}
    record = make_record(kind, fields.pop("id"), fields.pop("name"), **fields)
    for name in PARTS & record.keys():
        record[name] = [_complete_part(name, {**defaults.get(name, {}), **part}, record) for part in record[name]]
    return record


def _complete_layer(layer: Json, schedule: Json) -> Json:
    return _complete_part("schedule_layers", {**_read_data()["defaults"]["schedule_layers"], **layer}, schedule)


def _complete_part(name: str, part: Json, owner: Json) -> Json:
    part = {**_read_data()["defaults"].get(part.get("type"), {}), **part}
    if name == "schedule_layers":
        part["users"] = [{"user": user} for user in part["users"]]
    if name == "integrations":
        key = {} if "integration_email" in part else {"integration_key": make_key(part["id"])}
        part |= {"service": owner["id"], **key}
    if "type" not in part:
        return part
    summary = part.get("name") or part.get("label")
    summary = summary or f"{part['start_delay_in_minutes']} minutes: channel {part['contact_method']}"
    return make_part(part.pop("type"), part.pop("id"), owner, name, summary, **part)


def _place(edge: str | None, today: date, zone: str) -> str | None:
    """A time; one that is given in days from today, in the zone."""
    relative = RELATIVE.fullmatch(edge or "")
    if not relative:
        return edge
    day = today + timedelta(days=int(relative[1]))
    return write_local(f"{day}T{relative[2]}:00", zone)


def _index(document: Json) -> dict[str, Json]:
    """The reference to everything that has a link, by id; to those who left, too."""
    linked = (row for row in _list_linked(document) if not row["type"].endswith("_reference"))
    return {row["id"]: row for row in _read_data()["left"]} | {row["id"]: refer(row) for row in linked}


def _list_linked(value: Any) -> Iterator[Json]:
    if isinstance(value, dict) and {"id", "type", "summary", "self"} <= value.keys():
        yield value
    if isinstance(value, dict | list):
        for one in value.values() if isinstance(value, dict) else value:
            yield from _list_linked(one)


def _fill_references(value: Any, known: dict[str, Json], field: str = "") -> Any:
    """References in the place of ids, wherever a field holds them; all of it anew, and nothing twice the same object."""
    if isinstance(value, dict):
        return {key: _fill_references(one, known, key) for key, one in value.items()}
    if isinstance(value, list):
        return [_fill_references(one, known, field) for one in value]
    return dict(known[value]) if field in IDS_IN and isinstance(value, str) else value


def _keep_past(document: Json, before: dict[str, list[Json]]) -> None:
    """The layers that were others until the day on which the account stands."""
    midnight = f"{document['history']['day']}T00:00:00+00:00"
    for schedule in document["schedules"]:
        former = before[schedule["id"]]
        if former != schedule["schedule_layers"]:
            kept = document["past_layers"].setdefault(schedule["id"], [])
            kept += [{**layer, "end": layer["end"] or midnight} for layer in former]


def _without(value: Any, user_id: str) -> Any:
    """The same without a person: gone from every list. A rotation closes the gap."""
    if isinstance(value, dict):
        return {key: _without(one, user_id) for key, one in value.items()}
    if not isinstance(value, list):
        return value
    owners = [one.get("user") or one if isinstance(one, dict) else {} for one in value]
    return [_without(one, user_id) for one, owner in zip(value, owners, strict=True) if owner.get("id") != user_id]
