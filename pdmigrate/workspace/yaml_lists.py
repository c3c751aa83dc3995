"""Changes entries of a list in a YAML file that people write, and leaves everything else as they wrote it.

Line by line where that can be done: then only the lines of these entries are touched. What cannot (a list in brackets,
an anchor that others use) is written anew by ruamel.yaml, which keeps comments, order and quoting. No comment goes:
one of an entry that goes stays as a line of its own.
"""

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from io import StringIO
from itertools import pairwise
from typing import Any

import yaml
from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.error import YAMLError
from ruamel.yaml.scalarstring import DoubleQuotedScalarString, SingleQuotedScalarString

LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
DUMPER: Any = getattr(yaml, "CSafeDumper", yaml.SafeDumper)
QUOTED = (SingleQuotedScalarString, DoubleQuotedScalarString)
NO_FOLD = 100_000
"""Columns. A long text is one line: folded it would be hard to search."""

_LINE = re.compile("[^\r\n\x85\u2028\u2029]*(?:\r\n|[\r\n\x85\u2028\u2029])|[^\r\n\x85\u2028\u2029]+")
_COMMENT = re.compile(r"(?:^|(?<=\s))#[^\r\n]*", re.MULTILINE)

_IDLE = re.compile(r"\s*(#|$)|\.\.\.")
"""A line that is no part of an entry: blank, a comment, the end of the document."""
_DASH = re.compile("^( *)- +", re.MULTILINE)

Entry = dict[str, Any]
Changes = Mapping[int, Entry | None]
"""The place of an entry to what stands there now; None: nothing."""


class _UnfitError(Exception):
    """The list stands in a form that is not changed line by line."""


def read_yaml(text: str) -> Any:
    """What a text says, whatever marks and line ends the editor left; plain values only. Raises yaml.YAMLError."""
    return yaml.load(text.removeprefix("\ufeff"), LOADER)  # noqa: S506 - it is one of the safe ones


def edit_list(text: str, section: str, changed: Changes, added: Sequence[Entry]) -> Iterator[str]:
    """The text with the list `section` of its top level changed, in each way that works, the most faithful first.

    The list is made where it is missing. Who calls reads what comes, and takes the first that says what it should.
    """
    mark, body = ("\ufeff", text[1:]) if text.startswith("\ufeff") else ("", text)
    end = "\r\n" if "\r\n" in body else "\n"
    for edit in (_edit_lines, _edit_whole):
        try:
            yield mark + edit(body, end, section, changed, added)
        except (yaml.YAMLError, YAMLError, _UnfitError):
            continue


# --- line by line ---


def _edit_lines(body: str, end: str, section: str, changed: Changes, added: Sequence[Entry]) -> str:
    lines = _LINE.findall(body)
    if lines and not lines[-1].endswith(("\n", "\r")):
        lines[-1] += end
    fresh = [row for entry in added for row in _write(entry, 0, end)]
    place = _find_section(body, section, len(lines))
    if place is None:
        return "".join([*lines, f"{section}:{end}", *fresh])
    key, value, after = place
    if not value.value:
        return "".join(_fill_empty(lines, value, fresh))
    column = value.start_mark.column
    spans = _find_entries(lines, key.start_mark.line + 1, after, column)
    if value.flow_style or len(spans) != len(value.value):
        raise _UnfitError
    fresh = [row for entry in added for row in _write(entry, column, end)]
    lines[spans[-1][1] : spans[-1][1]] = fresh
    for number, entry in sorted(changed.items(), reverse=True):
        lines[slice(*spans[number])] = _revise(lines[slice(*spans[number])], column, end, entry)
    if not added and list(changed.values()).count(None) == len(spans):
        line = lines[key.start_mark.line]
        colon = line.index(":", key.end_mark.column) + 1
        lines[key.start_mark.line] = f"{line[:colon]} []{line[colon:]}"
    return "".join(lines)


