"""Publishing: copy what stakeholders may see out of a run's folder, searched for secrets, masked where asked."""

import os
import re
import shutil
import zlib
from collections.abc import Sequence
from pathlib import Path

from pdmigrate.errors import RefusedError, SecretFoundError, SettingsError
from pdmigrate.pages.markup import mask_markup, mask_text
from pdmigrate.wire.progress import Progress
from pdmigrate.wire.redaction import spell_secret
from pdmigrate.workspace.folder import make_folder, refuse_links, write_text

PAGES = ("stakeholders", "team", "replay")
SHARED = (
    "stakeholders.html",
    "team-*.html",
    "replay.html",
    *(f"tables/{page}-*.csv" for page in PAGES),
)
"""The report for stakeholders, the page of each team, the replay, and their tables. Notebooks, snapshots and journals stay."""

FRESH = ".pdmigrate-publish"
"""Where the pages lie until all are there, in the folder that they are for: moving them takes no room."""

MADE = ".published"
"""What says that publish has made a folder."""

SHORTEST_SECRET = 8
"""PagerDuty's keys have 20 characters, Harness's more; a word that somebody typed for a key may stand in any sentence."""

_LEFT_ALONE = re.compile(r"(<style>.*?</style>|<script>.*?</script>)", re.DOTALL)
_MENU = re.compile(r'<nav class="steps".*?</nav>\n?', re.DOTALL)
_ENTRY = re.compile(r'<li><a href="([^"]*)".*?</li>\n?', re.DOTALL)
_WORDED = re.compile(r'(?<= )(aria-label|data-filter|title|content)="([^"]*)"')


def find_run(reports: Path, name: str = "") -> Path:
    """The folder of the named run, or of the newest one with a report for stakeholders. Raises SettingsError."""
    found = [path.parent for path in reports.glob(f"*/{SHARED[0]}") if name in ("", path.parent.name)]
    if not found:
        raise SettingsError(f"No run {name or ''} in {reports} has {SHARED[0]}: run verify first.".replace("  ", " "))
    return max(found, key=lambda folder: (folder / SHARED[0]).stat().st_mtime)


def publish(
    run: Path, folder: Path, secrets: Sequence[str], mask: bool = True, progress: Progress | None = None
) -> list[Path]:
    """Copy the shared pages of a run. Returns the copies; beside them stands MADE.

    mask: emails and phone numbers become unusable; names stay. The folder must be new, empty, or one that this made and
    nobody has put anything else into, which is replaced. Raises RefusedError for any other and for a page that is damaged,
    SecretFoundError where a secret stands in one, both before anything is written, and UnwritableError, which leaves
    what was published before as it was.
    """
    sources = [path for pattern in SHARED for path in sorted(run.glob(pattern))]
    for path in sources:
        refuse_links(path)
    folder, follow = folder.resolve(), (progress or Progress()).follow
    searched = follow("files searched for secrets", sources)
    found = [str(path.relative_to(run)) for path in searched if holds_secret(path.read_bytes(), secrets)]
    if found:
        raise SecretFoundError(
            f"A secret stands in {', '.join(found[:5])}: nothing was published; change the key, report this as a bug."
        )
    fresh = folder / FRESH
    shutil.rmtree(fresh, ignore_errors=True)  # of one that was killed
    ours = {path for pattern in SHARED for path in folder.glob(pattern) if not path.is_symlink()}
    found_there = [path for path in folder.rglob("*") if path.is_symlink() or path.is_file()]
    strange = [path for path in found_there if path not in {*ours, folder / MADE}]
    if strange:
        raise RefusedError(f"{folder} holds other files ({strange[0].name}): publish to a folder of its own.")
    if found_there and folder / MADE not in found_there:
        raise RefusedError(
            f"{folder} was not made by publish (no {MADE}): publish to a new folder, or empty this one first."
        )
    names = [path.relative_to(run) for path in sources]
    try:
        for name, path in follow("files written", list(zip(names, sources, strict=True))):
            text = _leave_links_to(set(map(str, names)), _read_page(path))
            write_text(fresh / name, mask_file(name, text) if mask else text)
        write_text(folder / MADE, f"Published by pdmigrate from the run {run.name}; published again, it is replaced.\n")
        for path in ours - {folder / name for name in names}:
            path.unlink()
        for name in names:
            make_folder((folder / name).parent)
            os.replace(fresh / name, folder / name)
    finally:
        shutil.rmtree(fresh, ignore_errors=True)
    return [folder / name for name in names]


def _read_page(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        raise RefusedError(f"{path.name} is damaged (it is no UTF-8): run verify again, then publish.") from None


def _leave_links_to(there: set[str], text: str) -> str:
    """The page with those links in its menu that lead to what is published; without a menu where none does."""

    def cut(menu: re.Match[str]) -> str:
        kept = _ENTRY.sub(lambda entry: entry[0] if entry[1] in there else "", menu[0])
        return kept if _ENTRY.search(kept) else ""

    return _MENU.sub(cut, text, count=1)


def scan_for_secrets(folder: Path, secrets: Sequence[str]) -> list[Path]:
    """The files below the folder in which one of the secrets stands, as it is or as JSON or a page would spell it.

    Snapshots are looked into: compressed, they would hide anything.
    """
    return [path for path in sorted(folder.rglob("*")) if path.is_file() and holds_secret(_read(path), secrets)]


def check_published(folder: Path, secrets: Sequence[str]) -> None:
    """Raise SecretFoundError, and remove the files, where a secret stands in what a run leaves behind."""
    found = scan_for_secrets(folder, secrets)
    for path in found:
        path.unlink()
    if found:
        names = ", ".join(str(path.relative_to(folder)) for path in found[:5])
        raise SecretFoundError(f"A secret stood in {names}: removed; change the key, and report this as a bug.")


def holds_secret(content: bytes, secrets: Sequence[str]) -> bool:
    """Whether one of the secrets stands there, in any form and case. What is shorter than a real key is no secret."""
    long, lower = [secret for secret in secrets if len(secret) >= SHORTEST_SECRET], content.lower()
    return any(form.encode("utf-8", "replace") in lower for secret in long for form in spell_secret(secret))


def _read(path: Path) -> bytes:
    """With what is packed in it; of a file that is damaged, up to where it breaks."""
    content = path.read_bytes()
    unpacked, packer = bytearray(), zlib.decompressobj(zlib.MAX_WBITS | 16)
    try:
        for start in range(0, len(content) if path.suffix == ".gz" else 0, 64):
            unpacked += packer.decompress(content[start : start + 64])
    except zlib.error:
        pass  # what came before it is there
    return content + bytes(unpacked)


def mask_file(name: Path, text: str) -> str:
    """A page or a table with emails and phone numbers made unusable."""
    return mask_text(text) if name.suffix == ".csv" else mask_page(text)


def mask_page(page: str) -> str:
    """Mask the words of a page, and those that only a screen reader says; style and script must stay as their hash says.

    A run's folder has its pages and not what they were made of, so what is masked is the page.
    """

    def mask_attribute(found: re.Match[str]) -> str:
        policy = found[2].startswith("default-src")
        return f'{found[1]}="{found[2] if policy else mask_text(found[2])}"'

    parts = _LEFT_ALONE.split(page)
    return "".join(
        part if _LEFT_ALONE.fullmatch(part) else _WORDED.sub(mask_attribute, mask_markup(part)) for part in parts
    )
