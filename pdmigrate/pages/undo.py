"""The page of an undo: what it would take back, or has taken back, and what it leaves."""

from collections.abc import Callable, Iterable

from pdmigrate.pages.report import Figure, Page, Section, Table, make_table
from pdmigrate.pages.words import KIND_NAMES
from pdmigrate.steps.undo import Revert, Undone


def make_page(undone: Undone, status: str) -> Page:
    back, left = len(undone.reverts) - len(undone.left), len(undone.left)
    lead = (
        f"{back} steps of run {undone.run.number} {'were taken back' if undone.written else 'can be taken back'}, "
        f"{left} {'were' if undone.written else 'would be'} left as they are."
    )
    figures = (Figure(_title(undone), str(back)), Figure("Left as it is", str(left), "warn" if left else "good"))
    sections = tuple(part(undone) for part in PARTS.values())
    nothing = "" if undone.written else " Nothing was written yet."
    return Page("undo", f"Undo of run {undone.run.number}", lead + nothing, status, figures, sections)


def section_back(undone: Undone) -> Section:
    """What is taken back, newest first."""
    back = [revert for revert in undone.reverts if not revert.left]
    return Section(_title(undone), table=_table(back, "Now", lambda r: r.note or _tell_plan(r), "Nothing."))


def _title(undone: Undone) -> str:
    return "Taken back" if undone.written else "Can be taken back"


def _tell_plan(revert: Revert) -> str:
    return "would be removed" if revert.step.before is None else "would be as it was before"


def section_left(undone: Undone) -> Section:
    """What is left as it is, and why."""
    return Section("Left as it is", table=_table(undone.left, "Why", lambda revert: revert.left, "Nothing is left."))


def tell_undone(undone: Undone) -> list[str]:
    """The same in lines, for the command line."""
    lines = [_tell(revert, undone.written) for revert in undone.reverts] or ["nothing to take back"]
    hint = [] if undone.written else [f"Nothing was written: add --yes to take back run {undone.run.number}."]
    return lines + hint


def _tell(revert: Revert, written: bool) -> str:
    step, words = revert.step, revert.note if written else "to take back"
    return f"{step.verb:<7} {step.kind:<19} {step.name}: {f'left, {revert.left}' if revert.left else words}"


def _table(reverts: Iterable[Revert], heading: str, tell: Callable[[Revert], str], empty: str) -> Table:
    return make_table(
        reverts,
        {
            "Kind": lambda revert: KIND_NAMES[revert.step.kind],
            "Object": lambda revert: revert.step.name,
            "The run did": lambda revert: revert.step.verb,
            heading: tell,
        },
        empty,
    )


PARTS = {"back": section_back, "left": section_left}
