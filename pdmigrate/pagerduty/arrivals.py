"""Makes records of the rows of a snapshot. A row that cannot be used becomes a Problem with its name, and the rest goes on.

A Problem stops its object. A remark stops nothing: a part was left out, or a value is not known to this version.
"""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from pydantic import ValidationError

from pdmigrate.pagerduty import records
from pdmigrate.pagerduty.fields import TABLES, FieldTable, show_value
from pdmigrate.pagerduty.records import Found, Problem, Record
from pdmigrate.pagerduty.urgency import describe_unreadable
from pdmigrate.pagerduty.v3_records import ScheduleV3

KINDS: dict[str, type[Record]] = {
    "users": records.User,
    "teams": records.Team,
    "schedules": records.Schedule,
    "schedules_v3": ScheduleV3,
    "escalation_policies": records.EscalationPolicy,
    "services": records.Service,
}

PARTS: dict[str, dict[str, type[Record]]] = {
    "users": {
        "contact_methods": records.ContactMethod,
        "notification_rules": records.NotificationRule,
        "teams": records.Reference,
    },
    "teams": {"members": records.Member},
    "schedules": {"teams": records.Reference, "escalation_policies": records.Reference},
    "schedules_v3": {"teams": records.Reference, "escalation_policies": records.Reference},
    "escalation_policies": {"teams": records.Reference},
    "services": {"integrations": records.Integration, "teams": records.Reference},
}
"""Lists whose rows can be left out one by one: the object is still what it is without them."""

NOT_READ = {
    "schedule_layers": "its layers were not read, so nobody can say who is on call in it: "
    "save GET /schedules/ID, or ask the list with include[]=schedule_layers",
    "users": "who takes turns in it was not read: save GET /schedules/ID",
    "rotations": "its rotations were not read, so nobody can say who is on call in it: save GET /v3/schedules/ID",
    "events": "when its shifts are was not read: save GET /v3/schedules/ID",
    "escalation_rules": "its levels were not read, so nobody can say whom it pages: save GET /escalation_policies/ID",
    "targets": "whom the level pages was not read: save GET /escalation_policies/ID",
}
"""Lists without which an object is none: absent or null they were not read, and are never taken for empty."""
PLAIN_WORD = re.compile(r"[a-z]+(_[a-z]+)*")
"""A value of an enumeration, as PagerDuty writes them: it may be quoted."""
UNREAD = {
    "overrides_subschedule": "its overrides were not read: those that PagerDuty has are not carried over, and whoever "
    "stands in by one is not on call in Harness. Look into PagerDuty, or save GET /schedules/ID with since and until",
    "overrides": "its overrides were not read: those that PagerDuty has are not carried over, and whoever stands in by "
    "one is not on call in Harness. Look into PagerDuty, or save GET /v3/schedules/ID/overrides",
    "custom_shifts": "its custom shifts were not read: those that PagerDuty has are not carried over, and whoever is "
    "there is not on call in Harness. Look into PagerDuty, or save GET /v3/schedules/ID/custom_shifts",
    "contact_methods": "its contact methods were not read, and none is carried over: ask with include[]=contact_methods",
    "notification_rules": "its notification rules were not read, and none is carried over: "
    "ask with include[]=notification_rules",
    "teams": "its teams were not read: ask for the members of the teams",
    "members": "its members were not read: those are taken who say of themselves that they are in it, without a role. "
    "Save GET /teams/ID/members",
    "integrations": "its integrations were not read: what sends to it is not listed. Ask with include[]=integrations",
}
"""Parts that an object can do without: what is said of one that was not read."""

ROLES = "admin limited_user observer owner read_only_user read_only_limited_user restricted_access user"
CONTACTS = "email phone sms push_notification slack whatsapp"


@dataclass(frozen=True)
class Arrived:
    """The records of one kind by id, the problems of the rows that are none, and the remarks about the others."""

    by_id: dict[str, Any]
    problems: tuple[Problem, ...]
    remarks: tuple[Problem, ...]


def read_records(kind: str, rows: Iterable[Any]) -> Arrived:
    """Records of one kind, sorted by id."""
    found: dict[str, Any] = {}
    problems: list[Problem] = []
    remarks: list[Problem] = []
    for row in rows:
        try:
            record: Any = KINDS[kind].model_validate(_keep_usable_parts(kind, row, remarks))
            found[record.id] = record
        except ValidationError as error:
            problems.append(_name_problem(kind, row, _describe(error)))
    by_id = {id: found[id] for id in sorted(found)}
    remarks += [describe_problem(kind, record, said) for record in by_id.values() for said in _CHECKS[kind](record)]
    return Arrived(by_id, _in_order(problems), _in_order(remarks))


def describe_unread(kind: str, arrived: Arrived) -> Arrived:
    """With a remark about each part that was not read: it is not "none", and a person has to look."""
    said = [
        describe_problem(kind, record, UNREAD[part])
        for record in arrived.by_id.values()
        for part in getattr(record, "unread", ())
    ]
    return Arrived(arrived.by_id, arrived.problems, _in_order([*arrived.remarks, *said]))


def _keep_usable_parts(kind: str, row: Any, remarks: list[Problem]) -> Any:
    if not isinstance(row, dict):
        return row
    kept: dict[str, Any] = {}
    for name, model in PARTS[kind].items():
        if isinstance(row.get(name), list):
            kept[name] = [part for part in row[name] if not _complain(kind, row, name, model, part, remarks)]
    final = row.get("final_schedule") if kind == "schedules" else None
    if final is not None and _complain(kind, row, "final_schedule", records.Rendered, final, remarks):
        kept["final_schedule"] = None  # the schedule is carried over all the same, and cannot be checked by it
    return _add_notes(kind, {**row, **kept})


