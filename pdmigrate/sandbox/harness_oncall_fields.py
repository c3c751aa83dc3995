"""The shapes of the on-call contract: for each field the check of its value, and the default where it may be absent."""

import re
from collections.abc import Callable
from datetime import datetime
from functools import cache
from zoneinfo import available_timezones

from pdmigrate.sandbox.harness_names import check_description, check_email, check_identifier, check_name, check_tags
from pdmigrate.sandbox.harness_rendering import read_instant

REQUIRED = Ellipsis
SERVED = ("54", "55", "1", "86", "506", "357", "45", "91", "972", "52", "373", "31", "40", "381", "386", "44")
# area codes behind +1 that are neither the United States nor Canada
OTHER_AREAS = (
    "242",
    "246",
    "264",
    "268",
    "284",
    "345",
    "441",
    "473",
    "649",
    "658",
    "664",
    "721",
    "758",
    "767",
    "784",
    "809",
    "829",
    "849",
    "868",
    "869",
    "876",
)


@cache
def _zones() -> frozenset[str]:
    return frozenset(available_timezones())


def _is_count(value: object, least: int, most: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and least <= value <= most


def count(least: int, most: int) -> Callable:
    return lambda value: None if _is_count(value, least, most) else f"must be a whole number from {least} to {most}"


def one_of(*words: str) -> Callable:
    return lambda value: None if value in words else f"must be one of {', '.join(words)}"


def maybe(check: Callable) -> Callable:
    return lambda value: None if value is None else check(value)


def check_zone(value: object) -> str | None:
    return None if isinstance(value, str) and value in _zones() else "is no IANA time zone"


def check_text(value: object) -> str | None:
    good = isinstance(value, str) and value.strip() and len(value) <= 128 and value.isprintable()
    return None if good else "must be 1 to 128 printable characters"


def check_instant(value: object) -> str | None:
    try:
        read_instant(value)
    except (TypeError, ValueError, OverflowError):
        return "must be an instant in ISO 8601 with an offset"
    return None


def check_local(value: object) -> str | None:
    try:
        naive = re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d)?", value) and datetime.fromisoformat(value)
    except (TypeError, ValueError):
        naive = None
    return None if naive else "must be a local time in ISO 8601 without an offset"


def check_clock(value: object) -> str | None:
    good = isinstance(value, str) and re.fullmatch(r"([01]\d|2[0-3]):[0-5]\d:[0-5]\d", value)
    return None if good else "must be a time as HH:MM:SS"


def check_lower_email(value: object) -> str | None:
    return check_email(value) or (None if value == value.lower() else "must be in lower case")


def check_flag(value: object) -> str | None:
    return None if isinstance(value, bool) else "must be true or false"


def check_list(value: object) -> str | None:
    return None if isinstance(value, list) else "must be a list"


def check_filled_list(value: object) -> str | None:
    return None if isinstance(value, list) and value else "must be a list that is not empty"


NAMED = {
    "identifier": (check_identifier, REQUIRED),
    "name": (check_name, REQUIRED),
    "description": (check_description, ""),
    "owner_group": (maybe(check_text), None),
    "tags": (check_tags, {}),
}
SCHEDULE = NAMED | {
    "time_zone": (check_zone, REQUIRED),
    "rotations": (check_list, REQUIRED),
    "overrides": (check_list, []),
}
ROTATION = {
    "name": (check_text, REQUIRED),
    "participants": (check_filled_list, REQUIRED),
    "anchor": (check_local, REQUIRED),
    "turn_seconds": (count(60, 10**10), REQUIRED),
    "windows": (check_list, []),
    "since": (maybe(check_instant), None),
    "until": (maybe(check_instant), None),
}
WINDOW = {"day": (count(1, 7), REQUIRED), "start": (check_clock, REQUIRED), "seconds": (count(1, 604800), REQUIRED)}
OVERRIDE = {
    "identifier": (check_identifier, REQUIRED),
    "person": (check_lower_email, REQUIRED),
    "start": (check_instant, REQUIRED),
    "end": (check_instant, REQUIRED),
}
POLICY = NAMED | {"levels": (check_filled_list, REQUIRED)}
LEVEL = {
    "timeout_minutes": (count(1, 100000), REQUIRED),
    "retries": (count(0, 100), 0),
    "targets": (check_filled_list, REQUIRED),
}
TARGET = {"type": (one_of("user", "user_group", "schedule", "rotation"), REQUIRED), "id": (check_text, REQUIRED)}
SERVICE = {
    "identifier": (check_identifier, REQUIRED),
    "owner_group": (maybe(check_text), None),
    "escalation_policy": (maybe(check_identifier), None),
    "paging": (check_flag, REQUIRED),
}
ALERT_RULE = {
    "identifier": (check_identifier, REQUIRED),
    "name": (check_name, REQUIRED),
    "service": (check_identifier, REQUIRED),
    "paging": (check_flag, REQUIRED),
    "escalation_policy": (maybe(check_identifier), None),
    "default_service": (check_flag, False),
}
CONTACT = {"email": (check_lower_email, REQUIRED), "methods": (check_list, REQUIRED)}
RULE = {"email": (check_lower_email, REQUIRED), "steps": (check_list, REQUIRED)}
STEP = {"methods": (check_filled_list, REQUIRED), "wait_minutes": (count(0, 100000), REQUIRED)}
METHOD = {"type": (one_of("email", "phone", "sms"), REQUIRED), "address": (check_text, REQUIRED)}
LABELLED = METHOD | {"label": (one_of("Work", "Home", "Other"), "Other")}


def check_address(kind: str, address: str) -> str | None:
    """An email, or a number in E.164 of a country that Harness serves."""
    if kind == "email":
        return check_email(address)
    if not re.fullmatch(r"\+[1-9]\d{6,14}", address):
        return "must be a number in E.164"
    digits = address[1:]
    served = digits.startswith(SERVED) and not (digits[0] == "1" and digits[1:4] in OTHER_AREAS)
    return None if served else "is in a country that is not served"
