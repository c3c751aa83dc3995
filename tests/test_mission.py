"""The forty lines of what was asked for: the table in docs/mission.md is whole, and what nothing else proves is proved."""

import re
from pathlib import Path

import pytest

from pdmigrate import (
    conflicts,
    connect,
    finish,
    invite,
    load,
    open_job,
    preview,
    verify,
)
from pdmigrate.demo import make_demo_workspace
from pdmigrate.errors import WrongAccountError
from pdmigrate.pages import look
from pdmigrate.sandbox.store import Store

ROOT = Path(__file__).parent.parent
ROW = re.compile(r"^\| (\d+) \| (.+?) \| (.+?) \| (.+?) \|$", re.MULTILINE)


@pytest.fixture(scope="module")
def carried(tmp_path_factory):
    """All six steps on the embedded company; the results and the pages."""
    folder = tmp_path_factory.mktemp("mission") / "acme"
    make_demo_workspace(folder)
    results = {}
    with open_job(folder, folder / "run") as job:
        for step in (connect, preview, invite, conflicts):
            results[step.__name__] = step(job)
        results["load"] = load(job, "all")
        results["verify"] = verify(job)
        for result in results.values():
            finish(job, result)
        results["state"] = job.target.read_state()
    results["pages"] = {path.stem: path.read_text(encoding="utf-8") for path in (folder / "run").glob("*.html")}
    return results


# --- the table ---


def read_rows():
    return [(int(n), *rest) for n, *rest in ROW.findall((ROOT / "docs" / "mission.md").read_text(encoding="utf-8"))]


def test_every_one_of_the_forty_lines_has_a_row():
    assert [row[0] for row in read_rows()] == list(range(1, 41))


def test_every_named_test_exists():
    for number, _, _, tests in read_rows():
        named = re.findall(r"`([\w/.]+)::(\w+)`", tests)
        assert named, f"line {number} names no test"
        for file, name in named:
            assert f"def {name}(" in (ROOT / "tests" / file).read_text(encoding="utf-8"), (
                f"line {number}: {file} {name}"
            )


def test_every_named_place_exists():
    for number, _, place, _ in read_rows():
        for path in re.findall(r"`([\w/.]+\.(?:py|ipynb|md))`", place):
            assert any((ROOT / base / path).exists() for base in ("", "pdmigrate", "notebooks", "docs")), (
                f"{number}: {path}"
            )


# --- the lines that no other test proves ---


def test_schedules_arrive_with_rotations_and_zones(carried):
    there = carried["state"].schedules
    moved = {a.identifier: a for a in carried["conflicts"].plan.actions if a.kind == "schedules"}
    assert len(moved) > 15
    for identifier, action in moved.items():
        assert there[identifier].time_zone == action.after["time_zone"]
        assert there[identifier].rotations
    assert len({there[identifier].time_zone for identifier in moved}) > 3


def test_policies_arrive_with_whole_chains(carried):
    account, state = carried["preview"].draft.account, carried["state"]
    for action in (a for a in carried["conflicts"].plan.actions if a.kind == "escalation_policies"):
        source = account.policies[action.key]
        minutes = [rule.escalation_delay_in_minutes for rule in source.escalation_rules]
        levels = [level.timeout_minutes for level in state.policies[action.identifier].levels]
        assert levels[: len(minutes)] == minutes
        assert all(level.targets for level in state.policies[action.identifier].levels)


def test_teams_arrive_as_groups_with_their_members(carried):
    groups = [a for a in carried["conflicts"].plan.actions if a.kind == "teams"]
    assert len(groups) == 8
    assert all(a.after["users"] == list(carried["state"].groups[a.identifier].users) for a in groups)


def test_people_arrive_with_email_sms_and_phone(carried):
    kinds = {method.type for details in carried["state"].contacts.values() for method in details.methods}
    assert kinds == {"email", "sms", "phone"}


def test_both_accounts_are_checked_and_named(carried, tmp_path):
    assert "acme" in carried["pages"]["connect"]
    assert "embedded/default/sre" in carried["pages"]["connect"]


def test_a_wrong_project_is_said_with_the_nearest_right_one(tmp_path):
    make_demo_workspace(tmp_path / "acme")
    with open_job(tmp_path / "acme") as job:
        job.target.project = "sree"
        with pytest.raises(WrongAccountError, match="did you mean sre"):
            connect(job)


@pytest.mark.parametrize("part", ["schedules", "policies"])
def test_the_preview_shows_patterns_levels_and_timeouts(carried, part):
    shown = look(carried["preview"], part)._repr_html_()
    assert ("Layers" if part == "schedules" else "min") in shown


def test_the_preview_shows_groups_and_people(carried):
    page = carried["pages"]["preview"]
    assert "Payments" in page
    assert "Teams" in page
    assert "Users" in page


def test_people_are_matched_by_email_or_listed_for_invitation(carried):
    states = carried["invite"].count()
    assert states["has an account"] > 5
    assert states["to invite"] > 20
    assert len(carried["state"].people) == sum(states.values()) - states.get("left out", 0) + len(
        [p for p in carried["state"].people if p not in {m.harness_email for m in carried["invite"].matched}]
    )


def test_the_options_are_summed_up_before_the_start(carried):
    page = carried["pages"]["conflicts"]
    assert carried["conflicts"].plan.digest in page
    assert "By kind and team" in page


def test_the_load_tells_imported_skipped_and_failed(carried):
    page = carried["pages"]["load"]
    assert all(word in page for word in ("Imported", "Skipped and failed", "By kind"))
    kinds = carried["load"].count_kinds()
    assert kinds["users"]["created"] > 20
    assert not any(counts["failed"] for counts in kinds.values())


def test_the_review_compares_every_schedule_and_service(carried):
    verified = carried["verify"]
    assert not verified.unexplained
    assert verified.count_seconds()["agree_seconds"] > 18 * 56 * 86400
    assert len(verified.schedules) == 20
    assert len(verified.services) == 25
    assert verified.unreachable


def test_teams_own_services_and_people_have_notification_rules(carried):
    state = carried["state"]
    moved = [a.identifier for a in carried["conflicts"].plan.actions if a.kind == "services"]
    assert sum(bool(state.services[identifier].owner_group) for identifier in moved) > 15
    assert len(state.rules) > 20


def test_named_conflicts_have_their_options(carried):
    asked = [answer.conflict for answer in carried["conflicts"].draft.answered.values()]
    options = {conflict.about: {option.name for option in conflict.options} for conflict in asked}
    assert {"invite", "map", "leave_out"} <= options["user_not_found"]
    assert {"rename", "merge", "adopt"} <= options["group_name_collision"]
    assert all(conflict.meaning and conflict.recommended for conflict in asked)


def test_a_schedule_of_the_same_name_is_a_question(tmp_path):
    make_demo_workspace(tmp_path / "acme")
    with open_job(tmp_path / "acme") as job:
        with Store(job.workspace.sandbox / "pagerduty.json", dict).change() as held:
            held["schedules"][1]["name"] = "Payments primary"  # as somebody has named one in Harness
        preview(job)
        asked = [answer.conflict for answer in conflicts(job).draft.answered.values()]
    options = {conflict.about: {option.name for option in conflict.options} for conflict in asked}
    assert {"rename", "merge", "adopt"} <= options["duplicate_schedule"]


def test_a_zone_in_another_format_is_a_question(carried):
    classes = {answer.conflict.about for answer in carried["conflicts"].draft.answered.values()}
    assert [about for about in classes if "zone" in about]
