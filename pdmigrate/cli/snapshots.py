"""Snapshots: `snapshot` makes one, `compare` says what changed between two, `survey` makes one of the target.

    pdmigrate snapshot --subdomain acme --token env:PD_TOKEN --to acme.json.gz

is all that a client has to run: a read-only key is enough, nothing else is asked, and the file holds no integration key.
"""

from collections.abc import Sized
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import click

from pdmigrate.cli.printing import choose_display
from pdmigrate.cli.program import FOLDER, command, workspace_argument
from pdmigrate.errors import UsageError
from pdmigrate.pagerduty.account import Snapshot
from pdmigrate.pagerduty.client import FetchOptions, PagerDuty, make_client
from pdmigrate.pagerduty.compare import SourceChange, compare_accounts
from pdmigrate.plan.kinds import KINDS
from pdmigrate.plan.rules import Guards
from pdmigrate.steps.job import open_job, read_clock
from pdmigrate.wire.addresses import check_address
from pdmigrate.wire.canonical import canonical_json
from pdmigrate.wire.progress import watching
from pdmigrate.workspace.folder import Workspace
from pdmigrate.workspace.parts import open_part
from pdmigrate.workspace.settings import Source, read_settings, resolve_key, resolve_network
from pdmigrate.workspace.snapshots import load_snapshot, save_snapshot
from pdmigrate.workspace.survey import save_survey

HORIZON_DAYS = 56


@command("snapshot", "pdmigrate snapshot --subdomain acme --token env:PD_TOKEN --to acme.json.gz")
@click.argument(
    "workspace", required=False, type=FOLDER, metavar="[DIR]", help="Read its source; or name one by --subdomain."
)
@click.option("--subdomain", metavar="WORD", help="As in https://SUBDOMAIN.pagerduty.com.")
@click.option("--token", default="env:PD_TOKEN", metavar="REF", help="env:NAME, file:PATH or keyring:SERVICE/NAME.")
@click.option("--region", type=click.Choice(("us", "eu")), default="us", help="Where the account is.")
@click.option("--base-url", metavar="URL", help="Another server that speaks PagerDuty's API.")
@click.option("--to", type=FOLDER, required=True, metavar="FILE", help="What to write: a .json.gz.")
@click.option(
    "--horizon-days", type=int, default=HORIZON_DAYS, metavar="N", help="How far ahead schedules are rendered."
)
@click.option("--keep-keys", is_flag=True, help="Integration keys too: they are secrets.")
@click.option("--handoff-rules", is_flag=True, help="These too, at one request a person.")
@click.option("--service-orchestrations", is_flag=True, help="These too, at one request a service.")
@click.option("--service-dependencies", is_flag=True, help="These too, at one request a service.")
@click.option("--no-dependents", is_flag=True, help="Without who else talks to PagerDuty: 12 requests fewer.")
def run_snapshot(workspace: Path | None, subdomain: str | None, to: Path, **options: Any) -> int:
    """Read a PagerDuty account into one file, and nothing else.

    A read-only key is enough; nothing is written to PagerDuty, and the file holds no integration key unless asked for.
    Where it is stopped, FILE.part keeps for a day what was read, and the same command goes on from there.
    Prints what is in it.
    """
    if bool(workspace) == bool(subdomain):
        raise UsageError("Name either a workspace or --subdomain, and --to FILE.")
    snapshot = _read_workspace(workspace, to, options) if workspace else _read_account(subdomain or "", to, options)
    print(describe_snapshot(snapshot, to))
    return 0


@command("compare", "pdmigrate compare monday.json.gz tuesday.json.gz")
@click.argument("before", type=FOLDER, metavar="A", help="A snapshot.")
@click.argument("after", type=FOLDER, metavar="B", help="A later one.")
def run_compare(before: Path, after: Path) -> int:
    """Print what changed in the source between two snapshots, a line each.

    Rendered entries and times are no change.
    """
    old, new = load_snapshot(before), load_snapshot(after)
    lines = [_describe_change(change) for change in compare_accounts(old.account, new.account)]
    had, has = old.account.inventory, new.account.inventory
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


def _read_workspace(workspace: Path, to: Path, options: dict[str, Any]) -> Snapshot:
    source = (settings := read_settings(Workspace(workspace).check().settings_file)).source
    extras = _choose_extras(options, source)
    if source.kind == "pagerduty":  # without opening the workspace: the target's key is none of this command's business
        network = resolve_network(settings, workspace)
        client = make_client(source.base_url, source.region, resolve_key(source.token or "", True), network)
        reading = FetchOptions(source.subdomain or "", read_clock(), timedelta(settings.horizon_days), **extras)
        return _fetch(client, reading, to)
    with open_job(workspace) as job:
        if job.source is None:
            save_snapshot(to, found := job.read_source_snapshot())
            return found
        return _fetch(job.source, FetchOptions(job.read_subdomain(), job.clock(), job.horizon, **extras), to)


def _fetch(client: PagerDuty, reading: FetchOptions, to: Path) -> Snapshot:
    """Read the account into the file, or go on with it."""
    transport, path = client.transport, to.parent.resolve() / f"{to.name}.part"
    account = canonical_json([transport.base_url, reading.subdomain])
    with (
        watching(transport.progress, "Reading PagerDuty", choose_display()),
        open_part(path, account, client.mark_key, reading.now, Guards().snapshot_hours) as part,
    ):
        if part:
            transport.progress.count("answers kept from before", len(part))
        snapshot = client.fetch(replace(reading, now=part.since) if part else reading, part)
        save_snapshot(to, snapshot)
    return snapshot


def _read_account(subdomain: str, to: Path, options: dict[str, Any]) -> Snapshot:
    try:
        address = check_address(options["base_url"]) if options["base_url"] else None
    except ValueError as error:
        raise UsageError(f"--base-url: {error}.") from None
    client = make_client(address, options["region"], resolve_key(options["token"], oauth=True))
    horizon = timedelta(days=options["horizon_days"])
    return _fetch(client, FetchOptions(subdomain, read_clock(), horizon, **_choose_extras(options)), to)


def _choose_extras(options: dict[str, Any], source: Source | None = None) -> dict[str, bool]:
    """What the command asks for beside the rest, and what the workspace's settings do."""
    names = {
        "keep_keys": "keep_keys",
        "handoffs": "handoff_rules",
        "service_orchestrations": "service_orchestrations",
        "service_dependencies": "service_dependencies",
    }
    chosen = {name: options[key] or getattr(source, key, False) for name, key in names.items()}
    return {**chosen, "dependents": getattr(source, "dependents", True) and not options["no_dependents"]}


@command("survey", "pdmigrate survey acme --to harness.json.gz")
@workspace_argument
@click.option("--to", type=FOLDER, required=True, metavar="FILE", help="For target.survey of another workspace.")
def run_survey(workspace: Path, to: Path) -> int:
    """Read the target into a file, to plan against it where its keys may not be.

    Holds names, emails and phone numbers. Prints what is in it.
    """
    with open_job(workspace) as job:
        if job.settings.target.survey:
            raise UsageError("The target of this workspace is a survey already: take it where the keys are.")
        now, job.under_way.display = job.clock(), choose_display()
        with job.under_way.watch("Reading Harness"):
            state = save_survey(job.target, to, now, now, now + job.horizon)
    print(f"Surveyed {len(state.people)} people, {len(state.groups)} groups, {len(state.services)} services: {to}")
    return 0
