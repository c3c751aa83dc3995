"""The eight kinds of objects that are carried over, in one table."""

KINDS = (
    "teams",
    "users",
    "contact_methods",
    "notification_rules",
    "schedules",
    "overrides",
    "escalation_policies",
    "services",
)
"""The kinds, in the order in which they are loaded: whatever a thing needs comes before it."""


TERRAFORM_KINDS = frozenset({"teams", "users"})
"""Kinds that `rules.terraform` leaves to Terraform."""


CONTRACT_KINDS = {"schedules", "overrides", "escalation_policies", "contact_methods", "notification_rules"}
"""Kinds that Harness has no public API for."""
