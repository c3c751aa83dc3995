"""Who lets a plan pass, and what was approved in advance."""

from pdmigrate.errors import PlanMovedError
from pdmigrate.plan.actions import Action, Plan
from pdmigrate.steps.job import Job

SMALL = {"contact_methods": "contact_details", "notification_rules": "notification_rules", "overrides": "overrides"}
"""Kinds whose every change is small, under the name that `rules.auto_approve` has for it."""


def read_approval(job: Job, plan: Plan, approve: str) -> str:
    """Who let the plan pass, or "". Raises PlanMovedError for the digest of another plan."""
    if approve == "all":
        return "--approve all"
    if approve and approve != plan.digest:
        raise PlanMovedError(
            f"The plan is {plan.digest[:12]} now, not {approve[:12]}: look at it again, then approve that digest."
        )
    if approve:
        return "--approve"
    approval = job.decisions().approves(plan.digest)
    return (approval.by or "decisions.yaml") if approval else ""


def is_small(job: Job, action: Action) -> bool:
    """Whether migration.yaml has approved this kind of change in advance. A new group or schedule never is."""
    rules = job.settings.rules.auto_approve
    if action.kind == "teams":
        only_members = {name for name, _, _ in action.changes()} == {"users"}
        return action.verb == "update" and only_members and "group_members" in rules
    return SMALL.get(action.kind) in rules
