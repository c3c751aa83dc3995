"""The door of the on-call contract: whatever answers there that is not the contract means that there is no such API."""

import pytest
import requests
from flask import Flask, request

from pdmigrate import conflicts, connect, load, preview
from pdmigrate.errors import AnswerError, KeyRefusedError, TargetMovedError, UnreachableError
from pdmigrate.harness.pacing import Limits, Quota
from pdmigrate.harness.project import open_project
from pdmigrate.pages import look
from pdmigrate.plan.kinds import CONTRACT_KINDS
from pdmigrate.sandbox.harness import new_document, start_harness
from pdmigrate.sandbox.harness_doors import DOORS
from pdmigrate.sandbox.server import serve
from pdmigrate.wire.transport import Patience

KEY = "pat.embedded.sandbox.secret"
CONTRACT = "/pdmigrate-oncall/"
SAID = {
    "404_html": "404",
    "404": "404 RESOURCE_NOT_FOUND_EXCEPTION",
    "400": "400 INVALID_REQUEST",
    "401": "401, although the key is taken elsewhere",
    "401_code": "401 USER_DISABLED",
    "401_html": "401, although the key is taken elsewhere",
    "403": "403 NG_ACCESS_DENIED",
    "405": "405 RESOURCE_NOT_FOUND_EXCEPTION",
    "200_html": "a page that is no JSON",
    "302_login": "302",
    "empty": "an empty answer",
    "204": "an empty answer",
    "other_json": "JSON of another shape",
    "other_list": "JSON of another shape",
    "true_version": "JSON of another shape",
    "other_version": "version 2 of the contract, and this pdmigrate speaks 1",
    "fewer_kinds": "the contract without alert_rules, contact_details, escalation_policies, notification_rules, services",
}


class LoginPage:
    """Another server, where redirects lead: it remembers who came."""

    def __init__(self):
        self.came = []
        app = Flask("login")
        app.add_url_rule("/<path:path>", "all", self.answer)
        self.server = serve(app)

    def answer(self, path):
        self.came.append(dict(request.headers))
        return "<html>Sign in</html>"


@pytest.fixture(scope="module")
def login():
    page = LoginPage()
    yield page
    page.server.stop()


@pytest.fixture(scope="module")
def server():
    server = start_harness(new_document(people=[{"email": "ann@example.com"}]))
    yield server
    server.stop()


@pytest.fixture
def client(server):
    with server.app.config["STORE"].change() as document:
        document["config"] = {}
    server.app.config.update(FAULTS=[], CALLS={}, REVOKED=set())
    client = open_project(server.url, KEY, "embedded", "default", "sre", Quota(Limits(1000, 1000)))
    client.transport._sleep = lambda seconds: None
    client.transport.patience = Patience(tries=3)
    return client


def switch(base_url, **config):
    requests.post(f"{base_url}/sandbox/config", json=config, timeout=600).raise_for_status()


def play(client, *rules):
    requests.post(f"{client.transport.base_url}/sandbox/faults", json=list(rules), timeout=600).raise_for_status()


def watch(server):
    """What is asked of a server from now on: (path, query, headers)."""
    asked = []

    def note():
        asked.append((request.path, request.args.to_dict(), dict(request.headers)))

    server.app.before_request_funcs.setdefault(None, []).insert(0, note)
    return asked


def test_every_manner_is_here():
    assert SAID.keys() == DOORS.keys()


@pytest.mark.parametrize("door", DOORS)
def test_what_is_not_the_contract_means_no_api_and_is_told(client, login, door):
    switch(client.transport.base_url, oncall=False, door=door, login_page=f"{login.server.url}/signin?token=t")
    found = client.check_scope()
    assert (found.oncall, found.door) == (False, SAID[door])
    assert client.transport.counts.retries == 0, "a door that is not there is not knocked at again and again"
    state = client.read_state()
    assert (state.oncall, state.schedules, list(state.people)) == (False, {}, ["ann@example.com"])
    assert not login.came, "the key goes after no redirect"


@pytest.mark.parametrize("door", ["401_code", "302_login", "other_version", "200_html"])
def test_a_whole_draft_with_such_a_door_is_a_handover(small, login, door):
    switch(small.target.transport.base_url, oncall=False, door=door, login_page=f"{login.server.url}/signin?token=t")
    access = connect(small)
    assert not access.oncall
    assert SAID[door] in repr(look(access, "checks"))
    preview(small)
    decided = conflicts(small)
    verbs = {a.verb for a in decided.plan.actions if a.kind in CONTRACT_KINDS}
    assert verbs == {"handover"}
    assert "create" in {a.verb for a in decided.plan.actions if a.kind in ("teams", "users", "services")}
    assert not login.came


def test_the_contract_is_known_by_its_shape(client):
    found = client.check_scope()
    assert (found.oncall, found.door) == (True, "")


def test_every_request_names_the_account_in_query_and_header(client, server):
    asked = watch(server)
    client.check_scope()
    client.read_state()
    assert {path for path, _, _ in asked if CONTRACT in path}
    for path, query, headers in asked:
        assert (query["accountIdentifier"], headers["Harness-Account"]) == ("embedded", "embedded"), path


@pytest.mark.parametrize("kind", ["500", "502_html", "reset", "truncated"])
def test_a_failure_of_the_server_is_no_missing_api(client, kind):
    play(client, {"kind": kind, "path": CONTRACT})
    with pytest.raises(UnreachableError):
        client.ask_door()
    play(client, {"kind": kind, "path": CONTRACT, "count": 2})
    assert not client.ask_door(), "and one that passes is survived"


def test_no_answer_in_time_is_no_missing_api(client):
    client.transport.timeout = 0.2
    play(client, {"kind": "slow", "path": CONTRACT, "seconds": 2})
    with pytest.raises(UnreachableError, match="no answer in time"):
        client.ask_door()


def test_a_key_that_is_taken_nowhere_is_refused_at_the_door_too(client):
    play(client, {"kind": "key_revoked", "path": CONTRACT, "count": 1})
    with pytest.raises(KeyRefusedError):
        client.ask_door()


def test_a_401_with_a_code_of_its_own_is_the_sides_own_words(client):
    play(client, {"kind": "401_code", "path": "/ng/api/user/currentUser"})
    with pytest.raises(AnswerError, match="401 USER_DOMAIN_NOT_ALLOWED: User Domain Not Allowed"):
        client.check_scope()


def test_a_redirect_of_another_path_says_where_it_leads(client, login):
    switch(client.transport.base_url, door="302_login", login_page=f"{login.server.url}/signin?token=planted")
    with pytest.raises(AnswerError, match=r"sends on to 127\.0\.0\.1:[0-9]+/signin") as caught:
        client.transport.send("GET", "/ng/api/nowhere", client.scope)
    assert "planted" not in str(caught.value)
    assert not login.came


def test_a_door_that_closes_after_connect_is_no_handover(small):
    connect(small)
    switch(small.target.transport.base_url, oncall=False, door="302_login")
    with pytest.raises(TargetMovedError, match="run connect again"):
        preview(small)
    connect(small)
    preview(small)


def test_what_was_loaded_by_api_is_not_handed_over_because_of_a_login_page(small):
    conflicts(small)
    load(small, "all")
    switch(small.target.transport.base_url, oncall=False, door="302_login")
    connect(small)
    preview(small)
    assert any("does not speak the on-call contract now" in sentence for sentence in conflicts(small).refusals)
