"""The eight kinds of objects that are carried over: one table, read by everybody."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Kind:
    """What is the same of all objects of a kind.

    label: its name on pages. one: of a single object, in sentences. source, target: where it stands in an Account of
    PagerDuty (none: with its owner) and in a State of Harness. link: PagerDuty's page of it, by the id that it is known by.
    risk: how closely a person should look at a change, 1 first. contract: Harness has no public API for it.
    terraform: `rules.terraform` leaves it to Terraform. own: people keep it for themselves in Harness. paging: the
    fields that decide who is on call or paged. small: what `rules.auto_approve` calls small changes of it.
    """

    label: str
    one: str
    target: str
    link: str
    risk: int
    source: str = ""
    contract: bool = False
    terraform: bool = False
    own: bool = False
    paging: frozenset[str] = frozenset()
    small: str = ""


KINDS = {
    "teams": Kind(
        label="Teams",
        one="team",
        source="teams",
        target="groups",
        link="teams/{}",
        risk=6,
        terraform=True,
        small="group_members",
    ),
    "users": Kind(label="Users", one="user", source="users", target="people", link="users/{}", risk=5, terraform=True),
    "contact_methods": Kind(
        label="Contact methods",
        one="contact method",
        target="contacts",
        link="users/{}",
        risk=7,
        contract=True,
        own=True,
        small="contact_details",
    ),
    "notification_rules": Kind(
        label="Notification rules",
        one="notification rule",
        target="rules",
        link="users/{}",
        risk=8,
        contract=True,
        own=True,
        small="notification_rules",
    ),
    "schedules": Kind(
        label="Schedules",
        one="schedule",
        source="all_schedules",
        target="schedules",
        link="schedules/{}",
        risk=2,
        contract=True,
        paging=frozenset({"rotations", "time_zone"}),
    ),
    "overrides": Kind(
        label="Overrides",
        one="override",
        target="overrides",
        link="schedules/{}",
        risk=3,
        contract=True,
        paging=frozenset({"person", "start", "end"}),
        small="overrides",
    ),
    "escalation_policies": Kind(
        label="Escalation policies",
        one="escalation policy",
        source="policies",
        target="policies",
        link="escalation_policies/{}",
        risk=1,
        contract=True,
        paging=frozenset({"levels"}),
    ),
    "services": Kind(
        label="Services",
        one="service",
        source="services",
        target="services",
        link="service-directory/{}",
        risk=4,
        paging=frozenset({"escalation_policy", "paging", "rule_policy"}),
    ),
}
"""The kinds in the order in which they are loaded: whatever a thing needs comes before it.

Members of a group are paged where a level targets the group, which its kind does not say (see handmade.list_paging).
"""

ORDER = {name: place for place, name in enumerate(KINDS)}
TERRAFORM_KINDS = frozenset(name for name, kind in KINDS.items() if kind.terraform)
CONTRACT_KINDS = frozenset(name for name, kind in KINDS.items() if kind.contract)
PAGING_KINDS = frozenset(name for name, kind in KINDS.items() if kind.paging)
"""Kinds whose change changes who is paged."""
SOURCE_KINDS = tuple(name for name, kind in KINDS.items() if kind.source)
"""Kinds that a scope is made of: PagerDuty has them as objects of their own."""
