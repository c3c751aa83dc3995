"""One workspace has one run at a time. The lock dies with whoever holds it, so a stale one is only a line to be read.

Beside a SQLite journal it is a lock on a file, for one machine; with PostgreSQL an advisory lock of the session, for
all. Who holds it is written next to it.

Nobody holds it twice, other threads of the same process included. Only a run that lends it, to the processes that it
starts, is passed by: they find its token in their environment, and hold one level further in, again one at a time.
"""

import getpass
import json
import logging
import os
import secrets
import socket
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from datetime import datetime
from itertools import count
from pathlib import Path

import sqlalchemy as sa
from filelock import FileLock, Timeout
from pydantic import TypeAdapter

from pdmigrate.errors import WorkspaceHeldError, describe_unwritable, shorten
from pdmigrate.wire.forms import read_form
from pdmigrate.wire.json_text import read_json
from pdmigrate.workspace.database import holders, lock_number, make_engine
from pdmigrate.workspace.folder import make_folder, refuse_links
from pdmigrate.workspace.states import read_within

log = logging.getLogger("pdmigrate")
TOKENS = "PDMIGRATE_RUN_TOKEN"
"""The variable with the tokens of the runs that lend to this process, parted by blanks. They open nothing else."""
_environment = threading.Lock()
_held_here: set[str] = set()
"""The tokens that this process holds by. Host and process number are for people: both are the same in other containers."""
os.register_at_fork(after_in_child=_held_here.clear)


@dataclass(frozen=True)
class Holder:
    """Who holds a workspace, and for what. `token` tells a run's own processes from others."""

    who: str
    host: str
    pid: int
    since: str
    purpose: str
    token: str

    def describe(self) -> str:
        who, host, since, purpose = map(shorten, (self.who, self.host, self.since, self.purpose))
        return f"{who} on {host} (process {self.pid}) since {since} for {purpose}"


@contextmanager
def hold(place: Path | str, name: str, folder: Path, purpose: str, now: datetime, lend: str = "") -> Iterator[None]:
    """Hold the workspace. Raises WorkspaceHeldError that says who has it.

    place, name: as for the journal. folder: the workspace's. lend: the token by which the processes that are started
    meanwhile may hold it in their turn; without one nobody may.
    """
    who, since = os.environ.get("PDMIGRATE_USER") or getpass.getuser(), now.isoformat(timespec="seconds")
    mine = Holder(who, socket.gethostname(), os.getpid(), since, purpose, lend or make_token())
    with ExitStack() as stack:
        _held_here.add(mine.token)
        stack.callback(_held_here.discard, mine.token)
        for level in count():
            if isinstance(place, Path):
                held = _hold_file(folder / (f".lock.{level}" if level else ".lock"), mine)
            else:
                held = _hold_postgres(place, name, level, mine)
            if stack.enter_context(held):
                break
        if lend:
            stack.enter_context(_lend(lend))
        yield


def make_token() -> str:
    """A name that no other run has."""
    return secrets.token_hex(8)


def lent_tokens() -> list[str]:
    """The runs that this process was started by, or that this process itself lends for."""
    return os.environ.get(TOKENS, "").split()


@contextmanager
def _lend(token: str) -> Iterator[None]:
    """Two workspaces may be run side by side: each run adds its own token, and takes away only that."""
    with _environment:
        os.environ[TOKENS] = " ".join([*lent_tokens(), token])
    try:
        yield
    finally:
        with _environment:
            left = [other for other in lent_tokens() if other != token]
            os.environ.pop(TOKENS, None)
            if left:
                os.environ[TOKENS] = " ".join(left)


_HOLDER = TypeAdapter(Holder)
LONGEST_NAME = 10_000
"""Bytes of what a lock file says; a longer one was written by nobody of ours."""


def _read_said(path: Path) -> str:
    """Who holds it, as it stands there; what no lock of ours says is as good as nothing."""
    said = read_within(path, LONGEST_NAME)
    return said.decode("utf-8", "replace") if len(said) <= LONGEST_NAME else ""


@contextmanager
def _hold_file(path: Path, mine: Holder) -> Iterator[bool]:
    """Who holds it stands in the lock file itself."""
    lock = FileLock(path, blocking=False, preserve_lock_file=True)
    try:
        make_folder(refuse_links(path).parent)
        lock.acquire()
    except Timeout:
        _judge(False, _read_said(path))
        yield False
        return
    except OSError as error:
        raise describe_unwritable(error, path) from None
    try:
        _judge(True, _read_said(path))
        _say(path, mine)
        yield True
    finally:
        path.write_text("", encoding="utf-8")
        lock.release()


def _say(path: Path, mine: Holder) -> None:
    try:
        path.write_text(json.dumps(asdict(mine)), encoding="utf-8")
    except OSError as error:
        raise describe_unwritable(error, path) from None


@contextmanager
def _hold_postgres(place: str, name: str, level: int, mine: Holder) -> Iterator[bool]:
    """The lock lives as long as this connection: the server lets go of it when the process or the machine is gone."""
    engine = make_engine(place, name)
    try:
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            number, said_by = {"n": lock_number(name, level)}, f"{name}#{level}" if level else name
            got = connection.execute(sa.text("select pg_try_advisory_lock(:n)"), number).scalar_one()
            row = holders.c.workspace == said_by
            _judge(got, connection.execute(sa.select(holders.c.said).where(row)).scalar() or "")
            if got:
                connection.execute(holders.delete().where(row))
                connection.execute(holders.insert().values(workspace=said_by, said=json.dumps(asdict(mine))))
            try:
                yield got
            finally:
                if got:
                    connection.execute(holders.delete().where(row))
                    connection.execute(sa.text("select pg_advisory_unlock(:n)"), number)
    finally:
        engine.dispose()


def _judge(got: bool, said: str) -> None:
    """Held by another: an error. Ours, with another's name still on it: that run died, which is said."""
    try:
        other = read_form(_HOLDER, read_json(said)) if said else None
    except ValueError:  # only the half of a name, which is being written
        other = None
    if got:
        if other:
            log.warning("The run of %s ended without a word; this one goes on from there.", other.describe())
        return
    if other is None:
        raise WorkspaceHeldError("Another run has just taken the workspace: wait for it, then run again.")
    if other.token not in lent_tokens() or other.token in _held_here:
        raise WorkspaceHeldError(f"The workspace is held by {other.describe()}: wait for it, then run again.")
