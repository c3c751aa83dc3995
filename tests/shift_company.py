"""A corner of the embedded company with shift-based schedules that have all that such schedules may have."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from small_company import by_ids, cut_down

from pdmigrate.sandbox.company import build_company

LONDON, NEW_YORK = "Europe/London", "America/New_York"
ONLY_IN_SHIFTS = ("PUSER90", "Zadie Quill", "zadie.quill@harbourlane.example")
"""Stands in a shift-based schedule and nowhere else, and has no account in Harness."""


def build_shift_company(now):
    """A corner of the company whose first policy pages shift-based schedules too; `now` is the day around which
    exceptions and dated shifts lie."""
    whole = build_company(now, with_v3=True)
    _add_person(whole)
    schedules = [*whole["schedules_v3"], *_make_schedules(now)]
    document = cut_down(whole) | {"schedules_v3": schedules}
    for made in schedules:
        made |= {"teams": [], "escalation_policies": []}
        _page(document, made)
    known = {user["id"] for user in document["users"]}
    more = [user for user in by_ids(whole["users"], list_ids(schedules)) if user["id"] not in known]
    teams = [team["id"] for team in document["teams"]]
    document["users"] += [user | {"teams": by_ids(user["teams"], teams)} for user in more]
    return document


def build_whole_company(now):
    """The whole company with the same shift-based schedules."""
    whole = build_company(now, with_v3=True)
    _add_person(whole)
    for made in _make_schedules(now):
        whole["schedules_v3"].append(made)
        _page(whole, made)
    return whole


def _make_schedules(now):
    today = now.astimezone(ZoneInfo(LONDON)).replace(hour=0, minute=0, second=0, microsecond=0, tzinfo=None)
    monday = today - timedelta(days=today.weekday())
    return [_launch_desk(monday), _whole_crew(monday), _first_of_month(monday)]


def list_ids(value):
    """Every user id that is named in it."""
    if isinstance(value, list):
        return [id for one in value for id in list_ids(one)]
    if not isinstance(value, dict):
        return []
    own = [value["user_id"]] if "user_id" in value else [value["id"]] if value.get("type") == "user_reference" else []
    return own + [id for one in value.values() for id in list_ids(one)]


def _launch_desk(monday):
    """Two rotations at once with one person in both, a holiday, an empty place, a stand-in in one of the two only."""
    desk = event("PEVT10", "Desk", LONDON, monday - timedelta(weeks=4), 8, 10, "RRULE:FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR")
    desk["recurrence"].append(f"EXDATE:{monday + timedelta(weeks=2, days=2, hours=8):%Y%m%dT%H%M%S}")
    desk["assignment_strategy"] = in_turns("PUSER01 PUSER02 PUSER90", 5)
    night = event("PEVT11", "Night", LONDON, monday - timedelta(weeks=4), 0, 24, "RRULE:FREQ=DAILY")
    night["assignment_strategy"] = in_turns("PUSER02 - PUSER03", 1)
    made = schedule("PSHIFT10", "Launch desk", LONDON, [[desk], [night]])
    made["overrides"] = [
        stand_in("PSOV10", "PROT1000", None, monday + timedelta(weeks=3, days=2), 6, "PUSER02", "PUSER04"),
        stand_in("PSOV11", None, "PCUST10", monday + timedelta(days=12, hours=12), 4, "PUSER05", "PUSER06"),
    ]
    made["custom_shifts"] = [custom("PCUST10", monday + timedelta(days=12), 12, "PUSER05")]
    return made


def _whole_crew(monday):
    """Three people at once."""
    crew = event("PEVT12", "Crew", NEW_YORK, monday - timedelta(weeks=1), 9, 8, "RRULE:FREQ=WEEKLY;BYDAY=SA,SU")
    crew["assignment_strategy"] = {
        "type": "every_member_assignment_strategy",
        "members": members("PUSER07 PUSER08 PUSER09"),
    }
    return schedule("PSHIFT11", "Whole crew", NEW_YORK, [[crew]])


def _first_of_month(monday):
    """A rule without a fixed period: dates only."""
    closing = event(
        "PEVT13", "Closing the books", LONDON, datetime(2025, 1, 1), 9, 9, "RRULE:FREQ=MONTHLY;BYMONTHDAY=1"
    )
    closing["assignment_strategy"] = in_turns("PUSER10 PUSER11", 1)
    return schedule("PSHIFT12", "Books", LONDON, [[closing]])


def schedule(id, name, zone, rotations):
    """A v3 schedule; `rotations` are lists of events."""
    made = [
        {"id": f"PROT{id[-2:]}{n:02}", "type": "schedule_rotation", "events": own} for n, own in enumerate(rotations)
    ]
    links = {
        "self": f"https://api.pagerduty.com/v3/schedules/{id}",
        "html_url": f"https://harbourlane.pagerduty.com/schedules/{id}",
    }
    parts = {
        "rotations": made,
        "custom_shifts": [],
        "overrides": [],
        "escalation_policies": [],
        "teams": [],
        "users": [],
    }
    return {"id": id, "type": "schedule_v3", "name": name, "time_zone": zone, **links, **parts}


def event(id, name, zone, day, hour, length, rule):
    """An event from that day on, at that hour, for so many hours."""
    start = day.replace(tzinfo=ZoneInfo(zone), hour=hour)
    times = {
        k: {"date_time": at.isoformat(), "time_zone": zone}
        for k, at in (("start_time", start), ("end_time", start + timedelta(hours=length)))
    }
    span = {"effective_since": start.isoformat(), "effective_until": None}
    return {"id": id, "type": "schedule_event", "name": name, **times, **span, "recurrence": [rule]}


def in_turns(people, shifts):
    return {"type": "rotating_member_assignment_strategy", "shifts_per_member": shifts, "members": members(people)}


def members(people):
    """`-` is a place that is empty on purpose."""
    return [{"type": "empty_member"} if id == "-" else {"type": "user_member", "user_id": id} for id in people.split()]


def custom(id, day, hours, person):
    [member] = members(person)
    assignments = [{"id": f"{id}A", "type": "shift_assignment", "member": member}]
    return {"id": id, "type": "custom_shift", **times_from(day, hours), "assignments": assignments}


def stand_in(id, rotation, shift, day, hours, absent, present):
    [before], [after] = members(absent), members(present)
    meant = {"rotation_id": rotation} if rotation else {"custom_shift_id": shift}
    return {
        "id": id,
        "type": "override_shift",
        **meant,
        **times_from(day, hours),
        "overridden_member": before,
        "overriding_member": after,
    }


def times_from(day, hours):
    start = day.replace(hour=day.hour or 9, tzinfo=ZoneInfo("UTC"))
    return {"start_time": start.isoformat(), "end_time": (start + timedelta(hours=hours)).isoformat()}


def _add_person(document):
    id, name, email = ONLY_IN_SHIFTS
    person = {**document["users"][0], "id": id, "name": name, "summary": name, "email": email, "teams": []}
    document["users"].append(person | {"contact_methods": [], "notification_rules": []})


def _page(document, made):
    """The first policy's first level pages it too."""
    policy = document["escalation_policies"][0]
    reference = {k: made[k] for k in ("id", "self", "html_url")} | {
        "summary": made["name"],
        "type": "schedule_v3_reference",
    }
    policy["escalation_rules"][0]["targets"].append(reference)
    made["escalation_policies"].append(
        {"id": policy["id"], "type": "escalation_policy_reference", "summary": policy["name"]}
    )
