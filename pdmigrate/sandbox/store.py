"""The memory of an embedded server: one JSON document, alone or shared through a file."""

import fcntl
import json
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

Json = dict[str, Any]
"""What a server holds, asks and answers: JSON objects, as the APIs have them."""
Stamp = tuple[int, int, int]
"""By which a file that somebody else has replaced is known."""


class Store:
    """One JSON document. With a path it lives in that file, and every process that opens the file sees the same one.

    `initial` makes the document when the file does not exist yet (or when there is no path).
    """

    def __init__(self, path: Path | None, initial: Callable[[], Json]):
        self.path = path
        self._lock = threading.RLock()
        self._document: Json = {}
        self._stamp: Stamp | None = None
        with self._lock, self._file_lock():
            if self._file_stamp():
                self._reload()
            else:
                self._document = initial()
                self._save()

    def read(self) -> Json:
        """The document as it is now. Read-only: what you change in it is not kept, and may be seen by others."""
        with self._lock:
            return self._reload()

    @contextmanager
    def change(self) -> Iterator[Json]:
        """Hold the document for a change; it is saved on the way out, unless an error leaves the block."""
        with self._lock, self._file_lock():
            yield self._reload()
            self._save()

    @contextmanager
    def _file_lock(self) -> Iterator[None]:
        if self.path is None:
            yield
            return
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with open(self.path.with_suffix(".lock"), "w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def _reload(self) -> Json:
        stamp = self._file_stamp()
        if self.path and stamp and stamp != self._stamp:
            self._document = _read_memory(self.path)
            self._stamp = stamp
        return self._document

    def _save(self) -> None:
        if self.path is None:
            return
        fresh = self.path.with_suffix(".new")
        fresh.touch(mode=0o600)  # a rehearsal holds what a client's snapshot does
        fresh.write_text(json.dumps(self._document, ensure_ascii=False), encoding="utf-8")
        os.replace(fresh, self.path)
        self._stamp = self._file_stamp()

    def _file_stamp(self) -> Stamp | None:
        if self.path is None or not self.path.exists():
            return None
        status = self.path.stat()
        return (status.st_ino, status.st_mtime_ns, status.st_size)


def _read_memory(path: Path) -> Json:
    """Raises ValueError, in one line, where something else than a server has written to it."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, RecursionError, OSError) as error:
        found, why = None, type(error).__name__
    else:
        why = "it is no object"
    if not isinstance(found, dict):
        raise ValueError(f"sandbox/{path.name} is damaged ({why}): remove it, and the embedded side begins anew.")
    return found
