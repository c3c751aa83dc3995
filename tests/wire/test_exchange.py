"""A request ends: however slowly a server speaks, however much it says, whatever it asks us to wait. Over real sockets."""

import contextlib
import gc
import gzip
import itertools
import socket
import threading
import time
import tracemalloc
import weakref
from types import SimpleNamespace

import pytest

from pdmigrate.errors import UnreachableError
from pdmigrate.harness.project import open_project
from pdmigrate.pagerduty.client import make_client
from pdmigrate.wire import transport as transport_file
from pdmigrate.wire.json_text import MEGABYTE, OF_ANSWER, Limits
from pdmigrate.wire.network import Network
from pdmigrate.wire.transport import Patience, Transport

GOOD = b'HTTP/1.1 200 OK\r\nContent-Length: 14\r\nConnection: close\r\n\r\n{"good": true}'


@contextlib.contextmanager
def serving(*plays):
    """A server of raw bytes: each connection plays the next of what is given, the last one for ever. Yields its address."""
    listener = socket.create_server(("127.0.0.1", 0))
    turns = itertools.chain(plays, itertools.repeat(plays[-1]))
    ended = threading.Event()

    def run():
        with contextlib.suppress(OSError):
            while True:
                connection, _ = listener.accept()
                with contextlib.suppress(OSError), connection:
                    connection.recv(4096)
                    for part in next(turns)(ended):
                        connection.sendall(part)

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        ended.set()
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join()


def say(*parts):
    return lambda ended: parts


def trickle(begun, rest):
    """The beginning at once, then a byte now and then, until the other side goes; for half a minute at the most."""

    def play(ended):
        yield begun
        for byte in itertools.islice(itertools.cycle(rest), 1_500):
            if ended.wait(0.02):
                return
            yield bytes([byte])

    return play


def flood(begun, rest):
    """The beginning, then the rest again and again until the other side goes."""

    def play(ended):
        yield begun
        while not ended.is_set():
            yield rest * 1_000

    return play


def open_transport(url, **more):
    return Transport("PagerDuty", url, {}, **{"patience": Patience(tries=1), "sleep": lambda seconds: None, **more})


# --- slowly ---

