"""Invitations: paced, in batches, each mail once, whatever happens on the way."""

import json

import pytest
import requests

from pdmigrate import conflicts, decide, load, open_job, preview
from pdmigrate.harness.pacing import Limits, Quota
from pdmigrate.harness.project import open_project
from pdmigrate.plan.actions import Action
from pdmigrate.sandbox.harness import new_document, start_harness
from pdmigrate.steps.job import read_times
from pdmigrate.steps.writing import batch_invites
from pdmigrate.workspace.folder import write_json
from pdmigrate.workspace.settings import make_workspace

PEOPLE = 1200
KEY = "pat.embedded.sandbox.secret"


class Killed(BaseException):
    """What a SIGKILL is to the code: nothing after it runs."""


class Clock:
    """One time for the pace and for the embedded Harness; sleeping moves it on."""

    def __init__(self):
        self.now, self.slept = 1_790_000_000.0, []

    def read(self):
        self.now += 0.01
        return self.now

    def sleep(self, seconds):
        self.slept.append(seconds)
        self.now += seconds


def make_crowd(folder):
    """A company of 1,200 people whom Harness does not know, decided to be invited."""
    users = [
        {"id": f"PU{n:05}", "type": "user", "name": f"Person {n}", "email": f"Person{n}@Acme.example"}
        for n in range(PEOPLE)
    ]
    make_workspace(folder, {"name": "crowd", "source": "snapshot", "snapshot": "crowd"})
    (folder / "crowd").mkdir()
    (folder / "crowd" / "users.json").write_text(json.dumps({"users": users}))
    with open_job(folder) as job:
        preview(job)
        decide(job, "user_not_found", "all", "invite", by="test")
        conflicts(job)
    return folder


def run_load(folder, clock, killed_after=None, before_answer=True):
    """One run of load in a job of its own; it dies at its n-th invitation, before or after the request is carried out."""
    with open_job(folder) as job:
        pace, app, sent = job.target.transport.quota, job._servers[-1].app, []
        pace.clock, pace.sleep, app.config["CLOCK"] = clock.read, clock.sleep, clock.read
        send = type(job.target.transport).send

        def send_or_die(method, path, *args, **more):
            answer = send(job.target.transport, method, path, *args, **more)
            sent.extend([path] * (path == "/ng/api/user/users"))
            if killed_after is not None and len(sent) == killed_after:
                raise Killed
            return answer

        job.target.transport.send = send_or_die
        retries = 0
        try:
            retries = load(job, "all").retries
        except Killed:
            pass
        log = requests.get(job.target.transport.base_url + "/sandbox/log", timeout=600).json()
        calls = [write for write in log["writes"] if write["path"] == "/ng/api/user/users"]
        return len(calls), log["mails"], retries


def test_1200_people_are_12_calls_and_no_429(tmp_path):
    clock = Clock()
    calls, mails, retries = run_load(make_crowd(tmp_path / "crowd"), clock)
    assert (calls, retries, len(mails), set(mails.values())) == (12, 0, PEOPLE, {1})
    assert 40 < sum(clock.slept) < 62  # ten at once, the other two when the minute is over


def test_a_killed_run_goes_on_and_nobody_gets_two_mails(tmp_path):
    folder, clock = make_crowd(tmp_path / "crowd"), Clock()
    assert run_load(folder, clock, killed_after=1)[0] == 1
    assert run_load(folder, clock, killed_after=10)[0] == 11
    calls, mails, retries = run_load(folder, clock)
    assert (calls, retries, len(mails), set(mails.values())) == (12, 0, PEOPLE, {1})
    assert 40 < sum(clock.slept) < 62  # the killed runs' calls counted: eleven in a minute are too many


# --- one call, and what it may answer ---


@pytest.fixture(scope="module")
def server():
    server = start_harness(new_document(people=[{"email": "ann@example.com", "name": "Ann"}]))
    yield server
    server.stop()


@pytest.fixture
def harness(server):
    with server.app.config["STORE"].change() as document:
        document.clear()
        document.update(new_document(people=[{"email": "ann@example.com", "name": "Ann"}]))
    server.app.config.update(FAULTS=[], CALLS={})
    client = open_project(server.url, KEY, "embedded", "default", "sre", Quota(Limits(1000, 1000)))
    client.transport._sleep = lambda seconds: None
    return client


def play(harness, path, body):
    requests.post(f"{harness.transport.base_url}/sandbox/{path}", json=body, timeout=600).raise_for_status()


def read_mails(harness):
    return requests.get(f"{harness.transport.base_url}/sandbox/log", timeout=600).json()["mails"]


def invite(harness, actions):
    fields = actions[0].after
    return harness.invite_people([action.identifier for action in actions], fields["groups"], fields["roles"])


def wish(*emails, groups=(), roles=()):
    fields = {"groups": list(groups), "roles": list(roles)}
    return tuple(Action("create", "users", e, e, e, None, {"email": e, **fields}) for e in emails)


