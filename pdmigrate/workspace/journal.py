"""What was done: runs, their steps (intended, done, failed), and the ledger of what was last synced for each object.

The intent is on disk before its request is sent, and the result after it, together with the next intent: after a crash an
open intent says what may or may not have happened. A SQLite file by default, PostgreSQL where several machines run.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, TypeVar

import sqlalchemy as sa
from pydantic import TypeAdapter

from pdmigrate.plan.actions import Action, Fields, LedgerEntry, Plan, check_line, plan_from_json, plan_to_json
from pdmigrate.plan.kinds import KINDS
from pdmigrate.wire.forms import FormError, MaybeFileName, MaybeMoment, MomentText, read_form
from pdmigrate.wire.json_text import JsonError, read_json
from pdmigrate.workspace.database import copy_file, damaged, ledger, loads, make_engine, steps, take_turns, trend
from pdmigrate.workspace.trend import Measured, pack, unpack

T = TypeVar("T")
UNDO_OF = "undo of run "
"""In place of a digest, before the number of the load that an undo takes back."""
ADD_STEP, ADD_LINE = steps.insert(), ledger.insert()
DROP_LINE = ledger.delete().where(
    *(ledger.c[name] == sa.bindparam(f"its_{name}") for name in ("source", "kind", "key"))
)
"""Made once, and given the values of each step: making them anew was most of a load's work."""

# --- what they hold ---


@dataclass(frozen=True)
class JournalStep:
    """One action of one load: its state is intended, done, failed or skipped. Only of what is done it has before and after."""

    action: Action
    state: str
    note: str
    at: MomentText

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
    started: MomentText
    finished: MaybeMoment
    approved_by: str
    snapshot: MaybeFileName

    @property
    def undoes(self) -> int:
        """The number of the load that this undo takes back; 0 for a load."""
        number = self.digest.removeprefix(UNDO_OF)
        return int(number) if self.kind == "undo" and number.isdecimal() else 0


