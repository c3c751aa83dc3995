"""What a client that believes the obvious would get wrong about Harness: row by row of the facts, and the test for each.

| Fact | A client would believe | Test |
|---|---|---|
| paths with and without `/gateway`, vanity hosts, clusters | one form of address | test_target_client: both_kinds_of_key_connect, an_address_is_taken_as_people_type_it |
| a service account's key is no user | currentUser tells a good key | test_target_client: both_kinds_of_key_connect |
| account, org, project are checked apart | 404 says what is wrong | test_target_client: a_wrong_project_or_organization_gets_the_nearest_right_name |
| not there is 400 or 404 | 404 only | test_target_client: a_group_that_is_not_there_is_none; another_400_is_not_taken_for_not_there |
| three shapes of errors, HTML besides | one shape, JSON | test_target_client: the_three_shapes_of_an_error, a_missing_permission_is_named, reading_survives_a_fault |
| a duplicate identifier is 400 | 409 | test_target_groups: a_group_is_made_once, a_group_of_that_identifier_made_by_others |
| 429 has no Retry-After | wait as told | here: the_limit_of_calls_is_kept_by_us; test_target_client: reading_survives_a_fault |
| 10 invitation calls a minute | as fast as it goes | test_target_invites: 1200_people_are_12_calls; test_kill_invites |
| pages of 100, other words for services | one page holds all | here: long_lists_of_groups_and_services_are_read_whole; test_target_client: all_pages_are_read |
| rows move while they are read | a page is a page | test_target_client: a_list_that_loses_rows |
| the search term is a regular expression | a text | test_target_client: a_person_is_found_by_the_address_and_not_by_a_pattern |
| one bad address spoils the call | the others go through | test_target_invites: an_address_that_harness_refuses; test_target_people: a_bad_address_is_found_before_the_call |
| 100 addresses a call | all at once | test_target_invites: batches_hold_people_of_the_same_groups_and_roles_only |
| an invitation sent again mails again | it is idempotent | test_target_invites: a_lost_answer_is_settled_by_looking; test_kill_invites |
| six result words, and an absent address | 200 is success | here: each_word_of_an_invitation; test_target_invites: each_address_has_its_word |
| an account may accept by itself | invited is pending | here: a_person_who_is_accepted_at_once_is_in_the_group |
| addresses are compared as sent | whatever the case | test_mapping_people: people_are_found_by_email_whatever_its_case; test_target_people: two_users_of_one_address_get_one_mail |
| a pending person has no id | put into groups later | test_target_invites: a_pending_person_joins_groups_by_the_invitation_only |
| setting a user's groups takes him out of others | it adds | here: a_whole_load_uses_no_call_that_replaces_or_deletes |
| PUT of a group replaces it | it merges | test_target_groups: what_others_added_survives_our_put |
| unknown members vanish in silence | an error | test_target_groups: a_member_who_is_dropped_in_silence_is_said |
| groups managed elsewhere, or built in | writable | here: a_built_in_group_is_not_touched; test_target_groups: a_group_that_is_managed_elsewhere |
| names, identifiers, descriptions are limited | any text | here: harness_takes_the_names_that_we_make; test_target_identifiers |
| a denied write looks like success | 200 is success | test_target_groups: a_write_that_a_policy_denies |
| PUT of a service replaces its definition | it merges | test_target_groups: a_renamed_service_keeps_its_definition |
| no route of Harness's own for on-call | it is there | test_target_client: without_the_contract_the_rest_is_read; test_handover |
| an alert whose service has no rule pages nobody | it pages | test_target_oncall: every_service_gets_an_alert_rule; test_mapping_services: neither_rule_nor_webhook |
| the stand-in itself | | test_sandbox_harness, test_sandbox_harness_groups, test_sandbox_harness_oncall |

Not met by a migration: combined filters and search terms, single-member calls, SSO links, resending of invitations,
`/v1` paging, bodies of more than 500,000 characters, AI SRE's incidents and alerts.
"""

import re
import threading
from pathlib import Path

