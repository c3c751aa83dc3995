"""Reads schedules of both sorts in the fewest requests.

Layer-based (v2) ones: layers in the schedule's own zone, overrides, rendering. Restrictions carry wall-clock times without a zone, and a list writes them in the zone of the API user: it is asked with
`time_zone`, by the name that PagerDuty itself gives. Everything else is an instant with its offset, the same in whatever
zone it is written. What a list leaves out, or writes in another zone all the same, is asked for schedule by schedule.
"""

import logging
import math
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace

from pydantic import ValidationError

from pdmigrate.errors import AnswerError, IncompleteFetchError
from pdmigrate.oncall.zones import read_zone
from pdmigrate.pagerduty.answers import take_object
from pdmigrate.pagerduty.lists import PAGE, READINGS, ListCall, ListReader, Row, Rows
from pdmigrate.pagerduty.records import Layer, is_rendered
from pdmigrate.pagerduty.rota import find_foreign
from pdmigrate.pagerduty.v3_records import SHOWN
from pdmigrate.pagerduty.window import FetchWindow, LongWindow, join_rendered
from pdmigrate.wire.addresses import encode_part
from pdmigrate.wire.together import run_together
from pdmigrate.wire.transport import Transport

log = logging.getLogger("pdmigrate")

LAYERED = ListCall("schedules", "/schedules", cut_by=("team_ids[]", "query"), kind="schedules")
RENDERED = ("overrides_subschedule", "final_schedule")
SHIFTS = ListCall("schedules", "/v3/schedules", limit=1000, cut_by=("team_ids[]", "query"), kind="references")
DATED = ("overrides", "custom_shifts")
EDGES = ("start_time", "end_time")

Check = Callable[[list[Row]], None]
"""Looks at the first page of a list, and may raise."""


class UnrenderedListError(Exception):
    """The list shows no final_schedule although it was asked for: some accounts do not honour it."""


def list_honours_final(rows: list[Row]) -> bool | None:
    """Whether rows of a list that was asked for final_schedule have it; None where there is no row to tell."""
    finals = [row.get("final_schedule") for row in rows if isinstance(row, dict)]
    return all(is_rendered(final) for final in finals) if finals else None


@contextmanager
def _noticing_removal(id: str) -> Iterator[None]:
    """What is gone when it is asked for was removed while the account was read: then the reading is not complete."""
    try:
        yield
    except AnswerError as error:
        if error.status != 404:
            raise
        raise IncompleteFetchError(
            f"The schedule {id} was removed while the account was read: read it again."
        ) from None


