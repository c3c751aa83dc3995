"""Questions with their options, and what people answer: decisions, approvals, waivers, choices and sign-offs."""

import hashlib
from collections.abc import Iterable
from datetime import date, datetime
from functools import cached_property
from typing import Annotated, Any, ClassVar, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from pdmigrate.wire.canonical import canonical_json

COLLISION = ("rename", "merge", "adopt", "leave_out")


MAIL = ("invite", "map", "leave_out")


CLASSES: dict[str, tuple[str, ...]] = {
    "acknowledgement_timeout": ("accept", "leave_out"),
    "bad_address": ("map", "leave_out"),
    "cannot_be_said": ("leave_out",),
    "changed_in_both": ("keep_harness", "take_source"),
    "changed_in_harness": ("keep_harness", "take_source"),
    "dangling_reference": ("empty_place", "without", "leave_out"),
    "deleted_participant": ("empty_place", "leave_out"),
    "deleted_target": ("without", "leave_out"),
    "duplicate_policy": COLLISION,
    "duplicate_schedule": COLLISION,
    "duplicate_service": COLLISION,
    "empty_level": ("without", "leave_out"),
    "escalation_loops": ("fewer", "none", "leave_out"),
    "externally_managed": ("rename", "leave_out"),
    "group_name_collision": COLLISION,
    "kept_in_harness": ("keep_harness", "restore"),
    "lost_contact": ("leave_out",),
    "no_way_to_page": ("rule_by_hand", "leave_out"),
    "nobody_user": ("invite", "empty_place", "map", "leave_out"),
    "override_stand_in": ("map", "leave_out"),
    "phone_country": ("leave_out", "ask_harness"),
    "policy_without_target": ("leave_out",),
    "policy_without_team": ("no_owner", "owner", "leave_out"),
    "recreated_in_source": ("take_over", "rename", "leave_out"),
    "removed_in_target": ("create_again", "leave_removed"),
    "rendering_differs": ("leave_out", "load_anyway"),
    "round_robin": ("everyone", "first_only", "leave_out"),
    "same_name_in_source": ("rename", "keep_both", "leave_out"),
    "service_urgency": ("page", "no_page", "leave_out"),
    "service_without_policy": ("leave_out",),
    "shared_mailbox": MAIL,
    "silent_level": ("without", "leave_out"),
    "time_zone_mismatch": ("confirm", "other", "leave_out"),
    "unknown_target": ("without", "leave_out"),
    "unknown_field": ("ignore", "leave_out"),
    "unknown_number": ("it_is_right", "leave_out"),
    "too_many_dated": ("leave_out", "write_dates"),
    "unknown_time_zone": ("other", "leave_out"),
    "unlisted_member": ("without",),
    "unread_overrides": ("without", "leave_out"),
    "unusable_policy": ("leave_out",),
    "unusable_record": ("leave_out",),
    "user_found_twice": ("same_person", "leave_out"),
    "user_not_found": MAIL,
    "written_in_another_zone": ("leave_out", "as_written"),
}
"""The classes of conflicts, each with the options that a question of the class can have."""


ONE_STATE = frozenset({"changed_in_harness"})
"""Classes whose answers hold for the state that was asked about: they name its question, and none is for the whole class."""


ONE_STATE_CHOICES = frozenset({("rendering_differs", "load_anyway")})
"""The same of single choices: whoever lets a difference be has seen that one, and not whatever may come."""


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, coerce_numbers_to_str=True)


def _check_day(value: Any) -> str:
    """YAML reads an unquoted day as a date."""
    try:
        return date.fromisoformat(str(value)).isoformat()
    except ValueError:
        raise ValueError("write a day, as in 2026-12-01") from None


class Option(_Strict):
    """One way to answer: its name, what it will do, and what its value is (None: it takes none)."""

    name: str
    effect: str
    value: str | None = None


class Conflict(_Strict):
    """A question about one object. `about` is the class; `meaning` says what it means for paging.

    `changes_paging`: the recommended option changes who is paged, so only a person may take it. `detail`: what else the
    question depends on, for its digest; it is not shown. note: a word on the object, beside its name wherever it is listed.
    """

    about: str
    kind: str
    id: str
    name: str
    question: str
    meaning: str
    options: tuple[Option, ...]
    recommended: str
    changes_paging: bool = False
    detail: str = ""
    note: str = ""

    @model_validator(mode="after")
    def _check_class(self) -> "Conflict":
        """An answer to a class or option that CLASSES does not know would be taken for a slip of the pen."""
        unknown = {option.name for option in self.options} - set(CLASSES.get(self.about, ()))
        if unknown:
            raise ValueError(f"CLASSES does not have {self.about} with {', '.join(sorted(unknown))}")
        return self

    @property
    def key(self) -> str:
        return f"{self.about}:{self.id}"

    @property
    def digest(self) -> str:
        """Over what is asked and what can be answered, not over what is said around it."""
        options = [[option.name, option.effect] for option in self.options]
        asked = [self.about, self.kind, self.id, self.question, options, self.detail]
        return hashlib.sha256(canonical_json(asked).encode()).hexdigest()[:12]


