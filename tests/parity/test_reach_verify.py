"""Verify names whoever cannot be reached any more, whatever somebody has changed in Harness since the load; so do the pages."""

import json
import shutil
from types import SimpleNamespace

import pytest
from small_company import cut_down, edit

from pdmigrate import conflicts, decide, finish, load, open_job, preview, verify
from pdmigrate.errors import UnexplainedDifferenceError
from pdmigrate.handover.folder import read_items
from pdmigrate.harness.records import State
from pdmigrate.pagerduty.records import User
from pdmigrate.pages import look
from pdmigrate.parity.people import judge_channel
from pdmigrate.runs.demo import make_demo_workspace
from pdmigrate.sandbox.company import build_company
from pdmigrate.sandbox.harness_document import Scope, accept_invites, new_document, new_user
from pdmigrate.sandbox.store import Store
from pdmigrate.steps.job import read_clock
from pdmigrate.workspace.folder import write_json

PLACE = "default/sre"


@pytest.fixture(scope="module")
def loaded(tmp_path_factory):
    """A corner of the company, carried over, and everybody has accepted: its folder, the state, and what verify finds."""
    folder = tmp_path_factory.mktemp("reach") / "acme"
    make_demo_workspace(folder)
    write_json(folder / "sandbox" / "pagerduty.json", cut_down(build_company(read_clock())))
    with open_job(folder) as job:
        preview(job)
        for _ in range(2):
            conflicts(job)
            load(job, "all")
            with edit(job, "harness") as held:
                accept_invites(held)
        verified = verify(job)
        assert verified.unreachable == ()
        assert not verified.unexplained
        return folder, job.target.read_state(), verified


@pytest.fixture
def job(loaded, tmp_path):
    folder = shutil.copytree(loaded[0], tmp_path / "acme")
    with open_job(folder, folder / "reports" / "1") as opened:
        yield opened


@pytest.fixture
def on_call(loaded):
    """The email of somebody who is on call now, and is told of it by email at once."""
    _, state, seen = loaded
    now = {person for s in seen.schedules for _, _, who in s.before.entries[:1] for person in who}
    told = [email for email in sorted(now) if any(m.type == "email" for m in state.rules[email].steps[0].methods)]
    return told[0]


def user_of(held, email):
    return next(row for row in held["users"] if row["email"] == email)


def remove_contacts(held, email):
    del held["oncall"]["contact_details"][email]


def remove_contact(held, email):
    """The one that the first step names; the others stay."""
    first = {(m["type"], m["address"]) for m in held["oncall"]["notification_rules"][email]["steps"][0]["methods"]}
    details = held["oncall"]["contact_details"][email]
    details["methods"] = [m for m in details["methods"] if (m["type"], m["address"]) not in first]


def name_another_address(held, email):
    step = held["oncall"]["notification_rules"][email]["steps"][0]
    step["methods"] = [{"type": "sms", "address": "+12125550199"}]


def wait_longer(held, email):
    held["oncall"]["notification_rules"][email]["steps"][0]["wait_minutes"] += 10


def remove_person(held, email):
    held["users"] = [row for row in held["users"] if row["email"] != email]


PLANTED = {
    "all contacts removed": (remove_contacts, "no contact method in Harness"),
    "the first step's contact removed": (remove_contact, "is not among the contact methods"),
    "another address in the rule": (
        name_another_address,
        "the sms address +12125550199 is not among the contact methods",
    ),
    "disabled": (lambda held, email: user_of(held, email).update(disabled=True), "the account is disabled"),
    "locked": (lambda held, email: user_of(held, email).update(locked=True), "the account is locked"),
    "removed from the account": (remove_person, "no account and no invitation"),
}


@pytest.mark.parametrize("planted", PLANTED)
def test_what_somebody_breaks_in_harness_is_named_with_the_person(job, on_call, planted):
    plant, said = PLANTED[planted]
    email = on_call
    with edit(job, "harness") as held:
        plant(held, email)
    found = verify(job)
    [row] = [row for row in found.unreachable if row.email == email]
    assert said in row.why
    assert row.next_turn == found.since
    assert {r.email for r in found.unreachable} == {email}, "and nobody else"
    assert email in repr(look(found, "unreachable"))


