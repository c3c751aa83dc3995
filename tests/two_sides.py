"""Edits that people make in PagerDuty and in Harness, on the embedded pair's own documents, for every kind and field."""

import json
import re
from datetime import datetime


def see(held):
    """Harness's objects as people see them: (kind, identifier) to fields."""
    emails = {user["uuid"]: user["email"] for user in held["users"]}
    oncall = held["oncall"]
    seen = {("people", row["email"]): {} for row in (*held["users"], *held["invites"])}
    for row in _groups_of_project(held):
        members = frozenset(emails.get(uuid, uuid) for uuid in row["users"])
        seen["teams", row["identifier"]] = {"name": row["name"], "description": row["description"], "users": members}
    for row in held["services"]:
        paging = oncall["services"].get(f"default/sre/{row['identifier']}", {})
        rule = oncall.get("alert_rules", {}).get(f"default/sre/{row['identifier']}", {})
        seen["services", row["identifier"]] = {**paging, **row, "rule_policy": rule.get("escalation_policy")}
    for row in oncall.get("alert_rules", {}).values():
        if row["identifier"] != row["service"]:
            seen["alert_rules", row["identifier"]] = row
    for kind in ("schedules", "escalation_policies"):
        seen |= {(kind, row["identifier"]): row for row in oncall[kind].values()}
    for schedule in oncall["schedules"].values():
        for row in schedule["overrides"]:
            seen["overrides", f"{schedule['identifier']}/{row['identifier']}"] = row
    for kind, table in (("contact_methods", "contact_details"), ("notification_rules", "notification_rules")):
        seen |= {(kind, email): row for email, row in oncall[table].items()}
    return {
        place: {k: _freeze(v) if k == "methods" else v for k, v in row.items()} | list_parts(row)
        for place, row in seen.items()
    }


PARTS = {"users": str, "methods": lambda row: json.dumps(row, sort_keys=True), "rotations": lambda row: row["name"]}
"""Fields that are settled part by part, and what their parts are known by."""


def list_parts(row):
    """Each part as a field of its own, by field and name."""
    return {f"{field}/{name(part)}": part for field, name in PARTS.items() for part in row.get(field) or ()}


def compare(before, after):
    """What somebody has changed between two looks: (kind, identifier, field or part) to what it was and what it is."""
    pairs = [((kind, id), field) for side in (before, after) for (kind, id), row in side.items() for field in row]
    values = {
        (*place, field): (before.get(place, {}).get(field), after.get(place, {}).get(field)) for place, field in pairs
    }
    return {
        place: (was, now)
        for place, (was, now) in values.items()
        if was != now and place[2] not in PARTS and place[2] != "overrides"  # these are objects of their own
    }


def find_overrides(held, schedule):
    """PagerDuty's overrides of a schedule as (email, start, end), or None where it has no such schedule."""
    emails = {user["id"]: user["email"] for user in held["users"]}
    if schedule not in {row["id"] for row in held["schedules"]}:
        return None
    rows = held["overrides"].get(schedule, ())
    return {(emails.get(r["user"]["id"]), *(datetime.fromisoformat(r[at]) for at in ("start", "end"))) for r in rows}


def _freeze(rows):
    return frozenset(json.dumps(row, sort_keys=True) for row in rows)


def strip(held, id):
    """The object is gone from PagerDuty, and so is every reference to it but those of rotas to people."""
    if id in {policy["id"] for policy in held["escalation_policies"]}:
        held["services"] = [s for s in held["services"] if s["escalation_policy"]["id"] != id]
    for name in ("overrides", "team_members"):
        held[name].pop(id, None)
    for rows in held["team_members"].values():
        rows[:] = [row for row in rows if row["user"]["id"] != id]
    for kind in ("users", "teams", "schedules", "escalation_policies", "services"):
        held[kind] = [row for row in held[kind] if row["id"] != id]
        for row in held[kind]:
            row["teams"] = [team for team in row.get("teams") or () if team["id"] != id]
    left = {service["id"] for service in held["services"]}
    for policy in held["escalation_policies"]:
        policy["services"] = [service for service in policy.get("services") or () if service["id"] in left]
        for level in policy["escalation_rules"]:
            level["targets"] = [target for target in level["targets"] if target["id"] != id]


def list_paged(held, id):
    """The levels that change when this target is gone, as (kind, PagerDuty id, field)."""
    targets = {
        p["id"]: {t["id"] for level in p["escalation_rules"] for t in level["targets"]}
        for p in held["escalation_policies"]
    }
    return {("escalation_policies", policy, "levels") for policy, ids in targets.items() if id in ids}


