"""Time zones by the names that PagerDuty uses: IANA names and aliases, and the names of Ruby on Rails."""

from functools import cache
from importlib.resources import files
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import yaml

from pdmigrate.sandbox.store import Json


@cache
def _read_rails_names() -> dict[str, str]:
    names: dict[str, str] = yaml.safe_load(files("pdmigrate.sandbox").joinpath("rails_zones.yaml").read_bytes())
    return names


@cache
def find_zone(name: str) -> ZoneInfo:
    """The zone of that name. Raises ValueError for a name that is neither IANA's nor Rails's."""
    try:
        return ZoneInfo(_read_rails_names().get(name, name))
    except (ZoneInfoNotFoundError, ValueError, OSError, TypeError) as missing:
        raise ValueError(f"unknown time zone {name!r}") from missing


def own_zone(schedule: Json) -> ZoneInfo:
    """The schedule's zone. An account may hold a name that nobody knows: it is served, as if it were UTC."""
    try:
        return find_zone(schedule.get("time_zone") or "UTC")
    except ValueError:
        return find_zone("UTC")
