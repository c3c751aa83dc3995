"""The way to a side: whose certificates are believed, through which proxy, and what it means when the way is closed.

What migration.yaml says goes before the environment (HTTPS_PROXY, NO_PROXY, REQUESTS_CA_BUNDLE, as requests reads them).
Servers on this machine are asked directly.
"""

import os
import re
import ssl
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import SplitResult, urlsplit

import requests
from requests.utils import get_environ_proxies, select_proxy

from pdmigrate.errors import SettingsError
from pdmigrate.wire.exchange import BoundedSession

BUNDLES = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")
"""The variables that name a CA bundle; the first that is set counts."""
NO_TLS = ("WRONG_VERSION_NUMBER", "record layer failure", "RECORD_LAYER_FAILURE", "PACKET_LENGTH_TOO_LONG")
"""OpenSSL's words for an answer that is no TLS."""
ASKS = "407"
"""A proxy that wants to know who is there."""


@dataclass(frozen=True)
class Network:
    """ca_bundle: a PEM file or a folder of them; proxy: its address, which may hold a password. "" for what is not set."""

    ca_bundle: str = ""
    proxy: str = field(default="", repr=False)

    def open_session(self, base_url: str) -> BoundedSession:
        """A session that goes this way. Raises SettingsError where the CA bundle cannot be read."""
        session = BoundedSession()
        session.trust_env = not is_local(base_url)
        session.auth = lambda request: request  # else requests puts what ~/.netrc says in the place of the key
        if session.trust_env:
            _check_bundle(*self._find_bundle())
        return session

    def choose(self, base_url: str) -> dict[str, Any]:
        """What each request is told; a session's own settings would yield to the environment."""
        if is_local(base_url):
            return {}
        proxies = {"http": self.proxy, "https": self.proxy} if self.proxy else None
        return {"verify": self.ca_bundle or None, "proxies": proxies}

    def describe(self, base_url: str) -> str:
        """How requests leave, in words: never with a password."""
        if is_local(base_url):
            return "directly, to this machine"
        proxy = self._find_proxy(base_url)
        source = "migration.yaml" if self.proxy else "the environment"
        way = f"through the proxy {show_address(proxy)} ({source})" if proxy else "directly"
        path, named = self._find_bundle()
        return f"{way}; certificates are judged by " + (f"{path} ({named})" if path else "the usual authorities")

    def explain(self, error: Exception, base_url: str, answered: bool) -> str:
        """What closes the way for good, and the way on; "" where another try may do. answered: whether it ever spoke."""
        said = str(error)
        if not answered and any("handshake operation timed out" in str(one) for one in _list_causes(error)):
            return "nothing answers the greeting of https: what listens there may speak http alone, or a firewall swallows it."
        if isinstance(error, requests.exceptions.SSLError):
            if "CERTIFICATE_VERIFY_FAILED" in said:
                return self._explain_certificate(said)
            if any(word in said for word in NO_TLS):
                return "what listens there does not speak https: write http:// or another port."
        if isinstance(error, requests.exceptions.InvalidProxyURL):
            return "the proxy is no address: write http://HOST:PORT as proxy in migration.yaml or in HTTPS_PROXY."
        if isinstance(error, requests.exceptions.ProxyError) and (told := re.search(r"Tunnel.*?: (4\d\d)", said)):
            return self.explain_proxy(told.group(1), base_url)
        return ""

    def explain_proxy(self, status: str, base_url: str) -> str:
        """What a proxy's own refusal means."""
        name = show_address(self._find_proxy(base_url)) or "on the way"
        if status == ASKS:
            return (
                f"the proxy {name} asks who is there (407): give `proxy` in migration.yaml as a reference, env:NAME, to "
                "http://USER:PASSWORD@HOST:PORT, or set HTTPS_PROXY so."
            )
        return f"the proxy {name} does not let it through ({status}): ask whoever runs it to allow this address."

    def name_proxy(self, base_url: str) -> str:
        """The proxy that does not answer, for a message."""
        return f"the proxy {show_address(self._find_proxy(base_url)) or 'on the way'} does not answer"

    def _explain_certificate(self, said: str) -> str:
        why = (re.search(r"verify failed: ([^(]*)", said) or [said, "no reason given"])[1].strip(" .")
        if "Hostname mismatch" in why or "IP address mismatch" in why:
            return f"its certificate is for another name ({why}): check the address."
        if "expired" in why or "not yet valid" in why:
            return f"its certificate is not trusted ({why}): check this machine's clock, or tell whoever runs it."
        path, named = self._find_bundle()
        judged = f" by {path} ({named})" if path else ""
        return (
            f"its certificate is not trusted{judged} ({why}). A proxy that looks into traffic may have put in its own: name "
            "the PEM file of its authority as ca_bundle in migration.yaml or in REQUESTS_CA_BUNDLE; whoever runs the network has it."
        )

    def _find_bundle(self) -> tuple[str, str]:
        """The path of the CA bundle, and where it is named."""
        if self.ca_bundle:
            return self.ca_bundle, "ca_bundle in migration.yaml"
        return next(((path, name) for name in BUNDLES if (path := os.environ.get(name, ""))), ("", ""))

    def _find_proxy(self, base_url: str) -> str:
        return self.proxy or select_proxy(base_url, get_environ_proxies(base_url)) or ""


def is_local(base_url: str) -> bool:
    """Whether the address is a server of this machine, without a certificate."""
    return base_url.startswith(("http://127.", "http://localhost"))


def show_address(url: str) -> str:
    """Host and port, without the name and the password that may stand before them."""
    return _split(url).netloc.rpartition("@")[2]


def find_password(url: str) -> str:
    """The password in an address, "" where it has none."""
    return _split(url).password or ""


def split_proxy(url: str) -> SplitResult:
    """Its parts; it may be named without http://. Raises ValueError for what is no address."""
    return urlsplit(url if "://" in url else f"http://{url}")


def _split(url: str) -> SplitResult:
    """Nothing of what is no address: the environment may name one."""
    try:
        return split_proxy(url)
    except ValueError:
        return urlsplit("")


def _list_causes(error: BaseException | None) -> Iterator[BaseException]:
    """The error and those that it came of: urllib3 says only that reading timed out."""
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def _check_bundle(path: str, named: str) -> None:
    """One line in place of what requests would raise. Raises SettingsError."""
    if not path:
        return
    place = Path(path)
    if not place.exists():
        raise SettingsError(f"{named}: there is no {path}: name the PEM file of the authority that is to be trusted.")
    try:
        folder = place.is_dir()
        ssl.create_default_context(cafile=None if folder else path, capath=path if folder else None)
    except (ssl.SSLError, OSError) as error:
        why = getattr(error, "reason", None) or type(error).__name__
        raise SettingsError(
            f"{named}: {path} holds no certificates that can be read ({why}): a PEM file is needed."
        ) from None
