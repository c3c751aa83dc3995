"""The layer-based (v2) schedules of an embedded PagerDuty, wall-clock times and renderings included.

A list speaks in the zone of the API user, a single answer in the schedule's own: both unless `time_zone` is asked for.
Of a recorded account only what was recorded is served: see accounts.load_account.
"""

import hashlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import cast
from zoneinfo import ZoneInfo

from flask import Flask, current_app, request

from pdmigrate.sandbox.gate import document, has_manner
from pdmigrate.sandbox.pagerduty_lists import find, select, stored
from pdmigrate.sandbox.pagerduty_wire import as_reference, asked, included, invalid, paged
from pdmigrate.sandbox.pagerduty_zones import find_zone, own_zone
from pdmigrate.sandbox.rendering import (
    DAY,
    WEEK,
    Entry,
    Source,
    read_clock,
    read_instant,
    read_layer,
    read_override,
    render,
    render_whole,
)
from pdmigrate.sandbox.store import Json

TWO_WEEKS = timedelta(weeks=2)
EARLY = 1970
LEAVING_OUT = {
    "schedule_layers": "list_without_layers",
    "overrides_subschedule": "list_without_overrides",
    "final_schedule": "list_without_final",
}
INCLUDABLE = tuple(LEAVING_OUT)
MANNERS = (
    *LEAVING_OUT.values(),
    "list_unrendered",  # what it renders is there, empty, with coverage null
    "list_in_user_zone",  # whatever time_zone is asked for
    "three_months",  # more at once is refused
    "own_zone_names",  # a time_zone is known by the names that the account itself uses, and by no other
)
"""How some accounts answer. A manner holds for every request that its rule strikes, beside other manners and faults."""
THREE_MONTHS = timedelta(days=92)


@dataclass(frozen=True)
class View:
    """How an answer shows its schedules: in which zone, over which time, with entries cut at its edges or whole."""

    zone: ZoneInfo
    span: tuple[datetime, datetime] | None = None
    whole: bool = False

    def show(self, sources: Sequence[Source], own: ZoneInfo) -> Json:
        """The entries of a rendering and how much they cover; without a time, none."""
        if self.span is None:
            return {"rendered_schedule_entries": [], "rendered_coverage_percentage": None}
        since, until = self.span
        entries = (render_whole if self.whole else render)(sources, own, since, until)
        covered = sum((min(one.end, until) - max(one.start, since)).total_seconds() for one in entries)
        share = round(100 * covered / (until - since).total_seconds(), 2)
        shown = [self._show_entry(entry) for entry in entries]
        return {"rendered_schedule_entries": shown, "rendered_coverage_percentage": share}

    def _show_entry(self, entry: Entry) -> Json:
        mark = f"{entry.user['id']} {entry.start.isoformat()}".encode()
        made = "Q" + hashlib.sha256(mark).hexdigest()[:13].upper()
        times = {"start": write_instant(entry.start, self.zone), "end": write_instant(entry.end, self.zone)}
        return {"id": made, **times, "user": as_reference(entry.user)}


def add_schedules(app: Flask) -> None:
    """Add the routes of v2 schedules and of their overrides."""
    app.add_url_rule("/schedules", "schedules", list_schedules)
    app.add_url_rule("/schedules/<schedule_id>", "schedule", get_schedule)
    app.add_url_rule("/schedules/<schedule_id>/overrides", "overrides", list_overrides)


def list_schedules() -> Json:
    """A page of schedules, with no more than what is included."""
    page = paged(select(stored("schedules")), "schedules")
    view = _view(find_user_zone())
    if has_manner("list_in_user_zone"):
        view = replace(view, zone=find_user_zone())
    if has_manner("list_unrendered"):
        view = View(view.zone)
    parts = [part for part in INCLUDABLE if included(part) and not has_manner(LEAVING_OUT[part])]
    if not current_app.config["OPTIONS"]["final_on_lists"]:
        parts = [part for part in parts if part != "final_schedule"]
    return {**page, "schedules": [shape_schedule(schedule, view, parts) for schedule in page["schedules"]]}


