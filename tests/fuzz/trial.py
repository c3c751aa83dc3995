"""One input under way: its dice, its workspace, and what lay there before each thing that was done in it."""

import json
import os
import sqlite3
import time
from collections import Counter
from collections.abc import Callable
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from random import Random

from source_http import QUICK
from template import Template, open_at

from pdmigrate.harness.pacing import MARGIN

OWN = ("reports/by-hand/results/", "state/fetch.part")
"""Where a step says that it was refused; the journal's trend is another such place."""
READ = "history/"
"""Where each week stays that was read whole, so that a reading which is broken off goes on."""
MINUTE = 60 + MARGIN
LOCKS = (".lock", ".lock.1")
LOADED = {"journal.sqlite", "sandbox/harness.json", "state/pace.json"}
"""What a load writes from its first request on, so that an answer which is refused then finds it changed."""


@dataclass
class Trial:
    """random: its dice. kind: of breakage. folder: a copy of the template's workspace. loading: its answers to writes are broken. reading: what happened is read anew.

    before: what lay in the folder before the latest thing that was done; None where nothing has been done yet.
    known: how many writes Harness remembered before the first thing.
    begin: called before each thing that is done: each has its own deadline, as each is a command that somebody waits for.
    """

    random: Random
    kind: str
    folder: Path
    template: Template
    loading: bool = False
    reading: bool = False
    before: dict[str, bytes] | None = field(default=None, repr=False)
    known: int = 0
    begin: Callable[[], None] = field(default=lambda: None, repr=False)

    def run(self, do, *args, **options):
        """Do one thing, once what lies there is noted."""
        if self.before is None:
            writes = _read_writes(self.folder)
            self.known = len(writes) if isinstance(writes, list) else 0
        self.before = read_folder(self.folder)
        self.begin()
        return do(*args, **options)

    @contextmanager
    def open(self):
        """A job whose clients do not wait, so that an answer that stays broken is given up at once."""
        with self.run(open_at, self.folder) as job:
            if job.source:
                job.source.transport.patience = QUICK
            if hasattr(job.target, "transport"):
                job.target.transport.patience = QUICK
                pass_minutes(job.target.transport.quota)
            yield job

    def find_written(self, refused):
        """What was written although the latest thing was refused, or without being booked, as a list of files or requests."""
        before, after = self.before or {}, read_folder(self.folder)
        changed = {path for path in {*before, *after} if before.get(path) != after.get(path)} if refused else set()
        changed = {path for path in changed if not path.startswith((*OWN, *([READ] if self.reading else [])))}
        began = self.loading and LOADED & changed
        unbooked = find_unbooked(self.known, self.folder) if began or not refused else []
        return sorted(changed - LOADED if began else changed) + unbooked


def pass_minutes(quota):
    """What waits for a minute's end, and says so, has it at once; a longer wait would be a hang, and is one."""
    known, passed = quota.clock, 0.0

    def sleep(seconds):
        nonlocal passed
        passed += seconds if seconds <= MINUTE else time.sleep(seconds) or seconds

    quota.clock, quota.sleep = lambda: known() + passed, sleep


def read_folder(folder):
    """Each file with what it says; locks say nothing, and who waits for one makes it."""
    home = len(f"{folder}/")
    names = (f"{where}/{name}" for where, _, names in os.walk(folder) for name in names if not name.endswith(LOCKS))
    return {name[home:]: _read_file(Path(name)) for name in names if os.path.isfile(name)}


def _read_file(path):
    """Its bytes; of a journal all that is not in its trend, which says of each run how it ended."""
    whole = path.read_bytes()
    return _dump(whole) if whole and path.suffix == ".sqlite" else whole


@lru_cache(maxsize=8)  # most that is done leaves the journal as it was
def _dump(whole):
    with suppress(sqlite3.Error, UnicodeError), closing(sqlite3.connect(":memory:")) as base:
        base.deserialize(whole)
        return "\n".join(line for line in base.iterdump() if "trend" not in line.partition("(")[0]).encode()
    return whole


def find_unbooked(known, after):
    """Writes that Harness took although the load under way did not book them or left their object out, and what was made twice.

    known: how many writes Harness remembered before. The same PUT again, after an answer that says nothing, changes nothing.
    """
    writes = _read_writes(after)
    if (
        not isinstance(writes, list) or len(writes) == known
    ):  # none where the memory was broken, and nothing wrote to it
        return []
    new = Counter(
        (one["method"], one["path"], one["key"].rpartition("/")[2]) for one in writes[known:] if is_write(one)
    )
    with closing(sqlite3.connect(after / "journal.sqlite")) as base:
        rows = base.execute("select identifier, state from steps where load = (select max(id) from loads) order by id")
        booked = {identifier for identifier, state in rows if state != "skipped"}
    unbooked = {f"{method} {path} {key}" for method, path, key in new if key not in booked}
    return sorted(
        unbooked | {f"{' '.join(write)} twice" for write, times in new.items() if times > 1 and write[0] == "POST"}
    )


def is_write(row):
    """Not so where the memory itself was broken."""
    return isinstance(row, dict) and {"method", "path", "key"} <= row.keys() and isinstance(row["key"], str)


def _read_writes(folder):
    """None where the memory was broken."""
    try:
        return json.loads((folder / "sandbox" / "harness.json").read_text())["writes"]
    except (ValueError, TypeError, LookupError, RecursionError, OSError):
        return None
