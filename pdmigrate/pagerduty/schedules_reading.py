"""Reads layer-based (v2) schedules in the fewest requests: layers in the schedule's own zone, overrides, rendering.

Restrictions carry wall-clock times without a zone, and a list writes them in the zone of the API user: it is asked with
`time_zone`. Everything else is an instant with its offset, the same in whatever zone it is written.
"""

import math
from collections import Counter
from collections.abc import Callable
from dataclasses import replace

from pdmigrate.errors import AnswerError, IncompleteFetchError
from pdmigrate.pagerduty.lists import PAGE, READINGS, ListCall, ListReader, Rows, run_together
from pdmigrate.pagerduty.window import Window
from pdmigrate.transport import Transport
from pdmigrate.zones import read_zone

LIST = ListCall("schedules", "/schedules", cut_by=("team_ids[]", "query"))


class UnrenderedListError(Exception):
    """The list leaves out final_schedule although it was asked for: some accounts do not honour it."""


def list_honours_final(rows: list[dict]) -> bool | None:
    """Whether rows of a list that was asked for final_schedule have it; None where there is no row to tell."""
    finals = [row.get("final_schedule") for row in rows if isinstance(row, dict)]
    return all(isinstance((f or {}).get("rendered_schedule_entries"), list) for f in finals) if finals else None


class ScheduleReader:
    """One account's v2 schedules. `zone` is the one to sweep in, `rendered` the window of PagerDuty's rendering."""

    def __init__(self, transport: Transport, lists: ListReader, zone: str, rendered: Window, overrides: Window):
        self._transport = transport
        self._lists = lists
        self._zone = zone
        self._rendered = rendered
        self._overrides = overrides

    def read(self, try_list: bool = True) -> list[dict]:
        """All schedules. `try_list` False: the list is known not to honour final_schedule."""
        for _ in range(READINGS):
            overrides, swept = run_together([self._sweep_overrides, self._sweep_rendered if try_list else _nothing])
            if swept is None:
                whole = self._read_singles(list(overrides), self._rendered)
                return [_join(row, overrides[id]) for id, row in whole.items()]
            own = self._read_other_zones(swept)
            if swept.keys() == overrides.keys() and own is not None:
                return [_join(own.get(id, row), overrides[id]) for id, row in swept.items()]
        raise IncompleteFetchError(
            f"Schedules came or went each of the {READINGS} times that they were read: try again when less is changed."
        )

    def _sweep_overrides(self) -> Rows:
        """The list renders overrides as it renders the rest; the window is longer than the rendering's."""
        params = {"include[]": ["overrides_subschedule"], "time_zone": "UTC", **self._overrides.params}
        return _by_id(self._lists.read(replace(LIST, params=params, rendered=True)))

    def _sweep_rendered(self) -> Rows | None:
        """Layers and PagerDuty's rendering; None where the list does not honour final_schedule."""
        params = {"include[]": ["schedule_layers", "final_schedule"], "time_zone": self._zone, **self._rendered.params}
        try:
            return _by_id(self._lists.read(replace(LIST, params=params, rendered=True, check=_check_rendered)))
        except UnrenderedListError:
            return None

    def _read_other_zones(self, rows: Rows) -> Rows | None:
        """The schedules that the sweep's zone skews, with layers in their own: by a list sweep a zone, or one by one.

        None where one of them was not found again.
        """
        skewed = {id: _zone_of(row) for id, row in rows.items() if self._is_skewed(row)}
        pages = math.ceil(len(rows) / PAGE)
        numbers = Counter(skewed.values())
        swept = [zone for zone, number in numbers.items() if number > pages and read_zone(zone).iana]
        single = [id for id, zone in skewed.items() if zone not in swept]
        layers = [found for zone in run_together([_later(self._sweep_zone, zone) for zone in swept]) for found in zone]
        layers += self._read_singles(single, None).values()
        own = {
            row["id"]: {**rows[row["id"]], "schedule_layers": row["schedule_layers"]}
            for row in layers
            if row["id"] in skewed
        }
        return own if own.keys() == skewed.keys() else None

    def _sweep_zone(self, zone: str) -> list[dict]:
        call = replace(LIST, params={"include[]": ["schedule_layers"], "time_zone": zone})
        return [row for row in self._lists.read(call) if _zone_of(row) == zone]

    def _read_singles(self, ids: list[str], window: Window | None) -> Rows:
        """Single schedules: here PagerDuty speaks in the schedule's own zone."""
        found = run_together([_later(self._read_single, id, window) for id in ids])
        return {row["id"]: row for row in found}

    def _read_single(self, id: str, window: Window | None) -> dict:
        try:
            return self._transport.send("GET", f"/schedules/{id}", window.params if window else None)["schedule"]
        except AnswerError as error:
            if error.status != 404:
                raise
            raise IncompleteFetchError(
                f"The schedule {id} was removed while the account was read: read it again."
            ) from None

    def _is_skewed(self, row: dict) -> bool:
        """Written in another zone than its own, and with times that have no zone of their own."""
        windows = [r for layer in row.get("schedule_layers") or [] for r in layer.get("restrictions") or []]
        return bool(windows) and _zone_of(row) != (read_zone(self._zone).iana or self._zone)


def _check_rendered(rows: list[dict]) -> None:
    if list_honours_final(rows) is False:
        raise UnrenderedListError


def _join(row: dict, with_overrides: dict) -> dict:
    return {**row, "overrides_subschedule": with_overrides.get("overrides_subschedule")}


def _by_id(rows: list[dict]) -> Rows:
    return {row["id"]: row for row in rows}


def _zone_of(row: dict) -> str:
    """The zone's canonical name, so that two names of one zone need one sweep."""
    name = row.get("time_zone") or ""
    return read_zone(name).iana or name


def _later(call: Callable, *arguments: object) -> Callable:
    return lambda: call(*arguments)


def _nothing() -> None:
    return None
