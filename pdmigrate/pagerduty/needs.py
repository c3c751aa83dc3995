"""For each resource of PagerDuty: what a key needs to read it, and what a migration without it is.

Scopes are those of PagerDuty's OpenAPI file ("Scoped OAuth requires"); "" where it names none. An API key has no scopes:
an account's key reads everything, a user's key what that user may see.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Need:
    """path: what is asked. scope: of an OAuth token. without: what it means that a key may not read it. noun: what it is.

    absent: what it means that the plan does not have it.
    """

    path: str
    scope: str
    without: str
    noun: str = ""
    absent: str = "there is nothing of it to move"


MAY_BE_FORBIDDEN = ("team_members", "schedules_v3")
"""Without these the account is read all the same, and no plan is loaded: a guard says so."""
MAY_BE_ABSENT = (
    "team_members",
    "schedules_v3",
    "business_services",
    "maintenance_windows",
    "event_orchestrations",
    "rulesets",
    "handoff_rules",
    "service_orchestrations",
)
"""Accounts without the feature answer 402 or 404; what is only counted may be forbidden too."""
PLANS = ("teams",)
"""Plans without them answer 402. They page nobody: where a key may not read them a person decides who owns what."""
OWNERLESS = "no groups are made, and of each policy it is asked who owns it; whom it pages stays the same"
STOPS = "nothing is read, since a plan would page the wrong people, or nobody"
LISTED = "it is not in the list of what stays behind, and nobody is told what it suppresses or reroutes"
UNTOLD = (
    "the pages of the last months cannot be replayed, nor a night of both systems compared; nothing else needs them"
)
NEEDS = {
    "abilities": Need("/abilities", "abilities.read", "what the account's plan has is not known; the rest goes on"),
    "users": Need("/users", "users.read users:contact_methods.read", STOPS),
    "teams": Need("/teams", "teams.read", OWNERLESS, absent=OWNERLESS),
    "team_members": Need(
        "/teams/{id}/members", "teams.read", "groups would miss people: the account is read, and no plan is loaded"
    ),
    "schedules": Need("/schedules", "schedules.read", STOPS),
    "schedules_v3": Need(
        "/v3/schedules",
        "",
        "shift-based schedules would be missing: the account is read, and no plan is loaded",
        "shift-based schedules",
    ),
    "escalation_policies": Need("/escalation_policies", "escalation_policies.read", STOPS),
    "services": Need("/services", "services.read", STOPS),
    "oncalls": Need(
        "/oncalls", "oncalls.read", "what PagerDuty says of each level is no evidence: verify has less to compare"
    ),
    "incidents": Need("/incidents", "incidents.read", UNTOLD, "incidents", UNTOLD),
    "log_entries": Need("/log_entries", "incidents.read", UNTOLD, "log of incidents", UNTOLD),
    "notifications": Need(
        "/notifications",
        "users:notifications.read",
        "whom a page really woke is told from the log of the incidents alone",
        "list of notifications",
        "whom a page really woke is told from the log of the incidents alone",
    ),
    "business_services": Need("/business_services", "services.read", LISTED),
    "maintenance_windows": Need("/maintenance_windows", "services.read", LISTED),
    "event_orchestrations": Need("/event_orchestrations", "event_orchestrations.read", LISTED),
    "rulesets": Need("/rulesets", "event_rules.read", LISTED),
    "handoff_rules": Need("/users/{id}/oncall_handoff_notification_rules", "users.read", LISTED),
    "service_orchestrations": Need("/event_orchestrations/services/{id}", "services.read", LISTED),
}
"""By the name that a snapshot gives it."""
ROLE = "an API key of the account (read-only is enough), made by an administrator or the owner"


ABSENT, FORBIDDEN = 402, 403


def describe_need(kind: str) -> str:
    """What a key needs that may read it."""
    scope = NEEDS[kind].scope
    return f"{ROLE}, " + (f"or an OAuth token with {scope}" if scope else "PagerDuty names no scope of OAuth for it")


def explain_refusal(words: str, kind: str, status: int) -> str:
    """The side's own words, and what they mean."""
    return f"{words.rstrip('. ')}. {describe_refusal(kind, status)}"


def describe_refusal(kind: str, status: int) -> str:
    """What a refusal of that kind means for the migration, and what is needed. Two sentences."""
    need = NEEDS[kind]
    if status == ABSENT:
        return f"The account's plan has no {need.noun or kind.replace('_', ' ')}: {need.absent}."
    return f"Without it {NEEDS[kind].without}. It takes {describe_need(kind)}."


def describe_unread(kind: str, why: str) -> str:
    """The same of what a snapshot has as unread: `absent: …` or `forbidden: …`."""
    return explain_refusal(why, kind, ABSENT if why.startswith("absent") else FORBIDDEN) if kind in NEEDS else why