import pytest
import requests

from pdmigrate import conflicts, load, preview
from pdmigrate.harness.identifiers import make_identifier, make_name, make_service_name
from pdmigrate.harness.pacing import INVITE_PATH, Limits, Quota
from pdmigrate.harness.project import open_project
from pdmigrate.harness.writers import WriteError
from pdmigrate.mapping.mapped import describe
from pdmigrate.plan.actions import Action
from pdmigrate.sandbox.harness import new_document, start_harness

KEY = "pat.embedded.sandbox.secret"


@pytest.fixture(scope="module")
def server():
    server = start_harness(new_document())
    yield server
    server.stop()


@pytest.fixture
def harness(server):
    with server.app.config["STORE"].change() as document:
        document.clear()
        document.update(new_document(people=[{"email": "ann@example.com", "name": "Ann"}]))
    server.app.config.update(FAULTS=[], CALLS={})
    client = open_project(server.url, KEY, "embedded", "default", "sre", Quota(Limits(10_000, 1000)))
    client.transport._sleep = lambda seconds: None
    return client


def configure(harness, **config):
    requests.post(f"{harness.transport.base_url}/sandbox/config", json=config, timeout=600).raise_for_status()


def make_group(name, id, description="", users=()):
    fields = {"name": make_name(name, id), "description": description, "users": list(users)}
    return Action("create", "teams", id, make_identifier(name, id), name, None, fields)


def make_service(name, id):
    fields = {"name": make_service_name(name, id), "description": ""}
    return Action("create", "services", id, make_identifier(name, id), name, None, fields)


def test_every_test_that_the_table_names_is_there():
    tests = {path.stem: path.read_text() for path in Path(__file__).parents[1].rglob("test_*.py")}
    for line in (line for line in __doc__.splitlines() if line.startswith("| ") and "test_" in line):
        for module, names in re.findall(r"(here|test_\w+): ([\w, ]+)", line.split("|")[3]):
            text = tests[Path(__file__).stem if module == "here" else module]
            for name in re.findall(r"\w+", names):
                assert re.search(rf"def test_\w*{name}", text), f"{module} has no test {name}"


def test_the_limit_of_calls_is_kept_by_us():
    now, slept = [0.0], []

    def sleep(seconds):
        slept.append(seconds)
        now[0] += seconds

    pace = Quota(clock=lambda: now[0], sleep=sleep)
    for _ in range(401):
        pace.wait("GET", "/ng/api/user-groups")
    assert slept == [61.0]  # the 401st of a minute waits it out, and never asks to be told off


def test_other_calls_leave_while_an_invitation_waits_for_its_turn():
    now, behind = [0.0], []

    def sleep(seconds):
        other = threading.Thread(target=pace.wait, args=("GET", "/ng/api/user-groups"), daemon=True)
        other.start()
        other.join(600)
        behind.append(other.is_alive())
        now[0] += seconds

    pace = Quota(Limits(invites=1), clock=lambda: now[0], sleep=sleep)
    for _ in range(2):
        pace.wait("POST", INVITE_PATH)
    assert behind == [False]


def test_a_call_is_counted_when_it_leaves_and_not_while_it_waits_for_a_place(harness):
    """Else a later one could follow it within the minute."""
    happened = []

    class Places:
        __enter__, __exit__ = (lambda self: happened.append("place")), (lambda self, *_: None)

    harness.transport._slots = Places()
    harness.transport.quota = Quota(remember=lambda times: happened.append("turn"))
    harness.invite_people(["new@example.com"], [], [])
    assert happened[:2] == ["place", "turn"]


@pytest.mark.parametrize("hours", [-30, 30])
def test_a_clock_that_jumps_makes_no_call_wait_longer_than_a_minute(hours):
    """Invitations are remembered by the time of day, so that a later process knows of them."""
    now, slept, kept = [1e9], [], []

    def sleep(seconds):
        slept.append(seconds)
        now[0] += seconds

    def remember(times):
        kept[:] = times

    for _ in range(2):
        pace = Quota(sent=kept, remember=remember, clock=lambda: now[0], sleep=sleep)
        for _ in range(10):
            pace.wait("POST", INVITE_PATH)
        now[0] += hours * 3600
    assert sum(slept) == (61.0 if hours < 0 else 0)


