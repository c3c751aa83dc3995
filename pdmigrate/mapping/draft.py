"""A draft: what the source said, what the target has now, what would become of everything, and the plan for it.

What is out of scope follows from the scope and the rules alone, never from what the mapping left unsaid: whatever is in
scope and has no outcome was forgotten, and whatever has two is counted twice.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property

from pdmigrate.harness.records import AlertRule, Override, State
from pdmigrate.mapping import GRADES, Grade, Mapped, Outcome
from pdmigrate.mapping.overrides import Known, count_overrides, key_overrides, read_known
from pdmigrate.mapping.scope import Reasons, list_records
from pdmigrate.pagerduty.account import Account
from pdmigrate.pagerduty.records import EscalationPolicy, Schedule, User
from pdmigrate.pagerduty.v3_records import ScheduleV3
from pdmigrate.plan.actions import Desired, Held, LedgerEntry, Plan
from pdmigrate.plan.answers import Conflict, Settled
from pdmigrate.plan.handmade import group_rules
from pdmigrate.plan.kinds import KINDS


@dataclass(frozen=True, repr=False)
class Draft:
    """One look at both sides. `mapped` has the outcomes, `plan` the actions; nothing was written."""

    account: Account
    state: State
    reasons: Reasons
    mapped: Mapped
    plan: Plan
    ledger: dict[tuple[str, str], LedgerEntry]

    def __repr__(self) -> str:
        return f"<draft of {self.account.subdomain}: {len(self.open)} open questions, {self.plan!r}>"

    @cached_property
    def emails(self) -> dict[str, str]:
        """PagerDuty user id to the email that is to be paged in Harness: the user's own, unless a person said otherwise.

        Read from PagerDuty, the answers and the chosen rules, not from the mapping, which is what is to be proved.
        """
        mapped = {
            answer.conflict.id: (answer.value or "").strip().lower()
            for answer in self.answered.values()
            if answer.conflict.kind == "users" and answer.choice == "map"
        }
        users = [user for id, user in self.account.users.items() if id in self.mapped.emails]
        return {user.id: mapped.get(user.id) or self._follow_rules(user.email.strip().lower()) for user in users}

    def _follow_rules(self, email: str) -> str:
        """`rules.people_file` and `rules.renamed_domains` of migration.yaml; an address that Harness knows stays."""
        if email in self.mapped.people_map:
            return self.mapped.people_map[email]
        box, _, domain = email.rpartition("@")
        renamed = {old.lower(): new.lower() for old, new in self.mapped.rules.renamed_domains.items()}
        moved = f"{box}@{renamed.get(domain, domain)}"
        return email if email in self.state.people and moved not in self.state.people else moved

    @cached_property
    def home_zone(self) -> str:
        """The time zone in which most schedules in scope live: sentences about no single schedule are told in it."""
        zones = Counter(zone for id, zone in self.mapped.zones.items() if id in self.reasons["schedules"])
        return min(zones, key=lambda zone: (-zones[zone], zone), default="UTC")

    @cached_property
    def held(self) -> dict[tuple[str, str], Held]:
        """What does not move, by kind and PagerDuty id."""
        return {(held.kind, held.key): held for held in self.plan.held}

    @cached_property
    def held_overrides(self) -> bool:
        """Whether any override does not move."""
        return any(held.kind == "overrides" for held in self.plan.held)

    @cached_property
    def known_overrides(self) -> Known:
        """The keys of the overrides that the ledger has, as `key_overrides` wants them."""
        return read_known(self.ledger)

    @cached_property
    def empty_places(self) -> dict[str, dict[str, Settled]]:
        """The answers by which a user's places stay empty: by the id of a schedule those in it, under "" those anywhere."""
        found: dict[str, dict[str, Settled]] = {"": {}}
        for answer in self.answered.values():
            if answer.choice == "empty_place":
                anywhere, id = answer.conflict.kind == "users", answer.conflict.id
                schedule, _, user = ("", "", id) if anywhere else id.partition("/")
                found.setdefault(schedule, {})[user] = answer
        return found

    @cached_property
    def wanted_parts(self) -> dict[str, list[Desired]]:
        """What is wanted of the parts of objects, as overrides, by the identifier of the whole."""
        found: dict[str, list[Desired]] = {}
        for wish in self.wanted.values():
            whole, slash, _ = wish.identifier.partition("/")
            if slash:
                found.setdefault(whole, []).append(wish)
        return found

    @cached_property
    def kept(self) -> dict[str, Settled]:
        """The answers that let stand what somebody changed in Harness, by the key of the object."""
        changed = (a for a in self.answered.values() if a.conflict.about == "changed_in_harness")
        return {answer.conflict.id: answer for answer in changed if answer.choice == "keep_harness"}

    @cached_property
    def wanted(self) -> dict[tuple[str, str], Desired]:
        """What is wanted in Harness, by kind and the key that the ledger and the answers have for it."""
        return {(wish.kind, wish.key): wish for wish in self.mapped.desired}

    @cached_property
    def kept_overrides(self) -> dict[str, list[tuple[str, Override]]]:
        """(key, as it is in Harness) of each override that a person let stand as somebody changed it, by its schedule there."""
        found: dict[str, list[tuple[str, Override]]] = {}
        for key in self.kept:
            identifier = self.identifier_of("overrides", key)
            override = self.state.overrides.get(identifier)
            if override:
                found.setdefault(identifier.partition("/")[0], []).append((key, override))
        return found

    def identifier_of(self, kind: str, id: str) -> str:
        """Where an object of PagerDuty is in Harness: wanted there, or carried over earlier; "" where it never was."""
        wish, entry = self.wanted.get((kind, id)), self.ledger.get((kind, id))
        return wish.identifier if wish else entry.identifier if entry else ""

    @cached_property
    def policies_by_identifier(self) -> dict[str, EscalationPolicy]:
        """The policies of PagerDuty by where each is in Harness; the first of two that are one there."""
        found: dict[str, EscalationPolicy] = {}
        for id, policy in self.account.policies.items():
            found.setdefault(self.identifier_of("escalation_policies", id), policy)
        return found

    @cached_property
    def used_policies(self) -> frozenset[str]:
        """PagerDuty ids of the policies that some service uses, in or out of scope."""
        return frozenset(s.escalation_policy.id for s in self.account.services.values() if s.escalation_policy)

    @cached_property
    def rules_by_service(self) -> dict[str, list[AlertRule]]:
        """Harness's alert rules that page, by the service that they are for."""
        return group_rules(self.state)

    @property
    def open(self) -> dict[str, Conflict]:
        return self.mapped.questions.open

    @property
    def answered(self) -> dict[str, Settled]:
        return self.mapped.questions.answered

    def count_kinds(self, landed: bool = False) -> dict[str, dict[str, int]]:
        """Objects in scope per kind: every one stands in exactly one place.

        A forecast, or, `landed`, after the load: what was to be made and is not there is lost, and what is there and
        still has to be written is not exact.
        """
        outcomes = self._grade_outcomes(landed)
        return {kind: _count([outcome.grade for outcome in outcomes if outcome.kind == kind]) for kind in KINDS}

    def count_waiting(self, landed: bool = False) -> dict[str, int]:
        """Of the lost ones of `count_kinds`, per kind, those that a person's answer may still move."""
        waiting = [f.kind for f in self._grade_outcomes(landed) if f.grade == "lost" and (f.kind, f.id) in self.waiting]
        return {kind: waiting.count(kind) for kind in KINDS}

    def _grade_outcomes(self, landed: bool) -> list[Outcome]:
        left = {(a.kind, s): a.verb for a in self.plan.actions if landed and a.writes for s in a.sources}
        graded = ((f, _grade_left(f.grade, left.get((f.kind, f.id)))) for f in self.mapped.outcomes)
        return [f if grade == f.grade else replace(f, grade=grade) for f, grade in graded]

    @cached_property
    def waiting(self) -> frozenset[tuple[str, str]]:
        """Kind and PagerDuty id of what an open question keeps from moving; the rules of a number wait with it."""
        found = {(h.kind, id) for h in self.plan.held if h.open_question for id in (h.key, *h.sources)}
        rules = [rule for user in self.account.users.values() for rule in user.notification_rules]
        with_numbers = (r.id for r in rules if r.contact_method and ("contact_methods", r.contact_method.id) in found)
        return frozenset(found | {("notification_rules", id) for id in with_numbers})

    def count_fields(self) -> dict[str, dict[str, int]]:
        """The same for their fields; an object that is nowhere has lost them all, and counts as one."""
        grades: dict[str, list[Grade]] = {kind: [] for kind in KINDS}
        for outcome in self.mapped.outcomes:
            grades[outcome.kind] += [field.grade for field in outcome.fields] or [outcome.grade]
        return {kind: _count(found) for kind, found in grades.items()}

    def count_out_of_scope(self) -> dict[str, int]:
        """Objects that stay behind because nobody chose them, or, contact details, because the rules leave them out."""
        return count_out_of_scope(self.account, self.reasons, self.mapped.rules.contact_details)

    @cached_property
    def miscounted(self) -> tuple[str, ...]:
        """A sentence for each object in scope that has no outcome, or more than one: then no count adds up."""
        details, outcomes = self.mapped.rules.contact_details, self.mapped.outcomes
        return find_miscounted(self.account, self.reasons, details, self.ledger, outcomes)

    def count_conflicts(self) -> dict[str, dict[str, int]]:
        """Open and decided questions per class."""
        answered = [answer.conflict for answer in self.answered.values()]
        return {"open": _by_class(self.open.values()), "decided": _by_class(answered)}


