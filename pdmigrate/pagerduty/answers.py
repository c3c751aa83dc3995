"""The form of PagerDuty's answers: what is asked for is there, and is what its API says. Else nothing is taken from it."""

from typing import Any

from pdmigrate.errors import IncompleteFetchError

Row = dict[str, Any]

KNOWN_BY_ID = frozenset({"teams", "schedules", "orchestrations", "rulesets", "overrides", "custom_shifts"}) | {
    "incidents",
    "log_entries",
    "notifications",
}
"""Lists whose rows are asked for again, or put together, by their id. What a row of another list lacks is a problem of
that row alone, and is said on the page of preview."""


def take_object(answer: Any, key: str, path: str) -> Row:
    """The object that an answer holds under this key. Raises IncompleteFetchError where there is none."""
    found = answer.get(key) if isinstance(answer, dict) else None
    if not isinstance(found, dict):
        raise IncompleteFetchError(f"PagerDuty's answer to {path} holds no {key}: nothing was taken from it.")
    return found


def check_listed(rows: list[Any], key: str, path: str) -> list[Row]:
    """The rows; in a list that is known by ids each has one. Raises IncompleteFetchError that names the row."""
    for number, row in enumerate(rows) if key in KNOWN_BY_ID else ():
        if not (isinstance(row, dict) and isinstance(row.get("id"), str) and row["id"]):
            what = "has no id" if isinstance(row, dict) else "is no object"
            raise IncompleteFetchError(
                f"PagerDuty's answer to {path}: {key}.{number} {what}; nothing was taken from it."
            )
    return rows
