"""Telephone numbers: what PagerDuty's say, in which country they ring, and whether anybody knows such numbers."""

from functools import lru_cache

import phonenumbers
from babel import Locale

from pdmigrate.pagerduty.records import ContactMethod

SERVED_REGIONS = {"AR", "BR", "CA", "CN", "CR", "CY", "DK", "IN", "IL", "MX", "MD", "NL", "RO", "RS", "SI", "GB", "US"}
"""Where Harness calls and sends SMS, by its documentation of mid-2026 (a release note of February says the US only)."""
RIGHT = "it_is_right"
"""The answer that carries over a number that nobody knows: the library's tables lag behind the world's."""


def read_phone(method: ContactMethod) -> phonenumbers.PhoneNumber | None:
    """The number, whether anybody knows such numbers or not; None for what is none."""
    return read_number(f"+{method.country_code or 1}{method.address}")


@lru_cache(maxsize=100_000)
def read_number(text: str) -> phonenumbers.PhoneNumber | None:
    """The same of a number with its `+`: each is read once, which takes long, and nobody changes what it was read as."""
    try:
        return phonenumbers.parse(text)
    except phonenumbers.NumberParseException:
        return None


def write_phone(number: phonenumbers.PhoneNumber) -> str:
    """As Harness takes it: E.164, which has no extension."""
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def is_known(number: phonenumbers.PhoneNumber) -> bool:
    """Whether the library knows numbers like this one: not every number that rings, and none that cannot."""
    return phonenumbers.is_valid_number(number)


def is_possible(number: phonenumbers.PhoneNumber) -> bool:
    """Whether it has as many digits as numbers of its country, known or not."""
    return phonenumbers.is_possible_number(number)


def is_served(number: phonenumbers.PhoneNumber) -> bool:
    """Whether Harness calls the country in which it rings; for one that nobody knows, the main country of its code."""
    return _find_region(number) in SERVED_REGIONS


def name_country(number: phonenumbers.PhoneNumber) -> str:
    """Its code, `+49`; where several countries share it and it is not the main one, with the name: `+1 (Puerto Rico)`."""
    region, code = _find_region(number), f"+{number.country_code}"
    if region == _find_main(number):
        return code
    return f"{code} ({Locale('en').territories.get(region, region)})"


def _find_region(number: phonenumbers.PhoneNumber) -> str:
    return str(phonenumbers.region_code_for_number(number) or _find_main(number))


def _find_main(number: phonenumbers.PhoneNumber) -> str:
    return str(phonenumbers.region_code_for_country_code(number.country_code or 0))


def describe_extension(number: phonenumbers.PhoneNumber | None) -> str:
    """What becomes of what is dialled after the number (`x123`, `,,123`, `;ext=123`); "" where there is nothing."""
    if number is None or not number.extension:
        return ""
    alone = write_phone(number)
    return f"PagerDuty dials {number.extension} after {alone}; Harness documents no extensions and calls {alone} alone"