class ScheduleReader:
    """One account's v2 schedules. `zone` is the one to sweep in, `rendered` the window of PagerDuty's rendering."""

    def __init__(
        self, transport: Transport, lists: ListReader, zone: str, rendered: FetchWindow, overrides: FetchWindow
    ):
        self._transport = transport
        self._lists = lists
        self._zone = zone
        self._rendered = rendered
        self._overrides = overrides
        self._long = LongWindow()

    def read(self, try_list: bool = True) -> list[Row]:
        """All schedules. `try_list` False: the list is known not to honour final_schedule."""
        for _ in range(READINGS):
            overrides, swept = self._sweep_both(try_list)
            rows: Rows | None
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

    def _sweep_both(self, try_list: bool) -> tuple[Rows, Rows | None]:
        """The overrides of a window that is longer than the rendering's; layers and rendering, where the list has them."""

        def sweep(part: str) -> Rows | None:
            if part == "overrides":
                return self._sweep(["overrides_subschedule"], "UTC", self._overrides)
            return self._sweep_rendered() if try_list else None

        overrides, swept = run_together(sweep, ("overrides", "rendered"))
        return overrides or {}, swept

    def _sweep_rendered(self) -> Rows | None:
        """Layers and PagerDuty's rendering; None where the list does not honour final_schedule."""
        try:
            return self._sweep(["schedule_layers", "final_schedule"], self._zone, self._rendered, _check_rendered)
        except UnrenderedListError:
            log.warning("PagerDuty's list of schedules renders none of them; asking for each alone")
            return None

    def _sweep(self, parts: list[str], zone: str, window: FetchWindow, check: Check | None = None) -> Rows:
        """The whole list, with these parts rendered; in shorter windows where PagerDuty refuses the long one."""
        told = "schedules" if check else "schedules' overrides"
        call = replace(LAYERED, rendered=True, check=check, told=told)
        params = {"include[]": parts, "time_zone": zone}
        return _join_windows(
            self._long.ask(
                window, lambda part: _by_id(self._lists.read(replace(call, params={**params, **part.params})))
            )
        )

    def _complete(self, swept: Rows) -> Rows | None:
        """The rows of the list, completed by single requests where it left parts out or used another zone.

        None where a schedule is gone meanwhile.
        """
        lacking = [
            id
            for id, row in swept.items()
            if not isinstance(row.get("schedule_layers"), list) or not is_rendered(row.get("final_schedule"))
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
        names: dict[str, Counter[str]] = defaultdict(Counter)
        skewed = {id: row for id, row in rows.items() if self._is_skewed(row)}
        for row in skewed.values():
            names[_zone_of(row)][row.get("time_zone") or ""] += 1
        pages = math.ceil(len(rows) / PAGE)
        swept = [zone for zone, counted in names.items() if counted.total() > pages and read_zone(zone).iana]
        single = [id for id, row in skewed.items() if _zone_of(row) not in swept]
        usual = {zone: min(counted, key=lambda name: (-counted[name], name)) for zone, counted in names.items()}
        found = run_together(lambda zone: self._sweep_zone(zone, usual[zone]), swept)
        layers = {row["id"]: row for rows_of_zone in found for row in rows_of_zone if row["id"] in skewed}
        layers |= self._read_singles(single, None)
        return _take_layers(rows, layers) if layers.keys() == skewed.keys() else None

    def _sweep_zone(self, zone: str, name: str) -> list[Row]:
        """The schedules of a zone. name: what PagerDuty calls it; it may not know the name of today."""
        call = replace(LAYERED, params={"include[]": ["schedule_layers"], "time_zone": name})
        return [row for row in self._lists.read(call) if _zone_of(row) == zone]

    def _join_overrides(self, rows: Rows, overrides: Rows) -> list[Row]:
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

    def _read_singles(self, ids: Iterable[str], window: FetchWindow | None) -> Rows:
        """Ask for schedules one by one: PagerDuty then writes windows in the schedule's own zone."""
        told = "schedules one by one"
        return _by_id(run_together(lambda id: self._read_single(id, window), ids, self._transport.progress, told))

    def _read_single(self, id: str, window: FetchWindow | None) -> Row:
        with _noticing_removal(id):
            if window is None:
                return self._ask_single(id, None)
            parts = self._long.ask(window, lambda part: {id: self._ask_single(id, part.params)})
            return _join_windows(parts)[id]

    def _ask_single(self, id: str, params: dict[str, str] | None) -> Row:
        path = f"/schedules/{encode_part(id)}"
        return self._lists.keeper.ask(
            "schedules", path, params, lambda: take_object(self._transport.send("GET", path, params), "schedule", path)
        )

    def _is_skewed(self, row: Row) -> bool:
        """Whether the list was asked in another zone than the schedule's and it has windows, which carry no zone."""
        windows = [r for layer in row.get("schedule_layers") or [] for r in layer.get("restrictions") or []]
        return bool(windows) and _zone_of(row) != (read_zone(self._zone).iana or self._zone)


def _check_rendered(rows: list[Row]) -> None:
    """A list that renders none of its schedules is not read to its end."""
    if rows and not any(is_rendered(row.get("final_schedule")) for row in rows):
        raise UnrenderedListError


def _join_windows(parts: list[tuple[FetchWindow, Rows]]) -> Rows:
    """The rows that every window has, with their renderings put together."""
    first = parts[0][1]
    if len(parts) == 1:
        return first
    common = [id for id in first if all(id in rows for _, rows in parts)]
    return {
        id: first[id]
        | {
            name: join_rendered([(window, rows[id].get(name)) for window, rows in parts])
            for name in RENDERED
            if name in first[id]
        }
        for id in common
    }


def _take_layers(rows: Rows, layers: Rows) -> Rows:
    """The rows of `layers`, with nothing but the layers out of it."""
    return {id: {**rows[id], "schedule_layers": row.get("schedule_layers")} for id, row in layers.items()}


def _is_foreign(row: Row) -> bool:
    """Whether its windows are in another zone than its own, by the offsets of its layers."""
    try:
        layers = [Layer.model_validate(layer) for layer in row.get("schedule_layers") or []]
    except ValidationError:
        return False
    return find_foreign(row.get("time_zone") or "", layers) is not None


def _by_id(rows: list[Row]) -> Rows:
    return {row["id"]: row for row in rows}


def _zone_of(row: Row) -> str:
    """The zone's canonical name, so that two names of one zone need one sweep."""
    name = row.get("time_zone") or ""
    return read_zone(name).iana or name


# --- shift-based (v3) schedules ---


class ShiftReader:
    """One account's v3 schedules. The list has references only, so each is asked for itself and its dated shifts.

    The list leaves out in silence what the key may not read; a reference that no list has shown is the only sign of it.
    `rendered` is the window of PagerDuty's rendering, `dated` that of dated shifts."""

    def __init__(self, transport: Transport, lists: ListReader, rendered: FetchWindow, dated: FetchWindow):
        self._transport = transport
        self._lists = lists
        self._rendered = rendered
        self._dated = dated
        self._long = LongWindow()

    def read(self) -> list[Row]:
        """All that the key may read, each with rotations, dated shifts and rendering."""
        ids = [row["id"] for row in self._lists.read(SHIFTS)]
        return run_together(self._read_one, ids, self._transport.progress, "shift-based schedules")

    def _read_one(self, id: str) -> Row:
        with _noticing_removal(id):
            parts = self._long.ask(self._rendered, lambda part: self._ask(id, part))
            final = [(window, row.get("final_schedule")) for window, row in parts]
            row = {**parts[0][1], "final_schedule": join_rendered(final, SHOWN, EDGES)}
            return {**row, **{part: self._read_dated(id, part) for part in DATED}}

    def _ask(self, id: str, window: FetchWindow) -> Row:
        params = {"include[]": ["final_schedule"], **window.params}
        path = f"/v3/schedules/{encode_part(id)}"
        return self._lists.keeper.ask(
            "schedules_v3",
            path,
            params,
            lambda: take_object(self._transport.send("GET", path, params), "schedule", path),
        )

    def _read_dated(self, id: str, part: str) -> list[Row] | None:
        """Overrides or custom shifts; whole ones, not cut at the window's edges. None: the answer has no such list."""
        call = ListCall(part, f"/v3/schedules/{encode_part(id)}/{part}", counted=False)

        def ask(window: FetchWindow) -> list[Row] | None:
            asked = replace(call, params={**window.params, "overflow": "true"})
            kept = self._lists.keeper.ask(
                "schedules_v3", call.path, asked.params, lambda: {part: self._lists.read_known(asked)}
            )
            rows: list[Row] | None = kept[part]
            return rows

        found = self._long.ask(self._dated, ask)
        if any(rows is None for _, rows in found):
            return None
        return list({row["id"]: row for _, rows in found for row in rows or []}.values())