def test_each_address_has_its_word_and_one_that_is_left_out_is_looked_up(harness):
    play(harness, "config", {"failing_emails": ["bad@example.com"], "unanswered_emails": ["mute+a.b@example.com"]})
    words = invite(harness, wish("ann@example.com", "new@example.com", "bad@example.com", "mute+a.b@example.com"))
    assert words == {
        "ann@example.com": "",
        "new@example.com": "",
        "bad@example.com": "Harness says FAIL",
        "mute+a.b@example.com": "",
    }


def test_a_lost_answer_is_settled_by_looking(harness):
    play(harness, "faults", [{"kind": "lost_answer", "path": "/ng/api/user/users", "count": 1}])
    assert invite(harness, wish("a@example.com", "b@example.com")) == {"a@example.com": "", "b@example.com": ""}
    assert read_mails(harness) == {"a@example.com": 1, "b@example.com": 1}


@pytest.mark.parametrize("kind", ["500", "502_html", "reset"])
def test_what_was_not_carried_out_is_said_and_not_sent_again(harness, kind):
    play(harness, "faults", [{"kind": kind, "path": "/ng/api/user/users", "count": 1}])
    assert "run load again" in invite(harness, wish("a@example.com"))["a@example.com"]
    assert read_mails(harness) == {}


def test_an_address_that_harness_refuses_does_not_spoil_the_others(harness):
    words = invite(harness, wish("a@example.com", "b ad@example.com", "c@example.com"))
    assert (words["a@example.com"], words["c@example.com"]) == ("", "")
    assert "Invalid email" in words["b ad@example.com"]
    assert read_mails(harness) == {"a@example.com": 1, "c@example.com": 1}


def count_calls(harness):
    """How often an invitation is sent from now on."""
    calls, send = [], harness.transport.send

    def send_and_count(method, path, *args, **more):
        calls.extend([path] * (path == "/ng/api/user/users"))
        return send(method, path, *args, **more)

    harness.transport.send = send_and_count
    return calls


def test_an_address_that_is_refused_without_being_named_is_found(harness):
    """A 401 with a code of its own: the address's domain is not allowed, the key is good."""
    play(harness, "config", {"unwelcome_emails": ["p07@example.com"]})
    calls, emails = count_calls(harness), [f"p{n:02}@example.com" for n in range(12)]
    words = invite(harness, wish(*emails))
    assert {email for email, word in words.items() if word} == {"p07@example.com"}
    assert "401 USER_DOMAIN_NOT_ALLOWED" in words["p07@example.com"]
    assert read_mails(harness) == dict.fromkeys(set(emails) - {"p07@example.com"}, 1)
    assert len(calls) <= 9


def test_a_refusal_that_is_about_no_address_is_not_looked_for_in_each(harness):
    play(harness, "faults", [{"kind": "401_code", "path": "/ng/api/user/users"}])
    calls, emails = count_calls(harness), [f"p{n:02}@example.com" for n in range(100)]
    words = invite(harness, wish(*emails))
    assert list(words) == emails
    assert all("USER_DOMAIN_NOT_ALLOWED" in word for word in words.values())
    assert len(calls) < 20


def test_a_pending_person_joins_groups_by_the_invitation_only(harness):
    body = {"identifier": "pay", "name": "Pay"}
    harness.transport.send("POST", "/ng/api/user-groups", harness.scope, body)
    invite(harness, wish("new@example.com", groups=["pay"]))
    assert harness.read_people()["new@example.com"].uuid is None
    play(harness, "accept", {"emails": ["new@example.com"]})
    assert harness.read_group("pay")["users"] == [harness.read_people()["new@example.com"].uuid]


def test_roles_are_bound_only_where_they_were_asked_for(harness):
    assert invite(harness, wish("a@example.com"))["a@example.com"] == ""
    assert invite(harness, wish("b@example.com", roles=["_project_viewer"]))["b@example.com"] == ""
    rows = harness._list_ng("GET", "/ng/api/invites")
    assert {row["email"]: [b["roleIdentifier"] for b in row["roleBindings"]] for row in rows} == {
        "a@example.com": [],
        "b@example.com": ["_project_viewer"],
    }


def test_batches_hold_people_of_the_same_groups_and_roles_only():
    crowd = [*wish(*(f"p{n}@example.com" for n in range(150)), groups=["a"]), *wish("x@example.com", groups=["b"])]
    assert [len(batch) for batch in batch_invites(crowd)] == [100, 50, 1]
    assert len(batch_invites([*wish("a@e.com"), *wish("b@e.com", roles=["r"])])) == 2


def test_the_pace_survives_a_damaged_memory(tmp_path):
    memory = tmp_path / "pace.json"
    memory.write_text("{broken")
    clock = Clock()
    pace = Quota(
        Limits(calls=3, invites=1),
        read_times(memory),
        lambda times: write_json(memory, times),
        clock.read,
        clock.sleep,
    )
    for _ in range(2):
        pace.wait("POST", "/ng/api/user/users")
    assert sum(clock.slept) == pytest.approx(61, abs=1)
    assert len(json.loads(memory.read_text())) == 1
