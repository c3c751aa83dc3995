"""What is printed: tables and colour on a terminal, the same as plain lines everywhere else. NO_COLOR is respected."""

import io
import os
import sys
from collections.abc import Sequence
from typing import Any, TextIO

from pdmigrate.errors import strip_controls
from pdmigrate.wire.progress import Display, Lines, Progress

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


def choose_display() -> Display:
    """Bars where stderr is a terminal, elsewhere a line each ten seconds on it."""
    dumb = os.environ.get("TERM") == "dumb"
    return Bars() if sys.stderr.isatty() and not dumb else Lines(lambda line: print(line, file=sys.stderr, flush=True))


class Bars:
    """What is under way on a terminal: a bar for each thing that is counted, and a line for what is waited for."""

    def __init__(self) -> None:
        self._live: Any = None

    def show(self, progress: Progress, seconds: float) -> None:
        from rich.console import Console, Group
        from rich.live import Live
        from rich.progress_bar import ProgressBar
        from rich.table import Table
        from rich.text import Text

        if self._live is None:
            bare: Any = getattr(sys.stderr, "bare", sys.stderr)
            self._live = Live(console=Console(file=bare, highlight=False), auto_refresh=False, transient=True)
            self._live.start()
        grid = Table.grid(padding=(0, 2))
        for count in progress.counts:
            known = ProgressBar(count.total, count.done, width=30) if count.total else Text()
            grid.add_row(Text(f"  {count.what}"), known, Text(count.number))
        waits = [Text(f"  waiting {left} s for {why}", "yellow") for why, left in progress.waits.items()]
        self._live.update(Group(Text(f"{progress.title}, {seconds:.0f} s"), grid, *waits), refresh=True)

    def end(self, progress: Progress, seconds: float) -> None:
        if self._live:
            self._live.stop()
            self._live = None
