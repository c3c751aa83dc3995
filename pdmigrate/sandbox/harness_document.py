"""What an embedded Harness remembers, as one JSON document: empty, with a life, and what acceptance does to it."""

import base64
import hashlib
import time
from collections.abc import Iterable
from dataclasses import dataclass

from pdmigrate.sandbox.store import Json


@dataclass(frozen=True)
class Scope:
    """The account (neither given), an organization, or a project."""

    org: str | None = None
    project: str | None = None

    @property
    def key(self) -> str:
        return "/".join(part for part in (self.org, self.project) if part)

    @property
    def chain(self) -> list[str]:
        """The keys from the account down to this scope."""
        return list(dict.fromkeys(("", self.org or "", self.key)))

    def fields(self, account: str) -> Json:
        return {"accountIdentifier": account, "orgIdentifier": self.org, "projectIdentifier": self.project}

    def holds(self, row: Json) -> bool:
        return (row.get("orgIdentifier"), row.get("projectIdentifier")) == (self.org, self.project)


def new_document(
    account: str = "embedded", org: str = "default", project: str = "sre", people: Iterable[Json] = ()
) -> Json:
    """An empty target: an account, an organization, two projects, and active users given as uuid, name and email."""
    projects = [project, f"{project}_staging"]
    document: Json = {
        "account": account,
        "organizations": [{"identifier": org, "name": org.title()}],
        "projects": [{"orgIdentifier": org, "identifier": name, "name": name} for name in projects],
    }
    document |= {name: [] for name in ("users", "invites", "user_groups", "services", "writes")}
    kinds = ("schedules", "escalation_policies", "services", "alert_rules", "contact_details", "notification_rules")
    document |= {"mails": {}, "config": {}, "oncall": {kind: {} for kind in kinds}}
    document["users"] = [new_user(**person) | {"scopes": Scope(org, project).chain} for person in people]
    scopes = [(Scope(), "account"), (Scope(org), "organization"), *((Scope(org, name), "project") for name in projects)]
    groups = [new_group(account, f"_{level}_all_users", f"All {level.title()} Users", scope) for scope, level in scopes]
    document["user_groups"] = [group | {"harnessManaged": True} for group in groups]
    return document


def new_user(email: str, name: str | None = None, uuid: str | None = None, **more: object) -> Json:
    """An active user. The uuid comes from the email unless one is given, so that every run has the same."""
    spoken = email.split("@")[0].replace(".", " ").replace("_", " ").title()
    issued = base64.urlsafe_b64encode(hashlib.sha256(email.encode()).digest()).decode()[:22]
    flags = {"locked": False, "disabled": False, "externallyManaged": False, "twoFactorAuthenticationEnabled": False}
    return {"name": name or spoken, "email": email, "uuid": uuid or issued} | flags | more


def new_group(account: str, identifier: str, name: str, scope: Scope, users: Iterable[str] = ()) -> Json:
    fields = scope.fields(account) | {"identifier": identifier, "name": name, "users": list(users)}
    flags = {"notificationConfigs": [], "externallyManaged": False, "ssoLinked": False, "harnessManaged": False}
    return fields | flags | {"description": "", "tags": {}, "lastModifiedAt": int(time.time() * 1000)}


def build_target(people: Iterable[Json]) -> Json:
    """A target that was in use before: groups, services, a schedule and a policy that somebody made by hand."""
    document = new_document(people=people) | {"config": {"page_answered_after": 0}}
    scope = Scope("default", "sre")
    pair = document["users"][:2]
    uuids, emails = [user["uuid"] for user in pair], [user["email"] for user in pair]
    sso = {"linkedSsoId": "okta", "linkedSsoDisplayName": "Okta", "linkedSsoType": "SAML"}
    security = new_group("embedded", "security_sso", "Security SSO", scope, uuids[:1]) | sso
    security |= {"externallyManaged": True, "ssoLinked": True}
    document["user_groups"] += [new_group("embedded", "platform", "Platform", scope, uuids), security]
    for identifier, name in (("checkout", "checkout"), ("catalog_search", "catalog-search")):
        service: Json = {"accountId": "embedded", "orgIdentifier": scope.org, "projectIdentifier": scope.project}
        service |= {"identifier": identifier, "name": name, "description": "", "deleted": False, "tags": {}}
        service |= {"yaml": f"service:\n  name: {name}\n  identifier: {identifier}\n", "createdAt": 1700000000000}
        document["services"].append(service)
    owned = {"description": "Made by hand", "owner_group": "platform", "tags": {}}
    rotation: Json = {"name": "Weekly", "participants": emails or [None], "anchor": "2024-01-01T09:00:00"}
    rotation |= {"turn_seconds": 604800, "windows": [], "since": None, "until": None}
    schedule: Json = {
        "identifier": "payments_primary",
        "name": "Payments primary",
        "time_zone": "Europe/London",
        **owned,
    }
    schedule |= {"rotations": [rotation], "overrides": []}
    targets = ({"type": "schedule", "id": "payments_primary"}, {"type": "user_group", "id": "platform"})
    levels = [{"timeout_minutes": 10, "retries": 0, "targets": [target]} for target in targets]
    policy = {"identifier": "platform_escalation", "name": "Platform escalation", **owned, "levels": levels}
    document["oncall"]["schedules"][f"{scope.key}/{schedule['identifier']}"] = schedule
    document["oncall"]["escalation_policies"][f"{scope.key}/{policy['identifier']}"] = policy
    return document


def is_member(user: Json, scope: Scope) -> bool:
    """A user without a list of scopes belongs to all of them."""
    return "scopes" not in user or scope.key in user["scopes"]


def find_user(document: Json, email: str) -> Json | None:
    return next((user for user in document["users"] if user["email"] == email), None)


def find_group(document: Json, scope: Scope, identifier: str) -> Json | None:
    groups = (group for group in document["user_groups"] if scope.holds(group))
    return next((group for group in groups if group["identifier"] == identifier), None)


def join_scope(user: Json, scope: Scope) -> None:
    """Whoever joins a project is in its organization and in the account too."""
    if "scopes" in user:
        user["scopes"] = list(dict.fromkeys(user["scopes"] + scope.chain))


def join_groups(document: Json, user: Json, identifiers: list[str], scope: Scope) -> None:
    """Unknown groups are passed over in silence, as Harness does."""
    for identifier in identifiers:
        group = find_group(document, scope, identifier)
        if group and user["uuid"] not in group["users"]:
            group["users"] = [*group["users"], user["uuid"]]


def accept_invites(document: Json, emails: list[str] | None = None) -> None:
    """What happens when people follow their invitation: they become users, and the groups of the invite apply."""
    wanted = None if emails is None else {email.lower() for email in emails}
    accepted = [invite for invite in document["invites"] if wanted is None or invite["email"] in wanted]
    for invite in accepted:
        scope = Scope(invite["orgIdentifier"], invite["projectIdentifier"])
        user = find_user(document, invite["email"])
        if user is None:
            user = new_user(invite["email"]) | {"scopes": []}
            document["users"].append(user)
        join_scope(user, scope)
        join_groups(document, user, invite["userGroups"], scope)
    document["invites"] = [invite for invite in document["invites"] if invite not in accepted]