def _find_section(body: str, section: str, after: int) -> tuple[yaml.Node, yaml.CollectionNode, int] | None:
    """Key and value of the list, and the line after it; None where it is missing."""
    root = yaml.compose(body, LOADER)
    if root is None:
        return None
    if not isinstance(root, yaml.MappingNode) or root.flow_style:
        raise _UnfitError
    keys = [key.start_mark.line for key, _ in root.value] + [after]
    found = [(key, value, keys[n + 1]) for n, (key, value) in enumerate(root.value) if key.value == section]
    return found[0] if found else None


def _find_entries(lines: list[str], first: int, after: int, column: int) -> list[tuple[int, int]]:
    """From which line to which each entry stands; comments and blank lines below it are nobody's."""
    dash = re.compile(f" {{{column}}}-(?=\\s)")
    starts = [number for number in range(first, after) if dash.match(lines[number])]
    spans = []
    for start, stop in pairwise([*starts, after]):
        while stop > start + 1 and _IDLE.match(lines[stop - 1]):
            stop -= 1
        spans.append((start, stop))
    return spans


def _fill_empty(lines: list[str], value: yaml.Node, fresh: list[str]) -> list[str]:
    """`decisions: []`, with whatever stands behind it on its line."""
    start, stop = value.start_mark, value.end_mark
    if start.line != stop.line:
        raise _UnfitError
    line = lines[start.line]
    emptied = line[: start.column].rstrip() + line[stop.column :]
    return [*lines[: start.line], emptied, *fresh, *lines[start.line + 1 :]]


def _write(entry: Entry, column: int, end: str) -> list[str]:
    text = yaml.dump([entry], Dumper=DUMPER, sort_keys=False, allow_unicode=True, width=NO_FOLD)
    return _indent(text, column, end)


def _indent(text: str, column: int, end: str) -> list[str]:
    return [f"{' ' * column if line else ''}{line}{end}" for line in text.removesuffix("\n").split("\n")]


def _revise(lines: list[str], column: int, end: str, entry: Entry | None) -> list[str]:
    """The lines of an entry once it says something else, or nothing; key by key where a person has touched them."""
    if any(line[:column].strip() for line in lines):
        raise _UnfitError
    block = "".join(line.rstrip("\r\n")[column:] + "\n" for line in lines)
    if entry is None:
        return _keep_comments(block, "", column, end)
    [known] = read_yaml(block)
    if "".join(_write(known, 0, "\n")) == block:
        return _write(entry, column, end)
    text = _retouch(block, known, entry)
    if not text:
        ruamel = _make_ruamel()
        rows = ruamel.load(block)
        _update(rows, 0, entry)
        text = _dump(ruamel, rows)
    return [*_keep_comments(block, text, column, end), *_indent(text, column, end)]


def _retouch(block: str, known: Entry, entry: Entry) -> str:
    """Only the values that are others, keys that go and keys that come; "" where one of them is no plain line."""
    root = _compose(block).value[0]
    rows, places = block.splitlines(True), {key.value: (key, value) for key, value in root.value}
    last = root.value[-1][1].end_mark
    come, gone = [key for key in entry if key not in places], [key for key in places if key not in entry]
    if root.flow_style and (gone or last.line != root.start_mark.line):
        return ""
    if root.flow_style:
        said = "".join(f", {_spell(entry[key], True, key)}" for key in come)
        rows[last.line] = rows[last.line][: last.column] + said + rows[last.line][last.column :]
    else:
        rows += [f"{' ' * root.start_mark.column}{_spell(entry[key], False, key)}\n" for key in come]
    for key in reversed([key for key in places if key in entry and entry[key] not in (known[key], str(known[key]))]):
        value = places[key][1]
        start, stop, style = value.start_mark, value.end_mark, getattr(value, "style", "|")
        said = _spell(entry[key], root.flow_style, style=style)
        if style in ("|", ">") or start.line != stop.line or "\n" in said:
            return ""
        rows[start.line] = rows[start.line][: start.column] + said + rows[start.line][stop.column :]
    starts = [*(key.start_mark.line for key, _ in root.value), len(block.splitlines())]
    return _drop_keys(rows, starts, [places[key][0] for key in gone])


