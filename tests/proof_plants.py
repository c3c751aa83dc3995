"""What can be planted in Harness: every change that a person could make of a field, of a part, of a whole object."""

import copy
import random
from dataclasses import dataclass
from datetime import datetime, timedelta

TABLES = {
    "schedules": "schedules",
    "policies": "escalation_policies",
    "services": "services",
    "alert rules": "alert_rules",
    "contact details": "contact_details",
    "notification rules": "notification_rules",
}


@dataclass(frozen=True)
class Plant:
    """One change. kind, field, how: what a table of results counts. apply: changes the stored document."""

    kind: str
    field: str
    how: str
    name: str
    apply: object

    def __str__(self):
        return f"{self.kind} {self.name}: {self.field} {self.how}"

    def describe(self):
        """What of it can be passed to another process."""
        return {"kind": self.kind, "field": self.field, "how": self.how, "name": self.name}


# --- the changes: of a value, of a list of parts ---


def shift(seconds):
    """A time of day, a naive or an aware moment, moved."""

    def edit(value):
        if value is None:
            return None
        if len(value) <= 8:
            moved = datetime.strptime(value, "%H:%M:%S") + timedelta(seconds=seconds)
            return f"{moved:%H:%M:%S}"
        moved = datetime.fromisoformat(value) + timedelta(seconds=seconds)
        return moved.isoformat().replace("+00:00", "Z")

    return edit


MINUTE, DAY = 60, 86_400
VALUES = {
    ("schedules", "time_zone", "another zone"): lambda v: "Asia/Tokyo" if v != "Asia/Tokyo" else "Europe/Lisbon",
    ("schedules", "name", "renamed"): lambda v: f"{v} by hand",
    ("schedules", "description", "altered"): lambda v: f"{v} by hand",
    ("schedules", "tags", "added"): lambda v: {**v, "team": "x"},
    ("schedules", "owner_group", "none"): lambda v: None,
    ("policies", "name", "renamed"): lambda v: f"{v} by hand",
    ("policies", "description", "altered"): lambda v: f"{v} by hand",
    ("policies", "tags", "added"): lambda v: {**v, "team": "x"},
    ("policies", "owner_group", "none"): lambda v: None,
    ("services", "owner_group", "none"): lambda v: None,
    ("alert rules", "name", "renamed"): lambda v: f"{v} by hand",
    ("alert rules", "default_service", "on"): lambda v: True,
    ("alert rules", "paging", "flipped"): lambda v: not v,
    ("alert rules", "escalation_policy", "none: the service's own"): lambda v: None,
}
"""(kind, field, how): the value it gets."""


def part(kind, list_of, field, how, edit):
    """A change of one part of a list: of a rotation, a level, a method, a step."""
    return kind, list_of, field, how, edit


def set_field(name, change):
    def edit(rows, at, pool):
        if name not in rows[at] or change(rows[at][name]) == rows[at][name]:
            return False
        rows[at][name] = change(rows[at][name])
        return True

    return edit


def drop(rows, at, pool):
    if len(rows) < 2:
        return False
    del rows[at]
    return True


def empty(rows, at, pool):
    rows.clear()
    return True


def swap(rows, at, pool):
    if at + 1 >= len(rows) or rows[at] == rows[at + 1]:
        return False
    rows[at], rows[at + 1] = rows[at + 1], rows[at]
    return True


def add_rotation(rows, at, pool):
    rows.append(
        {
            "name": "By hand",
            "participants": [pool.person],
            "anchor": "2024-01-01T09:00:00",
            "turn_seconds": 604800,
            "windows": [],
            "since": None,
            "until": None,
        }
    )
    return True


def people(change):
    """A change of a rotation's participants."""

    def edit(rows, at, pool):
        before = list(rows[at]["participants"])
        rows[at]["participants"] = change(before, pool)
        return bool(rows[at]["participants"]) and rows[at]["participants"] != before

    return edit


def windows(change):
    def edit(rows, at, pool):
        before = copy.deepcopy(rows[at]["windows"])
        rows[at]["windows"] = change(copy.deepcopy(before))
        return bool(before) and rows[at]["windows"] != before

    return edit


def first_window(name, change):
    return windows(lambda rows: [{**rows[0], name: change(rows[0][name])}, *rows[1:]] if rows else rows)


def within(name, days):
    """since or until, set to so many days from now."""

    def edit(rows, at, pool):
        rows[at][name] = (pool.now + timedelta(days=days)).strftime("%Y-%m-%dT%H:%M:%SZ")
        since, until = rows[at]["since"], rows[at]["until"]
        return not (since and until) or datetime.fromisoformat(since) < datetime.fromisoformat(until)

    return edit


def targets(change):
    def edit(rows, at, pool):
        before = list(rows[at]["targets"])
        rows[at]["targets"] = change(before, pool)
        return bool(rows[at]["targets"]) and rows[at]["targets"] != before

    return edit


def add_level(rows, at, pool):
    rows.insert(at, {"timeout_minutes": 5, "retries": 0, "targets": [{"type": "user", "id": pool.person}]})
    return True


