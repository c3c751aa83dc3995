"""How an embedded Harness answers a path that it does not know: nobody says what the real one does, so it can do each."""

from collections.abc import Callable

from flask import Response, jsonify

from pdmigrate.sandbox.gate import html
from pdmigrate.sandbox.harness_wire import absent, denied, error, failure

HTML_APPLICATION = "<!doctype html><html><head><title>Harness</title></head><body><div id=root></div></body></html>"

DOORS: dict[str, Callable[[str], Response]] = {
    "404_html": lambda _: html(404),
    "404": lambda _: absent("HTTP 404 Not Found", 404).response(),
    "400": lambda _: error("INVALID_REQUEST", "Invalid request: no such resource").response(),
    "401": lambda _: error("INVALID_TOKEN", "Token is not valid.", 401).response(),
    "401_code": lambda _: error("USER_DISABLED", "User is disabled", 401).response(),
    "401_html": lambda _: html(401, "<html><body>Sign in</body></html>"),
    "403": lambda _: denied("none", "RESOURCE", "somebody", {}).response(),
    "405": lambda _: failure(
        [("method", "HTTP 405 Method Not Allowed")], "RESOURCE_NOT_FOUND_EXCEPTION", 405
    ).response(),
    "200_html": lambda _: html(200, HTML_APPLICATION),
    "302_login": lambda page: Response(status=302, headers={"Location": page}),
    "empty": lambda _: Response(status=200),
    "204": lambda _: Response(status=204),
    "other_json": lambda _: jsonify({"status": "SUCCESS", "data": {"version": 1}, "metaData": None}),
    "other_list": lambda _: jsonify([]),
    "true_version": lambda _: jsonify({"version": True, "kinds": []}),
    "other_version": lambda _: jsonify({"version": 2, "kinds": ["schedules"]}),
    "fewer_kinds": lambda _: jsonify({"version": 1, "kinds": ["schedules", "overrides"]}),
}
"""By the word that the switch `door` takes; each is given where `302_login` sends whoever asks."""
