"""What the mapping reads (Inputs) and what comes out of it: one Mapped per run, filled kind by kind."""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Final, Literal, Protocol

from pdmigrate.harness.records import State
from pdmigrate.mapping.proof import Fidelity
from pdmigrate.mapping.scope import list_records
from pdmigrate.mapping.wording import word_question
from pdmigrate.pagerduty.account import Account
from pdmigrate.pagerduty.records import Reference
from pdmigrate.plan.actions import Desired, Held, LedgerEntry
from pdmigrate.plan.answers import Settled
from pdmigrate.plan.kinds import CONTRACT_KINDS, KINDS, TERRAFORM_KINDS
from pdmigrate.plan.questions import Questions
from pdmigrate.plan.rules import Rules

Grade = Literal["exact", "changed", "handed_over", "lost"]
GRADES: tuple[Grade, ...] = ("exact", "changed", "handed_over", "lost")


class Source(Protocol):
    """What every object of PagerDuty has."""

    @property
    def id(self) -> str: ...
    @property
    def name(self) -> str: ...


class Existing(Protocol):
    """What every object of Harness has that is known by a name."""

    @property
    def identifier(self) -> str: ...
    @property
    def name(self) -> str: ...


@dataclass(frozen=True)
class FieldOutcome:
    """What becomes of one field of one object; the reason says the change, the loss, or what a person must do.

    pages_nobody: the field pages nobody, so its loss counts among the fields and leaves the object exact.
    """

    field: str
    grade: Grade
    reason: str = ""
    pages_nobody: bool = False

    @property
    def harmless(self) -> bool:
        return self.grade == "exact" or self.pages_nobody or self.field in PAGE_NOBODY


@dataclass(frozen=True)
class Outcome:
    """What becomes of one source object: every object in scope has exactly one."""

    kind: str
    id: str
    name: str
    grade: Grade
    reason: str = ""
    fields: tuple[FieldOutcome, ...] = ()


@dataclass(frozen=True)
class Route:
    """How a page for one service is to find its way: key and policy_key are PagerDuty ids, the rest is Harness's words."""

    key: str
    identifier: str
    name: str
    owner: str | None
    policy: str | None
    policy_key: str
    paging: bool


@dataclass(frozen=True)
class Stop:
    """Why an object does not move. waits: for an answer of a person; else decided says which (see Held.decided)."""

    reason: str
    waits: bool = False
    decided: str = ""


@dataclass
class Inputs:
    """What the mapping reads, and does not change; the questions collect what comes up.

    scope: PagerDuty ids by kind. people_map: PagerDuty's email to Harness's, as people wrote it down.
    """

    account: Final[Account]
    state: Final[State]
    ledger: Final[dict[tuple[str, str], LedgerEntry]]
    questions: Final[Questions]
    rules: Final[Rules]
    scope: Final[dict[str, frozenset[str]]]
    people_map: Final[dict[str, str]] = field(default_factory=dict)

    @cached_property
    def written(self) -> frozenset[tuple[str, str]]:
        """Kind and identifier of all that the ledger has."""
        return frozenset((entry.kind, entry.identifier) for entry in self.ledger.values())

    @cached_property
    def gone(self) -> dict[tuple[str, str], list[LedgerEntry]]:
        """What we carried over and PagerDuty does not have any more, by kind and name, whatever its case."""
        there, found = list_records(self.account), dict[tuple[str, str], list[LedgerEntry]]()
        for (kind, key), entry in self.ledger.items():
            if kind in there and key not in there[kind]:
                found.setdefault((kind, entry.name.casefold()), []).append(entry)
        return found


