"""What happened in PagerDuty, as records: incidents, their log, who was notified, and who was on call in those days."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from types import MappingProxyType
from typing import Annotated, Any, Literal, get_args

from pydantic import AliasChoices, BeforeValidator, Field, ValidationError

from pdmigrate.oncall import rota
from pdmigrate.pagerduty import rota_v3
from pdmigrate.pagerduty.evidence import Rendering
from pdmigrate.pagerduty.records import Moment, Record, Type
from pdmigrate.pagerduty.rota import read_entries

Kind = Literal["incidents", "log_entries", "notifications"]
KINDS: tuple[str, ...] = get_args(Kind)
Row = dict[str, Any]


@dataclass
class Window:
    """What happened from since until until, raw: rows by kind. A kind that is not there was not read."""

    since: datetime
    until: datetime
    rows: dict[str, list[Row]] = field(default_factory=dict)


def _take_id(value: Any) -> Any:
    return value.get("id") if isinstance(value, dict) else value


def _take_type(value: Any) -> Any:
    return value.get("type") if isinstance(value, dict) else value


Id = Annotated[str, BeforeValidator(_take_id)]
"""Of an object that is named: a hundred thousand entries need no more of it."""
KindOf = Annotated[Type, BeforeValidator(_take_type)]


class Incident(Record):
    """urgency: as it is now, which is not what it was where the log has a change of it. key: read for a parallel run only."""

    id: str
    number: int = Field(0, validation_alias=AliasChoices("incident_number", "number"))
    title: str = ""
    key: str = Field("", validation_alias=AliasChoices("incident_key"))
    created_at: Moment
    urgency: str = "high"
    service: Id
    escalation_policy: Id = ""


class LogEntry(Record):
    """One thing that happened to an incident. agent: `user`, `service`, or whatever did it."""

    id: str
    type: str
    created_at: Moment
    incident: Id
    agent: KindOf = ""
    assignees: tuple[Id, ...] = ()
    user: Id = ""

    @property
    def by_hand(self) -> bool:
        """Whether a person did it."""
        return self.agent == "user"


class Notification(Record):
    """Somebody was told: by phone, sms, email or push. PagerDuty does not say about which incident."""

    id: str
    type: str
    started_at: Moment
    user: Id


@dataclass(frozen=True, repr=False)
class Happened:
    """The history of an account from `since` until `until`.

    log: the entries of each incident in order. rotas: PagerDuty's own rendering of those days, by schedule id, in user
    ids. unread: why a kind was not read. unusable: rows that cannot be read, by kind. cut: by incident, why its log is not
    known whole.
    """

    since: datetime
    until: datetime
    incidents: tuple[Incident, ...] = ()
    log: dict[str, tuple[LogEntry, ...]] = field(default_factory=dict)
    notifications: tuple[Notification, ...] = ()
    rotas: dict[str, rota.Rota] = field(default_factory=dict)
    unread: dict[str, str] = field(default_factory=dict)
    unusable: dict[str, int] = field(default_factory=dict)
    cut: dict[str, str] = field(default_factory=dict)

    def __repr__(self) -> str:
        return f"<{len(self.incidents)} incidents, {self.since:%Y-%m-%d} to {self.until:%Y-%m-%d}>"

    @cached_property
    def entries(self) -> int:
        """How many log entries there are."""
        return sum(map(len, self.log.values()))


RECORDS: dict[str, type[Record]] = {"incidents": Incident, "log_entries": LogEntry, "notifications": Notification}


def read_happened(
    windows: Iterable[Window],
    shown: Iterable[tuple[datetime, datetime, dict[str, Any]]],
    since: datetime,
    until: datetime,
    unread: dict[str, str],
    cut: Mapping[str, str] = MappingProxyType({}),
) -> Happened:
    """The records of what lies between since and until, each once. shown: renderings by schedule id, with their span.

    cut: by incident, why its log was not read whole.
    """
    cut = dict(cut)
    found: dict[str, dict[str, Any]] = {kind: {} for kind in KINDS}
    unusable = dict.fromkeys(KINDS, 0)
    for window in windows:
        for kind, rows in window.rows.items():
            for row in rows:
                try:
                    record = RECORDS[kind].model_validate(row)
                except ValidationError:
                    unusable[kind] += 1
                    about = _take_id(row.get("incident")) if kind == "log_entries" and isinstance(row, dict) else None
                    if isinstance(about, str):
                        cut[about] = "a row of its log cannot be read"
                    continue
                found[kind][row["id"]] = record
    log: dict[str, list[LogEntry]] = {}
    for entry in found["log_entries"].values():
        log.setdefault(entry.incident, []).append(entry)
    incidents = [one for one in found["incidents"].values() if since <= one.created_at < until]
    told = [one for one in found["notifications"].values() if since <= one.started_at < until]
    return Happened(
        since,
        until,
        tuple(sorted(incidents, key=lambda one: (one.created_at, one.id))),
        {id: tuple(sorted(some, key=lambda one: one.created_at)) for id, some in log.items()},
        tuple(told),
        _read_rotas(shown),
        unread,
        {kind: number for kind, number in unusable.items() if number},
        cut,
    )


def _read_rotas(shown: Iterable[tuple[datetime, datetime, dict[str, Any]]]) -> dict[str, rota.Rota]:
    """What cannot be read was not shown."""
    parts: dict[str, list[rota.Rota]] = {}
    for since, until, rows in shown:
        for id, row in rows.items():
            try:
                rendering = Rendering.model_validate({**row, "since": since, "until": until})
            except ValidationError:
                continue
            assigned = rendering.computed_shift_assignments
            drawn = (
                rota_v3.read_assignments(assigned) if assigned else read_entries(rendering.rendered_schedule_entries)
            )
            parts.setdefault(id, []).append(drawn.clip(rota.to_instant(since), rota.to_instant(until)))
    return {id: rota.join(drawn) for id, drawn in parts.items()}
