"""A small PagerDuty on loopback: the REST API of one account, read-only, with the manners of the real one."""

from pathlib import Path

from flask import Flask, request

from pdmigrate.sandbox.pagerduty_gate import Gate
from pdmigrate.sandbox.pagerduty_lists import add_lists
from pdmigrate.sandbox.pagerduty_oncalls import add_oncalls
from pdmigrate.sandbox.pagerduty_schedules import add_schedules
from pdmigrate.sandbox.pagerduty_v3 import add_v3_schedules
from pdmigrate.sandbox.pagerduty_wire import RefusalError, answer_refusal, not_found
from pdmigrate.sandbox.server import Server, serve
from pdmigrate.sandbox.store import Store

DEFAULT_TOKEN = "sandbox-pagerduty-token"
OPTIONS = {
    "calls_per_minute": 960,
    "oncalls_per_minute": 120,
    "latency": 0.0,  # seconds before every answer
    "final_on_lists": True,  # False: the list of schedules leaves out final_schedule, whatever is asked
    "key_owner": None,  # a user's id: the key is a user's own, and GET /users/me answers
    "strategy_objects": False,  # True: {"type": "round_robin"}, as some clients read it; else as PagerDuty documents it
    "v3_forbidden": False,  # True: the key may not read v3 schedules at all
    "v3_hidden": (),  # ids of v3 schedules that the key may not read: left out of the list in silence
    "forbidden": (),  # routes as the log names them ("/teams/{id}/members") that the key may not read
}


def start_pagerduty(
    account: dict, state: Path | None = None, port: int = 0, token: str = DEFAULT_TOKEN, **options: object
) -> Server:
    """Serve `account`. With `state` it lives in that file, and a file that exists goes before `account`.

    `server.app.extensions` has the `log` (a RequestLog), the `store` and the `faults`. Options: see OPTIONS.
    """
    return serve(make_app(account, state, token, **options), port)


def make_app(account: dict, state: Path | None, token: str, **options: object) -> Flask:
    """The application. Raises TypeError for an option that does not exist."""
    app = Flask("pdmigrate-sandbox-pagerduty")
    app.json.sort_keys = False
    gate = Gate(token, {**OPTIONS, **_checked(options)})
    app.extensions.update(
        store=Store(state, lambda: account), log=gate.log, faults=gate.faults, options=gate.options, gate=gate
    )
    gate.guard(app)
    _add_routes(app, gate)
    return app


def _add_routes(app: Flask, gate: Gate) -> None:
    app.register_error_handler(RefusalError, answer_refusal)
    app.register_error_handler(404, lambda _: answer_refusal(not_found()))
    for add in (add_schedules, add_v3_schedules, add_oncalls, add_lists):
        add(app)
    _add_controls(app, gate)


def _add_controls(app: Flask, gate: Gate) -> None:
    app.add_url_rule("/sandbox/log", view_func=gate.log.as_dict, endpoint="sandbox_log")
    app.add_url_rule("/sandbox/log", view_func=lambda: _clear_log(gate), endpoint="clear_log", methods=["DELETE"])
    app.add_url_rule("/sandbox/faults", view_func=lambda: _set_faults(gate), endpoint="set_faults", methods=["POST"])
    app.add_url_rule("/sandbox/options", view_func=lambda: _set_options(gate), endpoint="set_options", methods=["POST"])


def _clear_log(gate: Gate) -> tuple[dict, int]:
    gate.log.clear()
    return {}, 200


def _set_faults(gate: Gate) -> tuple[dict, int]:
    """Takes the list of all rules that are to hold from now on; none ends the faults and makes the key good again."""
    rules = request.get_json(force=True)
    try:
        gate.faults.replace(rules)
    except (TypeError, ValueError) as wrong:
        return {"error": str(wrong)}, 400
    gate.revoked = gate.revoked and bool(rules)
    return {"rules": len(rules)}, 200


def _set_options(gate: Gate) -> tuple[dict, int]:
    try:
        gate.options.update(_checked(request.get_json(force=True)))
    except TypeError as wrong:
        return {"error": str(wrong)}, 400
    return dict(gate.options), 200


def _checked(options: dict) -> dict:
    unknown = sorted(set(options) - set(OPTIONS))
    if unknown:
        raise TypeError(f"no such option: {', '.join(unknown)}")
    return options
