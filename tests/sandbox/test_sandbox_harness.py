"""The embedded Harness's public API: each test is a trap that the real one holds for a client."""

import pytest
import requests
from harness_http import KEY, PEOPLE, PROJECT, Client, empty_target

from pdmigrate.sandbox.harness import accept_invites, new_document, start_harness


@pytest.fixture(scope="module")
def server():
    server = start_harness(new_document(people=PEOPLE))
    yield server
    server.stop()


@pytest.fixture
def harness(server):
    empty_target(server)
    return Client(server)


def test_every_path_answers_with_and_without_gateway(harness):
    plain = harness.data("GET", "/ng/api/user/currentUser")
    assert harness.data("GET", "/gateway/ng/api/user/currentUser") == plain
    assert harness.data("POST", "/ng/api/token/validate")["apiKeyType"] == "USER"


@pytest.mark.parametrize("key", ["", "pat.embedded.sandbox.wrong"])
def test_a_wrong_key_is_401(harness, key):
    harness.key = key
    assert harness.refusal("GET", "/ng/api/user/currentUser") == (401, "ERROR", "INVALID_TOKEN")


def test_the_account_must_be_named_and_right(harness):
    assert harness.refusal("GET", "/ng/api/user-groups", accountIdentifier="")[0] == 400
    assert harness.refusal("GET", "/ng/api/user-groups", accountIdentifier="other")[0] == 400
    by_header = harness.call(
        "GET", "/ng/api/user-groups", accountIdentifier="", headers={"Harness-Account": "embedded"}
    )
    assert by_header.status_code == 200


def test_a_read_only_key_reads_and_is_refused_the_write():
    server = start_harness(new_document(people=PEOPLE) | {"read_only_keys": ["pat.embedded.reader.secret"]})
    reader = Client(server)
    reader.key = "pat.embedded.reader.secret"
    assert reader.data("GET", "/ng/api/user-groups")["totalItems"] == 1
    answer = reader.call("POST", "/ng/api/user-groups", {"identifier": "a", "name": "A"})
    assert answer.status_code == 403
    assert answer.json()["failedPermissionChecks"][0]["permission"] == "core_usergroup_manage"
    assert reader.log()["writes"] == []
    server.stop()


def test_a_service_account_key_validates_itself_and_is_no_user():
    server = start_harness(new_document(), api_key="sat.embedded.robot.secret")
    robot = Client(server)
    robot.key = "sat.embedded.robot.secret"
    assert robot.data("POST", "/ng/api/token/validate")["apiKeyType"] == "SERVICE_ACCOUNT"
    assert robot.refusal("GET", "/ng/api/user/currentUser")[0] == 400
    server.stop()


def test_scopes_are_listed_and_a_wrong_one_is_not_there(harness):
    projects = harness.data("GET", "/ng/api/projects")["content"]
    assert [row["project"]["identifier"] for row in projects] == ["sre", "sre_staging"]
    assert harness.data("GET", "/ng/api/organizations/default")["organization"]["identifier"] == "default"
    missing = "RESOURCE_NOT_FOUND_EXCEPTION"
    assert harness.refusal("GET", "/ng/api/projects/sree", projectIdentifier="") == (400, "FAILURE", missing)
    assert harness.refusal("GET", "/ng/api/user-groups", projectIdentifier="sree") == (400, "FAILURE", missing)


def test_what_is_not_there_is_400_or_404_by_switch(harness):
    paths = ["/ng/api/user-groups/none", "/ng/api/servicesV2/none"]
    assert [harness.call("GET", path).status_code for path in paths] == [400, 400]
    harness.sandbox("config", {"not_found_status": 404})
    assert [harness.refusal("GET", path)[0] for path in paths] == [404, 404]


def test_the_search_term_is_a_live_regex(harness):
    harness.invite("a+b@example.com")
    harness.sandbox("accept", {"emails": ["a+b@example.com"]})
    find = lambda term: harness.data("POST", "/ng/api/user/aggregate", {}, searchTerm=term)["totalItems"]  # noqa: E731
    assert find("a+b@example.com") == 0  # the plus is an operator
    assert find(r"a\+b@EXAMPLE\.com") == 1
    assert find("a.n@example.com") == 1  # the dot too: this is ann
    assert harness.refusal("POST", "/ng/api/user/aggregate", searchTerm="*")[0] == 500


