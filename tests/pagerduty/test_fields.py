"""The table of fields: held against PagerDuty's OpenAPI file, recorded answers and the records that read them."""

from functools import cache
from pathlib import Path

import pytest
import yaml
from source_http import DATA, company
from test_contract_pagerduty import read_file, resolve

from pdmigrate.pagerduty import records, v3_records
from pdmigrate.pagerduty.arrivals import KINDS, read_notes, read_records
from pdmigrate.pagerduty.fields import TABLES
from pdmigrate.sandbox.accounts import load_account

EXTRACT = yaml.safe_load((Path(__file__).parent / "pagerduty_fields.yaml").read_text())
BEYOND = EXTRACT.pop("beyond")
READERS = {
    "users": records.User,
    "contact_methods": records.ContactMethod,
    "notification_rules": records.NotificationRule,
    "contact_references": records.Reference,
    "teams": records.Team,
    "members": records.Member,
    "references": records.Reference,
    "people": records.Reference,
    "schedules": records.Schedule,
    "layers": records.Layer,
    "layer_users": records.LayerUser,
    "restrictions": records.Restriction,
    "subschedules": records.Rendered,
    "entries": records.RenderedEntry,
    "schedules_v3": v3_records.ScheduleV3,
    "rotations": v3_records.RotationV3,
    "events": v3_records.Event,
    "zoned_times": v3_records.ZonedDateTime,
    "assignment_strategies": v3_records.EventAssignmentStrategy,
    "shift_members": v3_records.ShiftMember,
    "custom_shifts": v3_records.CustomShift,
    "assignments": v3_records.ShiftAssignment,
    "overrides": v3_records.OverrideShift,
    "final_schedules": v3_records.FinalSchedule,
    "computed_assignments": v3_records.ComputedShiftAssignment,
    "shift_sources": v3_records.ShiftSource,
    "escalation_policies": records.EscalationPolicy,
    "levels": records.EscalationRule,
    "targets": records.Reference,
    "services": records.Service,
    "urgency_rules": records.UrgencyRule,
    "support_hours": records.SupportHours,
    "integrations": records.Integration,
}
"""What reads the fields that a table calls carried or compared; `level_strategies` is read where its level is."""


# --- against PagerDuty's OpenAPI file ---


@cache
def properties(name):
    """The names of a schema's properties and, where it lists them, their values."""
    if name.startswith("paths/"):
        get = read_file()["paths"][name.removeprefix("paths/")]["get"]
        listed = resolve(get["responses"]["200"])["content"]["application/json"]["schema"]
        return find_properties(find_properties(listed)["members"]["items"])
    schema, _, part = name.partition("/")
    found = find_properties(read_file()["components"]["schemas"][schema])
    return find_properties(found[part]) if part else found


def find_properties(schema):
    schema = resolve(schema)
    found = {name: resolve(value) for name, value in schema.get("properties", {}).items()}
    for word in ("allOf", "oneOf", "anyOf"):
        for part in schema.get(word, []):
            found = find_properties(part) | found
    return found


@pytest.mark.parametrize("table", EXTRACT)
def test_the_extract_is_what_the_file_says(table):
    read_file()
    found = {name for schema in EXTRACT[table]["schemas"] for name in properties(schema)}
    assert found == set(EXTRACT[table]["properties"].split())


@pytest.mark.parametrize("table", [name for name in TABLES if TABLES[name].known])
def test_the_values_that_are_known_are_those_of_the_file(table):
    for field, known in TABLES[table].known.items():
        listed = [properties(schema).get(field, {}).get("enum") for schema in EXTRACT[table]["schemas"]]
        said = {value for values in listed if values for value in values}
        assert said in (set(), set(known.split())), field


@pytest.mark.parametrize("table", TABLES)
def test_every_property_stands_in_the_table_and_nothing_else_does(table):
    known = set(EXTRACT[table]["properties"].split())
    assert TABLES[table].names - known == BEYOND.get(table, {}).keys(), "say in pagerduty_fields.yaml how we know of it"
    assert known <= TABLES[table].names


@pytest.mark.parametrize("table", TABLES)
def test_a_field_stands_in_one_place(table):
    one = TABLES[table]
    names = [*one.carried.split(), *one.compared.split(), *one.server.split(), *one.lost, *one.listed]
    assert sorted(names) == sorted(set(names))
    looked_at = {*one.parts, *one.known, *one.usual, *one.switch, *one.older, *one.own.split()}
    assert looked_at <= one.names


# --- against the records, and against answers ---


@pytest.mark.parametrize("table", READERS)
def test_what_is_called_carried_or_compared_is_read(table):
    """But for types that are only looked at to see whether they are known; a summary may stand for a name."""
    one = TABLES[table]
    claimed = {*one.carried.split(), *one.compared.split()} - one.known.keys()
    assert claimed - READERS[table].model_fields.keys() <= {"summary"}


def read_all(document):
    for kind in KINDS:
        arrived = read_records(kind, document.get(kind) or [])
        for record in arrived.by_id.values():
            yield kind, record
            for part in TABLES[kind].own.split():
                yield from ((part, one) for one in getattr(record, part))