def list_owned(held, team):
    """What changes hands when this team is gone or made anew."""
    rows = [(kind, row) for kind in ("schedules", "escalation_policies") for row in held[kind]]
    return {(kind, row["id"], "owner_group") for kind, row in rows if team in [t["id"] for t in row.get("teams") or ()]}


def recreate(held, old, new):
    """Deleted and made again just so: everything that named it names the new one."""
    text = re.sub(rf"\b{re.escape(old)}\b", new, json.dumps(held))
    held.clear()
    held.update(json.loads(text))


# --- in PagerDuty: each returns the fields that it has changed, as (kind, PagerDuty id, field) ---


def _word(kind, field, *also):
    def edit(held, pick, number):
        rows = held[kind]
        if not rows:
            return set()
        row = rows[pick % len(rows)]
        row[field] = f"Changed {field} {number}"  # no id: an object that is made anew gets another one
        return {(kind, row["id"], name) for name in (field, *also)}

    return edit


def _zone(held, pick, number):
    rows = held["schedules"]
    if not rows:
        return set()
    row = rows[pick % len(rows)]
    row["time_zone"] = ("Asia/Tokyo", "Europe/Madrid", "America/Chicago")[number % 3]
    return {("schedules", row["id"], field) for field in ("time_zone", "rotations")}


def _turn(held, pick, number):
    rows = held["schedules"]
    if not rows:
        return set()
    row = rows[pick % len(rows)]
    row["schedule_layers"][0]["rotation_turn_length_seconds"] = 86400 * (2 + number % 9)
    return {("schedules", row["id"], "rotations")}


def _delay(held, pick, number):
    rows = held["escalation_policies"]
    if not rows:
        return set()
    row = rows[pick % len(rows)]
    row["escalation_rules"][0]["escalation_delay_in_minutes"] = 10 + number
    return {("escalation_policies", row["id"], "levels")}


def _reaches(held, pick, number):
    user = held["users"][pick % len(held["users"])]
    method = {"id": f"PCMX{number}", "type": "email_contact_method", "label": "Work", "summary": "Work"}
    user["contact_methods"].append({**method, "address": f"more{number}@acme.example"})
    return {("contact_methods", user["id"], "methods")}


def _waits(held, pick, number):
    user = held["users"][pick % len(held["users"])]
    for rule in user["notification_rules"][-1:]:
        rule["start_delay_in_minutes"] = 10 + number
    return {("notification_rules", user["id"], "steps")}


def _joins(held, pick, number):
    team = next(iter(held["team_members"]), None)
    if team is None:
        return set()
    user = held["users"][pick % len(held["users"])]
    rows = held["team_members"][team]
    others = [row for row in rows if row["user"]["id"] != user["id"]]
    here = len(others) < len(rows)
    held["team_members"][team] = others if here else [*rows, {"user": {"id": user["id"], "type": "user_reference"}}]
    user["teams"] = [t for t in user["teams"] if t["id"] != team] + ([] if here else [{"id": team}])
    return {("teams", team, "users")}


SOURCE_EDITS = [
    *(_word(kind, "name", "description") for kind in ("teams", "schedules", "escalation_policies", "services")),
    *(_word(kind, "description") for kind in ("teams", "schedules", "escalation_policies", "services")),
    *(_zone, _turn, _delay, _reaches, _waits, _joins),
]


# --- in Harness: what they change is found by looking before and after ---


def _set(kind, field, make):
    def edit(held, pick, number):
        rows = _rows(held, kind)
        if not rows:
            return
        row = rows[pick % len(rows)]
        row[field] = make(row.get(field), number)

    return edit


def _rows(held, kind):
    oncall = held["oncall"]
    if kind in ("teams", "services"):
        return _groups_of_project(held) if kind == "teams" else held["services"]
    table = "contact_details" if kind == "contact_methods" else kind
    return [oncall[table][key] for key in sorted(oncall[table])]


def _stand_in(held, pick, number):
    found = [row for s in held["oncall"]["schedules"].values() for row in s["overrides"]]
    if not found:
        return
    row = found[pick % len(found)]
    row["person"] = held["users"][number % len(held["users"])]["email"]


def _stand_longer(held, pick, number):
    found = [row for s in held["oncall"]["schedules"].values() for row in s["overrides"]]
    if not found:
        return
    row = found[pick % len(found)]
    row["end"] = f"2099-01-01T00:{number % 60:02}:00Z"


def _takes_in(held, pick, number):
    """Somebody who was no member: whoever was one already may leave with PagerDuty."""
    groups = _groups_of_project(held)
    group = groups[pick % len(groups)] if groups else {"users": ()}
    others = [user for user in held["users"] if user["uuid"] not in group["users"]]
    if not groups or not others:
        return
    user = others[number % len(others)]
    group["users"].append(user["uuid"])


