"""Shift-based schedules: the rotations say what the events say, and the events what dateutil and a calendar say."""

import os
from collections import Counter
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from dateutil.rrule import rrulestr
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from rota_cases import PEOPLE, START, ZONES

from pdmigrate.mapping.schedules_v3 import map_shifts
from pdmigrate.mapping.shifts import map_event
from pdmigrate.oncall import rota
from pdmigrate.pagerduty import rota_v3
from pdmigrate.pagerduty.rota_v3 import list_shifts, render_schedule
from pdmigrate.pagerduty.v3_records import Event, ScheduleV3

CASES = int(os.environ.get("PDMIGRATE_CASES", "60"))
SINCE = int(START.timestamp())
HORIZON = SINCE + 56 * rota.DAY
UNTIL = SINCE + 400 * rota.DAY
SETTINGS = settings(
    max_examples=CASES, deadline=None, derandomize=CASES < 1000, suppress_health_check=list(HealthCheck), database=None
)
DAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")

hours = st.sampled_from([1, 4, 8, 9, 12, 24, 25, 48, 100, 168])
rules = st.one_of(
    st.builds(
        lambda days, every: f"FREQ=WEEKLY;INTERVAL={every};BYDAY={','.join(d for d in DAYS if d in days)}",
        st.sets(st.sampled_from(DAYS), min_size=1),
        st.integers(1, 3),
    ),
    st.builds(lambda every: f"FREQ=DAILY;INTERVAL={every}", st.integers(1, 4)),
    st.builds(lambda every: f"FREQ=HOURLY;INTERVAL={every}", st.sampled_from([6, 8, 12, 24, 36])),
    st.sampled_from(["FREQ=MONTHLY;BYMONTHDAY=1", "FREQ=MONTHLY;BYDAY=MO,TU,WE;BYSETPOS=-1", "FREQ=WEEKLY"]),
)
ends = st.one_of(
    st.just(""),
    st.just(""),
    st.builds(lambda n: f";COUNT={n}", st.integers(1, 300)),
    st.builds(lambda n: f";UNTIL={START + timedelta(days=n):%Y%m%dT%H%M%SZ}", st.integers(-30, 300)),
)


def member(name):
    return {"type": "user_member", "user_id": name} if name else {"type": "empty_member"}


@st.composite
def events(draw, number, zone):
    clock = datetime(2026, 10, 1) + timedelta(days=draw(st.integers(0, 90)), hours=draw(st.integers(0, 23)))
    length = timedelta(hours=draw(hours))
    begin, end = ((clock + add).replace(tzinfo=ZoneInfo(zone)) for add in (timedelta(0), length))
    people = draw(st.lists(st.sampled_from([*PEOPLE, None]), min_size=1, max_size=5))
    rotating = draw(st.integers(0, 3)) > 0
    kind = "rotating_member" if rotating else "every_member"
    dates = [
        f"{name}:{clock + timedelta(days=draw(st.integers(0, 120))):%Y%m%dT%H%M%S}"
        for name in draw(st.lists(st.sampled_from(["EXDATE", "RDATE"]), max_size=2))
    ]
    until = draw(st.sampled_from([None, None, (START + timedelta(days=77)).isoformat()]))
    return {
        "id": f"E{number}",
        "name": f"Event {number}",
        "start_time": {"date_time": begin.isoformat(), "time_zone": zone},
        "end_time": {"date_time": end.isoformat(), "time_zone": zone},
        "effective_since": draw(st.sampled_from([begin, START + timedelta(days=20)])).isoformat(),
        "effective_until": until,
        "recurrence": [f"RRULE:{draw(rules)}{draw(ends)}", *dates],
        "assignment_strategy": {
            "type": f"{kind}_assignment_strategy",
            "shifts_per_member": draw(st.integers(1, 7)) if rotating else None,
            "members": [member(name) for name in people],
        },
    }


@st.composite
def shift_schedules(draw):
    zone = draw(st.sampled_from(ZONES))
    rotations = [
        {"id": f"R{number}", "events": [draw(events(number, zone))]} for number in range(draw(st.integers(1, 3)))
    ]
    custom = [
        {"id": "C1", "start_time": (START + timedelta(days=9)).isoformat(), "end_time": (START + timedelta(days=10)).isoformat(),
         "assignments": [{"member": member("eve")}]}
    ] * draw(st.integers(0, 1))  # fmt: skip
    overrides = [
        {"id": "O1", "rotation_id": "R0", "start_time": (START + timedelta(days=3)).isoformat(),
         "end_time": (START + timedelta(days=30)).isoformat(), "overridden_member": member("ann"),
         "overriding_member": member("fay")}
    ] * draw(st.integers(0, 1))  # fmt: skip
    body = {"rotations": rotations, "custom_shifts": custom, "overrides": overrides}
    return {"id": "PV3", "name": "Shifts", "time_zone": zone, **body}


