"""One page that was sent: what is said of who was told, beside who was to be."""

import pytest

from pdmigrate.oncall.live import Due, Judged, Notice, Seen, judge

ANN, BOB, CAT = (f"{name}@example.com" for name in ("ann", "bob", "cat"))
DUES = (Due(0, ANN, 0, ("sms",)), Due(5, BOB, 7), Due(10, CAT, 10))


def see(*notices, minutes=0.0, **more):
    told = tuple(Notice(person, int(1000 + 60 * minute), *rest) for person, minute, *rest in notices)
    return Seen("A-1", 1000, int(1000 + 60 * minutes), notices=told, **{"understood": 3, **more})


CASES = {
    "answered at once": (see((ANN, 0, "sms")), "same"),
    "by more channels than needed": (see((ANN, 0, "sms"), (ANN, 0, "email")), "same"),
    "a later level as its turn comes": (see((ANN, 0), (BOB, 7), minutes=8), "same"),
    "the last minute is not judged": (see((ANN, 0), minutes=7), "same"),
    "a minute's slack": (see((ANN, 1.9)), "same"),
    "three minutes late": (see((ANN, 3), minutes=4), "late"),
    "by mail where SMS was to be": (see((ANN, 0, "email")), "late"),
    "one channel failed, another arrived": (see((ANN, 0, "sms"), (ANN, 0, "phone", "busy")), "late"),
    "somebody else": (see((CAT, 0)), "others"),
    "somebody else besides": (see((ANN, 0), (CAT, 0)), "others"),
    "the second level too early": (see((ANN, 0), (BOB, 1)), "others"),
    "the second level never": (see((ANN, 0), minutes=8), "others"),
    "nobody": (see(minutes=1), "nobody"),
    "tried, and failed": (see((ANN, 0, "sms", "not delivered")), "nobody"),
    "nothing is understood": (see(understood=0), None),
    "nobody, and words that nobody understands": (see(strange=("X",)), None),
    "the second level perhaps in strange words": (see((ANN, 0), minutes=8, strange=("X",)), None),
    "somebody else, in spite of strange words": (see((CAT, 0), strange=("X",)), "others"),
    "not read": (Seen(unread="no alert"), None),
}


@pytest.mark.parametrize("case", CASES)
def test_what_is_said_of_a_page(case):
    seen, outcome = CASES[case]
    assert judge(DUES, seen).outcome == outcome


def test_nobody_is_to_be_told():
    assert judge((), see()).outcome == "silent"
    assert judge((), see(understood=0)).outcome is None
    assert judge((), see((ANN, 0))) == Judged("others", f"{ANN} was told at once")


def test_one_of_several_is_enough():
    dues = (Due(0, f"one of {ANN}, {BOB}", 0),)
    assert judge(dues, see((BOB, 0))).outcome == "same"
    assert judge(dues, see((CAT, 0))).outcome == "others"
    assert judge(dues, see()).words == f"one of {ANN}, {BOB} was not told, who was to be at once"


def test_whoever_is_told_late_by_their_own_rule_is_not_missed_before():
    dues = (Due(0, ANN, 15),)
    said = "nobody was to be told yet: the first is to be after 15 minutes"
    assert judge(dues, see(minutes=5)) == Judged(None, said)
    assert judge(dues, see((ANN, 15), minutes=16)).outcome == "same"


def test_the_second_turn_of_somebody_is_not_told_by_the_first():
    dues = (Due(0, ANN, 0), Due(10, ANN, 10))
    assert judge(dues, see((ANN, 0), minutes=12)).outcome == "others"


def test_people_are_named_and_failures_are_told_in_the_sides_words():
    said = judge(DUES[:1], see((ANN, 0, "sms", f"SMS to {ANN} was not delivered")), {ANN: "Ann"}.get)
    assert said == Judged("nobody", "Ann could not be told by sms: SMS to Ann was not delivered")
