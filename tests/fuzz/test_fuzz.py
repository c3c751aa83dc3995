"""Three hundred broken inputs, the same ones every time: each works or is refused in one line. All: make fuzz."""

import json
import time
from collections import Counter

import fuzz
import pytest
from breakage import BREAKAGES
from doors import DOORS
from fuzz import BAD, choose, quiet, try_input
from template import Template

from pdmigrate.errors import SettingsError
from pdmigrate.workspace.folder import Workspace

INPUTS = 300
SHARES = 10


@pytest.fixture(scope="module")
def template():
    made = Template()
    yield made
    made.close()


@pytest.mark.parametrize("share", range(SHARES))
def test_what_is_broken_works_or_is_refused_in_one_line(template, share):
    with quiet():
        tried = [try_input(template, "gate", number) for number in range(share, INPUTS, SHARES)]
    assert not [
        f"gate:{one.number} {one.door}, {one.kind}: {one.seen}: {one.words}" for one in tried if one.seen in BAD
    ]


def test_every_door_is_tried_with_every_breakage():
    whole = range(len(DOORS) * len(BREAKAGES))
    assert {choose("gate", number)[1:] for number in whole} == {(d, k) for d in DOORS for k in BREAKAGES}
    tried = Counter(name for number in range(INPUTS) for name in choose("gate", number)[1:])
    assert tried.keys() == {*DOORS, *BREAKAGES}
    assert min(tried.values()) >= INPUTS // len(DOORS)


# --- it sees what it looks for: the same faults put in by hand ---


def _raise(trial):
    raise KeyError("x")


def _sleep(trial):
    time.sleep(60)


def _fill_memory(trial):
    bytearray(fuzz.MEMORY << 20)


def _write_file(trial):
    def write():
        Workspace(trial.folder).save_state("void", "x")
        raise SettingsError("refused")

    trial.run(write)


def _change_harness(trial):
    def write():
        path = trial.folder / "sandbox" / "harness.json"
        held = json.loads(path.read_text())
        held["writes"].append({"method": "POST", "path": "/", "key": "x", "at": ""})
        path.write_text(json.dumps(held))

    trial.run(write)


@pytest.mark.parametrize(
    "fault, seen, words",
    [
        (_raise, "traceback", "KeyError"),
        (_sleep, "hang", ""),
        (_fill_memory, "hang", "MB"),
        (_write_file, "written after a refusal", "state/void.json"),
        (_change_harness, "written after a refusal", "POST / x"),
    ],
)
def test_a_fault_is_seen(template, monkeypatch, fault, seen, words):
    monkeypatch.setattr(fuzz, "DEADLINE", 1.0)
    monkeypatch.setitem(DOORS, choose("gate", 0)[1], fault)
    tried = try_input(template, "gate", 0)
    assert (tried.seen, words in tried.words) == (seen, True)
