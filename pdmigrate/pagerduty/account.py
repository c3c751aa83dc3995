"""A whole PagerDuty account as records, and the snapshot file that keeps it."""

import gzip
import hashlib
import json
import zlib
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import Any

from pdmigrate.errors import SettingsError
from pdmigrate.pagerduty import records
from pdmigrate.pagerduty.evidence import Rendering, read_renderings
from pdmigrate.pagerduty.v3_records import ScheduleV3
from pdmigrate.workspace import canonical_json, write_packed

FORMAT = 1
UNDIGESTED = {"final_schedule", "last_incident_timestamp"}
"""What changes without anybody changing the configuration."""


@dataclass(frozen=True)
class Snapshot:
    """What PagerDuty said, raw, at one time.

    rows: the objects of its API by kind, `team_members` by team id. since, until: the window of PagerDuty's rendering.
    requests, retries: what reading it cost.
    """

    subdomain: str
    taken: datetime
    since: datetime
    until: datetime
    rows: dict[str, Any]
    requests: int = 0
    retries: int = 0

    @cached_property
    def account(self) -> "Account":
        return read_account(self)

    @property
    def digest(self) -> str:
        return self.account.digest

    def save(self, path: Path) -> None:
        """Write it as compressed JSON with a format version; readable without PagerDuty for ever."""
        head = {name: getattr(self, name).isoformat() for name in ("taken", "since", "until")}
        rest = {"subdomain": self.subdomain, "requests": self.requests, "retries": self.retries}
        write_packed(path, {"format": FORMAT, **head, **rest, "digest": self.digest, "records": self.rows})


def load_snapshot(path: Path) -> Snapshot:
    """Read a snapshot file. Raises SettingsError where it is none, is damaged, or is of a newer format."""
    try:
        data = json.loads(gzip.decompress(path.read_bytes()))
        if data["format"] != FORMAT:
            raise SettingsError(f"The snapshot {path.name} has format {data['format']}, this pdmigrate reads {FORMAT}.")
        head = {name: datetime.fromisoformat(data[name]) for name in ("taken", "since", "until")}
        snapshot = Snapshot(
            data["subdomain"], **head, rows=data["records"], requests=data["requests"], retries=data["retries"]
        )
    except FileNotFoundError:
        raise SettingsError(f"There is no snapshot {path}: check source.snapshot in migration.yaml.") from None
    except (OSError, EOFError, ValueError, KeyError, TypeError, zlib.error) as error:
        raise SettingsError(f"The snapshot {path.name} is damaged ({type(error).__name__}): make it again.") from None
    if snapshot.digest != data.get("digest"):
        raise SettingsError(
            f"The snapshot {path.name} is not what it was when it was made (its digest differs): make it again."
        )
    return snapshot


@dataclass(frozen=True)
class Account:
    """A PagerDuty account: records by id, and the problems of the rows that could not be read."""

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
    renderings: dict[str, tuple[Rendering, ...]] = field(default_factory=dict)
    """What PagerDuty has shown beside the horizon, around changes of the clock, by schedule id."""

    @property
    def all_schedules(self) -> dict[str, records.Schedule | ScheduleV3]:
        """Layer-based and shift-based ones by id; one that was upgraded keeps its id and is what it is now."""
        return {**self.schedules, **self.schedules_v3}

    @cached_property
    def digest(self) -> str:
        """Over the configuration only: sorted by kind and id, without rendered entries, fetch time or counts."""
        kinds = (self.users, self.teams, self.schedules, self.policies, self.services, self.schedules_v3)
        said = [[record.model_dump(mode="json", exclude=UNDIGESTED) for record in kind.values()] for kind in kinds]
        problems = [problem.model_dump() for problem in self.problems]
        return hashlib.sha256(canonical_json([self.subdomain, said, problems]).encode()).hexdigest()

    def members_of(self, team: records.Team) -> tuple[records.Member, ...]:
        """The members with their roles; who says of himself that he is in the team is in it, without a role."""
        known = {member.user.id for member in team.members}
        others = [u for u in self.users.values() if u.id not in known and any(t.id == team.id for t in u.teams)]
        return team.members + tuple(records.Member(user=records.Reference(id=u.id, type="user")) for u in others)


INVENTORY = ("schedules_v3", "business_services", "maintenance_windows", "event_orchestrations", "rulesets")
"""Kinds that are counted and listed as not carried over."""


def read_account(snapshot: Snapshot) -> Account:
    """Records from a snapshot's rows. What cannot be read becomes a problem, and never stops the rest."""
    rows = {**snapshot.rows, "teams": _with_members(snapshot.rows)}
    read = {kind: records.read_records(kind, rows.get(kind) or []) for kind in records.KINDS}
    by_id = {kind: {record.id: record for record in found} for kind, (found, _) in read.items()}
    return Account(
        snapshot.subdomain,
        snapshot.taken,
        snapshot.since,
        snapshot.until,
        by_id["users"],
        by_id["teams"],
        by_id["schedules"],
        by_id["escalation_policies"],
        by_id["services"],
        tuple(problem for _, problems in read.values() for problem in problems),
        {kind: n for kind in INVENTORY if (n := sum("rotations" not in row for row in rows.get(kind) or []))},
        _read_shift_based(rows.get("schedules_v3") or []),
        read_renderings(rows.get("renderings") or {}),
    )


def _read_shift_based(rows: list[dict]) -> dict[str, ScheduleV3]:
    """Those that came whole; a reference from the list says only that there is one."""
    return {row["id"]: ScheduleV3.model_validate(row) for row in rows if "rotations" in row}


def common_zone(users: list[dict]) -> str:
    """The time zone that most users have: asking schedules in it first makes the fewest requests."""
    zones = Counter(user.get("time_zone") for user in users if user.get("time_zone"))
    return min(zones, key=lambda zone: (-zones[zone], zone), default="UTC")


def whole_seconds(moment: datetime) -> datetime:
    """PagerDuty answers with nothing where since and until have fractions of a second."""
    return moment.astimezone(UTC).replace(microsecond=0)


def _with_members(rows: dict[str, Any]) -> list[dict]:
    members = rows.get("team_members") or {}
    return [{**team, "members": members.get(team.get("id"), [])} for team in rows.get("teams") or []]