def test_a_first_wait_that_grew_is_named(job, on_call):
    email = on_call
    with edit(job, "harness") as held:
        wait_longer(held, email)
    found = verify(job)
    assert found.unreachable == ()
    [row] = [row for row in found.reach.late if row.email == email]
    assert row.why.startswith("is told 10 minutes later than today")
    assert "is told 10 minutes later than today" in repr(look(found, "reach"))


def test_a_later_step_that_is_gone_is_named(job, loaded):
    """Whoever slept through the first one is not told again."""
    _, state, seen = loaded
    paged = {person for s in seen.schedules for _, _, who in s.before.entries for person in who}
    email = next(p for p in sorted(paged) if p in state.rules and len(state.rules[p].steps) > 1)
    with edit(job, "harness") as held:
        held["oncall"]["notification_rules"][email]["steps"].pop()
    [row] = [one for one in verify(job).doubted if one.email == email]
    assert row.why.startswith("is not told as today: PagerDuty tells by ")


def test_what_somebody_switched_off_and_harness_rings_all_the_same_is_named():
    """A method that is off in PagerDuty, in a later step of the rule in Harness."""
    methods = [
        {"id": "M1", "type": "email_contact_method", "address": "ann@acme.example"},
        {"id": "M2", "type": "phone_contact_method", "address": "2125550101", "country_code": 1, "enabled": False},
    ]
    told = {"email": "ann@acme.example", "phone": "+12125550101"}
    user = User.model_validate({"id": "PU1", "name": "Ann", "email": "ann@acme.example", "contact_methods": methods})
    contacts = [{"type": type, "address": address} for type, address in told.items()]
    steps = [{"methods": [one], "wait_minutes": 5 * at} for at, one in enumerate(contacts)]
    state = State(
        oncall=True,
        contacts={"ann@acme.example": {"email": "ann@acme.example", "methods": contacts}},
        rules={"ann@acme.example": {"email": "ann@acme.example", "steps": steps}},
    )
    mapped = SimpleNamespace(state=state, rules=SimpleNamespace(contact_details=True))
    doubt = judge_channel(mapped, "ann@acme.example", [user])
    assert doubt.late == "is told by phone to +12125550101, which is blocked or switched off in PagerDuty"


def test_a_targeted_group_its_members_and_its_emptying_are_named(job):
    state = job.target.read_state()
    policy = state.policies[sorted(job_policies(job))[0]]
    stranger = new_user("quinn.new@acme.example") | {"scopes": Scope("default", "sre").chain}
    with edit(job, "harness") as held:
        held["users"].append(stranger)
        level = held["oncall"]["escalation_policies"][f"{PLACE}/{policy.identifier}"]["levels"][0]
        level["targets"] = [{"type": "user_group", "id": "platform"}]
        group = next(g for g in held["user_groups"] if g["identifier"] == "platform")
        group["users"] = [stranger["uuid"]]
    said = f"whenever the policy {policy.name!r} reaches level 1"
    [row] = [row for row in verify(job).unreachable if row.email == stranger["email"]]
    assert (row.why, row.schedules) == ("no contact method in Harness", (said,))
    with edit(job, "harness") as held:
        next(g for g in held["user_groups"] if g["identifier"] == "platform")["users"] = []
    found = verify(job)
    [row] = [row for row in found.unreachable if row.email == "user group Platform"]
    assert (row.why, row.schedules, row.next_turn) == ("the group has no members", (said,), found.since)


def job_policies(job):
    return set(conflicts(job).draft.mapped.policies.values())


# --- people whom a policy names directly, and who have no channel ---


