"""What the on-call contract takes: bodies are checked to the last key, and the answer names what is wrong."""

import copy

from pdmigrate.sandbox import harness_oncall_fields as fields
from pdmigrate.sandbox.harness_document import Scope, find_group
from pdmigrate.sandbox.harness_rendering import read_instant


def _value_or_blank(body: dict, field: str, blank: object) -> object:
    """A null is as good as nothing where the field may be absent."""
    optional = blank is not fields.REQUIRED
    return copy.copy(blank) if field not in body or (optional and body[field] is None) else body[field]


class Checker:
    """Checks one body against what the account holds, and collects every complaint."""

    def __init__(self, document: dict, scope: Scope):
        self.document = document
        self.scope = scope
        self.wrong: list[tuple[str, str]] = []

    def _complain(self, field: str, reason: str | None) -> None:
        if reason:
            self.wrong.append((field, reason))

    def fill(self, body: object, shape: dict, place: str = "") -> dict | None:
        """The body with its defaults filled in, or None where it is too wrong to look into."""
        before = len(self.wrong)
        if not isinstance(body, dict):
            self._complain(place.rstrip(".") or "body", "must be an object")
            return None
        for field in body.keys() - shape.keys():
            self._complain(f"{place}{field}", "is not known")
        filled = {field: _value_or_blank(body, field, blank) for field, (_, blank) in shape.items()}
        for field, value in filled.items():
            self._complain(place + field, "is missing" if value is fields.REQUIRED else shape[field][0](value))
        return filled if len(self.wrong) == before else None

    def fill_list(self, bodies: list, shape: dict, place: str) -> list[dict | None]:
        return [self.fill(body, shape, f"{place}[{number}].") for number, body in enumerate(bodies)]

    def check_person(self, email: object, field: str) -> None:
        known = any(row["email"] == email for kind in ("users", "invites") for row in self.document[kind])
        wrong_form = fields.check_lower_email(email)
        self._complain(field, wrong_form or (None if known else f"{email} is neither a user nor invited"))

    def check_group(self, identifier: str | None, field: str) -> None:
        if identifier is not None and not find_group(self.document, self.scope, identifier):
            self._complain(field, f"user group {identifier} does not exist in this project")

    def check_policy(self, identifier: str | None) -> None:
        there = self.document["oncall"]["escalation_policies"]
        if identifier is not None and f"{self.scope.key}/{identifier}" not in there:
            self._complain("escalation_policy", f"escalation policy {identifier} does not exist")

    def check_order(self, start: str | None, end: str | None, field: str) -> None:
        if start and end and read_instant(start) >= read_instant(end):
            self._complain(field, "must be later than the start")

    def check_distinct(self, rows: list, names: tuple[str, ...], place: str) -> None:
        seen = [tuple(row[field] for field in names) for row in rows if row]
        for doubled in sorted({key for key in seen if seen.count(key) > 1}):
            self._complain(place, f"{' '.join(doubled)} stands there more than once")


def read_schedule(checker: Checker, body: object) -> dict | None:
    schedule = checker.fill(body, fields.SCHEDULE)
    if schedule is None:
        return None
    checker.check_group(schedule["owner_group"], "owner_group")
    rotations = checker.fill_list(schedule["rotations"], fields.ROTATION, "rotations")
    checker.check_distinct(rotations, ("name",), "rotations.name")
    for number, rotation in enumerate(rotations):
        if rotation:
            _read_rotation(checker, rotation, f"rotations[{number}]")
    return schedule | {"rotations": rotations}


def _read_rotation(checker: Checker, rotation: dict, place: str) -> None:
    rotation["windows"] = checker.fill_list(rotation["windows"], fields.WINDOW, f"{place}.windows")
    checker.check_order(rotation["since"], rotation["until"], f"{place}.until")
    for number, participant in enumerate(rotation["participants"]):
        if participant is not None:
            checker.check_person(participant, f"{place}.participants[{number}]")


