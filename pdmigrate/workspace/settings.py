"""migration.yaml: what moves from where to where, by which rules, and a new one. Secrets stand in it by reference only."""

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import AfterValidator, BaseModel, Field, ValidationError, model_validator

from pdmigrate.errors import SettingsError, UsageError, find_nearest
from pdmigrate.harness.target import OWN, list_kinds
from pdmigrate.plan.rules import Rules, Scope, StrictModel
from pdmigrate.workspace.folder import Workspace, write_text
from pdmigrate.workspace.strict import describe_problem


def _check_reference(value: str | None) -> str | None:
    if value is None or (value.split(":", 1)[0] in ("env", "file", "keyring") and ":" in value):
        return value
    raise ValueError("a secret is given by reference, env:NAME, file:PATH or keyring:SERVICE/NAME, never as itself")


SecretReference = Annotated[str | None, AfterValidator(_check_reference)]


class Source(StrictModel):
    """Where the on-call set-up is read from."""

    kind: Literal["pagerduty", "snapshot", "embedded"] = Field(
        description="pagerduty | snapshot | embedded (a small PagerDuty on this machine)"
    )
    token: SecretReference = Field(
        default=None, description="env:NAME | file:PATH | keyring:SERVICE/NAME; a read-only key is enough"
    )
    subdomain: str | None = Field(default=None, description="as in https://SUBDOMAIN.pagerduty.com")
    region: Literal["us", "eu"] = Field(default="us", description="us | eu")
    base_url: str | None = Field(default=None, description="another server that speaks PagerDuty's API, or nothing")
    snapshot: str | None = Field(
        default=None, description="a file or folder, for kind snapshot (and to fill an embedded PagerDuty)"
    )
    keep_keys: bool = Field(
        default=False,
        description="true: integration keys stay in snapshots (they are secrets; no page ever shows them)",
    )
    handoff_rules: bool = Field(
        default=False, description="true: count handoff notification rules too, at one request a person"
    )
    service_orchestrations: bool = Field(
        default=False,
        description="true: list which services' own orchestrations suppress alerts, at one request a service",
    )

    @model_validator(mode="after")
    def _check_needs(self) -> "Source":
        _require(self, {"pagerduty": ("token", "subdomain"), "snapshot": ("snapshot",)})
        return self


def _check_kind(value: str) -> str:
    if value not in OWN and value not in (known := list_kinds()):
        raise ValueError(f"no such kind of target{find_nearest(value, known)}; there are {', '.join(known)}")
    return value


class Target(StrictModel):
    """Where it goes. options: for a kind that another package offers (docs/targets.md)."""

    kind: Annotated[str, AfterValidator(_check_kind)] = Field(
        description="harness | embedded (a small Harness on this machine)"
    )
    api_key: SecretReference = Field(default=None, description="env:NAME | file:PATH | keyring:SERVICE/NAME")
    account: str | None = None
    org: str | None = None
    project: str | None = None
    base_url: str = "https://app.harness.io/gateway"
    survey: str | None = Field(
        default=None,
        description="a file of pdmigrate survey: plan against it where you may not hold the keys; nothing is loaded",
    )
    rehearsal: bool = Field(
        default=False, description="true: this target is for a rehearsal, and `--approve all` is taken"
    )
    options: dict[str, Any] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _check_needs(self) -> "Target":
        """A survey knows its own place, and needs no key."""
        if not self.survey:
            _require(self, {"harness": ("api_key", "account", "org", "project")})
        return self


class Settings(StrictModel):
    """The whole of migration.yaml, checked: the fields' descriptions are the comments of a new one."""

    name: str = Field(min_length=1)
    source: Source
    target: Target
    scope: Scope = Scope()
    rules: Rules = Rules()
    journal: SecretReference = Field(
        default=None,
        description="env:NAME | file:PATH | keyring:SERVICE/NAME of a PostgreSQL URL, where several machines run",
    )
    horizon_days: int = Field(default=56, ge=1, le=400, description="how far ahead the two sides are compared")


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
            f"{name}: " + "; ".join(describe_problem(entry, Settings) for entry in error.errors()) + "."
        ) from None


def resolve_secret(reference: str) -> str:
    """The secret behind `env:NAME`, `file:PATH` or `keyring:SERVICE/NAME`. Raises SettingsError where there is none."""
    kind, _, name = reference.partition(":")
    if kind == "keyring":
        try:
            import keyring
        except ImportError:
            raise SettingsError("keyring: references need the extra: pip install 'pdmigrate[keyring]'.") from None
        service, _, user = name.partition("/")
        value = keyring.get_password(service, user) or ""
    elif kind == "env":
        value = os.environ.get(name, "").strip()
    else:
        path = Path(name).expanduser()
        value = path.read_text(encoding="utf-8").strip() if path.is_file() else ""
    if not value:
        raise SettingsError(f"The secret {reference} is empty or not there: set it, then run again.")
    return value


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


# --- a new workspace ---

HEADING = "# One migration: what moves from where to where, by which rules. Strictly checked; never holds a secret.\n"
FOR_LIVE = {
    "pagerduty": {"token": "env:PD_TOKEN", "subdomain": "acme"},
    "harness": {"api_key": "env:HARNESS_API_KEY", "account": "your-account-id", "org": "default", "project": "sre"},
}
"""What stands in a new migration.yaml for a person to replace."""
ON_BOTH_SIDES = {
    "source.kind": "source",
    "target.kind": "target",
    "source.base_url": "source_url",
    "target.base_url": "target_url",
}
"""The options for settings that both sides have; any other is called as its setting."""


def make_workspace(folder: Path, options: Mapping[str, Any]) -> Path:
    """Make the folder and its commented migration.yaml. Returns the file's path. Refuses to write over one that is there.

    options: texts that stand in it otherwise than by default; without `source` and `target` they are the embedded pair.
    """
    path = Workspace(folder).settings_file
    if path.exists():
        raise UsageError(f"{path} is there already: edit it, or choose another folder.")
    given = {"name": Path(folder).resolve().name, "source": "embedded", "target": "embedded"}
    given |= {name: value for name, value in options.items() if isinstance(value, str) and value}
    live = FOR_LIVE.get(given["source"], {}) | FOR_LIVE.get(given["target"], {})
    text = HEADING + "\n".join(_write_section(Settings, {**live, **given})) + "\n"
    parse_settings(yaml.safe_load(text))
    write_text(path, text)
    return path


def _write_section(model: type[BaseModel], values: Mapping[str, Any], place: str = "") -> Iterator[str]:
    """A line for each field, with its description in one column as far as the values allow. What another package's target takes is left out."""
    indent = "  " * place.count(".")
    fields = {name: field for name, field in model.model_fields.items() if not field.default_factory}
    for name, field in fields.items():
        inner = (
            field.annotation if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel) else None
        )
        option = ON_BOTH_SIDES.get(f"{place}{name}", name)
        said = "" if inner else _quote(values.get(option, None if field.is_required() else field.default))
        line = f"{indent}{name}: {said}".rstrip()
        if not place and name != "name":
            yield ""
        yield f"{line:<28}  # {field.description}" if field.description else line
        if inner:
            yield from _write_section(inner, values, f"{place}{name}.")


def _quote(value: Any) -> str:
    """As YAML, in one line; plain where it can be, and nothing for None."""
    if value is None:
        return ""
    return yaml.safe_dump(value, default_flow_style=True, allow_unicode=True, width=10_000).split("\n")[0]