def _grade_left(grade: Grade, verb: str | None) -> Grade:
    """The grade of an object that an action still has to write."""
    if verb == "create":
        return "lost"
    return "changed" if verb and grade == "exact" else grade


def _count(grades: list[Grade]) -> dict[str, int]:
    return {"in_source": len(grades), **{grade: grades.count(grade) for grade in GRADES}}


def _by_class(conflicts: Iterable[Conflict]) -> dict[str, int]:
    names = [conflict.about for conflict in conflicts]
    return {name: names.count(name) for name in sorted(set(names))}


# --- whether the counts add up: what the scope takes in, against what the mapping has said about it ---

CONTACTS = ("contact_methods", "notification_rules")
SourceKey = tuple[str, str]
"""Kind and id of an object of PagerDuty; overrides have the keys that `key_overrides` gives them."""


def count_out_of_scope(account: Account, reasons: Reasons, contact_details: bool) -> dict[str, int]:
    """Objects that stay behind because nobody chose them, or, contact details, because the rules leave them out."""
    records = list_records(account)
    out = {kind: sum(id not in reasons[kind] for id in there) for kind, there in records.items()}
    left = [user for id, user in account.users.items() if not contact_details or id not in reasons["users"]]
    out |= {kind: sum(len(getattr(user, kind)) for user in left) for kind in CONTACTS}
    behind = [one for id, one in account.all_schedules.items() if id not in reasons["schedules"]]
    return out | {"overrides": sum(count_overrides(one, account.since) for one in behind)}


