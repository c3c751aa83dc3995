"""The journal's tables and the database that they are in: a file of SQLite, or a schema of PostgreSQL for each workspace."""

import hashlib
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any, NoReturn, cast

import sqlalchemy as sa

from pdmigrate.errors import SettingsError, UnreachableError, UnwritableError, WorkspaceHeldError, shorten
from pdmigrate.harness.identifiers import make_identifier
from pdmigrate.workspace.folder import lock_beside, make_folder, refuse_links, write_bytes

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
trend = sa.Table(
    "trend",
    sa.MetaData(),  # made with its first row, so that a journal from before it stays as it is, and is read as ever
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("measured", sa.Text, nullable=False),
    sa.Column("checksum", sa.String, nullable=False),
)


def damaged(why: str) -> SettingsError:
    """The error for a journal that cannot be read, with what to do."""
    return SettingsError(
        f"The journal is damaged ({shorten(why)}): put a copy of it in its place; evidence/ in a run's folder has one."
    )


# --- where they are ---


def make_engine(place: Path | str, name: str = "") -> sa.Engine:
    """The database, with up-to-date tables. place: a file, or a PostgreSQL URL, where each workspace has a schema.

    One that is up to date is only read, so that a look at it waits for no load. Raises SettingsError for a URL that cannot
    be used or a journal of a newer version, UnreachableError where the server does not answer. Neither repeats the URL: it
    holds a password.
    """
    if isinstance(place, Path):
        _make_file(place)
        url = sa.URL.create("sqlite", database=str(place))  # a `?` in a folder's name is none of an address
        engine = sa.create_engine(url, connect_args={"timeout": PATIENCE})
    else:
        engine = _make_postgres(place, name)
    sa.event.listen(engine, "handle_error", _explain)
    try:
        _bring_up_to_date(engine, schema_of(name))
    except UnicodeError:  # of a host that is none
        raise SettingsError(NO_URL) from None
    finally:
        engine.dispose()  # no connection stays open behind an error; the next one opens another
    return engine


def _make_file(place: Path) -> None:
    """An empty journal where there is none: whole, or not there at all, whoever else is about to make it."""
    make_folder(refuse_links(place).parent)
    if place.is_file() and place.stat().st_size:
        return
    with lock_beside(place):
        if place.is_file() and place.stat().st_size:
            return
        memory = sa.create_engine("sqlite://")
        _bring_up_to_date(memory)
        write_bytes(place, copy_file(memory))
        memory.dispose()


def copy_file(engine: sa.Engine) -> bytes:
    """What a SQLite database's file holds, or would hold. Raises WorkspaceHeldError where another program keeps it locked."""
    with closing(engine.raw_connection()) as connection:
        try:
            whole: bytes = cast(sqlite3.Connection, connection.driver_connection).serialize()
        except sqlite3.OperationalError:
            raise WorkspaceHeldError(HELD) from None
        return whole


PATIENCE = 30
"""Seconds to wait for another program that writes to a SQLite journal."""
HELD = "Another program holds the journal (database is locked): close it, then run again."


def _explain(context: sa.ExceptionContext) -> NoReturn:
    """Whatever a database says, in one line: it is none, it is damaged, it is held, or it cannot be written."""
    said = shorten(str(context.original_exception))
    if context.dialect.name == "postgresql":
        kind = type(context.original_exception).__name__
        if isinstance(context.sqlalchemy_exception, sa.exc.ProgrammingError):
            raise SettingsError(f"The journal's PostgreSQL does not take it ({kind}): check `journal:` and its rights.")
        raise UnreachableError(
            f"The journal's PostgreSQL does not answer ({kind}): check `journal:` and it, then run again."
        )
    if "is locked" in said or "is busy" in said:
        raise WorkspaceHeldError(HELD)
    if any(words in said for words in ("readonly", "disk I/O", "is full", "unable to open")):
        raise UnwritableError(
            f"The journal cannot be written ({said}), so nothing more is: it is whole as it was. Make room or mend its rights, "
            "then run the same command again."
        )
    raise damaged(said)


