"""Schedules from within, as data frames: their layers place by place, and who is on call, by the schedule's own clock."""

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Literal
from zoneinfo import ZoneInfo

from pdmigrate.errors import UsageError, find_nearest
from pdmigrate.mapping.draft import Draft
from pdmigrate.mapping.proof import AnySchedule, read_shown
from pdmigrate.oncall.rota import DAY, MONDAY, People, Rota, to_datetime, to_instant, zone_stretches
from pdmigrate.oncall.windows import DAYS, describe_windows
from pdmigrate.oncall.zones import read_zone
from pdmigrate.pagerduty.records import Layer, Reference, Restriction
from pdmigrate.pagerduty.rota import read_windows
from pdmigrate.pagerduty.v3_records import Event, ScheduleV3
from pdmigrate.parity.explanations import render_source
from pdmigrate.steps.frames import LENGTH, MOMENT, NUMBER, TEXT, YES_NO, Row, Shape, make_frame, read_length

if TYPE_CHECKING:
    import pandas as pd

LAYERS: Shape = {
    "schedule_id": TEXT,
    "schedule": TEXT,
    "layer_id": TEXT,
    "layer": TEXT,
    "layer_number": NUMBER,
    "place": NUMBER,
    "person_id": TEXT,
    "person": TEXT,
    "deleted": YES_NO,
    "all_at_once": YES_NO,
    "turn": LENGTH,
    "occurrences": NUMBER,
    "windows": TEXT,
    "time_zone": TEXT,
    "counted_from": MOMENT,
    "start": MOMENT,
    "end": MOMENT,
}
ROTA: Shape = {
    "start": MOMENT,
    "end": MOMENT,
    "person": TEXT,
    "person_id": TEXT,
    "schedule": TEXT,
    "schedule_id": TEXT,
}
HOURS: Shape = {**ROTA, "weekday": DAYS, "hour": NUMBER}
NOBODY: Row = {"person_id": None, "person": None, "deleted": False}


class RotaFrames:
    """The rota of a result that has a draft."""

    draft: Draft

    @property
    def layers(self) -> "pd.DataFrame":
        """A row a place in a layer, in the order of the turns; the top layer, which wins, is number 1.

        A layer without people has one row without a person; one who is gone from PagerDuty is `deleted`. turn: how long each
        is on call. windows: when the layer is on, in words (missing: always), by the clock of time_zone. counted_from: where
        the turns are counted from; start, end: the layer's life. Of a shift-based schedule the layers are its events: windows
        has the recurrence, turn is missing, and occurrences says how many of them one turn is."""
        rows: list[Row] = []
        for s in self.draft.account.all_schedules.values():
            head: Row = {"schedule_id": s.id, "schedule": s.name, "time_zone": s.time_zone}
            for number, part in enumerate(list_parts(s), 1):
                head |= {"layer_id": part.id, "layer": part.name, "layer_number": number, **_describe_part(part)}
                places = list(self._list_places(part))
                rows += [{**head, "place": place, **who} for place, who in enumerate(places, 1)]
                rows += [{**head, "place": None, **NOBODY}] * (not places)
        return make_frame("Layers", LAYERS, rows)

    def rota(self, schedule: str = "", hourly: bool = False) -> "pd.DataFrame":
        """Who is on call, over the horizon: a row a person from `start` to `end`, by the clock of the schedule.

        schedule: a name or an id; without one all schedules, in UTC. hourly: cut at every full hour of the schedule's clock,
        with its weekday and hour beside. Nobody on call: no row. It is PagerDuty's own word where that was given, else our
        reading of the layers (see `rota_by` of `schedules`). Raises UsageError where there is no such schedule, or two, or
        nobody can read its rules.
        """
        found = [self._find_schedule(schedule)] if schedule else list(self.draft.account.all_schedules.values())
        rows: list[Row] = []
        for s in found:
            read, _ = self._read_rota(s)
            if read is None and schedule:
                raise UsageError(f"Who is on call in {s.name} ({s.id}) is not known: see its row in schedules.")
            entries = (read or Rota()).entries
            for start, end, people, *clock in _cut_hours(entries, self._zone(s)) if hourly else entries:
                span = {"start": to_datetime(start), "end": to_datetime(end), "schedule": s.name}
                cut = dict(zip(("weekday", "hour"), clock, strict=False))
                rows += [{**span, **self._name(Reference(id=id)), "schedule_id": s.id, **cut} for id in people]
        rows.sort(key=lambda row: (row["start"], row["schedule_id"], row["person_id"]))
        frame = make_frame("Who is on call", HOURS if hourly else ROTA, rows)
        for moment in ("start", "end") if schedule else ():
            frame[moment] = frame[moment].dt.tz_convert(self._zone(found[0]))
        return frame

    def _name(self, user: Reference) -> Row:
        """The columns of a person."""
        known = self.draft.account.users.get(user.id)
        return {"person_id": user.id, "person": known.name if known else user.summary or user.id}

    def _zone(self, schedule: AnySchedule) -> ZoneInfo:
        return ZoneInfo(self.draft.mapped.zones.get(schedule.id) or read_zone(schedule.time_zone).iana or "UTC")

    def _read_rota(self, schedule: AnySchedule) -> tuple[Rota | None, Literal["PagerDuty", "pdmigrate", "nobody"]]:
        """Who is on call over the horizon, in PagerDuty's ids, and whose word that is."""
        span = (to_instant(self.draft.account.since), to_instant(self.draft.account.until))
        shown = read_shown(schedule)
        if shown is not None:
            return shown.clip(*span), "PagerDuty"
        try:
            return render_source(self.draft, schedule, span), "pdmigrate"
        except ValueError:
            return None, "nobody"

    def _find_schedule(self, name: str) -> AnySchedule:
        there = self.draft.account.all_schedules
        found = [s for s in there.values() if name in (s.id, s.name)]
        if len(found) == 1:
            return found[0]
        if found:
            ids = ", ".join(sorted(s.id for s in found))
            raise UsageError(f"{len(found)} schedules are called {name}: give one of the ids {ids}.")
        raise UsageError(f"There is no schedule {name}{find_nearest(name, (s.name for s in there.values()))}.")

    def _list_places(self, part: Layer | Event) -> Iterator[Row]:
        """Who stands in each place, and whether he is gone."""
        if isinstance(part, Layer):
            yield from ({**self._name(one.user), "deleted": bool(one.user.deleted_at)} for one in part.users)
        else:
            ids = (member.user_id for member in part.assignment_strategy.members)
            yield from ({**self._name(Reference(id=id)), "deleted": False} if id else NOBODY for id in ids)


