"""Time zones by the names that PagerDuty uses: IANA names and aliases, and the names of Ruby on Rails."""

from functools import cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

RAILS_NAMES = {
    "Hawaii": "Pacific/Honolulu",
    "Alaska": "America/Juneau",
    "Pacific Time (US & Canada)": "America/Los_Angeles",
    "Arizona": "America/Phoenix",
    "Mountain Time (US & Canada)": "America/Denver",
    "Central Time (US & Canada)": "America/Chicago",
    "Eastern Time (US & Canada)": "America/New_York",
    "Atlantic Time (Canada)": "America/Halifax",
    "Newfoundland": "America/St_Johns",
    "Brasilia": "America/Sao_Paulo",
    "Dublin": "Europe/Dublin",
    "Edinburgh": "Europe/London",
    "Lisbon": "Europe/Lisbon",
    "London": "Europe/London",
    "Amsterdam": "Europe/Amsterdam",
    "Berlin": "Europe/Berlin",
    "Brussels": "Europe/Brussels",
    "Copenhagen": "Europe/Copenhagen",
    "Madrid": "Europe/Madrid",
    "Paris": "Europe/Paris",
    "Rome": "Europe/Rome",
    "Stockholm": "Europe/Stockholm",
    "Vienna": "Europe/Vienna",
    "Warsaw": "Europe/Warsaw",
    "Athens": "Europe/Athens",
    "Helsinki": "Europe/Helsinki",
    "Jerusalem": "Asia/Jerusalem",
    "Moscow": "Europe/Moscow",
    "Chennai": "Asia/Kolkata",
    "Kolkata": "Asia/Kolkata",
    "Mumbai": "Asia/Kolkata",
    "New Delhi": "Asia/Kolkata",
    "Singapore": "Asia/Singapore",
    "Hong Kong": "Asia/Hong_Kong",
    "Tokyo": "Asia/Tokyo",
    "Brisbane": "Australia/Brisbane",
    "Melbourne": "Australia/Melbourne",
    "Sydney": "Australia/Sydney",
    "Auckland": "Pacific/Auckland",
}


@cache
def find_zone(name: str) -> ZoneInfo:
    """The zone of that name. Raises ValueError for a name that is neither IANA's nor Rails's."""
    try:
        return ZoneInfo(RAILS_NAMES.get(name, name))
    except (ZoneInfoNotFoundError, ValueError, OSError, TypeError) as missing:
        raise ValueError(f"unknown time zone {name!r}") from missing


def own_zone(schedule: dict) -> ZoneInfo:
    """The schedule's zone. An account may hold a name that nobody knows: it is served, as if it were UTC."""
    try:
        return find_zone(schedule.get("time_zone") or "UTC")
    except ValueError:
        return find_zone("UTC")
