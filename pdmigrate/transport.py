"""One HTTP session: patience, redaction, counting. Everything that leaves the toolkit goes through `Transport.send`.

Patience is bounded in tries and in time. What may be sent twice without harm (GET, PUT, DELETE) is sent again after a
429, a 5xx, a time-out, a reset or an answer that is no JSON; a POST only when the side says that it did not do it (429).
"""

import email.utils
import logging
import random
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import requests

from pdmigrate.errors import AnswerError, KeyRefusedError, UnreachableError

log = logging.getLogger("pdmigrate")

RETRIED_STATUS = frozenset({429, 500, 502, 503, 504})
REPEATABLE = frozenset({"GET", "PUT", "DELETE"})


@dataclass
class Patience:
    """How long to try: at most `tries` per request, waits of `first` seconds doubling up to `longest`, `limit` in all."""

    tries: int = 8
    first: float = 0.5
    longest: float = 30.0
    limit: float = 300.0


@dataclass
class Counts:
    """What was sent: requests in all, how many of them were repeats, how many were meant to change something."""

    requests: int = 0
    retries: int = 0
    writes: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def add(self, writes: bool, repeat: bool) -> None:
        with self._lock:
            self.requests += 1
            self.retries += repeat
            self.writes += writes and not repeat


class Transport:
    """A session with one side. `allowed` are the methods that may leave at all: for PagerDuty that is GET alone.

    `side` is the side's name for messages. `headers` hold the key and are never shown. `sleep` is for tests.
    """

    def __init__(
        self,
        side: str,
        base_url: str,
        headers: dict[str, str],
        allowed: frozenset[str] = frozenset({"GET", "POST", "PUT", "DELETE"}),
        patience: Patience | None = None,
        timeout: float = 30.0,
        sleep: Callable[[float], None] = time.sleep,
    ):
        self.side = side
        self.base_url = base_url.rstrip("/")
        self.counts = Counts()
        self.allowed = allowed
        self.patience = patience or Patience()
        self.timeout = timeout
        self._answered = False
        self._headers = headers
        self._sleep = sleep
        self._sessions = threading.local()

    def send(self, method: str, path: str, params: Any = None, body: Any = None, reads: bool = False) -> Any:
        """Send one request, patiently, and return the decoded JSON (None for an empty answer).

        `reads` says that a POST changes nothing: it may be sent twice, and is no write.
        Raises UnreachableError, KeyRefusedError (401), or AnswerError with the side's own words.
        """
        if method not in self.allowed:
            raise PermissionError(f"{method} never leaves towards {self.side}")
        repeatable = reads or method in REPEATABLE
        waited, trouble = 0.0, ""
        for turn in range(self.patience.tries):
            self.counts.add(method != "GET" and not reads, turn > 0)
            answer, trouble = self._try_once(method, path, params, body)
            if not trouble:
                return self._read(answer, method, path)
            wait = self._choose_wait(answer, turn)
            told_to_wait = answer is not None and answer.status_code == 429
            if not (repeatable or told_to_wait) or waited + wait > self.patience.limit or turn + 1 >= self._tries():
                break
            log.warning("%s: %s; trying again in %.1f s (%s %s)", self.side, trouble, wait, method, path)
            self._sleep(wait)
            waited += wait
        raise UnreachableError(
            f"{self.side} at {self.base_url} does not answer {method} {path}: {trouble}; gave up after {turn + 1} tries. "
            "Check the address and the network, then run again."
        )

    def _tries(self) -> int:
        """A side that has never answered at all is probably a wrong address: three tries tell."""
        return self.patience.tries if self._answered else min(3, self.patience.tries)

    def _try_once(self, method: str, path: str, params: Any, body: Any) -> tuple[requests.Response | None, str]:
        try:
            answer = self._session().request(
                method, self.base_url + path, params=params, json=body, timeout=self.timeout, allow_redirects=False
            )
        except (requests.ConnectionError, requests.Timeout, requests.exceptions.ChunkedEncodingError) as error:
            return None, _name_failure(error)
        except requests.RequestException as error:
            raise UnreachableError(
                f"{self.side}: the address {self.base_url} cannot be used ({type(error).__name__})."
            ) from None
        self._answered = True
        if answer.status_code in RETRIED_STATUS:
            return answer, f"status {answer.status_code}"
        if answer.status_code < 300 and answer.content and _decode(answer) is None:
            return answer, "an answer that is no JSON"
        return answer, ""

    def _session(self) -> requests.Session:
        """One session per thread: requests does not promise that a session can be shared."""
        if not hasattr(self._sessions, "session"):
            self._sessions.session = requests.Session()
            self._sessions.session.headers.update(self._headers)
            self._sessions.session.trust_env = not self.base_url.startswith(("http://127.", "http://localhost"))
        return self._sessions.session

    def _choose_wait(self, answer: requests.Response | None, turn: int) -> float:
        told = _told_wait(answer) if answer is not None else None
        doubled = self.patience.first * 2**turn * random.uniform(0.75, 1.25)  # noqa: S311 - spread, not secrecy
        return min(doubled if told is None else told, self.patience.longest)

    def _read(self, answer: requests.Response, method: str, path: str) -> Any:
        if answer.status_code == 401:
            raise KeyRefusedError(
                f"{self.side} at {self.base_url} refuses the key (401): check the key and its region."
            )
        if answer.status_code >= 300:
            code, message = _error_words(_decode(answer))
            message = self._redact(message)
            words = f"{answer.status_code} {code}".strip()
            raise AnswerError(f"{self.side} refused {method} {path}: {words}: {message}", answer.status_code, code)
        return _decode(answer) if answer.content else None

    def _redact(self, text: str) -> str:
        """A side may repeat the key in its answer; our messages do not."""
        keys = (v.removeprefix("Token token=") for k, v in self._headers.items() if k in ("Authorization", "x-api-key"))
        for key in filter(None, keys):
            text = text.replace(key, "…")
        return text


def _decode(answer: requests.Response) -> Any:
    try:
        return answer.json()
    except ValueError:
        return None


def _error_words(body: Any) -> tuple[str, str]:
    """The code and the message of an error body: PagerDuty's `error` object, or Harness's `code` and `message`."""
    error = body.get("error", body) if isinstance(body, dict) else {}
    if not isinstance(error, dict):
        return "", str(error)
    details = error.get("errors") if all(isinstance(e, str) for e in error.get("errors") or []) else None
    message = " ".join([str(error.get("message") or "no reason given"), *(details or [])])
    return str(error.get("code") or ""), " ".join(message.split())[:500]


def _told_wait(answer: requests.Response) -> float | None:
    """Seconds that the side asks us to wait: `Retry-After` (seconds or a date) or PagerDuty's `ratelimit-reset`."""
    for header in ("Retry-After", "ratelimit-reset"):
        value = answer.headers.get(header, "") if answer.status_code in (429, 503) else ""
        if value.replace(".", "", 1).isdigit():
            return float(value)
        moment = email.utils.parsedate_tz(value) if value else None
        if moment:
            return max(0.0, email.utils.mktime_tz(moment) - time.time())
    return None


def _name_failure(error: requests.RequestException) -> str:
    """The kind of failure only: the error's own text may hold the whole URL."""
    names = {
        requests.exceptions.ConnectTimeout: "no connection in time",
        requests.exceptions.ReadTimeout: "no answer in time",
    }
    refused = "refused" in str(error) or "NewConnectionError" in str(error)
    return names.get(type(error), "nobody listens there" if refused else "the connection broke")
