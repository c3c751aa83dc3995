"""The on-call contract as the embedded Harness serves it: every answer fits docs/oncall-contract.yaml."""

from datetime import datetime
from pathlib import Path

import pytest
import requests
import yaml
from harness_http import PEOPLE, PROJECT, empty_target
from openapi_schema_validator import OAS30Validator

from pdmigrate.harness.records import Coverage, Schedule
from pdmigrate.harness.rota import read_coverage, render_schedule
from pdmigrate.sandbox.harness import new_document, start_harness

CONTRACT = yaml.safe_load((Path(__file__).parents[2] / "docs/oncall-contract.yaml").read_text(encoding="utf-8"))
ANN, BOB, CAT, NEW = (f"{name}@example.com" for name in ("ann", "bob", "cat", "new"))
BASE = "/pdmigrate-oncall/v1/accounts/embedded/orgs/default/projects/"
DAY = 86400
OFFICE = [{"day": day, "start": "09:00:00", "seconds": 8 * 3600} for day in range(1, 6)]


def find_path(path):
    """The contract's own entry for a path: the template with as many parts, and the most of them equal."""
    parts = path.split("?")[0].split("/")
    alike = [known for known in CONTRACT["paths"] if len(known.split("/")) == len(parts)]
    fitting = [known for known in alike if all(a in (b, a if a[0:1] == "{" else b) for a, b in pairs(known, parts))]
    return CONTRACT["paths"][min(fitting, key=lambda known: known.count("{"))]


def pairs(template, parts):
    return zip(template.split("/"), parts, strict=True)


def schema_for(method, path, status):
    responses = find_path(path)[method.lower()]["responses"]
    name = responses.get(str(status), responses["default"])["$ref"].rsplit("/", 1)[1]
    return CONTRACT["components"]["responses"][name]["content"]["application/json"]["schema"]


class OnCall:
    """Speaks the contract, and holds every answer against it."""

    def __init__(self, server):
        self.server, self.project = server, "sre"

    def call(self, method, path, json=None, **query):
        url = self.server.url + BASE + self.project + path
        headers = {"x-api-key": "pat.embedded.sandbox.secret"}
        answer = requests.request(method, url, json=json, params=query, headers=headers, timeout=600)
        schema = schema_for(method, path, answer.status_code) | {"components": CONTRACT["components"]}
        OAS30Validator(schema).validate(answer.json())
        return answer

    def data(self, method, path, json=None, **query):
        answer = self.call(method, path, json, **query)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def wrong(self, path, json):
        """The fields that a refused body got wrong."""
        answer = self.call("PUT", path, json)
        assert (answer.status_code, answer.json()["status"]) == (400, "FAILURE"), answer.text
        return [error["fieldId"] for error in answer.json()["errors"]]

    def public(self, method, path, json):
        headers = {"x-api-key": "pat.embedded.sandbox.secret"}
        query = {"accountIdentifier": "embedded"} | PROJECT
        requests.request(
            method, self.server.url + path, json=json, params=query, headers=headers, timeout=600
        ).raise_for_status()

    def put(self, *rotations, zone="UTC", **fields):
        return self.data("PUT", "/schedules/s", schedule(*rotations, zone=zone, **fields))

    def on_call(self, start, end):
        entries = self.data("GET", "/schedules/s/on-call", **{"from": start, "to": end})["entries"]
        return [(entry["start"], entry["end"], [email[:3] for email in entry["people"]]) for entry in entries]


def schedule(*rotations, zone="UTC", **fields):
    return {"identifier": "s", "name": "Schedule", "time_zone": zone, "rotations": list(rotations)} | fields


def rotation(*participants, **fields):
    blank = {
        "name": "Layer 1",
        "participants": list(participants),
        "anchor": "2026-01-01T00:00:00",
        "turn_seconds": DAY,
    }
    return blank | fields


def policy(*targets, **fields):
    level = {"timeout_minutes": 5, "retries": 1, "targets": [{"type": kind, "id": name} for kind, name in targets]}
    return {"identifier": "p", "name": "Policy", "levels": [level]} | fields


@pytest.fixture(scope="module")
def server():
    server = start_harness(new_document(people=PEOPLE))
    yield server
    server.stop()


@pytest.fixture
def oncall(server):
    empty_target(server)
    client = OnCall(server)
    client.public("POST", "/ng/api/user-groups", {"identifier": "payments", "name": "Payments"})
    client.public("POST", "/ng/api/servicesV2", {"identifier": "checkout", "name": "checkout"} | PROJECT)
    return client