def first_method(change):
    def edit(rows, at, pool):
        before = copy.deepcopy(rows[at]["methods"])
        rows[at]["methods"] = change(before)
        return bool(rows[at]["methods"]) and rows[at]["methods"] != before

    return edit


PARTS = [
    part("schedules", "rotations", "rotations", "one dropped", drop),
    part("schedules", "rotations", "rotations", "all dropped", empty),
    part("schedules", "rotations", "rotations", "one added", add_rotation),
    part("schedules", "rotations", "rotations", "two swapped", swap),
    part("schedules", "rotations", "name", "renamed", set_field("name", lambda v: f"{v} x")),
    part("schedules", "rotations", "participants", "two swapped", people(lambda p, _: [p[1], p[0], *p[2:]] if len(p) > 1 else p)),
    part("schedules", "rotations", "participants", "one dropped", people(lambda p, _: p[1:])),
    part("schedules", "rotations", "participants", "one is somebody else", people(lambda p, pool: [pool.person, *p[1:]])),
    part("schedules", "rotations", "participants", "one is nobody", people(lambda p, _: [None, *p[1:]])),
    part("schedules", "rotations", "participants", "one added", people(lambda p, pool: [*p, pool.person])),
    part("schedules", "rotations", "anchor", "a minute later", set_field("anchor", shift(MINUTE))),
    part("schedules", "rotations", "anchor", "a day later", set_field("anchor", shift(DAY))),
    part("schedules", "rotations", "turn_seconds", "a minute longer", set_field("turn_seconds", lambda v: v + 60)),
    part("schedules", "rotations", "turn_seconds", "twice as long", set_field("turn_seconds", lambda v: 2 * v)),
    part("schedules", "rotations", "since", "in ten days", within("since", 10)),
    part("schedules", "rotations", "until", "in twenty days", within("until", 20)),
    part("schedules", "rotations", "windows", "none: always open", windows(lambda rows: [])),
    part("schedules", "rotations", "windows", "one dropped", windows(lambda rows: rows[1:] or rows)),
    part("schedules", "rotations", "windows", "opens a minute later", first_window("start", shift(MINUTE))),
    part("schedules", "rotations", "windows", "a minute shorter", first_window("seconds", lambda v: v - 60)),
    part("schedules", "rotations", "windows", "a day later", first_window("day", lambda v: v % 7 + 1)),
    part("schedules", "overrides", "overrides", "one dropped", lambda rows, at, pool: rows.pop(at) is not None),
    part("schedules", "overrides", "person", "somebody else", lambda rows, at, pool: rows[at].update(person=pool.person) is None),
    part("schedules", "overrides", "start", "a minute later", set_field("start", shift(MINUTE))),
    part("schedules", "overrides", "end", "a minute earlier", set_field("end", shift(-MINUTE))),
    part("schedules", "overrides", "end", "a day later", set_field("end", shift(DAY))),
    part("policies", "levels", "levels", "one dropped", drop),
    part("policies", "levels", "levels", "two swapped", swap),
    part("policies", "levels", "levels", "one added", add_level),
    part("policies", "levels", "timeout_minutes", "a minute longer", set_field("timeout_minutes", lambda v: v + 1)),
    part("policies", "levels", "timeout_minutes", "ten minutes longer", set_field("timeout_minutes", lambda v: v + 10)),
    part("policies", "levels", "retries", "one more", set_field("retries", lambda v: v + 1)),
    part("policies", "levels", "targets", "one dropped", targets(lambda t, _: t[1:])),
    part("policies", "levels", "targets", "one added", targets(lambda t, pool: [*t, {"type": "user", "id": pool.person}])),
    part("policies", "levels", "targets", "somebody else", targets(lambda t, pool: [{"type": "user", "id": pool.person}])),
    part("policies", "levels", "targets", "another schedule", targets(lambda t, pool: [{"type": "schedule", "id": pool.schedule}])),
    part("contact details", "methods", "methods", "one dropped", drop),
    part("contact details", "methods", "methods", "all dropped", empty),
    part("contact details", "methods", "label", "another", set_field("label", lambda v: "Home" if v != "Home" else "Work")),
    part("contact details", "methods", "address", "another", lambda rows, at, pool: rows[at].update(type="email", address="x@acme.example") is None),
    part("notification rules", "steps", "steps", "one dropped", drop),
    part("notification rules", "steps", "steps", "two swapped", swap),
    part("notification rules", "steps", "wait_minutes", "a minute longer", set_field("wait_minutes", lambda v: v + 1)),
    part("notification rules", "steps", "methods", "an address that is nowhere", first_method(lambda m: [{"type": "email", "address": "gone@acme.example"}])),
]  # fmt: skip


@dataclass
class Pool:
    """What a plant puts in: somebody else, another schedule."""

    now: datetime
    person: str
    schedule: str
    policy: str


