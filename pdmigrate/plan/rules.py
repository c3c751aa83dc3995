"""What a person set in migration.yaml about how things are carried over: scope, rules and the limits of the guards."""

import re
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from pdmigrate.plan.kinds import KINDS

Strategy = Literal["preserve", "overwrite"]
STRATEGIES: dict[Strategy, str] = {
    "preserve": "where both sides changed, Harness's change stays",
    "overwrite": "where both sides changed, PagerDuty's is written over it",
}
"""What each does. Of fields that page nobody: who is paged is a question, and what only Harness changed is kept."""
AUTO_APPROVABLE = sorted(kind.small for kind in KINDS.values() if kind.small)
"""The kinds of small change that a headless run may load without a person, if `rules.auto_approve` names them."""


def _check_auto_approve(value: list[str]) -> list[str]:
    for name in value:
        if name not in AUTO_APPROVABLE:
            raise ValueError(f"{name!r} cannot be approved in advance, only {', '.join(AUTO_APPROVABLE)}")
    return value


def _check_roles(value: list[str]) -> list[str]:
    for name in value:
        if not re.fullmatch(r"[a-zA-Z_][0-9a-zA-Z_$]{0,127}", name):
            raise ValueError(f"{name!r} is no role's identifier, as _project_viewer is")
    return value


def _check_services(value: Any) -> Any:
    if value == "all" or (isinstance(value, list) and all(isinstance(name, str) for name in value)):
        return value
    raise ValueError("write all, or a list of names and ids")


class StrictModel(BaseModel):
    """A part of migration.yaml: an unknown key is an error, and no error repeats a value, which may be a secret."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    @model_validator(mode="before")
    @classmethod
    def _drop_empty(cls, value: Any) -> Any:
        """A key that is written without a value is as good as absent."""
        return {k: v for k, v in value.items() if v is not None} if isinstance(value, dict) else value


class Scope(StrictModel):
    """What moves; everything that it needs comes along. `services: all` is the whole account.

    A list of any kind narrows the scope; `services` then counts only where it is a list too. Names or ids.
    """

    services: Annotated[Literal["all"] | list[str], BeforeValidator(_check_services)] = Field(
        default="all", description="all (the whole account), or a list of service names and ids"
    )
    teams: list[str] = Field(
        default=[], description="all that belongs to these teams; any list here narrows the scope to what is listed"
    )
    schedules: list[str] = Field(default=[], description="schedules and policies that no service uses can be named too")
    policies: list[str] = []

    @property
    def whole(self) -> bool:
        return self.services == "all" and not (self.teams or self.schedules or self.policies)


class Guards(StrictModel):
    """The limits beyond which a plan is refused. The percentage counts from five changed objects on.

    snapshot_hours: how old PagerDuty's word may be. next_run_days: when the next run is planned.
    """

    changed_objects: int = Field(default=100, ge=0, description="of one kind that was carried over before")
    changed_percent: int = Field(default=30, ge=0, le=100)
    snapshot_hours: int = Field(default=24, ge=1)
    next_run_days: int = Field(default=7, ge=1, description="nothing written out by date may run out before")


class Rules(StrictModel):
    """How to settle what the two sides say differently, and what may be loaded without a person."""

    contact_details: bool = Field(default=True, description="carry over contact methods and notification rules")
    strategy: Strategy = Field(
        default="preserve",
        description="both sides changed what pages nobody: preserve (Harness's stays) | overwrite (PagerDuty's is written)",
    )
    open_conflicts: Literal["stop", "skip", "recommended"] = Field(
        default="stop", description="stop | skip | recommended (which never decides what changes who is paged)"
    )
    auto_approve: Annotated[list[str], AfterValidator(_check_auto_approve)] = Field(
        default=[],
        description="small changes that headless runs may load: contact_details, notification_rules, group_members, "
        "overrides",
    )
    terraform: bool = Field(
        default=False,
        description="true: user groups and users as Terraform files for somebody else to apply, not by API",
    )
    invite_roles: Annotated[list[str], AfterValidator(_check_roles)] = Field(
        default=[], description="roles that an invitation gives in the project, as _project_viewer; nothing: none"
    )
    renamed_domains: dict[str, str] = Field(
        default={}, description="old.example: new.example, where emails have another domain in Harness"
    )
    most_levels: int = Field(
        default=10,
        ge=1,
        le=1000,
        description="levels of one policy in Harness: loops are unrolled up to here, else it is a question",
    )
    people_file: str | None = Field(
        default=None, description="a CSV file (, ; or tab) with the columns pagerduty_email, harness_email"
    )
    guards: Guards = Field(
        default=Guards(),
        description="beyond these a plan is refused, until a person waives the guard for it in decisions.yaml",
    )
