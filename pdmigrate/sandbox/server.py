"""A Flask application under Waitress on loopback, in a thread of this process."""

import contextlib
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from flask import Flask
from waitress import create_server, wasyncore  # type: ignore[import-untyped]  # it has no types
from werkzeug.routing import Rule


class Route(Rule):
    """A route that requests are matched with, and of which nobody asks the address.

    The code that would make addresses is what an application of a hundred routes spends its start on: two thirds of the
    time in which a workspace with both embedded sides is opened.
    """

    def _compile_builder(self, append_unknown: bool = True) -> Callable[..., tuple[str, str]]:
        return lambda *_: ("", "")


class App(Flask):
    """Flask with routes that are only matched, and no folder of static files."""

    url_rule_class = Route

    def __init__(self, name: str):
        super().__init__(name, static_folder=None)


@dataclass
class Server:
    """A running server. `url` has no trailing slash; `stop` frees the port and hangs up on open connections."""

    url: str
    app: Flask
    _waitress: Any
    _thread: threading.Thread

    def stop(self) -> None:
        # From inside the loop: Waitress would wait for kept-alive connections to time out. A worker that finishes an
        # answer pulls the trigger too: the loop may then have closed everything before our own pull arrives.
        with contextlib.suppress(OSError):
            self._waitress.trigger.pull_trigger(lambda: wasyncore.close_all(self._waitress._map))
        self._thread.join(timeout=5)
        self._waitress.task_dispatcher.shutdown()

    def wait(self) -> None:
        """Block until the server stops."""
        while self._thread.is_alive():
            self._thread.join(timeout=0.5)


def serve(app: Flask, port: int = 0) -> Server:
    """Serve `app` on 127.0.0.1. Port 0 takes a free one. Raises OSError where the port is taken."""
    waitress = create_server(app, host="127.0.0.1", port=port, threads=8, clear_untrusted_proxy_headers=True)
    thread = threading.Thread(target=_run, args=(waitress,), name=f"sandbox-{waitress.effective_port}", daemon=True)
    thread.start()
    return Server(f"http://127.0.0.1:{waitress.effective_port}", app, waitress, thread)


def _run(waitress: Any) -> None:
    with contextlib.suppress(OSError):  # stop() closes the sockets under it
        waitress.run()
