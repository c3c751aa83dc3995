"""What the on-call contract takes: each body is a strict model, checked to the last key and against the account."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Annotated, Any, Literal
from zoneinfo import available_timezones

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, ValidationInfo, model_validator
from pydantic_core import PydanticCustomError

from pdmigrate.sandbox.harness_document import Scope, find_group
from pdmigrate.sandbox.harness_names import (
    Check,
    check_description,
    check_email,
    check_identifier,
    check_name,
    check_tags,
)
from pdmigrate.sandbox.harness_rendering import read_instant
from pdmigrate.sandbox.store import Json

SERVED = ("54", "55", "1", "86", "506", "357", "45", "91", "972", "52", "373", "31", "40", "381", "386", "44")
# area codes behind +1 that are neither the United States nor Canada
ELSEWHERE = re.compile("1(242|246|264|268|284|345|441|473|649|658|664|721|758|767|784|809|829|849|868|869|876)")


@dataclass(frozen=True)
class Account:
    """What a body is checked against: what the server holds, and the project that the path names."""

    document: Json
    scope: Scope

    def shelf(self, kind: str) -> Json:
        """The rows of one kind in this project, by identifier."""
        start = f"{self.scope.key}/"
        rows = self.document["oncall"].get(kind, {})
        return {key.removeprefix(start): row for key, row in rows.items() if key.startswith(start)}


def _rule(check: Check) -> AfterValidator:
    """A value by itself. `check` says what is wrong with it, or None."""

    def apply(value: Any) -> Any:
        reason = check(value)
        if reason:
            raise PydanticCustomError("rule", "{reason}", {"reason": reason})
        return value

    return AfterValidator(apply)


def _reference(find_fault: Callable[[Any, Account], str | None]) -> AfterValidator:
    """A value that names something of the account. `find_fault` says what is not there, or None."""

    def apply(value: Any, info: ValidationInfo) -> Any:
        reason = find_fault(value, info.context)  # type: ignore[arg-type]  # read_body always gives it
        if reason:
            raise PydanticCustomError("reference", "{reason}", {"reason": reason})
        return value

    return AfterValidator(apply)


@cache
def _zones() -> frozenset[str]:
    return frozenset(available_timezones())


def check_instant(value: Any) -> str | None:
    try:
        read_instant(value)
    except (TypeError, ValueError, OverflowError):
        return "must be an instant in ISO 8601 with an offset"
    return None


def _check_local(value: Any) -> str | None:
    try:
        naive = re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d)?", value) and datetime.fromisoformat(value)
    except ValueError:
        naive = None
    return None if naive else "must be a local time in ISO 8601 without an offset"


def _check_text(value: Any) -> str | None:
    good = value.strip() and len(value) <= 128 and value.isprintable()
    return None if good else "must be 1 to 128 printable characters"


def _check_lower_email(value: Any) -> str | None:
    return check_email(value) or (None if value == value.lower() else "must be in lower case")


def _find_no_person(email: str, account: Account) -> str | None:
    known = any(row["email"] == email for kind in ("users", "invites") for row in account.document[kind])
    return _check_lower_email(email) or (None if known else f"{email} is neither a user nor invited")


def _find_no_group(identifier: str, account: Account) -> str | None:
    known = find_group(account.document, account.scope, identifier)
    return None if known else f"user group {identifier} does not exist in this project"


def _find_no_policy(identifier: str, account: Account) -> str | None:
    known = identifier in account.shelf("escalation_policies")
    return None if known else f"escalation policy {identifier} does not exist"


def _find_no_service(identifier: str, account: Account) -> str | None:
    rows = filter(account.scope.holds, account.document["services"])
    known = any(row["identifier"] == identifier for row in rows)
    return None if known else f"service {identifier} does not exist in this project"


def _check_target(value: str, info: ValidationInfo) -> str:
    """A rotation is SCHEDULE/ROTATION; one that is renamed later is skipped without an error, as in the real one."""
    account: Account = info.context  # type: ignore[assignment]  # as above
    kind, reason = info.data.get("type"), None
    if kind == "user":
        reason = _find_no_person(value, account)
    elif kind == "user_group":
        reason = _find_no_group(value, account)
    elif kind in ("schedule", "rotation"):
        identifier, _, name = value.partition("/") if kind == "rotation" else (value, "", "")
        schedule = account.shelf("schedules").get(identifier)
        if not schedule:
            reason = f"schedule {identifier} does not exist"
        elif kind == "rotation" and not any(rotation["name"] == name for rotation in schedule["rotations"]):
            reason = f"rotation {name} of schedule {identifier} does not exist"
    if reason:
        raise PydanticCustomError("reference", "{reason}", {"reason": reason})
    return value


def _check_address(value: str, info: ValidationInfo) -> str:
    """An email, or a number in E.164 of a country that Harness serves."""
    kind, digits, reason = info.data.get("type"), value[1:], None
    if kind == "email":
        reason = check_email(value)
    elif kind and not re.fullmatch(r"\+[1-9]\d{6,14}", value):
        reason = "must be a number in E.164"
    elif kind and (not digits.startswith(SERVED) or ELSEWHERE.match(digits)):
        reason = "is in a country that is not served"
    if reason:
        raise PydanticCustomError("rule", "{reason}", {"reason": reason})
    return value


def _later_than(field: str) -> AfterValidator:
    def apply(value: str, info: ValidationInfo) -> str:
        start = info.data.get(field)
        if start and read_instant(start) >= read_instant(value):
            raise PydanticCustomError("reference", "must be later than the start")
        return value

    return AfterValidator(apply)


def _distinct(*fields: str, named: str = "") -> AfterValidator:
    """Rows that differ in these fields. A doubled one is told at the list, or at the field `named` of it."""

    def apply(rows: list[Any]) -> list[Any]:
        seen = [" ".join(getattr(row, field) for field in fields) for row in rows]
        doubled = sorted({key for key in seen if seen.count(key) > 1})
        if doubled:
            reason = f"{', '.join(doubled)} stands there more than once"
            raise PydanticCustomError("reference", "{reason}", {"reason": reason, "named": named})
        return rows

    return AfterValidator(apply)


Identifier = Annotated[str, _rule(check_identifier)]
Name = Annotated[str, _rule(check_name)]
Text = Annotated[str, _rule(_check_text)]
Email = Annotated[str, _rule(_check_lower_email)]
Instant = Annotated[str, _rule(check_instant)]
Person = Annotated[str, _reference(_find_no_person)]
Group = Annotated[Text, _reference(_find_no_group)]
PolicyName = Annotated[Identifier, _reference(_find_no_policy)]


class Body(BaseModel):
    """A null is as good as nothing where a field may be absent."""

    model_config = ConfigDict(strict=True, extra="forbid")

    @model_validator(mode="before")
    @classmethod
    def drop_nulls(cls, body: Any) -> Any:
        optional = {name for name, field in cls.model_fields.items() if not field.is_required()}
        if not isinstance(body, dict):
            return body
        return {name: value for name, value in body.items() if value is not None or name not in optional}


class Named(Body):
    identifier: Identifier
    name: Name
    description: Annotated[str, _rule(check_description)] = ""
    owner_group: Group | None = None
    tags: Annotated[Json, _rule(check_tags)] = {}


class Window(Body):
    day: Annotated[int, Field(ge=1, le=7)]
    start: Annotated[str, Field(pattern=r"^([01]\d|2[0-3]):[0-5]\d:[0-5]\d$")]
    seconds: Annotated[int, Field(ge=1, le=604800)]


class Rotation(Body):
    name: Text
    participants: Annotated[list[Person | None], Field(min_length=1)]
    anchor: Annotated[str, _rule(_check_local)]
    turn_seconds: Annotated[int, Field(ge=60, le=10**10)]
    windows: list[Window] = []
    since: Instant | None = None
    until: Annotated[Instant, _later_than("since")] | None = None


class Schedule(Named):
    time_zone: Annotated[str, _rule(lambda value: None if value in _zones() else "is no IANA time zone")]
    rotations: Annotated[list[Rotation], _distinct("name", named="name")]
    overrides: list[Any] = []


class Override(Body):
    identifier: Identifier
    person: Person
    start: Instant
    end: Annotated[Instant, _later_than("start")]


class Target(Body):
    type: Literal["user", "user_group", "schedule", "rotation"]
    id: Annotated[Text, AfterValidator(_check_target)]


class Level(Body):
    timeout_minutes: Annotated[int, Field(ge=1, le=100000)]
    retries: Annotated[int, Field(ge=0, le=100)] = 0
    targets: Annotated[list[Target], Field(min_length=1), _distinct("type", "id")]


class Policy(Named):
    levels: Annotated[list[Level], Field(min_length=1)]


class Service(Body):
    identifier: Identifier
    owner_group: Group | None = None
    escalation_policy: PolicyName | None = None
    paging: bool


class AlertRule(Body):
    identifier: Identifier
    name: Name
    service: Annotated[Identifier, _reference(_find_no_service)]
    paging: bool
    escalation_policy: PolicyName | None = None
    default_service: bool = False


class Method(Body):
    type: Literal["email", "phone", "sms"]
    address: Annotated[Text, AfterValidator(_check_address)]


class LabelledMethod(Method):
    label: Literal["Work", "Home", "Other"] = "Other"


class ContactDetails(Body):
    email: Person
    methods: Annotated[list[LabelledMethod], _distinct("type", "address")]


class Step(Body):
    methods: Annotated[list[Method], Field(min_length=1), _distinct("type", "address")]
    wait_minutes: Annotated[int, Field(ge=0, le=100000)]


class NotificationRule(Body):
    email: Person
    steps: list[Step]


def read_body(model: type[Body], body: Json, account: Account) -> tuple[Json, list[tuple[str, str]]]:
    """The body as it is to be stored, its defaults filled in; or what is wrong with it: pairs of a field and a reason.

    What does not exist is told only where the shape is right.
    """
    try:
        return model.model_validate(body, context=account).model_dump(), []
    except ValidationError as problem:
        errors = problem.errors()
        errors = [error for error in errors if error["type"] != "reference"] or errors
        return {}, [(_write_place(error["loc"], error.get("ctx", {})), error["msg"]) for error in errors]


def _write_place(location: tuple[int | str, ...], context: Json) -> str:
    parts = [*location, *filter(None, [context.get("named")])]
    text = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in parts)
    return text.removeprefix(".") or "body"
