"""The embedded Harness's user groups and services, with the traps of the real ones."""

import pytest
from harness_http import PEOPLE, PROJECT, Client, empty_target

from pdmigrate.sandbox.harness import build_target, new_document, start_harness


@pytest.fixture(scope="module")
def server():
    server = start_harness(new_document(people=PEOPLE))
    yield server
    server.stop()


@pytest.fixture
def harness(server):
    empty_target(server)
    return Client(server)


def test_groups_of_the_call_apply_to_whoever_is_there_already(harness):
    harness.group("payments")
    harness.invite("ann@example.com", userGroups=["payments"])
    assert harness.data("GET", "/ng/api/user-groups/payments")["users"] == ["uuid_ann"]


@pytest.mark.parametrize(
    "fields",
    [
        {"identifier": "9lives"},
        {"identifier": "with-dash"},
        {"identifier": "stepGroup"},
        {"identifier": "a" * 129},
        {"identifier": "_project_all_users"},
        {"name": ""},
        {"name": "Zahlung & Töchter"},
        {"name": "n" * 129},
        {"description": "d" * 1025},
        {"projectIdentifier": "sre_staging"},
        {"notificationConfigs": [{"type": "EMAIL"}, {"type": "EMAIL"}]},
    ],
)
def test_group_rules(harness, fields):
    body = {"identifier": "payments", "name": "Payments"} | fields
    assert harness.refusal("POST", "/ng/api/user-groups", body)[0] == 400
    assert harness.log()["writes"] == []


def test_unknown_members_are_dropped_in_silence(harness):
    assert harness.group("one", users=["uuid_bob", "stranger", "uuid_ann", "uuid_bob"])["users"] == [
        "uuid_ann",
        "uuid_bob",
    ]


def test_put_replaces_the_group_whole(harness):
    harness.group("payments", users=["uuid_ann"], tags={"source": "pagerduty"}, description="Old")
    changed = harness.data("PUT", "/ng/api/user-groups", {"identifier": "payments", "name": "New"})
    assert (changed["users"], changed["tags"], changed["description"]) == ([], {}, "")
    harness.data("PUT", "/ng/api/user-groups", {"identifier": "payments", "name": "New"})
    assert len(harness.log()["writes"]) == 3  # one that changes nothing counts too


def test_group_errors(harness):
    harness.group("payments")
    again = {"identifier": "payments", "name": "Again"}
    assert harness.refusal("POST", "/ng/api/user-groups", again) == (400, "ERROR", "DUPLICATE_FIELD")
    unknown = {"identifier": "none", "name": "None"}
    assert harness.refusal("PUT", "/ng/api/user-groups", unknown) == (400, "ERROR", "INVALID_ARGUMENT")
    assert harness.refusal("DELETE", "/ng/api/user-groups/none") == (400, "ERROR", "USER_GROUP_ERROR")
    assert harness.refusal("DELETE", "/ng/api/user-groups/_project_all_users")[0] == 400
    assert harness.data("DELETE", "/ng/api/user-groups/payments")["identifier"] == "payments"


def test_groups_are_searched_by_name_and_tag_in_one_scope(harness):
    harness.group("payments", tags={"pagerduty_id": "PT1"})
    count = lambda **query: harness.data("GET", "/ng/api/user-groups", **query)["totalItems"]  # noqa: E731
    assert count(searchTerm="PT1") == 1
    assert count(searchTerm="^Pay") == 1
    assert count(searchTerm="_project_all") == 0  # an identifier
    assert count() == 2
    assert count(orgIdentifier="", projectIdentifier="") == 1


def test_managed_groups_keep_name_and_members():
    server = start_harness(build_target(PEOPLE))
    harness = Client(server)
    security = harness.data("GET", "/ng/api/user-groups/security_sso")
    assert (security["externallyManaged"], security["ssoLinked"]) == (True, True)
    assert "ssoGroupId" not in security  # nulls are left out
    assert harness.data("PUT", "/ng/api/user-groups", security | {"description": "Ours"})["description"] == "Ours"
    assert harness.refusal("PUT", "/ng/api/user-groups", security | {"users": []}) == (400, "ERROR", "INVALID_REQUEST")
    built_in = harness.data("GET", "/ng/api/user-groups/_project_all_users")
    assert harness.refusal("PUT", "/ng/api/user-groups", built_in | {"name": "Mine"})[0] == 400
    assert harness.data("GET", "/ng/api/user-groups/platform")["users"] == ["uuid_ann", "uuid_bob"]
    server.stop()


def test_services(harness):
    body = {"identifier": "checkout", "name": "checkout", "description": "Old"} | PROJECT
    assert harness.data("POST", "/ng/api/servicesV2", body)["service"]["accountId"] == "embedded"
    assert harness.refusal("POST", "/ng/api/servicesV2", body) == (400, "ERROR", "DUPLICATE_FIELD")
    assert (
        harness.refusal("POST", "/ng/api/servicesV2", {"identifier": "a", "name": "A"})[0] == 400
    )  # scope in the body
    assert harness.refusal("PUT", "/ng/api/servicesV2", body | {"identifier": "none"})[0] == 400
    changed = harness.data("PUT", "/ng/api/servicesV2", {"identifier": "checkout", "name": "Checkout"} | PROJECT)
    assert changed["service"]["description"] == ""
    for name in ("search", "one", "two"):
        harness.data("POST", "/ng/api/servicesV2", body | {"identifier": name, "name": name})
    page = harness.data("GET", "/ng/api/servicesV2", size=3, page=1)
    assert (page["totalItems"], page["pageItemCount"]) == (4, 1)
    assert harness.data("DELETE", "/ng/api/servicesV2/one") is True
    assert harness.refusal("GET", "/ng/api/servicesV2/one")[2] == "RESOURCE_NOT_FOUND_EXCEPTION"


def test_a_role_for_everything_is_refused(harness):
    binding = {"roleIdentifier": "r", "resourceGroupIdentifier": "_all_resources"}
    refused = {"emails": ["new@example.com"], "roleBindings": [binding]}
    assert harness.refusal("POST", "/ng/api/user/users", refused)[0] == 400
