"""An embedded Harness: the public API as it is, and the on-call contract of pdmigrate's own."""

import threading
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from flask import Flask, Response, current_app, jsonify
from werkzeug.exceptions import HTTPException

from pdmigrate.sandbox import (
    harness_groups,
    harness_oncall,
    harness_people,
    harness_scopes,
    harness_services,
)
from pdmigrate.sandbox.harness_document import accept_invites, build_target, new_document
from pdmigrate.sandbox.harness_faults import Rule, play_after
from pdmigrate.sandbox.harness_gate import DEFAULTS, document, guard
from pdmigrate.sandbox.harness_wire import APOLOGY, HTML_NOT_FOUND, RefusedRequestError, error, failure, html, read_body
from pdmigrate.sandbox.server import Server, serve
from pdmigrate.sandbox.store import Store

__all__ = ["accept_invites", "build_target", "create_app", "new_document", "start_harness"]

PARTS = (
    harness_scopes,
    harness_people,
    harness_groups,
    harness_services,
    harness_oncall,
)


class _WithoutGateway:
    """Takes the `/gateway` prefix off, so that every path answers with and without it."""

    def __init__(self, application: Callable):
        self.application = application

    def __call__(self, environ: dict, start_response: Callable):
        path = environ["PATH_INFO"]
        if path.startswith("/gateway/"):
            environ["PATH_INFO"] = path.removeprefix("/gateway")
        return self.application(environ, start_response)


def start_harness(document: dict, state: Path | None = None, port: int = 0, api_key: str | None = None) -> Server:
    """Serve a Harness that remembers `document`. With `state` it lives in that file, and what is there already wins."""
    return serve(create_app(document, state, api_key), port)


def create_app(document: dict, state: Path | None = None, api_key: str | None = None) -> Flask:
    """The application; its clock and its sleep can be replaced in `app.config` (CLOCK, SLEEP)."""
    app = Flask(__name__)
    app.json.sort_keys = False
    store = Store(state, lambda: document)
    app.config.update(STORE=store, API_KEY=api_key or f"pat.{store.read()['account']}.sandbox.secret")
    app.config.update(
        CLOCK=time.time, SLEEP=time.sleep, REVOKED=set(), CALLS={}, FAULTS=[], REQUESTS=0, STRUCK=Counter()
    )
    app.config.update(FAULT_LOCK=threading.RLock())
    _add_parts(app)
    app.wsgi_app = _WithoutGateway(app.wsgi_app)
    return app


def _add_parts(app: Flask) -> None:
    for part in PARTS:
        app.register_blueprint(part.routes)
    app.before_request(guard)
    app.after_request(play_after)
    app.register_error_handler(RefusedRequestError, RefusedRequestError.response)
    app.register_error_handler(HTTPException, _answer_http_error)
    app.register_error_handler(Exception, _answer_bug)
    app.add_url_rule("/sandbox/log", view_func=_show_log)
    app.add_url_rule("/sandbox/config", view_func=_change_config, methods=["POST"])
    app.add_url_rule("/sandbox/faults", view_func=_change_faults, methods=["POST"])


def _answer_http_error(problem: HTTPException) -> Response:
    if problem.code == 404:
        return html(404, HTML_NOT_FOUND)
    if problem.code == 405:
        return failure([("method", "HTTP 405 Method Not Allowed")], "RESOURCE_NOT_FOUND_EXCEPTION", 405).response()
    return error("UNKNOWN_ERROR", str(problem), problem.code).response()


def _answer_bug(problem: Exception) -> Response:
    current_app.logger.exception("a bug of the embedded Harness")
    return error("UNKNOWN_ERROR", f"{APOLOGY} {problem!r}", 500).response()


def _show_log() -> Response:
    held = document()
    counts = {"requests": current_app.config["REQUESTS"], "faults": current_app.config["STRUCK"]}
    return jsonify(counts | {"writes": held["writes"], "mails": held["mails"]})


def _change_config() -> Response:
    changes = read_body()
    unknown = sorted(changes.keys() - DEFAULTS.keys())
    if unknown:
        raise failure([(name, f"is not known; there are {', '.join(DEFAULTS)}") for name in unknown])
    with current_app.config["STORE"].change() as held:
        held["config"] = held.get("config", {}) | changes
        return jsonify(DEFAULTS | held["config"])


def _change_faults() -> Response:
    """The new list of rules takes the place of the old one; an empty one ends all faults, a revoked key included."""
    try:
        rules = [Rule(**rule) for rule in read_body(list)]
    except (TypeError, ValueError) as problem:
        raise failure([("rules", str(problem))]) from problem
    with current_app.config["FAULT_LOCK"]:
        current_app.config["FAULTS"] = rules
        current_app.config["REVOKED"].clear()
    return jsonify({"rules": len(rules)})
