"""The one HTTP session against a local server that answers as it is told: bounded patience, and no write sent twice."""

import socket
import threading
import time
from email.utils import formatdate
from types import SimpleNamespace

import pytest
from flask import Flask, Response, request
from waitress.channel import ClientDisconnected

from pdmigrate.errors import AnswerError, KeyRefusedError, SideError, UnreachableError
from pdmigrate.pagerduty.client import make_client
from pdmigrate.sandbox.server import serve
from pdmigrate.wire.transport import Patience, Transport

SECRET = "u+8sYq-planted-token-Zx2"
GOOD = {"good": True}


def good(**headers):
    return lambda: Response('{"good": true}', mimetype="application/json", headers=headers)


def status(code, text="", **headers):
    return lambda: Response(text, status=code, headers={name.replace("_", "-"): v for name, v in headers.items()})


def html():
    return Response("<html><body>Sign in</body></html>", mimetype="text/html")


def hang_up():
    def nothing():
        raise ClientDisconnected
        yield b""

    return Response(nothing())


def truncated():
    return Response(iter([b'{"good": ']), headers={"Content-Length": "99"}, mimetype="application/json")


class Script:
    """A server that gives the answers in turn, the last one for ever, and remembers what it was asked."""

    def __init__(self):
        self.answers, self.methods = [good()], []
        app = Flask("script")
        methods = ["GET", "POST", "PUT", "DELETE"]
        app.add_url_rule("/<path:path>", "all", self.answer, methods=methods)
        self.server = serve(app)

    def answer(self, path):
        self.methods.append(request.method)
        return (self.answers.pop(0) if len(self.answers) > 1 else self.answers[0])()

    def play(self, *answers):
        self.answers, self.methods = list(answers), []


@pytest.fixture(scope="module")
def running():
    script = Script()
    yield script
    script.server.stop()


@pytest.fixture
def script(running):
    running.play(good())
    return running


@pytest.fixture
def waits(monkeypatch):
    """What was slept, without sleeping: the clock of the pace goes on by as much."""
    slept, started = [], time.monotonic()
    clock = SimpleNamespace(monotonic=lambda: started + sum(slept), time=time.time)
    monkeypatch.setattr("pdmigrate.wire.rate_limit.time", clock)
    return slept


@pytest.fixture
def transport(script, waits):
    headers = {"Authorization": f"Token token={SECRET}"}
    return Transport(
        "PagerDuty", script.server.url, headers, patience=Patience(first=1.0), timeout=60, sleep=waits.append
    )


# --- what is tried again ---

TROUBLES = {
    "429": status(429),
    "429 with HTML": status(429, "<h1>Slow down</h1>"),
    "500": status(500),
    "502 with HTML": status(502, "<h1>Bad gateway</h1>"),
    "503": status(503),
    "504": status(504),
    "HTML for JSON": html,
    "reset": hang_up,
    "truncated": truncated,
}


@pytest.mark.parametrize("trouble", TROUBLES)
@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
def test_what_may_be_sent_twice_is_tried_again(script, transport, waits, method, trouble):
    script.play(TROUBLES[trouble], TROUBLES[trouble], good())
    assert transport.send(method, "/users") == GOOD
    assert script.methods == [method] * 3
    assert (transport.counts.requests, transport.counts.retries) == (3, 2)
    assert len(waits) == 2


@pytest.mark.parametrize("trouble", [name for name in TROUBLES if not name.startswith("429")])
def test_a_post_is_never_sent_twice(script, transport, waits, trouble):
    """Nobody knows whether it was carried out."""
    script.play(TROUBLES[trouble], good())
    with pytest.raises(UnreachableError, match="gave up after 1 tries"):
        transport.send("POST", "/users", body={})
    assert script.methods == ["POST"]
    assert waits == []


def test_a_post_is_sent_again_when_the_side_says_that_it_did_nothing(script, transport):
    script.play(status(429), good())
    assert transport.send("POST", "/users", body={}) == GOOD
    assert (transport.counts.requests, transport.counts.writes) == (2, 1)


