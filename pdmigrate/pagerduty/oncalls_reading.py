"""Asks PagerDuty who is on call at each level: GET /oncalls, in few requests, at its own pace, whole or said to be missing."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from pdmigrate.errors import IncompleteFetchError, SideError, TooLongError
from pdmigrate.pagerduty.lists import ListCall, ListReader
from pdmigrate.pagerduty.window import Window
from pdmigrate.wire.canonical import canonical_json
from pdmigrate.wire.transport import Transport

FARTHEST = timedelta(days=90)
"""How far ahead PagerDuty looks (PagerDuty API)."""
AT_ONCE = 50
"""Policy ids in one request: an address must not get too long."""
SHORTEST = timedelta(hours=1)
"""No shorter stretch is asked for, however many entries there are."""


class OnCallReader:
    """Asks /oncalls about policies, fifty at a time, on a transport that keeps its own pace."""

    def __init__(self, transport: Transport):
        self._lists = ListReader(transport)

    def read(self, since: datetime, until: datetime, policy_ids: Iterable[str]) -> dict[str, Any]:
        """The raw entries over that time, and why what is missing was not read: the form in which a snapshot holds them.

        It raises nothing that PagerDuty says: where it refuses, the policies that are left are unread in its own words.
        """
        left, rows, unread = sorted(policy_ids), [], {}
        until = min(until, since + FARTHEST)
        while left:
            batch, left = left[:AT_ONCE], left[AT_ONCE:]
            try:
                rows += self._read_some(batch, since, until)
            except IncompleteFetchError as error:
                unread |= dict.fromkeys(batch, str(error))
            except SideError as error:  # the next would be told the same
                unread |= dict.fromkeys([*batch, *left], str(error))
                break
        return {"since": since.isoformat(), "until": until.isoformat(), "oncalls": rows, "unread": unread}

    def _read_some(self, ids: list[str], since: datetime, until: datetime) -> list[dict]:
        """The entries of these policies; where there are too many for one list, of half of them, or of half the time."""
        params = {"escalation_policy_ids[]": ids, "time_zone": "UTC", **Window(since, until).params}
        try:
            return self._lists.read(ListCall("oncalls", "/oncalls", params, identify=canonical_json))
        except TooLongError:
            if len(ids) == 1 and until - since < 2 * SHORTEST:
                raise
        middle = since + (until - since) // 2
        middle -= timedelta(microseconds=middle.microsecond)
        parts = [(ids, since, middle), (ids, middle, until)]
        if len(ids) > 1:
            parts = [(ids[::2], since, until), (ids[1::2], since, until)]
        return [row for part in parts for row in self._read_some(*part)]
