"""Shift-based schedules: rules and dates of every kind, what is claimed for how long, and what is in doubt."""

import math
import time
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from rota_cases import START
from test_rota_v3 import HORIZON, SINCE, UNTIL, member, names, weekly

from pdmigrate.mapping import schedules_v3
from pdmigrate.mapping.proof import CannotBeSaidError, judge, list_windows
from pdmigrate.mapping.rotations import TooManyDatedError
from pdmigrate.mapping.schedules_v3 import map_shifts
from pdmigrate.oncall import rota
from pdmigrate.pagerduty import rota_v3
from pdmigrate.pagerduty.account import Account
from pdmigrate.pagerduty.evidence import Rendering
from pdmigrate.pagerduty.rota_v3 import ShiftReading, render_schedule
from pdmigrate.pagerduty.v3_records import ScheduleV3

# --- dates that leave out, rules that never happen, and what is claimed ---

LONDON = ZoneInfo("Europe/London")


def change(schedule, **fields):
    """The schedule with its event otherwise."""
    event = schedule.rotations[0].events[0].model_copy(update=fields)
    return schedule.model_copy(update={"rotations": (schedule.rotations[0].model_copy(update={"events": (event,)}),)})


@pytest.mark.parametrize("end", ["effective_until", ";COUNT=5", ";UNTIL=20261103T000000Z"])
def test_exdates_behind_the_end_leave_one_rotation(end):
    rule = "RRULE:FREQ=WEEKLY" + (end if end.startswith(";") else "")
    holidays = ("EXDATE:20261228T090000", "EXDATE:20270104T090000")
    schedule = weekly(rule, *holidays)
    if end == "effective_until":
        schedule = change(schedule, effective_until=START + timedelta(days=20))
    named, _ = map_shifts(schedule, LONDON, SINCE - 30 * rota.DAY, HORIZON)
    assert len(named) == 1
    assert named[0].rotation.since < named[0].rotation.until


def test_a_rule_that_never_happens_pages_nobody():
    """Every seventh day from a Monday is no Tuesday."""
    named, fidelity = map_shifts(weekly("RRULE:FREQ=DAILY;INTERVAL=7;BYDAY=TU"), LONDON, SINCE, HORIZON)
    assert (named, fidelity.grade) == ([], "for_ever")
    named, _ = map_shifts(
        weekly("RRULE:FREQ=DAILY;INTERVAL=7;BYDAY=TU", "RDATE:20261222T090000"), LONDON, SINCE, HORIZON
    )
    assert [one.dated for one in named] == [True]


@pytest.mark.parametrize(
    "date, left_out",
    [
        ("EXDATE:20261228T090000", True),
        ("EXDATE:20261228T090000Z", True),
        ("EXDATE;TZID=Europe/Berlin:20261228T100000", True),
        ("EXDATE;TZID=Europe/Berlin:20261228T090000", False),
        ("EXDATE;VALUE=DATE:20261228", False),
        ("EXDATE:20261228", False),
    ],
)
def test_exdates_are_read_by_rfc_5545(date, left_out):
    schedule = weekly("RRULE:FREQ=WEEKLY", date)
    day = int(datetime(2026, 12, 28, 12, tzinfo=UTC).timestamp())
    assert (render_schedule(schedule, day, day + 3600).entries == ()) is left_out
    named, _ = map_shifts(schedule, LONDON, SINCE, HORIZON)
    drawn = rota.join([one.rotation.render(LONDON, SINCE, UNTIL) for one in named])
    assert drawn == render_schedule(schedule, SINCE, UNTIL)


def test_an_exdate_in_a_zone_that_nobody_knows_is_no_date():
    with pytest.raises(ValueError, match="Mars/Base"):
        render_schedule(weekly("RRULE:FREQ=WEEKLY", "EXDATE;TZID=Mars/Base:20261228T090000"), SINCE, UNTIL)


