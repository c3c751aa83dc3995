"""What was done: runs, their steps (intended, done, failed), and the ledger of what was last synced for each object.

The intent is written before a request and the result after it, each in its own transaction: after a crash an open
intent says what may or may not have happened. A SQLite file by default, PostgreSQL where several machines run.
"""

import hashlib
import json
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from pdmigrate.errors import SettingsError, UnreachableError, UnwritableError
from pdmigrate.harness.identifiers import make_identifier
from pdmigrate.plan.actions import Action, Fields, LedgerEntry, Plan, plan_from_json, plan_to_json

# --- the tables ---

VERSION = 2
"""1: steps without their object, loads without kind, approval and plan."""

tables = sa.MetaData()
about = sa.Table("about", tables, sa.Column("version", sa.Integer, nullable=False))
loads = sa.Table(
    "loads",
    tables,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("digest", sa.String, nullable=False),
    sa.Column("started", sa.String, nullable=False),
    sa.Column("finished", sa.String),
    sa.Column("kind", sa.String, nullable=False, server_default="load"),
    sa.Column("approved_by", sa.String, nullable=False, server_default=""),
    sa.Column("snapshot", sa.String, nullable=False, server_default=""),
    sa.Column("plan", sa.Text),
)
steps = sa.Table(
    "steps",
    tables,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("load", sa.Integer, sa.ForeignKey("loads.id"), nullable=False, index=True),
    sa.Column("action", sa.String, nullable=False),
    sa.Column("verb", sa.String, nullable=False),
    sa.Column("state", sa.String, nullable=False),
    sa.Column("note", sa.String, nullable=False, default=""),
    sa.Column("at", sa.String, nullable=False),
    sa.Column("kind", sa.String, nullable=False, server_default=""),
    sa.Column("key", sa.String, nullable=False, server_default=""),
    sa.Column("identifier", sa.String, nullable=False, server_default=""),
    sa.Column("name", sa.String, nullable=False, server_default=""),
    sa.Column("before", sa.Text),
    sa.Column("after", sa.Text),
)
ledger = sa.Table(
    "ledger",
    tables,
    sa.Column("source", sa.String, primary_key=True),
    sa.Column("kind", sa.String, primary_key=True),
    sa.Column("key", sa.String, primary_key=True),
    sa.Column("identifier", sa.String, nullable=False),
    sa.Column("name", sa.String, nullable=False),
    sa.Column("synced", sa.String, nullable=False),
    sa.Column("at", sa.String, nullable=False),
)
holders = sa.Table(
    "holders", tables, sa.Column("workspace", sa.String, primary_key=True), sa.Column("said", sa.String, nullable=False)
)


# --- what they hold ---


@dataclass(frozen=True)
class JournalStep:
    """One action of one load: its state is intended, done, failed or skipped. Only of what is done it has before and after."""

    action: Action
    state: str
    note: str
    at: str

    @property
    def wrote(self) -> bool:
        """Whether it was sent, and not only booked."""
        return self.state == "done" and self.action.writes


@dataclass(frozen=True)
class Run:
    """One load or undo. `finished` is "" while it is under way, was interrupted, or failed in part."""

    number: int
    kind: str
    digest: str
    started: str
    finished: str
    approved_by: str
    snapshot: str


