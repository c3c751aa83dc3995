"""Three hundred broken inputs, the same ones every time: each works or is refused in one line. All: make fuzz."""

import pytest
from breakage import BREAKAGES
from doors import DOORS
from fuzz import BAD, choose, quiet, try_input
from template import Template

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
    assert {choose("gate", number)[1:] for number in range(INPUTS)} == {(d, k) for d in DOORS for k in BREAKAGES}
