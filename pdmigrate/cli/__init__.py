"""The command line. Exit codes: 0 in step, 2 wrong usage or settings, 3 a person is needed, 4 refused, 5 loaded in part or
an unexplained difference, 6 a side cannot be used, 7 cancelled, 1 a bug."""

import signal
import sys
from contextlib import redirect_stderr, redirect_stdout

from pdmigrate.cli.printing import Printed, print_error
from pdmigrate.errors import UNWRITABLE, PdmigrateError, UnwritableError, UsageError, describe_unwritable

COMMANDS = {
    "embedded": {
        "lab": "JupyterLab on the notebooks, with a workspace ready",
        "sandbox": "the embedded pair in the foreground",
    },
    "running": {
        "demo": "carry the embedded company over, three times",
        "run": "run the steps headless",
    },
    "replaying": {"replay": "every page of the last months, put through what Harness holds now"},
    "proving": {"prove": "a test page per service, when a person asks for it, and who was really told"},
    "parallel": {"parallel": "a night of shadow weeks: the alerts of both systems side by side"},
    "status": {"status": "where a migration stands, what waits for whom"},
    "overview": {"overview": "many workspaces on one page: in step, waits for whom, failed why"},
    "migration": {
        "init": "make a workspace with a commented migration.yaml",
        "handover": "what people must do; tick it off",
        "history": "what each run did, and what has changed since the last",
        "undo": "list what a run wrote and nobody has changed since; --yes reverts it",
        "evidence": "check that sealed runs are as they were",
        "publish": "copy what stakeholders may see to a folder",
    },
    "snapshots": {
        "snapshot": "read a PagerDuty account into one file, and nothing else",
        "compare": "what changed in the source between two snapshots",
        "survey": "read the target into a file, to plan against it without its keys",
    },
    "rota": {"rota": "who is on call by one schedule: PagerDuty's answer in, CSV out"},
}
"""The file of a group of commands to its commands and what each is for, as `pdmigrate --help` lists them."""


def main(arguments: list[str] | None = None) -> int:
    """Run one command. Every error of ours is one line on stderr, and its exit code is returned."""
    with redirect_stdout(Printed(sys.stdout)), redirect_stderr(Printed(sys.stderr)):
        return _run(sys.argv[1:] if arguments is None else arguments)


def describe_commands() -> str:
    """What `pdmigrate --help` says. In plain Python: nothing is imported to read it."""
    rows = [f"  {name:<10}{words}" for group in COMMANDS.values() for name, words in group.items()]
    intro = "Usage: pdmigrate COMMAND ...\n\nMoves on-call from PagerDuty to Harness AI SRE. pdmigrate COMMAND --help says more."
    return "\n".join([intro, "", "Commands:", *rows, "", str(__doc__).partition(". ")[2]])


def _run(given: list[str]) -> int:
    if given in ([], ["-h"], ["--help"]):
        print(describe_commands(), file=sys.stdout if given else sys.stderr)
        return 0 if given else UsageError.exit_code
    import click

    from pdmigrate.cli.program import Program, describe_slip
    from pdmigrate.wire.addresses import is_storage

    program = Program(COMMANDS)
    try:
        if len(given) > 1 and given[0] in program.list_commands(None) and is_storage(given[1]):
            from pdmigrate.cli.away import run_away

            _prepare()
            return run_away(given[0], given[1], given[2:])
        with program.make_context("pdmigrate", list(given)) as context:
            _prepare()
            return int(program.invoke(context))
    except click.exceptions.Exit as asked:  # --help, --version
        return asked.exit_code
    except click.UsageError as slip:
        print_error(describe_slip(slip))
        return UsageError.exit_code
    except PdmigrateError as error:
        print_error(str(error))
        return error.exit_code
    except OSError as error:
        if error.errno not in UNWRITABLE:
            raise
        print_error(str(describe_unwritable(error)))
        return UnwritableError.exit_code
    except KeyboardInterrupt:
        print_error("cancelled; the same command goes on from here.")
        return 7


def _prepare() -> None:
    """What a command needs, and its help does not: warnings on stderr, and SIGTERM like Ctrl-C."""
    import logging

    logging.basicConfig(level=logging.WARNING, format="%(message)s", stream=sys.stderr)
    for name in ("asyncio", "papermill"):  # a notebook that was broken off, or whose kernel died, is told by us
        logging.getLogger(name).setLevel(logging.CRITICAL)
    signal.signal(signal.SIGTERM, _cancel)


def _cancel(*_: object) -> None:
    raise KeyboardInterrupt
