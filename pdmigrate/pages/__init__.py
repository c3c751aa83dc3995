"""What each step found, as sections: the same ones in the notebook and on the page."""

from dataclasses import replace
from typing import TYPE_CHECKING

from pdmigrate.pages import conflicts, connect, history, invite, load, parallel, preview, prove, replay, undo, verify
from pdmigrate.pages.explained import explain_named
from pdmigrate.pages.show import Page, Section, Shown, mask, show
from pdmigrate.steps.result import Result

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["look", "make_page", "mask"]

_PAGES = {
    "connect": connect,
    "preview": preview,
    "invite": invite,
    "conflicts": conflicts,
    "load": load,
    "verify": verify,
    "history": history,
    "undo": undo,
    "replay": replay,
    "prove": prove,
    "parallel": parallel,
}
"""A step's name to the module of its page, which has `make_page` for its head, and `PARTS` for its sections."""


def make_page(result: Result) -> Page:
    """The whole page of a step; the word of its status is the page's own, else the step's. What its questions and guards mean stands at its end: a link to there works in a mail."""
    module = _PAGES[result.step]
    head: Page = module.make_page(result)
    sections = [_make_part(result, name) for name in module.PARTS]
    return replace(head, status=head.status or result.status, sections=(*sections, *explain_named(sections)))


def look(result: Result, *parts: "str | pd.DataFrame") -> Shown:
    """Some parts of a step's page, to be the last line of a cell: by their names, or data frames in the same look.

    Raises ValueError that names the parts there are.
    """
    known = _PAGES[result.step].PARTS
    unknown = [part for part in parts if isinstance(part, str) and part not in known]
    if unknown:
        raise ValueError(f"There is no part {', '.join(unknown)} of {result.step}: there are {', '.join(known)}.")
    return show(*(_make_part(result, part) if isinstance(part, str) else part for part in parts))


def _make_part(result: Result, name: str) -> Section:
    """It is made once, for the notebook and for the page: a result does not change."""
    made: dict[str, Section] = vars(result).setdefault("_parts", {})
    if name not in made:
        made[name] = _PAGES[result.step].PARTS[name](result)
    return made[name]
