"""Tables and sections: one look for the notebook, the page and the spreadsheet."""

import io
import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import quote

from markupsafe import Markup

from pdmigrate.oncall.words import format_turn
from pdmigrate.pages.markup import asset, clean, environment, mask_text, trusted
from pdmigrate.workspace.cells import write_rows
from pdmigrate.workspace.folder import write_bytes

if TYPE_CHECKING:
    import pandas as pd

Thing = TypeVar("Thing")
Columns = Mapping[str, Callable[[Thing], Any]]
"""The headings of a table, each with what stands beneath it, in their order."""
LONG_LINE = 24
FILTER_FROM = 11
MOST_UNFOLDED = 60
"""Rows of a data frame above which it starts closed."""
"""A table with fewer rows is read faster than filtered."""


@dataclass(frozen=True)
class Link:
    """A cell that leads somewhere: a page of ours (relative) or a web address. Anything else is shown as text only."""

    text: str
    url: str

    @property
    def href(self) -> str:
        is_web = self.url.startswith(("https://", "http://"))
        is_ours = ":" not in self.url and not self.url.startswith(("/", "\\"))
        return self.url if is_web or is_ours else ""

    def __str__(self) -> str:
        return self.text


@dataclass(frozen=True)
class Tag:
    """A cell that is a short word with a tone: plain, good, warn or bad."""

    text: str
    tone: str = "plain"

    def __str__(self) -> str:
        return self.text


@dataclass(frozen=True)
class Table:
    """Headings and rows. A cell is text, a number, a time, a list of texts, a Link or a Tag."""

    columns: tuple[str, ...]
    rows: tuple[tuple[Any, ...], ...]
    note: str = ""
    empty: str = "Nothing here."
    anchors: tuple[str, ...] = ()
    """Where figures lead to: the name of each row, "" of one that has none; or nothing at all."""

    def frame(self) -> "pd.DataFrame":
        """The same rows for pandas: numbers as numbers, everything else as text, nothing as an empty text."""
        import pandas as pd

        rows = [[cell if _is_number(cell) else cell_text(cell) for cell in row] for row in self.rows]
        return pd.DataFrame(rows, columns=list(self.columns))

    def html(self, title: str = "Table", csv: str = "") -> Markup:
        """The table as markup, with all its rows; `csv` is the address of the same rows in a file."""
        kinds = ["number" if all(map(_is_number, column)) else "text" for column in zip(*self.rows, strict=True)]
        values = {"table": self, "title": title, "csv": csv, "kinds": kinds, "draw": _draw_cell, "long": self.is_long}
        return trusted(environment().get_template("table.html").render(values))

    @property
    def is_long(self) -> bool:
        return len(self.rows) >= FILTER_FROM

    def write_csv(self, path: Path | str) -> Path:
        """Write the rows for a spreadsheet, which must neither garble a name (hence the BOM) nor run one."""
        file, rows = io.StringIO(newline=""), (self.columns, *self.rows)
        write_rows(file, [[c if _is_number(c) else cell_text(c) for c in row] for row in rows], "\r\n")
        write_bytes(Path(path), file.getvalue().encode("utf-8-sig"))
        return Path(path)


@dataclass(frozen=True)
class Section:
    """A part of a page: a heading, words, a drawing (markup made by draw_timeline) and a table, each where given.

    Text: blank lines part paragraphs, lines that start with "- " are a list. Level 3 stands under the level 2 before it.
    open_up_to: a table with more rows starts closed; all its rows are in the page nevertheless.
    """

    title: str
    text: str = ""
    table: Table | None = None
    drawing: str = ""
    level: int = 2
    anchor: str = ""
    open_up_to: int | None = None

    @property
    def folded(self) -> bool:
        return self.open_up_to is not None and self.table is not None and len(self.table.rows) > self.open_up_to


@dataclass(frozen=True)
class Figure:
    """A key number. Tone: plain, good, warn or bad. href: `#ANCHOR` of the rows that it counts, on the same page."""

    label: str
    value: str
    tone: str = "plain"
    href: str = ""


@dataclass(frozen=True)
class Page:
    """One page. The name is the file's stem; the lead is what a reader in a hurry takes away; the facts stand small."""

    name: str
    title: str
    lead: str
    status: str = ""
    figures: tuple[Figure, ...] = ()
    sections: tuple[Section, ...] = ()
    facts: tuple[tuple[str, str], ...] = ()
    error: str = ""


class Shown:
    """What a notebook cell ends with: a page's look in the notebook, plain text where there is no browser."""

    def __init__(self, parts: tuple[Any, ...]):
        self.parts = parts

    def _repr_html_(self) -> str:
        return self.markup

    @cached_property
    def markup(self) -> str:
        """It is made once: of a large account it takes seconds."""
        drawn = [_draw_part(part) for part in self.parts]
        return environment().get_template("cell.html").render(style=asset("style.css"), parts=drawn)

    def __repr__(self) -> str:
        return "\n\n".join(_describe_part(part) for part in self.parts)


