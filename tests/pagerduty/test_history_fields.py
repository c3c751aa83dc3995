"""The fields of history that are kept and read are those of PagerDuty's OpenAPI file."""

from datetime import UTC, datetime

import pytest
from test_contract_pagerduty import read_file
from test_fields import find_properties

from pdmigrate.pagerduty.history import KINDS, RECORDS, Window, read_happened
from pdmigrate.pagerduty.history_reading import KEY, NAMED, PLAIN, keep_row
from pdmigrate.pagerduty.needs import NEEDS
from pdmigrate.parity.course import ASSIGNS, ENDS


def list_rows(kind):
    """The properties of a row of this list, whichever of its schemas it has."""
    path = read_file()["paths"][NEEDS[kind].path]["get"]
    answer = path["responses"]["200"]["content"]["application/json"]["schema"]
    return find_properties(find_properties(answer)[kind]["items"])


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_kept_is_a_field_of_the_file(kind):
    kept = {*PLAIN[kind].split(), *NAMED[kind].split()} | ({"assignees"} if kind == "log_entries" else set())
    kept |= {KEY} if kind == "incidents" else set()
    assert kept - list_rows(kind).keys() - {"title"} == set(), "a title is in its examples only"
    fields = {name: one.validation_alias for name, one in RECORDS[kind].model_fields.items()}
    read = {alias.choices[0] if alias else name for name, alias in fields.items()}
    assert read <= kept, "what is read is kept"


def test_the_types_that_begin_or_end_something_are_those_of_the_file():
    [known] = [
        part["properties"]["type"]["enum"]
        for part in read_file()["components"]["schemas"]["LogEntry"]["allOf"]
        if "enum" in part.get("properties", {}).get("type", {})
    ]
    assert set(ASSIGNS) <= set(known)
    for beginning in ENDS:
        assert any(name.startswith(beginning) for name in known), beginning


@pytest.mark.parametrize("kind", KINDS)
def test_nothing_else_stays(kind):
    row = {name: {"id": "P1", "type": "t", "summary": "secret"} for name in (*list_rows(kind), "a_field_of_tomorrow")}
    row |= {"title": "words", "assignees": [{"id": "P1", "summary": "secret"}, "secret"]}
    kept = keep_row(kind, row, titles=False)
    plain = {name: value for name, value in kept.items() if name not in PLAIN[kind].split()}
    assert "secret" not in repr(plain)
    assert "words" not in repr(kept)
    assert kept.keys() <= {*PLAIN[kind].split(), *NAMED[kind].split(), "assignees"}


def test_an_incident_of_whose_log_a_row_cannot_be_read_is_named():
    since, until = datetime(2026, 3, 2, tzinfo=UTC), datetime(2026, 3, 3, tzinfo=UTC)
    row = {"id": "R1", "type": "notify_log_entry", "created_at": "2026-03-02T03:00:00Z", "incident": {"id": "Q1"}}
    strange = [row | {"id": "R2", "created_at": "yesterday", "incident": {"id": "Q2"}}, {"id": "R3"}, "no row"]
    found = read_happened([Window(since, until, {"log_entries": [row, *strange]})], [], since, until, {})
    assert found.cut == {"Q2": "a row of its log cannot be read"}
    assert found.unusable == {"log_entries": 3}
