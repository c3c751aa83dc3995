"""A list with a tick box a row that stays fluid at ten thousand rows: one page of it is in the browser at any time."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import ipywidgets
from markupsafe import escape

from pdmigrate.notebook.parts import (
    NARROW,
    WIDE,
    Signature,
    make_button,
    make_menu,
    make_text,
    make_tick,
    stand_side_by_side,
)

PAGE = 12
EVERYTHING = "everything"


@dataclass(frozen=True)
class Row:
    """One row: its label is what is read and searched. marks: filter name to values, for the menus above the list."""

    key: str
    label: str
    marks: Mapping[str, Sequence[str]] = field(default_factory=dict)


class Roll:
    """Rows to be searched, filtered and ticked. `on_tick` is called when the set of ticked keys has changed.

    filters: the names of the menus; a mapping says what each starts at. only_shown: a row that the search or a menu hides is
    ticked no more. page: how many rows stand on one. about: the mark by which what is ticked is counted in words.
    """

    def __init__(
        self,
        rows: Sequence[Row],
        filters: Sequence[str] | Mapping[str, str] = (),
        ticked: Iterable[str] = (),
        on_tick: Callable[[], None] = lambda: None,
        only_shown: bool = False,
        page: int = PAGE,
        about: str = "",
    ):
        self.rows, self.ticked, self.on_tick = list(rows), set(ticked), on_tick
        self.only_shown, self.page, self.about = only_shown, page, about
        self.first = 0
        self._busy = False
        self._search = make_text("Search", "words that a row must have", layout=NARROW)
        starts = filters if isinstance(filters, Mapping) else dict.fromkeys(filters, EVERYTHING)
        self._menus = {name: make_menu(name, self._list_marks(name), at, NARROW) for name, at in starts.items()}
        self._boxes: dict[str, ipywidgets.Checkbox] = {}  # one a row: a click means the row that the person saw
        self._page = ipywidgets.VBox(layout=WIDE)
        self._page.add_class("pdm-rows")
        self._count = ipywidgets.HTML()
        for widget in (self._search, *self._menus.values()):
            widget.observe(lambda _: self._search_again(), "value")
        self.show()

    @property
    def box(self) -> ipywidgets.Widget:
        """What to display."""
        few = len(self.rows) <= self.page
        turn = [
            make_button("Previous rows", lambda: self._turn_to(self.first - self.page)),
            make_button("Next rows", lambda: self._turn_to(self.first + self.page)),
        ]
        every = [
            make_button("Tick all found", lambda: self.tick(self.ticked | {row.key for row in self.find()})),
            make_button("Untick all found", lambda: self.tick(self.ticked - {row.key for row in self.find()})),
        ]
        tools = [] if few and not self._menus else [self._search, *self._menus.values()]
        every = every if len(self.rows) > 1 or not self.only_shown else []
        buttons = [*([] if few else turn), *every, self._count]
        return ipywidgets.VBox([stand_side_by_side(*tools), self._page, stand_side_by_side(*buttons)], layout=WIDE)

    def find(self) -> list[Row]:
        """The rows that fit the search and the menus."""
        words = self._search.value.casefold().split()
        wanted = {name: menu.value for name, menu in self._menus.items() if menu.value != EVERYTHING}
        fit = (row for row in self.rows if all(value in row.marks[name] for name, value in wanted.items()))
        return [row for row in fit if all(word in row.label.casefold() for word in words)]

    def replace(self, rows: Sequence[Row], ticked: Iterable[str]) -> None:
        """Other words for the same list, with these ticked."""
        self.rows = list(rows)
        for name, menu in self._menus.items():
            chosen, menu.options = menu.value, self._list_marks(name)
            menu.value = chosen if chosen in dict.fromkeys(v for _, v in menu.options) else EVERYTHING
        self.tick(ticked)

    def tick(self, keys: Iterable[str]) -> None:
        """Tick exactly these."""
        self.ticked = set(keys)
        self.show()
        self.on_tick()

    def show(self) -> None:
        """Draw the page that `first` stands on."""
        found = self.find()
        self.first = min(self.first, max(0, (len(found) - 1) // self.page * self.page))
        shown = found[self.first : self.first + self.page]
        self._busy = True
        for row in shown:
            if row.key not in self._boxes:
                box = self._boxes[row.key] = make_tick("")
                box.observe(lambda change, key=row.key: self._note(key, change["new"]), "value")
            self._boxes[row.key].description, self._boxes[row.key].tooltip = row.label, row.key
        for key, box in self._boxes.items():
            box.value = key in self.ticked
        self._busy = False
        self._page.children = [self._boxes[row.key] for row in shown]
        told = f"rows {self.first + 1:,} to {self.first + len(shown):,} of {len(found):,}" if shown else "no row fits"
        told += f", {len(self.ticked):,} ticked" if self.ticked else ""
        told += self._count_marks()
        away = len(self.ticked) - sum(row.key in self.ticked for row in found)
        told += f", {away:,} of them not in this list" if away else ""
        self._count.value = f'<span role="status" style="margin-left:.6rem">{escape(told)}</span>'

    def _count_marks(self) -> str:
        """Of which classes what is ticked is."""
        marks = (mark for row in self.rows if self.about and row.key in self.ticked for mark in row.marks[self.about])
        told = [f"{number:,} {mark.replace('_', ' ')}" for mark, number in sorted(Counter(marks).items())]
        return f": {', '.join(told)}" if told else ""

    def _search_again(self) -> None:
        if self.only_shown and not self._busy:
            left = self.ticked & {row.key for row in self.find()}
            if left != self.ticked:
                self.first = 0
                return self.tick(left)
        return self._turn_to(0)

    def _note(self, key: str, value: bool) -> None:
        if self._busy:
            return
        hidden = self.only_shown and key not in {row.key for row in self.find()}  # by a search that was on its way
        self.tick(self.ticked | {key} if value and not hidden else self.ticked - {key})

    def _turn_to(self, first: int) -> None:
        if not self._busy:
            self.first = max(0, first)
            self.show()

    def _list_marks(self, name: str) -> list[tuple[str, str]]:
        counts = Counter(value for row in self.rows for value in row.marks[name])
        named = [(f"{value.replace('_', ' ')} ({n:,})", value) for value, n in sorted(counts.items())]
        return [(EVERYTHING, EVERYTHING), *named]


def do_each(
    roll: Roll, sign: Signature, act: Callable[[str], Any], words: str, what: str, list_rows: Callable[[], list[Row]]
) -> None:
    """Do it to each ticked row, list the rows as they are now, and say so. what: is to be ticked before."""
    ticked = sorted(roll.ticked)
    if not ticked:
        sign.say(f"Tick {what} first.", "bad")
        return

    def act_and_list() -> None:
        left = ticked
        try:
            for key in ticked:
                act(key)
            left = []
        finally:
            roll.replace(list_rows(), left)

    sign.attempt(act_and_list, words)