def _groups_of_project(held):
    """Those that a schedule or a policy of the project may name; others have groups of the same identifier."""
    return [group for group in held["user_groups"] if group.get("projectIdentifier") == "sre"]


def _owned_by(kind):
    def edit(held, pick, number):
        rows, groups = _rows(held, kind), _groups_of_project(held)
        if not rows or not groups:
            return
        row = rows[pick % len(rows)]
        row["owner_group"] = groups[number % len(groups)]["identifier"]

    return edit


def _list_services(held):
    """Those that are there: what a removed one leaves behind nobody looks at."""
    there = {f"default/sre/{row['identifier']}" for row in held["services"]}
    return sorted(there & held["oncall"]["services"].keys())


def _hushed(held, pick, number):
    """The alert rule and the service's own switch are one in Harness."""
    keys = _list_services(held)
    if not keys:
        return
    key = keys[pick % len(keys)]
    for shelf in ("services", "alert_rules"):
        if key in held["oncall"][shelf]:
            held["oncall"][shelf][key]["paging"] = number % 2 == 0


def _pointed_elsewhere(held, pick, number):
    """The alert rule of a service goes before the service's own policy."""
    rules = [key for key in _list_services(held) if key in held["oncall"].get("alert_rules", {})]
    policies = sorted(row["identifier"] for row in held["oncall"]["escalation_policies"].values())
    if not rules or not policies:
        return
    rule = held["oncall"]["alert_rules"][rules[pick % len(rules)]]
    rule["escalation_policy"] = policies[number % len(policies)]


def _second_rule(held, pick, number):
    """One more rule for a service, by any policy."""
    services = sorted(row["identifier"] for row in held["services"])
    policies = sorted(row["identifier"] for row in held["oncall"]["escalation_policies"].values())
    if not services or not policies:
        return
    name = f"by_hand_{number}"
    rule = {"identifier": name, "name": name, "service": services[pick % len(services)], "paging": True}
    rule |= {"escalation_policy": policies[number % len(policies)], "default_service": False}
    held["oncall"].setdefault("alert_rules", {})[f"default/sre/{name}"] = rule


def _targets_group(held, pick, number):
    """A level that pages a whole group."""
    policies, groups = _rows(held, "escalation_policies"), _groups_of_project(held)
    if not policies or not groups:
        return
    policy = policies[pick % len(policies)]
    target = {"type": "user_group", "id": groups[number % len(groups)]["identifier"]}
    first, *others = policy["levels"]
    policy["levels"] = [{**first, "targets": [t for t in first["targets"] if t != target] + [target]}, *others]


def _one_rotation_more(held, pick, number):
    """Beside those that PagerDuty has: rotations are settled one by one."""
    rows = [row for row in _rows(held, "schedules") if row["rotations"]]
    if not rows:
        return
    row = rows[pick % len(rows)]
    row["rotations"] = [*row["rotations"], {**row["rotations"][0], "name": f"By hand {number}"}]


def _fewer(kind, field):
    """One part is taken away, where more than one is there."""

    def edit(held, pick, number):
        rows = [row for row in _rows(held, kind) if len(row[field]) > 1]
        if rows:
            parts = rows[pick % len(rows)][field]
            del parts[number % len(parts)]

    return edit


def _other_zone(value, number):
    return ("Asia/Kolkata", "Europe/Paris", "America/Denver")[number % 3]


def _by_hand(value, number):
    return f"By hand {number}"


def _longer(levels, number):
    return [{**levels[0], "timeout_minutes": 40 + number}, *levels[1:]]


def _other_turn(rotations, number):
    return [{**rotations[0], "turn_seconds": 3600 * (number + 1)}, *rotations[1:]] if rotations else rotations


def _another(methods, number):
    return [*methods, {"type": "email", "address": f"own{number}@acme.example", "label": "Home"}]


def _later(steps, number):
    return [*steps[:-1], {**steps[-1], "wait_minutes": 60 + number}] if steps else steps


TARGET_EDITS = [
    *(_set(kind, "name", _by_hand) for kind in ("teams", "schedules", "escalation_policies", "services")),
    *(_set(kind, "description", _by_hand) for kind in ("teams", "schedules", "escalation_policies", "services")),
    _set("escalation_policies", "levels", _longer),
    _set("schedules", "rotations", _other_turn),
    _set("contact_methods", "methods", _another),
    _set("notification_rules", "steps", _later),
    _set("schedules", "time_zone", _other_zone),
    *(_owned_by(kind) for kind in ("schedules", "escalation_policies")),
    *(_stand_in, _stand_longer, _takes_in, _hushed),
    *(_pointed_elsewhere, _second_rule, _targets_group, _one_rotation_more),
    *(_fewer("schedules", "rotations"), _fewer("teams", "users"), _fewer("contact_methods", "methods")),
]
