"""What Harness takes from a person only, as documents that a person can work from: one YAML a schedule and a policy.

The schema is ours (`SCHEMA`, written beside the files as schema.json): Harness's own "Edit YAML" has none that is public.
Terraform is for user groups and users alone; the provider has no resource for anything on call.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import yaml

from pdmigrate.harness import records
from pdmigrate.oncall.windows import DAYS, describe_windows
from pdmigrate.oncall.words import format_turn
from pdmigrate.plan.actions import Action, Fields
from pdmigrate.workspace.file_names import make_file_name

VERSION = "pdmigrate-handover/1"

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
    "event_rules": {
        "rules": {"type": "array", "minItems": 1, "items": {"type": "object", "required": ["in_words", "of", "does"]}},
    },
}
_HEAD = {"schema": {"const": VERSION}, "name": _TEXT, "identifier": _TEXT, "description": _TEXT, "owner_group": _MAYBE}


def _make_shape(kind: str) -> Fields:
    properties = {**_HEAD, "kind": {"const": kind}, "pagerduty": {"type": "object"}, **_SHAPES[kind]}
    return {"type": "object", "properties": properties, "required": list(properties), "additionalProperties": False}


SCHEMA: Fields = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "title": "What pdmigrate hands to a person: a schedule, an escalation policy, or the event rules of a service",
    "description": "Ours, not Harness's. People are emails; times have an offset; waits are minutes.",
    "oneOf": [_make_shape(kind) for kind in _SHAPES],
}


class _Plain(yaml.SafeDumper):
    """Who types a file in has no use for anchors and aliases."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


def write_schedule(
    action: Action, overrides: Iterable[Action], pagerduty: Fields, turns: list[dict[str, str]], now: datetime
) -> str:
    """A schedule as YAML. turns: who is on call next, by PagerDuty's own rendering, to check the result against."""
    schedule = action.read(records.Schedule)
    zone = schedule.time_zone
    rotations = [
        {"in_words": describe_rotation(one, zone, now), **one.model_dump(mode="json")} for one in schedule.rotations
    ]
    stand_ins = []
    for one in (override.read(records.Override) for override in overrides):
        words = f"{one.person} from {format_local(one.start, zone)} to {format_local(one.end, zone)} {zone}"
        stand_ins.append({"in_words": words, **one.model_dump(mode="json", exclude={"identifier"})})
    body = {"time_zone": zone, "rotations": rotations, "overrides": stand_ins, "on_call_next": turns}
    return _write(action, "schedule", pagerduty, body)


def format_local(instant: datetime, zone: str) -> str:
    """As the form asks for it: by the wall clock of the schedule."""
    return f"{instant.astimezone(ZoneInfo(zone)):%Y-%m-%d %H:%M:%S}"


def write_policy(action: Action, pagerduty: Fields, names: dict[str, str]) -> str:
    """An escalation policy as YAML, its levels numbered. names: of schedules, by identifier."""
    levels = action.read(records.EscalationPolicy).levels
    numbered = [
        {
            "level": number,
            "in_words": describe_level(level, names, number == len(levels)),
            **level.model_dump(mode="json"),
        }
        for number, level in enumerate(levels, 1)
    ]
    return _write(action, "escalation_policy", pagerduty, {"levels": numbered})


def describe_level(level: records.Level, names: dict[str, str], last: bool) -> str:
    """A level by the names that Harness shows."""
    targets = " and ".join(f"the {t.type} {names.get(t.id, t.id)}" for t in level.targets)
    then = "the policy ends" if last else "the next level"
    return f"Page {targets}{', all at once' * (len(level.targets) > 1)}; {level.timeout_minutes} min later {then}"


def _write(action: Action, kind: str, pagerduty: Fields, body: Fields) -> str:
    said, owner = action.wanted.get("description") or "", action.wanted.get("owner_group")
    return dump_document(kind, action.name, action.identifier, said, owner, pagerduty, body)


def dump_document(
    kind: str, name: str, identifier: str, description: str, owner: str | None, pagerduty: Fields, body: Fields
) -> str:
    """A document of the form that SCHEMA describes, as YAML."""
    head = {"schema": VERSION, "kind": kind, "name": name, "identifier": identifier}
    document = {**head, "description": description, "owner_group": owner, "pagerduty": pagerduty, **body}
    return yaml.dump(document, Dumper=_Plain, sort_keys=False, allow_unicode=True, width=100)


def describe_rotation(rotation: records.Rotation, zone: str, now: datetime) -> str:
    """A rotation as somebody would say it to the one who types it in. A start that has passed need not be typed."""
    people = ", ".join(person or "(nobody)" for person in rotation.participants)
    turn, anchor = format_turn(rotation.turn_seconds), rotation.anchor
    when = f"the first from {DAYS[anchor.weekday()]} {anchor:%Y-%m-%d %H:%M:%S} {zone}"
    windows = "; ".join(describe_windows((w.day, w.start, w.seconds) for w in rotation.windows))
    since, until = rotation.since, rotation.until
    limits = [f"Since {format_local(since, zone)} {zone}"] if since and since > now else []
    limits += [f"Until {format_local(until, zone)} {zone}"] if until else []
    return ". ".join(
        filter(None, (f"Turns of {turn}, {when}: {people}", windows and f"Only {windows}", ", ".join(limits)))
    )


def make_terraform(groups: Iterable[Action], users: Iterable[Action], org: str, project: str) -> Fields:
    """User groups and users in Terraform's JSON syntax, for the provider harness/harness.

    harness_platform_user documents that it needs SSO with invitations that are accepted by themselves; elsewhere the
    invitation goes out, and the next plan finds nobody until the person has accepted. The provider sends the first role
    only; one with an underscore in front is Harness's own.
    """
    place = {"org_id": org, "project_id": project}
    teams: Fields = {}
    for action in groups:
        group = action.read(records.UserGroup)
        team = teams[action.identifier] = {"identifier": action.identifier, "name": group.name, **place}
        team["tags"] = [f"pagerduty_id:{action.key}"]
        if group.description:  # a text that somebody typed is no template
            team["description"] = group.description.replace("${", "$${").replace("%{", "%%{")
        team["user_emails"] = list(group.users)
    people: Fields = {}
    for action in users:
        member = action.read(records.Membership)
        groups_of = [f"${{harness_platform_usergroup.{g}.identifier}}" if g in teams else g for g in member.groups]
        name = f"user_{make_file_name(action.key)}"  # of letters, digits, _ and -: Terraform's own rule for a name
        user = people[name] = {"email": action.identifier, **place, "user_groups": groups_of}
        for role in member.roles[:1]:
            bound = {"role_identifier": role, "resource_group_identifier": "_all_project_level_resources"}
            user["role_bindings"] = [bound | {"managed_role": role.startswith("_")}]
    resources = {"harness_platform_usergroup": teams, "harness_platform_user": people}
    return {
        "terraform": {"required_providers": {"harness": {"source": "harness/harness"}}},
        "provider": {"harness": {}},
        "resource": {name: rows for name, rows in resources.items() if rows},
    }
