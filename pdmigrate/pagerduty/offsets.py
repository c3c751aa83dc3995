"""In which zone an answer was written: its offsets tell, where its windows cannot.

Restrictions are wall-clock times without a zone, and "respect the `time_zone` parameter of the request" (PagerDuty's
OpenAPI file): a list without it writes them in the zone of the API user. Start and anchor of the same layer have an offset.
"""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from pdmigrate.oncall.zones import read_zone
from pdmigrate.pagerduty.records import Layer

LEAST = timedelta(minutes=1)
"""Offsets are written in minutes; before clocks were agreed on, zones had seconds."""
COMMON_TIME = datetime(1970, 1, 1, tzinfo=UTC)


def find_foreign(time_zone: str, layers: Iterable[Layer]) -> datetime | None:
    """The first time of a layer with windows whose offset is not the zone's on that day; None where all are.

    Then its windows are not in the schedule's zone either. Of a zone that nobody knows nothing can be told.
    """
    iana = read_zone(time_zone).iana
    if iana is None:
        return None
    written = [moment for layer in layers if layer.restrictions for moment in _list_times(layer)]
    return next((moment for moment in written if _is_foreign(moment, ZoneInfo(iana))), None)


def _list_times(layer: Layer) -> list[datetime]:
    return [layer.start, layer.rotation_virtual_start, *([layer.end] if layer.end else [])]


def _is_foreign(moment: datetime, zone: ZoneInfo) -> bool:
    own, written = moment.astimezone(zone).utcoffset(), moment.utcoffset()
    return moment >= COMMON_TIME and own is not None and written is not None and abs(own - written) >= LEAST
