"""The one spelling of a value that digests are made over."""

import hashlib
import json
from collections.abc import Iterator
from typing import Any

_ENCODER = json.JSONEncoder(ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def canonical_json(data: Any) -> str:
    """The one spelling of `data` that digests are made over."""
    return _ENCODER.encode(data)


def spell_parts(data: Any, depth: int = 3) -> Iterator[bytes]:
    """The same spelling in parts, so that nobody holds all of it. An iterator is spelled as a list.

    depth: of the lists and objects whose parts are spelled each for itself. The names of such objects are texts.
    """
    if depth and isinstance(data, dict):
        for number, name in enumerate(sorted(data)):
            yield f"{',' if number else '{'}{canonical_json(name)}:".encode()
            yield from spell_parts(data[name], depth - 1)
        yield b"}" if data else b"{}"
    elif depth and isinstance(data, list | tuple | Iterator):
        yield b"["
        for number, one in enumerate(data):
            yield b"," if number else b""
            yield from spell_parts(one, depth - 1)
        yield b"]"
    else:
        yield canonical_json(data).encode()


def digest(data: Any) -> str:
    """SHA-256 over the spelling of `data`, in which an iterator is a list."""
    found = hashlib.sha256()
    for part in spell_parts(data):
        found.update(part)
    return found.hexdigest()
