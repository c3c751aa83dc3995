"""What is wanted (Desired), what will be done (Action), what was done (LedgerEntry), and the whole of it (Plan).

Values only; nothing here acts.

There is no delete. An Update whose `after` is None takes back a part that we wrote (an override), never an object.
"""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal, TypeVar

from pydantic import BaseModel, TypeAdapter, ValidationError

from pdmigrate.errors import shorten
from pdmigrate.harness import records
from pdmigrate.harness.records import Membership, Override, Record
from pdmigrate.plan.kinds import KINDS, ORDER
from pdmigrate.wire.canonical import canonical_json
from pdmigrate.wire.forms import FormError, MaybeMoment, describe_form, read_form

Verb = Literal["create", "update", "adopt", "keep", "handover"]
VERBS: tuple[Verb, ...] = ("create", "update", "adopt", "keep", "handover")

Fields = dict[str, Any]
R = TypeVar("R", bound=Record)


@dataclass(frozen=True)
class Desired:
    """An object as it should be in Harness.

    key: the PagerDuty id (contact_methods and notification_rules: of the person). identifier: its name in Harness's API
    (people, contacts, rules: the email). record: it sets only the fields that we own. sources: the PagerDuty ids that it
    carries. needs: (kind, key) of what must be there first. adopt: it exists in Harness and becomes ours;
    merge: and keeps the parts that it has.
    """

    kind: str
    key: str
    identifier: str
    name: str
    record: Record
    sources: tuple[str, ...]
    needs: tuple[tuple[str, str], ...] = ()
    adopt: bool = False
    merge: bool = False

    @cached_property
    def fields(self) -> Fields:
        """What we own of it, as JSON: what the three-way merge compares."""
        key = {"identifier"} if isinstance(self.record, Membership) else {"identifier", "email"}
        return to_fields(self.record, self.identifier, self.record.model_fields_set - key)


def to_fields(record: Record, identifier: str, names: set[str] | None = None) -> Fields:
    """Fields of a record as JSON, all of them where no names are given; those of an override say its schedule, too."""
    schedule = {"schedule": identifier.partition("/")[0]} if isinstance(record, Override) else {}
    return schedule | record.model_dump(mode="json", include=names)


def from_fields(record: type[R], identifier: str, fields: Fields) -> R:
    """The record that `to_fields` was given; of an override the identifier is the part after its schedule."""
    return record.model_validate({"identifier": identifier.rpartition("/")[2], "email": identifier, **fields})


@dataclass(frozen=True)
class Action:
    """One thing to do: `before` is what Harness has now (None: nothing), `after` what it will have (None: taken back).

    synced: what the ledger will hold, where that is not `after`: of a field that people changed in Harness and that is left
    alone, the ledger keeps PagerDuty's value, so that the next run still sees that it was changed by hand. A keep with
    `synced` is booked, and nothing is sent.
    """

    verb: Verb
    kind: str
    key: str
    identifier: str
    name: str
    before: Fields | None
    after: Fields | None
    sources: tuple[str, ...] = ()
    needs: tuple[tuple[str, str], ...] = ()
    reason: str = ""
    synced: Fields | None = None

    @property
    def id(self) -> str:
        return f"{self.kind}:{self.key}"

    @property
    def wanted(self) -> Fields:
        """What Harness will have of it; nothing where it is taken back."""
        return self.after or {}

    def read(self, record: type[R]) -> R:
        """The same as a record of its kind."""
        return from_fields(record, self.identifier, self.wanted)

    @property
    def writes(self) -> bool:
        """Whether something has to be sent. A keep only books; so does an adopt that finds all as it should be."""
        return self.verb in ("create", "update", "adopt") and self.before != self.after

    def changes(self) -> list[tuple[str, Any, Any]]:
        """(field, before, after) of the fields that differ."""
        before, after = self.before or {}, self.after or {}
        names = dict.fromkeys([*before, *after])
        return [(n, before.get(n), after.get(n)) for n in names if before.get(n) != after.get(n)]


@dataclass(frozen=True)
class Held:
    """An object that is in no action, and why.

    decided: what lies behind it: the key of a person's answer (`class:id`), or `rule:NAME` for a rule that a person
    chose. Empty while the question is open.
    """

    kind: str
    key: str
    name: str
    reason: str
    open_question: bool = False
    sources: tuple[str, ...] = ()
    decided: str = ""


def name_places(one: Desired | Action | Held) -> list[tuple[str, str]]:
    """(kind, id) of all that others may need it by: two users of PagerDuty can be one person in Harness."""
    return [(one.kind, id) for id in dict.fromkeys((one.key, *one.sources))]


