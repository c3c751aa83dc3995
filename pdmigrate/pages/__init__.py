"""What each step found, as sections: the same ones in the notebook and on the page."""

from types import ModuleType
from typing import Any

from pdmigrate.pages import conflicts, connect, history, invite, load, preview, undo, verify
from pdmigrate.pages.report import Page
from pdmigrate.pages.show import Shown, show
from pdmigrate.steps.conflicts import Decided
from pdmigrate.steps.connect import Access
from pdmigrate.steps.history import History
from pdmigrate.steps.invite import People
from pdmigrate.steps.load import Loaded
from pdmigrate.steps.preview import Preview
from pdmigrate.steps.undo import Undone
from pdmigrate.steps.verify import Verified

_PAGES: dict[type, ModuleType] = {
    Access: connect,
    Preview: preview,
    People: invite,
    Decided: conflicts,
    Loaded: load,
    Verified: verify,
    History: history,
    Undone: undo,
}


def step_of(result: Any) -> str:
    """The step that a result belongs to."""
    return _PAGES[type(result)].__name__.rpartition(".")[2]


def make_page(result: Any, status: str) -> Page:
    """The whole page of a step."""
    return _PAGES[type(result)].make_page(result, status)


def look(result: Any, *parts: str) -> Shown:
    """Some parts of a step's page, to be the last line of a cell. Raises ValueError that names the parts there are."""
    known = _PAGES[type(result)].PARTS
    unknown = [part for part in parts if part not in known]
    if unknown:
        raise ValueError(f"There is no part {', '.join(unknown)} of {step_of(result)}: there are {', '.join(known)}.")
    return show(*(known[part](result) for part in parts))
