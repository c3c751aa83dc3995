"""Addresses: parts that come from data are encoded, and no secret stands in one."""

import re
from urllib.parse import quote, urlsplit

from pdmigrate.errors import SideError

_KEPT = "@$+:"
"""What may stand in a path as it is, beside letters, digits and `-_.~`."""


def encode_part(text: str) -> str:
    """An id as one part of a request's path. Raises SideError for one that no path can hold: the address would be another."""
    if text in ("", ".", ".."):
        raise SideError(f"There is an object with the id {text!r}, which no request can ask for: it has to be removed.")
    return quote(text, safe=_KEPT, errors="replace")


def check_address(text: str) -> str:
    """The same address, where requests can go there and nothing secret is in it. Raises ValueError, which never repeats it."""
    refuse_password(text)
    try:
        parts = urlsplit(text)
        usable = parts.scheme in ("http", "https") and _is_host(parts.hostname) and parts.port != 0
    except ValueError:
        usable = False
    if not usable or re.search(r"[\s\x00-\x1f\x7f]", text):
        raise ValueError("it is no address: write https://HOST or https://HOST:PORT")
    return text


def refuse_password(text: str) -> str:
    """The same address, whatever it leads to. Raises ValueError where a name or a password may stand in it."""
    if "@" in text:
        raise ValueError("an address holds no name and no password: take out what stands before the @, and the @")
    return text


def is_storage(word: str) -> bool:
    """Whether it names storage, and no folder: SCHEME://PLACE. A web address is none."""
    return bool(re.match(r"[a-z][a-z0-9+]*://", word)) and not word.startswith(("http:", "https:"))


def _is_host(name: str | None) -> bool:
    """Whether the name can be looked up: labels of 1 to 63 characters, 253 in all."""
    if not name:
        return False
    if ":" in name:  # an IPv6 address
        return True
    try:
        labels = name.rstrip(".").encode("idna").split(b".")
    except UnicodeError:
        return False
    return all(re.fullmatch(rb"[A-Za-z0-9_-]{1,63}", label) for label in labels) and len(name) <= 253
