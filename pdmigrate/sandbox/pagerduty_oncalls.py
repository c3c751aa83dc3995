"""GET /oncalls of an embedded PagerDuty: who is on call at each level of each escalation policy, within 90 days.

It answers for policies that a service uses, and for no others. Entries that cross an edge are not cut there; somebody who
is a target himself is on call without a start or an end. A user who was deleted is not on call.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from flask import request

from pdmigrate.sandbox.gate import document
from pdmigrate.sandbox.pagerduty_lists import shape_user, stored
from pdmigrate.sandbox.pagerduty_schedules import find_user_zone, read_time, read_zone, schedule_sources, write_instant
from pdmigrate.sandbox.pagerduty_v3 import render_shifts
from pdmigrate.sandbox.pagerduty_wire import as_reference, asked, included, invalid, paged
from pdmigrate.sandbox.pagerduty_zones import own_zone
from pdmigrate.sandbox.rendering import Source, read_instant, render_whole
from pdmigrate.sandbox.store import Json

FARTHEST = timedelta(days=90)
INCLUDABLE = {"user": "users", "schedule": "schedules", "escalation_policy": "escalation_policies"}


def list_oncalls() -> Json:
    """A page of who is on call, by policy and level."""
    zone = read_zone(find_user_zone())
    now = datetime.now(UTC)
    since = read_time("since", zone) or now
    until = read_time("until", zone) or max(since, now) + timedelta(seconds=1)
    if until <= since or until - since > FARTHEST:
        raise invalid("Until must be after since, and at most 90 days after it.")
    wanted = {field: ids for field in INCLUDABLE if (ids := request.args.getlist(f"{field}_ids[]"))}
    found = [oncall for oncall in _find_oncalls(since, until, zone, wanted) if _is_wanted(oncall, wanted)]
    page = paged(_keep_earliest(found) if asked("earliest") else found, "oncalls")
    records = {kind: _index(kind) for kind in INCLUDABLE.values() if included(kind)}
    return {**page, "oncalls": [_expand(oncall, records) for oncall in page["oncalls"]]}


def _find_oncalls(since: datetime, until: datetime, zone: ZoneInfo, wanted: dict[str, list[str]]) -> Iterable[Json]:
    """What was recorded, where that covers the time asked for (`oncalls` of the account); else what the account means."""
    recorded = document().get("oncalls") or {}
    covers = recorded and read_instant(recorded["since"]) <= since and read_instant(recorded["until"]) >= until
    if covers:
        return [one for one in recorded["oncalls"] if _touches(one, since, until)]
    policies = wanted.get("escalation_policy")
    return _make(since, until, zone, [one for one in _list_targets() if policies is None or one[0]["id"] in policies])


def _touches(oncall: Json, since: datetime, until: datetime) -> bool:
    begun = not oncall["start"] or read_instant(oncall["start"]) < until
    return begun and (not oncall["end"] or read_instant(oncall["end"]) > since)


def _make(since: datetime, until: datetime, zone: ZoneInfo, targets: list[tuple[Json, int, Json]]) -> Iterator[Json]:
    users, turns = _index("users"), {}
    asked_for = {target["id"] for _, _, target in targets}
    for schedule in (one for one in stored("schedules") if one["id"] in asked_for):
        sources = schedule_sources(schedule)
        said = _Sources(repr(sources), tuple(sources))
        turns[schedule["id"]] = _render_once(said, own_zone(schedule), since, until, zone)
    for schedule in (
        one for one in stored("schedules_v3") if one["id"] in asked_for
    ):  # a place of nobody is on call for nobody
        shifts = [one for one in render_shifts(schedule, since, until) if one.member["type"] == "user_member"]
        ids = [one.member["user_id"] for one in shifts]
        people = [as_reference(users.get(id) or {"id": id, "type": "user"}) for id in ids]
        spans = [(write_instant(one.start, zone), write_instant(one.end, zone)) for one in shifts]
        turns[schedule["id"]] = [(user, *span) for user, span in zip(people, spans, strict=True)]
    for policy, level, target in targets:
        place = {"escalation_policy": as_reference(policy), "escalation_level": level}
        if target["type"].startswith("user"):
            yield {**place, "user": as_reference(target), "schedule": None, "start": None, "end": None}
        for user, start, end in turns.get(target["id"], ()):
            yield {**place, "user": user, "schedule": as_reference(target), "start": start, "end": end}


@dataclass(frozen=True)
class _Sources:
    """What serves in a schedule, told apart by all that it says."""

    said: str
    listed: tuple[Source, ...] = field(compare=False)


@lru_cache(maxsize=1024)
def _render_once(
    sources: _Sources, own: ZoneInfo, since: datetime, until: datetime, zone: ZoneInfo
) -> list[tuple[Json, str, str]]:
    """The turns of a schedule in its own zone, written in another one: all pages of a list are of the same turns."""
    entries = render_whole(sources.listed, own, since, until)
    return [(as_reference(one.user), write_instant(one.start, zone), write_instant(one.end, zone)) for one in entries]


def _list_targets() -> Iterator[tuple[Json, int, Json]]:
    used = {service["escalation_policy"]["id"] for service in stored("services") if service.get("escalation_policy")}
    for policy in stored("escalation_policies"):
        for level, rule in enumerate(policy.get("escalation_rules") or [], start=1):
            there = [target for target in rule.get("targets") or [] if not target.get("deleted_at")]
            yield from ((policy, level, target) for target in there if policy["id"] in used)


def _is_wanted(oncall: Json, wanted: dict[str, list[str]]) -> bool:
    return all((oncall[field] or {"id": "null"})["id"] in ids for field, ids in wanted.items())


def _keep_earliest(oncalls: list[Json]) -> list[Json]:
    """The first of each user at each level."""
    first: dict[tuple[str, int, str], Json] = {}
    for oncall in sorted(oncalls, key=lambda one: read_instant(one["start"] or "0001-01-01")):
        first.setdefault((oncall["escalation_policy"]["id"], oncall["escalation_level"], oncall["user"]["id"]), oncall)
    return list(first.values())


def _index(kind: str) -> dict[str, Json]:
    rows = [*stored(kind), *(stored("schedules_v3") if kind == "schedules" else ())]
    return {row["id"]: row for row in rows}


def _expand(oncall: Json, records: dict[str, dict[str, Json]]) -> Json:
    """The records in the place of references, where the request includes their kind."""
    whole = {f: records[kind].get((oncall[f] or {"id": ""})["id"]) for f, kind in INCLUDABLE.items() if kind in records}
    shown = {field: shape_user(row) if field == "user" else row for field, row in whole.items() if row}
    return {**oncall, **shown}
