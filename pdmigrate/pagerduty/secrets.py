"""What of PagerDuty's answers is secret, and never kept unless somebody asks for it."""

import re
from typing import Any

SECRET = frozenset(
    {
        "integration_key",
        "integration_email",
        "routing_key",
        "routing_keys",
        "config",
    }
)
"""Whoever has an integration key can page the company."""
ADDRESS = re.compile(r"_cal_url$|_feed_url$")
"""Names of calendar addresses, an account's and a person's own: whoever has one can read who is on call."""
PRIVATE = re.compile(r"(webcal|https?)://\S*/(private|feed)/", re.IGNORECASE)
"""An address with a token in it, whatever the field is called that holds it."""

DEEP = ("services", "event_orchestrations", "rulesets")
"""Kinds that have secrets in their parts; the parts of all others are many, and have none."""


def strip_secrets(rows: dict[str, Any]) -> dict[str, Any]:
    """The rows of an account by kind, without what is secret."""
    return {
        kind: [_strip(row, deep=kind in DEEP) for row in found] if isinstance(found, list) else found
        for kind, found in rows.items()
    }


def _strip(value: Any, deep: bool) -> Any:
    if isinstance(value, dict):
        kept = {name: each for name, each in value.items() if not _is_secret(name, each)}
        return {name: _strip(each, deep) for name, each in kept.items()} if deep else kept
    return [_strip(each, deep) for each in value] if deep and isinstance(value, list) else value


def _is_secret(name: str, value: Any) -> bool:
    address = isinstance(value, str) and (ADDRESS.search(name) or PRIVATE.match(value))
    return name in SECRET or bool(address)