@pytest.mark.parametrize(
    "rule, length, rotations",
    [
        ("RRULE:FREQ=MINUTELY;INTERVAL=480", 8, 1),
        ("RRULE:FREQ=SECONDLY;INTERVAL=28800", 8, 1),
        ("RRULE:FREQ=HOURLY;INTERVAL=8", 8, 1),
        ("RRULE:FREQ=DAILY;BYHOUR=1,9,17", 8, 3),
        ("RRULE:FREQ=MINUTELY;INTERVAL=60;BYHOUR=9;BYDAY=MO,TU", 8, 2),
    ],
)
def test_the_same_shifts_by_rules_of_other_frequencies(rule, length, rotations):
    named, _ = map_shifts(weekly(rule, length=length, zone="Asia/Tokyo"), ZoneInfo("Asia/Tokyo"), SINCE, HORIZON)
    assert len(named) == rotations
    assert not any(one.dated for one in named)


@pytest.mark.parametrize(
    "rule",
    ["FREQ=SECONDLY", "FREQ=MINUTELY", "FREQ=SECONDLY;BYSETPOS=1;BYMINUTE=0", "FREQ=SECONDLY;UNTIL=20991231T000000Z"],
)
def test_rules_that_begin_all_the_time_are_refused_at_once(rule):
    begun = time.process_time()
    with pytest.raises((ValueError, CannotBeSaidError)):
        map_shifts(weekly(f"RRULE:{rule}"), LONDON, SINCE, HORIZON)
    assert time.process_time() - begun < 3


@pytest.mark.parametrize("hours", [48, 4 * 48])
@pytest.mark.parametrize("every, unit", [(36, "HOURLY"), (2_000, "MINUTELY"), (100_000, "SECONDLY")])
def test_a_shift_that_outlasts_its_period_is_one_rotation_a_period(hours, every, unit):
    """However little the lengths have in common: not one for each of the steps of minutes that both can be cut into."""
    period = every * {"HOURLY": 3600, "MINUTELY": 60, "SECONDLY": 1}[unit]
    schedule = weekly(f"RRULE:FREQ={unit};INTERVAL={every}", people=["ann", "bob"], length=hours, zone="Asia/Tokyo")
    named, fidelity = map_shifts(schedule, ZoneInfo("Asia/Tokyo"), SINCE, HORIZON)
    assert len(named) == math.ceil(hours * 3600 / period)
    assert sum(len(one.rotation.participants) for one in named) <= 2 * 400
    assert fidelity.grade == "for_ever"
    drawn = rota.join([one.rotation.render(ZoneInfo("Asia/Tokyo"), SINCE, UNTIL) for one in named])
    assert drawn == render_schedule(schedule, SINCE, UNTIL)


def test_shifts_that_run_into_one_another_are_claimed_as_far_as_they_were_drawn(monkeypatch):
    """One person all day, in shifts of a quarter of an hour: one entry, and a third of a million shifts in ten years."""
    monkeypatch.setattr(schedules_v3, "MOST_DRAWN", 20_000)
    schedule = weekly("RRULE:FREQ=MINUTELY;INTERVAL=15", people=["ann"], length=1, zone="Asia/Tokyo")
    counted = Counter()
    find_edges = rota_v3.find_edges
    monkeypatch.setattr(rota_v3, "find_edges", lambda *given: (counted.update(["shifts"]), find_edges(*given))[1])
    named, fidelity = map_shifts(schedule, ZoneInfo("Asia/Tokyo"), SINCE, HORIZON)
    assert len(named) == 4
    assert SINCE + 400 * rota.DAY < fidelity.until < SINCE + 3 * 365 * rota.DAY
    assert counted["shifts"] < 300_000


