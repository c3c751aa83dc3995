"""Time-zone names: any that PagerDuty may give, to the canonical name of the IANA database."""

import difflib
import re
from dataclasses import dataclass
from functools import lru_cache
from importlib import resources
from zoneinfo import available_timezones

from babel.core import get_global


@dataclass(frozen=True)
class Zone:
    """What a name stands for: `iana` is None where nobody knows it; `converted` says how it was read otherwise."""

    name: str
    iana: str | None
    converted: str = ""


@lru_cache(maxsize=10_000)
def read_zone(name: str) -> Zone:
    """The zone behind a name: canonical IANA as it is, aliases, Rails and Windows names and whole hours converted.

    Anything else is unknown. A fixed offset stays fixed: it never becomes a zone that changes its clock.
    """
    if name == "UTC" or name in _canonical():
        return Zone(name, name)
    if name in read_rails():
        return Zone(name, read_rails()[name], "a Rails name")
    if name in _links():
        target = "UTC" if _links()[name] == "Etc/UTC" else _links()[name]
        return Zone(name, target, "another name of the same zone")
    if name in (windows := get_global("windows_zone_mapping")):  # of Unicode's CLDR
        return Zone(name, read_zone(windows[name]).iana, "a Windows name")
    if (fixed := _read_offset(name)) is not None:
        return Zone(name, fixed, "a fixed offset")
    return Zone(name, name if name in available_timezones() else None)


def suggest_zones(name: str) -> list[str]:
    """Names that look like an unknown one."""
    return difflib.get_close_matches(name, sorted(_canonical()), n=3, cutoff=0.4)


@lru_cache(maxsize=1)
def _canonical() -> frozenset[str]:
    """The names that the IANA database offers for choice (zone.tab), country by country."""
    rows = (line.split("\t") for line in _data("zone.tab") if not line.startswith("#"))
    return frozenset(row[2].strip() for row in rows if len(row) > 2)


@lru_cache(maxsize=1)
def read_rails() -> dict[str, str]:
    """The names of Ruby on Rails, which PagerDuty uses here and there, from the file beside this one."""
    rows = (resources.files("pdmigrate.oncall") / "rails_zones.txt").read_text(encoding="utf-8").splitlines()
    pairs = (row.partition("=") for row in rows if not row.startswith("#"))
    return {name: iana for name, _, iana in pairs}


@lru_cache(maxsize=1)
def _links() -> dict[str, str]:
    rows = (line.split() for line in _data("tzdata.zi") if line.startswith("L "))
    return {alias: target for _, target, alias in rows}


def _read_offset(name: str) -> str | None:
    """`UTC+02:00`, `GMT-5`, `+05:00`: IANA has fixed zones for whole hours only, with the sign turned round."""
    found = re.fullmatch(r"(?:UTC|GMT)?([+-])(\d{1,2})(?::?00)?", name)
    hours = int(found[1] + found[2]) if found else None
    if hours is None or not -12 <= hours <= 14:
        return None
    return f"Etc/GMT{-hours:+d}" if hours else "UTC"


def _data(name: str) -> list[str]:
    return (resources.files("tzdata") / "zoneinfo" / name).read_text(encoding="utf-8").splitlines()
