"""The shift-based (v3) schedules of an embedded PagerDuty: rotations of events that recur, side by side.

The rendering is simple: each event recurs by its rule on the wall clock of its zone, occurrences are counted from the
first, overrides cut what they replace. What PagerDuty does in the corners is not known, and not played.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from dateutil.rrule import rrulestr
from flask import Flask, current_app, request

from pdmigrate.sandbox.gate import document
from pdmigrate.sandbox.pagerduty_lists import find, select, stored
from pdmigrate.sandbox.pagerduty_schedules import read_time, read_zone, refuse_long, write_instant
from pdmigrate.sandbox.pagerduty_wire import as_reference, asked, forbidden, included, invalid, paged
from pdmigrate.sandbox.pagerduty_zones import find_zone, own_zone
from pdmigrate.sandbox.rendering import read_clock, read_instant
from pdmigrate.sandbox.store import Json

INSTANT = re.compile(r"(\d{8}T\d{6})Z")
OWN_LISTS = ("custom_shifts", "overrides")


@dataclass(frozen=True)
class Shift:
    """A stretch of one member, and where it comes from."""

    start: datetime
    end: datetime
    member: Json
    source: Json


def add_v3_schedules(app: Flask) -> None:
    """Add the routes of v3 schedules."""
    app.before_request(_refuse)
    app.add_url_rule("/v3/schedules", "v3_schedules", list_v3_schedules)
    app.add_url_rule("/v3/schedules/<schedule_id>", "v3_schedule", get_v3_schedule)
    for part in OWN_LISTS:
        app.add_url_rule(f"/v3/schedules/<schedule_id>/{part}", f"v3_{part}", _serve_list(part))


def list_v3_schedules() -> Json:
    """A page of references."""
    readable = [schedule for schedule in stored("schedules_v3") if schedule["id"] not in _hidden()]
    page = paged(select(readable), "schedules", limit=100, most=1000)
    shown = [
        {**as_reference(one), "summary": one["name"], "type": "schedule_v3_reference"} for one in page["schedules"]
    ]
    return {**page, "schedules": shown}


def get_v3_schedule(schedule_id: str) -> Json:
    """One schedule with rotations and events; with who is on call where that is asked for."""
    schedule = _find_readable(schedule_id)
    shaped = {field: value for field, value in schedule.items() if field not in OWN_LISTS}
    lacking = any(schedule.get(part) is None for part in (*OWN_LISTS, "rotations"))
    if included("final_schedule") and not (document().get("recorded") and lacking):
        shaped["final_schedule"] = _shape_final(schedule)
    return {"schedule": shaped}


def _refuse() -> None:
    if request.path.startswith("/v3/") and current_app.config["OPTIONS"]["v3_forbidden"]:
        raise forbidden("This key may not read shift-based schedules.")


def _hidden() -> Sequence[str]:
    hidden: Sequence[str] = current_app.config["OPTIONS"]["v3_hidden"]
    return hidden


def _find_readable(schedule_id: str) -> Json:
    if schedule_id in _hidden():
        raise forbidden("This key may not read this schedule.")
    return find("schedules_v3", schedule_id)


def _serve_list(part: str) -> Callable[[str], Json]:
    def list_part(schedule_id: str) -> Json:
        schedule = _find_readable(schedule_id)
        since, until = _window(own_zone(schedule))
        if schedule.get(part) is None and document().get("recorded"):
            return {part: None}
        spans = [(one, *_read_span(one)) for one in schedule.get(part) or []]
        return paged([one for one, start, end in spans if start < until and end > since], part)

    return list_part


def _read_span(shift: Json) -> tuple[datetime, datetime]:
    return read_instant(shift["start_time"]), read_instant(shift["end_time"])


def _window(zone: ZoneInfo) -> tuple[datetime, datetime]:
    since, until = read_time("since", zone), read_time("until", zone)
    if since is None or until is None or until <= since:
        raise invalid("Since and until are required, and until must be after since.")
    refuse_long(since, until)
    return since, until


def _shape_final(schedule: Json) -> Json:
    zone = read_zone(own_zone(schedule))
    since, until = _window(zone)
    shifts = render_shifts(schedule, since, until)
    if not asked("overflow"):
        shifts = [replace(one, start=max(one.start, since), end=min(one.end, until)) for one in shifts]
    shown, covered, reached = [], timedelta(0), since
    for shift in shifts:
        times = {"start_time": write_instant(shift.start, zone), "end_time": write_instant(shift.end, zone)}
        named = {"type": "computed_shift_assignment", **times}
        shown.append({**named, "member": shift.member, "source": shift.source})
        if shift.member["type"] == "user_member":
            covered += max(min(shift.end, until) - max(shift.start, reached), timedelta(0))
            reached = max(reached, shift.end)
    share = round(100 * (covered / (until - since)), 2)
    return {"type": "final_schedule", "rendered_coverage_percentage": share, "computed_shift_assignments": shown}


def render_shifts(schedule: Json, since: datetime, until: datetime) -> list[Shift]:
    """Who is on call between two instants; what crosses an edge is not cut there."""
    shifts = []
    for rotation in schedule.get("rotations") or []:
        source = {"type": "schedule_rotation", "rotation_id": rotation["id"]}
        for event in rotation.get("events") or []:
            for number, start, end in _occurrences(event, until):
                if end > since:
                    members = _list_members(event["assignment_strategy"], number)
                    shifts += [Shift(start, end, member, source) for member in members]
    for custom in schedule.get("custom_shifts") or []:
        source = {"type": "custom_shift", "shift_id": custom["id"]}
        shifts += [Shift(*_read_span(custom), one["member"], source) for one in custom["assignments"]]
    for override in schedule.get("overrides") or []:
        shifts = [piece for shift in shifts for piece in _replace_member(shift, override)]
    touching = [shift for shift in shifts if shift.start < until and shift.end > since]
    return sorted(touching, key=lambda one: (one.start, one.member.get("user_id") or ""))


def _occurrences(event: Json, until: datetime) -> Iterator[tuple[int, datetime, datetime]]:
    zone = find_zone(event["start_time"]["time_zone"])
    first = read_clock(datetime.fromisoformat(event["start_time"]["date_time"]), zone)
    length = read_clock(datetime.fromisoformat(event["end_time"]["date_time"]), zone) - first
    begin = read_instant(event["effective_since"])
    finish = read_instant(event["effective_until"]) if event.get("effective_until") else until
    for number, clock in enumerate(_rule(event, first, zone)):
        start, end = _instant(clock, zone), _instant(clock + length, zone)
        if start >= min(until, finish):
            return
        if end > begin:
            yield number, max(start, begin), min(end, finish) if event.get("effective_until") else end


def _rule(event: Json, first: datetime, zone: ZoneInfo) -> Iterator[datetime]:
    lines = "\n".join(_map_local(line, zone) for line in event["recurrence"] if "VALUE=DATE:" not in line)
    local = INSTANT.sub(
        lambda found: read_clock(datetime.fromisoformat(found[0]), zone).strftime("%Y%m%dT%H%M%S"), lines
    )
    return iter(rrulestr(local, dtstart=first, forceset=True))


def _map_local(line: str, zone: ZoneInfo) -> str:
    """An EXDATE or RDATE on the event's own clock. One that is a day and no time meets nothing (RFC 5545): left out before."""
    head, _, values = line.partition(":")
    name, _, own = head.partition(";TZID=")
    if not own:
        return re.sub(r"^(EXDATE|RDATE);[^:]*", r"\1", line)
    moments = (datetime.fromisoformat(text).replace(tzinfo=find_zone(own)) for text in values.split(","))
    return f"{name}:" + ",".join(f"{moment.astimezone(zone):%Y%m%dT%H%M%S}" for moment in moments)


def _list_members(strategy: Json, number: int) -> list[Json]:
    members: list[Json] = strategy["members"]
    if strategy["type"] == "every_member_assignment_strategy":
        return members
    return [members[number // (strategy.get("shifts_per_member") or 1) % len(members)]]


def _replace_member(shift: Shift, override: Json) -> Iterator[Shift]:
    start, end = _read_span(override)
    start, end = max(shift.start, start), min(shift.end, end)
    named = override.get("rotation_id") or override.get("custom_shift_id")
    is_meant = named in (shift.source.get("rotation_id"), shift.source.get("shift_id"))
    if start >= end or not is_meant or override["overridden_member"] != shift.member:
        yield shift
        return
    source = {**shift.source, "type": f"{shift.source['type']}_override", "override_id": override["id"]}
    pieces = (
        replace(shift, end=start),
        Shift(start, end, override["overriding_member"], source),
        replace(shift, start=end),
    )
    yield from (piece for piece in pieces if piece.start < piece.end)


def _instant(clock: datetime, zone: ZoneInfo) -> datetime:
    return clock.replace(tzinfo=zone).astimezone(UTC)