class Journal:
    """One journal for one workspace and one source account. place: a file, or a PostgreSQL URL."""

    def __init__(self, place: Path | str, source: str, name: str = ""):
        self._engine = make_engine(place, name)
        self._source = source

    def close(self) -> None:
        self._engine.dispose()

    @contextmanager
    def opened(self) -> Iterator["Journal"]:
        try:
            yield self
        finally:
            self.close()

    @contextmanager
    def _writing(self) -> Iterator[sa.Connection]:
        """One transaction. Raises UnwritableError where it cannot be kept: whoever would act upon it must not."""
        try:
            with self._engine.begin() as connection:
                yield connection
        except sa.exc.DBAPIError as error:
            raise _describe_trouble(error) from None

    def ledger(self) -> dict[tuple[str, str], LedgerEntry]:
        """All lines of the source account, by (kind, key)."""
        with self._engine.connect() as connection:
            rows = connection.execute(sa.select(ledger).where(ledger.c.source == self._source)).all()
        return {
            (r.kind, r.key): LedgerEntry(r.kind, r.key, r.identifier, r.name, json.loads(r.synced), r.at) for r in rows
        }

    def other_sources(self) -> list[str]:
        """Other PagerDuty accounts that this journal has carried over."""
        with self._engine.connect() as connection:
            rows = connection.execute(sa.select(ledger.c.source).distinct()).scalars()
            return sorted(source for source in rows if source != self._source)

    def start_load(self, plan: Plan, at: datetime, approved_by: str = "", snapshot: str = "") -> int:
        """The number of the load of this plan: the latest, where it is unfinished, goes on; else a new one."""
        newest = self._newest()
        if newest is not None and newest.finished is None and (newest.kind, newest.digest) == ("load", plan.digest):
            return int(newest.id)
        text = json.dumps(plan_to_json(plan), ensure_ascii=False)
        row = {"digest": plan.digest, "started": at.isoformat(), "approved_by": approved_by, "snapshot": snapshot}
        with self._writing() as connection:
            return _number(connection.execute(loads.insert().values(kind="load", plan=text, **row)))

    def start_undo(self, of: int, at: datetime) -> int:
        """The number of a new run that takes back run `of`."""
        with self._writing() as connection:
            row = {"kind": "undo", "digest": f"undo of run {of}", "started": at.isoformat()}
            return _number(connection.execute(loads.insert().values(**row)))

    def finish_load(self, load: int, at: datetime) -> None:
        """Nothing of it is open any more; its plan need not be kept."""
        with self._writing() as connection:
            done = loads.update().where(loads.c.id == load)
            connection.execute(done.values(finished=at.isoformat(), plan=None))

    def unfinished(self) -> tuple[int, Plan] | None:
        """The latest run, where it is a load that was interrupted or failed in part."""
        newest = self._newest()
        if newest is None or newest.finished is not None or newest.plan is None:
            return None
        return newest.id, plan_from_json(json.loads(newest.plan))

    def runs(self) -> list[Run]:
        """All runs, oldest first."""
        with self._engine.connect() as connection:
            rows = connection.execute(sa.select(loads).order_by(loads.c.id)).all()
        return [Run(r.id, r.kind, r.digest, r.started, r.finished or "", r.approved_by, r.snapshot) for r in rows]

    def record(self, load: int, action: Action, state: str, at: datetime, note: str = "") -> None:
        """Write one step. `done` also books the object in the ledger, in the same transaction."""
        row = {"load": load, "action": action.id, "verb": action.verb, "state": state, "note": note}
        row |= {"kind": action.kind, "key": action.key, "identifier": action.identifier, "name": action.name}
        if state == "done":
            row |= {"before": _pack(action.before), "after": _pack(action.after)}
        with self._writing() as connection:
            connection.execute(steps.insert().values(at=at.isoformat(), **row))
            if state == "done":
                self._book(connection, action, at)

    def book(self, action: Action, at: datetime) -> None:
        """Both sides say the same by themselves: only the ledger learns of it."""
        with self._writing() as connection:
            self._book(connection, action, at)

    def states(self, load: int) -> dict[str, JournalStep]:
        """The latest step of each action of a run, by the action's id, in the order in which they were begun."""
        with self._engine.connect() as connection:
            rows = connection.execute(sa.select(steps).where(steps.c.load == load).order_by(steps.c.id)).all()
        found = {}
        for row in rows:
            fields = _unpack(row.before), _unpack(row.after)
            action = Action(row.verb, row.kind, row.key, row.identifier, row.name, *fields)
            found[action.id] = JournalStep(action, row.state, row.note, row.at)
        return found

    def half_written(self) -> dict[str, Action]:
        """What loads have begun to write and never finished, whatever came between, by the action's id: as it was to be."""
        half: dict[str, int] = {}
        wanted = sa.select(steps.c.load, steps.c.action, steps.c.state).where(steps.c.state.in_(("intended", "done")))
        with self._engine.connect() as connection:
            for row in connection.execute(wanted.order_by(steps.c.id)):
                half.pop(row.action, None)
                half |= {row.action: row.load} if row.state == "intended" else {}
            rows = connection.execute(
                sa.select(loads.c.id, loads.c.plan).where(loads.c.id.in_(set(half.values())))
            ).all()
        plans = [(row.id, plan_from_json(json.loads(row.plan))) for row in rows if row.plan]
        return {a.id: a for load, plan in plans for a in plan.actions if half.get(a.id) == load}

    def _newest(self) -> sa.Row[Any] | None:
        with self._engine.connect() as connection:
            return connection.execute(sa.select(loads).order_by(loads.c.id.desc()).limit(1)).first()

    def _book(self, connection: sa.Connection, action: Action, at: datetime) -> None:
        mine = sa.and_(ledger.c.source == self._source, ledger.c.kind == action.kind, ledger.c.key == action.key)
        connection.execute(ledger.delete().where(mine))
        if action.after is None:
            return
        synced = action.after if action.synced is None else action.synced
        row: dict[str, Any] = {
            "source": self._source,
            "kind": action.kind,
            "key": action.key,
            "identifier": action.identifier,
        }
        row |= {"name": action.name, "synced": _pack(synced), "at": at.isoformat()}
        connection.execute(ledger.insert().values(**row))


