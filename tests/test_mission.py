"""The forty lines of what was asked for: the table in docs/mission.md is whole, and what nothing else proves is proved."""

import re
import shutil
from pathlib import Path

import pytest

from pdmigrate import (
    choose,
    conflicts,
    connect,
    load,
    open_job,
    preview,
    verify,
)
from pdmigrate.errors import WrongAccountError
from pdmigrate.pages.preview import section_people, section_policies, section_schedules, section_teams
from pdmigrate.pages.words import tell_apart
from pdmigrate.runs.demo import make_demo_workspace
from pdmigrate.sandbox.store import Store

ROOT = Path(__file__).parent.parent
PAGE = ROOT / "docs" / "mission.md"
TEST = re.compile(r"`([\w/.]+)::(\w+)`")
ROW = re.compile(r"^\| (\d+) \| (.+?) \| (.+?) \| (.+?) \|$", re.MULTILINE)


# --- the table ---


def read_rows():
    return [(int(n), *rest) for n, *rest in ROW.findall(PAGE.read_text(encoding="utf-8"))]


def test_every_one_of_the_forty_lines_has_a_row():
    assert [row[0] for row in read_rows()] == list(range(1, 41))


def test_every_named_test_exists():
    for number, _, _, tests in read_rows():
        assert TEST.findall(tests), f"line {number} names no test"
    for file, name in TEST.findall(PAGE.read_text(encoding="utf-8")):
        found = [path.read_text(encoding="utf-8") for path in (ROOT / "tests").rglob(file)]
        assert any(f"def {name}(" in text for text in found), f"{file} {name}"


def test_what_we_say_beside_other_importers_names_its_test():
    beside = PAGE.read_text(encoding="utf-8").partition("## Beside other importers")[2]
    rows = [line.split("|") for line in beside.splitlines() if line.startswith("| ")][1:]
    assert len(rows) > 20
    assert not [row[1] for row in rows if len(row) != 12 or not TEST.search(row[-2])]


def test_every_named_place_exists():
    for number, _, place, _ in read_rows():
        for path in re.findall(r"`([\w/.]+\.(?:py|ipynb|md))`", place):
            assert any((ROOT / base / path).exists() for base in ("", "pdmigrate", "notebooks", "docs")), (
                f"{number}: {path}"
            )


# --- the lines that no other test proves ---


def test_schedules_arrive_with_rotations_and_zones(whole):
    there = whole["state"].schedules
    moved = {a.identifier: a for a in whole["conflicts"].plan.actions if a.kind == "schedules"}
    assert len(moved) > 15
    for identifier, action in moved.items():
        assert there[identifier].time_zone == action.after["time_zone"]
        assert there[identifier].rotations
    assert len({there[identifier].time_zone for identifier in moved}) > 3


def test_policies_arrive_with_whole_chains(whole):
    account, state = whole["preview"].draft.account, whole["state"]
    for action in (a for a in whole["conflicts"].plan.actions if a.kind == "escalation_policies"):
        source = account.policies[action.key]
        minutes = [rule.escalation_delay_in_minutes for rule in source.escalation_rules]
        levels = [level.timeout_minutes for level in state.policies[action.identifier].levels]
        assert levels[: len(minutes)] == minutes
        assert all(level.targets for level in state.policies[action.identifier].levels)


def test_teams_arrive_as_groups_with_their_members(whole):
    groups = [a for a in whole["conflicts"].plan.actions if a.kind == "teams"]
    assert len(groups) == 8
    assert all(a.after["users"] == list(whole["state"].groups[a.identifier].users) for a in groups)


def test_people_arrive_with_email_sms_and_phone(whole):
    kinds = {method.type for details in whole["state"].contacts.values() for method in details.methods}
    assert kinds == {"email", "sms", "phone"}


def test_both_accounts_are_checked_and_named(whole, tmp_path):
    assert "acme" in whole["pages"]["connect"]
    assert "embedded/default/sre" in whole["pages"]["connect"]


def test_a_wrong_project_is_said_with_the_nearest_right_one(tmp_path):
    make_demo_workspace(tmp_path / "acme")
    with open_job(tmp_path / "acme") as job:
        job.target.project = "sree"
        with pytest.raises(WrongAccountError, match="did you mean sre"):
            connect(job)


