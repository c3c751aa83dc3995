"""No page of the web talks to the embedded pair, by whatever name it calls this machine."""

import pytest
import requests

from pdmigrate.sandbox.company import build_company
from pdmigrate.sandbox.harness import build_target, start_harness
from pdmigrate.sandbox.pagerduty import DEFAULT_TOKEN, start_pagerduty
from pdmigrate.steps.job import read_clock


@pytest.fixture(params=["pagerduty", "harness"], scope="module")
def server(request):
    start, made = {
        "pagerduty": (start_pagerduty, lambda: build_company(read_clock())),
        "harness": (start_harness, lambda: build_target({})),
    }[request.param]
    server = start(made())
    yield server
    server.stop()


def ask(server, method="GET", path="/sandbox/log", **headers):
    return requests.request(
        method, server.url + path, headers=headers, json=[] if method == "POST" else None, timeout=600
    )


def test_programs_of_this_machine_are_answered(server):
    port = server.url.rpartition(":")[2]
    assert ask(server).status_code == 200
    assert ask(server, "POST", "/sandbox/faults").status_code == 200
    for host in (f"localhost:{port}", f"127.0.0.1:{port}", f"[::1]:{port}"):
        assert ask(server, Host=host).status_code == 200
        assert ask(server, "POST", "/sandbox/faults", Host=host, Origin=f"http://{host}").status_code == 200


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:{port}", "127.0.0.1", "127.0.0.1:1", "127.0.0.1.evil.example:{port}", ""]
)
def test_another_name_for_this_machine_is_refused(server, host):
    """DNS rebinding: a page whose own name leads here after a while."""
    asked = {"Host": host.format(port=server.url.rpartition(":")[2])}
    for method, path in (("GET", "/sandbox/log"), ("POST", "/sandbox/faults"), ("GET", "/users")):
        answer = ask(server, method, path, Authorization=f"Token token={DEFAULT_TOKEN}", **asked)
        assert answer.status_code in (400, 403)


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://127.0.0.1:1"},
        {"Origin": "http://localhost"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ],
)
def test_a_page_of_another_place_is_refused(server, headers):
    for method, path in (("GET", "/sandbox/log"), ("POST", "/sandbox/faults"), ("GET", "/users")):
        assert ask(server, method, path, **headers).status_code == 403
