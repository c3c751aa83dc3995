"""One HTTP session: patience, pace, redaction, counting. Everything that leaves the toolkit goes through `Transport.send`.

Patience is bounded in tries and in time, a try in time and in bytes (exchange.py). What may be sent twice without harm
(GET, PUT, DELETE) is sent again after a 429, a 5xx, a time-out, a reset or an answer that is no JSON; a POST only when the
side says that it did not do it (429).
"""

import logging
import random
import threading
import time
import weakref
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import requests
import urllib3

from pdmigrate.errors import AnswerError, KeyRefusedError, SlowAnswerError, StoppedRequestError, UnreachableError
from pdmigrate.wire.counts import Counts
from pdmigrate.wire.exchange import Answer, BoundedSession, TooLargeError
from pdmigrate.wire.json_text import MEGABYTE, OF_ANSWER, read_json
from pdmigrate.wire.network import ASKS, Network
from pdmigrate.wire.progress import Progress
from pdmigrate.wire.rate_limit import Pace, read_wait
from pdmigrate.wire.redaction import mask_secrets
from pdmigrate.wire.words import read_error

log = logging.getLogger("pdmigrate")

RETRIED_STATUS = frozenset({429, 500, 502, 503, 504})
REPEATABLE = frozenset({"GET", "PUT", "DELETE"})
LATE = "no answer in time"
REPEATED = (
    requests.ConnectionError,
    requests.Timeout,
    requests.exceptions.ChunkedEncodingError,
    requests.exceptions.ContentDecodingError,
)
"""What another try may mend."""
UNUSABLE = (requests.RequestException, urllib3.exceptions.HTTPError, UnicodeError)
"""What an address, or a proxy's, ends in that is none: requests lets some of urllib3's own through."""
MOST_ILL = 5
"""So many objects in a row without an answer, and a step stops: the side is ill, and patience would take hours."""
MOST_WORDS = 500
"""So many characters of a side's own words are shown."""
MOST_PAGE = 1 << 16
"""So many bytes of a page that is an error are looked through for its words."""
NO_JSON = "NO_JSON"
"""Our own code for an answer in which there is no JSON."""
KEY_CODES = frozenset({"", "INVALID_TOKEN", "EXPIRED_TOKEN", "REVOKED_TOKEN", "INVALID_CREDENTIAL", "UNAUTHORIZED"})
"""Codes of a 401 that are about the key (harness-core, ErrorCode); a number, as PagerDuty has it, is so too."""


@dataclass
class Patience:
    """How long to try: at most `tries` per request, waits of `first` seconds doubling up to `longest`.

    `limit` is how many seconds may be lost in all, by waiting and by tries that failed; then no other try begins. `told` is the longest wait that the side may ask for: PagerDuty's limit is one of a minute.
    """

    tries: int = 8
    first: float = 0.5
    longest: float = 30.0
    limit: float = 300.0
    told: float = 65.0