def test_hundreds_of_holidays_are_a_question():
    days = [START + timedelta(days=n) for n in range(900)]
    schedule = weekly("RRULE:FREQ=DAILY", *(f"EXDATE:{day:%Y%m%d}T090000" for day in days[::2]))
    begun = time.process_time()
    with pytest.raises(TooManyDatedError):
        map_shifts(schedule, LONDON, SINCE, HORIZON)
    assert len(map_shifts(schedule, LONDON, SINCE, HORIZON, most=5000)[0]) > 400
    assert time.process_time() - begun < 8


def test_a_rule_of_five_days_is_claimed_until_a_start_meets_a_change_of_the_clock():
    """Half past one at night, every fifth day: the clock shows it twice on one Sunday in October of some year."""
    begin = datetime(2026, 10, 5, 1, 30, tzinfo=LONDON)
    times = {
        name: schedule_time.model_copy(update={"date_time": begin + timedelta(hours=hours)})
        for (name, schedule_time), hours in zip(
            (("start_time", weekly("RRULE:FREQ=DAILY").rotations[0].events[0].start_time),
             ("end_time", weekly("RRULE:FREQ=DAILY").rotations[0].events[0].end_time)), (0, 8), strict=True)
    }  # fmt: skip
    schedule = change(weekly("RRULE:FREQ=DAILY;INTERVAL=5"), **times, effective_since=begin)
    named, fidelity = map_shifts(schedule, LONDON, SINCE, HORIZON)
    assert UNTIL < fidelity.until < SINCE + 3653 * rota.DAY
    drawn = rota.join([one.rotation.render(LONDON, SINCE, fidelity.until) for one in named])
    assert drawn == render_schedule(schedule, SINCE, fidelity.until)
    day = fidelity.until + rota.DAY
    assert rota.join([one.rotation.render(LONDON, SINCE, day) for one in named]) != render_schedule(
        schedule, SINCE, day
    )


def test_what_stands_in_behind_the_months_that_are_compared_is_written_as_well():
    day = START + timedelta(days=450)
    stand_in = {"id": "O1", "rotation_id": "R", "start_time": day, "end_time": day + timedelta(days=14)}
    stand_in |= {"overridden_member": member("bob"), "overriding_member": member("fay")}
    schedule = ScheduleV3.model_validate(weekly("RRULE:FREQ=WEEKLY").model_dump() | {"overrides": [stand_in]})
    named, _ = map_shifts(schedule, LONDON, SINCE, HORIZON)
    assert any("fay" in one.rotation.participants for one in named)


def test_the_event_that_is_on_now_keeps_the_name_of_the_one_that_has_ended():
    """Somebody was offboarded: the event was ended, and goes on under its name, with its start and its rule."""
    schedule, cut = weekly("RRULE:FREQ=WEEKLY", people=("ann", "bob")), START - timedelta(days=5)
    old = schedule.rotations[0].events[0]
    new = old.model_copy(update={"id": "A2", "effective_since": cut})
    ended = old.model_copy(update={"effective_until": cut})
    for events in ((ended, new), (new, ended)):
        both = schedule.model_copy(update={"rotations": (schedule.rotations[0].model_copy(update={"events": events}),)})
        assert names(both) == ["Shop"]


# --- readings ---


def judged(schedule, *shown):
    return judge(as_account(schedule, *shown), schedule, LONDON)


def as_account(schedule, *shown):
    empty = {kind: {} for kind in ("users", "teams", "schedules", "policies", "services")}
    until = START + timedelta(days=56)
    account = Account("acme", START, START, until, problems=(), inventory={}, schedules_v3={"PV3": schedule}, **empty)
    return replace(account, renderings={"PV3": tuple(shown)})


def show(schedule, reading, span):
    drawn = render_schedule(schedule, *span, reading)
    shifts = [
        {"start_time": rota.to_datetime(s), "end_time": rota.to_datetime(e), "member": member(person)}
        for s, e, people in drawn.entries
        for person in people
    ]
    since, until = map(rota.to_datetime, span)
    return Rendering.model_validate({"since": since, "until": until, "computed_shift_assignments": shifts})


