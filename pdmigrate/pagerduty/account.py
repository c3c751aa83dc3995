"""A whole PagerDuty account as records, the snapshot file that keeps it, and what changed between two of them."""

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cached_property
from typing import Any

from pydantic import BaseModel

from pdmigrate.oncall.zones import read_zone
from pdmigrate.pagerduty import records
from pdmigrate.pagerduty.arrivals import KINDS, UNREAD, describe_unread, read_records
from pdmigrate.pagerduty.event_rules import EventRule, list_event_rules
from pdmigrate.pagerduty.evidence import OnCalls, Rendering, read_oncalls, read_renderings
from pdmigrate.pagerduty.not_carried import (
    INVENTORY,
    Hidden,
    NotCarried,
    find_hidden,
    list_not_carried,
    note_unread_teams,
)
from pdmigrate.pagerduty.secrets import WITH_RULES
from pdmigrate.pagerduty.v3_records import ScheduleV3
from pdmigrate.wire.canonical import digest

LINKED = ("users", "services", "escalation_policies", "schedules", "teams")
"""Kinds whose links are the account's own."""
UNDIGESTED: dict[str, Any] = {
    "final_schedule": True,
    "last_incident_timestamp": True,
    "left_fields": True,
    "contact_methods": {"__all__": {"left_fields"}},
    "notification_rules": {"__all__": {"left_fields"}},
    "overrides_subschedule": {"rendered_schedule_entries": {"__all__": {"id"}}},
}
"""What changes without anybody changing the configuration, and notes of what stays behind anyway."""


@dataclass(frozen=True, repr=False)
class Snapshot:
    """What PagerDuty said, raw, at one time.

    rows: the objects of its API by kind, `team_members` by team id, `unread` with PagerDuty's words for what could not
    be read. since, until: the window of PagerDuty's rendering. zone: the one that its rendering was asked in.
    requests, retries: what reading it cost.
    """

    subdomain: str
    taken: datetime
    since: datetime
    until: datetime
    rows: dict[str, Any]
    requests: int = 0
    retries: int = 0
    zone: str = "UTC"

    def __repr__(self) -> str:
        return f"<snapshot of {self.subdomain}, {self.taken:%Y-%m-%d %H:%M} UTC>"

    @cached_property
    def account(self) -> "Account":
        return read_account(self)

    @property
    def digest(self) -> str:
        return self.account.digest


@dataclass(frozen=True, repr=False)
class Account:
    """A PagerDuty account: records by id.

    problems: rows that could not be read. remarks: what is odd about the others. unread: PagerDuty's words about what
    could not be read at all. hidden: teams, schedules and services that others name and no list has shown.
    """

    subdomain: str
    taken: datetime
    since: datetime
    until: datetime
    users: dict[str, records.User]
    teams: dict[str, records.Team]
    schedules: dict[str, records.Schedule]
    policies: dict[str, records.EscalationPolicy]
    services: dict[str, records.Service]
    problems: tuple[records.Problem, ...]
    inventory: dict[str, int]
    schedules_v3: dict[str, ScheduleV3] = field(default_factory=dict)
    remarks: tuple[records.Problem, ...] = ()
    unread: dict[str, str] = field(default_factory=dict)
    hidden: tuple[Hidden, ...] = ()
    not_carried: tuple[NotCarried, ...] = ()
    event_rules: tuple[EventRule, ...] = ()
    """What decides about alerts before anybody is paged, in the order in which PagerDuty tries them."""
    rules_unread: tuple[str, ...] = ()
    """The kinds of which such rules were not read: not asked for, or refused."""
    host: str = ""
    """Where a browser opens it, by its own links; "" where it has none."""
    renderings: dict[str, tuple[Rendering, ...]] = field(default_factory=dict)
    """What PagerDuty has shown beside the horizon, around changes of the clock, by schedule id."""
    oncalls: OnCalls | None = None
    """Who PagerDuty says is on call at each level of its policies; None where nobody has asked."""

    def __repr__(self) -> str:
        return f"<the account {self.subdomain}: {len(self.users)} users, {len(self.services)} services>"

    def show(self, **shown: Any) -> "Account":
        """With what PagerDuty has shown beside its configuration, `renderings` or `oncalls`: nothing that is cached hangs on it."""
        known = replace(self, **shown)
        vars(known).update({name: value for name, value in vars(self).items() if name not in vars(known)})
        return known

    @cached_property
    def worked_out(self) -> dict[Any, Any]:
        """What the mapping has made of its schedules, by all that this hangs on: no answer of a person and nothing of Harness.

        So whoever answers a question does not wait for all schedules once more.
        """
        return {}

    @cached_property
    def all_schedules(self) -> dict[str, records.Schedule | ScheduleV3]:
        """Layer-based and shift-based ones by id; one that was upgraded keeps its id and is what it is now."""
        return {**self.schedules, **self.schedules_v3}

    @cached_property
    def unusable(self) -> dict[tuple[str, str], records.Problem]:
        """What is wrong with each record that arrived in a form that cannot be used, by kind and id; the first that is said."""
        found: dict[tuple[str, str], records.Problem] = {}
        for problem in self.problems:
            found.setdefault((problem.kind, problem.id), problem)
        return found

    @cached_property
    def digest(self) -> str:
        """Over the configuration only: sorted by kind and id, without rendered entries, fetch time or counts."""
        said = (map(dump_record, kind.values()) for _, kind in self.list_configured())
        return digest([self.subdomain, said, map(BaseModel.model_dump, self.problems)])

    def list_configured(self) -> tuple[tuple[str, dict[str, Any]], ...]:
        """Kind and records by id of all that the digest is made over, beside the problems; schedules of either sort."""
        return (
            ("users", self.users),
            ("teams", self.teams),
            ("schedules", self.schedules),
            ("escalation_policies", self.policies),
            ("services", self.services),
            ("schedules", self.schedules_v3),
        )

    def members_of(self, team: records.Team) -> tuple[records.Member, ...]:
        """The members with their roles; who says of himself that he is in the team is in it, without a role."""
        known = {member.user.id for member in team.members}
        others = [user_id for user_id in self._said_members.get(team.id, ()) if user_id not in known]
        return team.members + tuple(records.Member(user=records.Reference(id=id, type="user")) for id in others)

    @cached_property
    def _said_members(self) -> dict[str, list[str]]:
        """Users by the team that they say they are in."""
        said: dict[str, list[str]] = {}
        for user in self.users.values():
            for team_id in dict.fromkeys(team.id for team in user.teams):
                said.setdefault(team_id, []).append(user.id)
        return said

    @cached_property
    def teams_by_member(self) -> dict[str, list[str]]:
        """The ids of the teams that a user is in, by user id: a company of 5,000 asks for each of them."""
        teams: dict[str, list[str]] = {}
        for team in self.teams.values():
            for user_id in dict.fromkeys(member.user.id for member in self.members_of(team)):
                teams.setdefault(user_id, []).append(team.id)
        return teams


