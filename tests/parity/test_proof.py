"""A sample of both campaigns of docs/proof.md; the whole of them is `make mutants`."""

import proof_mutants
import proof_planted
import pytest


@pytest.fixture(scope="module")
def company(tmp_path_factory):
    return proof_planted.load_company(tmp_path_factory.mktemp("proof") / "acme")


def test_verify_rings_for_what_is_planted_in_harness_and_for_nothing_else(company):
    outcomes = proof_planted.run(company, 10, 2)
    wrong = [
        f"{o.verdict}: {o.plant} ({o.changes}): {o.said}" for o in outcomes if o.verdict in ("missed", "false alarm")
    ]
    assert not wrong
    assert {o.verdict for o in outcomes} == {"caught", "harmless"}


def test_what_is_planted_in_the_code_is_noticed_or_changes_nothing():
    """On a corner of the company, its shift-based schedules with it: it costs half of what the whole does."""
    outcomes = proof_mutants.run(4, 2, corner=True)
    assert not [f"{mutant}: {words}" for mutant, verdict, words in outcomes if verdict == "missed"]
    assert any(verdict == "caught" for _, verdict, _ in outcomes)
