"""Harness's rules for identifiers, names and the other short fields: each function says what is wrong, or None."""

import re
from collections.abc import Callable

from pdmigrate.sandbox.store import Json

IDENTIFIER = re.compile(r"[a-zA-Z_][0-9a-zA-Z_$]{0,127}")
NAME = re.compile(r"[A-Za-z0-9\-_. /]{1,128}")
EMAIL = re.compile(r"[^\s@,;<>()\[\]\"]+@[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?")
WORDS = (
    "or and eq ne lt gt le ge div mod not null true false new var return step parallel stepGroup org account class "
    "shellScriptProvisioner"
)
RESERVED = frozenset(WORDS.split())
BUILT_IN_GROUPS = ("_account_all_users", "_organization_all_users", "_project_all_users")
Check = Callable[[object], str | None]


def check_identifier(value: object) -> str | None:
    if not isinstance(value, str) or not IDENTIFIER.fullmatch(value):
        return "Invalid Identifier"
    return "Invalid Identifier: it is a reserved word" if value in RESERVED else None


def check_name(value: object) -> str | None:
    if not isinstance(value, str) or not value.strip():
        return "cannot be empty"
    allowed = "can only contain alphanumeric, -, _, ., / and space characters, 128 at most"
    return None if NAME.fullmatch(value) else allowed


def check_filled(value: object) -> str | None:
    return None if isinstance(value, str) and value.strip() else "cannot be empty"


def check_description(value: object) -> str | None:
    if value is None or (isinstance(value, str) and len(value) <= 1024):
        return None
    return "size must be between 0 and 1024"


def check_tags(value: object) -> str | None:
    if value is None:
        return None
    if not isinstance(value, dict) or not all(isinstance(text, str) for text in value.values()):
        return "must map text to text"
    return "size must be between 0 and 128" if len(value) > 128 else None


def check_email(value: object) -> str | None:
    return None if isinstance(value, str) and EMAIL.fullmatch(value) else "must be a well-formed email address"


def list_wrong(body: Json, checks: dict[str, Check]) -> list[tuple[str, str]]:
    """The fields of `body` that do not pass, with the reasons."""
    found = [(field, check(body.get(field))) for field, check in checks.items()]
    return [(field, reason) for field, reason in found if reason]
