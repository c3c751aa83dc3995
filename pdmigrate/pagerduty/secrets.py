"""What of PagerDuty's answers is secret, and never kept unless somebody asks for it."""

from typing import Any

SECRET = frozenset(
    {
        "integration_key",
        "integration_email",
        "routing_key",
        "routing_keys",
        "config",
        "http_cal_url",
        "web_cal_url",
    }
)
"""Whoever has an integration key can page the company; whoever has a calendar's address can read who is on call."""


def strip_secrets(value: Any) -> Any:
    """The same without the fields that are secret, however deep."""
    if isinstance(value, dict):
        return {name: strip_secrets(each) for name, each in value.items() if name not in SECRET}
    return [strip_secrets(each) for each in value] if isinstance(value, list) else value