def test_a_post_that_only_reads_is_tried_again_and_is_no_write(script, transport):
    script.play(status(500), good())
    assert transport.send("POST", "/aggregate", body={}, reads=True) == GOOD
    assert (transport.counts.requests, transport.counts.retries, transport.counts.writes) == (2, 1, 0)


def test_a_slow_side_is_asked_again(script, waits):
    asked = threading.Event()

    def slow():
        asked.wait(600)
        return good()()

    def again():
        asked.set()
        return good()()

    script.play(slow, again)
    assert Transport("Harness", script.server.url, {}, timeout=1, sleep=waits.append).send("GET", "/x") == GOOD
    assert len(script.methods) > 1


# --- how long is waited ---


def test_waits_double_up_to_the_longest(script, waits):
    patience = Patience(tries=6, first=1.0, longest=6.0)
    script.play(*[status(500)] * 5, good())
    Transport("Harness", script.server.url, {}, patience=patience, sleep=waits.append).send("GET", "/x")
    assert [0.75 <= wait / doubled <= 1.25 for wait, doubled in zip(waits[:3], (1, 2, 4), strict=True)] == [True] * 3
    assert waits[3:] == [6.0, 6.0]


@pytest.mark.parametrize(
    "headers,seconds",
    [
        ({"Retry_After": "7"}, 7.0),
        ({"ratelimit_reset": "9"}, 9.0),
        ({"Retry_After": "1.5"}, 1.5),
        ({"Retry_After": "600"}, 65.0),
    ],
)
def test_a_side_that_says_how_long_is_believed_within_reason(script, transport, waits, headers, seconds):
    script.play(status(429, **headers), good())
    transport.send("GET", "/users")
    assert waits == [seconds]


def test_a_date_to_wait_for_is_understood(script, transport, waits):
    script.play(status(503, Retry_After=formatdate(time.time() + 10, usegmt=True)), good())
    transport.send("GET", "/users")
    assert 8 <= waits[0] <= 10.1


def test_a_header_that_makes_no_sense_is_passed_over(script, transport, waits):
    script.play(status(429, Retry_After="soon"), good())
    transport.send("GET", "/users")
    assert 0.75 <= waits[0] <= 1.25


def test_patience_ends_after_so_many_tries(script, transport, waits):
    script.play(status(500))
    with pytest.raises(UnreachableError, match=r"status 500; gave up after 8 tries"):
        transport.send("GET", "/users")
    assert (len(script.methods), len(waits)) == (8, 7)


def test_patience_ends_after_so_long(script, waits):
    script.play(status(429, Retry_After="30"))
    patient = Transport("Harness", script.server.url, {}, patience=Patience(tries=99, limit=100), sleep=waits.append)
    with pytest.raises(UnreachableError, match="status 429"):
        patient.send("GET", "/users")
    assert sum(waits) <= 100
    assert len(script.methods) == 4


# --- a side that is not there ---


def test_a_dead_server_is_given_up_after_three_tries(waits):
    with socket.socket() as deaf:  # which keeps others from the port
        deaf.bind(("127.0.0.1", 0))
        dead = Transport("Harness", f"http://127.0.0.1:{deaf.getsockname()[1]}", {}, sleep=waits.append)
        with pytest.raises(UnreachableError, match=r"nobody listens there; gave up after 3 tries"):
            dead.send("GET", "/users")
    assert (dead.counts.requests, len(waits)) == (3, 2)


@pytest.mark.parametrize("address", ["not an address", "http://", "ftp://127.0.0.1", "http://127.0.0.1:99999"])
def test_an_address_that_is_none_is_said(address, waits):
    with pytest.raises(UnreachableError) as caught:
        Transport("Harness", address, {"x-api-key": SECRET}, sleep=waits.append).send("GET", "/users")
    assert SECRET not in str(caught.value)
    assert "\n" not in str(caught.value)


# --- what is not tried again ---


