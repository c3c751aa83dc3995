"""Policies level by level: PagerDuty's own word (/oncalls), what we read, and whom Harness would page."""

import json
import shutil
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from policy_corner import FEW, carry_over, grades, level_of, open_quickly
from small_company import cut_down, edit

from pdmigrate import conflicts, decide, load, open_job, preview, verify
from pdmigrate.oncall.words import format_local
from pdmigrate.pagerduty.client import OnCallReader
from pdmigrate.pages import make_page
from pdmigrate.parity.policies import count_policies
from pdmigrate.runs.demo import DECISIONS
from pdmigrate.sandbox.company import build_company
from pdmigrate.sandbox.gate import replace_faults
from pdmigrate.steps.job import read_clock
from pdmigrate.workspace.settings import make_workspace

SERVICES = (*FEW, "PSERV05", "PSERV23")
"""Platform, Platform follow-the-sun, Payments, and Support, whose first level takes turns."""
POLICIES = {"PPOL01", "PPOL02", "PPOL03", "PPOL12"}
DAY = 86_400


@pytest.fixture(scope="module")
def corner(tmp_path_factory):
    return carry_over(tmp_path_factory.mktemp("corner") / "acme", SERVICES)


@pytest.fixture
def job(corner, tmp_path):
    yield from open_quickly(shutil.copytree(corner, tmp_path / "acme"))


def ask(job, days=56):
    """What the embedded PagerDuty says of the levels, raw."""
    account = job.latest_account()
    until = account.since + timedelta(days=days)
    rows = OnCallReader(job.source.transport.apart()).read_some(sorted(account.policies), account.since, until)
    return account, {"since": account.since.isoformat(), "until": until.isoformat(), "oncalls": rows}


def notes(verified):
    return {note for policy in verified.policies for level in policy.levels for note in level.notes}


def test_what_is_known_agrees(job):
    verified = verify(job)
    assert verified.error is None
    assert grades(verified) == dict.fromkeys(POLICIES, "agree") | {"PPOL12": "unverified"}
    assert "Who is on call at each level" in repr(make_page(verified))


def plant(job, place, moment, stranger):
    """PagerDuty says that somebody else is on call at a level of a policy for a day from `moment` on."""
    account, said = ask(job)
    rows, start, end = [], moment, moment + timedelta(days=1)
    for row in said["oncalls"]:
        if (row["escalation_policy"]["id"], row["escalation_level"]) != place:
            rows.append(row)
            continue
        begin = datetime.fromisoformat(row["start"]) if row["start"] else account.since
        finish = datetime.fromisoformat(row["end"]) if row["end"] else account.until
        pieces = [(begin, min(finish, start)), (max(begin, end), finish)]
        rows += [row | {"start": a.isoformat(), "end": b.isoformat()} for a, b in pieces if a < b]
        like = row
    times = {"start": start.isoformat(), "end": end.isoformat()}
    rows.append(like | {"user": {"id": stranger, "type": "user_reference", "summary": stranger}, **times})
    with edit(job, "pagerduty") as document:
        document["oncalls"] = said | {"oncalls": rows}


PLACES = [("PPOL01", 2), ("PPOL03", 1), ("PPOL03", 2)]


def test_somebody_else_at_one_level_for_one_day_is_named(job):
    account = job.latest_account()
    moment = (account.since + timedelta(days=9)).replace(hour=7, minute=0, second=0, microsecond=0)
    stranger = sorted(job.latest_account().users)[-1]
    for place in PLACES:
        plant(job, place, moment, stranger)
    verified = verify(job)
    assert verified.error.exit_code == 5
    for sentence, (policy, number) in zip(verified.unexplained, PLACES, strict=True):
        assert sentence.startswith(f"policy {account.policies[policy].name} ({policy}), level {number}: ")
        assert verified.draft.mapped.emails[stranger] in sentence
        assert f"from {format_local(moment, verified.draft.home_zone)}; 1 day in all" in sentence
        seen = level_of(verified, policy, number)
        assert (seen.differ, seen.unverified) == (DAY, 0)
    elsewhere = [one for p in verified.policies for one in p.levels if (p.id, one.number) not in PLACES and one.differ]
    assert not elsewhere
    assert {id for id, grade in grades(verified).items() if grade == "differ"} == {"PPOL01", "PPOL03"}
    local = moment.astimezone(ZoneInfo(verified.draft.home_zone))
    assert repr(make_page(verified)).count(f"{local:%Y-%m-%d %H:%M:%S} to") == 2 * len(PLACES), (
        "in the table and in the bars"
    )
    assert verified.summarise()["parity"]["policies"] == {"agree": 1, "differ": 2, "unverified": 1}


