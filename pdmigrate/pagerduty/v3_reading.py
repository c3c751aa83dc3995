"""Reads shift-based (v3) schedules: the list has references only, so each is asked for itself and its dated shifts.

The list leaves out in silence what the key may not read; a reference that no list has shown is the only sign of it.
"""

from collections.abc import Callable
from dataclasses import replace

from pdmigrate.errors import AnswerError, IncompleteFetchError
from pdmigrate.pagerduty.lists import ListCall, ListReader, run_together
from pdmigrate.pagerduty.pieces import join_rendered
from pdmigrate.pagerduty.v3_records import SHOWN
from pdmigrate.pagerduty.window import LongWindow, Window
from pdmigrate.wire.transport import Transport

LIST = ListCall("schedules", "/v3/schedules", limit=1000, cut_by=("team_ids[]", "query"))
DATED = ("overrides", "custom_shifts")
EDGES = ("start_time", "end_time")


class ShiftReader:
    """One account's v3 schedules. `rendered` is the window of PagerDuty's rendering, `dated` that of dated shifts."""

    def __init__(self, transport: Transport, lists: ListReader, rendered: Window, dated: Window):
        self._transport = transport
        self._lists = lists
        self._rendered = rendered
        self._dated = dated
        self._long = LongWindow()

    def read(self) -> list[dict]:
        """All that the key may read, each with rotations, dated shifts and rendering."""
        ids = [row["id"] for row in self._lists.read(LIST)]
        return run_together([self._later(id) for id in ids])

    def _later(self, id: str) -> Callable[[], dict]:
        return lambda: self._read_one(id)

    def _read_one(self, id: str) -> dict:
        try:
            parts = self._long.ask(self._rendered, lambda part: self._ask(id, part))
            final = [(window, row.get("final_schedule")) for window, row in parts]
            row = {**parts[0][1], "final_schedule": join_rendered(final, SHOWN, EDGES)}
            return {**row, **{part: self._read_dated(id, part) for part in DATED}}
        except AnswerError as error:
            if error.status != 404:
                raise
            raise IncompleteFetchError(
                f"The schedule {id} was removed while the account was read: read it again."
            ) from None

    def _ask(self, id: str, window: Window) -> dict:
        params = {"include[]": ["final_schedule"], **window.params}
        return self._transport.send("GET", f"/v3/schedules/{id}", params)["schedule"]

    def _read_dated(self, id: str, part: str) -> list[dict] | None:
        """Overrides or custom shifts; whole ones, not cut at the window's edges. None: the answer has no such list."""
        call = ListCall(part, f"/v3/schedules/{id}/{part}", counted=False)
        found = self._long.ask(
            self._dated,
            lambda window: self._lists.read_known(replace(call, params={**window.params, "overflow": "true"})),
        )
        if any(rows is None for _, rows in found):
            return None
        return list({row["id"]: row for _, rows in found for row in rows or []}.values())
