"""The files of a handover: documents for what is made by hand, sheets for the rest, and a letter for each person."""

import io
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import TypedDict
from zoneinfo import ZoneInfo

from pdmigrate.handover.event_rules import write_drafts
from pdmigrate.handover.items import Item, name_document
from pdmigrate.handover.links import Links
from pdmigrate.handover.objects import SCHEMA, make_terraform, write_policy, write_schedule
from pdmigrate.handover.people import write_letters
from pdmigrate.handover.services import Row, list_lines
from pdmigrate.harness import records
from pdmigrate.mapping.draft import Draft
from pdmigrate.mapping.numbers import read_phone, write_phone
from pdmigrate.mapping.proof import read_shown
from pdmigrate.oncall import rota
from pdmigrate.pagerduty.records import ContactMethod, Schedule
from pdmigrate.pagerduty.v3_records import ScheduleV3
from pdmigrate.plan.actions import Action
from pdmigrate.plan.planning import WAITS
from pdmigrate.workspace.cells import write_rows


class Entry(TypedDict):
    """A row of a sheet, and the keys of the items that it stands with."""

    keys: list[str]
    row: list[tuple[str, str | int | None]]


TURNS_SHOWN = 8


@dataclass(frozen=True)
class Files:
    """What a handover is written from, by path in its folder. A row of a sheet stands with the keys of its items."""

    texts: dict[str, str] = field(default_factory=dict)
    sheets: dict[str, list[Entry]] = field(default_factory=dict)
    people: dict[str, dict[str, str]] = field(default_factory=dict)


def make_files(found: Draft, links: Links) -> Files:
    """All that items may name, and who the people are."""
    users = found.mapped.in_scope("users")
    people = {user.id: {"name": user.name, "email": found.mapped.emails.get(user.id, user.email)} for user in users}
    texts = _write_documents(found, links)
    groups, invited = _handed(found, "teams"), _handed(found, "users")
    if groups or invited:
        made = make_terraform(groups, invited, links.org, links.project)
        texts["terraform/main.tf.json"] = json.dumps(made, indent=1, ensure_ascii=False) + "\n"
    sheets = {"contact_details.csv": _list_contacts(found), "notification_rules.csv": _list_rules(found)}
    for items, row in list_lines(found, links):
        sheets.setdefault(items[0].file, []).append(_entry(row, *(item.key for item in items)))
    return Files(texts, sheets, people)


def write_files(files: Files, items: Iterable[Item]) -> dict[str, str]:
    """Path to text of what these items need: documents whole, of sheets and letters what is theirs."""
    items = tuple(items)
    keys, named = {item.key for item in items}, {item.file for item in items if item.file}
    texts = {path: text for path, text in files.texts.items() if path in named}
    if any(path.endswith(".yaml") for path in texts):
        texts["schema.json"] = files.texts["schema.json"]
    for path in named & files.sheets.keys():
        texts[path] = write_csv(dict(entry["row"]) for entry in files.sheets[path] if keys.intersection(entry["keys"]))
    return texts | write_letters(items, files.people)


def _write_documents(found: Draft, links: Links) -> dict[str, str]:
    files = {"schema.json": json.dumps(SCHEMA, indent=1) + "\n"}
    for action in _handed(found, "schedules"):
        source = found.account.all_schedules.get(action.key)
        overrides = [a for a in _handed(found, "overrides") if a.identifier.startswith(f"{action.identifier}/")]
        back = {"id": action.key, "link": links.to_pagerduty("schedules", action.key)}
        turns = _next_turns(found, source, action.read(records.Schedule).time_zone)
        files[name_document("schedules", action.identifier)] = write_schedule(
            action, overrides, back, turns, found.account.since
        )
    names = {wish.identifier: wish.name for wish in found.mapped.desired if wish.kind == "schedules"}
    for action in _handed(found, "escalation_policies"):
        back = {"id": action.key, "link": links.to_pagerduty("escalation_policies", action.key)}
        files[name_document("policies", action.identifier)] = write_policy(action, back, names)
    return files | write_drafts(found, links)