def get_schedule(schedule_id: str) -> Json:
    """One schedule with everything."""
    schedule = find("schedules", schedule_id)
    view = _view(own_zone(schedule), whole=asked("overflow"))
    return {"schedule": shape_schedule(schedule, view, INCLUDABLE)}


def list_overrides(schedule_id: str) -> Json:
    """The overrides of a schedule that touch the time asked for, which must be said."""
    schedule = find("schedules", schedule_id)
    view = _view(own_zone(schedule), whole=asked("overflow"))
    if view.span is None or not request.args.get("since") or not request.args.get("until"):
        raise invalid("Since and until are required.")
    since, until = view.span
    shown = []
    for override in _overrides(schedule):
        start, end = read_instant(override["start"]), read_instant(override["end"])
        if start < until and end > since:
            if not view.whole:
                start, end = max(start, since), min(end, until)
            times = {"start": write_instant(start, view.zone), "end": write_instant(end, view.zone)}
            shown.append({**override, **times})
    return {"overrides": shown}


def shape_schedule(schedule: Json, view: View, parts: Iterable[str]) -> Json:
    """The answer for one schedule."""
    shaped = {field: value for field, value in schedule.items() if field not in INCLUDABLE}
    known = {part: schedule.get("schedule_layers") is not None for part in INCLUDABLE}  # without layers nothing renders
    known["overrides_subschedule"] = not _is_recorded() or schedule["id"] in (document().get("overrides") or {})
    return shaped | {part: _PARTS[part](schedule, view) for part in parts if known[part]}


def _is_recorded() -> bool:
    return bool(document().get("recorded"))


def schedule_sources(schedule: Json) -> list[Source]:
    """What serves in a schedule, the first of it first: overrides (the newest first), then layers from the top.

    A schedule that was changed had other layers until then (`past_layers` of the account), and today's only since.
    """
    own = own_zone(schedule)
    former = (document().get("past_layers") or {}).get(schedule["id"]) or []
    past, layers = ([read_layer(one, own) for one in rows] for rows in (former, schedule.get("schedule_layers") or []))
    if past:
        changed = max(cast(datetime, layer.end) for layer in past)
        layers = [replace(layer, start=max(layer.start, changed)) for layer in layers]
    return [*_override_sources(schedule), *past, *layers]


def find_user_zone() -> ZoneInfo:
    """The zone of the API user, in which lists speak."""
    return find_zone(document().get("time_zone") or "UTC")


def read_time(name: str, zone: ZoneInfo) -> datetime | None:
    """A time of the request; without an offset it is meant in `zone`."""
    text = request.args.get(name)
    if not text:
        return None
    try:
        read = datetime.fromisoformat(text.replace(" ", "+"))  # a plus sign that was not quoted
    except ValueError:
        raise invalid(f"{name.capitalize()} is invalid: {text}") from None
    return read.replace(tzinfo=read.tzinfo or zone).astimezone(UTC)


def read_zone(default: ZoneInfo) -> ZoneInfo:
    """The zone that the request names, or the default."""
    if "time_zone" not in request.args:
        return default
    name = request.args["time_zone"]
    if has_manner("own_zone_names"):
        rows = (*stored("users"), *stored("schedules"))
        if name not in {"UTC", *(row.get("time_zone") for row in rows)}:
            raise invalid(f"Time zone is invalid: {name}")
    try:
        return find_zone(name)
    except ValueError:
        raise invalid(f"Time zone is invalid: {name}") from None


def refuse_long(since: datetime, until: datetime) -> None:
    """Some accounts take three months at once, and no more."""
    if has_manner("three_months") and until - since > THREE_MONTHS:
        raise invalid("The maximum range queryable at once is three months.")


def write_instant(instant: datetime, zone: ZoneInfo) -> str:
    """An instant as PagerDuty writes it in a zone."""
    text = instant.astimezone(zone).replace(microsecond=0).isoformat()
    return text.removesuffix("+00:00") + "Z" if zone.key in ("UTC", "Etc/UTC") else text


