"""The journal's tables, how older ones are brought up to date, and where they live: a SQLite file, or PostgreSQL."""

import hashlib
from pathlib import Path

import sqlalchemy as sa

from pdmigrate.errors import SettingsError, UnreachableError
from pdmigrate.harness.identifiers import make_identifier

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
    _bring_up_to_date(engine)
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