def test_pages_have_harness_frame_and_batch_is_capped(harness):
    page = harness.data("POST", "/ng/api/user/aggregate", pageSize=2, pageIndex=1)
    assert (page["totalPages"], page["totalItems"], page["pageItemCount"], page["empty"]) == (2, 3, 1, False)
    past = harness.data("POST", "/ng/api/user/aggregate", pageSize=2, pageIndex=2)
    assert past["empty"] is True
    assert past["content"] == []
    assert harness.refusal("POST", "/ng/api/user/batch", pageSize=101)[0] == 400
    found = harness.data("POST", "/ng/api/user/batch", {"emails": ["ANN@example.com"]})["content"]
    assert [user["uuid"] for user in found] == ["uuid_ann"]


def test_invites_are_capped_and_spoiled_by_one_bad_address(harness):
    many = [f"p{number}@example.com" for number in range(101)]
    assert harness.refusal("POST", "/ng/api/user/users", {"emails": many})[0] == 400
    assert harness.refusal("POST", "/ng/api/user/users", {"emails": []})[0] == 400
    assert harness.refusal("POST", "/ng/api/user/users", {"emails": ["new@example.com", "no address"]})[0] == 400
    assert harness.log()["mails"] == {}
    assert len(harness.invite(*many[:100])) == 100


def test_the_words_of_an_invite(harness):
    harness.sandbox("config", {"failing_emails": ["bad@example.com"], "unanswered_emails": ["mute@example.com"]})
    words = harness.invite("ann@example.com", "new@example.com", "bad@example.com", "mute@example.com")
    assert words == {
        "ann@example.com": "USER_ALREADY_ADDED",
        "new@example.com": "USER_INVITED_SUCCESSFULLY",
        "bad@example.com": "FAIL",
    }
    assert harness.invite("new@example.com") == {"new@example.com": "USER_ALREADY_INVITED"}
    assert harness.log()["mails"] == {"new@example.com": 2, "mute@example.com": 1}  # sent again; sent without a word
    harness.scope = PROJECT | {"projectIdentifier": "sre_staging"}
    assert harness.invite("bob@example.com") == {"bob@example.com": "USER_ADDED_SUCCESSFULLY"}


def test_an_address_with_capitals_is_not_recognised(harness):
    assert harness.invite("Ann@example.com") == {"Ann@example.com": "USER_INVITED_SUCCESSFULLY"}
    assert harness.log()["mails"] == {"ann@example.com": 1}
    harness.sandbox("accept", {})
    assert harness.data("POST", "/ng/api/user/aggregate")["totalItems"] == 3


def test_a_pending_user_has_no_uuid_and_gets_the_groups_of_the_first_invite(harness):
    harness.group("payments")
    harness.group("other")
    harness.invite("new@example.com", userGroups=["payments", "unknown"])
    harness.invite("new@example.com", userGroups=["other"])
    assert harness.data("POST", "/ng/api/user/aggregate", searchTerm="new@")["totalItems"] == 0
    pending = harness.data("POST", "/ng/api/invites/aggregate", {})["content"][0]
    assert (pending["email"], pending["userGroups"], pending["orgIdentifier"]) == ("new@example.com", None, None)
    assert harness.data("POST", "/ng/api/invites/aggregate", {}, searchTerm="NEW")["totalItems"] == 0  # minds the case
    assert harness.data("GET", "/ng/api/invites")["content"][0]["userGroups"] == ["payments", "unknown"]
    assert harness.sandbox("accept", {"emails": ["new@example.com"]}) == {"accepted": 1}
    user = harness.data("POST", "/ng/api/user/batch", {"emails": ["new@example.com"]})["content"][0]
    assert harness.data("GET", "/ng/api/user-groups/payments")["users"] == [user["uuid"]]
    assert harness.data("GET", "/ng/api/user-groups/other")["users"] == []
    assert harness.data("POST", "/ng/api/invites/aggregate", {})["totalItems"] == 0


def test_an_invite_can_be_taken_back(harness):
    harness.invite("new@example.com")
    identifier = harness.data("GET", "/ng/api/invites")["content"][0]["id"]
    assert harness.data("DELETE", f"/ng/api/invites/{identifier}")["id"] == identifier
    assert harness.data("DELETE", f"/ng/api/invites/{identifier}") is None
    assert harness.data("GET", "/ng/api/invites")["totalItems"] == 0


def test_auto_accept_makes_users_at_once(harness):
    harness.sandbox("config", {"auto_accept": True})
    assert harness.invite("new@example.com") == {"new@example.com": "USER_ADDED_SUCCESSFULLY"}
    assert harness.log()["mails"] == {}
    assert harness.data("POST", "/ng/api/user/aggregate", searchTerm="new@")["totalItems"] == 1


