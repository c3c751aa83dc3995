"""Reads a PagerDuty account with GET requests only. The result is complete, or an error is raised."""

import hashlib
from collections.abc import Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor, as_completed, wait
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from pdmigrate.errors import (
    AnswerError,
    IncompleteFetchError,
    SideError,
    TooLongError,
    UnreachableError,
)
from pdmigrate.pagerduty.access import KeyAccess, ask_access, check_subdomain
from pdmigrate.pagerduty.account import LINKED, Snapshot, common_zone
from pdmigrate.pagerduty.answers import take_object
from pdmigrate.pagerduty.dependents import DEPENDENTS
from pdmigrate.pagerduty.dependents_reading import DependentReader
from pdmigrate.pagerduty.evidence import OnCallFold, OnCalls
from pdmigrate.pagerduty.keeping import Keeper, Part
from pdmigrate.pagerduty.lists import ListCall, ListReader, Row, Rows
from pdmigrate.pagerduty.needs import MAY_BE_ABSENT, MAY_BE_FORBIDDEN, NEEDS, PLANS, explain_refusal
from pdmigrate.pagerduty.not_carried_reading import NotCarriedReader
from pdmigrate.pagerduty.records import is_rendered
from pdmigrate.pagerduty.schedules_reading import ScheduleReader, ShiftReader, list_honours_final
from pdmigrate.pagerduty.secrets import strip_secrets
from pdmigrate.pagerduty.v3_records import SHOWN
from pdmigrate.pagerduty.window import FetchWindow, override_window, whole_seconds
from pdmigrate.wire.addresses import encode_part
from pdmigrate.wire.canonical import canonical_json
from pdmigrate.wire.network import Network
from pdmigrate.wire.together import SIDE_BY_SIDE, run_together
from pdmigrate.wire.transport import Transport

HOSTS = {"us": "https://api.pagerduty.com", "eu": "https://api.eu.pagerduty.com"}
GET_ONLY = frozenset({"GET"})
"""The only methods that are ever sent to PagerDuty."""

BY_TEAM = ("team_ids[]", "query")
USERS = ListCall(
    "users",
    "/users",
    {"include[]": ["contact_methods", "notification_rules"]},
    cut_by=BY_TEAM,
    kind="users",
    told="users",
)
TEAMS = ListCall("teams", "/teams", cut_by=("query",), kind="teams", told="teams")
POLICIES = ListCall(
    "escalation_policies",
    "/escalation_policies",
    {"include[]": ["escalation_rule_assignment_strategies"]},
    cut_by=BY_TEAM,
    kind="escalation_policies",
    told="escalation policies",
)
SERVICES = ListCall(
    "services", "/services", {"include[]": ["integrations"]}, cut_by=BY_TEAM, kind="services", told="services"
)


@dataclass(frozen=True)
class FetchOptions:
    """How an account is read. horizon: how far ahead schedules are rendered. keep_keys: secrets are kept. handoffs and
    service_orchestrations: these are read too, at one request each. dependents: who else talks to PagerDuty is read too,
    at one request a kind and one a business service; service_dependencies: at one a service.

    final_on_lists: False where connect has seen that the list of schedules does not render.
    """

    subdomain: str
    now: datetime
    horizon: timedelta
    keep_keys: bool = False
    handoffs: bool = False
    service_orchestrations: bool = False
    dependents: bool = False
    service_dependencies: bool = False
    final_on_lists: bool | None = None


def make_client(base_url: str | None, region: str, token: str, network: Network | None = None) -> "PagerDuty":
    """A client for the region's host, or for another server that speaks the same API.

    token: an API key, or `Bearer TOKEN` of OAuth. network: the way there.
    """
    headers = {
        "Authorization": token if token.startswith("Bearer ") else f"Token token={token}",
        "Accept": "application/vnd.pagerduty+json;version=2",
        "Content-Type": "application/json",  # PagerDuty's OpenAPI file wants it on every request
    }
    transport = Transport(
        "PagerDuty", base_url or HOSTS[region], headers, GET_ONLY, at_once=SIDE_BY_SIDE, network=network
    )
    return PagerDuty(transport, "" if base_url else region)


