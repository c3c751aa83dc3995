"""Where a notebook shows how far a step is: one line that changes in JupyterLab, a line each ten seconds headless."""

from functools import partial
from html import escape
from typing import Any

from pdmigrate.runs.person import find_shell, is_interactive
from pdmigrate.wire.progress import Display, Lines, Progress


def choose_display() -> Display | None:
    """What fits where we are; None outside of notebooks."""
    if is_interactive():
        return NotebookLine()
    if getattr(find_shell(), "kernel", None):
        return Lines(partial(print, flush=True))  # to stdout: a headless run passes it on
    return None


class NotebookLine:
    """One line in the cell's output, with a bar. It is no widget: a notebook that is opened again shows its last words."""

    def __init__(self) -> None:
        self._handle: Any = None
        self._said = ""

    def show(self, progress: Progress, seconds: float) -> None:
        self._write(progress.describe(seconds), make_bar(progress))

    def end(self, progress: Progress, seconds: float) -> None:
        self._write(f"{progress.describe(seconds)}; over.", "")
        self._handle = None

    def _write(self, words: str, bar: str) -> None:
        from IPython.display import display

        if words == self._said:
            return
        self._said = words
        shown = {"text/plain": words, "text/html": f"<div>{bar} {escape(words)}</div>"}
        if self._handle is None:
            self._handle = display(shown, raw=True, display_id=True)  # type: ignore[no-untyped-call]  # IPython's has no types
        else:
            self._handle.update(shown, raw=True)


def make_bar(progress: Progress) -> str:
    """The share of what is counted and has a total, as an element of HTML; without one it only moves."""
    known = [count for count in progress.counts if count.total]
    done, total = (sum(getattr(count, name) for count in known) for name in ("done", "total"))
    return f'<progress value="{done}" max="{total}"></progress>' if known else "<progress></progress>"
