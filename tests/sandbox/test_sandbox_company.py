"""The accounts that the embedded PagerDuty serves: from files, and its own company."""

import gzip
import json
from datetime import timedelta

import pytest
from pagerduty_http import NOW

from pdmigrate.sandbox.accounts import load_account
from pdmigrate.sandbox.company import build_company, build_harness_people, change_company

# --- accounts from files ---


def test_the_recorded_account_is_served(serve, recorded_account):
    document = load_account(recorded_account)
    assert (document["subdomain"], document["time_zone"]) == ("acme-inc", "America/Los_Angeles")
    client = serve(document)
    counts = {
        kind: client.read(f"/{kind}", total="true")["total"] for kind in ("users", "teams", "schedules", "services")
    }
    assert counts == {"users": 13, "teams": 7, "schedules": 5, "services": 2}
    recorded = json.loads((recorded_account / "users.json").read_text())["users"]
    assert client.read("/users", **{"include[]": ["contact_methods", "notification_rules"]})["users"] == recorded
    assert len(client.read("/teams/PTEAM01/members")["members"]) == 7
    window = {"since": "2024-05-06T00:00:00Z", "until": "2024-05-13T00:00:00Z", "include[]": "final_schedule"}
    rendered = {one["id"]: one["final_schedule"] for one in client.read("/schedules", **window)["schedules"]}
    assert rendered["PVJMUIC"]["rendered_schedule_entries"] == []  # its only user was deleted
    assert rendered["P3D7DLW"]["rendered_schedule_entries"]


def test_an_account_is_read_from_a_file_packed_or_not(tmp_path):
    document = build_company(NOW)
    plain, packed = tmp_path / "account.json", tmp_path / "snapshot.json.gz"
    plain.write_text(json.dumps(document), encoding="utf-8")
    packed.write_bytes(gzip.compress(json.dumps({"format": 1, "records": {"users": document["users"]}}).encode()))
    assert load_account(plain) == document
    assert len(load_account(packed)["users"]) == 40
    assert load_account(packed)["schedules"] == []
    assert load_account(packed)["subdomain"] == "acme"


@pytest.mark.parametrize(
    "text,fault",
    [
        ("{", "not readable as JSON"),
        ("[]", "not an account document"),
        ('{"users": {}, "teams": []}', None),
        ('{"users": "all"}', '"users" should be a list'),
        ('{"users": [{"name": "x"}]}', 'a record in "users" has no id'),
    ],
)
def test_what_is_not_an_account_is_said_in_one_line(tmp_path, text, fault):
    path = tmp_path / "account.json"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ValueError, match=fault or "users") as caught:
        load_account(path)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_folder_without_answers_is_refused(tmp_path):
    with pytest.raises(ValueError, match="no recorded answers"):
        load_account(tmp_path)
    (tmp_path / "users.json").write_text('{"teams": []}', encoding="utf-8")
    with pytest.raises(ValueError, match='with a list "users"'):
        load_account(tmp_path)
    with pytest.raises(ValueError, match="no such file"):
        load_account(tmp_path / "missing")


# --- the company ---


def test_the_company_is_of_the_size_that_it_says():
    document = build_company(NOW)
    kinds = ("users", "teams", "schedules", "escalation_policies", "services")
    assert [len(document[kind]) for kind in kinds] == [40, 8, 20, 15, 25]
    assert document == build_company(NOW.replace(hour=1))
    assert document != build_company(NOW + timedelta(days=1))
    assert len(build_company(NOW, with_v3=True)["schedules_v3"]) == 2


def test_the_company_has_no_reference_that_leads_nowhere_but_to_those_who_left():
    document = build_company(NOW, with_v3=True)
    kinds = ("users", "teams", "schedules", "schedules_v3", "escalation_policies", "services")
    kinds += ("business_services", "addons", "incident_workflows")
    known = {record["id"] for kind in kinds for record in document[kind]}
    known |= {method["id"] for one in document["users"] for method in one["contact_methods"]}
    dangling = {one["id"] for one in references(document) if one["id"] not in known}
    assert dangling == {one["id"] for one in references(document) if "deleted_at" in one} == {"PUSER91", "PUSER92"}
    ids = [record["id"] for kind in kinds for record in document[kind]]
    assert len(ids) == len(set(ids))


NO_RECORD = ("event_", "account_", "extension_schema_")
"""The account itself, and what is PagerDuty's own, are in no list of records."""


def references(value):
    if isinstance(value, list):
        return [found for one in value for found in references(one)]
    if not isinstance(value, dict):
        return []
    kind = str(value.get("type", ""))
    own = [value] if kind.endswith("_reference") and not kind.startswith(NO_RECORD) else []
    return own + [found for one in value.values() for found in references(one)]


def test_what_happens_to_one_company_is_not_in_the_next():
    kept, changed = json.dumps(build_company(NOW)), build_company(NOW)
    change_company(changed)
    for record in changed["services"]:
        record["incident_urgency_rule"].clear()
    assert json.dumps(build_company(NOW)) == kept


def test_some_people_have_a_harness_account_already():
    people, users = build_harness_people(), build_company(NOW)["users"]
    exact = {one["email"] for one in people} & {one["email"] for one in users}
    folded = {one["email"] for one in people} & {one["email"].lower() for one in users}
    assert (len(people), len(exact), len(folded)) == (14, 11, 12)
    assert len({one["uuid"] for one in people}) == 14


def test_a_week_goes_by_in_the_company():
    before, after = build_company(NOW), build_company(NOW)
    change_company(after)
    assert {one["name"] for one in before["users"]} - {one["name"] for one in after["users"]} == {"Ben Achebe"}
    assert "PUSER21" not in json.dumps(after | {"past_layers": {}, "past_users": {}})
    assert "PUSER21" in json.dumps(after["past_layers"]["PSCHED05"])  # PagerDuty renders former days as they were
    joined = next(one for one in after["schedules"] if one["id"] == "PSCHED06")["schedule_layers"][0]["users"]
    assert [place["user"]["summary"] for place in joined][-2:] == ["Kofi Mensah", "Noam Adler"]
    assert [one["name"] for one in after["services"][25:]] == ["Loyalty points"]
    changed = [one["id"] for one, other in zip(before["schedules"], after["schedules"], strict=True) if one != other]
    assert changed == ["PSCHED05", "PSCHED06"]