def write_account(folder, users, targets, on_call):
    """One policy with these people as targets of a level each, then a schedule with one person; one team, one service."""
    folder.mkdir()
    levels = [{"id": u, "type": "user_reference"} for u in targets] + [{"id": "PS", "type": "schedule_reference"}]
    layer = {"id": "PL", "name": "Layer 1", "start": "2025-01-06T09:00:00Z", "rotation_turn_length_seconds": 604_800}
    layer |= {"rotation_virtual_start": "2025-01-06T09:00:00Z", "users": [{"user": {"id": on_call, "type": "user"}}]}
    team = [{"id": "PT", "type": "team_reference"}]
    rules = [{"id": f"PR{n}", "escalation_delay_in_minutes": 30, "targets": [t]} for n, t in enumerate(levels)]
    rows = {
        "users": users,
        "teams": [{"id": "PT", "name": "Engineering"}],
        "schedules": [{"id": "PS", "name": "Rota", "time_zone": "Europe/London", "teams": team}],
        "escalation_policies": [{"id": "PE", "name": "Main", "num_loops": 0, "escalation_rules": rules, "teams": team}],
        "services": [{"id": "PV", "name": "Checkout", "status": "active", "teams": team}],
    }
    rows["schedules"][0]["schedule_layers"] = [layer | {"restrictions": []}]
    rows["schedules"][0]["overrides_subschedule"] = {"name": "Overrides", "rendered_schedule_entries": []}
    rows["services"][0] |= {"escalation_policy": {"id": "PE", "type": "escalation_policy_reference"}}
    rows["services"][0] |= {"incident_urgency_rule": {"type": "constant", "urgency": "high"}}
    for name, found in rows.items():
        (folder / f"{name}.json").write_text(json.dumps({name: found, "more": False}))
    members = [{"user": {"id": u["id"], "type": "user_reference"}, "role": "manager"} for u in users]
    (folder / "team_members.json").write_text(json.dumps({"PT": {"members": members, "more": False}}))


def person(id, name, *methods, rules=()):
    email = f"{name.split()[0].lower()}@example.com"
    return {"id": id, "name": name, "email": email, "contact_methods": list(methods), "notification_rules": list(rules)}


def make_workspace(folder, users, targets, on_call, *accounts, rules=""):
    """accounts: who has one in Harness, with the flags of it."""
    folder.mkdir()
    write_account(folder / "account", users, targets, on_call)
    lines = ["name: few", "source: {kind: snapshot, snapshot: account}", "target: {kind: embedded}"]
    lines.append(f"rules: {{open_conflicts: recommended{rules}}}")
    (folder / "migration.yaml").write_text("\n".join(lines) + "\n")
    document = new_document()
    chain = Scope("default", "sre").chain
    document["users"] = [new_user(email) | {"scopes": chain} | flags for email, flags in accounts]
    (folder / "sandbox").mkdir()
    write_json(folder / "sandbox" / "harness.json", document)
    return folder


def migrate(folder, oncall=True):
    """One run with its pages; returns what verify found and the run's folder."""
    reports = folder / "reports" / "1"
    with open_job(folder, reports) as job:
        with Store(folder / "sandbox" / "harness.json", dict).change() as held:
            held["config"]["oncall"] = oncall
        if not oncall:
            decide(job, "no_way_to_page", "all", "rule_by_hand", by="ann")
        for result in (preview(job), conflicts(job), load(job, "all")):
            finish(job, result)
        verified = verify(job)
        try:
            finish(job, verified)
        except UnexplainedDifferenceError:
            pytest.fail("naming somebody is no unexplained difference")
    return verified, reports


EVERYBODY = (person("PU1", "Ann Lee"), person("PU2", "Ben Roy"), person("PU3", "Cat Mo"))


def read_pages(reports):
    team = next(reports.glob("team-*.html"))
    return (reports / "verify.html").read_text(), team.read_text()


def test_direct_targets_and_a_locked_person_on_call_are_named_everywhere(tmp_path):
    """Ann, disabled, is the only target of level 1; Ben, of level 2, is only invited; Cat, locked, is on call."""
    folder = make_workspace(
        tmp_path / "w",
        EVERYBODY,
        ["PU1", "PU2"],
        "PU3",
        ("ann@example.com", {"disabled": True}),
        ("cat@example.com", {"locked": True}),
    )
    verified, reports = migrate(folder)
    found = {row.email.partition("@")[0]: row for row in verified.unreachable}
    assert {name: row.why.partition(";")[0] for name, row in found.items()} == {
        "ann": "the account is disabled",
        "ben": "invited, not accepted yet",
        "cat": "the account is locked",
    }
    assert found["ann"].schedules == ("whenever the policy 'Main' reaches level 1",)
    assert found["ben"].schedules == ("whenever the policy 'Main' reaches level 2",)
    assert {row.next_turn for row in found.values()} == {verified.since}
    for page in read_pages(reports):
        assert all(words in page for words in ("ann@example.com", "ben@example.com", "cat@example.com", "disabled"))
    letters = {path.stem: path.read_text() for path in (reports / "handover" / "people").iterdir()}
    assert "now the account is disabled" in letters["PU1"]
    assert "Accept the invitation" in letters["PU2"]
    assert "now the account is locked" in letters["PU3"]


