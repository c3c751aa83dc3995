"""What Harness takes from a person only, as documents that a person can work from: one YAML a schedule and a policy.

The schema is ours (`SCHEMA`, written beside the files as schema.json): Harness's own "Edit YAML" has none that is public.
Terraform is for user groups and users alone; the provider has no resource for anything on call.
"""

import re
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import yaml

from pdmigrate.plan.actions import Action, Fields

VERSION = "pdmigrate-handover/1"
DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
TURNS = ((604800, "week"), (86400, "day"), (3600, "hour"), (60, "minute"), (1, "second"))

_TEXT: Fields = {"type": "string"}
_MAYBE: Fields = {"type": ["string", "null"]}
_SHAPES: dict[str, Fields] = {
    "schedule": {
        "time_zone": _TEXT,
        "rotations": {"type": "array", "items": {"type": "object", "required": ["name", "in_words", "participants"]}},
        "overrides": {"type": "array", "items": {"type": "object", "required": ["in_words", "person", "start", "end"]}},
        "on_call_next": {"type": "array", "items": {"type": "object", "required": ["start", "end", "person"]}},
    },
    "escalation_policy": {
        "levels": {
            "type": "array",
            "minItems": 1,
            "items": {"type": "object", "required": ["level", "in_words", "timeout_minutes", "retries", "targets"]},
        },
    },
}
_HEAD = {"schema": {"const": VERSION}, "name": _TEXT, "identifier": _TEXT, "description": _TEXT, "owner_group": _MAYBE}


def _make_shape(kind: str) -> Fields:
    properties = {**_HEAD, "kind": {"const": kind}, "pagerduty": {"type": "object"}, **_SHAPES[kind]}
    return {"type": "object", "properties": properties, "required": list(properties), "additionalProperties": False}


SCHEMA: Fields = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "title": "What pdmigrate hands to a person: a schedule or an escalation policy",
    "description": "Ours, not Harness's. People are emails; times have an offset; waits are minutes.",
    "oneOf": [_make_shape(kind) for kind in _SHAPES],
}


class _Plain(yaml.SafeDumper):
    """Who types a file in has no use for anchors and aliases."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


def write_schedule(
    action: Action, overrides: Iterable[Action], pagerduty: Fields, turns: list[Fields], now: datetime
) -> str:
    """A schedule as YAML. turns: who is on call next, by PagerDuty's own rendering, to check the result against."""
    fields = action.after or {}
    rotations = [{"in_words": tell_rotation(r, fields["time_zone"], now), **r} for r in fields["rotations"]]
    stand_ins = [_write_stand_in(o.after or {}, fields["time_zone"]) for o in overrides]
    body = {"time_zone": fields["time_zone"], "rotations": rotations, "overrides": stand_ins, "on_call_next": turns}
    return _write(action, "schedule", pagerduty, body)


def _write_stand_in(fields: Fields, zone: str) -> Fields:
    start, end = (datetime.fromisoformat(fields[edge]).astimezone(ZoneInfo(zone)) for edge in ("start", "end"))
    words = f"{fields['person']} from {start:%Y-%m-%d %H:%M:%S} to {end:%Y-%m-%d %H:%M:%S} {zone}"
    return {"in_words": words, **{name: value for name, value in fields.items() if name != "schedule"}}


def write_policy(action: Action, pagerduty: Fields, names: dict[str, str]) -> str:
    """An escalation policy as YAML, its levels numbered. names: of schedules, by identifier."""
    levels = (action.after or {})["levels"]
    numbered = [
        {"level": number, "in_words": tell_level(level, names, number == len(levels)), **level}
        for number, level in enumerate(levels, 1)
    ]
    return _write(action, "escalation_policy", pagerduty, {"levels": numbered})


def tell_level(level: Fields, names: dict[str, str], last: bool) -> str:
    """A level by the names that Harness shows."""
    targets = " and ".join(f"the {t['type']} {names.get(t['id'], t['id'])}" for t in level["targets"])
    then = "the policy ends" if last else "the next level"
    return f"Page {targets}{', all at once' * (len(level['targets']) > 1)}; {level['timeout_minutes']} min later {then}"


def _write(action: Action, kind: str, pagerduty: Fields, body: Fields) -> str:
    fields = action.after or {}
    head = {"schema": VERSION, "kind": kind, "name": action.name, "identifier": action.identifier}
    rest = {"description": fields.get("description") or "", "owner_group": fields.get("owner_group")}
    document = {**head, **rest, "pagerduty": pagerduty, **body}
    return yaml.dump(document, Dumper=_Plain, sort_keys=False, allow_unicode=True, width=100)


