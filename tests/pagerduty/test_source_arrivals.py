"""What arrives is checked: it names its object, goes to the page, and stops only what depends on it."""

import pytest
from source_http import company

from pdmigrate import conflicts, finish, load, open_job, preview
from pdmigrate.errors import RefusedError
from pdmigrate.pagerduty.arrivals import read_records


def arrive(kind, row):
    return read_records(kind, [row])


def row_of(kind, number=0):
    return company()[kind][number]


def test_the_embedded_company_has_nothing_odd():
    for kind in ("users", "teams", "schedules", "schedules_v3", "escalation_policies", "services"):
        arrived = read_records(kind, company()[kind])
        assert (arrived.problems, arrived.remarks) == ((), ()), kind


@pytest.mark.parametrize(
    "kind,change,said",
    [
        ("users", {"email": None}, "email: Field required"),
        ("users", {"name": 7}, "name: Input should be a valid string"),
        ("schedules", {"schedule_layers": [{"id": "L1"}]}, "schedule_layers.0.start: Field required"),
        ("schedules", {"time_zone": None}, "time_zone: Field required"),
        ("escalation_policies", {"escalation_rules": "none"}, "escalation_rules: Input should be a valid tuple"),
        ("escalation_policies", {"num_loops": -1}, "num_loops: Input should be greater than or equal to 0"),
        ("services", {"id": None}, "id: Field required"),
        (
            "schedules_v3",
            {"rotations": [{"id": "R", "events": [{"id": "E"}]}]},
            "rotations.0.events.0.start_time: Field",
        ),
    ],
)
def test_an_object_that_cannot_be_used_is_named(kind, change, said):
    row = {**row_of(kind), **change}
    arrived = arrive(kind, row)
    [problem] = arrived.problems
    assert not arrived.by_id
    assert (problem.id, problem.name) == (str(row["id"]), str(row["name"]))
    assert said in problem.message


@pytest.mark.parametrize(
    "kind,change,said",
    [
        ("users", {"role": "emperor"}, "the role is 'emperor', which this version does not know"),
        ("users", {"contact_methods": [{"id": "C", "type": "fax_contact_method"}]}, "contact method C is 'fax'"),
        ("users", {"notification_rules": [{"id": "N", "urgency": "severe"}]}, "notification rule N is 'severe'"),
        ("services", {"status": "asleep"}, "the status is 'asleep'"),
        ("services", {"incident_urgency_rule": {"type": "by_moon"}}, "its urgency rule is 'by_moon'"),
        (
            "escalation_policies",
            {
                "escalation_rules": [
                    {"id": "R", "escalation_delay_in_minutes": 5, "targets": [{"id": "X", "type": "robot_reference"}]}
                ]
            },
            "target of level 1, X, is 'robot'",
        ),
    ],
)
def test_a_value_that_nobody_knows_is_said_and_stops_nothing(kind, change, said):
    row = {**row_of(kind), **change}
    arrived = arrive(kind, row)
    assert list(arrived.by_id) == [row["id"]]
    [remark] = arrived.remarks
    assert said in remark.message


@pytest.mark.parametrize(
    "kind,field,part",
    [
        ("users", "contact_methods", {"type": "phone_contact_method"}),
        ("users", "notification_rules", {"id": "N", "start_delay_in_minutes": "soon"}),
        ("services", "integrations", "a string"),
        ("teams", "members", {"role": "manager"}),
    ],
)
def test_a_part_that_cannot_be_used_is_left_out_alone(kind, field, part):
    row = row_of(kind)
    row = {**row, field: [*(row.get(field) or []), part]}
    arrived = arrive(kind, row)
    [record] = arrived.by_id.values()
    assert len(getattr(record, field)) == len(row[field]) - 1
    [remark] = arrived.remarks
    assert (remark.name, f"{field} " in remark.message) == (row["name"], True)


def test_contact_types_are_one_with_and_without_the_reference_suffix():
    row = row_of("users")
    types = [method["type"] for method in row["contact_methods"]]
    short = {
        **row,
        "contact_methods": [{"id": m["id"], "type": f"{m['type']}_reference"} for m in row["contact_methods"]],
    }
    [record] = arrive("users", short).by_id.values()
    assert [method.type for method in record.contact_methods] == types
    assert arrive("users", short).remarks == ()


def test_a_rendering_that_cannot_be_read_leaves_the_schedule():
    row = {**row_of("schedules"), "final_schedule": {"rendered_schedule_entries": [{"start": "soon"}]}}
    arrived = arrive("schedules", row)
    assert arrived.by_id[row["id"]].final_schedule is None
    assert "final_schedule" in arrived.remarks[0].message


def test_oddities_and_what_stays_behind_are_on_the_page(decided_workspace):
    with open_job(decided_workspace) as job:
        document = job._servers[0].app.config["STORE"]
        with document.change() as account:
            account["users"][0]["role"] = "emperor"
            del account["services"][0]["id"], account["services"][0]["name"]
        page = finish(job, preview(job)).page.read_text()
    assert "the role is &#39;emperor&#39;" in page
    assert "Nightly batch noise: 1 rule suppresses alerts" in page
    assert "Shop alerts: routes alerts to 2 services" in page
    assert "not asked for (source.handoff_rules)" in page
    assert "not asked for (source.service_orchestrations)" in page


@pytest.mark.parametrize(
    "options,said",
    [
        ({"v3_forbidden": True}, "schedules v3: forbidden"),
        ({"forbidden": ["/teams/{id}/members"]}, "team members: forbidden"),
        ({"v3_hidden": ["PSHIFT01"]}, "Store systems shifts (PSHIFT01)"),
    ],
)
def test_a_plan_from_a_source_that_was_not_read_whole_is_refused(decided_workspace, options, said):
    with open_job(decided_workspace) as job:
        app = job._servers[0].app
        app.config["OPTIONS"].update(options)
        with app.config["STORE"].change() as account:
            account.update(company())
        preview(job)
        decided = conflicts(job)
        assert any(said in sentence for sentence in decided.refusals)
        with pytest.raises(RefusedError):
            finish(job, decided)
        with pytest.raises(RefusedError, match="run preview again"):
            load(job, approve="all")
