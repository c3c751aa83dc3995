"""Two shift-based (v3) schedules of the embedded company: one in turns, one with two people at once."""

from pdmigrate.sandbox.company_shapes import API, SITE, refer, write_local

WEEKDAYS = "RRULE:FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR"


def build_v3_schedules(users: dict, teams: dict) -> list[dict]:
    """The schedules with their rotations, custom shifts and overrides."""
    shop = _event("PEVT01", "Shop hours", "Europe/London", ("2025-03-03T08:00", "2025-03-03T18:00"), WEEKDAYS)
    shop["assignment_strategy"] = _turns(users, "fiona raj james", 2)
    crew = _event(
        "PEVT02",
        "Sale days",
        "America/New_York",
        ("2025-03-01T09:00", "2025-03-01T21:00"),
        "RRULE:FREQ=WEEKLY;BYDAY=SA,SU",
    )
    crew["assignment_strategy"] = {"type": "every_member_assignment_strategy", "members": _members(users, "tom aisha")}
    stores = _schedule(
        "PSHIFT01", "Store systems shifts", "Europe/London", [refer(teams["PTEAM08"])], shop, users, "fiona raj james"
    )
    commanders = _schedule("PSHIFT02", "Incident commanders", "America/New_York", [], crew, users, "tom aisha")
    commanders["custom_shifts"] = [_custom_shift(users)]
    stores["overrides"] = [_override(users)]
    return [stores, commanders]


def refer_v3(schedule: dict) -> dict:
    """The reference to a v3 schedule, as escalation policies have it."""
    return {**refer({**schedule, "summary": schedule["name"]}), "type": "schedule_v3_reference"}


def _schedule(record_id: str, name: str, zone: str, teams: list, event: dict, users: dict, people: str) -> dict:
    rotation = {"id": f"PROT{record_id[-2:]}", "type": "schedule_rotation", "events": [event]}
    links = {"self": f"{API}/v3/schedules/{record_id}", "html_url": f"{SITE}/schedules/{record_id}"}
    record = {"id": record_id, "type": "schedule_v3", "name": name, "time_zone": zone, **links, "teams": teams}
    everyone = [refer(users[handle]) for handle in people.split()]
    parts = {"rotations": [rotation], "custom_shifts": [], "overrides": []}
    return {**record, "users": everyone, "escalation_policies": [], **parts}


def _event(event_id: str, name: str, zone: str, times: tuple[str, str], rule: str) -> dict:
    start, end = ({"date_time": write_local(time, zone), "time_zone": zone} for time in times)
    span = {"effective_since": start["date_time"], "effective_until": None}
    record = {"id": event_id, "type": "schedule_event", "name": name, "start_time": start, "end_time": end}
    return {**record, **span, "recurrence": [rule]}


def _turns(users: dict, people: str, shifts: int) -> dict:
    members = _members(users, people)
    return {"type": "rotating_member_assignment_strategy", "shifts_per_member": shifts, "members": members}


def _members(users: dict, people: str) -> list[dict]:
    return [{"type": "user_member", "user_id": users[handle]["id"]} for handle in people.split()]


def _custom_shift(users: dict) -> dict:
    [member] = _members(users, "lin")
    times = {"start_time": "2025-11-28T12:00:00Z", "end_time": "2025-11-29T00:00:00Z"}
    assignment = {"id": "PASS01", "type": "shift_assignment", "member": member}
    return {"id": "PCUST01", "type": "custom_shift", **times, "assignments": [assignment]}


def _override(users: dict) -> dict:
    fiona, sophie = _members(users, "fiona sophie")
    times = {"start_time": "2025-03-03T12:00:00Z", "end_time": "2025-03-03T18:00:00Z"}
    record = {"id": "PSOV01", "type": "override_shift", "rotation_id": "PROT01", **times}
    return {**record, "overridden_member": fiona, "overriding_member": sophie}
