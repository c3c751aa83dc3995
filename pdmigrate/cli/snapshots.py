"""Snapshots: `snapshot` makes one, `compare` says what changed between two, `survey` makes one of the target.

    pdmigrate snapshot --subdomain acme --token env:PD_TOKEN --to acme.json.gz

is all that a client has to run: a read-only key is enough, nothing else is asked, and the file holds no integration key.
"""

import argparse
from collections.abc import Sized
from datetime import timedelta
from pathlib import Path

from pdmigrate.errors import UsageError
from pdmigrate.pagerduty.account import Snapshot
from pdmigrate.pagerduty.client import FetchOptions, make_client
from pdmigrate.pagerduty.compare import SourceChange, compare_accounts
from pdmigrate.plan.kinds import KINDS
from pdmigrate.steps.job import open_job, read_clock
from pdmigrate.wire.addresses import check_address
from pdmigrate.workspace.folder import Workspace
from pdmigrate.workspace.settings import Source, read_settings, resolve_key, resolve_network
from pdmigrate.workspace.snapshots import load_snapshot, save_snapshot
from pdmigrate.workspace.survey import save_survey

HORIZON_DAYS = 56


def add_snapshot(snapshot: argparse.ArgumentParser) -> None:
    snapshot.add_argument("workspace", nargs="?", type=Path, metavar="DIR", help="its source; or name one:")
    snapshot.add_argument("--subdomain", help="as in https://SUBDOMAIN.pagerduty.com")
    snapshot.add_argument("--token", default="env:PD_TOKEN", help="env:NAME, file:PATH or keyring:SERVICE/NAME")
    snapshot.add_argument("--region", choices=("us", "eu"), default="us")
    snapshot.add_argument("--base-url", help="another server that speaks PagerDuty's API")
    snapshot.add_argument("--to", type=Path, required=True, metavar="FILE")
    snapshot.add_argument("--horizon-days", type=int, default=HORIZON_DAYS, metavar="N")
    snapshot.add_argument("--keep-keys", action="store_true", help="integration keys too: they are secrets")
    snapshot.add_argument("--handoff-rules", action="store_true", help="these too, at one request a person")
    snapshot.add_argument("--service-orchestrations", action="store_true", help="these too, at one request a service")
    snapshot.add_argument("--service-dependencies", action="store_true", help="these too, at one request a service")
    snapshot.add_argument(
        "--no-dependents", action="store_true", help="without who else talks to PagerDuty: 12 requests"
    )


def run_snapshot(options: argparse.Namespace) -> int:
    """Read the account and write the file. Prints what is in it."""
    if bool(options.workspace) == bool(options.subdomain):
        raise UsageError("Name either a workspace or --subdomain, and --to FILE.")
    snapshot = _read_workspace(options) if options.workspace else _read_account(options)
    save_snapshot(options.to, snapshot)
    print(describe_snapshot(snapshot, options.to))
    return 0


def add_compare(compare: argparse.ArgumentParser) -> None:
    compare.add_argument("before", type=Path, metavar="A")
    compare.add_argument("after", type=Path, metavar="B")


def run_compare(options: argparse.Namespace) -> int:
    """Print what changed, a line each; rendered entries and times are no change."""
    before, after = load_snapshot(options.before), load_snapshot(options.after)
    lines = [_describe_change(change) for change in compare_accounts(before.account, after.account)]
    had, has = before.account.inventory, after.account.inventory
    for kind in sorted((had.keys() | has.keys()) - {"schedules_v3"}):
        if had.get(kind, 0) != has.get(kind, 0):
            lines.append(f"changed  {kind.replace('_', ' ')} in number ({had.get(kind, 0)} to {has.get(kind, 0)})")
    print("\n".join(lines or ["Nothing changed."]))
    return 0


def _describe_change(change: SourceChange) -> str:
    noun = KINDS[change.kind].one if change.kind in KINDS else change.kind.replace("_", " ")
    where = f": {', '.join(field.replace('_', ' ') for field in change.fields)}" if change.fields else ""
    word = "new" if change.what == "created" else change.what
    return f"{word:<8} {noun} {change.name} ({change.id}){where}"


def describe_snapshot(snapshot: Snapshot, path: Path) -> str:
    """One paragraph: what was read, what was not, at what cost."""
    account = snapshot.account
    kinds: dict[str, Sized] = {
        "users": account.users,
        "teams": account.teams,
        "schedules": account.schedules,
        "shift-based schedules": account.schedules_v3,
        "escalation policies": account.policies,
        "services": account.services,
    }
    counts = ", ".join(f"{len(records)} {name}" for name, records in kinds.items())
    lines = [
        f"{path}: {account.subdomain or 'an account whose name is not known'}, {counts}; {snapshot.requests} requests, {snapshot.retries} of them repeats."
    ]
    lines += [f"Not read: {kind.replace('_', ' ')}, {why}" for kind, why in account.unread.items()]
    return "\n".join(lines + [f"Odd: {one.kind} {one.name} ({one.id}): {one.message}" for one in account.problems])


def _read_workspace(options: argparse.Namespace) -> Snapshot:
    source = (settings := read_settings(Workspace(options.workspace).check().settings_file)).source
    extras = _choose_extras(options, source)
    if source.kind == "pagerduty":  # without opening the workspace: the target's key is none of this command's business
        network = resolve_network(settings, options.workspace)
        client = make_client(source.base_url, source.region, resolve_key(source.token or "", True), network)
        return client.fetch(
            FetchOptions(source.subdomain or "", read_clock(), timedelta(settings.horizon_days), **extras)
        )
    with open_job(options.workspace) as job:
        if job.source is None:
            return job.read_source_snapshot()
        return job.source.fetch(FetchOptions(job.read_subdomain(), job.clock(), job.horizon, **extras))


def _read_account(options: argparse.Namespace) -> Snapshot:
    try:
        address = check_address(options.base_url) if options.base_url else None
    except ValueError as error:
        raise UsageError(f"--base-url: {error}.") from None
    client = make_client(address, options.region, resolve_key(options.token, oauth=True))
    horizon = timedelta(days=options.horizon_days)
    return client.fetch(FetchOptions(options.subdomain, read_clock(), horizon, **_choose_extras(options)))


def _choose_extras(options: argparse.Namespace, source: Source | None = None) -> dict[str, bool]:
    """What the command asks for beside the rest, and what the workspace's settings do."""
    names = {
        "keep_keys": "keep_keys",
        "handoffs": "handoff_rules",
        "service_orchestrations": "service_orchestrations",
        "service_dependencies": "service_dependencies",
    }
    chosen = {name: getattr(options, key) or getattr(source, key, False) for name, key in names.items()}
    return {**chosen, "dependents": getattr(source, "dependents", True) and not options.no_dependents}


def add_survey(survey: argparse.ArgumentParser) -> None:
    survey.add_argument("workspace", type=Path, metavar="DIR")
    survey.add_argument("--to", type=Path, required=True, metavar="FILE", help="for target.survey of another workspace")


def run_survey(options: argparse.Namespace) -> int:
    """Read the target and write the file. Prints what is in it."""
    with open_job(options.workspace) as job:
        if job.settings.target.survey:
            raise UsageError("The target of this workspace is a survey already: take it where the keys are.")
        now = job.clock()
        state = save_survey(job.target, options.to, now, now, now + job.horizon)
    print(
        f"Surveyed {len(state.people)} people, {len(state.groups)} groups, {len(state.services)} services: {options.to}"
    )
    return 0
