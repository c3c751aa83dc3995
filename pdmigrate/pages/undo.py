"""The page of an undo: what it would take back, or has taken back, and what it leaves."""

from collections.abc import Callable, Iterable

from pdmigrate.oncall.words import format_number
from pdmigrate.pages.show import Columns, Figure, Page, Section, Table, make_table
from pdmigrate.pages.words import KIND_NAMES, warn_if
from pdmigrate.steps.undo import Revert, Undone


def make_page(undone: Undone) -> Page:
    back, left = len(undone.reverts) - len(undone.left), len(undone.left)
    were, would = ("was", "were") if undone.written else ("can be", "can be")
    stay = ("was" if left == 1 else "were") if undone.written else "would be"
    nothing = "" if undone.written else " Nothing was written yet."
    told = format_number(back, f"step of run {undone.run.number} {were}", f"steps of run {undone.run.number} {would}")
    lead = f"{told} taken back, {left:,} {stay} left as {'it is' if left == 1 else 'they are'}.{nothing}"
    figures = (Figure(_title(undone), str(back)), Figure("Left as it is", str(left), warn_if(left)))
    return Page("undo", f"Undo of run {undone.run.number}", lead, figures=figures)


def section_back(undone: Undone) -> Section:
    """What is taken back, newest first."""

    def describe(revert: Revert) -> str:
        return revert.note or ("would be removed" if revert.action.before is None else "would be as it was before")

    back = [revert for revert in undone.reverts if not revert.left]
    return Section(_title(undone), table=_table(back, "Now", describe, "Nothing."))


def _title(undone: Undone) -> str:
    return "Taken back" if undone.written else "Can be taken back"


def section_left(undone: Undone) -> Section:
    """What is left as it is, and why."""
    return Section("Left as it is", table=_table(undone.left, "Why", lambda revert: revert.left, "Nothing is left."))


def describe_undone(undone: Undone) -> list[str]:
    """The same in lines, for the command line."""
    lines = []
    for revert in undone.reverts:
        words = f"left, {revert.left}" if revert.left else revert.note if undone.written else "to take back"
        lines.append(f"{revert.action.verb:<7} {revert.action.kind:<19} {revert.action.name}: {words}")
    hint = [] if undone.written else [f"Nothing was written: add --yes to take back run {undone.run.number}."]
    return (lines or ["nothing to take back"]) + hint


def _table(reverts: Iterable[Revert], heading: str, describe: Callable[[Revert], str], empty: str) -> Table:
    columns: Columns[Revert] = {
        "Kind": lambda revert: KIND_NAMES[revert.action.kind],
        "Object": lambda revert: revert.action.name,
        "The run did": lambda revert: revert.action.verb,
        heading: describe,
    }
    return make_table(reverts, columns, empty)


PARTS = {"back": section_back, "left": section_left}