def test_the_contract_is_whole():
    names = set(CONTRACT["components"]["schemas"])
    text = yaml.safe_dump(CONTRACT)
    assert all(f"#/components/schemas/{name}" in text for name in names)
    for schema in CONTRACT["components"]["schemas"].values():
        OAS30Validator.check_schema(schema)


def test_capabilities_and_a_real_harness(oncall):
    assert oncall.data("GET", "/capabilities")["version"] == 1
    requests.post(oncall.server.url + "/sandbox/config", json={"oncall": False}, timeout=600)
    plain = requests.get(oncall.server.url + BASE + "sre/capabilities", timeout=600)
    assert (plain.status_code, plain.headers["Content-Type"]) == (404, "text/html; charset=utf-8")


def test_every_kind_is_put_read_listed_and_deleted(oncall):
    bodies = {
        "/schedules/s": schedule(rotation(ANN), owner_group="payments", tags={"pagerduty_id": "PS1"}),
        "/escalation-policies/p": policy(("schedule", "s"), ("user", ANN), ("user_group", "payments")),
        "/services/checkout": {"identifier": "checkout", "escalation_policy": "p", "paging": True, "owner_group": None},
        f"/contact-details/{ANN}": {
            "email": ANN,
            "methods": [{"type": "sms", "address": "+442079460000", "label": "Work"}],
        },
        f"/notification-rules/{ANN}": {
            "email": ANN,
            "steps": [{"methods": [{"type": "sms", "address": "+442079460000"}], "wait_minutes": 5}],
        },
    }
    for path, body in bodies.items():
        stored = oncall.data("PUT", path, body)
        assert body.items() <= stored.items() or path == "/schedules/s"
        assert oncall.data("GET", path) == stored == oncall.data("PUT", path, body)
        assert oncall.data("GET", path.rsplit("/", 1)[0]) == {"content": [stored], "totalItems": 1}
    for path in reversed(bodies):
        oncall.data("DELETE", path)
        assert oncall.call("GET", path).status_code == 404


def test_what_is_in_use_cannot_be_deleted(oncall):
    oncall.put(rotation(ANN))
    oncall.data("PUT", "/escalation-policies/p", policy(("schedule", "s")))
    oncall.data("PUT", "/services/checkout", {"identifier": "checkout", "escalation_policy": "p", "paging": False})
    assert oncall.call("DELETE", "/schedules/s").status_code == 400
    assert oncall.call("DELETE", "/escalation-policies/p").status_code == 400


def test_lists_have_pages_and_projects_are_apart(oncall):
    for name in ("s1", "s2", "s3"):
        oncall.data("PUT", f"/schedules/{name}", schedule(rotation(ANN), identifier=name))
    page = oncall.data("GET", "/schedules", page=1, size=2)
    assert ([row["identifier"] for row in page["content"]], page["totalItems"]) == (["s3"], 3)
    assert oncall.call("GET", "/schedules", size=101).status_code == 400
    oncall.project = "sre_staging"
    assert oncall.data("GET", "/schedules")["totalItems"] == 0
    oncall.project = "nowhere"
    assert oncall.call("GET", "/schedules").status_code == 404


@pytest.mark.parametrize(
    "change, field",
    [
        ({"colour": "red"}, "colour"),
        ({"time_zone": "Europe/Londn"}, "time_zone"),
        ({"identifier": "other"}, "identifier"),
        ({"name": "Büro"}, "name"),
        ({"owner_group": "nobody"}, "owner_group"),
        ({"tags": {"a": 1}}, "tags"),
        ({"rotations": None}, "rotations"),
        ({"rotations": [rotation(ANN), rotation(BOB)]}, "rotations.name"),
        ({"rotations": [rotation("who@example.com")]}, "rotations[0].participants[0]"),
        ({"rotations": [rotation("Ann@example.com")]}, "rotations[0].participants[0]"),
        ({"rotations": [rotation()]}, "rotations[0].participants"),
        ({"rotations": [rotation(ANN, turn_seconds=0)]}, "rotations[0].turn_seconds"),
        ({"rotations": [rotation(ANN, turn_seconds=True)]}, "rotations[0].turn_seconds"),
        ({"rotations": [rotation(ANN, anchor="2026-01-01T00:00:00Z")]}, "rotations[0].anchor"),
        ({"rotations": [rotation(ANN, since="2026-01-01T00:00:00")]}, "rotations[0].since"),
        (
            {"rotations": [rotation(ANN, since="2026-01-02T00:00:00Z", until="2026-01-01T00:00:00Z")]},
            "rotations[0].until",
        ),
        (
            {"rotations": [rotation(ANN, windows=[{"day": 0, "start": "09:00:00", "seconds": 1}])]},
            "rotations[0].windows[0].day",
        ),
        (
            {"rotations": [rotation(ANN, windows=[{"day": 1, "start": "9:00", "seconds": 1}])]},
            "rotations[0].windows[0].start",
        ),
        ({"rotations": [rotation(ANN, windows=[{"day": 1, "start": "09:00:00"}])]}, "rotations[0].windows[0].seconds"),
    ],
)
def test_a_wrong_schedule_is_refused_by_field(oncall, change, field):
    assert oncall.wrong("/schedules/s", schedule(rotation(ANN)) | change) == [field]
    assert oncall.data("GET", "/schedules")["totalItems"] == 0


