"""docs/security.md names the test of each thing that holds: all of them are there."""

import ast
import re

from test_project import ROOT

TEXT = (ROOT / "docs" / "security.md").read_text(encoding="utf-8")
ROWS = [line for line in TEXT.splitlines() if line.startswith("|")][2:]


def find_tests(file):
    tree = ast.parse((ROOT / file).read_text(encoding="utf-8"))
    return {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}


def test_every_row_names_tests_that_are_there():
    assert len(ROWS) > 10
    for row in ROWS:
        named = re.findall(r"`(tests/[a-z_/]+\.py)::(test_\w+)`", row.split("|")[4])
        assert named, f"no test shows: {row}"
        assert [(file, name) for file, name in named if name not in find_tests(file)] == []


def test_it_is_a_page():
    assert len(TEXT.splitlines()) < 60
