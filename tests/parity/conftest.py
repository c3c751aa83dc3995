"""The corner that tests of policies share; each test starts from a copy."""

import shutil

import pytest
from policy_corner import FEW, carry_over, open_quickly


@pytest.fixture(scope="module")
def small_corner(tmp_path_factory):
    return carry_over(tmp_path_factory.mktemp("few") / "acme", FEW)


@pytest.fixture
def few(small_corner, tmp_path):
    """With Platform and Platform follow-the-sun only."""
    yield from open_quickly(shutil.copytree(small_corner, tmp_path / "few"))