class PagerDuty:
    """The reading side of PagerDuty's REST API. region: "" for a server that is in none."""

    def __init__(self, transport: Transport, region: str = ""):
        self.transport = transport
        self.region = region

    def check_account(self, subdomain: str, now: datetime) -> "KeyAccess":
        """Whether the key is good, the account the one that was named, and what the key may read."""
        self.transport.resume()
        return ask_access(self.transport, subdomain, self.region, now)

    def mark_key(self, salt: str) -> str:
        """A digest by which the same key is known again, and nothing else."""
        return hashlib.sha256(f"{salt} {self.transport.key}".encode()).hexdigest()[:16]

    def fetch(self, reading: FetchOptions, part: Part | None = None) -> Snapshot:
        """Read the whole account. Raises IncompleteFetchError where a list is not complete.

        part: what an earlier fetch of the same `now` has kept, and where this one keeps what it reads. How far it is is
        told on the transport's board of progress.
        """
        before = replace(self.transport.counts)
        since = whole_seconds(reading.now)
        window = FetchWindow(since, since + reading.horizon)
        rows, zone = _Fetch(self.transport, reading, window, part).run()
        subdomain = check_subdomain([row for kind in LINKED for row in rows[kind]], reading.subdomain)
        for kind in list(rows):  # one after the other, so that no more than one is there twice
            rows |= strip_secrets({kind: rows.pop(kind)}, reading.keep_keys)
        counts = self.transport.counts
        spent = {"requests": counts.requests - before.requests, "retries": counts.retries - before.retries}
        return Snapshot(subdomain, since, since, window.until, rows, zone=zone, **spent)

    def read_renderings(self, since: datetime, until: datetime, ids: list[str]) -> Rows:
        """PagerDuty's own word on who is on call over another window, by schedule id: evidence for changes of the clock.

        An id that no list of layer-based schedules has is asked for as a shift-based one, and where the list does not
        render, each is asked for alone: what was not shown is no evidence that nobody is on call.
        """
        window = FetchWindow(since, until).params
        params = {"include[]": ["final_schedule"], "time_zone": "UTC", **window}
        listed = ListReader(self.transport).read(ListCall("schedules", "/schedules", params, rendered=True))
        known = {row["id"] for row in listed}
        rows = [row for row in listed if row["id"] in ids and list_honours_final([row])]
        missing = [id for id in ids if id not in {row["id"] for row in rows}]
        rows += run_together(lambda id: self._read_one(id, id in known, window), missing)
        shown: Rows = {row["id"]: row.get("final_schedule") or {} for row in rows}
        return {id: final for id, final in shown.items() if is_rendered(final) or is_rendered(final, SHOWN)}

    def read_oncalls(self, since: datetime, until: datetime, policy_ids: Iterable[str]) -> tuple[OnCalls, int]:
        """Who is on call at each level of these policies, and the requests that it took: /oncalls has a limit of its own."""
        transport = self.transport.apart()
        return OnCallReader(transport).read(since, until, policy_ids), transport.counts.requests

    def _read_one(self, id: str, layered: bool, window: dict[str, str]) -> dict[str, Any]:
        path = f"/schedules/{encode_part(id)}" if layered else f"/v3/schedules/{encode_part(id)}"
        params = window if layered else {"include[]": ["final_schedule"], **window}
        try:
            return take_object(self.transport.send("GET", path, params), "schedule", path)
        except AnswerError as error:
            if error.status != 404:
                raise
            return {"id": id}  # removed since: about it nothing is shown


STOPS_WITHIN = 1.0
"""Seconds that a fetch which ends waits for its threads."""
GONE: list[Row] = []
"""In the place of the members of a team that is not there any more; told by being this very list."""


def _explain_refusal(kind: str, error: AnswerError) -> AnswerError:
    """The side's own words, with what a key needs where that is what is missing."""
    if error.status not in (402, 403) or kind not in NEEDS:
        return error
    return AnswerError(explain_refusal(str(error), kind, error.status), error.status, error.code)