def test_nobody_at_a_level_is_a_word_too(few):
    """A level that PagerDuty has no entry for, of a policy that a service uses, has nobody on call."""
    _, said = ask(few)
    rows = [r for r in said["oncalls"] if (r["escalation_policy"]["id"], r["escalation_level"]) != ("PPOL02", 1)]
    with edit(few, "pagerduty") as document:
        document["oncalls"] = said | {"oncalls": rows}
    [sentence] = verify(few).unexplained
    assert sentence.startswith("policy Platform follow-the-sun (PPOL02), level 1: nobody as PagerDuty says, ")


def test_an_override_that_our_reading_has_not_is_found_at_every_level_that_it_serves(job):
    account = job.latest_account()
    start = account.since + timedelta(days=5)
    times = {"start": start.isoformat(), "end": (start + timedelta(hours=3)).isoformat()}
    with edit(job, "pagerduty") as document:
        stand_in = {"id": "POVERX", "user": {"id": "PUSER07", "type": "user_reference"}, **times}
        document["overrides"].setdefault("PSCHED19", []).append(stand_in)
    verified = verify(job)
    assert verified.error.exit_code == 5
    places = {sentence.split(":")[0] for sentence in verified.unexplained}
    names = {("Platform", "PPOL01", 3), ("Platform follow-the-sun", "PPOL02", 2), ("Payments", "PPOL03", 3)}
    assert places == {f"policy {name} ({id}), level {number}" for name, id, number in names}
    assert level_of(verified, "PPOL01", 3).differ == 3 * 3600


def swap_levels(job, words="payments"):
    with edit(job, "harness") as document:
        policies = document["oncall"]["escalation_policies"]
        [key] = [key for key in policies if words in key]
        levels = policies[key]["levels"]
        levels[0], levels[1] = levels[1], levels[0]


def test_a_level_swapped_in_harness_is_named(job):
    swap_levels(job)
    verified = verify(job)
    assert verified.error.exit_code == 5
    told = [sentence for sentence in verified.unexplained if sentence.startswith("policy ")]
    assert [sentence.split(":")[0] for sentence in told] == [
        "policy Payments (PPOL03), level 1",
        "policy Payments (PPOL03), level 2",
    ]
    assert all("in PagerDuty" in sentence and "in Harness" in sentence for sentence in told)
    assert grades(verified)["PPOL03"] == "differ"


def test_what_harness_pages_besides_those_who_take_turns_is_named(job):
    """Whose turn it is nobody says; that somebody is paged whose turn it can never be, is known."""
    with edit(job, "harness") as document:
        [key] = [key for key in document["oncall"]["escalation_policies"] if "support" in key]
        levels = document["oncall"]["escalation_policies"][key]["levels"]
        for level in (levels[0], levels[3]):
            level["targets"] = level["targets"][:1]
    assert not [one for one in verify(job).unexplained if one.startswith("policy Support")]
    with edit(job, "harness") as document:
        document["oncall"]["escalation_policies"][key]["levels"][0]["targets"] = levels[2]["targets"]
    assert [one for one in verify(job).unexplained if one.startswith("policy Support (PPOL12), level 1")]


# --- where PagerDuty does not answer: said, and it stops nothing ---


def serves(job):
    return job._servers[0].app


@pytest.mark.parametrize("status, words", [(402, "Payment Required"), (403, "Access Denied")])
def test_a_refusal_is_said_in_pagerdutys_words_and_stops_nothing(few, status, words):
    serves(few).view_functions["oncalls"] = lambda: ({"error": {"message": words, "code": 2010}}, status)
    verified = verify(few)
    assert verified.error is None
    assert count_policies(verified.policies) == {"agree": 0, "differ": 0, "unverified": 2}
    assert any(f"{status} 2010: {words}" in note for note in notes(verified))
    assert few.counts()["source"]["oncall_requests"] == 1, "the next batch would be told the same"