def read_override(checker: Checker, body: object) -> dict | None:
    override = checker.fill(body, fields.OVERRIDE)
    if override:
        checker.check_person(override["person"], "person")
        checker.check_order(override["start"], override["end"], "end")
    return override


def read_policy(checker: Checker, body: object) -> dict | None:
    policy = checker.fill(body, fields.POLICY)
    if policy is None:
        return None
    checker.check_group(policy["owner_group"], "owner_group")
    levels = checker.fill_list(policy["levels"], fields.LEVEL, "levels")
    for number, level in enumerate(levels):
        if level:
            _read_targets(checker, level, f"levels[{number}].targets")
    return policy | {"levels": levels}


def _read_targets(checker: Checker, level: dict, place: str) -> None:
    level["targets"] = checker.fill_list(level["targets"], fields.TARGET, place)
    checker.check_distinct(level["targets"], ("type", "id"), place)
    for number, target in enumerate(level["targets"]):
        if target:
            _check_target(checker, target, f"{place}[{number}].id")


def _check_target(checker: Checker, target: dict, field: str) -> None:
    if target["type"] == "user":
        checker.check_person(target["id"], field)
    elif target["type"] == "user_group":
        checker.check_group(target["id"], field)
    elif target["type"] == "rotation":
        _check_rotation(checker, target["id"], field)
    elif f"{checker.scope.key}/{target['id']}" not in checker.document["oncall"]["schedules"]:
        checker.wrong.append((field, f"schedule {target['id']} does not exist"))


def _check_rotation(checker: Checker, id: str, field: str) -> None:
    """SCHEDULE/ROTATION. A rotation that is renamed later is skipped without an error, as in the real one."""
    identifier, _, name = id.partition("/")
    schedule = checker.document["oncall"]["schedules"].get(f"{checker.scope.key}/{identifier}", {"rotations": []})
    if not any(rotation["name"] == name for rotation in schedule["rotations"]):
        checker.wrong.append((field, f"rotation {name} of schedule {identifier} does not exist"))


def read_alert_rule(checker: Checker, body: object) -> dict | None:
    rule = checker.fill(body, fields.ALERT_RULE)
    if rule is None:
        return None
    services = [row for row in checker.document["services"] if checker.scope.holds(row)]
    if not any(row["identifier"] == rule["service"] for row in services):
        checker.wrong.append(("service", f"service {rule['service']} does not exist in this project"))
    checker.check_policy(rule["escalation_policy"])
    return rule


def read_service(checker: Checker, body: object) -> dict | None:
    service = checker.fill(body, fields.SERVICE)
    if service is None:
        return None
    checker.check_group(service["owner_group"], "owner_group")
    checker.check_policy(service["escalation_policy"])
    return service


def read_contact_details(checker: Checker, body: object) -> dict | None:
    details = checker.fill(body, fields.CONTACT)
    if details is None:
        return None
    checker.check_person(details["email"], "email")
    return details | {"methods": _read_methods(checker, details["methods"], fields.LABELLED, "methods")}


def read_notification_rule(checker: Checker, body: object) -> dict | None:
    rule = checker.fill(body, fields.RULE)
    if rule is None:
        return None
    checker.check_person(rule["email"], "email")
    steps = checker.fill_list(rule["steps"], fields.STEP, "steps")
    for number, step in enumerate(steps):
        if step:
            step["methods"] = _read_methods(checker, step["methods"], fields.METHOD, f"steps[{number}].methods")
    return rule | {"steps": steps}


def _read_methods(checker: Checker, bodies: list, shape: dict, place: str) -> list[dict | None]:
    methods = checker.fill_list(bodies, shape, place)
    checker.check_distinct(methods, ("type", "address"), place)
    for number, method in enumerate(methods):
        reason = method and fields.check_address(method["type"], method["address"])
        if reason:
            checker.wrong.append((f"{place}[{number}].address", reason))
    return methods