@dataclass(frozen=True)
class LedgerEntry:
    """A line of the ledger, which says what was last carried over: what the PagerDuty object is called in Harness, and the fields on which both sides agreed.

    synced: per field what PagerDuty said when it was last carried over; that, and not what Harness holds, is what
    later changes are told from. at: when it was booked, in ISO 8601.
    """

    kind: str
    key: str
    identifier: str
    name: str
    synced: Fields
    at: MaybeMoment = ""


@dataclass(frozen=True, repr=False)
class Plan:
    """All that will be done, in order. `source` is the digest of what PagerDuty says, `target` account/org/project.

    basis: what else it was made by, in texts by name: the target's address, scope, rules, answers, and what guards said.
    The digest is over all of it, so that an approval is of what was seen.
    """

    source: str
    target: str
    actions: tuple[Action, ...]
    held: tuple[Held, ...] = ()
    basis: dict[str, str] = field(default_factory=dict)
    digest: str = field(init=False)

    def __post_init__(self) -> None:
        rows = {name: [vars(row) for row in getattr(self, name)] for name in ("actions", "held")}
        text = canonical_json({"source": self.source, "target": self.target, "basis": self.basis, **rows})
        object.__setattr__(self, "digest", hashlib.sha256(text.encode()).hexdigest())

    def __repr__(self) -> str:
        return f"<plan {self.digest[:12]}: {len(self.actions)} actions, {len(self.held)} held>"

    @property
    def empty(self) -> bool:
        """Nothing to write and nothing to take over; what is kept or handed over needs no approval."""
        return not self.pending

    @property
    def pending(self) -> tuple[Action, ...]:
        return tuple(a for a in self.actions if a.verb in ("create", "update", "adopt"))

    def count(self) -> dict[str, dict[str, int]]:
        """Source objects per kind and verb."""
        table: dict[str, dict[str, int]] = {kind: dict.fromkeys(VERBS, 0) for kind in KINDS}
        for action in self.actions:
            table[action.kind][action.verb] += len(action.sources)
        return table


def make_plan(
    source: str, target: str, actions: Iterable[Action], held: Iterable[Held] = (), basis: dict[str, str] | None = None
) -> Plan:
    """A plan in loading order, the same whatever the order of the input."""
    ordered = sorted(actions, key=lambda a: (ORDER[a.kind], a.key))
    left = sorted(held, key=lambda h: (ORDER[h.kind], h.key, h.reason))
    return Plan(source, target, tuple(ordered), tuple(left), basis or {})


def plan_to_json(plan: Plan) -> Fields:
    """For json.dumps; what is in it is the plan's own, not a copy."""
    rows = {name: [vars(row) for row in getattr(plan, name)] for name in ("actions", "held")}
    return {"source": plan.source, "target": plan.target, "basis": plan.basis, "digest": plan.digest, **rows}


class _Saved(BaseModel):
    """A plan as JSON has it."""

    source: str
    target: str
    actions: tuple[Action, ...]
    held: tuple[Held, ...]
    basis: dict[str, str] = {}


def plan_from_json(data: Any) -> Plan:
    """A saved plan; its digest is computed again, so an edited file has another one. Raises FormError for what is none."""
    said = read_form(SAVED, data)
    for number, action in enumerate(said.actions):
        if action.kind not in KINDS:
            raise FormError(f"actions.{number}.kind: there is no such kind")
        if action.after is not None:
            check_fields(f"actions.{number}.after", action)
    return Plan(said.source, said.target, said.actions, said.held, said.basis)


SAVED = TypeAdapter(_Saved)
RECORDS: dict[str, type[Record]] = {
    "teams": records.UserGroup,
    "users": Membership,
    "contact_methods": records.ContactDetails,
    "notification_rules": records.NotificationRule,
    "schedules": records.Schedule,
    "overrides": Override,
    "escalation_policies": records.EscalationPolicy,
    "services": records.Service,
}
"""What is written of each kind."""


def check_line(line: LedgerEntry) -> None:
    """Raise FormError that names the field which no record of its kind can have. A field may be missing: an earlier version had fewer."""
    if line.kind not in RECORDS:
        raise FormError("there is no such kind")
    try:
        from_fields(RECORDS[line.kind], line.identifier, line.synced)
    except ValidationError as error:
        if wrong := [one["loc"] for one in error.errors() if one["type"] != "missing"]:
            place = ".".join(shorten(str(part)) for part in wrong[0])
            raise FormError(f"synced.{place} is nothing that this field can hold") from None


def check_fields(place: str, action: Action) -> None:
    """Raise FormError, with the place and the field, unless a record of its kind can be made of what is written."""
    try:
        action.read(RECORDS[action.kind])
    except ValidationError as error:
        raise FormError(f"{place}.{describe_form(error)}") from None
