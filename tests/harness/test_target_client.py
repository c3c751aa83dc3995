"""What a client that believes the obvious would get wrong about Harness: addresses, keys, errors, paging, searches."""

import pytest
import requests

from pdmigrate.errors import AnswerError, IncompleteFetchError, KeyRefusedError, SettingsError, WrongAccountError
from pdmigrate.harness.address import read_base_url, read_key
from pdmigrate.harness.pacing import Limits, Quota
from pdmigrate.harness.project import open_project
from pdmigrate.sandbox.harness import new_document, start_harness

KEY = "pat.embedded.sandbox.secret"
PEOPLE = [{"email": f"{name}@example.com", "name": name.title()} for name in ("ann", "bob", "axn")]


@pytest.fixture(scope="module")
def server():
    server = start_harness(new_document(people=PEOPLE))
    yield server
    server.stop()


@pytest.fixture
def open_client(server):
    with server.app.config["STORE"].change() as document:
        document.clear()
        document.update(new_document(people=PEOPLE) | {"keys": ["sat.embedded.robot.secret", "pat.other.x.secret"]})
    server.app.config.update(FAULTS=[], CALLS={})

    def make(prefix="", key=KEY, account="embedded", org="default", project="sre"):
        client = open_project(server.url + prefix, key, account, org, project, Quota(Limits(1000, 1000)))
        client.transport._sleep = lambda seconds: None
        return client

    return make


def play(client, path, body):
    requests.post(client.transport.base_url.removesuffix("/gateway") + f"/sandbox/{path}", json=body, timeout=600)


# --- addresses and keys ---


@pytest.mark.parametrize(
    "typed, base",
    [
        ("https://app.harness.io/gateway", "https://app.harness.io/gateway"),
        ("https://app.harness.io/", "https://app.harness.io"),
        ("app3.harness.io", "https://app3.harness.io"),
        ("acme", "https://acme.harness.io"),
        ("https://acme.harness.io/ng/account/abc/home", "https://acme.harness.io"),
        ("https://accounts.eu.harness.io/gateway/ng/api/", "https://accounts.eu.harness.io/gateway"),
        ("https://app.harness.io/prod1/gateway", "https://app.harness.io/prod1/gateway"),
        ("http://127.0.0.1:8080", "http://127.0.0.1:8080"),
    ],
)
def test_an_address_is_taken_as_people_type_it(typed, base):
    assert read_base_url(typed) == base


@pytest.mark.parametrize("typed", ["", "ftp://app.harness.io", "https://", "not an address"])
def test_what_is_no_address_is_said(typed):
    with pytest.raises(SettingsError, match="is no address"):
        read_base_url(typed)


def test_a_key_names_its_kind_and_account():
    assert (read_key("pat.acct.id.secret").kind, read_key("pat.acct.id.secret").account) == ("personal", "acct")
    assert (read_key("sat.acct.id.secret").kind, read_key("whatever").account) == ("service", "")


@pytest.mark.parametrize("prefix", ["", "/gateway", "/gateway/"])
@pytest.mark.parametrize("key", [KEY, "sat.embedded.robot.secret"])
def test_both_kinds_of_key_connect_with_and_without_gateway(open_client, prefix, key):
    found = open_client(prefix, key).check_scope()
    assert (found.target, found.oncall) == ("embedded/default/sre", True)


def test_a_key_of_another_account_is_said_before_anything_is_asked(open_client):
    with pytest.raises(WrongAccountError, match=r"account other, target.account says embedded"):
        open_client(key="pat.other.x.secret").check_scope()
    with pytest.raises(KeyRefusedError, match="does not take the key for the account other"):
        open_client(key="pat.other.x.secret", account="other").check_scope()


def test_a_wrong_key_is_refused_and_never_shown(open_client):
    with pytest.raises(KeyRefusedError) as caught:
        open_client(key="pat.embedded.sandbox.wrongwrong").check_scope()
    assert "wrongwrong" not in str(caught.value)