class Transport:
    """A session with one side. `allowed` are the methods that may leave at all: for PagerDuty that is GET alone.

    `side` is the side's name for messages. `headers` hold the key and are never shown. `at_once` is how many requests
    may be under way, over all threads. A try ends after `timeout` seconds without a connection or a byte, and after
    `whole` seconds in any case. `sleep` is for tests. Waits are told to `progress`.
    """

    def __init__(
        self,
        side: str,
        base_url: str,
        headers: dict[str, str],
        allowed: frozenset[str] = frozenset({"GET", "POST", "PUT", "DELETE"}),
        patience: Patience | None = None,
        timeout: float = 30.0,
        sleep: Callable[[float], None] | None = None,
        at_once: int = 4,
        network: Network | None = None,
        whole: float = 120.0,
    ):
        self.side = side
        self.network = network or Network()
        self.base_url = base_url.rstrip("/")
        self.counts = Counts()
        self.pace = Pace()
        self.progress = Progress()
        self.allowed = allowed
        self.patience = patience or Patience()
        self.timeout = timeout
        self.whole = whole
        self._answered = False
        self._headers = headers
        self._stopped, self._broken, self._free = threading.Event(), threading.Event(), threading.Event()
        self._free.set()
        self._sleep = sleep or self._stopped.wait
        self._slots = threading.BoundedSemaphore(at_once)
        self._sessions = threading.local()
        self._open: weakref.WeakSet[BoundedSession] = weakref.WeakSet()
        self._apart: weakref.WeakSet[Transport] = weakref.WeakSet()

    def apart(self) -> "Transport":
        """A second session with the same side, with its own pace and counts: for endpoints that have their own rate limit."""
        other = Transport(
            self.side,
            self.base_url,
            self._headers,
            self.allowed,
            self.patience,
            self.timeout,
            network=self.network,
            whole=self.whole,
        )
        other.progress = self.progress
        self._apart.add(other)
        return other

    def cancel(self, gently: bool = False) -> None:
        """No request leaves from now on, and who waits stops waiting: all of them end with StoppedRequestError.

        What is read is broken off; what was sent to change something is waited for, so that it is known what became of it.
        gently: only who waits ends so; a change that takes several requests comes to its end.
        """
        self._stopped.set()
        self.release()
        if gently:
            return
        self._broken.set()
        for session in [*self._open]:
            session.break_off()
        for other in [*self._apart]:
            other.cancel()

    def resume(self) -> None:
        """Let requests leave again."""
        self._stopped.clear()
        self._broken.clear()
        self.release()

    def hold(self) -> None:
        """No request leaves until `release`, or, with an error, `cancel`; what was sent is answered."""
        self._free.clear()

    def release(self) -> None:
        """End of `hold`."""
        self._free.set()

    def send(
        self,
        method: str,
        path: str,
        params: Any = None,
        body: Any = None,
        reads: bool = False,
        late: int = 0,
        door: bool = False,
    ) -> Any:
        """Send one request, patiently, and return the decoded JSON (None for an empty answer).

        `reads` says that a POST changes nothing: it may be sent twice, and is no write. `late`: after so many answers
        that did not come in time SlowAnswerError is raised, for a caller who can ask for less; 0 is as patient as ever.
        `door`: nobody knows whether the path is there, so a page instead of JSON is an AnswerError at once.
        Raises UnreachableError, KeyRefusedError (401), AnswerError with the side's own words, StoppedRequestError.
        """
        if method not in self.allowed:
            raise PermissionError(f"{method} never leaves towards {self.side}")
        repeatable = reads or method in REPEATABLE
        request = f"{method} {path}"
        lost, trouble, delays = 0.0, "", 0
        for turn in range(self.patience.tries):
            answer, trouble, seconds = self._try_once(
                method, path, params, body, (method != "GET" and not reads, turn > 0)
            )
            decoded = _NOTHING if answer is None or trouble else _decode(answer)
            trouble = trouble or ("an answer that is no JSON" if decoded is _NOTHING and not door else "")
            if answer is not None and not trouble:
                return self._read(answer, decoded, request)
            delays += trouble in (LATE, "status 504")
            if late and delays >= late:
                raise SlowAnswerError(f"{self.side} is too slow for {request}: ask for less at a time.")
            wait = self._choose_wait(answer, turn)
            lost += seconds
            # a side that has never answered at all is probably a wrong address: three tries tell
            tries = self.patience.tries if self._answered else min(3, self.patience.tries)
            told_to_wait = answer is not None and answer.status == 429
            if not (repeatable or told_to_wait) or lost + wait > self.patience.limit or turn + 1 >= tries:
                break
            limited = trouble == "status 429"
            level = logging.INFO if limited and self.progress.watched else logging.WARNING
            log.log(level, "%s: %s; trying again in %.1f s (%s)", self.side, trouble, wait, request)
            self._wait(wait, f"{self.side}'s limit of requests" if limited else f"{self.side} ({trouble})")
            lost += wait
        raise UnreachableError(
            f"{self.side} at {self.base_url} does not answer {request}: {trouble}; gave up after {turn + 1} tries. "
            + _advise(trouble),
            answer.status if answer is not None else 0,
        )

    def _try_once(
        self, method: str, path: str, params: Any, body: Any, kind: tuple[bool, bool]
    ) -> tuple[Answer | None, str, float]:
        """One try, when there is a free place and the limit has room: the answer, what is wrong with it, seconds it took."""
        with self._slots:
            self._take_turn(method, path)  # counted when it leaves, and not before it waits for a place
            self._keep_pace()
            self.counts.add(*kind)
            begun = time.monotonic()
            try:
                answer = self._session().exchange(
                    method,
                    self.base_url + path,
                    self.timeout,
                    self.whole,
                    OF_ANSWER.size,
                    None if kind[0] else self._broken,
                    params=params,
                    json=body,
                    **self.network.choose(self.base_url),
                )
            except TooLargeError:
                self.pace.lose()
                raise UnreachableError(
                    f"{self.side} at {self.base_url} answers {method} {path} with more than {OF_ANSWER.size // MEGABYTE} MB, "
                    "and was read no further: no answer of its own is so large. Check the address, and what stands "
                    "in between, then run again."
                ) from None
            except REPEATED as error:
                self.pace.lose()
                if self._broken.is_set() and not kind[0]:
                    self._interrupt()
                self._stop_where_closed(error, f"{method} {path}")
                proxied = isinstance(error, requests.exceptions.ProxyError)
                trouble = self.network.name_proxy(self.base_url) if proxied else _name_failure(error)
                return None, trouble, time.monotonic() - begun
            except UNUSABLE as error:
                self.pace.lose()
                self._stop_where_closed(error, f"{method} {path}")
                raise UnreachableError(
                    f"{self.side}: the address {self.base_url} cannot be used ({type(error).__name__}): {method} {path} was "
                    "not sent. Check the address, then run again."
                ) from None
        self._answered = True
        self.pace.note(answer.headers, answer.status)
        trouble = f"status {answer.status}" if answer.status in RETRIED_STATUS else ""
        return answer, trouble, time.monotonic() - begun

    def _stop_where_closed(self, error: Exception, request: str) -> None:
        """No further try where the way itself is closed."""
        if why := self.network.explain(error, self.base_url, self._answered):
            self._say_closed(why, request)

    def _say_closed(self, why: str, request: str) -> None:
        raise UnreachableError(f"{self.side} at {self.base_url} cannot be asked {request}: {why}")

    def _take_turn(self, method: str, path: str) -> None:
        """Called before every try. A subclass waits here for limits that the side does not announce."""

    def _keep_pace(self) -> None:
        """Wait while the side's own numbers say that the limit is used up; a request too many is never sent."""
        while (wait := self.pace.take()) > 0:
            if self.pace.is_news():
                level = logging.INFO if self.progress.watched else logging.WARNING
                log.log(level, "%s: its limit of requests is used up; going on in %.0f s", self.side, wait)
            self._wait(min(wait, self.patience.told), f"{self.side}'s limit of requests")
        if not self._free.is_set():
            self._free.wait()
            if self._stopped.is_set():
                self._interrupt()
        if self._broken.is_set():
            self._interrupt()

    def _wait(self, seconds: float, why: str) -> None:
        self.progress.wait(why, seconds)
        self._sleep(seconds)
        self.counts.add_wait(seconds)
        if self._stopped.is_set():
            self._interrupt()

    def _interrupt(self) -> None:
        raise StoppedRequestError(f"Cancelled while asking {self.side}: run the step again.")

    def _session(self) -> BoundedSession:
        """One session per thread: requests does not promise that a session can be shared."""
        session: BoundedSession | None = getattr(self._sessions, "session", None)
        if session is None:
            session = self._sessions.session = self.network.open_session(self.base_url)
            session.headers.update(self._headers)
            self._open.add(session)
        return session

    def _choose_wait(self, answer: Answer | None, turn: int) -> float:
        told = read_wait(answer.headers, answer.status) if answer is not None else None
        if told is not None:
            return min(max(told, self.patience.first), self.patience.told)
        doubled = self.patience.first * 2**turn * random.uniform(0.75, 1.25)  # noqa: S311 - spread, not secrecy
        return float(min(doubled, self.patience.longest))

    def _read(self, answer: Answer, decoded: Any, request: str) -> Any:
        if decoded is _NOTHING:
            said = f"{self.side} answered {request} with {answer.status} and a page that is no JSON."
            raise AnswerError(said, answer.status, NO_JSON)
        if answer.status < 300:
            return decoded
        if str(answer.status) == ASKS:
            self._say_closed(self.network.explain_proxy(ASKS, self.base_url), request)
        code, message = read_error(decoded, answer.content[:MOST_PAGE].decode(errors="replace"))
        if answer.status == 401 and (code in KEY_CODES or code.isdigit()):
            raise KeyRefusedError(f"{self.side} at {self.base_url} refuses the key (401): check the key.")
        message = _describe_redirect(answer) or self._redact(message)[:MOST_WORDS]
        words = f"{answer.status} {self._redact(code)}".strip()
        raise AnswerError(f"{self.side} refused {request}: {words}: {message}", answer.status, code)

    @property
    def key(self) -> str:
        """The key: never to be shown, nor kept."""
        keys = (v for k, v in self._headers.items() if k in ("Authorization", "x-api-key"))
        return "".join(key.removeprefix("Token token=").removeprefix("Bearer ") for key in keys)

    def _redact(self, text: str) -> str:
        """The text without the key: an error answer may repeat it."""
        return mask_secrets(text, [self.key])


