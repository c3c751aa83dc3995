"""A workspace on object storage: brought into a folder for one command, and what changed there is sent back after it.

fsspec speaks to the storage. An object's name is checked before it becomes a path, and what somebody else has changed
there meanwhile is not written over.
"""

import hashlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from pdmigrate.errors import RefusedError, SettingsError, UnreachableError
from pdmigrate.wire.addresses import refuse_password
from pdmigrate.wire.json_text import MEGABYTE, OF_FILE
from pdmigrate.workspace.folder import write_bytes

SEALED, CHAIN = "manifest.json", "results"
"""Of a run that is sealed the next one needs its manifest, which it names in its own, and what its steps left."""
OURS = ".ours"
"""What is added to the name of a file that could not be sent, since another stands there by now."""


@dataclass(frozen=True)
class Known:
    """A file as it was brought. mark: what the storage said of it, which is another after every change. digest: of its bytes."""

    mark: str
    digest: str


class Storage:
    """One workspace at an address such as s3://BUCKET/clients/acme. What was brought is remembered until it is sent.

    Keys of the storage are the storage's own affair (for S3 the environment or a role); none stands in the address.
    """

    def __init__(self, address: str):
        try:
            self.address = refuse_password(address).rstrip("/")
            import fsspec

            self._files, root = fsspec.url_to_fs(self.address)
        except ImportError as error:
            raise SettingsError(
                f"{address} needs the extra: pip install 'pdmigrate[storage]' (no {error.name or 'client'} here)."
            ) from None
        except ValueError as error:
            raise SettingsError(f"The workspace's address cannot be used: {error}.") from None
        self._root = str(root).rstrip("/")
        self._known: dict[str, Known] = {}

    def read(self, name: str) -> bytes | None:
        """One file; None where there is none."""
        with self._asking():
            return self._read(name) if self._files.exists(self._place(name)) else None

    def bring(self, folder: Path, sealed: bool) -> None:
        """Copy all files into the folder. sealed: whole runs too, and not only what the next one needs of them.

        Raises RefusedError for a name that is no path inside the folder, or a file that is too large.
        """
        with self._asking():
            there = self._list()
            runs = {str(PurePosixPath(name).parent) for name in there if PurePosixPath(name).name == SEALED}
            for name, mark in there.items():
                if sealed or not _is_left(PurePosixPath(name), runs):
                    content = self._read(name)
                    write_bytes(folder / name, content)
                    self._known[name] = Known(mark, _digest(content))

    def send(self, folder: Path) -> tuple[str, ...]:
        """Send what is new or changed in the folder, and remove what is gone there.

        Returns the names that somebody has changed in the storage meanwhile: those stay as they are, and ours stands beside
        them with `.ours` behind its name.
        """
        here = {path.relative_to(folder).as_posix(): path for path in sorted(folder.rglob("*")) if path.is_file()}
        parted = []
        with self._asking():
            there = self._list()
            for name in [name for name in here if not _is_hidden(PurePosixPath(name))]:
                content = here[name].read_bytes()
                known = self._known.get(name)
                if known and known.digest == _digest(content):
                    continue
                moved = there.get(name) != (known.mark if known else None)
                if moved and (name not in there or _digest(self._read(name)) != _digest(content)):
                    parted.append(name)
                    name += OURS
                self._files.pipe_file(self._place(name), content)
            for name in [
                name for name, known in self._known.items() if name not in here and there.get(name) == known.mark
            ]:
                self._files.rm_file(self._place(name))
        return tuple(parted)

    def _list(self) -> dict[str, str]:
        """All files' names and marks."""
        self._files.invalidate_cache()
        found: dict[str, dict[str, Any]] = self._files.find(self._root, detail=True)
        rows = {path.removeprefix(self._root).lstrip("/"): said for path, said in found.items()}
        for name, said in rows.items():
            parts = name.split("/")
            if any(part in ("", ".", "..") or len(part.encode()) > 255 for part in parts) or "\0" in name:
                raise RefusedError(f"{self.address} holds {name!r}, which is no path in a folder: take it away.")
            if (said.get("size") or 0) > OF_FILE.size:
                raise RefusedError(
                    f"{self.address}/{name} is larger than {OF_FILE.size // MEGABYTE} MB: no file of a workspace is."
                )
        marked = {name: repr(sorted((key, str(value)) for key, value in said.items())) for name, said in rows.items()}
        return {name: mark for name, mark in marked.items() if not _is_hidden(PurePosixPath(name))}

    def _read(self, name: str) -> bytes:
        content: bytes = self._files.cat_file(self._place(name))
        return content

    def _place(self, name: str) -> str:
        return f"{self._root}/{name}"

    @contextmanager
    def _asking(self) -> Iterator[None]:
        """Each storage has errors of its own kinds; their words may hold a key, and are not repeated."""
        try:
            yield
        except (RefusedError, KeyboardInterrupt):
            raise
        except Exception as error:
            raise UnreachableError(
                f"{self.address} cannot be read or written ({type(error).__name__}): check the address, the storage and its "
                "rights, then run again."
            ) from None


def describe_parted(address: str, names: Sequence[str]) -> str:
    """What to do about files that two have changed."""
    return (
        f"{address}: {', '.join(names)} changed there while this ran. What stands there was left; ours is beside it, with "
        f"{OURS} behind the name: compare the two, remove that one, then run again."
    )


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _is_hidden(name: PurePosixPath) -> bool:
    """Locks, half-written files and requests to stop are of one machine."""
    return any(part.startswith(".") for part in name.parts)


def _is_left(name: PurePosixPath, runs: set[str]) -> bool:
    """What lies in a sealed run, apart from what the next run needs of it."""
    within = next((str(parent) for parent in name.parents if str(parent) in runs), None)
    return within is not None and name.name != SEALED and name.parent.name != CHAIN
