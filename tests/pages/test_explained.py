"""What questions and guards mean: said of all of them, of every option, and on every page that names one."""

import re

import pytest

from pdmigrate.mapping.wording import word_question
from pdmigrate.pages.explained import (
    explain_guard,
    explain_named,
    explain_question,
    fold,
    link_guard,
    list_options,
    list_questions,
    tell_reason,
)
from pdmigrate.pages.report import write_page
from pdmigrate.pages.show import Page, Section, make_table, show
from pdmigrate.pages.words import section_conflicts
from pdmigrate.plan.answers import CLASSES
from pdmigrate.plan.explained import QUESTIONS
from pdmigrate.plan.explained_guards import GUARDS
from pdmigrate.plan.guards import GUARD_NAMES
from pdmigrate.plan.handmade import EFFECTS

PAGING = re.compile(r"\b(paged?|pages|paging|rings?|reaches|called)\b")
MADE_THEN = re.compile(r"[{}]|‹(meaning|rest|said|alone|empty|since|duties|zone›;)")
"""What is made of a single case, and would say nothing in general."""


def test_every_class_and_every_guard_is_explained():
    assert QUESTIONS.keys() == CLASSES.keys(), "plan/explained.py: what does the new class mean?"
    assert GUARDS.keys() == set(GUARD_NAMES), "plan/explained_guards.py: what does the new guard mean?"


@pytest.mark.parametrize("about", CLASSES)
def test_every_option_says_what_it_does_to_paging(about):
    options = list_options(about)
    assert tuple(name for name, _ in options) == CLASSES[about]
    mute = [name for name, effect in options if not PAGING.search(effect)]
    assert not mute, f"plan/explained.py: {about}, under `paging`"
    assert QUESTIONS[about].paging.keys() <= {*CLASSES[about]}


@pytest.mark.parametrize("about", [about for about in CLASSES if about not in ("lost_contact", "unlisted_member")])
def test_in_general_no_part_of_a_question_is_missing(about):
    told = [explain_question(about).text, *(text for _, text in list_questions(about))]
    assert not [text for text in told if MADE_THEN.search(text)]
    assert bool(list_questions(about)) != (about in EFFECTS)


def test_titles_tell_the_classes_apart():
    titles = [said.title for said in (*QUESTIONS.values(), *GUARDS.values())]
    assert len(titles) == len(set(titles))


@pytest.fixture
def sections():
    """As a page has them: three questions of two classes, and a guard."""
    asked = [word_question("round_robin", "escalation_policies", f"P{n}", "Night") for n in (1, 2)]
    asked.append(word_question("empty_level", "escalation_policies", "P3", "Day", levels="level 1 has no target"))
    guards = Section("Guards", table=make_table(["old_snapshot"], {"Guard": link_guard}))
    return [section_conflicts(asked, "Open questions", ""), guards]


def test_a_page_that_names_a_question_explains_it_once(sections, tmp_path):
    added = list(explain_named(sections))
    wanted = [explain_question("empty_level"), explain_question("round_robin"), explain_guard("old_snapshot")]
    assert [section for section in added if section.level == 3] == wanted
    page = Page("conflicts", "Conflicts", "", sections=(*sections, *added))
    text = write_page(page, tmp_path).read_text(encoding="utf-8")
    led = set(re.findall(r'href="#((?:question|guard)-\w+)"', text))
    assert led == {"question-round_robin", "question-empty_level", "guard-old_snapshot"}
    assert led <= set(re.findall(r'id="([^"]+)"', text)), "links lead to a place on the same page"


def test_a_page_that_names_none_has_none():
    assert not list(explain_named([Section("Guards"), Section("Empty", table=make_table([], {"A": str}))]))


def test_in_a_cell_there_is_nothing_that_leads_nowhere(sections):
    """The rest of the page is not there; what it means unfolds on the spot."""
    drawn = show(*sections, fold(explain_question("round_robin")))._repr_html_()
    assert "round robin" in drawn
    assert "<details" in drawn
    assert 'href="#' not in drawn


def test_a_reason_names_the_class_and_no_key():
    told = (
        "alerts page nobody, by decision of ann (service_urgency:PSERV03); kept (changed_in_harness:P1); see (a note)"
    )
    assert tell_reason(told) == (
        "alerts page nobody, by decision of ann (service urgency); kept (changed in harness); see (a note)"
    )
