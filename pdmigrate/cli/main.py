"""The command line. Exit codes: 0 in step, 2 wrong usage or settings, 3 a person is needed, 4 refused, 5 loaded in part or
an unexplained difference, 6 a side cannot be used, 7 cancelled, 1 a bug."""

import argparse
import contextlib
import getpass
import logging
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from pdmigrate import __version__
from pdmigrate.cli.asking import print_on_call
from pdmigrate.cli.snapshotting import add_commands
from pdmigrate.cli.status import tell_status
from pdmigrate.errors import EvidenceError, PdmigrateError, UsageError
from pdmigrate.handover.folder import read_items, tell_handover
from pdmigrate.handover.ticks import tick_item, untick_item
from pdmigrate.pages.history import tell_history
from pdmigrate.pages.undo import tell_undone
from pdmigrate.runs.evidence import check_evidence
from pdmigrate.runs.finish import finish, refresh_handovers, write_handover
from pdmigrate.runs.publish import find_run, publish
from pdmigrate.sandbox import accounts, company
from pdmigrate.sandbox.harness import build_target, new_document, start_harness
from pdmigrate.sandbox.pagerduty import start_pagerduty
from pdmigrate.sandbox.server import Server
from pdmigrate.steps.history import history
from pdmigrate.steps.job import EMBEDDED, EMBEDDED_KEY, EMBEDDED_TOKEN, open_job, read_clock
from pdmigrate.steps.undo import undo
from pdmigrate.workspace.folder import STEPS, Workspace
from pdmigrate.workspace.settings import make_workspace, read_settings
from pdmigrate.workspace.survey import save_survey

PROJECT = Path(__file__).resolve().parents[2]


def main(arguments: list[str] | None = None) -> int:
    """Run one command. Every error of ours is one line on stderr, and its exit code is returned."""
    logging.basicConfig(level=logging.WARNING, format="%(message)s", stream=sys.stderr)
    logging.getLogger("asyncio").setLevel(logging.CRITICAL)  # a notebook that was broken off is told by us
    options = _make_parser().parse_args(arguments)
    signal.signal(signal.SIGTERM, _cancel)
    try:
        return options.run(options)
    except PdmigrateError as error:
        print(f"pdmigrate: {error}", file=sys.stderr)
        return error.exit_code
    except KeyboardInterrupt:
        print("pdmigrate: cancelled; the same command goes on from here.", file=sys.stderr)
        return 7


