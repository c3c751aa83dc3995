"""What an option says that it will do: no recommendation loses a page without saying so."""

import re

import pytest

from pdmigrate.mapping.wording import WORDINGS

TELLS = re.compile(r"\b(paged?|pages|ring|reached)\b|^\{rest\}$")
"""`rest` is made where the question is asked, and says who is not paged any more, or earlier."""
ALL = [(kind, about) for kind, there in WORDINGS.items() for about in there]


@pytest.mark.parametrize("kind, about", ALL)
def test_a_recommendation_that_changes_who_is_paged_says_how(kind, about):
    wording = WORDINGS[kind][about]
    effect = wording.options[wording.recommended]
    assert TELLS.search(effect) or not wording.changes_paging


@pytest.mark.parametrize("kind, about", [pair for pair in ALL if pair[0] in ("", "schedules", "escalation_policies")])
def test_what_is_left_out_says_that_it_pages_nobody(kind, about):
    effect = WORDINGS[kind][about].options.get("leave_out", "nobody is paged")
    assert "nobody is paged" in effect or kind == ""