def show(section):
    """A section's rows by the object's name, each as one text; what a person reads in the table."""
    told = [
        (row[0], [" ".join(cell) if isinstance(cell, list) else str(cell) for cell in row])
        for row in section.table.rows
    ]
    return [(name, " ".join(cells)) for name, cells in told]


def test_some_services_bring_what_they_need_and_nothing_else(tmp_path):
    make_demo_workspace(tmp_path / "acme")
    with open_job(tmp_path / "acme") as job:
        account = preview(job).draft.account
        service = next(s for s in account.services.values() if s.name == "Kubernetes clusters")
        choose(job, "scope.services", [service.name])
        preview(job)
        actions = [a for a in conflicts(job).plan.actions if a.writes]
        load(job, "all")
        there = {row["identifier"] for row in Store(job.workspace.sandbox / "harness.json", dict).read()["services"]}
    policy = account.policies[service.escalation_policy.id]
    targets = {target.id for rule in policy.escalation_rules for target in rule.targets}
    moved = {
        kind: {a.key for a in actions if a.kind == kind} for kind in ("services", "escalation_policies", "schedules")
    }
    assert moved["services"] == {service.id}
    assert moved["escalation_policies"] == {policy.id}
    assert moved["schedules"] == targets & account.all_schedules.keys()
    assert [name for name in there if name.endswith(tuple(account.services))] == [f"kubernetes_clusters_{service.id}"]


def test_the_preview_shows_every_schedule_with_its_pattern(whole):
    """Zone, layers or events, who takes turns in which order, and how long a turn is."""
    draft, rows = whole["preview"].draft, show(section_schedules(whole["preview"]))
    names = tell_apart(draft.account.all_schedules.values())
    assert sorted(name for name, _ in rows) == sorted(names.values())
    for schedule in draft.account.schedules.values():
        orders = [", ".join(place.user.summary for place in layer.users) for layer in schedule.schedule_layers]
        told = [text for name, text in rows if name == names[schedule.id]]
        assert [text for text in told if schedule.time_zone in text and all(order in text for order in orders)]
    told = dict(rows)["Payments business hours"]
    assert "a turn of 1 week" in told
    assert "a turn of 1 day, 5 windows" in told


def test_the_preview_shows_every_policy_with_levels_and_timeouts(whole):
    account = whole["preview"].draft.account
    rows = show(section_policies(whole["preview"]))
    assert len(rows) == len(account.policies) > 5
    told = dict(rows)
    for policy in account.policies.values():
        for number, rule in enumerate(policy.escalation_rules, 1):
            names = ", ".join(target.summary for target in rule.targets)
            assert f"{number}. {names}, then {rule.escalation_delay_in_minutes} min" in told[policy.name]


def test_the_preview_shows_every_team_and_the_group_it_becomes(whole):
    account = whole["preview"].draft.account
    rows = [row[:3] for row in section_teams(whole["preview"]).table.rows]
    members = [(team.name, len(account.members_of(team))) for team in account.teams.values()]
    assert sorted((name, number) for name, number, _ in rows) == sorted(members)
    assert {group for _, _, group in rows} <= set(whole["state"].groups)


def test_the_preview_shows_everybody_with_how_he_is_reached(whole):
    users = whole["preview"].draft.account.users.values()
    rows = [row[:3] for row in section_people(whole["preview"]).table.rows]
    assert sorted((name, email) for name, email, _ in rows) == sorted((user.name, user.email) for user in users)
    told = {email: " ".join(map(str, contacts)) for _, email, contacts in rows}
    for user in users:
        shown = [m for m in user.contact_methods if not m.type.startswith("push")]  # a push token is a secret
        assert all((method.address or "a reference only") in told[user.email] for method in shown)


def test_the_review_counts_people_and_names_whose_invitation_is_open(whole):
    """Everybody who was carried over has an account, or is said to have none yet; the loaded are the planned."""
    verified, state = whole["verify"], whole["state"]
    wanted = {a.identifier for a in whole["conflicts"].plan.actions if a.kind == "users"}
    assert wanted <= set(state.people)
    pending = {email for email in wanted if not state.people[email].accepted}
    assert pending
    on_call = {p for s in verified.schedules for _, _, people in s.after.entries for p in people}
    assert {u.email for u in verified.unreachable} >= pending & on_call
    created = whole["load"].count_kinds()["users"]["created"]
    assert f"{created}" in whole["pages"]["load"]


