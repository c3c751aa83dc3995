"""Reads a PagerDuty account: GET only, and whole or an error."""

import math
import re
from collections import Counter
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from typing import Any

from pdmigrate.errors import AnswerError, IncompleteFetchError, KeyRefusedError, WrongAccountError
from pdmigrate.pagerduty.account import Snapshot, common_zone, whole_seconds
from pdmigrate.transport import Transport

HOSTS = {"us": "https://api.pagerduty.com", "eu": "https://api.eu.pagerduty.com"}
PAGE = 100
CAP = 10_000
"""PagerDuty API: offset + limit beyond this is refused, so a longer list can never be read this way."""
SIDE_BY_SIDE = 4
OVERRIDES_AHEAD = timedelta(days=400)
"""Swaps are made months ahead."""


def make_client(base_url: str | None, region: str, token: str) -> "PagerDuty":
    """A client for the region's host, or for another server that speaks the same API."""
    headers = {"Authorization": f"Token token={token}", "Accept": "application/vnd.pagerduty+json;version=2"}
    return PagerDuty(Transport("PagerDuty", base_url or HOSTS[region], headers, allowed=frozenset({"GET"})))


class PagerDuty:
    """The reading side of PagerDuty's REST API."""

    def __init__(self, transport: Transport):
        self.transport = transport

    def check_account(self, subdomain: str) -> dict[str, Any]:
        """Whether the key is good and the account the one that was named; what the account can do.

        Raises KeyRefusedError with a hint at the other region, or WrongAccountError.
        """
        try:
            abilities = self._get("/abilities").get("abilities", [])
        except KeyRefusedError as error:
            raise KeyRefusedError(f"{error} A US key is refused by the EU host and the other way round.") from None
        found = self._find_subdomain()
        if found and found != subdomain.lower():
            raise WrongAccountError(
                f"The key opens the PagerDuty account {found}, but migration.yaml says {subdomain}: mend source.subdomain or the key."
            )
        return {"subdomain": found or subdomain, "abilities": sorted(abilities)}

    def fetch(self, subdomain: str, now: datetime, horizon: timedelta, progress: Callable[[str], None]) -> Snapshot:
        """Everything, whole. `progress` is told each kind before it is read. Raises IncompleteFetchError otherwise."""
        since = whole_seconds(now)
        rows: dict[str, Any] = {}
        for kind, read in self._readers(since, since + horizon, rows).items():
            progress(kind)
            rows[kind] = read()
        counts = self.transport.counts
        return Snapshot(subdomain, since, since, since + horizon, rows, counts.requests, counts.retries)

    def _readers(self, since: datetime, until: datetime, rows: dict) -> dict[str, Callable[[], Any]]:
        users = {"include[]": ["contact_methods", "notification_rules"]}
        policies = {"include[]": ["escalation_rule_assignment_strategies"]}
        services = {"include[]": ["integrations"]}
        return {
            "users": lambda: self.list_all("users", users),
            "teams": lambda: self.list_all("teams"),
            "team_members": lambda: self._read_members(rows["teams"]),
            "schedules": lambda: self._read_schedules(common_zone(rows["users"]), since, until),
            "schedules_v3": lambda: self._list_if_there("schedules", "/v3/schedules"),
            "escalation_policies": lambda: self.list_all("escalation_policies", policies),
            "services": lambda: [_without_keys(row) for row in self.list_all("services", services)],
            "business_services": lambda: self._list_if_there("business_services"),
            "maintenance_windows": lambda: self._list_if_there("maintenance_windows"),
            "event_orchestrations": lambda: self._list_if_there("orchestrations", "/event_orchestrations"),
            "rulesets": lambda: self._list_if_there("rulesets"),
        }

    def read_renderings(self, since: datetime, until: datetime, ids: list[str]) -> dict[str, dict]:
        """PagerDuty's own word on who is on call over another window, by schedule id: evidence for changes of the clock.

        An id that no list of layer-based schedules has is asked for as a shift-based one.
        """
        window = {"include[]": ["final_schedule"], "since": _format(since), "until": _format(until)}
        listed = self.list_all("schedules", {**window, "time_zone": "UTC"})
        shown = {row["id"]: row.get("final_schedule") or {} for row in listed if row["id"] in ids}
        missing = [id for id in ids if id not in shown]
        rows = self._side_by_side(lambda id: self._get(f"/v3/schedules/{id}", window)["schedule"], missing)
        return shown | {row["id"]: row.get("final_schedule") or {} for row in rows}

    def list_all(self, key: str, params: dict | None = None, path: str | None = None) -> list[dict]:
        """All rows of a list, each id once. Raises IncompleteFetchError beyond 10,000 or when the list will not end."""
        rows: dict[str, dict] = {}
        for offset in range(0, CAP, PAGE):
            page = self._get(path or f"/{key}", {**(params or {}), "limit": PAGE, "offset": offset})
            if not isinstance(page.get(key), list):
                raise IncompleteFetchError(
                    f"PagerDuty's answer to {path or key} holds no {key}: nothing was taken from it."
                )
            rows.update((row["id"], row) for row in page[key])
            if not page.get("more"):
                return list(rows.values())
        raise IncompleteFetchError(
            f"PagerDuty has more than {CAP} {key} and its API shows no more: choose a smaller scope, or ask PagerDuty for an export."
        )

    def _list_if_there(self, key: str, path: str | None = None) -> list[dict]:
        """A list that only counts for the inventory; accounts without the feature answer 402, 403 or 404."""
        try:
            return self.list_all(key, path=path)
        except AnswerError as error:
            if error.status in (402, 403, 404):
                return []
            raise

    def _read_members(self, teams: list[dict]) -> dict[str, list[dict]]:
        ids = [team["id"] for team in teams]
        pages = self._side_by_side(lambda id: self.list_all_members(id), ids)
        return dict(zip(ids, pages, strict=True))

    def list_all_members(self, team_id: str) -> list[dict]:
        """The members of a team with their roles; members have no id of their own."""
        members: list[dict] = []
        for offset in range(0, CAP, PAGE):
            page = self._get(f"/teams/{team_id}/members", {"limit": PAGE, "offset": offset})
            members += page["members"]
            if not page.get("more"):
                return members
        raise IncompleteFetchError(f"The team {team_id} has more than {CAP} members and the API shows no more.")

    def _read_schedules(self, zone: str, since: datetime, until: datetime) -> list[dict]:
        """Layers in each schedule's own zone, overrides, and PagerDuty's rendering.

        The list renders wall-clock times in the zone of the API user, so it is asked once per zone, with that zone.
        """
        window = {"since": _format(since), "until": _format(until)}
        sweep = {"include[]": ["schedule_layers", "final_schedule"], "time_zone": zone, **window}
        rows = {row["id"]: row for row in self.list_all("schedules", sweep)}
        for other, layers in self._read_other_zones(rows, zone):
            rows[other] = {**rows[other], "schedule_layers": layers}
        overrides = self._read_overrides(since)
        return [{**row, "overrides_subschedule": overrides.get(id)} for id, row in rows.items()]

    def _read_other_zones(self, rows: dict[str, dict], zone: str) -> Iterable[tuple[str, list[dict]]]:
        zones = Counter(row.get("time_zone") for row in rows.values() if row.get("time_zone") != zone)
        pages = math.ceil(len(rows) / PAGE)
        swept = [z for z, number in zones.items() if number >= pages]
        single = [row["id"] for row in rows.values() if row.get("time_zone") in zones.keys() - set(swept)]
        for found in self._side_by_side(self._read_layers_of_zone, swept):
            yield from ((row["id"], row["schedule_layers"]) for row in found)
        for row in self._side_by_side(self._read_single, single):
            yield row["id"], row["schedule_layers"]

    def _read_layers_of_zone(self, zone: str) -> list[dict]:
        found = self.list_all("schedules", {"include[]": ["schedule_layers"], "time_zone": zone})
        return [row for row in found if row.get("time_zone") == zone]

    def _read_single(self, schedule_id: str) -> dict:
        """One schedule: here PagerDuty renders in the schedule's own zone."""
        return self._get(f"/schedules/{schedule_id}")["schedule"]

    def _read_overrides(self, since: datetime) -> dict[str, dict]:
        """Overrides from the start of last month on: a fixed day, so that a running one looks the same tomorrow."""
        start = (since.replace(day=1, hour=0, minute=0, second=0) - timedelta(days=1)).replace(day=1)
        window = {"since": _format(start), "until": _format(start + OVERRIDES_AHEAD + timedelta(days=62))}
        rows = self.list_all("schedules", {"include[]": ["overrides_subschedule"], **window})
        return {row["id"]: row.get("overrides_subschedule") for row in rows}

    def _find_subdomain(self) -> str | None:
        """From the first link of the account's own objects."""
        rows = self._get("/users", {"limit": 1}).get("users", [])
        link = re.match(r"https://([^./]+)\.(?:eu\.)?pagerduty\.com", (rows[0].get("html_url") or "") if rows else "")
        return link.group(1).lower() if link else None

    def _side_by_side(self, read: Callable[[str], Any], names: list[str]) -> list[Any]:
        with ThreadPoolExecutor(SIDE_BY_SIDE) as pool:
            return list(pool.map(read, names))

    def _get(self, path: str, params: dict | None = None) -> Any:
        return self.transport.send("GET", path, params)


def _format(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def _without_keys(service: dict) -> dict:
    """Integration keys are secrets: whoever has one can page the company."""
    secret = ("integration_key", "integration_email", "config")
    rows = [{k: v for k, v in row.items() if k not in secret} for row in service.get("integrations") or []]
    return {**service, "integrations": rows}
