"""The form of Harness's answers to single requests. What is in another one was not understood, and is said."""

from typing import Any

from pdmigrate.errors import UnreachableError

Row = dict[str, Any]


def take_data(answer: Any, path: str, *keys: str) -> Row:
    """The object under `data`, and under further keys in there.

    Raises UnreachableError where there is none: whether the request was carried out, only a look can tell.
    """
    found = answer
    for key in ("data", *keys):
        found = found.get(key) if isinstance(found, dict) else None
    return take_found(found, path)


def take_found(found: Any, path: str) -> Row:
    """The same of an answer that is the object itself."""
    if not isinstance(found, dict):
        raise UnreachableError(f"Harness's answer to {path} has another shape than is documented: run again.", 200)
    return found