_NOTHING: Any = object()


def _decode(answer: Answer) -> Any:
    """The JSON, once: a page can be megabytes. None for an empty answer or an error without words; else _NOTHING."""
    try:
        return read_json(answer.content, OF_ANSWER) if answer.content else None
    except ValueError:
        return _NOTHING if answer.status < 300 else None


def _describe_redirect(answer: Answer) -> str:
    """Where a redirect leads, without its query, which may hold secrets; the key is never sent after it."""
    if answer.status >= 400 or "Location" not in answer.headers:
        return ""
    place = urlsplit(answer.headers["Location"])
    return f"it sends on to {place.netloc}{place.path}, where the key does not go: check the address"


def _advise(trouble: str) -> str:
    """What to do after the last try."""
    if trouble == "status 429":
        return "It takes no more requests for now: wait some minutes, then run again."
    if trouble.startswith("status"):
        return "The trouble is on its side: run again later."
    return "Check the address and the network, then run again."


def _name_failure(error: requests.RequestException) -> str:
    """The kind of failure only: the error's own text may hold the whole URL."""
    if isinstance(error, requests.exceptions.ConnectTimeout):
        return "no connection in time"
    if isinstance(error, requests.exceptions.ReadTimeout) or "Read timed out" in str(error):
        return LATE
    if isinstance(error, requests.exceptions.ContentDecodingError):
        return "an answer that cannot be unpacked"
    refused = "refused" in str(error) or "NewConnectionError" in str(error)
    return "nobody listens there" if refused else "the connection broke"
