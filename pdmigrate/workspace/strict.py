"""What is wrong with a file that a person wrote, in words, with the nearest right one."""

import re
from collections.abc import Sequence
from types import UnionType
from typing import Any, get_args, get_origin

import yaml
from pydantic import BaseModel
from pydantic_core import ErrorDetails

from pdmigrate.errors import find_nearest, hint


def describe_problem(entry: ErrorDetails, model: type[BaseModel]) -> str:
    """One of pydantic's errors in words. The value is never repeated: it may be a token that somebody typed."""
    place = ".".join(str(part) for part in entry["loc"])
    if entry["type"] == "extra_forbidden":
        return f"there is no key {place}{_hint_key(entry['loc'], model)}"
    if entry["type"] == "missing":
        return f"{place} is missing"
    message = entry["msg"].removeprefix("Value error, ")
    # the nearest of the words that a field takes, if one is near
    known = re.findall("'([^']+)'", entry["ctx"]["expected"]) if entry["type"] == "literal_error" else []
    said = f"{message[0].lower()}{message[1:]}{find_nearest(str(entry['input']), known)}"
    return f"{place}: {said}" if place else said


def find_line(text: str, place: Sequence[str | int]) -> int:
    """The line of a YAML text on which the thing at this place stands; where it is missing, what should hold it."""
    node = yaml.compose(text, yaml.SafeLoader)
    for part in place:
        inner = None
        if isinstance(node, yaml.MappingNode):
            inner = next((value for key, value in node.value if key.value == str(part)), None)
        elif isinstance(node, yaml.SequenceNode) and isinstance(part, int) and part < len(node.value):
            inner = node.value[part]
        if inner is None:
            break
        node = inner
    return node.start_mark.line + 1 if node else 1


def _hint_key(place: Sequence[str | int], model: Any) -> str:
    for part in place[:-1]:
        if not isinstance(part, int):
            found = model.model_fields[part].annotation
            # what stands in a list, or beside None
            model = get_args(found)[0] if get_origin(found) in (tuple, list, UnionType) else found
    return f" ({hint(str(place[-1]), model.model_fields)})"