def find_miscounted(
    account: Account,
    reasons: Reasons,
    contact_details: bool,
    ledger: dict[SourceKey, LedgerEntry],
    outcomes: Iterable[Outcome],
) -> tuple[str, ...]:
    """A sentence for each object in scope of which the mapping says nothing, or says it more than once.

    contact_details: whether the rules carry them over. Empty where every object in scope has exactly one outcome.
    """
    due = list(_list_due(account, reasons, contact_details, ledger))
    wanted = Counter(place for place, _ in due)
    said = Counter((outcome.kind, outcome.id) for outcome in outcomes)
    names = dict(due)
    wrong = [(place, said[place], number) for place, number in wanted.items() if said[place] != number]
    return tuple(_describe(place, names[place], found) for place, found, _ in wrong)


def _describe(place: SourceKey, name: str, found: int) -> str:
    kind, id = place
    said = "nothing says what becomes of it" if not found else f"what becomes of it is said {found} times"
    return (
        f"{kind.replace('_', ' ')} {name} ({id}): it is in scope, and {said}; this is an error of pdmigrate: report it"
    )


def _list_due(
    account: Account, reasons: Reasons, contact_details: bool, ledger: dict[SourceKey, LedgerEntry]
) -> Iterator[tuple[SourceKey, str]]:
    """Every object in scope, with its name."""
    known = read_known(ledger)
    for kind, there in list_records(account).items():
        for id, record in there.items():
            if id not in reasons[kind]:
                continue
            yield (kind, id), record.name
            if isinstance(record, User) and contact_details:
                for part in CONTACTS:
                    yield from (((part, thing.id), f"of {record.name}") for thing in getattr(record, part))
            if isinstance(record, Schedule | ScheduleV3):
                yield from (((("overrides", key), f"in {record.name}")) for key in _list_dated(account, record, known))


def _list_dated(account: Account, schedule: Schedule | ScheduleV3, known: Known) -> Iterator[str]:
    """The keys of overrides and custom shifts that are not over."""
    if isinstance(schedule, ScheduleV3):
        yield from (one.id for one in schedule.overrides if one.end_time > account.since)
        yield from (one.id for one in schedule.custom_shifts if one.end_time > account.since)
        return
    keys = key_overrides(schedule, known, account.since)
    yield from (key for key, one in zip(keys, schedule.overrides, strict=True) if one.end > account.since)