def test_long_lists_of_groups_and_services_are_read_whole(harness):
    configure(harness, calls_per_minute=None)
    for number in range(130):
        harness.write_change(make_group(f"Group {number}", f"PT{number}"), {})
        harness.write_change(make_service(f"Service {number}", f"PS{number}"), {})
    state = harness.read_state()
    assert (len(state.services), sum(id.endswith(tuple("0123456789")) for id in state.groups)) == (130, 130)


@pytest.mark.parametrize(
    "word, said",
    [
        ("USER_INVITED_SUCCESSFULLY", ""),
        ("USER_ADDED_SUCCESSFULLY", ""),
        ("USER_ALREADY_ADDED", ""),
        ("USER_ALREADY_INVITED", ""),
        ("USER_INVITE_NOT_REQUIRED", ""),
        ("FAIL", "Harness says FAIL"),
        ("ACCOUNT_INVITE_ACCEPTED_NEED_PASSWORD", "Harness says ACCOUNT_INVITE_ACCEPTED_NEED_PASSWORD"),
    ],
)
def test_each_word_of_an_invitation(harness, word, said):
    send = harness.transport.send

    def answer(*asked, **more):
        found = send(*asked, **more)
        if asked[1] == "/ng/api/user/users":
            found["data"]["addUserResponseMap"] = {"New@Example.com": word}
        return found

    harness.transport.send = answer
    assert harness.invite_people(["new@example.com"], [], []) == {"new@example.com": said}


def test_a_person_who_is_accepted_at_once_is_in_the_group(harness):
    configure(harness, auto_accept=True)
    harness.write_change(make_group("Pay", "PT1"), {})
    assert harness.invite_people(["new@example.com"], ["pay_PT1"], []) == {"new@example.com": ""}
    state = harness.read_state()
    assert state.people["new@example.com"].accepted
    assert state.groups["pay_PT1"].users == ("new@example.com",)


def test_a_built_in_group_is_not_touched(harness, server):
    group = make_group("Pay", "PT1")
    harness.write_change(group, {})
    with server.app.config["STORE"].change() as document:
        document["user_groups"][-1]["harnessManaged"] = True
    with pytest.raises(WriteError, match="managed elsewhere"):
        harness.write_change(group, {})


HOSTILE = (
    "🔥🔥",
    "مناوبة",
    "x" * 300,
    "true",
    "org",
    "Ops/../..",
    "<b>Ops</b>",
    "1st line",
    "$money",
    "ＯＮ－ＣＡＬＬ",
    " ",
)


@pytest.mark.parametrize("make", [make_group, make_service])
def test_harness_takes_the_names_that_we_make(harness, make):
    for number, name in enumerate((*HOSTILE, *(name.upper() for name in HOSTILE))):
        harness.write_change(make(name, f"P{number}"), {})
    described = describe("🔥", "PagerDuty PD", "long " * 1000)
    harness.write_change(make_group("Described", "PD", described), {})
    assert harness.read_group("described_PD")["description"] == described


def test_a_whole_load_uses_no_call_that_replaces_or_deletes(job):
    """Nobody is taken out of a group of somebody else's, no default is changed, nothing is deleted."""
    preview(job)
    conflicts(job)
    load(job, "all")
    log = requests.get(f"{job.target.transport.base_url}/sandbox/log", timeout=600).json()["writes"]
    kinds = {
        (write["method"], re.sub(r"^(/ng/api/[\w-]+(?:/users)?|/pdmigrate-oncall)\b.*", r"\1", write["path"]))
        for write in log
    }
    assert kinds == {
        ("POST", "/ng/api/user/users"),
        ("POST", "/ng/api/user-groups"),
        ("POST", "/ng/api/servicesV2"),
        ("PUT", "/pdmigrate-oncall"),
    }
