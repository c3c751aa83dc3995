"""What was done: runs, their steps (intended, done, failed), and the ledger of what was last synced for each object.

The intent is written before a request and the result after it, each in its own transaction: after a crash an open
intent says what may or may not have happened. A SQLite file by default, PostgreSQL where several machines run.
"""

import hashlib
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, NoReturn, TypeVar

import sqlalchemy as sa
from pydantic import TypeAdapter

from pdmigrate.errors import RefusedError, SettingsError, UnreachableError, WorkspaceHeldError, shorten
from pdmigrate.harness.identifiers import make_identifier
from pdmigrate.plan.actions import Action, Fields, LedgerEntry, Plan, plan_from_json, plan_to_json
from pdmigrate.wire.forms import FormError, read_form
from pdmigrate.wire.json_text import JsonError, read_json
from pdmigrate.workspace.folder import make_folder, refuse_links

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


T = TypeVar("T")


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

    def ledger(self) -> dict[tuple[str, str], LedgerEntry]:
        """All lines of the source account, by (kind, key)."""
        with self._engine.connect() as connection:
            rows = connection.execute(sa.select(ledger).where(ledger.c.source == self._source)).all()
        lines = [
            _read_row(f"ledger, {r.kind} {r.key}", LINE, {**r._mapping, "synced": _unpack(r.synced, "ledger", r.key)})
            for r in rows
        ]
        return {(line.kind, line.key): line for line in lines}

    def other_sources(self) -> list[str]:
        """Other PagerDuty accounts that this journal has carried over."""
        with self._engine.connect() as connection:
            rows = list(connection.execute(sa.select(ledger.c.source).distinct()).scalars())
        if not all(isinstance(source, str) for source in rows):
            raise _damaged("ledger: a source is no text")
        return sorted(source for source in rows if source != self._source)

    def start_load(self, plan: Plan, at: datetime, approved_by: str = "", snapshot: str = "") -> int:
        """The number of the load of this plan: the latest, where it is unfinished, goes on; else a new one."""
        newest = self._newest()
        if newest is not None and newest.finished is None and (newest.kind, newest.digest) == ("load", plan.digest):
            return int(newest.id)
        text = json.dumps(plan_to_json(plan), ensure_ascii=False)
        row = {"digest": plan.digest, "started": at.isoformat(), "approved_by": approved_by, "snapshot": snapshot}
        with self._engine.begin() as connection:
            return _number(connection.execute(loads.insert().values(kind="load", plan=text, **row)))

    def start_undo(self, of: int, at: datetime) -> int:
        """The number of a new run that takes back run `of`."""
        with self._engine.begin() as connection:
            row = {"kind": "undo", "digest": f"undo of run {of}", "started": at.isoformat()}
            return _number(connection.execute(loads.insert().values(**row)))

    def finish_load(self, load: int, at: datetime) -> None:
        """Nothing of it is open any more; its plan need not be kept."""
        with self._engine.begin() as connection:
            done = loads.update().where(loads.c.id == load)
            connection.execute(done.values(finished=at.isoformat(), plan=None))

    def unfinished(self) -> tuple[int, Plan] | None:
        """The latest run, where it is a load that was interrupted or failed in part."""
        newest = self._newest()
        if newest is None or newest.finished is not None or newest.plan is None:
            return None
        return newest.id, _read_plan(newest.id, newest.plan)

    def runs(self) -> list[Run]:
        """All runs, oldest first."""
        with self._engine.connect() as connection:
            rows = connection.execute(sa.select(loads).order_by(loads.c.id)).all()
        return [
            _read_row(f"run {r.id}", RUN, {**r._mapping, "number": r.id, "finished": r.finished or ""}) for r in rows
        ]

    def record(self, load: int, action: Action, state: str, at: datetime, note: str = "") -> None:
        """Write one step. `done` also books the object in the ledger, in the same transaction."""
        row = {"load": load, "action": action.id, "verb": action.verb, "state": state, "note": note}
        row |= {"kind": action.kind, "key": action.key, "identifier": action.identifier, "name": action.name}
        if state == "done":
            row |= {"before": _pack(action.before), "after": _pack(action.after)}
        with self._engine.begin() as connection:
            connection.execute(steps.insert().values(at=at.isoformat(), **row))
            if state == "done":
                self._book(connection, action, at)

    def book(self, action: Action, at: datetime) -> None:
        """Both sides say the same by themselves: only the ledger learns of it."""
        with self._engine.begin() as connection:
            self._book(connection, action, at)

    def states(self, load: int) -> dict[str, JournalStep]:
        """The latest step of each action of a run, by the action's id, in the order in which they were begun."""
        with self._engine.connect() as connection:
            rows = connection.execute(sa.select(steps).where(steps.c.load == load).order_by(steps.c.id)).all()
        found = {}
        for row in rows:
            place = f"run {load}, step {row.id}"
            fields = {name: _unpack(getattr(row, name), "steps", row.action) for name in ("before", "after")}
            action = {name: getattr(row, name) for name in ("verb", "kind", "key", "identifier", "name")} | fields
            step = _read_row(place, STEP, {"action": action, "state": row.state, "note": row.note, "at": row.at})
            found[step.action.id] = step
        return found

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


