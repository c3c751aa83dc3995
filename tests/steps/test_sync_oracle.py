"""The property of the sync finds a loss: each of these is planted into the product, and the run is found out."""

import pytest
import two_sides
from test_sync_properties import TwoSides

from pdmigrate.mapping import overrides
from pdmigrate.plan import handmade, planning

settle, settle_rotations, merge_sets = planning._settle, planning._settle_rotations, planning._merge_sets


@pytest.fixture
def sides():
    company = TwoSides()
    company.begin()
    yield company
    company.teardown()


def change_both(sides):
    """A rotation, a member, a description and an address by hand, another address taken away; PagerDuty's own layer turns otherwise."""
    sides.source_changes(edit_schedule(two_sides._turn), 0)
    sides.target_changes(edit_schedule(two_sides._one_rotation_more), 0)
    sides.target_changes(edit_team(two_sides._takes_in), 0)
    sides.target_changes(edit_team(two_sides._set("teams", "description", two_sides._by_hand)), 0)
    sides.target_changes(two_sides._set("contact_methods", "methods", two_sides._another), 0)
    sides.target_changes(two_sides._fewer("contact_methods", "methods"), 1)


def edit_schedule(edit):
    """The edit, on the one schedule that it is about on both sides."""

    def edit_it(held, pick, number):
        rows = two_sides._rows(held, "schedules") if "oncall" in held else held["schedules"]
        return edit(held, find_ours(rows, "PSCHED02"), number)

    return edit_it


def edit_team(edit):
    """The edit, on a group that we wrote."""
    return lambda held, pick, number: edit(held, find_ours(two_sides._rows(held, "teams"), "PTEAM03"), number)


def find_ours(rows, id):
    return next(place for place, row in enumerate(rows) if row.get("identifier", row.get("id")).endswith(id))


def run(sides, by_hand="keep_harness", strategy="preserve"):
    sides.runs_twice(strategy, None, by_hand, True)


def drop_by_hand(*asked):
    after, synced, changes = settle_rotations(*asked)
    return [rotation for rotation in after if not rotation["name"].startswith("By hand")], synced, changes


def take_whole(clock, three, *more):
    """PagerDuty's whole list, as soon as it has changed any part of it."""
    after, synced, changes = settle_rotations(clock, three, *more)
    return (after, synced, changes) if three[0] == three[1] else (three[1], three[1], changes)


def drop_added(type, last, want, have):
    """What people have added to a set of these."""
    return want if all(isinstance(part, type) for part in want) else merge_sets(last, want, have)


def put_back(last, want, have):
    """What people have taken away from a set."""
    return [*have, *(part for part in want if part not in have)]


def take_description(clock, name, part, three, taken):
    return (three[1], three[1], []) if name == "description" else settle(clock, name, part, three, taken)


def find_all(mapped, held):
    """Every override, whether PagerDuty still has it or not."""
    found = [entry for (kind, _), entry in mapped.ledger.items() if kind == "overrides"]
    mapped.desired = [wish for wish in mapped.desired if wish.kind != "overrides"]
    return found


PLANTED = [
    (planning, "_settle_rotations", drop_by_hand, "rotations/By hand"),
    (planning, "_settle_rotations", take_whole, "rotations/By hand"),
    (planning, "_merge_sets", lambda *three: drop_added(str, *three), "users/"),
    (planning, "_merge_sets", lambda *three: drop_added(dict, *three), "methods/"),
    (planning, "_merge_sets", put_back, "methods/"),
    (planning, "_settle", take_description, "description"),
    (overrides, "_find_dropped", find_all, "overrides"),
]


def test_without_a_plant_nothing_is_found(sides):
    change_both(sides)
    run(sides)
    kept = {field.partition("/")[0] for _, _, field in sides.edits}
    assert kept == {"rotations", "users", "description", "methods"}


@pytest.mark.parametrize("room, name, plant, words", PLANTED)
def test_a_planted_loss_is_found(sides, monkeypatch, room, name, plant, words):
    change_both(sides)
    monkeypatch.setattr(room, name, plant)
    with pytest.raises(AssertionError, match=words):
        run(sides)


def test_a_rotation_by_hand_that_moves_to_another_clock_unsaid_is_found(sides, monkeypatch):
    sides.target_changes(edit_schedule(two_sides._one_rotation_more), 0)
    run(sides)
    sides.source_changes(edit_schedule(two_sides._zone), 0)
    monkeypatch.setattr(handmade, "_describe_clock", lambda *said: ("", ""))
    with pytest.raises(AssertionError, match="platform_primary_PSCHED02"):
        run(sides)
