"""PagerDuty's v2 schedules as rotas: what its documentation and its own rendering say about who is on call."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

from pdmigrate.oncall import rota
from pdmigrate.oncall.zones import read_zone
from pdmigrate.pagerduty.records import Layer, RenderedEntry, Restriction, Schedule


def render_schedule(schedule: Schedule, zone: ZoneInfo, start: int, end: int) -> rota.Rota:
    """Who is on call in [start, end) by the layers and the overrides: overrides first, then the layers from the top.

    People are PagerDuty user ids. PagerDuty's own rendering is not used.
    """
    layers = [make_rotation(layer, zone).render(zone, start, end) for layer in schedule.schedule_layers]
    return rota.stack([read_entries(schedule.overrides).clip(start, end), *layers])


def read_final(schedule: Schedule) -> rota.Rota | None:
    """PagerDuty's own word on who is on call, or None where it was not asked or gave none."""
    if schedule.final_schedule is None:
        return None
    return read_entries(schedule.final_schedule.rendered_schedule_entries)


def read_entries(entries: tuple[RenderedEntry, ...]) -> rota.Rota:
    """Rendered entries or overrides as a rota. Where two overlap, the later in the list wins; the deleted are nobody."""
    spans = [
        (rota.to_instant(entry.start), rota.to_instant(entry.end), (entry.user.id,))
        for entry in entries
        if entry.user is not None and not entry.user.deleted_at
    ]
    if all(before[1] <= after[0] for before, after in pairwise(sorted(spans))):
        return rota.make_rota(spans)
    return rota.stack([rota.make_rota([span]) for span in spans[::-1]])


def make_rotation(layer: Layer, zone: ZoneInfo, deleted: str | None = None) -> rota.Roster:
    """A layer as a rotation. Deleted users are empty places: nobody is on call in their turns. deleted: who stands there."""
    return rota.Roster(
        participants=tuple(deleted if place.user.deleted_at else place.user.id for place in layer.users),
        anchor=rota.local_seconds(layer.rotation_virtual_start, zone),
        turn=layer.rotation_turn_length_seconds,
        week=read_week(layer.restrictions),
        since=rota.to_instant(layer.start),
        until=rota.to_instant(layer.end) if layer.end else None,
    )


def read_week(restrictions: tuple[Restriction, ...]) -> tuple[rota.Span, ...] | None:
    """Restrictions as the open spans of a week; several are a union, none is always open (None)."""
    if not restrictions:
        return None
    return rota.week_spans(window for restriction in restrictions for window in read_windows(restriction))


def read_windows(restriction: Restriction) -> list[tuple[int, int]]:
    """(start in seconds since Monday 00:00, length in seconds), one a day for a daily restriction."""
    hours, minutes, *seconds = map(int, restriction.start_time_of_day.split(":"))
    start = hours * 3600 + minutes * 60 + sum(seconds)
    if restriction.type == "weekly_restriction":
        day = restriction.start_day_of_week or 1  # a weekly one has its day
        return [((day - 1) * rota.DAY + start, restriction.duration_seconds)]
    return [(day * rota.DAY + start, min(restriction.duration_seconds, rota.DAY)) for day in range(7)]


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
    for layer in layers:
        for moment in (layer.start, layer.rotation_virtual_start, layer.end) if layer.restrictions else ():
            if moment is not None and moment >= COMMON_TIME:
                own, written = moment.astimezone(ZoneInfo(iana)).utcoffset(), moment.utcoffset()
                if own is not None and written is not None and abs(own - written) >= LEAST:
                    return moment
    return None
