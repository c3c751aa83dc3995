"""Reads what is only counted and listed as not carried over, with what of it suppresses or reroutes alerts.

An orchestration that suppresses is a page that never comes: nobody may be surprised by that after the move.
"""

from collections.abc import Callable, Iterable

from pdmigrate.errors import IncompleteFetchError
from pdmigrate.pagerduty.event_rules import PATHS, keep_path, keep_rules
from pdmigrate.pagerduty.lists import ListCall, ListReader, Row, list_records
from pdmigrate.wire.addresses import encode_part
from pdmigrate.wire.together import run_together
from pdmigrate.wire.transport import Transport


class NotCarriedReader:
    """Business services, maintenance windows, event orchestrations, rulesets, handoff notification rules."""

    def __init__(self, transport: Transport, lists: ListReader):
        self._transport = transport
        self._lists = lists

    def read_business_services(self) -> list[Row]:
        return self._lists.read(ListCall("business_services", "/business_services", kind="business_services"))

    def read_maintenance_windows(self) -> list[Row]:
        return self._lists.read(ListCall("maintenance_windows", "/maintenance_windows", kind="maintenance_windows"))

    def read_orchestrations(self) -> list[Row]:
        """With the rules of their parts: three requests each. How many services one routes to stands in the list (`routes`)."""
        rows = self._lists.read(
            ListCall("orchestrations", "/event_orchestrations", counted=False, kind="event_orchestrations")
        )
        return self._read_each(
            "event_orchestrations", "event orchestrations", rows, "/event_orchestrations/", self._read_parts
        )

    def _read_parts(self, row: Row, path: str) -> Row:
        return {**row, **{part: keep_path(self._ask_one(f"{path}/{part}").get("orchestration_path")) for part in PATHS}}

    def read_of_services(self, services: Iterable[Row]) -> list[Row]:
        """The orchestrations of single services that have rules: one request a service, there is no list of them.

        Whether one is switched on takes another request; only those that have rules are asked.
        """
        services = list_records(services)
        told, under = "orchestrations of services", "/event_orchestrations/services/"
        rows = self._read_each("service_orchestrations", told, services, under, self._read_of_service)
        return [row for row in rows if has_rules(row)]

    def _read_of_service(self, service: Row, path: str) -> Row:
        found = keep_path(self._ask_one(path).get("orchestration_path"))
        row = {"id": service["id"], "name": service.get("name"), **found}
        return {**row, "active": self._ask_one(f"{path}/active").get("active") is not False} if has_rules(row) else row

    def read_rulesets(self) -> list[Row]:
        """With their rules."""
        rows = self._lists.read(ListCall("rulesets", "/rulesets", kind="rulesets"))
        return self._read_each("rulesets", "rulesets", rows, "/rulesets/", self._read_rules)

    def _read_rules(self, row: Row, path: str) -> Row:
        return {**row, "rules": keep_rules(self._lists.read(ListCall("rules", f"{path}/rules")))}

    def read_handoffs(self, users: Iterable[Row]) -> dict[str, list[Row]]:
        """Handoff notification rules by user id: one request a person, there is no list of them."""
        users = [user for user in users if isinstance(user, dict) and isinstance(user.get("id"), str)]
        found = self._read_each("handoff_rules", "handoff rules", users, "/users/", self._read_handoff)
        return {id: rules for one in found for id, rules in one.items()}

    def _read_handoff(self, user: Row, path: str) -> Row:
        name = "oncall_handoff_notification_rules"
        return {user["id"]: self._ask_one(f"{path}/{name}").get(name) or []}

    def _read_each(
        self, kind: str, told: str, rows: Iterable[Row], under: str, read: Callable[[Row, str], Row]
    ) -> list[Row]:
        """What `read` makes of each row, which it is given with its path; each is kept for a reading that goes on."""

        def read_one(row: Row) -> Row:
            path = f"{under}{encode_part(row['id'])}"
            return self._lists.keeper.ask(kind, path, None, lambda: read(row, path))

        return run_together(read_one, rows, self._transport.progress, told)

    def _ask_one(self, path: str) -> Row:
        answer = self._transport.send("GET", path)
        if not isinstance(answer, dict):
            raise IncompleteFetchError(f"PagerDuty's answer to {path} is no object: nothing was taken from it.")
        return answer


def has_rules(row: Row) -> bool:
    """Whether the orchestration of a service says anything."""
    return bool(row["catch_all"]["actions"]) or any(one["rules"] for one in row["sets"])
