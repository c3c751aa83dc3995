"""A command on a workspace that lies on object storage: `pdmigrate run s3://bucket/acme`.

The workspace is brought into a folder that is gone afterwards, the same command is run on it in a process of its own, and what
has changed is sent back, also after an error. Meanwhile nobody else has the workspace: its lock is in PostgreSQL.
"""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

from pdmigrate.cli.printing import print_error
from pdmigrate.errors import PdmigrateError, RefusedError, SettingsError
from pdmigrate.steps.job import place_journal, read_clock
from pdmigrate.workspace.folder import Workspace, write_bytes
from pdmigrate.workspace.hold import hold, make_token
from pdmigrate.workspace.settings import read_settings
from pdmigrate.workspace.storage import Storage, describe_parted

LOOKS = ("status", "history")
"""These write nothing: they wait for nobody, and nothing is sent back."""
NOT_AWAY = ("demo", "lab", "sandbox", "overview", "compare", "rota")
"""These have no workspace, or keep it open for a person."""


def run_away(command: str, address: str, rest: Sequence[str]) -> int:
    """The exit code of the command, and 4 where a file was changed in the storage meanwhile."""
    if command in NOT_AWAY:
        raise SettingsError(f"pdmigrate {command} takes a folder of this machine: copy {address} here first.")
    storage = Storage(address)
    folder = Path(tempfile.mkdtemp(prefix="pdmigrate-")).resolve()
    kept = ""
    try:
        with _held(storage, folder, command):
            storage.bring(folder, sealed=command != "run")
            code = _run(command, folder, storage.address, rest)
            if command in LOOKS:
                return code
            kept = f" What this command left is in {folder}."
            parted = storage.send(folder)
            kept = ""
        if parted:
            print_error(describe_parted(storage.address, parted))
            return code or RefusedError.exit_code
        return code
    except PdmigrateError as error:
        raise type(error)(f"{error}{kept}") from None if kept else error
    finally:
        if not kept:
            shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def _held(storage: Storage, folder: Path, command: str) -> Iterator[None]:
    """Nobody else has the workspace, where the command may write in one that is there."""
    settings_file = Workspace(folder).settings_file
    told = None if command in LOOKS else storage.read(settings_file.name)
    if told is None:
        yield
        return
    write_bytes(settings_file, told)
    settings = read_settings(settings_file)
    place = place_journal(Workspace(folder), settings)
    if isinstance(place, Path):
        raise SettingsError(
            f"{storage.address}: a workspace on storage has its journal in PostgreSQL, or two runs could write at once: name it "
            "in migration.yaml (journal: env:NAME)."
        )
    with hold(place, settings.name, folder, f"{command} {storage.address}", read_clock(), make_token()):
        yield


def _run(command: str, folder: Path, address: str, rest: Sequence[str]) -> int:
    """The command in a process of its own. It is told to stop as this one is; what it says of the folder is said of the address."""
    words = [sys.executable, "-m", "pdmigrate.cli", command, str(folder), *rest]
    child = subprocess.Popen(  # noqa: S603 - our own command
        words,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        errors="replace",
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    )
    told: dict[int, Callable[..., object]] = {
        signal.SIGINT: lambda *_: None,  # the terminal tells both
        signal.SIGTERM: lambda *_: child.terminate(),
    }
    before = {number: signal.signal(number, handler) for number, handler in told.items()}
    try:
        with child:
            pairs = ((child.stdout, sys.stdout), (child.stderr, sys.stderr))
            threads = [threading.Thread(target=_pass_on, args=(*pair, str(folder), address)) for pair in pairs]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    return child.returncode if child.returncode >= 0 else 128 - child.returncode


def _pass_on(said: TextIO, to: TextIO, folder: str, address: str) -> None:
    for line in said:
        to.write(line.replace(folder, address).replace(os.path.relpath(folder), address))
        to.flush()
