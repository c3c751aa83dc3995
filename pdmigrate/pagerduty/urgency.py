"""Which urgency an alert of a PagerDuty service has at a given time. Only high urgency pages by the escalation policy.

PagerDuty documents it so: low urgency follows the low-urgency notification rules and does not escalate.
"""

import re
from functools import lru_cache
from zoneinfo import ZoneInfo

from pdmigrate.oncall import rota
from pdmigrate.oncall.zones import read_zone
from pdmigrate.pagerduty.records import Service, SupportHours, UrgencyRule

CLOCK = re.compile(r"(?:\d{4}-\d\d-\d\d[T ])?(\d\d):(\d\d)(?::(\d\d)(?:\.\d+)?)?(?:Z|[+-]\d\d:?\d\d)?")
"""A time of day. PagerDuty's OpenAPI file: "date portion is ignored"; the zone is time_zone's, so an offset is as well."""


def urgencies_at(service: Service, instant: int) -> frozenset[str]:
    """`high`, `low`, or both, where the alert's own severity decides. A disabled service has none.

    Where the support hours cannot be read, nobody knows which of its two rules holds: both count.
    """
    if service.status == "disabled":
        return frozenset()
    rule = service.incident_urgency_rule
    if rule is None or rule.type != "use_support_hours":
        return _read(rule)
    if describe_unreadable(service):
        return _read(rule.during_support_hours) | _read(rule.outside_support_hours)
    return _read(rule.during_support_hours if is_supported(service, instant) else rule.outside_support_hours)


def describe_unreadable(service: Service) -> str:
    """What is wrong with the support hours of a service whose urgency hangs on them, in words; "" where nothing is."""
    rule, hours = service.incident_urgency_rule, service.support_hours or SupportHours()
    if rule is None or rule.type != "use_support_hours" or _support_week(service) is not None:
        return ""
    parts = {"time_zone": hours.time_zone, "start_time": hours.start_time, "end_time": hours.end_time}
    said = ", ".join(f"{name} {value!r}" for name, value in parts.items())
    return f"its urgency follows support hours that nobody can read ({said}): whether it pages at an hour is not known"


def list_edges(service: Service, start: int, end: int) -> list[int]:
    """The instants in [start, end) at which support hours begin or end."""
    hours = _support_week(service)
    if hours is None:
        return []
    always = rota.Roster(("supported",), 0, rota.DAY, hours[1])
    return sorted({edge for span in always.render(hours[0], start, end).covered() for edge in span})


def is_supported(service: Service, instant: int) -> bool:
    """Whether that instant lies in the service's support hours; unreadable ones are never."""
    hours = _support_week(service)
    if hours is None:
        return False
    second = (instant + rota.offset_at(hours[0], instant) - rota.MONDAY) % rota.WEEK
    return hours[1] is None or any(start <= second < end for start, end in hours[1])


def _read(rule: UrgencyRule | None) -> frozenset[str]:
    urgency = (rule.urgency if rule else None) or "high"
    return frozenset(["high", "low"] if urgency == "severity_based" else [urgency])


def _support_week(service: Service) -> tuple[ZoneInfo, tuple[rota.Span, ...] | None] | None:
    hours = service.support_hours or SupportHours()
    return _read_week(hours.time_zone or "", hours.start_time, hours.end_time, tuple(hours.days_of_week or range(1, 8)))


@lru_cache
def _read_week(
    time_zone: str, start_time: str | None, end_time: str | None, days: tuple[int, ...]
) -> tuple[ZoneInfo, tuple[rota.Span, ...] | None] | None:
    zone = read_zone(time_zone).iana
    start, end = _second(start_time), _second(end_time)
    if not zone or start is None or end is None:
        return None
    return ZoneInfo(zone), rota.week_spans(((day - 1) * rota.DAY + start, (end - start) % rota.DAY) for day in days)


def _second(clock: str | None) -> int | None:
    """Second of the day; None for what is no time of day."""
    found = CLOCK.fullmatch(clock or "")
    if found is None:
        return None
    hours, minutes, seconds = (int(part or 0) for part in found.groups())
    second = hours * 3600 + minutes * 60 + seconds
    return second if second <= rota.DAY and minutes < 60 and seconds < 60 else None