@pytest.mark.parametrize("kind", ["429_bare", "429_reset", "500", "502_html", "reset"])
def test_a_storm_that_does_not_end_is_said_and_stops_nothing(few, kind):
    replace_faults(serves(few), [{"kind": kind, "path": "/oncalls", "seconds": 0.0}])
    verified = verify(few)
    assert verified.error is None
    assert count_policies(verified.policies)["unverified"] == 2
    assert any("does not answer GET /oncalls" in note for note in notes(verified))
    assert verified.count_seconds()["agree_seconds"] > 0


def test_a_storm_that_ends_costs_requests_of_its_own_only(few):
    calm = verify(few)
    before = few.counts()["source"]
    replace_faults(serves(few), [{"kind": "429_bare", "path": "/oncalls", "count": 2}])
    verified = verify(few)
    after = few.counts()["source"]
    assert grades(verified) == grades(calm)
    assert after["oncall_requests"] - before["oncall_requests"] == calm.oncall_requests + 2
    assert (after["requests"], after["retries"]) == (before["requests"], before["retries"])


def test_a_swapped_level_is_found_though_pagerduty_says_nothing(job):
    serves(job).config["OPTIONS"]["forbidden"] = ("/oncalls",)
    swap_levels(job)
    verified = verify(job)
    assert verified.error.exit_code == 5
    assert grades(verified)["PPOL03"] == "differ"
    assert grades(verified)["PPOL01"] == "unverified"


def test_an_entry_that_cannot_be_read_leaves_its_policy_unread(few):
    _, said = ask(few)
    [first, *rest] = [row for row in said["oncalls"] if row["escalation_policy"]["id"] == "PPOL01"]
    others = [row for row in said["oncalls"] if row["escalation_policy"]["id"] != "PPOL01"]
    with edit(few, "pagerduty") as document:
        document["oncalls"] = said | {"oncalls": [first | {"escalation_level": "second"}, *rest, *others]}
    verified = verify(few)
    assert verified.error is None
    assert (grades(verified)["PPOL01"], grades(verified)["PPOL02"]) == ("unverified", "agree")


def test_days_beyond_ninety_are_unverified(few):
    text = few.workspace.settings_file.read_text(encoding="utf-8")
    assert "horizon_days: 56" in text
    few.workspace.settings_file.write_text(text.replace("horizon_days: 56", "horizon_days: 120"), encoding="utf-8")
    with open_job(few.workspace.folder) as other:
        preview(other)
        verified = verify(other)
        level = level_of(verified, "PPOL02", 1)
        assert (level.agree, level.differ, level.unverified) == (90 * DAY, 0, 30 * DAY)
        assert any("90 days" in note for note in level.notes)
        assert not [one for one in verified.unexplained if one.startswith("policy")]


# --- a snapshot cannot be asked; it has what was recorded ---


def save_folder(folder, document, said):
    folder.mkdir()
    for row in document["schedules"]:
        row["overrides_subschedule"] = {"rendered_schedule_entries": document["overrides"][row["id"]]}
    for kind in ("users", "teams", "schedules", "escalation_policies", "services"):
        (folder / f"{kind}.json").write_text(json.dumps({kind: document[kind]}))
    (folder / "oncalls.json").write_text(json.dumps(said))


def carry_snapshot(tmp_path, folder):
    make_workspace(tmp_path / "acme", {"source": "snapshot", "snapshot": str(folder), "open_conflicts": "recommended"})
    with open_job(tmp_path / "acme") as job:
        decide(job, "user_not_found", "all", "invite", by="test")
        for about, id, choice, _ in DECISIONS:
            decide(job, about, id, choice, by="test")
        preview(job)
        for conflict in conflicts(job).draft.open.values():
            decide(job, conflict.about, conflict.id, conflict.recommended, by="test")
        conflicts(job)
        load(job, "all")
        return verify(job)


def test_a_snapshot_is_judged_by_what_was_recorded(job, tmp_path):
    _, said = ask(job, days=57)
    save_folder(tmp_path / "recorded", cut_down(build_company(read_clock()), SERVICES), said)
    verified = carry_snapshot(tmp_path / "on", tmp_path / "recorded")
    assert grades(verified) == dict.fromkeys(POLICIES, "agree") | {"PPOL12": "unverified"}
    assert verified.oncall_requests == 0
    assert not [one for one in verified.unexplained if one.startswith("policy")]