def dump_record(record: records.Record) -> dict[str, Any]:
    """What of a record is configuration, as JSON. Of a service's status only whether it is disabled."""
    whole = {} if getattr(record, "unread", ()) else {"unread": True}
    said = record.model_dump(mode="json", exclude={**UNDIGESTED, **whole})
    return {**said, "status": said["status"] == "disabled"} if "status" in said else said


def read_account(snapshot: Snapshot) -> Account:
    """Records from a snapshot's rows. What cannot be read becomes a problem, and never stops the rest."""
    rows = {**snapshot.rows, "teams": _with_members(snapshot.rows)}
    read = {kind: describe_unread(kind, read_records(kind, rows.get(kind) or [])) for kind in KINDS}
    if "team_members" in (rows.get("unread") or {}):  # a guard says so, once and not of every team
        remarks = tuple(one for one in read["teams"].remarks if one.message != UNREAD["members"])
        read["teams"] = replace(read["teams"], remarks=remarks)
    shifts = read.pop("schedules_v3")  # a shift-based schedule is a schedule, in the counts of problems as well
    shift_problems = tuple(problem.model_copy(update={"kind": "schedules"}) for problem in shifts.problems)
    return Account(
        subdomain=snapshot.subdomain,
        taken=snapshot.taken,
        since=snapshot.since,
        until=snapshot.until,
        users=read["users"].by_id,
        teams=read["teams"].by_id,
        schedules=read["schedules"].by_id,
        policies=read["escalation_policies"].by_id,
        services=read["services"].by_id,
        problems=tuple(problem for arrived in read.values() for problem in arrived.problems) + shift_problems,
        inventory={kind: len(rows[kind]) for kind in INVENTORY if rows.get(kind)},
        schedules_v3=shifts.by_id,
        remarks=(*(one for arrived in (*read.values(), shifts) for one in arrived.remarks), *note_unread_teams(rows)),
        unread=rows.get("unread") or {},
        hidden=find_hidden(rows),
        not_carried=list_not_carried(rows),
        event_rules=list_event_rules(rows),
        rules_unread=tuple(kind for kind in WITH_RULES if kind not in rows or kind in (rows.get("unread") or {})),
        host=find_host(row for kind in LINKED for row in rows.get(kind) or []),
        renderings=read_renderings(rows.get("renderings") or {}),
        oncalls=read_oncalls(rows.get("oncalls")),
    )


def common_zone(users: list[dict[str, Any]]) -> str:
    """The time zone that most users have: asking schedules in it first makes the fewest requests."""
    named = (str(user.get("time_zone") or "") for user in users if isinstance(user, dict))
    zones = Counter(name for name in named if read_zone(name).iana)
    return min(zones, key=lambda zone: (-zones[zone], zone), default="UTC")


def _with_members(rows: dict[str, Any]) -> list[dict[str, Any]]:
    """Teams with their members, or with the mark that those were not read. What is not an object becomes a problem later."""
    teams = list(rows.get("teams") or [])
    for at, team in enumerate(teams):
        if isinstance(team, dict):
            members = (rows.get("team_members") or {}).get(str(team.get("id")))
            teams[at] = {**team, "members": members or []} | ({"unread": ["members"]} if members is None else {})
    return teams


LINK = re.compile(r"https://(([^./]+)\.(?:[a-z0-9-]+\.)?pagerduty\.com)/", re.IGNORECASE)


def find_host(rows: Iterable[Any]) -> str:
    """The host that most links of the account's own objects have, as acme.eu.pagerduty.com; "" where there is no link."""
    links = (LINK.match(str(row.get("html_url") or "")) for row in rows if isinstance(row, dict))
    found = Counter(link.group(1).lower() for link in links if link).most_common(1)
    return found[0][0] if found else ""
