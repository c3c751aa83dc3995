"""The small pieces that every widget is made of."""

import functools
import getpass
import os
from collections.abc import Callable
from typing import Any

import ipywidgets
from IPython.display import HTML, display
from markupsafe import escape

from pdmigrate.errors import PdmigrateError
from pdmigrate.pages.show import show
from pdmigrate.runs.person import is_interactive as is_interactive
from pdmigrate.runs.person import nobody_there
from pdmigrate.steps.job import read_clock

WIDE = ipywidgets.Layout(width="calc(100% - 4px)", max_width="60rem")
NARROW = ipywidgets.Layout(width="17rem", max_width="100%")
LABELS = {"description_width": "5.5rem"}
ROW = ipywidgets.Layout(flex_flow="row wrap", align_items="center", max_width="60rem")


KEPT = """<style>.jp-OutputArea:has(.widget-box,.widget-html)>.jp-OutputArea-child:has(.pdm-kept){display:none}
.jp-OutputArea:has(.pdm-kept) .jp-OutputArea-output.jupyter-widgets:not(:has(*)){display:none}</style>"""
"""While the widget lives its table is not seen; without it (the notebook was opened anew) the table is, and no error."""


class Kept:
    """A widget, and the table that stands in its place where the notebook is read without its kernel."""

    def __init__(self, widget: ipywidgets.Widget, table: Any):
        self.children, self.table = (widget,), table
        self.at = read_clock()

    def _ipython_display_(self) -> None:
        words = f"As it was on {self.at:%Y-%m-%d at %H:%M} UTC, when this cell was run; run it again to go on from now."
        note = f'{KEPT}<div class="pdm cell pdm-kept"><p class="note">{words}</p>{self.table._repr_html_()}</div>'
        display(HTML(note), *self.children)  # type: ignore[no-untyped-call]  # IPython's has no types


def keep_table(ask: Callable[..., Any]) -> Callable[..., Any]:
    """A widget stays readable: what the same call shows headless is kept beside it in the saved notebook."""

    @functools.wraps(ask)
    def asked(*given: Any) -> Any:
        shown = ask(*given)
        if not isinstance(shown, ipywidgets.Widget):
            return shown
        with nobody_there():
            return Kept(shown, ask(*given))

    return asked


def make_text(label: str, hint: str = "", value: str = "", layout: ipywidgets.Layout = WIDE) -> ipywidgets.Text:
    """A line to type in; the label is what a screen reader says."""
    return ipywidgets.Text(value=value, description=label, placeholder=hint, layout=layout, style=LABELS)


def make_menu(
    label: str, options: list[tuple[str, Any]], value: Any = None, layout: ipywidgets.Layout = WIDE
) -> ipywidgets.Dropdown:
    """A menu of (words, value); it starts at the first, or at `value`."""
    first = options[0][1] if value is None else value
    return ipywidgets.Dropdown(options=options, value=first, description=label, layout=layout, style=LABELS)


def make_tick(label: str, value: bool = False) -> ipywidgets.Checkbox:
    return ipywidgets.Checkbox(value, description=label, indent=False, layout=WIDE)


def make_button(label: str, act: Callable[[], None], style: str = "", hint: str = "") -> ipywidgets.Button:
    """A button as wide as its words. A click that was on its way when the button was disabled does nothing."""
    layout = ipywidgets.Layout(width="auto", align_self="flex-start")
    button = ipywidgets.Button(description=label, button_style=style, tooltip=hint or None, layout=layout)
    button.on_click(lambda _: None if button.disabled else act())
    return button


def stand_side_by_side(*children: ipywidgets.Widget) -> ipywidgets.HBox:
    """In a row, which breaks where the window is narrow."""
    return ipywidgets.HBox(list(children), layout=ROW)


def stand_below(*children: ipywidgets.Widget) -> ipywidgets.VBox:
    return ipywidgets.VBox(list(children), layout=WIDE)


def draw(*things: Any) -> str:
    """Tables, sections and drawings as the markup of a cell."""
    return show(*things)._repr_html_()


class Saying:
    """One line that says what happened; a screen reader is told of it."""

    def __init__(self) -> None:
        self.line = ipywidgets.HTML()

    def say(self, words: str, tone: str = "plain") -> None:
        self.line.value = f'<div role="status" class="pdm-said {tone}">{escape(words)}</div>' if words else ""

    def attempt(self, act: Callable[[], Any], words: str) -> bool:
        """Do it, draw what it changes included, and say so; or say the error in one line."""
        try:
            act()
        except PdmigrateError as error:
            self.say(str(error), "bad")
            return False
        self.say(words)
        return True


class Signature:
    """Below everything that is decided: by whom and why, the buttons, and the line that says what came of a click."""

    def __init__(self, *buttons: tuple[Any, ...], why: str = "Why"):
        """Each button as make_button takes it. why: the label of the reason; without one none is asked for."""
        self._who = make_text("Decided by", value=os.environ.get("PDMIGRATE_USER") or getpass.getuser(), layout=NARROW)
        self._why = make_text(why, "a word for the record")
        self._fields = [self._why, self._who] if why else [self._who]
        self._said, self._buttons = Saying(), [make_button(*button) for button in buttons]
        self.say, self.attempt = self._said.say, self._said.attempt
        self.fields = stand_below(*self._fields)
        self.ending = stand_below(stand_side_by_side(*self._buttons), self._said.line)

    @property
    def by(self) -> str:
        return str(self._who.value).strip()

    @property
    def why(self) -> str:
        return str(self._why.value).strip()

    def stand_below(self, *children: ipywidgets.Widget) -> ipywidgets.VBox:
        """What is decided, and this beneath it."""
        return stand_below(*children, self.fields, self.ending)