def test_the_review_compares_who_has_which_shift_with_pagerduty(whole):
    """By PagerDuty's own rendering against the target's own answer; a rotation that is one hour off does not pass."""
    verified = whole["verify"]
    exact = [s for s in verified.schedules if not s.differ and not s.unverified and s.judged]
    assert len(exact) > 15
    assert all(s.before.entries == s.after.entries for s in exact)
    assert all(s.agree == int((verified.until - verified.since).total_seconds()) for s in exact)
    assert {s.time_zone for s in exact} >= {"Europe/London", "America/New_York"}


def test_a_shift_that_is_wrong_in_harness_is_found_by_the_review(changed):
    differ = {s.name: s.reason for s in changed["verify"].schedules if s.differ}
    assert differ[changed["schedule"]] == "no decision explains it"


def test_a_level_that_is_wrong_in_harness_is_found_by_the_review(changed):
    """Whoever depends on that policy is paged otherwise, and is named."""
    wrong = [s.name for s in changed["verify"].service_parity if s.equal < s.moments]
    assert set(wrong) >= set(changed["services"]) != set()


@pytest.fixture(scope="module")
def changed(whole, tmp_path_factory):
    """The company carried over; then somebody in Harness turns a rotation round, and another policy's levels."""
    folder = tmp_path_factory.mktemp("changed") / "acme"
    account, plan = whole["preview"].draft.account, whole["conflicts"].plan
    with open_job(shutil.copytree(whole["folder"], folder)) as job:
        with Store(job.workspace.sandbox / "harness.json", dict).change() as held:
            rota = next(s for s in held["oncall"]["schedules"].values() if s["name"] == "Payments nights")
            rota["rotations"] = [{**r, "participants": r["participants"][::-1]} for r in rota["rotations"]]
            policy = next(
                p for p in held["oncall"]["escalation_policies"].values() if p["identifier"].endswith("_PPOL01")
            )
            policy["levels"][0]["timeout_minutes"] += 7
        found = verify(job)
    paging = {a.key for a in plan.actions if a.kind == "services" and a.after["paging"]}
    named = [s for s in account.services.values() if s.escalation_policy.id == "PPOL01" and s.id in paging]
    return {"verify": found, "schedule": "Payments nights", "services": [s.name for s in named]}


def test_every_team_is_a_group_with_just_its_members_who_have_an_account(whole):
    account, state, emails = whole["preview"].draft.account, whole["state"], whole["preview"].draft.mapped.emails
    for action in (a for a in whole["conflicts"].plan.actions if a.kind == "teams"):
        team = account.teams[action.key]
        wanted = {emails[m.user.id] for m in account.members_of(team) if m.user.id in emails}
        accepted = {email for email in wanted if state.people[email].accepted}
        assert accepted <= set(state.groups[action.identifier].users) <= wanted


def test_everybody_is_paged_as_the_person_of_the_same_email_or_as_decided(whole):
    matched, account = whole["invite"].matched, whole["preview"].draft.account
    for person in matched:
        email = account.users[person.id].email.strip().lower()
        assert person.harness_email in ("", email), f"{person.name} is paged as somebody else, and nobody decided that"
    placed = [p for s in whole["state"].schedules.values() for r in s.rotations for p in r.participants if p]
    assert set(placed) <= set(whole["state"].people)


def test_every_pattern_and_zone_in_harness_is_what_the_plan_said(whole):
    """Rotations, windows, anchors and ends, field by field."""
    moved = [a for a in whole["conflicts"].plan.actions if a.kind == "schedules"]
    for action in moved:
        there = whole["state"].schedules[action.identifier].model_dump(mode="json")
        assert there["time_zone"] == action.after["time_zone"]
        assert there["rotations"] == action.after["rotations"]
    assert not [a for a in whole["verify"].drift if a.kind == "schedules"]