def find_unknown(document):
    return {(kind, found.path) for kind, record in read_all(document) for found in record.unknown_fields}


def test_the_embedded_company_has_no_field_that_is_not_known():
    assert find_unknown(company()) == set()


def test_the_recorded_account_has_no_field_that_is_not_known(recorded_account):
    assert find_unknown(load_account(recorded_account)) == set()


def test_no_case_has_a_field_that_is_not_known():
    folders = sorted((DATA / "cases").glob("*/account"))
    assert len(folders) > 20
    for folder in folders:
        assert find_unknown(load_account(folder)) == set(), folder


# --- how rows are read ---


@pytest.mark.parametrize("nothing", [None, False, "", [], {}, {"inside": None}, {"inside": [], "more": {"x": False}}])
def test_what_says_nothing_is_no_news(nothing):
    assert not read_notes("services", {"id": "S", "added": nothing}).unknown


@pytest.mark.parametrize("something", [True, 0, 5, "word", [1], {"inside": "x"}])
def test_what_says_something_is_noted_by_its_name(something):
    unknown = read_notes("services", {"id": "S", "added": something}).unknown
    assert [(found.path, found.reason, found.pages) for found in unknown.values()] == [("added", "", True)]


def test_a_value_is_never_kept():
    secret = "correct horse battery staple"
    row = {"id": "S", "added": secret, "status": secret, "integrations": [{"id": "I", "token": secret}]}
    assert secret not in repr(read_notes("services", row))
    phones = {"id": "S", "+12125550101": {"label": "x"}, "alert_grouping_parameters": {"type": "2125550101"}}
    assert "2125550101" not in repr(read_notes("services", phones))


def shadow_schedule(**rotation):
    event = {"id": "E", "type": "schedule_event", "assignment_strategy": {"type": "every_member_assignment_strategy"}}
    return {"id": "P", "rotations": [{"id": "R", "type": "schedule_rotation", "events": [event]} | rotation]}


@pytest.mark.parametrize(
    "row,path",
    [
        (shadow_schedule(shadow=True), "rotations.shadow"),
        (shadow_schedule(type="shadow_rotation"), "rotations.type=shadow_rotation"),
        (
            shadow_schedule(events=[{"id": "E", "assignment_strategy": {"members": [{"type": "shadow_member"}]}}]),
            "rotations.events.assignment_strategy.members.type=shadow_member",
        ),
        ({"id": "P", "custom_shifts": [{"assignments": [{"role": "shadow"}]}]}, "custom_shifts.assignments.role"),
        ({"id": "P", "overrides": [{"paged": "no"}]}, "overrides.paged"),
    ],
)
def test_what_is_unknown_inside_a_shift_pages(row, path):
    [found] = read_notes("schedules_v3", row).unknown.values()
    assert (found.path, found.pages) == (path, True)


@pytest.mark.parametrize(
    "kind,row,path,pages",
    [
        ("schedules", {"schedule_layers": [{"shadow": True}]}, "schedule_layers.shadow", True),
        ("schedules", {"schedule_layers": [{"users": [{"role": "x"}]}]}, "schedule_layers.users.role", True),
        ("schedules", {"icon": "moon"}, "icon", False),
        ("users", {"pronouns": "x"}, "pronouns", False),
        ("teams", {"is_private": True}, "is_private", False),
        ("escalation_policies", {"escalation_rules": [{"quiet": "x"}]}, "escalation_rules.quiet", True),
        (
            "escalation_policies",
            {"escalation_rules": [{"targets": [{"id": "X", "role": "x", "only_on": "Mondays"}]}]},
            "escalation_rules.targets.only_on",
            True,
        ),
        ("services", {"incident_urgency_rule": {"type": "by_moon"}}, "incident_urgency_rule.type=by_moon", True),
        ("services", {"integrations": [{"routing": "x"}]}, "integrations.routing", False),
        ("notification_rules", {"urgency": "severe"}, "urgency=severe", True),
        ("contact_methods", {"quiet_hours": "x"}, "quiet_hours", False),
    ],
)
def test_where_it_stands_decides_whether_it_pages(kind, row, path, pages):
    [found] = read_notes(kind, {"id": "X", **row}).unknown.values()
    assert (found.path, found.pages) == (path, pages)


def test_a_reference_may_come_as_the_whole_object():
    """`include[]=targets` and `include[]=teams` bring it with all of its fields."""
    user = {"id": "U", "type": "user", "name": "Ann", "color": "teal", "time_zone": "UTC", "contact_methods": [{}]}
    row = {"id": "P", "escalation_rules": [{"id": "R", "targets": [user]}], "teams": [{"id": "T", "default_role": "x"}]}
    assert read_notes("escalation_policies", row).unknown == {}


@pytest.mark.parametrize("odd", ["none", 7, ["a", None, 3], [["x"]], {"a": 1}, {"type": 4, "enabled": 1, "config": 3}])
def test_rows_that_are_not_what_they_should_be_are_read_all_the_same(odd):
    for kind in KINDS:
        for name in TABLES[kind].names:
            read_notes(kind, {"id": "X", name: odd, 7: odd})
