"""Overrides: who stands in, what is left of each, and that an earlier run's are known again, taken back, or asked about."""

import sys
from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest
from mapping_account import NOW, decide, grades, layer, map_rows, override, people, reason, schedule, user, wishes
from test_handmade import answer

from pdmigrate.harness.records import Override, Schedule
from pdmigrate.harness.rota import render_schedule
from pdmigrate.mapping.draft import count_out_of_scope
from pdmigrate.mapping.overrides import cut_overrides, override_key
from pdmigrate.mapping.scope import choose_scope, list_standing
from pdmigrate.pagerduty import records
from pdmigrate.pagerduty.account import Snapshot
from pdmigrate.pagerduty.rota import read_entries
from pdmigrate.plan.actions import LedgerEntry
from pdmigrate.plan.planning import plan_actions
from pdmigrate.plan.rules import Scope

USERS = [user(name) for name in ("ann", "bob", "cat")]
THERE = people("ann", "bob", "cat")


def hours(person, start, end):
    """An override of tomorrow, from hour to hour."""
    times = {"start": start, "end": end}
    day = datetime(2026, 11, 24, tzinfo=UTC)
    said = {name: (day + timedelta(hours=hour)).isoformat() for name, hour in times.items()}
    return said | {"user": {"id": person, "type": "user_reference", "summary": person.title()}}


def map_overrides(*entries, state=THERE, ledger=None, decisions=(), **more):
    rendered = {"rendered_schedule_entries": list(entries)}
    made = schedule("ps1", layer(["ann"]), overrides_subschedule=rendered, **more)
    return map_rows({"users": USERS, "schedules": [made]}, state, decisions, ledger=ledger)


def book(mapped):
    """The ledger after a load of all that is wanted."""
    return {(w.kind, w.key): LedgerEntry(w.kind, w.key, w.identifier, w.name, w.fields) for w in mapped.desired}