HEAD = b"HTTP/1.1 200 OK\r\n"
CHUNKED = HEAD + b"Transfer-Encoding: chunked\r\n\r\n"
SLOW = {
    "status line": trickle(b"", b"H"),
    "headers": trickle(HEAD, b"X-A: b\r\n"),
    "one header": trickle(HEAD + b"X-A: ", b"b"),
    "go on, go on": trickle(b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
    "body": trickle(HEAD + b"Content-Length: 5000\r\n\r\n", b" "),
    "body without an end": trickle(HEAD + b"\r\n", b" "),
    "chunks": trickle(CHUNKED, b"1\r\n \r\n"),
    "a chunk's size": trickle(CHUNKED, b"0"),
    "trailers": trickle(CHUNKED + b"0\r\n", b"X-A: b\r\n"),
    "an error's body": trickle(b"HTTP/1.1 403 No\r\n\r\n", b" "),
    "a redirect's body": trickle(b"HTTP/1.1 302 Off\r\nLocation: /x\r\n\r\n", b" "),
    "gzip": trickle(HEAD + b"Content-Encoding: gzip\r\n\r\n" + gzip.compress(b"")[:10], b"\x00"),
}


@pytest.mark.parametrize("what", SLOW)
def test_a_byte_now_and_then_does_not_keep_us(what):
    """Each byte comes long before the time-out for silence."""
    with serving(SLOW[what]) as url:
        transport = open_transport(url, timeout=20, whole=0.2)
        with pytest.raises(UnreachableError, match=r"GET /users: no answer in time; gave up .*run again\.$") as caught:
            transport.send("GET", "/users")
    assert str(caught.value).count("\n") == 0


def test_a_byte_now_and_then_in_the_greeting_of_https_does_not_keep_us():
    """The beginning of a TLS record of 16 KB that never comes whole."""
    with serving(trickle(b"\x16\x03\x03\x40\x00", b"\x02")) as url:
        transport = open_transport(url.replace("http:", "https:"), timeout=20, whole=0.2)
        with pytest.raises(
            UnreachableError, match=r"cannot be asked GET /users: nothing answers the greeting of https"
        ):
            transport.send("GET", "/users")


def test_a_proxy_that_speaks_a_byte_now_and_then_does_not_keep_us():
    with serving(trickle(b"HTTP/1.1 200 OK\r\n", b"X-A: b\r\n")) as url:
        transport = open_transport("https://pagerduty.invalid", timeout=20, whole=0.2, network=Network(proxy=url))
        with pytest.raises(UnreachableError, match=r"GET /users: no answer in time; gave up after 1 tries"):
            transport.send("GET", "/users")


def test_tries_that_are_late_count_against_patience():
    with serving(say(GOOD), SLOW["body"]) as url:
        transport = open_transport(url, whole=0.2, patience=Patience(tries=20, first=0.0, limit=0.5))
        assert transport.send("GET", "/users") == {"good": True}
        with pytest.raises(UnreachableError, match="no answer in time"):
            transport.send("GET", "/users")
    assert transport.counts.requests <= 1 + 3


def test_an_answer_in_pieces_is_read_whole():
    """What is slow and in time is no trouble."""
    pieces = (bytes([byte]) for byte in CHUNKED + b"e\r\n" + GOOD[-14:] + b"\r\n0\r\n\r\n")
    with serving(lambda ended: pieces) as url:
        assert open_transport(url).send("GET", "/users") == {"good": True}


def test_a_session_that_nobody_holds_any_more_leaves_no_connection():
    """Threads come and go, each with its session; a server takes so many connections, and no more."""

    def keep(ended):
        yield GOOD.replace(b"Connection: close\r\n", b"")
        ended.wait()

    gc.disable()
    try:
        with serving(keep) as url:
            transport = open_transport(url)
            assert transport.send("GET", "/users") == {"good": True}
            session = weakref.ref(transport._session())
            pools = weakref.ref(transport._session().get_adapter(url).poolmanager)
            del transport
            assert (session(), pools()) == (None, None)
    finally:
        gc.enable()


# --- too much ---


def pack(megabytes):
    """So much white space, packed: 10 MB to 10 KB, again and again."""
    return gzip.compress(b" " * (10 * MEGABYTE)) * (megabytes // 10)


def open_pagerduty(url):
    return make_client(url, "us", "u+planted").transport


def open_harness(url):
    return open_project(url, "pat.a.b.c", "account", "org", "project").transport


@pytest.mark.parametrize(
    "opened, status",
    [(open_pagerduty, "200 OK"), (open_harness, "302 Off"), (open_pagerduty, "403 No"), (open_harness, "500 Oh")],
)
def test_a_small_body_that_unpacks_to_hundreds_of_megabytes_is_refused(opened, status):
    body = pack(600)
    head = (
        f"HTTP/1.1 {status}\r\nLocation: /x\r\nContent-Encoding: gzip\r\nContent-Length: {len(body)}\r\n\r\n".encode()
    )
    with serving(say(head + body)) as url:
        transport = opened(url)
        tracemalloc.start()
        try:
            with pytest.raises(UnreachableError, match=r"answers GET /users with more than 64 MB.*run again\.$"):
                transport.send("GET", "/users")
            peak = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
    assert peak < 1.5 * OF_ANSWER.size
    assert transport.counts.requests == 1, "it would be as large again"


FLOODS = {
    "body": flood(HEAD + b"\r\n", b" "),
    "chunks": flood(CHUNKED, b"1\r\n \r\n"),
    "trailers": flood(CHUNKED + b"0\r\n", b"X-A: b\r\n"),
    "go on, go on": flood(b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
}


@pytest.mark.parametrize("what", FLOODS)
def test_an_answer_without_an_end_is_refused(what, monkeypatch):
    monkeypatch.setattr(transport_file, "OF_ANSWER", Limits(size=MEGABYTE))
    refused = pytest.raises(UnreachableError, match=r"answers GET /users with more than 1 MB")
    with serving(FLOODS[what]) as url, refused:
        open_transport(url).send("GET", "/users")


def test_what_was_written_and_answered_with_too_much_may_have_been_done(monkeypatch):
    """No AnswerError, which says that nothing was done: only a look can tell."""
    monkeypatch.setattr(transport_file, "OF_ANSWER", Limits(size=MEGABYTE))
    with serving(FLOODS["body"]) as url, pytest.raises(UnreachableError, match=r"answers POST /users"):
        open_transport(url).send("POST", "/users", body={})


def test_what_does_not_unpack_is_said_and_tried_again():
    spoiled = HEAD + b"Content-Encoding: gzip\r\nContent-Length: 4\r\nConnection: close\r\n\r\nnope"
    with serving(say(spoiled), say(GOOD), say(spoiled)) as url:
        transport = open_transport(url, patience=Patience(tries=2))
        assert transport.send("GET", "/users") == {"good": True}
        with pytest.raises(UnreachableError, match="an answer that cannot be unpacked; gave up after 2 tries"):
            transport.send("GET", "/users")


def test_a_header_that_is_none_is_passed_over_without_a_word(caplog):
    """urllib3 would tell it with the whole address and a traceback."""
    with serving(say(GOOD.replace(b"Connection", b"no header\r\nConnection"))) as url:
        open_transport(url).send("GET", "/users", {"query": "ann@example.com"})
    assert caplog.text == ""


# --- what a side asks us to wait ---

WAITS = ["²", "-5", "NaN", "inf", "1e9", "", "5, 10", "soon", "9" * 400, "9" * 15, "99999999999999.5"]
WAITS += ["Fri, 31 Dec 9999 23:59:59 GMT", "Fri, 31 Dec 10000 23:59:59 GMT", "Sun, 30 Feb 2031 99:99:99 GMT"]


@pytest.mark.parametrize("header", ["Retry-After", "ratelimit-reset"])
@pytest.mark.parametrize("said", WAITS)
def test_however_long_a_side_asks_us_to_wait_nobody_waits_past_the_limit(said, header, monkeypatch):
    fields = f"{header}: {said}\r\n{header}: {said}\r\n" if said == "5, 10" else f"{header}: {said}\r\n"
    asked = f"HTTP/1.1 429 Too Many\r\n{fields}Content-Length: 0\r\nConnection: close\r\n\r\n".encode()
    waits, begun = [], time.monotonic()
    clock = SimpleNamespace(monotonic=lambda: begun + sum(waits), time=time.time)
    monkeypatch.setattr("pdmigrate.wire.rate_limit.time", clock)
    with serving(say(asked)) as url:
        transport = open_transport(url, patience=Patience(tries=3), sleep=waits.append)
        with pytest.raises(UnreachableError, match=r"GET /users: status 429.*wait some minutes, then run again\.$"):
            transport.send("GET", "/users")
    assert transport.counts.requests == 3
    assert len(waits) <= 2 * 2, "after each of two answers, and for the window that it speaks of"
    assert max(waits) <= Patience().told
    assert sum(waits) <= 2 * (Patience().told + 0.1)