@pytest.mark.parametrize("status", [400, 404])
def test_a_wrong_project_or_organization_gets_the_nearest_right_name(open_client, status):
    play(open_client(), "config", {"not_found_status": status})
    with pytest.raises(WrongAccountError, match="did you mean sre_staging"):
        open_client(project="sre_stagin").check_scope()
    with pytest.raises(WrongAccountError, match="did you mean default"):
        open_client(org="defalt").check_scope()


def test_another_400_is_not_taken_for_not_there(open_client):
    client = open_client(key="unknown-form", account="nobody")
    client.transport._headers["x-api-key"] = KEY
    with pytest.raises(AnswerError, match="Invalid account"):
        client._check_exists("project", "projects", "sre", client.scope)


# --- errors ---


def test_the_three_shapes_of_an_error_keep_their_words(open_client):
    client = open_client()
    with pytest.raises(AnswerError, match="identifier: Invalid Identifier"):
        client.transport.send("POST", "/ng/api/user-groups", client.scope, {"identifier": "1", "name": "One"})
    body = {"identifier": "a", "name": "A"}
    client.transport.send("POST", "/ng/api/user-groups", client.scope, body)
    with pytest.raises(AnswerError) as duplicate:
        client.transport.send("POST", "/ng/api/user-groups", client.scope, body)
    assert (duplicate.value.status, duplicate.value.code) == (400, "DUPLICATE_FIELD")  # not 409


def test_a_missing_permission_is_named(server):
    reader = start_harness(new_document() | {"read_only_keys": ["pat.embedded.reader.secret"]})
    client = open_project(reader.url, "pat.embedded.reader.secret", "embedded", "default", "sre")
    with pytest.raises(AnswerError, match="core_usergroup_manage"):
        client.transport.send("POST", "/ng/api/user-groups", client.scope, {"identifier": "a", "name": "A"})
    reader.stop()


@pytest.mark.parametrize("kind", ["429", "502_html", "500", "reset", "truncated"])
def test_reading_survives_a_fault(open_client, kind):
    client = open_client()
    play(client, "faults", [{"kind": kind, "path": "/ng/api/user/aggregate", "count": 2}])
    assert len(client.read_people()) == 3
    assert client.transport.counts.retries == 2


@pytest.mark.parametrize("status", [400, 404])
def test_a_group_that_is_not_there_is_none_and_no_error(open_client, status):
    play(open_client(), "config", {"not_found_status": status})
    assert open_client().read_group("none") is None
    assert open_client().read_service("none") is None


def test_without_the_contract_the_rest_is_read(open_client):
    play(open_client(), "config", {"oncall": False})
    state = open_client().read_state()
    assert (state.oncall, len(state.people), state.schedules) == (False, 3, {})
    assert open_client().check_scope().oncall is False


# --- searches and lists ---


def test_a_person_is_found_by_the_address_and_not_by_a_pattern(open_client):
    client = open_client()
    body = {"emails": ["a.n+pager@example.com", "abn+pager@example.com", "xa.n+pager@example.com"]}
    client.transport.send("POST", "/ng/api/user/users", client.scope, body)
    found = client.find_people(["a.n+pager@example.com", "a.n@example.com", "ann@example.com"])
    assert sorted(found) == ["a.n+pager@example.com", "ann@example.com"]
    assert (found["ann@example.com"].accepted, found["a.n+pager@example.com"].accepted) == (True, False)


def test_many_people_are_found_by_reading_the_lists(open_client):
    client = open_client()
    assert sorted(client.find_people([f"p{n}@example.com" for n in range(50)] + ["bob@example.com"])) == [
        "bob@example.com"
    ]


def test_all_pages_are_read(open_client):
    client = open_client()
    for start in (0, 100, 200):
        emails = [f"p{start + n:03}@example.com" for n in range(100)]
        client.transport.send("POST", "/ng/api/user/users", client.scope, {"emails": emails})
    assert len(client.read_people()) == 303


def test_a_list_that_loses_rows_while_it_is_read_is_an_error(open_client):
    client = open_client()
    pages = client._read_pages
    client._read_pages = lambda *asked: (dict(list(pages(*asked)[0].items())[:-1]), 3)
    with pytest.raises(IncompleteFetchError, match="said 3 rows and gave 2"):
        client._list_ng("POST", "/ng/api/user/aggregate")
