"""What is printed: tables and colour on a terminal, the same as plain lines everywhere else. NO_COLOR is respected."""

import io
import os
import sys
from collections.abc import Sequence
from typing import TextIO

from pdmigrate.errors import strip_controls

TONES = {"good": "green", "warn": "yellow", "bad": "red"}


class Printed(io.TextIOBase):
    """What is printed, without what a terminal would obey: names come from both sides. bare: where our own colours go."""

    def __init__(self, stream: TextIO):
        self.bare = stream

    encoding = property(lambda self: self.bare.encoding)
    errors = property(lambda self: self.bare.errors)

    def write(self, text: str) -> int:
        self.bare.write(strip_controls(text))
        return len(text)

    def flush(self) -> None:
        self.bare.flush()

    def isatty(self) -> bool:
        return self.bare.isatty()

    def fileno(self) -> int:
        return self.bare.fileno()


def print_table(
    lines: Sequence[str], heads: Sequence[str], rows: Sequence[tuple[str, ...]], tones: Sequence[str] = ()
) -> None:
    """The rows as a table where there is a terminal, the lines elsewhere. tones: good, warn, bad or nothing, one a row."""
    if not rows or not sys.stdout.isatty():
        for line in lines:
            print(line)
        return
    from rich.box import SIMPLE_HEAD
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(*heads, box=SIMPLE_HEAD, pad_edge=False)
    for place, row in enumerate(rows):
        style = TONES.get(tones[place], "") if tones else ""
        table.add_row(*(Text(strip_controls(cell), style) for cell in row))
    Console(file=getattr(sys.stdout, "bare", sys.stdout), highlight=False).print(table)


def print_error(words: str) -> None:
    """One line on stderr; its first word is red where that is seen."""
    bare = getattr(sys.stderr, "bare", sys.stderr)
    red = bare.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
    name = "\x1b[31mpdmigrate:\x1b[0m" if red else "pdmigrate:"
    print(f"{name} {strip_controls(words)}", file=bare)
