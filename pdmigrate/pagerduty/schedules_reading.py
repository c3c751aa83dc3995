"""Reads layer-based (v2) schedules in the fewest requests: layers in the schedule's own zone, overrides, rendering.

Restrictions carry wall-clock times without a zone, and a list writes them in the zone of the API user: it is asked with
`time_zone`, by the name that PagerDuty itself gives. Everything else is an instant with its offset, the same in whatever
zone it is written. What a list leaves out, or writes in another zone all the same, is asked for schedule by schedule.
"""

import logging
import math
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any

from pydantic import ValidationError

from pdmigrate.errors import AnswerError, IncompleteFetchError
from pdmigrate.oncall.zones import read_zone
from pdmigrate.pagerduty.lists import PAGE, READINGS, ListCall, ListReader, Rows, run_together
from pdmigrate.pagerduty.offsets import find_foreign
from pdmigrate.pagerduty.pieces import join_rendered
from pdmigrate.pagerduty.records import Layer, is_rendered
from pdmigrate.pagerduty.window import LongWindow, Window
from pdmigrate.wire.transport import Transport

log = logging.getLogger("pdmigrate")

LIST = ListCall("schedules", "/schedules", cut_by=("team_ids[]", "query"))
RENDERED = ("overrides_subschedule", "final_schedule")


class UnrenderedListError(Exception):
    """The list shows no final_schedule although it was asked for: some accounts do not honour it."""


def list_honours_final(rows: list[dict]) -> bool | None:
    """Whether rows of a list that was asked for final_schedule have it; None where there is no row to tell."""
    finals = [row.get("final_schedule") for row in rows if isinstance(row, dict)]
    return all(is_rendered(final) for final in finals) if finals else None


class ScheduleReader:
    """One account's v2 schedules. `zone` is the one to sweep in, `rendered` the window of PagerDuty's rendering."""

    def __init__(self, transport: Transport, lists: ListReader, zone: str, rendered: Window, overrides: Window):
        self._transport = transport
        self._lists = lists
        self._zone = zone
        self._rendered = rendered
        self._overrides = overrides
        self._long = LongWindow()

    def read(self, try_list: bool = True) -> list[dict]:
        """All schedules. `try_list` False: the list is known not to honour final_schedule."""
        for _ in range(READINGS):
            overrides, swept = run_together([self._sweep_overrides, self._sweep_rendered if try_list else _nothing])
            if swept is None:
                rows = self._read_singles(overrides, self._rendered)
            elif swept.keys() == overrides.keys():
                rows = self._complete(swept)
            else:
                continue
            if rows is not None:
                return self._join_overrides(rows, overrides)
        raise IncompleteFetchError(
            f"Schedules came or went each of the {READINGS} times that they were read: try again when less is changed."
        )

    def _sweep_overrides(self) -> Rows:
        """The list renders overrides as it renders the rest; the window is longer than the rendering's."""
        return self._sweep(["overrides_subschedule"], "UTC", self._overrides)

    def _sweep_rendered(self) -> Rows | None:
        """Layers and PagerDuty's rendering; None where the list does not honour final_schedule."""
        try:
            return self._sweep(["schedule_layers", "final_schedule"], self._zone, self._rendered, _check_rendered)
        except UnrenderedListError:
            log.warning("PagerDuty's list of schedules renders none of them; asking for each alone")
            return None

    def _sweep(self, parts: list[str], zone: str, window: Window, check: Callable | None = None) -> Rows:
        """The whole list, with these parts rendered; in shorter windows where PagerDuty refuses the long one."""
        call = replace(LIST, rendered=True, check=check)
        params = {"include[]": parts, "time_zone": zone}
        return _join_windows(
            self._long.ask(
                window, lambda part: _by_id(self._lists.read(replace(call, params={**params, **part.params})))
            )
        )

    def _complete(self, swept: Rows) -> Rows | None:
        """The rows of the sweep, with all that it left out or wrote in another zone. None: one was not found again."""
        lacking = [
            id for id, row in swept.items() if not _has_layers(row) or not is_rendered(row.get("final_schedule"))
        ]
        if lacking:
            log.warning("PagerDuty's list of schedules leaves out parts of %d; asking for each alone", len(lacking))
        rows = {**swept, **self._read_singles(lacking, self._rendered)}
        own = self._read_other_zones({id: row for id, row in swept.items() if id not in lacking})
        if own is None:
            return None
        rows = {**rows, **own}
        foreign = [id for id, row in rows.items() if id not in lacking and _is_foreign(row)]
        if foreign:
            log.warning("PagerDuty's list writes %d schedules in another zone; asking for each alone", len(foreign))
        return {**rows, **_take_layers(rows, self._read_singles(foreign, None))}

    def _read_other_zones(self, rows: Rows) -> Rows | None:
        """The schedules that the sweep's zone skews, with layers in their own: by a list sweep a zone, or one by one.

        None where one of them was not found again.
        """
        names: dict[str, Counter] = defaultdict(Counter)
        skewed = {id: row for id, row in rows.items() if self._is_skewed(row)}
        for row in skewed.values():
            names[_zone_of(row)][row.get("time_zone") or ""] += 1
        pages = math.ceil(len(rows) / PAGE)
        swept = [zone for zone, found in names.items() if found.total() > pages and read_zone(zone).iana]
        single = [id for id, row in skewed.items() if _zone_of(row) not in swept]
        calls = [_later(self._sweep_zone, zone, _most_common(names[zone])) for zone in swept]
        layers = {row["id"]: row for found in run_together(calls) for row in found if row["id"] in skewed}
        layers |= self._read_singles(single, None)
        return _take_layers(rows, layers) if layers.keys() == skewed.keys() else None

    def _sweep_zone(self, zone: str, name: str) -> list[dict]:
        """The schedules of a zone. name: what PagerDuty calls it; it may not know the name of today."""
        call = replace(LIST, params={"include[]": ["schedule_layers"], "time_zone": name})
        return [row for row in self._lists.read(call) if _zone_of(row) == zone]

    def _join_overrides(self, rows: Rows, overrides: Rows) -> list[dict]:
        """The rows with the overrides of the longer window; of those that the list leaves out, each asked for alone.

        What PagerDuty does not show there either stays absent: nobody may take it for "no overrides".
        """
        part = "overrides_subschedule"
        lacking = [id for id in rows if not is_rendered(overrides[id].get(part))]
        if lacking:
            log.warning(
                "PagerDuty's list leaves out the overrides of %d schedules; asking for each alone", len(lacking)
            )
        found = {**overrides, **self._read_singles(lacking, self._overrides)}
        return [{**row, part: found[id].get(part)} for id, row in rows.items()]

    def _read_singles(self, ids: Iterable[str], window: Window | None) -> Rows:
        """Single schedules: here PagerDuty speaks in the schedule's own zone."""
        found = run_together([_later(self._read_single, id, window) for id in ids])
        return {row["id"]: row for row in found}

    def _read_single(self, id: str, window: Window | None) -> dict:
        try:
            if window is None:
                return self._ask_single(id, None)
            parts = self._long.ask(window, lambda part: {id: self._ask_single(id, part.params)})
            return _join_windows(parts)[id]
        except AnswerError as error:
            if error.status != 404:
                raise
            raise IncompleteFetchError(
                f"The schedule {id} was removed while the account was read: read it again."
            ) from None

    def _ask_single(self, id: str, params: dict[str, str] | None) -> dict:
        return self._transport.send("GET", f"/schedules/{id}", params)["schedule"]

    def _is_skewed(self, row: dict) -> bool:
        """Written in another zone than its own, and with times that have no zone of their own."""
        windows = [r for layer in row.get("schedule_layers") or [] for r in layer.get("restrictions") or []]
        return bool(windows) and _zone_of(row) != (read_zone(self._zone).iana or self._zone)


