"""One workspace has one run at a time. The lock dies with whoever holds it, so a stale one is only a line to be read.

Beside a SQLite journal it is a lock on a file, for one machine; with PostgreSQL an advisory lock of the session, for
all. Who holds it is written next to it. What a run starts in other processes finds the run's token in its environment.
"""

import fcntl
import getpass
import json
import logging
import os
import secrets
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path

import sqlalchemy as sa

from pdmigrate.errors import WorkspaceHeldError
from pdmigrate.journal_tables import holders, lock_number, make_engine

log = logging.getLogger("pdmigrate")
TOKEN = "PDMIGRATE_RUN_TOKEN"  # noqa: S105 - the name of a variable; its value opens nothing


@dataclass(frozen=True)
class Holder:
    """Who holds a workspace, and for what. `token` tells a run's own processes from others."""

    who: str
    host: str
    pid: int
    since: str
    purpose: str
    token: str

    def tell(self) -> str:
        return f"{self.who} on {self.host} (process {self.pid}) since {self.since} for {self.purpose}"


@contextmanager
def hold(place: Path | str, name: str, folder: Path, purpose: str, now: datetime) -> Iterator[None]:
    """Hold the workspace. Raises WorkspaceHeldError that says who has it; inside a run's own processes it just passes.

    place, name: as for the journal. folder: the workspace's.
    """
    mine = _make_holder(purpose, now)
    lock = _hold_file(folder / ".lock", mine) if isinstance(place, Path) else _hold_postgres(place, name, mine)
    with lock as got:
        outer = os.environ.get(TOKEN)
        if got:
            os.environ[TOKEN] = mine.token
        try:
            yield
        finally:
            _restore(outer)


def _restore(token: str | None) -> None:
    os.environ.pop(TOKEN, None)
    if token is not None:
        os.environ[TOKEN] = token


def _make_holder(purpose: str, now: datetime) -> Holder:
    who = os.environ.get("PDMIGRATE_USER") or getpass.getuser()
    since = now.isoformat(timespec="seconds")
    return Holder(who, socket.gethostname(), os.getpid(), since, purpose, secrets.token_hex(8))


@contextmanager
def _hold_file(path: Path, mine: Holder) -> Iterator[bool]:
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(path, "a+", encoding="utf-8") as file:
        got = _try_lock(file)
        file.seek(0)
        _judge(got, file.read())
        if got:
            _write(file, json.dumps(asdict(mine)))
        try:
            yield got
        finally:
            if got:
                _write(file, "")


def _try_lock(file) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _write(file, text: str) -> None:
    file.seek(0)
    file.truncate()
    file.write(text)
    file.flush()


@contextmanager
def _hold_postgres(place: str, name: str, mine: Holder) -> Iterator[bool]:
    """The lock lives as long as this connection: the server lets go of it when the process or the machine is gone."""
    engine = make_engine(place, name)
    try:
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            number = {"n": lock_number(name)}
            got = connection.execute(sa.text("select pg_try_advisory_lock(:n)"), number).scalar_one()
            row = holders.c.workspace == name
            _judge(got, connection.execute(sa.select(holders.c.said).where(row)).scalar() or "")
            if got:
                connection.execute(holders.delete().where(row))
                connection.execute(holders.insert().values(workspace=name, said=json.dumps(asdict(mine))))
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
    other = Holder(**json.loads(said)) if said else None
    if got:
        if other:
            log.warning("The run of %s ended without a word; this one goes on from there.", other.tell())
        return
    if other is None:
        raise WorkspaceHeldError("Another run has just taken the workspace: wait for it, then run again.")
    if other.token != os.environ.get(TOKEN):
        raise WorkspaceHeldError(f"The workspace is held by {other.tell()}: wait for it, then run again.")
