"""What a person set in migration.yaml about how things are carried over: scope, rules and the limits of the guards."""

import re
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, model_validator

AUTO_APPROVABLE = ("contact_details", "group_members", "notification_rules", "overrides")
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


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    @model_validator(mode="before")
    @classmethod
    def _drop_empty(cls, value: Any) -> Any:
        """A key that is written without a value is as good as absent."""
        return {k: v for k, v in value.items() if v is not None} if isinstance(value, dict) else value


class Scope(_Strict):
    """What moves; everything that it needs comes along. `services: all` is the whole account.

    teams: all that belongs to them. schedules, policies: also without a service. Names or ids. A list of any kind
    narrows the scope; `services` then counts only where it is a list too.
    """

    services: Annotated[Any, BeforeValidator(_check_services)] = "all"
    teams: list[str] = []
    schedules: list[str] = []
    policies: list[str] = []

    @property
    def whole(self) -> bool:
        return self.services == "all" and not (self.teams or self.schedules or self.policies)


class Guards(_Strict):
    """The limits beyond which a plan is refused until a person waives the guard for it.

    changed_objects, changed_percent: of what was carried over before, of one kind; the percentage counts from five on.
    snapshot_hours: how old PagerDuty's word may be. next_run_days: when the next run is planned.
    """

    changed_objects: int = Field(default=100, ge=0)
    changed_percent: int = Field(default=30, ge=0, le=100)
    snapshot_hours: int = Field(default=24, ge=1)
    next_run_days: int = Field(default=7, ge=1)


class Rules(_Strict):
    """How to settle what the two sides say differently, and what may be loaded without a person."""

    contact_details: bool = True
    strategy: Literal["preserve", "overwrite"] = "preserve"
    open_conflicts: Literal["stop", "skip", "recommended"] = "stop"
    auto_approve: Annotated[list[str], AfterValidator(_check_auto_approve)] = []
    terraform: bool = False
    invite_roles: Annotated[list[str], AfterValidator(_check_roles)] = []
    renamed_domains: dict[str, str] = {}
    people_file: str | None = None
    most_levels: int = Field(default=10, ge=1, le=1000)
    guards: Guards = Guards()
