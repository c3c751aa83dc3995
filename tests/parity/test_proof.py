"""A sample of both campaigns of docs/proof.md; the whole of them is `make mutants`."""

import shutil
from collections import Counter

import proof_mutants
import proof_planted
import pytest


@pytest.fixture(scope="module")
def company(whole, tmp_path_factory):
    folder = tmp_path_factory.mktemp("proof") / "acme"
    return proof_planted.accept_all(shutil.copytree(whole["folder"], folder))


def test_verify_rings_for_what_is_planted_in_harness_and_for_nothing_else(company):
    """Every kind of change that the campaign knows."""
    outcomes = proof_planted.run_together(company, 2)
    wrong = [f"{o.verdict}: {o.plant} ({o.changes}): {o.said}; beside: {o.beside}" for o in outcomes]
    assert not [line for line in wrong if line.startswith(("missed", "false alarm"))]
    verdicts = Counter(o.verdict for o in outcomes)
    assert verdicts["caught"] > 40
    assert verdicts["harmless"] > 15


def test_what_is_planted_in_the_code_is_noticed_or_changes_nothing():
    """On a corner of the company, its shift-based schedules with it: it costs half of what the whole does."""
    outcomes = proof_mutants.run(4, 2, corner=True)
    assert not [f"{mutant}: {words}" for mutant, verdict, words in outcomes if verdict == "missed"]
    assert any(verdict == "caught" for _, verdict, _ in outcomes)