def test_the_eleventh_invite_call_of_a_minute_is_429_in_html_without_retry_after(harness):
    for number in range(10):
        harness.invite(f"p{number}@example.com")
    late = harness.call("POST", "/ng/api/user/users", {"emails": ["late@example.com"]})
    assert (late.status_code, late.headers["Content-Type"]) == (429, "text/html; charset=utf-8")
    assert "Retry-After" not in late.headers
    assert "late@example.com" not in harness.log()["mails"]
    assert harness.call("POST", "/ng/api/invites/aggregate", {}).status_code == 200  # a read is no invite call
    harness.time += 60
    assert harness.invite("late@example.com") == {"late@example.com": "USER_INVITED_SUCCESSFULLY"}


def test_calls_of_a_key_are_counted_by_the_minute(harness):
    harness.sandbox("config", {"calls_per_minute": 2})
    codes = [harness.call("GET", "/ng/api/user-groups").status_code for _ in range(3)]
    assert codes == [200, 200, 429]


def test_faults_that_answer(harness):
    slept = []
    harness.server.app.config["SLEEP"] = slept.append
    kinds = ["429", "500", "502_html", "slow"]
    harness.sandbox(
        "faults", [{"kind": kind, "path": "/ng/api/user-groups", "count": 1, "seconds": 3} for kind in kinds]
    )
    answers = [harness.call("GET", "/gateway/ng/api/user-groups") for _ in range(5)]
    assert [answer.status_code for answer in answers] == [429, 500, 502, 200, 200]
    assert slept == [3]
    assert "html" in answers[2].text


def test_a_share_of_requests_fails_the_same_way_each_time(harness):
    runs = []
    for _ in range(2):
        harness.sandbox("faults", [{"kind": "500", "method": "GET", "share": 0.5, "seed": 7}])
        runs.append([harness.call("GET", "/ng/api/user-groups").status_code for _ in range(12)])
    assert runs[0] == runs[1]
    assert {200, 500} == set(runs[0])


def test_a_lost_answer_leaves_the_write(harness):
    harness.sandbox("faults", [{"kind": "lost_answer", "method": "POST", "count": 1}])
    with pytest.raises(requests.ConnectionError):
        harness.group("payments")
    assert harness.data("GET", "/ng/api/user-groups/payments")["name"] == "Payments"


def test_a_reset_does_not_carry_out_and_a_truncated_answer_shows(harness):
    harness.sandbox("faults", [{"kind": "reset", "count": 1}, {"kind": "truncated", "count": 1}])
    with pytest.raises(requests.ConnectionError):
        harness.group("payments")
    with pytest.raises(requests.exceptions.ChunkedEncodingError):
        harness.call("GET", "/ng/api/user-groups")
    assert harness.refusal("GET", "/ng/api/user-groups/payments")[0] == 400


def test_a_key_is_revoked_half_way(harness):
    harness.sandbox("faults", [{"kind": "key_revoked", "after": 2, "count": 1}])
    assert [harness.call("GET", "/ng/api/user-groups").status_code for _ in range(4)] == [200, 200, 401, 401]
    harness.sandbox("faults", [])
    assert harness.call("GET", "/ng/api/user-groups").status_code == 200


def test_other_paths_and_methods(harness):
    assert harness.call("GET", "/ir/tp/api/v1/mc/schedules").status_code == 404
    assert harness.call("PATCH", "/ng/api/user-groups").status_code == 405
    text = {"x-api-key": KEY, "Content-Type": "text/plain"}
    answer = requests.post(
        harness.server.url + "/ng/api/user-groups",
        data="x",
        headers=text,
        params={"accountIdentifier": "embedded"},
        timeout=600,
    )
    assert (answer.status_code, answer.json()["code"]) == (415, "MEDIA_NOT_SUPPORTED")


def test_the_document_lives_on_in_its_file(tmp_path):
    state = tmp_path / "harness.json"
    server = start_harness(new_document(people=PEOPLE), state)
    Client(server).group("payments")
    server.stop()
    again = start_harness(new_document(), state)
    assert Client(again).data("GET", "/ng/api/user-groups/payments")["name"] == "Payments"
    assert [write["key"] for write in Client(again).log()["writes"]] == ["payments"]
    again.stop()


def test_accepting_works_on_the_bare_document(harness):
    harness.invite("new@example.com", "newer@example.com")
    document = harness.server.app.config["STORE"].read()
    accept_invites(document, ["NEW@example.com"])
    assert [invite["email"] for invite in document["invites"]] == ["newer@example.com"]
    accept_invites(document)
    assert {user["name"] for user in document["users"]} >= {"New", "Newer"}
