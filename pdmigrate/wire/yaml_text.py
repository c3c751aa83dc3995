"""YAML that people write, read within limits and into plain values; whatever is wrong with it has a line.

A reader of YAML takes maps of any depth, aliases that multiply, keys that stand twice (the first is lost without a
word), and fails in its own words at days that do not exist.
"""

from collections.abc import Hashable
from typing import Any

import yaml

LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
SIZE = 16 << 20
"""Bytes; a decision for each of ten thousand people takes 4 MB."""
DEPTH = 64
COUNT = 1_000_000
"""Values, those counted again that an alias repeats."""
_START = yaml.Mark("", 0, 0, 0, "", 0)
LARGEST = 1 << 63
"""No number of ours comes near; one beyond is a slip of the pen, and breaks whatever counts with it."""


class UnfitYamlError(yaml.YAMLError):
    """It is YAML, and not taken. problem: why, in words. problem_mark: where, as other errors of YAML have it."""

    def __init__(self, problem: str, problem_mark: Any):
        super().__init__(problem)
        self.problem, self.problem_mark = problem, problem_mark


def read_yaml(text: str) -> Any:
    """What a text says, whatever marks and line ends the editor left; plain values only. Raises yaml.YAMLError."""
    text = text.removeprefix("\ufeff")
    try:
        text.encode()
    except UnicodeEncodeError:
        raise UnfitYamlError("it holds half of a sign (a lone surrogate)", _START) from None
    _check_extent(text)
    return yaml.load(text, _Loader)  # noqa: S506 - it is one of the safe ones


def describe_yaml_error(name: str, error: yaml.YAMLError) -> str:
    """One line: the file, where in it, and what to do."""
    mark = getattr(error, "problem_mark", None)
    line = mark.line + 1 if mark else "?"
    if isinstance(error, UnfitYamlError):
        return f"{name} line {line}: {error.problem}: mend it, then run again."
    return f"{name} is no YAML near line {line}: mend it, then run again."


def _check_extent(text: str) -> None:
    """Size, depth and count, told from the parser's events, before anything is made of them."""
    if len(text) > SIZE:
        raise UnfitYamlError(f"the file has {len(text) >> 20} MB, and {SIZE >> 20} are the most", _START)
    sizes: dict[str, int] = {}
    opened: list[tuple[str | None, int]] = []
    count = 0
    for event in yaml.parse(text, LOADER):
        if isinstance(event, yaml.AliasEvent):
            if event.anchor not in sizes and any(event.anchor == anchor for anchor, _ in opened):
                raise UnfitYamlError(f"*{event.anchor} stands inside of itself", event.start_mark)
            count += sizes.get(event.anchor or "", 1)
        elif isinstance(event, yaml.ScalarEvent):
            count += 1
            sizes[event.anchor or ""] = 1
        elif isinstance(event, yaml.CollectionStartEvent):
            opened.append((event.anchor, count))
            count += 1
        elif isinstance(event, yaml.CollectionEndEvent):
            anchor, before = opened.pop()
            sizes[anchor or ""] = count - before
        if len(opened) > DEPTH:
            raise UnfitYamlError(f"it is nested deeper than {DEPTH}", event.start_mark)
        if count > COUNT:
            raise UnfitYamlError(f"the file holds more than {COUNT} values", event.start_mark)


class _Loader(LOADER):  # type: ignore[misc]  # one of two classes, which mypy cannot know
    """Says where a value stands that is none, and refuses a key that stands twice."""

    def construct_object(self, node: yaml.Node, deep: bool = False) -> Any:
        try:
            value = super().construct_object(node, deep)
        except (ValueError, TypeError, AttributeError, LookupError, OverflowError):
            kind = node.tag.rpartition(":")[2]
            raise UnfitYamlError(f"there is no such {kind}", node.start_mark) from None
        if isinstance(value, int) and not -LARGEST <= value < LARGEST:
            raise UnfitYamlError("this number is too large", node.start_mark)
        return value

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        seen: set[tuple[str, str]] = set()
        for key, _ in node.value:
            if isinstance(key, yaml.ScalarNode) and key.tag != "tag:yaml.org,2002:merge":
                if (key.tag, key.value) in seen:
                    raise UnfitYamlError(f"the key {key.value[:40]!r} stands twice", key.start_mark)
                seen.add((key.tag, key.value))
        made: dict[Hashable, Any] = super().construct_mapping(node, deep)
        return made
