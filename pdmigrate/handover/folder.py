"""A handover in a run's folder: the checklist as CSV, and the files that it names; the page is made of the same.

`state/handover.json` has the whole list of the latest plan, `state/handover_given.json` what was handed over before and
in which folder: a later run's folder holds only what is new or has changed since, line by line in the sheets too. The
whole of it is `pdmigrate handover DIR --all`.
"""

from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

from pdmigrate.handover.items import STAGES, Item
from pdmigrate.handover.links import Links
from pdmigrate.handover.planned import list_items
from pdmigrate.handover.sheets import Files, make_files, write_csv, write_files
from pdmigrate.handover.ticks import LIST, read_items
from pdmigrate.mapping.draft import Draft
from pdmigrate.wire.progress import Progress
from pdmigrate.workspace.folder import Workspace, write_text

GIVEN = "handover_given"
COLUMNS: dict[str, Callable[[Item], str]] = {
    "key": lambda item: item.key,
    "kind": lambda item: item.kind,
    "pagerduty_id": lambda item: ";".join(item.ids),
    "name": lambda item: item.name,
    "file": lambda item: item.file,
    "link": lambda item: item.link,
    "expected": lambda item: item.expected,
    "done": lambda item: "yes" if item.tick else "no",
}
"""handover.csv."""


@dataclass(frozen=True)
class Handover:
    """What people have to do. fresh: new or changed since the last handover; given: what was handed over, and where."""

    items: tuple[Item, ...]
    fresh: tuple[Item, ...]
    given: dict[str, dict[str, str]]
    folder: Path

    @property
    def earlier(self) -> tuple[Item, ...]:
        """Still to be done from before."""
        fresh = {item.key for item in self.fresh}
        return tuple(item for item in self.open if item.key not in fresh)

    @property
    def open(self) -> tuple[Item, ...]:
        return tuple(item for item in self.items if not item.tick)


def save_list(workspace: Workspace, found: Draft, links: Links) -> None:
    """Leave the list of the plan, with its files, for the load that will hand it over."""
    items = [asdict(item) for item in list_items(found, links)]
    for row in items:
        del row["tick"]  # it has a file of its own
    workspace.save_state(LIST, {"plan": found.plan.digest, "items": items, "files": asdict(make_files(found, links))})


def open_handover(workspace: Workspace, folder: Path, everything: bool = False) -> Handover:
    """The list as it concerns this folder; with `everything` as if nothing had been handed over before."""
    items, given = read_items(workspace), workspace.find_state(GIVEN) or {}

    def is_fresh(item: Item) -> bool:
        before = given.get(item.key, {})
        return everything or before.get("digest") != item.digest or before["folder"] == str(folder)

    return Handover(items, tuple(filter(is_fresh, items)), given, folder)


def write_folder(workspace: Workspace, handover: Handover, progress: Progress | None = None) -> None:
    """Write handover.csv and the files of what is new or changed, and remember that they were handed over."""
    files = Files(**(workspace.find_state(LIST) or {}).get("files", {}))
    written = sorted(write_files(files, handover.fresh).items())
    for path, text in (progress or Progress()).follow("files written", written):
        write_text(handover.folder / path, text)
    rows = [{name: read(item) for name, read in COLUMNS.items()} for item in handover.fresh]
    write_text(handover.folder / "handover.csv", write_csv(rows, tuple(COLUMNS)))
    fresh = {item.key: {"digest": item.digest, "folder": str(handover.folder)} for item in handover.fresh}
    workspace.save_state(GIVEN, {**handover.given, **fresh})


def by_stage(items: tuple[Item, ...]) -> dict[str, tuple[Item, ...]]:
    """The items of each stage that has any, in working order."""
    return {kind: mine for kind in STAGES if (mine := tuple(item for item in items if item.kind == kind))}


def describe_handover(workspace: Workspace) -> str:
    """What is left to do, in working order, a line each."""
    handover = open_handover(workspace, workspace.reports)
    if not handover.items:
        return "handover: nothing was handed over yet; the step load writes it."
    lines = [f"handover: {len(handover.items) - len(handover.open)} of {len(handover.items)} done"]
    for kind, items in by_stage(handover.open).items():
        lines += [f"{STAGES[kind]}:", *(f"  {item.key}  {item.name}" for item in items)]
    return "\n".join(lines)
