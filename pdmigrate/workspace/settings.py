"""migration.yaml: what moves from where to where, by which rules, and a new one. Secrets stand in it by reference only."""

import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import AfterValidator, BaseModel, Field, ValidationError, model_validator

from pdmigrate.errors import SettingsError, UsageError, find_nearest
from pdmigrate.harness.target import OWN, list_kinds
from pdmigrate.plan.answers import Decisions
from pdmigrate.plan.effort import check_minutes
from pdmigrate.plan.rules import Rules, Scope, StrictModel
from pdmigrate.wire.addresses import check_address, refuse_password
from pdmigrate.wire.network import Network, split_proxy
from pdmigrate.wire.yaml_text import describe_yaml_error, read_yaml
from pdmigrate.workspace.folder import Workspace, write_text
from pdmigrate.workspace.states import read_within
from pdmigrate.workspace.strict import describe_problems

REFERENCES = ("env", "file", "keyring")


def _check_reference(value: str | None) -> str | None:
    if value is None or (value.split(":", 1)[0] in REFERENCES and ":" in value):
        return value
    raise ValueError("a secret is given by reference, env:NAME, file:PATH or keyring:SERVICE/NAME, never as itself")


SecretReference = Annotated[str | None, AfterValidator(_check_reference)]
ServerAddress = Annotated[str, AfterValidator(check_address)]


def _check_proxy(value: str | None) -> str | None:
    if value is not None and value.split(":", 1)[0] not in REFERENCES and "@" in value:
        raise ValueError("a proxy with a password is given by reference, env:NAME, file:PATH or keyring:SERVICE/NAME")
    return value


def _check_path(value: str | None) -> str | None:
    if value and ("\0" in value or any(len(part.encode()) > 255 for part in Path(value).parts)):
        raise ValueError("this is no path that a file can have")
    return value


FilePath = Annotated[str | None, AfterValidator(_check_path)]