NIGHTS = weekly("RRULE:FREQ=DAILY", people=("ann", "bob", "cat"), length=24)


@pytest.mark.parametrize(
    "schedule, readings",
    [
        (change(NIGHTS), [ShiftReading(), ShiftReading(length="elapsed")]),
        (weekly("RRULE:FREQ=WEEKLY", "EXDATE:20261130T090000"), [ShiftReading(), ShiftReading(left_out="counted")]),
        (weekly("RRULE:FREQ=WEEKLY", "RDATE:20261202T090000"), [ShiftReading(), ShiftReading(added="apart")]),
        (change(weekly("RRULE:FREQ=WEEKLY"), effective_since=datetime(2026, 11, 9, 8, tzinfo=UTC)),
         [ShiftReading(), ShiftReading(since="effective_since")]),
        (weekly("RRULE:FREQ=WEEKLY", "EXDATE;VALUE=DATE:20261207"), [ShiftReading(), ShiftReading(days="whole")]),
    ],
    ids=["nights", "exdate", "rdate", "effective since", "a day"],
)  # fmt: skip
def test_what_pagerduty_does_not_document_is_in_doubt_until_it_shows_it(schedule, readings):
    judgement = judged(schedule)
    assert judgement.reading == readings[0]
    _, fidelity = map_shifts(schedule, LONDON, SINCE, HORIZON, judgement)
    assert (fidelity.grade, fidelity.until) == ("until", judgement.doubts[0])
    windows = list(list_windows(as_account(schedule), in_doubt=True))
    for reading in readings:
        found = judged(schedule, *(show(schedule, reading, span) for span in windows))
        assert (found.reading, found.differing, found.doubts) == (reading, 0, ())
        named, _ = map_shifts(schedule, LONDON, SINCE, HORIZON, found)
        drawn = rota.join([one.rotation.render(LONDON, SINCE, UNTIL) for one in named])
        assert drawn == render_schedule(schedule, SINCE, UNTIL, reading)


# --- ten years are looked at where both sides may part, once a whole round was compared ---


def test_what_came_round_is_not_drawn_for_ten_years(monkeypatch):
    drawn, draw = [], schedules_v3.list_shifts
    monkeypatch.setattr(schedules_v3, "list_shifts", lambda *given: drawn.append(given) or draw(*given))
    _, fidelity = map_shifts(weekly("RRULE:FREQ=WEEKLY"), LONDON, SINCE, HORIZON)
    assert (fidelity.grade, drawn) == ("for_ever", [])
    monkeypatch.setattr(schedules_v3, "_comes_round", lambda *_: False)
    assert map_shifts(weekly("RRULE:FREQ=WEEKLY"), LONDON, SINCE, HORIZON)[1] == fidelity
    assert len(drawn) > 30


@pytest.mark.parametrize("minute", range(0, 240, 30))
@pytest.mark.parametrize("hours", [1, 24])
def test_it_is_claimed_for_as_long_as_by_the_dates_of_ten_years(monkeypatch, minute, hours):
    """A shift of every Friday: the clock changes on Sundays in London, and on Fridays in Jerusalem, where it meets some shifts."""
    zone = ZoneInfo("Asia/Jerusalem")
    begin = datetime(2026, 1, 2, minute // 60, minute % 60, tzinfo=zone)
    schedule = weekly("RRULE:FREQ=WEEKLY;INTERVAL=3;BYDAY=FR", zone=zone.key)
    moment = schedule.rotations[0].events[0].start_time
    start, end = (moment.model_copy(update={"date_time": begin + timedelta(hours=later)}) for later in (0, hours))
    schedule = change(schedule, start_time=start, end_time=end, effective_since=begin)
    found = map_shifts(schedule, zone, SINCE, HORIZON)
    monkeypatch.setattr(schedules_v3, "_comes_round", lambda *_: False)
    assert map_shifts(schedule, zone, SINCE, HORIZON) == found
