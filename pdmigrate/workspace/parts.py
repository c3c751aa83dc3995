"""The file of a reading under way: what was read, so that the same command goes on from there after a stop.

One line an answer, each with its checksum; the first says of which account, with which key, and when it was begun. A part
of another account, with another key, of another pdmigrate, too old or damaged is not used, and that is said.
"""

import hashlib
import json
import logging
import os
import secrets
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from pdmigrate import __version__
from pdmigrate.errors import IncompleteFetchError, WrongAccountError
from pdmigrate.wire.json_text import OF_FILE, read_json
from pdmigrate.workspace.folder import make_folder, refuse_links
from pdmigrate.workspace.states import read_within

log = logging.getLogger("pdmigrate")


class PartFile:
    """One such file, opened. since: when the reading was begun, which is when its snapshot is of. used: answers taken."""

    def __init__(self, path: Path, since: datetime, head: dict[str, str], answers: dict[str, Any]):
        self.since, self.used = since, 0
        self._path, self._head, self._answers = path, head, answers
        self._file: Any = None
        self._closed = False

    def __len__(self) -> int:
        return len(self._answers)

    def take(self, request: str) -> Any | None:
        """What was kept, once."""
        found = self._answers.pop(request, None)
        self.used += found is not None
        return found

    def keep(self, request: str, answer: Any) -> None:
        """Write it to the end. Where that does not work nothing is lost but what the next run would have been spared."""
        line = _seal([request, answer])
        with _LOCK:
            if self._closed:
                return
            try:
                if self._file is None:
                    self._file = self._open()
                self._file.write(line)
                self._file.flush()
            except OSError as error:
                self._closed = True
                log.warning("What is read is not kept for another run: %s", error.strerror)

    def close(self, forget: bool) -> None:
        """forget: the file goes; what it held is whole elsewhere, or does not fit together."""
        with _LOCK:
            self._closed = True
            if self._file:
                with suppress(OSError):  # it tries once more to write what it could not, which was said
                    self._file.close()
            if forget:
                self._path.unlink(missing_ok=True)

    def _open(self) -> Any:
        fresh = not self._path.exists()
        make_folder(refuse_links(self._path).parent)
        file = open(self._path, "ab", opener=lambda path, flags: os.open(path, flags, 0o600))  # noqa: SIM115 - see close
        if fresh:
            file.write(_seal(self._head))
        return file


_LOCK = threading.Lock()


@contextmanager
def open_part(
    path: Path, account: str, mark: Callable[[str], str], now: datetime, hours: int
) -> Iterator[PartFile | None]:
    """The part of the reading that begins now, or goes on. None while another one has the file.

    account: whose it is, in whatever words. mark: a digest of the key with a salt. hours: how old it may be. Afterwards
    the file stays where the reading was stopped, or the side went away; what does not fit together is forgotten.
    """
    make_folder(refuse_links(path).parent)
    lock = FileLock(refuse_links(path.with_name(f".{path.name}.lock")), preserve_lock_file=True)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        yield None
        return
    forget = False
    part = _read_part(path, account, mark, now, hours)
    try:
        yield part
        forget = True
    except (IncompleteFetchError, WrongAccountError):
        forget = True
        raise
    finally:
        part.close(forget)
        lock.release()


def _read_part(path: Path, account: str, mark: Callable[[str], str], now: datetime, hours: int) -> PartFile:
    """What is there and can be used, or a new one."""
    salt = secrets.token_hex(8)
    head = {"account": account, "version": __version__, "salt": salt, "key": mark(salt), "since": now.isoformat()}
    fresh = PartFile(path, now, head, {})
    if not path.is_file():
        return fresh
    try:
        lines = read_within(path, OF_FILE.size).split(b"\n")
        known = _open_seal(lines[0])
        answers = dict(_open_seal(line) for line in lines[1:-1])  # after the last line end: what was not written whole
        since = datetime.fromisoformat(known["since"])
        why = _find_fault(known, head, mark(known["salt"]), now - since, hours)
    except (OSError, ValueError, TypeError, KeyError):
        why = "it is damaged"
    if why:
        log.warning("What an earlier run had read of PagerDuty is not used (%s): everything is read again.", why)
        path.unlink()
        return fresh
    if lines[-1]:
        with open(path, "r+b") as file:
            file.truncate(sum(len(line) + 1 for line in lines[:-1]))
    return PartFile(path, since, known, answers)


def _find_fault(known: dict[str, str], head: dict[str, str], key: str, age: timedelta, hours: int) -> str:
    """Why it cannot be used; "" where it can."""
    if known["account"] != head["account"]:
        return "it is of another account"
    if known["key"] != key:
        return "it was read with another key"
    if known["version"] != head["version"]:
        return "it is of another version of pdmigrate"
    if not timedelta(0) <= age <= timedelta(hours=hours):
        return f"it was begun more than {hours} hours ago, or the clock was set back"
    return ""


def _seal(data: Any) -> bytes:
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "surrogatepass")
    return _digest(text) + b" " + text + b"\n"


def _open_seal(line: bytes) -> Any:
    digest, _, text = line.partition(b" ")
    if digest != _digest(text):
        raise ValueError
    return read_json(text)


def _digest(text: bytes) -> bytes:
    return hashlib.sha256(text).hexdigest()[:16].encode()
