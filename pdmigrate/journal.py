"""What was done: runs, their steps (intended, done, failed), and the ledger of what was last written for each object.

The intent is written before a request and the result after it, each in its own transaction: after a crash an open
intent says what may or may not have happened. A SQLite file by default.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import sqlalchemy as sa

from pdmigrate.actions import Action, Fields
from pdmigrate.errors import SettingsError

VERSION = 1

_tables = sa.MetaData()
_about = sa.Table("about", _tables, sa.Column("version", sa.Integer, nullable=False))
_loads = sa.Table(
    "loads",
    _tables,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("digest", sa.String, nullable=False),
    sa.Column("started", sa.String, nullable=False),
    sa.Column("finished", sa.String),
)
_steps = sa.Table(
    "steps",
    _tables,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("load", sa.Integer, sa.ForeignKey("loads.id"), nullable=False),
    sa.Column("action", sa.String, nullable=False),
    sa.Column("verb", sa.String, nullable=False),
    sa.Column("state", sa.String, nullable=False),
    sa.Column("note", sa.String, nullable=False, default=""),
    sa.Column("at", sa.String, nullable=False),
)
_ledger = sa.Table(
    "ledger",
    _tables,
    sa.Column("source", sa.String, primary_key=True),
    sa.Column("kind", sa.String, primary_key=True),
    sa.Column("key", sa.String, primary_key=True),
    sa.Column("identifier", sa.String, nullable=False),
    sa.Column("name", sa.String, nullable=False),
    sa.Column("synced", sa.String, nullable=False),
    sa.Column("at", sa.String, nullable=False),
)


@dataclass(frozen=True)
class Entry:
    """A line of the ledger: what the PagerDuty object is called in Harness, and the fields as we last left them."""

    kind: str
    key: str
    identifier: str
    name: str
    synced: Fields


@dataclass(frozen=True)
class Step:
    """One action of one load: its state is intended, done, failed or skipped."""

    action: str
    verb: str
    state: str
    note: str
    at: str


class Journal:
    """One journal for one workspace and one source account."""

    def __init__(self, path: Path, source: str):
        path.parent.mkdir(parents=True, exist_ok=True)
        self._engine = sa.create_engine(f"sqlite:///{path}")
        self._source = source
        _tables.create_all(self._engine)
        self._check_version()

    def close(self) -> None:
        self._engine.dispose()

    def ledger(self) -> dict[tuple[str, str], Entry]:
        """All lines of the source account, by (kind, key)."""
        with self._engine.connect() as connection:
            rows = connection.execute(sa.select(_ledger).where(_ledger.c.source == self._source)).all()
        return {(r.kind, r.key): Entry(r.kind, r.key, r.identifier, r.name, json.loads(r.synced)) for r in rows}

    def booked_at(self, kind: str) -> dict[str, datetime]:
        """When each object of a kind was last written, by its PagerDuty id."""
        mine = sa.and_(_ledger.c.source == self._source, _ledger.c.kind == kind)
        with self._engine.connect() as connection:
            rows = connection.execute(sa.select(_ledger.c.key, _ledger.c.at).where(mine)).all()
        return {row.key: datetime.fromisoformat(row.at) for row in rows}

    def other_sources(self) -> list[str]:
        """Other PagerDuty accounts that this journal has carried over."""
        with self._engine.connect() as connection:
            rows = connection.execute(sa.select(_ledger.c.source).distinct()).scalars()
            return sorted(source for source in rows if source != self._source)

    def start_load(self, digest: str, at: datetime) -> int:
        """The number of the load of this plan: an unfinished one goes on, else a new one."""
        with self._engine.begin() as connection:
            unfinished = sa.and_(_loads.c.digest == digest, _loads.c.finished.is_(None))
            found = connection.execute(sa.select(_loads.c.id).where(unfinished)).scalar()
            if found is not None:
                return found
            return connection.execute(
                _loads.insert().values(digest=digest, started=at.isoformat())
            ).inserted_primary_key[0]

    def finish_load(self, load: int, at: datetime) -> None:
        with self._engine.begin() as connection:
            connection.execute(_loads.update().where(_loads.c.id == load).values(finished=at.isoformat()))

    def state_of(self, digest: str) -> str | None:
        """`finished` or `open` for the latest load of this plan, None where there was none."""
        newest = sa.select(_loads).where(_loads.c.digest == digest).order_by(_loads.c.id.desc()).limit(1)
        with self._engine.connect() as connection:
            row = connection.execute(newest).first()
        return None if row is None else "finished" if row.finished else "open"

    def begun(self, digest: str) -> set[str]:
        """The actions of an unfinished load of this plan that may have happened in part: begun, and not done."""
        unfinished = sa.select(_loads.c.id).where(_loads.c.digest == digest, _loads.c.finished.is_(None))
        with self._engine.connect() as connection:
            found = connection.execute(unfinished).scalar()
        steps = self.states(found).values() if found is not None else ()
        return {step.action for step in steps if step.state in ("intended", "failed")}

    def record(self, load: int, action: Action, state: str, at: datetime, note: str = "") -> None:
        """Write one step. `done` also books the object in the ledger, in the same transaction."""
        with self._engine.begin() as connection:
            connection.execute(
                _steps.insert().values(
                    load=load, action=action.id, verb=action.verb, state=state, note=note, at=at.isoformat()
                )
            )
            if state == "done":
                self._book(connection, action, at)

    def states(self, load: int) -> dict[str, Step]:
        """The latest step of each action of a load."""
        with self._engine.connect() as connection:
            rows = connection.execute(sa.select(_steps).where(_steps.c.load == load).order_by(_steps.c.id)).all()
        return {r.action: Step(r.action, r.verb, r.state, r.note, r.at) for r in rows}

    @contextmanager
    def opened(self) -> Iterator["Journal"]:
        try:
            yield self
        finally:
            self.close()

    def _book(self, connection: sa.Connection, action: Action, at: datetime) -> None:
        mine = sa.and_(_ledger.c.source == self._source, _ledger.c.kind == action.kind, _ledger.c.key == action.key)
        connection.execute(_ledger.delete().where(mine))
        if action.after is None:
            return
        connection.execute(
            _ledger.insert().values(
                source=self._source,
                kind=action.kind,
                key=action.key,
                identifier=action.identifier,
                name=action.name,
                synced=json.dumps(action.after, ensure_ascii=False, sort_keys=True),
                at=at.isoformat(),
            )
        )

    def _check_version(self) -> None:
        with self._engine.begin() as connection:
            version = connection.execute(sa.select(_about.c.version)).scalar()
            if version is None:
                connection.execute(_about.insert().values(version=VERSION))
            elif version != VERSION:
                raise SettingsError(
                    f"The journal has version {version}, this pdmigrate reads {VERSION}: use the one that wrote it."
                )
