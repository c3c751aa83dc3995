"""migration.yaml: what moves from where to where, by which rules. Secrets stand in it by reference only."""

import os
import re
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

from pdmigrate.errors import SettingsError
from pdmigrate.strict import say_problem

AUTO_APPROVABLE = ("contact_details", "group_members", "notification_rules", "overrides")
"""The kinds of small change that a headless run may load without a person, if `rules.auto_approve` names them."""


def _check_reference(value: str | None) -> str | None:
    if value is None or (value.split(":", 1)[0] in ("env", "file", "keyring") and ":" in value):
        return value
    raise ValueError("a secret is given by reference, env:NAME, file:PATH or keyring:SERVICE/NAME, never as itself")


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


SecretReference = Annotated[str | None, AfterValidator(_check_reference)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    @model_validator(mode="before")
    @classmethod
    def _drop_empty(cls, value: Any) -> Any:
        """A key that is written without a value is as good as absent."""
        return {k: v for k, v in value.items() if v is not None} if isinstance(value, dict) else value


class Source(_Strict):
    """Where the on-call set-up is read from."""

    kind: Literal["pagerduty", "snapshot", "embedded"]
    token: SecretReference = None
    subdomain: str | None = None
    region: Literal["us", "eu"] = "us"
    base_url: str | None = None
    snapshot: str | None = None
    keep_keys: bool = False
    handoff_rules: bool = False
    service_orchestrations: bool = False

    @model_validator(mode="after")
    def _check_needs(self) -> "Source":
        _require(self, {"pagerduty": ("token", "subdomain"), "snapshot": ("snapshot",), "embedded": ()})
        return self


class Target(_Strict):
    """Where it goes."""

    kind: Literal["harness", "embedded"]
    api_key: SecretReference = None
    account: str | None = None
    org: str | None = None
    project: str | None = None
    base_url: str = "https://app.harness.io/gateway"
    survey: str | None = None

    @model_validator(mode="after")
    def _check_needs(self) -> "Target":
        """A survey knows its own place, and needs no key."""
        if not self.survey:
            _require(self, {"harness": ("api_key", "account", "org", "project"), "embedded": ()})
        return self


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


class Settings(_Strict):
    """The whole of migration.yaml, checked. journal: reference to a PostgreSQL URL, in place of the workspace's file."""

    name: str = Field(min_length=1)
    source: Source
    target: Target
    scope: Scope = Scope()
    rules: Rules = Rules()
    journal: SecretReference = None
    horizon_days: int = Field(default=56, ge=1, le=400)


def read_settings(path: Path, choices: dict[str, Any] | None = None) -> Settings:
    """Read and check migration.yaml. Raises SettingsError with one line that names the key and the nearest right one.

    choices: settings chosen elsewhere ("rules.strategy"), which count in place of the file's.
    """
    parse_settings(data := _read_yaml(path), path.name)
    for setting, value in (choices or {}).items():
        section, _, key = setting.partition(".")
        data[section] = {**(data.get(section) or {}), key: value}
    return parse_settings(data, "the choices in decisions.yaml")


def parse_settings(data: Any, name: str = "migration.yaml") -> Settings:
    """Check settings that are already a dict."""
    if not isinstance(data, dict):
        raise SettingsError(f"{name} holds no settings: write at least name, source and target.")
    try:
        return Settings.model_validate(data)
    except ValidationError as error:
        raise SettingsError(
            f"{name}: " + "; ".join(say_problem(entry, Settings) for entry in error.errors()) + "."
        ) from None


def resolve_secret(reference: str) -> str:
    """The secret behind `env:NAME`, `file:PATH` or `keyring:SERVICE/NAME`. Raises SettingsError where there is none."""
    kind, _, name = reference.partition(":")
    value = {"env": _from_environment, "file": _from_file, "keyring": _from_keyring}[kind](name)
    if not value:
        raise SettingsError(f"The secret {reference} is empty or not there: set it, then run again.")
    return value


def _from_environment(name: str) -> str:
    return os.environ.get(name, "").strip()


def _from_file(name: str) -> str:
    path = Path(name).expanduser()
    return path.read_text(encoding="utf-8").strip() if path.is_file() else ""


def _from_keyring(name: str) -> str:
    try:
        import keyring
    except ImportError:
        raise SettingsError("keyring: references need the extra: pip install 'pdmigrate[keyring]'.") from None
    service, _, user = name.partition("/")
    return keyring.get_password(service, user) or ""


def _read_yaml(path: Path) -> Any:
    try:
        return yaml.safe_load(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise SettingsError(f"There is no {path}: make the workspace with pdmigrate init.") from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        place = getattr(error, "problem_mark", None)
        where = f" near line {place.line + 1}" if place else ""
        raise SettingsError(f"{path.name} is no YAML{where}: mend it, then run again.") from None


def _require(side: Source | Target, needs: dict[str, tuple[str, ...]]) -> None:
    missing = [key for key in needs[side.kind] if not getattr(side, key)]
    if missing:
        raise ValueError(f"kind {side.kind} needs {', '.join(missing)}")