def test_all_that_is_wrong_is_told_and_what_does_not_exist_only_where_the_shape_is_right(oncall):
    wrong = schedule(rotation("who@example.com", turn_seconds=0), owner_group="nobody", colour="red")
    assert oncall.wrong("/schedules/s", wrong) == ["rotations[0].turn_seconds", "colour"]
    absent = schedule(rotation("who@example.com"), owner_group="nobody")
    assert oncall.wrong("/schedules/s", absent) == ["owner_group", "rotations[0].participants[0]"]


def test_a_wrong_policy_is_refused_by_field(oncall):
    path = "/escalation-policies/p"
    targets = [
        ("schedule", "none"),
        ("user", "who@example.com"),
        ("user_group", "none"),
        ("rotation", "s/x"),
        ("team", "x"),
    ]
    fields = [oncall.wrong(path, policy(target))[0] for target in targets]
    assert fields == ["levels[0].targets[0].id"] * 4 + ["levels[0].targets[0].type"]
    assert oncall.wrong(path, policy()) == ["levels[0].targets"]
    assert oncall.wrong(path, policy(("user", ANN), levels=[])) == ["levels"]


def test_service_settings_need_the_service_and_the_policy(oncall):
    body = {"identifier": "none", "paging": True}
    assert oncall.call("PUT", "/services/none", body).status_code == 404
    body = {"identifier": "checkout", "paging": "yes", "escalation_policy": "p"}
    assert oncall.wrong("/services/checkout", body) == ["paging"]
    assert oncall.wrong("/services/checkout", body | {"paging": True}) == ["escalation_policy"]


@pytest.mark.parametrize("address", ["+4915112345678", "020 7946 0000", "+0123456789", "+18765550100", "+33612345678"])
def test_phones_that_are_not_served_are_refused(oncall, address):
    methods = [{"type": "phone", "address": address}]
    assert oncall.wrong(f"/contact-details/{ANN}", {"email": ANN, "methods": methods}) == ["methods[0].address"]
    rule = {"email": ANN, "steps": [{"methods": methods, "wait_minutes": 0}]}
    assert oncall.wrong(f"/notification-rules/{ANN}", rule) == ["steps[0].methods[0].address"]


def test_contact_details_are_of_people_who_are_known(oncall):
    assert oncall.wrong(f"/contact-details/{NEW}", {"email": NEW, "methods": []}) == ["email"]
    oncall.public("POST", "/ng/api/user/users", {"emails": [NEW]})
    good = [
        {"type": "phone", "address": "+12125550100"},
        {"type": "email", "address": "me@example.com", "label": "Home"},
    ]
    stored = oncall.data("PUT", f"/contact-details/{NEW}", {"email": NEW, "methods": good})
    assert [method["label"] for method in stored["methods"]] == ["Other", "Home"]
    assert oncall.wrong(f"/contact-details/{NEW}", {"email": NEW, "methods": good[:1] * 2}) == ["methods"]


def test_an_invited_person_can_stand_in_a_rotation(oncall):
    oncall.public("POST", "/ng/api/user/users", {"emails": [NEW]})
    oncall.put(rotation(NEW))
    assert oncall.on_call("2026-02-01T00:00:00Z", "2026-02-02T00:00:00Z") == [
        ("2026-02-01T00:00:00Z", "2026-02-02T00:00:00Z", ["new"])
    ]


