"""How far a step is: what stands on the board, when it is shown and where, and who is stopped."""

import io
import threading
from contextlib import suppress
from importlib import import_module

import pytest

from pdmigrate import conflicts, finish, load, look, preview, verify
from pdmigrate.cli import main
from pdmigrate.cli.printing import Bars
from pdmigrate.errors import PdmigrateError
from pdmigrate.runs.displays import NotebookLine
from pdmigrate.wire import progress as module
from pdmigrate.wire.progress import Lines, Progress, watching


class Seen:
    """A display that remembers, and says when it was shown to."""

    def __init__(self):
        self.said, self.ended, self.shown = [], [], threading.Event()

    def show(self, progress, seconds):
        self.said.append(progress.describe(0))
        self.shown.set()

    def end(self, progress, seconds):
        self.ended.append(progress.describe(0))


def board(now):
    made = Progress(lambda: now[0])
    made.begin("Reading")
    made.count("users", 300, 1500)
    made.count("overrides", 0, 0)  # there are none: not told
    made.add("teams")
    made.add("teams", 39)
    made.wait("PagerDuty's limit", 12.4)
    return made


def test_one_line_says_counts_and_what_is_waited_for_until_it_is_over():
    now = [100.0]
    made = board(now)
    assert made.describe(34.2) == "Reading, 34 s: users 300 of 1,500, teams 40; waiting 12 s for PagerDuty's limit"
    now[0] = 112.2
    assert made.describe(46).endswith("; waiting 1 s for PagerDuty's limit")
    now[0] = 113.0
    assert made.describe(47) == "Reading, 47 s: users 300 of 1,500, teams 40"
    made.begin("Planning")
    assert made.describe(1) == "Planning, 1 s"


def test_items_are_counted_as_they_are_done():
    made = Progress()
    assert [made.describe(0).rpartition("done ")[2] for _ in made.follow("done", "ab")] == ["0 of 2", "1 of 2"]
    assert made.describe(0).endswith("done 2 of 2")


def test_what_takes_long_is_shown_and_ended_and_what_does_not_is_not(monkeypatch):
    made, long, short = Progress(), Seen(), Seen()
    with watching(made, "Short", short):
        assert made.watched
    monkeypatch.setattr(module, "QUIET", 0.0)
    with watching(made, "Long", long):
        made.count("steps", 3, 5)
        assert long.shown.wait(600)
    assert not made.watched
    assert (short.said, short.ended) == ([], [])
    assert long.said[-1] == long.ended[0] == "Long, 0 s: steps 3 of 5"


def test_who_asks_for_a_stop_is_heard_and_never_after_the_end():
    stopped, asked = threading.Event(), []
    with watching(Progress(), "Long", None, lambda: True, lambda: (asked.append(1), stopped.set())):
        assert stopped.wait(600)
    assert asked == [1]


def test_what_goes_on_all_the_same_is_told_again(monkeypatch):
    """An interrupt that comes while a library tidies up is printed, and lost."""
    monkeypatch.setattr(module, "AGAIN", 0.0)
    told = threading.Semaphore(0)
    with watching(Progress(), "Long", None, lambda: True, told.release):
        assert [told.acquire(timeout=600) for _ in range(3)] == [True] * 3


def test_headless_it_is_a_line_each_ten_seconds():
    said = []
    lines = Lines(said.append)
    for beat in range(4, 130):
        lines.show(board([0.0]), beat / 4)
    assert [line.split(":")[0] for line in said] == ["Reading, 10 s", "Reading, 20 s", "Reading, 30 s"]


def test_a_notebook_has_one_line_with_a_bar_and_keeps_its_last_words(monkeypatch):
    shown = []

    class Handle:
        def update(self, what, raw):
            shown.append(what)

    def display(what, raw, display_id):
        shown.append(what)
        return Handle()

    monkeypatch.setattr("IPython.display.display", display)
    line, made = NotebookLine(), board([0.0])
    made.count("<b>", 1, 500)
    line.show(made, 2.0)
    line.show(made, 2.1)
    line.end(made, 9)
    assert len(shown) == 2
    assert '<progress value="301" max="2000"></progress>' in shown[0]["text/html"]
    assert "&lt;b&gt; 1 of 500" in shown[0]["text/html"]
    assert shown[1]["text/plain"].startswith("Reading, 9 s: users 300 of 1,500")
    assert "<progress" not in shown[1]["text/html"]