class Journal:
    """One journal for one workspace and one source account. place: a file, or a PostgreSQL URL."""

    def __init__(self, place: Path | str, source: str, name: str = ""):
        self._engine = make_engine(place, name)
        self._source = source
        self._shared: sa.Connection | None = None

    def close(self) -> None:
        self._engine.dispose()

    @contextmanager
    def opened(self) -> Iterator["Journal"]:
        try:
            yield self
        finally:
            self.close()

    def copy(self) -> bytes:
        """The whole file as it is at this moment, also while a load writes to it. Of one in SQLite only."""
        return copy_file(self._engine)

    def ledger(self) -> dict[tuple[str, str], LedgerEntry]:
        """All lines of the source account, by (kind, key)."""
        with self._engine.connect() as connection:
            rows = connection.execute(sa.select(ledger).where(ledger.c.source == self._source)).all()
        lines = [_read_line(row) for row in rows]
        return {(line.kind, line.key): line for line in lines}

    def other_sources(self) -> list[str]:
        """Other PagerDuty accounts that this journal has carried over."""
        with self._engine.connect() as connection:
            rows = list(connection.execute(sa.select(ledger.c.source).distinct()).scalars())
        if not all(isinstance(source, str) for source in rows):
            raise damaged("ledger: a source is no text")
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
            row = {"kind": "undo", "digest": f"{UNDO_OF}{of}", "started": at.isoformat()}
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

    @contextmanager
    def together(self) -> Iterator[None]:
        """What is recorded and booked within is written at its end, however it ends, in one transaction: synced to disk once."""
        if self._shared:
            yield
            return
        with self._engine.connect() as self._shared:
            connection = self._shared
            try:
                yield
            finally:
                self._shared = None
                connection.commit()

    def flush(self) -> None:
        """Write what was recorded so far."""
        if self._shared:
            self._shared.commit()

    def record(self, load: int, action: Action, state: str, at: datetime, note: str = "") -> None:
        """Write one step. `done` also books the object in the ledger, in the same transaction."""
        row = {"load": load, "action": action.id, "verb": action.verb, "state": state, "note": note}
        row |= {"kind": action.kind, "key": action.key, "identifier": action.identifier, "name": action.name}
        if state == "done":
            row |= {"before": _pack(action.before), "after": _pack(action.after)}
        with self._transact() as connection:
            connection.execute(ADD_STEP, row | {"at": at.isoformat()})
            if state == "done":
                self._book(connection, action, at)

    def book(self, action: Action, at: datetime) -> None:
        """Both sides say the same by themselves: only the ledger learns of it."""
        with self._transact() as connection:
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
            if step.action.kind not in KINDS:
                raise damaged(f"{place}: there is no kind {step.action.kind}")
            found[step.action.id] = step
        return found

    def half_written(self) -> dict[str, Action]:
        """What loads have begun to write and never finished, whatever came between, by the action's id: as it was to be."""
        half: dict[str, int] = {}
        wanted = sa.select(steps.c.load, steps.c.action, steps.c.state).where(steps.c.state.in_(("intended", "done")))
        with self._engine.connect() as connection:
            for row in connection.execute(wanted.order_by(steps.c.id)):
                half.pop(row.action, None)
                if row.state == "intended":
                    half[row.action] = row.load
            rows = connection.execute(
                sa.select(loads.c.id, loads.c.plan).where(loads.c.id.in_(set(half.values())))
            ).all()
        plans = [(row.id, _read_plan(row.id, row.plan)) for row in rows if row.plan]
        return {a.id: a for load, plan in plans for a in plan.actions if half.get(a.id) == load}

    def mailed(self) -> set[str]:
        """Whom loads have invited, by email."""
        invited = sa.and_(steps.c.kind == "users", steps.c.verb == "create", steps.c.state == "done")
        with self._engine.connect() as connection:
            return set(connection.execute(sa.select(steps.c.identifier).where(invited)).scalars())

    def measure(self, measured: Measured) -> None:
        """Keep what a run of verify or replay found, or that it failed. The first makes the table."""
        with self._engine.begin() as connection:
            take_turns(connection)
            trend.create(connection, checkfirst=True)
            connection.execute(trend.insert().values(**pack(measured)))

    def measured(self) -> list[tuple[int, Measured | str]]:
        """Each row of the trend by its number, in the order in which they were written; of one that is damaged, why.

        A row that nobody can read stops nothing: the others are worth as much as before.
        """
        with self._engine.connect() as connection:
            if not sa.inspect(connection).has_table(trend.name):
                return []
            rows = [(r.id, _read_measured(r)) for r in connection.execute(sa.select(trend).order_by(trend.c.id))]
        mine = (self._source, "")  # "" is of a run that broke before it knew
        return [(number, row) for number, row in rows if isinstance(row, str) or row.source in mine]

    @contextmanager
    def _transact(self) -> Iterator[sa.Connection]:
        """The transaction that is open, and stays so; else one of its own. Nothing of it is written where it fails half-way."""
        if not self._shared:
            with self._engine.begin() as connection:
                yield connection
            return
        try:
            yield self._shared
        except BaseException:
            self._shared.rollback()
            raise

    def _newest(self) -> sa.Row[Any] | None:
        with self._engine.connect() as connection:
            return connection.execute(sa.select(loads).order_by(loads.c.id.desc()).limit(1)).first()

    def _book(self, connection: sa.Connection, action: Action, at: datetime) -> None:
        mine = {"its_source": self._source, "its_kind": action.kind, "its_key": action.key}
        connection.execute(DROP_LINE, mine)
        if action.after is None:
            return
        synced = action.after if action.synced is None else action.synced
        row = {"source": self._source, "kind": action.kind, "key": action.key, "identifier": action.identifier}
        connection.execute(ADD_LINE, row | {"name": action.name, "synced": _pack(synced), "at": at.isoformat()})


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
        raise damaged(f"{place}, {key}: {error}") from None


LINE, RUN, STEP = TypeAdapter(LedgerEntry), TypeAdapter(Run), TypeAdapter(JournalStep)


def _read_row(place: str, form: TypeAdapter[T], said: dict[str, Any]) -> T:
    try:
        return read_form(form, said)
    except FormError as error:
        raise damaged(f"{place}: {error}") from None


def _read_line(row: sa.Row[Any]) -> LedgerEntry:
    place = f"ledger, {row.kind} {row.key}"
    line = _read_row(place, LINE, {**row._mapping, "synced": _unpack(row.synced, "ledger", row.key)})
    try:
        check_line(line)
    except FormError as error:
        raise damaged(f"{place}: {error}") from None
    return line


def _read_measured(row: sa.Row[Any]) -> Measured | str:
    try:
        return unpack(row.measured, row.checksum)
    except FormError as error:
        return str(error)


def _read_plan(number: int, text: Any) -> Plan:
    try:
        return plan_from_json(_unpack(text, "loads", f"run {number}"))
    except FormError as error:
        raise damaged(f"loads, run {number}, plan: {error}") from None