def _handed(found: Draft, kind: str) -> list[Action]:
    return [a for a in found.plan.actions if a.kind == kind and a.verb == "handover" and a.reason != WAITS]


def _next_turns(found: Draft, schedule: Schedule | ScheduleV3 | None, zone: str) -> list[dict[str, str]]:
    """Who is on call next by PagerDuty's own rendering, in the schedule's zone; nobody where it gave none."""
    shown = read_shown(schedule) if schedule else None
    here = ZoneInfo(zone)
    turns = [
        {
            "start": rota.to_datetime(start).astimezone(here).isoformat(),
            "end": rota.to_datetime(end).astimezone(here).isoformat(),
            "person": found.mapped.emails.get(id, id),
        }
        for start, end, people in (shown.entries if shown else ())
        for id in sorted(people)
    ]
    return turns[:TURNS_SHOWN]


# --- sheets ---


def _entry(row: Row, *keys: str) -> Entry:
    """The cells as pairs, since JSON on disk keeps no order of a dict."""
    return {"keys": list(keys), "row": list(row.items())}


def write_csv(rows: Iterable[Row], columns: Sequence[str] = ()) -> str:
    """Rows as CSV. columns: the heading; without it the keys of the first row, and nothing where there is no row."""
    rows, out = list(rows), io.StringIO()
    names = columns or [*rows[0]] if rows or columns else []
    if names:
        write_rows(out, [names, *([row[name] for name in names] for row in rows)])
    return out.getvalue()


def _list_contacts(found: Draft) -> list[Entry]:
    rows: list[Entry] = []
    for action in _handed(found, "contact_methods"):
        user = found.account.users[action.key]
        methods = action.read(records.ContactDetails).methods
        labels: dict[tuple[str, str], str] = {(one.type, one.address): one.label for one in methods}
        for method in (m for m in user.contact_methods if m.id in action.sources):
            kind, address = read_channel(method)
            row = {"person": user.name, "email": action.identifier, "type": kind, "address": address}
            row |= {
                "extension": read_extension(method),
                "label": labels.get((kind, address), "Other"),
                "pagerduty_id": method.id,
            }
            rows.append(_entry(row, action.id))
    return rows


def read_channel(method: ContactMethod) -> tuple[str, str]:
    """Type and address as Harness has them."""
    kind = method.type.removesuffix("_contact_method")
    if kind == "email":
        return kind, (method.address or "").strip().lower()
    number = read_phone(method)
    return kind, write_phone(number) if number else ""


def read_extension(method: ContactMethod) -> str:
    """What is dialled after the number, for whoever types it in; Harness documents no place for it."""
    number = read_phone(method) if method.type in ("phone_contact_method", "sms_contact_method") else None
    return (number.extension or "") if number else ""


def _list_rules(found: Draft) -> list[Entry]:
    """One line a rule, in the order of the steps; the wait is counted from the step before."""
    rows: list[Entry] = []
    for action in _handed(found, "notification_rules"):
        user = found.account.users[action.key]
        methods = {m.id: read_channel(m) for m in user.contact_methods}
        planned = [r for r in user.notification_rules if r.id in action.sources]  # each with a delay and a method
        rules = sorted((r.start_delay_in_minutes or 0, r.id, r.contact_method.id) for r in planned if r.contact_method)
        delays = sorted({delay for delay, _, _ in rules})
        for delay, id, method in rules:
            at = delays.index(delay)
            kind, address = methods[method]
            wait = delay - (delays[at - 1] if at else 0)
            row: Row = {"person": user.name, "email": action.identifier, "step": at + 1, "wait_minutes": wait}
            rows.append(_entry({**row, "type": kind, "address": address, "pagerduty_id": id}, action.id))
    return rows
