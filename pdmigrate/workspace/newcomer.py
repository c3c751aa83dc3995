"""A new workspace: a folder with a commented migration.yaml."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from pdmigrate.errors import UsageError
from pdmigrate.workspace.folder import Workspace, write_text
from pdmigrate.workspace.settings import parse_settings

TEMPLATE = """\
# One migration: what moves from where to where, by which rules. Strictly checked; never holds a secret.
name: {name}

source:
  kind: {source}            # pagerduty | snapshot | embedded (a small PagerDuty on this machine)
  token: {token}            # env:NAME | file:PATH | keyring:SERVICE/NAME; a read-only key is enough
  subdomain: {subdomain}    # as in https://SUBDOMAIN.pagerduty.com
  region: {region}          # us | eu
  base_url: {source_url}    # another server that speaks PagerDuty's API, or nothing
  snapshot: {snapshot}      # a file or folder, for kind snapshot (and to fill an embedded PagerDuty)
  keep_keys: false          # true: integration keys stay in snapshots (they are secrets; no page ever shows them)
  handoff_rules: false      # true: count handoff notification rules too, at one request a person
  service_orchestrations: false   # true: list which services' own orchestrations suppress alerts, at one request a service

target:
  kind: {target}            # harness | embedded (a small Harness on this machine)
  api_key: {api_key}        # env:NAME | file:PATH | keyring:SERVICE/NAME
  account: {account}
  org: {org}
  project: {project}
  base_url: {target_url}
  survey:                   # a file of pdmigrate survey: plan against it where you may not hold the keys; nothing is loaded

scope:
  services: all             # all (the whole account), or a list of service names and ids
  teams: []                 # all that belongs to these teams; any list here narrows the scope to what is listed
  schedules: []             # schedules and policies that no service uses can be named too
  policies: []

rules:
  contact_details: true     # carry over contact methods and notification rules
  strategy: preserve        # both sides changed: preserve Harness's | overwrite with PagerDuty's
  open_conflicts: {open_conflicts}   # stop | skip | recommended (which never decides what changes who is paged)
  auto_approve: []          # small changes that headless runs may load: contact_details, notification_rules, group_members, overrides
  terraform: false          # true: user groups and users as Terraform files for somebody else to apply, not by API
  invite_roles: []          # roles that an invitation gives in the project, as _project_viewer; nothing: none
  renamed_domains: {{}}       # old.example: new.example, where emails have another domain in Harness
  most_levels: 10           # levels of one policy in Harness: loops are unrolled up to here, else it is a question
  people_file:              # a CSV file with the columns pagerduty_email, harness_email
  guards:                   # beyond these a plan is refused, until a person waives the guard for it in decisions.yaml
    changed_objects: 100    # of one kind that was carried over before
    changed_percent: 30
    snapshot_hours: 24
    next_run_days: 7        # nothing written out by date may run out before

journal:                    # env:NAME | file:PATH | keyring:SERVICE/NAME of a PostgreSQL URL, where several machines run

horizon_days: 56            # how far ahead the two sides are compared
"""

DEFAULTS = {
    "region": "us",
    "target_url": "https://app.harness.io/gateway",
    "open_conflicts": "stop",
    "source": "embedded",
    "target": "embedded",
}
FOR_LIVE = {
    "pagerduty": {"token": "env:PD_TOKEN", "subdomain": "acme"},
    "harness": {"api_key": "env:HARNESS_API_KEY", "account": "your-account-id", "org": "default", "project": "sre"},
}


def make_workspace(folder: Path, options: Mapping[str, Any]) -> Path:
    """Make the folder and its migration.yaml. Returns the file's path. Refuses to write over one that is there."""
    path = Workspace(folder).settings_file
    if path.exists():
        raise UsageError(f"{path} is there already: edit it, or choose another folder.")
    text = _fill({"name": Path(folder).resolve().name, **_drop_empty(options)})
    parse_settings(yaml.safe_load(text))
    write_text(path, text)
    return path


def _fill(options: dict[str, Any]) -> str:
    known = {**DEFAULTS, **options}
    wanted = {**FOR_LIVE.get(known["source"], {}), **FOR_LIVE.get(known["target"], {}), **known}
    places = dict.fromkeys(("token", "subdomain", "source_url", "snapshot", "api_key", "account", "org", "project"), "")
    values = {name: _quote(value) for name, value in {**places, **wanted}.items()}
    return "\n".join(map(_align, TEMPLATE.format(**values).splitlines())) + "\n"


def _align(line: str) -> str:
    """Comments in one column, as far as the values allow."""
    value, mark, comment = line.partition("  #")
    return f"{value.rstrip():<28}  #{comment}" if mark else line.rstrip()


def _drop_empty(options: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in options.items() if isinstance(value, str) and value}


def _quote(value: str) -> str:
    """As YAML, in one line; plain where it can be."""
    return (
        yaml.safe_dump(value, default_flow_style=True, allow_unicode=True, width=10_000).split("\n")[0] if value else ""
    )