def test_a_terminal_has_a_bar_for_each_thing_and_is_left_clean(monkeypatch):
    terminal = io.StringIO()
    terminal.isatty = lambda: True
    monkeypatch.setattr("sys.stderr", terminal)
    monkeypatch.setenv("TERM", "xterm")
    bars = Bars()
    bars.show(board([0.0]), 3)
    text = terminal.getvalue()
    assert "300 of 1,500" in text
    assert "waiting 12 s for PagerDuty's limit" in text
    assert "━" in text
    bars.end(board([0.0]), 3)


@pytest.mark.parametrize("within", ["an answer", "a wait"])
def test_who_reads_is_stopped_at_once(serve_source, within):
    """PagerDuty does not answer until the test is over, or has said that a limit is used up."""
    from source_http import company

    from pdmigrate.errors import InterruptedLoadError

    source, over, asked = serve_source(company()), threading.Event(), threading.Event()
    transport, woken = source.client.transport, []
    transport.timeout = transport.whole = 600
    if within == "an answer":
        source.server.app.config["SLEEP"] = lambda seconds: (asked.set(), over.wait(600))
        source.play({"kind": "slow", "path": "/users"})
    else:
        transport._sleep = lambda seconds: (asked.set(), woken.append(transport._stopped.wait(600)))
        source.play({"kind": "429_bare", "path": "/users"})
    stopper = threading.Thread(target=lambda: (asked.wait(600), transport.cancel()))
    stopper.start()
    try:
        with pytest.raises(InterruptedLoadError, match="Cancelled while asking PagerDuty"):
            transport.send("GET", "/users")
        assert woken in ([], [True])
        assert not over.is_set()
    finally:
        over.set()
        stopper.join()


@pytest.fixture
def shown(monkeypatch):
    """What every display was shown, from the first moment on."""
    display = Seen()
    monkeypatch.setattr(module, "QUIET", 0.0)
    monkeypatch.setattr(module, "BEAT", 0.001)
    for place in ("pdmigrate.runs.looking", "pdmigrate.cli.migration"):
        monkeypatch.setattr(f"{place}.choose_display", lambda: display)
    return display


def hold_until_shown(monkeypatch, place, display):
    """What is called there waits until somebody has seen how far it is."""
    module_name, _, name = place.rpartition(".")
    known = getattr(import_module(module_name), name)

    def held(*given, **named):
        display.shown.clear()
        assert display.shown.wait(600)
        return known(*given, **named)

    monkeypatch.setattr(place, held)


def test_looking_the_handover_and_publishing_say_how_far_they_are(small, shown, monkeypatch):
    found, planned = preview(small), conflicts(small)
    hold_until_shown(monkeypatch, "pdmigrate.pages.look", shown)
    assert look(found, "counts", found.levels).markup
    assert shown.said[0].startswith("Drawing preview, 0 s")
    assert shown.ended.pop() == "Drawing preview, 0 s: parts drawn 2 of 2"
    with suppress(PdmigrateError):
        finish(small, planned)
    load(small, "all")
    with suppress(PdmigrateError):
        finish(small, verify(small))
    hold_until_shown(monkeypatch, "pdmigrate.handover.folder.write_text", shown)
    assert main(["handover", str(small.workspace.folder), "--all"]) == 0
    assert shown.ended.pop().startswith("Writing the handover, 0 s: files written ")
    hold_until_shown(monkeypatch, "pdmigrate.runs.publish.write_text", shown)
    assert main(["publish", str(small.workspace.folder), "--to", str(small.workspace.folder / "out")]) == 0
    said = shown.ended.pop()
    files = said.rpartition(" ")[2]
    assert said == f"Publishing, 0 s: files searched for secrets {files} of {files}, files written {files} of {files}"
