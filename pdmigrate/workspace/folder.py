"""The folder of one migration: where each file lives, and writes that are whole or not there."""

import gzip
import io
import json
import os
import stat
import tempfile
import zlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any

from filelock import FileLock

from pdmigrate.errors import RefusedError, SettingsError, describe_unwritable, shorten
from pdmigrate.wire.canonical import spell_parts
from pdmigrate.wire.forms import FormError
from pdmigrate.wire.json_text import MEGABYTE, OF_FILE, JsonError, read_json
from pdmigrate.workspace.states import read_state, read_within

STEPS = ("connect", "preview", "invite", "conflicts", "load", "verify")
"""The six steps in their order. The word is the same in the notebook, the module, the test and the report."""


class Workspace:
    """A folder. Knows the paths, and nothing of what the files mean.

    migration.yaml, decisions.yaml: made for people. journal.sqlite: what was loaded. snapshots/: what the source said.
    history/: what happened there. state/STEP.json: what a step leaves for the next; state/fetch.part: of a fetch that was
    stopped. sandbox/: the embedded sides. reports/RUN/: what people look at, reports/by-hand/: of what is done by hand.
    notebooks/: this client's copies.
    """

    def __init__(self, folder: Path | str):
        self.folder = folder = Path(folder).resolve()
        self.settings_file, self.decisions_file = folder / "migration.yaml", folder / "decisions.yaml"
        self.journal_file = folder / "journal.sqlite"
        self.snapshots, self.sandbox, self.reports = folder / "snapshots", folder / "sandbox", folder / "reports"
        self.by_hand, self.notebooks = self.reports / "by-hand", folder / "notebooks"
        self.part_file = folder / "state" / "fetch.part"

    def cancel_file(self, run: str) -> Path:
        """There while this headless run, and no other, has been told to stop. run: the token of its hold."""
        return self.folder / f".cancel-{run}"

    def drop_requests(self, runs: Iterable[str]) -> None:
        """Take away what runs that are gone were told. Only for who holds the workspace. runs: those under way."""
        under_way = {self.cancel_file(run) for run in runs}
        for path in set(self.folder.glob(".cancel*")) - under_way:
            path.unlink(missing_ok=True)

    def check(self) -> "Workspace":
        """Raise SettingsError unless this is a workspace."""
        if not self.settings_file.is_file():
            raise SettingsError(f"{self.folder} is no workspace (no migration.yaml): make one with pdmigrate init.")
        return self

    def place_run(self, reports: Path | str) -> Path:
        """A run's folder as it was named; one of the workspace is not resolved, so that a link in it is seen."""
        path = Path(os.path.abspath(reports))
        return path if path.is_relative_to(self.folder) else path.resolve()

    def state_file(self, name: str) -> Path:
        return self.folder / "state" / f"{name}.json"

    def save_state(self, name: str, data: Any) -> None:
        """Leave what a step found for the next one."""
        write_json(self.state_file(name), data)

    def load_state(self, name: str, step: str) -> Any:
        """What an earlier step left. Raises SettingsError that names the step to run first."""
        path = self.state_file(name)
        if not path.is_file():
            raise SettingsError(f"There is no {name} in the workspace yet: run the step {step} first.")
        return read_state(path, name)

    def find_state(self, name: str) -> Any:
        """What an earlier step left, or None."""
        path = self.state_file(name)
        return read_state(path, name) if path.is_file() else None

    def change_state(self, name: str, edit: Callable[[Any], Any]) -> None:
        """Read, change and write under a lock: two notebooks open at once do not overwrite each other."""
        path = self.state_file(name)
        with lock_beside(path.with_name(name)):
            write_json(path, edit(self.find_state(name)))