def _compose(text: str) -> yaml.Node:
    root = yaml.compose(text, LOADER)
    if root is None:
        raise _UnfitError
    return root


def _drop_keys(rows: list[str], starts: list[int], keys: list[yaml.Node]) -> str:
    """Each key with the lines of its value; comments below it stay. "" where it stands beside the dash."""
    for line in sorted((key.start_mark.line for key in keys), reverse=True):
        if line == starts[0]:
            return ""
        stop = min(start for start in starts if start > line)
        while stop > line + 1 and _IDLE.match(rows[stop - 1]):
            stop -= 1
        del rows[line:stop]
    return "".join(rows)


def _spell(value: Any, flow: bool, key: str = "", style: str | None = None) -> str:
    """A value, or `key: value`, on one line where it can be, in the quotes that it had."""
    thing = {key: value} if key else [value]
    style = style if style in ("'", '"') and isinstance(value, str) else None
    text = yaml.dump(thing, Dumper=DUMPER, default_flow_style=flow or not key, allow_unicode=True, width=NO_FOLD)
    if style:
        text = yaml.dump(
            thing, Dumper=DUMPER, default_flow_style=True, default_style=style, width=NO_FOLD, allow_unicode=True
        )
    return text.strip()[1:-1] if flow or not key else text.removesuffix("\n")


def _keep_comments(before: str, after: str, column: int, end: str) -> list[str]:
    lost = Counter(_list_comments(before)) - Counter(_list_comments(after))
    return [f"{' ' * column}{comment}{end}" for comment in lost.elements()]


def _list_comments(text: str) -> list[str]:
    """What stands behind a `#` that is no part of a text."""
    tokens = [t for t in yaml.scan(text, LOADER) if isinstance(t, yaml.ScalarToken)] if "#" in text else []
    inside = [range(token.start_mark.index, token.end_mark.index) for token in tokens]
    found = _COMMENT.finditer(text)
    return [match[0].rstrip() for match in found if not any(match.start() in span for span in inside)]


# --- written anew ---


def _edit_whole(body: str, end: str, section: str, changed: Changes, added: Sequence[Entry]) -> str:
    text = body.replace("\r\n", "\n")
    ruamel = _make_ruamel()
    data, dash = ruamel.load(text), _DASH.search(text)
    if dash:
        ruamel.indent(sequence=len(dash[0]), offset=len(dash[1]))
    rows = data.setdefault(section, CommentedSeq())
    for place, entry in sorted(changed.items(), reverse=True):
        if entry is None:
            del rows[place]
        else:
            _update(rows, place, entry)
    rows.extend(_make_map(entry) for entry in added)
    fresh = _dump(ruamel, data)
    return "".join(line + end for line in fresh.splitlines()) + "".join(_keep_comments(text, fresh, 0, end))


def _make_ruamel() -> YAML:
    ruamel = YAML()
    ruamel.preserve_quotes, ruamel.width = True, NO_FOLD
    return ruamel


def _dump(ruamel: YAML, data: Any) -> str:
    out = StringIO()
    ruamel.dump(data, out)
    return out.getvalue()


def _update(rows: CommentedSeq, place: int, entry: Entry) -> None:
    """Key by key, so that what stays is as it was. Where others take a copy of it, it stays theirs: this is a new one."""
    row = rows[place]
    if row.anchor.value or row.merge:
        rows[place] = _make_map(entry)
        return
    for key in [key for key in row if key not in entry]:
        del row[key]
    for key, value in entry.items():
        if key not in row or value not in (row[key], str(row[key])):
            row[key] = _quote(value, type(row.get(key)))


def _make_map(entry: Entry) -> CommentedMap:
    return CommentedMap({key: _quote(value) for key, value in entry.items()})


def _quote(value: Any, before: type = str) -> Any:
    """In quotes where it was before, and where a reader of YAML 1.1 would take it for something else than a text."""
    if not isinstance(value, str):
        return value
    if before in QUOTED:
        return before(value)
    return DoubleQuotedScalarString(value) if yaml.dump(value, Dumper=DUMPER)[0] in "'\"" else value