BLOCKED = {"id": "PC1", "type": "sms_contact_method", "address": "2125550101", "country_code": 1, "blacklisted": True}
MAIL = {"id": "PC2", "type": "email_contact_method", "address": "cat@example.com"}
AT_ONCE = {"id": "PN2", "urgency": "high", "start_delay_in_minutes": 0, "contact_method": {"id": "PC2"}}


def make_few(tmp_path, **more):
    """Ann has no contact method, Ben only a blocked one, Cat is reached by email; all have accounts."""
    users = (
        person("PU1", "Ann Lee"),
        person("PU2", "Ben Roy", BLOCKED),
        person("PU3", "Cat Mo", MAIL, rules=[AT_ONCE]),
    )
    accounts = [(user["email"], {}) for user in users]
    return make_workspace(tmp_path / "w", users, ["PU1", "PU2"], "PU3", *accounts, **more)


def test_no_channel_and_only_a_blocked_one_are_named_everywhere(tmp_path):
    verified, reports = migrate(make_few(tmp_path))
    assert {row.email: row.why for row in verified.unreachable} == {
        "ann@example.com": "no contact method in Harness, and none in PagerDuty",
        "ben@example.com": "no contact method in Harness: PagerDuty has 1, blocked or switched off there",
    }
    assert verified.doubted == ()
    for page in read_pages(reports):
        assert "PagerDuty has 1, blocked or switched off there" in page
    letters = {path.stem: path.read_text() for path in (reports / "handover" / "people").iterdir()}
    assert letters.keys() == {"PU1", "PU2"}
    assert "Enter a contact method of yours" in letters["PU1"]
    assert "blocked or switched off there" in letters["PU2"]
    with open_job(tmp_path / "w") as job:
        keys = {item.key for item in read_items(job.workspace)}
    assert keys == {"reach:PU1/channel", "reach:PU2/channel", "event_rules:unread"}


def test_without_an_api_channels_are_asked_of_people_and_nothing_is_claimed(tmp_path):
    verified, reports = migrate(make_few(tmp_path), oncall=False)
    assert verified.unreachable == ()
    assert {row.email for row in verified.reach.unproven} == {f"{name}@example.com" for name in ("ann", "ben", "cat")}
    letters = {path.stem: path.read_text() for path in (reports / "handover" / "people").iterdir()}
    assert "Enter a contact method of yours" in letters["PU1"]
    assert "Enter a contact method of yours" in letters["PU2"]
    assert "Enter your contact methods in your Harness profile" in letters["PU3"]
    assert "ask the person" in read_pages(reports)[0]


def test_contact_details_that_are_switched_off_are_asked_of_everybody(tmp_path):
    verified, reports = migrate(make_few(tmp_path, rules=", contact_details: false"))
    assert verified.unreachable == ()
    assert {row.email for row in verified.reach.unproven} == {f"{name}@example.com" for name in ("ann", "ben", "cat")}
    letters = {path.stem: path.read_text() for path in (reports / "handover" / "people").iterdir()}
    assert letters.keys() == {"PU1", "PU2", "PU3"}
    assert all("they are not carried over" in text for text in letters.values())


def test_whoever_is_paged_by_a_second_alert_rule_alone_is_looked_at_too(job):
    """A rule made in Harness, by a policy that is none of ours: a person may keep it, and then somebody must hear it."""
    with edit(job, "harness") as held:
        rules, policies = held["oncall"]["alert_rules"], held["oncall"]["escalation_policies"]
        place, rule = next((place, rule) for place, rule in rules.items() if rule["paging"])
        level = {"timeout_minutes": 5, "retries": 0, "targets": [{"type": "user", "id": "ghost@acme.example"}]}
        policies[f"{PLACE}/hand"] = {"identifier": "hand", "name": "By hand", "description": "", "levels": [level]}
        rules[f"{place}_more"] = {**rule, "identifier": f"{rule['identifier']}_more", "escalation_policy": "hand"}
    [row] = verify(job).unreachable
    assert (row.email, row.why) == ("ghost@acme.example", "no account and no invitation")