def _add_notes(kind: str, row: dict[str, Any]) -> dict[str, Any]:
    """The row with what it has beyond its record; parts that are objects of their own have notes of their own."""
    notes = read_notes(kind, row)
    own = TABLES[kind].own.split()
    parts = {part: [_add_notes(part, one) for one in row[part]] for part in own if isinstance(row.get(part), list)}
    noted = {"left_fields": tuple(notes.left.values()), "unknown_fields": tuple(notes.unknown.values())}
    return {**row, **parts, **noted}


# --- what a row has that does not go to Harness: by name and reason, never by value ---


@dataclass
class Notes:
    """left: fields that the tables know and that stay behind. unknown: fields and values that no table has."""

    left: dict[str, Found] = field(default_factory=dict)
    unknown: dict[str, Found] = field(default_factory=dict)


def read_notes(kind: str, row: dict[str, Any]) -> Notes:
    """What of a row of this kind stays behind, or is not known."""
    notes = Notes()
    _walk(TABLES[kind], row, "", notes)
    return notes


def _walk(table: FieldTable, row: dict[str, Any], path: str, notes: Notes) -> None:
    for name in sorted([name for name in row if name not in table.plain and isinstance(name, str)]):
        value = row[name]
        newer = table.older.get(name)
        if table.speaks(name, value) and not (newer and table.speaks(newer, row.get(newer))):
            _note(table, name, value, f"{path}{name}", notes)


def _note(table: FieldTable, name: str, value: Any, where: str, notes: Notes) -> None:
    words = table.lost.get(name, table.listed.get(name, ""))
    if words:
        reason = words if isinstance(words, str) else words(value)
        notes.left[where] = Found(where, reason, name in table.lost)
    if name not in table.names:
        where = where.removesuffix(name) + show_value(name)
        notes.unknown[where] = Found(where, pages=table.pages)
    known = table.known.get(name)
    if known is not None and not (isinstance(value, str) and value.removesuffix("_reference") in known.split()):
        full = f"{where}={show_value(value)}"
        notes.unknown[full] = Found(full, pages=table.pages)
    if name in table.parts:
        for part in value if isinstance(value, list) else [value]:
            if isinstance(part, dict):
                _walk(TABLES[table.parts[name]], part, f"{where}.", notes)


# --- what is odd about it ---


def _complain(
    kind: str, row: dict[str, Any], field: str, model: type[Record], part: Any, remarks: list[Problem]
) -> bool:
    try:
        model.model_validate(part)
    except ValidationError as error:
        id = part.get("id") if isinstance(part, dict) else part
        remarks.append(_name_problem(kind, row, f"{field} {id} was left out: {_describe(error)}"))
        return True
    return False


def _check_user(user: records.User) -> list[str]:
    said = _unknown("role", user.role, ROLES)
    for method in user.contact_methods:
        said += _unknown(
            f"type of the contact method {method.id}", method.type.removesuffix("_contact_method"), CONTACTS
        )
    for rule in user.notification_rules:
        said += _unknown(f"urgency of the notification rule {rule.id}", rule.urgency, "high low")
    return said


def _check_team(team: records.Team) -> list[str]:
    known = "manager responder observer"
    return [said for m in team.members for said in _unknown(f"role of {m.user.summary or m.user.id}", m.role, known)]


def _check_policy(policy: records.EscalationPolicy) -> list[str]:
    numbered = [(n, target) for n, rule in enumerate(policy.escalation_rules, 1) for target in rule.targets]
    known = "user schedule schedule_v3"
    return [
        said
        for n, target in numbered
        for said in _unknown(f"type of a target of level {n}, {target.summary or target.id},", target.type, known)
    ]


def _check_service(service: records.Service) -> list[str]:
    rule = service.incident_urgency_rule
    said = _unknown("status", service.status, "active warning critical maintenance disabled")
    said += _unknown("type of its urgency rule", rule.type if rule else None, "constant use_support_hours")
    said += [words] if (words := describe_unreadable(service)) else []
    return said + _unknown("urgency", rule.urgency if rule else None, "high low severity_based")


_CHECKS: dict[str, Callable[[Any], list[str]]] = {
    "users": _check_user,
    "teams": _check_team,
    "schedules": lambda schedule: [],
    "schedules_v3": lambda schedule: [],
    "escalation_policies": _check_policy,
    "services": _check_service,
}


def _unknown(what: str, value: str | None, known: str) -> list[str]:
    return (
        [f"the {what} is {value!r}, which this version does not know"] if value and value not in known.split() else []
    )


def describe_problem(kind: str, record: Any, message: str) -> Problem:
    """A sentence about a record, with its name and id."""
    return Problem(kind=kind, id=record.id, name=record.name, message=message)


def _name_problem(kind: str, row: Any, message: str) -> Problem:
    row = row if isinstance(row, dict) else {}
    return Problem(kind=kind, id=str(row.get("id")), name=str(row.get("name") or row.get("summary")), message=message)


def _describe(error: ValidationError) -> str:
    """What is wrong and where; a value is left out, since it may be anything, but for an unknown word of a list."""
    return "; ".join(f"{'.'.join(map(str, e['loc']))}: {_word(e)}" for e in error.errors())


def _word(error: Any) -> str:
    absent = error["type"] == "missing" and error["loc"]
    if error["type"] == "literal_error" and PLAIN_WORD.fullmatch(str(error["input"])):
        return f"{error['msg']}, not '{error['input']}'"
    return str(NOT_READ.get(str(error["loc"][-1]), error["msg"]) if absent else error["msg"])


def _in_order(problems: Iterable[Problem]) -> tuple[Problem, ...]:
    """One order whatever order the rows came in: a digest is made over it."""
    return tuple(sorted(problems, key=lambda problem: (problem.id, problem.name, problem.message)))