class Source(StrictModel):
    """Where the on-call set-up is read from."""

    kind: Literal["pagerduty", "snapshot", "embedded"] = Field(
        description="pagerduty | snapshot | embedded (a small PagerDuty on this machine)"
    )
    token: SecretReference = Field(
        default=None,
        description="env:NAME | file:PATH | keyring:SERVICE/NAME; a read-only key is enough; an OAuth token begins with Bearer",
    )
    subdomain: str | None = Field(default=None, description="as in https://SUBDOMAIN.pagerduty.com")
    region: Literal["us", "eu"] = Field(default="us", description="us | eu")
    base_url: ServerAddress | None = Field(
        default=None, description="another server that speaks PagerDuty's API, or nothing"
    )
    snapshot: FilePath = Field(
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
    dependents: bool = Field(
        default=True,
        description="false: do not list who else talks to PagerDuty (12 requests, and one a business service)",
    )
    service_dependencies: bool = Field(
        default=False, description="true: list which services need which too, at one request a service"
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
    """Where it goes. options: for a kind that another package offers (docs/targets.md).

    webhooks: by a service's name or PagerDuty id, a reference to the address of its own paging webhook, for test pages.
    """

    kind: Annotated[str, AfterValidator(_check_kind)] = Field(
        description="harness | embedded (a small Harness on this machine)"
    )
    api_key: SecretReference = Field(default=None, description="env:NAME | file:PATH | keyring:SERVICE/NAME")
    account: str | None = None
    org: str | None = None
    project: str | None = None
    base_url: Annotated[str, AfterValidator(refuse_password)] = "https://app.harness.io/gateway"
    survey: FilePath = Field(
        default=None,
        description="a file of pdmigrate survey: plan against it where you may not hold the keys; nothing is loaded",
    )
    webhook: SecretReference = Field(
        default=None,
        description="env:NAME | file:PATH | keyring:SERVICE/NAME of a general webhook's address, for test pages (pdmigrate prove)",
    )
    webhooks: dict[str, Annotated[str, AfterValidator(_check_reference)]] = Field(default_factory=dict)
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
    """The whole of migration.yaml, checked: the fields' descriptions are the comments of a new one.

    minutes: for the estimate of the page Account survey, in place of those of plan/effort.py: the fewest and the most.
    """

    name: str = Field(min_length=1)
    source: Source
    target: Target
    scope: Scope = Scope()
    rules: Rules = Rules()
    journal: SecretReference = Field(
        default=None,
        description="env:NAME | file:PATH | keyring:SERVICE/NAME of a PostgreSQL URL, where several machines run",
    )
    ca_bundle: str | None = Field(
        default=None, description="a PEM file or folder of authorities to trust, for both sides; or REQUESTS_CA_BUNDLE"
    )
    proxy: Annotated[str | None, AfterValidator(_check_proxy)] = Field(
        default=None, description="http://HOST:PORT for both sides, by reference with a password; or HTTPS_PROXY"
    )
    horizon_days: int = Field(default=56, ge=1, le=400, description="how far ahead the two sides are compared")
    replay_days: int = Field(
        default=0,
        ge=0,
        le=400,
        description="how many days back a headless verify replays PagerDuty's pages; 0 for none",
    )
    minutes: Annotated[dict[str, tuple[int, int]], AfterValidator(check_minutes)] = Field(default_factory=dict)


def read_settings(path: Path, choices: dict[str, Any] | None = None) -> Settings:
    """Read and check migration.yaml. Raises SettingsError with one line that names the key and the nearest right one.

    choices: settings chosen elsewhere ("rules.strategy"), which count in place of the file's.
    """
    parse_settings(data := _read_yaml(path), path.name)
    for setting, value in (choices or {}).items():
        section, _, key = setting.partition(".")
        data[section] = {**(data.get(section) or {}), key: value}
    return parse_settings(data, "the choices in decisions.yaml")


def read_chosen(place: Workspace, decisions: Decisions) -> Settings:
    """migration.yaml, with the choices of decisions.yaml in place of what it says."""
    choices: dict[str, Any] = {choice.setting: choice.value for choice in decisions.choices}
    return read_settings(place.settings_file, choices)


def parse_settings(data: Any, name: str = "migration.yaml") -> Settings:
    """Check settings that are already a dict."""
    if not isinstance(data, dict):
        raise SettingsError(f"{name} holds no settings: write at least name, source and target.")
    try:
        return Settings.model_validate(data)
    except ValidationError as error:
        raise SettingsError(f"{name}: {describe_problems(error.errors(), Settings)}.") from None


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
        value = _read_secret(reference, Path(name).expanduser())
    if not value:
        raise SettingsError(f"The secret {reference} is empty or not there: set it, then run again.")
    return value


LONGEST_SECRET = 64_000
"""Bytes; a certificate's key has some thousands."""


def _read_secret(reference: str, path: Path) -> str:
    """What stands in a secret's file; "" where there is none."""
    try:
        raw = read_within(path, LONGEST_SECRET) if path.is_file() else b""
        if len(raw) > LONGEST_SECRET:
            raise SettingsError(
                f"The secret {reference} is too long ({LONGEST_SECRET} bytes are the most): name its own file."
            )
        return raw.decode("utf-8").strip()
    except OSError as error:
        raise SettingsError(
            f"The secret {reference} cannot be read: {error.strerror or type(error).__name__}."
        ) from None
    except UnicodeDecodeError:
        raise SettingsError(f"The secret {reference} is no UTF-8 text: save the file as plain text.") from None


QUOTES = "\"'`´‘’‚‛“”„‟«»‹›"


def resolve_key(reference: str, oauth: bool = False) -> str:
    """The secret behind a reference, where it can be a key. oauth: `Bearer TOKEN` may stand there too.

    Raises SettingsError that says what was pasted with it, and never shows it.
    """
    key = resolve_secret(reference)
    scheme, _, token = key.partition(" ")
    bearer = oauth and scheme.lower() == "bearer"
    found = _name_fault(token.strip() if bearer else key)
    if found:
        raise SettingsError(f"The secret {reference} cannot be a key: {found}. Put in the key alone, then run again.")
    return f"Bearer {token.strip()}" if bearer else key


def _name_fault(key: str) -> str:
    """What makes a key none; "" where it may be one."""
    if re.match(r"authorization\b|token\b|x-api-key\b|bearer\b", key, re.IGNORECASE) and re.search(r"[\s=:]", key):
        return "it has the words of a header in it, such as Token token= or Bearer"
    if any(quote in key for quote in QUOTES):
        return "it has quotation marks around it or in it"
    if re.search(r"\s", key):
        return "it has a space or a line break in it"
    if not key.isascii() or not key.isprintable():
        return "it has characters that no key has"
    return "" if key else "nothing stands after Bearer"


def resolve_network(settings: "Settings", folder: Path) -> Network:
    """The way to both sides that migration.yaml names. folder: what a path of it is relative to. Raises SettingsError."""
    proxy, bundle = settings.proxy or "", settings.ca_bundle or ""
    if proxy.split(":", 1)[0] in REFERENCES:
        proxy = resolve_secret(proxy)
    try:
        split_proxy(proxy)
    except ValueError:
        raise SettingsError(
            "proxy: it is no address (http://HOST:PORT); mend it, or the secret that it names."
        ) from None
    return Network(str(folder / Path(bundle).expanduser()) if bundle else "", proxy)


def _read_yaml(path: Path) -> Any:
    try:
        return read_yaml(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise SettingsError(f"There is no {path}: make the workspace with pdmigrate init.") from None
    except UnicodeDecodeError:
        raise SettingsError(f"{path.name} is no YAML in UTF-8: save it as such, then run again.") from None
    except yaml.YAMLError as error:
        raise SettingsError(describe_yaml_error(path.name, error)) from None


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
    ignored = path.with_name(".gitignore")
    if not ignored.exists():
        write_text(ignored, "# A client's data: no repository takes any of it, unless this file is removed.\n*\n")
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
