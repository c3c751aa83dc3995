"""A side's own words in an answer that is an error, whatever its shape."""

import html
import re
from collections.abc import Iterator
from typing import Any

SILENT = "no reason given"
MESSAGES = ("message", "error_description", "detail", "title", "msg")
"""What the sentence is called: PagerDuty and Harness, OAuth (RFC 6749), problem details (RFC 9457)."""
DETAILS = ("errors", "details", "responseMessages")


def read_error(body: Any, text: str = "") -> tuple[str, str]:
    """The code and the message. body: the JSON, None where there is none; text: the answer as it came."""
    if body is None:
        return "", _join([_strip_page(text)])
    error = body.get("error", body) if isinstance(body, dict) else body
    if not isinstance(error, dict):
        around = body if isinstance(body, dict) else {}
        said = [*_flatten(error), *_pick(around, MESSAGES), *_pick(around, DETAILS)]
        return "", _join(said)
    said = (_pick(error, MESSAGES[:1]) or _pick(error, MESSAGES)) + _pick(error, DETAILS)
    if error is not body:
        said += _pick(body, DETAILS)
    return str(error.get("code") or ""), _join(said or list(_flatten(error)))


def _pick(found: dict[str, Any], names: tuple[str, ...]) -> list[str]:
    return [said for name in names for said in _flatten(found.get(name))]


def _flatten(said: Any) -> Iterator[str]:
    """The sentences in it: a text, a list, by field (PagerDuty's v3), or lists of objects."""
    if isinstance(said, str):
        yield said
    elif isinstance(said, dict | list):
        for one in said.values() if isinstance(said, dict) else said:
            yield from _flatten(one)


def _join(said: list[str]) -> str:
    return " ".join(" ".join(dict.fromkeys(said)).split()) or SILENT


def _strip_page(text: str) -> str:
    """What a person would read of a page."""
    text = re.sub(r"(?is)<(script|style)\b.*?(</\1>|\Z)", " ", text)
    return html.unescape(re.sub(r"<[^<>]*>", " ", text))
