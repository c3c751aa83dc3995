"""Reads who else talks to PagerDuty. What cannot be read is the caller's to say; nothing of it stops a fetch."""

from collections.abc import Iterable
from typing import Any

from pdmigrate.errors import IncompleteFetchError
from pdmigrate.pagerduty.dependents import DEPENDENTS, keep
from pdmigrate.pagerduty.lists import PAGE, ListCall, ListReader, Row, list_records
from pdmigrate.wire.addresses import encode_part
from pdmigrate.wire.together import run_together
from pdmigrate.wire.transport import Transport


class DependentReader:
    """Reads them, one list each; dependencies are the only ones that take a request for each service."""

    def __init__(self, transport: Transport, lists: ListReader):
        self._transport = transport
        self._lists = lists

    def read(self, name: str) -> list[Row]:
        return self._lists.keeper.ask(name, DEPENDENTS[name].path, {"kind": name}, lambda: self._read(name))

    def _read(self, name: str) -> list[Row]:
        kind = DEPENDENTS[name]
        if kind.pages == "offset":
            return keep_each(self._lists.read(ListCall(kind.key or name, kind.path)))
        return keep_each(self._follow(kind.key or name, kind.path, kind.pages))

    def read_dependencies(self, business: Iterable[Row], technical: Iterable[Row]) -> list[Row]:
        """Those of these services, each once: whatever hangs on two of them is told by both."""
        paths = [f"/service_dependencies/business_services/{encode_part(one['id'])}" for one in list_records(business)]
        paths += [
            f"/service_dependencies/technical_services/{encode_part(one['id'])}" for one in list_records(technical)
        ]
        told = "services' dependencies"
        found = run_together(self._read_related, paths, self._transport.progress, told)
        return list({row["id"]: row for rows in found for row in rows}.values())

    def _read_related(self, path: str) -> list[Row]:
        return self._lists.keeper.ask(
            "service_dependencies", path, None, lambda: keep_each(self._follow("relationships", path, "whole"))
        )

    def _follow(self, key: str, path: str, mark: str) -> list[Any]:
        """The rows of a list that is no offset's. Raises IncompleteFetchError where it does not come to an end."""
        asks = {"next_cursor": "cursor", "after": "after"}.get(mark)
        params: dict[str, Any] = {"limit": PAGE} if asks else {}
        rows, seen = [], set()
        while True:
            answer = self._transport.send("GET", path, params)
            found = answer.get(key) if isinstance(answer, dict) else None
            if not isinstance(found, list):
                raise IncompleteFetchError(f"PagerDuty's answer to {path} holds no {key}: nothing was taken from it.")
            rows += found
            further = answer.get(mark) if asks else answer.get("more") or answer.get("next_cursor")
            if not further:
                return rows
            if not asks or not found or further in seen:
                raise IncompleteFetchError(f"PagerDuty's {path} shows {len(rows)} {key} and says that there are more.")
            seen.add(further)
            params = {**params, asks: further}


def keep_each(rows: Iterable[Any]) -> list[Row]:
    """Rows with what may stay of them."""
    return [keep(row) for row in rows if isinstance(row, dict) and row.get("id")]
