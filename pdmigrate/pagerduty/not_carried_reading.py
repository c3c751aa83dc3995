"""Reads what is only counted and listed as not carried over, with what of it suppresses or reroutes alerts.

An orchestration that suppresses is a page that never comes: nobody may be surprised by that after the move.
"""

from collections.abc import Iterable

from pdmigrate.errors import IncompleteFetchError
from pdmigrate.pagerduty.event_rules import PATHS, keep_path, keep_rules
from pdmigrate.pagerduty.lists import ListCall, ListReader, Row, run_together
from pdmigrate.wire.addresses import encode_part
from pdmigrate.wire.transport import Transport


class NotCarriedReader:
    """Business services, maintenance windows, event orchestrations, rulesets, handoff notification rules."""

    def __init__(self, transport: Transport, lists: ListReader):
        self._transport = transport
        self._lists = lists

    def read_business_services(self) -> list[Row]:
        return self._lists.read(ListCall("business_services", "/business_services"))

    def read_maintenance_windows(self) -> list[Row]:
        return self._lists.read(ListCall("maintenance_windows", "/maintenance_windows"))

    def read_orchestrations(self) -> list[Row]:
        """With the rules of their parts: three requests each. How many services one routes to stands in the list (`routes`)."""
        rows = self._lists.read(ListCall("orchestrations", "/event_orchestrations", counted=False))
        asked = [(row["id"], part) for row in rows for part in PATHS]
        answers = self._ask_each(f"/event_orchestrations/{encode_part(id)}/{part}" for id, part in asked)
        kept = {
            place: keep_path(answer.get("orchestration_path")) for place, answer in zip(asked, answers, strict=True)
        }
        return [{**row, **{part: kept[row["id"], part] for part in PATHS}} for row in rows]

    def read_of_services(self, services: Iterable[Row]) -> list[Row]:
        """The orchestrations of single services that have rules: one request a service, there is no list of them.

        Whether one is switched on takes another request; only those that have rules are asked.
        """
        services = [one for one in services if isinstance(one, dict) and isinstance(one.get("id"), str)]
        answers = self._ask_each(f"/event_orchestrations/services/{encode_part(one['id'])}" for one in services)
        rows = [
            {"id": one["id"], "name": one.get("name"), **keep_path(answer.get("orchestration_path"))}
            for one, answer in zip(services, answers, strict=True)
        ]
        busy = [row for row in rows if row["catch_all"]["actions"] or any(one["rules"] for one in row["sets"])]
        states = self._ask_each(f"/event_orchestrations/services/{encode_part(row['id'])}/active" for row in busy)
        return [{**row, "active": state.get("active") is not False} for row, state in zip(busy, states, strict=True)]

    def read_rulesets(self) -> list[Row]:
        """With their rules."""
        rows = self._lists.read(ListCall("rulesets", "/rulesets"))
        calls = [ListCall("rules", f"/rulesets/{encode_part(row['id'])}/rules") for row in rows]
        lists = run_together(self._lists.read, calls)
        return [{**row, "rules": keep_rules(rules)} for row, rules in zip(rows, lists, strict=True)]

    def read_handoffs(self, users: Iterable[Row]) -> dict[str, list[Row]]:
        """Handoff notification rules by user id: one request a person, there is no list of them."""
        ids = [user["id"] for user in users if isinstance(user, dict) and isinstance(user.get("id"), str)]
        name = "oncall_handoff_notification_rules"
        answers = self._ask_each(f"/users/{encode_part(id)}/{name}" for id in ids)
        return {id: answer.get(name) or [] for id, answer in zip(ids, answers, strict=True)}

    def _ask_each(self, paths: Iterable[str]) -> list[Row]:
        return run_together(self._ask_one, paths)

    def _ask_one(self, path: str) -> Row:
        answer = self._transport.send("GET", path)
        if not isinstance(answer, dict):
            raise IncompleteFetchError(f"PagerDuty's answer to {path} is no object: nothing was taken from it.")
        return answer
