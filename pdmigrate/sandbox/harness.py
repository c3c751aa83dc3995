"""An embedded Harness: the public API as it is, and the on-call contract of pdmigrate's own."""

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from flask import Flask, Response, current_app
from werkzeug.exceptions import HTTPException

from pdmigrate.sandbox import (
    harness_alerts,
    harness_groups,
    harness_oncall,
    harness_people,
    harness_scopes,
    harness_services,
)
from pdmigrate.sandbox.gate import add_gate, answer, html
from pdmigrate.sandbox.harness_document import accept_invites, build_target, new_document
from pdmigrate.sandbox.harness_gate import DEFAULTS, FAULTS, check_request
from pdmigrate.sandbox.harness_wire import APOLOGY, error, failure, read_body
from pdmigrate.sandbox.server import App, Server, serve
from pdmigrate.sandbox.store import Json, Store

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

__all__ = ["accept_invites", "build_target", "create_app", "new_document", "start_harness"]


class _WithoutGateway:
    """Takes the `/gateway` prefix off, so that every path answers with and without it."""

    def __init__(self, application: "WSGIApplication"):
        self.application = application

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        path = environ["PATH_INFO"]
        if path.startswith("/gateway/"):
            environ["PATH_INFO"] = path.removeprefix("/gateway")
        return self.application(environ, start_response)


def start_harness(document: Json, state: Path | None = None, port: int = 0, api_key: str | None = None) -> Server:
    """Serve a Harness that remembers `document`. With `state` it lives in that file, and what is there already wins."""
    return serve(create_app(document, state, api_key), port)


def create_app(document: Json, state: Path | None = None, api_key: str | None = None) -> Flask:
    """The application; its clock and its sleep can be replaced in `app.config` (CLOCK, SLEEP)."""
    app = App(__name__)
    store = Store(state, lambda: document)
    add_gate(app, store, FAULTS, check_request)
    app.config.update(API_KEY=api_key or f"pat.{store.read()['account']}.sandbox.secret", CALLS={})
    for part in (harness_scopes, harness_people, harness_groups, harness_services, harness_oncall, harness_alerts):
        app.register_blueprint(part.routes)
    app.register_error_handler(HTTPException, _answer_http_error)
    app.register_error_handler(Exception, _answer_bug)
    app.add_url_rule("/sandbox/config", view_func=_change_config, methods=["POST"])
    app.add_url_rule("/sandbox/webhooks", view_func=harness_alerts.list_webhooks)
    app.add_url_rule("/sandbox/acknowledge", view_func=harness_alerts.acknowledge_page, methods=["POST"])
    app.wsgi_app = _WithoutGateway(app.wsgi_app)  # type: ignore[method-assign]  # as Flask's documentation has it
    return app


def _answer_http_error(problem: HTTPException) -> Response:
    if problem.code == 404:
        return html(404)
    if problem.code == 405:
        return failure([("method", "HTTP 405 Method Not Allowed")], "RESOURCE_NOT_FOUND_EXCEPTION", 405).response()
    return error("UNKNOWN_ERROR", str(problem), problem.code or 500).response()


def _answer_bug(problem: Exception) -> Response:
    current_app.logger.exception("a bug of the embedded Harness")
    return error("UNKNOWN_ERROR", f"{APOLOGY} {problem!r}", 500).response()


def _change_config() -> Response:
    changes = read_body()
    unknown = sorted(changes.keys() - DEFAULTS.keys())
    if unknown:
        raise failure([(name, f"is not known; there are {', '.join(DEFAULTS)}") for name in unknown])
    with current_app.config["STORE"].change() as held:
        held["config"] = held.get("config", {}) | changes
        return answer(DEFAULTS | held["config"])