def schema_of(name: str) -> str:
    """The PostgreSQL schema of a workspace: two of one name are one migration, run from two machines."""
    return make_identifier(f"pdmigrate {name}", hashlib.sha256(name.encode()).hexdigest()[:8])[-60:]


def lock_number(name: str, level: int = 0) -> int:
    """What PostgreSQL knows the workspace's lock by."""
    return int.from_bytes(hashlib.sha256(schema_of(name).encode()).digest()[:7], "big") + level


def read_password(place: Path | str) -> str:
    """The password in a PostgreSQL URL; "" for a file, and where there is none or the URL is none."""
    try:
        return "" if isinstance(place, Path) else str(sa.make_url(place).password or "")
    except (sa.exc.ArgumentError, ValueError):
        return ""


QUIET = 60
"""Seconds after which a connection shows that it is there: the lock's says nothing else while a load takes its hours."""
NO_URL = "journal: the secret is no database URL (postgresql://USER:PASSWORD@HOST/NAME)."


def _make_postgres(url: str, name: str) -> sa.Engine:
    try:
        parsed = sa.make_url(url)
        if parsed.get_backend_name() != "postgresql":
            raise SettingsError("journal: the secret is no PostgreSQL URL (postgresql://USER:PASSWORD@HOST/NAME).")
        options = {"options": f"-csearch_path={schema_of(name)}", "connect_timeout": 10, "keepalives_idle": QUIET}
        return sa.create_engine(parsed.set(drivername="postgresql+psycopg"), connect_args=options)
    except (sa.exc.ArgumentError, ValueError):  # a port that is none, too
        raise SettingsError(NO_URL) from None
    except ModuleNotFoundError:
        raise SettingsError("A journal in PostgreSQL needs the extra: pip install 'pdmigrate[postgres]'.") from None


def _bring_up_to_date(engine: sa.Engine, schema: str = "") -> None:
    with engine.begin() as connection:
        if _read_version(connection) == VERSION:
            return _check_columns(connection)
    with engine.begin() as connection:  # one at a time: whoever comes second finds it made
        take_turns(connection)
        if connection.dialect.name == "postgresql":
            connection.execute(sa.schema.CreateSchema(schema, if_not_exists=True))
        version = _read_version(connection)
        tables.create_all(connection)
        if version is None:
            connection.execute(about.insert().values(version=VERSION))
        elif isinstance(version, int) and version > VERSION:
            raise SettingsError(
                f"The journal has version {version}, this pdmigrate reads up to {VERSION}: use the one that wrote it."
            )
        elif version not in (1, VERSION):
            raise damaged("it has no version that there ever was")
        elif version < VERSION:
            _migrate(connection)
        _check_columns(connection)


def take_turns(connection: sa.Connection) -> None:
    """Until this transaction ends, nobody else makes or changes tables."""
    if connection.dialect.name == "postgresql":
        connection.execute(sa.text("select pg_advisory_xact_lock(20261123)"))
    else:
        connection.exec_driver_sql("BEGIN IMMEDIATE")


def _read_version(connection: sa.Connection) -> Any:
    """None of a database without tables."""
    there = set(sa.inspect(connection).get_table_names())
    if about.name in there:
        if missing := {table.name for table in (loads, steps, ledger)} - there:
            raise damaged(f"it has no table {min(missing)}")
        return connection.exec_driver_sql(f"SELECT version FROM {about.name}").scalar()  # noqa: S608 - a name of ours
    if there:
        raise damaged(f"it is a database of something else, with the table {min(there)}")
    return None


def _check_columns(connection: sa.Connection) -> None:
    """All of them are there, or what is sent could not be booked. As plain text, since it is asked at every opening."""
    for table in (loads, steps, ledger):
        columns = ", ".join(f'{table.name}."{column.name}"' for column in table.columns)
        connection.exec_driver_sql(f"SELECT {columns} FROM {table.name} LIMIT 0")  # noqa: S608 - names of ours


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