def _describe_trouble(error: sa.exc.DBAPIError) -> UnwritableError:
    """Without the statement, and without the URL of a database."""
    why = str(error.orig) if isinstance(error.orig, sqlite3.Error) else type(error.orig).__name__
    return UnwritableError(
        f"The journal cannot be written ({why}), so nothing more is: it is whole as it was. Make room or see who holds it, then "
        "run the same command again."
    )


def _number(inserted: sa.CursorResult[Any]) -> int:
    return int((inserted.inserted_primary_key or (0,))[0])


def _pack(fields: Fields | None) -> str | None:
    return None if fields is None else json.dumps(fields, ensure_ascii=False, sort_keys=True)


def _unpack(text: str | None) -> Fields | None:
    return None if text is None else json.loads(text)


# --- where they are ---


def make_engine(place: Path | str, name: str = "") -> sa.Engine:
    """The database, with up-to-date tables. place: a file, or a PostgreSQL URL, where each workspace has a schema.

    Raises SettingsError for a URL that cannot be used or a journal of a newer version, UnreachableError where the
    server does not answer. Neither repeats the URL: it holds a password.
    """
    if isinstance(place, Path):
        place.parent.mkdir(parents=True, exist_ok=True)
        engine = sa.create_engine(f"sqlite:///{place}", connect_args={"timeout": 30})
    else:
        engine = _make_postgres(place, name)
    try:
        _bring_up_to_date(engine)
    except sa.exc.OperationalError as error:
        engine.dispose()
        if isinstance(place, Path) and place.is_file() and not place.stat().st_size:
            place.unlink()
        if not isinstance(error.orig, sqlite3.Error):
            raise
        raise _describe_trouble(error) from None
    except BaseException:
        engine.dispose()
        raise
    return engine


def schema_of(name: str) -> str:
    """The PostgreSQL schema of a workspace: two of one name are one migration, run from two machines."""
    return make_identifier(f"pdmigrate {name}", hashlib.sha256(name.encode()).hexdigest()[:8])[-60:]


def lock_number(name: str, level: int = 0) -> int:
    """What PostgreSQL knows the workspace's lock by. The odd numbers between are for making the schema."""
    return int.from_bytes(hashlib.sha256(schema_of(name).encode()).digest()[:7], "big") + 2 * level


def _make_postgres(url: str, name: str) -> sa.Engine:
    schema = schema_of(name)
    try:
        parsed = sa.make_url(url)
        if parsed.get_backend_name() != "postgresql":
            raise SettingsError("journal: the secret is no PostgreSQL URL (postgresql://USER:PASSWORD@HOST/NAME).")
        options = {"options": f"-csearch_path={schema}", "connect_timeout": 10}
        engine = sa.create_engine(parsed.set(drivername="postgresql+psycopg"), connect_args=options)
        with engine.begin() as connection:
            connection.execute(sa.text("select pg_advisory_xact_lock(:n)"), {"n": lock_number(name) + 1})
            connection.execute(sa.schema.CreateSchema(schema, if_not_exists=True))
    except sa.exc.ArgumentError:
        raise SettingsError("journal: the secret is no database URL (postgresql://USER:PASSWORD@HOST/NAME).") from None
    except ModuleNotFoundError:
        raise SettingsError("A journal in PostgreSQL needs the extra: pip install 'pdmigrate[postgres]'.") from None
    except sa.exc.OperationalError as error:
        why = type(error.orig).__name__
        raise UnreachableError(f"The journal's PostgreSQL does not answer ({why}): check `journal:` and it.") from None
    return engine


def _bring_up_to_date(engine: sa.Engine) -> None:
    with engine.begin() as connection:
        if connection.dialect.name == "postgresql":  # two runs may begin at once
            connection.execute(sa.text("select pg_advisory_xact_lock(20261123)"))
        tables.create_all(connection)
        version = connection.execute(sa.select(about.c.version)).scalar()
        if version is None:
            connection.execute(about.insert().values(version=VERSION))
        elif version > VERSION:
            raise SettingsError(
                f"The journal has version {version}, this pdmigrate reads up to {VERSION}: use the one that wrote it."
            )
        elif version < VERSION:
            _migrate(connection)


def _migrate(connection: sa.Connection) -> None:
    """Version 1 to 2: the new columns, and each old step's kind and key out of its name."""
    for table in (loads, steps):
        there = {column["name"] for column in sa.inspect(connection).get_columns(table.name)}
        for column in (column for column in table.columns if column.name not in there):
            ddl = sa.schema.CreateColumn(column).compile(dialect=connection.dialect)
            connection.execute(sa.text(f"ALTER TABLE {table.name} ADD COLUMN {ddl}"))
    for row in connection.execute(sa.select(steps.c.id, steps.c.action)).all():
        kind, _, key = row.action.partition(":")
        connection.execute(steps.update().where(steps.c.id == row.id).values(kind=kind, key=key))
    connection.execute(about.update().values(version=VERSION))
