"""One request and its answer, within bounds: seconds of silence, seconds in all, bytes as they come and as they unpack.

requests' time-out bounds each reading from the socket and never their sum: of a server that sends a byte now and then,
headers or body, it would read for ever. So whatever reads an answer here asks first how long it may still wait and how
much it may still take, the status line and the headers too, and a proxy's answer before them. What is packed is unpacked
in small pieces (urllib3 2.7 and later), so that no more of it is held than is allowed.
"""

import contextlib
import http.client
import io
import logging
import socket
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from urllib3.util import Timeout

PIECE = 1 << 16
"""Bytes that are unpacked at a time."""
logging.getLogger("urllib3.connection").setLevel(logging.ERROR)
"""It would show the whole address, and a traceback, for a header that is none."""


class TooLargeError(Exception):
    """The answer has more bytes than are taken. It is read no further, and its connection closed."""


@dataclass(frozen=True)
class Answer:
    """The whole of an answer, unpacked."""

    status: int
    headers: Mapping[str, str]
    content: bytes


class Allowance:
    """What the exchange under way may still take: of a session, whose requests come one after the other.

    stopped: once it is set nothing more is read. sock: what is read from now.
    """

    def __init__(self) -> None:
        self.sock: Any = None
        self.stopped = threading.Event()

    def begin(self, silence: float, whole: float, size: int, stopped: threading.Event | None = None) -> None:
        self.silence, self.left = silence, size
        self.stopped = stopped or threading.Event()
        self._ends = time.monotonic() + whole

    def find_wait(self) -> float:
        """Seconds that the next reading may wait. Raises TimeoutError at the end of the time, TooLargeError of the bytes."""
        if self.stopped.is_set():
            raise TimeoutError("it was broken off")
        if self.left < 0:
            raise TooLargeError
        remaining = self._ends - time.monotonic()
        if remaining <= 0:
            raise TimeoutError("the time of the whole request is over")
        return min(self.silence, remaining)


class BoundedSession(requests.Session):
    """A session whose exchanges end. Not for several threads."""

    def __init__(self) -> None:
        super().__init__()
        self._allowance = Allowance()
        for scheme in ("http://", "https://"):
            self.mount(scheme, _BoundedAdapter(self._allowance))

    def get_redirect_target(self, resp: requests.Response) -> None:
        """Nobody is followed. requests would read the body to find out where it could go, however large it is."""

    def exchange(
        self,
        method: str,
        url: str,
        silence: float,
        whole: float,
        size: int,
        stopped: threading.Event | None = None,
        params: Any = None,
        json: Any = None,
        verify: Any = None,
        proxies: dict[str, str] | None = None,
    ) -> Answer:
        """Send the request and read its answer. It is prepared here: requests merges a session's settings into it one by one.

        silence: seconds to wait for a connection, and for the next bytes; whole: seconds until all is there; size: bytes.
        stopped: once it is set the answer is not waited for (see break_off). Raises requests' errors, ReadTimeout or
        ConnectionError for an answer that is late or broken off, and TooLargeError.
        """
        self._allowance.begin(silence, whole, size, stopped)
        limits: Any = Timeout(connect=silence, read=silence, total=whole)
        request = requests.PreparedRequest()
        request.prepare(method, url, self.headers, params=params, json=json, auth=self.auth, cookies=self.cookies)
        way = self.merge_environment_settings(request.url or url, proxies or {}, True, verify, None)
        answer = self.send(request, timeout=limits, allow_redirects=False, **way)
        content = bytearray()
        try:
            for piece in answer.iter_content(PIECE):
                content += piece
                if len(content) > size:
                    raise TooLargeError
        finally:
            self._allowance.sock = None
            answer.close()
        return Answer(answer.status_code, answer.headers, bytes(content))

    def break_off(self) -> None:
        """End the answer under way, from another thread, where its `stopped` is set: who waits for bytes wakes up."""
        sock = self._allowance.sock
        if self._allowance.stopped.is_set() and isinstance(sock, socket.socket):
            with contextlib.suppress(OSError):
                socket.socket.shutdown(sock, socket.SHUT_RDWR)  # beneath TLS, which its reader's thread still uses


class _BoundedAdapter(HTTPAdapter):
    """Its connections read their answers by the allowance."""

    def __init__(self, allowance: Allowance):
        super().__init__()
        self._allowance = allowance

    def get_connection_with_tls_context(self, *args: Any, **more: Any) -> Any:
        pool: Any = super().get_connection_with_tls_context(*args, **more)
        pool.ConnectionCls = partial(_connect, pool.__class__.ConnectionCls, self._allowance)
        return pool


def _connect(made: Any, allowance: Allowance, **more: Any) -> Any:
    """A connection whose answers are read by the allowance.

    It does not know the adapter: a session that nobody holds any more closes its connections at once only where it
    stands in no circle.
    """
    connection = made(**more)
    connection.response_class = partial(_read_answer, allowance)
    return connection


def _read_answer(allowance: Allowance, sock: Any, *args: Any, **more: Any) -> http.client.HTTPResponse:
    return http.client.HTTPResponse(_Readable(sock, allowance), *args, **more)  # type: ignore[arg-type]


@dataclass
class _Readable:
    """A socket, as far as http.client reads an answer from it."""

    sock: Any
    allowance: Allowance

    def makefile(self, mode: str) -> io.BufferedReader:
        return io.BufferedReader(_BoundedReader(self.sock, self.allowance))


class _BoundedReader(io.RawIOBase):
    def __init__(self, sock: Any, allowance: Allowance):
        self._sock, self._raw, self._allowance = sock, sock.makefile("rb", buffering=0), allowance
        allowance.sock = sock

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> Any:
        self._sock.settimeout(self._allowance.find_wait())
        count = self._raw.readinto(buffer)
        self._allowance.left -= count or 0
        return count

    def close(self) -> None:
        self._raw.close()
        super().close()
