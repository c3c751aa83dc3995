"""Changes in words, as the plan shows them: before and after of a turn, people, windows, levels and members; names where there are."""

import pytest

from pdmigrate.plan.telling import tell, tell_new

NAMES = {("user", "a@x"): "Ann", ("user", "b@x"): "Bob", ("schedule", "s"): "Nights", ("policy", "p"): "Payments"}
DAY = 86_400


def name(kind, id):
    return NAMES.get((kind, id), id)


def rotation(**more):
    return {"name": "A", "participants": ["a@x"], "turn_seconds": DAY, "anchor": "2026-11-02T09:00:00", **more}


def level(*targets, minutes=30):
    return {"timeout_minutes": minutes, "targets": [{"type": kind, "id": id} for kind, id in targets]}


WEEK = [{"day": day, "start": "09:00:00", "seconds": 8 * 3600} for day in range(1, 6)]
NIGHTS, ANN = ("schedule", "s"), ("user", "a@x")
CHANGES = [
    ("rotations", [rotation()], [rotation(turn_seconds=2 * DAY)], "rotation A: hand-off every 2 days, was 1 day"),
    ("rotations", [rotation()], [rotation(participants=["a@x", "b@x"])], "rotation A: turns go to Ann, Bob, was Ann"),
    (
        "rotations",
        [rotation(windows=[])],
        [rotation(windows=WEEK)],
        "on call Monday to Friday from 09:00:00 to 17:00:00, was always",
    ),
    ("rotations", [rotation()], [], "rotation A is gone, with Ann"),
    ("levels", [level(NIGHTS)], [level(ANN)], "level 1 pages user Ann, was schedule Nights"),
    ("levels", [level(ANN)], [level(ANN, minutes=5)], "level 1 waits 5 min, was 30"),
    ("users", ["a@x"], ["b@x"], "members added: Bob"),
    ("rule_policy", None, "p", "pages by the policy Payments, was none"),
    ("owner_group", None, "g", "it belongs to the group g, was none"),
    ("description", "one", "two", "description: two, was one"),
]


@pytest.mark.parametrize("field, before, after, words", CHANGES)
def test_a_change_is_told_in_words(field, before, after, words):
    assert words in "; ".join(tell(field, after, before, name=name))
    assert not tell(field, after, after, name=name) or field not in ("rotations", "levels", "users")


def test_what_is_new_is_told_by_whom_it_pages_and_a_chain_that_was_unrolled_once():
    chain = [level(NIGHTS), level(ANN, minutes=10)]
    assert tell_new({"levels": chain * 3}, name) == [
        "level 1 pages schedule Nights for 30 min",
        "level 2 pages user Ann for 10 min",
        "all of it 3 times",
    ]
    assert tell_new({"rotations": [rotation(windows=WEEK)]}, name) == [
        "rotation A: turns go to Ann, hand-off every 1 day, on call Monday to Friday from 09:00:00 to 17:00:00"
    ]
    assert tell_new({"paging": True, "rule_policy": "p"}, name) == ["pages by Payments"]
    assert tell_new({"paging": False, "rule_policy": "p"}, name) == ["its alerts are only logged and page nobody"]
