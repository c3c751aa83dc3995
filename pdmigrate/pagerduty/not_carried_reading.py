"""Reads what is only counted and listed as not carried over, with what of it suppresses or reroutes alerts.

An orchestration that suppresses is a page that never comes: nobody may be surprised by that after the move. Only counts
are kept of their rules, since conditions and webhooks of automations may hold secrets.
"""

from collections.abc import Iterable
from typing import Any

from pdmigrate.pagerduty.lists import ListCall, ListReader, Row, run_together
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
        """With `suppressing_rules`; how many services an orchestration routes to stands in the list (`routes`)."""
        rows = self._lists.read(ListCall("orchestrations", "/event_orchestrations", counted=False))
        paths = self._ask_each(f"/event_orchestrations/{row['id']}/global" for row in rows)
        return [{**row, "suppressing_rules": _count_suppressing(path)} for row, path in zip(rows, paths, strict=True)]

    def read_of_services(self, services: Iterable[Row]) -> list[Row]:
        """The orchestrations of single services that suppress alerts: one request a service, there is no list of them."""
        services = list(services)
        paths = self._ask_each(f"/event_orchestrations/services/{one['id']}" for one in services)
        rows = [
            {"id": one["id"], "name": one.get("name"), "suppressing_rules": _count_suppressing(path)}
            for one, path in zip(services, paths, strict=True)
        ]
        return [row for row in rows if row["suppressing_rules"]]

    def read_rulesets(self) -> list[Row]:
        """With `suppressing_rules` and `routing_rules`."""
        rows = self._lists.read(ListCall("rulesets", "/rulesets"))
        lists = run_together(self._lists.read, [ListCall("rules", f"/rulesets/{row['id']}/rules") for row in rows])
        return [{**row, **_count_rules(rules)} for row, rules in zip(rows, lists, strict=True)]

    def read_handoffs(self, users: Iterable[Row]) -> dict[str, list[Row]]:
        """Handoff notification rules by user id: one request a person, there is no list of them."""
        ids = [user["id"] for user in users]
        name = "oncall_handoff_notification_rules"
        answers = self._ask_each(f"/users/{id}/{name}" for id in ids)
        return {id: answer.get(name) or [] for id, answer in zip(ids, answers, strict=True)}

    def _ask_each(self, paths: Iterable[str]) -> list[Any]:
        return run_together(lambda path: self._transport.send("GET", path), paths)


def _count_suppressing(answer: Row) -> int:
    path = answer.get("orchestration_path") or {}
    rules = [rule for each in path.get("sets") or [] for rule in each.get("rules") or []]
    actions = [rule.get("actions") or {} for rule in [*rules, path.get("catch_all") or {}] if not rule.get("disabled")]
    return sum(bool(action.get("suppress") or action.get("drop_event")) for action in actions)


def _count_rules(rules: list[Row]) -> dict[str, int]:
    actions = [rule.get("actions") or {} for rule in rules if not rule.get("disabled")]
    return {
        f"{name}_rules": sum(
            bool(action.get("value") if isinstance(action, dict) else action)
            for action in (a.get(key) for a in actions)
        )
        for name, key in (("suppressing", "suppress"), ("routing", "route"))
    }
