"""Each of seven faults strikes a load at one request, and it goes on. Every request: make kills."""

import re
import tempfile
from pathlib import Path

import pytest
from break_loads import BEGIN, BY_ITSELF, END, FAULTS, GONE_ON, MOMENTS, Trouble
from kill_loads import MEMORY

PAGE = Path(__file__).parents[2] / "docs" / "reliability.md"


@pytest.fixture(scope="module")
def trouble():
    with tempfile.TemporaryDirectory(dir=MEMORY) as folder:
        made = Trouble(Path(folder))
        yield made
        made.rehearsal.close()


@pytest.mark.parametrize("turn, fault", list(enumerate(FAULTS)))
def test_a_load_that_was_struck_ends_as_one_that_was_not(trouble, turn, fault):
    """The faults take turns over the load, from the first invitation on: before it everything only reads."""
    first = trouble.requests - trouble.writes
    number = first + turn * trouble.writes // len(FAULTS)
    assert trouble.strike(fault, number).became in (BY_ITSELF, GONE_ON)


def test_a_difference_would_be_seen(trouble):
    trouble.strike("reset", 1)
    with trouble.rehearsal.app.config["STORE"].change() as held:
        held["user_groups"][-1]["name"] = "Another"
    assert trouble.rehearsal.judge(trouble.expected)


def test_the_page_has_every_point_and_none_went_wrong():
    section = PAGE.read_text(encoding="utf-8").partition(BEGIN)[2].partition(END)[0]
    rows = [[int(cell) for cell in re.findall(r"\| (\d+)(?= \|)", line)] for line in section.splitlines()]
    *rows, whole = [row for row in rows if len(row) == 6]
    writes, requests = rows[0][0], rows[-1][0]
    assert 20 < writes < requests
    assert [row[0] for row in rows] == [writes] * len(MOMENTS) + [requests] * len(FAULTS)
    assert whole[0] == sum(row[0] for row in rows)
    assert whole[3:] == [0, 0, 0]
