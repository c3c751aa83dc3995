"""JSON from outside, read within limits: what is too large, too deep, or holds what no JSON holds, is refused before use.

Python's own reader takes NaN, halves of signs and numbers of any length, and what it makes of them breaks far behind
the door; nesting that it takes breaks whoever walks through it.
"""

import json
import math
import re
import sys
from dataclasses import dataclass
from itertools import accumulate
from typing import Any

MEGABYTE = 1 << 20


@dataclass(frozen=True)
class Limits:
    """The most that is taken. size: bytes of the text. depth: of lists and objects in each other. count: of values."""

    size: int
    depth: int = 64
    count: int = 5_000_000


OF_FILE = Limits(512 * MEGABYTE)
"""A snapshot of an account of ten thousand people has some 100 MB."""
OF_ANSWER = Limits(64 * MEGABYTE, count=2_000_000)
"""A page of a hundred schedules, rendered over months, has some MB."""

_TEXT = re.compile(r'"(?:[^"\\]++|\\.)*+"?', re.DOTALL)
_NO_BRACKET = re.compile(r"[^\[\]{}]+")
_HALF = re.compile(r"\\u[dD][89a-fA-F]")
_STEP = {"[": 1, "{": 1, "]": -1, "}": -1}
_DIGITS = 19
"""So many hold whatever 64 bits hold."""


class JsonError(ValueError):
    """A text that is not taken. The message can follow a name and a colon, and never repeats a value."""


def read_json(raw: bytes | str, limits: Limits = OF_FILE) -> Any:
    """What a text says. Raises JsonError, in words, where it is no JSON, or beyond the limits."""
    if len(raw) > limits.size:
        raise JsonError(f"it has {len(raw) // MEGABYTE} MB, and {limits.size // MEGABYTE} are the most")
    raw = text = raw if isinstance(raw, str) else _decode(raw)  # the bytes are let go
    _check_extent(text, limits)
    try:
        data = json.loads(
            text,
            object_hook=_share_texts,
            parse_constant=_refuse_number,
            parse_float=_read_float,
            parse_int=_read_int,
        )
    except json.JSONDecodeError as error:
        raise JsonError(f"it is no JSON near line {error.lineno}") from None
    if _HALF.search(text) and not _is_whole(data):
        raise JsonError(f"{_find_half(data) or 'it'} holds half of a sign (a lone surrogate)")
    return data


def _is_whole(data: Any) -> bool:
    """Whether all of its texts can be written as UTF-8. Where it cannot be told that quickly, they are looked for."""
    try:
        json.dumps(data, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return False
    return True


def _decode(raw: bytes) -> str:
    try:
        return raw.decode(json.detect_encoding(raw)).removeprefix("\ufeff")
    except UnicodeDecodeError:
        raise JsonError("it is no UTF-8") from None


def _check_extent(text: str, limits: Limits) -> None:
    """Depth and count, told from the signs alone."""
    if text.count(",") > limits.count:
        raise JsonError(f"it holds more than {limits.count} values")
    if text.count("[") + text.count("{") <= limits.depth:
        return
    brackets = _NO_BRACKET.sub("", _TEXT.sub("", text))
    deepest = max(accumulate(map(_STEP.__getitem__, brackets)), default=0)
    if deepest > limits.depth:
        raise JsonError(f"it is nested {deepest} deep, and {limits.depth} is the most")


def _share_texts(found: dict[str, Any]) -> dict[str, Any]:
    """Equal texts are held once: the ids and names of an account come again thousands of times."""
    for name, value in found.items():
        if isinstance(value, str):
            found[name] = sys.intern(value)
    return found


def _refuse_number(word: str) -> Any:
    raise JsonError(f"{word} is no number of JSON")


def _read_float(word: str) -> float:
    value = float(word)
    if math.isinf(value):
        raise JsonError("a number in it is beyond what a computer counts")
    return value


def _read_int(word: str) -> int:
    if len(word.lstrip("-")) > _DIGITS:
        raise JsonError(f"a number in it has {len(word.lstrip('-'))} digits")
    return int(word)


def _find_half(data: Any) -> str | None:
    """Where the first text is that cannot be written as UTF-8, which is slow to find; None where all can."""
    left: list[tuple[str, Any]] = [("", data)]
    while left:
        place, here = left.pop()
        if isinstance(here, str) and not here.isascii():
            try:
                here.encode()
            except UnicodeEncodeError:
                return place
        elif isinstance(here, dict):
            left += [(place, key) for key in here] + [(f"{place}.{key}".lstrip("."), one) for key, one in here.items()]
        elif isinstance(here, list):
            left += [(f"{place}.{number}".lstrip("."), one) for number, one in enumerate(here)]
    return None
