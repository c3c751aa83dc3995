"""docs/architecture.md and the README name rooms, files and functions: all of them are there."""

import re
from pathlib import Path

import pytest
from test_project import PACKAGE, ROOMS, ROOT

TEXT = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")


def test_the_picture_has_every_room_in_its_order():
    picture = re.search(r"```\n(.*?)```", TEXT, re.DOTALL)[1]
    assert [line.split()[0].removesuffix(".py") for line in picture.splitlines()] == ROOMS


@pytest.mark.parametrize("page", ["docs/architecture.md", "README.md"])
def test_every_file_that_is_named_is_there(page):
    text = (ROOT / page).read_text(encoding="utf-8")
    named = re.findall(r"`((?!acme)(?:pdmigrate/|tests/)?[a-z_0-9]+/[a-z_0-9*./]*\.(?:py|yaml))`", text)
    assert named
    gone = [name for name in named if not [*ROOT.glob(name), *PACKAGE.glob(name)]]
    assert [name for name in gone if "STEP" not in name and "KIND" not in name] == []


def test_every_function_and_class_stands_in_the_file_that_is_named_before_it():
    pairs = re.findall(r"`([a-z_0-9]+/[a-z_0-9]+\.py)` `(\w+)`", TEXT)
    assert len(pairs) > 15
    gone = [
        (file, name)
        for file, name in pairs
        if not re.search(rf"^(?:def|class) {name}\b", Path(PACKAGE / file).read_text(encoding="utf-8"), re.MULTILINE)
    ]
    assert gone == []