class Answer(_Strict):
    """What a person has said, and decisions.yaml keeps: about what, what, by whom, when, why, of which state of it.

    section: the list in which it stands. subject: the fields that say what it is about. standing: whether an earlier
    answer about the same stays in the list, where the last one counts.
    """

    section: ClassVar[str]
    subject: ClassVar[tuple[str, ...]]
    standing: ClassVar[bool] = False

    @property
    def key(self) -> tuple[str, ...]:
        """What it is about."""
        return tuple(getattr(self, name) for name in self.subject)

    def is_about(self, *key: str) -> bool:
        return self.key == key


class Decision(Answer):
    """An answer to a question. `object` is an id, or `all` for every object of the class.

    question: the digest of the question that was answered; without it the answer holds however the question changes.
    """

    section = "decisions"
    subject = ("conflict", "object")
    conflict: str
    object: str
    choice: str
    value: str | None = None
    by: str = ""
    at: str = ""
    why: str = ""
    question: str = ""

    def answers(self, conflict: Conflict) -> bool:
        """Whether it is to this state of the question; one for a class is to whatever comes.

        In the classes of ONE_STATE, and with the choices of ONE_STATE_CHOICES, an answer has to name its question.
        """
        if conflict.about in ONE_STATE or (conflict.about, self.choice) in ONE_STATE_CHOICES:
            return self.question == conflict.digest
        return self.object == "all" or self.question in ("", conflict.digest)


LEAST = 12
"""So many characters of a digest name a plan."""


class Approval(Answer):
    """A plan that a person lets pass, named by its digest or the beginning of it.

    waived: the guards that others let it pass by then, parted by commas, or `none`; one that is waived later the person
    has not seen. Nothing where it was written by hand.
    """

    section = "approvals"
    subject = ("plan",)
    standing = True

    plan: str
    by: str = ""
    at: str = ""
    why: str = ""
    waived: str = ""

    def is_about(self, *key: str) -> bool:
        """key: the whole digest of a plan."""
        return self.plan == key[0] or (len(self.plan) >= LEAST and key[0].startswith(self.plan))

    def describe(self) -> str:
        """Who let it pass, and on which day where it is known."""
        return f"approved by {self.by or 'decisions.yaml'}" + (f" on {self.at[:10]}" if self.at else "")

    def list_unseen(self, waived: Iterable[str]) -> list[str]:
        """Of the guards that are waived now, those that were not when it was given."""
        return sorted(set(waived) - set(self.waived.split(", "))) if self.waived else []


class Waiver(Answer):
    """A person lets one plan pass one guard, until a day (inclusive, UTC). plan: the beginning of its digest, or all."""

    section = "waivers"
    subject = ("guard", "plan")
    standing = True

    guard: str
    plan: str = Field(min_length=LEAST)
    by: str = Field(min_length=1)
    why: str = Field(min_length=1)
    until: Annotated[str, BeforeValidator(_check_day)]

    def is_about(self, *key: str) -> bool:
        """key: the guard, and the whole digest of the plan."""
        guard, digest = key
        return self.guard == guard and digest.startswith(self.plan)

    def holds(self, guard: str, digest: str, now: datetime) -> bool:
        return self.is_about(guard, digest) and now.date() <= date.fromisoformat(self.until)


class Choice(Answer):
    """A setting that a person chose in a notebook; it counts in place of the one in migration.yaml."""

    section = "choices"
    subject = ("setting",)

    setting: Literal[
        "scope.services",
        "scope.teams",
        "scope.schedules",
        "scope.policies",
        "rules.strategy",
        "rules.contact_details",
    ]
    value: Any
    by: str = ""
    at: str = ""
    why: str = ""


class SignOff(Answer):
    """What a team's lead says of it: go, or no go. `plan` is the digest of the plan that was loaded by then."""

    section = "sign_offs"
    subject = ("team",)

    team: str
    choice: Literal["go", "no_go"]
    plan: str = ""
    by: str = ""
    at: str = ""
    why: str = ""


class Decisions(_Strict):
    """The whole of decisions.yaml."""

    decisions: tuple[Decision, ...] = ()
    approvals: tuple[Approval, ...] = ()
    waivers: tuple[Waiver, ...] = ()
    choices: tuple[Choice, ...] = ()
    sign_offs: tuple[SignOff, ...] = ()

    def find(self, about: str, id: str) -> Decision | None:
        """What is answered for an object, asked now or not: its own answer before its class's, the last of several."""
        return self._last.get((about, id)) or self._last.get((about, "all"))

    def model_copy(self, **said: Any) -> "Decisions":
        """Copies are made without what is cached."""
        made = super().model_copy(**said)
        for name in vars(made).keys() - type(made).model_fields.keys():
            del vars(made)[name]
        return made

    @cached_property
    def _last(self) -> dict[tuple[str, str], Decision]:
        """The last decision about each object, by class and id: there may be one for each person of a company."""
        return {(decision.conflict, decision.object): decision for decision in self.decisions}

    @cached_property
    def values(self) -> frozenset[str | None]:
        """What people named in their decisions."""
        return frozenset(decision.value for decision in self.decisions)

    def approves(self, digest: str) -> Approval | None:
        return next((a for a in reversed(self.approvals) if a.is_about(digest)), None)

    def waives(self, guard: str, digest: str, now: datetime) -> Waiver | None:
        return next((w for w in reversed(self.waivers) if w.holds(guard, digest, now)), None)


class Settled(_Strict):
    """A question with what was decided, and by whom: a person, or the rule `open_conflicts: recommended`."""

    conflict: Conflict
    choice: str
    value: str | None = None
    by: str = ""
    at: str = ""
    why: str = ""