def test_office_hours_in_new_york_across_both_changes(oncall):
    oncall.put(rotation(ANN, windows=OFFICE), zone="America/New_York")
    assert oncall.on_call("2026-03-06T00:00:00-05:00", "2026-03-10T00:00:00-04:00") == [
        ("2026-03-06T14:00:00Z", "2026-03-06T22:00:00Z", ["ann"]),
        ("2026-03-09T13:00:00Z", "2026-03-09T21:00:00Z", ["ann"]),
    ]
    assert oncall.on_call("2026-10-30T00:00:00Z", "2026-11-03T00:00:00Z") == [
        ("2026-10-30T13:00:00Z", "2026-10-30T21:00:00Z", ["ann"]),
        ("2026-11-02T14:00:00Z", "2026-11-02T22:00:00Z", ["ann"]),
    ]


def test_nights_are_shorter_in_spring_and_longer_in_autumn(oncall):
    nights = [{"day": day, "start": "22:00:00", "seconds": 9 * 3600} for day in range(1, 8)]
    oncall.put(rotation(ANN, windows=nights), zone="Europe/London")
    spring = oncall.on_call("2026-03-28T12:00:00Z", "2026-03-29T12:00:00Z")
    assert spring == [("2026-03-28T22:00:00Z", "2026-03-29T06:00:00Z", ["ann"])]
    autumn = oncall.on_call("2026-10-24T12:00:00Z", "2026-10-25T12:00:00Z")
    assert autumn == [("2026-10-24T21:00:00Z", "2026-10-25T07:00:00Z", ["ann"])]


def test_a_window_in_the_gap_does_not_happen_and_one_in_the_fold_happens_twice(oncall):
    sunday = [{"day": 7, "start": "01:15:00", "seconds": 1800}]
    oncall.put(rotation(ANN, windows=sunday), zone="Europe/London")
    assert oncall.on_call("2026-03-29T00:00:00Z", "2026-03-30T00:00:00Z") == []
    assert oncall.on_call("2026-10-25T00:00:00Z", "2026-10-26T00:00:00Z") == [
        ("2026-10-25T00:15:00Z", "2026-10-25T00:45:00Z", ["ann"]),
        ("2026-10-25T01:15:00Z", "2026-10-25T01:45:00Z", ["ann"]),
    ]


def test_a_window_runs_past_the_end_of_the_week(oncall):
    weekend = [{"day": 6, "start": "18:00:00", "seconds": 2 * DAY}]
    oncall.put(rotation(ANN, windows=weekend))
    assert oncall.on_call("2026-01-05T00:00:00Z", "2026-01-12T00:00:00Z") == [  # from a Monday
        ("2026-01-05T00:00:00Z", "2026-01-05T18:00:00Z", ["ann"]),
        ("2026-01-10T18:00:00Z", "2026-01-12T00:00:00Z", ["ann"]),
    ]


def test_a_person_stands_twice(oncall):
    oncall.put(rotation(ANN, BOB, ANN, CAT))
    days = oncall.on_call("2026-01-01T00:00:00Z", "2026-01-07T00:00:00Z")
    assert [people for _, _, people in days] == [["ann"], ["bob"], ["ann"], ["cat"], ["ann"], ["bob"]]
    before = oncall.on_call("2025-12-31T00:00:00Z", "2026-01-01T00:00:00Z")
    assert before == [("2025-12-31T00:00:00Z", "2026-01-01T00:00:00Z", ["cat"])]  # the wheel turns backwards too


def test_weekly_handoff_stays_at_nine_on_the_wall(oncall):
    oncall.put(rotation(ANN, BOB, anchor="2026-03-02T09:00:00", turn_seconds=7 * DAY), zone="America/New_York")
    assert oncall.on_call("2026-03-02T14:00:00Z", "2026-03-16T13:00:00Z") == [
        ("2026-03-02T14:00:00Z", "2026-03-09T13:00:00Z", ["ann"]),
        ("2026-03-09T13:00:00Z", "2026-03-16T13:00:00Z", ["bob"]),
    ]


def test_an_empty_place_is_a_hole_and_a_life_has_ends(oncall):
    oncall.put(rotation(ANN, None, BOB, since="2026-01-01T12:00:00Z", until="2026-01-03T06:00:00Z"))
    assert oncall.on_call("2026-01-01T00:00:00Z", "2026-01-10T00:00:00Z") == [
        ("2026-01-01T12:00:00Z", "2026-01-02T00:00:00Z", ["ann"]),
        ("2026-01-03T00:00:00Z", "2026-01-03T06:00:00Z", ["bob"]),
    ]