def _check_rendered(rows: list[dict]) -> None:
    """A list that renders none of its schedules is not read to its end."""
    if rows and not any(is_rendered(row.get("final_schedule")) for row in rows):
        raise UnrenderedListError


def _join_windows(parts: list[tuple[Window, Rows]]) -> Rows:
    """The rows that every window has, with their renderings put together."""
    first = parts[0][1]
    if len(parts) == 1:
        return first
    common = [id for id in first if all(id in rows for _, rows in parts)]
    return {id: _join_row(first[id], [(window, rows[id]) for window, rows in parts]) for id in common}


def _join_row(row: dict, parts: list[tuple[Window, dict]]) -> dict:
    shown = {name: join_rendered([(w, each.get(name)) for w, each in parts]) for name in RENDERED if name in row}
    return {**row, **shown}


def _take_layers(rows: Rows, layers: Rows) -> Rows:
    """The rows of `layers`, with nothing but the layers out of it."""
    return {id: {**rows[id], "schedule_layers": row.get("schedule_layers")} for id, row in layers.items()}


def _has_layers(row: dict) -> bool:
    return isinstance(row.get("schedule_layers"), list)


def _is_foreign(row: dict) -> bool:
    """Whether its windows are in another zone than its own, by the offsets of its layers."""
    try:
        layers = [Layer.model_validate(layer) for layer in row.get("schedule_layers") or []]
    except ValidationError:
        return False
    return find_foreign(row.get("time_zone") or "", layers) is not None


def _by_id(rows: list[dict]) -> Rows:
    return {row["id"]: row for row in rows}


def _zone_of(row: dict) -> str:
    """The zone's canonical name, so that two names of one zone need one sweep."""
    name = row.get("time_zone") or ""
    return read_zone(name).iana or name


def _most_common(names: Counter) -> str:
    return min(names, key=lambda name: (-names[name], name))


def _later(call: Callable, *arguments: Any) -> Callable:
    return lambda: call(*arguments)


def _nothing() -> None:
    return None