def _make_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="pdmigrate", description="Moves on-call from PagerDuty to Harness AI SRE.", epilog=__doc__
    )
    parser.add_argument("--version", action="version", version=__version__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    _add_demo(commands)
    _add_init(commands)
    _add_run(commands)
    _add_sandbox(commands)
    _add_handover(commands)
    _add_survey(commands)
    _add_small(commands)
    add_commands(commands)
    _add_rota(commands)
    _add_sharing(commands)
    return parser


def _add_demo(commands) -> None:
    demo = commands.add_parser("demo", help="carry the embedded company over, three times")
    demo.add_argument("--workspace", type=Path, default=Path("demo"), help="a folder for it (default: demo)")
    demo.set_defaults(run=_run_demo)


def _add_init(commands) -> None:
    init = commands.add_parser("init", help="make a workspace with a commented migration.yaml")
    init.add_argument("workspace", type=Path, metavar="DIR")
    init.add_argument("--source", choices=("pagerduty", "snapshot", "embedded"), default="embedded")
    init.add_argument("--target", choices=("harness", "embedded"), default="embedded")
    for name in ("name", "subdomain", "region", "token", "snapshot", "account", "org", "project", "api-key"):
        init.add_argument(f"--{name}")
    init.add_argument("--source-url", help="another server that speaks PagerDuty's API")
    init.add_argument("--target-url", help="Harness's base URL")
    init.set_defaults(run=_run_init)


def _add_run(commands) -> None:
    run = commands.add_parser("run", help="run the steps headless")
    run.add_argument("workspace", type=Path, metavar="DIR")
    run.add_argument("steps", nargs="*", metavar="STEP", help=", ".join(STEPS))
    run.add_argument("--until", metavar="STEP", help="stop after this step")
    run.add_argument("--reports", type=Path, metavar="FOLDER", help="the run's folder (default: DIR/reports/RUN)")
    run.add_argument(
        "--approve", default="", metavar="DIGEST", help="the plan to load, or all (embedded pair and rehearsals)"
    )
    run.set_defaults(run=_run_run)


def _add_sandbox(commands) -> None:
    sandbox = commands.add_parser("sandbox", help="the embedded pair in the foreground")
    sandbox.add_argument(
        "--account", type=Path, metavar="FILE_OR_FOLDER", help="serve this account instead of the company"
    )
    sandbox.add_argument("--pagerduty-port", type=int, default=0, metavar="N")
    sandbox.add_argument("--harness-port", type=int, default=0, metavar="N")
    sandbox.set_defaults(run=_run_sandbox)


def _add_small(commands) -> None:
    status = commands.add_parser("status", help="where a migration stands, what waits for whom")
    status.add_argument("workspace", type=Path, metavar="DIR")
    status.set_defaults(run=_run_status)
    history = commands.add_parser("history", help="what each run did, and what has changed since the last")
    history.add_argument("workspace", type=Path, metavar="DIR")
    history.set_defaults(run=_run_history)
    undo = commands.add_parser("undo", help="list what a run wrote and nobody has changed since; --yes reverts it")
    undo.add_argument("workspace", type=Path, metavar="DIR")
    undo.add_argument("--run", type=int, dest="number", metavar="N", help="the run (default: the latest load)")
    undo.add_argument("--yes", action="store_true", help="revert it")
    undo.set_defaults(run=_run_undo)
    lab = commands.add_parser("lab", help="JupyterLab on the notebooks, with a workspace ready")
    lab.add_argument("--workspace", type=Path, default=Path("lab"))
    lab.add_argument("--port", type=int, default=8888)
    lab.add_argument("--no-browser", action="store_true")
    lab.set_defaults(run=_run_lab)


def _add_sharing(commands) -> None:
    evidence = commands.add_parser("evidence", help="check that sealed runs are as they were")
    evidence.add_argument("folder", type=Path, metavar="DIR", help="a workspace, or one run's folder")
    evidence.set_defaults(run=_run_evidence)
    publish = commands.add_parser("publish", help="copy what stakeholders may see to a folder")
    publish.add_argument("workspace", type=Path, metavar="DIR")
    publish.add_argument("--to", type=Path, required=True, metavar="FOLDER")
    publish.add_argument("--run", dest="run_name", default="", metavar="RUN", help="default: the newest with a report")
    publish.add_argument("--mask", action="store_true", help="make emails and phone numbers unusable")
    publish.set_defaults(run=_run_publish)


def _run_evidence(options: argparse.Namespace) -> int:
    checked = check_evidence(options.folder)
    for run in checked:
        print(f"{run.folder.name}: {run.files} files, manifest {run.digest[:12]}, plan {run.plan[:12] or 'none'}")
        whole = f"its files are as they were sealed; {run.apart}" if run.apart else "as it was sealed"
        print(f"  approved by {run.approved or 'nobody'}; " + ("; ".join(run.problems) or whole))
    if any(run.problems for run in checked):
        raise EvidenceError("The evidence is not what was sealed: see the lines above, and compare with a copy.")
    return 0


def _run_publish(options: argparse.Namespace) -> int:
    with open_job(options.workspace) as job:
        secrets, reports = job.secrets, job.workspace.reports
    run = find_run(reports, options.run_name)
    written = publish(run, options.to, secrets, options.mask)
    print(f"{len(written)} files of the run {run.name}{', masked' * options.mask}: {options.to / 'stakeholders.html'}")
    return 0


def _run_demo(options: argparse.Namespace) -> int:
    from pdmigrate.runs.demo import run_demo

    return run_demo(options.workspace)


def _add_rota(commands) -> None:
    asking = commands.add_parser("rota", help="who is on call by one schedule: PagerDuty's answer in, CSV out")
    asking.add_argument("file", type=Path, metavar="FILE", help="the body of GET /schedules/ID or /v3/schedules/ID")
    asking.add_argument(
        "--from", dest="start", required=True, metavar="T", help="as 2026-12-24T09:00, or with an offset"
    )
    asking.add_argument("--to", dest="end", required=True, metavar="T")
    asking.add_argument("--zone", metavar="Z", help="print times in this zone (default: the schedule's)")
    asking.set_defaults(run=_run_rota)


def _run_rota(options: argparse.Namespace) -> int:
    for doubt in print_on_call(options.file, options.start, options.end, options.zone, sys.stdout):
        print(doubt, file=sys.stderr)
    return 0


def _add_handover(commands) -> None:
    handover = commands.add_parser("handover", help="what people must do; tick it off")
    handover.add_argument("workspace", type=Path, metavar="DIR")
    handover.add_argument("--done", metavar="KEY", help="tick this item off")
    handover.add_argument("--undone", metavar="KEY", help="take a tick back")
    handover.add_argument("--by", default="", metavar="NAME", help="who did it (default: you)")
    handover.add_argument("--evidence", default="", metavar="FILE_OR_WORDS", help="what Harness shows now")
    handover.add_argument("--all", action="store_true", help="write everything anew, not only what changed")
    handover.add_argument("--to", type=Path, metavar="FOLDER", help="where to write (with --all)")
    handover.set_defaults(run=_run_handover)


def _run_handover(options: argparse.Namespace) -> int:
    workspace = Workspace(options.workspace).check()
    name = read_settings(workspace.settings_file).name
    if options.done:
        items, by = read_items(workspace), options.by or getpass.getuser()
        tick_item(workspace, items, options.done, by, read_clock(), options.evidence)
    if options.undone:
        untick_item(workspace, options.undone)
    if options.all:
        print(write_handover(workspace, name, (options.to or workspace.reports / "handover").resolve(), True))
    elif options.done or options.undone:
        refresh_handovers(workspace, name, read_clock())
    print(tell_handover(workspace))
    return 0


def _add_survey(commands) -> None:
    survey = commands.add_parser("survey", help="read the target into a file, to plan against it without its keys")
    survey.add_argument("workspace", type=Path, metavar="DIR")
    survey.add_argument("--to", type=Path, required=True, metavar="FILE", help="for target.survey of another workspace")
    survey.set_defaults(run=_run_survey)


def _run_survey(options: argparse.Namespace) -> int:
    with open_job(options.workspace) as job:
        if job.settings.target.survey:
            raise UsageError("The target of this workspace is a survey already: take it where the keys are.")
        now = job.clock()
        state = save_survey(job.target, options.to, now, now, now + job.horizon)
    print(
        f"Surveyed {len(state.people)} people, {len(state.groups)} groups, {len(state.services)} services: {options.to}"
    )
    return 0


def _run_init(options: argparse.Namespace) -> int:
    snapshot = str(Path(options.snapshot).resolve()) if options.snapshot else None
    path = make_workspace(options.workspace, {**vars(options), "snapshot": snapshot})
    print(f"Made {path}. Look at it, then: pdmigrate run {options.workspace}")
    return 0


def _run_run(options: argparse.Namespace) -> int:
    from pdmigrate.runs.headless import choose_steps, run_steps, seal, stopping_between_steps

    steps = choose_steps(options.steps, options.until)
    name = f"{read_clock():%Y%m%dT%H%M%SZ}"
    folder = (options.reports or options.workspace / "reports" / name).resolve()
    with open_job(options.workspace, folder) as job:
        secrets = job.secrets
    with stopping_between_steps(options.workspace) as stop:
        outcome = run_steps(Path(options.workspace).resolve(), steps, folder, options.approve, stop=stop)
    seal(options.workspace, folder, secrets, __version__)
    for error in outcome.errors:
        print(f"pdmigrate: {error}", file=sys.stderr)
    print(f"Pages: {folder / 'index.html'}")
    return outcome.exit_code


def _run_sandbox(options: argparse.Namespace) -> int:
    document, target = _choose_accounts(options.account)
    pagerduty = _serve(start_pagerduty, document, options.pagerduty_port, token=EMBEDDED_TOKEN)
    harness = _serve(start_harness, target, options.harness_port, api_key=EMBEDDED_KEY)
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


def _serve(start: Callable[..., Server], document: dict, port: int, **key: str) -> Server:
    try:
        return start(document, port=port, **key)
    except (OSError, OverflowError):
        raise UsageError(f"The port {port} is taken: choose another one, or 0 for any.") from None


def _choose_accounts(path: Path | None) -> tuple[dict, dict]:
    if path is None:
        return company.build_company(read_clock()), build_target(company.build_harness_people())
    try:
        return accounts.load_account(path), new_document(**EMBEDDED)
    except ValueError as error:
        raise UsageError(str(error)) from None


def _run_status(options: argparse.Namespace) -> int:
    print(tell_status(Workspace(options.workspace).check()))
    return 0


def _run_history(options: argparse.Namespace) -> int:
    from pdmigrate.runs.headless import check_published

    with open_job(options.workspace, options.workspace / "reports" / "history") as job:
        found = history(job)
        print("\n".join(tell_history(found)))
        path = finish(job, found).page
        check_published(job.folder, job.secrets)
    print(f"Page: {path}")
    return 0


def _run_undo(options: argparse.Namespace) -> int:
    from pdmigrate.runs.headless import check_published

    with open_job(options.workspace, options.workspace / "reports" / "undo") as job:
        undone = undo(job, options.number, options.yes)
        print("\n".join(tell_undone(undone)))
        path = finish(job, undone).page
        check_published(job.folder, job.secrets)
    print(f"Page: {path}")
    return 0


def _run_lab(options: argparse.Namespace) -> int:
    if not (options.workspace / "migration.yaml").is_file():
        make_workspace(options.workspace, {"source": "embedded", "target": "embedded", "name": "acme"})
    workspace = options.workspace.resolve()
    environment = {**os.environ, "PDMIGRATE_WORKSPACE": str(workspace)}
    command = [sys.executable, "-m", "jupyterlab", f"--notebook-dir={PROJECT}", f"--port={options.port}"]
    command += ["--allow-root"] * (os.geteuid() == 0)  # a container's only user
    command += ["--LabApp.default_url=/lab/tree/notebooks/1_connect.ipynb", "--ServerApp.ip=127.0.0.1"]
    with open_job(workspace):  # holds the embedded pair while the lab runs
        print(f"The workspace is {workspace}; the notebooks find it by themselves.", file=sys.stderr)
        return subprocess.call(command + ["--no-browser"] * options.no_browser, env=environment)  # noqa: S603 - our own words


def _cancel(*_: object) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