def _cut_hours(
    entries: Iterable[tuple[int, int, People]], zone: ZoneInfo
) -> Iterator[tuple[int, int, People, str, int]]:
    """The entries cut at every full hour of the wall clock and at its changes, each with the weekday and the hour."""
    for since, until, people in entries:
        for start, end, ahead in zone_stretches(zone, since, until):
            while start < end:
                naive = start + ahead
                stop = min(end, start + 3600 - naive % 3600)
                yield start, stop, people, DAYS[(naive - MONDAY) // DAY % 7], naive // 3600 % 24
                start = stop


def list_parts(schedule: AnySchedule) -> Iterator[Layer | Event]:
    """Layers from the top, or events."""
    if isinstance(schedule, ScheduleV3):
        yield from (event for one in schedule.rotations for event in one.events)
    else:
        yield from schedule.schedule_layers


def _describe_part(part: Layer | Event) -> Row:
    """How the turns go, when it is on, and its life."""
    if isinstance(part, Layer):
        return {
            "all_at_once": False,
            "turn": read_length(part.rotation_turn_length_seconds),
            "occurrences": None,
            "windows": _describe_restrictions(part.restrictions),
            "counted_from": part.rotation_virtual_start,
            "start": part.start,
            "end": part.end,
        }
    zone = ZoneInfo(read_zone(part.start_time.time_zone).iana or "UTC")
    start, end = (one.date_time.astimezone(zone) for one in (part.start_time, part.end_time))
    together = part.assignment_strategy.type == "every_member_assignment_strategy"
    return {
        "all_at_once": together,
        "turn": None,
        "occurrences": None if together else part.assignment_strategy.shifts_per_member or 1,
        "windows": f"{start:%H:%M:%S} to {end:%H:%M:%S}: {', '.join(part.recurrence)}",
        "counted_from": part.start_time.date_time,
        "start": part.effective_since,
        "end": part.effective_until,
    }


def _describe_restrictions(restrictions: tuple[Restriction, ...]) -> str | None:
    windows = sorted(window for restriction in restrictions for window in read_windows(restriction))
    spelt = [(start // DAY % 7 + 1, _spell_clock(start % DAY), seconds) for start, seconds in windows]
    return "; ".join(describe_windows(spelt)) or None


def _spell_clock(seconds: int) -> str:
    return f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}"
