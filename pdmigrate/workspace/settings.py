"""migration.yaml: what moves from where to where, by which rules. Secrets stand in it by reference only."""

import os
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import AfterValidator, Field, ValidationError, model_validator

from pdmigrate.errors import SettingsError, find_nearest
from pdmigrate.harness.target import OWN, list_kinds
from pdmigrate.plan.rules import Rules, Scope, _Strict
from pdmigrate.workspace.strict import say_problem


def _check_reference(value: str | None) -> str | None:
    if value is None or (value.split(":", 1)[0] in ("env", "file", "keyring") and ":" in value):
        return value
    raise ValueError("a secret is given by reference, env:NAME, file:PATH or keyring:SERVICE/NAME, never as itself")


SecretReference = Annotated[str | None, AfterValidator(_check_reference)]


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
        _require(self, {"pagerduty": ("token", "subdomain"), "snapshot": ("snapshot",)})
        return self


def _check_kind(value: str) -> str:
    if value not in OWN and value not in (known := list_kinds()):
        raise ValueError(f"no such kind of target{find_nearest(value, known)}; there are {', '.join(known)}")
    return value


class Target(_Strict):
    """Where it goes. options: for a kind that another package offers (docs/targets.md)."""

    kind: Annotated[str, AfterValidator(_check_kind)]
    api_key: SecretReference = None
    account: str | None = None
    org: str | None = None
    project: str | None = None
    base_url: str = "https://app.harness.io/gateway"
    survey: str | None = None
    options: dict[str, Any] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _check_needs(self) -> "Target":
        """A survey knows its own place, and needs no key."""
        if not self.survey:
            _require(self, {"harness": ("api_key", "account", "org", "project")})
        return self


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
    missing = [key for key in needs.get(side.kind, ()) if not getattr(side, key)]
    if missing:
        raise ValueError(f"kind {side.kind} needs {', '.join(missing)}")