@contextmanager
def lock_beside(path: Path) -> Iterator[None]:
    """Hold the lock of a file while it is read, changed and written. Waits for whoever has it, thread or process.

    Raises UnwritableError where the lock's own file cannot be made.
    """
    lock = FileLock(refuse_links(path.with_name(f".{path.name}.lock")), preserve_lock_file=True)
    try:
        make_folder(path.parent)
        lock.acquire()
    except OSError as error:
        raise describe_unwritable(error, path) from None
    try:
        yield
    finally:
        lock.release()


def make_folder(path: Path) -> Path:
    """Make the folder and those on the way that are missing, for nobody but us: what lies in it names people."""
    missing = [place for place in (path, *path.parents) if not place.is_dir()]
    for place in reversed(missing):
        place.mkdir(mode=0o700, exist_ok=True)
    return path


def refuse_links(path: Path) -> Path:
    """The same path. Raises RefusedError where it, or a folder on the way to it, is a symbolic link: it leads elsewhere.

    What a person names (a workspace, a folder to publish to) is resolved first; then no link is in it but one that
    somebody has put there.
    """
    link = next((place for place in (path, *path.parents) if place.is_symlink()), None)
    if link:
        raise RefusedError(f"{link} is a symbolic link, which is not followed: put the file or folder itself there.")
    return path


def write_text(path: Path, text: str) -> None:
    """Write a file so that a reader sees the old one or the new one, never a half."""
    write_bytes(path, text.encode("utf-8"))


def write_bytes(path: Path, content: bytes) -> None:
    """As write_text, for bytes. A file that is there keeps its owner and mode; a new one is for nobody but us.

    Raises RefusedError where a symbolic link is on the way, and UnwritableError, which leaves nothing beside what was there.
    """
    fresh = ""
    try:
        make_folder(refuse_links(path).parent)
        handle, fresh = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        if path.exists():
            _take_after(Path(fresh), path.stat())
        os.replace(fresh, path)
    except BaseException as error:
        if fresh:
            Path(fresh).unlink(missing_ok=True)
        if isinstance(error, OSError):
            raise describe_unwritable(error, path) from None
        raise


def _take_after(fresh: Path, known: os.stat_result) -> None:
    """Only root may give a file away; the group may be kept by its members."""
    for owner in (known.st_uid, -1):
        try:
            os.chown(fresh, owner, known.st_gid)
            break
        except PermissionError:
            continue
    fresh.chmod(stat.S_IMODE(known.st_mode))


def write_json(path: Path, data: Any) -> None:
    """Write JSON, readable and always in the same order."""
    write_text(path, json.dumps(data, ensure_ascii=False, indent=1, sort_keys=True) + "\n")


def write_packed(path: Path, data: Any) -> None:
    """Write compressed JSON with the same bytes for the same data."""
    packer = zlib.compressobj(9, zlib.DEFLATED, zlib.MAX_WBITS | 16)  # as gzip, without a time
    write_bytes(path, b"".join([*map(packer.compress, spell_parts(data)), packer.flush()]))


def read_packed(path: Path) -> Any:
    """What write_packed wrote, within limits. Raises OSError, EOFError, zlib.error or JsonError for what is damaged."""
    return read_json(unpack(read_within(path, OF_FILE.size)))


def unpack(raw: bytes) -> bytes:
    """What is behind gzip, and no more than tells that it is too much. Raises OSError, EOFError or zlib.error."""
    with gzip.open(io.BytesIO(raw)) as file:
        pieces = iter(partial(file.read, MEGABYTE), b"")  # a buffer is as large as what is asked for
        return b"".join(islice(pieces, OF_FILE.size // MEGABYTE + 1))


def describe_damage(error: Exception) -> str:
    """Why a packed file was not read: in our own words where there are some, else by the kind of the error."""
    return shorten(str(error)) if isinstance(error, JsonError | FormError) else type(error).__name__


def stamp(path: Path) -> tuple[int, ...]:
    """Another one after each change of a file; () where there is none."""
    try:
        found = path.stat()
    except OSError:
        return ()
    return (found.st_ino, found.st_mtime_ns, found.st_size)