class _Fetch:
    """One fetch under way. The kinds are read side by side; a kind that needs another waits for it."""

    def __init__(self, transport: Transport, reading: FetchOptions, window: FetchWindow, part: Part | None):
        self._transport = transport
        self._reading = reading
        self._window = window
        self._done: dict[str, Future[Any]] = {}
        self._unread: dict[str, str] = {}
        self._removed: set[str] = set()
        keeper = Keeper(part, reading.keep_keys)
        self._lists = ListReader(transport, lambda: [team["id"] for team in self._take("teams")], keeper)
        self._not_carried = NotCarriedReader(transport, self._lists)
        self._dependents = DependentReader(transport, self._lists)

    def run(self) -> tuple[dict[str, Any], str]:
        """The rows by kind, and the zone that schedules were read in."""
        self._transport.resume()
        readers = self._readers()
        pool = ThreadPoolExecutor(len(readers))  # a place for each: who waits for another must not keep it out
        try:
            for kind, read in readers.items():
                self._done[kind] = pool.submit(self._read_kind, kind, read)
            for future in as_completed(self._done.values()):
                future.result()
        except BaseException:
            self._transport.cancel()
            wait(self._done.values(), STOPS_WITHIN)  # who waits for a connection hears nothing, and is not waited for
            raise
        finally:
            pool.shutdown(wait=False, cancel_futures=True)
        rows = {kind: future.result() for kind, future in self._done.items()}
        self._done.clear()
        rows["teams"] = [team for team in rows["teams"] if team.get("id") not in self._removed]
        return {**rows, "unread": dict(sorted(self._unread.items()))}, common_zone(rows["users"])

    def _readers(self) -> dict[str, Callable[[], Any]]:
        dated = override_window(self._window.since)
        shifts = ShiftReader(self._transport, self._lists, self._window, dated)
        readers: dict[str, Callable[[], Any]] = {
            "users": lambda: self._lists.read(USERS),
            "teams": lambda: self._lists.read(TEAMS),
            "team_members": self._read_members,
            "schedules": lambda: self._read_schedules(dated),
            "schedules_v3": shifts.read,
            "escalation_policies": lambda: self._lists.read(POLICIES),
            "services": lambda: self._lists.read(SERVICES),
            "business_services": self._not_carried.read_business_services,
            "maintenance_windows": self._not_carried.read_maintenance_windows,
            "event_orchestrations": self._not_carried.read_orchestrations,
            "rulesets": self._not_carried.read_rulesets,
        }
        if self._reading.handoffs:
            readers["handoff_rules"] = lambda: self._not_carried.read_handoffs(self._take("users"))
        if self._reading.service_orchestrations:
            readers["service_orchestrations"] = lambda: self._not_carried.read_of_services(self._take("services"))
        if self._reading.dependents:
            readers |= {kind: partial(self._dependents.read, kind) for kind in DEPENDENTS}
            readers["service_dependencies"] = self._read_dependencies
        return readers

    def _read_dependencies(self) -> list[Row]:
        business, technical = self._take("business_services"), []
        if "business_services" in self._unread:
            raise IncompleteFetchError("The business services were not read, so nobody knows what they need.")
        if self._reading.service_dependencies:
            technical = self._take("services")
        return self._dependents.read_dependencies(business, technical)

    def _read_kind(self, kind: str, read: Callable[[], Any]) -> Any:
        """What may be forbidden or absent is noted, and never taken for an empty list."""
        try:
            return read()
        except AnswerError as error:
            may_be_absent = (*MAY_BE_ABSENT, *DEPENDENTS)
            absent = error.status == 402 if kind in PLANS else error.status in (402, 404) and kind in may_be_absent
            forbidden = error.status == 403 and kind in (*PLANS, *MAY_BE_FORBIDDEN, *may_be_absent)
            if not (absent or forbidden or kind in DEPENDENTS):
                raise _explain_refusal(kind, error) from None
            self._unread[kind] = f"{'forbidden' if forbidden else 'absent' if absent else 'refused'}: {error}"
            return {} if kind in ("team_members", "handoff_rules") else []
        except (UnreachableError, IncompleteFetchError) as error:  # nobody is paged by what only listens
            if kind not in DEPENDENTS:
                raise
            self._unread[kind] = f"not answered: {error}"
            return []

    def _take(self, kind: str) -> list[Row]:
        rows: list[Row] = self._done[kind].result()
        return rows

    def _read_members(self) -> dict[str, list[Row]]:
        ids = [team["id"] for team in self._take("teams")]
        found = dict(
            zip(ids, run_together(self._read_team, ids, self._transport.progress, "team members"), strict=True)
        )
        gone = {id for id, members in found.items() if members is GONE}
        if gone:  # the list of teams tells whether they were removed meanwhile
            self._removed = gone.difference(team["id"] for team in self._lists.read(TEAMS))
        for id in sorted(gone - self._removed):
            raise IncompleteFetchError(f"The team {id} was removed while the account was read: read it again.")
        return {id: members for id, members in found.items() if members is not None and members is not GONE}

    def _read_team(self, id: str) -> list[Row] | None:
        """The members; None where the answer has no list of them, GONE where there is no such team."""
        try:
            return self._lists.read_known(ListCall("members", f"/teams/{encode_part(id)}/members", kind="members"))
        except AnswerError as error:
            if error.status != 404:
                raise
            return GONE

    def _read_schedules(self, dated: FetchWindow) -> list[Row]:
        zone = common_zone(self._take("users"))
        reader = ScheduleReader(self._transport, self._lists, zone, self._window, dated)
        return reader.read(try_list=self._reading.final_on_lists is not False)


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

    def read(self, since: datetime, until: datetime, policy_ids: Iterable[str]) -> OnCalls:
        """Who is on call over that time, and why what is missing was not read. The raw entries are let go as they are read.

        Where PagerDuty refuses, nothing is raised: the policies that are left are in `unread` with its words.
        """
        left = asked = sorted(policy_ids)
        unread: dict[str, str] = {}
        until = min(until, since + FARTHEST)
        fold = OnCallFold(since, until)
        while left:
            self._lists.progress.count("policies' levels", len(asked) - len(left), len(asked))
            batch, left = left[:AT_ONCE], left[AT_ONCE:]
            try:
                fold.add(self.read_some(batch, since, until))
            except IncompleteFetchError as error:
                unread |= dict.fromkeys(batch, str(error))
            except SideError as error:  # the next would be told the same
                unread |= dict.fromkeys([*batch, *left], str(error))
                break
            self._lists.progress.count("policies' levels", len(asked) - len(left), len(asked))
        return fold.end(unread)

    def read_some(self, ids: list[str], since: datetime, until: datetime) -> list[Row]:
        """The raw entries of these policies; where there are too many for one list, of half of them, or of half the time."""
        params = {"escalation_policy_ids[]": ids, "time_zone": "UTC", **FetchWindow(since, until).params}
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
        return [row for part in parts for row in self.read_some(*part)]