def test_a_page_for_every_service_reaches_the_same_people_at_the_same_minutes(whole):
    """All the way: service, rule, policy, levels, rotations, people, at each handoff and just before it."""
    services = whole["verify"].service_parity
    assert len([s for s in services if s.equal == s.moments > 1]) > 10
    assert not [s.name for s in services if s.equal < s.moments and not s.reason]


def test_every_service_that_pages_has_the_policy_and_the_owner_of_its_team(whole):
    account, state = whole["preview"].draft.account, whole["state"]
    groups, policies = whole["preview"].draft.mapped.groups, whole["preview"].draft.mapped.policies
    moved = [a for a in whole["conflicts"].plan.actions if a.kind == "services"]
    assert len(moved) > 15
    for action in moved:
        source, there = account.services[action.key], state.services[action.identifier]
        assert there.escalation_policy == policies[source.escalation_policy.id]
        owners = {groups[team.id] for team in source.teams if team.id in groups}
        assert there.owner_group in owners or not owners


def test_everybody_is_notified_after_the_minutes_of_his_high_urgency_rules(whole):
    """The waits between Harness's steps add up to PagerDuty's delays."""
    account, rules = whole["preview"].draft.account, whole["state"].rules
    emails = whole["preview"].draft.mapped.emails
    moved = {a.key: a for a in whole["conflicts"].plan.actions if a.kind == "notification_rules"}
    assert len(moved) > 20
    for key, action in moved.items():
        wanted = {r.start_delay_in_minutes for r in account.users[key].notification_rules if r.id in action.sources}
        waits = [step.wait_minutes for step in rules[emails[key]].steps]
        assert {sum(waits[: n + 1]) for n in range(len(waits))} == wanted


def test_people_are_matched_by_email_or_listed_for_invitation(whole):
    states = whole["invite"].count()
    assert states["has an account"] > 5
    assert states["to invite"] > 20
    assert len(whole["state"].people) == sum(states.values()) - states.get("left out", 0) + len(
        [p for p in whole["state"].people if p not in {m.harness_email for m in whole["invite"].matched}]
    )


def test_the_options_are_summed_up_before_the_start(whole):
    page = whole["pages"]["conflicts"]
    assert whole["conflicts"].plan.digest in page
    assert "By team and risk" in page


def test_the_load_tells_imported_skipped_and_failed(whole):
    page = whole["pages"]["load"]
    assert all(word in page for word in ("Imported", "Skipped and failed", "By kind"))
    kinds = whole["load"].count_kinds()
    assert kinds["users"]["created"] > 20
    assert not any(counts["failed"] for counts in kinds.values())


def test_the_review_compares_every_schedule_and_service(whole):
    verified = whole["verify"]
    assert not verified.unexplained
    assert verified.count_seconds()["agree_seconds"] > 18 * 56 * 86400
    assert len(verified.schedules) == 20
    assert len(verified.service_parity) == 25
    assert verified.unreachable


def test_teams_own_services_and_people_have_notification_rules(whole):
    state = whole["state"]
    moved = [a.identifier for a in whole["conflicts"].plan.actions if a.kind == "services"]
    assert sum(bool(state.services[identifier].owner_group) for identifier in moved) > 15
    assert len(state.rules) > 20


def test_named_conflicts_have_their_options(whole):
    asked = [answer.conflict for answer in whole["conflicts"].draft.answered.values()]
    options = {conflict.about: {option.name for option in conflict.options} for conflict in asked}
    assert {"invite", "map", "leave_out"} <= options["user_not_found"]
    assert {"rename", "merge", "adopt"} <= options["group_name_collision"]
    assert all(conflict.meaning and conflict.recommended for conflict in asked)


def test_a_schedule_of_the_same_name_is_a_question(small):
    with Store(small.workspace.sandbox / "pagerduty.json", dict).change() as held:
        held["schedules"][1]["name"] = "Payments primary"  # as somebody has named one in Harness
    preview(small)
    asked = [answer.conflict for answer in conflicts(small).draft.answered.values()]
    options = {conflict.about: {option.name for option in conflict.options} for conflict in asked}
    assert {"rename", "merge", "adopt"} <= options["duplicate_schedule"]


def test_a_zone_in_another_format_is_a_question(whole):
    classes = {answer.conflict.about for answer in whole["conflicts"].draft.answered.values()}
    assert [about for about in classes if "zone" in about]