def _view(zone: ZoneInfo, whole: bool = False) -> View:
    zone = read_zone(zone)
    since, until = read_time("since", zone), read_time("until", zone)
    if since is None and until is None:
        return View(zone)
    if since is None:
        since = cast(datetime, until) - TWO_WEEKS
    until = until or since + TWO_WEEKS
    if until <= since:
        raise invalid("Until must be after since.")
    refuse_long(since, until)
    return View(zone, (since, until), whole)


def _overrides(schedule: Json) -> list[Json]:
    return (document().get("overrides") or {}).get(schedule["id"]) or []


def _override_sources(schedule: Json) -> list[Source]:
    return [read_override(override) for override in reversed(_overrides(schedule))]


def _shape_layers(schedule: Json, view: View) -> list[Json]:
    layers, own = schedule.get("schedule_layers") or [], own_zone(schedule)
    if _is_written_elsewhere(schedule):
        return [{**layer, **View(own).show([], own)} for layer in layers]
    return [_shape_layer(layer, view, own) for layer in layers]


def _is_written_elsewhere(schedule: Json) -> bool:
    """A list that was recorded in another zone: what its windows are in the schedule's own is not known here."""
    own = own_zone(schedule)
    layers = [layer for layer in schedule.get("schedule_layers") or [] if layer.get("restrictions")]
    texts = [layer[name] for layer in layers for name in ("start", "rotation_virtual_start")]
    written = [datetime.fromisoformat(text) for text in texts] if _is_recorded() else []
    return any(one.utcoffset() != one.astimezone(own).utcoffset() for one in written if one.year > EARLY)


def _shape_layer(layer: Json, view: View, own: ZoneInfo) -> Json:
    anchor = read_instant(layer["rotation_virtual_start"])
    # The wall clocks differ by the hours that they differ at the anchor, summer or winter.
    shift = (read_clock(anchor, view.zone) - read_clock(anchor, own)) // timedelta(seconds=1)
    times = {field: layer.get(field) for field in ("start", "end", "rotation_virtual_start")}
    shown = {field: write_instant(read_instant(text), view.zone) if text else None for field, text in times.items()}
    restrictions = [_shift(restriction, shift) for restriction in layer.get("restrictions") or []]
    return {**layer, **shown, "restrictions": restrictions, **view.show([read_layer(layer, own)], own)}


def _shift(restriction: Json, shift: int) -> Json:
    hours, minutes, seconds = (int(part) for part in restriction["start_time_of_day"].split(":"))
    moved = (restriction.get("start_day_of_week") or 1) * DAY - DAY + hours * 3600 + minutes * 60 + seconds + shift
    of_day = moved % DAY
    shown: Json = {"start_time_of_day": f"{of_day // 3600:02}:{of_day // 60 % 60:02}:{of_day % 60:02}"}
    if restriction["type"] == "weekly_restriction":
        shown["start_day_of_week"] = moved % WEEK // DAY + 1
    return {**restriction, **shown}


def _shape_final(schedule: Json, view: View) -> Json:
    view = View(view.zone) if _is_written_elsewhere(schedule) else view
    return {"name": "Final Schedule", **view.show(schedule_sources(schedule), own_zone(schedule))}


def _shape_overrides(schedule: Json, view: View) -> Json:
    """As they were recorded, word for word; of an account that is not recorded, by its rules."""
    if _is_recorded() and view.span is not None:
        shown = [{k: v for k, v in one.items() if k != "type"} for one in _overrides(schedule)]
        return {"name": "Overrides", "rendered_schedule_entries": shown, "rendered_coverage_percentage": 0}
    return {"name": "Overrides", **view.show(_override_sources(schedule), own_zone(schedule))}


_PARTS: dict[str, Callable[[Json, View], Json | list[Json]]] = {
    "schedule_layers": _shape_layers,
    "overrides_subschedule": _shape_overrides,
    "final_schedule": _shape_final,
}