def told(mapped):
    """(person, from, to) of what is wanted, in hours of tomorrow."""
    day = datetime(2026, 11, 24, tzinfo=UTC)
    rows = [w.fields for w in mapped.desired if w.kind == "overrides"]
    found = [(f["person"][:3], *(datetime.fromisoformat(f[e]) - day for e in ("start", "end"))) for f in rows]
    return sorted((who, start // timedelta(hours=1), end // timedelta(hours=1)) for who, start, end in found)


# --- keys ---


def test_two_overrides_of_one_person_with_one_end_are_two():
    mapped = map_overrides(hours("bob", 9, 17), hours("bob", 12, 17))
    assert told(mapped) == [("bob", 9, 12), ("bob", 12, 17)]
    assert len(wishes(mapped, "overrides")) == 2
    again = map_overrides(hours("bob", 9, 17), hours("bob", 12, 17), ledger=book(mapped))
    assert (wishes(again, "overrides"), again.dropped) == (wishes(mapped, "overrides"), [])


def as_before(mapped, entry):
    """The ledger as an earlier version has written it: the key had no start."""
    old = override_key("ps1", records.RenderedEntry.model_validate(entry)).rpartition("_s")[0]
    [(_, written)] = [(k, e) for k, e in book(mapped).items() if k[0] == "overrides"]
    kept = {key: row for key, row in book(mapped).items() if key[0] != "overrides"}
    return kept | {("overrides", old): LedgerEntry("overrides", old, f"ps1_ps1/pd_{old}", "bob", written.synced)}, old


@pytest.mark.parametrize("others", [(), ("earlier",), ("later",)])
def test_what_an_earlier_version_has_written_is_known_again(others):
    """Neither written twice nor left behind under the new key, whoever has come beside it since."""
    entry = hours("bob", 12, 17)
    ledger, old = as_before(map_overrides(entry), entry)
    beside = {"earlier": hours("bob", 9, 17), "later": hours("bob", 14, 17)}
    rows = sorted([entry, *(beside[name] for name in others)], key=lambda row: row["start"])
    mapped = map_overrides(*rows, ledger=ledger)
    assert old in wishes(mapped, "overrides")
    assert len(wishes(mapped, "overrides")) == len(rows)
    assert mapped.dropped == []


@pytest.mark.parametrize("start", [-80, -20, -1])
def test_a_long_override_whose_start_is_cut_each_month_is_the_same(start):
    first = map_overrides(override("bob", -80, 2))
    mapped = map_overrides(override("bob", start, 2), ledger=book(first))
    assert list(wishes(mapped, "overrides")) == list(wishes(first, "overrides"))


# --- taken back, or kept ---


def dropped(mapped):
    return [entry.synced["person"][:3] for entry in mapped.dropped]


def test_one_that_a_later_one_covers_by_now_is_taken_back():
    first = map_overrides(hours("bob", 9, 17))
    mapped = map_overrides(hours("bob", 9, 17), hours("cat", 8, 18), ledger=book(first))
    assert (told(mapped), dropped(mapped)) == ([("cat", 8, 18)], ["bob"])
    [outcome] = [outcome for outcome in mapped.outcomes if outcome.reason.startswith("others that were made later")]
    assert outcome.grade == "changed"


def test_a_piece_that_is_covered_by_now_is_taken_back():
    first = map_overrides(hours("bob", 9, 17), hours("cat", 11, 12))
    assert told(first) == [("bob", 9, 11), ("bob", 12, 17), ("cat", 11, 12)]
    mapped = map_overrides(hours("bob", 9, 17), hours("cat", 11, 17), ledger=book(first))
    assert (told(mapped), dropped(mapped)) == ([("bob", 9, 11), ("cat", 11, 17)], ["bob", "cat"])


@pytest.mark.parametrize("left, gone", [((), ["bob"]), ((hours("bob", 9, 17),), [])])
def test_one_that_was_cancelled_while_its_schedule_is_held_is_taken_back(left, gone):
    """And one that was not stays as it is, as long as the question about its schedule is open."""
    ledger = book(map_overrides(hours("bob", 9, 17)))
    mapped = map_overrides(*left, ledger=ledger, time_zone="Middle/Earth")
    assert (mapped.schedules, told(mapped), dropped(mapped)) == ({}, [], gone)


def test_what_pagerduty_has_dropped_is_found_while_it_lasts():
    def wrote(key, end, schedule="ps1_ps1"):
        fields = {"schedule": schedule, "person": "bob@example.com", "start": "2026-11-01T00:00:00Z", "end": end}
        return ("overrides", key), LedgerEntry("overrides", key, f"{schedule}/pd_{key}", "bob", fields)

    later, before = "2026-12-01T00:00:00Z", "2026-11-20T00:00:00Z"
    ledger = dict([wrote("gone", later), wrote("over", before), wrote("other", later, "x")])
    ledger |= {("schedules", "ps1"): LedgerEntry("schedules", "ps1", "ps1_ps1", "Ps1", {})}
    assert [entry.key for entry in map_overrides(hours("bob", 1, 2), ledger=ledger).dropped] == ["gone"]
    longer = Override(identifier="pd_over", person="bob@example.com", start="2026-11-01T00:00:00Z", end=later)
    made = Schedule(identifier="ps1_ps1", name="Ps1", time_zone="UTC", overrides=[longer])
    state = THERE.model_copy(update={"schedules": {"ps1_ps1": made}})
    found = map_overrides(hours("bob", 1, 2), ledger=ledger, state=state).dropped
    assert [entry.key for entry in found] == ["gone", "over"]


# --- odd ones: nothing in PagerDuty, or a question ---


def test_what_covers_no_time_in_pagerduty_asks_nothing():
    mapped = map_overrides(hours("bob", 9, 9), hours("bob", 12, 10))
    words = [outcome.reason for outcome in mapped.outcomes if outcome.kind == "overrides"]
    assert words[0].startswith("it is empty (it starts and ends at the same time)")
    assert words[1].startswith("it ends before it starts")
    assert (told(mapped), mapped.questions.open, [h.kind for h in mapped.held]) == ([], {}, [])


def test_a_deleted_stand_in_stands_in_nowhere():
    entry = hours("px1", 9, 17)
    entry["user"] |= {"summary": "Person PX1", "deleted_at": "2026-05-01T00:00:00Z"}
    mapped = map_overrides(entry)
    [words] = [outcome.reason for outcome in mapped.outcomes if outcome.kind == "overrides"]
    assert words.startswith("its stand-in Person PX1 was deleted in PagerDuty: nobody stands in")
    assert (told(mapped), mapped.questions.open) == ([], {})


def test_a_stand_in_is_called_as_the_account_calls_him():
    entry = hours("bob", 9, 17)
    del entry["user"]["summary"]
    [wish] = wishes(map_overrides(entry), "overrides").values()
    assert wish.name == "Bob in Ps1"


@pytest.mark.parametrize("entry", [hours("zed", 9, 17), {**hours("zed", 9, 17), "user": None}])
def test_a_stand_in_whom_no_list_shows_is_a_question(entry):
    mapped = map_overrides(entry)
    [asked] = mapped.questions.open.values()
    assert (asked.about, asked.kind, asked.changes_paging) == ("override_stand_in", "overrides", True)
    assert [(held.kind, held.open_question) for held in mapped.held] == [("overrides", True)]
    left = map_overrides(entry, decisions=[answer(asked, "leave_out")])
    assert [(held.open_question, held.decided) for held in left.held] == [(False, asked.key)]
    assert told(map_overrides(entry, decisions=[answer(asked, "map", value="Cat@example.com")])) == [("cat", 9, 17)]
    nowhere = map_overrides(entry, decisions=[answer(asked, "map", value="who@example.com")])
    assert (list(nowhere.questions.open), nowhere.held[0].open_question) == ([asked.key], True)


def test_a_stand_in_who_is_left_out_by_decision_is_not_asked_about_again():
    decided = decide("user_not_found", "bob", "leave_out")
    mapped = map_overrides(hours("bob", 9, 17), state=people("ann", "cat"), decisions=[decided])
    [held] = [held for held in mapped.held if held.kind == "overrides"]
    assert held.reason == "the stand-in has neither account nor invitation"
    assert mapped.questions.open == {}


# --- shift-based schedules: their overrides and custom shifts are counted like everything else ---


def shifts(**more):
    start = {"date_time": "2026-01-05T09:00:00Z", "time_zone": "UTC"}
    end = {"date_time": "2026-01-05T17:00:00Z", "time_zone": "UTC"}
    member = {"type": "user_member", "user_id": "ann"}
    turns = {"type": "rotating_member_assignment_strategy", "shifts_per_member": 1, "members": [member]}
    event = {"id": "e", "name": "Days", "start_time": start, "end_time": end, "recurrence": ["RRULE:FREQ=DAILY"]}
    event |= {"effective_since": start["date_time"], "assignment_strategy": turns}
    times = {"start_time": "2026-12-01T09:00:00Z", "end_time": "2026-12-01T12:00:00Z"}
    bob = {"type": "user_member", "user_id": "bob"}
    stand_in = {"id": "so1", "rotation_id": "r", **times, "overridden_member": member, "overriding_member": bob}
    custom = {"id": "sc1", "assignments": [{"member": bob}], "start_time": "2026-12-02T00:00:00Z"}
    custom |= {"end_time": "2026-12-02T04:00:00Z"}
    over = {**stand_in, "id": "so0", "start_time": "2026-01-01T09:00:00Z", "end_time": "2026-01-01T12:00:00Z"}
    made = {"id": "sh1", "name": "Shifts", "time_zone": "UTC", "rotations": [{"id": "r", "events": [event]}]}
    return made | {"overrides": [stand_in, over], "custom_shifts": [custom]} | more


def test_overrides_and_custom_shifts_of_a_shift_based_schedule_are_counted():
    mapped = map_rows({"users": USERS, "schedules_v3": [shifts()]}, THERE)
    assert grades(mapped, "overrides") == {"so1": "exact", "sc1": "exact"}


def test_they_stay_behind_with_a_schedule_that_is_held():
    mapped = map_rows({"users": USERS, "schedules_v3": [shifts(time_zone="Middle/Earth")]}, THERE)
    assert grades(mapped, "overrides") == {"so1": "lost", "sc1": "lost"}
    assert reason(mapped, "overrides", "so1") == "its schedule is not carried over"
    assert all(held.open_question for held in mapped.held)


def test_those_of_a_shift_based_schedule_out_of_scope_and_beyond_the_horizon():
    """Out of scope they are counted there. Beyond the dates that are written now they are not said to be exact."""
    late = {"start_time": "2027-09-06T09:00:00Z", "end_time": "2027-09-06T12:00:00Z"}
    ahead = {"start_time": "2027-01-04T09:00:00Z", "end_time": "2027-01-04T12:00:00Z"}
    [first, _] = shifts()["overrides"]
    far = [{**first, "id": "so2", **ahead}, {**first, "id": "so3", **late}]
    made = shifts(overrides=[*shifts()["overrides"], *far])
    mapped = map_rows({"users": USERS, "schedules_v3": [made]}, THERE)
    assert grades(mapped, "overrides") == dict.fromkeys(("so1", "sc1", "so2", "so3"), "exact")
    assert who_is_on(mapped, late) == ["bob@example.com"], "its rule has a period: only the override has dates"
    made["rotations"][0]["events"][0]["recurrence"] = ["RRULE:FREQ=MONTHLY;BYDAY=1MO"]
    monthly = map_rows({"users": USERS, "schedules_v3": [made]}, THERE)
    assert grades(monthly, "overrides") == {"so1": "exact", "sc1": "exact", "so2": "exact", "so3": "changed"}
    assert "is written by a later run" in reason(monthly, "overrides", "so3")
    assert (who_is_on(monthly, ahead), who_is_on(monthly, late)) == (["bob@example.com"], [])
    scoped = {"users": USERS, "schedules_v3": [made], "schedules": [schedule("ps1", layer(["ann"]))]}
    for chosen, number in ((["sh1"], 0), (["ps1"], 4)):
        reasons = choose_scope(read_account(scoped), Scope(schedules=chosen))
        assert count_out_of_scope(read_account(scoped), reasons, True)["overrides"] == number


def who_is_on(mapped, times):
    """In Harness, at the start of it."""
    at = int(datetime.fromisoformat(times["start_time"]).timestamp())
    [made] = [wish for wish in mapped.desired if wish.kind == "schedules"]
    there = Schedule.model_validate({"identifier": made.identifier, **made.fields})
    return sorted(render_schedule(there, at, at + 60).people_at(at))


def test_nobody_stands_in_what_is_over_of_a_shift_based_schedule():
    """An event that has ended, one that ends before it starts, a custom shift and an override of last year."""
    made = shifts(overrides=[], custom_shifts=[])
    [event] = made["rotations"][0]["events"]
    cat = {"type": "rotating_member_assignment_strategy", "members": [{"type": "user_member", "user_id": "cat"}]}
    for number, until in enumerate(("2026-11-01T00:00:00Z", "2025-01-01T00:00:00Z")):
        ended = {**event, "id": f"e{number}", "assignment_strategy": cat, "effective_until": until}
        made["rotations"][0]["events"].append(ended)
    [_, over] = shifts()["overrides"]
    assert list_who(made) == ["ann"]
    assert list_who({**made, "overrides": [over]}) == ["ann"]
    [custom] = shifts()["custom_shifts"]
    past = {"start_time": "2026-01-02T00:00:00Z", "end_time": "2026-01-02T04:00:00Z"}
    assert list_who({**made, "custom_shifts": [{**custom, **past}]}) == ["ann"]
    assert list_who({**made, "custom_shifts": [custom]}) == ["ann", "bob"]
    assert list_who(shifts()) == ["ann", "bob"]


def list_who(row):
    record = read_account({"users": USERS, "schedules_v3": [row]}).all_schedules["sh1"]
    return sorted({user.id for user in list_standing(record, NOW)})


def read_account(rows):
    return Snapshot("acme", NOW, NOW, NOW + timedelta(days=56), rows).account


# --- many ---


def test_four_times_as_many_overrides_take_four_times_as_long():
    plan_overrides(10)  # what is read once, whatever comes
    few, many = count_lines(plan_overrides, 500), count_lines(plan_overrides, 2_000)
    assert few > 500
    assert many < 5 * few


def plan_overrides(number):
    entries = [override(("bob", "cat")[n % 2], 1 + n / 24, 1 + (n + 1) / 24) for n in range(number)]
    mapped = map_overrides(*entries)
    state = THERE.model_copy(update={"schedules": {"ps1_ps1": write_schedule(mapped)}})
    planned = plan_actions(mapped.desired, [], state, book(mapped), "preserve", mapped.questions, now=NOW)
    assert Counter(a.verb for a in planned.actions if a.kind == "overrides") == {"keep": number}


def count_lines(call, *arguments):
    """Lines of Python that it takes, every turn of a loop counted: the same on any machine."""
    counted = Counter()

    def trace(frame, event, argument):
        counted[event] += 1
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        call(*arguments)
    finally:
        sys.settrace(before)
    return counted["line"]


def write_schedule(mapped):
    rows = [w for w in mapped.desired if w.kind == "overrides"]
    overrides = [{**w.fields, "identifier": w.identifier.partition("/")[2]} for w in rows]
    [made] = [w for w in mapped.desired if w.kind == "schedules"]
    return Schedule.model_validate({"identifier": made.identifier, **made.fields, "overrides": overrides})


@pytest.mark.parametrize("step", [1, 7, 30])
def test_what_is_left_of_many_is_who_stands_in_by_pagerdutys_rule(step):
    """Every hour of a week, with overrides that overlap in every way: one person at a time, the one made last."""
    rows = [hours(("bob", "cat", "ann")[n % 3], n * step % 150, n * step % 150 + 1 + n * 13 % 40) for n in range(60)]
    entries = tuple(records.RenderedEntry.model_validate(row) for row in rows)
    left = [(s, e, (entry.user.id,)) for entry, spans in cut_overrides(entries) for s, e in spans]
    expected = read_entries(entries)
    assert sum(e - s for s, e, _ in left) == sum(e - s for s, e, _ in expected.entries)
    assert all(expected.people_at(s) == frozenset(who) == expected.people_at(e - 1) for s, e, who in left)