def list_plants(document, ledger, now):
    """Every plant that there is for what we carried over, in a fixed order."""
    ours = {entry.identifier for entry in ledger.values()}
    person = sorted(user["email"] for user in document["users"])[0]
    schedule = min(id for (kind, _), entry in ledger.items() if kind == "schedules" for id in [entry.identifier])
    policy = min(
        id for (kind, _), entry in ledger.items() if kind == "escalation_policies" for id in [entry.identifier]
    )
    pool = Pool(now, person, schedule, policy)
    oncall = document["oncall"]
    for kind, table in TABLES.items():
        for key in sorted(oncall[table]):
            row = oncall[table][key]
            name = row.get("identifier") or row["email"]
            if name in ours:
                yield from _plant_row(kind, table, key, name, row, pool)
    yield from _plant_people(document)


def _plant_row(kind, table, key, name, row, pool):
    for (of, field, how), change in VALUES.items():
        if of == kind and field in row and change(row[field]) != row[field]:
            yield Plant(kind, field, how, name, _set(table, key, field, change(row[field])))
    for of, list_of, field, how, edit in PARTS:
        if of == kind:
            for at in range(len(row[list_of])):
                if edit(copy.deepcopy(row[list_of]), at, pool):
                    yield Plant(kind, field, how, name, _edit(table, key, list_of, at, edit, pool))
                if how.startswith(("all", "one added")):
                    break
    if kind == "alert rules":
        yield Plant(kind, "escalation_policy", "another", name, _set(table, key, "escalation_policy", pool.policy))
        yield Plant(kind, "alert rule", "dropped", name, _drop(table, key))
        yield Plant(kind, "alert rule", "a second one", name, _second_rule(key, pool))
    if kind == "notification rules":
        yield Plant(kind, "rule", "dropped", name, _drop(table, key))
    if kind == "services":
        yield Plant(kind, "paging", "flipped", name, _flip(key))
        yield Plant(kind, "escalation_policy", "another", name, _set(table, key, "escalation_policy", pool.policy))


def _plant_people(document):
    for user in document["users"]:
        for field in ("disabled", "locked"):
            yield Plant("people", field, "on", user["email"], _account(user["email"], field))
        yield Plant("people", "account", "removed", user["email"], _account(user["email"], None))
    for group in document["user_groups"]:
        if group["users"] and not group["harnessManaged"]:
            yield Plant("groups", "users", "emptied", group["identifier"], _group(group["identifier"], "users", []))
            yield Plant(
                "groups", "description", "altered", group["identifier"], _group(group["identifier"], "description", "x")
            )
    for service in document["services"]:
        yield Plant(
            "CD services",
            "description",
            "altered",
            service["identifier"],
            _cd(service["identifier"], "description", "x"),
        )
        yield Plant(
            "CD services", "tags", "added", service["identifier"], _cd(service["identifier"], "tags", {"x": "y"})
        )


def _set(table, key, field, value):
    def apply(held):
        held["oncall"][table][key][field] = value
        if table == "alert_rules" and field == "paging" and key in held["oncall"]["services"]:
            held["oncall"]["services"][key]["paging"] = value

    return apply


def _edit(table, key, list_of, at, edit, pool):
    return lambda held: edit(held["oncall"][table][key][list_of], at, pool)


def _drop(table, key):
    def apply(held):
        del held["oncall"][table][key]
        if table == "alert_rules" and key in held["oncall"]["services"]:
            held["oncall"]["services"][key]["paging"] = False

    return apply


def _second_rule(key, pool):
    def apply(held):
        rule = held["oncall"]["alert_rules"][key]
        more = {**rule, "identifier": f"{rule['identifier']}_2", "paging": True, "escalation_policy": pool.policy}
        held["oncall"]["alert_rules"][f"{key}_2"] = more

    return apply


def _flip(key):
    def apply(held):
        paging = not held["oncall"]["services"][key]["paging"]
        for shelf in ("services", "alert_rules"):
            if key in held["oncall"][shelf]:
                held["oncall"][shelf][key]["paging"] = paging

    return apply


def _account(email, flag):
    def apply(held):
        if flag:
            next(user for user in held["users"] if user["email"] == email)[flag] = True
        else:
            held["users"] = [user for user in held["users"] if user["email"] != email]

    return apply


def _group(identifier, field, value):
    return lambda held: next(g for g in held["user_groups"] if g["identifier"] == identifier).update({field: value})


def _cd(identifier, field, value):
    return lambda held: next(s for s in held["services"] if s["identifier"] == identifier).update({field: value})


def choose(plants, number, seed):
    """A choice that has every kind of change in it, the rarest first, the same for a seed."""
    by_kind, chosen, turn = group_by_kind(plants, seed), [], 0
    while len(chosen) < number and any(len(group) > turn for group in by_kind):
        chosen += [group[turn] for group in by_kind if len(group) > turn]
        turn += 1
    return chosen[: max(number, 0)]


def group_by_kind(plants, seed):
    """The plants of each kind of change, in an order by lot."""
    by_kind = {}
    for plant in plants:
        by_kind.setdefault((plant.kind, plant.field, plant.how), []).append(plant)
    random_ = random.Random(seed)  # noqa: S311 - a choice of tests
    for group in by_kind.values():
        random_.shuffle(group)
    return list(by_kind.values())