def shifts_by_dateutil(event):
    """(start, end, people) as instants, straight from the rule."""
    zone = ZoneInfo(event["start_time"]["time_zone"])
    given = (datetime.fromisoformat(event[name]["date_time"]) for name in ("start_time", "end_time"))
    begin, end = (moment.astimezone(zone).replace(tzinfo=None) for moment in given)
    lines = "\n".join(event["recurrence"])
    if "UNTIL=" in lines:
        text = lines.partition("UNTIL=")[2][:16]
        lines = lines.replace(text, f"{datetime.fromisoformat(text).astimezone(zone):%Y%m%dT%H%M%S}")
    strategy = event["assignment_strategy"]
    people = [m.get("user_id") for m in strategy["members"]]
    for number, start in enumerate(rrulestr(lines, dtstart=begin, forceset=True)):
        first, last = (t.replace(tzinfo=zone).astimezone(UTC).timestamp() for t in (start, start + (end - begin)))
        if first > UNTIL:
            return
        first = max(first, datetime.fromisoformat(event["effective_since"]).timestamp())
        if event["effective_until"]:
            last = min(last, datetime.fromisoformat(event["effective_until"]).timestamp())
        per = strategy["shifts_per_member"]
        who = [people[number // per % len(people)]] if per else people
        yield first, last, {p for p in who if p}


@SETTINGS
@given(shift_schedules())
def test_the_rendering_agrees_with_dateutil(schedule):
    plain = {**schedule, "custom_shifts": [], "overrides": []}
    drawn = render_schedule(ScheduleV3.model_validate(plain), SINCE, UNTIL)
    shifts = [shift for one in plain["rotations"] for event in one["events"] for shift in shifts_by_dateutil(event)]
    edges = sorted({e for s, f, _ in shifts for e in (int(s), int(f))} | {x for e in drawn.entries for x in e[:2]})
    asked = [instant for edge in edges for instant in (edge - 1, edge) if SINCE <= instant < UNTIL]
    for instant in asked[:: max(1, len(asked) // 300)]:
        expected = {p for s, f, who in shifts if s <= instant < f for p in who}
        assert drawn.people_at(instant) == expected, instant


@SETTINGS
@given(shift_schedules())
def test_the_rotations_have_the_same_people_as_the_events(schedule):
    """As long as the fidelity says; joined, since several people at once are meant."""
    record, zone = ScheduleV3.model_validate(schedule), ZoneInfo(schedule["time_zone"])
    said = map_shifts(record, zone, SINCE, HORIZON)
    assert said is not None
    named, fidelity = said
    until = min(UNTIL, fidelity.until or UNTIL)
    assert until > HORIZON
    drawn = [one.rotation.render(zone, SINCE, until) for one in named]
    assert rota.join(drawn) == render_schedule(record, SINCE, until)
    assert len({one.name for one in named}) == len(named)
    assert all(one.rotation.turn >= 60 and len(one.name) <= 128 for one in named)


@SETTINGS
@given(events(1, "Europe/London"), st.lists(st.sampled_from(PEOPLE), min_size=1, max_size=5))
def test_who_comes_and_goes_renames_no_rotation(event, others):
    """In Harness an escalation level that names a rotation is passed over in silence once that is called otherwise."""
    people = [one.get("user_id", "ann") for one in event["assignment_strategy"]["members"]]
    now, then = (name_rotations(event, members) for members in (people, others))
    if event["assignment_strategy"]["type"].startswith("every"):
        smaller, larger = sorted((now, then), key=len)
        assert set(smaller) <= set(larger)
    else:
        assert now == then


def name_rotations(event, people):
    strategy = event["assignment_strategy"] | {"members": [member(name) for name in people]}
    said = map_event(Event.model_validate(event | {"assignment_strategy": strategy}), "Shop", SINCE, SINCE)
    return [one.name for one in said or ()]


def weekly(rule, *extra, people=("ann", "bob"), per=1, length=8, zone="Europe/London"):
    begin = datetime(2026, 10, 5, 9, tzinfo=ZoneInfo(zone))
    strategy = {
        "type": "rotating_member_assignment_strategy",
        "shifts_per_member": per,
        "members": [*map(member, people)],
    }
    times = {k: {"date_time": (begin + timedelta(hours=h)).isoformat(), "time_zone": zone} for k, h in (("start_time", 0), ("end_time", length))}  # fmt: skip
    event = {"id": "E1", "name": "Shop", **times, "effective_since": begin.isoformat(), "recurrence": [rule, *extra], "assignment_strategy": strategy}  # fmt: skip
    return ScheduleV3.model_validate({"id": "PV3", "name": "Shop", "time_zone": zone, "rotations": [{"id": "R", "events": [event]}]})  # fmt: skip


@pytest.mark.parametrize(
    "schedule, rotations, grade",
    [
        (weekly("RRULE:FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR", per=5), 1, "for_ever"),
        (weekly("RRULE:FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR"), 5, "for_ever"),
        (weekly("RRULE:FREQ=DAILY", length=24), 1, "for_ever"),
        (weekly("RRULE:FREQ=WEEKLY;INTERVAL=2", length=336), 2, "for_ever"),
        (weekly("RRULE:FREQ=WEEKLY;COUNT=20"), 1, "for_ever"),
        (weekly("RRULE:FREQ=WEEKLY", "EXDATE:20261228T090000"), 2, "for_ever"),
        (weekly("RRULE:FREQ=WEEKLY", "EXDATE:20261012T090000"), 1, "for_ever"),
        (weekly("RRULE:FREQ=WEEKLY", "RDATE:20261222T090000"), 3, "for_ever"),
    ],
    ids="weeks-of-one-person each-day-another whole-days two-weeks count holiday past-holiday extra-day".split(),  # noqa: SIM905
)
def test_rotations_of_common_rules(schedule, rotations, grade):
    named, fidelity = map_shifts(schedule, ZoneInfo("Europe/London"), SINCE, HORIZON)
    assert (len(named), fidelity.grade) == (rotations, grade), [one.name for one in named]


def names(schedule, now=SINCE):
    return [one.name for one in map_shifts(schedule, ZoneInfo("Europe/London"), now, now + 56 * rota.DAY)[0]]


def test_the_part_that_is_on_now_has_the_rotations_own_name():
    """Before a holiday the part before it, afterwards the part after it."""
    schedule = weekly("RRULE:FREQ=WEEKLY", "EXDATE:20261228T090000")
    assert names(schedule) == ["Shop", "Shop from 2026-12-28 17.00.00"]
    assert names(schedule, SINCE + 42 * rota.DAY) == ["Shop"]


def test_somebody_stands_in_and_the_rotation_keeps_its_name():
    [day] = [datetime(2026, 12, 7, 9, tzinfo=UTC)]
    stand_in = {"id": "O1", "rotation_id": "R", "start_time": day, "end_time": day + timedelta(hours=4)}
    stand_in |= {"overridden_member": member("bob"), "overriding_member": member("fay")}
    schedule = weekly("RRULE:FREQ=WEEKLY")
    schedule = ScheduleV3.model_validate(schedule.model_dump() | {"overrides": [stand_in]})
    assert names(schedule) == ["Shop", "Shop from 2026-12-07 13.00.00", "Shift 2026-12-07 09.00.00"]


def test_of_two_events_of_one_name_the_older_keeps_it_wherever_it_stands():
    old, new = (weekly("RRULE:FREQ=WEEKLY").rotations[0].events[0].model_copy(update={"id": id}) for id in ("E1", "E2"))
    later = new.start_time.model_copy(update={"date_time": new.start_time.date_time + timedelta(days=1)})
    new = new.model_copy(update={"start_time": later, "end_time": later.model_copy(update={"date_time": later.date_time + timedelta(hours=8)})})  # fmt: skip
    whole = weekly("RRULE:FREQ=WEEKLY")
    for events in ((old, new), (new, old)):
        both = whole.model_copy(update={"rotations": (whole.rotations[0].model_copy(update={"events": events}),)})
        assert sorted(names(both)) == ["Shop", "Shop E2"]


def test_a_monthly_rule_is_written_with_dates_until_a_day_that_is_said():
    named, fidelity = map_shifts(weekly("RRULE:FREQ=MONTHLY;BYMONTHDAY=5"), ZoneInfo("Europe/London"), SINCE, HORIZON)
    assert fidelity.grade == "within_horizon"
    assert fidelity.until > HORIZON
    assert all(one.dated for one in named)


def replaced_every_third_day(number):
    """So many overrides of an hourly rotation, over as many shifts as they reach."""
    begins = [START + timedelta(days=3 * n) for n in range(number)]
    overrides = [
        {"id": f"O{n}", "rotation_id": "R", "overridden_member": member("ann"), "overriding_member": member("fay"),
         "start_time": begin.isoformat(), "end_time": (begin + timedelta(hours=4)).isoformat()}
        for n, begin in enumerate(begins)
    ]  # fmt: skip
    plain = weekly("RRULE:FREQ=HOURLY", length=1)
    return ScheduleV3.model_validate(plain.model_dump() | {"overrides": overrides})


def test_overrides_cost_as_many_tries_as_there_are_shifts_on_their_days(monkeypatch):
    tries = Counter()
    replace_member = rota_v3._replace_member
    monkeypatch.setattr(rota_v3, "_replace_member", lambda *given: tries.update(["all"]) or replace_member(*given))
    counts = []
    for number in (20, 80):
        tries.clear()
        shifts = list_shifts(replaced_every_third_day(number), SINCE, SINCE + 3 * number * rota.DAY)
        counts.append(tries["all"])
        assert sum(shift.member == "fay" for shift in shifts) in range(2 * number, 3 * number + 1)
    assert 3 * counts[0] < counts[1] < 5 * counts[0]
