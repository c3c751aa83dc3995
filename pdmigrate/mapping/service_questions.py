"""What only a person decides about a service: whether its alerts page, and what it relies on that Harness has not."""

from pdmigrate.pagerduty.records import Problem, Service
from pdmigrate.plan.answers import Conflict, Option

LEAVE_OUT = Option(name="leave_out", effect="not moved")
LOOK_INTO = Option(name="leave_out", effect="not moved; look into it before PagerDuty is switched off")


def find_quieter(service: Service) -> str:
    """Why not every alert of it wakes somebody today, in words; "" where each does."""
    rule = service.incident_urgency_rule
    if service.status == "disabled":
        return "it is disabled in PagerDuty"
    if rule and rule.type == "use_support_hours" and not _always_high(service):
        return "its urgency follows support hours"
    if rule and rule.urgency in ("low", "severity_based"):
        return f"its urgency is {rule.urgency.replace('_', ' ')}"
    return "it is in a maintenance window of PagerDuty now" if service.status == "maintenance" else ""


def _always_high(service: Service) -> bool:
    rule = service.incident_urgency_rule
    parts = (rule.during_support_hours, rule.outside_support_hours) if rule else ()
    return all(part and part.urgency == "high" for part in parts)


def ask_paging(service: Service, why: str) -> Conflict:
    """Maintenance passes; low urgency stays."""
    return Conflict(
        about="service_urgency",
        kind="services",
        id=service.id,
        name=service.name,
        question=f"{service.name} does not always page: {why}. Harness knows no urgency.",
        meaning="Paging always, it would wake people who sleep today; paging never, nobody hears of it.",
        options=(
            Option(name="page", effect="every alert pages, at any hour"),
            Option(name="no_page", effect="alerts are logged and page nobody"),
            LEAVE_OUT,
        ),
        recommended="page" if "maintenance" in why else "no_page",
        changes_paging=service.status != "disabled",
    )


def ask_acknowledgement(service: Service, minutes: int) -> Conflict:
    """PagerDuty pages again when nothing follows an acknowledgement; of Harness only an end after a day is documented."""
    return Conflict(
        about="acknowledgement_timeout",
        kind="services",
        id=service.id,
        name=service.name,
        question=f"{service.name} pages again {minutes} min after an acknowledgement. Harness has no such setting: "
        "by its documentation an acknowledged page times out after 24 hours.",
        meaning="Who acknowledges a page and falls asleep again is not woken again, and nobody else is.",
        options=(Option(name="accept", effect="a page that was acknowledged stays quiet"), LEAVE_OUT),
        recommended="accept",
        changes_paging=True,
    )


def ask_way(service: Service) -> Conflict:
    """An alert pages by an alert rule or by the service's own webhook; this one would have neither."""
    return Conflict(
        about="no_way_to_page",
        kind="services",
        id=service.id,
        name=service.name,
        question=f"{service.name} has no integration that a paging webhook would replace, and Harness takes no alert "
        "rule by API: it would have neither.",
        meaning="An alert whose service has neither alert rule nor webhook is logged and pages nobody.",
        options=(
            Option(name="rule_by_hand", effect="a person makes its alert rule: it is on the list of the handover"),
            LEAVE_OUT,
        ),
        recommended="rule_by_hand",
    )


def ask_dangling(service: Service, name: str, policy_id: str) -> Conflict:
    """A policy that no list shows."""
    return Conflict(
        about="dangling_reference",
        kind="services",
        id=service.id,
        name=service.name,
        question=f"{service.name} names the policy {name} ({policy_id}), which PagerDuty's list does not show.",
        meaning="Nobody can say who is paged for it; perhaps the key may not read that policy.",
        options=(LOOK_INTO,),
        recommended="leave_out",
        changes_paging=True,
    )


def ask_unusable(service: Service, policy: Problem) -> Conflict:
    """A policy that is there, in a form that cannot be used."""
    return Conflict(
        about="unusable_policy",
        kind="services",
        id=service.id,
        name=service.name,
        question=f"{service.name} pages by the policy {policy.name} ({policy.id}), which is there, in a form that this "
        f"version cannot use: {policy.message}.",
        meaning="PagerDuty pages somebody for it; nobody can say whom, or when.",
        options=(LOOK_INTO,),
        recommended="leave_out",
        changes_paging=True,
    )


def ask_unrouted(service: Service) -> Conflict:
    """Without a policy; PagerDuty makes no such service."""
    return Conflict(
        about="service_without_policy",
        kind="services",
        id=service.id,
        name=service.name,
        question=f"{service.name} came without an escalation policy, which every service of PagerDuty has.",
        meaning="By what PagerDuty said it pages nobody today; perhaps the key may not read its policy.",
        options=(LOOK_INTO,),
        recommended="leave_out",
        changes_paging=True,
    )
