"""Shift-based schedules through the whole migration, by the command on the embedded pair: nobody in them is forgotten."""

import json
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from shift_company import ONLY_IN_SHIFTS, build_shift_company

from pdmigrate import open_job, verify
from pdmigrate.cli import main
from pdmigrate.handover.folder import read_items
from pdmigrate.handover.links import Links
from pdmigrate.handover.planned import list_items
from pdmigrate.handover.ticks import find_paged
from pdmigrate.oncall import rota
from pdmigrate.parity.services import compare_services, target_levels
from pdmigrate.runs.demo import make_demo_workspace
from pdmigrate.workspace.folder import Workspace, write_json

SHIFTS = ("PSHIFT01", "PSHIFT02", "PSHIFT10", "PSHIFT11", "PSHIFT12")
LINKS = Links("https://app.harness.io/gateway", "account", "default", "sre", "harbourlane")
HORIZON = 56 * 86_400


@pytest.fixture(scope="module")
def carried(tmp_path_factory):
    """Loaded by `pdmigrate run`; its folder, its exit code, and one more verify with a look inside."""
    folder = tmp_path_factory.mktemp("shifts") / "acme"
    make_demo_workspace(folder)
    write_json(folder / "sandbox" / "pagerduty.json", build_shift_company(datetime.now(UTC)))
    code = main(["run", str(folder), "--approve", "all", "--reports", str(folder / "pages")])
    with open_job(folder) as job:
        yield folder, code, verify(job)


def test_the_command_carries_them_over_and_every_second_agrees(carried):
    folder, code, _ = carried
    summary = json.loads((folder / "pages" / "summary.json").read_text())
    assert code == 0
    agreed = {id: summary["parity"]["schedules"][id]["agree_seconds"] for id in SHIFTS}
    assert agreed == dict.fromkeys(SHIFTS, HORIZON)
    assert summary["parity"]["differ_seconds"] == summary["parity"]["unverified_seconds"] == 0
    for id in SHIFTS:
        source, target = ((folder / "pages" / "rota" / side / f"{id}.csv").read_text() for side in ("source", "target"))
        assert source == target


def test_what_is_exact_for_ever_is_exact_and_what_has_dates_says_until_when(carried):
    *_, found = carried
    seen = {s.id: s for s in found.schedules if s.id in SHIFTS}
    assert {id: s.fidelity.grade for id, s in seen.items()} == dict.fromkeys(SHIFTS[:-1], "for_ever") | {
        "PSHIFT12": "within_horizon"
    }
    assert all(s.judged and not s.differ and not s.read_otherwise for s in seen.values())
    assert not [w for s in seen.values() for w in s.windows if w.unexplained or not w.judged]
    assert not found.unexplained
    outcomes = {outcome.id: outcome for outcome in found.draft.mapped.outcomes if outcome.kind == "schedules"}
    assert [outcomes[id].grade for id in SHIFTS] == ["exact"] * 4 + ["changed"]
    assert "written with dates" in outcomes["PSHIFT12"].reason
    assert {outcome.id for outcome in found.draft.mapped.outcomes if outcome.kind == "overrides"} >= {
        "PSOV10",
        "PSOV11",
    }


def test_several_people_at_once_are_there_and_marked_as_meant(carried):
    *_, found = carried
    said = {s.id: found.draft.state.schedules[s.identifier] for s in found.schedules if s.id in SHIFTS}
    crew = "Several people at once are meant, as in PagerDuty: Crew; Crew at the same time 2; Crew at the same time 3."
    assert said["PSHIFT11"].description == crew
    assert "Desk; " in said["PSHIFT10"].description
    assert not said["PSHIFT01"].description
    sizes = {s.id: max(len(people) for _, _, people in s.after.entries) for s in found.schedules if s.id in SHIFTS}
    assert sizes == {"PSHIFT01": 1, "PSHIFT02": 2, "PSHIFT10": 2, "PSHIFT11": 3, "PSHIFT12": 1}


def test_a_stand_in_replaces_one_person_in_one_rotation(carried):
    """PUSER02 is in both rotations of the desk then, and is replaced in the one only."""
    *_, found = carried
    by_hand, emails = next(s for s in found.schedules if s.id == "PSHIFT10"), found.draft.mapped.emails
    [override] = [o for o in found.draft.account.schedules_v3["PSHIFT10"].overrides if o.id == "PSOV10"]
    together = by_hand.after.people_at(int(override.start_time.timestamp()))
    assert together == {emails["PUSER02"], emails["PUSER04"]}


def test_who_is_on_call_in_shifts_only_is_on_call(carried):
    """Invited without anybody being asked twice, told as not reachable yet, tested with a page, counted in the teams."""
    folder, _, found = carried
    id, name, email = ONLY_IN_SHIFTS
    [person] = [p for p in json.loads((folder / "state" / "people.json").read_text()) if p["id"] == id]
    assert (person["duties"], person["state"]) == (1, "to invite")
    assert person["next_turn"]
    assert email in {row.email for row in found.unreachable}
    assert id in find_paged(found.draft)
    assert name in (folder / "pages" / "invite.html").read_text()


def test_a_second_run_has_nothing_to_write(carried):
    *_, found = carried
    assert not [action for action in found.draft.plan.actions if action.writes]


def test_what_ends_on_a_day_is_a_reminder_exactly_once(carried):
    """Under a key that stays; the date is in what is asked for, so a tick lasts until the date moves."""
    folder, _, found = carried
    items = [item for item in read_items(Workspace(folder)) if item.kind == "renewals"]
    [item] = items
    day = f"{rota.to_datetime(found.draft.mapped.fidelity['PSHIFT12'].until):%Y-%m-%d}"
    assert (item.key, item.name) == ("renewals:PSHIFT12", f"Books: before {day}")
    assert "Run pdmigrate before then" in item.expected
    [later] = [one for one in list_items(_hold_longer(found.draft), LINKS) if one.kind == "renewals"]
    assert later.key == item.key
    assert later.digest != item.digest


def _hold_longer(draft):
    longer = replace(draft.mapped.fidelity["PSHIFT12"], until=draft.mapped.fidelity["PSHIFT12"].until + 31 * 86_400)
    return replace(draft, mapped=replace(draft.mapped, fidelity={**draft.mapped.fidelity, "PSHIFT12": longer}))


def test_a_page_that_would_newly_wake_somebody_is_a_difference(carried):
    """By urgency: the same service, were its incidents low, wakes nobody in PagerDuty and somebody in Harness."""
    *_, found = carried
    service = next(
        found.draft.account.services[s.id] for s in found.service_parity if s.equal == s.moments and s.moments
    )
    low = service.model_validate(
        service.model_dump() | {"incident_urgency_rule": {"type": "constant", "urgency": "low"}}
    )
    [seen] = compare_services(found.draft, [low], found.schedules)
    assert seen.louder == seen.moments - seen.dropped_after > 0
    assert seen.equal < seen.moments
    assert seen.parting.startswith("minute 0: dropped / paged ")


def test_retries_are_in_the_times(carried):
    """A level that is tried twice more stands three times in the chain, each with its whole timeout."""
    *_, found = carried
    policy = next(iter(found.draft.state.policies.values()))
    first, *rest = policy.levels
    tried = policy.model_copy(update={"levels": (first.model_copy(update={"retries": 2}), *rest)})
    rotas = {s.identifier: s.after for s in found.schedules}
    once, thrice = (target_levels(found.draft, one, rotas) for one in (policy, tried))
    assert [level.minutes for level in thrice] == [first.timeout_minutes] * 2 + [level.minutes for level in once]
