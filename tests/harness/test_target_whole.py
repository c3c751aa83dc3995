"""Harness's lists are whole, or an error that says what was wrong with them; redirects are refused with the address."""

import pytest
from harness_http import KEY, empty_target

from pdmigrate.errors import AnswerError, IncompleteFetchError
from pdmigrate.harness.pacing import Limits, Quota
from pdmigrate.harness.project import open_project
from pdmigrate.sandbox.gate import replace_faults
from pdmigrate.sandbox.harness import new_document, start_harness
from pdmigrate.sandbox.pagerduty import start_pagerduty
from pdmigrate.wire.transport import Transport

NG = ("/ng/api/user/aggregate", "/ng/api/invites/aggregate", "/ng/api/user-groups", "/ng/api/servicesV2")
CONTRACT = "/pdmigrate-oncall/v1/accounts/embedded/orgs/default/projects/sre"


@pytest.fixture(scope="module")
def server():
    server = start_harness(new_document(), api_key=KEY)
    yield server
    server.stop()


@pytest.fixture
def project(server):
    empty_target(server)
    client = open_project(server.url, KEY, "embedded", "default", "sre", Quota(Limits(1000, 1000)))
    client.transport._sleep = lambda seconds: None
    return client


@pytest.mark.parametrize("path", NG)
@pytest.mark.parametrize(
    "kind, words",
    [
        ("totals_more", r"said \d+ rows and gave \d+ each of 3 times"),
        ("without_rows", r"is no page of a list \(content missing\)"),
    ],
)
def test_a_list_that_is_not_whole_is_an_error(server, project, path, kind, words):
    replace_faults(server.app, [{"kind": kind, "path": path}])
    with pytest.raises(IncompleteFetchError, match=rf"{path} {words}"):
        project.read_state()


@pytest.mark.parametrize("kind", ["half", "row_twice", "more_of_nothing"])
def test_people_are_never_half_of_them(server, project, kind):
    replace_faults(server.app, [{"kind": kind, "path": "/ng/api/user/aggregate"}])
    with pytest.raises(IncompleteFetchError, match=r"user/aggregate said 3 rows and gave [012] each"):
        project.read_people()
    replace_faults(server.app, [{"kind": kind, "path": "/ng/api/user/aggregate", "count": 1}])
    assert len(project.read_people()) == 3


def test_a_list_of_more_rows_than_it_counts_is_read_again(server, project):
    """Which of both is true nobody knows: there may be more behind them."""
    replace_faults(server.app, [{"kind": "totals_less", "path": "/ng/api/user/aggregate"}])
    with pytest.raises(IncompleteFetchError, match="user/aggregate said 2 rows and gave 3 each of 3 times"):
        project.read_people()
    replace_faults(server.app, [{"kind": "totals_less", "path": "/ng/api/user/aggregate", "count": 2}])
    assert len(project.read_people()) == 3


@pytest.mark.parametrize(
    "kind, words", [("totals_more", "said 1 rows and gave 0"), ("without_rows", "content missing")]
)
@pytest.mark.parametrize("path", ["/schedules", "/escalation-policies", "/services", "/alert-rules"])
def test_a_list_of_the_contract_is_whole_too(server, project, path, kind, words):
    replace_faults(server.app, [{"kind": kind, "path": CONTRACT + path}])
    with pytest.raises(IncompleteFetchError, match=rf"{path} .*{words}"):
        project.read_state()


@pytest.mark.parametrize(
    "body", [None, [], "no", {"data": None}, {"data": {"content": {}}}, {"data": {"content": [{}]}}]
)
def test_an_answer_of_another_shape_is_one_line(project, monkeypatch, body):
    monkeypatch.setattr(project.transport, "send", lambda *given, **more: body)
    with pytest.raises(IncompleteFetchError, match=r"Harness's answer to /ng/api/\S+ ") as caught:
        project.read_people()
    assert "\n" not in str(caught.value)


def test_a_row_of_another_shape_is_one_line(project, monkeypatch):
    page = {"data": {"content": [{"uuid": "u1"}], "totalPages": 1, "totalItems": 1}}
    monkeypatch.setattr(project.transport, "send", lambda *given, **more: page)
    with pytest.raises(IncompleteFetchError, match=r"another shape than is documented \((email|user)\)"):
        project.read_people()


@pytest.mark.parametrize("code", [301, 302, 307, 308])
def test_a_redirect_is_refused_with_the_address_and_without_its_query(server, project, code):
    replace_faults(server.app, [{"kind": str(code), "path": "/ng/api/user/currentUser"}])
    with pytest.raises(AnswerError, match=rf"{code}: it sends on to login\.example\.com/in, where the key") as caught:
        project.check_scope()
    assert "4711" not in str(caught.value)


@pytest.mark.parametrize("code", [301, 302, 307, 308])
def test_pagerduty_sends_the_key_nowhere_either(code):
    source = start_pagerduty({"subdomain": "acme"})
    replace_faults(source.app, [{"kind": str(code), "path": "/"}])
    with pytest.raises(AnswerError, match=rf"{code}: it sends on to login\.example\.com/in, where the key"):
        Transport("PagerDuty", source.url, {}).send("GET", "/abilities")
    source.stop()
