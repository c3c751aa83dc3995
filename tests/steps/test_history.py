"""What history says of PagerDuty is what the snapshot's digest says: one digest, no difference, and the other way round."""

import copy
from dataclasses import replace

import pytest
from source_http import Source, company

from pdmigrate.steps.history import tell_source

KINDS = ("users", "teams", "schedules", "schedules_v3", "escalation_policies", "services")


@pytest.fixture(scope="module")
def snapshot():
    """What PagerDuty answers of two objects of each kind, shift-based schedules included."""
    source = Source(company())
    try:
        whole = source.fetch()
    finally:
        source.server.stop()
    return replace(whole, rows={**whole.rows, **{kind: whole.rows[kind][:2] for kind in KINDS}})


def list_edits(value, path=()):
    """Every way to touch one place of an answer: another value, gone, twice, turned round."""
    if isinstance(value, dict):
        for key in value:
            yield (*path, key), None
            yield from list_edits(value[key], (*path, key))
    elif isinstance(value, list):
        yield path, value[:-1]
        yield path, value[::-1]
        for place, part in enumerate(value[:2]):
            yield from list_edits(part, (*path, place))
    else:
        yield path, f"{value}x" if isinstance(value, str) else not value


def edit(value, path, new):
    """The same with one place touched; what is not on the way to it is shared."""
    if not path:
        return new
    edited, (key, *rest) = copy.copy(value), path
    if new is None and not rest:
        del edited[key]
    else:
        edited[key] = edit(value[key], rest, new)
    return edited


@pytest.mark.parametrize("kind", KINDS)
def test_there_is_a_difference_exactly_where_the_digest_is_another_one(snapshot, kind):
    nothing = {name: type(rows)() for name, rows in snapshot.rows.items() if isinstance(rows, list | dict)}
    alone = replace(snapshot, rows={**snapshot.rows, **nothing, kind: snapshot.rows[kind]})
    before, seen = alone.account, set()
    for path, value in list_edits(alone.rows[kind], (kind,)):
        after = replace(alone, rows=edit(alone.rows, path, value)).account
        changes = tell_source(before, after)
        assert bool(changes) == (before.digest != after.digest), (path, value)
        assert bool(tell_source(after, before)) == bool(changes)
        assert all(change.fields for change in changes if change.what == "changed"), (path, value)
        seen.add(bool(changes))
    assert seen == {True, False}


def test_what_changes_by_itself_is_no_change(snapshot):
    rows = copy.deepcopy(snapshot.rows)
    service = rows["services"][0]
    for status in ("warning", "critical"):
        service.update(status=status, last_incident_timestamp="2025-10-07T15:00:00Z")
        assert not tell_source(snapshot.account, replace(snapshot, rows=rows).account)
    service["status"] = "disabled"
    [change] = tell_source(snapshot.account, replace(snapshot, rows=rows).account)
    assert (change.name, change.fields, change.pages) == (service["name"], ("status",), True)


def test_a_row_that_cannot_be_read_any_more_is_said_with_the_reason(snapshot):
    rows = copy.deepcopy(snapshot.rows)
    rows["schedules"][0]["schedule_layers"] = "none"
    gone, broken = tell_source(snapshot.account, replace(snapshot, rows=rows).account)
    assert (gone.what, broken.what, broken.pages) == ("gone", "unreadable", True)
    assert "schedule_layers" in broken.fields[0]
    assert tell_source(replace(snapshot, rows=rows).account, snapshot.account)[1].what == "unreadable no more"


def test_a_schedule_that_was_upgraded_is_changed_and_not_gone(snapshot):
    """It keeps its id, and stands in the other list."""
    rows = copy.deepcopy(snapshot.rows)
    rows["schedules_v3"][0]["id"] = rows["schedules"].pop(0)["id"]
    changes = tell_source(snapshot.account, replace(snapshot, rows=rows).account)
    assert ("changed", ("type",)) in {(change.what, change.fields) for change in changes}


def test_a_schedule_in_both_lists_is_compared_in_both(snapshot):
    rows = copy.deepcopy(snapshot.rows)
    rows["schedules"][0]["id"] = rows["schedules_v3"][0]["id"]
    both = replace(snapshot, rows=rows).account
    rows = copy.deepcopy(rows)
    rows["schedules"][0]["schedule_layers"][0]["rotation_turn_length_seconds"] += 1
    [change] = tell_source(both, replace(snapshot, rows=rows).account)
    assert change.fields == ("schedule_layers",)