def test_rotations_are_joined_or_stacked_by_switch(oncall):
    oncall.put(rotation(BOB, name="Office", windows=OFFICE[:1]), rotation(ANN, name="Always"))
    monday = ("2026-01-05T00:00:00Z", "2026-01-06T00:00:00Z")
    joined = [(start[11:13], people) for start, _, people in oncall.on_call(*monday)]
    assert joined == [("00", ["ann"]), ("09", ["ann", "bob"]), ("17", ["ann"])]
    requests.post(oncall.server.url + "/sandbox/config", json={"reading": "stack"}, timeout=600)
    stacked = [(start[11:13], people) for start, _, people in oncall.on_call(*monday)]
    assert stacked == [("00", ["ann"]), ("09", ["bob"]), ("17", ["ann"])]


def test_an_override_replaces_everybody_and_outlives_a_put(oncall):
    oncall.put(rotation(ANN, name="One"), rotation(BOB, name="Two"))
    override = {"identifier": "o1", "person": CAT, "start": "2026-01-01T06:00:00Z", "end": "2026-01-01T07:30:00+01:00"}
    assert oncall.wrong("/schedules/s/overrides/o1", override | {"end": "2026-01-01T06:00:00Z"}) == ["end"]
    assert oncall.wrong("/schedules/s/overrides/o1", override | {"person": NEW}) == ["person"]
    assert oncall.call("PUT", "/schedules/none/overrides/o1", override).status_code == 404
    assert oncall.data("PUT", "/schedules/s/overrides/o1", override | {"end": "2026-01-01T07:30:00Z"})["person"] == CAT
    stored = oncall.put(rotation(ANN, name="One"), rotation(BOB, name="Two"), overrides=[])
    assert [row["identifier"] for row in stored["overrides"]] == ["o1"]
    assert oncall.on_call("2026-01-01T00:00:00Z", "2026-01-02T00:00:00Z") == [
        ("2026-01-01T00:00:00Z", "2026-01-01T06:00:00Z", ["ann", "bob"]),
        ("2026-01-01T06:00:00Z", "2026-01-01T07:30:00Z", ["cat"]),
        ("2026-01-01T07:30:00Z", "2026-01-02T00:00:00Z", ["ann", "bob"]),
    ]
    oncall.data("DELETE", "/schedules/s/overrides/o1")
    assert oncall.call("DELETE", "/schedules/s/overrides/o1").status_code == 404
    assert len(oncall.on_call("2026-01-01T00:00:00Z", "2026-01-02T00:00:00Z")) == 1


@pytest.mark.parametrize("reading", ["join", "stack"])
def test_overrides_that_overlap_put_both_people_on_call_and_are_read_so(oncall, reading):
    """The contract, the embedded server and our own reading of its schedule are one."""
    requests.post(oncall.server.url + "/sandbox/config", json={"reading": reading}, timeout=600)
    oncall.put(rotation(ANN))
    for id, person, hours in (("o1", BOB, (6, 12)), ("o2", CAT, (9, 15))):
        start, end = (f"2026-01-01T{hour:02}:00:00Z" for hour in hours)
        oncall.data(
            "PUT", f"/schedules/s/overrides/{id}", {"identifier": id, "person": person, "start": start, "end": end}
        )
    span = ("2026-01-01T00:00:00Z", "2026-01-02T00:00:00Z")
    assert [people for _, _, people in oncall.on_call(*span)] == [["ann"], ["bob"], ["bob", "cat"], ["cat"], ["ann"]]
    answer = oncall.data("GET", "/schedules/s/on-call", **dict(zip(("from", "to"), span, strict=True)))
    shown = read_coverage(tuple(map(Coverage.model_validate, answer["entries"])))
    ours = Schedule.model_validate(oncall.data("GET", "/schedules/s"))
    assert render_schedule(ours, *(int(datetime.fromisoformat(edge).timestamp()) for edge in span)) == shown


@pytest.mark.parametrize("query", [{}, {"from": "2026-01-01", "to": "2026-01-02"}, {"from": "2026-01-02T00:00:00Z"}])
def test_on_call_needs_two_instants(oncall, query):
    oncall.put(rotation(ANN))
    assert oncall.call("GET", "/schedules/s/on-call", **query).status_code == 400
    backwards = {"from": "2026-01-02T00:00:00Z", "to": "2026-01-01T00:00:00Z"}
    assert oncall.call("GET", "/schedules/s/on-call", **backwards).status_code == 400


def test_the_log_counts_writes(oncall):
    oncall.put(rotation(ANN))
    oncall.put(rotation(ANN))
    log = requests.get(oncall.server.url + "/sandbox/log", timeout=600).json()
    assert [write["key"] for write in log["writes"]] == ["payments", "checkout", "schedules/s", "schedules/s"]
    assert log["requests"] == 4
