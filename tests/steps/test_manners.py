"""The table in docs/troubleshooting.md: each manner is played, and its exit code and its sentence are those of the table."""

import re

import pytest
from field_cases import NOW
from manners import MANNERS, Pair, find_said, read_rows, write_row

from pdmigrate import conflicts, connect, finish, invite, load, open_job, preview, verify
from pdmigrate.errors import PdmigrateError
from pdmigrate.wire.transport import Patience

STEPS = (connect, preview, invite, conflicts, lambda job: load(job, "all"), verify)


@pytest.fixture(scope="module")
def pair():
    pair = Pair()
    yield pair
    pair.stop()


def run_steps(folder, said):
    """As `pdmigrate run` does, with less patience: the exit code and the sentence."""
    try:
        with open_job(folder, clock=lambda: NOW) as job:
            for side in (job.source, job.target):
                side.transport.patience, side.transport.timeout = Patience(first=0.01, longest=0.02), 2.0
            for step in STEPS:
                finish(job, step(job))
            return 0, find_said(job.folder, said)
    except PdmigrateError as error:
        return error.exit_code, str(error)


@pytest.mark.parametrize("number", range(len(MANNERS)), ids=[re.sub(r"\W+", "-", one.name) for one in MANNERS])
def test_the_table_says_what_is_said(pair, tmp_path, monkeypatch, number):
    manner = MANNERS[number]
    for name, value in pair.play(manner, tmp_path / "acme").items():
        monkeypatch.setenv(name, value)
    exit_code, sentence = run_steps(tmp_path / "acme", manner.said)
    assert write_row(manner, exit_code, pair.shorten(sentence, tmp_path / "acme")) == read_rows()[number]


def test_the_table_has_no_other_rows():
    assert len(read_rows()) == len(MANNERS)
