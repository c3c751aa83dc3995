"""Whoever lets our reading of a schedule be loaded has seen some differences: the answer is about these, and about no other."""

from dataclasses import replace
from datetime import timedelta

from mapping_account import NOW, decide, layer, map_rows, override, people, schedule, user

from pdmigrate.harness.records import State
from pdmigrate.mapping.draft import Draft
from pdmigrate.oncall import rota
from pdmigrate.parity.explanations import explain_schedule
from pdmigrate.parity.schedules import Compared
from pdmigrate.plan.actions import make_plan

ASKED = "rendering_differs:ps1"
SPAN = (rota.to_instant(NOW), rota.to_instant(NOW + timedelta(days=56)))


def show(*entries):
    """Ann is on call by the layers; PagerDuty shows these (person, from day, to day) instead, and ann at all other times."""
    rest, at = [], 0
    for person, start, end in entries:
        rest += [("ann", at, start), (person, start, end)]
        at = end
    rows = [
        {**override(*one), "id": f"x{number}"} for number, one in enumerate([*rest, ("ann", at, 56)]) if one[1] < one[2]
    ]
    return schedule("ps1", layer(["ann"]), final_schedule={"rendered_schedule_entries": rows})


def map_shown(shown, decisions=()):
    rows = {"users": [user("ann"), user("bob"), user("cat")], "schedules": [shown]}
    return map_rows(rows, people("ann", "bob", "cat"), decisions)


def answer(shown):
    """That this difference is let be, as the notebook writes it down."""
    asked = map_shown(shown).questions.open[ASKED]
    return decide("rendering_differs", "ps1", "load_anyway").model_copy(update={"question": asked.digest})


def make_draft(mapped):
    reasons = {kind: dict.fromkeys(ids, "") for kind, ids in mapped.scope.items()}
    state = State(people=mapped.state.people, oncall=True)
    return Draft(mapped.account, state, reasons, replace(mapped), make_plan("", "", [], []), {})


def is_open(shown, *decisions):
    return ASKED in map_shown(shown, decisions).questions.open


def test_the_answer_holds_for_what_was_seen():
    seen = show(("bob", 7, 8))
    assert is_open(seen)
    assert not is_open(seen, answer(seen))
    assert not is_open(show(("bob", 7, 8), ("bob", 14, 15)), answer(seen)), "the same day of every week"


def test_another_difference_is_asked_about_anew():
    """Other people, the same people at another time of the week, or for longer."""
    seen = answer(show(("bob", 7, 8)))
    for later in (("cat", 7, 8), ("bob", 9, 10), ("bob", 7, 10)):
        assert is_open(show(later), seen)
    assert is_open(show(("bob", 7, 8), ("cat", 20, 21)), seen)


def test_what_comes_to_light_afterwards_is_not_explained():
    """Verify asks PagerDuty about more days than the question was about: who is shown there for the first time rings."""
    seen = show(("bob", 7, 8))
    found = make_draft(map_shown(seen, [answer(seen)]))
    record = found.account.all_schedules["ps1"]
    day = rota.DAY
    span = (SPAN[1], SPAN[1] + 10 * day)
    ann, bob, cat = (frozenset([f"{name}@example.com"]) for name in ("ann", "bob", "cat"))
    before = rota.make_rota(
        [(span[0], span[0] + day, bob), (span[0] + day, span[0] + 2 * day, cat), (span[0] + 2 * day, span[1], ann)]
    )
    said = explain_schedule(found, record, before, span)
    assert [change for one in said for change in one.changes] == [(span[0], span[0] + day, bob, ann)]
    there = rota.make_rota([(*span, ann)])
    expected = rota.make_rota([(span[0], span[0] + day, ann), *before.entries[1:]])
    compared = Compared(*span, before, there, expected, said)
    assert [(start, end) for start, end, _, _ in compared.unexplained] == [(span[0] + day, span[0] + 2 * day)]