@pytest.mark.parametrize("code", [301, 302, 400, 402, 403, 404, 409])
def test_a_refusal_is_told_at_once_with_the_sides_own_words(script, transport, code):
    script.play(
        status(code, '{"error": {"code": 2001, "message": "Invalid  Input", "errors": ["Name is too\\n long"]}}')
    )
    with pytest.raises(AnswerError) as caught:
        transport.send("GET", "/users")
    assert str(caught.value) == f"PagerDuty refused GET /users: {code} 2001: Invalid Input Name is too long"
    assert (caught.value.status, caught.value.code) == (code, "2001")
    assert len(script.methods) == 1


@pytest.mark.parametrize(
    "text,words",
    [
        ('{"status": "ERROR", "code": "DUPLICATE_FIELD", "message": "there is one"}', "DUPLICATE_FIELD: there is one"),
        ("<html><style>p {}</style><p>No&nbsp;way</p></html>", "400: No way$"),
        ("no", "400: no$"),
        ("", "no reason given"),
        ('"a plain sentence"', "a plain sentence"),
        ("7", "no reason given"),
        ('{"error": "a plain sentence"}', "a plain sentence"),
        ("[]", "no reason given"),
        ('{"error": {"message": "odd", "errors": [{"field": "x"}]}}', "odd x"),
        ('{"error": {"message": "odd", "errors": "one sentence"}}', "odd one sentence"),
        ('{"error": {"errors": ["this", {"base": ["that"]}]}}', "this that"),
        ('{"errors": [{"title": "said in a list"}]}', "said in a list"),
        ('{"error": "invalid_scope", "error_description": "the scope is not granted"}', "the scope is not granted"),
        ('{"error": null, "message": null}', "no reason given"),
    ],
)
def test_an_error_body_of_any_form_is_one_line(script, transport, text, words):
    script.play(status(400, text))
    with pytest.raises(AnswerError, match=words):
        transport.send("GET", "/users")


def test_a_refused_key_is_a_kind_of_its_own(script, transport):
    script.play(status(401, '{"error": {"message": "Unauthorized", "code": 2006}}'))
    with pytest.raises(KeyRefusedError, match="refuses the key"):
        transport.send("GET", "/users")
    assert len(script.methods) == 1


def test_an_empty_answer_is_none(script, transport):
    script.play(status(204))
    assert transport.send("DELETE", "/users/1") is None


# --- secrets, and the wall towards PagerDuty ---


@pytest.mark.parametrize("answer", [status(401), status(403), status(500), html, hang_up, truncated])
def test_no_message_holds_the_key_or_the_query(script, transport, caplog, answer):
    script.play(answer)
    with pytest.raises(SideError) as caught:
        transport.send("GET", "/users", {"query": "ann@example.com"})
    said = f"{caught.value} {caplog.text}"
    assert SECRET not in said
    assert "ann@example.com" not in said


@pytest.mark.parametrize("header", ["Token token=", "Bearer ", ""])
def test_a_side_that_repeats_the_key_is_not_quoted(script, header):
    script.play(status(400, f'{{"message": "the token {SECRET} is not for this account"}}'))
    transport = Transport("Harness", script.server.url, {"Authorization" if header else "x-api-key": header + SECRET})
    with pytest.raises(AnswerError, match="is not for this account") as caught:
        transport.send("GET", "/users")
    assert SECRET not in str(caught.value)


def test_every_repeat_is_said(script, transport, caplog):
    script.play(status(429), good())
    transport.send("GET", "/users")
    assert "PagerDuty: status 429; trying again in" in caplog.text


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH"])
def test_nothing_but_get_leaves_towards_pagerduty(script, method):
    client = make_client(script.server.url, "us", SECRET)
    with pytest.raises(PermissionError, match=f"{method} never leaves towards PagerDuty"):
        client.transport.send(method, "/users", body={})
    assert script.methods == []
    assert client.transport.counts.requests == 0


def test_the_key_goes_to_pagerduty_in_a_header(script):
    keys = []
    script.play(lambda: keys.append((request.headers["Authorization"], request.query_string)) or good()())
    make_client(script.server.url, "us", SECRET).transport.send("GET", "/users")
    assert keys == [(f"Token token={SECRET}", b"")]
