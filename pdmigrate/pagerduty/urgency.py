"""When an alert of a PagerDuty service wakes somebody: only high urgency does, and the hour may decide which it is.

PagerDuty documents it so: low urgency follows the low-urgency notification rules and does not escalate.
"""

from zoneinfo import ZoneInfo

from pdmigrate import rota
from pdmigrate.pagerduty.records import Service, SupportHours, UrgencyRule
from pdmigrate.zones import read_zone


def urgencies_at(service: Service, instant: int) -> frozenset[str]:
    """`high`, `low`, or both, where the alert's own severity decides. A disabled service has none."""
    if service.status == "disabled":
        return frozenset()
    rule = service.incident_urgency_rule
    if rule and rule.type == "use_support_hours":
        rule = rule.during_support_hours if is_supported(service, instant) else rule.outside_support_hours
    return _read(rule)


def list_edges(service: Service, start: int, end: int) -> list[int]:
    """The instants in [start, end) at which support hours begin or end."""
    hours = _support_week(service)
    if hours is None:
        return []
    always = rota.Rotation(("supported",), 0, rota.DAY, hours[1])
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
    zone = read_zone(hours.time_zone or "").iana
    if not zone or not hours.start_time or not hours.end_time:
        return None
    start, end = _second(hours.start_time), _second(hours.end_time)
    days = hours.days_of_week or range(1, 8)
    return ZoneInfo(zone), rota.week_spans(((day - 1) * rota.DAY + start, (end - start) % rota.DAY) for day in days)


def _second(clock: str) -> int:
    hours, minutes, *seconds = map(int, clock[-8:].split(":"))
    return hours * 3600 + minutes * 60 + sum(seconds)
