"""GET /oncalls of an embedded PagerDuty: who stands in an escalation policy now, or within a window of 90 days."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from flask import Flask, request

from pdmigrate.sandbox.pagerduty_lists import stored
from pdmigrate.sandbox.pagerduty_schedules import find_user_zone, read_time, read_zone, schedule_sources, write_instant
from pdmigrate.sandbox.pagerduty_wire import as_reference, invalid, paged
from pdmigrate.sandbox.pagerduty_zones import own_zone
from pdmigrate.sandbox.rendering import render_whole

FARTHEST = timedelta(days=90)


def add_oncalls(app: Flask) -> None:
    """Add the route. It knows v2 schedules and users; schedules that no policy uses are not in it."""
    app.add_url_rule("/oncalls", "oncalls", list_oncalls)


def list_oncalls() -> dict:
    """A page of who is on call, by policy and level."""
    zone = read_zone(find_user_zone())
    now = datetime.now(UTC)
    since = read_time("since", zone) or now
    until = read_time("until", zone) or max(since, now) + timedelta(seconds=1)
    if until <= since or until - since > FARTHEST:
        raise invalid("Until must be after since, and at most 90 days after it.")
    return paged([oncall for oncall in _oncalls(since, until, zone) if _is_wanted(oncall)], "oncalls")


def _oncalls(since: datetime, until: datetime, zone: ZoneInfo) -> Iterator[dict]:
    schedules = {schedule["id"]: schedule for schedule in stored("schedules")}
    for policy, level, target in _targets():
        place = {"escalation_policy": as_reference(policy), "escalation_level": level}
        if target["type"].startswith("user"):
            yield {**place, "user": as_reference(target), "schedule": None, "start": None, "end": None}
        elif target["id"] in schedules:
            yield from ({**place, **turn} for turn in _turns(schedules[target["id"]], since, until, zone))


def _turns(schedule: dict, since: datetime, until: datetime, zone: ZoneInfo) -> Iterator[dict]:
    for entry in render_whole(schedule_sources(schedule), own_zone(schedule), since, until):
        times = {"start": write_instant(entry.start, zone), "end": write_instant(entry.end, zone)}
        yield {"user": as_reference(entry.user), "schedule": as_reference(schedule), **times}


def _targets() -> Iterator[tuple[dict, int, dict]]:
    for policy in stored("escalation_policies"):
        for level, rule in enumerate(policy.get("escalation_rules") or [], start=1):
            yield from ((policy, level, target) for target in rule.get("targets") or [])


def _is_wanted(oncall: dict) -> bool:
    for field in ("user", "schedule", "escalation_policy"):
        wanted = request.args.getlist(f"{field}_ids[]")
        if wanted and (oncall[field] or {"id": "null"})["id"] not in wanted:
            return False
    return True
