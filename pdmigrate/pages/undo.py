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
    lead = " ".join([lead, *describe_beside(undone)])
    return Page("undo", f"Undo of run {undone.run.number}", lead, figures=figures)


def describe_beside(undone: Undone) -> list[str]:
    """What an undo cannot take back, what it deletes, and what becomes of the approval: a sentence each."""
    made = sum(not revert.left and revert.action.before is None for revert in undone.reverts)
    happens = "was" if undone.written else "would be"
    said = [f"What the run made {happens} removed from Harness: {format_number(made, 'object')}."] if made else []
    if undone.mailed:
        said.append(f"Mailed already, and a mail stays sent: {', '.join(undone.mailed)}.")
    if undone.approval:
        said.append(f"The plan was {undone.approval.describe()}: that {happens} withdrawn.")
    return said


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


def section_beside(undone: Undone) -> Section:
    """What an undo deletes, whom it cannot call back a mail from, and what becomes of the approval."""
    return Section(
        "Beside it", " ".join(describe_beside(undone)) or "Nothing is removed, and the run has mailed nobody."
    )


def list_undone(undone: Undone) -> list[tuple[str, str, str, str]]:
    """What the run did, the kind, the object, and what becomes of it: for the command line."""

    def describe(revert: Revert) -> str:
        return f"left, {revert.left}" if revert.left else revert.note if undone.written else "to take back"

    return [(r.action.verb, r.action.kind, r.action.name, describe(r)) for r in undone.reverts]


def describe_undone(undone: Undone) -> list[str]:
    """What is to be said beside the list."""
    nothing = [] if undone.reverts else ["nothing to take back"]
    hint = [] if undone.written else [f"Nothing was written: add --yes to take back run {undone.run.number}."]
    return [*nothing, *describe_beside(undone), *hint]


def _table(reverts: Iterable[Revert], heading: str, describe: Callable[[Revert], str], empty: str) -> Table:
    columns: Columns[Revert] = {
        "Kind": lambda revert: KIND_NAMES[revert.action.kind],
        "Object": lambda revert: revert.action.name,
        "The run did": lambda revert: revert.action.verb,
        heading: describe,
    }
    return make_table(reverts, columns, empty)


PARTS = {"beside": section_beside, "back": section_back, "left": section_left}