def _number(inserted: sa.CursorResult[Any]) -> int:
    return int((inserted.inserted_primary_key or (0,))[0])


def _pack(fields: Fields | None) -> str | None:
    return None if fields is None else json.dumps(fields, ensure_ascii=False, sort_keys=True)


def _unpack(text: Any, place: str, key: str) -> Any:
    """What a cell says; what it must be is judged with the rest of its row."""
    if text is None:
        return None
    try:
        return read_json(text)
    except (JsonError, TypeError) as error:
        raise _damaged(f"{place}, {key}: {error}") from None


LINE, RUN, STEP = TypeAdapter(LedgerEntry), TypeAdapter(Run), TypeAdapter(JournalStep)


def _read_row(place: str, form: TypeAdapter[T], said: dict[str, Any]) -> T:
    try:
        return read_form(form, said)
    except FormError as error:
        raise _damaged(f"{place}: {error}") from None


def _read_plan(number: int, text: Any) -> Plan:
    try:
        return plan_from_json(_unpack(text, "loads", f"run {number}"))
    except FormError as error:
        raise _damaged(f"loads, run {number}, plan: {error}") from None


def _damaged(why: str) -> SettingsError:
    return SettingsError(
        f"The journal is damaged ({shorten(why)}): put a copy of it in its place; evidence/ in a run's folder has one."
    )


# --- where they are ---


def make_engine(place: Path | str, name: str = "") -> sa.Engine:
    """The database, with up-to-date tables. place: a file, or a PostgreSQL URL, where each workspace has a schema.

    Raises SettingsError for a URL that cannot be used or a journal of a newer version, UnreachableError where the
    server does not answer. Neither repeats the URL: it holds a password.
    """
    if isinstance(place, Path):
        make_folder(refuse_links(place).parent)
        place.touch(mode=0o600)
        engine = sa.create_engine(f"sqlite:///{place}", connect_args={"timeout": PATIENCE})
    else:
        engine = _make_postgres(place, name)
    sa.event.listen(engine, "handle_error", _explain)
    try:
        _bring_up_to_date(engine)
    except BaseException:
        engine.dispose()
        raise
    return engine


PATIENCE = 30
"""Seconds to wait for another program that writes to a SQLite journal."""


def _explain(context: sa.ExceptionContext) -> NoReturn:
    """Whatever a database says, in one line: it is none, it is damaged, it is held, or it cannot be written."""
    said = shorten(str(context.original_exception))
    if context.dialect.name == "postgresql":
        kind = type(context.original_exception).__name__
        raise UnreachableError(f"The journal's PostgreSQL failed ({kind}): check `journal:` and it, then run again.")
    if "is locked" in said or "is busy" in said:
        raise WorkspaceHeldError("Another program holds the journal (database is locked): close it, then run again.")
    if any(words in said for words in ("readonly", "disk I/O", "is full", "unable to open")):
        raise RefusedError(f"The journal cannot be written ({said}): free the disk or mend its rights, then run again.")
    raise _damaged(said)


def schema_of(name: str) -> str:
    """The PostgreSQL schema of a workspace: two of one name are one migration, run from two machines."""
    return make_identifier(f"pdmigrate {name}", hashlib.sha256(name.encode()).hexdigest()[:8])[-60:]


def lock_number(name: str, level: int = 0) -> int:
    """What PostgreSQL knows the workspace's lock by. The odd numbers between are for making the schema."""
    return int.from_bytes(hashlib.sha256(schema_of(name).encode()).digest()[:7], "big") + 2 * level


def read_password(place: Path | str) -> str:
    """The password in a PostgreSQL URL; "" for a file, and where there is none or the URL is none."""
    try:
        return "" if isinstance(place, Path) else str(sa.make_url(place).password or "")
    except (sa.exc.ArgumentError, ValueError):
        return ""


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
    except sa.exc.ProgrammingError as error:
        why = type(error.orig).__name__
        raise SettingsError(
            f"The journal's PostgreSQL does not take it ({why}): check `journal:` and its rights."
        ) from None
    except (sa.exc.ArgumentError, ValueError):  # a port or a host that is none, too
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
        elif (there := set(sa.inspect(connection).get_table_names())) and about.name not in there:
            raise _damaged(f"it is a database of something else, with the table {min(there)}")
        tables.create_all(connection)
        version = connection.execute(sa.select(about.c.version)).scalar()
        if version is None:
            connection.execute(about.insert().values(version=VERSION))
        elif isinstance(version, int) and version > VERSION:
            raise SettingsError(
                f"The journal has version {version}, this pdmigrate reads up to {VERSION}: use the one that wrote it."
            )
        elif version not in (1, VERSION):
            raise _damaged("it has no version that there ever was")
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