@dataclass(frozen=True)
class Written:
    """The pages that a step has written, the step's own first: (title, path). A notebook shows them as links.

    waits: what waits for a person, in a sentence.
    """

    pages: tuple[tuple[str, Path], ...]
    waits: str = ""

    @property
    def page(self) -> Path:
        """The step's own page."""
        return self.pages[0][1]

    def _repr_html_(self) -> str:
        links = [(title, quote(os.path.relpath(path).replace(os.sep, "/"))) for title, path in self.pages]
        values = {"links": links, "folder": self.page.parent, "waits": self.waits}
        words = environment().get_template("written.html").render(values)
        return environment().get_template("cell.html").render(style=asset("style.css"), parts=[trusted(words)])

    def __repr__(self) -> str:
        return "\n".join([self.waits] * bool(self.waits) + [f"{title}: {path}" for title, path in self.pages])


def mask(frame: "pd.DataFrame") -> "pd.DataFrame":
    """The same data frame with emails and phone numbers made unusable, as `publish` masks pages; names stay.

    For `found.contact_methods` and whatever else is shown around. Two addresses can still be told apart.
    """
    hidden = frame.copy()
    for name in hidden.select_dtypes(include=["str", "object"]):
        hidden[name] = hidden[name].map(lambda cell: mask_text(cell) if isinstance(cell, str) else cell)
    return hidden


def show(*things: Any) -> Shown:
    """Tables, data frames, sections or drawings (the markup of draw_timeline), to be the last line of a cell.

    Above a data frame of a result stands its title, and so above what is filtered out of it.
    """
    parts = []
    for thing in things:
        if hasattr(thing, "itertuples"):
            there = thing.astype(object).where(thing.notna(), None)
            table = Table(tuple(map(str, there.columns)), tuple(there.itertuples(index=False, name=None)))
            title = thing.attrs.get("title", "")
            thing = Section(title, table=table, open_up_to=MOST_UNFOLDED) if title else table
        parts.append(thing)
    return Shown(tuple(parts))


def make_table(
    things: Iterable[Thing],
    columns: Columns[Thing],
    empty: str = "Nothing here.",
    note: str = "",
    anchor: Callable[[Thing], str] | None = None,
) -> Table:
    """A table with a row for each thing. anchor: the name of its row; of rows of one name the first has it."""
    things = list(things)
    rows = tuple(tuple(read(thing) for read in columns.values()) for thing in things)
    if anchor is None:
        return Table(tuple(columns), rows, note, empty)
    left = dict.fromkeys(map(anchor, things), True)
    anchors = tuple(name if left.pop(name, False) else "" for name in map(anchor, things))
    return Table(tuple(columns), rows, note, empty, anchors)


def cell_text(cell: Any) -> str:
    """A cell in words: the same in the page, the notebook and the CSV file."""
    if isinstance(cell, bool):
        return "yes" if cell else "no"
    if _is_missing(cell):
        return ""
    if isinstance(cell, datetime):
        return cell.isoformat(" ", "seconds" if cell.second else "minutes")
    if isinstance(cell, timedelta):
        seconds = round(cell.total_seconds())
        return format_turn(seconds) if seconds > 0 else str(cell)
    if isinstance(cell, (list, tuple)):
        parts = [cell_text(part) for part in cell]
        return ("; " if any("," in part for part in parts) else ", ").join(parts)
    if isinstance(cell, (set, frozenset)):
        return ", ".join(sorted(map(cell_text, cell)))
    return clean(cell)


def _is_missing(cell: Any) -> bool:
    """None, and the numbers and times that are none: they alone differ from themselves."""
    return cell is None or (isinstance(cell, (float, datetime)) and cell != cell)


def _is_number(cell: Any) -> bool:
    return isinstance(cell, (int, float)) and not isinstance(cell, bool) and cell == cell


def _draw_cell(cell: Any) -> dict[str, Any]:
    # The template asks for all of them; a cell that is neither a link nor a tag has no address and no tone.
    href = cell.href if isinstance(cell, Link) else ""
    tone = cell.tone if isinstance(cell, Tag) else ""
    # A list of sentences is read line by line; a list of words stands in one.
    lines = [cell_text(part) for part in cell] if isinstance(cell, (list, tuple)) else []
    are_long = len(lines) > 1 and max(map(len, lines)) > LONG_LINE
    return {"text": cell_text(cell), "href": href, "tone": tone, "lines": lines if are_long else []}


def _draw_part(part: Any) -> Markup:
    if isinstance(part, Section):
        shown = replace(part, table=part.table and _drop_anchors(part.table))
        return trusted(environment().get_template("section.html").render(section=shown, csv=""))
    return _drop_anchors(part).html() if isinstance(part, Table) else trusted(f'<div class="drawing">{part}</div>')


def _drop_anchors(table: Table) -> Table:
    """A link to another place on its page is its words only, where the rest of the page is not there."""
    rows = (tuple(c.text if isinstance(c, Link) and c.url.startswith("#") else c for c in row) for row in table.rows)
    return replace(table, rows=tuple(rows))


def _describe_part(part: Any) -> str:
    if isinstance(part, Section):
        told = [part.title, part.text, _describe_part(part.table) if part.table else ""]
        return "\n\n".join(text for text in told if text)
    if isinstance(part, Table):
        return part.frame().to_string(index=False, max_rows=60) if part.rows else part.empty
    return "(a drawing)"
