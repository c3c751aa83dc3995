"""The form of PagerDuty's answers: what is asked for is there, and is what its API says. Else nothing is taken from it."""

from typing import Any

from pdmigrate.errors import IncompleteFetchError

Row = dict[str, Any]

KNOWN_BY_ID = frozenset(
    {
        "users",
        "teams",
        "schedules",
        "escalation_policies",
        "services",
        "orchestrations",
        "rulesets",
        "business_services",
        "maintenance_windows",
        "overrides",
        "custom_shifts",
    }
)
"""Lists whose rows are asked for again, or put together, by their id."""


def take_object(answer: Any, key: str, path: str) -> Row:
    """The object that an answer holds under this key. Raises IncompleteFetchError where there is none."""
    found = answer.get(key) if isinstance(answer, dict) else None
    if not isinstance(found, dict):
        raise IncompleteFetchError(f"PagerDuty's answer to {path} holds no {key}: nothing was taken from it.")
    return found


def check_listed(rows: list[Any], key: str, path: str) -> list[Row]:
    """The rows, which are objects, with an id where they are known by one. Raises IncompleteFetchError with the row."""
    for number, row in enumerate(rows):
        named = key not in KNOWN_BY_ID or (isinstance(row, dict) and isinstance(row.get("id"), str) and row["id"])
        if not isinstance(row, dict) or not named:
            what = "has no id" if isinstance(row, dict) else "is no object"
            raise IncompleteFetchError(
                f"PagerDuty's answer to {path}: {key}.{number} {what}; nothing was taken from it."
            )
    return rows