@dataclass(repr=False)
class Mapped(Inputs):
    """What the mapping has found so far, filled kind by kind.

    emails: PagerDuty user id to the Harness email that will be paged for him (absent: has neither account nor invitation).
    groups, schedules, policies: PagerDuty id to Harness identifier, where carried over. zones, fidelity: of a schedule by
    its PagerDuty id, the zone in which it is written, and how long what is written stays right. lost: what is held, by
    kind and PagerDuty id. undecided, nobodies: PagerDuty ids of users of whom nobody has decided who they are, and of
    those whose places stay empty by decision. routes: of each service that moves. unserved: countries that Harness
    does not call, with the people there. holders: who has a field that this version does not know, by kind and path.
    names: how many in scope would be called so in Harness, by kind and name.
    """

    desired: list[Desired] = field(default_factory=list)
    outcomes: list[Outcome] = field(default_factory=list)
    held: list[Held] = field(default_factory=list)
    lost: dict[tuple[str, str], Held] = field(default_factory=dict)
    dropped: list[LedgerEntry] = field(default_factory=list)
    emails: dict[str, str] = field(default_factory=dict)
    undecided: set[str] = field(default_factory=set)
    nobodies: set[str] = field(default_factory=set)
    groups: dict[str, str] = field(default_factory=dict)
    schedules: dict[str, str] = field(default_factory=dict)
    policies: dict[str, str] = field(default_factory=dict)
    zones: dict[str, str] = field(default_factory=dict)
    fidelity: dict[str, Fidelity] = field(default_factory=dict)
    routes: list[Route] = field(default_factory=list)
    unserved: dict[str, list[str]] = field(default_factory=dict)
    holders: dict[tuple[str, str], list[str]] = field(default_factory=dict)
    names: dict[str, Counter[str]] = field(default_factory=dict)

    def __repr__(self) -> str:
        return f"<the account {self.account.subdomain}, mapped: {len(self.desired)} wanted, {len(self.held)} held>"

    def in_scope(self, kind: str) -> Iterator[Any]:
        """The records of a kind that move."""
        return (one for id, one in getattr(self.account, KINDS[kind].source).items() if id in self.scope[kind])

    def ask(self, about: str, kind: str, id: str, name: str, **words: Any) -> Settled | None:
        """The answer to the question of that class about an object (see word_question), or None while it is open."""
        return self.questions.ask(word_question(about, kind, id, name, **words))

    def want(
        self,
        desired: Desired,
        fields: list[FieldOutcome],
        reason: str = "",
        own: dict[str, list[FieldOutcome]] | None = None,
    ) -> None:
        """The object moves: exactly where every field that pages is exact, else changed, or handed over by a person.

        own: outcomes of the fields of single sources, by id, where one object carries several.
        """
        self.desired.append(desired)
        handed = desired.kind in self.by_hand and not self._is_there(desired)
        for source in desired.sources:
            outcomes = (*fields, *(own or {}).get(source, ()))
            kept: Grade = "exact" if all(outcome.harmless for outcome in outcomes) else "changed"
            said = reason or "; ".join(dict.fromkeys(outcome.reason for outcome in outcomes if not outcome.harmless))
            words = f"{self._map_by_hand(desired.kind)} {said}".strip() if handed else said
            grade: Grade = "handed_over" if handed else kept
            self.outcomes.append(Outcome(desired.kind, source, desired.name, grade, words, outcomes))

    @property
    def by_hand(self) -> frozenset[str]:
        """Kinds that people make: what the target takes by no API, and what the rules leave to Terraform."""
        contract: frozenset[str] = frozenset() if self.state.oncall else CONTRACT_KINDS
        return contract | (TERRAFORM_KINDS if self.rules.terraform else frozenset())

    def _is_there(self, desired: Desired) -> bool:
        """Whether Terraform has nothing to make."""
        return desired.kind in TERRAFORM_KINDS and desired.identifier in getattr(self.state, KINDS[desired.kind].target)

    def _map_by_hand(self, kind: str) -> str:
        if kind in TERRAFORM_KINDS:
            return "Terraform makes it: see the handover."
        return "Harness has no API for it: to do by hand."

    def lose(self, kind: str, id: str, name: str, reason: str, open_question: bool = False, decided: str = "") -> None:
        """The object does not move, and why: a question that is still open, or what decided it (see Held.decided)."""
        held = Held(kind, id, name, reason, open_question, (id,), decided)
        self.held.append(held)
        self.lost[kind, id] = held
        self.outcomes.append(Outcome(kind, id, name, "lost", reason))

    def stop(self, kind: str, record: Source, stops: Iterable[Stop | None]) -> bool:
        """Whether anything stops the object; booked once, what is decided before what waits."""
        found = sorted((stop for stop in stops if stop), key=lambda stop: stop.waits)
        if found:
            self.lose(kind, record.id, record.name, found[0].reason, found[0].waits, found[0].decided)
        return bool(found)

    def stop_behind(self, kind: str, id: str, reason: str) -> Stop:
        """Stopped by what stops something that it needs: the same open question, or the same answer."""
        behind = self.lost.get((kind, id))
        return Stop(reason, behind is None or behind.open_question, behind.decided if behind else "")

    def known(self, kind: str, key: str) -> LedgerEntry | None:
        return self.ledger.get((kind, key))

    def group_of(self, teams: Iterable[Reference]) -> str | None:
        """The group of the first team that is carried over."""
        return next((self.groups[team.id] for team in teams if team.id in self.groups), None)


PAGE_NOBODY = {
    "role",
    "job_title",
    "roles",
    "description",
    "html",
    "integrations",
    "time_zone_of_user",
    "auto_resolve_timeout",
    "name",
}
"""Fields that page nobody: their loss is counted among the fields, and leaves the object exact."""


def exact(*names: str) -> list[FieldOutcome]:
    return [FieldOutcome(name, "exact") for name in names]


def judge_field(name: str, change: str) -> FieldOutcome:
    """A field that arrives as it is, or as the words say."""
    return FieldOutcome(name, "changed" if change else "exact", change)


def stop_by(answer: Settled | None, reason: str) -> Stop:
    """Stopped by an answer, or because there is none."""
    return Stop(reason, answer is None, answer.conflict.key if answer else "")


def read_stop(answer: Settled | None, what: str) -> Stop:
    """The same, with words for which of both it is."""
    return stop_by(answer, f"{'left out by decision' if answer else 'open question'}: {what}")


def stop_unless(choice: str, answer: Settled | None, what: str) -> Stop | None:
    """Stopped by whatever is not that choice."""
    return None if answer is not None and answer.choice == choice else read_stop(answer, what)


MOST_DESCRIPTION = 1024
"""Characters of a description that Harness takes."""


def describe(name: str, new: str, text: str | None) -> str:
    """The description, with the original name where Harness could not hold it: the name goes before the text's tail."""
    original = f"PagerDuty name: {name}" if name != new else ""
    text, room = text or "", MOST_DESCRIPTION - len(original) - bool(original)
    kept = text if len(text) <= room else f"{text[: max(0, room - 1)]}…"
    return "\n".join(part for part in (kept, original) if part)[:MOST_DESCRIPTION]