def tell_rotation(rotation: Fields, zone: str, now: datetime) -> str:
    """A rotation as somebody would say it to the one who types it in. A start that has passed need not be typed."""
    people = ", ".join(person or "(nobody)" for person in rotation["participants"])
    anchor = datetime.fromisoformat(rotation["anchor"])
    turn = _tell_turn(rotation["turn_seconds"])
    when = f"the first from {DAYS[anchor.weekday()]} {anchor:%Y-%m-%d %H:%M:%S} {zone}"
    windows = "; ".join(_tell_windows(rotation["windows"]))
    limits = [f"{word} {_read_limit(rotation, word, zone)}" for word in ("Since", "Until") if rotation[word.lower()]]
    if rotation["since"] and datetime.fromisoformat(rotation["since"]) <= now:
        limits = limits[1:]
    return ". ".join(
        filter(None, (f"Turns of {turn}, {when}: {people}", windows and f"Only {windows}", ", ".join(limits)))
    )


def _read_limit(rotation: Fields, word: str, zone: str) -> str:
    return f"{datetime.fromisoformat(rotation[word.lower()]).astimezone(ZoneInfo(zone)):%Y-%m-%d %H:%M:%S} {zone}"


def _tell_turn(seconds: int) -> str:
    size, word = next((size, word) for size, word in TURNS if seconds % size == 0)
    number = seconds // size
    return f"{number} {word}{'s' * (number != 1)}"


def _tell_windows(windows: list[Fields]) -> Iterator[str]:
    """Windows of the same hours in one breath, as a form takes them."""
    hours = dict.fromkeys((window["start"], window["seconds"]) for window in windows)
    for start, seconds in hours:
        days = [w["day"] for w in windows if (w["start"], w["seconds"]) == (start, seconds)]
        yield f"{_tell_days(days)} from {start} to {_tell_end(days, start, seconds)}"


def _tell_end(days: list[int], start: str, seconds: int) -> str:
    """By the wall clock, with the day where it is another one."""
    hours, minutes, rest = map(int, start.split(":"))
    later, second = divmod(hours * 3600 + minutes * 60 + rest + seconds, 86400)
    clock = f"{second // 3600:02}:{second // 60 % 60:02}:{second % 60:02}"
    if later > 1 and len(days) == 1:
        return f"{DAYS[(days[0] - 1 + later) % 7]} {clock}"
    return clock + ("", " the next day")[later] if later < 2 else f"{clock}, {later} days later"


def _tell_days(days: list[int]) -> str:
    if len(days) == len(DAYS):
        return "every day"
    names = [DAYS[day - 1] for day in days]
    in_a_row = len(days) > 2 and days == list(range(days[0], days[0] + len(days)))
    return f"{names[0]} to {names[-1]}" if in_a_row else ", ".join(names)


def make_terraform(groups: Iterable[Action], users: Iterable[Action], org: str, project: str) -> Fields:
    """User groups and users in Terraform's JSON syntax, for the provider harness/harness.

    harness_platform_user documents that it needs SSO with invitations that are accepted by themselves; elsewhere the
    invitation goes out, and the next plan finds nobody until the person has accepted.
    """
    place = {"org_id": org, "project_id": project}
    teams = {action.identifier: _make_group(action, place) for action in groups}
    people = {_name_resource(action): _make_user(action, place, teams) for action in users}
    resources = {"harness_platform_usergroup": teams, "harness_platform_user": people}
    return {
        "terraform": {"required_providers": {"harness": {"source": "harness/harness"}}},
        "provider": {"harness": {}},
        "resource": {name: rows for name, rows in resources.items() if rows},
    }


def _make_group(action: Action, place: dict[str, str]) -> Fields:
    fields = action.after or {}
    described = {"description": _escape(fields["description"])} if fields["description"] else {}
    tags = [f"pagerduty_id:{action.key}"]
    named = {"identifier": action.identifier, "name": fields["name"], **place, "tags": tags}
    return {**named, **described, "user_emails": list(fields["users"])}


def _make_user(action: Action, place: dict[str, str], teams: Fields) -> Fields:
    fields = action.after or {}
    groups = [f"${{harness_platform_usergroup.{g}.identifier}}" if g in teams else g for g in fields["groups"]]
    bound = [_bind(role) for role in (fields.get("roles") or ())[:1]]
    named = {"email": action.identifier, **place, "user_groups": groups}
    return {**named, "role_bindings": bound} if bound else named


def _bind(role: str) -> Fields:
    """The provider sends the first role only; one with an underscore in front is Harness's own."""
    return {
        "role_identifier": role,
        "resource_group_identifier": "_all_project_level_resources",
        "managed_role": role.startswith("_"),
    }


def _name_resource(action: Action) -> str:
    return f"user_{re.sub(r'[^A-Za-z0-9_]', '_', action.key)}"


def _escape(text: str) -> str:
    """A text that somebody typed is no template."""
    return text.replace("${", "$${").replace("%{", "%%{")
