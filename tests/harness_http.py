"""A plain client of the embedded Harness, for the tests of its public API: no patience, no opinions."""

import requests

from pdmigrate.sandbox.harness import new_document

PEOPLE = [
    {"uuid": f"uuid_{name}", "name": name.title(), "email": f"{name}@example.com"} for name in ("ann", "bob", "cat")
]
PROJECT = {"orgIdentifier": "default", "projectIdentifier": "sre"}
KEY = "pat.embedded.sandbox.secret"


def empty_target(server):
    """One server serves a whole file, since a server takes a second to stop; each test finds an empty target."""
    with server.app.config["STORE"].change() as document:
        document.clear()
        document.update(new_document(people=PEOPLE))
    server.app.config.update(REVOKED=set(), CALLS={}, FAULTS=[])
    server.app.config["LOG"].clear()


class Client:
    """Speaks to one server, with a clock that only the test moves."""

    def __init__(self, server):
        self.server, self.time = server, 1_780_000_000.0
        server.app.config["CLOCK"] = lambda: self.time
        self.key, self.scope = KEY, PROJECT

    def call(self, method, path, json=None, headers=None, **query):
        asked = {"accountIdentifier": "embedded"} | self.scope | query
        headers = {"x-api-key": self.key} | (headers or {})
        return requests.request(method, self.server.url + path, params=asked, json=json, headers=headers, timeout=600)

    def data(self, method, path, json=None, **query):
        answer = self.call(method, path, json, **query)
        assert answer.status_code == 200, answer.text
        return answer.json()["data"]

    def refusal(self, method, path, json=None, **query):
        answer = self.call(method, path, json, **query)
        return answer.status_code, answer.json()["status"], answer.json()["code"]

    def sandbox(self, path, json):
        answer = requests.post(f"{self.server.url}/sandbox/{path}", json=json, timeout=600)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def log(self):
        return requests.get(self.server.url + "/sandbox/log", timeout=600).json()

    def invite(self, *emails, **more):
        return self.data("POST", "/ng/api/user/users", {"emails": list(emails)} | more)["addUserResponseMap"]

    def group(self, identifier="payments", **fields):
        body = {"identifier": identifier, "name": "Payments"} | fields
        return self.data("POST", "/ng/api/user-groups", body)
