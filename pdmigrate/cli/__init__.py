"""The command line. Exit codes: 0 in step, 2 wrong usage or settings, 3 a person is needed, 4 refused, 5 loaded in part or
an unexplained difference, 6 a side cannot be used, 7 cancelled, 1 a bug."""

import argparse
import io
import logging
import signal
import sys
from contextlib import redirect_stderr, redirect_stdout
from importlib import import_module
from typing import TextIO

from pdmigrate import __version__
from pdmigrate.errors import UNWRITABLE, PdmigrateError, UnwritableError, describe_unwritable, strip_controls

COMMANDS = {
    "embedded": {
        "lab": "JupyterLab on the notebooks, with a workspace ready",
        "sandbox": "the embedded pair in the foreground",
    },
    "running": {
        "demo": "carry the embedded company over, three times",
        "run": "run the steps headless",
    },
    "status": {"status": "where a migration stands, what waits for whom"},
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
"""The file of a group of commands to its commands and what each is for. The file has `add_NAME`, which gives the
command's parser its options, and `run_NAME`, which takes them; it is imported when the command is used."""


def main(arguments: list[str] | None = None) -> int:
    """Run one command. Every error of ours is one line on stderr, and its exit code is returned."""
    with redirect_stdout(_Printed(sys.stdout)), redirect_stderr(_Printed(sys.stderr)):
        return _run(arguments)


class _Printed(io.TextIOBase):
    """What is printed, without what a terminal would obey: names come from both sides."""

    def __init__(self, stream: TextIO):
        self._stream = stream

    def write(self, text: str) -> int:
        self._stream.write(strip_controls(text))
        return len(text)

    def flush(self) -> None:
        self._stream.flush()

    def isatty(self) -> bool:
        return self._stream.isatty()

    def fileno(self) -> int:
        return self._stream.fileno()


def _run(arguments: list[str] | None) -> int:
    logging.basicConfig(level=logging.WARNING, format="%(message)s", stream=sys.stderr)
    for name in ("asyncio", "papermill"):  # a notebook that was broken off, or whose kernel died, is told by us
        logging.getLogger(name).setLevel(logging.CRITICAL)
    # jsonschema would build a grammar of addresses in every script, for a second; no notebook is checked for any.
    sys.modules.setdefault("rfc3987_syntax", None)  # type: ignore[arg-type]
    given = sys.argv[1:] if arguments is None else arguments
    parser = argparse.ArgumentParser(
        prog="pdmigrate", description="Moves on-call from PagerDuty to Harness AI SRE.", epilog=__doc__
    )
    parser.add_argument("--version", action="version", version=__version__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    for file, group in COMMANDS.items():
        for name, words in group.items():
            command = commands.add_parser(name, help=words)
            if given[:1] == [name]:  # the file of no other command is imported
                module = import_module(f"pdmigrate.cli.{file}")
                getattr(module, f"add_{name}")(command)
                command.set_defaults(run=getattr(module, f"run_{name}"))
    options = parser.parse_args(given)
    signal.signal(signal.SIGTERM, _cancel)
    try:
        return int(options.run(options))
    except PdmigrateError as error:
        print(f"pdmigrate: {error}", file=sys.stderr)
        return error.exit_code
    except OSError as error:
        if error.errno not in UNWRITABLE:
            raise
        print(f"pdmigrate: {describe_unwritable(error)}", file=sys.stderr)
        return UnwritableError.exit_code
    except KeyboardInterrupt:
        print("pdmigrate: cancelled; the same command goes on from here.", file=sys.stderr)
        return 7


def _cancel(*_: object) -> None:
    raise KeyboardInterrupt
