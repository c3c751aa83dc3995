"""User groups and services: PUT replaces, members vanish without a word, what others made stays theirs."""

import pytest
import requests

from pdmigrate.errors import AnswerError
from pdmigrate.harness.pacing import Limits, Quota
from pdmigrate.harness.project import open_project
from pdmigrate.harness.records import Person
from pdmigrate.harness.writers import WriteError
from pdmigrate.plan.actions import Action
from pdmigrate.sandbox.harness import new_document, start_harness

KEY = "pat.embedded.sandbox.secret"
PEOPLE = [{"email": f"{name}@example.com", "name": name.title()} for name in ("ann", "bob", "cat", "dan")]
ANN, BOB, CAT, DAN = (person["email"] for person in PEOPLE)


@pytest.fixture(scope="module")
def server():
    server = start_harness(new_document(people=PEOPLE))
    yield server
    server.stop()


@pytest.fixture
def harness(server):
    with server.app.config["STORE"].change() as document:
        document.clear()
        document.update(new_document(people=PEOPLE))
    server.app.config.update(FAULTS=[], CALLS={})
    client = open_project(server.url, KEY, "embedded", "default", "sre", Quota(Limits(1000, 1000)))
    client.transport._sleep = lambda seconds: None
    return client


def play(harness, path, body):
    requests.post(f"{harness.transport.base_url}/sandbox/{path}", json=body, timeout=600).raise_for_status()


def group(users, before=None, name="Pay", verb=None):
    fields = {"name": name, "description": "", "users": users}
    old = None if before is None else {**fields, "users": before}
    return Action(verb or ("create" if before is None else "update"), "teams", "PT1", "pay_PT1", name, old, fields)


def make_by_hand(harness, **fields):
    people = harness.read_people()
    body = {"identifier": "pay_PT1", "name": "Pay", **fields}
    body["users"] = [people[email].uuid for email in fields.get("users", [])]
    return harness.transport.send("POST", "/ng/api/user-groups", harness.scope, body)


def read_members(harness):
    return sorted(harness.read_state().groups["pay_PT1"].users)


def test_what_others_added_survives_our_put(harness):
    configs = [{"type": "EMAIL", "groupEmail": "pay@example.com", "sendEmailToAllUsers": True}]
    make_by_hand(harness, users=[ANN, DAN], tags={"cost": "1"}, notificationConfigs=configs)
    harness.write_change(group([ANN, BOB], before=[ANN]), harness.read_people())
    found = harness.read_group("pay_PT1")
    assert found["notificationConfigs"] == configs
    assert found["tags"] == {"cost": "1", "pagerduty_id": "PT1"}
    assert read_members(harness) == [ANN, BOB, DAN]  # dan joined after the plan was made


def test_a_member_whom_the_source_dropped_leaves(harness):
    make_by_hand(harness, users=[ANN, BOB])
    harness.write_change(group([ANN], before=[ANN, BOB]), harness.read_people())
    assert read_members(harness) == [ANN]


def test_a_member_who_is_dropped_in_silence_is_said(harness):
    people = harness.read_people() | {"ghost@example.com": Person(email="ghost@example.com", uuid="uuid_of_nobody")}
    with pytest.raises(WriteError, match=r"left out members of Pay without a word: ghost@example.com"):
        harness.write_change(group([ANN, "ghost@example.com"]), people)


def test_invited_members_are_counted_and_not_sent(harness):
    people = harness.read_people() | {"new@example.com": Person(email="new@example.com", invite="i1")}
    assert "1 members join" in harness.write_change(group([ANN, "new@example.com"]), people)
    assert read_members(harness) == [ANN]


@pytest.mark.parametrize("kind", ["lost_answer", "429"])
def test_a_group_is_made_once_although_the_answer_was_lost(harness, kind):
    play(harness, "faults", [{"kind": kind, "method": "POST", "path": "/ng/api/user-groups", "count": 1}])
    harness.write_change(group([ANN]), harness.read_people())
    assert read_members(harness) == [ANN]


def test_a_group_of_that_identifier_made_by_others_meanwhile_is_not_taken_for_ours(harness):
    look, seen = harness.read_group, []
    harness.read_group = lambda identifier: look(identifier) if seen or seen.append(1) else make_late()

    def make_late():
        make_by_hand(harness, users=[DAN])

    with pytest.raises(AnswerError, match="DUPLICATE_FIELD"):
        harness.write_change(group([ANN]), harness.read_people())
    assert read_members(harness) == [DAN]


def test_a_group_that_is_managed_elsewhere_is_not_touched(harness, server):
    make_by_hand(harness, users=[ANN])
    with server.app.config["STORE"].change() as document:
        document["user_groups"][-1]["externallyManaged"] = True
    with pytest.raises(WriteError, match="managed elsewhere"):
        harness.write_change(group([ANN, BOB], before=[ANN]), harness.read_people())
    assert read_members(harness) == [ANN]


def test_a_write_that_a_policy_denies_is_no_success(harness):
    send = harness.transport.send

    def deny(*asked, **more):
        answer = send(*asked, **more)
        if asked[0] == "POST" and asked[1] == "/ng/api/user-groups":
            answer["data"]["governanceMetadata"] = {"deny": True, "message": "names must start with sre"}
        return answer

    harness.transport.send = deny
    with pytest.raises(WriteError, match="names must start with sre"):
        harness.write_change(group([ANN]), harness.read_people())


# --- services ---


def service(before=None, **fields):
    after = {"name": "Checkout", "description": "", **fields}
    return Action("create" if before is None else "update", "services", "PS1", "checkout", "Checkout", before, after)


@pytest.mark.parametrize("kind", ["lost_answer", "429"])
def test_a_service_is_made_once_although_the_answer_was_lost(harness, kind):
    play(harness, "faults", [{"kind": kind, "method": "POST", "path": "/ng/api/servicesV2", "count": 1}])
    harness.write_change(service(), {})
    assert list(harness.read_state().services) == ["checkout"]


def test_a_renamed_service_keeps_its_definition(harness):
    definition = "service:\n  name: Checkout\n  identifier: checkout\n  serviceDefinition:\n    type: Kubernetes\n"
    body = {"identifier": "checkout", "name": "Checkout", "yaml": definition, "tags": {"a": "b"}}
    body |= {"orgIdentifier": "default", "projectIdentifier": "sre"}
    harness.transport.send("POST", "/ng/api/servicesV2", {"accountIdentifier": "embedded"}, body)
    harness.write_change(service({"name": "Checkout", "description": ""}, name="Checkout web"), {})
    found = harness.read_service("checkout")
    assert (found["name"], found["tags"]) == ("Checkout web", {"a": "b"})
    assert "type: Kubernetes" in found["yaml"]
    assert "name: Checkout web" in found["yaml"]
