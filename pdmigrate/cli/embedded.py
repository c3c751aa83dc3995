"""The embedded pair, to try everything on: `lab` and `sandbox`."""

import contextlib
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from pdmigrate.cli.program import FOLDER, command
from pdmigrate.errors import UsageError
from pdmigrate.runs.lab import make_command, make_environment
from pdmigrate.runs.notebooks import copy_notebooks
from pdmigrate.sandbox import accounts, company
from pdmigrate.sandbox.harness import build_target, new_document, start_harness
from pdmigrate.sandbox.pagerduty import start_pagerduty
from pdmigrate.sandbox.server import Server
from pdmigrate.steps.job import EMBEDDED, EMBEDDED_KEY, EMBEDDED_TOKEN, open_job, read_clock
from pdmigrate.workspace.folder import Workspace
from pdmigrate.workspace.settings import make_workspace


@command("lab", "pdmigrate lab --workspace acme")
@click.option(
    "--workspace", type=FOLDER, default=Path("lab"), metavar="DIR", help="Made on the embedded pair if it is not there."
)
@click.option("--port", type=int, default=8888, metavar="N", help="Where JupyterLab listens, on this machine only.")
@click.option("--no-browser", is_flag=True, help="Print the address instead of opening it.")
def run_lab(workspace: Path, port: int, no_browser: bool) -> int:
    """Open JupyterLab on one workspace, until it is stopped.

    The notebooks are copied into DIR/notebooks; one that you have changed stays yours when a new version brings its own.
    """
    if not (workspace / "migration.yaml").is_file():
        make_workspace(workspace, {"source": "embedded", "target": "embedded", "name": "acme"})
    place = Workspace(workspace)
    for line in copy_notebooks(place):
        print(line, file=sys.stderr)
    command = [*make_command(place), f"--port={port}", *["--no-browser"] * no_browser]
    with open_job(place.folder):  # holds the embedded pair while the lab runs
        print(f"The workspace is {place.folder}; JupyterLab shows its notebooks and pages.", file=sys.stderr)
        return subprocess.call(command, env=make_environment(place))  # noqa: S603 - our own words


@command("sandbox", "pdmigrate sandbox --account acme.json.gz")
@click.option("--account", type=FOLDER, metavar="FILE_OR_FOLDER", help="Serve this account instead of the company.")
@click.option("--pagerduty-port", type=int, default=0, metavar="N", help="0: any that is free.")
@click.option("--harness-port", type=int, default=0, metavar="N", help="0: any that is free.")
def run_sandbox(account: Path | None, pagerduty_port: int, harness_port: int) -> int:
    """Serve the embedded PagerDuty and Harness until Ctrl-C.

    Prints where they are and with which keys, five lines that a shell can read.
    """
    if account is None:
        document, target = company.build_company(read_clock()), build_target(company.build_harness_people())
    else:
        try:
            document, target = (
                accounts.load_account(account),
                new_document(account=EMBEDDED["account"], org=EMBEDDED["org"], project=EMBEDDED["project"]),
            )
        except ValueError as error:
            raise UsageError(str(error)) from None
    pagerduty = _serve(start_pagerduty, document, pagerduty_port, token=EMBEDDED_TOKEN)
    harness = _serve(start_harness, target, harness_port, api_key=EMBEDDED_KEY)
    lines = {
        "PAGERDUTY_URL": pagerduty.url,
        "PAGERDUTY_TOKEN": EMBEDDED_TOKEN,
        "HARNESS_URL": harness.url,
        "HARNESS_API_KEY": EMBEDDED_KEY,
        "HARNESS_ACCOUNT": EMBEDDED["account"],
    }
    with contextlib.suppress(KeyboardInterrupt):
        print("\n".join(f"{name}={value}" for name, value in lines.items()), flush=True)
        print(
            "The embedded pair runs until you press Ctrl-C (subdomain, org and project: "
            f"{document['subdomain']}, {EMBEDDED['org']}, {EMBEDDED['project']}).",
            file=sys.stderr,
        )
        while True:
            time.sleep(3600)
    pagerduty.stop()
    harness.stop()
    return 0


def _serve(start: Callable[..., Server], document: dict[str, Any], port: int, **key: str) -> Server:
    try:
        return start(document, port=port, **key)
    except (OSError, OverflowError):
        raise UsageError(f"The port {port} is taken: choose another one, or 0 for any.") from None
